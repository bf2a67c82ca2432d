//! A margin account: the unified vault of one user.
use anchor_lang::prelude::*;
use ballast_fixed::{Checked, Dollars, Lots, Overflow, QuoteAmount};
use ballast_risk::fees::TradedVolume;
use ballast_risk::liquidation::FlagClock;
use ballast_risk::Method;

use super::{assert_layout, Instrument};
use crate::error::{ensure, BallastError};

/// Positions of one margin account.
pub const MAX_POSITIONS: usize = 40;
/// Of them in options. A liquidation margins the account several times in one transaction: with more it could not be liquidated at all.
pub const MAX_OPTION_POSITIONS: usize = 24;
/// Collateral kinds in one margin account, cash not counted.
pub const MAX_BALANCES: usize = 8;
/// Markets in which one margin account may have orders resting.
pub const MAX_BOOKS: usize = 8;
/// Orders of one margin account that may rest.
pub const MAX_ORDERS: usize = 32;
/// Delegates of one margin account.
pub const MAX_DELEGATES: usize = 4;
/// Quote units locked while an account holds a position or an order (margin.md section 8, dust).
pub const POSITION_RESERVE: QuoteAmount = QuoteAmount(2_000_000);

/// A balance of one collateral.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Index of the collateral on the exchange; 0 (the quote asset) where the slot is free.
    pub collateral: u8,
    /// Index of its asset on the board.
    pub asset: u8,
    /// Decimals of its mint.
    pub decimals: u8,
    /// Zero.
    pub _padding: [u8; 5],
    /// Native units.
    pub amount: u64,
}

/// A position in one instrument.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Index of the instrument on the board.
    pub instrument: u16,
    /// Index of its asset.
    pub asset: u8,
    /// Kind of the instrument; 0 where the slot is free.
    pub kind: u8,
    /// Generation of the instrument.
    pub generation: u32,
    /// Unix seconds; 0 for a perpetual.
    pub expiry: i64,
    /// 10⁻⁹ USD; 0 for a linear instrument.
    pub strike: i64,
    /// Signed lots.
    pub lots: i64,
    /// What the position has received less what it has paid, quote units; lots · mark + quote is its value.
    pub quote: i64,
    /// The quote at which the open lots were entered; settlement does not change it.
    pub entry_quote: i64,
    /// The instrument's funding index at the last touch, 10⁻⁹ USD for a unit.
    pub funding_index: i64,
    /// Room for the loss index at the last touch.
    pub _reserved: [u8; 8],
}

/// What an account has resting in one market.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OpenOrders {
    /// Index of the instrument.
    pub instrument: u16,
    /// Index of its asset.
    pub asset: u8,
    /// Orders resting.
    pub count: u8,
    /// Generation of the instrument; 0 where the slot is free.
    pub generation: u32,
    /// Lots of the bids, those that may only reduce the position aside.
    pub bid_lots: i64,
    /// Lots of the asks, the same.
    pub ask_lots: i64,
    /// What the bids reserve, dollars (10⁻⁸).
    pub bid_reserve: i64,
    /// What the asks reserve, dollars (10⁻⁸).
    pub ask_reserve: i64,
    /// What the owner's record counts, besides the position and the lots that rest, for orders that are no more, 10⁻⁹ units.
    pub excess: u64,
}

/// One resting order, as its account remembers it.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OrderSlot {
    /// The client's own number.
    pub client_order_id: u64,
    /// The order's number in its book; 0 where the slot is free.
    pub sequence: u64,
    /// Where it rests in the book.
    pub handle: u32,
    /// Index of the instrument.
    pub instrument: u16,
    /// 0 for a bid, 1 for an ask.
    pub side: u8,
    /// Zero.
    pub _padding: u8,
}

/// Notional traded in the last 30 days, by day.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// The last day traded, days since 1970.
    pub day: i64,
    /// Σ of `daily`, dollars.
    pub total: u64,
    /// Notional of each day, whole dollars, at the day's number modulo 30.
    pub daily: [u32; 30],
}

/// When the account was flagged for liquidation and what was taken since.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Flag {
    /// Unix seconds at which the auction clock started; 0 when not flagged.
    pub started_at: i64,
    /// Slot of the same.
    pub started_slot: u64,
    /// Unix seconds of the last confirmation.
    pub confirmed_at: i64,
    /// Unix seconds at which the step window opened.
    pub window_start: i64,
    /// Notional taken in the step window, dollars (10⁻⁸).
    pub window_notional: i64,
}

