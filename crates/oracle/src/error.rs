//! What is refused, and by which guard.
use core::fmt;

/// Why a price is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OracleError {
    /// Another program owns the account than those of the source's vendor.
    WrongOwner,
    /// The account is none of the vendor's price accounts: size, discriminator, magic number, version, type.
    WrongLayout,
    /// Another feed than the one that is bound.
    WrongFeed,
    /// Other oracles answer for the feed than those that are bound.
    WrongQueue,
    /// The feed is computed by other jobs than when it was bound.
    WrongJobs,
    /// Not enough of the vendor's guardians have signed the update.
    NotVerified,
    /// The vendor itself says that it has no price now.
    NotTrading,
    /// The authority of the feed may write its value by itself.
    AuthorityCanWrite,
    /// Fewer oracles have answered than the feed asks for, or none.
    TooFewSamples,
    /// The value counts answers in whose age the account does not tell.
    AgesUnknown,
    /// Published later than the chain's clock says it is.
    FromFuture,
    /// Older than the source may be, seconds; or of no time at all.
    TooOld,
    /// Of a slot that has not come yet.
    SlotFromFuture,
    /// Its oldest answer is older than the source may be, slots.
    TooManySlotsOld,
    /// A deviation below zero.
    NegativeDeviation,
    /// The confidence is too wide a part of the price.
    TooUncertain,
    /// Zero or less, also after rounding to 10⁻⁹ USD.
    NotPositive,
    /// The exponent is not in −18 to 0.
    BadExponent,
    /// Too large for a price: from 9.22 billion USD a unit on.
    OutOfRange,
    /// It has moved faster since the source's last price than it may.
    TooFast,
    /// Fewer sources are valid than an index needs.
    TooFewSources,
    /// The account is of the stake pool program, but no pool.
    PoolNotInitialized,
    /// The pool has no tokens, or nothing behind them.
    PoolEmpty,
    /// A rate of one half or less, or of ten or more.
    RateOutOfRange,
    /// The pool was last brought up to date before the previous epoch, or in one to come.
    PoolNotUpdated,
}

/// The guards, in the order in which a price meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Guard {
    /// Owner, layout, feed, queue and jobs are those bound.
    Identity = 0,
    /// The vendor stands behind the value.
    Verification = 1,
    /// Age in seconds.
    Seconds = 2,
    /// Age in slots.
    Slots = 3,
    /// Relative confidence.
    Confidence = 4,
    /// Above zero.
    Sign = 5,
    /// Exponent, and range after it.
    Exponent = 6,
    /// Publish times never go back: [`crate::Checked::Older`].
    Monotone = 7,
    /// Step per second.
    Step = 8,
    /// Number of sources and their deviation from each other: [`crate::Index::outliers`], [`crate::Index::apart`].
    Sources = 9,
    /// Deviation from the slow price: [`crate::off_slow`].
    SlowPrice = 10,
}

impl Guard {
    /// Number of guards.
    pub const COUNT: usize = 11;
}

impl OracleError {
    /// The guard that refuses. Errors of a stake pool count to the guard of their kind.
    pub const fn guard(self) -> Guard {
        use OracleError::*;
        match self {
            WrongOwner | WrongLayout | WrongFeed | WrongQueue | WrongJobs | PoolNotInitialized => Guard::Identity,
            NotVerified | NotTrading | AuthorityCanWrite | TooFewSamples | AgesUnknown => Guard::Verification,
            FromFuture | TooOld | PoolNotUpdated => Guard::Seconds,
            SlotFromFuture | TooManySlotsOld => Guard::Slots,
            NegativeDeviation | TooUncertain => Guard::Confidence,
            NotPositive | PoolEmpty => Guard::Sign,
            BadExponent | OutOfRange | RateOutOfRange => Guard::Exponent,
            TooFast => Guard::Step,
            TooFewSources => Guard::Sources,
        }
    }
}

impl fmt::Display for OracleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use OracleError::*;
        f.write_str(match self {
            WrongOwner => "the account does not belong to the vendor's program: pass the feed's own account",
            WrongLayout => "the account is no price account of that vendor",
            WrongFeed => "the account is of another feed than the one bound to the asset",
            WrongQueue => "other oracles answer for the feed than those bound: bind it again",
            WrongJobs => "the feed's jobs have changed since it was bound: look at them and bind it again",
            NotVerified => "the update is partially verified: post it with all signatures",
            NotTrading => "the vendor has no price for the feed now",
            AuthorityCanWrite => "the feed's authority may write its value: take a feed that oracles alone write",
            TooFewSamples => "too few oracles have answered: update the feed",
            AgesUnknown => "the feed counts in answers of unknown age: take one that resolves by rounds",
            FromFuture => "the price is dated later than now: wait, or update the feed",
            TooOld => "the price is too old: update the feed",
            SlotFromFuture => "the price is of a slot to come: wait, or update the feed",
            TooManySlotsOld => "an answer in the price is too many slots old: update the feed",
            NegativeDeviation => "the feed's deviation is below zero",
            TooUncertain => "the price's confidence interval is too wide",
            NotPositive => "the price is not above zero",
            BadExponent => "the price's exponent is not in -18 to 0",
            OutOfRange => "the price is too large: quote the asset in a smaller unit",
            TooFast => "the price has moved too fast since the last one: it is taken when enough time has passed",
            TooFewSources => "too few sources have a valid price: update the others",
            PoolNotInitialized => "the account is no stake pool",
            PoolEmpty => "the stake pool is empty",
            RateOutOfRange => "the stake pool's rate is not between one half and ten",
            PoolNotUpdated => "the stake pool has not been updated in this epoch or the one before: update it",
        })
    }
}

impl core::error::Error for OracleError {}
