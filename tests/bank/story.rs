//! The happy path: deposits, trades between wallets, the methodology's figures, settlement, a withdrawal, a liquidation, an exit.
use ballast::error::BallastError;
use ballast::instructions::{PreviewReport, PreviewSection, Summary};
use solana_signer::Signer;

use crate::bank::{Bank, Outcome};
use crate::venue::{User, Venue, DOLLAR, PRICE, START, USD};

/// Instruments in the order of genesis.
const BTC_PERP: usize = 0;
const BTC_FUTURE: usize = 1;
/// Lots of one BTC.
const ONE_BTC: i64 = 10_000;

#[track_caller]
fn refused(outcome: Outcome, error: BallastError) {
    let refused = outcome.expect_err("expected a refusal");
    let expected = u32::from(error);
    assert_eq!(
        refused.code(),
        Some(expected),
        "{:?}\n{}",
        refused.error,
        refused.logs.join("\n")
    );
}

/// Cash and locked reserve, quote units.
fn balance(venue: &Venue, user: &User) -> i64 {
    let account = venue.margin_account(user);
    account.cash + account.reserve
}

#[test]
fn the_clearing_house_runs_in_a_bank() {
    let mut venue = Venue::new(Bank::new(START));
    genesis_is_idempotent(&mut venue);

    let sponsor = venue.user(50_000, 0);
    venue
        .fund_insurance(&sponsor, 50_000 * USD)
        .expect("anyone may contribute");
    assert_eq!(venue.insurance_fund().contributed, 50_000 * USD);
    let [alice, bob, carol, keeper] = [30_000, 1_000_000, 12_000, 500_000].map(|dollars| {
        let user = venue.user(dollars, 0);
        venue.deposit(&user, dollars * USD).expect("a deposit");
        assert_eq!(venue.tokens(&user.usd), 0);
        assert_eq!(venue.margin_account(&user).cash as u64, dollars * USD);
        user
    });
    let dave = venue.user(0, 100_000_000);
    venue.deposit_btc(&dave, 100_000_000).expect("a deposit");
    venue.check_conservation();

    the_documented_margins_come_out(&mut venue, &alice, &bob, &dave);
    profit_and_loss_settles_at_the_slow_price(&mut venue, &alice, &bob);
    only_what_is_free_can_be_withdrawn(&mut venue, &alice);
    an_account_is_emptied_and_closed(&mut venue, &alice, &bob);
    an_account_under_maintenance_is_liquidated(&mut venue, &carol, &bob, &keeper);
}

/// Run again, genesis finds everything in place and sends nothing.
fn genesis_is_idempotent(venue: &mut Venue) {
    let (payer, markets) = (venue.bank.payer.pubkey(), venue.markets.clone());
    let lamports = venue.bank.lamports(&payer);
    venue.genesis();
    assert_eq!(venue.markets, markets);
    assert_eq!(venue.bank.lamports(&payer), lamports);
}

/// The basis trade and the covered short of margin.md section 0.
fn the_documented_margins_come_out(venue: &mut Venue, alice: &User, bob: &User, dave: &User) {
    for (instrument, lots) in [(BTC_PERP, ONE_BTC), (BTC_FUTURE, -ONE_BTC)] {
        let receipt = venue.trade(instrument, alice, bob, lots, 100_000).expect("a trade");
        println!("block_trade: {} compute units", receipt.compute_units);
    }
    let summary = venue.summary(alice);
    assert_eq!(
        (summary.initial_margin, summary.maintenance_margin),
        (12_000 * DOLLAR, 8_700 * DOLLAR)
    );
    match venue.preview(alice, PreviewSection::Isolated) {
        PreviewReport::Isolated(isolated) => assert_eq!(isolated.initial_margin, 20_000 * DOLLAR),
        other => panic!("another section: {other:?}"),
    }
    venue
        .trade(BTC_FUTURE, dave, bob, -ONE_BTC, 100_000)
        .expect("a covered short needs no cash");
    assert_eq!(venue.summary(dave).initial_margin, 5_325 * DOLLAR);
    venue.check_conservation();
}

/// The price rises to 100,500 and stands for ten minutes. The loser pays the pool, then the winner is paid out of it.
fn profit_and_loss_settles_at_the_slow_price(venue: &mut Venue, alice: &User, bob: &User) {
    for _ in 0..2 {
        venue.bank.advance(600);
        venue.set_prices(&[(255, 1), (0, 100_500)]);
    }
    let rise = venue.board().assets[0].price.slow - 100_000 * PRICE;
    assert!((50 * PRICE..100 * PRICE).contains(&rise), "{rise}"); // 500 · (1 − e^(−1/6)) = 76.8
    refused(venue.settle(alice, BTC_PERP), BallastError::NothingToSettle); // the pool is empty
    for (user, sign, fee) in [(bob, -1, 20), (alice, 1, 50)] {
        // One BTC at the slow price, less 5 basis points for the taker and 2 for the maker; 10⁻⁹ to 10⁻⁶, towards zero.
        let gain = (sign * rise - fee * PRICE) / 1_000;
        let before = balance(venue, user);
        venue.settle(user, BTC_PERP).expect("a settlement");
        assert_eq!(balance(venue, user) - before, gain);
        venue.check_conservation();
    }
}

