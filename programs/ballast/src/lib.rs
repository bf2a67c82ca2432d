//! Ballast: a clearing house for derivatives. One unified vault per user, margined as a portfolio.
//!
//! This file only lists the instructions; the code of each is in the file of its name under `instructions`.
#![allow(missing_docs)] // Anchor's derives generate undocumented items; ours are documented
use anchor_lang::prelude::*;

mod clearing;
pub mod error;
pub mod events;
pub mod instructions;
pub mod margin;
pub mod oracle;
pub mod quote;
pub mod seeds;
pub mod state;

pub use instructions::*;
use oracle::FeedConfig;
use state::{MarginMethod, OrderId, ValueLimits};

declare_id!("BLSTxFhSiQmGqBBS4HxB6a8hsWoYt9DRGo1JECPhZUvH");

/// The instructions.
#[program]
pub mod ballast {
    use super::*;

    /// Creates an exchange with its board, quote asset and insurance fund.
    pub fn create_exchange<'info>(ctx: Context<'info, CreateExchange<'info>>, args: CreateExchangeArgs) -> Result<()> {
        instructions::create_exchange(ctx, args)
    }

    /// Lists an asset with its price feed and margin parameters.
    pub fn list_asset<'info>(ctx: Context<'info, ListAsset<'info>>, args: ListAssetArgs) -> Result<()> {
        instructions::list_asset(ctx, args)
    }

    /// Lists a mint as collateral.
    pub fn list_collateral<'info>(ctx: Context<'info, ListCollateral<'info>>, args: ListCollateralArgs) -> Result<()> {
        instructions::list_collateral(ctx, args)
    }

    /// Lists a perpetual, a dated future or an option.
    pub fn list_instrument<'info>(ctx: Context<'info, ListInstrument<'info>>, args: ListInstrumentArgs) -> Result<()> {
        instructions::list_instrument(ctx, args)
    }

    /// Ends a perpetual.
    pub fn delist_instrument<'info>(
        ctx: Context<'info, DelistInstrument<'info>>,
        instrument: u16,
        ends_at: i64,
    ) -> Result<()> {
        instructions::delist_instrument(ctx, instrument, ends_at)
    }

    /// Sets the settlement price of an expiry that found none.
    pub fn set_settlement_price<'info>(
        ctx: Context<'info, SetSettlementPrice<'info>>,
        asset: u8,
        expiry: i64,
        price: i64,
    ) -> Result<()> {
        instructions::set_settlement_price(ctx, asset, expiry, price)
    }

    /// Binds a price to other sources.
    pub fn set_price_sources<'info>(
        ctx: Context<'info, SetPriceSources<'info>>,
        asset: u8,
        feed: FeedConfig,
    ) -> Result<()> {
        instructions::set_price_sources(ctx, asset, feed)
    }

    /// Names the key that publishes volatility surfaces.
    pub fn set_volatility_publisher<'info>(
        ctx: Context<'info, SetVolatilityPublisher<'info>>,
        publisher: Pubkey,
    ) -> Result<()> {
        instructions::set_volatility_publisher(ctx, publisher)
    }

    /// Publishes bases and volatility surfaces of an asset's expiries.
    pub fn refresh_surface<'info>(
        ctx: Context<'info, RefreshSurface<'info>>,
        asset: u8,
        updates: Vec<SurfaceUpdate>,
    ) -> Result<()> {
        instructions::refresh_surface(ctx, asset, updates)
    }

    /// Binds value feeds to an expiry.
    pub fn set_surface_source<'info>(
        ctx: Context<'info, SetSurfaceSource<'info>>,
        asset: u8,
        expiry: i64,
        limits: ValueLimits,
    ) -> Result<()> {
        instructions::set_surface_source(ctx, asset, expiry, limits)
    }

    /// Publishes an expiry's basis and volatility surface from its value feeds.
    pub fn refresh_surface_from_feeds<'info>(ctx: Context<'info, RefreshSurfaceFromFeeds<'info>>) -> Result<()> {
        instructions::refresh_surface_from_feeds(ctx)
    }

    /// Opens a margin account.
    pub fn open_margin_account<'info>(
        ctx: Context<'info, OpenMarginAccount<'info>>,
        index: u16,
        delegates: Vec<Pubkey>,
    ) -> Result<()> {
        instructions::open_margin_account(ctx, index, delegates)
    }

    /// Closes an empty margin account.
    pub fn close_margin_account<'info>(ctx: Context<'info, CloseMarginAccount<'info>>) -> Result<()> {
        instructions::close_margin_account(ctx)
    }

    /// Chooses the method by which an account is margined.
    pub fn set_margin_method<'info>(ctx: Context<'info, SetMarginMethod<'info>>, method: MarginMethod) -> Result<()> {
        instructions::set_margin_method(ctx, method)
    }

    /// Names, once, the account that earns a part of an account's fees.
    pub fn set_referrer<'info>(ctx: Context<'info, SetReferrer<'info>>) -> Result<()> {
        instructions::set_referrer(ctx)
    }

    /// Deposits collateral or cash.
    pub fn deposit<'info>(ctx: Context<'info, Deposit<'info>>, amount: u64) -> Result<()> {
        instructions::deposit(ctx, amount)
    }

    /// Withdraws collateral or cash.
    pub fn withdraw<'info>(ctx: Context<'info, Withdraw<'info>>, amount: u64) -> Result<()> {
        instructions::withdraw(ctx, amount)
    }

    /// Puts new prices on the board.
    pub fn refresh_prices<'info>(ctx: Context<'info, RefreshPrices<'info>>, assets: Vec<u8>) -> Result<()> {
        instructions::refresh_prices(ctx, assets)
    }

    /// Puts a perpetual's mark and funding on the board.
    pub fn update_funding<'info>(ctx: Context<'info, UpdateFunding<'info>>) -> Result<()> {
        instructions::update_funding(ctx)
    }

    /// Counts how pairs of assets have moved together, and weighs the levels by it.
    pub fn update_correlations<'info>(ctx: Context<'info, UpdateCorrelations<'info>>) -> Result<()> {
        instructions::update_correlations(ctx)
    }

    /// Trades between two margin accounts.
    pub fn block_trade<'info>(ctx: Context<'info, BlockTrade<'info>>, legs: Vec<TradeLeg>) -> Result<()> {
        instructions::block_trade(ctx, legs)
    }

    /// Lets a margin account quote.
    pub fn open_quote_ledger<'info>(ctx: Context<'info, OpenQuoteLedger<'info>>) -> Result<()> {
        instructions::open_quote_ledger(ctx)
    }

    /// Closes a margin account's quote ledger.
    pub fn close_quote_ledger<'info>(ctx: Context<'info, CloseQuoteLedger<'info>>) -> Result<()> {
        instructions::close_quote_ledger(ctx)
    }

    /// Trades on a signed quote.
    pub fn fill_quote<'info>(ctx: Context<'info, FillQuote<'info>>, units: u64) -> Result<()> {
        instructions::fill_quote(ctx, units)
    }

    /// Takes a signed quote back.
    pub fn cancel_quote<'info>(ctx: Context<'info, ManageQuotes<'info>>, nonce: u64) -> Result<()> {
        instructions::cancel_quote(ctx, nonce)
    }

    /// Takes every signed quote under a nonce back.
    pub fn raise_quote_floor<'info>(ctx: Context<'info, ManageQuotes<'info>>, floor: u64) -> Result<()> {
        instructions::raise_quote_floor(ctx, floor)
    }

    /// Places an order in a market's book.
    pub fn place_order<'info>(ctx: Context<'info, PlaceOrder<'info>>, args: OrderArgs) -> Result<()> {
        instructions::place_order(ctx, args)
    }

    /// Cancels an order.
    pub fn cancel_order<'info>(ctx: Context<'info, CancelOrders<'info>>, id: OrderId) -> Result<()> {
        instructions::cancel_order(ctx, id)
    }

    /// Cancels all orders of an account in some markets.
    pub fn cancel_all_orders<'info>(ctx: Context<'info, CancelOrders<'info>>) -> Result<()> {
        instructions::cancel_all_orders(ctx)
    }

    /// Removes orders that have expired or that their accounts can't carry.
    pub fn cancel_stale_orders<'info>(ctx: Context<'info, CancelStaleOrders<'info>>) -> Result<()> {
        instructions::cancel_stale_orders(ctx)
    }

    /// Has an owner's record forget orders that are no more.
    pub fn reconcile_owner<'info>(ctx: Context<'info, ReconcileOwner<'info>>) -> Result<()> {
        instructions::reconcile_owner(ctx)
    }

    /// Turns profit and loss into cash.
    pub fn settle_pnl<'info>(ctx: Context<'info, SettlePnl<'info>>) -> Result<()> {
        instructions::settle_pnl(ctx)
    }

    /// Pays a referrer its part of an account's fees.
    pub fn claim_referral<'info>(ctx: Context<'info, ClaimReferral<'info>>) -> Result<()> {
        instructions::claim_referral(ctx)
    }

    /// Records the settlement price of an expiry.
    pub fn fix_settlement<'info>(ctx: Context<'info, FixSettlement<'info>>, asset: u8, expiry: i64) -> Result<()> {
        instructions::fix_settlement(ctx, asset, expiry)
    }

    /// Turns a position in an ended instrument into money.
    pub fn settle_expiry<'info>(ctx: Context<'info, SettleExpiry<'info>>) -> Result<()> {
        instructions::settle_expiry(ctx)
    }

    /// Gives up what nobody has paid of a settled position.
    pub fn waive_claim<'info>(ctx: Context<'info, WaiveClaim<'info>>) -> Result<()> {
        instructions::waive_claim(ctx)
    }

    /// Frees the slot of an instrument that has ended and settled.
    pub fn close_instrument<'info>(ctx: Context<'info, CloseInstrument<'info>>) -> Result<()> {
        instructions::close_instrument(ctx)
    }

    /// Starts or confirms an account's auction clock.
    pub fn flag<'info>(ctx: Context<'info, FlagAccount<'info>>) -> Result<()> {
        instructions::flag(ctx)
    }

    /// Stops an account's auction clock.
    pub fn unflag<'info>(ctx: Context<'info, FlagAccount<'info>>) -> Result<()> {
        instructions::unflag(ctx)
    }

    /// Takes over parts of positions.
    pub fn liquidate<'info>(ctx: Context<'info, Liquidate<'info>>, lots: Vec<u64>) -> Result<()> {
        instructions::liquidate(ctx, lots)
    }

    /// Adds to the insurance fund.
    pub fn fund_insurance<'info>(ctx: Context<'info, FundInsurance<'info>>, amount: u64) -> Result<()> {
        instructions::fund_insurance(ctx, amount)
    }

    /// Returns one section of an account's margin report, as it is or after changes.
    pub fn preview<'info>(ctx: Context<'info, Preview<'info>>, request: PreviewRequest) -> Result<PreviewReport> {
        instructions::preview(ctx, request)
    }
}
