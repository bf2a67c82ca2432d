//! Accounts with options for the property tests, and the engine run over them.
use crate::common::{ASSETS, DEFAULTS};
use ballast_fixed::kernel::ln_price;
use ballast_fixed::{Notional, Price, Quantity, QuoteAmount, Ratio};
use ballast_risk::surface::Surface;
use ballast_risk::{AssetBook, AssetParams, AssetReport, Bucket, Cash, Expiry, MarginReport, OptionBook};
use ballast_risk::{OptionLeg, Portfolio, PortfolioParams, PriceState, RiskError};
use proptest::prelude::*;

const INDEX: [i64; ASSETS] = [100_000_000_000_000, 3_000_000_000_000, 150_000_000_000, 1_000_000_000];
/// Half a day, two weeks, three months.
const SECONDS: [i64; 3] = [43_200, 1_209_600, 7_776_000];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Linear,
    Call,
    Put,
}

/// A position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    pub asset: usize,
    pub kind: Kind,
    /// 0 is the perpetual, the others are expiries; options have no perpetual.
    pub bucket: u8,
    /// Of the index, in percent.
    pub strike: i64,
    /// 10⁻⁹ units.
    pub quantity: i64,
    /// Premium received, in 10⁻¹⁸ dollars.
    pub quote: i128,
}

impl Leg {
    pub fn index(&self) -> Price {
        Price(INDEX[self.asset])
    }

    /// |q|·max(F, K, S) in 10⁻⁸ dollars, about.
    pub fn size(&self) -> i64 {
        let units = i128::from(self.quantity.abs()) * i128::from(INDEX[self.asset]) / 10_000_000_000;
        (units * i128::from(self.strike.max(100)) / 100) as i64 + 1
    }
}

#[derive(Clone, Debug, Default)]
pub struct Account {
    pub legs: Vec<Leg>,
    /// Per asset, in 10⁻¹⁸ dollars.
    pub collateral: [i128; ASSETS],
    pub cash: i64,
}

pub fn expiry(asset: usize, number: u8) -> Expiry {
    let step = i64::from(number);
    let forward = Price(INDEX[asset] / 1_000 * (1_003 + 4 * step));
    let surface = Surface {
        at_the_money: Ratio(450_000_000 + 100_000_000 * asset as i64 + 20_000_000 * step),
        skew: Ratio(-40_000_000),
        curvature: Ratio(15_000_000),
        variance_floor: Ratio(100),
    };
    Expiry {
        forward,
        slow_forward: Price(forward.0 / 1_000 * 990),
        seconds: SECONDS[usize::from(number)],
        fixed: Ratio::ZERO,
        moving: Ratio::ONE,
        surface,
        slow_surface: Surface {
            at_the_money: Ratio(surface.at_the_money.0 + 30_000_000),
            ..surface
        },
    }
}

impl Account {
    pub fn merged(&self, other: &Account) -> Account {
        let mut out = self.clone();
        out.legs.extend(&other.legs);
        for (mine, theirs) in out.collateral.iter_mut().zip(other.collateral) {
            *mine += theirs;
        }
        out.cash += other.cash;
        out
    }

    pub fn scaled(&self, factor: i64) -> Account {
        let mut out = self.clone();
        for leg in &mut out.legs {
            leg.quantity *= factor;
            leg.quote *= i128::from(factor);
        }
        for value in &mut out.collateral {
            *value *= i128::from(factor);
        }
        out.cash *= factor;
        out
    }

    pub fn alone(leg: Leg) -> Account {
        Account {
            legs: vec![leg],
            ..Account::default()
        }
    }

    /// What rounding and the kernel's error may add up to in a figure, in 10⁻⁸ dollars: some 200 units a position, 100 an asset and its
    /// collateral, and 2⁻³⁴ of the sizes.
    pub fn tolerance(&self) -> i64 {
        let sizes: i64 = self.legs.iter().map(Leg::size).sum();
        400 + 200 * self.legs.len() as i64 + (sizes >> 34)
    }
}

