//! The exchange of genesis under prices that err, a keeper and traders who try whatever they can at every step.
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::oracle::FeedConfig;
use ballast::state::{RiskBoard, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_oracle::Guard;
use ballast_sim::invariants::Leg;
use ballast_sim::keeper::choice::Intent;
use ballast_sim::keeper::Keeper;
use ballast_sim::world::{limit, Outcome, User, World};
use ballast_tests::random::Random;
use ballast_tests::setup::*;
use ballast_tests::sources::Sources;
use ballast_tests::{elf, ok};

use crate::faults::{Fault, Model};
use crate::path::{Path, ASSETS};
use crate::sentinel::Sentinel;
use crate::truth::{nano, surplus, Truth};

/// Sources of BTC, ETH and SOL.
pub const GENESIS: [usize; ASSETS] = [3, 3, 1];
/// A price is fresh for so long.
const FRESH: i64 = 60;
/// What the second and the third source say besides the true price, at most, parts of it.
const NOISE: f64 = 0.0002;
/// Lots of an attempt to trade: the least that an order may have.
const LOTS: [i64; ASSETS] = [10, 30, 60];

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Updates, and those that were late, wrong and missing.
    pub updates: [u32; 4],
    /// Attempts to trade at a stale price that were refused for that, and others: they went through, or another reason was given.
    pub stale: (u32, u32),
    /// Attempts to trade at a fresh price that went through, and others.
    pub fresh: (u32, u32),
    /// Flags and steps.
    pub flags: (u32, u32),
    /// Flags and steps of accounts that true prices would have left healthy.
    pub wrongful: Vec<String>,
    /// Those that were right by what was true when the price was published, within the minute before.
    pub late: u32,
    /// The farthest that an index was from the true price beyond what its confidence says, as a part of the bound of
    /// [`Stage::check_index`].
    pub off: [f64; ASSETS],
    /// The largest multiple of the table's ψ, 10⁻⁶.
    pub scale: [u32; ASSETS],
}

/// The stage.
pub struct Stage<'a> {
    /// The world.
    pub world: World,
    /// What was seen.
    pub seen: Seen,
    path: &'a Path,
    sources: Vec<Sources>,
    models: Vec<Vec<Model>>,
    truth: Truth,
    sentinels: Vec<Sentinel>,
    keeper: Keeper,
    buyer: User,
    seller: User,
    random: Random,
    steps: usize,
}

