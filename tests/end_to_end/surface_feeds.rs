//! `set_surface_source` and `refresh_surface_from_feeds`: a surface that nobody has to sign for.
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::events::SurfaceSourceSet;
use ballast::instructions::SurfaceUpdate;
use ballast::state::{Expiry, SurfaceSource, ValueLimits, VolatilitySurface};
use ballast_client::instruction;
use ballast_oracle::switchboard_on_demand::SwitchboardOnDemand;
use ballast_sim::world::{Outcome, ValueMessage, World, BTC, ETH};
use ballast_tests::refusal::{checks_declared_accounts, refuses};
use ballast_tests::setup::{copy_account, flat, list_future, publish, second_exchange, DAY};
use ballast_tests::{ok, world};
use solana_keypair::Keypair;
use solana_signer::Signer;

const LIMITS: ValueLimits = ValueLimits {
    max_deviation: 10_000_000,
    max_age_seconds: 300,
    min_samples: 3,
};
/// Basis, σ_atm, skew, curvature, 10⁻⁹.
const VALUES: [i64; 4] = [10_000_000, 600_000_000, -100_000_000, 20_000_000];

/// ETH with an expiry in 73 days and four feeds for it.
struct Desk {
    w: World,
    authority: Keypair,
    expiry: i64,
    queue: Pubkey,
    feeds: [Pubkey; 4],
}

fn unbound() -> Desk {
    let mut w = world();
    w.vm.advance(DAY);
    let expiry = w.vm.now() + 73 * DAY;
    list_future(&mut w, ETH, expiry, 10_000_000);
    let (authority, queue) = (w.authority.insecure_clone(), w.vm.keypair().pubkey());
    let feeds = [0; 4].map(|_| w.vm.keypair().pubkey());
    let mut desk = Desk {
        w,
        authority,
        expiry,
        queue,
        feeds,
    };
    desk.post(VALUES);
    desk
}

fn desk() -> Desk {
    let mut d = unbound();
    let outcome = d.bind(LIMITS);
    ok(&d.w, outcome);
    d
}

impl Desk {
    fn message(&self, feed: usize, value: i64) -> ValueMessage {
        let at = (self.w.vm.now(), self.w.vm.clock().slot);
        ValueMessage::new(self.queue, [feed as u8 + 1; 32], value, at)
    }

    /// All four feeds say this, now.
    fn post(&mut self, values: [i64; 4]) {
        for (feed, value) in values.into_iter().enumerate() {
            let message = self.message(feed, value);
            self.w.post_value(self.feeds[feed], &message);
        }
    }

    fn bind(&mut self, limits: ValueLimits) -> Outcome {
        let (exchange, authority) = (self.w.exchange, self.authority.insecure_clone());
        let at = (ETH, self.expiry);
        let set = instruction::set_surface_source(&exchange, &authority.pubkey(), at, self.feeds, limits);
        self.w.vm.send(&[set], &[&authority])
    }

    fn refresh(&mut self) -> Outcome {
        let refresh = instruction::refresh_surface_from_feeds(&self.w.exchange, (ETH, self.expiry), self.feeds);
        self.w.vm.send(&[refresh], &[])
    }

    #[track_caller]
    fn refuses(&mut self, error: BallastError) {
        let refresh = instruction::refresh_surface_from_feeds(&self.w.exchange, (ETH, self.expiry), self.feeds);
        refuses(&mut self.w, error, |w| w.vm.send(&[refresh], &[]));
    }

    /// The refresh and the binding are refused while the skew's feed is changed like this.
    #[track_caller]
    fn refuses_feed(&mut self, error: BallastError, change: impl Fn(&mut ValueMessage)) {
        let mut message = self.message(2, VALUES[2]);
        let right = message;
        change(&mut message);
        self.w.post_value(self.feeds[2], &message);
        self.refuses(error);
        self.w.post_value(self.feeds[2], &right);
    }

    fn listed(&self) -> Expiry {
        self.w.board().assets[usize::from(ETH)].expiries[1]
    }
}

