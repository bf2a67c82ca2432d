//! From accounts to the risk engine: what an account is worth and what it requires.
//!
//! No formulas here: this walks the account's sorted positions and hands exact products of prices and quantities to the engine.
use std::cell::Cell;

use anchor_lang::prelude::*;
use ballast_fixed::{Dollars, Notional, QuoteAmount};
use ballast_risk::settlement_window::WINDOW_SECONDS;
use ballast_risk::slow_surface::widening;
use ballast_risk::{
    credit_floor, AssetBook, AssetReport, Bucket, Cash, MarginReport, Method, OptionBook, Portfolio, PortfolioParams,
};

use crate::clearing::MAX_LEGS;
use crate::error::{ensure, BallastError, OrError};
use crate::state::{
    mark, native_quantity, Asset, Balance, Instrument, Judged, MarginAccount, Position, PriceFeed, RiskBoard,
    MAX_ASSETS, MAX_OPTION_POSITIONS, VERSION,
};

/// Strikes whose prices one instruction remembers: an account's, and those of a package besides. They take 11 KB of the heap.
const REMEMBERED_STRIKES: usize = MAX_OPTION_POSITIONS + MAX_LEGS;

/// How the quote asset is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteRule {
    /// As its feed says: untrusted cash counts nothing in a withdrawal.
    ByFeed,
    /// The quote asset itself leaves the account, so its price does not matter.
    Trusted,
}

/// The margin of an account at `now`.
#[inline(never)]
pub fn evaluate(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<MarginReport> {
    evaluate_with(board, account, now, QuoteRule::ByFeed)
}

/// The same with working memory that another account was evaluated with on the same board.
#[inline(never)]
pub fn evaluate_after(
    board: &RiskBoard,
    account: &MarginAccount,
    now: i64,
    options: Option<Box<OptionBook>>,
) -> Result<MarginReport> {
    let params = board.portfolio_params();
    let mut walk = Walk::new(board, &params, now);
    walk.evaluator.options = options;
    walk.add_all(account, AssetSet::ALL)?;
    walk.finish(account, cash(board, account, now, QuoteRule::ByFeed))
}

/// The margin of an account at `now` under a rule for the quote asset.
#[inline(never)]
pub fn evaluate_with(board: &RiskBoard, account: &MarginAccount, now: i64, rule: QuoteRule) -> Result<MarginReport> {
    let params = board.portfolio_params();
    let mut walk = Walk::new(board, &params, now);
    walk.add_all(account, AssetSet::ALL)?;
    walk.finish(account, cash(board, account, now, rule))
}

/// What decides whether an account is to be liquidated: of the report the maintenance margin and the equities for maintenance and
/// liquidation are true.
#[inline(never)]
pub fn evaluate_for_liquidation(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<MarginReport> {
    let params = board.portfolio_params();
    let mut walk = Walk::new(board, &params, now);
    walk.evaluator.judged = Judged::ForLiquidation;
    walk.add_all(account, AssetSet::ALL)?;
    walk.finish(account, cash(board, account, now, QuoteRule::ByFeed))
}

/// A set of assets of one board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetSet(u32);
const _: () = assert!(MAX_ASSETS <= 32);

impl AssetSet {
    /// Every asset.
    pub const ALL: AssetSet = AssetSet(u32::MAX);

    /// Every asset that is not in it.
    pub fn others(self) -> AssetSet {
        AssetSet(!self.0)
    }

    /// Whether the asset is in it.
    pub fn contains(self, asset: u8) -> bool {
        1u32.checked_shl(u32::from(asset)).is_some_and(|bit| self.0 & bit != 0)
    }
}

impl FromIterator<u8> for AssetSet {
    fn from_iter<I: IntoIterator<Item = u8>>(assets: I) -> Self {
        let bits = assets.into_iter().filter_map(|a| 1u32.checked_shl(u32::from(a)));
        AssetSet(bits.fold(0, |set, bit| set | bit))
    }
}

/// The margin of an account whose positions change in some assets only: the others are summed once.
pub struct Revaluation<'a> {
    params: &'a PortfolioParams,
    walk: Walk<'a>,
    assets: AssetSet,
    others: Others<'a>,
}

/// The sum of the assets that do not change.
#[derive(Clone)]
struct Others<'a> {
    portfolio: Box<Portfolio<'a>>,
    is_doubtful: bool,
}

