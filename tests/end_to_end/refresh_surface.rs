//! `refresh_surface`: what reaches the board, who may publish, the bounds of a surface and a basis, and how fast they may move.
use ballast::error::BallastError;
use ballast::instructions::SurfaceUpdate;
use ballast::state::{Expiry, VolatilitySurface};
use ballast_client::instruction;
use ballast_sim::world::{Outcome, World, BTC, ETH, START};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::{flat, list_future, DAY, ETH_FUTURE, ETH_PERP, PRICE};
use ballast_tests::{ok, world};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// A fifth of a year: |basis| may be 30 % · 0.2 + 0.5 % = 6.5 %.
const TENOR: i64 = 73 * DAY;
const SMIRK: VolatilitySurface = VolatilitySurface {
    at_the_money: 600_000_000,
    skew: -100_000_000,
    curvature: 20_000_000,
    variance_floor: 10_000_000,
};

/// ETH with a future besides that of genesis, and somebody who may publish.
struct Desk {
    w: World,
    publisher: Keypair,
    expiry: i64,
    future: usize,
}

fn desk() -> Desk {
    desk_at(0)
}

/// The same with a future listed at this basis.
fn desk_at(basis: i64) -> Desk {
    let mut w = world();
    let publisher = w.vm.keypair();
    name(&mut w, &publisher);
    let expiry = w.vm.now() + TENOR;
    let future = list_future(&mut w, ETH, expiry, basis);
    Desk {
        w,
        publisher,
        expiry,
        future,
    }
}

fn name(w: &mut World, publisher: &Keypair) {
    let authority = w.authority.insecure_clone();
    let name = instruction::set_volatility_publisher(&w.exchange, &authority.pubkey(), publisher.pubkey());
    let outcome = w.vm.send(&[name], &[&authority]);
    ok(w, outcome);
}

fn refresh(w: &mut World, signer: &Keypair, asset: u8, updates: &[SurfaceUpdate]) -> Outcome {
    let refresh = instruction::refresh_surface(&w.exchange, &signer.pubkey(), asset, updates.to_vec());
    w.vm.send(&[refresh], &[signer])
}

impl Desk {
    fn smirk(&self) -> SurfaceUpdate {
        SurfaceUpdate {
            expiry: self.expiry,
            basis: 0,
            surface: SMIRK,
        }
    }

    #[track_caller]
    fn publishes(&mut self, updates: &[SurfaceUpdate]) {
        let outcome = refresh(&mut self.w, &self.publisher, ETH, updates);
        ok(&self.w, outcome);
    }

    #[track_caller]
    fn refuses(&mut self, error: BallastError, updates: &[SurfaceUpdate]) {
        let publisher = self.publisher.insecure_clone();
        refuses(&mut self.w, error, |w| refresh(w, &publisher, ETH, updates));
    }

    /// The expiry on the board; that of genesis has the first slot.
    fn listed(&self) -> Expiry {
        self.w.board().assets[usize::from(ETH)].expiries[1]
    }

    fn mark(&self, instrument: usize) -> i64 {
        let board = self.w.board();
        board.mark(&board.instruments[instrument], self.w.vm.now()).unwrap().0
    }
}

#[test]
fn basis_and_surface_reach_the_board_and_the_basis_the_mark() {
    let mut d = desk();
    assert_eq!(d.listed().basis_time, d.w.vm.now());
    d.w.vm.advance(1_800);
    d.w.set_prices(&[(ETH, 3_000.0)]);
    let before = d.w.vm.snapshot();
    let update = SurfaceUpdate {
        basis: 10_000_000,
        ..d.smirk()
    };
    d.publishes(&[update]);
    assert_eq!(before.changed(&d.w.vm.snapshot()), vec![d.w.exchange.board]);
    let listed = d.listed();
    assert_eq!((listed.time, listed.basis), (d.expiry, 10_000_000));
    // The first surface is its own mean.
    assert_eq!((listed.surface, listed.slow_surface), (SMIRK, SMIRK));
    assert_eq!((listed.surface_time, listed.basis_time), (d.w.vm.now(), d.w.vm.now()));
    // 3,000 and 1 %; a perpetual and another expiry have nothing to do with it.
    assert_eq!(d.mark(d.future), 3_030 * PRICE);
    assert_eq!(d.mark(ETH_PERP), 3_000 * PRICE);
    assert_eq!(d.mark(ETH_FUTURE), 3_000 * PRICE);
    assert_eq!(d.w.board().assets[usize::from(ETH)].expiries[0].surface_time, 0);
}