#[test]
fn the_feeds_reach_the_board() {
    let mut d = desk();
    let source = d.w.read::<SurfaceSource>(&d.w.exchange.surface_source(ETH, d.expiry));
    assert_eq!((source.asset, source.expiry, source.queue), (ETH, d.expiry, d.queue));
    assert_eq!((source.limits, source.exchange), (LIMITS, d.w.exchange.key));
    assert_eq!(source.feeds.map(|feed| feed.key), d.feeds);
    assert_eq!(source.feeds.map(|feed| feed.hash[0]), [1, 2, 3, 4]);
    let before = d.w.vm.snapshot();
    let outcome = d.refresh();
    ok(&d.w, outcome);
    assert_eq!(before.changed(&d.w.vm.snapshot()), vec![d.w.exchange.board]);
    let listed = d.listed();
    let surface = VolatilitySurface {
        at_the_money: 600_000_000,
        skew: -100_000_000,
        curvature: 20_000_000,
        variance_floor: 0,
    };
    assert_eq!((listed.basis, listed.surface), (10_000_000, surface));
    assert_eq!((listed.slow_surface, listed.surface_time), (surface, d.w.vm.now()));
}

/// The board's surface is as old as the oldest value in it, and each fraction of 10⁻⁹ is cut off downwards.
#[test]
fn the_oldest_value_dates_the_surface() {
    let mut d = desk();
    let written = d.w.vm.now();
    d.w.vm.advance(100);
    for feed in [0, 1, 3] {
        let message = d.message(feed, VALUES[feed]);
        d.w.post_value(d.feeds[feed], &message);
    }
    let message = ValueMessage {
        value: -100_000_000_000_000_001,
        updated_at: written + 40,
        ..d.message(2, 0)
    };
    d.w.post_value(d.feeds[2], &message);
    let outcome = d.refresh();
    ok(&d.w, outcome);
    let listed = d.listed();
    assert_eq!((listed.surface_time, listed.surface.skew), (written + 40, -100_000_001));
    // The same again is nothing new, nor are three newer ones.
    d.refuses(BallastError::SurfaceNotNewer);
    d.w.vm.advance(1);
    for feed in [0, 1, 3] {
        let message = d.message(feed, VALUES[feed]);
        d.w.post_value(d.feeds[feed], &message);
    }
    d.refuses(BallastError::SurfaceNotNewer);
}

/// 600 % an hour of σ_atm would be too fast; 300 % is not: a minute allows 5 % of 60 %.
#[test]
fn the_publishers_speeds_and_bounds_hold() {
    let mut d = desk();
    let outcome = d.refresh();
    ok(&d.w, outcome);
    d.w.vm.advance(60);
    d.post([10_000_000, 630_000_001, -100_000_000, 20_000_000]);
    d.refuses(BallastError::SurfaceTooFast);
    d.post([10_000_000, 630_000_000, -100_000_000, 20_000_000]);
    let outcome = d.refresh();
    ok(&d.w, outcome);
    // 30 % · 0.2 + 0.5 % of basis at most, and σ from 5 % on.
    d.w.vm.advance(1);
    d.post([65_000_001, 630_000_000, -100_000_000, 20_000_000]);
    d.refuses(BallastError::InvalidParameter);
    d.post([10_000_000, 0, -100_000_000, 20_000_000]);
    d.refuses(BallastError::InvalidParameter);
}

#[test]
fn the_variance_floor_is_the_publishers() {
    let mut d = desk();
    let update = SurfaceUpdate {
        basis: 10_000_000,
        surface: VolatilitySurface {
            variance_floor: 10_000_000,
            ..flat(d.expiry, 60).surface
        },
        ..flat(d.expiry, 60)
    };
    let outcome = publish(&mut d.w, ETH, &[update]);
    ok(&d.w, outcome);
    d.w.vm.advance(60);
    d.post([10_000_000, 600_000_000, 0, 0]);
    let outcome = d.refresh();
    ok(&d.w, outcome);
    assert_eq!(d.listed().surface.variance_floor, 10_000_000);
}

