//! Making an account untouchable, or locking somebody else's exit.
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::instructions::{ListAssetArgs, ListCollateralArgs, ListInstrumentArgs};
use ballast::state::{Exchange, Market};
use ballast_client::instruction;
use ballast_migrations::config;
use ballast_risk::defaults;
use ballast_sim::world::{
    mint_account, token_account, PriceMessage, User, World, BTC, ETH, RECEIVERS, SOL, TOKEN_PROGRAM,
};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_signer::Signer;

use crate::support::*;

/// Seconds after which a stale leg's profit is cut, and one more.
const DEAD: i64 = 3_601;

/// Long ETH with a paper profit of 20,000 and long BTC with a loss, on 25,000 of cash.
///
/// 10 ETH bought at 3,000 rise to 5,000; 2 BTC bought at 100,000 have 25,000 − 115 of fees behind them, margin 2 · 7,150 + ETH.
fn profit_on_a_feed_that_dies(w: &mut World) -> (User, User) {
    let (attacker, maker) = pair(w, 25_000);
    trade(w, ETH_PERP, &attacker, &maker, 10_000, 3_000.0);
    trade(w, BTC_PERP, &attacker, &maker, 20_000, 100_000.0);
    w.set_prices(&[(ETH, 5_000.0)]);
    (attacker, maker)
}

/// Time passes with only the quote asset and BTC refreshed.
fn without_eth(w: &mut World, seconds: i64, btc: f64) {
    w.vm.advance(seconds);
    w.set_prices(&[(ballast::state::QUOTE_ASSET, 1.0), (BTC, btc)]);
}

#[test]
fn attack_dead_feed_as_a_shield() {
    let mut w = world();
    let (attacker, _) = profit_on_a_feed_that_dies(&mut w);
    let account = attacker.account.margin_account;
    // BTC at 88,000: 25,000 − 115 − 24,000 + 20,000 = 20,885 with the profit, 885 without; BTC alone asks for 12,584.
    without_eth(&mut w, DEAD, 88_000.0);
    let outcome = w.flag(&account);
    ok(&w, outcome);
}

#[test]
fn attack_unflagging_behind_a_dead_feed() {
    let mut w = world();
    let (attacker, maker) = profit_on_a_feed_that_dies(&mut w);
    let account = attacker.account.margin_account;
    without_eth(&mut w, DEAD, 88_000.0);
    flag(&mut w, &attacker);
    // With the dead feed's profit the account would have 20,885 against 16,500 or so of maintenance margin.
    refuses(&mut w, BallastError::NotRecovered, |w| w.unflag(&account));
    let outcome = w.liquidate(BTC_PERP, &attacker.account, &maker, 100);
    ok(&w, outcome);
}

/// What the keepers may close the holder may close as well, but no worse than by the rule for reductions, and nothing may be added.
#[test]
fn attack_a_dead_feed_that_blocks_the_exit_from_a_live_leg() {
    let mut w = world();
    let (holder, maker) = profit_on_a_feed_that_dies(&mut w);
    without_eth(&mut w, DEAD, 88_000.0);
    let s = w.summary(&holder.account.margin_account);
    assert!(s.liquidatable && s.equity_maintenance >= s.maintenance_margin);
    w.update_due_funding([BTC_PERP]);
    refuses(&mut w, BallastError::BelowMaintenance, |w| {
        w.trade(BTC_PERP, &holder, &maker, 1, 88_000.0)
    });
    let exchange = w.exchange.key;
    edit::<Exchange>(&mut w, &exchange, |e| e.limits.price_band_ppm = 100_000);
    // A sale frees 7.15 % of the notional, of which 30 % are 2.145 %: 2.05 % under the mark with the fee of 0.05 % is within, 3 % is not.
    refuses(&mut w, BallastError::ReductionTooCostly, |w| {
        w.trade(BTC_PERP, &holder, &maker, -10_000, 85_360.0)
    });
    trade(&mut w, BTC_PERP, &holder, &maker, -10_000, 86_240.0);
    trade(&mut w, BTC_PERP, &holder, &maker, -10_000, 88_000.0);
}

