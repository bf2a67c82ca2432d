//! `AggregatorAccountData` as `switchboard-v2` reads it.
//!
//! The vendor casts an account's bytes to a struct that is packed, but whose fields a compiler may put in any order, and today's do: with
//! them its crate misreads every account. So its structs are filled here field by field in the order of their declaration, which is the
//! order on chain; what it makes of them is its own code. Every field is named, and of the vendor's type: all that is by hand is the order.
use anchor_lang::Discriminator;
use ballast_oracle::switchboard_v2::{SwitchboardV2, DISCRIMINATOR, LEN};
use ballast_oracle::{Adapter, OracleError, Reading};
use rust_decimal::Decimal;
use solana_program::pubkey::Pubkey;
use switchboard_v2::{AggregatorAccountData, AggregatorResolutionMode, AggregatorRound, Hash, SwitchboardDecimal};

use crate::common::{compare, Layout, Random};

/// A field in an account's bytes.
trait Field: Copy {
    fn read(data: &mut &[u8]) -> Self;
    fn write(self, data: &mut Vec<u8>);
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn read(data: &mut &[u8]) -> Self {
                let (field, rest) = data.split_first_chunk().expect("an account's length");
                *data = rest;
                <$type>::from_le_bytes(*field)
            }

            fn write(self, data: &mut Vec<u8>) {
                data.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}

integers!(u8, u32, u64, i64, i128);

impl Field for bool {
    fn read(data: &mut &[u8]) -> Self {
        u8::read(data) != 0
    }

    fn write(self, data: &mut Vec<u8>) {
        u8::from(self).write(data);
    }
}

impl Field for AggregatorResolutionMode {
    fn read(data: &mut &[u8]) -> Self {
        match u8::read(data) {
            0 => AggregatorResolutionMode::ModeRoundResolution,
            _ => AggregatorResolutionMode::ModeSlidingResolution,
        }
    }

    fn write(self, data: &mut Vec<u8>) {
        (self as u8).write(data);
    }
}

impl<T: Field, const N: usize> Field for [T; N] {
    fn read(data: &mut &[u8]) -> Self {
        std::array::from_fn(|_| T::read(data))
    }

    fn write(self, data: &mut Vec<u8>) {
        self.into_iter().for_each(|field| field.write(data));
    }
}

impl Field for Pubkey {
    fn read(data: &mut &[u8]) -> Self {
        Pubkey::new_from_array(Field::read(data))
    }

