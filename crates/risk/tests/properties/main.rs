//! The invariants of the methodology's section 7 that concern linear books.
mod account;
#[path = "../common/mod.rs"]
mod common;

use account::{accounts, balance, margin, margin_with, positions, run, Account, Leg, ROUNDING};
use ballast_fixed::{Dollars, Notional, QuoteAmount, Ratio};
use ballast_risk::{credit, isolated_linear, AssetBook, AssetParams, AssetReport, Bucket, Cash, Portfolio};
use ballast_risk::{PortfolioParams, PriceState, MAX_GROSS};
use common::{at_most, config, with_haircut, without_size, Haircut, ASSETS, DEFAULTS, HAIRCUTS};
use proptest::prelude::*;

const SEED: u64 = 20_240_312;

proptest! {
    #![proptest_config(config(SEED))]

    /// k·IM(A) and IM(k·A) differ by roundings alone: one set of them in one, k times one set in the other.
    #[test]
    fn requirements_are_homogeneous_in_size(account in accounts(), factor in 1i64..20) {
        let params = without_size();
        let (one, many) = (margin_with(&account, &params), margin_with(&account.scaled(factor), &params));
        for (one, many) in [(one.initial, many.initial), (one.maintenance, many.maintenance), (one.scan, many.scan)] {
            prop_assert!(many.0 <= one.0 * factor + ROUNDING, "{many:?} {one:?}");
            prop_assert!(many.0 >= (one.0 - ROUNDING) * factor, "{many:?} {one:?}");
        }
    }

    #[test]
    fn cross_margin_is_at_most_the_sum_of_the_isolated(account in positions()) {
        let params = without_size();
        let isolated = account.legs.iter().map(|leg| {
            isolated_linear(&params[leg.asset], &PortfolioParams::DEFAULT, leg.value).unwrap()
        });
        let (initial, maintenance) = isolated.fold((0, 0), |sum, leg| (sum.0 + leg.0 .0, sum.1 + leg.1 .0));
        let cross = margin_with(&account, &params);
        prop_assert!(at_most(cross.initial, Dollars(initial), ROUNDING));
        prop_assert!(at_most(cross.maintenance, Dollars(maintenance), ROUNDING));
    }

    #[test]
    fn one_position_requires_its_isolated_margin(account in positions()) {
        for leg in &account.legs {
            let alone = Account { legs: vec![*leg], ..Account::default() };
            let cross = margin(&alone);
            let isolated = isolated_linear(&DEFAULTS[leg.asset], &PortfolioParams::DEFAULT, leg.value).unwrap();
            prop_assert_eq!((cross.initial, cross.maintenance), isolated);
        }
    }

    #[test]
    fn the_scan_is_subadditive(a in accounts(), b in accounts()) {
        let params = without_size();
        let merged = margin_with(&a.merged(&b), &params).scan;
        let apart = margin_with(&a, &params).scan.plus(margin_with(&b, &params).scan).unwrap();
        prop_assert!(at_most(merged, apart, ROUNDING));
    }

    /// Spread charges appear on merging, so the requirement is not subadditive; positions stay within 1.35.
    /// A covered short merged with the long that uncovers it exceeds that, see `worked_examples`.
    #[test]
    fn merging_costs_at_most_a_third(a in positions(), b in positions()) {
        let params = without_size();
        let merged = margin_with(&a.merged(&b), &params).initial;
        let apart = margin_with(&a, &params).initial.0 + margin_with(&b, &params).initial.0;
        prop_assert!(merged.0 <= apart / 100 * 135 + ROUNDING + 100, "{merged:?} {apart}");
    }

    /// And the equities keep their order: paper gains, haircuts and slow prices only ever lower them.
    #[test]
    fn maintenance_is_at_most_initial(account in accounts()) {
        let m = margin(&account);
        prop_assert!(m.maintenance <= m.initial);
        prop_assert!(m.equity_withdrawal <= m.equity_initial && m.equity_initial <= m.equity_maintenance);
        prop_assert!(m.equity_maintenance <= m.equity_unhaircut);
        prop_assert_eq!(m.equity_liquidation, m.equity_maintenance);
    }

    /// Bit for bit, while 4ψ is within the shock floor: a price cannot fall by more than it.
    #[test]
    fn linear_portfolios_are_symmetric_in_sign(account in positions()) {
        let (long, short) = (margin(&account), margin(&account.scaled(-1)));
        prop_assert_eq!((long.initial, long.maintenance), (short.initial, short.maintenance));
        prop_assert_eq!(long.levels, short.levels);
    }

    /// E_mm − MM for any amount; E_im − IM and E_w − IM up to `useful_collateral`.
    #[test]
    fn more_collateral_never_hurts(account in accounts(), asset in 0..ASSETS, more in balance(), full in any::<bool>()) {
        let mut account = account;
        if full {
            // Near the end of what helps, where the marginal credit is least.
            let most = (useful_collateral(&DEFAULTS[asset]).0 - more.0 .0).max(0);
            account.collateral[asset] = (Notional(most), Notional(most / 10 * 9));
        }
        let mut richer = account.clone();
        richer.collateral[asset].0.0 += more.0.0;
        richer.collateral[asset].1.0 += more.1.0;
        let (before, after) = (margin(&account), margin(&richer));
        let surplus = |m: &ballast_risk::MarginReport| {
            (m.surplus_initial().unwrap(), m.surplus_maintenance().unwrap(), m.surplus_withdrawal().unwrap())
        };
        let (before, after) = (surplus(&before), surplus(&after));
        prop_assert!(at_most(before.1, after.1, ROUNDING), "E_mm - MM: {before:?} {after:?}");
        if richer.collateral[asset].0 <= useful_collateral(&DEFAULTS[asset]) {
            prop_assert!(at_most(before.0, after.0, ROUNDING), "E_im - IM: {before:?} {after:?}");
            prop_assert!(at_most(before.2, after.2, ROUNDING), "E_w - IM: {before:?} {after:?}");
        }
    }

    /// Raising one charge parameter of one asset never lowers a requirement.
    #[test]
    fn requirements_rise_with_each_parameter(account in accounts(), asset in 0..ASSETS, which in 0usize..5, by in 1i64..100_000_000) {
        let mut raised = DEFAULTS;
        let p = &mut raised[asset];
        let slot = [&mut p.buffer, &mut p.basis, &mut p.spread, &mut p.option_spread, &mut p.scan_range];
        slot.into_iter().nth(which).unwrap().0 += by;
        let (before, after) = (margin(&account), margin_with(&account, &raised));
        prop_assert!(at_most(before.initial, after.initial, ROUNDING), "{before:?} {after:?}");
        prop_assert!(at_most(before.maintenance, after.maintenance, ROUNDING), "{before:?} {after:?}");
    }

    /// Haircuts and ρ work on credit and on what SPOT may lose at once, so monotone is what is left over: a higher one never
    /// leaves more of the equity it belongs to.
    #[test]
    fn surplus_falls_with_each_haircut(account in accounts(), asset in 0..ASSETS, which in prop::sample::select(&HAIRCUTS[..]), by in 1i64..50_000_000) {
        let raised = with_haircut(asset, which, by);
        let mut account = account;
        for (index, slow) in &mut account.collateral {
            *slow = *index; // the requirement is computed at the index, so credit has to be as well
        }
        let (before, after) = (margin(&account), margin_with(&account, &raised));
        if which != Haircut::Initial {
            let (before, after) = (before.surplus_maintenance().unwrap(), after.surplus_maintenance().unwrap());
            prop_assert!(at_most(after, before, ROUNDING), "E_mm - MM: {before:?} {after:?}");
        }
        if which != Haircut::Maintenance {
            let (less, more) = (after.surplus_initial().unwrap(), before.surplus_initial().unwrap());
            prop_assert!(at_most(less, more, ROUNDING), "E_im - IM: {more:?} {less:?}");
        }
    }

    #[test]
    fn a_larger_position_requires_more(asset in 0..ASSETS, size in 1i128..10i128.pow(28), more in 0i128..10i128.pow(28), short in any::<bool>()) {
        let sign = if short { -1 } else { 1 };
        let isolated = |value: i128| {
            isolated_linear(&DEFAULTS[asset], &PortfolioParams::DEFAULT, Notional(sign * value)).unwrap()
        };
        let (small, large) = (isolated(size), isolated(size + more));
        prop_assert!(small.0 <= large.0 && small.1 <= large.1);
    }

    /// Bit for bit: positions of a bucket and assets in any order, a position in two parts.
    #[test]
    fn order_and_split_change_nothing(
        account in accounts(),
        shuffled in any::<prop::sample::Index>(),
        order in Just([0usize, 1, 2, 3]).prop_shuffle(),
        part in 1i128..1_000,
    ) {
        let mut other = account.clone();
        other.legs.reverse();
        if !other.legs.is_empty() {
            let leg = other.legs.remove(shuffled.index(account.legs.len()));
            let cut = |x: Notional| Notional(x.0 * part / 1_000);
            let first = Leg { value: cut(leg.value), slow: cut(leg.slow), quote: cut(leg.quote), ..leg };
            let rest = Leg {
                value: leg.value.minus(first.value).unwrap(),
                slow: leg.slow.minus(first.slow).unwrap(),
                quote: leg.quote.minus(first.quote).unwrap(),
                ..leg
            };
            other.legs.insert(0, first);
            other.legs.push(rest);
        }
        let other = run(&other, &DEFAULTS, &PortfolioParams::DEFAULT, &order).unwrap();
        prop_assert_eq!(margin(&account), other);
    }

    #[test]
    fn credit_never_falls_and_never_exceeds_the_value(
        asset in 0..ASSETS,
        value in 0i128..20 * 10i128.pow(27),
        step in prop_oneof![0i128..10i128.pow(12), 0i128..10i128.pow(26)],
    ) {
        let p = &DEFAULTS[asset];
        for haircut in [p.haircut_initial, p.haircut_maintenance] {
            let (less, more) = (credit(p, haircut, Notional(value)).unwrap(), credit(p, haircut, Notional(value + step)).unwrap());
            prop_assert!(less <= more);
            prop_assert!(Notional::from_dollars(less).0 <= value);
        }
    }
}

