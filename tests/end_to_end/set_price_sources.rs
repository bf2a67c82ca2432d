//! `set_price_sources`: what it binds, what it keeps, what it refuses.
use ballast::error::BallastError;
use ballast::oracle::{FeedConfig, PriceSourceKind};
use ballast::state::QUOTE_ASSET;
use ballast_client::instruction;
use ballast_migrations::config;
use ballast_sim::world::{BTC, ETH};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::PRICE;
use ballast_tests::sources::{switchboard, Sources};
use ballast_tests::{ok, world};
use solana_signer::Signer;

#[test]
fn binds_sources_and_keeps_the_index_and_what_known_ones_said() {
    let mut w = world();
    let before = w.board().assets[usize::from(BTC)].price;
    let snapshot = w.vm.snapshot();
    let s = Sources::bind(&mut w, BTC, 3, |feed| feed.limits.tight_ppm = 7_000);
    assert_eq!(snapshot.changed(&w.vm.snapshot()), vec![w.exchange.board]);
    let (feed, sources) = s.board(&w);
    assert_eq!(
        (feed.index, feed.slow, feed.publish_time),
        (before.index, before.slow, before.publish_time)
    );
    assert_eq!((feed.tight_ppm, feed.primary_alone), (7_000, 0));
    let [pyth, first, second] = &sources.sources;
    assert_eq!((pyth.kind, pyth.id, pyth.price), (1, w.feed_id(BTC), 100_000 * PRICE));
    assert_eq!((first.kind, first.id, first.price), (2, s.feeds[0].to_bytes(), 0));
    assert_eq!((second.queue, second.hash), ([7; 32], [8; 32]));
    // Back to the primary alone: the others are gone.
    let feed = config::feed(w.feed_id(BTC));
    let outcome = w.set_sources(BTC, feed);
    ok(&w, outcome);
    let (_, sources) = s.board(&w);
    assert_eq!(sources.sources.map(|source| source.kind), [1, 0, 0]);
    assert_eq!(sources.sources[0].price, 100_000 * PRICE);
}

#[test]
fn binds_the_quote_asset() {
    let mut w = world();
    let mut feed = config::feed(w.feed_id(QUOTE_ASSET));
    feed.limits.max_age_seconds = 120;
    let outcome = w.set_sources(QUOTE_ASSET, feed);
    ok(&w, outcome);
    let board = w.board();
    assert_eq!((board.quote.max_age_seconds, board.quote.index), (120, PRICE));
}

#[test]
fn only_the_authority_binds() {
    let mut w = world();
    let stranger = w.user();
    let feed = config::feed([9; 32]);
    let bind = instruction::set_price_sources(&w.exchange, &stranger.key.pubkey(), BTC, feed);
    refuses(&mut w, BallastError::NotAuthority, |w| {
        w.vm.send(&[bind], &[&stranger.key])
    });
}

#[test]
fn refuses_another_assets_source_and_an_asset_that_is_not_listed() {
    let mut w = world();
    let taken = config::feed(w.feed_id(ETH));
    refuses(&mut w, BallastError::AlreadyListed, |w| w.set_sources(BTC, taken));
    let feed = config::feed([9; 32]);
    refuses(&mut w, BallastError::AssetNotListed, |w| w.set_sources(9, feed));
}

type Change = fn(&mut FeedConfig);