impl Flag {
    /// No flag. What was taken in the current window stays counted, so that a new flag opens no new window.
    pub fn stopped(self) -> Flag {
        Flag {
            started_at: 0,
            started_slot: 0,
            confirmed_at: 0,
            ..self
        }
    }

    /// As the risk engine takes it; `None` when the account is not flagged.
    pub fn clock(&self) -> Option<FlagClock> {
        (self.started_at != 0).then_some(FlagClock {
            started_at: self.started_at,
            confirmed_at: self.confirmed_at,
        })
    }
}

/// What an account asks to be margined by. None requires less than `Portfolio` (margin.md section 4).
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[borsh(use_discriminant = false)]
#[repr(u8)]
pub enum MarginMethod {
    /// Scenarios and charges over the whole account.
    #[default]
    Portfolio = 0,
    /// Every asset's linear legs and the collateral that hedges them netted; no other offset.
    RiskAdjusted = 1,
    /// Every position by itself.
    Linear = 2,
}

/// One of possibly several accounts of a wallet: PDA of exchange, wallet and index. Positions come last, so that the account can grow.
#[account(zero_copy)]
#[derive(Debug)]
pub struct MarginAccount {
    /// Layout version.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Number of the account among its wallet's.
    pub index: u16,
    /// Positions in use; they are the first ones, sorted by (asset, expiry, strike, instrument).
    pub position_count: u8,
    /// [`MarginMethod`] as a number.
    pub method: u8,
    /// Zero.
    pub _padding: [u8; 2],
    /// The exchange.
    pub exchange: Pubkey,
    /// The wallet that owns the account.
    pub wallet: Pubkey,
    /// The wallet's `OwnerRecord` record.
    pub owner: Pubkey,
    /// Keys that may trade and deposit, never withdraw; the default key where free.
    pub delegates: [Pubkey; MAX_DELEGATES],
    /// The quote asset, quote units; may be negative.
    pub cash: i64,
    /// Quote units locked while there are positions or orders, less the bounties paid of it; counts in no equity.
    pub reserve: i64,
    /// Events of this account.
    pub sequence: u64,
    /// The liquidation flag.
    pub flag: Flag,
    /// Initial margin of resting orders, dollars (10⁻⁸).
    pub order_reserve: i64,
    /// Collateral balances; free slots have collateral 0.
    pub balances: [Balance; MAX_BALANCES],
    /// Room to grow.
    pub _reserved: [u8; 152],
    /// The margin account that earns a part of this one's fees; the default key for none.
    pub referrer: Pubkey,
    /// What it has earned and not yet been paid, quote units.
    pub referral_due: u64,
    /// What was traded in the last 30 days.
    pub volume: Volume,
    /// What rests, by market.
    pub books: [OpenOrders; MAX_BOOKS],
    /// What rests, by order.
    pub orders: [OrderSlot; MAX_ORDERS],
    /// The positions.
    pub positions: [Position; MAX_POSITIONS],
}
assert_layout!(Balance, 16, collateral = 0, asset = 1, decimals = 2, amount = 8);
assert_layout!(
    Position,
    64,
    instrument = 0,
    asset = 2,
    kind = 3,
    generation = 4,
    expiry = 8,
    strike = 16,
    lots = 24,
    quote = 32,
    entry_quote = 40,
    funding_index = 48
);
assert_layout!(
    OpenOrders,
    48,
    instrument = 0,
    asset = 2,
    count = 3,
    generation = 4,
    bid_lots = 8,
    ask_lots = 16,
    bid_reserve = 24,
    ask_reserve = 32,
    excess = 40
);
assert_layout!(
    OrderSlot,
    24,
    client_order_id = 0,
    sequence = 8,
    handle = 16,
    instrument = 20,
    side = 22
);
assert_layout!(Volume, 136, day = 0, total = 8, daily = 16);
assert_layout!(
    Flag,
    40,
    started_at = 0,
    started_slot = 8,
    confirmed_at = 16,
    window_start = 24,
    window_notional = 32
);
assert_layout!(
    MarginAccount,
    4_472,
    version = 0,
    index = 2,
    position_count = 4,
    exchange = 8,
    wallet = 40,
    owner = 72,
    delegates = 104,
    cash = 232,
    reserve = 240,
    sequence = 248,
    flag = 256,
    order_reserve = 296,
    balances = 304,
    referrer = 584,
    referral_due = 616,
    volume = 624,
    books = 760,
    orders = 1_144,
    positions = 1_912,
);

