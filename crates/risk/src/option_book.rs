//! The options of one asset of one account: scenario P&L by bucket, what the charges need, and values for the equities.
//!
//! A strike's calls and puts are priced together: with C the call's value, a put is C − F + K, so q calls and p puts move as q + p calls
//! and −p forwards. Dollars are `i64` in 10⁻⁸ and stay below 2⁶²: the sizes |q|·max(F, K, S) of an asset add up to at most
//! [`crate::MAX_GROSS`] < 2⁶¹, and no scenario, weighted, gains or loses more than twice that. So sums wrap by name and cannot. Every
//! figure carries a bound of its error, which is taken where it is against the account.
use crate::deep_strike::{least_strike, DeepLeg};
use crate::expiry::{Expiry, Term, Volatilities};
use crate::price_memory::{scenario_changes, PriceMemory};
use crate::scenario::ScenarioPnl;
use crate::shocks::{Shock, ShockTable, Shocks};
use crate::{AssetParams, PortfolioParams, RiskError, MAX_GROSS};
use ballast_fixed::kernel::{call, cdf, Moneyness, TotalVolatility, ERROR, Q48};
use ballast_fixed::{Dollars, Notional, Price, Quantity, Ratio};

/// Strikes of one expiry in one account at most: as many as it may have positions.
pub const MAX_STRIKES: usize = 40;

/// A position in an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionLeg {
    /// K.
    pub strike: Price,
    /// ln K, stored at listing: [`ballast_fixed::kernel::ln_price`] of the strike.
    pub ln_strike: Q48,
    /// A call, else a put.
    pub call: bool,
    /// Lots × lot size, signed.
    pub quantity: Quantity,
    /// What the position has received less what it has paid, at par: the premium, until it is settled.
    pub quote: Notional,
}

/// Where option values are needed, as indices of [`Totals::values`].
pub(crate) mod point {
    /// At the index and the current surface: E_mm.
    pub const INDEX: usize = 0;
    /// At the index and the worse surface.
    pub const INDEX_WORSE: usize = 1;
    /// At the slow price and the worse surface.
    pub const SLOW_WORSE: usize = 2;
    /// With the index down by the uncertainty, at the current surface; the next one is up.
    pub const MOVED: usize = 3;
    /// The same at the worse surface.
    pub const MOVED_WORSE: usize = 5;
    /// How many there are.
    pub const COUNT: usize = 7;
}

/// All positions of a strike.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Strike {
    pub price: Price,
    pub ln: Q48,
    pub volatilities: Volatilities,
    calls: Quantity,
    puts: Quantity,
}

/// Dollars of a bucket that is being filled.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// P&L of the calls, and of puts as calls, rounded down.
    vector: ScenarioPnl,
    /// How far they may be off, either way.
    slack: i64,
    /// What puts are short of the forward.
    forwards: i64,
    delta: i64,
    delta_error: i64,
    /// The delta of deep options that counts as linear.
    deep: i64,
    deep_error: i64,
    /// Upper bound of the options' value.
    value: i64,
}

/// Two opposite sides.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sides {
    pub long: i64,
    pub short: i64,
}

impl Sides {
    /// Adds x with its error to the side it is on; where its sign is within the error, to both.
    fn add(&mut self, x: i64, error: i64) {
        self.long = self.long.wrapping_add(x.wrapping_add(error).max(0));
        self.short = self.short.wrapping_add(error.wrapping_sub(x).max(0));
    }

    fn add_side(&mut self, long: bool, size: i64) {
        let side = if long { &mut self.long } else { &mut self.short };
        *side = side.wrapping_add(size);
    }

    pub fn matched(&self) -> i64 {
        self.long.min(self.short)
    }
}

