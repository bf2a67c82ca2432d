//! A program that does what programs do, for the tests of the builder: arithmetic against native, accounts by all of
//! Anchor's ways, calls of other programs, std's collections and strings, and many ways to fail.

use anchor_lang::prelude::*;
use anchor_spl::token::{self, CloseAccount, Transfer};

pub mod cases;
mod collections;
mod contexts;
mod failures;

pub use collections::Operation;
pub use contexts::*;
pub use failures::Failure;

declare_id!("Fg6PaFpoGXkYsidMpWTK6W2BeZ7FEfcYkg476zPFsLnS");

/// Bytes that one vector's outcome takes.
pub const OUTCOME_BYTES: usize = 24;

/// The program's own errors.
#[error_code]
pub enum VectorsError {
    /// 6000
    #[msg("the result does not fit")]
    Overflow,
    /// 6001
    #[msg("a condition does not hold")]
    Condition,
}

/// What `pay` did.
#[event]
pub struct Paid {
    pub to: Pubkey,
    pub amount: u64,
    pub left: u64,
}

#[program]
pub mod vectors {
    use super::*;

    /// Does nothing: the cost of Anchor's dispatch.
    pub fn nothing(_context: Context<Nothing>) -> Result<()> {
        Ok(())
    }

    /// Runs `count` vectors of the sequence of `seed` and stores their outcomes.
    pub fn run_cases(context: Context<RunCases>, seed: u64, count: u64) -> Result<()> {
        let mut out = context.accounts.out.try_borrow_mut_data()?;
        let inputs = cases::Inputs::new(seed).take(count as usize);
        for ((number, a, b), place) in inputs.zip(out.chunks_exact_mut(OUTCOME_BYTES)) {
            let (value, word) = (cases::case(number).1)(a, b);
            place[..16].copy_from_slice(&value.to_le_bytes());
            place[16..].copy_from_slice(&word.to_le_bytes());
        }
        Ok(())
    }

    /// Creates an account at a derived address.
    pub fn initialize(context: Context<Initialize>, x: u64) -> Result<()> {
        let data = &mut context.accounts.data;
        data.value = u128::from(x).checked_mul(1_000_000).ok_or(VectorsError::Overflow)? / 7;
        data.bump = context.bumps.data;
        data.owner = context.accounts.payer.key();
        Ok(())
    }

    /// Moves tokens by a call of the token program, reads the account back and logs an event.
    pub fn pay(context: Context<Pay>, amount: u64) -> Result<()> {
        let accounts = context.accounts;
        let transfer = Transfer {
            from: accounts.from.to_account_info(),
            to: accounts.to.to_account_info(),
            authority: accounts.authority.to_account_info(),
        };
        token::transfer(CpiContext::new(accounts.token_program.key(), transfer), amount)?;
        accounts.to.reload()?;
        require_gte!(accounts.to.amount, amount, VectorsError::Condition);
        emit!(Paid {
            to: accounts.to.key(),
            amount,
            left: accounts.from.amount,
        });
        Ok(())
    }

    /// Creates a state account, a token vault and an associated token account in one instruction.
    pub fn open_vault(context: Context<OpenVault>, name: String, amount: u64) -> Result<()> {
        let accounts = context.accounts;
        accounts.state.name = name;
        accounts.state.bump = context.bumps.state;
        accounts.state.history = vec![(amount, Clock::get()?.unix_timestamp)];
        let transfer = Transfer {
            from: accounts.user_tokens.to_account_info(),
            to: accounts.vault.to_account_info(),
            authority: accounts.user.to_account_info(),
        };
        token::transfer(CpiContext::new(accounts.token_program.key(), transfer), amount)
    }

    /// Pays out of the vault with the program's signature, grows the state account, and closes both when empty.
    pub fn close_vault(context: Context<CloseVault>, amount: u64) -> Result<()> {
        let accounts = context.accounts;
        let name = accounts.state.name.clone();
        let seeds: &[&[&[u8]]] = &[&[b"state", name.as_bytes(), &[accounts.state.bump]]];
        let program = accounts.token_program.key();
        let transfer = Transfer {
            from: accounts.vault.to_account_info(),
            to: accounts.user_tokens.to_account_info(),
            authority: accounts.state.to_account_info(),
        };
        token::transfer(CpiContext::new_with_signer(program, transfer, seeds), amount)?;
        accounts.state.history.push((amount, -1));
        accounts.vault.reload()?;
        if accounts.vault.amount > 0 {
            return Ok(());
        }
        let close = CloseAccount {
            account: accounts.vault.to_account_info(),
            destination: accounts.user.to_account_info(),
            authority: accounts.state.to_account_info(),
        };
        token::close_account(CpiContext::new_with_signer(program, close, seeds))?;
        accounts.state.close(accounts.user.to_account_info())
    }

    /// Initialises a zero-copy account.
    pub fn fill_book(context: Context<FillBook>) -> Result<()> {
        let mut book = context.accounts.book.load_init()?;
        book.count = 3;
        for (index, order) in (0u64..).zip(book.orders.iter_mut()) {
            order.price = [index * 10, 0];
            order.size = index;
        }
        Ok(())
    }

    /// Changes a zero-copy account in place.
    pub fn change_book(context: Context<ChangeBook>, at: u64) -> Result<()> {
        let mut book = context.accounts.book.load_mut()?;
        let order = &mut book.orders[at as usize];
        order.price[0] = order.price[0].checked_mul(3).ok_or(VectorsError::Overflow)?;
        order.owner = context.accounts.signer.key();
        book.total = [book.orders.iter().map(|o| o.size).sum(), 0];
        Ok(())
    }

    /// Collections, trait objects, formatting and an enum as argument; logs what came out.
    pub fn use_std(context: Context<UseStd>, which: u8, operation: Operation) -> Result<()> {
        let lamports = context.remaining_accounts.iter().map(|a| a.lamports()).sum();
        let (value, note) = collections::run(which, operation, lamports)?;
        context.accounts.data.value = u128::from(value);
        context.accounts.data.notes = vec!["alpha".to_string(), note];
        Ok(())
    }

    /// Fails in the given way for some values and not for others.
    pub fn fail(_context: Context<Nothing>, failure: Failure, value: u64) -> Result<()> {
        failures::run(failure, value)
    }

    /// Twenty accounts of all kinds in one instruction.
    pub fn many_accounts(context: Context<ManyAccounts>) -> Result<()> {
        let a = &context.accounts;
        let all = [&a.d0, &a.d1, &a.d2, &a.d3, &a.d4, &a.d5, &a.d6, &a.d7];
        let sum: u128 = all.iter().map(|d| d.value).sum();
        require!(sum > 0, VectorsError::Overflow);
        context.accounts.d0.value = sum;
        Ok(())
    }
}
