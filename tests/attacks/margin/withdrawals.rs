//! What options let leave: paper gains on them never do, and what they owe stays behind in full.
use ballast::error::BallastError;
use ballast::state::{Exchange, MarginAccount, QUOTE_ASSET};
use ballast_sim::world::{User, BTC, ETH, SOL};
use ballast_tests::desk::Desk;
use ballast_tests::ok;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;

use crate::support::withdraw_all_that_goes;

/// Of the user's cash `units` may leave, and not one more.
#[track_caller]
fn lets_go(d: &mut Desk, user: &User, units: i64, error: BallastError) {
    let (usd, units) = (d.w.usd, units.unsigned_abs());
    refuses(&mut d.w, error, |w| w.withdraw(user, &usd, units + 1));
    let outcome = d.w.withdraw(user, &usd, units);
    ok(&d.w, outcome);
    refuses(&mut d.w, error, |w| w.withdraw(user, &usd, 1));
}

/// A publisher who is bribed moves σ from 65 to 260 %, as far as an hour lets it: his friend's calls are worth three times as much, but no
/// cent of it leaves. E_mm, which counts the surface as it is, would let go more than there ever was.
#[test]
fn attack_a_gain_pumped_by_the_surface() {
    let mut d = Desk::new(65);
    let (user, maker) = (trader(&mut d.w, 30_000), trader(&mut d.w, 1_000_000));
    let call = d.call(3_000);
    d.open(&[(call, 100.0)], &user, &maker);
    let key = user.account.margin_account;
    let outcome = d.w.settle(&key, &[call]);
    ok(&d.w, outcome);
    d.w.vm.advance(3_599);
    d.w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0), (ETH, 3_000.0), (SOL, 100.0)]);
    let before = d.mark(call);
    let outcome = d.publish(260);
    ok(&d.w, outcome);
    assert!(d.mark(call) > 3.0 * before);
    let s = d.summary(&user);
    // 30,000 less 22,270 of premium, 11.135 of fees and the reserve.
    let cash = d.w.margin_account(&key).cash;
    assert_eq!(cash, 7_716_865_000);
    assert!(s.equity_maintenance - s.initial_margin > 30_000 * DOLLAR);
    let usd = d.w.usd;
    refuses(&mut d.w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, cash.unsigned_abs() + 1)
    });
    assert!(withdraw_all_that_goes(&mut d.w, &user, &usd) < cash.unsigned_abs());
}

/// A short box of fifty brings in 30,000 today for 30,000 at expiry: a loan without a lender, if the premium may leave. What the two short
/// legs are worth, 50 · (222.705 451 + 653.012 555), stays behind.
#[test]
fn attack_a_loan_by_a_short_box() {
    let mut d = Desk::new(65);
    let (user, maker) = (trader(&mut d.w, 50_000), trader(&mut d.w, 1_000_000));
    let book = [
        (d.call(3_000), -50.0),
        (d.call(3_600), 50.0),
        (d.put(3_000), 50.0),
        (d.put(3_600), -50.0),
    ];
    d.open(&book, &user, &maker);
    // Who paid a premium settles first: what the others get comes out of the pools.
    let [low_call, high_call, low_put, high_put] = book.map(|(leg, _)| leg);
    for (side, legs) in [
        (&maker, [low_call, high_put]),
        (&user, [high_call, low_put]),
        (&user, [low_call, high_put]),
    ] {
        let outcome = d.w.settle(&side.account.margin_account, &legs);
        ok(&d.w, outcome);
    }
    // 11,135 and 32,650.50 come in, 2,650.50 and 11,135 go out, fees are 5.5675 twice, 1.32525 and 16.32525, and 2 are locked.
    let cash = d.w.margin_account(&user.account.margin_account).cash;
    assert_eq!(cash, 79_969_214_500);
    // Owed on each short leg, rounded up: 11,135.272 561 and 32,650.627 775.
    lets_go(
        &mut d,
        &user,
        cash - 11_135_272_561 - 32_650_627_775,
        BallastError::CashUnderCredit,
    );
}

/// Ten calls sold for 222.70, which bring 2,225.8865 after fees, and ten perpetuals bought against them; ETH rises to 4,800.
fn covered_calls() -> (Desk, User) {
    let mut d = Desk::new(65);
    let (user, maker) = (trader(&mut d.w, 50_000), trader(&mut d.w, 1_000_000));
    let call = d.call(3_000);
    d.open(&[(call, -10.0), (ETH_PERP, 10.0)], &user, &maker);
    d.w.set_prices(&[(ETH, 4_800.0)]);
    let s = d.summary(&user);
    // The gain on the perpetuals covers the loss on the calls, and margin is asked for hedged legs only.
    assert!(s.initial_margin < 12_000 * DOLLAR && s.equity_maintenance > 50_000 * DOLLAR);
    (d, user)
}

/// The calls owe 18,013.180 914 less their premium, 15,787.294 414 when rounded up, and the perpetual its fee of 15 at the slow price: the
/// gain at the index, which a loser may never pay, covers nothing of it.
#[test]
fn attack_a_gain_on_the_perpetual_covering_an_owed_option() {
    let (mut d, user) = covered_calls();
    lets_go(
        &mut d,
        &user,
        49_998_000_000 - 15_787_294_414 - 15_000_000,
        BallastError::CashUnderCredit,
    );
}

/// With ETH's price 864 seconds old the calls may owe what they do at 4,800 and 12 % · √(864/86,400), 1.2000001 %, more: 18,586.825 236 less their
/// premium.
#[test]
fn attack_an_owed_option_at_a_stale_price() {
    let (mut d, user) = covered_calls();
    d.w.vm.advance(863);
    d.w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0), (SOL, 100.0)]);
    lets_go(
        &mut d,
        &user,
        49_998_000_000 - 16_360_938_736 - 15_000_000,
        BallastError::CashUnderCredit,
    );
}

/// Shorts that are worth nothing, bought back from a friend far over their mark: an account on its way down can be stripped of at most 30 %
/// of the MM that this frees, and of nothing by new risk.
#[test]
fn attack_a_worthless_short_bought_back_dearly() {
    let mut d = Desk::new(65);
    let call = d.call(9_000);
    let (user, friend) = d.takes(&[(call, -100.0)], 100.0, 3_000.000_000_290);
    // Equity 2,110 against an IM of 3,000 and an MM of 2,100: 21 for each call.
    let (key, other) = (user.account.margin_account, friend.account.margin_account);
    edit::<MarginAccount>(&mut d.w, &key, |a| a.cash -= 890_000_000);
    edit::<MarginAccount>(&mut d.w, &other, |a| a.cash += 890_000_000);
    // The band is 2 % of a tenth of the index: 6.
    refuses(&mut d.w, BallastError::PriceOutsideBand, |w| {
        w.trade(call, &user, &friend, 10_000, 6.01)
    });
    // In a wider one the costs bind. Ten free 21 · 10 = 210 of MM: at 6.30 they cost 63 and a fee of 0.0315, at 6.29 62.9 and 0.03145.
    let exchange = d.w.exchange.key;
    edit::<Exchange>(&mut d.w, &exchange, |e| e.limits.price_band_ppm = 100_000);
    refuses(&mut d.w, BallastError::ReductionTooCostly, |w| {
        w.trade(call, &user, &friend, 10_000, 6.30)
    });
    for lots in [-1_000, 101_000] {
        refuses(&mut d.w, BallastError::ReduceOnly, |w| {
            w.trade(call, &user, &friend, lots, 6.29)
        });
    }
    let outcome = d.w.trade(call, &user, &friend, 10_000, 6.29);
    ok(&d.w, outcome);
}