/// What the options of an asset, and the linear legs of their buckets, add up to; in dollars.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    /// Σ X_b, each rounded down, and how far it may be off.
    pub vector: ScenarioPnl,
    pub slack: i64,
    /// Σ L(X_b), upper bound.
    pub bucket_sum: i64,
    /// Δ_b and N_b by sign, upper bounds.
    pub delta: Sides,
    pub linear: Sides,
    /// ΣΔ_b, and how far it and the sides of both may be off.
    pub net_delta: i64,
    pub error: i64,
    /// ΣN_b of the linear legs alone, rounded down.
    pub net_linear: i64,
    /// Σ|q·Δ·F| over options, upper bound.
    pub absolute_delta: i64,
    /// V_b by sign, upper bounds.
    pub vega: Sides,
    /// Option quantities that are not deep, at S; upper bounds.
    pub calls: Sides,
    pub puts: Sides,
    /// Σ|q|·S over options, over short ones, and Σ|q|·min(S, 2·mark); upper bounds.
    pub units: i64,
    pub short_units: i64,
    pub buffered: i64,
    /// Σ_b max(0, option value), upper bound.
    pub long_value: i64,
    /// Σ of option values, lower bounds, by [`point`].
    pub values: [i64; point::COUNT],
}

/// Working memory of [`crate::AssetBook`] for options: 3 KB, made once and used again for each asset. Box it where stack frames are small.
#[derive(Clone, Debug)]
pub struct OptionBook {
    index: Price,
    uncertainty: Ratio,
    shocks: Shocks,
    term: Term,
    /// The index down and up by the uncertainty.
    moved: [Shock; 2],
    strikes: [Strike; MAX_STRIKES],
    count: usize,
    bucket: Bucket,
    pub(crate) totals: Totals,
    /// Exact Σ of the options' quotes.
    pub(crate) quote: Notional,
    /// Whether the totals are this asset's.
    used: bool,
    /// How much wider the volatility shocks of the expiry that begins next are.
    pub(crate) widening: Ratio,
    memory: Option<PriceMemory>,
}

impl Default for OptionBook {
    fn default() -> OptionBook {
        OptionBook {
            index: Price(0),
            uncertainty: Ratio::ZERO,
            shocks: Shocks::default(),
            term: Term::default(),
            moved: [Shock::default(); 2],
            strikes: [Strike::default(); MAX_STRIKES],
            count: 0,
            bucket: Bucket::default(),
            totals: Totals::default(),
            quote: Notional::ZERO,
            used: false,
            widening: Ratio::ZERO,
            memory: None,
        }
    }
}

/// amount · factor, rounded down by less than two units; |amount · factor| < 2⁶².
#[inline(always)]
pub(crate) fn scaled(amount: i64, factor: Q48) -> i64 {
    Q48(amount).times(factor).0
}

/// The same where there often is nothing: most strikes have calls or puts only.
#[inline(always)]
fn scaled_if_any(amount: i64, factor: Q48) -> i64 {
    if amount == 0 {
        return 0;
    }
    scaled(amount, factor)
}

/// amount · ratio for both from 0, the ratio at most 1; rounded up, by a few units and 2⁻⁴⁶ of the amount too much at most. A quarter of
/// an exact product's cost.
///
/// Fails with [`RiskError::InvalidParameter`] for another ratio.
#[inline(never)]
pub(crate) fn scaled_up(amount: Dollars, ratio: Ratio) -> Result<Dollars, RiskError> {
    if ratio < Ratio::ZERO || ratio > Ratio::ONE {
        return Err(RiskError::InvalidParameter);
    }
    if amount == Dollars::ZERO || ratio == Ratio::ZERO {
        return Ok(Dollars::ZERO);
    }
    let slack = (amount.0 >> 46).wrapping_add(3);
    Ok(Dollars(scaled(amount.0, Q48::from_ratio(ratio)).wrapping_add(slack)))
}

