//! Value feeds as their oracles leave them: the documented bytes of Switchboard's `PullFeedAccountData`.
use anchor_lang::prelude::Pubkey;
use ballast_oracle::switchboard_on_demand::{SwitchboardOnDemand, DISCRIMINATOR, LEN};
use ballast_oracle::Adapter;

use super::World;

/// What a feed says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueMessage {
    /// The oracles that answer for it.
    pub queue: Pubkey,
    /// Hash of the jobs that compute it.
    pub hash: [u8; 32],
    /// Whether its authority may write it.
    pub by_authority: bool,
    /// Oracles that it wants an answer from.
    pub min_samples: u8,
    /// Oracles that answered.
    pub samples: u8,
    /// 10⁻¹⁸.
    pub value: i128,
    /// Standard deviation of the answers, 10⁻¹⁸.
    pub deviation: i128,
    /// Unix seconds.
    pub updated_at: i64,
    /// Slot of the result; 0 before the first.
    pub slot: u64,
    /// Slots of the oldest and of the newest answer in the value; 0 where they are not said.
    pub answer_slots: [u64; 2],
    /// Age in slots up to which the feed counts answers; 0 for any.
    pub max_staleness: u32,
}

impl ValueMessage {
    /// Three oracles of `queue` agree on a value of 10⁻⁹ at this time and slot; answers count for 250 slots.
    pub fn new(queue: Pubkey, hash: [u8; 32], value: i64, (updated_at, slot): (i64, u64)) -> ValueMessage {
        ValueMessage {
            queue,
            hash,
            by_authority: false,
            min_samples: 1,
            samples: 3,
            value: i128::from(value) * 1_000_000_000,
            deviation: 0,
            updated_at,
            slot,
            answer_slots: [slot; 2],
            max_staleness: 250,
        }
    }

    /// The account's bytes.
    pub fn account_data(&self) -> Vec<u8> {
        let mut data = vec![0; LEN];
        let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &DISCRIMINATOR);
        put(2_088, self.queue.as_ref());
        put(2_120, &self.hash);
        put(2_213, &[u8::from(self.by_authority), 0, self.min_samples]);
        put(2_216, &self.updated_at.to_le_bytes());
        put(2_264, &self.value.to_le_bytes());
        put(2_280, &self.deviation.to_le_bytes());
        put(2_360, &[self.samples]);
        put(2_368, &self.slot.to_le_bytes());
        put(2_376, &self.answer_slots[0].to_le_bytes());
        put(2_384, &self.answer_slots[1].to_le_bytes());
        put(2_392, &self.max_staleness.to_le_bytes());
        data
    }
}

impl World {
    /// Leaves a value feed at `key`.
    pub fn post_value(&mut self, key: Pubkey, message: &ValueMessage) {
        self.vm.put(
            key,
            Pubkey::new_from_array(SwitchboardOnDemand::PROGRAMS[0]),
            message.account_data(),
        );
    }
}
