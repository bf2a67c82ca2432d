//! `set_margin_method`: a wallet chooses how much its account is to be asked for.
use anchor_lang::prelude::*;
use ballast_fixed::Dollars;
use ballast_risk::price_use::PriceUse;
use ballast_risk::trade::{judge, TradeFacts};
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

/// Sets the method of an account that carries what it requires by the old one and by the new one: nobody escapes a requirement by asking
/// for a smaller one, and nobody becomes liquidatable by asking for a larger one. Less caution is new risk on every position at once, so it
/// is asked all that a trade is asked which adds to each of them.
pub(crate) fn set_margin_method<'info>(
    ctx: Context<'info, SetMarginMethod<'info>>,
    method: MarginMethod,
) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let event = {
        let board = ctx.accounts.board.load()?;
        let mut account = ctx.accounts.margin_account.load_mut()?;
        let is_less_careful = (method as u8) < account.method;
        let before = margin::evaluate(&board, &account, now)?;
        check(&account, &before)?;
        account.method = method as u8;
        let after = margin::evaluate(&board, &account, now)?;
        check(&account, &after)?;
        if is_less_careful {
            check_new_risk(&board, &account, [&before, &after], now)?;
        }
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

/// The rules of new risk beyond the margin itself: a health of 1.1 before, a trusted quote asset, $10 after, fresh prices and surfaces.
fn check_new_risk(board: &RiskBoard, account: &MarginAccount, margin: [&MarginReport; 2], now: i64) -> Result<()> {
    for position in account.positions().iter().filter(|p| p.lots != 0) {
        let instrument = board.instrument(position.instrument)?;
        let asset = board.asset(instrument.asset)?;
        if asset.settled(instrument, now)?.is_some() {
            continue;
        }
        ensure!(asset.price.permits(PriceUse::Trade, now), BallastError::StalePrice);
        ensure!(asset.is_fresh(instrument, now)?, BallastError::SurfaceStale);
    }
    let facts = TradeFacts {
        reduces: false,
        cost: Dollars::ZERO,
        order_reserve: Dollars(account.order_reserve),
        quote_trusted: board.quote_state(now).1,
        reduces_on_book: false,
    };
    let [before, after] = margin;
    judge(before, after, &facts).or_error()?.or_error()
}