/// a / b for positive a and b, rounded down to 2⁻⁴⁸ or to the nearest, at most 16,384. A third of [`Q48::quotient`]'s cost where b < 2⁴⁸
/// and the quotient is below 2¹⁴: three digits of 16 bits by hardware division.
#[inline(always)]
pub(crate) fn quotient(a: i64, b: i64) -> Q48 {
    const DIGIT: u32 = 16;
    const LARGEST: Q48 = Q48(1 << 62);
    let (dividend, divisor) = (a as u64, b as u64);
    let (Some(mut value), Some(mut rest)) = (dividend.checked_div(divisor), dividend.checked_rem(divisor)) else {
        return LARGEST;
    };
    if a < 0 || b < 0 || divisor >> 48 > 0 || value >> 14 > 0 {
        return Q48::quotient(a, b).min(LARGEST);
    }
    for _ in 0..3 {
        let carried = rest << DIGIT; // rest < b < 2⁴⁸
        value = value << DIGIT | carried.checked_div(divisor).unwrap_or(0); // under 2¹⁴⁺⁴⁸ after the third
        rest = carried.checked_rem(divisor).unwrap_or(0);
    }
    Q48(value as i64)
}

/// price · |quantity| in dollars, rounded down; fails above [`crate::MAX_GROSS`].
///
/// With a = a₁·10⁵ + a₀ the product over 10¹⁰ is a₁b₁ + (a₁b₀ + a₀b₁ + a₀b₀/10⁵)/10⁵, which needs 64 bits.
#[inline(always)]
fn dollars(price: Price, quantity: Quantity) -> Result<i64, RiskError> {
    const DIGIT: u64 = 100_000;
    let (a, b) = (price.0 as u64, quantity.0.unsigned_abs()); // prices are positive
    let (a1, a0, b1, b0) = (a / DIGIT, a % DIGIT, b / DIGIT, b % DIGIT);
    // a₁b₁ ≤ MAX_GROSS < 2⁶¹; a₁b₀ + a₀b₁ < a + b ≤ 2⁶⁴ − 1, and less than that by 10⁵ at least as a₁ < a/10⁵.
    let most = (MAX_GROSS.0 as u64).checked_div(a1);
    if most.is_some_and(|most| b1 > most) {
        return Err(RiskError::Overflow);
    }
    let middle = (a1.wrapping_mul(b0)).wrapping_add(a0.wrapping_mul(b1));
    let value = a1
        .wrapping_mul(b1)
        .wrapping_add(middle.wrapping_add(a0.wrapping_mul(b0) / DIGIT) / DIGIT);
    if value > MAX_GROSS.0 as u64 {
        return Err(RiskError::Overflow);
    }
    Ok(value as i64)
}

/// The error of a price and of what its volatility and moneyness are made of, relative to max(F, K): 2⁻³⁹. Two prices of at most 1.95·F
/// weighted, so 3·ERROR, and 420 units of 2⁻⁴⁸ for the inputs: σ↑ is off by at most 300 units with the largest v_u that may be governed,
/// times a vega of at most 0.57; the ratio and the weight by a few.
const PRECISION: u32 = 39;
const _: () = assert!(ERROR.0 * 3 + 420 <= 1 << (48 - PRECISION));

/// Adds `net` dollars' worth of changes to the P&L.
#[inline(never)]
fn add_changes(vector: &mut ScenarioPnl, net: i64, changes: &ScenarioPnl) {
    for (sum, change) in vector.iter_mut().zip(changes) {
        *sum = sum.wrapping_add(scaled(net, Q48(*change)));
    }
}

impl OptionBook {
    /// From here on keeps what strikes are priced at, `strikes` of them at most and 270 bytes each: an account that is evaluated again at
    /// the same prices then costs a third for them. Nothing but the cost depends on it.
    pub fn remember(&mut self, strikes: usize) {
        self.memory.get_or_insert_with(|| PriceMemory::new(strikes)).resume();
    }

    /// From here on takes what it knows from memory, and keeps nothing more.
    pub fn recall(&mut self) {
        if let Some(memory) = &mut self.memory {
            memory.pause();
        }
    }

    /// Empties it for the next asset.
    pub(crate) fn start(&mut self, index: Price, uncertainty: Ratio) {
        self.used = false;
        self.widening = Ratio::ZERO;
        (self.index, self.uncertainty) = (index, uncertainty);
    }

    /// Prepares for the shocks of a table.
    pub(crate) fn take_shocks(&mut self, table: &ShockTable) {
        self.shocks.take(table);
    }

