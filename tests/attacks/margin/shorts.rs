//! Short options whose loss lies outside of what a simpler rule looks at.
use ballast::error::BallastError;
use ballast::state::InstrumentKind::{Call, Put};
use ballast::state::{RiskBoard, QUOTE_ASSET};
use ballast_fixed::kernel::ln_price;
use ballast_fixed::Price;
use ballast_sim::world::{World, BTC, ETH, SOL};
use ballast_tests::desk::Desk;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{elf, ok};

use crate::support::withdraw_all_that_goes;

/// Fifty short straddles at the money: at +12ψ they lose a twelfth of 50 · 3,000 · 1.44, less the premium: more than anywhere within ±ψ.
///
/// By net delta: |−11,135.27| · 12.5 % = 1,391.91. Within ±ψ, as SPAN without its extremes: 13,777.55, and 222.71 of buffer.
#[test]
fn attack_a_straddle_without_delta() {
    let mut d = Desk::new(65);
    let book = [(d.call(3_000), -50.0), (d.put(3_000), -50.0)];
    d.takes(&book, 1_391.91, 16_367.640_184_853);
    d.takes(&book, 14_000.26, 16_367.640_184_853);
}

/// Twelve thousand of them have a net delta of 2.7 million and a size of ¼ · 24,000 · 3,000 = 18 million: 3 over ETH's depth of 15, which
/// cost 2 % · 3² / 15 million = 12,000. By net delta alone nothing is concentrated.
#[test]
fn attack_a_huge_straddle_without_delta() {
    let mut d = Desk::new(65);
    let book = [(d.call(3_000), -12_000.0), (d.put(3_000), -12_000.0)];
    let (user, _) = d.takes(&book, 3_928_233.64, 3_940_233.644_364_798);
    let concentration = d.summary(&user).concentration - 12_000 * DOLLAR;
    assert!((0..=1).contains(&concentration), "rounded up: {concentration}");
}

/// A hundred calls each at 6,000, 7,500 and 9,000, worth 2 dollars in all: within ±ψ they lose 571.64, at +12ψ
/// (100 · (7,320 − 6,000) and what is left of the others at σ = 91 %) / 12 and so on: 20,668.
#[test]
fn attack_a_strip_of_far_out_of_the_money_shorts() {
    let mut d = Desk::new(65);
    let book = [
        (d.call(6_000), -100.0),
        (d.call(7_500), -100.0),
        (d.call(9_000), -100.0),
    ];
    d.takes(&book, 571.66, 20_668.096_331_182);
}

/// The furthest alone: its worst scenario takes 2,140.68, the floor is 1 % of 300,000.
#[test]
fn attack_one_far_short_under_the_floor() {
    let mut d = Desk::new(65);
    let book = [(d.call(9_000), -100.0)];
    let (user, _) = d.takes(&book, 2_140.69, 3_000.000_000_290);
    let floor = d.summary(&user).short_option_minimum;
    assert!(floor >= 3_000 * DOLLAR && d.summary(&user).scan < 2_141 * DOLLAR);
}

/// Calls a tenth and puts four times the index: what they require is an outright position's 12.5 % of 30,000, not the floor and buffer of an
/// option without time value, 300 + 150.
#[test]
fn attack_shorts_deep_in_the_money() {
    let mut d = Desk::new(65);
    let (call, put) = (d.call(300), d.put(12_000));
    d.takes(&[(call, -10.0)], 450.0, 3_750.0);
    d.takes(&[(put, -10.0)], 450.0, 3_750.000_007_715);
}

/// A second before expiry a straddle has no time value left to lose, but a jump still takes what it takes from an hour's option. By its
/// premium: 831.17. Within ±ψ: 17,168.83, and 8.31 of buffer.
#[test]
fn attack_the_last_second_before_expiry() {
    let mut d = Desk::new(65);
    let book = [(d.option(Call, 3_000, 24), -50.0), (d.option(Put, 3_000, 24), -50.0)];
    let to_the_last_second = 24 * 3_600 - 2; // posting prices takes another
    d.w.vm.advance(to_the_last_second);
    d.w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0), (ETH, 3_000.0), (SOL, 100.0)]);
    let outcome = d.publish(65);
    ok(&d.w, outcome);
    d.takes(&book, 831.17, 17_939.047_267_822);
    d.takes(&book, 17_177.14, 17_939.047_267_822);
}