/// 1,000 dollars leave; what the positions need stays. The short future has lost and settles on the way.
fn only_what_is_free_can_be_withdrawn(venue: &mut Venue, alice: &User) {
    let before = venue.bank.account(&alice.account.margin_account);
    refused(
        venue.withdraw(alice, 20_000 * USD, &[BTC_FUTURE]),
        BallastError::InsufficientMargin,
    );
    refused(venue.withdraw(alice, 1_000 * USD, &[]), BallastError::MarketMissing);
    assert_eq!(venue.bank.account(&alice.account.margin_account), before);
    venue.withdraw(alice, 1_000 * USD, &[BTC_FUTURE]).expect("a withdrawal");
    assert_eq!(venue.tokens(&alice.usd), 1_000 * USD);
    venue.check_conservation();
}

/// Both legs are closed, settled to the last unit and paid out; the rent comes back.
fn an_account_is_emptied_and_closed(venue: &mut Venue, alice: &User, bob: &User) {
    venue
        .trade(BTC_PERP, alice, bob, -ONE_BTC, 100_500)
        .expect("a reduction");
    venue
        .trade(BTC_FUTURE, alice, bob, ONE_BTC, 100_500)
        .expect("a reduction");
    refused(venue.close(alice), BallastError::AccountNotEmpty);
    for (user, instrument) in [(bob, BTC_PERP), (alice, BTC_PERP), (alice, BTC_FUTURE)] {
        venue.settle(user, instrument).expect("a settlement");
        venue.check_conservation();
    }
    let account = venue.margin_account(alice);
    assert_eq!((account.position_count, account.reserve), (0, 0));
    // 30,000, less 1,000 paid out and 5 basis points of 100,000 and 100,500 on each leg. What rounding towards zero left in a
    // settlement came out in the next one: the sum is exact.
    assert_eq!(account.cash, 28_799_500_000);
    venue.withdraw(alice, account.cash as u64, &[]).expect("everything");
    let (wallet, key) = (alice.key.pubkey(), alice.account.margin_account);
    let rent = venue.bank.lamports(&key);
    let before = venue.bank.lamports(&wallet);
    venue.close(alice).expect("an empty account closes");
    assert_eq!(venue.bank.lamports(&wallet), before + rent);
    assert!(venue.bank.account(&key).is_none());
    assert_eq!(venue.tokens(&alice.usd), 29_799_500_000);
    venue.check_conservation();
}

/// A long of one BTC with 12,000 dollars meets a fall to 94,000: a loss of 6,500 leaves 5,447.75 against 7.15 % of 94,000.
fn an_account_under_maintenance_is_liquidated(venue: &mut Venue, carol: &User, bob: &User, keeper: &User) {
    venue.trade(BTC_PERP, carol, bob, ONE_BTC, 100_500).expect("a trade");
    refused(venue.flag(carol), BallastError::AccountHealthy);
    venue.bank.advance(30);
    venue.set_prices(&[(255, 1), (0, 94_000)]);
    let before = venue.summary(carol);
    assert_eq!(before.maintenance_margin, 6_721 * DOLLAR);
    assert!(before.liquidatable);

    venue.flag(carol).expect("anyone may flag");
    let lots = 2_600; // 24,440 dollars, under the cap of 25,000 a window
    refused(
        venue.liquidate(BTC_PERP, carol, keeper, lots),
        BallastError::FlagTooYoung,
    );
    venue.bank.advance(12);
    venue.set_prices(&[(255, 1), (0, 94_000)]);
    refused(
        venue.liquidate(BTC_PERP, carol, keeper, 10_000),
        BallastError::LiquidatesTooMuch,
    );
    let (carol_before, keeper_before) = (balance(venue, carol), balance(venue, keeper));
    let fund_before = venue.insurance_fund().balance;
    let receipt = venue.liquidate(BTC_PERP, carol, keeper, lots).expect("a step");
    println!("liquidate: {} compute units", receipt.compute_units);
    venue.check_conservation();

    let after = venue.summary(carol);
    let cost = carol_before - balance(venue, carol);
    check_cost(&before, &after, cost);
    let bounty = balance(venue, keeper) - keeper_before;
    assert_eq!(bounty, cost * 6 / 10);
    let fund = venue.insurance_fund();
    assert_eq!(fund.balance - fund_before, (cost - bounty) as u64);
    assert_eq!(fund.bounties_paid, bounty as u64);
    let held = |user: &User| venue.margin_account(user).position(0).map_or(0, |p| p.lots);
    assert_eq!((held(carol), held(keeper)), (ONE_BTC - 2_600, 2_600));

    // Healthy again, though not yet by the tenth that ends the auction.
    assert!(!after.liquidatable);
    refused(
        venue.liquidate(BTC_PERP, carol, keeper, 1),
        BallastError::AccountHealthy,
    );
    refused(venue.unflag(carol), BallastError::NotRecovered);
    venue.top_up(carol, 1_000 * USD).expect("a deposit");
    venue.unflag(carol).expect("health is over 1.1");
    assert_eq!(venue.margin_account(carol).flag.started_at, 0);
    venue.check_conservation();
}

/// After 12 seconds a step costs 5 % + 55 % · 12/60 = 16 % of the maintenance margin that it frees, here 2,600 lots' 7.15 % of 24,440.
fn check_cost(before: &Summary, after: &Summary, cost: i64) {
    let freed = before.maintenance_margin - after.maintenance_margin;
    assert_eq!(freed, 174_746_000_000); // 1,747.46 dollars
    assert_eq!(cost, 279_593_600); // 279.5936 dollars in quote units
    assert!(
        after.equity_liquidation - after.maintenance_margin > before.equity_liquidation - before.maintenance_margin
    );
}