    /// Opens the bucket of an expiry.
    #[inline(never)]
    pub(crate) fn begin(
        &mut self,
        expiry: &Expiry,
        params: &AssetParams,
        portfolio: &PortfolioParams,
    ) -> Result<(), RiskError> {
        if params.scan_range > portfolio.shock_floor
            || params.scan_range < Ratio::ZERO
            || self.uncertainty < Ratio::ZERO
        {
            return Err(RiskError::InvalidParameter);
        }
        self.term.set(expiry, self.index, params)?;
        if !self.used {
            (self.totals, self.quote) = (Totals::default(), Notional::ZERO);
            self.used = true;
        }
        self.count = 0;
        self.bucket = Bucket::default();
        self.shocks
            .make(params.scan_range, portfolio.shock_floor, self.term.moving);
        if let Some(memory) = &mut self.memory {
            memory.enter(&self.term, &self.shocks);
        }
        if self.uncertainty > Ratio::ZERO {
            // A price that may be off by all of itself is taken to be off by 95 %, where the deepest scenario is.
            const MOST: Ratio = Ratio(950_000_000);
            let by = Q48::from_ratio(self.uncertainty.min(Ratio::ONE)).times(Q48::from_ratio(self.term.moving));
            let down = by.min(Q48::from_ratio(MOST));
            self.moved = [Shock::new(Q48(down.0.wrapping_neg())), Shock::new(by)];
        }
        Ok(())
    }

    /// σ of a strike, by ln K.
    pub(crate) fn volatilities(&self, ln_strike: Q48) -> Volatilities {
        self.term.volatilities(ln_strike)
    }

    /// Adds to the positions of the strike and gives the size of this one in dollars: |q|·max(F, K, S, slow F).
    pub(crate) fn add(&mut self, leg: &OptionLeg, volatilities: Volatilities) -> Result<i64, RiskError> {
        if leg.strike.0 <= 0 {
            return Err(RiskError::InvalidParameter);
        }
        volatilities.check()?;
        if leg.quote != Notional::ZERO {
            self.quote = self.quote.plus(leg.quote)?;
        }
        let largest = (self.index.max(leg.strike)).max(self.term.forward.max(self.term.slow_forward));
        let size = dollars(largest, leg.quantity)?;
        let least = least_strike(self.term.forward);
        if leg.strike < least {
            let deep = DeepLeg::new(leg, volatilities, least)?;
            self.add_value(deep.rest)?;
            self.add_to_strike(&deep.leg, deep.volatilities)?;
        } else {
            self.add_to_strike(leg, volatilities)?;
        }
        Ok(size)
    }

    /// Adds what options are worth whatever happens.
    fn add_value(&mut self, value: Notional) -> Result<(), RiskError> {
        let (least, most) = (value.floor()?.0, value.ceil()?.0);
        for sum in &mut self.totals.values {
            *sum = sum.wrapping_add(least);
        }
        self.bucket.value = self.bucket.value.wrapping_add(most);
        Ok(())
    }

    fn add_to_strike(&mut self, leg: &OptionLeg, volatilities: Volatilities) -> Result<(), RiskError> {
        let known = self.strikes.iter().take(self.count);
        let place = known
            .take_while(|s| s.price != leg.strike || s.volatilities != volatilities)
            .count();
        let slot = self.strikes.get_mut(place).ok_or(RiskError::Overflow)?;
        if place == self.count {
            *slot = Strike {
                price: leg.strike,
                ln: leg.ln_strike,
                volatilities,
                ..Strike::default()
            };
            self.count = self.count.wrapping_add(1); // at most MAX_STRIKES
        }
        let side = if leg.call { &mut slot.calls } else { &mut slot.puts };
        *side = side.plus(leg.quantity)?;
        Ok(())
    }

    /// Prices the bucket and adds it to the asset, with the net linear notional in it.
    #[inline(never)]
    pub(crate) fn close(&mut self, net: Notional) -> Result<(), RiskError> {
        for index in 0..self.count {
            let strike = self.strikes[index];
            if strike.calls != Quantity::ZERO || strike.puts != Quantity::ZERO {
                self.price_strike(&strike)?;
            }
        }
        let net = if net == Notional::ZERO { 0 } else { net.floor()?.0 };
        self.totals.vega.add(self.bucket.vector[0], self.bucket.slack);
        self.close_scan(net.wrapping_add(self.bucket.forwards));
        self.close_delta(net);
        self.totals.long_value = self.totals.long_value.wrapping_add(self.bucket.value.max(0));
        Ok(())
    }