/// An hour closes 1 − 1/e = 0.632120558… of the gap to the surface that stood in it, cut off towards where the mean was.
#[test]
fn the_slow_surface_follows_the_one_that_stood() {
    let mut d = desk();
    let update = d.smirk();
    d.publishes(&[update]);
    let high = SurfaceUpdate {
        surface: VolatilitySurface {
            at_the_money: 900_000_000,
            skew: -200_000_000,
            curvature: 40_000_000,
            variance_floor: 11_000_000,
        },
        ..update
    };
    d.w.vm.advance(3_600);
    d.publishes(&[high]);
    // What has just come in has not stood for any time yet.
    assert_eq!((d.listed().surface, d.listed().slow_surface), (high.surface, SMIRK));
    d.w.vm.advance(3_600);
    d.publishes(&[update]);
    let slow = VolatilitySurface {
        at_the_money: 789_636_167,  // 600 and 0.632… of 300
        skew: -163_212_055,         // −100 and 0.632… of −100
        curvature: 32_642_411,      // 20 and 0.632… of 20
        variance_floor: 10_632_120, // 10 and 0.632… of 1
    };
    assert_eq!((d.listed().surface, d.listed().slow_surface), (SMIRK, slow));
    assert_eq!(d.listed().surface_time, d.w.vm.now());
}

#[test]
fn all_twelve_expiries_fit_into_one_transaction() {
    let mut d = desk();
    let mut updates = vec![flat(START + 60 * DAY, 70), flat(d.expiry, 70)]; // that of genesis comes first
    for week in 1..11 {
        let expiry = d.expiry + 7 * DAY * week;
        list_future(&mut d.w, ETH, expiry, 0);
        updates.push(flat(expiry, 70));
    }
    updates.reverse(); // in any order
    d.publishes(&updates);
    for expiry in d.w.board().assets[usize::from(ETH)].expiries {
        assert_eq!(expiry.surface.at_the_money, 700_000_000);
        assert_eq!(expiry.surface_time, d.w.vm.now());
    }
}

#[test]
fn refuses_everybody_but_the_publisher() {
    let mut w = world();
    let (authority, stranger, publisher) = (w.authority.insecure_clone(), w.vm.keypair(), w.vm.keypair());
    let expiry = w.vm.now() + TENOR;
    list_future(&mut w, ETH, expiry, 0);
    let updates = [flat(expiry, 60)];
    // Genesis names nobody.
    for signer in [&authority, &stranger, &publisher] {
        refuses(&mut w, BallastError::NotPublisher, |w| {
            refresh(w, signer, ETH, &updates)
        });
    }
    name(&mut w, &publisher);
    for signer in [&authority, &stranger] {
        refuses(&mut w, BallastError::NotPublisher, |w| {
            refresh(w, signer, ETH, &updates)
        });
    }
    let outcome = refresh(&mut w, &publisher, ETH, &updates);
    ok(&w, outcome);
}

#[test]
fn every_account_is_checked() {
    let mut d = desk();
    let right = instruction::refresh_surface(&d.w.exchange, &d.publisher.pubkey(), ETH, vec![d.smirk()]);
    checks_every_account(&mut d.w, &right, &[&d.publisher]);
    d.publishes(&[d.smirk()]);
}

#[test]
fn refuses_nothing_to_publish_and_assets_that_are_not_listed() {
    let mut d = desk();
    d.refuses(BallastError::ZeroAmount, &[]);
    let (update, publisher) = (d.smirk(), d.publisher.insecure_clone());
    for asset in [3, 31, 32, 255] {
        refuses(&mut d.w, BallastError::AssetNotListed, |w| {
            refresh(w, &publisher, asset, &[update])
        });
    }
}

