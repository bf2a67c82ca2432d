//! `withdraw`: collateral or cash out of a margin account. Paper gains never leave.
use anchor_lang::prelude::*;
use anchor_spl::token::{transfer, Token, TokenAccount, Transfer};
use ballast_fixed::{Dollars, QuoteAmount};

use crate::clearing::{load_market, Settlement};
use crate::error::{ensure, BallastError, OrError};
use crate::events::{SettledPosition, Withdrawn};
use crate::margin::{self, QuoteRule};
use crate::seeds;
use crate::state::{Collateral, Exchange, InsuranceFund, MarginAccount, OwnerRecord, QuotePool, RiskBoard};

/// Accounts of `withdraw`. Behind them comes the market of each losing position that can settle, in the order of the positions.
#[event_cpi]
#[derive(Accounts)]
pub struct Withdraw<'info> {
    /// The exchange.
    #[account(has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    pub board: AccountLoader<'info, RiskBoard>,
    /// The collateral.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange, has_one = vault @ BallastError::WrongVault)]
    pub collateral: AccountLoader<'info, Collateral>,
    /// Its vault.
    #[account(mut, dup)] // that it is not the other side is checked below, with a named error
    pub vault: Box<Account<'info, TokenAccount>>,
    /// Totals of the quote asset.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub quote_pool: AccountLoader<'info, QuotePool>,
    /// The insurance fund, which earns its part of what settles.
    #[account(mut, has_one = exchange @ BallastError::WrongExchange)]
    pub insurance_fund: AccountLoader<'info, InsuranceFund>,
    /// The account that is debited.
    #[account(
        mut, has_one = exchange @ BallastError::WrongExchange, has_one = wallet @ BallastError::NotOwner,
        has_one = owner @ BallastError::WrongOwnerRecord
    )]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its wallet's record.
    #[account(mut)]
    pub owner: AccountLoader<'info, OwnerRecord>,
    /// Its wallet; a delegate can't withdraw.
    pub wallet: Signer<'info>,
    /// Where the tokens go.
    #[account(mut, dup, constraint = destination.mint == vault.mint @ BallastError::WrongMint)]
    pub destination: Box<Account<'info, TokenAccount>>,
    /// SPL token program.
    pub token_program: Program<'info, Token>,
}

impl Withdraw<'_> {
    fn validate(&self, amount: u64) -> Result<()> {
        ensure!(amount > 0, BallastError::ZeroAmount);
        ensure!(!self.destination.is_frozen(), BallastError::TokenAccountUnusable);
        ensure!(
            self.destination.key() != self.vault.key(),
            BallastError::DuplicateAccount
        );
        Ok(())
    }
}

/// Withdraws `amount` native units of the collateral's mint after settling every losing position.
///
/// # Errors
/// [`BallastError::FundingDue`] while the last hour of a delisted perpetual that has ended, and that the account holds, is not on the board;
/// for the others see docs/accounts.md.
#[access_control(ctx.accounts.validate(amount))]
pub(crate) fn withdraw<'info>(ctx: Context<'info, Withdraw<'info>>, amount: u64) -> Result<()> {
    let event = debit(&ctx, amount)?;
    let accounts = &ctx.accounts;
    let (id, bump) = {
        let exchange = accounts.exchange.load()?;
        (exchange.id.to_le_bytes(), [exchange.bump])
    };
    let signer: &[&[&[u8]]] = &[&[seeds::EXCHANGE, &id, &bump]];
    transfer(
        CpiContext::new_with_signer(
            accounts.token_program.key(),
            Transfer {
                from: accounts.vault.to_account_info(),
                to: accounts.destination.to_account_info(),
                authority: accounts.exchange.to_account_info(),
            },
            signer,
        ),
        amount,
    )?;
    emit_cpi!(event);
    Ok(())
}

