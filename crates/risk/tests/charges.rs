//! Charges and refusals of one asset, by hand calculation.
use ballast_fixed::{Dollars, Notional, Ratio};
use ballast_risk::{defaults, isolated_linear, AssetBook, AssetParams, AssetReport, Bucket, Cash};
use ballast_risk::{Portfolio, PortfolioParams, PriceState, RiskError, MAX_GROSS};

const PARAMS: PortfolioParams = PortfolioParams::DEFAULT;
const PERP: Bucket = Bucket::Perpetual;

fn usd(dollars: i64) -> Dollars {
    Dollars(dollars * 100_000_000)
}

fn worth(dollars: i64) -> Notional {
    Notional::from_dollars(usd(dollars))
}

fn report(params: &AssetParams, collateral: i64, legs: &[(Bucket, i64)]) -> AssetReport {
    let mut book = AssetBook::new(params, &PARAMS, PriceState::default());
    book.set_collateral(worth(collateral), worth(collateral)).unwrap();
    for &(bucket, value) in legs {
        book.add_linear(bucket, worth(value), worth(value), worth(-value))
            .unwrap();
    }
    let mut out = AssetReport::default();
    book.finish(&mut out).unwrap();
    out
}

#[test]
fn concentration_grows_with_the_square_up_to_the_scan() {
    let charge = |params, dollars| report(params, 0, &[(PERP, dollars)]).concentration;
    assert_eq!(charge(&defaults::BTC, 25_000_000), usd(0)); // D itself
    assert_eq!(charge(&defaults::BTC, -50_000_000), usd(500_000)); // 0.02·25²/25 m
    assert_eq!(charge(&defaults::BTC, 1_000_000_000), usd(95_000_000)); // 0.02·975²/25 = 760.5 m, at most 9.5 %
                                                                        // G is the larger side of the asset, not the net.
    let hedged = report(
        &defaults::BTC,
        0,
        &[(PERP, 50_000_000), (Bucket::Expiry(0), -40_000_000)],
    );
    assert_eq!(hedged.concentration, usd(500_000));
}

#[test]
fn isolated_margin_counts_concentration() {
    // 9.5 % and the 500,000 above; buffer 0.5 %.
    let expected = (usd(4_750_000 + 500_000 + 250_000), usd(3_675_000 + 250_000)); // 0.7·5,250,000
    assert_eq!(
        isolated_linear(&defaults::BTC, &PARAMS, worth(-50_000_000)),
        Ok(expected)
    );
    let beyond = Notional::from_dollars(Dollars(MAX_GROSS.0 + 1));
    assert_eq!(
        isolated_linear(&defaults::BTC, &PARAMS, beyond),
        Err(RiskError::Overflow)
    );
}

#[test]
fn linear_pairs_pay_the_whole_range_and_collateral_a_fifth() {
    // Δ: +50,000, −150,000 and SPOT min(60,000, net short 100,000): H = 110,000, of which the linear legs match 50,000.
    let out = report(&defaults::BTC, 60_000, &[(PERP, 50_000), (Bucket::Expiry(2), -150_000)]);
    assert_eq!((out.matched_linear, out.matched_all), (usd(50_000), usd(110_000)));
    assert_eq!(out.spread, usd(5_500 + 2_040)); // 11 % of 50,000, 3.4 % of 60,000
    assert_eq!(out.net_delta, usd(-40_000));
    assert_eq!(out.gross, usd(200_000));
    assert_eq!(out.buffer, usd(1_000));
    // SPOT alone loses ¼·28 % at −4ψ.
    assert_eq!(out.bucket_sum, usd(4_750 + 14_250 + 4_200));
    // At +ψ: −9,500 + 9.5 %·51,000.
    assert_eq!(out.scan, usd(4_655));
    assert_eq!(out.worst_scenario, 10);
}