/// Up to where a dollar more of this collateral still counts for 10 cents: v·(1 − h − ρ(v/D − 1)) rises by 1 − h − ρ(2v/D − 1).
///
/// Nearer to the peak of its credit the last dollars count for less than what they may lose in a crash (section 4's SPOT), so
/// E_im − IM falls a little there although the credit itself does not.
fn useful_collateral(params: &AssetParams) -> Notional {
    let spare = 900_000_000 - params.haircut_initial.0 + params.concentration.0;
    let depth = Notional::from_dollars(params.depth).0;
    Notional(depth * i128::from(spare) / i128::from(2 * params.concentration.0))
}

fn extreme_ratio() -> impl Strategy<Value = Ratio> {
    prop_oneof![
        any::<i64>(),
        Just(i64::MIN),
        Just(i64::MAX),
        Just(0),
        Just(1),
        0i64..=Ratio::SCALE,
    ]
    .prop_map(Ratio)
}

fn extreme_params() -> impl Strategy<Value = AssetParams> {
    let ratios = prop::array::uniform12(extreme_ratio());
    let depth = prop_oneof![any::<i64>(), Just(0), Just(1), Just(i64::MAX), 1i64..=MAX_GROSS.0];
    (ratios, depth, any::<[u8; 4]>()).prop_map(|(r, depth, clusters)| AssetParams {
        scan_range: r[0],
        buffer: r[1],
        basis: r[2],
        spread: r[3],
        option_spread: r[4],
        short_option_minimum: r[5],
        vol_up: r[6],
        vol_down: r[7],
        depth: Dollars(depth),
        concentration: r[8],
        haircut_initial: r[9],
        haircut_maintenance: r[10],
        hedge_recognition: r[11],
        clusters: clusters.map(|c| c % 10),
    })
}

