//! Tiers, splits and volume by hand, and against a list of every trade.
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400;

fn tier(min_volume: u64, taker_ppm: u32, maker_ppm: i32) -> FeeTier {
    FeeTier {
        min_volume,
        taker_ppm,
        maker_ppm,
    }
}

/// 5 and 2 basis points, 4 and 1 from a million on, 3 and a rebate of 1 from ten millions on.
fn terms() -> FeeTerms {
    let mut tiers = [FeeTier::default(); MAX_TIERS];
    tiers[0] = tier(1_000_000, 400, 100);
    tiers[1] = tier(10_000_000, 300, -100);
    FeeTerms {
        base: tier(0, 500, 200),
        tiers,
        insurance_share_ppm: 200_000,
        referrer_share_ppm: 100_000,
    }
}

#[test]
fn the_highest_tier_that_is_reached_counts() {
    let rates = |volume| {
        let rates = terms().rates(volume);
        (rates.taker.0, rates.maker.0)
    };
    assert_eq!(rates(0), (500_000, 200_000));
    assert_eq!(rates(999_999), (500_000, 200_000));
    assert_eq!(rates(1_000_000), (400_000, 100_000));
    assert_eq!(rates(9_999_999), (400_000, 100_000));
    assert_eq!(rates(10_000_000), (300_000, -100_000));
    assert_eq!(rates(u64::MAX), (300_000, -100_000));
    assert_eq!(FeeTerms::default().rates(u64::MAX).taker, Ratio::ZERO);
}

fn valid(change: impl FnOnce(&mut FeeTerms)) -> bool {
    let mut terms = terms();
    change(&mut terms);
    terms.validate().is_ok()
}

#[test]
fn tiers_ascend_in_volume_and_descend_in_fees() {
    assert!(valid(|_| {}));
    assert!(FeeTerms::default().validate().is_ok());
    assert!(!valid(|t| t.base.min_volume = 1));
    assert!(!valid(|t| t.tiers[1].min_volume = 1_000_000));
    assert!(!valid(|t| t.tiers[0].min_volume = 0));
    assert!(!valid(|t| t.tiers[0].taker_ppm = 501));
    assert!(!valid(|t| t.tiers[1].taker_ppm = 401));
    assert!(!valid(|t| t.tiers[1].maker_ppm = 101));
    assert!(!valid(|t| t.tiers[3] = tier(20_000_000, 300, -100))); // behind an unused one
    assert!(valid(|t| t.tiers[2] = tier(20_000_000, 300, -100)));
}

#[test]
fn fees_are_bounded() {
    let flat = |taker, maker| FeeTerms {
        base: tier(0, taker, maker),
        ..FeeTerms::default()
    };
    assert!(flat(10_000, 10_000).validate().is_ok());
    assert!(flat(10_000, -10_000).validate().is_ok());
    for (taker, maker) in [(10_001, 0), (10_000, 10_001), (10_000, -10_001), (u32::MAX, i32::MIN)] {
        assert!(flat(taker, maker).validate().is_err(), "{taker} {maker}");
    }
    assert!(!valid(|t| t.insurance_share_ppm = 1_000_001));
    assert!(!valid(|t| t.referrer_share_ppm = 1_000_001));
}

/// The last tier's taker pays 300 and the maker is paid 100. Of the 200 the fund has a fifth: 160 are left, and 53.3333 % of 300 are 160.
#[test]
fn rebate_and_shares_are_covered_by_the_lowest_fee() {
    assert!(valid(|t| t.referrer_share_ppm = 533_333));
    assert!(!valid(|t| t.referrer_share_ppm = 533_334));
    // Without a referrer's share the rebate may be all that the taker pays, and no more.
    assert!(valid(|t| (t.referrer_share_ppm, t.tiers[1].maker_ppm) = (0, -300)));
    assert!(!valid(|t| (t.referrer_share_ppm, t.tiers[1].maker_ppm) = (0, -301)));
    // The rebate of the last tier meets the taker of the base too: a share that eats more than the fund leaves is worst there.
    let greedy = FeeTerms {
        base: tier(0, 1_000, 0),
        insurance_share_ppm: 500_000,
        referrer_share_ppm: 500_001,
        ..FeeTerms::default()
    };
    assert!(greedy.validate().is_err());
    let fair = FeeTerms {
        referrer_share_ppm: 500_000,
        ..greedy
    };
    assert!(fair.validate().is_ok());
}

#[test]
fn what_is_paid_is_split_without_rest() {
    let split = |taker, maker| {
        let split = terms().split(QuoteAmount(taker), QuoteAmount(maker)).unwrap();
        (split.insurance.0, split.exchange.0, split.referral.0)
    };
    // A fifth of 17.50 to the fund; a tenth of 12.50 to the referrer, out of the other 14.
    assert_eq!(split(12_500_000, 5_000_000), (3_500_000, 14_000_000, 1_250_000));
    // A rebate of 10 out of a fee of 30: a fifth of 20, and a tenth of 30 out of the other 16.
    assert_eq!(split(30, -10), (4, 16, 3));
    // A share never exceeds what is there.
    assert_eq!(split(30, -29), (0, 1, 1));
    assert_eq!(split(9, 0), (1, 8, 0));
    assert_eq!(split(0, 0), (0, 0, 0));
    assert!(terms().split(QuoteAmount(10), QuoteAmount(-11)).is_err());
}

