//! `waive_claim`: what nobody has paid of a settled position is given up, by its owner alone and only if nothing rests on it.
use ballast::error::BallastError;
use ballast::events::ClaimWaived;
use ballast::state::{MarginAccount, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC, ETH};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::*;
use ballast_tests::{ok, watched, world};
use solana_signer::Signer;

/// A user with 12,000 who has bought a BTC future at 100,000 and lost 20,000 on it: 8,052 of them can't be paid.
fn bankrupt(mut w: World) -> (World, User, User) {
    let (user, maker) = pair(&mut w, 12_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 80_000.0);
    (w, user, maker)
}

/// The same, with both settled as far as the money goes.
fn waiting() -> (World, User, User) {
    let (mut w, user, maker) = bankrupt(watched());
    for user in [&user, &maker] {
        settle(&mut w, user);
    }
    (w, user, maker)
}

fn settle(w: &mut World, user: &User) {
    let outcome = w.settle_expiry(&user.account.margin_account, BTC_FUTURE);
    ok(w, outcome);
}

fn account(w: &World, user: &User) -> Box<MarginAccount> {
    w.margin_account(&user.account.margin_account)
}

#[test]
fn what_waits_becomes_the_residual() {
    let (mut w, user, maker) = waiting();
    // A gain of 19,980 against a pool of 11,998 less 70 of fees and dues.
    assert_eq!(account(&w, &maker).positions[0].quote, 8_052_000_000);
    let outcome = w.waive_claim(&maker, BTC_FUTURE);
    let told: ClaimWaived = event(&ok(&w, outcome));
    assert_eq!(
        (told.margin_account, told.waived),
        (maker.account.margin_account, 8_052_000_000)
    );
    assert_eq!((told.settled.amount, told.settled.pool), (0, 0));
    assert_eq!(told.sequence, account(&w, &maker).sequence);
    let market = w.market(BTC_FUTURE);
    assert_eq!((market.residual, market.pool, market.positions), (8_052_000_000, 0, 1));
    // Nothing holds the account any more, its reserve included.
    let after = account(&w, &maker);
    assert_eq!((after.position_count, after.reserve), (0, 0));
    assert_eq!(after.cash, 10_000_000_000_000 + 11_928_000_000);
    let usd = w.usd;
    let outcome = w.withdraw(&maker, &usd, after.cash.unsigned_abs());
    ok(&w, outcome);
    let outcome = w.close(&maker, 0);
    ok(&w, outcome);
    // A loss that nobody is waiting for still keeps the market; once it is paid the fund has it.
    refuses(&mut w, BallastError::MarketInUse, |w| w.close_instrument(BTC_FUTURE));
    deposit(&mut w, &user, &usd, 8_052 * USD);
    settle(&mut w, &user);
    let fund = w.insurance_fund().balance;
    let outcome = w.close_instrument(BTC_FUTURE);
    ok(&w, outcome);
    assert_eq!(w.insurance_fund().balance, fund + 8_052_000_000);
    w.watch.expect("a watch").verdict().expect("every invariant");
}

/// Whoever waives is first paid what there is.
#[test]
fn the_pool_pays_first() {
    let (mut w, user, maker) = bankrupt(watched());
    settle(&mut w, &maker);
    settle(&mut w, &user);
    let outcome = w.waive_claim(&maker, BTC_FUTURE);
    let told: ClaimWaived = event(&ok(&w, outcome));
    assert_eq!((told.settled.amount, told.waived), (11_928_000_000, 8_052_000_000));
    // What the pool can pay whole is not waived at all.
    let (mut w, user, maker) = bankrupt(watched());
    settle(&mut w, &maker);
    let usd = w.usd;
    deposit(&mut w, &user, &usd, 10_000 * USD);
    settle(&mut w, &user);
    let outcome = w.waive_claim(&maker, BTC_FUTURE);
    let told: ClaimWaived = event(&ok(&w, outcome));
    assert_eq!((told.settled.amount, told.waived), (19_980_000_000, 0));
    assert_eq!(w.market(BTC_FUTURE).positions, 0);
    w.watch.expect("a watch").verdict().expect("every invariant");
}

