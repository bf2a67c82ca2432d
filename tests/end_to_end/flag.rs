//! `flag` and `unflag`: the auction clock of an account under its maintenance margin.
use ballast::error::BallastError;
use ballast::events::{Flagged, Unflagged};
use ballast::state::Flag;
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC, ETH};
use ballast_tests::ok;
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{
    btc_at, deposit, event, long_btc, pair, second_exchange, trade, trader, BTC_UNIT, DOLLAR, ETH_PERP, USD,
};

fn flag_of(w: &World, user: &User) -> Flag {
    w.margin_account(&user.account.margin_account).flag
}

/// A user under its maintenance margin, flagged just now.
fn flagged() -> (World, User, User) {
    let (mut w, user, maker) = long_btc();
    w.set_prices(&[(BTC, 96_000.0)]);
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
    (w, user, maker)
}

#[test]
fn starts_the_clock() {
    let (mut w, user, _) = long_btc();
    w.set_prices(&[(BTC, 96_000.0)]);
    let (now, slot) = (w.vm.now(), w.vm.clock().slot);
    let before = w.vm.snapshot();
    let outcome = w.flag(&user.account.margin_account);
    let receipt = ok(&w, outcome);
    assert_eq!(before.changed(&w.vm.snapshot()), vec![user.account.margin_account]);
    let expected = Flag {
        started_at: now,
        started_slot: slot,
        confirmed_at: now,
        window_start: 0,
        window_notional: 0,
    };
    assert_eq!(flag_of(&w, &user), expected);
    let flagged = event::<Flagged>(&receipt);
    assert_eq!(flagged.margin_account, user.account.margin_account);
    assert_eq!(
        (flagged.started_at, flagged.sequence),
        (now, w.margin_account(&user.account.margin_account).sequence)
    );
    assert_eq!((flagged.equity, flagged.maintenance), (6_000 * DOLLAR, 6_864 * DOLLAR));
    // 7.15 % of 96,000
}

#[test]
fn the_line_is_the_maintenance_margin() {
    let (mut w, user, _) = long_btc();
    let key = user.account.margin_account;
    w.set_prices(&[(BTC, 96_930.54)]); // E 6,930.54, MM 6,930.53361
    refuses(&mut w, BallastError::AccountHealthy, |w| w.flag(&key));
    w.set_prices(&[(BTC, 96_930.53)]); // E 6,930.53, MM 6,930.532895
    let outcome = w.flag(&key);
    ok(&w, outcome);
}

#[test]
fn refuses_healthy_and_empty_accounts() {
    let (mut w, user, maker) = long_btc();
    let empty = trader(&mut w, 0);
    for account in [&user, &maker, &empty] {
        let key = account.account.margin_account;
        refuses(&mut w, BallastError::AccountHealthy, |w| w.flag(&key));
    }
}

#[test]
fn a_second_flag_confirms() {
    let (mut w, user, _) = flagged();
    let first = flag_of(&w, &user);
    btc_at(&mut w, first.started_at + 100, 96_000.0);
    let outcome = w.flag(&user.account.margin_account);
    let receipt = ok(&w, outcome);
    let confirmed = flag_of(&w, &user);
    assert_eq!(
        (confirmed.started_at, confirmed.started_slot),
        (first.started_at, first.started_slot)
    );
    assert_eq!(confirmed.confirmed_at, first.started_at + 100);
    assert_eq!(event::<Flagged>(&receipt).started_at, first.started_at);
}

#[test]
fn a_flag_that_nobody_confirms_for_two_minutes_starts_anew() {
    let (mut w, user, _) = flagged();
    let first = flag_of(&w, &user).started_at;
    btc_at(&mut w, first + 120, 96_000.0);
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
    assert_eq!(flag_of(&w, &user).started_at, first);
    btc_at(&mut w, first + 120 + 121, 96_000.0);
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
    let anew = flag_of(&w, &user);
    assert_eq!((anew.started_at, anew.confirmed_at), (first + 241, first + 241));
    assert_eq!(anew.started_slot, w.vm.clock().slot);
}

#[test]
fn a_stale_leg_counts_in_the_accounts_favour() {
    let (mut w, user, _) = long_btc();
    w.set_prices(&[(BTC, 96_000.0)]);
    w.vm.advance(60);
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome); // 60 seconds old: fresh
                     // 864 are missing. Stale, the price may be better by 9.5 % · √(age / 86,400): of 96,000 that is 860.97 at 770 seconds, 866.54 at 780.
    w.vm.advance(710);
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
    w.vm.advance(10);
    let key = user.account.margin_account;
    refuses(&mut w, BallastError::AccountHealthy, |w| w.flag(&key));
}