impl Volume {
    /// The notional of the thirty days that end with the one of `now`, unix seconds; whole dollars.
    pub fn at(&self, now: i64) -> u64 {
        self.traded().at(now)
    }

    /// Counts the notional of a fill, rounded down to whole dollars.
    pub fn count(&mut self, notional: Dollars, now: i64) {
        let mut traded = self.traded();
        traded.count(notional, now);
        let TradedVolume { day, total, daily } = traded;
        *self = Volume { day, total, daily };
    }

    fn traded(&self) -> TradedVolume {
        let Volume { day, total, daily } = *self;
        TradedVolume { day, total, daily }
    }
}

impl MarginAccount {
    /// The positions in use.
    pub fn positions(&self) -> &[Position] {
        self.positions.get(..usize::from(self.position_count)).unwrap_or(&[])
    }

    /// Those in instruments of one asset.
    pub fn positions_in(&self, asset: u8) -> &[Position] {
        let positions = self.positions();
        let start = positions.partition_point(|p| p.asset < asset);
        let end = positions.partition_point(|p| p.asset <= asset);
        positions.get(start..end).unwrap_or(&[])
    }

    /// The method; a number that stands for none is taken for the most careful one.
    pub fn margin_method(&self) -> MarginMethod {
        match self.method {
            0 => MarginMethod::Portfolio,
            1 => MarginMethod::RiskAdjusted,
            _ => MarginMethod::Linear,
        }
    }

    /// The method as the risk engine takes it.
    pub fn risk_method(&self) -> Method {
        match self.margin_method() {
            MarginMethod::Portfolio => Method::Portfolio,
            MarginMethod::RiskAdjusted => Method::RiskAdjusted,
            MarginMethod::Linear => Method::Linear,
        }
    }

    /// Where the position in an instrument is.
    pub fn find(&self, instrument: u16) -> Option<usize> {
        self.positions().iter().position(|p| p.instrument == instrument)
    }

    /// The position in an instrument, if there is one.
    pub fn position(&self, instrument: u16) -> Option<&Position> {
        self.positions().iter().find(|p| p.instrument == instrument)
    }

    /// Cash and locked reserve: the account's claim on the quote vault, or its debt.
    pub fn quote_balance(&self) -> Checked<QuoteAmount> {
        QuoteAmount(self.cash).plus(QuoteAmount(self.reserve))
    }

    /// Whether `key` is the wallet or one of its delegates.
    pub fn may_trade(&self, key: &Pubkey) -> bool {
        *key == self.wallet || (*key != Pubkey::default() && self.delegates.contains(key))
    }

    /// The position in an instrument, opened in its place if need be. Locks the reserve of an account that had neither position nor order.
    pub fn open_position(&mut self, index: u16, instrument: &Instrument) -> Result<usize> {
        if let Some(at) = self.find(index) {
            let held = self.positions.get(at).ok_or(BallastError::PositionMissing)?;
            ensure!(held.generation == instrument.generation, BallastError::StaleGeneration);
            return Ok(at);
        }
        let count = usize::from(self.position_count);
        ensure!(count < MAX_POSITIONS, BallastError::TooManyPositions);
        let options = self.positions().iter().filter(|p| p.strike != 0).count();
        ensure!(
            !instrument.is_option() || options < MAX_OPTION_POSITIONS,
            BallastError::TooManyPositions
        );
        let new = Position {
            instrument: index,
            asset: instrument.asset,
            kind: instrument.kind,
            generation: instrument.generation,
            expiry: instrument.expiry,
            strike: instrument.strike,
            ..Position::default()
        };
        let key = |p: &Position| (p.asset, p.expiry, p.strike, p.instrument);
        let at = self.positions().partition_point(|p| key(p) < key(&new));
        self.positions.copy_within(at..count, at.saturating_add(1)); // at ≤ count < 40
        *self.positions.get_mut(at).ok_or(BallastError::TooManyPositions)? = new;
        self.lock_reserve()?;
        self.position_count = self.position_count.saturating_add(1);
        Ok(at)
    }

