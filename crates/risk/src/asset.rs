//! One asset of one account: scenario P&L, charges, and what it adds to each equity (methodology, sections 1, 3 and 4).
use crate::collateral::{credit, spot, Spot};
use crate::expiry::{Expiry, Volatilities};
use crate::method::{self, Method};
use crate::option_book::{point, OptionBook, OptionLeg};
use crate::scenario::{linear_moves, product, worst_loss, worst_scenario, ScenarioPnl};
use crate::shocks::ShockTable;
use crate::{AssetParams, PortfolioParams, RiskError, MAX_GROSS};
use ballast_fixed::{div_ceil, div_floor, Dollars, Notional, Price, QuoteAmount, Ratio};
use core::cmp::Ordering;

/// How far the prices of an asset may be trusted when an account is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriceState {
    /// 0 while the price is fresh and tight; else how far, relative to the index, it may be off: its last confidence + ¼ψ.
    /// Above 1 it counts as 1.
    pub uncertainty: Ratio,
    /// Stale for over an hour: what the asset's price decides adds at most its own maintenance requirement to the liquidation equity
    /// (section 8).
    pub dead: bool,
}

/// Where positions of one asset net against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    /// All perpetuals.
    Perpetual,
    /// Everything of one expiry, by its index on the board.
    Expiry(u8),
}

/// What an asset adds to the account. Dollars; requirements are rounded up, P&L and credits down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetReport {
    /// L(X_a): the worst loss of the asset over the scenarios.
    pub scan: Dollars,
    /// The scenario of the least P&L; the first of several.
    pub worst_scenario: u8,
    /// Σ L(X_b) over buckets, SPOT included.
    pub bucket_sum: Dollars,
    /// H₁: matched linear notional.
    pub matched_linear: Dollars,
    /// H: all matched delta.
    pub matched_all: Dollars,
    /// (λψ + β)·H₁ + (λ_o·ψ + β)·(H − H₁).
    pub spread: Dollars,
    /// The vega charge; 0 without options.
    pub vega: Dollars,
    /// min(spread + vega, Σ L(X_b) − L(X_a)).
    pub charge: Dollars,
    /// The floor for short options; 0 without options.
    pub short_option_minimum: Dollars,
    /// The charge on net long option value; 0 without options.
    pub net_option_value: Dollars,
    /// min(ψG, ρ(G − D)²/D).
    pub concentration: Dollars,
    /// b·(Σ|N| + Σ min(S, 2·mark)·|q|), the second sum over options.
    pub buffer: Dollars,
    /// ΣΔ over buckets, SPOT included; rounded down.
    pub net_delta: Dollars,
    /// Σ|N| over linear positions and Σ|q|·S over options; rounded up.
    pub gross: Dollars,
    /// What the account's method asks for this asset, where that is not [`Method::Portfolio`]: initial and maintenance.
    pub method: (Dollars, Dollars),
    /// Net value of the options at the index and the current surface; rounded down.
    pub option_value: Dollars,
    /// X_a: P&L in each scenario.
    pub pnl: ScenarioPnl,
    /// Value of the collateral at the index, without haircut; rounded down.
    pub collateral_value: Dollars,
    /// Unrealised P&L and option value at the index.
    pub unrealised_index: Dollars,
    /// credit_mm at the index.
    pub credit_maintenance: Dollars,
    /// Unrealised P&L for E_im: at the price that makes `unrealised_initial + credit_initial` least, less what options on a stale surface
    /// may have lost.
    pub unrealised_initial: Dollars,
    /// credit_im for E_im, at that same price.
    pub credit_initial: Dollars,
    /// min(0, unrealised P&L) for E_w: at the price that makes `loss_withdrawal + credit_withdrawal` least, less the same.
    pub loss_withdrawal: Dollars,
    /// credit_im for E_w, at that same price.
    pub credit_withdrawal: Dollars,
    /// credit_im at the lowest of the prices: what cash may be owed against.
    pub credit_floor: Dollars,
    /// Unrealised P&L for the liquidation test: at the price that is best for the account within the uncertainty,
    /// cut where the feed is dead, what is settled aside.
    pub unrealised_liquidation: Dollars,
    /// credit_mm for the liquidation test, at that same price.
    pub credit_liquidation: Dollars,
}

