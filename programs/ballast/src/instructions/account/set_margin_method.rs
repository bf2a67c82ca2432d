//! `set_margin_method`: a wallet chooses how much its account is to be asked for.
use anchor_lang::prelude::*;
use ballast_fixed::Dollars;
use ballast_risk::MarginReport;

use crate::error::{ensure, BallastError, OrError};
use crate::events::MarginMethodSet;
use crate::margin;
use crate::state::{Exchange, MarginAccount, MarginMethod, RiskBoard};

/// Accounts of `set_margin_method`.
#[event_cpi]
#[derive(Accounts)]
pub struct SetMarginMethod<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The account.
    #[account(
        mut, has_one = exchange @ BallastError::WrongExchange, has_one = wallet @ BallastError::NotOwner
    )]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its wallet.
    pub wallet: Signer<'info>,
}

/// Sets the method of an account that carries what it requires by the old one and by the new one, as if it took on new risk: nobody
/// escapes a requirement by asking for a smaller one, and nobody becomes liquidatable by asking for a larger one.
pub(crate) fn set_margin_method<'info>(
    ctx: Context<'info, SetMarginMethod<'info>>,
    method: MarginMethod,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let event = {
        let board = ctx.accounts.board.load()?;
        let mut account = ctx.accounts.margin_account.load_mut()?;
        check(&account, &margin::evaluate(&board, &account, now)?)?;
        account.method = method as u8;
        check(&account, &margin::evaluate(&board, &account, now)?)?;
        MarginMethodSet {
            margin_account: ctx.accounts.margin_account.key(),
            sequence: account.next_sequence(),
            method,
        }
    };
    emit_cpi!(event);
    Ok(())
}

fn check(account: &MarginAccount, report: &MarginReport) -> Result<()> {
    let required = report.initial.plus(Dollars(account.order_reserve)).or_error()?;
    let carried = report.equity_initial >= required && !report.is_liquidatable();
    ensure!(carried, BallastError::InsufficientMargin);
    Ok(())
}
