//! An account that a transaction may change, before and after it.
use anchor_lang::prelude::Pubkey;
use ballast::margin::{evaluate, evaluate_with, QuoteRule};
use ballast::state::{InstrumentKind, MarginAccount, Position};
use ballast_risk::MarginReport;

use super::figures::{ceil, floor, funded_quote, funding_index, CENTS, ONE, QUOTE};
use super::{Broken, Change, Invariant, Picture};

/// An account at one moment.
#[derive(Clone)]
pub struct Moment<'a> {
    /// Everything else at this moment.
    pub picture: &'a Picture,
    /// The account, with the funding pending on its positions credited to their quotes, rounded down: as whatever touches them leaves it.
    pub account: Box<MarginAccount>,
    /// Its margin.
    pub report: MarginReport,
    /// E_w with cash that counts whatever the quote asset is worth, 10⁻⁸ dollars: cash that is not trusted can be withdrawn itself.
    pub withdrawable: i128,
}

fn funded(picture: &Picture, account: &MarginAccount) -> Box<MarginAccount> {
    let mut account = Box::new(*account);
    let count = usize::from(account.position_count);
    for position in account.positions.iter_mut().take(count) {
        let listed = &picture.board.instruments[usize::from(position.instrument)];
        if listed.kind == InstrumentKind::Perpetual as u8 {
            position.quote = floor(funded_quote(listed, position, picture.now), QUOTE) as i64;
            position.funding_index = funding_index(listed, picture.now) as i64;
        }
    }
    account
}

/// An account before and after a transaction.
pub struct Party<'a> {
    /// Before.
    pub before: Moment<'a>,
    /// After.
    pub after: Moment<'a>,
}

impl<'a> Moment<'a> {
    /// An account with its margin.
    ///
    /// # Errors
    /// [`Invariant::C4`]: an account whose margin can't be computed is not known to cover anything.
    pub fn of(picture: &'a Picture, account: &MarginAccount) -> Result<Moment<'a>, Broken> {
        let no_margin = |error| Broken {
            invariant: Invariant::C4,
            what: format!("a margin can't be computed: {error}"),
        };
        let account = &funded(picture, account);
        let report = evaluate(&picture.board, account, picture.now).map_err(no_margin)?;
        let withdrawable = if picture.trusts_quote() {
            report.equity_withdrawal
        } else {
            let rule = QuoteRule::Trusted;
            let trusted = evaluate_with(&picture.board, account, picture.now, rule).map_err(no_margin)?;
            trusted.equity_withdrawal
        };
        Ok(Moment {
            picture,
            account: account.clone(),
            report,
            withdrawable: withdrawable.0.into(),
        })
    }

    /// Cash and locked reserve, quote units: what is supplied, or borrowed when negative.
    pub fn balance(&self) -> i128 {
        i128::from(self.account.cash) + i128::from(self.account.reserve)
    }

    /// Cash, reserve and the quotes of all positions: what settling only shifts.
    pub fn claim(&self) -> i128 {
        let quotes = self.account.positions().iter().map(|p| i128::from(p.quote));
        self.balance() + quotes.sum::<i128>()
    }

    /// The lots in an instrument.
    pub fn lots(&self, instrument: usize) -> i64 {
        let held = self.account.positions().iter();
        held.filter(|p| usize::from(p.instrument) == instrument)
            .map(|p| p.lots)
            .sum()
    }

    /// The quote in an instrument.
    pub fn quote(&self, instrument: usize) -> i64 {
        let held = self.account.positions().iter();
        held.filter(|p| usize::from(p.instrument) == instrument)
            .map(|p| p.quote)
            .sum()
    }

    /// E − MM as liquidation sees it.
    pub fn liquidation_surplus(&self) -> i128 {
        i128::from(self.report.equity_liquidation.0) - i128::from(self.report.maintenance.0)
    }

    /// E_mm − MM.
    pub fn maintenance_surplus(&self) -> i128 {
        i128::from(self.report.equity_maintenance.0) - i128::from(self.report.maintenance.0)
    }

    /// E_im − IM − order reserve.
    pub fn initial_surplus(&self) -> i128 {
        let required = i128::from(self.report.initial.0) + i128::from(self.account.order_reserve);
        i128::from(self.report.equity_initial.0) - required
    }

    /// Whether what the account owes, `more` quote units besides its cash included, is not more than its collateral backs.
    pub fn is_within_credit(&self, more: i128) -> bool {
        let owed = more - i128::from(self.account.cash);
        owed <= 0 || owed * CENTS * self.picture.dear() <= i128::from(self.report.credit_initial.0) * ONE
    }

    /// Dollars (10⁻⁸, rounded up) of quote units where they are owed.
    pub fn owed(&self, units: i128) -> i128 {
        ceil(units * CENTS * self.picture.dear(), ONE)
    }
}

impl<'a> Party<'a> {
    /// An account that must be there before and after.
    ///
    /// # Errors
    /// [`Invariant::C3`] when it is not.
    pub fn of(change: &Change<'a>, key: &Pubkey) -> Result<Party<'a>, Broken> {
        let missing = || Broken {
            invariant: Invariant::C3,
            what: format!("the margin account {key} is not there"),
        };
        let before = change.before.accounts.get(key).ok_or_else(missing)?;
        let after = change.after.accounts.get(key).ok_or_else(missing)?;
        Ok(Party {
            before: Moment::of(change.before, before)?,
            after: Moment::of(change.after, after)?,
        })
    }

    /// Whether all positions but those in `instruments` are the same.
    pub fn keeps_other_positions(&self, instruments: &[usize]) -> bool {
        let is_other = |p: &&Position| !instruments.contains(&usize::from(p.instrument));
        let before = self.before.account.positions().iter().filter(is_other);
        before.eq(self.after.account.positions().iter().filter(is_other))
    }

    /// Whether every instrument's lots are the same.
    pub fn keeps_lots(&self) -> bool {
        let keeps = |p: &Position| {
            let instrument = usize::from(p.instrument);
            self.before.lots(instrument) == self.after.lots(instrument)
        };
        let (before, after) = (self.before.account.positions(), self.after.account.positions());
        before.iter().chain(after).all(keeps)
    }

    /// Whether the collateral balances are the same.
    pub fn keeps_balances(&self) -> bool {
        self.before.account.balances == self.after.account.balances
    }
}
