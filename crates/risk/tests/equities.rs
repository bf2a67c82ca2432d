//! The equities of the methodology's sections 4 and 8, by hand calculation.
use ballast_fixed::{Dollars, Notional, QuoteAmount, Ratio};
use ballast_risk::{defaults, AssetBook, AssetReport, Bucket, Cash, MarginReport, Method, Portfolio, PortfolioParams};
use ballast_risk::{PriceState, RiskError};

const PARAMS: PortfolioParams = PortfolioParams::DEFAULT;

fn usd(dollars: i64) -> Dollars {
    Dollars(dollars * 100_000_000)
}

fn worth(dollars: i64) -> Notional {
    Notional::from_dollars(usd(dollars))
}

/// Collateral and one perpetual in BTC; values at the index and at the slow price.
#[derive(Clone, Copy, Default)]
struct Holding {
    collateral: (i64, i64),
    perpetual: (i64, i64),
    quote: i64,
    price: PriceState,
}

fn asset(holding: Holding) -> AssetReport {
    let mut book = AssetBook::new(&defaults::BTC, &PARAMS, holding.price);
    let ((index, slow), (mark, slow_mark)) = (holding.collateral, holding.perpetual);
    book.set_collateral(worth(index), worth(slow)).unwrap();
    book.add_linear(Bucket::Perpetual, worth(mark), worth(slow_mark), worth(holding.quote))
        .unwrap();
    let mut out = AssetReport::default();
    book.finish(&mut out).unwrap();
    out
}

fn margin(holding: Holding, cash: Cash) -> MarginReport {
    let mut sum = Portfolio::new(&PARAMS);
    sum.add(&asset(holding), &defaults::BTC.clusters).unwrap();
    sum.finish(cash).unwrap()
}

fn cash(dollars: i64) -> Cash {
    Cash::at_par(QuoteAmount(dollars * 1_000_000))
}

#[test]
fn new_risk_takes_the_worse_of_index_and_slow_price() {
    // Bought at 95,000: +5,000 at the index, −5,000 at the slow price.
    let m = margin(
        Holding {
            perpetual: (100_000, 90_000),
            quote: -95_000,
            ..Holding::default()
        },
        cash(20_000),
    );
    assert_eq!((m.equity_maintenance, m.unrealised), (usd(25_000), usd(5_000)));
    assert_eq!((m.equity_initial, m.equity_withdrawal), (usd(15_000), usd(15_000)));
    assert_eq!(m.surplus_withdrawal(), Ok(usd(5_000)));
}

#[test]
fn each_asset_is_taken_as_a_whole() {
    // At the slow price the covered short gains 10,000 and its collateral's credit loses 8,500.
    let m = margin(
        Holding {
            collateral: (100_000, 90_000),
            perpetual: (-100_000, -90_000),
            quote: 100_000,
            ..Holding::default()
        },
        cash(0),
    );
    assert_eq!(m.equity_initial, usd(85_000)); // the index is worse: 85,000 against 76,500 + 10,000
    assert_eq!(m.equity_withdrawal, usd(76_500)); // gains do not leave
    assert_eq!(m.credit_initial, usd(76_500)); // nor can cash be owed against them
    assert_eq!((m.equity_maintenance, m.equity_unhaircut), (usd(90_000), usd(100_000)));
}

#[test]
fn an_uncertain_price_counts_at_its_worse_end_for_new_risk_and_at_its_better_for_liquidation() {
    let price = PriceState {
        uncertainty: Ratio(50_000_000),
        dead: false,
    };
    let holding = Holding {
        collateral: (100_000, 100_000),
        perpetual: (100_000, 100_000),
        quote: -100_000,
        price,
    };
    let m = margin(holding, cash(0));
    assert_eq!(m.equity_initial, usd(75_750)); // −5,000 + 85 % of 95,000
    assert_eq!(m.equity_withdrawal, usd(75_750));
    assert_eq!(m.equity_maintenance, usd(90_000));
    assert_eq!(m.equity_liquidation, usd(99_500)); // +5,000 + 90 % of 105,000
                                                   // A short is favoured by the other end.
    let m = margin(
        Holding {
            collateral: (0, 0),
            perpetual: (-100_000, -100_000),
            quote: 100_000,
            price,
        },
        cash(0),
    );
    assert_eq!((m.equity_initial, m.equity_liquidation), (usd(-5_000), usd(5_000)));
    // No price falls by more than all of it.
    let wild = PriceState {
        uncertainty: Ratio(7_000_000_000),
        dead: false,
    };
    let m = margin(
        Holding {
            collateral: (0, 0),
            price: wild,
            ..holding
        },
        cash(0),
    );
    assert_eq!((m.equity_initial, m.equity_liquidation), (usd(-100_000), usd(100_000)));
}

