//! Leaving what has ended, and keeping others from leaving it: a payment that is not known yet, a market held up by the last dollar of a
//! loss or by a claim, and losses that a withdrawal would leave behind.
use ballast::error::BallastError;
use ballast::events::{DropReason, OrderPlaced};
use ballast::state::{MarginAccount, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::invariants::Leg;
use ballast_sim::world::{at_once, limit, sign, User, World, BTC, ETH};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, watched};

fn account(w: &World, user: &User) -> Box<MarginAccount> {
    w.margin_account(&user.account.margin_account)
}

fn settle(w: &mut World, user: &User, instrument: usize) {
    let outcome = w.settle_expiry(&user.account.margin_account, instrument);
    ok(w, outcome);
}

fn sound(w: World) {
    w.watch.expect("a watch").verdict().expect("every invariant");
}

/// A user long 1 BTC of a delisted perpetual whose book stands 400 over the index for its last four hours, and nobody cranks: at the second in
/// which the price stands he owes 50 for each of the last three hours. No margin holds him any more.
fn owes_the_last_funding() -> (World, User, User) {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 50_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    let ends_at = (w.vm.now() / 3_600 + 50) * 3_600;
    let outcome = w.delist(BTC_PERP, ends_at);
    ok(&w, outcome);
    w.wait_until(ends_at - 4 * 3_600);
    w.update_due_funding([BTC_PERP]);
    show_mid(&mut w, BTC_PERP, 100_400 * PRICE);
    w.walk_window(BTC, ends_at, [1, 60], |_| 100_000.0);
    assert_eq!(w.summary(&user.account.margin_account).maintenance_margin, 0);
    (w, user, maker)
}

/// The payer settles and withdraws all before his last payments are known.
#[test]
fn attack_leaving_before_the_last_funding() {
    let (mut w, user, maker) = owes_the_last_funding();
    let (key, market, usd) = (user.account.margin_account, w.markets[BTC_PERP], w.usd);
    let settle_pnl = instruction::settle_pnl(&w.exchange, &key, &[market]);
    refuses(&mut w, BallastError::FundingDue, |w| w.vm.send(&[settle_pnl], &[]));
    for markets in [&[market][..], &[]] {
        refuses(&mut w, BallastError::FundingDue, |w| {
            w.withdraw_with(&user, &usd, 49_948 * USD, markets)
        });
    }
    // It is on the board as soon as anybody wants to go: both do.
    for user in [&user, &maker, &user] {
        let _ = w.settle_expiry(&user.account.margin_account, BTC_PERP).is_ok();
    }
    // Fees of 50 and 20; the maker has what the user has paid.
    assert_eq!(account(&w, &user).cash, 49_800_000_000);
    assert_eq!(account(&w, &maker).cash, 10_000_130_000_000);
    let outcome = w.withdraw(&user, &usd, 49_800 * USD);
    ok(&w, outcome);
    let outcome = w.close_instrument(BTC_PERP);
    ok(&w, outcome);
    sound(w);
}

/// Or he loses it all to a second wallet of his, at the ends of the price band of another instrument, whose pool pays that wallet: by trades that
/// both sign, by a quote, and by the book, as a taker and as a maker. Until the payments are known nothing trades that he is a side of.
#[test]
fn attack_losing_to_a_second_wallet_before_the_last_funding() {
    let (mut w, user, maker) = owes_the_last_funding();
    w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 3_000.0)]);
    w.update_due_funding([ETH_PERP]);
    let second = trader(&mut w, 1_000_000);
    for user in [&user, &second] {
        let outcome = w.open_quotes(user);
        ok(&w, outcome);
    }
    let due = BallastError::FundingDue;
    for (lots, price) in [(50_000, 3_050.0), (-50_000, 2_950.0)] {
        refuses(&mut w, due, |w| w.trade(ETH_PERP, &user, &second, lots, price));
        refuses(&mut w, due, |w| w.trade(ETH_PERP, &second, &user, -lots, price));
        let leg = Leg {
            instrument: ETH_PERP,
            lots,
            price: price as i64 * PRICE,
        };
        let quote = sign(&w.quote(&second, 0, &[leg]), &second.key);
        refuses(&mut w, due, |w| w.fill_quote(&quote, &user, &second.account, 1));
        // His own order rests, and waits with all that is behind it: nobody passes it over, and nobody has it removed.
        let outcome = w.place(ETH_PERP, &user, limit(lots, price));
        ok(&w, outcome);
        let outcome = w.place(ETH_PERP, &second, at_once(-lots, price));
        let told: OrderPlaced = event(&ok(&w, outcome));
        assert_eq!((told.fills.len(), told.removed.len()), (0, 0));
        assert_eq!((told.dropped, told.drop_reason), (50_000, DropReason::Stale));
        let outcome = w.cancel_all(&user, &[ETH_PERP]);
        ok(&w, outcome);
        let outcome = w.place(ETH_PERP, &second, limit(-lots, price));
        ok(&w, outcome);
        refuses(&mut w, due, |w| w.place(ETH_PERP, &user, at_once(lots, price)));
        let outcome = w.cancel_all(&second, &[ETH_PERP]);
        ok(&w, outcome);
    }
    // Once they are, he trades on with what is left, and everybody is paid.
    w.update_due_funding([BTC_PERP]);
    trade(&mut w, ETH_PERP, &user, &second, 1_000, 3_000.0);
    for user in [&user, &maker] {
        settle(&mut w, user, BTC_PERP);
    }
    assert_eq!(account(&w, &maker).cash, 10_000_130_000_000);
    sound(w);
}