#[test]
fn refuses_expiries_that_are_unknown_or_past() {
    let mut d = desk();
    let update = d.smirk();
    // 0 is the time of a free slot.
    for expiry in [d.expiry + 1, d.expiry - 1, 0, -1, i64::MIN, i64::MAX] {
        d.refuses(BallastError::InvalidExpiry, &[SurfaceUpdate { expiry, ..update }]);
    }
    // Another asset's.
    let publisher = d.publisher.insecure_clone();
    refuses(&mut d.w, BallastError::InvalidExpiry, |w| {
        refresh(w, &publisher, BTC, &[update])
    });
    d.w.vm.advance(TENOR - 1);
    d.publishes(&[update]);
    d.w.vm.advance(1);
    d.refuses(BallastError::InvalidExpiry, &[update]);
}

#[test]
fn refuses_surfaces_and_bases_outside_their_bounds() {
    type Change = fn(&mut SurfaceUpdate);
    let bad: [Change; 18] = [
        |u| u.surface.at_the_money = 49_999_999,
        |u| u.surface.at_the_money = 3_000_000_001,
        |u| u.surface.at_the_money = 0,
        |u| u.surface.at_the_money = i64::MIN,
        |u| u.surface.at_the_money = i64::MAX,
        |u| u.surface.skew = 250_000_001,
        |u| u.surface.skew = -250_000_001,
        |u| u.surface.skew = i64::MIN,
        |u| u.surface.curvature = -1,
        |u| u.surface.curvature = 100_000_001,
        |u| u.surface.curvature = i64::MAX,
        |u| u.surface.variance_floor = -1,
        |u| u.surface.variance_floor = 1_000_000_001,
        |u| u.surface.variance_floor = i64::MIN,
        |u| u.basis = 65_000_001,
        |u| u.basis = -65_000_001,
        |u| u.basis = i64::MIN,
        |u| u.basis = i64::MAX,
    ];
    let mut d = desk();
    for change in bad {
        let mut update = d.smirk();
        change(&mut update);
        d.refuses(BallastError::InvalidParameter, &[update]);
    }
}

#[test]
fn accepts_surfaces_and_bases_on_their_bounds() {
    let highest = VolatilitySurface {
        at_the_money: 3_000_000_000,
        skew: 250_000_000,
        curvature: 100_000_000,
        variance_floor: 1_000_000_000,
    };
    let lowest = VolatilitySurface {
        at_the_money: 50_000_000,
        skew: -250_000_000,
        curvature: 0,
        variance_floor: 0,
    };
    for (surface, basis) in [(highest, 65_000_000), (lowest, -65_000_000)] {
        let mut d = desk_at(basis);
        let update = SurfaceUpdate {
            expiry: d.expiry,
            basis,
            surface,
        };
        d.publishes(&[update]);
        assert_eq!((d.listed().surface, d.listed().basis), (surface, basis));
    }
}

/// 30 % a year are 9.5 units of 10⁻⁹ a second; at the very end 0.5 % is left.
#[test]
fn the_bound_of_a_basis_falls_with_the_time_left() {
    let mut d = desk();
    let update = d.smirk();
    let with = |basis| SurfaceUpdate { basis, ..update };
    d.w.vm.advance(1);
    // 300,000,000 · 6,307,199 / 31,536,000 = 59,999,990.48…
    d.refuses(BallastError::InvalidParameter, &[with(64_999_991)]);
    d.w.vm.advance(TENOR - 2);
    // A second: 9.51…
    d.refuses(BallastError::InvalidParameter, &[with(5_000_010)]);
    d.refuses(BallastError::InvalidParameter, &[with(-5_000_010)]);
    d.publishes(&[with(-5_000_009)]);
}

