//! Act 6: makers quote a book, a taker crosses it, an hour's premium is paid as funding, and a future and an option expire.
use ballast::state::{InstrumentKind, QUOTE_ASSET};
use ballast_book::Side;

use super::{Failure, Stage};
use crate::invariants::Leg;
use crate::table::{decimal, price, quote, Table};
use crate::world::{at_once, post_only, sign, User, BTC};

/// The perpetual of genesis.
const PERPETUAL: usize = 0;
/// Lots in a BTC.
const BTC_LOTS: i64 = 10_000;
/// Seconds of an hour of the clock.
const HOUR: i64 = 3_600;
/// The index until the settlement window, and what its buckets show in turn, dollars.
const INDEX: f64 = 100_000.0;
const PRINTS: [f64; 2] = [100_500.0, 101_500.0];

/// Those who trade, with a million dollars each.
struct Cast {
    makers: [User; 2],
    taker: User,
}

/// What expires.
struct Dated {
    expiry: i64,
    future: usize,
    call: usize,
}

/// Plays the act.
pub(super) fn play(stage: &mut Stage) -> Result<(), Failure> {
    stage.say("Act 6. A market: makers, a taker, an hour of funding, and an expiry\n")?;
    let mut user = || -> Result<User, Failure> {
        let user = stage.world.user();
        let usd = stage.world.usd;
        let outcome = stage.world.fund(&user, &usd, 1_000_000_000_000);
        stage.done("deposit", outcome)?;
        Ok(user)
    };
    let cast = Cast {
        makers: [user()?, user()?],
        taker: user()?,
    };
    let hour = (stage.world.vm.now() / HOUR + 1) * HOUR;
    let dated = list(stage, hour + 3 * HOUR)?;
    stage.world.wait_until(hour);
    stage.refresh(&[(QUOTE_ASSET, 1.0), (BTC, INDEX)])?;
    fund(stage)?;
    make(stage, &cast)?;
    take(stage, &cast)?;
    sign_quote(stage, &cast, &dated)?;
    pay_funding(stage, &cast, hour)?;
    for maker in &cast.makers {
        let outcome = stage.world.cancel_all(maker, &[PERPETUAL]);
        stage.done("cancel_all_orders", outcome)?;
    }
    expire(stage, &cast, &dated)?;
    // Without orders the mark has come back to the index.
    fund(stage)
}

/// A future and a call at the money that expire together.
fn list(stage: &mut Stage, expiry: i64) -> Result<Dated, Failure> {
    let mut listed = [0; 2];
    let kinds = [(InstrumentKind::Future, 0), (InstrumentKind::Call, 100_000_000_000_000)];
    for (slot, (kind, strike)) in listed.iter_mut().zip(kinds) {
        let outcome = stage.world.list(BTC, kind, expiry, 0, strike);
        stage.done("list_instrument", outcome)?;
        *slot = stage.world.last_listed;
    }
    let [future, call] = listed;
    Ok(Dated { expiry, future, call })
}

fn fund(stage: &mut Stage) -> Result<(), Failure> {
    let outcome = stage.world.update_funding(PERPETUAL);
    stage.done("update_funding", outcome).map(drop)
}

/// The makers quote the perpetual 100 dollars over the index: 50 dollars to each side of it, and 150 dollars to each side in more depth.
fn make(stage: &mut Stage, cast: &Cast) -> Result<(), Failure> {
    let [near, far] = &cast.makers;
    let quotes = [
        (near, -BTC_LOTS / 2, 150.0),
        (far, -2 * BTC_LOTS, 250.0),
        (near, BTC_LOTS / 2, 50.0),
        (far, 2 * BTC_LOTS, -50.0),
    ];
    for (maker, lots, over) in quotes {
        let outcome = stage.world.place(PERPETUAL, maker, post_only(lots, INDEX + over));
        stage.done("place_order, rests", outcome)?;
    }
    book(stage, "The book of the BTC perpetual, over an index of 100,000.00\n")
}

/// Prints the book.
fn book(stage: &mut Stage, title: &str) -> Result<(), Failure> {
    let mut table = Table::new(&["side", "price", "BTC"]);
    let mut asks = stage.world.orders(PERPETUAL, Side::Ask);
    asks.reverse();
    let bids = stage.world.orders(PERPETUAL, Side::Bid);
    for (side, orders) in [("ask", asks), ("bid", bids)] {
        for order in orders {
            table.row([side.into(), price(order.price), decimal(order.lots.into(), 4, 2)]);
        }
    }
    stage.say(title)?;
    stage.say(table)
}

/// The taker buys one BTC: half of it from each maker, whose accounts the order brings along.
fn take(stage: &mut Stage, cast: &Cast) -> Result<(), Failure> {
    let outcome = stage
        .world
        .place(PERPETUAL, &cast.taker, at_once(BTC_LOTS, INDEX + 300.0));
    let receipt = stage.done("place_order, takes from 2 makers", outcome)?;
    let account = stage.world.margin_account(&cast.taker.account.margin_account);
    let entry = account.position(PERPETUAL as u16).map_or(0, |p| p.entry_quote);
    // Half a BTC at 100,150 and half at 100,250 are 100,200 dollars, and 5 basis points of it 50.10.
    stage.expect("what the taker pays for a BTC", -entry, 100_250_100_000)?;
    stage.say(format!(
        "The taker buys 1 BTC from both makers for {} with the fee, in {} compute units.\n",
        quote(-entry),
        receipt.compute_units
    ))?;
    // The nearer maker is sold out and quotes again, so that the premium stands through the hour.
    let again = post_only(-BTC_LOTS / 2, INDEX + 150.0);
    let outcome = stage.world.place(PERPETUAL, &cast.makers[0], again);
    stage.done("place_order, rests", outcome).map(drop)
}