#[test]
fn a_dead_feed_covers_its_own_requirement_and_no_more() {
    let price = PriceState {
        uncertainty: Ratio::ZERO,
        dead: true,
    };
    let m = margin(
        Holding {
            collateral: (100_000, 100_000),
            price,
            ..Holding::default()
        },
        cash(0),
    );
    assert_eq!(m.maintenance, usd(4_900)); // 0.7·7,000, the crash of SPOT
    assert_eq!((m.equity_maintenance, m.equity_liquidation), (usd(90_000), usd(4_900)));
    assert!(!m.is_liquidatable());
    // A loss stays a loss.
    let losing = Holding {
        perpetual: (100_000, 100_000),
        quote: -130_000,
        price,
        ..Holding::default()
    };
    assert_eq!(margin(losing, cash(0)).equity_liquidation, usd(-30_000));
    let refused = PriceState {
        uncertainty: Ratio(-1),
        dead: false,
    };
    let book = AssetBook::new(&defaults::BTC, &PARAMS, refused);
    assert_eq!(
        book.finish(&mut AssetReport::default()),
        Err(RiskError::InvalidParameter)
    );
}

/// A perpetual bought at 50,000 that stands at 100,000 where the feed died, and what is settled beside it.
#[test]
fn what_is_settled_counts_whole_when_the_feed_dies() {
    let dead = PriceState {
        uncertainty: Ratio::ZERO,
        dead: true,
    };
    let report = |perpetual: i64, quote: i64, settled: i64| {
        let mut book = AssetBook::new(&defaults::BTC, &PARAMS, dead);
        book.add_settled(worth(settled)).unwrap();
        book.add_linear(Bucket::Perpetual, worth(perpetual), worth(perpetual), worth(quote))
            .unwrap();
        let mut out = AssetReport::default();
        book.finish(&mut out).unwrap();
        out
    };
    for settled in [5_000, -5_000] {
        let alone = report(0, 0, settled);
        assert_eq!(
            (alone.scan, alone.buffer),
            (usd(0), usd(0)),
            "nothing is required for it"
        );
        assert_eq!(
            (alone.unrealised_index, alone.unrealised_initial),
            (usd(settled), usd(settled))
        );
        assert_eq!(alone.unrealised_liquidation, usd(settled));
        // The paper profit of 50,000 covers the position's own 7,150 and no more: neither is the gain cut with it, nor the loss covered.
        let beside = report(100_000, -50_000, settled);
        assert_eq!(beside.unrealised_index, usd(50_000 + settled));
        assert_eq!(beside.unrealised_liquidation, usd(7_150 + settled));
        // A loss on paper stays one.
        let losing = report(100_000, -102_000, settled);
        assert_eq!(losing.unrealised_liquidation, usd(settled - 2_000));
        assert_eq!(losing.loss_withdrawal, usd((settled - 2_000).min(0)));
    }
}

/// A perpetual of 100,000 and a future of −100,000 of a dead feed, with a gain of 50,000, and nothing else: whatever the account is asked for
/// is covered to the dollar. The portfolio requires 0.70 · 11,000 + 1,000, linear 200,000 · (0.70 · 9.5 % + 0.5 %); the net of them is nothing.
#[test]
fn a_dead_feed_covers_what_the_method_requires() {
    let price = PriceState {
        uncertainty: Ratio(24_250_000),
        dead: true,
    };
    for (method, required) in [
        (Method::Portfolio, 8_700),
        (Method::RiskAdjusted, 8_700),
        (Method::Linear, 14_300),
    ] {
        let mut book = AssetBook::new(&defaults::BTC, &PARAMS, price);
        book.set_method(method);
        for (bucket, mark, quote) in [
            (Bucket::Perpetual, 100_000, -50_000),
            (Bucket::Expiry(0), -100_000, 100_000),
        ] {
            book.add_linear(bucket, worth(mark), worth(mark), worth(quote)).unwrap();
        }
        let mut out = AssetReport::default();
        book.finish(&mut out).unwrap();
        let mut sum = Portfolio::new(&PARAMS);
        sum.add(&out, &defaults::BTC.clusters).unwrap();
        let m = sum.finish(cash(0)).unwrap();
        assert_eq!(m.equity_maintenance, usd(50_000));
        assert_eq!(
            (m.maintenance, m.equity_liquidation),
            (usd(required), usd(required)),
            "{method:?}"
        );
        assert!(!m.is_liquidatable() && sum.finish(Cash::at_par(QuoteAmount(-1))).unwrap().is_liquidatable());
    }
}