impl AssetReport {
    /// Initial and maintenance margin of the asset alone: max(scan + charge, som) + concentration + nov, 0.70 of it for the second, and
    /// the buffer. Rounded up.
    pub fn alone(&self, portfolio: &PortfolioParams) -> Result<(Dollars, Dollars), RiskError> {
        let risk = (self.scan.plus(self.charge)?.max(self.short_option_minimum))
            .plus(self.concentration)?
            .plus(self.net_option_value)?;
        let maintenance = risk.times_ceil(portfolio.maintenance_factor)?.plus(self.buffer)?;
        Ok((risk.plus(self.buffer)?, maintenance))
    }
}

/// Sums up one asset of one account, leg by leg.
#[derive(Debug)]
pub struct AssetBook<'a> {
    pub(crate) params: &'a AssetParams,
    pub(crate) portfolio: &'a PortfolioParams,
    price: PriceState,
    /// The bucket being filled and its net notional.
    bucket: Bucket,
    bucket_net: Notional,
    /// ΣN_b⁺ and Σ|N_b⁻| of the buckets before it, those of `options` aside.
    pub(crate) long: Notional,
    pub(crate) short: Notional,
    /// Σ|N| over linear positions.
    pub(crate) gross: Notional,
    /// Σ of the linear legs at the index and at the slow price, and of their quotes; exact.
    at_index: Notional,
    at_slow: Notional,
    quote: Notional,
    /// Σ of quotes given in whole units, which `finish` adds to `quote`: products are dear on chain.
    quote_units: QuoteAmount,
    /// What of `quote` no price moves any more; exact.
    settled: Notional,
    pub(crate) collateral_index: Notional,
    collateral_slow: Notional,
    method: Method,
    /// Whether an option stands on a surface that is out of date.
    stale_surface: bool,
    /// Whether `options` has this asset's, and the current bucket.
    mixed: bool,
    mixed_bucket: bool,
    /// Buckets with options, and those in the settlement window.
    pub(crate) options: Option<&'a mut OptionBook>,
    /// Σ|q|·max(F, K, S) over options.
    option_sizes: Dollars,
}

const DOMAIN: Notional = Notional::from_dollars(MAX_GROSS);

fn check_domain(value: Notional) -> Result<Notional, RiskError> {
    let size = value.magnitude()?;
    if size > DOMAIN {
        return Err(RiskError::Overflow);
    }
    Ok(size)
}

impl<'a> AssetBook<'a> {
    /// An empty book. The parameters are governed ones, inside their hard bounds.
    pub fn new(params: &'a AssetParams, portfolio: &'a PortfolioParams, price: PriceState) -> Self {
        AssetBook {
            params,
            portfolio,
            price,
            bucket: Bucket::Perpetual,
            bucket_net: Notional::ZERO,
            long: Notional::ZERO,
            short: Notional::ZERO,
            gross: Notional::ZERO,
            at_index: Notional::ZERO,
            at_slow: Notional::ZERO,
            quote: Notional::ZERO,
            quote_units: QuoteAmount::ZERO,
            settled: Notional::ZERO,
            collateral_index: Notional::ZERO,
            collateral_slow: Notional::ZERO,
            method: Method::Portfolio,
            stale_surface: false,
            mixed: false,
            mixed_bucket: false,
            options: None,
            option_sizes: Dollars::ZERO,
        }
    }

    /// The same for an asset with options or an expiry in its settlement window: `index` is S, `options` working memory that holds
    /// nothing between books. Without [`AssetBook::begin_expiry`] it costs and gives what [`AssetBook::new`] does.
    pub fn with_options(
        params: &'a AssetParams,
        portfolio: &'a PortfolioParams,
        price: PriceState,
        index: Price,
        options: &'a mut OptionBook,
    ) -> Self {
        options.start(index, price.uncertainty);
        AssetBook {
            options: Some(options),
            ..AssetBook::new(params, portfolio, price)
        }
    }

    /// Lets the options take over stored shocks, if they are those of the book's ψ and shock floor; to be called before the first expiry.
    /// Without it the engine computes the same ones.
    pub fn set_shocks(&mut self, table: &ShockTable) {
        let made_for = table.scan_range == self.params.scan_range && table.floor == self.portfolio.shock_floor;
        if let (Some(options), true) = (self.options.as_deref_mut(), made_for) {
            options.take_shocks(table);
        }
    }

