//! Every figure of the methodology's section 0 without an option in it, to the last unit of 10⁻⁸ dollars.
use ballast_fixed::{Dollars, Notional, QuoteAmount};
use ballast_risk::{defaults, isolated_linear, AssetBook, AssetParams, AssetReport, Bucket, Cash, MarginReport};
use ballast_risk::{Portfolio, PortfolioParams, PriceState};

const PARAMS: PortfolioParams = PortfolioParams::DEFAULT;

/// Asset, its linear legs, its collateral, in whole dollars.
type Asset = (AssetParams, &'static [(Bucket, i64)], i64);

fn usd(dollars: i64) -> Dollars {
    Dollars(dollars * 100_000_000)
}

fn notional(dollars: i64) -> Notional {
    Notional::from_dollars(usd(dollars))
}

/// Cross margin, entry at the mark, and the sum of the isolated initial margins.
fn margin(cash: i64, assets: &[Asset]) -> (MarginReport, Dollars) {
    let mut portfolio = Portfolio::new(&PARAMS);
    let mut isolated = 0;
    for (params, legs, collateral) in assets {
        let mut book = AssetBook::new(params, &PARAMS, PriceState::default());
        book.set_collateral(notional(*collateral), notional(*collateral))
            .unwrap();
        for &(bucket, value) in *legs {
            let n = notional(value);
            book.add_linear(bucket, n, n, n.negated().unwrap()).unwrap();
            isolated += isolated_linear(params, &PARAMS, n).unwrap().0 .0;
        }
        let mut report = AssetReport::default();
        book.finish(&mut report).unwrap();
        portfolio.add(&report, &params.clusters).unwrap();
    }
    let cash = Cash::at_par(QuoteAmount(cash * 1_000_000));
    (portfolio.finish(cash).unwrap(), Dollars(isolated))
}

const PERP: Bucket = Bucket::Perpetual;
const FUTURE: Bucket = Bucket::Expiry(0);

#[test]
fn a_single_perpetual_is_the_outright() {
    let (m, isolated) = margin(15_000, &[(defaults::BTC, &[(PERP, 100_000)], 0)]);
    assert_eq!((m.initial, isolated), (usd(10_000), usd(10_000)));
    assert_eq!(m.maintenance, usd(7_150)); // 7.15 %
}

#[test]
fn the_hedge_leg_costs_two_thousand() {
    let (m, isolated) = margin(15_000, &[(defaults::BTC, &[(PERP, 100_000), (FUTURE, -100_000)], 0)]);
    assert_eq!((m.initial, isolated), (usd(12_000), usd(20_000)));
    assert_eq!(m.maintenance, usd(8_700));
    assert_eq!(m.scan, usd(0));
    assert_eq!(m.charge, usd(11_000)); // (1·9.5 % + 1.5 %)·100,000
    assert_eq!(m.surplus_initial(), Ok(usd(3_000)));
    assert_eq!(m.health_ppb(), Some(1_724_137_931)); // 15,000 / 8,700
}

#[test]
fn half_a_hedge() {
    let (m, isolated) = margin(0, &[(defaults::BTC, &[(PERP, 100_000), (FUTURE, -50_000)], 0)]);
    assert_eq!((m.initial, isolated), (usd(11_000), usd(15_000)));
}

#[test]
fn bitcoin_against_ether_earns_half_of_the_netting() {
    let (m, isolated) = margin(
        0,
        &[
            (defaults::BTC, &[(PERP, 100_000)], 0),
            (defaults::ETH, &[(PERP, -100_000)], 0),
        ],
    );
    assert_eq!((m.initial, isolated), (usd(13_000), usd(22_500)));
    assert_eq!(m.levels, [usd(21_500), usd(2_500), usd(2_500), usd(0)]);
}

#[test]
fn the_same_direction_earns_nothing() {
    let (m, isolated) = margin(
        0,
        &[
            (defaults::BTC, &[(PERP, 100_000)], 0),
            (defaults::ETH, &[(PERP, 100_000)], 0),
        ],
    );
    assert_eq!((m.initial, isolated), (usd(22_500), usd(22_500)));
}

#[test]
fn a_covered_short() {
    let (m, isolated) = margin(0, &[(defaults::BTC, &[(FUTURE, -100_000)], 100_000)]);
    assert_eq!((m.initial, isolated), (usd(5_325), usd(10_000)));
    // R = 9,500 − 9.5 %·85,000 = 1,425 at +ψ; charge (0.2·9.5 % + 1.5 %)·100,000; buffer 500.
    assert_eq!((m.scan, m.charge, m.buffer), (usd(1_425), usd(3_400), usd(500)));
    assert_eq!((m.equity_initial, m.equity_maintenance), (usd(85_000), usd(90_000)));
}

/// The spread charge of the legs and the wrong-way loss of the collateral appear at once: 26,875 against 17,400, a factor
/// of 1.54 where positions alone stay within 1.35.
#[test]
fn a_long_that_uncovers_collateral_costs_more_than_both_apart() {
    // Covered: at +ψ −12,000 + 12 %·85 %·125,000 > 0; at −4ψ 12,000 − ¼·(48 % − 10 %)·125,000 = 125 > 0; so R = 0 and
    // the charge (0.2·12 % + 2 %)·100,000 = 4,400.
    let (covered, _) = margin(0, &[(defaults::ETH, &[(PERP, -100_000)], 125_000)]);
    assert_eq!(covered.initial, usd(4_900));
    let (long, _) = margin(0, &[(defaults::ETH, &[(FUTURE, 100_000)], 0)]);
    assert_eq!(long.initial, usd(12_500));
    // R = 11,875 of SPOT at −4ψ; charge (12 % + 2 %)·100,000; buffer 1,000.
    let (merged, _) = margin(0, &[(defaults::ETH, &[(PERP, -100_000), (FUTURE, 100_000)], 125_000)]);
    assert_eq!(merged.initial, usd(11_875 + 14_000 + 1_000));
}
