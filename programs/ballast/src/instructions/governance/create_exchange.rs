//! `create_exchange`: the exchange with its board, quote asset and insurance fund.
use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use ballast_fixed::Ratio;
use ballast_risk::{PortfolioParams, MAX_LEVELS};

use crate::error::{ensure, BallastError, OrError};
use crate::events::ExchangeCreated;
use crate::oracle::FeedConfig;
use crate::seeds;
use crate::state::{
    AuctionParams, Collateral, Exchange, FeeSchedule, InsuranceFund, Limits, QuotePool, RiskBoard, DISCRIMINATOR,
    QUOTE_ASSET, VERSION,
};

/// Decimals of the quote asset.
const QUOTE_DECIMALS: u8 = 6;

/// Most of the quote asset that an exchange may hold: 20 billion, so that no cash leaves the risk engine's domain.
const MAX_QUOTE_CAP: u64 = 20_000_000_000_000_000;

/// Parameters of a new exchange.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct CreateExchangeArgs {
    /// Part of the exchange's address.
    pub id: u64,
    /// Trading fees.
    pub fees: FeeSchedule,
    /// Trading and borrowing limits.
    pub limits: Limits,
    /// The liquidation auction.
    pub auction: AuctionParams,
    /// Feed of the quote asset in USD.
    pub quote_feed: FeedConfig,
    /// Most of the quote asset that the exchange holds, quote units.
    pub quote_deposit_cap: u64,
    /// Most of the quote asset that one owner deposits, quote units.
    pub quote_owner_deposit_cap: u64,
    /// Weights of the scan's levels, 10⁻⁹; they add up to one.
    pub level_weights: [i64; MAX_LEVELS],
    /// Maintenance as a part of K, 10⁻⁹.
    pub maintenance_factor: i64,
}

/// Accounts of `create_exchange`.
#[derive(Accounts)]
#[instruction(args: CreateExchangeArgs)]
pub struct CreateExchange<'info> {
    /// The exchange to be.
    #[account(
        init, payer = authority, space = DISCRIMINATOR + size_of::<Exchange>(),
        seeds = [seeds::EXCHANGE, &args.id.to_le_bytes()], bump
    )]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The board, created by the client: zeroed, of full size, owned by this program.
    #[account(zero)]
    pub board: AccountLoader<'info, RiskBoard>,
    /// The quote asset's mint.
    pub quote_mint: Box<Account<'info, Mint>>,
    /// The quote asset as a collateral.
    #[account(
        init, payer = authority, space = DISCRIMINATOR + size_of::<Collateral>(),
        seeds = [seeds::COLLATERAL, exchange.key().as_ref(), quote_mint.key().as_ref()], bump
    )]
    pub quote_collateral: AccountLoader<'info, Collateral>,
    /// Holds the quote asset.
    #[account(
        init, payer = authority, seeds = [seeds::VAULT, exchange.key().as_ref(), quote_mint.key().as_ref()], bump,
        token::mint = quote_mint, token::authority = exchange
    )]
    pub quote_vault: Box<Account<'info, TokenAccount>>,
    /// Totals of the quote asset.
    #[account(
        init, payer = authority, space = DISCRIMINATOR + size_of::<QuotePool>(),
        seeds = [seeds::QUOTE_POOL, exchange.key().as_ref()], bump
    )]
    pub quote_pool: AccountLoader<'info, QuotePool>,
    /// The insurance fund.
    #[account(
        init, payer = authority, space = DISCRIMINATOR + size_of::<InsuranceFund>(),
        seeds = [seeds::INSURANCE_FUND, exchange.key().as_ref()], bump
    )]
    pub insurance_fund: AccountLoader<'info, InsuranceFund>,
    /// Governs the exchange and pays for its accounts.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// SPL token program.
    pub token_program: Program<'info, Token>,
    /// System program.
    pub system_program: Program<'info, System>,
}

impl CreateExchange<'_> {
    fn validate(&self, args: &CreateExchangeArgs) -> Result<()> {
        ensure!(
            self.quote_mint.decimals == QUOTE_DECIMALS,
            BallastError::UnsupportedDecimals
        );
        ensure!(
            self.board.to_account_info().data_len() == DISCRIMINATOR + size_of::<RiskBoard>(),
            BallastError::AccountTooSmall
        );
        ensure!(
            args.quote_owner_deposit_cap <= args.quote_deposit_cap && args.quote_deposit_cap <= MAX_QUOTE_CAP,
            BallastError::InvalidParameter
        );
        Ok(())
    }
}

/// Creates an exchange.
#[access_control(ctx.accounts.validate(&args))]
pub(crate) fn create_exchange<'info>(
    ctx: Context<'info, CreateExchange<'info>>,
    args: CreateExchangeArgs,
) -> Result<()> {
    let accounts = &ctx.accounts;
    let key = accounts.exchange.key();
    init_exchange(accounts, &args, ctx.bumps.exchange)?;
    init_board(accounts, &args)?;

    let mut quote = accounts.quote_collateral.load_init()?;
    quote.version = VERSION;
    quote.bump = ctx.bumps.quote_collateral;
    quote.asset = QUOTE_ASSET;
    quote.decimals = QUOTE_DECIMALS;
    quote.exchange = key;
    quote.mint = accounts.quote_mint.key();
    quote.vault = accounts.quote_vault.key();
    quote.deposit_cap = args.quote_deposit_cap;
    quote.owner_deposit_cap = args.quote_owner_deposit_cap;

    let mut pool = accounts.quote_pool.load_init()?;
    (pool.version, pool.bump, pool.exchange) = (VERSION, ctx.bumps.quote_pool, key);
    let mut fund = accounts.insurance_fund.load_init()?;
    (fund.version, fund.bump, fund.exchange) = (VERSION, ctx.bumps.insurance_fund, key);

    emit!(ExchangeCreated {
        exchange: key,
        authority: accounts.authority.key(),
        board: accounts.board.key(),
        quote_mint: accounts.quote_mint.key(),
    });
    Ok(())
}

fn init_exchange(accounts: &CreateExchange, args: &CreateExchangeArgs, bump: u8) -> Result<()> {
    let mut exchange = accounts.exchange.load_init()?;
    exchange.version = VERSION;
    exchange.bump = bump;
    exchange.collateral_count = 1;
    exchange.id = args.id;
    exchange.authority = accounts.authority.key();
    exchange.board = accounts.board.key();
    exchange.quote_mint = accounts.quote_mint.key();
    exchange.fees = args.fees;
    exchange.limits = args.limits;
    exchange.auction = args.auction;
    exchange.invariant()
}

fn init_board(accounts: &CreateExchange, args: &CreateExchangeArgs) -> Result<()> {
    let mut board = accounts.board.load_init()?;
    let params = PortfolioParams {
        maintenance_factor: Ratio(args.maintenance_factor),
        level_weights: args.level_weights.map(Ratio),
        ..PortfolioParams::DEFAULT
    };
    params.validate().or_error()?;
    board.version = VERSION;
    board.exchange = accounts.exchange.key();
    args.quote_feed.validate(QUOTE_ASSET)?;
    let board = &mut *board;
    args.quote_feed.bind(&mut board.quote, &mut board.quote_sources);
    board.level_weights = args.level_weights;
    board.effective_weights = args.level_weights;
    board.maintenance_factor = params.maintenance_factor.0;
    board.shock_floor = params.shock_floor.0;
    board.net_option_value = params.net_option_value.0;
    board.vega_offset = params.vega_offset.0;
    Ok(())
}
