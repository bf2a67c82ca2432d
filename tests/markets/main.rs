//! A random walk through the markets: fifty accounts quote, take, cancel and settle in six instruments through the compiled program, four of
//! which expire and are listed again and again and a fifth, a perpetual, is delisted and listed again, while funding and rebates are paid,
//! referrers earn, feeds fail and prices crash. After every instruction C1 to C5 are checked.
mod act;
mod calendar;
mod choose;
mod crowd;
mod tally;

use ballast::state::{Exchange, FeeSchedule, FeeTier};
use ballast_migrations::config;
use ballast_sim::invariants::Watch;
use ballast_sim::world::{User, World, START};
use ballast_tests::random::Random;
use ballast_tests::setup::edit;
use ballast_tests::{elf, ok};

use calendar::Calendar;
use choose::Prices;
use crowd::Crowd;
use tally::Tally;

/// Instructions of the walk.
const STEPS: usize = 20_000;
/// Accounts.
const ACCOUNTS: usize = 50;
/// 5 and 2 basis points, and from volumes on that some reach a rebate of a half; a fifth to the fund and a tenth to referrers.
const FEES: FeeSchedule = FeeSchedule {
    tiers: [
        FeeTier {
            min_volume: 500_000,
            taker_ppm: 400,
            maker_ppm: 100,
        },
        FeeTier {
            min_volume: REBATES_FROM,
            taker_ppm: 300,
            maker_ppm: -50,
        },
        FeeTier {
            min_volume: 0,
            taker_ppm: 0,
            maker_ppm: 0,
        },
        FeeTier {
            min_volume: 0,
            taker_ppm: 0,
            maker_ppm: 0,
        },
    ],
    ..config::FEES
};
/// The volume from which makers are paid, dollars.
const REBATES_FROM: u64 = 2_000_000;

#[test]
fn fifty_accounts_in_six_instruments() {
    let mut world = World::starting_at(&elf(), START, choose::START_PRICES);
    let mut random = Random::new(20_261_121);
    let exchange = world.exchange.key;
    edit::<Exchange>(&mut world, &exchange, |exchange| exchange.fees = FEES);
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
    println!(
        "{tally}{} expiries and {} perpetuals were closed; of all instruments {} had a price at their end and {} later\n{watch:?}",
        calendar.closed, calendar.relisted, calendar.on_time, calendar.extended
    );
    tally.everything_happened();
    assert!(watch.held[..3].iter().all(|held| *held > 10_000), "{watch:?}");
    assert!(watch.held.iter().all(|held| *held > 50), "{watch:?}");
    assert!(calendar.closed >= 8, "{} expiries", calendar.closed);
    assert!(calendar.relisted >= 1, "{} perpetuals", calendar.relisted);
    let windows = [calendar.on_time, calendar.extended];
    assert!(windows.iter().all(|n| *n >= 8), "on time and later: {windows:?}");
    let volume = |user: &User| world.margin_account(&user.account.margin_account).volume.total;
    let paid = crowd.users[..crowd::MAKERS]
        .iter()
        .filter(|maker| volume(maker) > 2 * REBATES_FROM);
    assert!(paid.count() > 2, "makers are paid rebates");
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