#[test]
fn attack_dead_leg_is_never_taken_over() {
    let mut w = world();
    let (attacker, maker) = profit_on_a_feed_that_dies(&mut w);
    without_eth(&mut w, DEAD, 88_000.0);
    flag(&mut w, &attacker);
    refuses(&mut w, BallastError::StalePrice, |w| {
        w.liquidate(ETH_PERP, &attacker.account, &maker, 100)
    });
}

#[test]
fn attack_dust_leg_of_a_dead_feed_as_a_shield() {
    let mut w = world();
    let (victim, maker) = pair(&mut w, 12_000);
    let keeper = trader(&mut w, 1_000_000);
    trade(&mut w, ETH_PERP, &victim, &maker, 1, 3_000.0);
    trade(&mut w, BTC_PERP, &victim, &maker, 10_000, 100_000.0);
    without_eth(&mut w, 120, 93_000.0);
    flag(&mut w, &victim);
    let before = w.summary(&victim.account.margin_account);
    let outcome = w.liquidate(BTC_PERP, &victim.account, &keeper, 1_000);
    ok(&w, outcome);
    let after = w.summary(&victim.account.margin_account);
    assert!(after.maintenance_margin < before.maintenance_margin);
}

/// Lists an asset that nobody posts a price for, with a token of six decimals as collateral, and gives the user one unit.
fn deposit_without_a_price(w: &mut World, user: &User) {
    let (mint, source) = (w.vm.keypair().pubkey(), w.vm.keypair().pubkey());
    w.vm.put(mint, TOKEN_PROGRAM, mint_account(6));
    w.vm.put(source, TOKEN_PROGRAM, token_account(&mint, &user.key.pubkey(), 1));
    let asset: ListAssetArgs = config::asset("NEW", [9; 32], &defaults::MID_CAP, 1, 1, 0).asset;
    let index = w.board().asset_count;
    let args = ListCollateralArgs {
        asset: index,
        deposit_cap: 1_000,
        owner_deposit_cap: 1_000,
    };
    let authority = w.authority.insecure_clone();
    let key = authority.pubkey();
    let list = [
        instruction::list_asset(&w.exchange, &key, asset),
        instruction::list_collateral(&w.exchange, &key, &mint, args),
    ];
    let outcome = w.vm.send(&list, &[&authority]);
    ok(w, outcome);
    let deposit = instruction::deposit(&w.exchange, &user.account, &mint, &source, 1);
    // Refusing the deposit is as good as valuing it at nothing.
    let _ = w.vm.send(&[deposit], &[&user.key]);
}

#[test]
fn attack_collateral_without_a_price_as_a_shield() {
    let mut w = world();
    let d = distress(&mut w, 93_000.0);
    deposit_without_a_price(&mut w, &d.victim);
    flag(&mut w, &d.victim);
    let outcome = w.liquidate(BTC_PERP, &d.victim.account, &d.keeper, 1_000);
    ok(&w, outcome);
}

/// BTC's open-interest cap for one instrument is 40 times its depth of 25 million dollars, an owner's 10 times.
#[test]
fn attack_open_interest_at_its_cap_as_a_shield() {
    let mut w = world();
    let d = distress(&mut w, 93_000.0);
    // As if the open interest had reached the cap at lower prices: a cap of 90,000 dollars under the 93,000 that are open.
    let board = w.exchange.board;
    edit::<ballast::state::RiskBoard>(&mut w, &board, |b| {
        b.assets[usize::from(BTC)].instrument_open_interest_cap = 90_000 * DOLLAR;
    });
    flag(&mut w, &d.victim);
    let outcome = w.liquidate(BTC_PERP, &d.victim.account, &d.keeper, 1_000);
    ok(&w, outcome);
}

