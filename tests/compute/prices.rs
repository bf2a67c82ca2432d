//! Prices: one source or three, one asset or as many as fit a transaction, and what follows from a price that moves.
use anchor_lang::prelude::Pubkey;
use ballast::instructions::PreviewSection;
use ballast::state::QUOTE_ASSET;
use ballast_client::instruction;
use ballast_migrations::config;
use ballast_sim::vm::packet_size;
use ballast_sim::world::{may_jump, PriceMessage, World, BTC, ETH, RECEIVERS, SOL, START};
use ballast_tests::setup::{list_future, list_priced_asset, DAY};
use ballast_tests::sources::Sources;
use ballast_tests::staked::Staked;
use ballast_tests::{elf, ok, world};
use solana_signer::Signer;

use crate::book::{fill_book, funded, ASSETS, HEDGED};
use crate::table::Table;

/// Bytes that the network carries as one transaction.
const PACKET: usize = 1_232;

/// Measures all of that.
pub fn measure(table: &mut Table) {
    one_by_one(table);
    three_sources(table);
    sixteen(table);
    staked(table);
    moving(table);
}

/// The exchange as genesis has it, ψ following the market, but prices may jump.
fn lively() -> World {
    let mut w = World::live(&elf(), START, [100_000.0, 3_000.0, 150.0]);
    for asset in [QUOTE_ASSET, BTC, ETH, SOL] {
        let feed = may_jump(config::feed(w.feed_id(asset)));
        let outcome = w.set_sources(asset, feed);
        ok(&w, outcome);
    }
    w
}

/// Posts the three assets' prices times `factor` after `seconds` and refreshes so many of them; its compute units.
fn refreshed(w: &mut World, seconds: i64, factor: f64, count: usize) -> u64 {
    w.vm.advance(seconds);
    for (asset, price) in ASSETS.into_iter().zip([100_000.0, 3_000.0, 150.0]) {
        w.post_price(asset, price * factor);
    }
    let outcome = w.refresh(&ASSETS[..count]);
    ok(w, outcome).compute_units
}

fn one_by_one(table: &mut Table) {
    let mut w = lively();
    refreshed(&mut w, 30, 1.001, 3);
    let one = refreshed(&mut w, 30, 1.0, 1);
    table.add("refresh_prices, 1 asset", one, 7_000);
    let three = refreshed(&mut w, 30, 1.001, 3);
    table.add("refresh_prices, 3 assets that move ψ", three, 15_000);
    table.add("refresh_prices, each further asset", (three - one) / 2, 4_000);
    // An hour closes with it, and its return joins the variance.
    let hour = refreshed(&mut w, 3_600, 1.002, 3);
    table.add("refresh_prices, 3 assets, first of an hour", hour, 18_000);
}

fn three_sources(table: &mut Table) {
    let mut w = lively();
    let all = [BTC, ETH].map(|asset| Sources::bind(&mut w, asset, 3, |_| {}));
    let post = |w: &mut World, factor: f64| {
        w.vm.advance(30);
        for (sources, price) in all.iter().zip([100_000.0, 3_000.0]) {
            for (source, off) in [1.0, 1.001, 0.9995].into_iter().enumerate() {
                sources.post(w, source, price * factor * off);
            }
        }
    };
    post(&mut w, 1.0);
    for sources in &all {
        let outcome = sources.refresh(&mut w, &[0, 1, 2]);
        ok(&w, outcome);
    }
    post(&mut w, 1.001);
    let outcome = all[0].refresh(&mut w, &[0, 1, 2]);
    let one = ok(&w, outcome).compute_units;
    table.add("refresh_prices, 1 asset of 3 sources", one, 9_000);
    post(&mut w, 1.002);
    let mut named = Vec::new();
    for sources in &all {
        named.extend((0..3).map(|source| (sources.asset, sources.account(&w, source))));
    }
    let refresh = instruction::refresh_prices(&w.exchange, &named);
    let outcome = w.vm.send(&[refresh], &[]);
    let two = ok(&w, outcome).compute_units;
    table.add("refresh_prices, a further asset of 3 sources", two - one, 9_000);
    let authority = w.authority.insecure_clone();
    let mut feed = config::feed(w.feed_id(BTC));
    feed.sources
        .extend(all[0].feeds.map(ballast_tests::sources::switchboard));
    let bind = instruction::set_price_sources(&w.exchange, &authority.pubkey(), BTC, feed);
    let outcome = w.vm.send(&[bind], &[&authority]);
    table.add("set_price_sources, 3 sources", ok(&w, outcome).compute_units, 6_000);
}