    /// Adds the net notional of the buckets without options, whose L and sides the caller has exactly.
    pub(crate) fn close_linear(
        &mut self,
        net: Notional,
        params: &AssetParams,
        portfolio: &PortfolioParams,
    ) -> Result<(), RiskError> {
        if net == Notional::ZERO {
            return Ok(());
        }
        self.shocks.make(params.scan_range, portfolio.shock_floor, Ratio::ONE);
        let net = net.floor()?.0;
        let slack = 4i64.wrapping_add(net.wrapping_abs() >> 46);
        let totals = &mut self.totals;
        for (sum, pnl) in totals.vector.iter_mut().zip(self.shocks.linear(net).expand()) {
            *sum = sum.wrapping_add(pnl);
        }
        totals.slack = totals.slack.wrapping_add(slack);
        Ok(())
    }

    /// X_b and L(X_b), with `linear` dollars of forwards.
    fn close_scan(&mut self, linear: i64) {
        let (bucket, totals) = (&self.bucket, &mut self.totals);
        // A unit of the net, three of the product.
        let slack = bucket.slack.wrapping_add(4).wrapping_add(linear.wrapping_abs() >> 46);
        let moves = self.shocks.linear(linear).expand();
        let mut least = 0;
        for ((sum, options), linear) in totals.vector.iter_mut().zip(bucket.vector).zip(moves) {
            let pnl = options.wrapping_add(linear);
            least = pnl.min(least);
            *sum = sum.wrapping_add(pnl);
        }
        totals.slack = totals.slack.wrapping_add(slack);
        totals.bucket_sum = totals.bucket_sum.wrapping_add(slack.wrapping_sub(least));
    }

    /// Δ_b and N_b, in the window by the part that moves with the index.
    fn close_delta(&mut self, net: i64) {
        let (bucket, totals) = (&self.bucket, &mut self.totals);
        let part = |x: i64| match self.term.moving {
            Ratio::ONE => x,
            moving => scaled(x, Q48::from_ratio(moving)),
        };
        let (delta, linear) = (
            part(net.wrapping_add(bucket.delta)),
            part(net.wrapping_add(bucket.deep)),
        );
        let rounding = 4i64.wrapping_add(net.wrapping_abs() >> 46);
        let (delta_error, linear_error) = (
            bucket.delta_error.wrapping_add(rounding),
            bucket.deep_error.wrapping_add(rounding),
        );
        totals.delta.add(delta, delta_error);
        if net != 0 || bucket.deep_error != 0 {
            totals.linear.add(linear, linear_error);
        }
        totals.net_delta = totals.net_delta.wrapping_add(delta);
        totals.net_linear = totals.net_linear.wrapping_add(part(net));
        totals.error = totals.error.wrapping_add(delta_error).wrapping_add(linear_error);
    }

    #[inline(never)]
    fn price_strike(&mut self, strike: &Strike) -> Result<(), RiskError> {
        let base = Moneyness {
            ratio: quotient(self.term.forward.0, strike.price.0),
            ln: self.term.ln_forward.minus(strike.ln),
        };
        let amounts = Amounts::new(strike, &base)?;
        let net = amounts.calls.wrapping_add(amounts.puts);
        let (mark, current) = self.add_scenarios(strike, net, &base);
        // Calls and puts rounded to dollars, times a price change of at most 2·max(F/K, 1); and the products.
        let size = net.wrapping_abs().max(scaled(net, base.ratio).wrapping_abs());
        self.bucket.slack = (self.bucket.slack)
            .wrapping_add(size >> PRECISION)
            .wrapping_add(amounts.forward_puts.wrapping_abs().max(amounts.puts.wrapping_abs()) >> 46)
            .wrapping_add(amounts.units);
        self.bucket.forwards = self.bucket.forwards.wrapping_sub(amounts.forward_puts);
        self.add_values(strike, &amounts, &base, mark, &current);
        self.add_charges(strike, &amounts, &base, mark, current.value());
        Ok(())
    }

