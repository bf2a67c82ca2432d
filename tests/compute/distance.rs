//! How far a price may move: every evaluation that one call makes at most.
use ballast::instructions::{PreviewChange, PreviewSection};
use ballast::state::InstrumentKind;
use ballast_sim::world::{User, World, BTC, ETH, START};
use ballast_tests::setup::*;
use ballast_tests::{elf, ok};

use crate::book::funded;
use crate::options::fill;
use crate::table::Table;

/// Two calls of BTC at each of these expiries in days: as many as an asset can have, the last of them genesis's own.
const DAYS: [i64; 12] = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60];

fn calls(w: &mut World) -> Vec<usize> {
    let mut calls = Vec::new();
    for some in DAYS.chunks(3) {
        let expiries: Vec<i64> = some.iter().map(|days| START + days * DAY).collect();
        for expiry in &expiries {
            for strike in [95_000, 110_000] {
                calls.push(list_option(w, BTC, InstrumentKind::Call, *expiry, strike));
            }
        }
        let surfaces: Vec<_> = expiries.iter().map(|expiry| flat(*expiry, 60)).collect();
        let outcome = publish(w, BTC, &surfaces);
        ok(w, outcome);
    }
    calls
}

fn distance(w: &mut World, user: &User, asset: u8, changes: &[PreviewChange]) -> u64 {
    let section = PreviewSection::Distance {
        asset,
        from: 0,
        to: 1_000_000_000,
        steps: u8::MAX,
    };
    w.what_if(&user.account.margin_account, section, changes).1
}

/// Measures books of 16 and 24 strikes in one asset, the most that an account holds.
pub fn measure(table: &mut Table) {
    let mut w = World::starting_at(&elf(), START, [100_000.0, 3_000.0, 150.0]);
    let calls = calls(&mut w);
    let (user, maker) = (funded(&mut w, 5_000_000), trader(&mut w, 5_000_000));
    let legs: Vec<_> = calls.iter().map(|call| (*call, 100)).collect();
    let linear = [
        (BTC_PERP, 500),
        (BTC_FUTURE, -300),
        (ETH_PERP, 900),
        (ETH_FUTURE, -700),
        (SOL_PERP, 50),
        (SOL_FUTURE, 60),
    ];
    fill(&mut w, &user, &maker, &linear);
    fill(&mut w, &user, &maker, &legs[..16]);
    let ceiling = 1_400_000;
    let used = distance(&mut w, &user, BTC, &[]);
    table.add("preview, distance of 16 options, 6 linear", used, ceiling);
    fill(&mut w, &user, &maker, &legs[16..]);
    let used = distance(&mut w, &user, BTC, &[]);
    table.add("preview, distance of 24 options, 6 linear", used, ceiling);
    let changes: Vec<_> = legs[..8]
        .iter()
        .map(|(call, lots)| PreviewChange::Leg {
            instrument: *call as u16,
            lots: *lots,
            price: 0,
        })
        .collect();
    let used = distance(&mut w, &user, BTC, &changes);
    table.add("preview, the same after 8 trades", used, ceiling);
    let used = distance(&mut w, &user, ETH, &[]);
    table.add("preview, distance of ETH, 24 options of BTC", used, ceiling);
}
