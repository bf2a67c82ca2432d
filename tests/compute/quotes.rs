//! Signed quotes, on accounts with ten options of own strikes.
use ballast_sim::invariants::Leg;
use ballast_sim::world::{sign, User, World};
use ballast_tests::ok;

use crate::table::Table;

/// Measures a ledger's life and a fill that leaves a part of a quote of four options, which is dearer than one that uses it up.
pub fn measure(w: &mut World, [taker, maker]: [&User; 2], options: &[usize; 4], table: &mut Table) {
    let outcome = w.open_quotes(maker);
    table.add("open_quote_ledger", ok(w, outcome).compute_units, 20_000);
    let board = w.board();
    let leg = |(n, instrument): (usize, &usize)| {
        let listed = &board.instruments[*instrument];
        let mark = board.mark(listed, w.vm.now()).expect("a mark").0;
        Leg {
            instrument: *instrument,
            lots: if n.is_multiple_of(2) { 10 } else { -10 },
            price: (mark / listed.tick_size).max(1) * listed.tick_size,
        }
    };
    let legs: Vec<Leg> = options.iter().enumerate().map(leg).collect();
    let mut quote = w.quote(maker, 900, &legs);
    quote.max_units = 2;
    let outcome = w.fill_quote(&sign(&quote, &maker.key), taker, &maker.account, 1);
    let used = ok(w, outcome).compute_units;
    table.add(
        "fill_quote, a package of 4 legs, 10 options on each side, own strikes",
        used,
        380_000,
    );
    let outcome = w.cancel_quote(maker, 900);
    table.add("cancel_quote", ok(w, outcome).compute_units, 8_000);
    let outcome = w.raise_quote_floor(maker, 1_023);
    table.add("raise_quote_floor, by 1,023", ok(w, outcome).compute_units, 14_000);
    let outcome = w.close_quotes(maker);
    table.add("close_quote_ledger", ok(w, outcome).compute_units, 8_000);
}