#[test]
fn a_day_counts_for_thirty_days() {
    let mut volume = TradedVolume::default();
    let start = 20_000 * DAY;
    volume.count(Dollars(1_234 * DOLLAR + DOLLAR - 1), start + DAY - 1);
    assert_eq!((volume.day, volume.total), (20_000, 1_234));
    assert_eq!(volume.at(start + DAY - 1), 1_234);
    assert_eq!(volume.at(start + 30 * DAY - 1), 1_234);
    assert_eq!(volume.at(start + 30 * DAY), 0);
    volume.count(Dollars(DOLLAR), start + 10 * DAY);
    assert_eq!(volume.at(start + 30 * DAY), 1);
    assert_eq!(volume.at(start + 40 * DAY), 0);
    assert_eq!(volume.at(i64::MAX), 0);
    // Less than a dollar is none, and so is a negative amount.
    volume.count(Dollars(DOLLAR - 1), start + 10 * DAY);
    volume.count(Dollars(-5 * DOLLAR), start + 10 * DAY);
    assert_eq!(volume.total, 1_235);
}

#[test]
fn a_day_is_full_at_what_it_holds() {
    let mut volume = TradedVolume::default();
    volume.count(Dollars(i64::MAX), 0);
    volume.count(Dollars(i64::MAX), 0);
    assert_eq!(volume.total, u64::from(u32::MAX));
    volume.count(Dollars(DOLLAR), DAY);
    assert_eq!(volume.total, u64::from(u32::MAX) + 1);
}

proptest! {
    /// Days, gaps and amounts at random against a list of all of them.
    #[test]
    fn agrees_with_a_list_of_trades(trades in prop::collection::vec((0i64..20 * DAY, 0i64..1_000_000 * DOLLAR), 1..200)) {
        let mut volume = TradedVolume::default();
        let mut list: Vec<(i64, u64)> = Vec::new();
        let mut now = 19_000 * DAY;
        for (gap, notional) in trades {
            now += gap * i64::from(gap % 3 == 0); // often the same second
            volume.count(Dollars(notional), now);
            list.push((now / DAY, (notional / DOLLAR) as u64));
            let naive = |now: i64| -> u64 { list.iter().filter(|(day, _)| now / DAY - day < 30).map(|(_, d)| d).sum() };
            prop_assert_eq!(volume.at(now), naive(now));
            prop_assert_eq!(volume.at(now + 12 * DAY), naive(now + 12 * DAY));
            prop_assert_eq!(volume.total, volume.daily.iter().map(|d| u64::from(*d)).sum::<u64>());
        }
    }

    /// Whatever terms are valid, whoever trades with himself at whichever tiers loses, and what is due to referrers is what the exchange has.
    #[test]
    fn nobody_earns_by_trading_with_himself(
        (takers, makers) in (prop::array::uniform5(0u32..=10_000), prop::array::uniform5(-10_000i32..=10_000)),
        (insurance, referrer) in (0u32..=1_000_000, 0u32..=1_000_000),
        (used, notional) in (0usize..=4, 0i64..1_000_000_000_000),
    ) {
        let (mut takers, mut makers) = (takers, makers);
        takers.sort_unstable_by(|a, b| b.cmp(a));
        makers.sort_unstable_by(|a, b| b.cmp(a));
        let mut terms = FeeTerms {
            base: tier(0, takers[0], makers[0]),
            insurance_share_ppm: insurance,
            referrer_share_ppm: referrer,
            ..FeeTerms::default()
        };
        for n in 0..used {
            terms.tiers[n] = tier(1 + n as u64, takers[n + 1], makers[n + 1]);
        }
        // The largest share that is valid, near enough, if there is one.
        while terms.validate().is_err() && terms.referrer_share_ppm > 0 {
            terms.referrer_share_ppm /= 2;
        }
        prop_assume!(terms.validate().is_ok());
        for taker_volume in 0..5 {
            for maker_volume in 0..5 {
                let notional = QuoteAmount(notional);
                let taker = notional.times_ceil(terms.rates(taker_volume).taker).unwrap();
                let maker = notional.times_ceil(terms.rates(maker_volume).maker).unwrap();
                let split = terms.split(taker, maker).unwrap();
                prop_assert_eq!(split.insurance.0 + split.exchange.0, taker.0 + maker.0);
                prop_assert!(split.insurance.0 >= 0 && split.referral.0 >= 0);
                prop_assert!(split.referral <= split.exchange);
                // He pays both fees and has the referrer's share.
                prop_assert!(taker.0 + maker.0 >= split.referral.0);
            }
        }
    }
}
