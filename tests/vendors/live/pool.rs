//! `StakePool` as `spl-stake-pool` reads it.
use ballast_oracle::stake_pool::{read, StakePool as Ours, LEN, PROGRAM};
use ballast_oracle::OracleError;
use borsh::BorshDeserialize;
use spl_stake_pool::state::{AccountType, Fee, FutureEpoch, StakePool};

use crate::common::{compare, Layout, Random};

/// Type, mint, total, supply, epoch; then the tags of the fields that may be missing, wherever they are.
const LAYOUT: Layout = Layout {
    mark: 1,
    fields: &[0, 162, 258, 266, 274, 344, 354, 379, 396, 430, 461, 479, 529],
};

fn fee(random: &mut Random) -> Fee {
    Fee {
        denominator: random.sized(),
        numerator: random.sized(),
    }
}

fn future(random: &mut Random) -> FutureEpoch<Fee> {
    match random.below(3) {
        0 => FutureEpoch::None,
        1 => FutureEpoch::One(fee(random)),
        _ => FutureEpoch::Two(fee(random)),
    }
}

/// A pool with any of its optional fields, and behind them what longer ones have left.
fn pool(random: &mut Random) -> Vec<u8> {
    let optional = |random: &mut Random| (random.below(2) == 0).then(|| random.bytes().into());
    let supply = 1 + random.sized() / 16;
    let mut pool = StakePool {
        account_type: match random.below(16) {
            0 => AccountType::Uninitialized,
            1 => AccountType::ValidatorList,
            _ => AccountType::StakePool,
        },
        manager: random.bytes().into(),
        stake_withdraw_bump_seed: random.bits() as u8,
        pool_mint: random.bytes().into(),
        total_lamports: supply + random.below(supply),
        pool_token_supply: supply,
        last_update_epoch: random.sized(),
        epoch_fee: fee(random),
        next_epoch_fee: future(random),
        preferred_deposit_validator_vote_address: optional(random),
        preferred_withdraw_validator_vote_address: optional(random),
        stake_deposit_fee: fee(random),
        stake_withdrawal_fee: fee(random),
        next_stake_withdrawal_fee: future(random),
        stake_referral_fee: random.bits() as u8,
        sol_deposit_authority: optional(random),
        sol_deposit_fee: fee(random),
        sol_referral_fee: random.bits() as u8,
        sol_withdraw_authority: optional(random),
        sol_withdrawal_fee: fee(random),
        next_sol_withdrawal_fee: future(random),
        last_epoch_pool_token_supply: random.sized(),
        last_epoch_total_lamports: random.sized(),
        ..StakePool::default()
    };
    pool.lockup.epoch = random.sized();
    let mut data = borsh::to_vec(&pool).expect("serialises");
    data.resize_with(LEN, || random.bits() as u8);
    data
}

/// As the vendor's program reads its own accounts.
fn vendor(data: &[u8]) -> Option<StakePool> {
    StakePool::deserialize(&mut &data[..]).ok().filter(StakePool::is_valid)
}

/// Both read `data` alike; returns whether the vendor and whether we accept it.
fn agree(data: &[u8]) -> (bool, bool) {
    let (theirs, ours) = (vendor(data), read(&PROGRAM, data));
    let expected = match &theirs {
        _ if data.len() != LEN => Err(OracleError::WrongLayout),
        _ if data[0] != 1 => Err(OracleError::PoolNotInitialized),
        None => Err(OracleError::WrongLayout),
        Some(pool) => Ok(Ours {
            mint: pool.pool_mint.to_bytes(),
            total_lamports: pool.total_lamports,
            token_supply: pool.pool_token_supply,
            last_update_epoch: pool.last_update_epoch,
        }),
    };
    assert_eq!(ours, expected, "{data:?}");
    if let (Some(pool), Ok(ours)) = (&theirs, &ours) {
        // What the vendor pays for one token, which it computes from the same two numbers.
        let paid = pool.calc_lamports_withdraw_amount(1_000_000_000);
        let in_range = paid.filter(|paid| (500_000_001..10_000_000_000).contains(paid));
        let rate = ours.rate(pool.last_update_epoch).map(|rate| rate.rate as u64);
        let too_large = pool.total_lamports > i64::MAX as u64 || pool.pool_token_supply > i64::MAX as u64;
        assert_eq!(rate.ok(), in_range.filter(|_| !too_large), "{pool:?}");
    }
    (theirs.is_some(), ours.is_ok())
}

#[test]
fn the_constants_are_the_vendors() {
    assert_eq!(PROGRAM, spl_stake_pool::id().to_bytes());
    let full = StakePool {
        next_epoch_fee: FutureEpoch::Two(Fee::default()),
        preferred_deposit_validator_vote_address: Some([0; 32].into()),
        preferred_withdraw_validator_vote_address: Some([0; 32].into()),
        next_stake_withdrawal_fee: FutureEpoch::Two(Fee::default()),
        sol_deposit_authority: Some([0; 32].into()),
        sol_withdraw_authority: Some([0; 32].into()),
        next_sol_withdrawal_fee: FutureEpoch::Two(Fee::default()),
        ..StakePool::default()
    };
    assert_eq!(borsh::to_vec(&full).map(|data| data.len()).ok(), Some(LEN));
}

#[test]
fn pools_read_as_the_vendor_reads_them() {
    compare(2, &LAYOUT, pool, agree);
}
