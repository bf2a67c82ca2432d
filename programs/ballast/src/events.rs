//! Events. Those of instructions that move money are emitted by self-CPI, so that a full log can't truncate them.
use anchor_lang::prelude::*;

use crate::oracle::{PriceLimits, SourceConfig};
use crate::state::{MarginMethod, VolatilitySurface};

/// An exchange was created.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct ExchangeCreated {
    /// The exchange.
    pub exchange: Pubkey,
    /// Its authority.
    pub authority: Pubkey,
    /// Its board.
    pub board: Pubkey,
    /// Its quote mint.
    pub quote_mint: Pubkey,
}

/// A mint was accepted as collateral.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct CollateralListed {
    /// The exchange.
    pub exchange: Pubkey,
    /// The mint.
    pub mint: Pubkey,
    /// Its index.
    pub index: u8,
    /// Its asset on the board.
    pub asset: u8,
}

/// An asset was put on the board.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct AssetListed {
    /// The exchange.
    pub exchange: Pubkey,
    /// Its index.
    pub asset: u8,
    /// Its price feed.
    pub feed_id: [u8; 32],
}

/// An instrument was put on the board.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct InstrumentListed {
    /// The exchange.
    pub exchange: Pubkey,
    /// Its index.
    pub instrument: u16,
    /// Its asset.
    pub asset: u8,
    /// Its market.
    pub market: Pubkey,
    /// What it is, as a number.
    pub kind: u8,
    /// Unix seconds; 0 for a perpetual.
    pub expiry: i64,
    /// 10⁻⁹ USD; 0 for what is no option.
    pub strike: i64,
    /// Counts what the index has stood for.
    pub generation: u32,
}

/// A margin account was opened.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct MarginAccountOpened {
    /// The account.
    pub margin_account: Pubkey,
    /// Its wallet.
    pub wallet: Pubkey,
    /// Its index.
    pub index: u16,
}

/// A margin account was closed.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct MarginAccountClosed {
    /// The account.
    pub margin_account: Pubkey,
    /// Its wallet.
    pub wallet: Pubkey,
}

/// A deposit.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct Deposited {
    /// The account.
    pub margin_account: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// The mint.
    pub mint: Pubkey,
    /// Native units.
    pub amount: u64,
}

/// A withdrawal.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The account.
    pub margin_account: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// The mint.
    pub mint: Pubkey,
    /// Native units.
    pub amount: u64,
    /// The losing positions that were settled first.
    pub settled: Vec<SettledPosition>,
    /// Cash after, quote units.
    pub cash: i64,
}

/// What became of a position's profit or loss, all in quote units.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledPosition {
    /// The instrument.
    pub instrument: u16,
    /// Change of cash, and of the locked reserve where that has paid the last of a loss.
    pub amount: i64,
    /// Trading fees that the pool paid out with it.
    pub fees: i64,
    /// What the pool paid to the insurance fund with it.
    pub insurance: i64,
    /// The pool after.
    pub pool: i64,
}

impl SettledPosition {
    /// Whether any money moved.
    pub fn moves(&self) -> bool {
        self.amount != 0 || self.fees != 0 || self.insurance != 0
    }
}

/// A price was accepted.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct PriceRefreshed {
    /// The asset; 255 is the quote asset.
    pub asset: u8,
    /// 10⁻⁹ USD.
    pub index: i64,
    /// 10⁻⁹ USD.
    pub confidence: i64,
    /// 10⁻⁹ USD.
    pub slow: i64,
    /// Unix seconds.
    pub publish_time: i64,
}

/// Pairs of assets were looked at, and the levels weighed by how they have moved together.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct CorrelationsUpdated {
    /// The board.
    pub board: Pubkey,
    /// Weights of the levels in force, 10⁻⁹.
    pub level_weights: [i64; 4],
}

/// A price account was refused by a guard, or an index by one of its own.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct PriceRefused {
    /// The asset; 255 is the quote asset.
    pub asset: u8,
    /// The account; zeros where the index was refused.
    pub account: Pubkey,
    /// The error's number, as `BallastError` has it.
    pub error: u32,
}

