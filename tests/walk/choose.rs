//! What happens next: mostly something sensible for somebody, often enough something that must be refused.
use ballast::instructions::PreviewSection;
use ballast::state::{MarginMethod, QUOTE_ASSET};
use ballast_risk::liquidation::reaches_target;
use ballast_sim::invariants::Leg;
use ballast_sim::world::{PriceMessage, Token, World, BTC, ETH, SOL};
use ballast_tests::setup::*;

use crate::act::{Act, Actors, HONEST, HOSTILE, KEEPERS, MAKER};
use crate::options::{premium_base, unit_value, Surfaces};
use crate::view::{Account, View};
use ballast_tests::random::Random;

/// Prices as they are outside, in dollars, and which feeds are silent for how many more refreshes.
pub struct Prices {
    dollars: [f64; 3],
    silent: [u32; 3],
    surfaces: Surfaces,
}

const START_PRICES: [f64; 3] = [100_000.0, 3_000.0, 150.0];

impl Prices {
    /// Those of the start.
    pub fn new() -> Prices {
        Prices {
            dollars: START_PRICES,
            silent: [0; 3],
            surfaces: Surfaces::new(),
        }
    }

    /// Moves them by a few seconds' worth, or by a crash.
    fn move_on(&mut self, random: &mut Random, seconds: i64) {
        let jump = if random.chance(8) { random.normal() * 0.12 } else { 0.0 };
        for (n, price) in self.dollars.iter_mut().enumerate() {
            let volatility = 0.0002 * (seconds as f64).sqrt() * [1.0, 1.3, 1.7][n];
            let beta = [1.0, 1.2, 1.4][n];
            *price *= (volatility * random.normal() + beta * jump).exp();
            *price = price.clamp(START_PRICES[n] / 4.0, START_PRICES[n] * 4.0);
        }
        for silent in &mut self.silent {
            *silent = silent.saturating_sub(1);
        }
        if random.chance(4) {
            self.silent[random.below(3) as usize] = random.range(3, 12) as u32;
        }
    }
}

/// Every section of the preview.
const SECTIONS: [PreviewSection; 6] = [
    PreviewSection::Summary,
    PreviewSection::Asset { asset: 0 },
    PreviewSection::Isolated,
    PreviewSection::Greeks { first: 0 },
    PreviewSection::Risk,
    PreviewSection::Distance {
        asset: 0,
        from: 0,
        to: -1_000_000_000,
        steps: 20,
    },
];

/// The next instruction. Time passes and prices are posted here, and tokens are handed out that it needs.
pub fn next(world: &mut World, actors: &Actors, view: &View, prices: &mut Prices, random: &mut Random) -> Act {
    world.vm.advance(random.range(0, 2));
    match random.below(100) {
        0..=4 => deposit_some(world, actors, view, random),
        5..=8 => prices.surfaces.publish(actors, view, random),
        9 => Act::Method {
            // Those before the last hostile one are first accounts of their wallets for good.
            who: random.below(HOSTILE[2] as u64) as usize,
            method: *random.pick(&[
                MarginMethod::Portfolio,
                MarginMethod::Portfolio,
                MarginMethod::RiskAdjusted,
                MarginMethod::Linear,
            ]),
        },
        10..=18 => withdraw_some(world, actors, view, random),
        19..=44 => trade_some(actors, view, random),
        45..=53 => settle_some(actors, view, random),
        54..=58 => Act::Flag {
            who: troubled(actors, view, random),
        },
        59..=61 => unflag_some(actors, view, random),
        62..=73 => liquidate_some(actors, view, random),
        74 => fund_some(world, actors, random),
        75..=77 => open_or_close(actors, random),
        78..=79 => {
            let who = anybody(actors, random);
            let section = SECTIONS[who % SECTIONS.len()];
            Act::Preview { who, section }
        }
        80..=82 => bad_prices(world, random),
        _ => good_prices(world, prices, random),
    }
}

fn anybody(actors: &Actors, random: &mut Random) -> usize {
    random.below(actors.users.len() as u64) as usize
}