/// How far σ, skew or curvature, the variance floor up and down, and the basis may go in some seconds.
struct Allowance {
    elapsed: i64,
    volatility: i64,
    shape: i64,
    floor: [i64; 2],
    basis: i64,
}

/// 300 % of σ, 0.30 of a shape and 2 % of basis an hour, rounded down. The floor moves as σ does: r = √(0.01 / T) of 22.36 % by a, so by
/// ((r ± a)² − r²) · T, T the 73 days less what elapsed.
const ALLOWANCES: [Allowance; 3] = [
    Allowance {
        elapsed: 0,
        volatility: 0,
        shape: 0,
        floor: [0, 0],
        basis: 0,
    },
    // 0.6 · 0.000833333 (a 3,600th of 3), 0.3 / 3,600 and 0.02 / 3,600.
    Allowance {
        elapsed: 1,
        volatility: 499_999,
        shape: 83_333,
        floor: [44_771, 44_671],
        basis: 5_555,
    },
    // 5 % of 60 %, 0.005, and 0.0333… %.
    Allowance {
        elapsed: 60,
        volatility: 30_000_000,
        shape: 5_000_000,
        floor: [2_863_267, 2_503_270],
        basis: 333_333,
    },
];

/// A surface and a basis after these steps, beginning with the given ones.
fn moved(update: &SurfaceUpdate, volatility: i64, shapes: [i64; 3], basis: i64) -> SurfaceUpdate {
    let old = update.surface;
    SurfaceUpdate {
        expiry: update.expiry,
        basis: update.basis + basis,
        surface: VolatilitySurface {
            at_the_money: old.at_the_money + volatility,
            skew: old.skew + shapes[0],
            curvature: old.curvature + shapes[1],
            variance_floor: old.variance_floor + shapes[2],
        },
    }
}

#[test]
fn surface_and_basis_have_a_top_speed_to_the_unit() {
    for allowed in &ALLOWANCES {
        for (sign, floor) in [1, -1].into_iter().zip(allowed.floor) {
            let mut d = desk();
            let update = d.smirk();
            d.publishes(&[update]);
            d.w.vm.advance(allowed.elapsed);
            let (v, s, b) = (allowed.volatility * sign, allowed.shape * sign, allowed.basis * sign);
            let f = floor * sign;
            for one_too_far in [
                moved(&update, v + sign, [0; 3], 0),
                moved(&update, 0, [s + sign, 0, 0], 0),
                moved(&update, 0, [0, s + sign, 0], 0),
                moved(&update, 0, [0, 0, f + sign], 0),
                moved(&update, 0, [0; 3], b + sign),
            ] {
                d.refuses(BallastError::SurfaceTooFast, &[one_too_far]);
            }
            d.publishes(&[moved(&update, v, [s, s, f], b)]);
        }
    }
}

/// Whoever was silent for longer than an hour may not jump further than in one.
/// Before the first surface too: 2 % an hour from the listing on.
#[test]
fn the_basis_of_a_listing_has_a_top_speed() {
    for (elapsed, most) in [(0, 0), (60, 333_333), (3_600, 20_000_000), (86_400, 20_000_000)] {
        for side in [1, -1] {
            let mut d = desk_at(5_000_000);
            d.w.vm.advance(elapsed);
            let with = |basis| SurfaceUpdate { basis, ..d.smirk() };
            let (near, far) = (with(5_000_000 + side * most), with(5_000_000 + side * (most + 1)));
            d.refuses(BallastError::SurfaceTooFast, &[far]);
            d.publishes(&[near]);
            assert_eq!((d.listed().basis, d.listed().basis_time), (near.basis, d.w.vm.now()));
        }
    }
}

