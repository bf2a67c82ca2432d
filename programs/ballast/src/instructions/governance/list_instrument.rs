//! `list_instrument`: a perpetual, a dated future or an option, with its market.
use anchor_lang::prelude::*;
use ballast_book::{MAX_CAPACITY, MIN_CAPACITY};
use ballast_fixed::kernel::ln_price;
use ballast_fixed::Price;
use ballast_risk::slow_surface;

use crate::clearing::start_premium;
use crate::error::{ensure, fail, BallastError, OrError};
use crate::events::InstrumentListed;
use crate::state::{
    is_near, Asset, Exchange, Expiry, Instrument, InstrumentKind, Market, RiskBoard, MAX_PRICE, VERSION,
};

/// Least scan range of an asset that instruments are listed on, 10⁻⁹: 1 %. Without one a position would need no margin.
const MIN_SCAN_RANGE: i64 = 10_000_000;
/// Furthest expiry that is listed: two years.
pub(super) const MAX_TENOR: i64 = 2 * 365 * 86_400;
/// Largest lot, 10⁻⁹ of the asset's unit: a million units.
const MAX_LOT: i64 = 1_000_000_000_000_000;
/// Largest tick, 10⁻⁹ USD: a million dollars.
const MAX_TICK: i64 = 1_000_000_000_000_000;
/// Largest of the smallest orders that may rest, lots.
const MAX_MIN_ORDER: i64 = 1_000_000_000;
/// Smallest notional by which a book is measured, dollars (10⁻⁸): a thousand dollars. A mark that less moves is anyone's.
const MIN_IMPACT_NOTIONAL: i64 = 100_000_000_000;
/// Largest notional by which a book is measured, dollars (10⁻⁸): ten million dollars.
const MAX_IMPACT_NOTIONAL: i64 = 1_000_000_000_000_000;
/// Events of a market of one generation: so many bits.
const GENERATION_BITS: u32 = 40;
/// Largest funding of an hour that may be listed, in 10⁻⁶ of the index.
const MAX_FUNDING_PPM: u32 = 5_000;

/// Parameters of a new instrument.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct ListInstrumentArgs {
    /// What it is.
    pub kind: InstrumentKind,
    /// Its asset.
    pub asset: u8,
    /// A lot, 10⁻⁹ of the asset's unit.
    pub lot_size: i64,
    /// A tick, 10⁻⁹ USD.
    pub tick_size: i64,
    /// Unix seconds; 0 for a perpetual.
    pub expiry: i64,
    /// Forward = index · (1 + basis), 10⁻⁹, of an expiry that is listed with this instrument; 0 for a perpetual. Instruments of one expiry
    /// share it, so a further one of an expiry that is listed already changes nothing: it is not looked at. A delisted perpetual that ends
    /// then has none.
    pub basis: i64,
    /// 10⁻⁹ USD; 0 for what is no option.
    pub strike: i64,
    /// Orders that each side of the book has room for, 64 to 1,024. The market's account is of this book's size.
    pub book_capacity: u32,
    /// Smallest order that may rest in the book, lots.
    pub min_order_lots: i64,
    /// Notional by which the book of a perpetual is measured for its mark and funding, dollars (10⁻⁸), 1,000 to ten million of them; 0 for
    /// what is no perpetual. Each change of the book looks at as many orders of each side as make it up.
    pub impact_notional: i64,
    /// Largest funding of an hour, in 10⁻⁶ of the index; 0 for what is no perpetual.
    pub max_funding_ppm: u32,
}

impl ListInstrumentArgs {
    fn check_book(&self) -> Result<()> {
        let is_perpetual = matches!(self.kind, InstrumentKind::Perpetual);
        let (impact, funding) = (self.impact_notional, self.max_funding_ppm);
        let measured =
            (MIN_IMPACT_NOTIONAL..=MAX_IMPACT_NOTIONAL).contains(&impact) && (1..=MAX_FUNDING_PPM).contains(&funding);
        ensure!(
            (MIN_CAPACITY..=MAX_CAPACITY).contains(&self.book_capacity)
                && (1..=MAX_MIN_ORDER).contains(&self.min_order_lots)
                && if is_perpetual {
                    measured
                } else {
                    impact == 0 && funding == 0
                },
            BallastError::InvalidParameter
        );
        Ok(())
    }
}

/// Accounts of `list_instrument`.
#[derive(Accounts)]
pub struct ListInstrument<'info> {
    /// The exchange.
    #[account(mut, has_one = authority @ BallastError::NotAuthority, has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
    /// The market, created by the client: zeroed, owned by this program.
    #[account(zero)]
    pub market: AccountLoader<'info, Market>,
    /// The exchange's authority.
    pub authority: Signer<'info>,
}

impl ListInstrument<'_> {
    fn validate(&self, args: &ListInstrumentArgs) -> Result<()> {
        args.check_book()?;
        ensure!(
            self.market.to_account_info().data_len() == Market::size(args.book_capacity),
            BallastError::AccountTooSmall
        );
        ensure!(
            (1..=MAX_LOT).contains(&args.lot_size) && (1..=MAX_TICK).contains(&args.tick_size),
            BallastError::InvalidParameter
        );
        let is_option = matches!(args.kind, InstrumentKind::Call | InstrumentKind::Put);
        ensure!(
            is_option == (args.strike != 0) && (0..=MAX_PRICE).contains(&args.strike),
            BallastError::InvalidParameter
        );
        match args.kind {
            InstrumentKind::Perpetual => ensure!(args.expiry == 0 && args.basis == 0, BallastError::InvalidParameter),
            InstrumentKind::Future | InstrumentKind::Call | InstrumentKind::Put => {
                let now = Clock::get()?.unix_timestamp;
                ensure!(
                    args.expiry > now && args.expiry <= now.saturating_add(MAX_TENOR),
                    BallastError::InvalidExpiry
                );
            }
        }
        Ok(())
    }
}