/// A price was bound to other sources, or other things are asked of them.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct PriceSourcesSet {
    /// The exchange.
    pub exchange: Pubkey,
    /// The asset; 255 is the quote asset.
    pub asset: u8,
    /// The sources, the primary first.
    pub sources: Vec<SourceConfig>,
    /// What is asked of the index.
    pub limits: PriceLimits,
}

/// The exchange has another volatility publisher.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct VolatilityPublisherSet {
    /// The exchange.
    pub exchange: Pubkey,
    /// The publisher; the default key for none.
    pub publisher: Pubkey,
}

/// The basis and the volatility surface of an expiry were published.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct SurfaceRefreshed {
    /// The asset.
    pub asset: u8,
    /// The expiry, unix seconds.
    pub expiry: i64,
    /// Forward = index · (1 + basis), 10⁻⁹.
    pub basis: i64,
    /// The surface.
    pub surface: VolatilitySurface,
    /// Its slow mean.
    pub slow_surface: VolatilitySurface,
}

/// Value feeds were bound to an expiry.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct SurfaceSourceSet {
    /// The exchange.
    pub exchange: Pubkey,
    /// The asset.
    pub asset: u8,
    /// The expiry, unix seconds.
    pub expiry: i64,
    /// The oracles that answer for the feeds.
    pub queue: Pubkey,
    /// Basis, σ_atm, skew, curvature.
    pub feeds: [Pubkey; 4],
}

/// A trade between two margin accounts.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct Traded {
    /// The market.
    pub market: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// The instrument.
    pub instrument: u16,
    /// The taker's account.
    pub taker: Pubkey,
    /// The maker's account.
    pub maker: Pubkey,
    /// What the taker bought (sold, when negative), lots.
    pub lots: i64,
    /// 10⁻⁹ USD.
    pub price: i64,
    /// Quote units.
    pub taker_fee: i64,
    /// Quote units; a rebate when negative.
    pub maker_fee: i64,
}

/// Profit or loss of a position became cash.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct Settled {
    /// The account.
    pub margin_account: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// What became cash.
    pub settled: SettledPosition,
    /// What stays in the position for later, quote units: a gain that waits for the market's pool, or, negative, a loss that neither cash
    /// nor credit could pay.
    pub waiting: i64,
}

/// An account's margin method was chosen.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct MarginMethodSet {
    /// The account.
    pub margin_account: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// The method.
    pub method: MarginMethod,
}

/// An account was flagged, or its flag confirmed.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct Flagged {
    /// The account.
    pub margin_account: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// Unix seconds at which the clock started.
    pub started_at: i64,
    /// E, dollars (10⁻⁸).
    pub equity: i64,
    /// MM, dollars (10⁻⁸).
    pub maintenance: i64,
}

/// A flag was taken off.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct Unflagged {
    /// The account.
    pub margin_account: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// E, dollars (10⁻⁸).
    pub equity: i64,
    /// MM, dollars (10⁻⁸).
    pub maintenance: i64,
}

/// Legs of an account under its maintenance margin were taken over, in one step.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct Liquidated {
    /// The liquidated account.
    pub liquidatee: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// The liquidator's account.
    pub liquidator: Pubkey,
    /// What was taken over.
    pub legs: Vec<LiquidatedLeg>,
    /// What the step cost the liquidated account, quote units.
    pub cost: i64,
    /// What the liquidator was paid, quote units.
    pub bounty: i64,
    /// MM before, dollars (10⁻⁸).
    pub maintenance_before: i64,
    /// MM after, dollars (10⁻⁸).
    pub maintenance_after: i64,
    /// E after, dollars (10⁻⁸).
    pub equity_after: i64,
    /// Whether the step reached the target and so took the flag off.
    pub unflagged: bool,
}

/// One leg of a [`Liquidated`] step.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiquidatedLeg {
    /// The market.
    pub market: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// The instrument.
    pub instrument: u16,
    /// Signed lots that left the liquidated account.
    pub lots: i64,
    /// The mark, 10⁻⁹ USD.
    pub mark: i64,
}