fn of<'a>(actors: &Actors, view: &'a View, who: usize) -> &'a Account {
    view.account(&actors.users[who].account.margin_account)
}

/// Somebody for whom `wanted` holds, mostly; else anybody.
fn somebody(actors: &Actors, view: &View, random: &mut Random, wanted: impl Fn(&Account) -> bool) -> usize {
    let fitting: Vec<usize> = (0..actors.users.len())
        .filter(|n| wanted(of(actors, view, *n)))
        .collect();
    if fitting.is_empty() || random.chance(10) {
        return anybody(actors, random);
    }
    *random.pick(&fitting)
}

fn troubled(actors: &Actors, view: &View, random: &mut Random) -> usize {
    somebody(actors, view, random, |a| {
        a.report.is_liquidatable() && !a.lots().is_empty()
    })
}

fn token(world: &World, actors: &Actors, random: &mut Random) -> Token {
    if actors.closed {
        return world.usd;
    }
    *random.pick(&[world.usd, world.usd, world.usd, world.btc, world.sol])
}

/// About so many dollars of a token, in native units.
fn units(world: &World, token: &Token, dollars: u64) -> u64 {
    match token.mint {
        m if m == world.usd.mint => dollars * USD,
        m if m == world.btc.mint => dollars * BTC_UNIT / 100_000,
        _ => dollars * SOL_UNIT / 150,
    }
}

fn deposit_some(world: &mut World, actors: &Actors, view: &View, random: &mut Random) -> Act {
    let who = if random.chance(40) {
        somebody(actors, view, random, |a| a.data.flag.started_at != 0)
    } else {
        anybody(actors, random)
    };
    let token = token(world, actors, random);
    let most = units(world, &token, 40_000);
    let amount = match random.below(10) {
        0 => 0,
        1 => 1,
        2..=4 => most,
        _ => random.size(most),
    };
    if !actors.closed && !random.chance(10) {
        world.give(&actors.users[who], &token, amount);
    }
    Act::Deposit { who, token, amount }
}

fn withdraw_some(world: &World, actors: &Actors, view: &View, random: &mut Random) -> Act {
    let who = anybody(actors, random);
    if random.chance(5) {
        return Act::Steal {
            from: random.below(HOSTILE[0] as u64) as usize,
            thief: *random.pick(&HOSTILE),
            amount: USD,
        };
    }
    let token = token(world, actors, random);
    let account = of(actors, view, who);
    let surplus = account.report.equity_withdrawal.0 - account.report.initial.0;
    let most = units(world, &token, (surplus / DOLLAR).max(1).unsigned_abs());
    let amount = match random.below(10) {
        0 => 0,
        1 => most.saturating_mul(2),
        2 => most,
        _ => random.size(most),
    };
    let mut markets = world.losers(&account.key);
    match random.below(12) {
        0 => markets.clear(),
        1 => markets.extend(markets.clone()),
        2 => {
            markets = account
                .data
                .positions()
                .iter()
                .map(|p| world.markets[usize::from(p.instrument)])
                .collect()
        }
        _ => {}
    }
    Act::Withdraw {
        who,
        token,
        amount,
        markets,
    }
}

fn trade_some(actors: &Actors, view: &View, random: &mut Random) -> Act {
    let taker = match random.below(10) {
        0 => anybody(actors, random),
        1..=3 => *random.pick(&HONEST),
        4 => *random.pick(&KEEPERS),
        _ => 6 + random.below(actors.users.len() as u64 - 6) as usize,
    };
    let maker = if random.chance(55) {
        MAKER
    } else {
        anybody(actors, random)
    };
    let account = of(actors, view, taker);
    let reduces = !account.lots().is_empty() && random.chance(35);
    let instrument = if reduces {
        usize::from(random.pick(&account.lots()).0)
    } else {
        random.below(view.instruments as u64) as usize
    };
    let mut legs = vec![if reduces {
        let held = account.lots_in(instrument);
        let lots = -held.signum() * random.size(held.unsigned_abs()) as i64;
        leg(view, instrument, lots, random)
    } else {
        let leverage = 0.05 + random.unit() * if HONEST.contains(&taker) { 2.0 } else { 6.0 };
        let notional = leverage * account.report.equity_initial.0.max(1_000 * DOLLAR) as f64 / DOLLAR as f64;
        let lots = (notional / unit_value(view, instrument)) as i64;
        leg(view, instrument, if random.chance(50) { lots } else { -lots }, random)
    }];
    match random.below(20) {
        0..=3 => legs.push(hedge(view, &legs[0])),
        4..=6 => add_legs(&mut legs, account, view, random),
        _ => {}
    }
    Act::Trade { taker, maker, legs }
}

