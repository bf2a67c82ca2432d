//! What the end of an instrument costs, on accounts with eight linear positions.
use ballast::instructions::PreviewSection;
use ballast::state::QUOTE_ASSET;
use ballast_sim::world::{World, BTC, ETH, SOL};
use ballast_tests::ok;
use ballast_tests::setup::{trade, trader, BTC_FUTURE, BTC_PERP, DAY};

use crate::book::{eight_instruments, fill_book, funded, ASSETS, HEDGED};
use crate::table::Table;

/// Adds the rows.
pub fn measure(table: &mut Table) {
    let mut world = eight_instruments();
    let w = &mut world;
    let (user, other) = (funded(w, 1_000_000), funded(w, 1_000_000));
    fill_book(w, &user, &other, &HEDGED);
    let (debtor, claimant) = (funded(w, 1_000_000), funded(w, 1_000_000));
    fill_book(w, &debtor, &claimant, &HEDGED);
    let ends_at = w.vm.now() + 90 * DAY;
    let outcome = w.delist(BTC_PERP, ends_at);
    table.add("delist_instrument", ok(w, outcome).compute_units, 5_000);
    let expiry = w.board().instruments[BTC_FUTURE].expiry;
    w.walk_window(BTC, expiry, [1, 30], |_| 100_000.0);
    for asset in ASSETS {
        w.post_price(asset, [101_000.0, 3_010.0, 151.0][usize::from(asset)]);
    }
    let outcome = w.refresh(&ASSETS);
    let used = ok(w, outcome).compute_units;
    table.add("refresh_prices, 3 assets in a settlement window", used, 25_000);
    w.vm.advance(30);
    let (_, used) = w.preview(&user.account.margin_account, PreviewSection::Summary);
    table.add("preview, 8 positions in a settlement window", used, 60_000);
    let beside = aside(w);
    table.add("preview, a perpetual beside an expiry that settles", beside, 12_000);
    w.walk_window(BTC, expiry, [32, 60], |_| 102_000.0);
    let outcome = w.fix_settlement(BTC, expiry);
    table.add("fix_settlement", ok(w, outcome).compute_units, 4_000);
    // Who comes before the losers waits, and may give up what he waits for.
    let outcome = w.settle_expiry(&claimant.account.margin_account, BTC_FUTURE);
    ok(w, outcome);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 102_000.0), (ETH, 3_010.0), (SOL, 151.0)]);
    let outcome = w.waive_claim(&claimant, BTC_FUTURE);
    table.add("waive_claim, 8 positions", ok(w, outcome).compute_units, 60_000);
    let outcome = w.settle_expiry(&debtor.account.margin_account, BTC_FUTURE);
    ok(w, outcome);
    // The seller of the future has lost, and its cash pays.
    for (name, account) in [("a loss", &user), ("a gain", &other)] {
        let outcome = w.settle_expiry(&account.account.margin_account, BTC_FUTURE);
        let used = ok(w, outcome).compute_units;
        table.add(&format!("settle_expiry, {name}, 8 positions"), used, 25_000);
    }
    close(w, table);
}

/// Who holds nothing that settles pays nothing for it.
fn aside(w: &mut World) -> u64 {
    let (user, maker) = (trader(w, 10_000), trader(w, 1_000_000));
    for asset in ASSETS {
        w.post_price(asset, [101_000.0, 3_010.0, 151.0][usize::from(asset)]);
    }
    w.post_price(QUOTE_ASSET, 1.0);
    let outcome = w.refresh(&[BTC, ETH, SOL, QUOTE_ASSET]);
    ok(w, outcome);
    trade(w, BTC_PERP, &user, &maker, 100, 101_000.0);
    w.preview(&user.account.margin_account, PreviewSection::Summary).1
}

fn close(w: &mut World, table: &mut Table) {
    let outcome = w.close_instrument(BTC_FUTURE);
    table.add("close_instrument", ok(w, outcome).compute_units, 20_000);
}
