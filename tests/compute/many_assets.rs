//! Accounts whose positions are spread over many assets: the dearest mixes that the margin check is meant for.
use anchor_lang::prelude::Pubkey;
use ballast::instructions::{ListCollateralArgs, PreviewSection};
use ballast::state::{InstrumentKind, MarginAccount, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{
    mint_account, token_account, PriceMessage, User, World, BTC, ETH, RECEIVERS, SOL, TOKEN_PROGRAM,
};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_signer::Signer;

use crate::options::fill;
use crate::table::Table;

/// An asset with a perpetual, a future and options of one expiry, and a mint that is collateral.
struct Listed {
    options: Vec<usize>,
    perpetual: usize,
    future: usize,
    mint: Pubkey,
}

const DECIMALS: u8 = 6;

/// Measures an account over four assets and a full one over eight.
pub fn measure(table: &mut Table) {
    let mut w = world();
    let expiry = w.vm.now() + 25 * DAY;
    let listed: Vec<Listed> = (0..8).map(|n| list_whole(&mut w, n, expiry)).collect();
    smile(&mut w, expiry, 60);
    w.vm.advance(60);
    move_prices(&mut w);
    smile(&mut w, expiry, 62);

    let some = account(&mut w, &listed[..4], 4);
    check(&w, &some, 24, 4);
    let used = summary(&mut w, &some);
    let name = "preview, 16 options, 8 linear, 4 collaterals in 4 assets";
    table.add(name, used, 170_000);

    let full = account(&mut w, &listed, 3);
    check(&w, &full, 40, 8);
    let used = summary(&mut w, &full);
    let name = "preview, 24 options, 16 linear, 8 collaterals in 8 assets";
    table.add(name, used, 280_000);
    settlements(&mut w, &full, &listed[0], expiry, table);
}

/// Settling what the full account has: all of it at once, as much of a withdrawal, and a future and a delisted perpetual that have ended, on
/// the credit of eight kinds of collateral whose prices are stale.
fn settlements(w: &mut World, user: &User, ended: &Listed, expiry: i64, table: &mut Table) {
    let (key, usd) = (user.account.margin_account, w.usd);
    let account = w.margin_account(&key);
    let held: Vec<usize> = account.positions().iter().map(|p| p.instrument.into()).collect();
    let outcome = w.settle(&key, &held);
    table.add("settle_pnl, 40 positions", ok(w, outcome).compute_units, 160_000);
    let outcome = w.withdraw(user, &usd, USD);
    let name = "withdraw, 24 options, 16 linear, 8 collaterals in 8 assets";
    table.add(name, ok(w, outcome).compute_units, 500_000);
    let outcome = w.delist(ended.perpetual, expiry);
    ok(w, outcome);
    w.wait_until(expiry - 7_200);
    show_mid(w, ended.perpetual, 100_800 * PRICE);
    w.walk_window(BTC, expiry, [1, 60], |_| 110_000.0);
    // Without cash, so that the collateral is asked for. That does not add up any more, and is only measured.
    edit::<MarginAccount>(w, &key, |account| account.cash = 0);
    for (name, instrument) in [("a future", ended.future), ("a delisted perpetual", ended.perpetual)] {
        let outcome = w.settle_expiry(&key, instrument);
        let name = format!("settle_expiry, {name}, on 8 collaterals in 8 assets");
        table.add(&name, outcome.expect("it settles").compute_units, 25_000);
    }
}

/// The assets of genesis, then mid caps; each strike has either a call or a put, since a call and a put of one are priced together.
fn list_whole(w: &mut World, n: u8, expiry: i64) -> Listed {
    let (asset, perpetual, price) = match n {
        BTC => (BTC, BTC_PERP, 100_000),
        ETH => (ETH, ETH_PERP, 3_000),
        SOL => (SOL, SOL_PERP, 150),
        _ => {
            let asset = list_priced_asset(w, &format!("MID{n}"), 150.0);
            (asset, list_perpetual(w, asset), 150)
        }
    };
    let strikes = [
        (InstrumentKind::Put, 90),
        (InstrumentKind::Call, 100),
        (InstrumentKind::Put, 104),
        (InstrumentKind::Call, 120),
    ];
    let options = strikes.map(|(kind, percent)| list_option(w, asset, kind, expiry, price * percent / 100));
    Listed {
        options: options.to_vec(),
        perpetual,
        future: list_future(w, asset, expiry, 0),
        mint: list_mint(w, asset),
    }
}

fn list_mint(w: &mut World, asset: u8) -> Pubkey {
    let mint = w.vm.keypair().pubkey();
    w.vm.put(mint, TOKEN_PROGRAM, mint_account(DECIMALS));
    let args = ListCollateralArgs {
        asset,
        deposit_cap: 1_000_000_000,
        owner_deposit_cap: 1_000_000_000,
    };
    let authority = w.authority.insecure_clone();
    let list = instruction::list_collateral(&w.exchange, &authority.pubkey(), &mint, args);
    let outcome = w.vm.send(&[list], &[&authority]);
    ok(w, outcome);
    mint
}

/// A skewed surface for every asset; after the second one the slow means lag behind.
fn smile(w: &mut World, expiry: i64, percent: i64) {
    for asset in 0..w.board().asset_count {
        let mut update = flat(expiry, percent);
        update.surface.skew = -50_000_000;
        update.surface.curvature = 20_000_000;
        let outcome = publish(w, asset, &[update]);
        ok(w, outcome);
    }
}

/// Every index rises by 0.4 %, so that no slow price equals its index.
fn move_prices(w: &mut World) {
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_400.0), (ETH, 3_012.0), (SOL, 150.6)]);
    let now = w.vm.now();
    let mut refreshed = Vec::new();
    for asset in SOL + 1..w.board().asset_count {
        let feed_id = w.board().assets[usize::from(asset)].sources.sources[0].id;
        let account = w.vm.keypair().pubkey();
        let message = PriceMessage::new(feed_id, 150.6, now);
        w.vm.put(account, RECEIVERS[0], message.account_data(w.vm.clock().slot));
        refreshed.push((asset, account));
    }
    let refresh = instruction::refresh_prices(&w.exchange, &refreshed);
    let outcome = w.vm.send(&[refresh], &[]);
    ok(w, outcome);
    for asset in &w.board().assets[..usize::from(w.board().asset_count)] {
        assert_ne!(asset.price.index, asset.price.slow);
    }
}

