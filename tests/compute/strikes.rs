//! Options each of a strike of its own, on two expiries of one asset: nothing is priced together, and nothing is summed apart.
use ballast::state::{InstrumentKind, QUOTE_ASSET};
use ballast_sim::world::{World, BTC, ETH, SOL, START};
use ballast_tests::setup::*;
use ballast_tests::{elf, ok};

use crate::book::funded;
use crate::options::{fall_short, fill};
use crate::orders;
use crate::quotes;
use crate::table::Table;

/// Sixteen options of BTC on surfaces whose slow means lag, eight on each of two expiries, calls and puts by turns.
fn chain(w: &mut World) -> Vec<usize> {
    let now = w.vm.now();
    let expiries = [now + 25 * DAY, now + 60 * DAY];
    let mut options = Vec::new();
    for n in 0..16 {
        let kind = if n % 2 == 0 {
            InstrumentKind::Call
        } else {
            InstrumentKind::Put
        };
        let strike = 85_000 + 2_000 * n;
        options.push(list_option(w, BTC, kind, expiries[n as usize % 4 / 2], strike));
    }
    for percent in [60, 62] {
        w.vm.advance(60);
        let surfaces = expiries.map(|expiry| {
            let mut update = flat(expiry, percent);
            (update.surface.skew, update.surface.curvature) = (-50_000_000, 20_000_000);
            update
        });
        let outcome = publish(w, BTC, &surfaces);
        ok(w, outcome);
    }
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_400.0), (ETH, 3_000.0), (SOL, 150.0)]);
    options
}

/// Measures trades and a liquidation between accounts with such books.
pub fn measure(table: &mut Table) {
    let mut w = World::starting_at(&elf(), START, [100_000.0, 3_000.0, 150.0]);
    let options = chain(&mut w);
    let maker = trader(&mut w, 50_000_000);
    let (a, b) = (funded(&mut w, 5_000_000), funded(&mut w, 5_000_000));
    let legs: Vec<_> = options.iter().map(|option| (*option, 300)).collect();
    fill(&mut w, &a, &b, &legs[..5]);
    fill(&mut w, &a, &b, &legs[5..10]);
    let package = [
        (options[10], 10),
        (options[11], -10),
        (options[12], 10),
        (options[13], -10),
    ];
    let used = fill(&mut w, &a, &b, &package);
    table.add(
        "block_trade, 4 options, 10 options on each side, own strikes",
        used,
        420_000,
    );

    let (a, b) = (funded(&mut w, 5_000_000), funded(&mut w, 5_000_000));
    fill(&mut w, &a, &b, &legs[..5]);
    fill(&mut w, &a, &b, &legs[5..10]);
    let others = [options[10], options[11], options[12], options[13]];
    quotes::measure(&mut w, [&a, &b], &others, table);
    orders::measure_options(&mut w, &options, table);

    let user = funded(&mut w, 5_000_000);
    let alternate: Vec<_> = (legs.iter().enumerate())
        .map(|(n, (option, lots))| (*option, if n % 3 == 0 { -*lots } else { *lots }))
        .collect();
    fill(&mut w, &user, &maker, &alternate[..8]);
    fill(&mut w, &user, &maker, &alternate[8..]);
    fill(&mut w, &user, &maker, &[(BTC_PERP, 500), (ETH_PERP, 900)]);
    fall_short(&mut w, &user, &maker);
    let outcome = w.flag(&user.account.margin_account);
    ok(&w, outcome);
    w.vm.advance(2);
    let keeper = funded(&mut w, 5_000_000);
    // The first leg that frees margin.
    let step = options
        .iter()
        .find_map(|option| w.liquidate(*option, &user.account, &keeper, 5).ok());
    let used = step.expect("a leg frees margin").compute_units;
    table.add("liquidate, 16 options of own strikes, 2 linear", used, 420_000);
}