#[test]
fn attack_a_feed_that_is_not_what_was_bound() {
    let mut d = desk();
    let other = d.w.vm.keypair().pubkey();
    // A feed of other oracles, with other jobs, written by its authority, or by none.
    d.refuses_feed(BallastError::PriceWrongFeed, |m| m.queue = other);
    d.refuses_feed(BallastError::PriceWrongFeed, |m| m.hash[31] = 0);
    d.refuses_feed(BallastError::FeedNotIndependent, |m| m.by_authority = true);
    d.refuses_feed(BallastError::TooFewSamples, |m| m.slot = 0);
    d.refuses_feed(BallastError::TooFewSamples, |m| m.samples = 0);
    d.refuses_feed(BallastError::TooFewSamples, |m| m.samples = 2);
    d.refuses_feed(BallastError::TooFewSamples, |m| m.min_samples = 4);
    d.refuses_feed(BallastError::PriceNotPositive, |m| m.deviation = -1);
    d.refuses_feed(BallastError::PriceTooUncertain, |m| {
        m.deviation = 10_000_000_000_000_001
    });
    d.refuses_feed(BallastError::PriceOutOfRange, |m| m.value = i128::MAX);
    d.refuses_feed(BallastError::PriceOutOfRange, |m| m.deviation = i128::MAX);
    d.refuses_feed(BallastError::PriceFromFuture, |m| m.updated_at += 1);
    d.refuses_feed(BallastError::StalePrice, |m| m.updated_at -= 301);
    d.refuses_feed(BallastError::StalePrice, |m| m.updated_at = i64::MIN);
    // Just within.
    let message = ValueMessage {
        deviation: 10_000_000_000_000_000,
        updated_at: d.w.vm.now() - 300,
        ..d.message(2, VALUES[2])
    };
    d.w.post_value(d.feeds[2], &message);
    let outcome = d.refresh();
    ok(&d.w, outcome);
}

/// The last write dates a value of 301 seconds ago anew. Its answers are those of 752 slots ago, where 300 seconds are 750, and the feed's
/// own limit may be less. Whoever waits for the slot that its newest answer is of waits for nothing either.
#[test]
fn attack_an_old_result_written_again() {
    let mut d = desk();
    let old = d.w.vm.clock().slot;
    d.w.vm.advance(301);
    d.post(VALUES);
    let now = d.w.vm.clock().slot;
    assert_eq!(now - old, 752);
    d.refuses_feed(BallastError::PriceSlotTooOld, |m| {
        (m.slot, m.answer_slots, m.max_staleness) = (old, [0; 2], 0)
    });
    d.refuses_feed(BallastError::PriceSlotTooOld, |m| {
        (m.slot, m.answer_slots, m.max_staleness) = (old, [old; 2], u32::MAX)
    });
    // One new answer among old ones; just beyond the source's limit, and beyond the feed's.
    d.refuses_feed(BallastError::PriceSlotTooOld, |m| m.answer_slots[0] = old);
    d.refuses_feed(BallastError::PriceSlotTooOld, |m| {
        (m.answer_slots[0], m.max_staleness) = (now - 751, u32::MAX)
    });
    d.refuses_feed(BallastError::PriceSlotTooOld, |m| m.answer_slots[0] = now - 251);
    d.refuses_feed(BallastError::PriceFromFuture, |m| m.slot = now + 1);
    d.refuses_feed(BallastError::PriceFromFuture, |m| m.answer_slots[1] = now + 1);
    // Just within both.
    for (feed, first, max_staleness) in [(2, now - 750, 0), (3, now - 250, 250)] {
        let message = ValueMessage {
            answer_slots: [first, now],
            max_staleness,
            ..d.message(feed, VALUES[feed])
        };
        d.w.post_value(d.feeds[feed], &message);
    }
    let outcome = d.refresh();
    ok(&d.w, outcome);
}