    /// Starts the bucket of an expiry that has options or is in its settlement window; `number` as in [`Bucket::Expiry`]. Its options
    /// follow, and its futures by [`AssetBook::add_linear`] with the same bucket, in any order.
    ///
    /// Fails with [`RiskError::OutOfOrder`] when the bucket was passed or has positions already, and with
    /// [`RiskError::InvalidParameter`] without prices, for f outside 0 to 1 or ψ beyond the shock floor, or without
    /// [`AssetBook::with_options`].
    #[inline(never)]
    pub fn begin_expiry(&mut self, number: u8, expiry: &Expiry) -> Result<(), RiskError> {
        let bucket = Bucket::Expiry(number);
        if bucket <= self.bucket {
            return Err(RiskError::OutOfOrder);
        }
        self.close_bucket()?;
        self.bucket = bucket;
        self.begin(expiry)
    }

    /// Starts the bucket of perpetuals that are delisted and in their settlement window: it comes before any position with a notional.
    ///
    /// Fails with [`RiskError::OutOfOrder`] when there are such positions already, and else as [`AssetBook::begin_expiry`].
    pub fn begin_perpetual(&mut self, expiry: &Expiry) -> Result<(), RiskError> {
        let is_first = self.bucket == Bucket::Perpetual && !self.mixed && self.gross == Notional::ZERO;
        if !is_first {
            return Err(RiskError::OutOfOrder);
        }
        self.begin(expiry)
    }

    fn begin(&mut self, expiry: &Expiry) -> Result<(), RiskError> {
        let (params, portfolio) = (self.params, self.portfolio);
        let options = self.options()?;
        match core::mem::replace(&mut options.widening, Ratio::ZERO) {
            Ratio::ZERO => options.begin(expiry, params, portfolio)?,
            widening => options.begin(expiry, &params.widened(widening)?, portfolio)?,
        }
        (self.mixed, self.mixed_bucket) = (true, true);
        Ok(())
    }

    /// Adds an option of the expiry begun last, at its surfaces' volatility.
    ///
    /// Fails with [`RiskError::OutOfOrder`] when no expiry was begun since the last bucket, with [`RiskError::InvalidParameter`] for a
    /// strike that is not positive, and outside the domain.
    pub fn add_option(&mut self, leg: &OptionLeg) -> Result<(), RiskError> {
        let volatilities = self.options()?.volatilities(leg.ln_strike);
        self.add_option_at(leg, volatilities)
    }

    /// The same at given volatilities, each 5 % to 400 %: where there is no surface.
    #[inline(never)]
    pub fn add_option_at(&mut self, leg: &OptionLeg, volatilities: Volatilities) -> Result<(), RiskError> {
        if !self.mixed_bucket {
            return Err(RiskError::OutOfOrder);
        }
        let size = Dollars(self.options()?.add(leg, volatilities)?.saturating_add(1)); // rounded up
        self.option_sizes = self.option_sizes.plus(size)?;
        if self.option_sizes > MAX_GROSS {
            return Err(RiskError::Overflow);
        }
        Ok(())
    }

    fn options(&mut self) -> Result<&mut OptionBook, RiskError> {
        self.options.as_deref_mut().ok_or(RiskError::InvalidParameter)
    }

    /// The options, where there are any.
    pub(crate) fn used_options(&self) -> Option<&OptionBook> {
        if !self.mixed {
            return None;
        }
        self.options.as_deref()
    }

    /// The account's method; without it [`Method::Portfolio`]. All assets of an account need the same.
    pub fn set_method(&mut self, method: Method) {
        self.method = method;
    }

    /// The options of the expiry that begins next stand on a volatility surface that is out of date: its volatility shocks are wider by
    /// `widening` ([`crate::slow_surface::widening`]), and what the asset's options might lose by the shocks counts as lost for new risk
    /// and withdrawals.
    pub fn set_stale_surface(&mut self, widening: Ratio) {
        self.stale_surface = true;
        if let Some(options) = self.options.as_deref_mut() {
            options.widening = widening;
        }
    }

    /// The account's collateral in this asset, valued at the index and at the slow price.
    ///
    /// Fails on a negative value (only cash can be negative) with [`RiskError::InvalidParameter`], and outside the domain.
    pub fn set_collateral(&mut self, at_index: Notional, at_slow: Notional) -> Result<(), RiskError> {
        if at_index < Notional::ZERO || at_slow < Notional::ZERO {
            return Err(RiskError::InvalidParameter);
        }
        check_domain(at_index)?;
        check_domain(at_slow)?;
        self.collateral_index = at_index;
        self.collateral_slow = at_slow;
        Ok(())
    }

