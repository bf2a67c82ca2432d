//! `block_trade`: what the margin rules accept and refuse (margin.md sections 4 and 8), to the unit.
use ballast::error::BallastError;
use ballast::state::{MarginAccount, QUOTE_ASSET};
use ballast_sim::world::{User, World, BTC, ETH, SOL, START};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::{
    deposit, edit, list_future, list_perpetual, list_priced_asset, long_btc, pair, set_cash, trade, trader, BTC_PERP,
    BTC_UNIT, DAY, DOLLAR, ETH_PERP, SOL_PERP, USD,
};
use ballast_tests::{ok, world};

#[test]
fn new_risk_needs_the_initial_margin_to_the_unit() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    // 10,000 of IM, 50 of fee, 2 reserved.
    set_cash(&mut w, &user, 10_052_000_000 - 1);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(BTC_PERP, &user, &maker, 10_000, 100_000.0)
    });
    set_cash(&mut w, &user, 10_052_000_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let s = w.summary(&user.account.margin_account);
    assert_eq!((s.equity_initial, s.initial_margin), (10_000 * DOLLAR, 10_000 * DOLLAR));
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(BTC_PERP, &user, &maker, 1, 100_000.0)
    });
}

#[test]
fn the_makers_margin_counts_too() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    // The maker's fee is 20.
    set_cash(&mut w, &user, 10_022_000_000 - 1);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(BTC_PERP, &maker, &user, 10_000, 100_000.0)
    });
    set_cash(&mut w, &user, 10_022_000_000);
    trade(&mut w, BTC_PERP, &maker, &user, 10_000, 100_000.0);
}

#[test]
fn orders_at_rest_keep_their_margin() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    set_cash(&mut w, &user, 10_052_000_000);
    let key = user.account.margin_account;
    edit::<MarginAccount>(&mut w, &key, |a| a.order_reserve = 1);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(BTC_PERP, &user, &maker, 10_000, 100_000.0)
    });
    edit::<MarginAccount>(&mut w, &key, |a| a.order_reserve = 0);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
}

#[test]
fn new_risk_is_valued_at_the_slow_price_if_that_is_worse() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT);
    // Collateral that has doubled in a minute: 85 % of the slow 100,000 count, not of 200,000. As collateral's wrong-way loss at
    // 200,000 asks for 14,000, 71,000 are left: 568 ETH at 125 dollars each would be the most without fees.
    w.set_prices(&[(BTC, 200_000.0)]);
    let s = w.summary(&user.account.margin_account);
    assert_eq!((s.equity_initial, s.initial_margin), (85_000 * DOLLAR, 14_000 * DOLLAR));
    assert_eq!(s.equity_maintenance, 180_000 * DOLLAR);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(ETH_PERP, &user, &maker, 300_000, 3_000.0)
    });
    trade(&mut w, ETH_PERP, &user, &maker, 150_000, 3_000.0); // 450,000 dollars: 56,250 of IM at most
}

#[test]
fn ten_dollars_of_equity_are_the_least_to_the_unit() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    // A lot of 10 dollars costs half a cent of fee and locks two dollars.
    set_cash(&mut w, &user, 12_005_000 - 1);
    refuses(&mut w, BallastError::MinimumEquity, |w| {
        w.trade(BTC_PERP, &user, &maker, 1, 100_000.0)
    });
    set_cash(&mut w, &user, 12_005_000);
    trade(&mut w, BTC_PERP, &user, &maker, 1, 100_000.0);
    assert_eq!(w.summary(&user.account.margin_account).equity_initial, 10 * DOLLAR);
}

#[test]
fn a_first_position_may_lock_its_reserve_out_of_credit() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT);
    trade(&mut w, BTC_PERP, &maker, &user, 10_000, 100_000.0);
    let account = w.margin_account(&user.account.margin_account);
    assert_eq!((account.cash, account.reserve), (-2_000_000, 2_000_000));
}

/// A user long 1 BTC at an index that leaves it `equity` dollars of E_mm, and the maker.
fn long_at(equity: f64) -> (World, User, User) {
    let (mut w, user, maker) = long_btc();
    w.set_prices(&[(BTC, 90_000.0 + equity)]);
    let s = w.summary(&user.account.margin_account);
    assert_eq!(s.equity_maintenance, (equity * DOLLAR as f64).round() as i64);
    (w, user, maker)
}

