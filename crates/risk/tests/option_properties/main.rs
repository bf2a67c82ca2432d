//! The invariants of the methodology's section 7 with options.
mod account;
#[path = "../common/mod.rs"]
mod common;

use account::{accounts, any_leg, distinct, expiry, leg, margin, margin_with, positions, report, run};
use account::{Account, Kind, Leg, ALL, OPTIONS};
use ballast_fixed::kernel::Q48;
use ballast_fixed::{Dollars, Notional, Price, Quantity, Ratio};
use ballast_risk::surface::Surface;
use ballast_risk::{
    AssetBook, AssetParams, AssetReport, Bucket, Expiry, OptionBook, OptionLeg, PortfolioParams, PriceState,
};
use ballast_risk::{RiskError, Volatilities, MAX_GROSS};
use common::{at_most, config, with_haircut, without_size, Haircut, ASSETS, DEFAULTS, HAIRCUTS};
use proptest::prelude::*;

const SEED: u64 = 19_730_501;

fn alone(leg: &Leg, params: &[AssetParams; ASSETS]) -> (Dollars, Dollars) {
    let account = Account::alone(*leg);
    let mut memory = OptionBook::default();
    let portfolio = PortfolioParams::DEFAULT;
    let out = report(&account, leg.asset, &params[leg.asset], &portfolio, &mut memory).unwrap();
    out.alone(&portfolio).unwrap()
}

