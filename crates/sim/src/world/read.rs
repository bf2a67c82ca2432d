//! What front-ends read: typed accounts, the preview, and totals over all accounts.
use anchor_lang::prelude::Pubkey;
use anchor_lang::{AnchorDeserialize, Discriminator, Owner};
use ballast::instructions::{
    AssetSection, Isolated, PreviewChange, PreviewReport, PreviewRequest, PreviewSection, Summary,
};
use ballast::state::{self, InsuranceFund, MarginAccount, Market, QuotePool, RiskBoard};
use ballast_client::preview::{Preview, PreviewError, Query};
use ballast_client::{account::decode, instruction};
use ballast_fixed::{Lots, Notional, Price, QuoteAmount};
use ballast_risk::price_use::PriceUse;
use ballast_risk::settlement::prices_agree;
use bytemuck::Pod;

use super::{token_amount, World};
use crate::invariants::Action;
use crate::vm::Refused;

/// Sums over all margin accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Σ cash, quote units.
    pub cash: i128,
    /// Σ locked reserves, quote units.
    pub reserve: i128,
    /// Σ position quotes by instrument with the funding pending on them and what rounding it has left, quote units, rounded down.
    pub quote: Vec<i128>,
    /// Σ lots by instrument.
    pub lots: Vec<i128>,
    /// Σ |lots| by instrument.
    pub gross_lots: Vec<i128>,
    /// Σ balances by collateral index, native units.
    pub balances: Vec<u128>,
}