/// Sixteen assets, each from an account of its own, without a lookup table.
fn sixteen(table: &mut Table) {
    let mut w = world();
    for n in 3..16 {
        list_priced_asset(&mut w, &format!("MID{n}"), 150.0);
    }
    let refresh = |w: &mut World, factor: f64| {
        w.vm.advance(30);
        let board = w.board();
        let mut named: Vec<(u8, Pubkey)> = Vec::new();
        for (asset, listed) in (0u8..16).zip(&board.assets) {
            let price = listed.price.index as f64 / 1e9 * factor;
            let update = PriceMessage::new(listed.sources.sources[0].id, price, w.vm.now());
            let account = w.vm.keypair().pubkey();
            w.vm.put(account, RECEIVERS[0], update.account_data(w.vm.clock().slot));
            named.push((asset, account));
        }
        let refresh = instruction::refresh_prices(&w.exchange, &named);
        let size = packet_size(&w.vm.payer.pubkey(), std::slice::from_ref(&refresh), &[]);
        assert!(size <= PACKET, "{size} bytes");
        let outcome = w.vm.send(&[refresh], &[]);
        (ok(w, outcome).compute_units, size)
    };
    refresh(&mut w, 1.001);
    let (used, size) = refresh(&mut w, 1.001);
    println!("refresh of 16 assets: {size} bytes of transaction");
    table.add("refresh_prices, 16 assets", used, 67_000);
}

fn staked(table: &mut Table) {
    let mut w = world();
    let staked = Staked::list(&mut w);
    w.set_prices(&[(SOL, 151.0)]);
    let outcome = staked.refresh(&mut w);
    table.add("refresh_prices, a staked token", ok(&w, outcome).compute_units, 5_000);
}

/// ψ over the table's, an account of eight positions in its grace, and correlations counted.
fn moving(table: &mut Table) {
    let mut w = lively();
    list_future(&mut w, BTC, START + 90 * DAY, 10_000_000);
    list_future(&mut w, ETH, START + 90 * DAY, 10_000_000);
    let (user, other) = (funded(&mut w, 50_000), funded(&mut w, 50_000));
    fill_book(&mut w, &user, &other, &HEDGED);
    refreshed(&mut w, 30, 0.92, 3);
    w.set_prices(&[(QUOTE_ASSET, 1.0)]);
    let key = user.account.margin_account;
    let multiples = |w: &World| w.board().assets[usize::from(BTC)].scale.multiples(w.vm.now());
    let (initial, maintenance) = multiples(&w);
    assert!(initial > 1_500_000 && maintenance == 1_000_000);
    let used = w.preview(&key, PreviewSection::Summary).1;
    table.add("preview, 8 positions whose ψ has just risen", used, 70_000);
    let risen = refreshed(&mut w, 30, 0.921, 3);
    table.add("refresh_prices, 3 assets whose ψ has risen", risen, 18_000);
    let later = refreshed(&mut w, 1_700, 0.921, 3);
    table.add("refresh_prices, the same half an hour later", later, 24_000);
    w.set_prices(&[(QUOTE_ASSET, 1.0)]);
    assert_eq!(multiples(&w).0, multiples(&w).1);
    let used = w.preview(&key, PreviewSection::Summary).1;
    table.add("preview, 8 positions, ψ over the table's", used, 40_000);
    for hour in 0..8 {
        refreshed(&mut w, 3_600, 0.921 + 0.001 * f64::from(hour % 3), 3);
    }
    let update = instruction::update_correlations(&w.exchange);
    let outcome = w.vm.send(std::slice::from_ref(&update), &[]);
    ok(&w, outcome);
    let outcome = w.vm.send(&[update], &[]);
    table.add(
        "update_correlations, 3 pairs, 4 hours",
        ok(&w, outcome).compute_units,
        60_000,
    );
}