    /// Adds a linear position: lots × mark with the mark built on the index and on the slow price, and its quote amount.
    ///
    /// Exact. Buckets must not go backwards ([`RiskError::OutOfOrder`]); fails outside the domain, of which [`AssetBook::finish`] checks the
    /// sum.
    pub fn add_linear(
        &mut self,
        bucket: Bucket,
        at_index: Notional,
        at_slow: Notional,
        quote: Notional,
    ) -> Result<(), RiskError> {
        match bucket.cmp(&self.bucket) {
            Ordering::Less => return Err(RiskError::OutOfOrder),
            Ordering::Equal => {}
            Ordering::Greater => {
                self.close_bucket()?;
                self.bucket = bucket;
            }
        }
        self.gross = self.gross.plus(check_domain(at_index)?)?; // `finish` checks the sum
        self.bucket_net = self.bucket_net.plus(at_index)?;
        self.at_index = self.at_index.plus(at_index)?;
        if at_slow != at_index {
            check_domain(at_slow)?;
        }
        self.at_slow = self.at_slow.plus(at_slow)?;
        if quote != Notional::ZERO {
            self.quote = self.quote.plus(quote)?;
        }
        Ok(())
    }

    /// Adds the quote of a position in whole quote units: the same as a part of its leg's quote, for less.
    ///
    /// Fails on overflow.
    #[inline(always)]
    pub fn add_quote(&mut self, quote: QuoteAmount) -> Result<(), RiskError> {
        self.quote_units = self.quote_units.plus(quote)?;
        Ok(())
    }

    /// Adds what no price of the asset moves any more: quotes of closed positions, and what positions with a settlement price are worth.
    /// Exact. It counts in every equity, and in E_w as a part of the asset's P&L; nothing is required for it.
    ///
    /// Fails on overflow.
    pub fn add_settled(&mut self, value: Notional) -> Result<(), RiskError> {
        self.quote = self.quote.plus(value)?;
        self.settled = self.settled.plus(value)?;
        Ok(())
    }

    fn close_bucket(&mut self) -> Result<(), RiskError> {
        if self.mixed_bucket {
            let net = self.bucket_net;
            (self.mixed_bucket, self.bucket_net) = (false, Notional::ZERO);
            return self.options()?.close(net);
        }
        if self.bucket_net > Notional::ZERO {
            self.long = self.long.plus(self.bucket_net)?;
        } else {
            self.short = self.short.minus(self.bucket_net)?;
        }
        self.bucket_net = Notional::ZERO;
        Ok(())
    }

    /// Computes the asset's part of requirement and equity.
    ///
    /// Fails with [`RiskError::InvalidParameter`] when ψ exceeds the shock floor, and on overflow.
    #[inline(never)]
    pub fn finish(mut self, out: &mut AssetReport) -> Result<(), RiskError> {
        if self.params.scan_range > self.portfolio.shock_floor || self.price.uncertainty < Ratio::ZERO {
            return Err(RiskError::InvalidParameter);
        }
        self.close_bucket()?;
        self.quote = self.quote.plus(Notional::from_quote(self.quote_units))?;
        let credit_index = credit(self.params, self.params.haircut_initial, self.collateral_index)?;
        if self.used_options().is_some() {
            check_domain(self.gross.plus(Notional::from_dollars(self.option_sizes))?)?;
            self.mixed_requirement(credit_index, out)?;
        } else {
            check_domain(self.gross)?;
            self.requirement(credit_index, out)?;
            out.option_value = Dollars::ZERO;
        }
        out.method = match self.method {
            Method::Portfolio => method::NOTHING,
            _ => self.method_requirement(credit_index)?,
        };
        self.equities(credit_index, out)
    }

    /// What the method asks for, see [`Method`].
    #[inline(never)]
    fn method_requirement(&self, credit_index: Dollars) -> Result<(Dollars, Dollars), RiskError> {
        let (net_linear, options) = match self.used_options() {
            Some(book) => (book.totals.net_linear, Dollars(book.totals.absolute_delta)),
            None => (0, Dollars::ZERO),
        };
        let linear = match self.method {
            Method::Portfolio => return Ok(method::NOTHING),
            Method::Linear => self.gross.ceil()?,
            Method::RiskAdjusted => {
                let net = self.long.minus(self.short)?;
                let net = net.plus(Notional::from_dollars(Dollars(net_linear)))?;
                let hedge = self.hedge(credit_index, net)?;
                net.plus(hedge.delta)?.magnitude()?.ceil()?
            }
        };
        method::outright(self.params, self.portfolio, linear.plus(options)?)
    }

