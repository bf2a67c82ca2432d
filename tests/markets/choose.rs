//! What happens next: mostly something sensible for somebody, often enough something that must be refused.
use ballast::instructions::{OrderArgs, OrderKind, OrderSide, SelfTradeRule};
use ballast::margin::evaluate;
use ballast::state::{MarginAccount, OrderId, RiskBoard, QUOTE_ASSET};
use ballast_risk::MarginReport;
use ballast_sim::invariants::Leg;
use ballast_sim::world::{World, BTC, ETH, SOL};
use ballast_tests::random::Random;
use ballast_tests::setup::*;

use crate::act::Act;
use crate::calendar::{expiry_of, has_price, Calendar, Feed};
use crate::crowd::{Crowd, KEEPERS, MAKERS};

/// First prices of BTC, ETH and SOL, dollars.
pub const START_PRICES: [f64; 3] = [100_000.0, 3_000.0, 150.0];

/// Prices as they are outside, in dollars.
pub struct Prices([f64; 3]);

impl Default for Prices {
    fn default() -> Prices {
        Prices(START_PRICES)
    }
}

impl Prices {
    /// Moves them by a few seconds' worth, now and then by a crash, and posts those of the feeds that publish.
    fn post(&mut self, world: &mut World, feeds: &[u8], random: &mut Random) {
        let jump = if random.chance(1) { random.normal() * 0.08 } else { 0.0 };
        for (n, price) in self.0.iter_mut().enumerate() {
            *price *= (0.0008 * [1.0, 1.3, 1.7][n] * random.normal() + [1.0, 1.2, 1.4][n] * jump).exp();
            *price = price.clamp(START_PRICES[n] / 3.0, START_PRICES[n] * 3.0);
        }
        world.post_price(QUOTE_ASSET, 1.0);
        for (asset, price) in [BTC, ETH, SOL].into_iter().zip(self.0) {
            if feeds.contains(&asset) {
                world.post_price(asset, price);
            }
        }
    }
}

/// One moment, as whoever chooses sees it.
struct View<'a> {
    crowd: &'a Crowd,
    calendar: &'a Calendar,
    board: Box<RiskBoard>,
    now: i64,
}

/// The next instruction. Time passes here, prices are posted, and tokens are handed out.
pub fn next(
    world: &mut World,
    crowd: &Crowd,
    calendar: &mut Calendar,
    prices: &mut Prices,
    random: &mut Random,
) -> Act {
    pass_time(world, calendar, prices, random);
    let view = View {
        crowd,
        calendar,
        board: world.board(),
        now: world.vm.now(),
    };
    let ended = calendar.ended(&view.board, view.now);
    if !ended.is_empty() && random.chance(35) {
        return expire_some(world, &view, &ended, random);
    }
    if random.below(400) == 0 {
        return govern(&view, random);
    }
    match random.below(100) {
        0..=24 => quote_some(world, &view, random),
        25..=42 => take_some(world, &view, random),
        43..=49 => cancel_some(world, &view, random),
        50..=51 => cancel_all(world, &view, random),
        52..=55 => sweep_some(world, &view, random),
        56..=57 => Act::Reconcile {
            who: anybody(&view, random),
        },
        58..=64 => fill_quote(world, &view, random),
        65 => cancel_quote(&view, random),
        66..=70 => block_some(world, &view, random),
        71..=73 => Act::Fund {
            instrument: *random.pick(&[BTC_PERP, calendar.instruments[1], SOL_PERP, BTC_FUTURE]),
        },
        74..=81 => settle_some(world, &view, random),
        82..=83 => fund_some(world, &view, random),
        84..=85 => withdraw_some(world, &view, random),
        86 => claim_some(world, &view, random),
        87..=91 => liquidate_some(world, &view, random),
        _ => {
            let assets = calendar.feeds(&view.board, view.now);
            prices.post(world, &assets, random);
            Act::Refresh { assets }
        }
    }
}