/// One asset.
pub fn report(
    account: &Account,
    asset: usize,
    params: &AssetParams,
    portfolio: &PortfolioParams,
    memory: &mut OptionBook,
) -> Result<AssetReport, RiskError> {
    let index = Price(INDEX[asset]);
    let mut book = AssetBook::with_options(params, portfolio, PriceState::default(), index, memory);
    let value = Notional(account.collateral[asset]);
    book.set_collateral(value, value)?;
    for bucket in 0..=SECONDS.len() as u8 {
        let legs: Vec<&Leg> = (account.legs.iter())
            .filter(|l| l.asset == asset && l.bucket == bucket)
            .collect();
        let expiry = bucket.checked_sub(1).map(|number| (number, expiry(asset, number)));
        if let Some((number, expiry)) = expiry.filter(|_| legs.iter().any(|l| l.kind != Kind::Linear)) {
            book.begin_expiry(number, &expiry)?;
        }
        for leg in legs {
            let quantity = Quantity(leg.quantity);
            if leg.kind == Kind::Linear {
                let (mark, slow) = expiry.map_or((index, index), |(_, e)| (e.forward, e.slow_forward));
                let bucket = expiry.map_or(Bucket::Perpetual, |(number, _)| Bucket::Expiry(number));
                book.add_linear(bucket, mark.times(quantity), slow.times(quantity), Notional(leg.quote))?;
                continue;
            }
            let strike = Price(index.0 / 100 * leg.strike);
            book.add_option(&OptionLeg {
                strike,
                ln_strike: ln_price(strike),
                call: leg.kind == Kind::Call,
                quantity,
                quote: Notional(leg.quote),
            })?;
        }
    }
    let mut out = AssetReport::default();
    book.finish(&mut out)?;
    Ok(out)
}

/// The account under these parameters, its assets in this order.
pub fn run(
    account: &Account,
    params: &[AssetParams; ASSETS],
    portfolio: &PortfolioParams,
    order: &[usize],
) -> Result<MarginReport, RiskError> {
    let mut memory = OptionBook::default();
    let mut sum = Portfolio::new(portfolio);
    for &asset in order {
        let out = report(account, asset, &params[asset], portfolio, &mut memory)?;
        sum.add(&out, &params[asset].clusters)?;
    }
    sum.finish(Cash::at_par(QuoteAmount(account.cash)))
}

pub fn margin_with(account: &Account, params: &[AssetParams; ASSETS]) -> MarginReport {
    run(account, params, &PortfolioParams::DEFAULT, &[0, 1, 2, 3]).unwrap()
}

pub fn margin(account: &Account) -> MarginReport {
    margin_with(account, &DEFAULTS)
}

/// 10⁻⁸ dollars, up to $10m; mostly of one size, so that netting matters.
fn size() -> impl Strategy<Value = i64> {
    prop_oneof![1 => 1i64..1_000_000_000_000_000, 1 => 1i64..1_000_000, 4 => 100_000_000_000i64..3_000_000_000_000]
}

pub fn any_leg(kinds: &'static [Kind], sides: &'static [i64]) -> impl Strategy<Value = Leg> {
    let strike = prop_oneof![4 => 80i64..125, 1 => 30i64..300];
    (
        0..ASSETS,
        prop::sample::select(kinds),
        1u8..=3,
        any::<bool>(),
        strike,
        prop::sample::select(sides),
        size(),
        -100i128..=100,
    )
        .prop_map(|(asset, kind, expiry, perpetual, strike, side, size, quote)| {
            let bucket = if perpetual && kind == Kind::Linear { 0 } else { expiry };
            let quantity = i128::from(size) * 10_000_000_000 / i128::from(INDEX[asset]);
            Leg {
                asset,
                kind,
                bucket,
                strike,
                quantity: side * (quantity as i64).max(1),
                quote: quote * i128::from(size) * 10_000_000,
            }
        })
}

pub const ALL: &[Kind] = &[Kind::Linear, Kind::Call, Kind::Call, Kind::Put, Kind::Put];
pub const OPTIONS: &[Kind] = &[Kind::Call, Kind::Put];

pub fn leg() -> impl Strategy<Value = Leg> {
    any_leg(ALL, &[-1, 1])
}

/// Positions alone; an account has one in an instrument.
pub fn positions() -> impl Strategy<Value = Account> {
    (prop::collection::vec(leg(), 0..9), -10i64.pow(12)..10i64.pow(12)).prop_map(|(legs, cash)| Account {
        legs: distinct(legs),
        cash,
        ..Account::default()
    })
}

pub fn distinct(legs: Vec<Leg>) -> Vec<Leg> {
    let mut out: Vec<Leg> = Vec::new();
    for leg in legs {
        let strike = |l: &Leg| if l.kind == Kind::Linear { 0 } else { l.strike };
        let same = |l: &Leg| (l.asset, l.bucket, l.kind, strike(l)) == (leg.asset, leg.bucket, leg.kind, strike(&leg));
        if !out.iter().any(same) {
            out.push(leg);
        }
    }
    out
}

/// Positions and collateral.
pub fn accounts() -> impl Strategy<Value = Account> {
    let balance = || prop_oneof![2 => Just(0i128), 1 => 10i128.pow(21)..=10i128.pow(24)];
    (positions(), [balance(), balance(), balance(), balance()])
        .prop_map(|(account, collateral)| Account { collateral, ..account })
}