proptest! {
    #![proptest_config(config(SEED))]

    #[test]
    fn requirements_are_homogeneous_in_size(account in accounts(), factor in 1i64..20) {
        let params = without_size();
        let (one, many) = (margin_with(&account, &params), margin_with(&account.scaled(factor), &params));
        let tolerance = account.tolerance();
        for (one, many) in [(one.initial, many.initial), (one.maintenance, many.maintenance), (one.scan, many.scan)] {
            prop_assert!(many.0 <= one.0 * factor + tolerance * factor, "{many:?} {one:?}");
            prop_assert!(many.0 >= (one.0 - tolerance) * factor, "{many:?} {one:?}");
        }
    }

    #[test]
    fn cross_margin_is_at_most_the_sum_of_the_isolated(account in positions()) {
        let params = without_size();
        let isolated = account.legs.iter().map(|leg| alone(leg, &params));
        let (initial, maintenance) = isolated.fold((0, 0), |sum, leg| (sum.0 + leg.0 .0, sum.1 + leg.1 .0));
        let cross = margin_with(&account, &params);
        prop_assert!(at_most(cross.initial, Dollars(initial), account.tolerance()), "{cross:?} {initial}");
        prop_assert!(at_most(cross.maintenance, Dollars(maintenance), account.tolerance()), "{cross:?} {maintenance}");
    }

    #[test]
    fn the_scan_is_subadditive(a in accounts(), b in accounts()) {
        let params = without_size();
        let both = a.merged(&b);
        let apart = margin_with(&a, &params).scan.0 + margin_with(&b, &params).scan.0;
        prop_assert!(at_most(margin_with(&both, &params).scan, Dollars(apart), both.tolerance()));
    }

    #[test]
    fn merging_costs_at_most_a_third(a in positions(), b in positions()) {
        let params = without_size();
        let both = a.merged(&b);
        let merged = margin_with(&both, &params).initial;
        let apart = margin_with(&a, &params).initial.0 + margin_with(&b, &params).initial.0;
        prop_assert!(merged.0 <= apart / 100 * 135 + both.tolerance(), "{merged:?} {apart}");
    }

    #[test]
    fn maintenance_is_at_most_initial(account in accounts()) {
        let m = margin(&account);
        prop_assert!(m.maintenance <= m.initial);
        let tolerance = account.tolerance();
        prop_assert!(at_most(m.equity_withdrawal, m.equity_initial, tolerance));
        prop_assert!(at_most(m.equity_initial, m.equity_maintenance, tolerance));
        prop_assert_eq!(m.equity_liquidation, m.equity_maintenance);
    }

    /// Accounts one after the other with one memory, under the parameters and others, and as one would grow by a trade.
    #[test]
    fn remembered_prices_change_nothing(a in accounts(), b in accounts(), strikes in 1usize..40, factor in 1i64..9) {
        let other = DEFAULTS.map(|p| AssetParams {
            scan_range: Ratio(p.scan_range.0 / 8 * 9),
            vol_up: Ratio(p.vol_up.0 / 2),
            ..p
        });
        let mut memory = OptionBook::default();
        memory.remember(strikes);
        for account in [&a, &a.merged(&b), &a.scaled(factor), &b] {
            for params in [&DEFAULTS, &other] {
                for (asset, params) in params.iter().enumerate() {
                    let with = |memory: &mut OptionBook| {
                        report(account, asset, params, &PortfolioParams::DEFAULT, memory)
                    };
                    let fresh = with(&mut OptionBook::default());
                    for _ in 0..2 {
                        prop_assert_eq!(with(&mut memory), fresh);
                    }
                }
            }
            memory.recall();
        }
    }

    #[test]
    fn more_collateral_never_hurts(account in accounts(), asset in 0..ASSETS, more in 1i128..10i128.pow(23)) {
        let mut richer = account.clone();
        richer.collateral[asset] += more;
        let (before, after) = (margin(&account), margin(&richer));
        let (less, greater) = (before.surplus_maintenance().unwrap(), after.surplus_maintenance().unwrap());
        prop_assert!(at_most(less, greater, account.tolerance()), "E_mm - MM: {before:?} {after:?}");
        let (less, greater) = (before.surplus_initial().unwrap(), after.surplus_initial().unwrap());
        prop_assert!(at_most(less, greater, account.tolerance()), "E_im - IM: {before:?} {after:?}");
        let (less, greater) = (before.surplus_withdrawal().unwrap(), after.surplus_withdrawal().unwrap());
        prop_assert!(at_most(less, greater, account.tolerance()), "E_w - IM: {before:?} {after:?}");
    }

    /// As in a linear book: a higher haircut or ρ never leaves more of the equity it belongs to. The slow prices of these accounts'
    /// collateral are their indices.
    #[test]
    fn surplus_falls_with_each_haircut(account in accounts(), asset in 0..ASSETS, which in prop::sample::select(&HAIRCUTS[..]), by in 1i64..50_000_000) {
        let (before, after) = (margin(&account), margin_with(&account, &with_haircut(asset, which, by)));
        let tolerance = account.tolerance();
        if which != Haircut::Initial {
            let (more, less) = (before.surplus_maintenance().unwrap(), after.surplus_maintenance().unwrap());
            prop_assert!(at_most(less, more, tolerance), "E_mm - MM: {more:?} {less:?}");
        }
        if which != Haircut::Maintenance {
            let (more, less) = (before.surplus_initial().unwrap(), after.surplus_initial().unwrap());
            prop_assert!(at_most(less, more, tolerance), "E_im - IM: {more:?} {less:?}");
        }
    }

    /// Raising one charge parameter of one asset never lowers a requirement. (For ψ see the next two.)
    #[test]
    fn requirements_rise_with_each_parameter(account in accounts(), asset in 0..ASSETS, which in 0usize..6, by in 1i64..100_000_000) {
        let mut raised = DEFAULTS;
        let p = &mut raised[asset];
        let slot = [&mut p.buffer, &mut p.basis, &mut p.spread, &mut p.option_spread, &mut p.short_option_minimum];
        let mut portfolio = PortfolioParams::DEFAULT;
        match slot.into_iter().nth(which) {
            Some(slot) => slot.0 += by,
            None => {
                portfolio.vega_offset.0 += by;
                portfolio.net_option_value.0 += by;
            }
        }
        let before = margin(&account);
        let after = run(&account, &raised, &portfolio, &[0, 1, 2, 3]).unwrap();
        prop_assert!(at_most(before.initial, after.initial, account.tolerance()), "{before:?} {after:?}");
        prop_assert!(at_most(before.maintenance, after.maintenance, account.tolerance()), "{before:?} {after:?}");
    }

    /// ψ moves the points at which options are valued, and a loss that lies between two of them goes unseen: see
    /// `a_wider_scan_may_step_over_a_loss`. Where all options of an account are short its value is concave in the price, as the sum of any
    /// linear legs is, and falls ever faster: there it holds for whole portfolios.
    #[test]
    fn accounts_short_of_options_require_more_with_scan_range(
        options in prop::collection::vec(any_leg(OPTIONS, &[-1]), 0..6),
        linear in prop::collection::vec(any_leg(&[Kind::Linear], &[-1, 1]), 0..6),
        asset in 0..ASSETS,
        by in 0i64..50_000_000,
    ) {
        let account = Account { legs: distinct([options, linear].concat()), ..Account::default() };
        let mut wider = without_size();
        wider[asset].scan_range.0 += by;
        let (before, after) = (margin_with(&account, &without_size()), margin_with(&account, &wider));
        let tolerance = account.tolerance();
        prop_assert!(at_most(before.initial, after.initial, tolerance), "{before:?} {after:?}");
        prop_assert!(at_most(before.maintenance, after.maintenance, tolerance), "{before:?} {after:?}");
    }

    #[test]
    fn a_single_position_requires_more_with_size_and_scan_range(leg in leg(), more in 0i64..1_000_000_000, by in 0i64..50_000_000) {
        let mut larger = leg;
        larger.quantity += leg.quantity.signum() * (more % (leg.quantity.abs() + 1));
        let (small, large) = (alone(&leg, &DEFAULTS), alone(&larger, &DEFAULTS));
        let tolerance = Account::alone(larger).tolerance();
        prop_assert!(at_most(small.0, large.0, tolerance) && at_most(small.1, large.1, tolerance), "{small:?} {large:?}");
        let mut wider = DEFAULTS;
        wider[leg.asset].scan_range.0 += by;
        let wide = alone(&leg, &wider);
        prop_assert!(at_most(small.0, wide.0, tolerance) && at_most(small.1, wide.1, tolerance), "{small:?} {wide:?}");
    }

    #[test]
    fn long_options_lose_their_premium_at_most(legs in prop::collection::vec(any_leg(OPTIONS, &[1]), 1..9)) {
        let account = Account { legs: distinct(legs), ..Account::default() };
        let mut memory = OptionBook::default();
        let mut value = 0;
        for (asset, params) in DEFAULTS.iter().enumerate() {
            value += report(&account, asset, params, &PortfolioParams::DEFAULT, &mut memory).unwrap().option_value.0;
        }
        prop_assert!(at_most(margin(&account).scan, Dollars(value), account.tolerance()));
    }

    /// A long call and a short put move as their forward, in every scenario.
    #[test]
    fn parity_holds_in_every_scenario(call in any_leg(&[Kind::Call], &[-1, 1])) {
        let put = Leg { kind: Kind::Put, quantity: -call.quantity, ..call };
        let forward = Leg { kind: Kind::Linear, ..call };
        let pnl = |legs: &[Leg]| {
            let account = Account { legs: legs.to_vec(), ..Account::default() };
            let mut memory = OptionBook::default();
            report(&account, call.asset, &DEFAULTS[call.asset], &PortfolioParams::DEFAULT, &mut memory).unwrap().pnl
        };
        // Priced together, and each alone.
        let tolerance = 2 * Account::alone(call).tolerance();
        let linear = pnl(&[forward]);
        let (calls, puts) = (pnl(&[call]), pnl(&[put]));
        for (s, together) in pnl(&[call, put]).into_iter().enumerate() {
            prop_assert!((together - linear[s]).abs() <= tolerance, "{s}: {together} {}", linear[s]);
            prop_assert!((calls[s] + puts[s] - linear[s]).abs() <= tolerance, "{s}: {} {} {}", calls[s], puts[s], linear[s]);
        }
    }

    /// Bit for bit: positions of a bucket and assets in any order, a position in two parts.
    #[test]
    fn order_and_split_change_nothing(
        account in accounts(),
        place in any::<prop::sample::Index>(),
        order in Just([0usize, 1, 2, 3]).prop_shuffle(),
        part in 1i64..1_000,
    ) {
        let mut other = account.clone();
        other.legs.reverse();
        if !other.legs.is_empty() {
            let leg = other.legs.remove(place.index(account.legs.len()));
            let first = Leg { quantity: leg.quantity / 1_000 * part, quote: leg.quote / 1_000 * i128::from(part), ..leg };
            let rest = Leg { quantity: leg.quantity - first.quantity, quote: leg.quote - first.quote, ..leg };
            other.legs.insert(0, first);
            other.legs.push(rest);
        }
        let other = run(&other, &DEFAULTS, &PortfolioParams::DEFAULT, &order).unwrap();
        prop_assert_eq!(margin(&account), other);
    }

    /// Working memory changes nothing about a book without options.
    #[test]
    fn a_linear_book_is_the_same_with_and_without_memory(legs in prop::collection::vec(any_leg(&[Kind::Linear], &[-1, 1]), 0..6)) {
        let mut memory = OptionBook::default();
        // Of another asset, to be forgotten.
        let option = Account::alone(Leg { asset: 1, kind: Kind::Put, bucket: 2, strike: 90, quantity: -7_000_000_000, quote: 1 });
        report(&option, 1, &DEFAULTS[1], &PortfolioParams::DEFAULT, &mut memory).unwrap();
        for (asset, params) in DEFAULTS.iter().enumerate() {
            let legs: Vec<Leg> = legs.iter().filter(|l| l.asset == asset && l.bucket == 0).copied().collect();
            let mut book = AssetBook::new(params, &PortfolioParams::DEFAULT, PriceState::default());
            for leg in &legs {
                let value = leg.index().times(Quantity(leg.quantity));
                book.add_linear(Bucket::Perpetual, value, value, Notional(leg.quote)).unwrap();
            }
            let mut plain = AssetReport::default();
            book.finish(&mut plain).unwrap();
            let account = Account { legs, ..Account::default() };
            prop_assert_eq!(plain, report(&account, asset, params, &PortfolioParams::DEFAULT, &mut memory).unwrap());
        }
    }
}

