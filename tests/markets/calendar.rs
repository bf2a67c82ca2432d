//! What ends: a BTC future, a call and a put, and an ETH future that expire every few hours and are listed again; and the ETH perpetual, which
//! is delisted and listed again. Some windows have few prints and go on, and one of ETH has none for a day.
use ballast::state::{Expiry, Instrument, InstrumentKind, RiskBoard, QUOTE_ASSET};
use ballast_risk::settlement_window::{BUCKETS, WINDOW_SECONDS};
use ballast_sim::world::{World, BTC, ETH, SOL, START};
use ballast_tests::ok;
use ballast_tests::setup::*;

/// Seconds between two expiries.
const CYCLE: i64 = 4 * 3_600;
/// σ of every surface, per cent: one for all expiries, so that total variance rises with time.
const VOLATILITY: i64 = 60;

/// How the prices of a settlement window come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Several a minute.
    Steady,
    /// Every other minute: too few by the expiry.
    Thin,
    /// None of ETH for a day.
    Silent,
}

/// What is listed.
pub struct Calendar {
    /// The six instruments: two perpetuals, then the dated ones.
    pub instruments: [usize; 6],
    /// The expiry of the dated ones.
    pub expiry: i64,
    /// Expiries whose instruments were all settled and closed.
    pub closed: u32,
    /// Perpetuals that were delisted, settled, closed and listed again.
    pub relisted: u32,
    /// Closed instruments whose price stood at their end.
    pub on_time: u32,
    /// Closed instruments whose window went on after it.
    pub extended: u32,
}

impl Calendar {
    /// Lists the first dated instruments besides the perpetuals of genesis.
    pub fn list(world: &mut World) -> Calendar {
        let mut calendar = Calendar {
            instruments: [BTC_PERP, ETH_PERP, 0, 0, 0, 0],
            expiry: START + CYCLE,
            closed: 0,
            relisted: 0,
            on_time: 0,
            extended: 0,
        };
        calendar.list_dated(world);
        calendar
    }

    /// Lists what comes next once something is closed.
    pub fn next(&mut self, world: &mut World) {
        let board = world.board();
        if board.instruments[self.instruments[1]].kind == 0 {
            let outcome = world.list(ETH, InstrumentKind::Perpetual, 0, 0, 0);
            ok(world, outcome);
            self.instruments[1] = world.last_listed;
            self.relisted += 1;
        }
        if self.instruments[2..].iter().all(|i| board.instruments[*i].kind == 0) {
            self.closed += 1;
            let now = world.vm.now();
            while self.expiry < now + 3_600 {
                self.expiry += CYCLE;
            }
            self.list_dated(world);
        }
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

    /// How the prices of the current expiry's window come.
    pub fn feed(&self) -> Feed {
        match self.closed {
            2 => Feed::Silent,
            n if n % 4 == 1 => Feed::Thin,
            _ => Feed::Steady,
        }
    }

    /// Whether the window of something that is listed has begun and it has no settlement price.
    pub fn settles(&self, board: &RiskBoard, now: i64) -> bool {
        let mut listed = self.instruments.iter().map(|i| &board.instruments[*i]);
        listed
            .any(|i| i.kind != 0 && i.ends() != 0 && now >= i.ends() - WINDOW_SECONDS - 60 && !has_price(board, i, now))
    }

    /// The feeds that publish now.
    pub fn feeds(&self, board: &RiskBoard, now: i64) -> Vec<u8> {
        let silent = self.feed() == Feed::Silent && now >= self.expiry - WINDOW_SECONDS && {
            let future = &board.instruments[self.instruments[5]];
            future.kind != 0 && !has_price(board, future, now)
        };
        match silent {
            true => vec![QUOTE_ASSET, BTC, SOL],
            false => vec![QUOTE_ASSET, BTC, ETH, SOL],
        }
    }

    /// What has ended and is not closed.
    pub fn ended(&self, board: &RiskBoard, now: i64) -> Vec<usize> {
        let ended = |i: &usize| board.instruments[*i].kind != 0 && board.instruments[*i].is_expired(now);
        self.instruments.iter().copied().filter(ended).collect()
    }

    /// What trades.
    pub fn open(&self, board: &RiskBoard, now: i64) -> Vec<usize> {
        let open = |i: &usize| board.instruments[*i].kind != 0 && !board.instruments[*i].is_expired(now);
        self.instruments.iter().copied().filter(open).collect()
    }

    /// When the ETH perpetual could end: an expiry of the dated instruments, or a quarter of an hour after one.
    pub fn end_of_perpetual(&self, now: i64) -> i64 {
        let cycles = (now + DAY - START) / CYCLE + 1;
        START + cycles * CYCLE + if self.relisted.is_multiple_of(2) { 0 } else { 900 }
    }

    /// Counts how the window of something that is closed went.
    pub fn note(&mut self, expiry: &Expiry, now: i64) {
        // Past it once the price stands: the first bucket that does not count.
        match expiry.average(now).bucket > BUCKETS + 1 {
            true => self.extended += 1,
            false => self.on_time += 1,
        }
    }
}

/// The expiry that an instrument ends with.
pub fn expiry_of<'b>(board: &'b RiskBoard, instrument: &Instrument) -> &'b Expiry {
    let asset = &board.assets[usize::from(instrument.asset)];
    &asset.expiries[usize::from(instrument.expiry_slot)]
}

/// Whether the settlement price of an instrument stands.
pub fn has_price(board: &RiskBoard, instrument: &Instrument, now: i64) -> bool {
    expiry_of(board, instrument).settlement_price(now).is_some()
}
