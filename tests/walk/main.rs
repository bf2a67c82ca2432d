//! Random walks through the compiled program: honest wallets, hostile ones and keepers do everything that there is to do, in and out of
//! season, through crashes and silent feeds, and after every step everything that must hold is checked.
mod act;
mod check;
mod choose;
mod random;
mod tally;
mod view;

use ballast_sim::invariants::conservation;
use ballast_sim::world::{World, START};
use ballast_tests::elf;
use ballast_tests::setup::*;

use act::Actors;
use random::Random;
use tally::Tally;
use view::View;

/// Instructions of one walk.
const STEPS: usize = 2_500;

/// Walks and checks; every instruction must have gone through at least once, and every one that can be refused must have been.
fn walk(seed: u64) {
    let mut world = World::starting_at(&elf(), START, [100_000.0, 3_000.0, 150.0]);
    let mut actors = Actors::new(&mut world);
    let (mut random, mut tally) = (Random::new(seed), Tally::default());
    let mut prices = choose::Prices::new();
    for step in 0..STEPS {
        if step == STEPS / 3 {
            govern(&mut world, &mut tally);
        }
        let view = View::of(&world, &actors);
        let act = choose::next(&mut world, &actors, &view, &mut prices, &mut random);
        let before = View::of(&world, &actors); // prices may have been posted and time may have passed
        let outcome = act.send(&mut world, &actors);
        tally.count(&act, &outcome);
        let context = format!("seed {seed}, step {step}: {act:?}");
        conservation(&world).unwrap_or_else(|e| panic!("{context}: {e:?}"));
        actors.follow(&world, &act, outcome.is_ok());
        let after = View::of(&world, &actors);
        match &outcome {
            Ok(receipt) => check::accepted(&mut world, &actors, &act, &before, &after, receipt, &context),
            Err(_) => check::refused(&before, &after, &context),
        }
    }
    println!("seed {seed}\n{tally}");
    tally.everything_happened();
}

/// New listings, and a second exchange, beside what goes on.
fn govern(world: &mut World, tally: &mut Tally) {
    list_future(world, 0, START + 90 * DAY, 10_000_000);
    second_exchange(world);
    for name in ["create_exchange", "list_asset", "list_collateral", "list_instrument"] {
        tally.governed(name);
    }
}

#[test]
fn random_walk_first_seed() {
    walk(1);
}

#[test]
fn random_walk_second_seed() {
    walk(20_201_012);
}

#[test]
fn random_walk_third_seed() {
    walk(0xBA11_A575);
}