/// Seconds between two instructions, now and then minutes; prices are never older than half a minute after a long while. In a window there is one
/// in each half minute, or with a thin feed every other minute; and where a day has to pass without any, hours pass at once.
fn pass_time(world: &mut World, calendar: &Calendar, prices: &mut Prices, random: &mut Random) {
    let (board, now) = (world.board(), world.vm.now());
    let (in_window, feeds) = (calendar.settles(&board, now), calendar.feeds(&board, now));
    let silent = !feeds.contains(&ETH) && now >= calendar.expiry;
    let thin = in_window && calendar.feed() == Feed::Thin && now < calendar.expiry + 600;
    let steady = in_window && !thin && !silent;
    let (chance, least, most) = match () {
        () if silent => (10, 600, 3_600),
        () if thin => (25, 60, 150),
        () if steady => (0, 0, 0),
        () => (3, 60, 900),
    };
    world.vm.advance(random.range(0, if steady { 20 } else { 6 }));
    let long = random.chance(chance);
    if long {
        world.vm.advance(random.range(least, most));
    }
    let stale = world.vm.now() - board.assets[0].price.publish_time > if thin { 150 } else { 45 };
    if long || stale || (steady && random.chance(80)) {
        prices.post(world, &feeds, random);
        if random.chance(95) {
            world.refresh(&feeds).expect("the board takes good prices");
        }
    }
    let expiry = board.assets[0].expiries.iter().find(|e| e.time == calendar.expiry);
    if expiry.is_some_and(|e| world.vm.now() - e.surface_time > 600) && random.chance(95) {
        calendar.publish(world);
    }
}

fn anybody(view: &View, random: &mut Random) -> usize {
    random.below(view.crowd.users.len() as u64) as usize
}

/// One that is listed: mostly one that trades.
fn instrument(view: &View, random: &mut Random) -> usize {
    let open = view.calendar.open(&view.board, view.now);
    let picked = *random.pick(&view.calendar.instruments);
    if !open.contains(&picked) && (view.board.instruments[picked].kind == 0 || random.chance(90)) {
        return *random.pick(&open);
    }
    picked
}

fn account(world: &World, view: &View, who: usize) -> Box<MarginAccount> {
    world.margin_account(&view.crowd.users[who].account.margin_account)
}

fn margin(world: &World, view: &View, who: usize) -> MarginReport {
    evaluate(&view.board, &account(world, view, who), view.now).expect("a margin")
}

/// The mark of an instrument that is listed and whose price is known; else some price.
fn mark(view: &View, instrument: usize) -> i64 {
    let listed = &view.board.instruments[instrument];
    let mark = view.board.mark(listed, view.now).map_or(0, |mark| mark.0);
    mark.max(listed.tick_size.max(1))
}

/// A price `ppm` millionths of the mark (of a tenth of the index at least, for an option) above it, on a tick but seldom.
fn near(view: &View, instrument: usize, ppm: i64, random: &mut Random) -> i64 {
    let listed = &view.board.instruments[instrument];
    let (mark, tick) = (mark(view, instrument), listed.tick_size.max(1));
    let index = view.board.assets[usize::from(listed.asset)].price.index;
    let base = if listed.is_option() { mark.max(index / 10) } else { mark };
    let price = mark + (i128::from(base) * i128::from(ppm) / 1_000_000) as i64;
    (price / tick).max(1) * tick + i64::from(random.below(300) == 0)
}

/// Lots worth about so many dollars of the underlying.
fn lots(view: &View, instrument: usize, dollars: f64) -> u64 {
    let listed = &view.board.instruments[instrument];
    let index = view.board.assets[usize::from(listed.asset)].price.index as f64 / 1e9;
    let lot = listed.lot_size.max(1) as f64 / 1e9;
    (dollars / (index * lot)).max(1.0) as u64
}

/// An order that rests: makers quote both sides of everything, traders now and then.
fn quote_some(world: &World, view: &View, random: &mut Random) -> Act {
    let who = if random.chance(75) {
        random.below(MAKERS as u64) as usize
    } else {
        anybody(view, random)
    };
    let instrument = instrument(view, random);
    let bid = random.chance(50);
    let away = if random.below(30) == 0 {
        random.range(19_000, 22_000)
    } else {
        random.size(4_000) as i64
    };
    let crosses = random.chance(5);
    let ppm = if bid != crosses { -away } else { away };
    let equity = margin(world, view, who).equity_initial.0.max(0) as f64 / DOLLAR as f64;
    let share = if random.below(20) == 0 {
        20.0
    } else {
        0.02 + 0.2 * random.unit()
    };
    Act::Place {
        who,
        instrument,
        order: OrderArgs {
            side: if bid { OrderSide::Bid } else { OrderSide::Ask },
            price: near(view, instrument, ppm, random),
            lots: lots(view, instrument, (equity * share).max(150.0)),
            kind: if random.chance(70) {
                OrderKind::PostOnly
            } else {
                OrderKind::Limit
            },
            reduce_only: random.chance(8),
            client_order_id: random.below(1_000),
            expires_at: if random.chance(60) {
                view.now + random.range(5, 1_800)
            } else {
                0
            },
            max_matches: random.range(1, 16) as u8,
            self_trade: rule(random),
        },
        left_out: usize::from(random.chance(5)),
    }
}

