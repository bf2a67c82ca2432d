//! Every refusal by name. Append only: a number never changes its meaning.
use anchor_lang::prelude::*;
use ballast_book::BookError;
use ballast_fixed::Overflow;
use ballast_oracle::{Guard, OracleError};
use ballast_risk::trade::Refusal;
use ballast_risk::RiskError;

/// What the program refuses and what to do about it.
#[error_code]
#[derive(PartialEq, Eq)]
pub enum BallastError {
    /// Arithmetic left its range.
    #[msg("The numbers are too large for this account; use smaller amounts")]
    MathOverflow,
    /// A governed parameter is outside its hard bounds.
    #[msg("A parameter is outside its hard bounds; see the bounds in the documentation")]
    InvalidParameter,
    /// The signer is not the exchange's authority.
    #[msg("Only the exchange's authority may do this")]
    NotAuthority,
    /// An account of another exchange.
    #[msg("An account belongs to another exchange; pass the accounts of one exchange")]
    WrongExchange,
    /// Another board than the exchange's own.
    #[msg("This is not the exchange's risk board; pass the board that the exchange names")]
    WrongBoard,
    /// Another market than the one recorded.
    #[msg("This is not the market recorded for the instrument; pass the market that the exchange names")]
    WrongMarket,
    /// An owner record that is not the margin account's.
    #[msg("This owner record is not the margin account's; pass the record of its wallet")]
    WrongOwnerRecord,
    /// Another vault than the collateral's own.
    #[msg("This is not the collateral's vault; pass the vault that the collateral names")]
    WrongVault,
    /// A token account of another mint.
    #[msg("The token account holds another mint; pass one of the collateral's mint")]
    WrongMint,
    /// The signer is neither the wallet nor a delegate.
    #[msg("The signer is neither the account's wallet nor one of its delegates")]
    NotTrader,
    /// The signer is not the wallet.
    #[msg("Only the account's own wallet may do this; a delegate may not")]
    NotOwner,
    /// The account is too small for its type.
    #[msg("The account is too small; create it with the size that the documentation states")]
    AccountTooSmall,
    /// A version that this program does not know.
    #[msg("The account has a version that this program does not read")]
    WrongVersion,
    /// No such asset.
    #[msg("No asset is listed under this index")]
    AssetNotListed,
    /// No such instrument.
    #[msg("No instrument is listed under this index")]
    InstrumentNotListed,
    /// No such collateral.
    #[msg("No collateral is listed under this index")]
    CollateralNotListed,
    /// The board is full.
    #[msg("The board has no free slot for this; nothing more can be listed")]
    BoardFull,
    /// The expiry is not a future time, or not listable.
    #[msg("The expiry must lie in the future and within two years")]
    InvalidExpiry,
    /// The instrument has expired.
    #[msg("The instrument has expired; it only settles")]
    InstrumentExpired,
    /// The slot has been used again since.
    #[msg("The position belongs to an earlier instrument of this slot; settle it first")]
    StaleGeneration,
    /// A mint with more than nine decimals.
    #[msg("The mint has more than nine decimals; it can't be listed")]
    UnsupportedDecimals,
    /// A zero amount.
    #[msg("The amount is zero; pass at least one unit")]
    ZeroAmount,
    /// An amount so small that it counts as nothing.
    #[msg("The trade is smaller than the exchange's minimum; trade more")]
    TradeTooSmall,
    /// A price that is not a multiple of the tick.
    #[msg("The price is not a positive multiple of the instrument's tick")]
    OffTick,
    /// A price outside the band.
    #[msg("The price lies outside the band around the mark; trade nearer to the mark")]
    PriceOutsideBand,
    /// Both sides belong to one wallet, or are one account.
    #[msg("Both sides belong to one wallet; trade with another owner")]
    SelfTrade,
    /// A deposit over the cap.
    #[msg("The deposit exceeds the collateral's cap for the exchange; deposit less")]
    DepositCapExceeded,
    /// A deposit over the owner's cap.
    #[msg("The deposit exceeds the collateral's cap for one owner; deposit less")]
    OwnerDepositCapExceeded,
    /// More taken than there is.
    #[msg("The account holds less than this of the collateral; take less")]
    InsufficientBalance,
    /// All balance slots are in use.
    #[msg("The account holds eight kinds of collateral already; withdraw one first")]
    TooManyCollaterals,
    /// All position slots are in use.
    #[msg("The account holds forty positions, or twenty-four in options, already; close one first")]
    TooManyPositions,
    /// No such position.
    #[msg("The account has no position in this instrument")]
    PositionMissing,
    /// Nobody has posted a price yet.
    #[msg("The asset has no price yet; refresh prices first")]
    PriceMissing,
    /// The price is older than allowed.
    #[msg("The price is stale; refresh prices in front of this instruction")]
    StalePrice,
    /// The price account is not owned by a known receiver.
    #[msg("The price account is not owned by a Pyth receiver program")]
    PriceWrongOwner,
    /// The price account is not a price update.
    #[msg("The price account is not a price update of a known layout")]
    PriceWrongLayout,
    /// The price account is of another feed.
    #[msg("The price account is of another feed than the asset's")]
    PriceWrongFeed,
    /// The update is not fully verified.
    #[msg("The price update is only partially verified; post a fully verified one")]
    PriceNotVerified,
    /// Zero or negative.
    #[msg("The price is not positive")]
    PriceNotPositive,
    /// The exponent is out of range.
    #[msg("The price's exponent is outside -18..=0")]
    PriceBadExponent,
    /// The confidence interval is too wide.
    #[msg("The price's confidence interval is too wide; wait for a tighter price")]
    PriceTooUncertain,
    /// The price lies in the future.
    #[msg("The price was published in the future; wait until the chain's clock has caught up")]
    PriceFromFuture,
    /// The price is older than the one on the board.
    #[msg("The price is older than the one on the board")]
    PriceRegressed,
    /// The number of price accounts is not that of the assets named.
    #[msg("Pass one price account for each asset named, in the same order")]
    PriceAccountsMismatch,
    /// E_mm < MM.
    #[msg("The account is under its maintenance margin; deposit, or wait for liquidation")]
    BelowMaintenance,
    /// Health under 1.1.
    #[msg("The account's health is under 1.1; only reductions are accepted")]
    ReduceOnly,
    /// The quote asset is stale or off par.
    #[msg("The quote asset's price is stale or under 0.98; no new risk is accepted")]
    QuoteUntrusted,
    /// E_im < IM.
    #[msg("The account's equity does not cover the initial margin; deposit more or trade less")]
    InsufficientMargin,
    /// E_im < $10.
    #[msg("The account's equity after the trade is under 10 dollars; deposit more")]
    MinimumEquity,
    /// A reduction that worsens the account.
    #[msg("The reduction lowers the account's margin surplus; close the risky leg first, or the hedge with it")]
    WorsensMargin,
    /// A reduction that leaves negative equity.
    #[msg("The reduction leaves negative equity; trade at a better price")]
    NegativeEquity,
    /// A reduction that costs too much.
    #[msg("The reduction loses more than 30 % of the margin it frees; trade nearer to the mark")]
    ReductionTooCostly,
    /// Cash under what the collateral backs.
    #[msg("Cash would fall below what the collateral backs; withdraw less")]
    CashUnderCredit,
    /// A borrow over a cap.
    #[msg("The borrow exceeds the account's or the exchange's cap; withdraw less")]
    BorrowCapExceeded,
    /// The vault can't pay without touching what is not supplied cash.
    #[msg("The pool's supplied cash is lent out; try a smaller amount or wait for repayments")]
    QuotePoolIlliquid,
    /// An open-interest cap.
    #[msg("The trade exceeds the instrument's open-interest cap; trade less")]
    OpenInterestCapExceeded,
    /// An owner's open-interest cap.
    #[msg("The trade exceeds the owner's open-interest cap for the asset; trade less")]
    OwnerOpenInterestCapExceeded,
    /// The account still holds something.
    #[msg("The account still holds cash, collateral or positions; empty it first")]
    AccountNotEmpty,
    /// A losing position's market was not passed.
    #[msg("Pass the market of each losing position, in the order of the positions")]
    MarketMissing,
    /// More remaining accounts than the instruction takes.
    #[msg("There are more remaining accounts than this instruction takes, or one of them twice")]
    UnexpectedAccount,
    /// Nothing to settle.
    #[msg("Nothing settles now: no position has a loss that can be paid or a gain that its pool holds")]
    NothingToSettle,
    /// E_mm ≥ MM.
    #[msg("The account is healthy; it can't be flagged or liquidated")]
    AccountHealthy,
    /// Not flagged.
    #[msg("The account is not flagged; flag it first and liquidate in a later slot")]
    NotFlagged,
    /// Flagged in this very slot.
    #[msg("The account was flagged in this slot; liquidate in a later one")]
    FlagTooYoung,
    /// The flag was not confirmed in time.
    #[msg("The flag has lapsed; flag the account again")]
    FlagLapsed,
    /// Flagged already and nothing to confirm.
    #[msg("The account's health is under 1.1; it keeps its flag")]
    NotRecovered,
    /// Liquidator and liquidated account have one owner.
    #[msg("Liquidator and liquidated account belong to one wallet")]
    SelfLiquidation,
    /// More lots than the position has, or than the target needs.
    #[msg("More lots than restoring the margin needs; take fewer")]
    LiquidatesTooMuch,
    /// A step over the cap of its window.
    #[msg("The step exceeds the account's cap for this window; take fewer lots or wait")]
    StepCapExceeded,
    /// The step does not help.
    #[msg("The step does not leave the account healthier; choose another leg or amount")]
    NotHealthier,
    /// The liquidator can't carry the position.
    #[msg("The liquidator's account does not cover the initial margin of what it takes over")]
    LiquidatorMargin,
    /// An account passed twice where two are needed.
    #[msg("One account was passed in two places")]
    DuplicateAccount,
    /// The exchange already has this collateral, board or market.
    #[msg("This is listed already")]
    AlreadyListed,
    /// Resting orders are left.
    #[msg("The account has resting orders; cancel them first")]
    OpenOrders,
    /// A deposit or withdrawal that the token account can't make.
    #[msg("The token account is frozen, delegated away or short of funds")]
    TokenAccountUnusable,
    /// A trade or liquidation of more than eight legs.
    #[msg("At most eight legs in one instruction; split the package")]
    TooManyLegs,
    /// A volatility surface from somebody else than the publisher.
    #[msg("Only the exchange's volatility publisher may publish surfaces")]
    NotPublisher,
    /// An option of an expiry without a volatility surface.
    #[msg("The expiry has no volatility surface yet; wait for its publisher")]
    SurfaceMissing,
    /// An option whose volatility surface is too old to add risk on it.
    #[msg("The expiry's volatility surface is stale; have it published or only reduce")]
    SurfaceStale,
    /// A surface or basis that moves faster than it may.
    #[msg("The surface moves faster than its limit for the time since the last one; take smaller steps")]
    SurfaceTooFast,
    /// Total variance that falls from one expiry to a later one.
    #[msg("Total variance falls from one expiry to a later one; publish surfaces without calendar arbitrage")]
    CalendarArbitrage,
    /// A what-if of more than eight changes.
    #[msg("A preview takes at most eight changes; ask for fewer at once")]
    TooManyChanges,
    /// A value feed that somebody besides its oracles may write.
    #[msg("The feed's authority may write its value; bind a feed that only its oracles write")]
    FeedNotIndependent,
    /// A value feed that too few oracles have answered.
    #[msg("Too few oracles have answered the feed; have it updated first")]
    TooFewSamples,
    /// Feeds that hold nothing newer than the board.
    #[msg("The feeds hold nothing newer than the board; have them updated first")]
    SurfaceNotNewer,
    /// A surface source whose feeds have been taken off.
    #[msg("No feeds are bound to the expiry any more; wait until the authority binds others")]
    SourceUnbound,
    /// A full book whose worst order is not worse, or is of an account that was not passed.
    #[msg("The book is full: offer a better price than its worst order, and pass that order's margin account")]
    BookFull,
    /// No such order.
    #[msg("The account has no such order in this market: it was filled, cancelled or removed")]
    OrderMissing,
    /// An account with too many orders.
    #[msg("The account has 32 orders resting, or orders in eight markets, already; cancel one first")]
    TooManyOrders,
    /// A post-only order that would trade.
    #[msg("The post-only order would trade at once; offer a worse price")]
    WouldTrade,
    /// A fill-or-kill order that can't be filled.
    #[msg("The order can't be filled whole; ask for less, at a worse price, or pass more makers' accounts")]
    NotFilled,
    /// A reduce-only order without a position that it reduces.
    #[msg("The account has no position that this order reduces")]
    NothingToReduce,
    /// An expiry time that has passed.
    #[msg("The order expires in the past; give it a time in the future, or 0 for none")]
    OrderExpired,
    /// No order that may be cancelled.
    #[msg("None of these orders may be cancelled: none has expired, and their accounts carry them")]
    NothingToCancel,
    /// A book that is not what the program writes.
    #[msg("The market's book is damaged; report this")]
    BookCorrupt,
    /// No proof of the quote's signature in front of the instruction.
    #[msg("Put an Ed25519 instruction in front of this one, with one signature and key, signature and quote in its own data")]
    QuoteNotProved,
    /// What was signed is no quote.
    #[msg("The signed message is not a quote of this version; sign the bytes that the documentation states")]
    QuoteMalformed,
    /// A quote of another maker, or for another taker.
    #[msg("The quote is another account's, or names another taker; pass the accounts that it names")]
    QuoteWrongAccount,
    /// A quote of other instruments.
    #[msg("The quote names other instruments, or earlier ones of their slots; pass the markets of its legs in their order")]
    QuoteWrongInstrument,
    /// The quote's time is over.
    #[msg("The quote has expired; ask for a new one")]
    QuoteExpired,
    /// A nonce under the floor.
    #[msg("The quote's nonce is under the maker's floor; ask for a new one")]
    QuoteVoid,
    /// A nonce past the window.
    #[msg("The quote's nonce is 1,024 or more above the maker's floor; the maker has to raise it")]
    QuoteNonceTooHigh,
    /// A nonce that is filled or cancelled.
    #[msg("The quote's nonce is filled or cancelled; ask for a new one")]
    QuoteSpent,
    /// More units than are left.
    #[msg("The quote has fewer units left than asked for; take fewer")]
    QuoteTooLarge,
    /// All slots for quotes filled in part are in use.
    #[msg("The maker has 32 quotes filled in part; take all that is left of this one, or have one of them cancelled")]
    TooManyPartialQuotes,
    /// A floor that does not rise, or too far.
    #[msg("A floor only rises, to half of the numbers at most; pass a higher nonce within that")]
    QuoteFloorOutOfRange,
    /// Another account's quote ledger.
    #[msg("This is not the maker's quote ledger; pass the one of the margin account")]
    WrongQuoteLedger,
    /// A fill in a perpetual whose funding of the current hour is not on the board.
    #[msg("The perpetual's funding of this hour is due; call update_funding first")]
    FundingDue,
    /// Funding of an instrument that has none.
    #[msg("Only perpetuals have funding; name the market of one")]
    NotPerpetual,
    /// A referrer of the same wallet.
    #[msg("An account can't refer its own wallet; name another owner's account")]
    SelfReferral,
    /// A second referrer.
    #[msg("The account has a referrer already; it keeps it")]
    ReferrerAlreadySet,
    /// Another account than the referrer.
    #[msg("This is not the account's referrer; pass the one that it names")]
    WrongReferrer,
    /// No referral due, or no fees collected to pay it.
    #[msg("Nothing is due to the referrer, or no fees are collected to pay it; settle positions first")]
    NothingDue,
    /// An expired instrument without a settlement price.
    #[msg("The settlement price does not stand yet; wait until its average has its prints")]
    SettlementPending,
    /// A settlement price that nothing changes any more.
    #[msg("The settlement price stands already; settle the positions at it")]
    SettlementStands,
    /// A settlement price by governance before the average has had its time.
    #[msg("A price may be set only a day after the expiry, if the average gives none; wait")]
    SettlementNotOverdue,
    /// An instrument that still trades.
    #[msg("The instrument still trades; wait until it has ended")]
    InstrumentOpen,
    /// A market that can't be closed yet.
    #[msg("The market still has positions or orders; settle and cancel them first")]
    MarketInUse,
    /// A second delisting.
    #[msg("The perpetual is delisted already; it ends when the first delisting says")]
    AlreadyDelisted,
    /// Nothing that an owner could waive.
    #[msg("Only a gain that waits in a position without lots can be waived; settle the position first")]
    NoClaim,
    /// A source whose vendor has no price now.
    #[msg("The source's vendor has no price for it now; pass another source, or wait")]
    PriceNotTrading,
    /// A feed in whose value older answers count.
    #[msg("The feed counts answers whose age its account does not tell; bind one that resolves by rounds")]
    PriceAgesUnknown,
    /// An answer that is too many slots old.
    #[msg("An answer in the price is too many slots old; post a newer update")]
    PriceSlotTooOld,
    /// A price past nine billion dollars a unit.
    #[msg("The price is too large; quote the asset in a smaller unit")]
    PriceOutOfRange,
    /// A price that moved faster than its source may.
    #[msg("The price has moved too fast since its source's last one; it is taken once enough time has passed")]
    PriceTooFast,
    /// No source valid, or none but one that may not stand alone.
    #[msg("Too few sources of the asset have a valid price; refresh the others as well")]
    TooFewSources,
    /// Sources farther apart than they may be.
    #[msg("The sources of the asset lie apart; the outliers are left out, or the price counts as wide")]
    SourcesApart,
    /// A price that one source gives by itself, far from the slow price.
    #[msg("The price is too far from the slow price for one source by itself; refresh the others, or wait")]
    PriceOffSlow,
    /// A stake pool whose rate is not one.
    #[msg("The stake pool is empty, or its rate is not between one half and ten; bind another pool")]
    StakePoolUnusable,
    /// A stake pool that nobody has updated.
    #[msg("The stake pool was not updated in this epoch or the one before; update it first")]
    StakePoolStale,
}