    /// A strike's mark, the volatility of it, and the P&L of `net` dollars' worth of strikes in calls; from memory where it is known.
    #[inline(never)]
    fn add_scenarios(&mut self, strike: &Strike, net: i64, base: &Moneyness) -> (Q48, TotalVolatility) {
        let vector = &mut self.bucket.vector;
        let known = self.memory.as_mut().and_then(|memory| memory.find(strike));
        if let Some(known) = known {
            add_changes(vector, net, &known.changes);
            return (known.mark, known.current);
        }
        let totals = self.term.shocked(strike.volatilities.current, base.ln);
        let mark = call(base, &totals[0]);
        if net != 0 {
            let shocks = &self.shocks;
            let kept = self.memory.as_mut().and_then(|memory| {
                memory.keep(strike, mark, &totals[0], |changes| {
                    scenario_changes(changes, shocks, base, mark, &totals, |place, change| *place = change.0);
                })
            });
            match kept {
                Some(kept) => add_changes(vector, net, &kept.changes),
                None => scenario_changes(vector, shocks, base, mark, &totals, |sum, change| {
                    *sum = sum.wrapping_add(scaled(net, change));
                }),
            }
        }
        (mark, totals[0])
    }

    /// Values at each point that the equities ask for.
    #[inline(never)]
    fn add_values(
        &mut self,
        strike: &Strike,
        amounts: &Amounts,
        base: &Moneyness,
        mark: Q48,
        current: &TotalVolatility,
    ) {
        let worse = self.worse(strike, current);
        let mut values = [0i64; point::COUNT];
        values[point::INDEX] = amounts.value(base, mark, mark);
        values[point::INDEX_WORSE] = if worse.moved {
            worse.value(amounts, base)
        } else {
            values[point::INDEX]
        };
        values[point::SLOW_WORSE] = if self.term.slow_forward == self.term.forward {
            values[point::INDEX_WORSE]
        } else {
            let slow = Moneyness {
                ratio: quotient(self.term.slow_forward.0, strike.price.0),
                ln: self.term.ln_slow_forward.minus(strike.ln),
            };
            worse.value(amounts, &slow)
        };
        if self.uncertainty > Ratio::ZERO {
            let current = Worse {
                calls: *current,
                puts: None,
                moved: false,
            };
            for (step, shock) in self.moved.iter().enumerate() {
                let moved = base.shocked(shock.factor, shock.ln);
                let value = current.value(amounts, &moved);
                values[point::MOVED.wrapping_add(step)] = value;
                values[point::MOVED_WORSE.wrapping_add(step)] = if worse.moved {
                    worse.value(amounts, &moved)
                } else {
                    value
                };
            }
        }
        // The others are zero, and asked for by nobody.
        let asked = if self.uncertainty > Ratio::ZERO {
            point::COUNT
        } else {
            point::MOVED
        };
        for (sum, value) in self.totals.values.iter_mut().zip(values).take(asked) {
            *sum = sum.wrapping_add(value);
        }
    }

    /// The volatility for calls and puts, each the worse of the current surface and its slow mean; `current` is that of the first.
    fn worse(&self, strike: &Strike, current: &TotalVolatility) -> Worse {
        let now = strike.volatilities.current;
        let total = |sigma: Q48| {
            if sigma == now {
                *current
            } else {
                self.term.total(sigma)
            }
        };
        let [calls, puts] = [strike.calls, strike.puts].map(|quantity| strike.worse(quantity));
        // Where there are only calls or only puts, theirs stands for both.
        let first = if strike.calls == Quantity::ZERO { puts } else { calls };
        let second = if strike.puts == Quantity::ZERO { first } else { puts };
        Worse {
            calls: total(first),
            puts: (second != first).then(|| total(second)),
            moved: first != now || second != now,
        }
    }

