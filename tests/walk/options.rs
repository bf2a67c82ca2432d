//! Options in the walk: which are listed, what their surfaces say, and how large a lot of one is.
use ballast::instructions::SurfaceUpdate;
use ballast::state::{Instrument, InstrumentKind, VolatilitySurface};
use ballast_sim::world::{World, BTC, ETH, START};
use ballast_tests::ok;
use ballast_tests::setup::*;

use crate::act::{Act, Actors, HOSTILE};
use crate::view::View;
use ballast_tests::random::Random;

/// Expiries with options: a month, and that of genesis.
const EXPIRIES: [i64; 2] = [START + 30 * DAY, START + 60 * DAY];
/// The assets with options.
const ASSETS: [u8; 2] = [BTC, ETH];
/// Most that σ moves in a second, as a part of it, and a shape in 10⁻⁹: the limits of 300 % and 0.30 an hour, less a hair.
const VOLATILITY_SPEED: f64 = 3.0 / 3_600.0 * 0.99;
const SHAPE_SPEED: f64 = 3e8 / 3_600.0 * 0.99;

/// Lists calls and puts by pairs, publishes their first surfaces and makes the authority the publisher.
pub fn list(world: &mut World) {
    for (asset, expiry, strike) in [
        (ETH, EXPIRIES[0], 3_000),
        (BTC, EXPIRIES[0], 105_000),
        (ETH, EXPIRIES[1], 4_500),
    ] {
        for kind in [InstrumentKind::Call, InstrumentKind::Put] {
            list_option(world, asset, kind, expiry, strike);
        }
    }
    for (asset, expiries) in [(BTC, &EXPIRIES[..1]), (ETH, &EXPIRIES[..])] {
        let updates: Vec<_> = expiries.iter().map(|expiry| flat(*expiry, 65)).collect();
        let outcome = publish(world, asset, &updates);
        ok(world, outcome);
    }
}

/// Dollars of a lot's underlying: what sizes are measured by.
pub fn unit_value(view: &View, instrument: usize) -> f64 {
    let listed = &view.board.instruments[instrument];
    let index = view.board.assets[usize::from(listed.asset)].price.index;
    index as f64 / 1e9 * listed.lot_size as f64 / 1e9
}

/// What a price's band is a part of: the mark, and for an option at least a tenth of the index.
pub fn premium_base(view: &View, listed: &Instrument, mark: i64) -> i64 {
    if listed.is_option() {
        mark.max(view.board.assets[usize::from(listed.asset)].price.index / 10)
    } else {
        mark
    }
}

/// Volatilities as they are outside.
pub struct Surfaces {
    volatility: [f64; 2],
    skew: [f64; 2],
}

impl Surfaces {
    /// Those of the start.
    pub fn new() -> Surfaces {
        Surfaces {
            volatility: [0.65; 2],
            skew: [0.0; 2],
        }
    }

    /// The next update of one asset: mostly as far towards what is outside as the limits let it go, else too far, past its bounds, or by
    /// somebody who may not.
    pub fn publish(&mut self, actors: &Actors, view: &View, random: &mut Random) -> Act {
        let n = random.below(2) as usize;
        self.volatility[n] = (self.volatility[n] * (0.1 * random.normal()).exp()).clamp(0.2, 2.5);
        self.skew[n] = (self.skew[n] + 0.02 * random.normal()).clamp(-0.2, 0.2);
        let asset = ASSETS[n];
        let mut updates = self.updates(view.now, n, &view.board.assets[usize::from(asset)].expiries);
        match random.below(20) {
            0 => updates[0].surface.at_the_money *= 3,
            1 => updates[0].basis = random.range(-100_000_000, 100_000_000),
            2 => updates[0].expiry += 1,
            _ => {}
        }
        let forger = random
            .chance(5)
            .then(|| HOSTILE[random.below(3) as usize])
            .filter(|who| *who < actors.users.len());
        Act::Publish { asset, updates, forger }
    }

    /// Publishes every surface after hours have passed, as somebody would have meanwhile.
    pub fn catch_up(&mut self, world: &mut World, random: &mut Random) {
        for (n, asset) in ASSETS.into_iter().enumerate() {
            self.volatility[n] = (self.volatility[n] * (0.1 * random.normal()).exp()).clamp(0.2, 2.5);
            let board = world.board();
            let updates = self.updates(world.vm.now(), n, &board.assets[usize::from(asset)].expiries);
            let outcome = publish(world, asset, &updates);
            ok(world, outcome);
        }
    }

    /// One σ and skew for all expiries, so that total variance rises with time, as near to what is outside as the limits allow.
    fn updates(&self, now: i64, n: usize, expiries: &[ballast::state::Expiry]) -> Vec<SurfaceUpdate> {
        let published = expiries.iter().filter(|e| e.surface_time > 0 && e.time > now);
        let towards = |old: i64, new: f64, most: f64| old + (new - old as f64).clamp(-most, most) as i64;
        published
            .map(|e| {
                let seconds = (now - e.surface_time).clamp(0, 3_600) as f64;
                let old = e.surface;
                let most = old.at_the_money as f64 * VOLATILITY_SPEED * seconds;
                SurfaceUpdate {
                    expiry: e.time,
                    basis: e.basis,
                    surface: VolatilitySurface {
                        at_the_money: towards(old.at_the_money, self.volatility[n] * 1e9, most),
                        skew: towards(old.skew, self.skew[n] * 1e9, SHAPE_SPEED * seconds),
                        ..old
                    },
                }
            })
            .collect()
    }
}
