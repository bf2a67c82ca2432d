//! `set_margin_method`: more caution for who asks for it, and a way out of a requirement for nobody.
//!
//! One BTC is 100,000 dollars, one ETH 2,500: 10,000 lots of BTC and 40,000 lots of ETH are 100,000 dollars each.
use ballast::error::BallastError;
use ballast::events::MarginMethodSet;
use ballast::state::MarginMethod::{self, Linear, Portfolio, RiskAdjusted};
use ballast::state::{InstrumentKind, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC, ETH, SOL, START};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{
    event, flat, list_option, pair, publish, set_cash, trade, trader, BTC_FUTURE, BTC_PERP, DAY, DOLLAR, ETH_PERP, USD,
};
use ballast_tests::{elf, ok};
use solana_signer::Signer;

const BTC_PRICE: f64 = 100_000.0;
const ETH_PRICE: f64 = 2_500.0;
/// 10⁻⁸ dollars in a quote unit.
const CENTS: i64 = 100;

/// Long one BTC perpetual, short half a BTC future and 40 ETH.
fn hedged() -> (World, User, User) {
    let mut w = World::starting_at(&elf(), START, [BTC_PRICE, ETH_PRICE, 100.0]);
    let (user, maker) = pair(&mut w, 60_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, BTC_PRICE);
    trade(&mut w, BTC_FUTURE, &user, &maker, -5_000, BTC_PRICE);
    trade(&mut w, ETH_PERP, &user, &maker, -40_000, ETH_PRICE);
    (w, user, maker)
}

fn required(w: &mut World, user: &User, method: MarginMethod) -> (i64, i64) {
    let outcome = w.set_method(user, method);
    ok(w, outcome);
    assert_eq!(w.margin_account(&user.account.margin_account).method, method as u8);
    let summary = w.summary(&user.account.margin_account);
    (summary.initial_margin / DOLLAR, summary.maintenance_margin / DOLLAR)
}

/// Gives the account an E_im of exactly so many quote units.
fn set_equity(w: &mut World, user: &User, units: i64) {
    let account = user.account.margin_account;
    let (cash, equity) = (w.margin_account(&account).cash, w.summary(&account).equity_initial);
    assert_eq!(equity % CENTS, 0, "a whole number of quote units");
    set_cash(w, user, cash + units - equity / CENTS);
    assert_eq!(w.summary(&account).equity_initial, units * CENTS);
}

/// Linear: 150,000 of BTC at 10 / 7.15 % and 100,000 of ETH at 12.5 / 8.9 %: 15,000 + 12,500 and 10,725 + 8,900.
/// Risk-adjusted: 50,000 of BTC net and the ETH: 5,000 + 12,500 and 3,575 + 8,900.
/// Portfolio: scan of the levels: BTC 4,750 against ETH 12,000, apart 16,750, netted 7,250: ½·16,750 + 2·¼·7,250 = 12,000; spread 11 % of
/// the matched 50,000 = 5,500; buffers 750 + 500: 18,750 and 0.7·17,500 + 1,250 = 13,500. So risk-adjusted asks for the portfolio's.
#[test]
fn each_method_requires_what_it_says_and_never_less_than_the_portfolio() {
    let (mut w, user, _) = hedged();
    assert_eq!(required(&mut w, &user, Linear), (27_500, 19_625));
    assert_eq!(required(&mut w, &user, RiskAdjusted), (18_750, 13_500));
    assert_eq!(required(&mut w, &user, Portfolio), (18_750, 13_500));
}

/// Long 100,000 of BTC against short 100,000 of ETH: 13,000 and 9,400 as a portfolio; asset by asset 10,000 + 12,500 and 7,150 + 8,900.
#[test]
fn risk_adjusted_nets_within_an_asset_alone() {
    let mut w = World::starting_at(&elf(), START, [BTC_PRICE, ETH_PRICE, 100.0]);
    let (user, maker) = pair(&mut w, 60_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, BTC_PRICE);
    trade(&mut w, ETH_PERP, &user, &maker, -40_000, ETH_PRICE);
    assert_eq!(required(&mut w, &user, RiskAdjusted), (22_500, 16_050));
    assert_eq!(required(&mut w, &user, Portfolio), (13_000, 9_400));
}