    #[inline(never)]
    fn requirement(&self, credit_index: Dollars, out: &mut AssetReport) -> Result<(), RiskError> {
        let params = self.params;
        let net = self.long.minus(self.short)?;
        let (mut moves, exact) = linear_moves(net, params.scan_range, self.portfolio.shock_floor)?;
        let hedge = self.hedge(credit_index, net)?;
        if hedge.slack > 0 {
            moves = moves.plus(&hedge.spot.moves)?;
        }
        out.pnl = moves.expand();
        out.scan = worst_loss(&out.pnl)?;
        out.worst_scenario = worst_scenario(&out.pnl);
        let slack = Dollars(hedge.slack.wrapping_add(i64::from(!exact))); // at most 6
        self.charges(&hedge, out.scan.minus(slack)?.max(Dollars::ZERO), out)?;
        out.gross = self.gross.ceil()?;
        out.buffer = self.gross.times_ceil(params.buffer)?;
        out.net_delta = net.plus(hedge.delta)?.floor()?;
        out.concentration = concentration(params, self.long.plus(hedge.delta)?.max(self.short))?;
        out.vega = Dollars::ZERO;
        out.short_option_minimum = Dollars::ZERO;
        out.net_option_value = Dollars::ZERO;
        Ok(())
    }

    /// Bucket SPOT, to cover what `net` is short.
    #[inline(always)]
    pub(crate) fn hedge(&self, credit_index: Dollars, net: Notional) -> Result<Hedge, RiskError> {
        let mut hedge = Hedge::default();
        if self.collateral_index > Notional::ZERO {
            hedge.spot = spot(self.params, self.portfolio, self.collateral_index, credit_index)?;
            let net_short = net.negated()?.max(Notional::ZERO);
            hedge.delta = hedge.spot.delta.min(net_short);
            hedge.scan = worst_loss(&hedge.spot.moves.expand())?;
            hedge.slack = Spot::SLACK;
        }
        Ok(hedge)
    }

    /// Matched delta, spread charge and its cap; `scan_floor` is a lower bound of the exact L(X_a).
    fn charges(&self, hedge: &Hedge, scan_floor: Dollars, out: &mut AssetReport) -> Result<(), RiskError> {
        let params = self.params;
        let matched = self.long.plus(hedge.delta)?.min(self.short);
        let buckets = self.long.plus(self.short)?;
        out.bucket_sum = buckets.times_ceil(params.scan_range)?.plus(hedge.scan)?;
        if matched == Notional::ZERO {
            // Nothing offsets anything: no spread to charge.
            (out.matched_linear, out.matched_all) = (Dollars::ZERO, Dollars::ZERO);
            (out.spread, out.charge) = (Dollars::ZERO, Dollars::ZERO);
            return Ok(());
        }
        let linear = matched.min(self.long.min(self.short));
        let other = matched.minus(linear)?;
        out.spread = spread(params, linear, other)?;
        out.matched_all = matched.ceil()?;
        out.matched_linear = if other == Notional::ZERO {
            out.matched_all
        } else {
            linear.ceil()?
        };
        let cap = if hedge.slack == 0 {
            // Linear legs alone: Σ L(X_b) − L(X_a) = 2ψ·min(ΣN⁺, ΣN⁻) in exact terms, rounded once.
            let twice = self.long.min(self.short);
            twice.plus(twice)?.times_ceil(params.scan_range)?
        } else {
            out.bucket_sum.minus(scan_floor)?.max(Dollars::ZERO)
        };
        out.charge = out.spread.min(cap);
        Ok(())
    }