/// What [`Revaluation`] has summed of an account, put aside while it is about another one.
pub struct SetAside<'a>(Others<'a>);

impl<'a> Revaluation<'a> {
    /// Sums the assets of the account other than `assets`. `params` are the board's. `options` is working memory that another account
    /// was evaluated with on the same board, and what it remembers.
    pub fn new(
        board: &'a RiskBoard,
        params: &'a PortfolioParams,
        account: &MarginAccount,
        assets: AssetSet,
        now: i64,
        options: Option<Box<OptionBook>>,
    ) -> Result<Self> {
        let mut walk = Walk::new(board, params, now);
        walk.evaluator.options = options;
        Revaluation::of(walk, params, account, assets)
    }

    /// The same for an account of which nothing is asked but whether it is to be liquidated: of its reports the maintenance margin and the
    /// equities for maintenance and liquidation are true.
    pub fn for_liquidation(
        board: &'a RiskBoard,
        params: &'a PortfolioParams,
        account: &MarginAccount,
        assets: AssetSet,
        now: i64,
    ) -> Result<Self> {
        let mut walk = Walk::new(board, params, now);
        walk.evaluator.judged = Judged::ForLiquidation;
        Revaluation::of(walk, params, account, assets)
    }

    #[inline(never)]
    fn of(mut walk: Walk<'a>, params: &'a PortfolioParams, account: &MarginAccount, assets: AssetSet) -> Result<Self> {
        walk.add_all(account, assets.others())?;
        walk.evaluator.repeats = true;
        let others = Others {
            portfolio: walk.portfolio.clone(),
            is_doubtful: walk.is_doubtful,
        };
        Ok(Revaluation {
            params,
            walk,
            assets,
            others,
        })
    }

    /// Puts what was summed of the account aside, for [`Revaluation::resume`].
    pub fn set_aside(&self) -> SetAside<'a> {
        SetAside(self.others.clone())
    }

    /// Goes on with the account that was set aside.
    pub fn resume(&mut self, account: SetAside<'a>) {
        self.others = account.0;
    }

    /// Goes on with another account, in the same memory.
    #[inline(never)]
    pub fn restart(&mut self, account: &MarginAccount) -> Result<()> {
        let walk = &mut self.walk;
        walk.portfolio.clear();
        walk.is_doubtful = false;
        walk.evaluator.repeats = false;
        walk.add_all(account, self.assets.others())?;
        walk.evaluator.repeats = true;
        *self.others.portfolio = *walk.portfolio;
        self.others.is_doubtful = walk.is_doubtful;
        Ok(())
    }

    /// The initial margin that the account's method asks for a position by itself.
    #[inline(never)]
    pub fn isolated(&mut self, account: &MarginAccount, position: Position) -> Result<Dollars> {
        let walk = &mut self.walk;
        walk.evaluator.method = account.risk_method();
        walk.evaluator
            .asset(position.asset, &[position], &[], &mut walk.report)?;
        let (initial, _) = walk.report.alone(self.params).or_error()?;
        Ok(initial.max(walk.report.method.0))
    }

    /// The working memory, for the next account.
    pub fn into_options(self) -> Option<Box<OptionBook>> {
        self.walk.evaluator.options
    }

    /// From here on takes an asset's price for this one, which is not the board's. The asset is one of those that change.
    pub fn set_price(&mut self, asset: u8, price: PriceFeed) {
        self.walk.evaluator.moved = Some((asset, price));
        self.walk.evaluator.repeats = false;
    }

    /// The margin of the account as it is now. Only its cash and its positions in the assets may have changed.
    #[inline(never)]
    pub fn evaluate(&mut self, account: &MarginAccount) -> Result<MarginReport> {
        let walk = &mut self.walk;
        *walk.portfolio = *self.others.portfolio;
        walk.is_doubtful = self.others.is_doubtful;
        walk.add_all(account, self.assets)?;
        let cash = cash(walk.evaluator.board, account, walk.evaluator.now, QuoteRule::ByFeed);
        walk.finish(account, cash)
    }
}