#[test]
fn refuses_what_is_out_of_bounds() {
    let bad: [Change; 34] = [
        |f| f.sources.clear(),
        |f| f.sources.push(f.sources[0]),
        |f| f.sources[1].id = f.sources[0].id,
        |f| f.sources[0].id = [0; 32],
        |f| f.sources[0].queue = [1; 32],
        |f| f.sources[0].hash = [1; 32],
        |f| f.sources[0].base = 1,
        |f| f.sources[1].queue = [0; 32],
        |f| f.sources[1].hash = [0; 32],
        |f| (f.sources[1].kind, f.sources[1].hash) = (PriceSourceKind::SwitchboardV2, [0; 32]),
        |f| f.sources[1].kind = PriceSourceKind::StakePool, // which stands alone
        |f| f.sources[0].weight = 0,
        |f| f.sources[0].weight = 3, // more than the others together
        |f| f.sources.iter_mut().for_each(|s| s.weight = 1_001),
        |f| f.sources[0].max_age_seconds = 0,
        |f| f.sources[0].max_age_seconds = 3_601,
        |f| f.sources[0].max_age_slots = 0,
        |f| f.sources[0].max_age_slots = 36_001,
        |f| f.sources[0].max_confidence_ppm = 0,
        |f| f.sources[0].max_confidence_ppm = 100_001,
        |f| f.sources[0].max_step_ppm = 0,
        |f| f.sources[0].max_step_ppm = 10_000_001,
        |f| f.limits.max_age_seconds = 0,
        |f| f.limits.max_age_seconds = 3_601,
        |f| f.limits.tight_ppm = 0,
        |f| f.limits.tight_ppm = 100_001,
        |f| f.limits.slow_seconds = 15,
        |f| f.limits.slow_seconds = 86_401,
        |f| f.limits.slow_speed_ppm = 999,
        |f| f.limits.slow_speed_ppm = 10_000_001,
        |f| f.limits.max_deviation_ppm = 0,
        |f| f.limits.max_deviation_ppm = 100_001,
        |f| f.limits.max_slow_deviation_ppm = 999,
        |f| f.limits.max_slow_deviation_ppm = 10_000_001,
    ];
    let mut w = world();
    let feeds = [w.vm.keypair().pubkey(), w.vm.keypair().pubkey()];
    let mut good = config::feed(w.feed_id(BTC));
    good.sources.extend(feeds.map(switchboard));
    for change in bad {
        let mut feed = good.clone();
        change(&mut feed);
        refuses(&mut w, BallastError::InvalidParameter, |w| w.set_sources(BTC, feed));
    }
    // A single source that may not stand alone would never give an index.
    let mut alone = config::feed(w.feed_id(BTC));
    alone.limits.primary_alone = false;
    refuses(&mut w, BallastError::InvalidParameter, |w| w.set_sources(BTC, alone));
    let outcome = w.set_sources(BTC, good);
    ok(&w, outcome);
}

#[test]
fn accepts_parameters_on_their_bounds() {
    let mut w = world();
    let mut feed = config::feed(w.feed_id(BTC));
    feed.sources.push(switchboard(w.vm.keypair().pubkey()));
    for source in &mut feed.sources {
        (source.weight, source.max_step_ppm) = (1_000, 10_000_000);
        (source.max_age_seconds, source.max_age_slots, source.max_confidence_ppm) = (3_600, 36_000, 100_000);
    }
    (feed.limits.max_age_seconds, feed.limits.tight_ppm) = (3_600, 100_000);
    (feed.limits.slow_seconds, feed.limits.slow_speed_ppm) = (86_400, 10_000_000);
    (feed.limits.max_deviation_ppm, feed.limits.max_slow_deviation_ppm) = (100_000, 10_000_000);
    let outcome = w.set_sources(BTC, feed.clone());
    ok(&w, outcome);
    for source in &mut feed.sources {
        (source.weight, source.max_step_ppm) = (1, 1);
        (source.max_age_seconds, source.max_age_slots, source.max_confidence_ppm) = (1, 1, 1);
    }
    (feed.limits.max_age_seconds, feed.limits.tight_ppm) = (1, 1);
    (feed.limits.slow_seconds, feed.limits.slow_speed_ppm) = (16, 1_000);
    (feed.limits.max_deviation_ppm, feed.limits.max_slow_deviation_ppm) = (1, 1_000);
    let outcome = w.set_sources(BTC, feed);
    ok(&w, outcome);
}