/// A leg at about the mark: mostly well within the band, now and then at its edge or beyond, or off the tick.
fn leg(view: &View, instrument: usize, lots: i64, random: &mut Random) -> Leg {
    let listed = &view.board.instruments[instrument];
    let mark = view.board.mark(listed, view.now).expect("a mark").0;
    let off = match random.below(20) {
        0 => random.range(-30_000, 30_000),
        1..=3 => random.range(-20_000, 20_000),
        _ => random.range(-500, 500),
    };
    let price = mark + (i128::from(premium_base(view, listed, mark)) * i128::from(off) / 1_000_000) as i64;
    let tick = listed.tick_size;
    Leg {
        instrument,
        lots,
        price: price / tick * tick + i64::from(random.chance(2)),
    }
}

/// One to three legs more, of the size of the first or closing what is held.
fn add_legs(legs: &mut Vec<Leg>, account: &Account, view: &View, random: &mut Random) {
    let size = unit_value(view, legs[0].instrument) * legs[0].lots as f64;
    for _ in 0..random.range(1, 3) {
        let instrument = random.below(view.instruments as u64) as usize;
        if legs.iter().any(|leg| leg.instrument == instrument) {
            continue;
        }
        let held = account.lots_in(instrument);
        let lots = if held != 0 && random.chance(50) {
            -held
        } else {
            (size / unit_value(view, instrument)) as i64 * *random.pick(&[1, -1])
        };
        legs.push(leg(view, instrument, lots, random));
    }
}

/// The same lots of the asset's other instrument on the other side, at the mark: future against perpetual, put against call.
fn hedge(view: &View, first: &Leg) -> Leg {
    let instrument = (first.instrument ^ 1).min(view.instruments - 1);
    let listed = &view.board.instruments[instrument];
    let mark = view.board.mark(listed, view.now).expect("a mark").0;
    Leg {
        instrument,
        lots: -first.lots,
        price: (mark / listed.tick_size).max(1) * listed.tick_size,
    }
}

fn settle_some(actors: &Actors, view: &View, random: &mut Random) -> Act {
    let who = somebody(actors, view, random, |a| a.data.position_count > 0);
    let held = of(actors, view, who)
        .data
        .positions()
        .iter()
        .map(|p| usize::from(p.instrument));
    let mut instruments: Vec<usize> = held.filter(|_| random.chance(60)).collect();
    if instruments.is_empty() || random.chance(4) {
        instruments.push(random.below(view.instruments as u64) as usize);
    }
    if random.chance(50) {
        instruments.reverse();
    }
    Act::Settle { who, instruments }
}

fn unflag_some(actors: &Actors, view: &View, random: &mut Random) -> Act {
    let flagged = |a: &Account| a.data.flag.started_at != 0;
    let recovered = |a: &Account| flagged(a) && reaches_target(&a.report).unwrap_or(false);
    let who = if view.accounts.iter().any(recovered) && random.chance(70) {
        somebody(actors, view, random, recovered)
    } else {
        somebody(actors, view, random, flagged)
    };
    Act::Unflag { who }
}