#[test]
fn refuses_what_is_no_claim() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    // A gain in a perpetual that goes on trading settles as its losers do.
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
    trade(&mut w, BTC_PERP, &user, &maker, -1_000, 101_000.0);
    assert_eq!(account(&w, &user).positions[0].lots, 0);
    refuses(&mut w, BallastError::SettlementPending, |w| {
        w.waive_claim(&user, BTC_PERP)
    });
    trade(&mut w, BTC_FUTURE, &user, &maker, 10_000, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.wait_until(expiry);
    refuses(&mut w, BallastError::SettlementPending, |w| {
        w.waive_claim(&maker, BTC_FUTURE)
    });
    let (mut w, user, maker) = bankrupt(world());
    // Lots come first, and a debt is nobody's to waive.
    refuses(&mut w, BallastError::NoClaim, |w| w.waive_claim(&maker, BTC_FUTURE));
    for user in [&user, &maker] {
        settle(&mut w, user);
    }
    refuses(&mut w, BallastError::NoClaim, |w| w.waive_claim(&user, BTC_FUTURE));
    let stranger = trader(&mut w, 100);
    refuses(&mut w, BallastError::PositionMissing, |w| {
        w.waive_claim(&stranger, BTC_FUTURE)
    });
}

/// A short of a future whose gain of 19,950 waits, and 60 ETH bought on it: they need 22,500, and 30 ETH 11,250.
#[test]
fn refuses_what_backs_other_positions() {
    let mut w = watched();
    let (user, loser) = (trader(&mut w, 12_000), trader(&mut w, 12_000));
    let maker = trader(&mut w, 10_000_000);
    trade(&mut w, BTC_FUTURE, &user, &loser, -10_000, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 80_000.0);
    settle(&mut w, &user);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 80_000.0), (ETH, 3_000.0)]);
    trade(&mut w, ETH_PERP, &user, &maker, 60_000, 3_000.0);
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.waive_claim(&user, BTC_FUTURE)
    });
    // 11,998 less fees of 90 and 45: 11,863.
    trade(&mut w, ETH_PERP, &user, &maker, -30_000, 3_000.0);
    let outcome = w.waive_claim(&user, BTC_FUTURE);
    ok(&w, outcome);
    w.watch.expect("a watch").verdict().expect("every invariant");
}

#[test]
fn refuses_accounts_that_do_not_belong_together() {
    let mut w = world();
    let second = second_exchange(&mut w);
    let (mut w, user, maker) = bankrupt(w);
    for user in [&user, &maker] {
        settle(&mut w, user);
    }
    let future = w.markets[BTC_FUTURE];
    let right = instruction::waive_claim(&w.exchange, &maker.account, &future);
    let forged = copy_account(&mut w, &future);
    let theirs = second.open(&mut w, &maker);
    for (at, other, error) in [
        (1, second.exchange.board, BallastError::WrongBoard),
        (2, second.exchange.quote_pool(), BallastError::WrongExchange),
        (3, second.exchange.insurance_fund(), BallastError::WrongExchange),
        (4, forged, BallastError::WrongMarket),
        (4, second.markets[0], BallastError::WrongExchange),
        (5, theirs.margin_account, BallastError::WrongExchange),
        (5, user.account.margin_account, BallastError::NotOwner),
    ] {
        let mut wrong = right.clone();
        wrong.accounts[at].pubkey = other;
        refuses(&mut w, error, |w| w.vm.send(&[wrong], &[&maker.key]));
    }
    let delegate = user.key.pubkey();
    edit::<MarginAccount>(&mut w, &maker.account.margin_account, |a| a.delegates[0] = delegate);
    let mut wrong = right.clone();
    wrong.accounts[6].pubkey = delegate;
    refuses(&mut w, BallastError::NotOwner, |w| w.vm.send(&[wrong], &[&user.key]));
    checks_every_account(&mut w, &right, &[&maker.key]);
}