#[test]
fn attack_a_spoofed_feed_account() {
    let mut d = desk();
    let data = d.message(1, 4_000_000_000).account_data();
    let right = d.feeds;
    // Another account that says the same, and the bound one in the hands of another program or of another shape.
    let fake = d.w.vm.keypair().pubkey();
    let message = d.message(1, 4_000_000_000);
    d.w.post_value(fake, &message);
    d.feeds[1] = fake;
    d.refuses(BallastError::PriceWrongFeed);
    d.feeds = [right[1], right[0], right[2], right[3]];
    d.refuses(BallastError::PriceWrongFeed);
    d.feeds = right;
    d.w.vm.put(right[1], ballast::ID, data.clone());
    d.refuses(BallastError::PriceWrongOwner);
    let program = Pubkey::new_from_array(<SwitchboardOnDemand as ballast_oracle::Adapter>::PROGRAMS[0]);
    let mut longer = data.clone();
    longer.push(0);
    let mut other = data.clone();
    other[0] ^= 1;
    for wrong in [longer, other, data[..data.len() - 1].to_vec(), vec![]] {
        d.w.vm.put(right[1], program, wrong);
        d.refuses(BallastError::PriceWrongLayout);
    }
}

#[test]
fn the_source_is_of_this_exchange_and_expiry() {
    let mut d = desk();
    let second = second_exchange(&mut d.w).exchange;
    let foreign = instruction::refresh_surface_from_feeds(&second, (ETH, d.expiry), d.feeds);
    let mut wrong = foreign.clone();
    wrong.accounts[2].pubkey = d.w.exchange.surface_source(ETH, d.expiry);
    refuses(&mut d.w, BallastError::WrongExchange, |w| w.vm.send(&[wrong], &[]));
    let copy = copy_account(&mut d.w, &second.board);
    let mut wrong = instruction::refresh_surface_from_feeds(&d.w.exchange, (ETH, d.expiry), d.feeds);
    let right = wrong.clone();
    wrong.accounts[1].pubkey = copy;
    refuses(&mut d.w, BallastError::WrongBoard, |w| w.vm.send(&[wrong], &[]));
    checks_declared_accounts(&mut d.w, &right, 3, &[]);
    // Past its expiry nothing is published.
    d.w.vm.advance(73 * DAY);
    d.post(VALUES);
    d.refuses(BallastError::InvalidExpiry);
}

#[test]
fn binding_checks_what_it_binds() {
    let mut d = unbound();
    let bad = |change: fn(&mut ValueLimits)| {
        let mut limits = LIMITS;
        change(&mut limits);
        limits
    };
    for limits in [
        bad(|l| l.max_deviation = 0),
        bad(|l| l.max_deviation = 100_000_001),
        bad(|l| l.max_age_seconds = 0),
        bad(|l| l.max_age_seconds = 901),
        bad(|l| l.min_samples = 0),
        bad(|l| l.min_samples = 33),
    ] {
        d.refuses_binding(BallastError::InvalidParameter, limits);
    }
    let expiry = d.expiry;
    for wrong in [0, expiry + 1] {
        d.expiry = wrong;
        d.refuses_binding(BallastError::InvalidExpiry, LIMITS);
    }
    d.expiry = expiry;
    let stranger = d.w.vm.keypair().pubkey();
    let message = ValueMessage {
        queue: stranger,
        ..d.message(3, VALUES[3])
    };
    d.w.post_value(d.feeds[3], &message);
    d.refuses_binding(BallastError::PriceWrongFeed, LIMITS);
    let message = ValueMessage {
        by_authority: true,
        ..d.message(3, VALUES[3])
    };
    d.w.post_value(d.feeds[3], &message);
    d.refuses_binding(BallastError::FeedNotIndependent, LIMITS);
    let message = d.message(3, VALUES[3]);
    d.w.vm.put(d.feeds[3], ballast::ID, message.account_data());
    d.refuses_binding(BallastError::PriceWrongOwner, LIMITS);
}

