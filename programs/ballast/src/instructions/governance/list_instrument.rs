//! `list_instrument`: a perpetual, a dated future or an option, with its market.
use anchor_lang::prelude::*;
use ballast_fixed::kernel::ln_price;
use ballast_fixed::Price;
use ballast_risk::slow_surface;

use crate::error::{ensure, fail, BallastError, OrError};
use crate::events::InstrumentListed;
use crate::state::{
    Asset, Exchange, Expiry, Instrument, InstrumentKind, Market, RiskBoard, DISCRIMINATOR, MAX_INSTRUMENTS, VERSION,
};

/// Least scan range of an asset that instruments are listed on, 10⁻⁹: 1 %. Without one a position would need no margin.
const MIN_SCAN_RANGE: i64 = 10_000_000;
/// Furthest expiry that is listed: two years.
const MAX_TENOR: i64 = 2 * 365 * 86_400;
/// Largest lot, 10⁻⁹ of the asset's unit: a million units.
const MAX_LOT: i64 = 1_000_000_000_000_000;
/// Largest tick, 10⁻⁹ USD: a million dollars.
const MAX_TICK: i64 = 1_000_000_000_000_000;

/// Largest strike, 10⁻⁹ USD: a hundred million dollars.
const MAX_STRIKE: i64 = 100_000_000_000_000_000;
/// How many times over or under the index a strike may lie.
const FARTHEST_STRIKE: i64 = 1_000;

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
    /// share it, so a further one of an expiry that is listed already changes nothing: it is not looked at.
    pub basis: i64,
    /// 10⁻⁹ USD; 0 for what is no option.
    pub strike: i64,
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
        ensure!(
            self.market.to_account_info().data_len() >= DISCRIMINATOR + size_of::<Market>(),
            BallastError::AccountTooSmall
        );
        ensure!(
            (1..=MAX_LOT).contains(&args.lot_size) && (1..=MAX_TICK).contains(&args.tick_size),
            BallastError::InvalidParameter
        );
        let is_option = matches!(args.kind, InstrumentKind::Call | InstrumentKind::Put);
        ensure!(
            is_option == (args.strike != 0) && (0..=MAX_STRIKE).contains(&args.strike),
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

/// Lists an instrument under the next free index.
#[access_control(ctx.accounts.validate(&args))]
pub(crate) fn list_instrument<'info>(
    ctx: Context<'info, ListInstrument<'info>>,
    args: ListInstrumentArgs,
) -> Result<()> {
    let mut exchange = ctx.accounts.exchange.load_mut()?;
    let mut board = ctx.accounts.board.load_mut()?;
    let index = exchange.instrument_count;
    ensure!(usize::from(index) < MAX_INSTRUMENTS, BallastError::BoardFull);
    let scan_range = board.asset(args.asset)?.params.scan_range;
    ensure!(scan_range >= MIN_SCAN_RANGE, BallastError::InvalidParameter);
    let index_price = board.asset(args.asset)?.price.index;
    ensure!(
        args.strike == 0 || index_price <= 0 || is_near(args.strike, index_price),
        BallastError::InvalidParameter
    );
    let same = |i: &Instrument| {
        i.kind == args.kind as u8 && i.asset == args.asset && i.expiry == args.expiry && i.strike == args.strike
    };
    ensure!(!board.instruments.iter().any(same), BallastError::AlreadyListed);
    let expiry_slot = match args.kind {
        InstrumentKind::Perpetual => 0,
        InstrumentKind::Future | InstrumentKind::Call | InstrumentKind::Put => {
            let asset = board
                .assets
                .get_mut(usize::from(args.asset))
                .ok_or(BallastError::AssetNotListed)?;
            expiry_slot(asset, args.expiry, args.basis, Clock::get()?.unix_timestamp)?
        }
    };
    let slot = board
        .instruments
        .get_mut(usize::from(index))
        .ok_or(BallastError::BoardFull)?;
    *slot = Instrument {
        kind: args.kind as u8,
        asset: args.asset,
        expiry_slot,
        generation: 1,
        lot_size: args.lot_size,
        tick_size: args.tick_size,
        expiry: args.expiry,
        strike: args.strike,
        ln_strike: if args.strike == 0 {
            0
        } else {
            ln_price(Price(args.strike)).0
        },
        ..Instrument::default()
    };
    let market_key = ctx.accounts.market.key();
    *exchange
        .markets
        .get_mut(usize::from(index))
        .ok_or(BallastError::BoardFull)? = market_key;
    exchange.instrument_count = index.saturating_add(1); // index < 256

    let mut market = ctx.accounts.market.load_init()?;
    market.version = VERSION;
    market.instrument = index;
    market.generation = 1;
    market.exchange = ctx.accounts.exchange.key();
    emit!(InstrumentListed {
        exchange: ctx.accounts.exchange.key(),
        instrument: index,
        asset: args.asset,
        market: market_key,
        kind: args.kind as u8,
        expiry: args.expiry,
        strike: args.strike,
    });
    Ok(())
}

/// Whether a strike lies where options on the index are worth listing.
fn is_near(strike: i64, index: i64) -> bool {
    let least = (index as u64).div_ceil(FARTHEST_STRIKE as u64) as i64; // both are positive
    (least..=index.saturating_mul(FARTHEST_STRIKE)).contains(&strike)
}

/// The slot of an expiry of the asset, taken if it is new. One that is known has the basis that was last published, whatever the argument.
fn expiry_slot(asset: &mut Asset, time: i64, basis: i64, now: i64) -> Result<u8> {
    let known = asset.expiries.iter().position(|e| e.time == time);
    let free = || asset.expiries.iter().position(|e| e.time == 0);
    let at = known.or_else(free).ok_or(BallastError::BoardFull)?;
    if known.is_none() {
        let bound = slow_surface::basis_bound(time.saturating_sub(now)).or_error()?;
        let within = basis.unsigned_abs() <= bound.0.unsigned_abs();
        ensure!(within, BallastError::InvalidParameter);
        let slot = asset.expiries.get_mut(at).ok_or(BallastError::BoardFull)?;
        *slot = Expiry {
            time,
            basis,
            basis_time: now,
            ..Expiry::default()
        };
    }
    u8::try_from(at).map_err(|_| fail(BallastError::BoardFull))
}