fn rule(random: &mut Random) -> SelfTradeRule {
    *random.pick(&[
        SelfTradeRule::CancelTaker,
        SelfTradeRule::CancelMaker,
        SelfTradeRule::Decrement,
    ])
}

/// An order that trades at once: opening, or closing what is held.
fn take_some(world: &World, view: &View, random: &mut Random) -> Act {
    let who = anybody(view, random);
    let held = account(world, view, who);
    let open: Vec<_> = held.positions().iter().filter(|p| p.lots != 0).collect();
    let reduces = !open.is_empty() && random.chance(45);
    let (instrument, lots, buys) = if reduces {
        let position = random.pick(&open);
        let size = random.size(position.lots.unsigned_abs());
        (usize::from(position.instrument), size, position.lots < 0)
    } else {
        let instrument = instrument(view, random);
        let equity = margin(world, view, who).equity_initial.0.max(0) as f64 / DOLLAR as f64;
        let leverage = if random.below(20) == 0 {
            15.0
        } else {
            2.0 * random.unit()
        };
        (
            instrument,
            lots(view, instrument, (equity * leverage).max(120.0)),
            random.chance(50),
        )
    };
    let through = random.range(0, 12_000);
    Act::Place {
        who,
        instrument,
        order: OrderArgs {
            side: if buys { OrderSide::Bid } else { OrderSide::Ask },
            price: near(view, instrument, if buys { through } else { -through }, random),
            lots,
            kind: *random.pick(&[
                OrderKind::ImmediateOrCancel,
                OrderKind::ImmediateOrCancel,
                OrderKind::FillOrKill,
            ]),
            reduce_only: reduces && random.chance(60),
            client_order_id: 0,
            expires_at: 0,
            max_matches: random.range(1, 8) as u8,
            self_trade: rule(random),
        },
        left_out: usize::from(random.chance(8)),
    }
}

/// One of the orders of whoever has some, or one that is not there.
fn cancel_some(world: &World, view: &View, random: &mut Random) -> Act {
    let who = anybody(view, random);
    let account = account(world, view, who);
    let resting: Vec<_> = account.orders.iter().filter(|slot| slot.sequence != 0).collect();
    if resting.is_empty() || random.chance(3) {
        return Act::Cancel {
            who,
            instrument: instrument(view, random),
            id: OrderId::Sequence(random.below(1_000)),
        };
    }
    let slot = random.pick(&resting);
    let id = if random.chance(50) {
        OrderId::Client(slot.client_order_id)
    } else {
        OrderId::Sequence(slot.sequence)
    };
    Act::Cancel {
        who,
        instrument: slot.instrument.into(),
        id,
    }
}

fn cancel_all(world: &World, view: &View, random: &mut Random) -> Act {
    let who = anybody(view, random);
    let account = account(world, view, who);
    let books = account.books.iter().filter(|book| book.count > 0);
    let mut instruments: Vec<usize> = books.map(|book| book.instrument.into()).collect();
    if instruments.is_empty() {
        instruments.push(instrument(view, random));
    }
    if random.chance(40) {
        instruments.truncate(1);
    }
    Act::CancelAll { who, instruments }
}

/// Owners of orders in a market: those that have expired among them, those in trouble, or any.
fn sweep_some(world: &World, view: &View, random: &mut Random) -> Act {
    let instrument = instrument(view, random);
    let mut accounts: Vec<usize> = (0..view.crowd.users.len())
        .filter(|who| {
            account(world, view, *who)
                .books
                .iter()
                .any(|b| b.count > 0 && usize::from(b.instrument) == instrument)
        })
        .collect();
    let most = random.range(1, 4) as usize;
    while accounts.len() > most {
        accounts.remove(random.below(accounts.len() as u64) as usize);
    }
    if accounts.is_empty() {
        accounts.push(anybody(view, random));
    }
    Act::CancelStale {
        instrument,
        accounts,
        cranker: random
            .chance(80)
            .then(|| MAKERS + random.below(KEEPERS as u64) as usize),
    }
}

