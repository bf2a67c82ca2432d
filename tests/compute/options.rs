//! Accounts with options.
use ballast::instructions::{PreviewSection, TradeLeg};
use ballast::state::{InstrumentKind, MarginAccount, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_sim::world::{User, World, BTC, ETH, SOL, START};
use ballast_tests::setup::*;
use ballast_tests::{elf, ok};
use solana_signer::Signer;

use crate::book::funded;
use crate::table::Table;

/// Options of BTC and ETH around the money on two expiries each, with skewed surfaces whose slow means lag behind them.
fn chain(w: &mut World) -> Vec<usize> {
    let now = w.vm.now();
    let mut options = Vec::new();
    for (asset, strikes) in [
        (BTC, [90_000, 100_000, 105_000, 120_000]),
        (ETH, [2_700, 3_000, 3_150, 3_600]),
    ] {
        let expiries = [now + 25 * DAY, now + 60 * DAY];
        for expiry in expiries {
            for strike in strikes {
                for kind in [InstrumentKind::Call, InstrumentKind::Put] {
                    options.push(list_option(w, asset, kind, expiry, strike));
                }
            }
        }
        let surfaces = |percent| {
            expiries.map(|expiry| {
                let mut update = flat(expiry, percent);
                update.surface.skew = -50_000_000;
                update.surface.curvature = 20_000_000;
                update
            })
        };
        let outcome = publish(w, asset, &surfaces(60));
        ok(w, outcome);
        w.vm.advance(60);
        let outcome = publish(w, asset, &surfaces(62));
        ok(w, outcome);
    }
    w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0), (ETH, 3_000.0), (SOL, 150.0)]);
    options
}

/// Buys (sells) lots at the mark, eight legs at a time.
pub fn fill(w: &mut World, taker: &User, maker: &User, legs: &[(usize, i64)]) -> u64 {
    let board = w.board();
    let mut used = 0;
    for some in legs.chunks(8) {
        let legs: Vec<_> = some
            .iter()
            .map(|(instrument, lots)| {
                let listed = board.instruments[*instrument];
                let mark = board.mark(&listed, w.vm.now()).unwrap().0;
                let price = (mark / listed.tick_size).max(1) * listed.tick_size;
                (w.markets[*instrument], TradeLeg { lots: *lots, price })
            })
            .collect();
        let trade = instruction::package_trade(&w.exchange, &legs, &taker.account, &maker.account);
        let outcome = w.vm.send(&[trade], &[&taker.key, &maker.key]);
        used = ok(w, outcome).compute_units;
    }
    used
}

fn summary(w: &mut World, user: &User) -> u64 {
    w.preview(&user.account.margin_account, PreviewSection::Summary).1
}

