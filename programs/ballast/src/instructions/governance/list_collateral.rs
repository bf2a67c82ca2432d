//! `list_collateral`: a mint that backs positions, with its vault.
use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};

use crate::error::{ensure, BallastError};
use crate::events::CollateralListed;
use crate::seeds;
use crate::state::{native_quantity, Collateral, Exchange, RiskBoard, DISCRIMINATOR, MAX_COLLATERALS, VERSION};

/// Most decimals that a mint may have: quantities are kept in 10⁻⁹.
const MAX_DECIMALS: u8 = 9;

/// Parameters of a new collateral.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct ListCollateralArgs {
    /// Asset on the board whose price and haircuts it has.
    pub asset: u8,
    /// Most that the exchange holds, native units.
    pub deposit_cap: u64,
    /// Most that one owner deposits, native units.
    pub owner_deposit_cap: u64,
}

/// Accounts of `list_collateral`.
#[derive(Accounts)]
pub struct ListCollateral<'info> {
    /// The exchange.
    #[account(mut, has_one = authority @ BallastError::NotAuthority, has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The mint.
    pub mint: Box<Account<'info, Mint>>,
    /// The collateral to be.
    #[account(
        init, payer = authority, space = DISCRIMINATOR + size_of::<Collateral>(),
        seeds = [seeds::COLLATERAL, exchange.key().as_ref(), mint.key().as_ref()], bump
    )]
    pub collateral: AccountLoader<'info, Collateral>,
    /// Holds the mint.
    #[account(
        init, payer = authority, seeds = [seeds::VAULT, exchange.key().as_ref(), mint.key().as_ref()], bump,
        token::mint = mint, token::authority = exchange
    )]
    pub vault: Box<Account<'info, TokenAccount>>,
    /// The exchange's authority.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// SPL token program.
    pub token_program: Program<'info, Token>,
    /// System program.
    pub system_program: Program<'info, System>,
}

/// Lists a collateral under the next free index.
pub(crate) fn list_collateral<'info>(
    ctx: Context<'info, ListCollateral<'info>>,
    args: ListCollateralArgs,
) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut exchange = accounts.exchange.load_mut()?;
    let index = exchange.collateral_count;
    ensure!(usize::from(index) < MAX_COLLATERALS, BallastError::BoardFull);
    ensure!(
        accounts.mint.decimals <= MAX_DECIMALS,
        BallastError::UnsupportedDecimals
    );
    accounts.board.load()?.asset(args.asset)?;
    // A balance that is no quantity would fail every margin check of its account.
    let holdable = native_quantity(args.deposit_cap, accounts.mint.decimals).is_ok();
    ensure!(
        holdable && args.owner_deposit_cap <= args.deposit_cap,
        BallastError::InvalidParameter
    );
    exchange.collateral_count = index.saturating_add(1); // index < 16

    let mut collateral = accounts.collateral.load_init()?;
    collateral.version = VERSION;
    collateral.bump = ctx.bumps.collateral;
    collateral.index = index;
    collateral.asset = args.asset;
    collateral.decimals = accounts.mint.decimals;
    collateral.exchange = accounts.exchange.key();
    collateral.mint = accounts.mint.key();
    collateral.vault = accounts.vault.key();
    collateral.deposit_cap = args.deposit_cap;
    collateral.owner_deposit_cap = args.owner_deposit_cap;
    emit!(CollateralListed {
        exchange: accounts.exchange.key(),
        mint: accounts.mint.key(),
        index,
        asset: args.asset,
    });
    Ok(())
}
