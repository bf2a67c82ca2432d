//! The index out of several sources, through the compiled program. Figures are dollars, computed beside each assertion.
use ballast::error::BallastError;
use ballast_oracle::Guard;
use ballast_sim::world::{World, BTC, ETH};
use ballast_tests::refusal::refuses;
use ballast_tests::sources::Sources;
use ballast_tests::{ok, world};

use ballast_tests::setup::PRICE;

/// BTC at 100,000 from one to three sources whose prices may jump.
fn desk(count: usize) -> (World, Sources) {
    let mut w = world();
    let sources = Sources::bind(&mut w, BTC, count, |feed| {
        feed.sources.iter_mut().for_each(|s| s.max_step_ppm = 1_000_000);
    });
    (w, sources)
}

/// Index, confidence and width in 10⁻⁹ of BTC.
fn index(w: &World, sources: &Sources) -> (i64, i64, i64) {
    let (feed, _) = sources.board(w);
    (feed.index, feed.confidence, feed.width)
}

fn refused_by(w: &World, sources: &Sources, guard: Guard) -> u32 {
    sources.board(w).1.refused[guard as usize]
}

#[test]
fn three_sources_give_their_median_and_their_spread() {
    let (mut w, s) = desk(3);
    s.set(&mut w, &[100_000.0, 100_300.0, 100_100.0]);
    // The median is 100,100; the farthest of the others 200 away, 200 / 100,100 = 0.001998001998…
    assert_eq!(index(&w, &s), (100_100 * PRICE, 200 * PRICE, 1_998_002));
    let (feed, sources) = s.board(&w);
    assert!(feed.is_tight());
    assert_eq!((feed.publish_time, feed.slot), (w.vm.now(), w.vm.clock().slot));
    assert_eq!(
        sources.sources.map(|source| source.price / PRICE),
        [100_000, 100_300, 100_100]
    );
}

#[test]
fn two_sources_give_their_mean() {
    let (mut w, s) = desk(2);
    s.set(&mut w, &[100_000.0, 100_101.0]);
    assert_eq!(index(&w, &s).0, 100_050 * PRICE + PRICE / 2);
    assert_eq!(index(&w, &s).1, 50 * PRICE + PRICE / 2);
}

/// What a source said last counts while it is valid: who leaves it out of a refresh changes nothing.
#[test]
fn a_source_that_is_not_passed_counts_until_it_is_too_old() {
    let (mut w, s) = desk(3);
    s.set(&mut w, &[100_000.0, 100_000.0, 100_000.0]);
    w.vm.advance(30);
    s.post(&mut w, 0, 100_400.0);
    let outcome = s.refresh(&mut w, &[0]);
    ok(&w, outcome);
    assert_eq!(index(&w, &s).0, 100_000 * PRICE, "two of three say so");
    // 61 seconds after they said so only the primary is left, which may not stand alone here.
    w.vm.advance(31);
    s.post(&mut w, 0, 100_400.0);
    refuses(&mut w, BallastError::TooFewSources, |w| s.refresh(w, &[0]));
    assert_eq!(index(&w, &s).0, 100_000 * PRICE);
}

#[test]
fn the_primary_alone_gives_the_index_where_it_may_and_no_other_source_does() {
    let mut w = world();
    let s = Sources::bind(&mut w, BTC, 3, |feed| feed.limits.primary_alone = true);
    w.vm.advance(61);
    s.post(&mut w, 1, 100_010.0);
    refuses(&mut w, BallastError::TooFewSources, |w| s.refresh(w, &[1]));
    s.post(&mut w, 0, 100_020.0);
    let outcome = s.refresh(&mut w, &[0]);
    ok(&w, outcome);
    assert_eq!(index(&w, &s).0, 100_020 * PRICE);
}

#[test]
fn an_outlier_is_left_out_and_counted() {
    let (mut w, s) = desk(3);
    s.set(&mut w, &[100_000.0, 100_100.0, 110_000.0]);
    // The median of all is 100,100; 110,000 is farther from it than 0.5 %. The other two have 100,050 in their middle, 50 away from each.
    assert_eq!(index(&w, &s).0, 100_050 * PRICE);
    assert_eq!(index(&w, &s).1, 50 * PRICE);
    assert!(s.board(&w).0.is_tight());
    assert_eq!(refused_by(&w, &s, Guard::Sources), 1);
}