#[test]
fn attack_open_interest_at_its_cap_locks_no_exit() {
    let mut w = world();
    let (leaver, maker) = pair(&mut w, 50_000);
    let taker = trader(&mut w, 50_000);
    trade(&mut w, BTC_PERP, &leaver, &maker, 10_000, 100_000.0);
    let board = w.exchange.board;
    edit::<ballast::state::RiskBoard>(&mut w, &board, |b| {
        b.assets[usize::from(BTC)].instrument_open_interest_cap = 90_000 * DOLLAR;
    });
    // Open interest stays what it is when one long leaves it to another; one lot more of it is refused.
    trade(&mut w, BTC_PERP, &leaver, &taker, -5_000, 100_000.0);
    refuses(&mut w, BallastError::OpenInterestCapExceeded, |w| {
        w.trade(BTC_PERP, &taker, &maker, 1, 100_000.0)
    });
}

/// A keeper settles the victim's loss, which takes its cash to the last dollar of credit; then the collateral slips by a thousandth.
#[test]
fn attack_settling_a_loss_locks_no_exit() {
    let mut w = world();
    let (victim, maker) = pair(&mut w, 0);
    let btc = w.btc;
    deposit(&mut w, &victim, &btc, BTC_UNIT); // 100,000 dollars, credit 85,000
    trade(&mut w, ETH_PERP, &victim, &maker, 36_000, 3_000.0);
    trade(&mut w, SOL_PERP, &victim, &maker, 20_000, 150.0);
    // 36 ETH lose 86,400, 200 SOL gain 20,000.
    w.set_prices(&[(ETH, 600.0), (SOL, 250.0)]);
    let_slow_prices_catch_up(&mut w);
    let account = victim.account.margin_account;
    let outcome = w.settle(&account, &[ETH_PERP]);
    ok(&w, outcome);
    assert_eq!(
        w.margin_account(&account).cash,
        -85_000 * USD as i64,
        "down to the credit"
    );
    w.set_prices(&[(BTC, 99_900.0)]);
    let summary = w.summary(&account);
    assert!(
        !summary.liquidatable,
        "above maintenance, so it may reduce: {summary:?}"
    );
    trade(&mut w, ETH_PERP, &victim, &maker, -36_000, 600.0);
}

/// Two rich wallets fill the quote asset's cap of 100 million, so that nobody else could top up: a debt can be repaid all the same.
#[test]
fn attack_filling_the_deposit_cap() {
    let mut w = world();
    let victim = trader(&mut w, 0);
    let rich = trader(&mut w, 49_000_000);
    trader(&mut w, 50_000_000);
    let (usd, btc) = (w.usd, w.btc);
    deposit(&mut w, &victim, &btc, BTC_UNIT);
    let outcome = w.withdraw(&victim, &usd, 10_000 * USD);
    ok(&w, outcome);
    deposit(&mut w, &rich, &usd, 1_000_000 * USD);
    let held = w.vault_amount(&usd.mint);
    assert_eq!(held, 99_990_000 * USD, "the vault holds all but what is lent");
    // The last 10,000 are a third wallet's, and with them the victim's own way back is closed but for its debt.
    trader(&mut w, 10_000);
    w.give(&victim, &usd, 1);
    refuses(&mut w, BallastError::DepositCapExceeded, |w| {
        w.deposit(&victim, &usd, 10_000 * USD + 1)
    });
    let outcome = w.deposit(&victim, &usd, 10_000 * USD);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&victim.account.margin_account).cash, 0);
}

/// The last second of a future: from the expiry on nobody trades it against a price that is fixed in part, not even to reduce.
#[test]
fn attack_trading_after_expiry() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    let third = trader(&mut w, 50_000);
    trade(&mut w, BTC_FUTURE, &user, &maker, 1_000, 100_000.0);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    let left = expiry - w.vm.now();
    wait(&mut w, left - 1);
    trade(&mut w, BTC_FUTURE, &user, &maker, 1, 100_000.0);
    wait(&mut w, 1);
    assert_eq!(w.vm.now(), expiry);
    refuses(&mut w, BallastError::InstrumentExpired, |w| {
        w.trade(BTC_FUTURE, &user, &maker, 1, 100_000.0)
    });
    refuses(&mut w, BallastError::InstrumentExpired, |w| {
        w.trade(BTC_FUTURE, &user, &third, -1, 100_000.0)
    });
    refuses(&mut w, BallastError::InstrumentExpired, |w| {
        w.trade(BTC_FUTURE, &user, &maker, -1_001, 100_000.0)
    });
}