#[test]
fn positions_of_one_bucket_net_before_anything_else() {
    let out = report(&defaults::BTC, 0, &[(PERP, 80_000), (PERP, -50_000)]);
    assert_eq!((out.scan, out.bucket_sum, out.charge), (usd(2_850), usd(2_850), usd(0)));
    assert_eq!(out.buffer, usd(650)); // each leg has to be closed
}

#[test]
fn the_charge_stops_at_what_netting_saved() {
    let dear = AssetParams {
        spread: Ratio(4_000_000_000),
        ..defaults::BTC
    };
    let out = report(&dear, 0, &[(PERP, 100_000), (Bucket::Expiry(0), -100_000)]);
    assert_eq!(out.spread, usd(39_500));
    assert_eq!(out.charge, usd(19_000)); // Σ L(X_b) − L(X_a)
}

#[test]
fn buckets_must_not_go_backwards() {
    let mut book = AssetBook::new(&defaults::BTC, &PARAMS, PriceState::default());
    let one = worth(1);
    book.add_linear(Bucket::Expiry(1), one, one, one).unwrap();
    book.add_linear(Bucket::Expiry(1), one, one, one).unwrap();
    assert_eq!(
        book.add_linear(Bucket::Expiry(0), one, one, one),
        Err(RiskError::OutOfOrder)
    );
    assert_eq!(book.add_linear(PERP, one, one, one), Err(RiskError::OutOfOrder));
}

#[test]
fn the_domain_is_bounded_everywhere() {
    let limit = Notional::from_dollars(MAX_GROSS);
    let beyond = Notional(limit.0 + 1);
    let mut book = AssetBook::new(&defaults::BTC, &PARAMS, PriceState::default());
    assert_eq!(book.set_collateral(beyond, limit), Err(RiskError::Overflow));
    assert_eq!(book.set_collateral(limit, beyond), Err(RiskError::Overflow));
    assert_eq!(
        book.set_collateral(worth(-1), worth(0)),
        Err(RiskError::InvalidParameter)
    );
    assert_eq!(
        book.add_linear(PERP, worth(0), beyond, worth(0)),
        Err(RiskError::Overflow)
    );
    book.add_linear(PERP, limit, limit, worth(0)).unwrap();
    // Opposite legs net, but gross is what counts.
    book.add_linear(PERP, Notional(-1), Notional(-1), worth(0)).unwrap();
    let mut out = AssetReport::default();
    assert_eq!(book.finish(&mut out), Err(RiskError::Overflow));

    let mut sum = Portfolio::new(&PARAMS);
    let half = report(&defaults::BTC, 10_000_000_000, &[]);
    sum.add(&half, &[0; 4]).unwrap();
    let more = report(&defaults::ETH, 0, &[(PERP, 10_000_000_001)]);
    assert_eq!(sum.add(&more, &[0; 4]), Err(RiskError::Overflow));
}

#[test]
fn a_scan_range_beyond_the_shock_floor_is_refused() {
    let shallow = PortfolioParams {
        shock_floor: Ratio(94_999_999),
        ..PARAMS
    };
    let book = AssetBook::new(&defaults::BTC, &shallow, PriceState::default());
    assert_eq!(
        book.finish(&mut AssetReport::default()),
        Err(RiskError::InvalidParameter)
    );
    assert_eq!(
        isolated_linear(&defaults::BTC, &shallow, worth(1)),
        Err(RiskError::InvalidParameter)
    );
}

#[test]
fn a_cluster_belongs_to_one_level() {
    let out = report(&defaults::BTC, 0, &[(PERP, 1)]);
    let mut sum = Portfolio::new(&PARAMS);
    sum.add(&out, &[0, 1, 2, 0]).unwrap();
    assert_eq!(sum.add(&out, &[0, 2, 1, 0]), Err(RiskError::InvalidParameter));
    assert_eq!(sum.add(&out, &[0, 9, 0, 0]), Err(RiskError::InvalidParameter));
    // A level without weight is not looked at.
    sum.add(&out, &[0, 1, 2, 9]).unwrap();
    let m = sum.finish(Cash::at_par(Default::default())).unwrap();
    assert_eq!(m.levels[3], usd(0));
}
