//! What a price still allows when it is not fresh and tight: the table by action, cell by cell, through the compiled program. Each cell is
//! asked on both sides of its bound.
//!
//! BTC has a scan range of 9.5 % and a buffer of 0.5 %: 1 BTC at 100,000 takes 10,000 of initial and 7,150 of maintenance margin. A price is
//! tight up to a width of 0.5 % and fresh for 60 seconds. 1,350 seconds are a sixty-fourth of a day, so a price of that age may be off by an
//! eighth of the scan range, 1.1875 %, whose last digit is rounded up: 1,187.5001 of 100,000.
use ballast::error::BallastError;
use ballast::state::QUOTE_ASSET;
use ballast_sim::world::{post_only, PriceMessage, User, World, BTC, ETH};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::sources::Sources;
use ballast_tests::{ok, world};

/// Age of the stale prices, seconds.
const AGE: i64 = 1_350;
/// By so much a price of 100,000 of that age may be off, quote units.
const OFF: i64 = 1_187_500_100;
/// Fee of buying 1 BTC at 100,000 and what the first position locks, quote units.
const OPENING: i64 = 52_000_000;
/// IM of 1 BTC at 100,000.
const IM: i64 = 10_000_000_000;

/// A second later posts a BTC price with a confidence, both in dollars, and the other prices as they are.
fn btc_is(w: &mut World, price: f64, confidence: f64) {
    w.vm.advance(1);
    let update = PriceMessage {
        confidence: (confidence * 1e8).round() as u64,
        ..PriceMessage::new(w.feed_id(BTC), price, w.vm.now())
    };
    w.post(BTC, &update);
    w.post_price(QUOTE_ASSET, 1.0);
    w.post_price(ETH, 3_000.0);
    let outcome = w.refresh(&[QUOTE_ASSET, BTC, ETH]);
    ok(w, outcome);
}

/// `age` seconds after the last BTC price, the other prices fresh.
fn btc_is_old(w: &mut World, age: i64) {
    let published = w.board().assets[usize::from(BTC)].price.publish_time;
    let gap = published + age - 1 - w.vm.now();
    w.vm.advance(gap);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 3_000.0)]); // takes a second
}

/// A price of 100,000 that is 1 % wide.
fn wide(w: &mut World) {
    btc_is(w, 100_000.0, 1_000.0);
}

/// Makes of a fresh and tight BTC price of 100,000 one of the rows.
type Row = fn(&mut World);

/// The rows, and by what the price may then be off, quote units.
const ROWS: [(Row, i64); 3] = [
    (|w| btc_is(w, 100_000.0, 500.0), 0),
    (wide, 1_000_000_000),
    (|w| btc_is_old(w, AGE), OFF),
];

/// Somebody with this cash, quote units, and a maker who has traded both perpetuals.
fn desk(cash: i64) -> (World, User, User) {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    set_cash(&mut w, &user, cash);
    (w, user, maker)
}

/// The same, long 1 BTC from 100,000.
fn long(cash: i64) -> (World, User, User) {
    let (mut w, user, maker) = desk(cash);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    (w, user, maker)
}

#[test]
fn a_trade_in_the_asset_is_margined_at_the_worse_bound() {
    for (row, off) in &ROWS[..2] {
        for (lots, short) in [(10_000, 1), (-10_000, 1), (10_000, 0), (-10_000, 0)] {
            let (mut w, user, maker) = desk(OPENING + IM + off - short);
            row(&mut w);
            if short == 0 {
                trade(&mut w, BTC_PERP, &user, &maker, lots, 100_000.0);
            } else {
                refuses(&mut w, BallastError::InsufficientMargin, |w| {
                    w.trade(BTC_PERP, &user, &maker, lots, 100_000.0)
                });
            }
        }
    }
    // Nobody trades on a stale one but to reduce, whatever he has; 60 seconds are fresh.
    let (mut w, user, maker) = desk(1_000_000_000_000);
    btc_is_old(&mut w, 60);
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
    w.vm.advance(1);
    for lots in [1, -1_001] {
        refuses(&mut w, BallastError::StalePrice, |w| {
            w.trade(BTC_PERP, &user, &maker, lots, 100_000.0)
        });
    }
    trade(&mut w, BTC_PERP, &user, &maker, -1_000, 100_000.0);
}