/// Anywhere within the hard bounds, their ends included.
fn governed_params() -> impl Strategy<Value = AssetParams> {
    let one = prop_oneof![Just(0), Just(1), Just(Ratio::SCALE), 0..=Ratio::SCALE];
    let depth = prop_oneof![
        Just(AssetParams::MIN_DEPTH.0),
        Just(MAX_GROSS.0),
        AssetParams::MIN_DEPTH.0..=MAX_GROSS.0
    ];
    (prop::array::uniform8(one), depth).prop_map(|(r, depth)| AssetParams {
        scan_range: Ratio(r[0].min(950_000_000)),
        buffer: Ratio(r[1]),
        basis: Ratio(r[2]),
        spread: Ratio(4 * r[3]),
        option_spread: Ratio(4 * r[4]),
        depth: Dollars(depth),
        concentration: Ratio(r[5]),
        haircut_initial: Ratio(r[6]),
        haircut_maintenance: Ratio(r[6].min(r[7])),
        hedge_recognition: Ratio(r[7]),
        ..DEFAULTS[0]
    })
}

fn extreme_notional() -> impl Strategy<Value = Notional> {
    let limit = Notional::from_dollars(MAX_GROSS).0;
    prop_oneof![
        any::<i128>(),
        Just(i128::MIN),
        Just(i128::MAX),
        Just(limit),
        Just(-limit),
        Just(limit + 1),
        -limit..=limit,
        Just(0),
        Just(1),
        Just(-1),
    ]
    .prop_map(Notional)
}