/// A walk over the assets of an account.
struct Walk<'a> {
    evaluator: Evaluator<'a>,
    portfolio: Box<Portfolio<'a>>,
    report: Box<AssetReport>,
    /// Whether an asset that was added is judged by other terms for liquidation.
    is_doubtful: bool,
}

impl<'a> Walk<'a> {
    fn new(board: &'a RiskBoard, params: &'a PortfolioParams, now: i64) -> Self {
        Walk {
            evaluator: Evaluator::new(board, now),
            portfolio: Box::new(Portfolio::new(params)),
            report: Box::default(),
            is_doubtful: false,
        }
    }

    /// Adds every asset that the account holds and that is `wanted`.
    #[inline(never)]
    fn add_all(&mut self, account: &MarginAccount, wanted: AssetSet) -> Result<()> {
        let board = self.evaluator.board;
        let known = account.version == VERSION && board.version == VERSION;
        ensure!(known, BallastError::WrongVersion);
        self.evaluator.method = account.risk_method();
        let mut positions = account.positions();
        let held: AssetSet = held(account).collect();
        for index in 0..board.asset_count {
            let count = positions.iter().take_while(|p| p.asset == index).count();
            let (legs, rest) = positions.split_at_checked(count).ok_or(BallastError::MathOverflow)?;
            positions = rest;
            if wanted.contains(index) && (!legs.is_empty() || held.contains(index)) {
                self.add(index, legs, &account.balances)?;
            }
        }
        ensure!(positions.is_empty(), BallastError::AssetNotListed);
        Ok(())
    }

    fn add(&mut self, index: u8, legs: &[Position], balances: &[Balance]) -> Result<()> {
        self.evaluator.asset(index, legs, balances, &mut self.report)?;
        self.is_doubtful |= self.evaluator.is_doubtful;
        let clusters = self.evaluator.board.asset(index)?.clusters;
        self.portfolio.add(&self.report, &clusters).or_error()
    }

    /// The margin of the account, all of whose assets are added, with this cash.
    #[inline(always)]
    fn finish(&mut self, account: &MarginAccount, cash: Cash) -> Result<MarginReport> {
        if self.is_doubtful && self.evaluator.judged == Judged::ForRisk {
            return self.finish_twice(account, cash);
        }
        self.portfolio.finish(cash).or_error()
    }

    /// The same where the terms for liquidation differ: the whole account once more by those, in the same memory.
    #[cold]
    #[inline(never)]
    fn finish_twice(&mut self, account: &MarginAccount, cash: Cash) -> Result<MarginReport> {
        let report = self.portfolio.finish(cash).or_error()?;
        let repeats = self.evaluator.repeats;
        self.portfolio.clear();
        (self.evaluator.judged, self.evaluator.repeats) = (Judged::ForLiquidation, false);
        self.add_all(account, AssetSet::ALL)?;
        (self.evaluator.judged, self.evaluator.repeats) = (Judged::ForRisk, repeats);
        Ok(report.with_maintenance_of(&self.portfolio.finish(cash).or_error()?))
    }
}

fn cash(board: &RiskBoard, account: &MarginAccount, now: i64, rule: QuoteRule) -> Cash {
    let (quote_price, quote_trusted) = board.quote_state(now);
    Cash {
        amount: QuoteAmount(account.cash),
        quote_price,
        quote_trusted: quote_trusted || rule == QuoteRule::Trusted,
    }
}

/// One asset of an account: its legs and collateral.
pub fn evaluate_asset(
    board: &RiskBoard,
    index: u8,
    legs: &[Position],
    balances: &[Balance],
    now: i64,
    out: &mut AssetReport,
) -> Result<()> {
    Evaluator::new(board, now).asset(index, legs, balances, out)
}

