//! `update_correlations`: what is left of the netting between assets when they stop moving together.
//!
//! The expected weights are computed here from the paths themselves, in floating point: hourly log returns, each weighing half as much after
//! 72 hours, at least 24 of them, against a reference of 0.65 for BTC and ETH and of 0.25 for either with SOL.
use ballast::state::{RiskBoard, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_migrations::config;
use ballast_sim::world::{may_jump, User, World, BTC, ETH, SOL, START};
use ballast_tests::setup::*;
use ballast_tests::{elf, ok};

/// By what BTC, ETH and SOL move in an hour.
type Moves = fn(usize) -> [f64; 3];

/// Prices of the three assets in each hour.
fn path(moves: Moves, hours: usize) -> Vec<[f64; 3]> {
    let mut prices = vec![[100_000.0, 3_000.0, 150.0]];
    for hour in 0..hours {
        let (last, by) = (prices[hour], moves(hour));
        // Whole ticks of the price accounts.
        prices.push([0, 1, 2].map(|a| (last[a] * (1.0 + by[a]) * 1e4).round() / 1e4));
    }
    prices
}

fn live() -> World {
    let mut w = World::live(&elf(), START - 1, [100_000.0, 3_000.0, 150.0]); // first prices a second later, on the hour
    for asset in [QUOTE_ASSET, BTC, ETH, SOL] {
        let feed = may_jump(config::feed(w.feed_id(asset)));
        let outcome = w.set_sources(asset, feed);
        ok(&w, outcome);
    }
    w
}

/// Prices that stand from the beginning of an hour to its end.
fn stand(w: &mut World, hour: usize, [btc, eth, sol]: [f64; 3]) {
    w.vm.advance(START + 3_600 * hour as i64 - 1 - w.vm.now());
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, btc), (ETH, eth), (SOL, sol)]);
}

fn crank(w: &mut World) {
    let outcome = w.vm.send(&[instruction::update_correlations(&w.exchange)], &[]);
    ok(w, outcome);
}

/// Lives through the path; cranked after every `each` hours, so often each time that all of them are counted.
fn lived(prices: &[[f64; 3]], each: usize) -> World {
    let mut w = live();
    for (hour, prices) in prices.iter().enumerate().skip(1) {
        stand(&mut w, hour, *prices);
        if hour.is_multiple_of(each) {
            (0..=each.div_ceil(4)).for_each(|_| crank(&mut w));
        }
    }
    w
}

/// Correlation of two assets over the hours that are over, by definition. The hour of the first prices has no mean, whenever in it they came.
fn correlation(prices: &[[f64; 3]], a: usize, b: usize) -> f64 {
    let over = prices.len() - 1; // the last hour is open
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for hour in 2..over {
        let weight = 0.5f64.powf((over - 1 - hour) as f64 / 72.0);
        let ret = |asset: usize| (prices[hour][asset] / prices[hour - 1][asset]).ln();
        ab += weight * ret(a) * ret(b);
        aa += weight * ret(a) * ret(a);
        bb += weight * ret(b) * ret(b);
    }
    ab / (aa * bb).sqrt()
}

/// Weights of the levels 0.50 without netting, 0.25 {BTC, ETH} and 0.25 {BTC, ETH, SOL}.
fn expected(prices: &[[f64; 3]]) -> [f64; 4] {
    let factor = |a, b| (correlation(prices, a, b) / if b == 2 { 0.25 } else { 0.65 }).clamp(0.0, 1.0);
    let pair = 0.25 * factor(0, 1);
    let all = 0.25 * factor(0, 1).min(factor(0, 2)).min(factor(1, 2));
    [1.0 - pair - all, pair, all, 0.0]
}

#[track_caller]
fn weighs(board: &RiskBoard, expected: [f64; 4]) {
    assert_eq!(board.effective_weights.iter().sum::<i64>(), 1_000_000_000);
    for (weight, expected) in board.effective_weights.iter().zip(expected) {
        let off = *weight as f64 / 1e9 - expected;
        assert!(off.abs() < 1e-8, "{:?} is not {expected}", board.effective_weights);
    }
}

/// IM of 1 BTC long and 33.333 ETH short is what these weights ask for.
#[track_caller]
fn requires(w: &mut World, user: &User, weights: [f64; 4]) {
    let board = w.board();
    let index = |asset: u8| board.assets[usize::from(asset)].price.index as f64 / 1e9;
    let psi =
        |asset: u8, table: f64| table * f64::from(board.assets[usize::from(asset)].scale.multiples(w.vm.now()).0) / 1e6;
    let (long, short) = (index(BTC), 33.333 * index(ETH));
    let (long_scan, short_scan) = (long * psi(BTC, 0.095), short * psi(ETH, 0.12));
    let netted = (long_scan - short_scan).abs();
    let scan = weights[0] * (long_scan + short_scan) + (weights[1] + weights[2]) * netted;
    let expected = scan + 0.005 * (long + short);
    let s = w.summary(&user.account.margin_account);
    let margin = s.initial_margin as f64 / 1e8;
    assert!((margin - expected).abs() < 0.01, "{margin} is not {expected}");
}