/// 1 ETH at 3,000 takes 375 more, and a fee of 1.50.
#[test]
fn a_trade_in_another_asset_counts_the_asset_at_the_worse_bound() {
    for (row, off) in ROWS {
        let needed = OPENING + IM + 375_000_000 + 1_500_000 + off;
        for short in [1, 0] {
            let (mut w, user, maker) = long(needed - short);
            row(&mut w);
            if short == 0 {
                trade(&mut w, ETH_PERP, &user, &maker, 1_000, 3_000.0);
            } else {
                refuses(&mut w, BallastError::InsufficientMargin, |w| {
                    w.trade(ETH_PERP, &user, &maker, 1_000, 3_000.0)
                });
            }
        }
    }
}

#[test]
fn a_withdrawal_counts_the_asset_at_the_worse_bound() {
    for (row, off) in ROWS {
        let free = 3_000_000_000;
        let (mut w, user, _) = long(OPENING + IM + off + free);
        let usd = w.usd;
        row(&mut w);
        refuses(&mut w, BallastError::InsufficientMargin, |w| {
            w.withdraw(&user, &usd, free as u64 + 1)
        });
        let outcome = w.withdraw(&user, &usd, free as u64);
        ok(&w, outcome);
    }
}

/// Collateral as well: 1 BTC has a credit of 85 % of what it may be worth, and 2 · confidence / price less. A debt against it has to survive a
/// fall by four scan ranges, at a weight of a quarter, as far as the haircut for liquidation (10 % and 2 · confidence / price) does not cover it.
#[test]
fn collateral_in_the_asset_counts_at_the_worse_bound() {
    // 100,000 · 0.84 − 100,000 · (0.38 − 0.11) / 4; 99,000 · 0.83 − 100,000 · (0.38 − 0.12) / 4;
    // (100,000 − 1,187.5001) · 0.85 − 100,000 · (0.38 − 0.1) / 4.
    for ((row, _), credit) in ROWS
        .into_iter()
        .zip([77_250_000_000u64, 75_670_000_000, 76_990_624_915])
    {
        let mut w = world();
        let user = trader(&mut w, 0);
        trader(&mut w, 10_000_000);
        let (usd, btc) = (w.usd, w.btc);
        deposit(&mut w, &user, &btc, BTC_UNIT);
        row(&mut w);
        refuses(&mut w, BallastError::InsufficientMargin, |w| {
            w.withdraw(&user, &usd, credit + 1)
        });
        let outcome = w.withdraw(&user, &usd, credit);
        ok(&w, outcome);
    }
}

/// Deposits, repayments, cancels and reductions, of an account that could not add a lot.
#[test]
fn every_exit_is_open_whatever_the_price() {
    for (row, _) in ROWS {
        let (mut w, user, maker) = long(OPENING + IM + 20_000_000_000);
        let (usd, btc) = (w.usd, w.btc);
        deposit(&mut w, &user, &btc, BTC_UNIT / 10);
        let resting = [(BTC_PERP, -1_000, 100_100.0), (ETH_PERP, 1_000, 2_990.0)];
        for (instrument, lots, price) in resting {
            let outcome = w.place(instrument, &user, post_only(lots, price));
            ok(&w, outcome);
        }
        // Into debt against the 0.1 BTC: 8,500 of credit.
        let outcome = w.withdraw(&user, &usd, 22_000_000_000);
        ok(&w, outcome);
        row(&mut w);
        let outcome = w.cancel_all(&user, &[BTC_PERP, ETH_PERP]);
        ok(&w, outcome);
        trade(&mut w, BTC_PERP, &user, &maker, -4_000, 100_000.0);
        deposit(&mut w, &user, &btc, 1);
        deposit(&mut w, &user, &usd, 1);
        trade(&mut w, BTC_PERP, &user, &maker, -6_000, 100_000.0);
        assert_eq!(w.margin_account(&user.account.margin_account).positions()[0].lots, 0);
    }
}