    /// Drops the position at `at` if nothing is left in it; returns whether it did. Frees the reserve with the last position where no order rests.
    pub fn drop_if_empty(&mut self, at: usize) -> Result<bool> {
        let position = self.positions().get(at).ok_or(BallastError::PositionMissing)?;
        if position.lots != 0 || position.quote != 0 {
            return Ok(false);
        }
        let count = usize::from(self.position_count);
        self.positions.copy_within(at.saturating_add(1)..count, at); // at < count ≤ 40
        self.position_count = self.position_count.saturating_sub(1);
        *self
            .positions
            .get_mut(usize::from(self.position_count))
            .ok_or(BallastError::PositionMissing)? = Position::default();
        self.free_reserve()?;
        Ok(true)
    }

    /// Moves `amount` from cash into the reserve (back, when negative).
    pub(super) fn move_reserve(&mut self, amount: QuoteAmount) -> Checked<()> {
        let cash = QuoteAmount(self.cash).minus(amount)?;
        let reserve = QuoteAmount(self.reserve).plus(amount)?;
        (self.cash, self.reserve) = (cash.0, reserve.0);
        Ok(())
    }

    /// Adds a collateral amount, opening a slot if need be.
    pub fn add_balance(&mut self, new: Balance) -> Result<()> {
        let slot = self
            .balances
            .iter()
            .position(|b| b.collateral == new.collateral)
            .or_else(|| self.balances.iter().position(|b| b.collateral == 0))
            .ok_or(BallastError::TooManyCollaterals)?;
        let balance = self.balances.get_mut(slot).ok_or(BallastError::TooManyCollaterals)?;
        let amount = balance
            .amount
            .checked_add(new.amount)
            .ok_or(BallastError::MathOverflow)?;
        *balance = Balance { amount, ..new };
        Ok(())
    }

    /// Takes a collateral amount out; an empty slot is freed.
    pub fn take_balance(&mut self, collateral: u8, amount: u64) -> Result<()> {
        let balance = self
            .balances
            .iter_mut()
            .find(|b| b.collateral == collateral && collateral != 0)
            .ok_or(BallastError::InsufficientBalance)?;
        balance.amount = balance
            .amount
            .checked_sub(amount)
            .ok_or(BallastError::InsufficientBalance)?;
        if balance.amount == 0 {
            *balance = Balance::default();
        }
        Ok(())
    }

    /// The next event number.
    pub fn next_sequence(&mut self) -> u64 {
        self.sequence = self.sequence.saturating_add(1);
        self.sequence
    }
}

impl Position {
    /// Whether it holds lots of an option.
    pub fn is_open_option(&self) -> bool {
        self.strike != 0 && self.lots != 0
    }

    /// The signed lots.
    pub fn lots(&self) -> Lots {
        Lots(self.lots)
    }

    /// Adds a fill of `lots` for which the position received `quote` (paid, when negative), fees apart.
    ///
    /// `entry_quote` follows the open lots: what is closed takes its part of it along, rounded towards zero; what is opened adds its quote.
    pub fn fill(&mut self, lots: Lots, quote: QuoteAmount) -> Checked<()> {
        let before = self.lots();
        let after = before.plus(lots)?;
        let same_side = before.0 == 0 || (before.0 > 0) == (lots.0 > 0);
        self.entry_quote = if same_side {
            QuoteAmount(self.entry_quote).plus(quote)?.0
        } else if (after.0 > 0) == (before.0 > 0) || after.0 == 0 {
            part(self.entry_quote, after.0, before.0)?
        } else {
            part(quote.0, after.0, lots.0)? // flipped: only what was opened on the other side
        };
        self.quote = QuoteAmount(self.quote).plus(quote)?.0;
        self.lots = after.0;
        Ok(())
    }
}

/// amount · part / whole, towards zero, for part and whole of one sign.
fn part(amount: i64, part: i64, whole: i64) -> Checked<i64> {
    let product = i128::from(amount).wrapping_mul(i128::from(part)); // two 64-bit factors fit
    let quotient = product.checked_div(i128::from(whole)).ok_or(Overflow)?;
    i64::try_from(quotient).map_err(|_| Overflow)
}