/// Evaluates assets of accounts on one board.
pub struct Evaluator<'a> {
    board: &'a RiskBoard,
    now: i64,
    portfolio: PortfolioParams,
    method: Method,
    judged: Judged,
    /// Whether the asset evaluated last is judged by other terms for liquidation.
    is_doubtful: bool,
    /// The price of an asset that is taken for another one than the board's.
    moved: Option<(u8, PriceFeed)>,
    /// Whether options will be priced again at the same prices.
    repeats: bool,
    /// Working memory, made when the first option is met.
    options: Option<Box<OptionBook>>,
}

impl<'a> Evaluator<'a> {
    /// On `board` at `now`, by [`Method::Portfolio`].
    pub fn new(board: &'a RiskBoard, now: i64) -> Self {
        Evaluator {
            board,
            now,
            portfolio: board.portfolio_params(),
            method: Method::Portfolio,
            judged: Judged::ForRisk,
            is_doubtful: false,
            moved: None,
            repeats: false,
            options: None,
        }
    }

    /// One asset of an account: its legs, sorted by expiry, and its collateral.
    #[inline(never)]
    pub fn asset(&mut self, index: u8, legs: &[Position], balances: &[Balance], out: &mut AssetReport) -> Result<()> {
        let (board, now) = (self.board, self.now);
        let asset = board.asset(index)?;
        let feed = match &self.moved {
            Some((moved, feed)) if *moved == index => feed,
            _ => &asset.price,
        };
        if legs.is_empty() && feed.index == 0 {
            // Collateral whose asset never had a price counts nothing; else a unit of it would keep the account from every check.
            *out = AssetReport::default();
            self.is_doubtful = false;
            return Ok(());
        }
        let mut terms = asset.plain_terms();
        if !asset.is_plain(feed, now) {
            asset.set_terms(&mut terms, feed, self.judged, &self.portfolio, now)?;
        }
        let (params, price) = (&terms.params, terms.price);
        let settles = asset.settles(now) && are_settling(board, legs, now)?;
        let is_mixed = settles || legs.iter().any(Position::is_open_option);
        let mut book = if is_mixed {
            let options = self.options.get_or_insert_with(Box::default);
            if self.repeats {
                options.remember(REMEMBERED_STRIKES);
            } else {
                options.recall();
            }
            let mut book = AssetBook::with_options(params, &self.portfolio, price, feed.index(), options);
            book.set_shocks(&asset.shocks.risk());
            book
        } else {
            AssetBook::new(params, &self.portfolio, price)
        };
        book.set_method(self.method);
        let (at_index, at_slow) = collateral_value(feed, index, balances)?;
        if at_index != Notional::ZERO {
            book.set_collateral(at_index, at_slow).or_error()?;
        }
        let quotes = Quotes {
            board,
            asset,
            feed,
            now,
            settles,
            is_mixed,
            judged: self.judged,
            has_stale_surface: Cell::new(false),
        };
        let mut number = 0u8;
        for expiry in legs.chunk_by(|a, b| a.expiry == b.expiry) {
            add_expiry(&quotes, expiry, number, &mut book)?;
            number = number.saturating_add(u8::from(expiry.first().is_some_and(|leg| leg.expiry != 0)));
        }
        self.is_doubtful = quotes.has_stale_surface.get() || !terms.are_certain;
        book.finish(out).or_error()
    }
}

/// What the legs of one asset are priced by.
struct Quotes<'a> {
    board: &'a RiskBoard,
    asset: &'a Asset,
    feed: &'a PriceFeed,
    now: i64,
    /// Whether some of the legs are in their settlement window or past it.
    settles: bool,
    /// Whether that is so, or there are options.
    is_mixed: bool,
    judged: Judged,
    /// Whether an option was met whose surface is out of date.
    has_stale_surface: Cell<bool>,
}