#[test]
fn a_silent_publisher_gains_no_more_than_an_hour() {
    // The floor from 0.01 on, by 180 points of √(floor / T) on 22.37 %: ((√(0.01 / T) + 1.8)² · T − 0.01), T less by what elapsed.
    for (elapsed, floor) in [(3_600, 808_581_078), (3_601, 808_580_962), (DAY, 799_013_661)] {
        let mut d = desk();
        let update = d.smirk();
        d.publishes(&[update]);
        d.w.vm.advance(elapsed);
        // From 60 % to 240 %, skew from −0.10 to 0.20, basis from 0 to 2 %.
        for one_too_far in [
            moved(&update, 1_800_000_001, [0; 3], 0),
            moved(&update, 0, [300_000_001, 0, 0], 0),
            moved(&update, 0, [0, 0, floor + 1], 0),
            moved(&update, 0, [0; 3], 20_000_001),
            moved(&update, 0, [0; 3], -20_000_001),
        ] {
            d.refuses(BallastError::SurfaceTooFast, &[one_too_far]);
        }
        d.publishes(&[moved(&update, 1_800_000_000, [300_000_000, 0, floor], 20_000_000)]);
    }
}

/// Total variance over 73 and 146 days: σ may fall by the root of a half, 80 % to 56.57 %.
#[test]
fn total_variance_may_not_fall_with_time() {
    let mut d = desk();
    let (near, far) = (d.expiry, d.expiry + TENOR);
    list_future(&mut d.w, ETH, far, 0);
    d.refuses(BallastError::CalendarArbitrage, &[flat(near, 80), flat(far, 56)]);
    d.refuses(BallastError::CalendarArbitrage, &[flat(far, 56), flat(near, 80)]);
    d.publishes(&[flat(far, 57)]);
    d.refuses(BallastError::CalendarArbitrage, &[flat(near, 81)]);
    d.publishes(&[flat(near, 80)]);
    d.w.vm.advance(3_600);
    // Each alone would cross the other; together they pass in either order.
    d.refuses(BallastError::CalendarArbitrage, &[flat(near, 100)]);
    d.publishes(&[flat(near, 100), flat(far, 80)]);
    d.w.vm.advance(3_600);
    d.refuses(BallastError::CalendarArbitrage, &[flat(far, 57)]);
    d.publishes(&[flat(far, 57), flat(near, 80)]);
}

#[test]
fn an_expiry_between_two_others_is_compared_with_both() {
    let mut d = desk();
    let (first, second, third) = (d.expiry, d.expiry + TENOR, d.expiry + 2 * TENOR);
    for expiry in [third, second] {
        list_future(&mut d.w, ETH, expiry, 0); // slots are not in the order of time
    }
    d.publishes(&[flat(first, 60), flat(third, 60)]);
    // 60 % · √½ = 42.43 % and 60 % · √1.5 = 73.48 %.
    d.refuses(BallastError::CalendarArbitrage, &[flat(second, 42)]);
    d.refuses(BallastError::CalendarArbitrage, &[flat(second, 74)]);
    d.publishes(&[flat(second, 43)]);
    d.w.vm.advance(3_600);
    d.publishes(&[flat(second, 73)]);
}

/// At its last second an expiry counts as an hour of 80 %: 0.64 hours; a day of 15 % has 0.54 and one of 17 % 0.69.
#[test]
fn an_expiry_that_is_past_is_compared_with_none() {
    let mut d = desk();
    let (near, far) = (d.w.vm.now() + DAY, d.w.vm.now() + 2 * DAY);
    for expiry in [near, far] {
        list_future(&mut d.w, ETH, expiry, 0);
    }
    d.publishes(&[flat(near, 80), flat(far, 60)]);
    d.w.vm.advance(DAY - 1);
    d.refuses(BallastError::CalendarArbitrage, &[flat(far, 15)]);
    d.w.vm.advance(1);
    d.publishes(&[flat(far, 15)]);
}

/// The good updates of a batch with a bad one are not published.
#[test]
fn one_bad_update_spoils_them_all() {
    let mut d = desk();
    let good = d.smirk();
    let mut wild = flat(START + 60 * DAY, 60);
    wild.surface.skew = 250_000_001;
    d.refuses(BallastError::InvalidParameter, &[good, wild]);
    d.refuses(BallastError::InvalidExpiry, &[good, flat(d.expiry + 1, 60)]);
    assert_eq!(d.listed().surface_time, 0);
}