    fn write(self, data: &mut Vec<u8>) {
        self.to_bytes().write(data);
    }
}

macro_rules! in_order {
    ($type:ident: $($field:ident)*) => {
        impl Field for $type {
            fn read(data: &mut &[u8]) -> Self {
                $(let $field = Field::read(data);)*
                $type { $($field),* }
            }

            fn write(self, data: &mut Vec<u8>) {
                $({ let field = self.$field; field.write(data); })*
            }
        }
    };
}

in_order!(Hash: data);
in_order!(SwitchboardDecimal: mantissa scale);
in_order!(AggregatorRound:
    num_success num_error is_closed round_open_slot round_open_timestamp result std_deviation min_response max_response
    oracle_pubkeys_data medians_data current_payout medians_fulfilled errors_fulfilled);
in_order!(AggregatorAccountData:
    name metadata _reserved1 queue_pubkey oracle_request_batch_size min_oracle_results min_job_results min_update_delay_seconds
    start_after variance_threshold force_report_period expiration consecutive_failure_count next_allowed_update_time is_locked
    crank_pubkey latest_confirmed_round current_round job_pubkeys_data job_hashes job_pubkeys_size jobs_checksum authority
    history_buffer previous_confirmed_round_result previous_confirmed_round_slot disable_crank job_weights creation_timestamp
    resolution_mode _ebuf);

const KEY: [u8; 32] = [7; 32];

/// Queue, least answers, answers, slot, time, result, deviation, jobs, mode.
const LAYOUT: Layout = Layout {
    mark: 8,
    fields: &[200, 236, 341, 350, 358, 366, 374, 380, 386, 394, 400, 3_563, 3_708],
};
/// Offset of the resolution mode.
const MODE: usize = 3_712;

fn decimal(random: &mut Random, may_be_negative: bool) -> SwitchboardDecimal {
    let mantissa = random.signed(96);
    SwitchboardDecimal {
        mantissa: if may_be_negative { mantissa } else { mantissa.abs() },
        scale: random.below(29) as u32,
    }
}

/// An aggregator in a state that its program leaves it in.
fn aggregator(random: &mut Random) -> Vec<u8> {
    let mut account = AggregatorAccountData::read(&mut &[0; LEN][..]);
    account.queue_pubkey = random.bytes().into();
    account.min_oracle_results = random.below(6) as u32;
    account.is_locked = random.below(2) == 0;
    account.jobs_checksum = random.bytes();
    account.resolution_mode = match random.below(16) {
        0 => AggregatorResolutionMode::ModeSlidingResolution,
        _ => AggregatorResolutionMode::ModeRoundResolution,
    };
    let round = &mut account.latest_confirmed_round;
    round.is_closed = random.below(2) == 0;
    if random.below(16) > 0 {
        round.num_success = random.below(17) as u32;
        round.round_open_slot = 1 + random.sized();
        round.round_open_timestamp = random.sized() as i64;
        round.result = decimal(random, true);
        round.std_deviation = decimal(random, false);
    }
    let mut data = DISCRIMINATOR.to_vec();
    account.write(&mut data);
    data
}

/// The vendor's account where it gives a result, with result and deviation as its decimals.
fn vendor(data: &[u8]) -> Option<(AggregatorAccountData, Decimal, Decimal)> {
    // It slices without a look at the length, and has no defined answer to a mode that is none.
    if data.len() < LEN || data[MODE] > 1 {
        return None;
    }
    AggregatorAccountData::new_from_bytes(data).ok()?;
    let account = AggregatorAccountData::read(&mut &data[8..]);
    let result: Decimal = account.get_result().ok()?.try_into().ok()?;
    let round = account.latest_confirmed_round;
    let deviation = round.std_deviation;
    Some((account, result, deviation.try_into().ok()?))
}

/// What the vendor's crate gives a result for and we refuse: another size, answers of a sliding window, an aggregator that has none.
fn we_refuse(data: &[u8], account: &AggregatorAccountData, deviation: &Decimal) -> Option<OracleError> {
    let round = account.latest_confirmed_round;
    let (samples, least, slot) = (round.num_success, account.min_oracle_results, round.round_open_slot);
    if data.len() != LEN {
        Some(OracleError::WrongLayout)
    } else if data[MODE] == 1 {
        Some(OracleError::AgesUnknown)
    } else if slot == 0 || samples < least.max(1) {
        Some(OracleError::TooFewSamples)
    } else {
        (deviation.mantissa() < 0).then_some(OracleError::NegativeDeviation)
    }
}

/// ⌈value · 10^decimals⌉, or the largest number where it does not fit.
fn scaled_up(value: &Decimal, decimals: u32) -> i128 {
    let (mantissa, scale) = (value.mantissa(), value.scale());
    if scale <= decimals {
        return mantissa.saturating_mul(10i128.pow(decimals - scale));
    }
    let divisor = 10i128.pow(scale - decimals);
    mantissa / divisor + i128::from(mantissa % divisor > 0)
}

/// The vendor's fields under our names.
fn fields(account: &AggregatorAccountData, result: &Decimal, deviation: &Decimal) -> Reading {
    let round = account.latest_confirmed_round;
    let decimals = result.scale().min(18);
    // −⌈−x⌉ is ⌊x⌋.
    let price = -scaled_up(&-*result, decimals);
    Reading {
        id: KEY,
        queue: account.queue_pubkey.to_bytes(),
        hash: account.jobs_checksum,
        price,
        confidence: scaled_up(deviation, decimals) as u128,
        exponent: -(decimals as i32),
        publish_time: round.round_open_timestamp,
        slot: round.round_open_slot,
        first_slot: round.round_open_slot,
        own_max_slots: 0,
        samples: round.num_success,
    }
}

/// Both read `data` alike; returns whether the vendor and whether we accept it.
fn agree(data: &[u8]) -> (bool, bool) {
    let (theirs, ours) = (vendor(data), SwitchboardV2::read(&KEY, data));
    match &theirs {
        None => assert!(ours.is_err(), "{ours:?} where the vendor has no result"),
        Some((account, result, deviation)) => {
            let expected =
                we_refuse(data, account, deviation).map_or_else(|| Ok(fields(account, result, deviation)), Err);
            assert_eq!(ours, expected);
        }
    }
    (theirs.is_some(), ours.is_ok())
}

#[test]
fn the_constants_are_the_vendors() {
    assert_eq!(DISCRIMINATOR, AggregatorAccountData::discriminator());
    assert_eq!(LEN, 8 + std::mem::size_of::<AggregatorAccountData>());
    assert_eq!(
        SwitchboardV2::PROGRAMS,
        [switchboard_v2::SWITCHBOARD_PROGRAM_ID.to_bytes()]
    );
}

#[test]
fn aggregators_read_as_the_vendor_reads_them() {
    compare(2, &LAYOUT, aggregator, agree);
}