/// A package of one to three legs that a maker signs, of one or a few units, taken whole or in part.
fn fill_quote(world: &World, view: &View, random: &mut Random) -> Act {
    let maker = random.below(MAKERS as u64) as usize;
    let taker = anybody(view, random);
    let mut legs: Vec<Leg> = Vec::new();
    for _ in 0..random.range(1, 3) {
        let instrument = instrument(view, random);
        if legs.iter().any(|leg| leg.instrument == instrument) {
            continue;
        }
        let size = lots(view, instrument, 100.0 + 1_500.0 * random.unit()) as i64;
        let away = random.range(-1_500, 1_500);
        legs.push(Leg {
            instrument,
            lots: if random.chance(50) { size } else { -size },
            price: near(view, instrument, away, random),
        });
    }
    // Mostly the next number, now and then an old one, which may be spent, void or filled in part.
    let next = view.crowd.nonces[maker];
    let nonce = if random.chance(70) {
        next + random.below(40)
    } else {
        next.saturating_sub(random.below(3))
    };
    let mut quote = world.quote(&view.crowd.users[maker], nonce, &legs);
    quote.max_units = random.range(1, 4) as u64;
    quote.expires_at = view.now + random.range(-1, 60);
    let units = random.range(1, quote.max_units as i64) as u64;
    Act::FillQuote {
        quote,
        maker,
        taker,
        units,
    }
}

fn cancel_quote(view: &View, random: &mut Random) -> Act {
    let maker = random.below(MAKERS as u64) as usize;
    let next = view.crowd.nonces[maker];
    if random.chance(50) {
        return Act::CancelQuote {
            maker,
            nonce: next + random.below(40),
        };
    }
    Act::RaiseFloor {
        maker,
        floor: next + random.below(60),
    }
}

fn block_some(world: &World, view: &View, random: &mut Random) -> Act {
    let (taker, maker) = (anybody(view, random), anybody(view, random));
    let instrument = instrument(view, random);
    let equity = margin(world, view, taker).equity_initial.0.max(0) as f64 / DOLLAR as f64;
    let size = lots(view, instrument, (equity * random.unit()).max(100.0)) as i64;
    let away = random.range(-20_500, 20_500);
    Act::Block {
        taker,
        maker,
        instrument,
        lots: if random.chance(50) { size } else { -size },
        price: near(view, instrument, away, random),
    }
}

fn settle_some(world: &World, view: &View, random: &mut Random) -> Act {
    let mut who = anybody(view, random);
    while account(world, view, who).position_count == 0 && random.chance(90) {
        who = anybody(view, random);
    }
    let held = account(world, view, who);
    let mut instruments: Vec<usize> = held.positions().iter().map(|p| usize::from(p.instrument)).collect();
    if instruments.is_empty() {
        instruments.push(BTC_PERP);
    }
    Act::Settle { who, instruments }
}

fn fund_some(world: &mut World, view: &View, random: &mut Random) -> Act {
    let who = anybody(view, random);
    let token = *random.pick(&[world.usd, world.usd, world.btc]);
    let amount = random.size(if token == world.usd { 5_000 * USD } else { BTC_UNIT / 20 });
    world.give(&view.crowd.users[who], &token, amount);
    Act::Deposit { who, token, amount }
}

fn withdraw_some(world: &World, view: &View, random: &mut Random) -> Act {
    let who = anybody(view, random);
    let report = margin(world, view, who);
    let surplus = (report.equity_withdrawal.0 - report.initial.0).max(DOLLAR) as u64 / 100; // quote units
    let amount = if random.chance(20) {
        surplus * 2
    } else {
        random.size(surplus / 4)
    };
    Act::Withdraw {
        who,
        token: world.usd,
        amount,
    }
}

/// Flags who is in trouble, sweeps his orders out, takes over his positions, and takes flags off.
fn liquidate_some(world: &World, view: &View, random: &mut Random) -> Act {
    let mut troubled = None;
    let first = anybody(view, random);
    for n in 0..view.crowd.users.len() {
        let who = (first + n) % view.crowd.users.len();
        let held = account(world, view, who);
        let flagged = held.flag.started_at != 0;
        let report = margin(world, view, who);
        if flagged && !report.is_liquidatable() && random.chance(50) {
            return Act::Unflag { who };
        }
        if report.is_liquidatable() {
            troubled = Some((who, held, flagged));
            break;
        }
    }
    let Some((who, held, flagged)) = troubled else {
        return Act::Flag { who: first };
    };
    if !flagged || random.chance(20) {
        return Act::Flag { who };
    }
    if let Some(book) = held.books.iter().find(|book| book.count > 0) {
        return Act::CancelStale {
            instrument: book.instrument.into(),
            accounts: vec![who],
            cranker: Some(MAKERS),
        };
    }
    let open: Vec<_> = held.positions().iter().filter(|p| p.lots != 0).collect();
    if open.is_empty() {
        return Act::Flag { who };
    }
    let position = random.pick(&open);
    Act::Liquidate {
        who,
        keeper: MAKERS + random.below(KEEPERS as u64) as usize,
        instrument: position.instrument.into(),
        lots: random.size(position.lots.unsigned_abs()),
    }
}

