//! Random walks through the compiled program: honest wallets, hostile ones and keepers do everything that there is to do, in and out of
//! season, through crashes and silent feeds, and after every step everything that must hold is checked.
mod act;
mod check;
mod choose;
mod options;
mod tally;
mod view;

use ballast_sim::invariants::Watch;
use ballast_sim::world::{World, START};
use ballast_tests::setup::*;
use ballast_tests::{elf, ok};

use act::Actors;
use ballast_tests::random::Random;
use tally::Tally;
use view::View;

/// Instructions of one walk.
const STEPS: usize = 2_500;

/// The world, who acts in it, and what has happened.
struct Walk {
    world: World,
    actors: Actors,
    prices: choose::Prices,
    random: Random,
    tally: Tally,
    seed: u64,
}

impl Walk {
    fn new(seed: u64, actors: fn(&mut World) -> Actors) -> Walk {
        let mut world = World::starting_at(&elf(), START, [100_000.0, 3_000.0, 150.0]);
        options::list(&mut world);
        let actors = actors(&mut world);
        world.watch = Some(Watch::default());
        Walk {
            actors,
            world,
            prices: choose::Prices::new(),
            random: Random::new(seed),
            tally: Tally::default(),
            seed,
        }
    }

    /// One instruction, and all that must hold after it.
    fn step(&mut self, step: usize) {
        let Walk {
            world,
            actors,
            prices,
            random,
            tally,
            seed,
        } = self;
        let view = View::of(world);
        let act = choose::next(world, actors, &view, prices, random);
        let outcome = act.send(world, actors);
        tally.count(&act, &outcome, &view.board);
        let context = format!("seed {seed}, step {step}: {act:?}");
        let watch = world.watch.as_ref().expect("the world is watched");
        watch.verdict().unwrap_or_else(|broken| panic!("{context}: {broken}"));
        if outcome.is_ok() {
            check::accepted(world, actors, &act, &context);
        }
        actors.follow(world, &act, outcome.is_ok());
    }
}

/// Walks and checks; every instruction must have gone through at least once, and every one that can be refused must have been.
fn walk(seed: u64) {
    let mut walk = Walk::new(seed, Actors::new);
    for step in 0..STEPS {
        if step == STEPS / 3 {
            govern(&mut walk.world, &mut walk.tally);
        }
        walk.step(step);
    }
    println!("seed {seed}\n{}{:?}", walk.tally, walk.world.watch);
    walk.tally.everything_happened();
    let held = walk.world.watch.expect("the world is watched").held;
    assert!(held.iter().all(|times| *times > 100), "{held:?}");
}

/// All wallets belong to one attacker, who trades, settles, defaults and liquidates in a circle while prices crash: at no time does he
/// hold more outside than he brought, the fund never shrinks, and the one depositor who trades nothing gets all of his back.
fn conspire(seed: u64) {
    let mut walk = Walk::new(seed, Actors::conspiracy);
    let depositor = trader(&mut walk.world, 1_000_000);
    let outcome = walk.world.fund_insurance(&depositor, 20_000 * USD);
    ok(&walk.world, outcome);
    let brought = 9 * 80_000 * USD;
    for step in 0..STEPS {
        walk.step(step);
        let outside = walk.actors.outside(&walk.world);
        assert!(outside <= brought, "seed {seed}, step {step}: {outside} outside");
    }
    println!("conspiracy {seed}\n{}", walk.tally);
    let usd = walk.world.usd;
    let outcome = walk.world.withdraw(&depositor, &usd, 1_000_000 * USD);
    ok(&walk.world, outcome);
    for user in &walk.actors.users {
        for bit in (0..40).rev() {
            let _ = walk.world.withdraw(user, &usd, 1 << bit); // what goes, goes
        }
    }
    assert!(walk.actors.outside(&walk.world) <= brought);
}

/// New listings, and a second exchange, beside what goes on.
fn govern(world: &mut World, tally: &mut Tally) {
    list_future(world, 0, START + 90 * DAY, 10_000_000);
    second_exchange(world);
    for name in [
        "create_exchange",
        "list_asset",
        "list_collateral",
        "list_instrument",
        "set_volatility_publisher",
    ] {
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

#[test]
fn random_conspiracy_first_seed() {
    conspire(7);
}

#[test]
fn random_conspiracy_second_seed() {
    conspire(70_007);
}
