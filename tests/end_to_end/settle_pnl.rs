//! `settle_pnl`: losses into the pool, gains out of it, and never more than either holds.
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::events::{Settled, SettledPosition};
use ballast::state::{Exchange, MarginAccount, Market, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC};
use ballast_tests::refusal::{checks_declared_accounts, refuses};
use ballast_tests::setup::{
    copy_account, deposit, edit, event, pair, second_exchange, trade, trader, BTC_FUTURE, BTC_PERP, BTC_UNIT, ETH_PERP,
};
use ballast_tests::{ok, world};

/// A user who has bought 1 BTC at 101,000, 1,000 over the mark, from a maker.
fn bought_dear() -> (World, User, User) {
    let mut w = world();
    let (user, maker) = pair(&mut w, 30_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 101_000.0);
    (w, user, maker)
}

fn cash(w: &World, user: &User) -> i64 {
    w.margin_account(&user.account.margin_account).cash
}

#[test]
fn a_loss_pays_the_gain_and_the_fees() {
    let (mut w, user, maker) = bought_dear();
    let (loser, winner) = (user.account.margin_account, maker.account.margin_account);
    let outcome = w.settle(&loser, &[BTC_PERP]);
    let receipt = ok(&w, outcome);
    // 1,000 over the mark and a fee of 50.50.
    assert_eq!(cash(&w, &user), 30_000_000_000 - 2_000_000 - 1_050_500_000);
    let position = w.margin_account(&loser).positions[0];
    assert_eq!((position.lots, position.quote), (10_000, -100_000_000_000));
    assert_eq!(position.entry_quote, -101_050_500_000);
    // Fees of 50.50 and 20.20: 14.14 to the fund, 56.56 to the exchange; the rest waits for the winner.
    assert_eq!(
        (w.insurance_fund().balance, w.insurance_fund().earned),
        (14_140_000, 14_140_000)
    );
    assert_eq!(w.quote_pool().collected_fees, 56_560_000);
    let market = w.market(BTC_PERP);
    assert_eq!(
        (market.pool, market.fees_due, market.insurance_due),
        (979_800_000, 0, 0)
    );
    let settled = event::<Settled>(&receipt);
    assert_eq!(settled.margin_account, loser);
    assert_eq!(settled.sequence, w.margin_account(&loser).sequence);
    let expected = SettledPosition {
        instrument: 0,
        amount: -1_050_500_000,
        fees: 56_560_000,
        insurance: 14_140_000,
        pool: 979_800_000,
    };
    assert_eq!(settled.settled, expected);

    let outcome = w.settle(&winner, &[BTC_PERP]);
    let receipt = ok(&w, outcome);
    let told: Settled = event(&receipt);
    assert_eq!((told.settled.amount, told.waiting), (979_800_000, 0)); // 1,000 − 20.20
    assert_eq!(cash(&w, &maker), 10_000_000_000_000 - 2_000_000 + 979_800_000);
    assert_eq!(w.market(BTC_PERP).pool, 0);
    refuses(&mut w, BallastError::NothingToSettle, |w| {
        w.settle(&winner, &[BTC_PERP])
    });
}

#[test]
fn a_gain_takes_no_more_than_the_pool_holds() {
    let (mut w, user, maker) = bought_dear();
    let (loser, winner) = (user.account.margin_account, maker.account.margin_account);
    refuses(&mut w, BallastError::NothingToSettle, |w| {
        w.settle(&winner, &[BTC_PERP])
    });
    let outcome = w.settle(&loser, &[BTC_PERP]);
    ok(&w, outcome);
    // Twenty hours at 99,500: a gain of 500 more, but only 979.80 are there.
    w.set_prices(&[(BTC, 99_500.0)]);
    w.vm.advance(72_000);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 99_500.0)]);
    let outcome = w.settle(&winner, &[BTC_PERP]);
    let receipt = ok(&w, outcome);
    let told: Settled = event(&receipt);
    assert_eq!((told.settled.amount, told.settled.pool), (979_800_000, 0));
    // The rest stays in the position, 101,000 − 20.20 − 979.80, and the event says what of it is a gain by the slow mark.
    assert_eq!(w.margin_account(&winner).positions[0].quote, 100_000_000_000);
    let slow = w.board().assets[usize::from(BTC)].price.slow / 1_000; // a BTC in quote units, rounded down
    assert!((told.waiting - (100_000_000_000 - slow)).abs() <= 1 && told.waiting > 400_000_000);
}