/// A future bought for 1,000 and settled at 800 by a user who can pay all of the 200.50 but `short` quote units of it.
fn short_by(short: i64) -> (World, User, User) {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 0);
    set_cash(&mut w, &user, 202_500_000 - short);
    trade(&mut w, BTC_FUTURE, &user, &maker, 100, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 80_000.0);
    (w, user, maker)
}

/// The cheapest way to hold a slot of the board up: a loss that is short by less than the two dollars that are locked in the account.
#[test]
fn attack_blocking_a_market_with_the_locked_reserve() {
    for short in [0, 1, 2_000_000] {
        let (mut w, user, maker) = short_by(short);
        settle(&mut w, &user, BTC_FUTURE);
        let left = account(&w, &user);
        assert_eq!((left.position_count, left.reserve), (0, 0), "{short}");
        assert_eq!(left.cash, 2_000_000 - short);
        settle(&mut w, &maker, BTC_FUTURE);
        let outcome = w.close_instrument(BTC_FUTURE);
        ok(&w, outcome);
        sound(w);
    }
}

/// More than the reserve is a debt, and the reserve stays with the position: it pays when it is enough.
#[test]
fn the_reserve_pays_the_last_of_a_loss() {
    let (mut w, user, _) = short_by(2_000_001);
    settle(&mut w, &user, BTC_FUTURE);
    let left = account(&w, &user);
    assert_eq!(
        (left.cash, left.reserve, left.positions[0].quote),
        (0, 2_000_000, -2_000_001)
    );
    let usd = w.usd;
    deposit(&mut w, &user, &usd, 1);
    let outcome = w.settle(&user.account.margin_account, &[BTC_FUTURE]);
    ok(&w, outcome);
    let left = account(&w, &user);
    assert_eq!((left.cash, left.reserve, left.position_count), (0, 0, 0));
    sound(w);
}

/// The reserve is not spent while an order or another position needs it.
#[test]
fn the_reserve_stays_while_anything_needs_it() {
    let (mut w, user, maker) = {
        let mut w = watched();
        let (user, maker) = pair(&mut w, 0);
        set_cash(&mut w, &user, 202_499_999);
        trade(&mut w, BTC_FUTURE, &user, &maker, 100, 100_000.0);
        (w, user, maker)
    };
    let outcome = w.place(BTC_PERP, &user, limit(10, 99_000.0));
    ok(&w, outcome);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 80_000.0);
    settle(&mut w, &user, BTC_FUTURE);
    let left = account(&w, &user);
    assert_eq!((left.cash, left.reserve, left.positions[0].quote), (0, 2_000_000, -1));
    let outcome = w.cancel_all(&user, &[BTC_PERP]);
    ok(&w, outcome);
    settle(&mut w, &user, BTC_FUTURE);
    assert_eq!((account(&w, &user).cash, account(&w, &user).reserve), (1_999_999, 0));
    settle(&mut w, &maker, BTC_FUTURE);
    sound(w);
}

/// A winner gives up the claim that carries his other positions, whose losses then fall on others while the fund earns the claim.
#[test]
fn attack_waiving_what_backs_a_position() {
    let mut w = watched();
    let (user, loser) = (trader(&mut w, 12_000), trader(&mut w, 30_000));
    let victim = trader(&mut w, 10_000_000);
    trade(&mut w, BTC_FUTURE, &user, &loser, -10_000, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.expire_at(BTC, expiry, 80_000.0);
    settle(&mut w, &user, BTC_FUTURE);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 80_000.0), (ETH, 3_000.0)]);
    trade(&mut w, ETH_PERP, &user, &victim, 60_000, 3_000.0);
    // 60 ETH have lost 12,000 of 31,858: the claim is all that covers them.
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 80_000.0), (ETH, 2_800.0)]);
    assert!(w.flag(&user.account.margin_account).is_err());
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.waive_claim(&user, BTC_FUTURE)
    });
    sound(w);
}

/// A withdrawal leaves a settled loss of another asset out, or is held up by that asset's feed, which has been dead since the end.
#[test]
fn attack_withdrawing_past_a_settled_loss() {
    let mut w = watched();
    let (user, maker) = pair(&mut w, 50_000);
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
    trade(&mut w, ETH_FUTURE, &user, &maker, 10_000, 3_000.0);
    let expiry = w.board().instruments[ETH_FUTURE].expiry;
    w.expire_at(ETH, expiry, 2_900.0);
    w.vm.advance(2 * 3_600);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0)]);
    let usd = w.usd;
    // 10 ETH have lost 1,000, with a fee of 15; the perpetual has its fee of 5, and 1,000 of margin.
    let perpetual = w.markets[BTC_PERP];
    for markets in [&[][..], &[perpetual]] {
        refuses(&mut w, BallastError::MarketMissing, |w| {
            w.withdraw_with(&user, &usd, 40_000 * USD, markets)
        });
    }
    let outcome = w.withdraw(&user, &usd, 40_000 * USD);
    ok(&w, outcome);
    assert_eq!(
        account(&w, &user).cash,
        50_000_000_000 - 2_000_000 - 1_020_000_000 - 40_000_000_000
    );
    // What is left is the margin and less than a dollar.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, 7_979 * USD)
    });
    let outcome = w.withdraw(&user, &usd, 7_977 * USD);
    ok(&w, outcome);
    sound(w);
}
