//! Accounts of the examples, run through the engine.
use ballast_fixed::kernel::ln_price;
use ballast_fixed::{Dollars, Notional, Price, Quantity, QuoteAmount, Ratio};
use ballast_risk::surface::Surface;
use ballast_risk::{
    AssetBook, AssetParams, AssetReport, Bucket, Cash, Expiry, MarginReport, Method, OptionBook, OptionLeg, Portfolio,
    PortfolioParams, PriceState, RiskError,
};

/// Seconds in a day.
const DAY: i64 = 86_400;
/// 10⁻⁹ in a unit.
const UNIT: f64 = 1e9;

/// What is held.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A perpetual.
    Perpetual,
    /// A future of so many days.
    Future(i64),
    /// A call with a strike in dollars, of so many days.
    Call(i64, i64),
    /// A put.
    Put(i64, i64),
}

/// A position: what, and how many units of the asset.
pub type Position = (Kind, f64);

/// One asset of an example, entered at the mark of its index.
#[derive(Clone)]
pub struct Asset {
    /// Margin parameters.
    pub params: AssetParams,
    /// Dollars.
    pub index: i64,
    /// Dollars.
    pub slow: i64,
    /// One volatility for every expiry and strike, per cent.
    pub volatility: i64,
    /// Positions.
    pub positions: Vec<Position>,
    /// Units of collateral.
    pub collateral: f64,
}

impl Asset {
    /// Positions at an index, the slow price the same, σ 65 %.
    pub fn new(params: AssetParams, index: i64, positions: &[Position]) -> Asset {
        Asset {
            params,
            index,
            slow: index,
            volatility: 65,
            positions: positions.to_vec(),
            collateral: 0.0,
        }
    }

    fn report(&self, positions: &[Position], collateral: f64, method: Method) -> Result<AssetReport, RiskError> {
        let (index, slow) = (Price(self.index * 1_000_000_000), Price(self.slow * 1_000_000_000));
        let mut memory = OptionBook::default();
        let portfolio = PortfolioParams::DEFAULT;
        let mut book = AssetBook::with_options(&self.params, &portfolio, PriceState::default(), index, &mut memory);
        book.set_method(method);
        let held = units(collateral);
        book.set_collateral(index.times(held), slow.times(held))?;
        let mut days: Vec<i64> = positions.iter().filter_map(|(kind, _)| kind.days()).collect();
        days.sort_unstable();
        days.dedup();
        for (kind, quantity) in positions.iter().filter(|(kind, _)| kind.days().is_none()) {
            self.add(&mut book, Bucket::Perpetual, *kind, units(*quantity))?;
        }
        for (number, days) in (0u8..).zip(days) {
            let of_expiry: Vec<_> = positions.iter().filter(|(kind, _)| kind.days() == Some(days)).collect();
            if of_expiry.iter().any(|(kind, _)| kind.option().is_some()) {
                let surface = Surface::flat(Ratio(self.volatility * 10_000_000));
                let expiry = Expiry {
                    forward: index,
                    slow_forward: slow,
                    seconds: days * DAY,
                    fixed: Ratio::ZERO,
                    moving: Ratio::ONE,
                    surface,
                    slow_surface: surface,
                };
                book.begin_expiry(number, &expiry)?;
            }
            for (kind, quantity) in of_expiry {
                self.add(&mut book, Bucket::Expiry(number), *kind, units(*quantity))?;
            }
        }
        let mut report = AssetReport::default();
        book.finish(&mut report)?;
        Ok(report)
    }

    fn add(&self, book: &mut AssetBook, bucket: Bucket, kind: Kind, quantity: Quantity) -> Result<(), RiskError> {
        let (index, slow) = (Price(self.index * 1_000_000_000), Price(self.slow * 1_000_000_000));
        match kind.option() {
            None => {
                let entered = index.times(quantity).negated()?;
                book.add_linear(bucket, index.times(quantity), slow.times(quantity), entered)
            }
            Some((strike, call)) => {
                let strike = Price(strike * 1_000_000_000);
                book.add_option(&OptionLeg {
                    strike,
                    ln_strike: ln_price(strike),
                    call,
                    quantity,
                    quote: Notional::ZERO, // the premium has settled
                })
            }
        }
    }
}

impl Kind {
    fn days(self) -> Option<i64> {
        match self {
            Kind::Perpetual => None,
            Kind::Future(days) | Kind::Call(_, days) | Kind::Put(_, days) => Some(days),
        }
    }

    fn option(self) -> Option<(i64, bool)> {
        match self {
            Kind::Perpetual | Kind::Future(_) => None,
            Kind::Call(strike, _) => Some((strike, true)),
            Kind::Put(strike, _) => Some((strike, false)),
        }
    }
}

fn units(amount: f64) -> Quantity {
    Quantity((amount * UNIT).round() as i64)
}

/// What the engine says of an example.
pub struct Outcome {
    /// Of the account.
    pub margin: MarginReport,
    /// Of its first asset.
    pub asset: AssetReport,
    /// Σ of the IM of its positions, each alone.
    pub isolated: Dollars,
}

/// The margin of an account with this cash, dollars.
pub fn outcome(assets: &[Asset], cash: i64) -> Result<Outcome, RiskError> {
    by_method(assets, cash, Method::Portfolio)
}

/// The same by a method.
pub fn by_method(assets: &[Asset], cash: i64, method: Method) -> Result<Outcome, RiskError> {
    let portfolio = PortfolioParams::DEFAULT;
    let mut sum = Portfolio::new(&portfolio);
    let (mut first, mut isolated) = (None, Dollars::ZERO);
    for asset in assets {
        let report = asset.report(&asset.positions, asset.collateral, method)?;
        sum.add(&report, &asset.params.clusters)?;
        for position in &asset.positions {
            let alone = asset.report(&[*position], 0.0, Method::Portfolio)?;
            isolated = isolated.plus(alone.alone(&portfolio)?.0)?;
        }
        first.get_or_insert(report);
    }
    Ok(Outcome {
        margin: sum.finish(Cash::at_par(QuoteAmount(cash * 1_000_000)))?,
        asset: first.unwrap_or_default(),
        isolated,
    })
}
