//! Accounts for the property tests: legs, collateral and cash, and the engine run over them.
use crate::common::{ASSETS, DEFAULTS};
use ballast_fixed::{Notional, QuoteAmount};
use ballast_risk::{AssetBook, AssetParams, AssetReport, Bucket, Cash, MarginReport, Portfolio};
use ballast_risk::{PortfolioParams, PriceState, RiskError};
use proptest::prelude::*;

/// The perpetual and three expiries.
pub const BUCKETS: u8 = 4;

/// A linear position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    pub asset: usize,
    /// 0 is the perpetual, the others are expiries.
    pub bucket: u8,
    pub value: Notional,
    /// At the slow price.
    pub slow: Notional,
    pub quote: Notional,
}

#[derive(Clone, Debug, Default)]
pub struct Account {
    pub legs: Vec<Leg>,
    /// Per asset, at the index and at the slow price.
    pub collateral: [(Notional, Notional); ASSETS],
    pub cash: i64,
}

impl Account {
    /// Both accounts in one, positions of an instrument netted.
    pub fn merged(&self, other: &Account) -> Account {
        let mut out = self.clone();
        for leg in &other.legs {
            let same = out
                .legs
                .iter_mut()
                .find(|l| (l.asset, l.bucket) == (leg.asset, leg.bucket));
            match same {
                Some(mine) => {
                    mine.value.0 += leg.value.0;
                    mine.slow.0 += leg.slow.0;
                    mine.quote.0 += leg.quote.0;
                }
                None => out.legs.push(*leg),
            }
        }
        for (mine, theirs) in out.collateral.iter_mut().zip(other.collateral) {
            mine.0 .0 += theirs.0 .0;
            mine.1 .0 += theirs.1 .0;
        }
        out.cash += other.cash;
        out
    }

    /// Every amount times `factor`, which may be negative for accounts without collateral.
    pub fn scaled(&self, factor: i64) -> Account {
        let scale = |x: &mut Notional| x.0 *= i128::from(factor);
        let mut out = self.clone();
        for leg in &mut out.legs {
            scale(&mut leg.value);
            scale(&mut leg.slow);
            scale(&mut leg.quote);
        }
        for (index, slow) in &mut out.collateral {
            scale(index);
            scale(slow);
        }
        out.cash *= factor;
        out
    }
}

/// Every asset of the account, in the order given.
pub fn run(
    account: &Account,
    params: &[AssetParams; ASSETS],
    portfolio: &PortfolioParams,
    order: &[usize],
) -> Result<MarginReport, RiskError> {
    let mut sum = Portfolio::new(portfolio);
    for &asset in order {
        let mut book = AssetBook::new(&params[asset], portfolio, PriceState::default());
        let (index, slow) = account.collateral[asset];
        book.set_collateral(index, slow)?;
        for bucket in 0..BUCKETS {
            for leg in account.legs.iter().filter(|l| l.asset == asset && l.bucket == bucket) {
                let bucket = bucket.checked_sub(1).map_or(Bucket::Perpetual, Bucket::Expiry);
                book.add_linear(bucket, leg.value, leg.slow, leg.quote)?;
            }
        }
        let mut report = AssetReport::default();
        book.finish(&mut report)?;
        sum.add(&report, &params[asset].clusters)?;
    }
    sum.finish(Cash::at_par(QuoteAmount(account.cash)))
}

/// Margin under these parameters.
pub fn margin_with(account: &Account, params: &[AssetParams; ASSETS]) -> MarginReport {
    run(account, params, &PortfolioParams::DEFAULT, &[0, 1, 2, 3]).unwrap()
}

/// Margin under the default parameters.
pub fn margin(account: &Account) -> MarginReport {
    margin_with(account, &DEFAULTS)
}

/// What rounding may add up to in a figure of these accounts, in 10⁻⁸ dollars: each of the four assets rounds its scenario
/// P&L (5 units), its charge and bucket sum (7), concentration (3), buffer (1) and credits (3) at most.
pub const ROUNDING: i64 = 80;

/// A positive amount in 10⁻¹⁸ dollars, all orders of magnitude up to $100m alike.
fn amount() -> impl Strategy<Value = i128> {
    (0u32..=26).prop_flat_map(|digits| 1..=10i128.pow(digits))
}

fn leg() -> impl Strategy<Value = Leg> {
    let side = prop_oneof![Just(-1i128), Just(1)];
    // Mostly amounts of one size, so that netting matters.
    let size = prop_oneof![1 => amount(), 3 => 10i128.pow(21)..=10i128.pow(24)];
    (0..ASSETS, 0..BUCKETS, side, size, 900i128..=1_100, 900i128..=1_100).prop_map(
        |(asset, bucket, side, size, entry, slow)| Leg {
            asset,
            bucket,
            value: Notional(side * size),
            slow: Notional(side * size * slow / 1_000),
            quote: Notional(-side * size * entry / 1_000),
        },
    )
}

/// Positions alone.
pub fn positions() -> impl Strategy<Value = Account> {
    (prop::collection::vec(leg(), 0..12), -10i64.pow(12)..10i64.pow(12)).prop_map(|(legs, cash)| Account {
        legs,
        collateral: Default::default(),
        cash,
    })
}

/// A balance at the index and at a slow price some percent away.
pub fn balance() -> impl Strategy<Value = (Notional, Notional)> {
    let size = prop_oneof![1 => Just(0), 1 => amount(), 2 => 10i128.pow(21)..=10i128.pow(24)];
    (size, 900i128..=1_100).prop_map(|(size, slow)| (Notional(size), Notional(size * slow / 1_000)))
}

/// Positions and collateral.
pub fn accounts() -> impl Strategy<Value = Account> {
    (positions(), [balance(), balance(), balance(), balance()])
        .prop_map(|(account, collateral)| Account { collateral, ..account })
}
