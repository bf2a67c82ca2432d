//! `close_margin_account`: an empty account gives its rent back.
use ballast::error::BallastError;
use ballast::events::{Deposited, MarginAccountClosed};
use ballast::state::{MarginAccount, OwnerRecord};
use ballast_client::instruction;
use ballast_sim::world::{User, World};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{deposit, edit, event, pair, trade, trader, BTC_PERP, USD};
use ballast_tests::{ok, world};
use solana_signer::Signer;

fn close(w: &mut World, user: &User) -> ballast_sim::world::Outcome {
    let close = instruction::close_margin_account(&w.exchange, &user.key.pubkey(), 0);
    w.vm.send(&[close], &[&user.key])
}

#[test]
fn rent_comes_back_and_the_record_counts_down() {
    let mut w = world();
    let user = trader(&mut w, 0);
    let key = user.account.margin_account;
    let lamports = |w: &World, k| w.vm.svm.get_balance(&k).unwrap_or(0);
    let (rent, before) = (lamports(&w, key), lamports(&w, user.key.pubkey()));
    let outcome = w.close(&user, 0);
    let receipt = ok(&w, outcome);
    assert!(rent > 0);
    assert_eq!(lamports(&w, user.key.pubkey()), before + rent);
    assert!(w.vm.data(&key).is_empty());
    let record: Box<OwnerRecord> = w.read(&user.account.owner);
    assert_eq!(record.margin_accounts, 0);
    let expected = MarginAccountClosed {
        margin_account: key,
        wallet: user.key.pubkey(),
    };
    assert_eq!(event::<MarginAccountClosed>(&receipt), expected);
    // It can be opened again, and starts anew.
    let outcome = w.open(&user, 0);
    ok(&w, outcome);
    let account = w.margin_account(&key);
    assert_eq!((account.cash, account.position_count, account.sequence), (0, 0, 0));
}

/// No two events of one address carry one number.
#[test]
fn event_numbers_go_on_when_the_account_is_opened_again() {
    let mut w = world();
    let (user, usd) = (trader(&mut w, 100), w.usd);
    let outcome = w.withdraw(&user, &usd, 100 * USD);
    ok(&w, outcome);
    // Another account of the wallet, with no events, closes later and takes nothing back.
    let outcome = w.open(&user, 1);
    ok(&w, outcome);
    for index in [0, 1] {
        let outcome = w.close(&user, index);
        ok(&w, outcome);
    }
    let outcome = w.open(&user, 0);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&user.account.margin_account).sequence, 2);
    w.give(&user, &usd, USD);
    let outcome = w.deposit(&user, &usd, USD);
    let receipt = ok(&w, outcome);
    assert_eq!(event::<Deposited>(&receipt).sequence, 3);
}

#[test]
fn refuses_an_account_with_cash_or_collateral() {
    let mut w = world();
    let (user, usd, btc) = (trader(&mut w, 0), w.usd, w.btc);
    deposit(&mut w, &user, &usd, 1);
    refuses(&mut w, BallastError::AccountNotEmpty, |w| close(w, &user));
    let outcome = w.withdraw(&user, &usd, 1);
    ok(&w, outcome);
    deposit(&mut w, &user, &btc, 1);
    refuses(&mut w, BallastError::AccountNotEmpty, |w| close(w, &user));
    let outcome = w.withdraw(&user, &btc, 1);
    ok(&w, outcome);
    let outcome = w.close(&user, 0);
    ok(&w, outcome);
}

#[test]
fn refuses_an_account_with_positions() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 1_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10, 100_000.0);
    trade(&mut w, BTC_PERP, &user, &maker, -10, 100_000.0);
    // Lots are gone, the fees are still owed.
    refuses(&mut w, BallastError::AccountNotEmpty, |w| close(w, &user));
    let usd = w.usd;
    let outcome = w.settle(&user.account.margin_account, &[BTC_PERP]);
    ok(&w, outcome);
    let outcome = w.withdraw(&user, &usd, 1_000 * USD - 100_000); // 0.05 twice
    ok(&w, outcome);
    let outcome = w.close(&user, 0);
    ok(&w, outcome);
}

#[test]
fn refuses_anything_left_in_any_field() {
    let mut w = world();
    let user = trader(&mut w, 0);
    let key = user.account.margin_account;
    let leftovers: [fn(&mut MarginAccount); 4] = [
        |a| a.cash = -1,
        |a| a.reserve = 1,
        |a| a.books[7].count = 1,
        |a| a.balances[7].amount = 1,
    ];
    for leave in leftovers {
        let mut account = w.margin_account(&key);
        edit::<MarginAccount>(&mut w, &key, leave);
        refuses(&mut w, BallastError::AccountNotEmpty, |w| close(w, &user));
        edit::<MarginAccount>(&mut w, &key, |a| std::mem::swap(a, account.as_mut()));
    }
    let outcome = w.close(&user, 0);
    ok(&w, outcome);
}

#[test]
fn refuses_everybody_but_the_wallet() {
    let mut w = world();
    let (user, other) = (trader(&mut w, 0), trader(&mut w, 0));
    let right = instruction::close_margin_account(&w.exchange, &user.key.pubkey(), 0);
    let mut wrong = right.clone();
    wrong.accounts[2].pubkey = other.key.pubkey();
    refuses(&mut w, BallastError::NotOwner, |w| w.vm.send(&[wrong], &[&other.key]));
    let mut wrong = right.clone();
    wrong.accounts[1].pubkey = other.account.owner;
    refuses(&mut w, BallastError::WrongOwnerRecord, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    let key = user.account.margin_account;
    let delegate = other.key.pubkey();
    edit::<MarginAccount>(&mut w, &key, |a| a.delegates[0] = delegate);
    let mut wrong = right.clone();
    wrong.accounts[2].pubkey = delegate;
    refuses(&mut w, BallastError::NotOwner, |w| w.vm.send(&[wrong], &[&other.key]));
    checks_every_account(&mut w, &right, &[&user.key]);
}