/// A maker signs a quote for the future and the call off chain, and the taker brings it: a BTC future at 100,000 and a call for 400.
fn sign_quote(stage: &mut Stage, cast: &Cast, dated: &Dated) -> Result<(), Failure> {
    let maker = &cast.makers[1];
    let outcome = stage.world.open_quotes(maker);
    stage.done("open_quote_ledger", outcome)?;
    publish(stage, dated)?;
    let board = stage.world.board();
    let leg = |instrument: usize, price: i64| Leg {
        instrument,
        lots: BTC_LOTS,
        price: price / board.instruments[instrument].tick_size * board.instruments[instrument].tick_size,
    };
    let legs = [leg(dated.future, 100_000_000_000_000), leg(dated.call, 400_000_000_000)];
    let signed = sign(&stage.world.quote(maker, 0, &legs), &maker.key);
    let outcome = stage.world.fill_quote(&signed, &cast.taker, &maker.account, 1);
    let receipt = stage.done("fill_quote, 2 legs", outcome)?;
    stage.say(format!(
        "The taker brings a signed quote: 1 BTC future at 100,000.00 and 1 call at 400.00, in {} compute units.\n",
        receipt.compute_units
    ))
}

fn publish(stage: &mut Stage, dated: &Dated) -> Result<(), Failure> {
    let surface = ballast::state::VolatilitySurface {
        at_the_money: 600_000_000,
        ..Default::default()
    };
    let update = ballast::instructions::SurfaceUpdate {
        expiry: dated.expiry,
        basis: 0,
        surface,
    };
    let outcome = stage.world.publish(BTC, &[update]);
    stage.done("refresh_surface", outcome).map(drop)
}

/// The mid was 100 dollars over the index for an hour: an eighth of that is paid over the next one, by the taker's BTC.
fn pay_funding(stage: &mut Stage, cast: &Cast, hour: i64) -> Result<(), Failure> {
    let key = cast.taker.account.margin_account;
    let before = stage.world.margin_account(&key).cash;
    for passed in [1, 2] {
        stage.world.wait_until(hour + passed * HOUR);
        stage.refresh(&[(QUOTE_ASSET, 1.0), (BTC, INDEX)])?;
        fund(stage)?;
    }
    let board = stage.world.board();
    let listed = &board.instruments[PERPETUAL];
    stage.expect("funding of a BTC over the hour", listed.funding_index, 12_500_000_000)?;
    let outcome = stage.world.settle(&key, &[PERPETUAL]);
    stage.done("settle_pnl", outcome)?;
    let after = stage.world.margin_account(&key).cash;
    stage.say(format!(
        "The book's mid was 100.00 over the index for an hour; the long BTC pays an eighth of it over the next: 12.50.\n\
         Its loss settles into cash: {} of entry, fee and funding, at the mark.\n",
        quote(before - after)
    ))
}

/// The last half hour shows 100,500 and 101,500 by turns: the settlement price is their mean.
fn expire(stage: &mut Stage, cast: &Cast, dated: &Dated) -> Result<(), Failure> {
    let print = |bucket: u16| PRINTS[usize::from(bucket % 2)];
    stage.world.walk_window(BTC, dated.expiry, [1, 60], print);
    let outcome = stage.world.fix_settlement(BTC, dated.expiry);
    stage.done("fix_settlement", outcome)?;
    let maker = cast.makers[1].account.margin_account;
    let taker = cast.taker.account.margin_account;
    let mut table = Table::new(&["instrument", "settlement", "the taker gets", "compute units"]);
    // The future from 100,000 to 101,000, less 50 of fees; the call's payoff of 1,000, less its price of 400 and 0.20 of fees on that.
    for (instrument, name, expected) in [
        (dated.future, "BTC future", 950_000_000),
        (dated.call, "BTC 100,000 call", 599_800_000),
    ] {
        let outcome = stage.world.settle_expiry(&maker, instrument);
        stage.done("settle_expiry", outcome)?;
        let before = stage.world.margin_account(&taker).cash;
        let outcome = stage.world.settle_expiry(&taker, instrument);
        let receipt = stage.done("settle_expiry", outcome)?;
        let got = stage.world.margin_account(&taker).cash - before;
        stage.expect(name, got, expected)?;
        table.row([
            name.into(),
            price(101_000_000_000_000),
            quote(got),
            receipt.compute_units.to_string(),
        ]);
    }
    stage.say("The settlement price is the mean of sixty prints: 101,000.00\n")?;
    stage.say(table)?;
    for instrument in [dated.future, dated.call] {
        let outcome = stage.world.close_instrument(instrument);
        stage.done("close_instrument", outcome)?;
    }
    stage.say("Both instruments are closed; their slots can be listed again.\n")
}