#[test]
fn under_the_maintenance_margin_there_is_no_block_trade() {
    // E = P − 90,000 and MM = 7.15 % · P meet at P = 90,000 / 0.9285 = 96,930.533118…
    let (mut w, user, maker) = long_at(6_930.53);
    let s = w.summary(&user.account.margin_account);
    assert!(s.equity_maintenance < s.maintenance_margin && s.liquidatable);
    refuses(&mut w, BallastError::BelowMaintenance, |w| {
        w.trade(BTC_PERP, &user, &maker, 1, 96_930.5)
    });
    refuses(&mut w, BallastError::BelowMaintenance, |w| {
        w.trade(BTC_PERP, &user, &maker, -1, 96_930.5)
    });
    refuses(&mut w, BallastError::BelowMaintenance, |w| {
        w.trade(BTC_PERP, &maker, &user, 10_000, 96_930.5)
    });
    let (mut w, user, maker) = long_at(6_930.54);
    let s = w.summary(&user.account.margin_account);
    assert!(s.equity_maintenance >= s.maintenance_margin && !s.liquidatable);
    trade(&mut w, BTC_PERP, &user, &maker, -1_000, 96_930.5);
}

#[test]
fn under_a_health_of_one_and_a_tenth_only_reductions() {
    // E = P − 90,000 and 1.1 · 7.15 % · P meet at P = 90,000 / 0.92135 = 97,682.748141…
    let small = 10; // lots of 0.001 ETH, 30 dollars
    let (mut w, user, maker) = long_at(7_682.74);
    refuses(&mut w, BallastError::ReduceOnly, |w| {
        w.trade(ETH_PERP, &user, &maker, small, 3_000.0)
    });
    refuses(&mut w, BallastError::ReduceOnly, |w| {
        w.trade(BTC_PERP, &user, &maker, -10_001, 97_682.7)
    });
    trade(&mut w, BTC_PERP, &user, &maker, -1, 97_682.7);
    // Above it what stands in the way is the initial margin.
    let (mut w, user, maker) = long_at(7_682.75);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(ETH_PERP, &user, &maker, small, 3_000.0)
    });
}

#[test]
fn an_honest_book_can_always_shrink() {
    let (mut w, user, maker) = long_at(8_000.0); // under IM: 9,800
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(BTC_PERP, &user, &maker, 1, 98_000.0)
    });
    for lots in [-1, -99, -9_000] {
        trade(&mut w, BTC_PERP, &user, &maker, lots, 98_000.0);
    }
}

#[test]
fn a_hedge_can_not_be_pulled_out() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    let (usd, btc) = (w.usd, w.btc);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    trade(&mut w, BTC_PERP, &maker, &user, 10_000, 100_000.0);
    // A covered short asks for 5,325; it has 85,000 of credit, 2 are reserved, the fee was 20: the rest leaves.
    let outcome = w.withdraw(&user, &usd, 79_653 * USD);
    ok(&w, outcome);
    let s = w.summary(&user.account.margin_account);
    assert_eq!((s.equity_initial, s.initial_margin), (5_325 * DOLLAR, 5_325 * DOLLAR));
    // Without the short the collateral alone asks for 7,000.
    refuses(&mut w, BallastError::WorsensMargin, |w| {
        w.trade(BTC_PERP, &maker, &user, -10_000, 100_000.0)
    });
    // A tenth of it may go: 475 of scan, 3,060 of spread, 450 of buffer.
    trade(&mut w, BTC_PERP, &maker, &user, -1_000, 100_000.0);
    assert_eq!(w.summary(&user.account.margin_account).initial_margin, 3_985 * DOLLAR);
}

#[test]
fn a_reduction_loses_at_most_30_percent_of_the_margin_it_frees() {
    // Under IM at 98,000: closing 1,000 lots (9,800 dollars at the mark) frees 7.15 % = 700.70, of which 210.21 may be lost.
    // Sold at P for 0.1 BTC, with a fee of 0.05 %: (98,000 − P)/10 + 0.00005 · P ≤ 210.21 from P = 95,945.87…
    // The band of 2 % ends at 96,040, so that the rule is reached with a wider one.
    let (mut w, user, maker) = long_at(8_000.0);
    let key = w.exchange.key;
    edit::<ballast::state::Exchange>(&mut w, &key, |e| e.limits.price_band_ppm = 100_000);
    refuses(&mut w, BallastError::ReductionTooCostly, |w| {
        w.trade(BTC_PERP, &user, &maker, -1_000, 95_945.8)
    });
    trade(&mut w, BTC_PERP, &user, &maker, -1_000, 95_945.9);
}

/// E_mm − MM may not fall and is not negative before, so no reduction by block trade can leave E_mm under zero.
#[test]
fn a_reduction_that_loses_more_than_it_frees() {
    let (mut w, user, maker) = long_at(7_200.0);
    let key = w.exchange.key;
    edit::<ballast::state::Exchange>(&mut w, &key, |e| e.limits.price_band_ppm = 100_000);
    // Sold 8 % under the mark the whole leg loses 7,776: E_mm − MM falls first.
    refuses(&mut w, BallastError::WorsensMargin, |w| {
        w.trade(BTC_PERP, &user, &maker, -10_000, 89_424.0)
    });
}