/// Equity of [`long_btc`] at an index of P is P − 90,000 and MM 7.15 % of P; a price that may be off by x of itself counts as P·(1 + x). The
/// account falls under its margin at P = 90,000 / (0.9285 + x): 96,930.53…, 95,897.70… for 1 % and 95,706.49… for 1.1875001 %.
#[test]
fn an_account_is_liquidatable_outside_the_band_only() {
    type Falls = fn(&mut World, f64);
    let rows: [(Falls, f64); 3] = [
        (|w, price| btc_is(w, price, price * 0.005), 96_930.0),
        (|w, price| btc_is(w, price, price * 0.01), 95_897.0),
        (
            |w, price| {
                btc_is(w, price, 0.0);
                btc_is_old(w, AGE);
            },
            95_706.0,
        ),
    ];
    for (row, (becomes, falls_under)) in rows.into_iter().enumerate() {
        let (mut w, user, _) = long_btc();
        let key = user.account.margin_account;
        let keeper = trader(&mut w, 1_000_000);
        becomes(&mut w, falls_under + 1.0);
        refuses(&mut w, BallastError::AccountHealthy, |w| w.flag(&key));
        becomes(&mut w, falls_under);
        let outcome = w.flag(&key);
        ok(&w, outcome);
        w.vm.advance(1);
        if row < 2 {
            let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 100);
            ok(&w, outcome);
        } else {
            // It is the stale leg that fails it, but nobody takes that over at a price that may be another one.
            refuses(&mut w, BallastError::StalePrice, |w| {
                w.liquidate(BTC_PERP, &user.account, &keeper, 100)
            });
        }
    }
}

/// Flagged on a tight price, an account is left alone while the price is so wide that it may be healthy.
#[test]
fn a_step_needs_the_account_under_its_margin_at_the_better_bound() {
    let (mut w, user, _) = long_btc();
    let keeper = trader(&mut w, 1_000_000);
    btc_is(&mut w, 95_898.0, 0.0);
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
    btc_is(&mut w, 95_898.0, 958.98);
    refuses(&mut w, BallastError::AccountHealthy, |w| {
        w.liquidate(BTC_PERP, &user.account, &keeper, 100)
    });
    btc_is(&mut w, 95_897.0, 958.97);
    let outcome = w.liquidate(BTC_PERP, &user.account, &keeper, 100);
    ok(&w, outcome);
}

/// A quarter of the scan range is the most that counts in an account's favour, all of it the most that counts against it. At 95,000 the
/// equity is 5,000.
#[test]
fn a_stale_price_is_off_by_so_much_and_no_more() {
    let (mut w, user, _) = long_btc();
    let key = user.account.margin_account;
    btc_is(&mut w, 95_000.0, 0.0);
    // (age, dollars in favour, dollars against) in 10⁻⁸: ψ·√(age / 1 day) of 95,000, a part of 10⁻⁹ rounded up.
    let cases = [
        (60, 0, 0),
        // √(3,600 / 86,400) = 0.2041241452319315: 1.9391793797 % is 0.019391794.
        (3_600, 184_222_043_000, 184_222_043_000),
        (5_400, 225_625_000_000, 225_625_009_500),
        (21_600, 225_625_000_000, 451_250_009_500),
        (86_400, 225_625_000_000, 902_500_000_000),
        (200_000, 225_625_000_000, 902_500_000_000),
    ];
    for (age, favour, against) in cases {
        btc_is_old(&mut w, age);
        let summary = w.summary(&key);
        assert_eq!(summary.equity_maintenance, 5_000 * DOLLAR, "{age}");
        assert_eq!(summary.equity_liquidation, 5_000 * DOLLAR + favour, "{age}");
        assert_eq!(summary.equity_initial, 5_000 * DOLLAR - against, "{age}");
        assert_eq!(
            summary.maintenance_margin,
            6_792 * DOLLAR + DOLLAR / 2,
            "7.15 % at {age}"
        );
    }
}

/// The last confidence is on top of both: 1 % of 95,000.
#[test]
fn a_stale_price_is_off_by_its_last_confidence_besides() {
    let (mut w, user, _) = long_btc();
    btc_is(&mut w, 95_000.0, 950.0);
    btc_is_old(&mut w, 21_600);
    let summary = w.summary(&user.account.margin_account);
    assert_eq!(summary.equity_liquidation, (5_000 + 950) * DOLLAR + 225_625_000_000);
    assert_eq!(summary.equity_initial, (5_000 - 950) * DOLLAR - 451_250_009_500);
}