fn liquidate_some(actors: &Actors, view: &View, random: &mut Random) -> Act {
    let ripe = |a: &Account| a.data.flag.started_at != 0 && !a.lots().is_empty();
    let ready = |a: &Account| ripe(a) && a.report.is_liquidatable();
    let who = if view.accounts.iter().any(ready) {
        somebody(actors, view, random, ready)
    } else {
        troubled(actors, view, random)
    };
    let keeper = if random.chance(80) {
        *random.pick(&KEEPERS)
    } else {
        anybody(actors, random)
    };
    let account = of(actors, view, who);
    let confirmed = account
        .data
        .flag
        .clock()
        .is_some_and(|c| view.now - c.confirmed_at <= 120);
    if !confirmed && random.chance(75) {
        return Act::Flag { who };
    }
    let held = account.lots();
    let (instrument, lots) = if held.is_empty() || random.chance(3) {
        (random.below(view.instruments as u64) as usize, 1)
    } else {
        let (instrument, lots) = *random.pick(&held);
        let lots = lots.unsigned_abs();
        let lots = match random.below(6) {
            0 => lots,
            1 => 1,
            2 => lots + 1,
            _ => random.size(lots),
        };
        (usize::from(instrument), lots)
    };
    Act::Liquidate {
        instrument,
        who,
        keeper,
        lots,
    }
}

fn fund_some(world: &mut World, actors: &Actors, random: &mut Random) -> Act {
    let (who, usd) = (*random.pick(&HONEST), world.usd);
    let amount = random.size(1_000 * USD);
    if !actors.closed {
        world.give(&actors.users[who], &usd, amount);
    }
    Act::Fund { who, amount }
}

fn open_or_close(actors: &Actors, random: &mut Random) -> Act {
    let who = *random.pick(&HOSTILE);
    if actors.users.len() > 12 || random.chance(45) {
        let others = actors.users.len() as u64 - HOSTILE[2] as u64;
        return Act::Close {
            who: HOSTILE[2] + random.below(others) as usize,
        };
    }
    Act::Open {
        who,
        index: random.range(0, 4) as u16,
    }
}

/// Prices that nobody should take.
fn bad_prices(world: &mut World, random: &mut Random) -> Act {
    let asset = *random.pick(&[BTC, ETH, SOL, QUOTE_ASSET]);
    let now = world.vm.now();
    let good = PriceMessage::new(world.feed_id(asset), 1_000.0, now);
    let bad = match random.below(6) {
        0 => PriceMessage {
            publish_time: now - 61,
            ..good
        },
        1 => PriceMessage {
            publish_time: now + 1,
            ..good
        },
        2 => PriceMessage {
            price: -good.price,
            ..good
        },
        3 => PriceMessage {
            confidence: good.price.unsigned_abs() / 100,
            ..good
        },
        4 => PriceMessage {
            feed_id: world.feed_id(if asset == BTC { ETH } else { BTC }),
            ..good
        },
        _ => PriceMessage {
            verification: ballast_sim::world::Verification::Partial(5),
            ..good
        },
    };
    world.post(asset, &bad);
    Act::Refresh { assets: vec![asset] }
}

/// Time passes, prices move, and all that are not silent are posted.
fn good_prices(world: &mut World, prices: &mut Prices, random: &mut Random) -> Act {
    if random.chance(10) {
        // Hours in which the slow prices follow; a silent feed is dead afterwards.
        for _ in 0..random.range(1, 8) {
            world.vm.advance(1_800);
            post(world, prices, 1.0);
            let fresh = assets(prices);
            world.refresh(&fresh).expect("good prices");
        }
        prices.surfaces.catch_up(world, random);
    }
    let seconds = random.range(1, 25);
    world.vm.advance(seconds);
    prices.move_on(random, seconds);
    let quote = *random.pick(&[0.97, 1.04, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    post(world, prices, quote);
    Act::Refresh { assets: assets(prices) }
}

fn assets(prices: &Prices) -> Vec<u8> {
    let spoken = [BTC, ETH, SOL]
        .into_iter()
        .filter(|a| prices.silent[usize::from(*a)] == 0);
    spoken.chain([QUOTE_ASSET]).collect()
}

fn post(world: &mut World, prices: &Prices, quote: f64) {
    world.post_price(QUOTE_ASSET, quote);
    for asset in [BTC, ETH, SOL] {
        if prices.silent[usize::from(asset)] == 0 {
            world.post_price(asset, prices.dollars[usize::from(asset)]);
        }
    }
}