#[test]
fn sources_without_a_majority_are_apart_and_the_price_is_wide() {
    let (mut w, s) = desk(2);
    s.set(&mut w, &[100_000.0, 101_000.0]);
    // Both within 0.5 % of 100,500: 500 / 100,500 = 0.4976 %, tight up to 0.5 %.
    assert_eq!(index(&w, &s).0, 100_500 * PRICE);
    assert!(s.board(&w).0.is_tight());
    assert_eq!(refused_by(&w, &s, Guard::Sources), 0);
    s.set(&mut w, &[100_000.0, 102_000.0]);
    // 1,000 / 101,000 = 0.99009900990… %: nobody can tell who errs.
    assert_eq!(index(&w, &s), (101_000 * PRICE, 1_000 * PRICE, 9_900_991));
    assert!(!s.board(&w).0.is_tight());
    assert_eq!(refused_by(&w, &s, Guard::Sources), 1);
}

/// A bad account in a batch is counted and fails nothing else.
#[test]
fn a_batch_refreshes_what_is_good() {
    let (mut w, s) = desk(1);
    w.vm.advance(1);
    w.post_price(BTC, 101_000.0);
    w.post_price(ETH, 3_010.0);
    let wrong = w.price_account(ETH);
    let refresh = ballast_client::instruction::refresh_prices(&w.exchange, &[(BTC, wrong), (ETH, wrong)]);
    let outcome = w.vm.send(&[refresh], &[]);
    let receipt = ok(&w, outcome);
    assert_eq!(index(&w, &s).0, 100_000 * PRICE);
    assert_eq!(w.board().assets[usize::from(ETH)].price.index, 3_010 * PRICE);
    assert_eq!(refused_by(&w, &s, Guard::Identity), 1);
    assert_eq!(
        receipt
            .logs
            .iter()
            .filter(|line| line.starts_with("Program data: "))
            .count(),
        2
    );
    // Alone it fails with the guard's own error, and leaves no trace.
    let alone = ballast_client::instruction::refresh_prices(&w.exchange, &[(BTC, wrong)]);
    refuses(&mut w, BallastError::PriceWrongFeed, |w| w.vm.send(&[alone], &[]));
}

/// A source moves 0.25 % a second at most; what it says is taken once enough seconds have passed.
#[test]
fn a_source_moves_no_faster_than_it_may() {
    let mut w = world();
    let s = Sources::bind(&mut w, BTC, 1, |_| {});
    // World::new has posted 100,000 to the same feed a second after its start.
    w.vm.advance(2);
    s.post(&mut w, 0, 100_500.000_01);
    refuses(&mut w, BallastError::PriceTooFast, |w| s.refresh(w, &[0]));
    s.post(&mut w, 0, 99_499.999_99);
    refuses(&mut w, BallastError::PriceTooFast, |w| s.refresh(w, &[0]));
    s.post(&mut w, 0, 100_500.0);
    let outcome = s.refresh(&mut w, &[0]);
    ok(&w, outcome);
    w.vm.advance(40);
    s.post(&mut w, 0, 110_550.0); // 10 % up after 40 seconds
    let outcome = s.refresh(&mut w, &[0]);
    ok(&w, outcome);
}

/// One source by itself may be 30 % from the slow price, and as much again for each minute since the board's index; two are followed at once.
#[test]
fn a_lone_source_stays_near_the_slow_price() {
    let (mut w, _) = desk(1);
    let s = Sources::bind(&mut w, BTC, 1, |feed| feed.sources[0].max_step_ppm = 1_000_000);
    w.vm.advance(30);
    // After half a minute 45 %.
    s.post(&mut w, 0, 145_000.01);
    refuses(&mut w, BallastError::PriceOffSlow, |w| s.refresh(w, &[0]));
    s.post(&mut w, 0, 54_999.99);
    refuses(&mut w, BallastError::PriceOffSlow, |w| s.refresh(w, &[0]));
    s.post(&mut w, 0, 55_000.0);
    let outcome = s.refresh(&mut w, &[0]);
    ok(&w, outcome);

    let (mut w, s) = desk(2);
    s.set(&mut w, &[55_000.0, 55_000.0]);
    assert_eq!(index(&w, &s).0, 55_000 * PRICE);
}

/// The first of two updates in a slot stands: nobody has the index at two prices in one transaction.
#[test]
fn a_source_takes_one_update_a_slot() {
    let (mut w, s) = desk(1);
    w.vm.advance(10);
    let now = w.vm.now();
    s.post_at(&mut w, 0, 101_000.0, now - 1);
    let outcome = s.refresh(&mut w, &[0]);
    ok(&w, outcome);
    s.post_at(&mut w, 0, 99_000.0, now);
    let outcome = s.refresh(&mut w, &[0]);
    ok(&w, outcome);
    assert_eq!(index(&w, &s).0, 101_000 * PRICE);
    w.vm.advance(1);
    let outcome = s.refresh(&mut w, &[0]);
    ok(&w, outcome);
    assert_eq!(index(&w, &s).0, 99_000 * PRICE);
}