fn extreme() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        Just(i64::MIN),
        Just(i64::MAX),
        Just(0),
        Just(1),
        0i64..=Ratio::SCALE,
        1i64..1_000_000_000_000_000,
    ]
}

fn extreme_expiry() -> impl Strategy<Value = Expiry> {
    let surface = || {
        prop::array::uniform4(extreme().prop_map(Ratio)).prop_map(|[a, b, c, d]| Surface {
            at_the_money: a,
            skew: b,
            curvature: c,
            variance_floor: d,
        })
    };
    let fixed = prop_oneof![Just(0), Just(Ratio::SCALE), 0..=Ratio::SCALE, extreme()];
    let moving = prop_oneof![Just(0), Just(Ratio::SCALE), 0..=Ratio::SCALE, extreme()];
    (extreme(), extreme(), extreme(), (fixed, moving), surface(), surface()).prop_map(
        |(forward, slow_forward, seconds, (fixed, moving), surface, slow_surface)| Expiry {
            forward: Price(forward),
            slow_forward: Price(slow_forward),
            seconds,
            fixed: Ratio(fixed),
            moving: Ratio(moving),
            surface,
            slow_surface,
        },
    )
}

type ExtremeLeg = (i64, i64, bool, i64, i64, Option<(i64, i64)>);