#[test]
fn a_loss_takes_no_more_than_cash_and_credit() {
    let mut w = world();
    let (user, maker) = (w.user(), trader(&mut w, 1_000_000));
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT); // 85,000 of credit
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 101_000.0);
    let key = user.account.margin_account;
    let exchange = w.exchange.key;
    edit::<Exchange>(&mut w, &exchange, |e| e.limits.account_borrow_cap = 600_000_000);
    // Cash is −2 and the reserve 2, so 600 dollars may be borrowed.
    let outcome = w.settle(&key, &[BTC_PERP]);
    let receipt = ok(&w, outcome);
    // The loss is 1,000 and a fee of 50.50: 450.50 of it waits.
    let told: Settled = event(&receipt);
    assert_eq!((told.settled.amount, told.waiting), (-600_000_000, -450_500_000));
    assert_eq!(cash(&w, &user), -602_000_000);
    assert_eq!(w.quote_pool().borrowed, 600_000_000);
    refuses(&mut w, BallastError::NothingToSettle, |w| w.settle(&key, &[BTC_PERP]));
    edit::<Exchange>(&mut w, &exchange, |e| e.limits.account_borrow_cap = 1_000_000_000_000);
    let outcome = w.settle(&key, &[BTC_PERP]);
    ok(&w, outcome);
    assert_eq!(cash(&w, &user), -2_000_000 - 1_050_500_000);
}

#[test]
fn a_loser_without_assets_pays_what_it_has() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 10_100);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    w.set_prices(&[(BTC, 85_000.0)]);
    w.vm.advance(72_000);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 85_000.0)]);
    let outcome = w.settle(&user.account.margin_account, &[BTC_PERP]);
    let receipt = ok(&w, outcome);
    // A loss of 15,050 and a bit against 10,098 of cash and the 2 of the reserve, which is not for that.
    assert_eq!(event::<Settled>(&receipt).settled.amount, -10_098_000_000);
    let account = w.margin_account(&user.account.margin_account);
    assert_eq!((account.cash, account.reserve), (0, 2_000_000));
    // The winner gets that and no more: fees of 70 have gone before.
    let outcome = w.settle(&maker.account.margin_account, &[BTC_PERP]);
    let receipt = ok(&w, outcome);
    assert_eq!(event::<Settled>(&receipt).settled.amount, 10_028_000_000);
}

#[test]
fn a_closed_position_frees_its_slot_and_the_reserve() {
    let (mut w, user, maker) = bought_dear();
    trade(&mut w, BTC_PERP, &user, &maker, -10_000, 101_000.0);
    let key = user.account.margin_account;
    assert_eq!(w.margin_account(&key).position_count, 1);
    assert_eq!(w.market(BTC_PERP).positions, 2);
    w.vm.advance(10_000); // without lots no price is needed
    let outcome = w.settle(&key, &[BTC_PERP]);
    ok(&w, outcome);
    let account = w.margin_account(&key);
    // Fees of 50.50 twice; the reserve is back.
    assert_eq!((account.position_count, account.reserve), (0, 0));
    assert_eq!(account.cash, 30_000_000_000 - 101_000_000);
    assert_eq!(w.market(BTC_PERP).positions, 1);
}

#[test]
fn several_positions_settle_in_any_order() {
    let (mut w, user, maker) = bought_dear();
    trade(&mut w, ETH_PERP, &user, &maker, 1_000, 3_010.0);
    trade(&mut w, BTC_FUTURE, &user, &maker, 100, 100_100.0);
    let key = user.account.margin_account;
    let outcome = w.settle(&key, &[ETH_PERP, BTC_PERP, BTC_FUTURE]);
    let receipt = ok(&w, outcome);
    assert_eq!(receipt.events.len(), 3);
    // ETH 10 + 1.505, BTC 1,050.50, future 1 + 0.5005
    assert_eq!(
        cash(&w, &user),
        30_000_000_000 - 2_000_000 - 11_505_000 - 1_050_500_000 - 1_500_500
    );
}

#[test]
fn index_and_slow_price_agree_to_one_percent() {
    for (index, settles) in [
        (101_010.10, true),
        (101_010.11, false),
        (99_009.91, true),
        (99_009.90, false),
    ] {
        let (mut w, user, _) = bought_dear();
        let loser = user.account.margin_account;
        w.set_prices(&[(BTC, index)]);
        if settles {
            let outcome = w.settle(&loser, &[BTC_PERP]);
            let receipt = ok(&w, outcome);
            // At the slow price, whatever the index says.
            assert_eq!(event::<Settled>(&receipt).settled.amount, -1_050_500_000);
        } else {
            refuses(&mut w, BallastError::NothingToSettle, |w| w.settle(&loser, &[BTC_PERP]));
        }
    }
}

