//! `open_margin_account`: a wallet opens one of its margin accounts.
use anchor_lang::prelude::*;

use crate::error::{ensure, BallastError};
use crate::events::MarginAccountOpened;
use crate::seeds;
use crate::state::{Exchange, MarginAccount, OwnerRecord, DISCRIMINATOR, MAX_DELEGATES, VERSION};

/// Accounts of `open_margin_account`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(index: u16)]
pub struct OpenMarginAccount<'info> {
    /// The exchange.
    pub exchange: AccountLoader<'info, Exchange>,
    /// The account to be.
    #[account(
        init, payer = wallet, space = DISCRIMINATOR + size_of::<MarginAccount>(),
        seeds = [seeds::MARGIN_ACCOUNT, exchange.key().as_ref(), wallet.key().as_ref(), &index.to_le_bytes()], bump
    )]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// The wallet's record; made with its first account.
    #[account(
        init_if_needed, payer = wallet, space = DISCRIMINATOR + size_of::<OwnerRecord>(),
        seeds = [seeds::OWNER, exchange.key().as_ref(), wallet.key().as_ref()], bump
    )]
    pub owner: AccountLoader<'info, OwnerRecord>,
    /// Owns the account and pays its rent.
    #[account(mut)]
    pub wallet: Signer<'info>,
    /// System program.
    pub system_program: Program<'info, System>,
}

/// Opens the wallet's account number `index`, with up to four keys that may trade and deposit for it.
pub(crate) fn open_margin_account<'info>(
    ctx: Context<'info, OpenMarginAccount<'info>>,
    index: u16,
    delegates: Vec<Pubkey>,
) -> Result<()> {
    ensure!(delegates.len() <= MAX_DELEGATES, BallastError::InvalidParameter);
    let accounts = &ctx.accounts;
    let (exchange, wallet) = (accounts.exchange.key(), accounts.wallet.key());
    let sequence = register(accounts, ctx.bumps.owner)?;

    let mut account = accounts.margin_account.load_init()?;
    account.version = VERSION;
    account.bump = ctx.bumps.margin_account;
    account.index = index;
    account.exchange = exchange;
    account.wallet = wallet;
    account.owner = accounts.owner.key();
    account.sequence = sequence;
    for (slot, key) in account.delegates.iter_mut().zip(delegates) {
        *slot = key;
    }
    drop(account);
    emit_cpi!(MarginAccountOpened {
        margin_account: ctx.accounts.margin_account.key(),
        wallet,
        index,
    });
    Ok(())
}

/// Counts the account in the wallet's record, which is written here the first time; returns the event number to go on from.
fn register(accounts: &OpenMarginAccount, bump: u8) -> Result<u64> {
    let is_new = accounts
        .owner
        .to_account_info()
        .try_borrow_data()?
        .starts_with(&[0; DISCRIMINATOR]);
    let mut owner = if is_new {
        accounts.owner.load_init()?
    } else {
        accounts.owner.load_mut()?
    };
    if is_new {
        owner.version = VERSION;
        owner.bump = bump;
        owner.exchange = accounts.exchange.key();
        owner.wallet = accounts.wallet.key();
    }
    owner.margin_accounts = owner.margin_accounts.checked_add(1).ok_or(BallastError::MathOverflow)?;
    Ok(owner.closed_sequence)
}