impl World {
    /// An account of the program.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn read<T: Pod + Discriminator + Owner>(&self, key: &Pubkey) -> Box<T> {
        decode(&self.vm.data(key)).expect("an account of this type")
    }

    /// A margin account.
    pub fn margin_account(&self, key: &Pubkey) -> Box<MarginAccount> {
        self.read(key)
    }

    /// An instrument's market.
    pub fn market(&self, instrument: usize) -> Box<Market> {
        self.read(&self.markets[instrument])
    }

    /// The instruments that are listed; what has ended may be closed.
    pub fn listed(&self) -> Vec<usize> {
        let board = self.board();
        let listed = |index: &usize| board.instruments[*index].kind != 0;
        (0..self.markets.len()).filter(listed).collect()
    }

    /// The board.
    pub fn board(&self) -> Box<RiskBoard> {
        self.read(&self.exchange.board)
    }

    /// The exchange account.
    pub fn exchange_account(&self) -> Box<state::Exchange> {
        self.read(&self.exchange.key)
    }

    /// The quote pool.
    pub fn quote_pool(&self) -> Box<QuotePool> {
        self.read(&self.exchange.quote_pool())
    }

    /// The insurance fund.
    pub fn insurance_fund(&self) -> Box<InsuranceFund> {
        self.read(&self.exchange.insurance_fund())
    }

    /// What a vault holds, native units.
    pub fn vault_amount(&self, mint: &Pubkey) -> u64 {
        token_amount(&self.vm.data(&self.exchange.vault(mint)))
    }

    /// What a token account holds, native units.
    pub fn tokens(&self, account: &Pubkey) -> u64 {
        token_amount(&self.vm.data(account))
    }

    /// `preview` of one section and its compute units.
    ///
    /// # Panics
    /// When the program refuses it.
    pub fn preview(&mut self, account: &Pubkey, section: PreviewSection) -> (PreviewReport, u64) {
        self.what_if(account, section, &[])
    }

    /// The same after changes.
    ///
    /// # Panics
    /// When the program refuses it.
    pub fn what_if(
        &mut self,
        account: &Pubkey,
        section: PreviewSection,
        changes: &[PreviewChange],
    ) -> (PreviewReport, u64) {
        let changes = changes.to_vec();
        let mints: &[Pubkey] = if changes.is_empty() {
            &[]
        } else {
            &[self.btc.mint, self.sol.mint]
        };
        let preview = instruction::preview_what_if(&self.exchange, account, PreviewRequest { section, changes }, mints);
        let receipt = self
            .send(&Action::Preview, preview, &[])
            .unwrap_or_else(|e| panic!("preview: {e:#?}"));
        let report = PreviewReport::deserialize(&mut receipt.return_data.as_slice()).expect("a report");
        (report, receipt.compute_units)
    }

    /// The whole preview of an account after changes, or as it is without any, by the client.
    ///
    /// # Errors
    /// Those of the client; what the program refuses is in them.
    pub fn report(
        &mut self,
        account: &Pubkey,
        changes: &[PreviewChange],
    ) -> Result<Preview, PreviewError<Box<Refused>>> {
        let (exchange, mints) = (self.exchange, [self.btc.mint, self.sol.mint]);
        let mints = if changes.is_empty() { &[][..] } else { &mints };
        let query = Query::new(&exchange, account).after(changes, mints);
        query.read(|instruction| Ok(self.send(&Action::Preview, instruction, &[])?.return_data))
    }

    /// The summary of the preview.
    ///
    /// # Panics
    /// When the program refuses it.
    pub fn summary(&mut self, account: &Pubkey) -> Summary {
        match self.preview(account, PreviewSection::Summary).0 {
            PreviewReport::Summary(summary) => summary,
            other => panic!("another section: {other:?}"),
        }
    }

    /// One asset's section of the preview.
    ///
    /// # Panics
    /// When the program refuses it.
    pub fn asset_section(&mut self, account: &Pubkey, asset: u8) -> AssetSection {
        match self.preview(account, PreviewSection::Asset { asset }).0 {
            PreviewReport::Asset(section) => section,
            other => panic!("another section: {other:?}"),
        }
    }

    /// The isolated requirements of the preview.
    ///
    /// # Panics
    /// When the program refuses it.
    pub fn isolated(&mut self, account: &Pubkey) -> Isolated {
        match self.preview(account, PreviewSection::Isolated).0 {
            PreviewReport::Isolated(isolated) => isolated,
            other => panic!("another section: {other:?}"),
        }
    }

    /// Markets of an account's positions that lose and can settle, in the order of the positions: what a withdrawal passes.
    pub fn losers(&self, account: &Pubkey) -> Vec<Pubkey> {
        let data = self.vm.data(account);
        let Ok(account) = decode::<MarginAccount>(&data) else {
            return Vec::new(); // not opened: the program says so itself
        };
        let (board, now) = (self.board(), self.vm.now());
        let loses = |p: &&state::Position| {
            let instrument = board.instruments[usize::from(p.instrument)];
            let settled = board.assets[usize::from(p.asset)].settled(&instrument, now);
            let mut funded = **p;
            if funded.realise_funding(&instrument, now).is_err() {
                return false;
            }
            if let (true, Ok(Some(price))) = (p.lots != 0, settled) {
                return value_at(price, &funded, &instrument) < 0;
            }
            if p.lots == 0 || p.is_open_option() {
                return p.quote < 0; // what settles is the quote alone
            }
            let price = board.assets[usize::from(p.asset)].price;
            let agree = prices_agree(Price(price.index), Price(price.slow)).unwrap_or(false);
            let slow = board.slow_mark(&instrument, now);
            price.permits(PriceUse::Settle, now)
                && agree
                && slow.is_ok_and(|mark| value_at(mark, &funded, &instrument) < 0)
        };
        account
            .positions()
            .iter()
            .filter(loses)
            .map(|p| self.markets[usize::from(p.instrument)])
            .collect()
    }

    /// Sums over all margin accounts opened through the world.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals {
            quote: vec![0; self.markets.len()],
            lots: vec![0; self.markets.len()],
            gross_lots: vec![0; self.markets.len()],
            balances: vec![0; state::MAX_COLLATERALS],
            ..Totals::default()
        };
        let board = self.board();
        for key in &self.accounts {
            let account = self.margin_account(key);
            totals.cash += i128::from(account.cash);
            totals.reserve += i128::from(account.reserve);
            for p in account.positions() {
                let at = usize::from(p.instrument);
                let listed = &board.instruments[at];
                let size = Lots(p.lots).quantity(listed.lot_size()).expect("a position's size");
                let funded = listed.funded_quote(p, size, self.vm.now());
                totals.quote[at] += funded.expect("a position's quote").0;
                totals.lots[at] += i128::from(p.lots);
                totals.gross_lots[at] += i128::from(p.lots).abs();
            }
            for b in &account.balances {
                totals.balances[usize::from(b.collateral)] += u128::from(b.amount);
            }
        }
        for (instrument, quote) in totals.quote.iter_mut().enumerate() {
            // Of a closed market nothing is left.
            let market = decode::<Market>(&self.vm.data(&self.markets[instrument]));
            let exact = *quote + market.map_or(0, |market| i128::from(market.funding_dust));
            *quote = exact.div_euclid(Notional::PER_QUOTE_UNIT);
        }
        totals
    }
}

/// quote + lots · mark, rounded up to a quote unit; 0 out of range.
fn value_at(mark: Price, position: &state::Position, instrument: &state::Instrument) -> i64 {
    let lots = Lots(position.lots).quantity(instrument.lot_size());
    let value = lots.and_then(|lots| mark.times(lots).plus(Notional::from_quote(QuoteAmount(position.quote))));
    value.and_then(|v| v.quote_ceil()).map_or(0, |v| v.0)
}