/// Settles the losers, takes the amount out of the account and checks what is left.
#[inline(never)]
fn debit<'info>(ctx: &Context<'info, Withdraw<'info>>, amount: u64) -> Result<Withdrawn> {
    let accounts = &ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let (exchange, board) = (accounts.exchange.load()?, accounts.board.load()?);
    let mut collateral = accounts.collateral.load_mut()?;
    let mut account = accounts.margin_account.load_mut()?;
    let mut pool = accounts.quote_pool.load_mut()?;
    let mut fund = accounts.insurance_fund.load_mut()?;
    let mut settlement = Settlement {
        exchange: &exchange,
        board: &board,
        pool: &mut pool,
        fund: &mut fund,
        now,
        credit: margin::credit(&board, &account, now)?,
    };
    let (owed, settled) = settle_losers(&mut settlement, &mut account, ctx.remaining_accounts)?;

    if collateral.is_quote() {
        let room = settlement.cash_limits(&account)?.borrowing_room;
        take_cash(&mut settlement, &mut account, amount, room)?;
    } else {
        account.take_balance(collateral.index, amount)?;
        collateral.total_deposits = collateral
            .total_deposits
            .checked_sub(amount)
            .ok_or(BallastError::MathOverflow)?;
    }
    let mut owner = accounts.owner.load_mut()?;
    let deposits = owner.deposits_mut(collateral.index)?;
    *deposits = deposits.saturating_sub(amount);

    check(&board, &account, collateral.is_quote(), owed, now)?;
    Ok(Withdrawn {
        margin_account: accounts.margin_account.key(),
        sequence: account.next_sequence(),
        mint: collateral.mint,
        amount,
        settled,
        cash: account.cash,
    })
}

/// Settles every losing position that can settle; returns what is then still owed on positions, and what became of those that settled.
///
/// The market of a position that settles must be the next remaining account. Markets of other positions may stand between, so that a
/// position settled by somebody else meanwhile does no harm; none may be left over, as of a closed position that has settled to nothing.
fn settle_losers<'info>(
    settlement: &mut Settlement,
    account: &mut MarginAccount,
    markets: &'info [AccountInfo<'info>],
) -> Result<(QuoteAmount, Vec<SettledPosition>)> {
    let mut settled = Vec::with_capacity(markets.len());
    let mut markets = markets.iter().peekable();
    let (mut at, mut owed) = (0usize, QuoteAmount::ZERO);
    while let Some(position) = account.positions().get(at) {
        let mut position = settlement.funded(position)?;
        let count = account.position_count;
        let market = settlement.exchange.market(position.instrument)?;
        let passed = markets.next_if(|info| *info.key == market);
        if let Some(value) = settlement.settleable(&position)?.filter(|value| value.0 < 0) {
            let info = passed.ok_or(BallastError::MarketMissing)?;
            let loader = load_market(settlement.exchange, position.instrument, info)?;
            let mut market = loader.load_mut()?;
            settlement.credit_funding(account, at, &mut market)?;
            settled.push(settlement.settle_value(account, at, &mut market, value)?);
            position = account.positions().get(at).copied().unwrap_or_default();
        }
        // A position that settled to nothing has left its slot to the next one.
        if account.position_count == count {
            owed = owed.plus(settlement.owed(&position)?).or_error()?;
            at = at.saturating_add(1);
        }
    }
    ensure!(markets.next().is_none(), BallastError::UnexpectedAccount);
    Ok((owed, settled))
}

fn take_cash(settlement: &mut Settlement, account: &mut MarginAccount, amount: u64, room: QuoteAmount) -> Result<()> {
    let amount = QuoteAmount(i64::try_from(amount).map_err(|_| BallastError::MathOverflow)?);
    let before = account.quote_balance().or_error()?;
    account.cash = QuoteAmount(account.cash).minus(amount).or_error()?.0;
    let after = account.quote_balance().or_error()?;
    let borrows = after.0 < 0;
    ensure!(!borrows || amount.0 <= room.0, BallastError::BorrowCapExceeded);
    if borrows {
        let (_, trusted) = settlement.board.quote_state(settlement.now);
        ensure!(trusted, BallastError::QuoteUntrusted);
    }
    settlement.pool.rebalance(before, after)?;
    settlement.pool.invariant()
}

/// The withdrawal rule (methodology, section 4): E_w ≥ IM + order reserve, and cash within what the collateral backs.
///
/// What the account owes on losing positions counts whole here, whatever it has gained on other positions of the same asset: those gains
/// may be owed by somebody who can't pay.
fn check(board: &RiskBoard, account: &MarginAccount, is_quote: bool, owed: QuoteAmount, now: i64) -> Result<()> {
    let rule = if is_quote {
        QuoteRule::Trusted
    } else {
        QuoteRule::ByFeed
    };
    let report = margin::evaluate_with(board, account, now, rule)?;
    let required = report.initial.plus(Dollars(account.order_reserve)).or_error()?;
    // A dead price's last word carries nothing that leaves: what liquidation does not see backs no loan.
    let covered = report.equity_withdrawal >= required && !report.is_liquidatable();
    ensure!(covered, BallastError::InsufficientMargin);
    let backing = board.in_quote(report.credit_initial)?;
    let left = QuoteAmount(account.cash)
        .plus(backing)
        .and_then(|sum| sum.minus(owed))
        .or_error()?;
    ensure!(left.0 >= 0, BallastError::CashUnderCredit);
    Ok(())
}
