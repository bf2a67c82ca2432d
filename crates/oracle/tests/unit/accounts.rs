//! Accounts byte by byte, as the vendors document them.
use ballast_oracle::{pyth_pull, pyth_push, stake_pool, switchboard_on_demand, switchboard_v2, SourceKind};

/// The account's key.
pub const KEY: [u8; 32] = [0x4b; 32];
/// The bound oracles and jobs.
pub const QUEUE: [u8; 32] = [0x51; 32];
pub const HASH: [u8; 32] = [0x48; 32];
/// Pyth's feed id.
pub const FEED: [u8; 32] = [0x46; 32];
/// Unix seconds and slot of every price.
pub const TIME: i64 = 1_750_000_000;
pub const SLOT: u64 = 350_000_000;

/// Writes `value` at `offset`.
pub fn put<const N: usize>(data: &mut [u8], offset: usize, value: [u8; N]) {
    data[offset..offset + N].copy_from_slice(&value);
}

/// A fully verified price of 61,234.56789012 ± 12.3.
pub fn pyth_pull() -> Vec<u8> {
    let mut data = vec![0; pyth_pull::LEN];
    put(&mut data, 0, pyth_pull::DISCRIMINATOR);
    put(&mut data, 8, [0xaa; 32]); // write authority
    data[40] = 1;
    put(&mut data, 41, FEED);
    put(&mut data, 73, 6_123_456_789_012i64.to_le_bytes());
    put(&mut data, 81, 1_230_000_000u64.to_le_bytes());
    put(&mut data, 89, (-8i32).to_le_bytes());
    put(&mut data, 93, TIME.to_le_bytes());
    put(&mut data, 101, (TIME - 1).to_le_bytes());
    put(&mut data, 125, SLOT.to_le_bytes());
    data
}

/// 61,200.109991665549598697 with a deviation of 3·10⁻¹⁸, three answers of at least two.
pub fn on_demand() -> Vec<u8> {
    let mut data = vec![0; switchboard_on_demand::LEN];
    put(&mut data, 0, switchboard_on_demand::DISCRIMINATOR);
    put(&mut data, 2_088, QUEUE);
    put(&mut data, 2_120, HASH);
    data[2_215] = 2;
    put(&mut data, 2_216, TIME.to_le_bytes());
    put(&mut data, 2_264, 61_200_109_991_665_549_598_697i128.to_le_bytes());
    put(&mut data, 2_280, 3i128.to_le_bytes());
    data[2_360] = 3;
    put(&mut data, 2_368, SLOT.to_le_bytes());
    put(&mut data, 2_376, (SLOT - 7).to_le_bytes());
    put(&mut data, 2_384, (SLOT + 2).to_le_bytes());
    put(&mut data, 2_392, 60u32.to_le_bytes());
    data
}

/// 1.00000750 ± 0.00024249, trading.
pub fn pyth_push() -> Vec<u8> {
    let mut data = vec![0; pyth_push::LEN];
    put(&mut data, 0, pyth_push::MAGIC.to_le_bytes());
    put(&mut data, 4, 2u32.to_le_bytes());
    put(&mut data, 8, 3u32.to_le_bytes());
    put(&mut data, 12, 3_312u32.to_le_bytes());
    put(&mut data, 16, 1u32.to_le_bytes());
    put(&mut data, 20, (-8i32).to_le_bytes());
    put(&mut data, 96, TIME.to_le_bytes());
    put(&mut data, 208, 100_000_750i64.to_le_bytes());
    put(&mut data, 216, 24_249u64.to_le_bytes());
    put(&mut data, 224, 1u32.to_le_bytes());
    put(&mut data, 232, SLOT.to_le_bytes());
    data
}

/// 23.62 with a deviation of 0.0105 (in other decimals), three answers of at least two.
pub fn v2() -> Vec<u8> {
    let mut data = vec![0; switchboard_v2::LEN];
    put(&mut data, 0, switchboard_v2::DISCRIMINATOR);
    put(&mut data, 200, QUEUE);
    put(&mut data, 236, 2u32.to_le_bytes());
    put(&mut data, 341, 3u32.to_le_bytes());
    data[349] = 1; // the next round has begun
    put(&mut data, 350, SLOT.to_le_bytes());
    put(&mut data, 358, TIME.to_le_bytes());
    put(&mut data, 366, 23_620i128.to_le_bytes());
    put(&mut data, 382, 3u32.to_le_bytes());
    put(&mut data, 386, 105i128.to_le_bytes());
    put(&mut data, 402, 4u32.to_le_bytes());
    put(&mut data, 3_563, HASH);
    data
}

/// A pool of 1.2 lamports a token, updated in epoch 800, that has no optional field.
pub fn pool() -> Vec<u8> {
    let mut data = vec![0; stake_pool::LEN];
    data[0] = 1;
    put(&mut data, 162, KEY);
    put(&mut data, 258, 12_000_000_000_000u64.to_le_bytes());
    put(&mut data, 266, 10_000_000_000_000u64.to_le_bytes());
    put(&mut data, 274, 800u64.to_le_bytes());
    data
}

/// An account of each kind.
pub fn of(kind: SourceKind) -> Vec<u8> {
    match kind {
        SourceKind::PythPull => pyth_pull(),
        SourceKind::SwitchboardOnDemand => on_demand(),
        SourceKind::PythPush => pyth_push(),
        SourceKind::SwitchboardV2 => v2(),
    }
}