/// What governance does: the ETH perpetual is delisted, once. Now and then too soon, or once more.
fn govern(view: &View, random: &mut Random) -> Act {
    Act::Delist {
        instrument: view.calendar.instruments[1],
        ends_at: match random.chance(90) {
            true => view.calendar.end_of_perpetual(view.now),
            false => view.now + DAY - 1,
        },
    }
}

/// What a referrer is owed, or might be.
fn claim_some(world: &World, view: &View, random: &mut Random) -> Act {
    let due = |who: &usize| account(world, view, *who).referral_due > 0;
    let owing: Vec<usize> = (0..view.crowd.users.len()).filter(due).collect();
    let who = match owing.is_empty() {
        true => anybody(view, random),
        false => *random.pick(&owing),
    };
    Act::Claim {
        who,
        referrer: view.crowd.referrer(who),
    }
}

/// What brings instruments to their end: prices until the settlement price stands, or one that is set, then settling everybody, sweeping the
/// books, and closing.
fn expire_some(world: &mut World, view: &View, ended: &[usize], random: &mut Random) -> Act {
    let listed = |i: usize| &view.board.instruments[i];
    let stands = |i: &usize| has_price(&view.board, listed(*i), view.now);
    let priced: Vec<usize> = ended.iter().copied().filter(stands).collect();
    let instrument = match priced.is_empty() || random.chance(20) {
        true => *random.pick(ended),
        false => *random.pick(&priced),
    };
    let (asset, expiry) = (listed(instrument).asset, listed(instrument).ends());
    let record = expiry_of(&view.board, listed(instrument));
    if record.settlement.price == 0 && (record.is_overdue(view.now) || random.chance(4)) {
        let index = view.board.assets[usize::from(asset)].price.index;
        let price = index / 1_000 * random.range(900, 1_100);
        return Act::SetPrice { asset, expiry, price };
    }
    let stands = record.settlement.price != 0;
    if !stands && random.chance(10) {
        let who = anybody(view, random);
        return Act::Expire { who, instrument };
    }
    if !stands || random.chance(3) {
        return Act::Fix { asset, expiry };
    }
    let resting = |who: &usize| {
        let books = account(world, view, *who).books;
        books
            .iter()
            .any(|b| b.count > 0 && usize::from(b.instrument) == instrument)
    };
    let holds = |who: &usize| account(world, view, *who).position(instrument as u16).is_some();
    let everybody = 0..view.crowd.users.len();
    let with_orders: Vec<usize> = everybody.clone().filter(resting).take(4).collect();
    if !with_orders.is_empty() {
        return Act::CancelStale {
            instrument,
            accounts: with_orders,
            cranker: Some(MAKERS),
        };
    }
    let holders: Vec<usize> = everybody.filter(holds).collect();
    match holders.as_slice() {
        [] => Act::Close { instrument },
        _ if random.chance(4) => Act::Close { instrument },
        some => {
            let who = *random.pick(some);
            let left = account(world, view, who).position(instrument as u16).copied();
            match left.map_or((0, 0), |p| (p.lots, p.quote)) {
                (0, owed) if owed < 0 && random.chance(10) => pay_debt(world, view, who, owed),
                // Who waits gives up now and then; nobody else has anything to give up.
                (_, claim) if claim != 0 && random.chance(8) => Act::Waive { who, instrument },
                (0, _) => Act::Settle {
                    who,
                    instruments: vec![instrument],
                },
                _ => Act::Expire { who, instrument },
            }
        }
    }
}

/// What a loser owes at last, out of his own pocket: until then his market stays, and the winners wait.
fn pay_debt(world: &mut World, view: &View, who: usize, owed: i64) -> Act {
    let (token, amount) = (world.usd, owed.unsigned_abs() + 100 * USD);
    world.give(&view.crowd.users[who], &token, amount);
    Act::Deposit { who, token, amount }
}