/// Whether some legs of one asset are in their settlement window or past it. An expired instrument stays listed for as long as somebody has
/// a position in it, so this is asked of everyone in the asset: only perpetuals, whose end the board alone knows, are looked up.
#[cold]
#[inline(never)]
fn are_settling(board: &RiskBoard, legs: &[Position], now: i64) -> Result<bool> {
    for leg in legs.iter().filter(|leg| leg.lots != 0) {
        let settles = match leg.expiry {
            0 => board.instrument(leg.instrument)?.is_settling(now),
            expiry => now >= expiry.saturating_sub(WINDOW_SECONDS),
        };
        if settles {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The legs of one expiry, or the perpetuals; `number` counts the expiries.
fn add_expiry(quotes: &Quotes, legs: &[Position], number: u8, book: &mut AssetBook) -> Result<()> {
    let dated = legs.first().is_some_and(|leg| leg.expiry != 0);
    let bucket = if dated {
        Bucket::Expiry(number)
    } else {
        Bucket::Perpetual
    };
    if quotes.is_mixed {
        return add_mixed(quotes, legs, bucket, book);
    }
    for leg in legs {
        add_linear(quotes, leg, listed(quotes, leg)?, bucket, book)?;
    }
    Ok(())
}

/// The instrument that a leg is in.
#[inline(always)]
fn listed<'a>(quotes: &Quotes<'a>, leg: &Position) -> Result<&'a Instrument> {
    let instrument = quotes.board.instrument(leg.instrument)?;
    ensure!(instrument.generation == leg.generation, BallastError::StaleGeneration);
    Ok(instrument)
}

/// A leg in no option and no settlement window, or one of which nothing is left but a quote that waits to be settled.
#[inline(always)]
fn add_linear(
    quotes: &Quotes,
    leg: &Position,
    instrument: &Instrument,
    bucket: Bucket,
    book: &mut AssetBook,
) -> Result<()> {
    if leg.lots == 0 {
        let quote = Notional::from_quote(QuoteAmount(leg.quote));
        return book.add_settled(quote).or_error();
    }
    let quantity = leg.lots().quantity(instrument.lot_size()).or_error()?;
    book.add_quote(QuoteAmount(leg.quote)).or_error()?;
    let funding = instrument.pending_funding(leg, quantity, quotes.now)?;
    let basis = quotes.asset.basis(instrument)?;
    let mark = mark(quotes.feed.index(), basis)?;
    let at_index = mark.times(quantity);
    let at_slow = if quotes.feed.slow == quotes.feed.index {
        at_index
    } else {
        self::mark(quotes.feed.slow(), basis)?.times(quantity)
    };
    book.add_linear(bucket, at_index, at_slow, funding).or_error()
}

/// Legs of which some may be in options or in a settlement window.
#[inline(never)]
fn add_mixed(quotes: &Quotes, legs: &[Position], bucket: Bucket, book: &mut AssetBook) -> Result<()> {
    begin(quotes, legs, bucket, book)?;
    for leg in legs {
        let instrument = listed(quotes, leg)?;
        if quotes.settles && leg.lots != 0 && instrument.is_settling(quotes.now) {
            add_settling(quotes, leg, instrument, bucket, book)?;
        } else if leg.is_open_option() {
            add_option(leg, instrument, book)?;
        } else {
            add_linear(quotes, leg, instrument, bucket, book)?;
        }
    }
    Ok(())
}

/// A leg in an option before its settlement price.
#[inline(always)]
fn add_option(leg: &Position, instrument: &Instrument, book: &mut AssetBook) -> Result<()> {
    let quantity = leg.lots().quantity(instrument.lot_size()).or_error()?;
    book.add_quote(QuoteAmount(leg.quote)).or_error()?;
    let option = instrument.option_leg(quantity, QuoteAmount::ZERO);
    book.add_option(&option).or_error()
}

/// Begins a bucket with options or in its settlement window, unless what it holds is settled already.
#[inline(always)]
fn begin(quotes: &Quotes, legs: &[Position], bucket: Bucket, book: &mut AssetBook) -> Result<()> {
    let (asset, now) = (quotes.asset, quotes.now);
    let option = legs.iter().find(|leg| leg.is_open_option());
    let open = option.or_else(|| legs.iter().find(|leg| quotes.settles && leg.lots != 0));
    let Some(leg) = open else {
        return Ok(());
    };
    let instrument = quotes.board.instrument(leg.instrument)?;
    let begins = option.is_some() || instrument.is_settling(now);
    if !begins || (quotes.settles && asset.settled(instrument, now)?.is_some()) {
        return Ok(());
    }
    let expiry = asset.expiry(instrument)?;
    let risk = if option.is_some() {
        if quotes.judged == Judged::ForRisk && !expiry.has_fresh_surface(now) {
            book.set_stale_surface(widening(expiry.surface_age(now)));
            quotes.has_stale_surface.set(true);
        }
        expiry.risk(quotes.feed, now)?
    } else {
        expiry.linear_risk(quotes.feed, asset.basis(instrument)?, now)?
    };
    match bucket {
        Bucket::Perpetual => book.begin_perpetual(&risk),
        Bucket::Expiry(number) => book.begin_expiry(number, &risk),
    }
    .or_error()
}

/// A leg with lots in its settlement window or past it.
#[cold]
#[inline(never)]
fn add_settling(
    quotes: &Quotes,
    leg: &Position,
    instrument: &Instrument,
    bucket: Bucket,
    book: &mut AssetBook,
) -> Result<()> {
    let (asset, now) = (quotes.asset, quotes.now);
    let quantity = leg.lots().quantity(instrument.lot_size()).or_error()?;
    let quote = instrument.funded_quote(leg, quantity, now)?;
    if let Some(price) = asset.settled(instrument, now)? {
        // What it is worth stands: no scenario moves it.
        let value = quote.plus(price.times(quantity)).or_error()?;
        return book.add_settled(value).or_error();
    }
    if instrument.is_option() {
        return add_option(leg, instrument, book);
    }
    let value = |price| -> Result<Notional> { Ok(asset.linear_mark(instrument, price, now)?.times(quantity)) };
    let (at_index, at_slow) = (value(quotes.feed.index())?, value(quotes.feed.slow())?);
    book.add_linear(bucket, at_index, at_slow, quote).or_error()
}

/// Whether the account has a balance in an asset.
pub fn holds(account: &MarginAccount, asset: u8) -> bool {
    account.balances.iter().any(|b| b.amount != 0 && b.asset == asset)
}

/// The assets of the account's collateral.
fn held(account: &MarginAccount) -> impl Iterator<Item = u8> + '_ {
    account.balances.iter().filter(|b| b.amount != 0).map(|b| b.asset)
}

