//! Days on which markets fell, through the compiled program with the limits of genesis, where one update in a hundred each is late, wrong by
//! a tenth, or missing. BTC and ETH have three sources, SOL has one.
//!
//! Accounts stand just above their maintenance margin all the time. A keeper flags and liquidates whatever the program lets it: no account that
//! is healthy at the true prices of that moment. Traders try to trade at every step: never at a stale price.
mod faults;
mod path;
mod sentinel;
mod stage;
mod truth;

use ballast::error::BallastError;
use ballast::oracle::FeedConfig;
use ballast_oracle::Guard;
use ballast_sim::world::{World, BTC, SOL, START};
use ballast_tests::setup::PRICE;
use ballast_tests::sources::Sources;
use ballast_tests::{elf, ok, refused};
use path::{Path, ASSETS};
use stage::{Seen, Stage, GENESIS};

/// Six hours of a day; the demo's prices where there are none of that day.
fn replay(day: &str, hour: i64, seed: u64) {
    let path = Path::of_day(day, hour, 6).unwrap_or_else(Path::built_in);
    let mut stage = Stage::new(&path, seed, GENESIS, None);
    stage.run();
    let counters = stage.counters();
    println!(
        "{}: {:#?}\nrefused for age, step and sources apart: {counters:?}",
        path.name, stage.seen
    );
    let Seen {
        updates,
        stale,
        fresh,
        flags,
        wrongful,
        late,
        off,
        scale,
    } = &stage.seen;
    assert!(
        wrongful.is_empty(),
        "liquidated, but healthy at true prices:\n{}",
        wrongful.join("\n")
    );
    // An update that did not come leaves the one before it in force: of a hundred flags and steps that may be right of one by that alone.
    assert!(late * 100 <= flags.0 + flags.1, "{late} of {flags:?}");
    assert!(stale.0 > 0 && stale.1 == 0, "attempts at a stale price: {stale:?}");
    assert!(fresh.0 > 0 && fresh.1 == 0, "attempts at a fresh price: {fresh:?}");
    assert!(
        off.iter().all(|off| *off <= 1.0),
        "off the true price: {off:?} of the bound"
    );
    // It was a day on which markets fell, and there was something to see.
    assert!(flags.0 > 0 && flags.1 > 0, "no liquidation: {flags:?}");
    assert!(updates.iter().all(|count| *count > 0), "no faults: {updates:?}");
    assert!(
        scale[..2].iter().all(|scale| *scale > 1_000_000),
        "ψ did not rise: {scale:?}"
    );
    let sum = |kind: usize| counters.iter().map(|asset| asset[kind]).sum::<u32>();
    assert!(
        (0..3).all(|kind| sum(kind) > 0),
        "guards that refused nothing: {counters:?}"
    );
}

#[test]
fn the_morning_of_12_march_2020() {
    replay("2020-03-12", 8, 1);
}

#[test]
fn the_night_to_13_march_2020() {
    replay("2020-03-12", 22, 2);
}

#[test]
fn the_noon_of_19_may_2021() {
    replay("2021-05-19", 10, 3);
}

/// Steps of any size are taken, of one source, at any distance from the slow price; and an index is fresh for an hour.
fn open(feed: &mut FeedConfig) {
    feed.sources[0].max_step_ppm = 10_000_000;
    feed.limits.max_slow_deviation_ppm = 10_000_000;
    feed.limits.max_age_seconds = 3_600;
}

/// The same with the guards open: accounts are liquidated at wrong prices and trades go through at old ones, and the test sees it.
#[test]
fn without_guards_it_is_otherwise() {
    let path = Path::built_in().first(3);
    let mut stage = Stage::new(&path, 4, [1; ASSETS], Some(open));
    stage.run();
    let seen = &stage.seen;
    assert!(seen.wrongful.iter().any(|what| what.contains("BTC")), "{seen:#?}");
    assert!(seen.stale.1 > 0, "{seen:#?}");
    assert!(seen.off.iter().all(|off| *off > 1.0), "{seen:#?}");
}

/// What a minute's silence leaves: a source by itself may then have moved by a tenth, and nobody can tell that from a lie; two others can.
#[test]
fn what_a_lone_source_says_after_a_silence_is_believed() {
    let mut w = World::live(&elf(), START, [100_000.0, 3_000.0, 150.0]);
    let (sol, btc) = (Sources::of_genesis(SOL), Sources::bind(&mut w, BTC, 3, |_| {}));
    btc.set(&mut w, &[100_000.0; 3]);
    w.set_prices(&[(SOL, 150.0)]);
    // 0.15 % a second are 9.9 % after 66 seconds and 10.05 % after 67.
    w.vm.advance(66);
    sol.post(&mut w, 0, 165.0);
    refused(sol.refresh(&mut w, &[0]), BallastError::PriceTooFast);
    w.vm.advance(1);
    sol.post(&mut w, 0, 165.0);
    let outcome = sol.refresh(&mut w, &[0]);
    ok(&w, outcome);
    assert_eq!(sol.board(&w).0.index, 165 * PRICE);
    btc.set(&mut w, &[110_000.0, 100_000.0, 100_000.0]);
    let (feed, sources) = btc.board(&w);
    assert_eq!((feed.index, feed.confidence), (100_000 * PRICE, 0));
    assert_eq!(sources.refused[Guard::Sources as usize], 1);
}