#[test]
fn a_stale_price_takes_reductions_of_both_sides_only() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    let third = trader(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
    w.vm.advance(60 - (w.vm.now() - w.board().assets[0].price.publish_time));
    w.set_prices(&[(QUOTE_ASSET, 1.0)]); // BTC is 61 seconds old now
    refuses(&mut w, BallastError::StalePrice, |w| {
        w.trade(BTC_PERP, &user, &maker, 1, 100_000.0)
    });
    refuses(&mut w, BallastError::StalePrice, |w| {
        w.trade(BTC_PERP, &user, &third, -1, 100_000.0)
    });
    trade(&mut w, BTC_PERP, &user, &maker, -1, 100_000.0);
    // An asset with a fresh price trades on.
    w.set_prices(&[(SOL, 150.0)]);
    trade(&mut w, SOL_PERP, &user, &maker, 10, 150.0);
}

#[test]
fn a_price_is_fresh_for_a_minute() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    w.vm.advance(60 - (w.vm.now() - w.board().assets[0].price.publish_time));
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
}

#[test]
fn an_untrusted_quote_asset_takes_reductions_only() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
    w.set_prices(&[(QUOTE_ASSET, 0.979_999_99)]);
    refuses(&mut w, BallastError::QuoteUntrusted, |w| {
        w.trade(BTC_PERP, &user, &maker, 1, 100_000.0)
    });
    trade(&mut w, BTC_PERP, &user, &maker, -1, 100_000.0);
    w.set_prices(&[(QUOTE_ASSET, 0.98)]);
    trade(&mut w, BTC_PERP, &user, &maker, 1, 100_000.0);
    w.vm.advance(60);
    w.set_prices(&[(BTC, 100_000.0)]); // the quote asset's price is 61 seconds old
    refuses(&mut w, BallastError::QuoteUntrusted, |w| {
        w.trade(BTC_PERP, &user, &maker, 1, 100_000.0)
    });
}

#[test]
fn refuses_what_has_no_price_yet() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    let board = w.exchange.board;
    edit::<ballast::state::RiskBoard>(&mut w, &board, |b| {
        (b.assets[2].price.index, b.assets[2].price.slow) = (0, 0)
    });
    refuses(&mut w, BallastError::PriceMissing, |w| {
        w.trade(SOL_PERP, &user, &maker, 10, 150.0)
    });
}

#[test]
fn refuses_a_position_of_an_earlier_generation() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
    let key = user.account.margin_account;
    edit::<MarginAccount>(&mut w, &key, |a| a.positions[0].generation = 0);
    refuses(&mut w, BallastError::StaleGeneration, |w| {
        w.trade(BTC_PERP, &user, &maker, 1, 100_000.0)
    });
}

#[test]
fn refuses_a_forty_first_position() {
    let mut w = world();
    let (user, maker) = (trader(&mut w, 10_000), trader(&mut w, 10_000));
    // A perpetual and twelve futures of each of three assets, and two instruments of a fourth.
    let prices = [100_000.0, 3_000.0, 150.0, 1.0];
    let fourth = list_priced_asset(&mut w, "MID", prices[3]);
    for n in 1..12 {
        for asset in [BTC, ETH, SOL] {
            list_future(&mut w, asset, START + 100 * DAY + n, 0);
        }
    }
    list_future(&mut w, fourth, START + DAY, 0);
    let last = list_perpetual(&mut w, fourth);
    let price_of = |w: &World, n: usize| prices[usize::from(w.board().instruments[n].asset)];
    for n in 0..last {
        let (price, lots) = (price_of(&w, n), if n == last - 1 { 1_000 } else { 1 });
        trade(&mut w, n, &user, &maker, lots, price);
    }
    assert_eq!(
        (w.margin_account(&user.account.margin_account).position_count, last),
        (40, 40)
    );
    refuses(&mut w, BallastError::TooManyPositions, |w| {
        w.trade(last, &user, &maker, 1_000, prices[3])
    });
    trade(&mut w, BTC_PERP, &user, &maker, 1, prices[0]);
}

#[test]
fn a_book_in_profit_whose_collateral_fell_can_still_shrink() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 0);
    let (usd, btc) = (w.usd, w.btc);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    trade(&mut w, BTC_PERP, &maker, &user, 10_000, 100_000.0); // a covered short
    let outcome = w.withdraw(&user, &usd, 70_000 * USD);
    ok(&w, outcome);
    // At 75,000 the collateral backs 63,750 of the 70,000 borrowed, and the short has gained 25,000: health is far over 1.
    w.set_prices(&[(BTC, 75_000.0)]);
    let s = w.summary(&user.account.margin_account);
    assert!(s.health > 3_000_000_000, "{}", s.health);
    // Cash is under what the collateral backs. A reduction does not lower it, so it may go through.
    trade(&mut w, BTC_PERP, &user, &maker, 5_000, 75_000.0);
}
