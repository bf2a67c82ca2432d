//! Staked tokens: the pool's account, its rate, the cap on its growth, and the price.
use ballast_oracle::stake_pool::{capped_rate, price, read, CappedRate, Rate, PROGRAM};
use ballast_oracle::OracleError::{self, *};
use ballast_oracle::SourceKind;
use proptest::prelude::*;

use crate::accounts::{pool, put, KEY};

fn rate(total: u64, supply: u64) -> Result<i64, OracleError> {
    let mut data = pool();
    put(&mut data, 258, total.to_le_bytes());
    put(&mut data, 266, supply.to_le_bytes());
    read(&PROGRAM, &data)?.rate(800).map(|rate| rate.rate)
}

#[test]
fn a_pool_reads_as_documented() {
    let pool = read(&PROGRAM, &pool()).expect("a pool");
    assert_eq!((pool.mint, pool.last_update_epoch), (KEY, 800));
    assert_eq!(
        (pool.total_lamports, pool.token_supply),
        (12_000_000_000_000, 10_000_000_000_000)
    );
    let expected = Rate {
        rate: 1_200_000_000,
        epoch: 800,
    };
    assert_eq!(pool.rate(800), Ok(expected));
}

#[test]
fn other_accounts_are_refused() {
    for owner in SourceKind::ALL
        .iter()
        .flat_map(|kind| kind.programs())
        .chain(&[[0; 32], KEY])
    {
        assert_eq!(read(owner, &pool()), Err(WrongOwner));
    }
    let mut data = pool();
    data.push(0);
    assert_eq!(read(&PROGRAM, &data), Err(WrongLayout));
    assert_eq!(read(&PROGRAM, &data[..610]), Err(WrongLayout));
    assert_eq!(read(&PROGRAM, &[]), Err(WrongLayout));
    for account_type in [0, 2, 3, 255] {
        data = pool();
        data[0] = account_type;
        assert_eq!(
            read(&PROGRAM, &data),
            Err(PoolNotInitialized),
            "an empty account, a list of validators"
        );
    }
}

/// The tags of the optional fields: first where none is present, then where all are.
#[test]
fn tags_that_are_none_are_refused() {
    let with = |offset: usize, tag: u8| {
        let mut data = pool();
        data[offset] = tag;
        read(&PROGRAM, &data).map(|_| ())
    };
    for (offset, largest) in [(346, 2), (347, 1), (348, 1), (381, 2), (383, 1), (401, 1), (418, 2)] {
        assert_eq!(with(offset, largest), Ok(()), "{offset}");
        assert_eq!(with(offset, largest + 1), Err(WrongLayout), "{offset}");
    }
    // With all of them the account is full.
    let mut data = pool();
    for (offset, tag) in [(346, 2), (363, 1), (396, 1), (461, 2), (479, 1), (529, 1), (578, 2)] {
        data[offset] = tag;
    }
    assert!(read(&PROGRAM, &data).is_ok());
}

#[test]
fn a_pool_is_of_this_epoch_or_the_one_before() {
    let pool = read(&PROGRAM, &pool()).expect("a pool");
    assert_eq!(pool.rate(799), Err(PoolNotUpdated));
    assert!(pool.rate(800).is_ok());
    assert!(pool.rate(801).is_ok());
    assert_eq!(pool.rate(802), Err(PoolNotUpdated));
    assert_eq!(pool.rate(u64::MAX), Err(PoolNotUpdated));
}

#[test]
fn rates_round_down_within_their_bounds() {
    assert_eq!(rate(4, 3), Ok(1_333_333_333));
    assert_eq!(rate(5, 3), Ok(1_666_666_666));
    assert_eq!(rate(0, 1), Err(PoolEmpty));
    assert_eq!(rate(1, 0), Err(PoolEmpty));
    assert_eq!(rate(1, 2), Err(RateOutOfRange));
    assert_eq!(rate(500_000_001, 1_000_000_000), Ok(500_000_001));
    assert_eq!(rate(500_000_000, 1_000_000_000), Err(RateOutOfRange));
    assert_eq!(rate(9_999_999_999, 1_000_000_000), Ok(9_999_999_999));
    assert_eq!(rate(10_000_000_000, 1_000_000_000), Err(RateOutOfRange));
    assert_eq!(rate(i64::MAX as u64, i64::MAX as u64), Ok(1_000_000_000));
    assert_eq!(rate(1 << 63, 1 << 63), Err(RateOutOfRange), "more than there is");
    assert_eq!(rate(i64::MAX as u64, 1), Err(RateOutOfRange));
}

const DAY: i64 = 86_400;
const START: CappedRate = CappedRate {
    rate: 1_200_000_000,
    time: 1_000_000,
};