impl BallastError {
    /// The guard of prices that it is of.
    pub fn guard(self) -> Option<Guard> {
        Some(match self {
            BallastError::PriceWrongOwner | BallastError::PriceWrongLayout | BallastError::PriceWrongFeed => {
                Guard::Identity
            }
            BallastError::PriceNotVerified
            | BallastError::PriceNotTrading
            | BallastError::FeedNotIndependent
            | BallastError::TooFewSamples
            | BallastError::PriceAgesUnknown => Guard::Verification,
            BallastError::PriceFromFuture | BallastError::StalePrice | BallastError::StakePoolStale => Guard::Seconds,
            BallastError::PriceSlotTooOld => Guard::Slots,
            BallastError::PriceTooUncertain => Guard::Confidence,
            BallastError::PriceNotPositive | BallastError::StakePoolUnusable => Guard::Sign,
            BallastError::PriceBadExponent | BallastError::PriceOutOfRange => Guard::Exponent,
            BallastError::PriceRegressed => Guard::Monotone,
            BallastError::PriceTooFast => Guard::Step,
            BallastError::TooFewSources | BallastError::SourcesApart => Guard::Sources,
            BallastError::PriceOffSlow => Guard::SlowPrice,
            _ => return None,
        })
    }
}

impl From<OracleError> for BallastError {
    fn from(error: OracleError) -> Self {
        match error {
            OracleError::WrongOwner => BallastError::PriceWrongOwner,
            OracleError::WrongLayout | OracleError::PoolNotInitialized => BallastError::PriceWrongLayout,
            OracleError::WrongFeed | OracleError::WrongQueue | OracleError::WrongJobs => BallastError::PriceWrongFeed,
            OracleError::NotVerified => BallastError::PriceNotVerified,
            OracleError::NotTrading => BallastError::PriceNotTrading,
            OracleError::AuthorityCanWrite => BallastError::FeedNotIndependent,
            OracleError::TooFewSamples => BallastError::TooFewSamples,
            OracleError::AgesUnknown => BallastError::PriceAgesUnknown,
            OracleError::FromFuture | OracleError::SlotFromFuture => BallastError::PriceFromFuture,
            OracleError::TooOld => BallastError::StalePrice,
            OracleError::TooManySlotsOld => BallastError::PriceSlotTooOld,
            OracleError::TooUncertain => BallastError::PriceTooUncertain,
            OracleError::NegativeDeviation | OracleError::NotPositive => BallastError::PriceNotPositive,
            OracleError::BadExponent => BallastError::PriceBadExponent,
            OracleError::OutOfRange => BallastError::PriceOutOfRange,
            OracleError::TooFast => BallastError::PriceTooFast,
            OracleError::TooFewSources => BallastError::TooFewSources,
            OracleError::PoolEmpty | OracleError::RateOutOfRange => BallastError::StakePoolUnusable,
            OracleError::PoolNotUpdated => BallastError::StakePoolStale,
        }
    }
}