/// A day before expiry: 17,701.41 where within ±ψ one sees 14,484.58 and 40.72 of buffer.
#[test]
fn attack_the_last_day_before_expiry() {
    let mut d = Desk::new(65);
    let book = [(d.option(Call, 3_000, 24), -50.0), (d.option(Put, 3_000, 24), -50.0)];
    d.takes(&book, 14_525.30, 17_701.407_616_746);
}

/// At the lowest volatility, 5 %, a call a fifth over the index is worth nothing to 36 digits: within ±ψ it loses 172.00, its floor is 1,500.
/// Volatility rises by ten points at least, and the price by twelve times ψ: 15,500.
#[test]
fn attack_shorts_at_the_lowest_volatility() {
    let mut d = Desk::new(5);
    let (call, put, high) = (d.call(3_000), d.put(3_000), d.call(3_600));
    d.takes(&[(high, -50.0)], 1_500.0, 15_500.0);
    d.takes(&[(call, -50.0), (put, -50.0)], 16_319.41, 17_874.190_560_401);
}

/// At the highest, 300 %, nearly all of the loss comes from volatility: price alone takes 6,852.12 within ±ψ, and the buffer is 998.49.
#[test]
fn attack_shorts_at_the_highest_volatility() {
    let mut d = Desk::new(300);
    let book = [(d.call(3_000), -50.0), (d.put(3_000), -50.0)];
    d.takes(&book, 7_850.61, 45_721.937_923_989);
}

/// BTC stands at 20,000 times a strike of 5, which a price that ran away may leave behind. A call there is the future: sold for 99,995, it
/// owes as much, requires 9,500 and 500, takes 9.5 % more from its seller at +9.5 %, and lets nothing go that was not there.
#[test]
fn attack_a_call_under_all_that_is_priced() {
    let mut w = World::new(&elf());
    let expiry = w.vm.now() + 30 * DAY;
    let call = list_option(&mut w, BTC, Call, expiry, 100);
    let board = w.exchange.board;
    edit::<RiskBoard>(&mut w, &board, |b| {
        b.instruments[call].strike = 5 * PRICE;
        b.instruments[call].ln_strike = ln_price(Price(5 * PRICE)).0;
    });
    let outcome = publish(&mut w, BTC, &[flat(expiry, 65)]);
    ok(&w, outcome);
    let (poor, buyer) = (trader(&mut w, 10_000), trader(&mut w, 1_000_000));
    let sold_at = 99_995.0;
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(call, &poor, &buyer, -10_000, sold_at)
    });
    let seller = trader(&mut w, 10_100);
    let before = w.summary(&seller.account.margin_account).equity_withdrawal;
    trade(&mut w, call, &seller, &buyer, -10_000, sold_at);
    for user in [&buyer, &seller] {
        let outcome = w.settle(&user.account.margin_account, &[call]);
        ok(&w, outcome);
    }
    let s = w.summary(&seller.account.margin_account);
    assert!(s.equity_withdrawal <= before && s.equity_maintenance <= before);
    let beyond = s.initial_margin - 10_000 * DOLLAR;
    assert!((0..20_000).contains(&beyond), "{} is not 10,000", s.initial_margin);
    let usd = w.usd;
    let taken = withdraw_all_that_goes(&mut w, &seller, &usd);
    assert!(taken < 100 * USD, "the margin stays: {taken}");
    w.set_prices(&[(BTC, 108_000.0)]);
    // 2,048 left of 10,048, where 7 % of 108,000 and a buffer are asked for.
    let s = w.summary(&seller.account.margin_account);
    assert!(s.liquidatable && s.equity_maintenance < 2_100 * DOLLAR, "{s:?}");
}