/// Measures the margin of option books and what is done with them.
pub fn measure(table: &mut Table) {
    let mut w = World::starting_at(&elf(), START, [100_000.0, 3_000.0, 150.0]);
    let options = chain(&mut w);
    let maker = trader(&mut w, 50_000_000);
    let alternate = |n: usize, lots: i64| if n.is_multiple_of(2) { lots } else { -lots };
    let legs: Vec<_> = options
        .iter()
        .enumerate()
        .map(|(n, o)| (*o, alternate(n / 3, 300)))
        .collect();

    // The second one has another strike: a call and a put of one strike are priced together.
    let few = trader(&mut w, 1_000_000);
    fill(&mut w, &few, &maker, &legs[..1]);
    let one = summary(&mut w, &few);
    table.add("preview, one option", one, 25_000);
    fill(&mut w, &few, &maker, &legs[2..3]);
    let more = summary(&mut w, &few) - one;
    table.add("one more option over 24 scenarios", more, 9_000);

    let sixteen = funded(&mut w, 5_000_000);
    fill(&mut w, &sixteen, &maker, &legs[..8]);
    fill(&mut w, &sixteen, &maker, &legs[16..24]);
    let linear = [
        (BTC_PERP, 500),
        (BTC_FUTURE, -300),
        (ETH_PERP, 900),
        (ETH_FUTURE, -700),
        (SOL_PERP, 50),
        (SOL_FUTURE, 60),
    ];
    fill(&mut w, &sixteen, &maker, &linear);
    let (usd, key) = (w.usd, sixteen.account.margin_account);
    let held: Vec<usize> = (w.margin_account(&key).positions().iter())
        .map(|p| usize::from(p.instrument))
        .collect();
    for some in held.chunks(8) {
        let outcome = w.settle(&key, some);
        ok(&w, outcome);
    }
    let outcome = w.withdraw(&sixteen, &usd, USD);
    let used = ok(&w, outcome).compute_units;
    table.add("withdraw, 16 options, 6 linear, 2 collaterals", used, 250_000);

    let full = funded(&mut w, 5_000_000);
    fill(&mut w, &full, &maker, &legs[..24]);
    fill(&mut w, &full, &maker, &linear);
    let used = summary(&mut w, &full);
    table.add("preview, 24 options, 6 linear, 2 collaterals", used, 280_000);
    let key = full.account.margin_account;
    let (_, used) = w.preview(&key, PreviewSection::Isolated);
    table.add("preview, isolated margins of 24 options, 6 linear", used, 700_000);
    let (_, used) = w.preview(&key, PreviewSection::Greeks { first: 0 });
    table.add("preview, greeks of 24 options, 6 linear", used, 200_000);
    let (_, used) = w.preview(&key, PreviewSection::Risk);
    table.add("preview, value at risk of 24 options, 6 linear", used, 200_000);

    let (a, b) = (funded(&mut w, 5_000_000), funded(&mut w, 5_000_000));
    fill(&mut w, &a, &b, &legs[..5]);
    fill(&mut w, &a, &b, &legs[16..21]);
    let used = fill(
        &mut w,
        &a,
        &b,
        &[(options[0], 10), (options[1], -10), (options[2], 10), (options[3], -10)],
    );
    table.add("block_trade, 4 options, 10 options on each side", used, 420_000);
    liquidation(&mut w, &sixteen, &maker, &options, table);
    publishing(&mut w, table);
}

/// Lets the account lose on its perpetual, and the maker gain, until it is a dollar under its maintenance margin.
pub fn fall_short(w: &mut World, user: &User, maker: &User) {
    let key = user.account.margin_account;
    let s = w.summary(&key);
    let units = (s.equity_liquidation - s.maintenance_margin) / 100 + 1_000_000;
    let other = maker.account.margin_account;
    let perpetual = |a: &mut MarginAccount, units: i64| {
        let at = a.find(BTC_PERP as u16).expect("a position");
        a.positions[at].quote += units;
    };
    edit::<MarginAccount>(w, &key, |a| perpetual(a, -units));
    edit::<MarginAccount>(w, &other, |a| perpetual(a, units));
}

/// Lets the account lose until it is a dollar under its maintenance margin, and takes over a part of one of its options.
fn liquidation(w: &mut World, user: &User, maker: &User, options: &[usize], table: &mut Table) {
    let keeper = funded(w, 5_000_000);
    let key = user.account.margin_account;
    fall_short(w, user, maker);
    let outcome = w.flag(&key);
    table.add(
        "flag, 16 options, 6 linear, 2 collaterals",
        ok(w, outcome).compute_units,
        120_000,
    );
    w.vm.advance(2);
    // The first leg that frees margin.
    let step = options
        .iter()
        .find_map(|option| w.liquidate(*option, &user.account, &keeper, 5).ok());
    let used = step.expect("a leg frees margin").compute_units;
    table.add("liquidate, 16 options, 6 linear, 2 collaterals", used, 420_000);
}

fn publishing(w: &mut World, table: &mut Table) {
    let authority = w.authority.insecure_clone();
    let key = authority.pubkey();
    let name = instruction::set_volatility_publisher(&w.exchange, &key, key);
    let outcome = w.vm.send(&[name], &[&authority]);
    table.add("set_volatility_publisher", ok(w, outcome).compute_units, 2_000);
    w.vm.advance(60);
    let times: Vec<i64> = w.board().assets[usize::from(BTC)]
        .expiries
        .iter()
        .map(|e| e.time)
        .collect();
    let now = w.vm.now();
    let mut updates: Vec<_> = times.iter().filter(|t| **t > now).map(|t| flat(*t, 62)).collect();
    for update in &mut updates {
        update.surface.skew = -50_000_000;
        update.surface.curvature = 20_000_000;
    }
    let refresh = instruction::refresh_surface(&w.exchange, &key, BTC, updates);
    let outcome = w.vm.send(&[refresh], &[&authority]);
    table.add("refresh_surface, 3 expiries", ok(w, outcome).compute_units, 30_000);
}