/// Σ of an asset's balances at the index and at the slow price.
pub fn collateral_value(price: &PriceFeed, index: u8, balances: &[Balance]) -> Result<(Notional, Notional)> {
    let (mut at_index, mut at_slow) = (Notional::ZERO, Notional::ZERO);
    for balance in balances.iter().filter(|b| b.amount != 0 && b.asset == index) {
        let quantity = native_quantity(balance.amount, balance.decimals).or_error()?;
        at_index = at_index.plus(price.index().times(quantity)).or_error()?;
        at_slow = at_slow.plus(price.slow().times(quantity)).or_error()?;
    }
    Ok((at_index, at_slow))
}

/// Σ credit_im(V) of an account's collateral at the worse prices: what its cash may be lowered against.
#[inline(never)]
pub fn credit(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<Dollars> {
    let mut sum = Dollars::ZERO;
    let held: AssetSet = held(account).collect();
    for index in 0..board.asset_count {
        if held.contains(index) {
            let asset = board.asset(index)?;
            if asset.price.index == 0 {
                continue; // never had a price: counts nothing
            }
            let (at_index, at_slow) = collateral_value(&asset.price, index, &account.balances)?;
            let terms = asset.terms(&asset.price, Judged::ForRisk, &board.portfolio_params(), now)?;
            let credit = credit_floor(&terms.params, &terms.price, at_index, at_slow).or_error()?;
            sum = sum.plus(credit).or_error()?;
        }
    }
    Ok(sum)
}