    /// Deltas, synthetic futures, and what the floor, the buffer and the concentration charge count.
    #[inline(never)]
    fn add_charges(&mut self, strike: &Strike, amounts: &Amounts, base: &Moneyness, mark: Q48, total: Q48) {
        let delta = delta(base, total);
        let delta_error = delta_error(total);
        let roundings = Roundings {
            units: amounts.units,
            value: amounts.value_slack(base),
            delta: delta_error,
        };
        self.bucket.value = self.bucket.value.wrapping_add(roundings.value);
        // Most strikes have calls or puts only.
        if strike.calls != Quantity::ZERO {
            let calls = Side::new(amounts.calls, amounts.forward_calls, delta, delta_error, mark);
            self.charge_side(&calls, true, strike.calls > Quantity::ZERO, &roundings);
        }
        if strike.puts != Quantity::ZERO {
            let (delta, put) = (delta.minus(Q48::ONE), mark.minus(base.ratio).plus(Q48::ONE));
            let puts = Side::new(amounts.puts, amounts.forward_puts, delta, delta_error, put);
            self.charge_side(&puts, false, strike.puts > Quantity::ZERO, &roundings);
        }
    }

    /// The same for the calls or the puts of a strike.
    #[inline(never)]
    fn charge_side(&mut self, side: &Side, are_calls: bool, long: bool, roundings: &Roundings) {
        let (bucket, totals) = (&mut self.bucket, &mut self.totals);
        let size = side.forward.wrapping_abs();
        let error = scaled(size, roundings.delta).wrapping_add(roundings.units);
        bucket.value = bucket.value.wrapping_add(side.value);
        bucket.delta = bucket.delta.wrapping_add(side.delta);
        bucket.delta_error = bucket.delta_error.wrapping_add(error);
        totals.absolute_delta = (totals.absolute_delta)
            .wrapping_add(side.delta.wrapping_abs())
            .wrapping_add(error);
        let units = scaled(size.wrapping_add(roundings.units), self.term.index_ratio)
            .wrapping_add(3)
            .wrapping_add(size.max(side.strikes.wrapping_abs()) >> 46);
        let mut rest = units;
        if side.near_deep {
            // The weight is five times as steep as the delta.
            let error = error.wrapping_mul(6);
            bucket.deep = bucket.deep.wrapping_add(scaled(side.delta, side.weight));
            bucket.deep_error = bucket.deep_error.wrapping_add(error);
            rest = scaled(units, Q48::ONE.minus(side.weight))
                .wrapping_add(error)
                .min(units);
        }
        let pair = if are_calls { &mut totals.calls } else { &mut totals.puts };
        pair.add_side(long, rest);
        totals.error = totals.error.wrapping_add(error.wrapping_mul(6));
        totals.units = totals.units.wrapping_add(units);
        if !long {
            totals.short_units = totals.short_units.wrapping_add(units);
        }
        let twice = (side.value.wrapping_abs())
            .wrapping_add(roundings.value)
            .wrapping_mul(2); // a mark is at most max(F, K): below 2⁶²
        totals.buffered = totals.buffered.wrapping_add(units.min(twice));
    }
}

impl Strike {
    /// σ for so many options: low for long ones, high for short ones.
    fn worse(&self, quantity: Quantity) -> Q48 {
        let Volatilities { current, slow } = self.volatilities;
        if quantity > Quantity::ZERO {
            current.min(slow)
        } else {
            current.max(slow)
        }
    }
}

/// Total volatilities that calls and puts of a strike are valued at.
struct Worse {
    calls: TotalVolatility,
    /// Where it is another one.
    puts: Option<TotalVolatility>,
    /// Whether they are not the current one.
    moved: bool,
}

impl Worse {
    /// Value of the strike, rounded down.
    #[inline(never)]
    fn value(&self, amounts: &Amounts, moneyness: &Moneyness) -> i64 {
        let price = call(moneyness, &self.calls);
        let other = match &self.puts {
            Some(puts) => call(moneyness, puts),
            None => price,
        };
        amounts.value(moneyness, price, other)
    }
}

