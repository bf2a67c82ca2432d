//! Feeds of values: what volatility surfaces are made of.
use ballast_fixed::Ratio;
use ballast_oracle::OracleError::{self, *};
use ballast_oracle::{Reading, SourceKind};

use crate::accounts::{of, put, KEY, SLOT};

fn feed(value: i128, deviation: i128) -> Reading {
    let kind = SourceKind::SwitchboardOnDemand;
    let mut data = of(kind);
    put(&mut data, 2_264, value.to_le_bytes());
    put(&mut data, 2_280, deviation.to_le_bytes());
    kind.read(&kind.programs()[0], &KEY, &data).expect("a feed")
}

#[test]
fn values_round_down_and_deviations_up() {
    let both = |value, deviation| (feed(value, deviation).ratio(), feed(value, deviation).deviation());
    assert_eq!(both(650_000_000_000_000_000, 0), (Ok(Ratio(650_000_000)), Ok(Ratio(0))));
    assert_eq!(both(999_999_999, 1), (Ok(Ratio(0)), Ok(Ratio(1))));
    assert_eq!(both(-1, 1_000_000_000), (Ok(Ratio(-1)), Ok(Ratio(1))));
    assert_eq!(both(-1_000_000_000, 1_000_000_001), (Ok(Ratio(-1)), Ok(Ratio(2))));
    let most = i128::from(i64::MAX);
    assert_eq!(both(most, most), (Ok(Ratio(9_223_372_036)), Ok(Ratio(9_223_372_037))));
    assert_eq!(both(most + 1, most + 1), (Err(OutOfRange), Err(OutOfRange)));
    assert_eq!(both(-most - 1, 0).0, Ok(Ratio(-9_223_372_037)));
    assert_eq!(both(-most - 2, 0).0, Err(OutOfRange));
    let pyth = SourceKind::PythPull.read(&SourceKind::PythPull.programs()[0], &KEY, &of(SourceKind::PythPull));
    assert_eq!(pyth.and_then(|reading| reading.ratio()), Err(BadExponent));
}

/// The feed allows 60 slots; its oldest answer is 7 slots before `SLOT`, its newest 2 behind.
#[test]
fn answers_age_by_slots() {
    let current = |slot: u64, seconds: u32| -> Result<(), OracleError> { feed(1, 0).is_current(slot, seconds) };
    assert_eq!(current(SLOT + 1, 3_600), Err(SlotFromFuture));
    assert_eq!(current(SLOT + 2, 3_600), Ok(()));
    assert_eq!(current(SLOT - 7 + 60, 3_600), Ok(()));
    assert_eq!(current(SLOT - 7 + 61, 3_600), Err(TooManySlotsOld));
    // 4 seconds are 10 slots, 5 are 12.
    assert_eq!(current(SLOT + 3, 4), Ok(()));
    assert_eq!(current(SLOT + 4, 4), Err(TooManySlotsOld));
    assert_eq!(current(SLOT + 5, 5), Ok(()));
    assert_eq!(current(SLOT + 6, 5), Err(TooManySlotsOld));
    let mut unlimited = feed(1, 0);
    unlimited.own_max_slots = 0;
    assert_eq!(unlimited.is_current(SLOT - 7 + 61, 3_600), Ok(()));
    assert_eq!(unlimited.is_current(SLOT - 7 + 9_000, 3_600), Ok(()));
    assert_eq!(unlimited.is_current(SLOT - 7 + 9_001, 3_600), Err(TooManySlotsOld));
}
