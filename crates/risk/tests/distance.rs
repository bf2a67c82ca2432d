//! Distances of random linear books: the two ends lie beside each other, and nothing nearer is liquidatable.
use ballast_fixed::{Dollars, Notional, Price, Quantity, QuoteAmount, Ratio};
use ballast_risk::defaults::{BTC, ETH, SOL};
use ballast_risk::distance::{distance, Distance, Effort, Span};
use ballast_risk::{
    AssetBook, AssetParams, AssetReport, Bucket, Cash, Portfolio, PortfolioParams, PriceState, RiskError,
};

const BOOKS: u64 = 400;
/// Moves that are looked at for each book, besides the search's own.
const FINE: i64 = 500;
const PARAMS: [AssetParams; 3] = [BTC, ETH, SOL];
const PRICES: [i64; 3] = [100_000_000_000_000, 3_000_000_000_000, 150_000_000_000];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Up to `size` either way.
    fn signed(&mut self, size: i64) -> i64 {
        (self.next() % (2 * size as u64 + 1)) as i64 - size
    }
}

/// Perpetual, future and collateral of each asset in 10⁻⁹ units, and cash.
struct Book {
    legs: [[Quantity; 2]; 3],
    collateral: [Quantity; 3],
    cash: QuoteAmount,
}

impl Book {
    /// Up to `dollars` in each leg and collateral; with cash for a thousandth to a third more than MM.
    fn random(random: &mut Random, dollars: i64) -> Book {
        let size = |asset: usize| (i128::from(dollars) * 1_000_000_000_000_000_000 / i128::from(PRICES[asset])) as i64;
        let mut book = Book {
            legs: [0, 1, 2].map(|a| [random.signed(size(a)), random.signed(size(a))].map(Quantity)),
            collateral: [0, 1, 2].map(|a| Quantity(random.signed(size(a)).max(0))),
            cash: QuoteAmount(0),
        };
        let (equity, maintenance) = book.margin(0, 0);
        let spare = 1 + random.next() % 333;
        let target = maintenance + maintenance / 1_000 * spare as i64;
        book.cash = QuoteAmount((target - equity) / 100 + 1);
        book
    }

    /// E_mm and MM with one asset's price moved.
    fn margin(&self, moved: usize, by: i64) -> (i64, i64) {
        self.evaluate(moved, by).expect("within the domain")
    }

    fn evaluate(&self, moved: usize, by: i64) -> Result<(i64, i64), RiskError> {
        let mut portfolio = Portfolio::new(&PortfolioParams::DEFAULT);
        for (asset, params) in PARAMS.iter().enumerate() {
            let entry = Price(PRICES[asset]);
            let price = if asset == moved {
                Price(entry.scaled_floor(Ratio(by))?.0.max(1))
            } else {
                entry
            };
            let mut book = AssetBook::new(params, &PortfolioParams::DEFAULT, PriceState::default());
            let held = price.times(self.collateral[asset]);
            book.set_collateral(held, held)?;
            for (bucket, quantity) in [Bucket::Perpetual, Bucket::Expiry(0)].into_iter().zip(self.legs[asset]) {
                let value = price.times(quantity);
                let quote = Notional::ZERO.minus(entry.times(quantity))?;
                book.add_linear(bucket, value, value, quote)?;
            }
            let mut report = AssetReport::default();
            book.finish(&mut report)?;
            portfolio.add(&report, &params.clusters)?;
        }
        let report = portfolio.finish(Cash::at_par(self.cash))?;
        Ok((report.equity_liquidation.0, report.maintenance.0))
    }

    fn surplus(&self, moved: usize, by: i64) -> i64 {
        let (equity, maintenance) = self.margin(moved, by);
        equity - maintenance
    }
}

/// Searches with as much effort as the program has, and returns how many moves it took.
fn search(book: &Book, asset: usize, to: i64) -> (Distance, u32) {
    let span = Span {
        from: Ratio::ZERO,
        to: Ratio(to),
        steps: 20,
    };
    let effort = Effort {
        evaluations: 48,
        tolerance: Ratio(1),
    };
    let mut count = 0;
    let found = distance(&span, &effort, |by| -> Result<Dollars, RiskError> {
        count += 1;
        Ok(Dollars(book.surplus(asset, by.0)))
    });
    (found.expect("within the domain"), count)
}

/// Books of `dollars` a leg; how many of their distances have an end.
fn check(dollars: i64) -> u64 {
    let mut ends = 0;
    for seed in 0..BOOKS {
        let mut random = Random(seed);
        let book = Book::random(&mut random, dollars);
        let asset = (random.next() % 3) as usize;
        for to in [-Ratio::SCALE, Ratio::SCALE, 10 * Ratio::SCALE] {
            let (found, count) = search(&book, asset, to);
            assert!(count <= 48);
            let end = match found.liquidatable {
                Some(end) => {
                    ends += 1;
                    assert!(book.surplus(asset, found.safe.0) >= 0 && book.surplus(asset, end.0) < 0);
                    assert_eq!((end.0 - found.safe.0).abs(), 1, "seed {seed}: {count} evaluations");
                    found.safe.0
                }
                None => to,
            };
            for n in 0..=FINE {
                let by = (i128::from(end) * i128::from(n) / i128::from(FINE)) as i64;
                assert!(book.surplus(asset, by) >= 0, "seed {seed}: {by} is nearer than {end}");
            }
        }
    }
    ends
}

#[test]
fn nothing_is_nearer_in_a_linear_book() {
    let ends = check(200_000);
    assert!(ends > BOOKS, "{ends} ends are few");
}

/// Legs of up to 60 million dollars: past the depth of every asset the charges and the haircuts grow with size, and the surplus bends.
#[test]
fn nothing_is_nearer_in_a_large_book() {
    let ends = check(60_000_000);
    assert!(ends > BOOKS, "{ends} ends are few");
}