/// BTC and ETH move by turns: whenever both rise they next rise and fall apart. SOL goes with BTC.
fn apart(hour: usize) -> [f64; 3] {
    let sign = |up: bool| if up { 0.004 } else { -0.004 };
    let btc = sign(hour.is_multiple_of(2));
    [btc, sign(hour % 4 < 2), 1.5 * btc]
}

/// As one, but ETH goes the other way every fourth hour.
fn mostly_together(hour: usize) -> [f64; 3] {
    let up = if hour.is_multiple_of(3) { 0.006 } else { -0.003 };
    [up, if hour % 4 == 3 { -up } else { up }, up]
}

fn together(hour: usize) -> [f64; 3] {
    let up = if hour.is_multiple_of(3) { 0.006 } else { -0.003 };
    [up, up, up]
}

/// Long 1 BTC and short 33.333 ETH, from before the prices moved.
fn hedged(w: &mut World) -> User {
    let (user, maker) = pair(w, 1_000_000);
    trade(w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    trade(w, ETH_PERP, &user, &maker, -33_333, 3_000.0);
    user
}

#[test]
fn assets_that_move_together_net_as_the_table_says() {
    let prices = path(together, 30);
    let w = lived(&prices, 1);
    assert_eq!(w.board().effective_weights, w.board().level_weights);
    assert!(w.board().pairs[0].returns >= 24);
}

/// Nothing is said before a day of returns is in.
#[test]
fn a_breakdown_takes_the_netting_away() {
    let prices = path(apart, 40);
    let mut w = live();
    let user = hedged(&mut w);
    for (hour, prices_now) in prices.iter().enumerate().skip(1) {
        stand(&mut w, hour, *prices_now);
        crank(&mut w);
        let board = w.board();
        // Hour 2 has the first return, which is counted when it is over.
        if hour < 26 {
            assert_eq!(board.effective_weights, board.level_weights, "{hour}");
        } else {
            weighs(&board, expected(&prices[..=hour]));
        }
    }
    let weights = expected(&prices);
    assert!(weights[0] > 0.9, "{weights:?}");
    requires(&mut w, &user, weights);
}

#[test]
fn a_weaker_correlation_takes_part_of_it() {
    let prices = path(mostly_together, 36);
    let mut w = lived(&prices, 1);
    let weights = expected(&prices);
    assert!(weights[0] > 0.55 && weights[1] > 0.05, "{weights:?}");
    weighs(&w.board(), weights);
    let user = {
        let (user, maker) = pair(&mut w, 1_000_000);
        w.update_due_funding([BTC_PERP, ETH_PERP]);
        let [btc, eth, _] = prices[36];
        trade(&mut w, BTC_PERP, &user, &maker, 10_000, btc.round());
        trade(&mut w, ETH_PERP, &user, &maker, -33_333, eth.round());
        user
    };
    requires(&mut w, &user, weights);
}

/// Four hours a call: eight hours in two calls, or one by one, come to the same.
#[test]
fn how_often_it_is_called_changes_nothing() {
    let prices = path(mostly_together, 32);
    let (often, seldom) = (lived(&prices, 1).board(), lived(&prices, 8).board());
    assert_eq!(often.pairs, seldom.pairs);
    assert_eq!(often.effective_weights, seldom.effective_weights);
    let mut w = lived(&prices, 32);
    // The history reaches back a day: of 32 hours the first ones are lost and only age what is known.
    let late = w.board();
    assert!(late.pairs[0].returns < often.pairs[0].returns);
    // And what is called again adds nothing.
    crank(&mut w);
    assert_eq!(w.board().pairs, late.pairs);
}

/// Weights stand as they are while nobody calls it, however long. What 20 hours have shown says nothing yet.
#[test]
fn nothing_changes_by_itself() {
    let prices = path(apart, 40);
    let mut w = lived(&prices[..=20], 20);
    for (hour, prices) in prices.iter().enumerate().skip(21) {
        stand(&mut w, hour, *prices);
    }
    assert_eq!(w.board().effective_weights, w.board().level_weights);
    (0..5).for_each(|_| crank(&mut w));
    weighs(&w.board(), expected(&prices));
    let broken = w.board().effective_weights;
    w.vm.advance(30 * DAY);
    assert_eq!(w.board().effective_weights, broken);
    let before = w.board().pairs[0];
    (0..6).for_each(|_| crank(&mut w));
    // 720 hours are ten half-lives, in the last 24 of which nothing has moved; of those before nobody knows.
    let aged = w.board().pairs[0];
    let part = aged.variance_a as f64 / before.variance_a as f64;
    assert!((part * 1_024.0 - 1.0).abs() < 1e-3, "{part}");
}