impl<'a> Stage<'a> {
    /// The exchange of genesis at the begin of a path, with so many sources an asset, and its limits, where nothing opens them.
    pub fn new(path: &'a Path, seed: u64, counts: [usize; ASSETS], open: Option<fn(&mut FeedConfig)>) -> Stage<'a> {
        let first = [0, 1, 2].map(|n| path.at(n, path.from));
        let mut world = World::live(&elf(), path.from - 2, first);
        let bind = |(asset, count): (u8, &usize)| match (count, open) {
            (1, None) => Sources::of_genesis(asset),
            _ => Sources::bind(&mut world, asset, *count, open.unwrap_or(|_| {})),
        };
        let sources: Vec<Sources> = (0u8..).zip(&counts).map(bind).collect();
        world.vm.advance(1);
        let now = world.vm.now();
        let mut models = Vec::new();
        for (sources, (count, price)) in sources.iter().zip(counts.iter().zip(first)) {
            let all: Vec<usize> = (0..*count).collect();
            all.iter().for_each(|source| sources.post(&mut world, *source, price));
            let outcome = sources.refresh(&mut world, &all);
            ok(&world, outcome);
            models.push(vec![Model::new(*count, price, now); *count]);
        }
        let truth = Truth::new(&world.board());
        let [keeper, buyer, seller] = [(); 3].map(|()| trader(&mut world, 20_000_000));
        let sentinels = Sentinel::all(&mut world);
        let mut stage = Stage {
            world,
            seen: Seen::default(),
            path,
            sources,
            models,
            truth,
            sentinels,
            keeper: Keeper { user: keeper },
            buyer,
            seller,
            random: Random::new(seed),
            steps: 0,
        };
        (0..stage.sentinels.len()).for_each(|n| stage.put_back(n));
        stage
    }

    /// Plays to the end of the path.
    pub fn run(&mut self) {
        while self.world.vm.now() + 150 < self.path.to {
            self.step();
        }
    }

    /// Twenty to thirty seconds; once in eighty times a minute or two in which nobody refreshes anything.
    fn step(&mut self) {
        self.steps += 1;
        let is_silent = self.random.below(80) == 0;
        let gap = if is_silent {
            self.random.range(61, 150)
        } else {
            self.random.range(20, 30)
        };
        self.world.vm.advance(gap);
        self.world.post_price(QUOTE_ASSET, 1.0);
        let outcome = self.world.refresh(&[QUOTE_ASSET]);
        outcome.expect("the quote's price is always good");
        let asset = self.steps % ASSETS;
        self.try_block_trade(asset);
        self.post();
        self.refresh();
        self.check_index();
        self.attend();
        self.try_block_trade(asset);
        self.try_orders((asset + 1) % ASSETS);
        self.put_back(self.steps % self.sentinels.len());
    }

    /// Every source posts an update, or fails to.
    ///
    /// One by itself does not lie in its first words after a silence: see [`crate::what_a_lone_source_says_after_a_silence_is_believed`].
    fn post(&mut self) {
        let now = self.world.vm.now();
        for (n, models) in self.models.iter_mut().enumerate() {
            let is_lone = models.len() == 1;
            for (source, model) in models.iter_mut().enumerate() {
                let fault = match Fault::next(&mut self.random) {
                    Fault::Wrong(_) if is_lone && model.is_silent(now) => Fault::None,
                    fault => fault,
                };
                let noise = if source == 0 {
                    0.0
                } else {
                    NOISE * (2.0 * self.random.unit() - 1.0)
                };
                let (time, factor, kind) = match fault {
                    Fault::None => (now, 1.0, 0),
                    Fault::Late(seconds) => (now - seconds, 1.0, 1),
                    Fault::Wrong(percent) => (now, 1.0 + percent as f64 / 100.0, 2),
                    Fault::Missing => (now, 1.0, 3),
                };
                self.seen.updates[0] += 1;
                self.seen.updates[kind] += u32::from(kind != 0);
                if fault != Fault::Missing {
                    let price = self.path.at(n, time) * factor * (1.0 + noise);
                    self.sources[n].post_at(&mut self.world, source, price, time);
                    model.posted = (price, time);
                }
            }
        }
    }

    /// All sources in one transaction.
    fn refresh(&mut self) {
        let mut named = vec![(QUOTE_ASSET, self.world.price_account(QUOTE_ASSET))];
        let now = self.world.vm.now();
        for (sources, models) in self.sources.iter().zip(&mut self.models) {
            for (source, model) in models.iter_mut().enumerate() {
                named.push((sources.asset, sources.account(&self.world, source)));
                model.pass(now);
            }
        }
        let refresh = instruction::refresh_prices(&self.world.exchange, &named);
        let outcome = self.world.vm.send(&[refresh], &[]);
        outcome.expect("the quote's price is always new");
        self.truth.observe(self.path, &self.world.board(), now);
    }

    /// How far each index is from the true price.
    ///
    /// Its confidence counts how far any source that it is made of is from it. So while one of these told the truth as of its time, the index
    /// is no farther from the true price than its confidence, what the price has moved since that time, and the noise. A source counts for a
    /// minute, and the index that is made of it for another one.
    fn check_index(&mut self) {
        let (board, now) = (self.world.board(), self.world.vm.now());
        for (n, asset) in board.assets[..ASSETS].iter().enumerate() {
            self.seen.scale[n] = self.seen.scale[n].max(asset.scale.multiples(now).0);
            if !asset.price.is_fresh(now) {
                continue;
            }
            let truth = self.path.at(n, now);
            let off = (asset.price.index as f64 / 1e9 - truth).abs() - asset.price.confidence as f64 / 1e9;
            let drift = self.path.drift(n, now, 2 * FRESH);
            let bound = drift + NOISE * (truth + drift);
            self.seen.off[n] = self.seen.off[n].max(off / bound);
        }
    }

    /// The keeper flags and liquidates what the program lets it, and asks the program itself about one account more.
    fn attend(&mut self) {
        let keys: Vec<_> = self.sentinels.iter().map(|s| s.user.account.margin_account).collect();
        let found = self.keeper.survey(&self.world, &keys).expect("margins");
        for (key, intent) in found {
            let (flags, steps) = &mut self.seen.flags;
            match &intent {
                Intent::Flag => {
                    *flags += 1;
                    self.judge(&key, "flag");
                }
                Intent::Step(_) => {
                    *steps += 1;
                    self.judge(&key, "step");
                }
                _ => {}
            }
            let outcome = self.keeper.act(&mut self.world, &key, &intent);
            outcome.unwrap_or_else(|e| panic!("{e}"));
        }
        let key = keys[self.steps % keys.len()];
        if self.world.flag(&key).is_ok() {
            self.judge(&key, "the program's own flag");
        }
    }

    /// Notes an account that is flagged or liquidated though it is healthy at the true prices of this moment by more than what the noise of a
    /// source may be: that moves equity by at most its part of the gross notional, and maintenance margin, which is less than that, too.
    fn judge(&mut self, key: &Pubkey, what: &str) {
        let (board, now) = (self.world.board(), self.world.vm.now());
        let account = self.world.margin_account(key);
        let is_healthy = |mirror: &RiskBoard| {
            let (surplus, report) = surplus(mirror, &account, now);
            surplus as f64 > report.gross.0 as f64 * 2.0 * NOISE
        };
        if !is_healthy(&self.truth.board(&board)) {
            return;
        }
        if !is_healthy(&self.truth.when_published(self.path, &board)) {
            self.seen.late += 1;
            return;
        }
        let mut sentinels = self.sentinels.iter();
        let name = sentinels
            .find(|s| s.user.account.margin_account == *key)
            .map_or("", |s| s.name);
        let state = self.describe(&board, now);
        self.seen.wrongful.push(format!("{now} {what}: {name}, {state}"));
    }

    fn describe(&self, board: &RiskBoard, now: i64) -> String {
        let one = |n: usize| {
            let asset = &board.assets[n];
            let ratio = asset.price.index as f64 / nano(self.path.at(n, now)) as f64;
            format!(
                "[{ratio:.4} of true, width {:.4}, age {}, scale {}]",
                asset.price.width as f64 / 1e9,
                now - asset.price.publish_time,
                asset.scale.multiples(now).1,
            )
        };
        (0..ASSETS).map(one).collect::<Vec<_>>().join(" ")
    }

    fn put_back(&mut self, n: usize) {
        let (board, now) = (self.world.board(), self.world.vm.now());
        let is_good = |n: usize| {
            let price = &board.assets[n].price;
            let ratio = price.index as f64 / nano(self.path.at(n, now)) as f64;
            price.is_fresh(now) && price.is_tight() && (ratio - 1.0).abs() < 0.005
        };
        if (0..ASSETS).all(is_good) {
            self.sentinels[n].put_back(&mut self.world, &self.truth, &self.seller);
        }
    }

    /// A block trade that adds to both sides, at the tick below the mark.
    fn try_block_trade(&mut self, asset: usize) {
        let instrument = 2 * asset;
        let price = self.tick(instrument);
        let leg = Leg {
            instrument,
            lots: LOTS[asset],
            price,
        };
        let outcome = self.world.trade_package(&self.buyer, &self.seller, &[leg]);
        self.note(asset, &outcome);
    }

    /// An order that rests and one that meets it.
    fn try_orders(&mut self, asset: usize) {
        let instrument = 2 * asset;
        let price = self.tick(instrument) as f64 / 1e9;
        let outcome = self.world.place(instrument, &self.seller, limit(-LOTS[asset], price));
        self.note(asset, &outcome);
        let outcome = self.world.place(instrument, &self.buyer, limit(LOTS[asset], price));
        self.note(asset, &outcome);
    }

    fn tick(&self, instrument: usize) -> i64 {
        let board = self.world.board();
        let listed = &board.instruments[instrument];
        let mark = board.mark(listed, self.world.vm.now()).expect("a mark").0;
        mark / listed.tick_size * listed.tick_size
    }

    /// At a stale price, which the test tells by itself, nothing may be traded, and that is the reason to be given.
    fn note(&mut self, asset: usize, outcome: &Outcome) {
        let price = &self.world.board().assets[asset].price;
        let is_stale = self.world.vm.now() - price.publish_time > FRESH;
        let stale = u32::from(BallastError::StalePrice);
        let (good, bad) = if is_stale {
            &mut self.seen.stale
        } else {
            &mut self.seen.fresh
        };
        let is_good = match outcome {
            Ok(_) => !is_stale,
            Err(refused) => is_stale && refused.code == Some(stale),
        };
        *(if is_good { good } else { bad }) += 1;
    }

    /// What the board has counted is what the model of each source says: refusals for age and for the step. Returns both for each asset, and
    /// how often its sources were apart.
    ///
    /// # Panics
    /// When it is not.
    pub fn counters(&self) -> [[u32; 3]; ASSETS] {
        let board = self.world.board();
        [0, 1, 2].map(|n| {
            let refused = |guard: Guard| board.assets[n].sources.refused[guard as usize];
            let too_old: u32 = self.models[n].iter().map(|model| model.too_old).sum();
            let too_fast: u32 = self.models[n].iter().map(|model| model.too_fast).sum();
            assert_eq!((refused(Guard::Seconds), refused(Guard::Step)), (too_old, too_fast));
            [too_old, too_fast, refused(Guard::Sources)]
        })
    }
}