#[test]
fn the_choice_is_told_and_moves_nothing_else() {
    let (mut w, user, _) = hedged();
    let before = w.vm.snapshot();
    let sequence = w.margin_account(&user.account.margin_account).sequence;
    let outcome = w.set_method(&user, Linear);
    let receipt = ok(&w, outcome);
    let told: MarginMethodSet = event(&receipt);
    let expected = MarginMethodSet {
        margin_account: user.account.margin_account,
        sequence: sequence + 1,
        method: Linear,
    };
    assert_eq!(told, expected);
    assert_eq!(before.changed(&w.vm.snapshot()), vec![user.account.margin_account]);
}

/// The new method's 27,500 must be there to the last quote unit.
#[test]
fn nobody_falls_under_his_margin_by_a_choice() {
    let (mut w, user, _) = hedged();
    set_equity(&mut w, &user, 27_500_000_000 - 1);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.set_method(&user, Linear)
    });
    set_equity(&mut w, &user, 27_500_000_000);
    let outcome = w.set_method(&user, Linear);
    ok(&w, outcome);
    // It holds from then on: a cent can't leave.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        let usd = w.usd;
        w.withdraw(&user, &usd, 10_000)
    });
}

/// At a BTC price of 90,000 the long perpetual has lost 10,000 and the short half future won 5,000. An account under the linear requirement
/// that the portfolio's would let off, liquidatable or not, stays under the one it chose.
#[test]
fn attack_a_method_switched_to_need_less() {
    let (mut w, user, _) = hedged();
    set_equity(&mut w, &user, 27_500_000_000);
    let outcome = w.set_method(&user, Linear);
    ok(&w, outcome);
    w.set_prices(&[(0, 99_000.0)]);
    let account = user.account.margin_account;
    let summary = w.summary(&account);
    assert!(!summary.liquidatable && summary.equity_initial < summary.initial_margin);
    for method in [Portfolio, RiskAdjusted] {
        refuses(&mut w, BallastError::InsufficientMargin, |w| {
            w.set_method(&user, method)
        });
    }
    w.set_prices(&[(0, 80_000.0)]);
    // 27,500 − 10,000 = 17,500 against 7.15 % of 120,000 and 8,900 of ETH: 17,480; a little lower it is liquidatable.
    assert!(!w.summary(&account).liquidatable);
    w.set_prices(&[(0, 79_000.0)]);
    let summary = w.summary(&account);
    assert!(summary.liquidatable);
    for method in [Portfolio, RiskAdjusted, Linear] {
        refuses(&mut w, BallastError::InsufficientMargin, |w| {
            w.set_method(&user, method)
        });
    }
    let outcome = w.flag(&account);
    ok(&w, outcome);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.set_method(&user, Portfolio)
    });
}

/// Less caution is refused in every order of the methods, more is not.
#[track_caller]
fn refuses_less_caution(w: &mut World, user: &User, error: BallastError) {
    for method in [Portfolio, RiskAdjusted] {
        refuses(w, error, |w| w.set_method(user, method));
    }
    let outcome = w.set_method(user, Linear);
    ok(w, outcome);
}

/// With the quote asset at 0.97 no trade may add risk, nor may a method take away what a trade had to have.
#[test]
fn attack_less_caution_while_the_quote_asset_is_off() {
    let (mut w, user, maker) = hedged();
    let outcome = w.set_method(&user, Linear);
    ok(&w, outcome);
    w.set_prices(&[(QUOTE_ASSET, 0.97)]);
    refuses(&mut w, BallastError::QuoteUntrusted, |w| {
        w.trade(BTC_PERP, &user, &maker, 100, BTC_PRICE)
    });
    refuses_less_caution(&mut w, &user, BallastError::QuoteUntrusted);
    w.set_prices(&[(QUOTE_ASSET, 0.98)]);
    let outcome = w.set_method(&user, Portfolio);
    ok(&w, outcome);
    w.set_prices(&[(QUOTE_ASSET, 0.97)]);
    let outcome = w.set_method(&user, Linear);
    ok(&w, outcome);
}