/// Long and short options, a long perpetual against a short future, and a little collateral in each of the assets.
fn account(w: &mut World, listed: &[Listed], options: usize) -> User {
    let (user, maker) = (trader(w, 5_000_000), trader(w, 10_000_000));
    for l in listed {
        let signs = [1, -1, -1, 1];
        let mut legs: Vec<(usize, i64)> = (l.options.iter().zip(signs)).map(|(o, s)| (*o, s * 300)).collect();
        legs.truncate(options);
        legs.extend([(l.perpetual, 500), (l.future, -200)]);
        fill(w, &user, &maker, &legs);
        deposit_new(w, &user, &l.mint);
    }
    user
}

fn deposit_new(w: &mut World, user: &User, mint: &Pubkey) {
    let source = w.vm.keypair().pubkey();
    let amount = 1_000_000;
    w.vm.put(source, TOKEN_PROGRAM, token_account(mint, &user.key.pubkey(), amount));
    let deposit = instruction::deposit(&w.exchange, &user.account, mint, &source, amount);
    let outcome = w.vm.send(&[deposit], &[&user.key]);
    ok(w, outcome);
}

/// That the account is what the row says.
fn check(w: &World, user: &User, positions: usize, collaterals: usize) {
    let account = w.margin_account(&user.account.margin_account);
    assert_eq!(account.positions().len(), positions);
    let held = account.balances.iter().filter(|b| b.amount > 0).count();
    assert_eq!(held, collaterals);
}

fn summary(w: &mut World, user: &User) -> u64 {
    w.preview(&user.account.margin_account, PreviewSection::Summary).1
}