fn extreme_leg() -> impl Strategy<Value = ExtremeLeg> {
    let sigma = prop::option::of((1i64 << 43..1 << 51, 1i64 << 43..1 << 51));
    (extreme(), any::<i64>(), any::<bool>(), extreme(), extreme(), sigma)
}

/// Whatever the numbers: an answer or an error.
fn extreme_asset(
    params: &AssetParams,
    price: PriceState,
    index: i64,
    expiries: &[Expiry; 2],
    legs: &[ExtremeLeg],
) -> Result<AssetReport, RiskError> {
    let mut memory = OptionBook::default();
    let mut book = AssetBook::with_options(params, &PortfolioParams::DEFAULT, price, Price(index), &mut memory);
    for (number, expiry) in (0u8..).zip(expiries) {
        book.begin_expiry(number, expiry)?;
        for &(strike, ln, call, quantity, quote, sigma) in legs {
            let leg = OptionLeg {
                strike: Price(strike),
                ln_strike: Q48(ln),
                call,
                quantity: Quantity(quantity),
                quote: Notional(i128::from(quote)),
            };
            match sigma {
                Some((current, slow)) => book.add_option_at(
                    &leg,
                    Volatilities {
                        current: Q48(current),
                        slow: Q48(slow),
                    },
                )?,
                None => book.add_option(&leg)?,
            }
        }
        let value = Notional(i128::from(index) << 40);
        book.add_linear(Bucket::Expiry(number), value, value, Notional::ZERO)?;
    }
    let mut out = AssetReport::default();
    book.finish(&mut out)?;
    Ok(out)
}