#[test]
fn an_unrelated_stale_leg_is_no_shield() {
    let (mut w, user, maker) = long_btc();
    let usd = w.usd;
    deposit(&mut w, &user, &usd, 1_000 * USD);
    trade(&mut w, ETH_PERP, &user, &maker, 100, 3_000.0); // 300 dollars
    w.set_prices(&[(ETH, 3_000.0)]);
    let time = w.vm.now() + 100;
    btc_at(&mut w, time, 94_000.0);
    // E about 5,000 against MM of 6,721 and a little; the stale ETH can be worth 3.05 % of 300 more: 9.
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
}

#[test]
fn unflag_stops_the_clock_at_a_health_of_one_and_a_tenth() {
    // E = P − 90,000 and 1.1 · 7.15 % · P meet at P = 90,000 / 0.92135 = 97,682.748141…
    let (mut w, user, _) = flagged();
    let key = user.account.margin_account;
    w.set_prices(&[(BTC, 97_682.74)]);
    refuses(&mut w, BallastError::NotRecovered, |w| w.unflag(&key));
    w.set_prices(&[(BTC, 97_682.75)]);
    let outcome = w.unflag(&key);
    let receipt = ok(&w, outcome);
    assert_eq!(flag_of(&w, &user), Flag::default());
    let unflagged = event::<Unflagged>(&receipt);
    assert_eq!(unflagged.margin_account, key);
    assert_eq!(unflagged.equity, 7_682 * DOLLAR + DOLLAR * 3 / 4);
    // 7.15 % of 97,682.75 = 6,984.316625, rounded up to 10⁻⁸
    assert_eq!(unflagged.maintenance, 698_431_662_500);
    refuses(&mut w, BallastError::NotFlagged, |w| w.unflag(&key));
}

#[test]
fn unflag_refuses_what_was_never_flagged() {
    let (mut w, user, _) = long_btc();
    let key = user.account.margin_account;
    refuses(&mut w, BallastError::NotFlagged, |w| w.unflag(&key));
}

#[test]
fn a_deposit_recovers() {
    let (mut w, user, _) = flagged();
    let key = user.account.margin_account;
    // 1.1 · 6,864 = 7,550.40 against 6,000.
    let usd = w.usd;
    deposit(&mut w, &user, &usd, 1_550_400_000 - 1);
    refuses(&mut w, BallastError::NotRecovered, |w| w.unflag(&key));
    deposit(&mut w, &user, &usd, 1);
    let outcome = w.unflag(&key);
    ok(&w, outcome);
}

#[test]
fn a_price_that_goes_stale_is_no_recovery() {
    let (mut w, user, _) = flagged();
    let key = user.account.margin_account;
    w.vm.advance(61);
    refuses(&mut w, BallastError::NotRecovered, |w| w.unflag(&key));
}

#[test]
fn refuses_accounts_that_do_not_belong_together() {
    let (mut w, user, _) = long_btc();
    w.set_prices(&[(BTC, 96_000.0)]);
    let key = user.account.margin_account;
    let second = second_exchange(&mut w);
    let foreign = second.open(&mut w, &user).margin_account;
    let flag = instruction::flag(&w.exchange, &key);
    let outcome = w.flag(&key);
    ok(&w, outcome);
    w.set_prices(&[(BTC, 99_000.0)]);
    let unflag = instruction::unflag(&w.exchange, &key);
    for right in [&flag, &unflag] {
        for (at, other, error) in [
            (0, second.exchange.key, BallastError::WrongBoard),
            (1, second.exchange.board, BallastError::WrongBoard),
            (2, foreign, BallastError::WrongExchange),
        ] {
            let mut wrong = right.clone();
            wrong.accounts[at].pubkey = other;
            refuses(&mut w, error, |w| w.vm.send(&[wrong], &[]));
        }
    }
    checks_every_account(&mut w, &unflag, &[]);
    w.set_prices(&[(BTC, 96_000.0)]);
    checks_every_account(&mut w, &flag, &[]);
}

#[test]
fn collateral_that_falls_makes_liquidatable() {
    let mut w = ballast_tests::world();
    let (user, maker) = pair(&mut w, 0);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT);
    trade(&mut w, ETH_PERP, &maker, &user, 150_000, 3_000.0); // short 450,000 dollars
    let key = user.account.margin_account;
    refuses(&mut w, BallastError::AccountHealthy, |w| w.flag(&key));
    w.set_prices(&[(BTC, 50_000.0)]);
    // 90 % of 50,000, less 2 reserved and a fee of 90, against 8.9 % of 450,000 = 40,050 and the collateral's part.
    let s = w.summary(&key);
    assert_eq!(s.equity_maintenance, (45_000 - 2 - 90) * DOLLAR);
    w.set_prices(&[(BTC, 44_000.0)]);
    let outcome = w.flag(&key);
    ok(&w, outcome);
}