/// After an hour of silence what an asset adds to the equity of a liquidation is cut to its own maintenance margin: 7.15 % of 120,000 are
/// 8,580 where the profit on 1 BTC is 20,000.
#[test]
fn a_dead_feed_protects_nothing_but_itself() {
    let (mut w, user, maker) = long(OPENING + IM + 10_000_000_000);
    trade(&mut w, ETH_PERP, &user, &maker, 10_000, 3_000.0);
    btc_is(&mut w, 120_000.0, 0.0);
    let key = user.account.margin_account;
    btc_is_old(&mut w, 3_600);
    // 20,000 of equity less 15 of fees, 20,000 of profit; the price may be better by 1.9391794 %, the last digit rounded up.
    let alive = w.summary(&key);
    assert_eq!(alive.equity_liquidation, (40_000 - 15) * DOLLAR + 232_701_528_000);
    btc_is_old(&mut w, 3_601);
    let dead = w.summary(&key);
    // Cash is what it was, 20,050 with the fee of the BTC position that is in its profit.
    assert_eq!(dead.equity_liquidation, (20_050 - 15 + 8_580) * DOLLAR);
    assert_eq!(dead.equity_maintenance, (40_000 - 15) * DOLLAR);
}

/// Index and slow price have to be within 1 % of each other as well, so the gain is one of 0.1 %.
#[test]
fn profit_and_loss_become_cash_at_a_tight_price_only() {
    let (mut w, user, _) = long(OPENING + IM + 1_000_000_000);
    let key = user.account.margin_account;
    btc_is(&mut w, 99_900.0, 0.0);
    w.vm.advance(3_000);
    btc_is(&mut w, 99_900.0, 499.500_000_01);
    refuses(&mut w, BallastError::NothingToSettle, |w| w.settle(&key, &[BTC_PERP]));
    btc_is(&mut w, 99_900.0, 499.5);
    w.vm.advance(61);
    refuses(&mut w, BallastError::NothingToSettle, |w| w.settle(&key, &[BTC_PERP]));
    btc_is(&mut w, 99_900.0, 499.5);
    w.vm.advance(60);
    let outcome = w.settle(&key, &[BTC_PERP]);
    ok(&w, outcome);
}

/// Sources that lie apart make a price wide: 1,000 around the 101,000 in their middle.
#[test]
fn sources_apart_are_a_wide_price() {
    for short in [1, 0] {
        // 50.50 of fees and 2 locked, 10,100 of margin, and 999.9999 or so: 0.9900991 % of 101,000 are 1,000.000091.
        let (mut w, user, maker) = desk(52_500_000 + 10_100_000_000 + 1_000_000_091 - short);
        let sources = Sources::bind(&mut w, BTC, 2, |feed| {
            feed.sources.iter_mut().for_each(|s| s.max_step_ppm = 1_000_000);
        });
        sources.set(&mut w, &[100_000.0, 102_000.0]);
        w.set_prices(&[(QUOTE_ASSET, 1.0)]);
        if short == 0 {
            trade(&mut w, BTC_PERP, &user, &maker, 10_000, 101_000.0);
        } else {
            refuses(&mut w, BallastError::InsufficientMargin, |w| {
                w.trade(BTC_PERP, &user, &maker, 10_000, 101_000.0)
            });
        }
    }
}

/// Prints of a settlement average, of one bucket each.
fn prints(w: &World) -> u16 {
    let board = w.board();
    let asset = &board.assets[usize::from(BTC)];
    let slot = asset.expiry(&board.instruments[BTC_FUTURE]).expect("an expiry");
    slot.average(w.vm.now()).filled
}

/// One bucket of 30 seconds after the other: tight on its bound, over it, as old as an index may be, and a second older.
#[test]
fn a_settlement_price_is_made_of_fresh_and_tight_prices() {
    let mut w = world();
    Sources::bind(&mut w, BTC, 1, |feed| {
        feed.sources[0].max_step_ppm = 10_000_000;
        feed.limits.max_slow_deviation_ppm = 10_000_000;
        feed.limits.max_age_seconds = 5;
    });
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    let cases = [(500.0, 0, 1), (500.000_000_01, 0, 0), (0.0, 5, 1), (0.0, 6, 0)];
    for (bucket, (confidence, age, print)) in (0i64..).zip(cases) {
        w.wait_until(expiry - 1_800 + 30 * bucket + 10);
        let before = prints(&w);
        let update = PriceMessage {
            confidence: (confidence * 1e8) as u64,
            ..PriceMessage::new(w.feed_id(BTC), 100_000.0, w.vm.now() - age)
        };
        w.post(BTC, &update);
        let outcome = w.refresh(&[BTC]);
        ok(&w, outcome);
        w.wait_until(expiry - 1_800 + 30 * (bucket + 1));
        assert_eq!(prints(&w) - before, print, "{confidence} wide and {age} old");
    }
}