proptest! {
    #![proptest_config(config(SEED))]

    /// Overflow checks are on in this profile: a wrap by an operator would panic.
    #[test]
    fn extremes_of_every_field_never_panic(
        params in prop::sample::select(DEFAULTS.to_vec()),
        scan_range in prop_oneof![Just(0i64), Just(950_000_000), 0i64..950_000_000, extreme()],
        uncertainty in extreme(),
        index in extreme(),
        expiries in prop::array::uniform2(extreme_expiry()),
        legs in prop::collection::vec(extreme_leg(), 0..4),
    ) {
        let params = AssetParams { scan_range: Ratio(scan_range), ..params };
        let price = PriceState { uncertainty: Ratio(uncertainty), dead: false };
        let _ = extreme_asset(&params, price, index, &expiries, &legs);
    }

    /// Inside the domain everything has an answer, and its figures keep their order.
    #[test]
    fn the_whole_domain_has_an_answer(
        params in prop::sample::select(DEFAULTS.to_vec()),
        scan_range in 0i64..=950_000_000,
        uncertainty in prop_oneof![Just(0i64), 0i64..=Ratio::SCALE],
        fixed in prop_oneof![Just(0i64), 0i64..=Ratio::SCALE],
        parts in prop::collection::vec((any::<bool>(), any::<bool>(), 1i64..1_000, 20i64..500), 1..8),
    ) {
        let params = AssetParams { scan_range: Ratio(scan_range), ..params };
        let total: i64 = parts.iter().map(|&(_, _, part, _)| part).sum();
        let index = 3_000_000_000_000i64;
        let legs: Vec<ExtremeLeg> = parts.iter().map(|&(call, short, part, percent)| {
            let price = (index / 100 * percent).max(index / 1_000 * 1_005);
            // Two expiries hold the same, so half the domain each, and a unit for rounding each size up.
            let size = i128::from(MAX_GROSS.0) * i128::from(part) / i128::from(total) / 2 - 1_000_000_000_000_000;
            let quantity = (size * 10_000_000_000 / i128::from(price)).max(1) as i64;
            let strike = Price(index / 100 * percent);
            (strike.0, ballast_fixed::kernel::ln_price(strike).0, call, if short { -quantity } else { quantity }, 0, None)
        }).collect();
        let expiries = [0, 1].map(|number| Expiry { fixed: Ratio(fixed), moving: Ratio(Ratio::SCALE - fixed), ..expiry(1, number) });
        let price = PriceState { uncertainty: Ratio(uncertainty), dead: false };
        let out = extreme_asset(&params, price, index, &expiries, &legs);
        prop_assert!(out.is_ok(), "{out:?}");
        let (initial, maintenance) = out.unwrap().alone(&PortfolioParams::DEFAULT).unwrap();
        prop_assert!(maintenance <= initial && maintenance >= Dollars::ZERO);
    }
}

/// BTC calls of half a day: one each sold at 105 % and 115 %, two bought at 110 %. The loss is largest at 110 %, 5 % of the index. ψ = 9.5 % values the book at 109.5 %, ψ = 12 % at 108 % and 112 %: the scan is narrower by the wider range.
#[test]
fn a_wider_scan_may_step_over_a_loss() {
    let call = |strike, lots: i64| Leg {
        asset: 0,
        kind: Kind::Call,
        bucket: 1,
        strike,
        quantity: lots * 1_000_000_000,
        quote: 0,
    };
    let account = Account {
        legs: vec![call(105, -1), call(110, 2), call(115, -1)],
        ..Account::default()
    };
    let mut wider = DEFAULTS;
    wider[0].scan_range = Ratio(120_000_000);
    let (narrow, wide) = (margin(&account).scan, margin_with(&account, &wider).scan);
    // At expiry 4,500 and 3,000 of 100,000; half a day is left.
    assert!(
        narrow.0 > 350_000_000_000 && wide.0 < narrow.0 * 9 / 10,
        "{narrow:?} {wide:?}"
    );
}

/// What the generator makes must be what the properties are about.
#[test]
fn the_accounts_have_options() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut options = 0;
    for _ in 0..100 {
        let account = accounts().new_tree(&mut runner).unwrap().current();
        options += account.legs.iter().filter(|l| l.kind != Kind::Linear).count();
    }
    assert!(options > 150, "{options} of kinds {ALL:?}");
}
