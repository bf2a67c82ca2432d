//! The dated instruments: a BTC future, a call and a put, and an ETH future that expire every few hours and are listed again.
use ballast::state::{InstrumentKind, RiskBoard, SettlementRecord};
use ballast_sim::world::{World, BTC, ETH, START};
use ballast_tests::ok;
use ballast_tests::setup::*;

/// Seconds between two expiries.
const CYCLE: i64 = 4 * 3_600;
/// σ of every surface, per cent: one for all expiries, so that total variance rises with time.
const VOLATILITY: i64 = 60;

/// What is listed.
pub struct Calendar {
    /// The six instruments: two perpetuals, then the dated ones.
    pub instruments: [usize; 6],
    /// The expiry of the dated ones.
    pub expiry: i64,
    /// Expiries whose instruments were all settled and closed.
    pub closed: u32,
}

impl Calendar {
    /// Lists the first dated instruments besides the perpetuals of genesis.
    pub fn list(world: &mut World) -> Calendar {
        let mut calendar = Calendar {
            instruments: [BTC_PERP, ETH_PERP, 0, 0, 0, 0],
            expiry: START + CYCLE,
            closed: 0,
        };
        calendar.list_dated(world);
        calendar
    }

    /// Lists the next dated instruments once the last ones are closed.
    pub fn next(&mut self, world: &mut World) {
        self.closed += 1;
        let now = world.vm.now();
        while self.expiry < now + 3_600 {
            self.expiry += CYCLE;
        }
        self.list_dated(world);
    }

    fn list_dated(&mut self, world: &mut World) {
        let index = world.board().assets[usize::from(BTC)].price.index;
        let strike = index / (1_000 * PRICE) * 1_000;
        let kinds = [
            (BTC, InstrumentKind::Future, 0),
            (BTC, InstrumentKind::Call, strike),
            (BTC, InstrumentKind::Put, strike),
            (ETH, InstrumentKind::Future, 0),
        ];
        for (slot, (asset, kind, strike)) in self.instruments[2..].iter_mut().zip(kinds) {
            let outcome = world.list(asset, kind, self.expiry, 0, strike * PRICE);
            ok(world, outcome);
            *slot = world.last_listed;
        }
        self.publish(world);
    }

    /// Publishes the surface of the expiry.
    pub fn publish(&self, world: &mut World) {
        if world.vm.now() < self.expiry {
            let outcome = publish(world, BTC, &[flat(self.expiry, VOLATILITY)]);
            ok(world, outcome);
        }
    }

    /// Whether the dated instruments no longer trade.
    pub fn is_over(&self, now: i64) -> bool {
        now >= self.expiry
    }

    /// The asset of one of the instruments.
    pub fn asset(&self, board: &RiskBoard, instrument: usize) -> u8 {
        board.instruments[instrument].asset
    }

    /// The settlement average of the expiry in an asset.
    pub fn settlement(&self, board: &RiskBoard, asset: u8) -> Option<SettlementRecord> {
        let mut expiries = board.assets[usize::from(asset)].expiries.iter();
        expiries.find(|e| e.time == self.expiry).map(|e| e.settlement)
    }
}