    #[inline(never)]
    fn equities(&self, credit_index: Dollars, out: &mut AssetReport) -> Result<(), RiskError> {
        let options = self.used_options();
        // Quotes of options and their values join the linear legs; a book without them pays nothing for that.
        let linear = |exact: Notional| -> Result<Dollars, RiskError> {
            match options {
                None => Ok(exact.floor()?),
                Some(book) => Ok(exact.plus(book.quote)?.floor()?),
            }
        };
        let with_options = |linear: Dollars, at: usize| -> Result<Dollars, RiskError> {
            match options {
                None => Ok(linear),
                Some(book) => Ok(linear.plus(Dollars(book.totals.values[at]))?),
            }
        };
        let at_index = linear(self.at_index.plus(self.quote)?)?;
        out.collateral_value = self.collateral_index.floor()?;
        out.unrealised_index = with_options(at_index, point::INDEX)?;
        out.credit_maintenance = self.credit_maintenance(self.collateral_index)?;
        let mut worst = Worst::new(Valuation {
            unrealised: with_options(at_index, point::INDEX_WORSE)?,
            credit: credit_index,
        });
        let caught_up = self.at_slow == self.at_index && self.collateral_slow == self.collateral_index;
        if !caught_up || options.is_some() {
            let at_slow = linear(self.at_slow.plus(self.quote)?)?;
            worst.meet(Valuation {
                unrealised: with_options(at_slow, point::SLOW_WORSE)?,
                credit: self.credit_initial(self.collateral_slow)?,
            })?;
        }
        let mut best = Valuation {
            unrealised: out.unrealised_index,
            credit: out.credit_maintenance,
        };
        if self.price.uncertainty > Ratio::ZERO {
            for (step, up) in [false, true].into_iter().enumerate() {
                let (unrealised, collateral) = self.shifted(up)?;
                let unrealised = linear(unrealised)?;
                worst.meet(Valuation {
                    unrealised: with_options(unrealised, point::MOVED_WORSE.wrapping_add(step))?,
                    credit: self.credit_initial(collateral)?,
                })?;
                let favour = Valuation {
                    unrealised: with_options(unrealised, point::MOVED.wrapping_add(step))?,
                    credit: self.credit_maintenance(collateral)?,
                };
                if favour.total()? > best.total()? {
                    best = favour;
                }
            }
        }
        if self.price.dead {
            // Its own requirement, as the method has it: less would leave the account's other legs to pay for it.
            let most = out.alone(self.portfolio)?.1.max(out.method.1);
            let most = most.plus(self.settled.floor()?)?;
            if best.total()? > most {
                best.unrealised = most.minus(best.credit)?;
            }
        }
        let doubt = self.doubt(out)?;
        (out.unrealised_initial, out.credit_initial) = (worst.initial.unrealised.minus(doubt)?, worst.initial.credit);
        out.loss_withdrawal = worst.withdrawal.unrealised.minus(doubt)?;
        out.credit_withdrawal = worst.withdrawal.credit;
        out.credit_floor = worst.credit;
        (out.unrealised_liquidation, out.credit_liquidation) = (best.unrealised, best.credit);
        Ok(())
    }

    /// What options on a stale surface may have lost since: the worst of the volatility shocks, scenarios 0 and 1, in which the price stands
    /// still and linear legs and collateral have no P&L.
    fn doubt(&self, out: &AssetReport) -> Result<Dollars, RiskError> {
        if !self.stale_surface {
            return Ok(Dollars::ZERO);
        }
        let [up, down, ..] = out.pnl;
        Ok(Dollars(up.min(down).min(0)).negated()?)
    }

    /// Unrealised P&L of the linear legs and collateral value with the index moved by the whole uncertainty; rounded down.
    fn shifted(&self, up: bool) -> Result<(Notional, Notional), RiskError> {
        let by = self.price.uncertainty.min(Ratio::ONE);
        let by = if up { by } else { Ratio::ZERO.minus(by)? };
        let shift = |x: Notional| -> Result<Notional, RiskError> {
            Ok(Notional(div_floor(product(x.0, by)?, i128::from(Ratio::SCALE))?))
        };
        let mut net = self.long.minus(self.short)?;
        if let Some(options) = self.used_options() {
            net = net.plus(Notional::from_dollars(Dollars(options.totals.net_linear)))?;
        }
        Ok((
            self.at_index.plus(self.quote)?.plus(shift(net)?)?,
            self.collateral_index.plus(shift(self.collateral_index)?)?,
        ))
    }

    fn credit_initial(&self, value: Notional) -> Result<Dollars, RiskError> {
        credit(self.params, self.params.haircut_initial, value)
    }

    fn credit_maintenance(&self, value: Notional) -> Result<Dollars, RiskError> {
        credit(self.params, self.params.haircut_maintenance, value)
    }
}