/// The insurance fund was added to.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct InsuranceFunded {
    /// The exchange.
    pub exchange: Pubkey,
    /// Who paid.
    pub contributor: Pubkey,
    /// Quote units.
    pub amount: u64,
    /// The fund after, quote units.
    pub balance: u64,
}

/// An account has a referrer.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct ReferrerSet {
    /// The account.
    pub margin_account: Pubkey,
    /// The margin account that earns a part of its fees.
    pub referrer: Pubkey,
}

/// A referrer was paid.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct ReferralClaimed {
    /// The account that paid the fees.
    pub margin_account: Pubkey,
    /// The referrer.
    pub referrer: Pubkey,
    /// What it got, quote units; 0 where it was closed and what was due has lapsed.
    pub amount: u64,
    /// What is still due, quote units.
    pub left: u64,
}

/// A margin account can quote.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct QuoteLedgerOpened {
    /// The account.
    pub margin_account: Pubkey,
    /// The lowest nonce that can be filled.
    pub floor: u64,
}

/// A margin account quotes no more: whatever it signed is void.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct QuoteLedgerClosed {
    /// The account.
    pub margin_account: Pubkey,
}

/// A signed quote was filled. Its legs are the [`Traded`] events in front of this one.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct QuoteFilled {
    /// The maker's account.
    pub maker: Pubkey,
    /// The taker's account.
    pub taker: Pubkey,
    /// The quote's number.
    pub nonce: u64,
    /// Units filled.
    pub units: u64,
    /// Units left of it.
    pub left: u64,
}

/// A nonce can't be filled any more.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct QuoteCancelled {
    /// The maker's account.
    pub margin_account: Pubkey,
    /// The nonce.
    pub nonce: u64,
}

/// No nonce under the floor can be filled any more.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct QuoteFloorRaised {
    /// The maker's account.
    pub margin_account: Pubkey,
    /// The lowest nonce that can be filled.
    pub floor: u64,
}

/// An expiry has its settlement price.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct SettlementFixed {
    /// The asset.
    pub asset: u8,
    /// The expiry, unix seconds.
    pub expiry: i64,
    /// The settlement price, 10⁻⁹ USD.
    pub price: i64,
    /// Buckets that it is the mean of; 0 where governance has set it.
    pub filled: u16,
}

/// An account's position in an ended instrument was turned into money.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct ExpirySettled {
    /// The account.
    pub margin_account: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// Signed lots that the position held.
    pub lots: i64,
    /// What a unit paid, 10⁻⁹ USD: the settlement price, or the payoff of an option.
    pub price: i64,
    /// What the position received for its lots (paid, when negative), quote units.
    pub value: i64,
    /// What became cash.
    pub settled: SettledPosition,
    /// What stays in the position for later, quote units, as in [`Settled`].
    pub waiting: i64,
}

/// A perpetual will end.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct InstrumentDelisted {
    /// The exchange.
    pub exchange: Pubkey,
    /// The instrument.
    pub instrument: u16,
    /// Unix seconds.
    pub ends_at: i64,
}

/// An owner has given up what nobody had paid of a settled position.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct ClaimWaived {
    /// The account.
    pub margin_account: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// What the pool paid before.
    pub settled: SettledPosition,
    /// What was given up, quote units: the market's residual now.
    pub waived: i64,
}

/// An ended instrument's slot came free.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct InstrumentClosed {
    /// The exchange.
    pub exchange: Pubkey,
    /// The instrument.
    pub instrument: u16,
    /// Its generation.
    pub generation: u32,
    /// Its market, which is gone.
    pub market: Pubkey,
    /// What went to the insurance fund, quote units.
    pub insurance: i64,
    /// Fees that were collected last, quote units.
    pub fees: i64,
}