/// A price is stale after a minute and a surface after 15: on neither may any of the positions be margined with less caution.
#[test]
fn attack_less_caution_on_what_is_stale() {
    let (mut w, user, maker) = hedged();
    let expiry = START + 30 * DAY;
    let call = list_option(&mut w, ETH, InstrumentKind::Call, expiry, 2_500);
    let outcome = publish(&mut w, ETH, &[flat(expiry, 60)]);
    ok(&w, outcome);
    let tick = w.board().instruments[call].tick_size;
    let board = w.board();
    let mark = board.mark(&board.instruments[call], w.vm.now()).expect("a mark").0;
    let outcome = w.trade(call, &user, &maker, 1_000, (mark / tick * tick) as f64 / 1e9);
    ok(&w, outcome);
    let outcome = w.set_method(&user, Linear);
    ok(&w, outcome);
    let all = [(QUOTE_ASSET, 1.0), (BTC, BTC_PRICE), (ETH, ETH_PRICE), (SOL, 100.0)];
    w.vm.advance(899);
    w.set_prices(&[all[0], all[2], all[3]]);
    refuses_less_caution(&mut w, &user, BallastError::StalePrice);
    w.set_prices(&all);
    refuses_less_caution(&mut w, &user, BallastError::SurfaceStale);
    let outcome = publish(&mut w, ETH, &[flat(expiry, 60)]);
    ok(&w, outcome);
    let outcome = w.set_method(&user, Portfolio);
    ok(&w, outcome);
}

/// Ten dollars of equity, as for a trade that adds risk; more caution costs nothing.
#[test]
fn less_caution_needs_the_equity_of_new_risk() {
    let mut w = World::starting_at(&elf(), START, [BTC_PRICE, ETH_PRICE, 100.0]);
    let user = trader(&mut w, 0);
    for method in [RiskAdjusted, Linear] {
        let outcome = w.set_method(&user, method);
        ok(&w, outcome);
    }
    set_cash(&mut w, &user, 10 * USD as i64 - 1);
    refuses_less_caution(&mut w, &user, BallastError::MinimumEquity);
    set_cash(&mut w, &user, 10 * USD as i64);
    for method in [RiskAdjusted, Portfolio] {
        let outcome = w.set_method(&user, method);
        ok(&w, outcome);
    }
}

/// The summary says which method binds, and what it asks for; the parts are the portfolio's whatever it is.
#[test]
fn the_summary_says_what_the_method_asks_for() {
    let (mut w, user, _) = hedged();
    let key = user.account.margin_account;
    let of_method = |w: &mut World, method| {
        let outcome = w.set_method(&user, method);
        ok(w, outcome);
        let s = w.summary(&key);
        let parts = (s.scan + s.charge + s.buffer) / DOLLAR;
        assert_eq!((s.method, parts), (method, 18_750));
        (s.method_initial / DOLLAR, s.method_maintenance / DOLLAR)
    };
    assert_eq!(of_method(&mut w, Linear), (27_500, 19_625));
    assert_eq!(of_method(&mut w, RiskAdjusted), (17_500, 12_475));
    assert_eq!(of_method(&mut w, Portfolio), (0, 0));
}

#[test]
fn only_the_wallet_chooses() {
    let (mut w, user, maker) = hedged();
    let right = instruction::set_margin_method(&w.exchange, &user.key.pubkey(), 0, Linear);
    checks_every_account(&mut w, &right, &[&user.key]);
    let mut other = right.clone();
    for meta in &mut other.accounts {
        if meta.pubkey == user.key.pubkey() {
            meta.pubkey = maker.key.pubkey();
        }
    }
    refuses(&mut w, BallastError::NotOwner, |w| w.vm.send(&[other], &[&maker.key]));
}