/// Bucket SPOT as the charges need it.
#[derive(Default)]
pub(crate) struct Hedge {
    pub spot: Spot,
    /// The part of it that hedges: min(ηv, the net short delta).
    pub delta: Notional,
    /// L(SPOT).
    pub scan: Dollars,
    /// How many units its moves may lie under the exact ones; 0 without collateral.
    pub slack: i64,
}

/// An asset's P&L and credit at one price.
#[derive(Clone, Copy)]
struct Valuation {
    unrealised: Dollars,
    credit: Dollars,
}

impl Valuation {
    fn total(&self) -> Result<Dollars, RiskError> {
        Ok(self.unrealised.plus(self.credit)?)
    }

    /// As E_w takes it: gains count nothing.
    fn without_gains(self) -> Valuation {
        Valuation {
            unrealised: self.unrealised.min(Dollars::ZERO),
            ..self
        }
    }
}

/// The worst of several prices, for each purpose.
struct Worst {
    initial: Valuation,
    withdrawal: Valuation,
    credit: Dollars,
}

impl Worst {
    fn new(first: Valuation) -> Worst {
        Worst {
            initial: first,
            withdrawal: first.without_gains(),
            credit: first.credit,
        }
    }

    fn meet(&mut self, other: Valuation) -> Result<(), RiskError> {
        if other.total()? < self.initial.total()? {
            self.initial = other;
        }
        if other.without_gains().total()? < self.withdrawal.total()? {
            self.withdrawal = other.without_gains();
        }
        self.credit = self.credit.min(other.credit);
        Ok(())
    }
}

/// (λψ + β)·H₁ + (λ_o·ψ + β)·(H − H₁) for `linear` H₁ and `other` H − H₁; rounded up.
pub(crate) fn spread(params: &AssetParams, linear: Notional, other: Notional) -> Result<Dollars, RiskError> {
    // ψ·(λ·H₁ + λ_o·(H − H₁)) + β·H: the inner sum is rounded to 10⁻¹⁸ USD so that the product with ψ fits.
    let kept = product(linear.0, params.spread)?
        .checked_add(product(other.0, params.option_spread)?)
        .ok_or(RiskError::Overflow)?;
    let kept = div_ceil(kept, i128::from(Ratio::SCALE))?;
    let matched = linear.plus(other)?;
    let spread = product(kept, params.scan_range)?
        .checked_add(product(matched.0, params.basis)?)
        .ok_or(RiskError::Overflow)?;
    ceil_scaled(spread)
}

/// x of 10⁻²⁷ USD in dollars, rounded up.
fn ceil_scaled(x: i128) -> Result<Dollars, RiskError> {
    let value = div_ceil(x, Notional::PER_RATIO_DOLLAR)?;
    Ok(Dollars(i64::try_from(value).map_err(|_| RiskError::Overflow)?))
}

/// min(ψG, ρ(G − D)²/D) above D, else 0 (section 3); rounded up. `delta` is G.
pub(crate) fn concentration(params: &AssetParams, delta: Notional) -> Result<Dollars, RiskError> {
    if delta <= Notional::from_dollars(params.depth) || params.concentration.0 == 0 {
        return Ok(Dollars::ZERO);
    }
    let delta = delta.ceil()?;
    let excess = i128::from(delta.minus(params.depth)?.0);
    let square = excess.checked_mul(excess).ok_or(RiskError::Overflow)?;
    let relative = div_ceil(square, i128::from(params.depth.0))?;
    let charge = div_ceil(product(relative, params.concentration)?, i128::from(Ratio::SCALE))?;
    let cap = delta.times_ceil(params.scan_range)?;
    Ok(Dollars(i64::try_from(charge).unwrap_or(cap.0)).min(cap))
}

/// What one linear position of this notional requires on its own: initial and maintenance margin, rounded up.
///
/// Fails outside the domain and when ψ exceeds the shock floor.
pub fn isolated_linear(
    params: &AssetParams,
    portfolio: &PortfolioParams,
    notional: Notional,
) -> Result<(Dollars, Dollars), RiskError> {
    if params.scan_range > portfolio.shock_floor {
        return Err(RiskError::InvalidParameter);
    }
    let size = check_domain(notional)?;
    let buffer = size.times_ceil(params.buffer)?;
    let scan = size.times_ceil(params.scan_range)?;
    let risk = scan.plus(concentration(params, size)?)?;
    let maintenance = risk.times_ceil(portfolio.maintenance_factor)?.plus(buffer)?;
    Ok((risk.plus(buffer)?, maintenance))
}