impl Desk {
    #[track_caller]
    fn refuses_binding(&mut self, error: BallastError, limits: ValueLimits) {
        let authority = self.authority.insecure_clone();
        let at = (ETH, self.expiry);
        let set = instruction::set_surface_source(&self.w.exchange, &authority.pubkey(), at, self.feeds, limits);
        refuses(&mut self.w, error, |w| w.vm.send(&[set], &[&authority]));
    }
}

/// Only the authority binds, and may bind anew: what computes something else since is taken over by that alone.
#[test]
fn only_the_authority_binds() {
    let mut d = desk();
    let stranger = d.w.user();
    let at = (ETH, d.expiry);
    let set = instruction::set_surface_source(&d.w.exchange, &stranger.key.pubkey(), at, d.feeds, LIMITS);
    refuses(&mut d.w, BallastError::NotAuthority, |w| {
        w.vm.send(&[set], &[&stranger.key])
    });
    for (feed, value) in VALUES.into_iter().enumerate() {
        let message = ValueMessage {
            hash: [9; 32],
            ..d.message(feed, value)
        };
        d.w.post_value(d.feeds[feed], &message);
    }
    d.refuses(BallastError::PriceWrongFeed);
    let limits = ValueLimits {
        min_samples: 1,
        ..LIMITS
    };
    let outcome = d.bind(limits);
    let receipt = ok(&d.w, outcome);
    let told = SurfaceSourceSet {
        exchange: d.w.exchange.key,
        asset: ETH,
        expiry: d.expiry,
        queue: d.queue,
        feeds: d.feeds,
    };
    assert_eq!(crate::log_events::logged::<SurfaceSourceSet>(&receipt), [told]);
    let outcome = d.refresh();
    ok(&d.w, outcome);
    let right = instruction::set_surface_source(&d.w.exchange, &d.authority.pubkey(), at, d.feeds, LIMITS);
    let authority = d.authority.insecure_clone();
    checks_declared_accounts(&mut d.w, &right, 2, &[&authority]);
    // Another expiry and another asset have no source.
    let none = instruction::refresh_surface_from_feeds(&d.w.exchange, (BTC, d.expiry), d.feeds);
    ballast_tests::refusal::refuses_by_anchor(
        &mut d.w,
        anchor_lang::error::ErrorCode::AccountOwnedByWrongProgram,
        |w| w.vm.send(&[none], &[]),
    );
}

/// A queue that has gone bad is switched off by the authority alone, whatever its feeds have become, and back on with sound ones.
#[test]
fn the_authority_takes_feeds_off() {
    let mut d = desk();
    let (at, authority) = ((ETH, d.expiry), d.authority.insecure_clone());
    let stranger = d.w.user();
    let unset = instruction::unset_surface_source(&d.w.exchange, &stranger.key.pubkey(), at);
    refuses(&mut d.w, BallastError::NotAuthority, |w| {
        w.vm.send(&[unset], &[&stranger.key])
    });
    let unset = instruction::unset_surface_source(&d.w.exchange, &authority.pubkey(), at);
    let outcome = d.w.vm.send(&[unset], &[&authority]);
    let receipt = ok(&d.w, outcome);
    let told = SurfaceSourceSet {
        exchange: d.w.exchange.key,
        asset: ETH,
        expiry: d.expiry,
        queue: Pubkey::default(),
        feeds: [Pubkey::default(); 4],
    };
    assert_eq!(crate::log_events::logged::<SurfaceSourceSet>(&receipt), [told]);
    d.refuses(BallastError::SourceUnbound);
    let outcome = d.bind(LIMITS);
    ok(&d.w, outcome);
    let outcome = d.refresh();
    ok(&d.w, outcome);
}

#[test]
fn no_feed_is_bound_twice() {
    let mut d = unbound();
    let right = d.feeds;
    for (one, other) in [(0, 1), (0, 3), (1, 2), (2, 3)] {
        d.feeds[other] = right[one];
        d.refuses_binding(BallastError::DuplicateAccount, LIMITS);
        d.feeds = right;
    }
    let outcome = d.bind(LIMITS);
    ok(&d.w, outcome);
}
