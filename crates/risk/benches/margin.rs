//! Margin evaluations a second on one core: `cargo bench --locked -p ballast-risk`. An evaluation is a whole account from its marks and
//! quantities to requirements and equities, at the index and at a slow price half a percent off, with surfaces off their means.
use ballast_fixed::kernel::ln_price;
use ballast_fixed::{Notional, Price, Quantity, QuoteAmount, Ratio};
use ballast_risk::surface::Surface;
use ballast_risk::{defaults, AssetBook, AssetParams, AssetReport, Bucket, Cash, Expiry, MarginReport, OptionBook};
use ballast_risk::{OptionLeg, Portfolio, PortfolioParams, PriceState, RiskError};
use criterion::{criterion_group, criterion_main, Criterion, Throughput};
use std::hint::black_box;

const PARAMS: PortfolioParams = PortfolioParams::DEFAULT;
const USD: i64 = 1_000_000_000;
const MONTH: i64 = 2_592_000;

/// One asset of an account.
struct Asset {
    params: AssetParams,
    index: Price,
    /// 10⁻⁹ units: the perpetual and a future of each expiry; 0 for none.
    linear: Vec<i64>,
    /// Options of each expiry, as many expiries as there are futures.
    options: Vec<Vec<OptionLeg>>,
    /// 10⁻⁹ units.
    collateral: i64,
}

impl Asset {
    fn slow(&self) -> Price {
        Price(self.index.0 / 200 * 199)
    }

    fn expiry(&self, number: i64) -> Expiry {
        let surface = |at_the_money| Surface {
            skew: Ratio(-80_000_000),
            curvature: Ratio(30_000_000),
            ..Surface::flat(Ratio(at_the_money))
        };
        Expiry {
            forward: self.index,
            slow_forward: self.slow(),
            seconds: MONTH * (number + 1),
            fixed: Ratio::ZERO,
            moving: Ratio::ONE,
            surface: surface(650_000_000),
            slow_surface: surface(640_000_000),
        }
    }

    /// So many units at the index and at the slow price.
    fn value(&self, units: i64) -> [Notional; 2] {
        [self.index, self.slow()].map(|price| price.times(Quantity(units)))
    }

    fn add(&self, book: &mut AssetBook) -> Result<(), RiskError> {
        for (at, units) in self.linear.iter().enumerate() {
            let options = at.checked_sub(1).map_or(&[][..], |expiry| &self.options[expiry]);
            if !options.is_empty() {
                book.begin_expiry(at as u8 - 1, &self.expiry(at as i64))?;
            }
            for leg in options {
                book.add_option(leg)?;
            }
            let bucket = at.checked_sub(1).map_or(Bucket::Perpetual, |n| Bucket::Expiry(n as u8));
            let [index, slow] = self.value(*units);
            book.add_linear(bucket, index, slow, index.negated()?)?;
        }
        Ok(())
    }
}

fn evaluate(assets: &[Asset], memory: &mut OptionBook) -> Result<MarginReport, RiskError> {
    let mut sum = Portfolio::new(&PARAMS);
    let mut report = AssetReport::default();
    for asset in assets {
        let mut book = if asset.options.iter().any(|expiry| !expiry.is_empty()) {
            AssetBook::with_options(&asset.params, &PARAMS, PriceState::default(), asset.index, memory)
        } else {
            AssetBook::new(&asset.params, &PARAMS, PriceState::default())
        };
        if asset.collateral != 0 {
            let [index, slow] = asset.value(asset.collateral);
            book.set_collateral(index, slow)?;
        }
        asset.add(&mut book)?;
        book.finish(&mut report)?;
        sum.add(&report, &asset.params.clusters)?;
    }
    sum.finish(Cash::at_par(QuoteAmount(50_000_000_000)))
}

/// `count` calls and puts, bought and sold in turn, each with a strike of its own around the money.
fn options(index: Price, count: i64) -> Vec<OptionLeg> {
    let leg = |n: i64| {
        let strike = Price(index.0 / 100 * (80 + 40 * n / count.max(1)));
        OptionLeg {
            strike,
            ln_strike: ln_price(strike),
            call: n % 2 == 0,
            quantity: Quantity(if n % 3 == 0 { -USD } else { USD }),
            quote: Notional::ZERO,
        }
    };
    (0..count).map(leg).collect()
}

fn asset(params: AssetParams, dollars: i64, linear: &[i64], counts: &[i64]) -> Asset {
    let index = Price(dollars * USD);
    Asset {
        params,
        index,
        linear: linear.to_vec(),
        options: counts.iter().map(|count| options(index, *count)).collect(),
        collateral: 0,
    }
}

fn margins(c: &mut Criterion) {
    use defaults::{BTC, ETH, MID_CAP, SOL};
    let linear = [
        asset(BTC, 100_000, &[USD, -USD / 2, -USD / 4], &[0, 0]),
        asset(ETH, 3_000, &[-40 * USD, 30 * USD, 2 * USD], &[0, 0]),
        asset(SOL, 150, &[100 * USD, -50 * USD], &[0]),
    ];
    let sixteen = [asset(ETH, 3_000, &[-2 * USD, USD], &[16])];
    let mut forty = [
        asset(BTC, 100_000, &[USD, -USD / 2, USD, USD], &[4, 2, 0]),
        asset(ETH, 3_000, &[-4 * USD, 3 * USD, USD, USD], &[4, 2, 0]),
        asset(SOL, 150, &[10 * USD, -5 * USD, USD, USD], &[4, 2, 0]),
        asset(MID_CAP, 1, &[10 * USD, -5 * USD, USD, USD], &[4, 2, 0]),
    ];
    for asset in &mut forty {
        asset.collateral = USD / 10;
    }
    let mut group = c.benchmark_group("margin");
    group.throughput(Throughput::Elements(1));
    let mut memory = Box::<OptionBook>::default();
    for (name, account) in [
        ("8 linear positions in three assets", &linear[..]),
        ("16 options and 2 linear positions", &sixteen[..]),
        (
            "24 options, 16 linear positions and 4 collaterals in four assets",
            &forty[..],
        ),
    ] {
        group.bench_function(name, |b| b.iter(|| evaluate(black_box(account), &mut memory)));
    }
    group.finish();
}

criterion_group!(benches, margins);
criterion_main!(benches);