type Sums = (Notional, Notional, Notional);

/// Whatever the numbers: an answer or an error.
fn extreme_account(
    params: &AssetParams,
    portfolio: &PortfolioParams,
    price: PriceState,
    values: &[Sums; 3],
    cash: Cash,
) -> Result<ballast_risk::MarginReport, ballast_risk::RiskError> {
    let _ = (params.validate(), portfolio.validate());
    let mut book = AssetBook::new(params, portfolio, price);
    book.set_collateral(values[0].0, values[0].1)?;
    book.add_linear(Bucket::Perpetual, values[1].0, values[1].1, values[1].2)?;
    book.add_linear(Bucket::Expiry(3), values[2].0, values[2].1, values[2].2)?;
    let mut report = AssetReport::default();
    book.finish(&mut report)?;
    let mut sum = Portfolio::new(portfolio);
    sum.add(&report, &params.clusters)?;
    let m = sum.finish(cash)?;
    let _ = (m.health_ppb(), m.health_initial_ppb(), m.is_liquidatable());
    let _ = (m.surplus_initial(), m.surplus_maintenance(), m.surplus_withdrawal());
    Ok(m)
}

proptest! {
    #![proptest_config(config(SEED))]

    /// Overflow checks are on in this profile: a wrap would panic.
    #[test]
    fn extremes_of_every_field_never_panic(
        params in prop_oneof![extreme_params(), prop::sample::select(DEFAULTS.to_vec())],
        ratios in prop::array::uniform9(extreme_ratio()),
        values in prop::array::uniform3((extreme_notional(), extreme_notional(), extreme_notional())),
        cash in any::<(i64, bool, bool, bool)>(),
    ) {
        let [w0, w1, w2, w3, maintenance_factor, shock_floor, quote_price, uncertainty, other] = ratios;
        let extreme = PortfolioParams {
            maintenance_factor, shock_floor, level_weights: [w0, w1, w2, w3], net_option_value: other, vega_offset: other,
        };
        let (amount, quote_trusted, governed, dead) = cash;
        let portfolio = if governed { PortfolioParams::DEFAULT } else { extreme };
        let cash = Cash { amount: QuoteAmount(amount), quote_price, quote_trusted };
        let _ = extreme_account(&params, &portfolio, PriceState { uncertainty, dead }, &values, cash);
        let _ = isolated_linear(&params, &portfolio, values[0].0);
        let _ = credit(&params, params.haircut_initial, values[0].0);
    }

    /// With governed parameters, everything inside the domain has an answer.
    #[test]
    fn the_whole_domain_has_an_answer(
        params in governed_params(),
        parts in prop::array::uniform3(0i128..=1_000_000),
        signs in any::<[bool; 2]>(),
        uncertainty in 0i64..=Ratio::SCALE,
    ) {
        let limit = Notional::from_dollars(MAX_GROSS).0;
        let total = parts.iter().sum::<i128>().max(1);
        let [collateral, a, b] = parts.map(|part| limit / total * part);
        let sign = |x: i128, negative: bool| Notional(if negative { -x } else { x });
        let (a, b) = (sign(a, signs[0]), sign(b, signs[1]));
        let collateral = Notional(collateral);
        let values = [
            (collateral, collateral, Notional::ZERO),
            (a, a, a.negated().unwrap()),
            (b, b, b.negated().unwrap()),
        ];
        // A cluster belongs to one level.
        let params = AssetParams { clusters: DEFAULTS[0].clusters, ..params };
        let price = PriceState { uncertainty: Ratio(uncertainty), dead: false };
        let m = extreme_account(&params, &PortfolioParams::DEFAULT, price, &values, Cash::at_par(QuoteAmount::ZERO));
        let m = m.unwrap();
        prop_assert!(m.maintenance <= m.initial);
        prop_assert!(m.equity_liquidation >= m.equity_maintenance);
        prop_assert!(m.equity_initial <= m.equity_maintenance);
    }
}