/// Lists an instrument under the first free index: one that was closed, or the next new one.
#[access_control(ctx.accounts.validate(&args))]
pub(crate) fn list_instrument<'info>(
    ctx: Context<'info, ListInstrument<'info>>,
    args: ListInstrumentArgs,
) -> Result<()> {
    let mut exchange = ctx.accounts.exchange.load_mut()?;
    let mut board = ctx.accounts.board.load_mut()?;
    let index = board.free_index()?;
    let scan_range = board.asset(args.asset)?.params.scan_range;
    ensure!(scan_range >= MIN_SCAN_RANGE, BallastError::InvalidParameter);
    let index_price = board.asset(args.asset)?.price.index;
    ensure!(
        args.strike == 0 || index_price <= 0 || is_near(args.strike, index_price),
        BallastError::InvalidParameter
    );
    let mut has_basis = false;
    let same_time = |i: &&Instrument| i.kind != 0 && i.asset == args.asset && i.expiry == args.expiry;
    for listed in board.instruments.iter().filter(same_time) {
        let is_same = listed.kind == args.kind as u8 && listed.strike == args.strike;
        ensure!(!is_same, BallastError::AlreadyListed);
        has_basis = true;
    }
    let expiry_slot = match args.kind {
        InstrumentKind::Perpetual => 0,
        InstrumentKind::Future | InstrumentKind::Call | InstrumentKind::Put => {
            let asset = board
                .assets
                .get_mut(usize::from(args.asset))
                .ok_or(BallastError::AssetNotListed)?;
            let basis = (!has_basis).then_some(args.basis);
            expiry_slot(asset, args.expiry, basis, Clock::get()?.unix_timestamp)?
        }
    };
    let now = Clock::get()?.unix_timestamp;
    let is_perpetual = args.kind == InstrumentKind::Perpetual;
    let premium = start_premium(board.asset(args.asset)?, now)?;
    let slot = board
        .instruments
        .get_mut(usize::from(index))
        .ok_or(BallastError::BoardFull)?;
    // What names the instrument by its generation, a signed quote or a position, names no later one.
    let generation = slot.generation.checked_add(1).ok_or(BallastError::BoardFull)?;
    *slot = Instrument {
        kind: args.kind as u8,
        asset: args.asset,
        expiry_slot,
        generation,
        lot_size: args.lot_size,
        tick_size: args.tick_size,
        expiry: args.expiry,
        strike: args.strike,
        ln_strike: if args.strike == 0 {
            0
        } else {
            ln_price(Price(args.strike)).0
        },
        funding_hour: if is_perpetual { premium.funding_hour } else { 0 },
        ..Instrument::default()
    };
    let market_key = ctx.accounts.market.key();
    *exchange
        .markets
        .get_mut(usize::from(index))
        .ok_or(BallastError::BoardFull)? = market_key;
    exchange.instrument_count = exchange.instrument_count.max(index.saturating_add(1)); // index < 256

    let mut market = ctx.accounts.market.load_init()?;
    market.version = VERSION;
    market.instrument = index;
    market.generation = generation;
    market.sequence = u64::from(generation.saturating_sub(1)) << GENERATION_BITS;
    market.exchange = ctx.accounts.exchange.key();
    market.book_capacity = args.book_capacity;
    market.min_order_lots = args.min_order_lots;
    market.impact_notional = args.impact_notional;
    market.max_funding_ppm = args.max_funding_ppm;
    if is_perpetual {
        market.premium = premium;
    }
    drop(market);
    let account = ctx.accounts.market.to_account_info();
    let mut data = account.try_borrow_mut_data()?;
    let (_, book) = Market::split(&mut data)?;
    ballast_book::init(book, args.book_capacity).or_error()?;
    drop(data);
    emit!(InstrumentListed {
        exchange: ctx.accounts.exchange.key(),
        instrument: index,
        asset: args.asset,
        market: market_key,
        kind: args.kind as u8,
        expiry: args.expiry,
        strike: args.strike,
        generation,
    });
    Ok(())
}

/// The slot of an expiry of the asset, taken if it is new. Where `basis` is given and nobody has published one, it starts with that; else it
/// keeps what it has.
pub(super) fn expiry_slot(asset: &mut Asset, time: i64, basis: Option<i64>, now: i64) -> Result<u8> {
    let known = asset.expiries.iter().position(|e| e.time == time);
    let free = || asset.expiries.iter().position(|e| e.time == 0);
    let at = known.or_else(free).ok_or(BallastError::BoardFull)?;
    let slot = asset.expiries.get_mut(at).ok_or(BallastError::BoardFull)?;
    if slot.time == 0 || (basis.is_some() && slot.surface_time == 0) {
        let basis = basis.unwrap_or_default();
        let bound = slow_surface::basis_bound(time.saturating_sub(now)).or_error()?;
        let within = basis.unsigned_abs() <= bound.0.unsigned_abs();
        ensure!(within, BallastError::InvalidParameter);
        *slot = Expiry {
            time,
            basis,
            basis_time: now,
            ..*slot
        };
        asset.note_settlements();
    }
    u8::try_from(at).map_err(|_| fail(BallastError::BoardFull))
}