#[test]
fn rates_fall_at_once_and_rise_with_time() {
    let after = |new, seconds, ppm| capped_rate(START, new, START.time + seconds, ppm);
    let at = |rate, seconds| CappedRate {
        rate,
        time: START.time + seconds,
    };
    assert_eq!(after(700_000_000, 0, 500), at(700_000_000, 0));
    assert_eq!(after(1_200_000_000, 5, 500), at(1_200_000_000, 5));
    // 500 · 10⁻⁶ of 1.2 is 0.0006 a day.
    assert_eq!(after(1_200_600_000, DAY, 500), at(1_200_600_000, DAY));
    assert_eq!(after(1_200_600_001, DAY, 500), at(1_200_600_000, DAY));
    assert_eq!(after(1_200_300_001, DAY / 2, 500), at(1_200_300_000, DAY / 2));
    assert_eq!(after(9_000_000_000, 0, 500), at(1_200_000_000, 0));
    assert_eq!(after(9_000_000_000, DAY, 0), at(1_200_000_000, DAY));
    // 6.94 a second: of one second 6 are used, which take 0.864 of it, and a whole one is counted for them.
    assert_eq!(after(9_000_000_000, 1, 500), at(1_200_000_006, 1));
    // 0.0139 a second: 144 seconds make two and use 144; 100 make one and use 72.
    assert_eq!(after(9_000_000_000, 144, 1), at(1_200_000_002, 144));
    assert_eq!(after(9_000_000_000, 100, 1), at(1_200_000_001, 72));
    assert_eq!(
        after(1_200_000_001, 100, 1),
        at(1_200_000_001, 100),
        "nothing is kept where nothing is held back"
    );
    assert_eq!(after(9_000_000_000, 71, 1), at(1_200_000_000, 0));
    // A clock that runs backwards.
    assert_eq!(after(9_000_000_000, -5, 500), at(1_200_000_000, 0));
    assert_eq!(after(700_000_000, -5, 500), at(700_000_000, 0));
    // The first rate is taken as it is.
    let first = CappedRate { rate: 0, time: 0 };
    assert_eq!(capped_rate(first, 1_234, 77, 0), CappedRate { rate: 1_234, time: 77 });
    // The widest of everything.
    let least = CappedRate { rate: 1, time: 0 };
    let next = capped_rate(least, i64::MAX, i64::MAX, u32::MAX);
    assert!(next.rate > 1 && next.time > i64::MAX - 100);
    let most = CappedRate {
        rate: i64::MAX - 1,
        time: i64::MIN,
    };
    assert_eq!(capped_rate(most, i64::MAX, i64::MAX, u32::MAX).rate, i64::MAX);
}

#[test]
fn a_staked_token_costs_index_times_rate() {
    // 150 · 1.2 = 180; 0.01 · 1.2 = 0.012.
    assert_eq!(
        price(150_000_000_000, 10_000_000, 1_200_000_000),
        Ok((180_000_000_000, 12_000_000))
    );
    assert_eq!(price(1, 1, 1_999_999_999), Ok((1, 2)), "down, and up");
    assert_eq!(price(1, 0, 999_999_999), Err(NotPositive));
    assert_eq!(price(i64::MAX, 0, 1_000_000_000), Ok((i64::MAX, 0)));
    assert_eq!(price(i64::MAX, 0, 1_000_000_001), Err(OutOfRange));
    assert_eq!(price(1_000_000_000, i64::MAX, 1_000_000_001), Err(OutOfRange));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whoever calls, and however often, a rate that rises by the cap at most ends where one call would have ended, give or take what
    /// compounding and whole seconds make of it; never above the cap's compounded growth.
    #[test]
    fn growth_does_not_depend_on_the_number_of_calls(ppm in 1u32..5_000, steps in prop::collection::vec(1i64..20_000, 1..40)) {
        let far = 9_999_999_999;
        let mut state = START;
        let mut now = START.time;
        for step in &steps {
            now += step;
            let next = capped_rate(state, far, now, ppm);
            prop_assert!(next.rate >= state.rate && next.time <= now && next.time >= state.time);
            state = next;
        }
        let seconds = (now - START.time) as f64;
        let growth = f64::from(ppm) / 1e6 / DAY as f64;
        let once = capped_rate(START, far, now, ppm);
        let compounded = START.rate as f64 * (growth * seconds).exp();
        prop_assert!(state.rate as f64 <= compounded + 1.0);
        // Each call leaves at most one unit and one second's growth behind.
        let slack = steps.len() as f64 * (1.0 + START.rate as f64 * growth) + 1.0;
        prop_assert!(state.rate as f64 >= once.rate as f64 - slack, "{} < {}", state.rate, once.rate);
    }
}