/// Quantities of a strike in dollars.
struct Amounts {
    /// q·K of calls and of puts, rounded to the smaller size.
    calls: i64,
    puts: i64,
    /// q·F of the same.
    forward_calls: i64,
    forward_puts: i64,
    /// What their roundings may come to, in any product with a price of the option.
    units: i64,
}

impl Amounts {
    fn new(strike: &Strike, base: &Moneyness) -> Result<Amounts, RiskError> {
        let signed = |quantity: Quantity| -> Result<i64, RiskError> {
            if quantity == Quantity::ZERO {
                return Ok(0);
            }
            let size = dollars(strike.price, quantity)?;
            Ok(if quantity < Quantity::ZERO {
                size.wrapping_neg()
            } else {
                size
            })
        };
        let (calls, puts) = (signed(strike.calls)?, signed(strike.puts)?);
        Ok(Amounts {
            calls,
            puts,
            forward_calls: scaled_if_any(calls, base.ratio),
            forward_puts: scaled_if_any(puts, base.ratio),
            units: (base.ratio.0 >> 48).wrapping_add(2).wrapping_mul(6),
        })
    }

    /// What the options are worth with these prices of the call, for calls and for puts; rounded down.
    fn value(&self, moneyness: &Moneyness, call: Q48, call_of_puts: Q48) -> i64 {
        let put = call_of_puts.minus(moneyness.ratio).plus(Q48::ONE);
        scaled_if_any(self.calls, call)
            .wrapping_add(scaled_if_any(self.puts, put))
            .wrapping_sub(self.value_slack(moneyness))
    }

    fn value_slack(&self, moneyness: &Moneyness) -> i64 {
        let size = self.calls.wrapping_abs().wrapping_add(self.puts.wrapping_abs());
        let size = size.max(scaled(size, moneyness.ratio));
        (size >> PRECISION)
            .wrapping_add(self.units)
            .wrapping_add(moneyness.ratio.0 >> 48)
    }
}

/// How far what is computed of a strike may be off.
struct Roundings {
    /// In any product of a quantity with a price.
    units: i64,
    /// In what its options are worth.
    value: i64,
    /// In a delta.
    delta: Q48,
}

/// The calls or the puts of a strike.
struct Side {
    strikes: i64,
    forward: i64,
    delta: i64,
    value: i64,
    /// The part that counts as a future: clamp((|Δ| − 0.75)/0.20, 0, 1).
    weight: Q48,
    /// Whether that may be above zero, for all that the delta's error leaves open.
    near_deep: bool,
}

impl Side {
    fn new(strikes: i64, forward: i64, delta: Q48, delta_error: Q48, price: Q48) -> Side {
        const DEEP: i64 = Q48::ONE.0 / 4 * 3;
        let excess = delta.0.wrapping_abs().wrapping_sub(DEEP); // |Δ| ≤ 1
        Side {
            strikes,
            forward,
            delta: scaled_if_any(forward, delta),
            value: scaled_if_any(strikes, price),
            weight: Q48(excess.wrapping_mul(5).clamp(0, Q48::ONE.0)),
            near_deep: excess.wrapping_add(delta_error.0) > 0,
        }
    }
}

/// Φ(d₁), d₁ = ln(F/K)/v + v/2.
fn delta(moneyness: &Moneyness, total: Q48) -> Q48 {
    const FAR: Q48 = Q48(64 << 48);
    let distance = quotient(moneyness.ln.0.wrapping_abs(), total.0).min(FAR).0;
    let signed = if moneyness.ln.0 < 0 {
        distance.wrapping_neg()
    } else {
        distance
    };
    cdf(Q48(signed.wrapping_add(total.0 >> 1)))
}

/// How far that may be off: ln(F/K) is by two units, so d₁ by 2/v of them and a few; the density is below ½.
fn delta_error(total: Q48) -> Q48 {
    const TWO_ONES: u64 = 2 << 48;
    Q48(TWO_ONES.checked_div(total.0 as u64).unwrap_or(0).wrapping_add(8) as i64)
    // σ√T ≥ 2⁻²⁰: below 2²²
}

#[cfg(test)]
mod tests;