/// An order came to a book: what it traded with, whom it displaced and what is left of it.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct OrderPlaced {
    /// The market.
    pub market: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// The instrument.
    pub instrument: u16,
    /// Whose order it is.
    pub margin_account: Pubkey,
    /// The client's own number.
    pub client_order_id: u64,
    /// 0 for a bid, 1 for an ask.
    pub side: u8,
    /// 10⁻⁹ USD.
    pub price: i64,
    /// Lots that it came with; of a reduce-only order, those that reduce.
    pub lots: i64,
    /// What traded at once, order by order.
    pub fills: Vec<OrderFill>,
    /// What left the book without a trade.
    pub removed: Vec<RemovedOrder>,
    /// Its number in the book; 0 where nothing rests.
    pub order: u64,
    /// Lots that rest.
    pub resting: i64,
    /// Lots that neither traded nor rest. Those that a self-trade took off both orders are not among them.
    pub dropped: i64,
    /// Why they were dropped.
    pub drop_reason: DropReason,
}

/// Why lots of an order were dropped: a byte, whose values keep their meaning.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// 0: none were.
    Nothing,
    /// 1: the account of the next order's owner did not come. Send the rest again with it.
    MakerMissing,
    /// 2: as many orders were met as the order may meet, and more cross its price. Send the rest again.
    MatchLimit,
    /// 3: the next order is of the same wallet, under the rule that stops there.
    SelfTrade,
    /// 4: what is left is under the market's smallest order.
    TooSmall,
    /// 5: no order crosses its price any more, and it is of a kind that does not rest.
    NotResting,
    /// 6: the next order would add to its owner's position, which nobody may while a price, a surface or the quote asset's price is stale; or
    /// its owner holds a delisted perpetual that has ended and whose last funding is not on the board.
    Stale,
}

/// A fill of a resting order.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderFill {
    /// The maker's account.
    pub maker: Pubkey,
    /// The order's number in the book.
    pub order: u64,
    /// The maker's own number.
    pub client_order_id: u64,
    /// What the taker bought (sold, when negative), lots.
    pub lots: i64,
    /// 10⁻⁹ USD.
    pub price: i64,
    /// Quote units.
    pub taker_fee: i64,
    /// Quote units.
    pub maker_fee: i64,
}

/// Lots that left the book without a trade.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovedOrder {
    /// Whose order it is.
    pub margin_account: Pubkey,
    /// Its number in the book.
    pub order: u64,
    /// The client's own number.
    pub client_order_id: u64,
    /// 0 for a bid, 1 for an ask.
    pub side: u8,
    /// 10⁻⁹ USD.
    pub price: i64,
    /// Lots.
    pub lots: i64,
    /// Why.
    pub reason: RemovalReason,
}

/// Why an order left the book without a trade.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalReason {
    /// By its owner.
    Cancelled,
    /// Its time had come.
    Expired,
    /// Its account could not carry it, or it may only reduce and there was nothing left to reduce.
    NotCarried,
    /// It met an order of its own wallet.
    SelfTrade,
    /// Not given: what a fill leaves of an order rests, however little it is.
    TooSmall,
    /// Its price had fallen out of the band around the mark.
    OutsideBand,
    /// A better order needed its place in a full book.
    Evicted,
    /// Its instrument had ended.
    Ended,
}

/// Orders were taken out of a book.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct OrdersRemoved {
    /// The market.
    pub market: Pubkey,
    /// Its event number.
    pub sequence: u64,
    /// The instrument.
    pub instrument: u16,
    /// The orders.
    pub removed: Vec<RemovedOrder>,
    /// Who was paid for it; the default key for nobody.
    pub cranker: Pubkey,
    /// What they were paid out of the accounts' locked reserves, quote units.
    pub bounty: i64,
}

/// A perpetual's funding of an hour was put on the board: of the last one that the call closed. While that is not the current hour,
/// `update_funding` has to be called again.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct FundingUpdated {
    /// The market.
    pub market: Pubkey,
    /// The instrument.
    pub instrument: u16,
    /// The hour, hours since 1970.
    pub hour: i64,
    /// What a unit held long has paid up to its beginning, 10⁻⁹ USD.
    pub index: i64,
    /// What a unit held long pays over it, 10⁻⁹ USD.
    pub rate: i64,
}