#[test]
fn cash_and_gains_are_worth_what_the_quote_asset_is() {
    let quote = |dollars: i64, price: i64, trusted: bool| Cash {
        amount: QuoteAmount(dollars * 1_000_000),
        quote_price: Ratio(price),
        quote_trusted: trusted,
    };
    let flat = Holding::default();
    assert_eq!(
        margin(flat, quote(10_000, 990_000_000, true)).equity_maintenance,
        usd(9_900)
    );
    assert_eq!(
        margin(flat, quote(10_000, 1_010_000_000, true)).equity_maintenance,
        usd(10_000)
    );
    assert_eq!(
        margin(flat, quote(-10_000, 1_010_000_000, true)).equity_maintenance,
        usd(-10_100)
    );
    assert_eq!(
        margin(flat, quote(-10_000, 990_000_000, true)).equity_maintenance,
        usd(-10_000)
    );
    // One sum: a gain of 4,000 against a debt of 10,000, then of 14,000.
    let gain = |dollars: i64| Holding {
        perpetual: (dollars, dollars),
        ..Holding::default()
    };
    assert_eq!(
        margin(gain(4_000), quote(-10_000, 1_010_000_000, true)).equity_initial,
        usd(-6_060)
    );
    assert_eq!(
        margin(gain(14_000), quote(-10_000, 990_000_000, true)).equity_initial,
        usd(3_960)
    );
    // Collateral is in dollars whatever the quote asset is worth.
    let covered = Holding {
        collateral: (1_000, 1_000),
        ..Holding::default()
    };
    assert_eq!(
        margin(covered, quote(10_000, 990_000_000, true)).equity_maintenance,
        usd(9_900 + 900)
    );
}

#[test]
fn an_untrusted_quote_asset_takes_nothing_else_out() {
    let untrusted = Cash {
        amount: QuoteAmount(10_000_000_000),
        quote_price: Ratio(970_000_000),
        quote_trusted: false,
    };
    let losing = Holding {
        collateral: (1_000, 1_000),
        perpetual: (100, 100),
        quote: -300,
        ..Holding::default()
    };
    let m = margin(losing, untrusted);
    assert_eq!(m.equity_withdrawal, usd(850 - 200));
    assert_eq!(m.equity_maintenance, usd(9_506 + 900)); // 97 % of 9,800
    let debt = Cash {
        amount: QuoteAmount(-10_000_000),
        ..untrusted
    };
    assert_eq!(margin(losing, debt).equity_withdrawal, usd(850 - 210));
}

#[test]
fn liquidation_starts_one_unit_below_the_requirement() {
    let holding = Holding {
        perpetual: (100_000, 100_000),
        quote: -100_000,
        ..Holding::default()
    };
    let m = margin(holding, cash(7_150));
    assert_eq!((m.equity_liquidation, m.maintenance), (usd(7_150), usd(7_150)));
    assert!(!m.is_liquidatable());
    assert_eq!(
        (m.health_ppb(), m.surplus_maintenance()),
        (Some(1_000_000_000), Ok(usd(0)))
    );
    let m = margin(holding, Cash::at_par(QuoteAmount(7_149_999_999)));
    assert!(m.is_liquidatable());
    assert_eq!(m.health_ppb(), Some(999_999_999)); // 0.99999999986, rounded down
    assert_eq!(m.health_initial_ppb(), Some(714_999_999)); // 7,149.999999 / 10,000
}

#[test]
fn without_a_requirement_there_is_no_health_but_a_debt_is_liquidatable() {
    let m = margin(Holding::default(), cash(0));
    assert_eq!(
        (m.health_ppb(), m.health_initial_ppb(), m.is_liquidatable()),
        (None, None, false)
    );
    let m = margin(Holding::default(), Cash::at_par(QuoteAmount(-1)));
    assert!(m.is_liquidatable());
}

#[test]
fn health_is_held_within_its_type() {
    let dust = Holding {
        perpetual: (1, 1),
        ..Holding::default()
    };
    assert_eq!(margin(dust, cash(90_000_000_000)).health_ppb(), Some(i64::MAX));
    assert_eq!(margin(dust, cash(-90_000_000_000)).health_ppb(), Some(i64::MIN));
}

#[test]
fn cash_beyond_the_dollar_range_is_refused() {
    let sum = Portfolio::new(&PARAMS);
    let amount = QuoteAmount(i64::MAX / 100 + 1);
    assert_eq!(sum.finish(Cash::at_par(amount)), Err(RiskError::Overflow));
}