#[test]
fn attack_settling_in_front_of_a_withdrawal() {
    let mut w = world();
    let (victim, maker) = pair(&mut w, 50_000);
    trade(&mut w, BTC_PERP, &victim, &maker, 1_000, 100_000.0);
    w.set_prices(&[(BTC, 99_500.0)]);
    let account = victim.account.margin_account;
    let losers = w.losers(&account);
    assert_eq!(losers, vec![w.markets[BTC_PERP]]);
    // Built while the position loses, landing after somebody has settled it to the last unit.
    let withdraw = instruction::withdraw(
        &w.exchange,
        &victim.account,
        &w.usd.mint,
        &victim.usd,
        1_000 * USD,
        &losers,
    );
    let outcome = w.settle(&account, &[BTC_PERP]);
    ok(&w, outcome);
    let outcome = w.vm.send(&[withdraw], &[&victim.key]);
    ok(&w, outcome);
}

/// A book over as many assets and instruments as one account can hold, on both sides: a liquidation still fits one transaction.
#[test]
fn attack_forty_positions_in_twenty_assets() {
    let mut w = world();
    let victim = trader(&mut w, 14_000);
    let maker = trader(&mut w, 10_000_000);
    let keeper = trader(&mut w, 1_000_000);
    let mut feeds = Vec::new();
    for n in 3..20 {
        feeds.push((n, list_one_more(&mut w, n)));
    }
    let outcome = w.vm.send(&[instruction::refresh_prices(&w.exchange, &feeds)], &[]);
    ok(&w, outcome);
    for instrument in 1..w.markets.len() {
        let price = w.board().assets[instrument / 2].price.index as f64 / 1e9;
        let lots = if instrument % 2 == 0 { 1 } else { -1 };
        trade(&mut w, instrument, &victim, &maker, lots, price);
        trade(&mut w, instrument, &keeper, &maker, -lots, price);
    }
    trade(&mut w, BTC_PERP, &victim, &maker, 10_000, 100_000.0);
    trade(&mut w, BTC_PERP, &keeper, &maker, 1, 100_000.0);
    for user in [&victim, &keeper] {
        let count = w.margin_account(&user.account.margin_account).position_count;
        assert_eq!(count, 40);
    }
    w.set_prices(&[(BTC, 91_000.0)]);
    flag(&mut w, &victim);
    let outcome = w.liquidate(BTC_PERP, &victim.account, &keeper, 1_000);
    let receipt = ok(&w, outcome);
    println!(
        "liquidate one of 40 legs in 20 assets on each side: {} CU",
        receipt.compute_units
    );
}

/// Lists asset `n` at 100 dollars with a perpetual and a future, lots of a tenth, and returns its price account.
fn list_one_more(w: &mut World, n: u8) -> Pubkey {
    let (authority, now) = (w.authority.insecure_clone(), w.vm.now());
    let key = authority.pubkey();
    let id = [n; 32];
    let symbol = format!("A{n}");
    let config = config::asset(&symbol, id, &defaults::MID_CAP, 100_000_000, 1_000_000, now + 60 * DAY);
    let outcome = w.vm.send(
        &[instruction::list_asset(&w.exchange, &key, config.asset)],
        &[&authority],
    );
    ok(w, outcome);
    for args in config.instruments {
        let market = w.vm.keypair();
        let create = allocate(w, &market.pubkey(), Market::size(args.book_capacity));
        let args = ListInstrumentArgs { asset: n, ..args };
        let list = instruction::list_instrument(&w.exchange, &key, &market.pubkey(), args);
        let outcome = w.vm.send(&[create, list], &[&authority, &market]);
        w.markets.push(market.pubkey());
        ok(w, outcome);
    }
    let account = w.vm.keypair().pubkey();
    let data = PriceMessage::new(id, 100.0, now).account_data(w.vm.clock().slot);
    w.vm.put(account, RECEIVERS[0], data);
    account
}