#[test]
fn a_stale_price_settles_nothing() {
    let (mut w, user, _) = bought_dear();
    let key = user.account.margin_account;
    w.vm.advance(60 - (w.vm.now() - w.board().assets[usize::from(BTC)].price.publish_time) + 1);
    refuses(&mut w, BallastError::NothingToSettle, |w| w.settle(&key, &[BTC_PERP]));
    w.set_prices(&[(BTC, 100_000.0)]);
    let outcome = w.settle(&key, &[BTC_PERP]);
    ok(&w, outcome);
}

#[test]
fn a_stale_price_does_not_keep_others_from_settling() {
    let (mut w, user, maker) = bought_dear();
    trade(&mut w, ETH_PERP, &user, &maker, 1_000, 3_010.0);
    w.vm.advance(60);
    w.set_prices(&[(BTC, 100_000.0)]);
    let outcome = w.settle(&user.account.margin_account, &[ETH_PERP, BTC_PERP]);
    let receipt = ok(&w, outcome);
    assert_eq!(receipt.events.len(), 1);
    assert_eq!(event::<Settled>(&receipt).settled.instrument, BTC_PERP as u16);
}

#[test]
fn refuses_markets_that_are_missing_twice_forged_or_not_held() {
    let (mut w, user, _) = bought_dear();
    let key = user.account.margin_account;
    let (btc, eth) = (w.markets[BTC_PERP], w.markets[ETH_PERP]);
    let forged = copy_account(&mut w, &btc);
    let second = second_exchange(&mut w);
    let send = |w: &mut World, markets: &[Pubkey]| {
        let settle = instruction::settle_pnl(&w.exchange, &key, markets);
        w.vm.send(&[settle], &[])
    };
    refuses(&mut w, BallastError::MarketMissing, |w| send(w, &[]));
    refuses(&mut w, BallastError::UnexpectedAccount, |w| send(w, &[btc, btc]));
    refuses(&mut w, BallastError::WrongMarket, |w| send(w, &[forged]));
    refuses(&mut w, BallastError::WrongMarket, |w| send(w, &[second.markets[0]]));
    refuses(&mut w, BallastError::PositionMissing, |w| send(w, &[eth]));
    refuses(&mut w, BallastError::PositionMissing, |w| send(w, &[btc, eth]));
    let mut read_only = instruction::settle_pnl(&w.exchange, &key, &[btc]);
    read_only.accounts.last_mut().expect("a market").is_writable = false;
    refuses(&mut w, BallastError::WrongMarket, |w| w.vm.send(&[read_only], &[]));
}

#[test]
fn refuses_accounts_that_do_not_belong_together() {
    let (mut w, user, _) = bought_dear();
    let right = instruction::settle_pnl(&w.exchange, &user.account.margin_account, &[w.markets[BTC_PERP]]);
    let second = second_exchange(&mut w);
    let foreign = second.open(&mut w, &user).margin_account;
    for (at, other, error) in [
        (0, second.exchange.key, BallastError::WrongBoard),
        (1, second.exchange.board, BallastError::WrongBoard),
        (2, second.exchange.quote_pool(), BallastError::WrongExchange),
        (3, second.exchange.insurance_fund(), BallastError::WrongExchange),
        (4, foreign, BallastError::WrongExchange),
    ] {
        let mut wrong = right.clone();
        wrong.accounts[at].pubkey = other;
        refuses(&mut w, error, |w| w.vm.send(&[wrong], &[]));
    }
    checks_declared_accounts(&mut w, &right, 7, &[]);
}

/// A position of another generation than its instrument's settles nowhere.
#[test]
fn refuses_a_position_of_another_generation() {
    let (mut w, user, _) = bought_dear();
    let key = user.account.margin_account;
    edit::<MarginAccount>(&mut w, &key, |account| account.positions[0].generation += 1);
    refuses(&mut w, BallastError::StaleGeneration, |w| w.settle(&key, &[BTC_PERP]));
    let usd = w.usd;
    refuses(&mut w, BallastError::StaleGeneration, |w| w.withdraw(&user, &usd, 1));
    // And so does one whose market is of another than both.
    edit::<MarginAccount>(&mut w, &key, |account| account.positions[0].generation -= 1);
    let market = w.markets[BTC_PERP];
    edit::<Market>(&mut w, &market, |market| market.generation += 1);
    refuses(&mut w, BallastError::StaleGeneration, |w| w.settle(&key, &[BTC_PERP]));
}
