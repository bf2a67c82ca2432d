//! The accounts and what each instruction asks of them.

use anchor_lang::prelude::*;
use anchor_spl::associated_token::AssociatedToken;
use anchor_spl::token::{Mint, Token, TokenAccount};

/// A plain account.
#[account]
#[derive(InitSpace)]
pub struct Data {
    pub value: u128,
    pub bump: u8,
    pub owner: Pubkey,
}

/// An account with strings.
#[account]
pub struct Notes {
    pub value: u128,
    pub notes: Vec<String>,
}

/// An account that grows.
#[account]
pub struct State {
    pub bump: u8,
    pub name: String,
    pub history: Vec<(u64, i64)>,
}

/// One entry of [`Book`].
#[zero_copy]
pub struct Order {
    pub price: [u64; 2],
    pub owner: Pubkey,
    pub size: u64,
    pub padding: u64,
}

/// An account that is read and written in place: larger than a stack frame.
#[account(zero_copy)]
pub struct Book {
    pub total: [u64; 2],
    pub count: u64,
    pub padding: u64,
    pub orders: [Order; 80],
}

#[derive(Accounts)]
pub struct Nothing {}

#[derive(Accounts)]
pub struct RunCases<'info> {
    /// CHECK: plain bytes of this program
    #[account(mut)]
    pub out: UncheckedAccount<'info>,
}

#[derive(Accounts)]
pub struct Initialize<'info> {
    #[account(init, payer = payer, space = 8 + Data::INIT_SPACE, seeds = [b"data", payer.key().as_ref()], bump)]
    pub data: Account<'info, Data>,
    #[account(mut)]
    pub payer: Signer<'info>,
    pub system_program: Program<'info, System>,
}

#[derive(Accounts)]
pub struct Pay<'info> {
    #[account(mut)]
    pub from: Account<'info, TokenAccount>,
    #[account(mut, constraint = to.mint == from.mint)]
    pub to: Account<'info, TokenAccount>,
    pub authority: Signer<'info>,
    pub token_program: Program<'info, Token>,
}

#[derive(Accounts)]
#[instruction(name: String)]
pub struct OpenVault<'info> {
    #[account(init, payer = user, space = 300, seeds = [b"state", name.as_bytes()], bump)]
    pub state: Box<Account<'info, State>>,
    pub mint: Box<Account<'info, Mint>>,
    #[account(
        init,
        payer = user,
        seeds = [b"vault", state.key().as_ref()],
        bump,
        token::mint = mint,
        token::authority = state
    )]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(mut, associated_token::mint = mint, associated_token::authority = user)]
    pub user_tokens: Box<Account<'info, TokenAccount>>,
    #[account(init_if_needed, payer = user, associated_token::mint = mint, associated_token::authority = state)]
    pub state_tokens: Box<Account<'info, TokenAccount>>,
    #[account(mut)]
    pub user: Signer<'info>,
    pub token_program: Program<'info, Token>,
    pub associated_token_program: Program<'info, AssociatedToken>,
    pub system_program: Program<'info, System>,
}

#[derive(Accounts)]
pub struct CloseVault<'info> {
    #[account(
        mut,
        seeds = [b"state", state.name.as_bytes()],
        bump = state.bump,
        realloc = 400,
        realloc::payer = user,
        realloc::zero = false
    )]
    pub state: Box<Account<'info, State>>,
    #[account(mut, seeds = [b"vault", state.key().as_ref()], bump, token::authority = state)]
    pub vault: Box<Account<'info, TokenAccount>>,
    #[account(mut)]
    pub user_tokens: Box<Account<'info, TokenAccount>>,
    #[account(mut)]
    pub user: Signer<'info>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

#[derive(Accounts)]
pub struct FillBook<'info> {
    #[account(zero)]
    pub book: AccountLoader<'info, Book>,
}

#[derive(Accounts)]
pub struct ChangeBook<'info> {
    #[account(mut)]
    pub book: AccountLoader<'info, Book>,
    pub signer: Signer<'info>,
}

#[derive(Accounts)]
pub struct UseStd<'info> {
    #[account(mut)]
    pub data: Account<'info, Notes>,
}

#[derive(Accounts)]
pub struct ManyAccounts<'info> {
    #[account(mut)]
    pub d0: Box<Account<'info, Data>>,
    #[account(mut)]
    pub d1: Box<Account<'info, Data>>,
    pub d2: Box<Account<'info, Data>>,
    pub d3: Box<Account<'info, Data>>,
    pub d4: Box<Account<'info, Data>>,
    pub d5: Box<Account<'info, Data>>,
    pub d6: Box<Account<'info, Data>>,
    pub d7: Box<Account<'info, Data>>,
    #[account(mut, token::mint = t1.mint)]
    pub t0: Box<Account<'info, TokenAccount>>,
    pub t1: Box<Account<'info, TokenAccount>>,
    pub t2: Account<'info, TokenAccount>,
    pub t3: Account<'info, TokenAccount>,
    pub signer: Signer<'info>,
    /// CHECK: not used
    pub u0: UncheckedAccount<'info>,
    /// CHECK: not used
    pub u1: UncheckedAccount<'info>,
    /// CHECK: not used
    pub u2: UncheckedAccount<'info>,
    /// CHECK: not used
    pub u3: UncheckedAccount<'info>,
    pub rent: Sysvar<'info, Rent>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}