impl From<Overflow> for BallastError {
    fn from(_: Overflow) -> Self {
        BallastError::MathOverflow
    }
}

impl From<BookError> for BallastError {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Full => BallastError::BookFull,
            BookError::UnknownOrder => BallastError::OrderMissing,
            BookError::Lots | BookError::Sequence => BallastError::MathOverflow,
            BookError::Size | BookError::Misaligned | BookError::Capacity => BallastError::AccountTooSmall,
            BookError::Initialized => BallastError::AlreadyListed,
            BookError::Corrupt => BallastError::BookCorrupt,
        }
    }
}

impl From<RiskError> for BallastError {
    fn from(error: RiskError) -> Self {
        match error {
            RiskError::InvalidParameter => BallastError::InvalidParameter,
            RiskError::CalendarArbitrage => BallastError::CalendarArbitrage,
            _ => BallastError::MathOverflow,
        }
    }
}

impl From<Refusal> for BallastError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BelowMaintenance => BallastError::BelowMaintenance,
            Refusal::ReduceOnly => BallastError::ReduceOnly,
            Refusal::QuoteUntrusted => BallastError::QuoteUntrusted,
            Refusal::InitialMargin => BallastError::InsufficientMargin,
            Refusal::MinimumEquity => BallastError::MinimumEquity,
            Refusal::WorsensMargin => BallastError::WorsensMargin,
            Refusal::NegativeEquity => BallastError::NegativeEquity,
            Refusal::ReductionTooCostly => BallastError::ReductionTooCostly,
        }
    }
}

/// The program's error. One place builds it, out of line: at every check it would be half of the program's size.
#[cold]
#[inline(never)]
pub fn fail(error: BallastError) -> Error {
    error!(error)
}

/// Returns the error unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $error:expr $(,)?) => {
        if !$condition {
            return Err($crate::error::fail($error));
        }
    };
}
pub(crate) use ensure;

/// Turns a pure crate's result into the program's.
pub trait OrError<T> {
    /// The value, or the error as the program's.
    fn or_error(self) -> Result<T>;
}

impl<T, E: Into<BallastError>> OrError<T> for std::result::Result<T, E> {
    fn or_error(self) -> Result<T> {
        self.map_err(|e| fail(e.into()))
    }
}
