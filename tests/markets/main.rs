//! A random walk through the markets: fifty accounts quote, take, cancel and settle in six instruments through the compiled program, four of
//! which expire and are listed again and again, while funding is paid and prices crash. After every instruction C1 to C5 are checked.
mod act;
mod calendar;
mod choose;
mod crowd;
mod tally;

use ballast_sim::invariants::Watch;
use ballast_sim::world::{World, START};
use ballast_tests::random::Random;
use ballast_tests::{elf, ok};

use calendar::Calendar;
use choose::Prices;
use crowd::Crowd;
use tally::Tally;

/// Instructions of the walk.
const STEPS: usize = 20_000;
/// Accounts.
const ACCOUNTS: usize = 50;

#[test]
fn fifty_accounts_in_six_instruments() {
    let mut world = World::starting_at(&elf(), START, choose::START_PRICES);
    let mut random = Random::new(20_261_121);
    let mut calendar = Calendar::list(&mut world);
    let mut crowd = Crowd::new(&mut world, ACCOUNTS);
    let mut prices = Prices::default();
    let mut tally = Tally::default();
    world.watch = Some(Watch::default());
    for step in 0..STEPS {
        let act = choose::next(&mut world, &crowd, &mut calendar, &mut prices, &mut random);
        let context = format!("step {step}: {act:?}");
        let outcome = act.send(&mut world, &mut crowd, &mut calendar);
        tally.count(&act, &outcome);
        let watch = world.watch.as_ref().expect("the world is watched");
        watch.verdict().unwrap_or_else(|broken| panic!("{context}: {broken}"));
    }
    let watch = world.watch.clone().expect("the world is watched");
    println!("{tally}{} expiries were closed\n{watch:?}", calendar.closed);
    tally.everything_happened();
    assert!(watch.held[..3].iter().all(|held| *held > 10_000), "{watch:?}");
    assert!(watch.held.iter().all(|held| *held > 50), "{watch:?}");
    assert!(calendar.closed >= 8, "{} expiries", calendar.closed);
    at_rest(&mut world, &crowd);
}

/// With every order cancelled and every account reconciled, an owner's record counts exactly what its account holds, nothing is reserved, and
/// no book has an order left.
fn at_rest(world: &mut World, crowd: &Crowd) {
    for user in &crowd.users {
        let key = user.account.margin_account;
        let account = world.margin_account(&key);
        let resting: Vec<usize> = (account.books.iter())
            .filter(|book| book.count > 0)
            .map(|book| book.instrument.into())
            .collect();
        if !resting.is_empty() {
            let outcome = world.cancel_all(user, &resting);
            ok(world, outcome);
        }
        let outcome = world.reconcile(&key);
        ok(world, outcome);
        let (account, board) = (world.margin_account(&key), world.board());
        assert_eq!((account.order_reserve, account.order_count()), (0, 0));
        let record = world.read::<ballast::state::OwnerRecord>(&account.owner);
        for (asset, counted) in record.open_interest.iter().enumerate() {
            let held = account.positions().iter().filter(|p| usize::from(p.asset) == asset);
            let size = |p: &ballast::state::Position| {
                p.lots.unsigned_abs() * board.instruments[usize::from(p.instrument)].lot_size.unsigned_abs()
            };
            assert_eq!(*counted, held.map(size).sum::<u64>(), "open interest of {key}");
        }
    }
    for instrument in 0..world.markets.len() {
        if world.board().instruments[instrument].kind == 0 {
            continue; // closed
        }
        for side in [ballast_book::Side::Bid, ballast_book::Side::Ask] {
            assert!(world.orders(instrument, side).is_empty(), "orders left in {instrument}");
        }
    }
}
