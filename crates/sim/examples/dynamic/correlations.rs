//! Correlations of hourly means, and the weights that they leave.
use crate::{day, runs, Asset, Within};
use ballast_fixed::{Price, Ratio};
use ballast_risk::correlation::{effective_weights, Correlation, PairFactor, HALF_LIFE_HOURS};
use ballast_risk::index_history::{place_of, IndexIntegral, KEPT_HOURS};
use ballast_risk::{defaults, PortfolioParams, RiskError};
use ballast_sim::prices::{date::DAY, HOUR};
use ballast_sim::table::Table;

/// An index as the board keeps it.
#[derive(Default)]
struct History {
    integral: IndexIntegral,
    hours: [i128; KEPT_HOURS],
    index: Price,
}

impl History {
    fn stands(&mut self, index: Price, from: i64) {
        let hours = &mut self.hours;
        let keep = |hour: i64, sum: i128| hours[place_of(hour)] = sum;
        self.integral = self.integral.advanced(self.index, from, keep).expect("within range");
        self.index = index;
    }

    fn at_hour(&self, hour: i64) -> Result<Option<i128>, RiskError> {
        let kept = |hour: i64| self.hours[place_of(hour)];
        Ok(self.integral.at_hour(self.index, hour, kept)?)
    }
}

/// A pair over time.
struct Pair<'a> {
    a: &'a Asset,
    b: &'a Asset,
    reference: Ratio,
    /// Begin of each hour, the correlation known then and its factor.
    hours: Vec<(i64, f64, Ratio)>,
}

impl Pair<'_> {
    fn name(&self) -> String {
        format!("{}/{}", self.a.name, self.b.name)
    }

    /// Days on which the correlation is below the reference, each with how far.
    fn broken(&self) -> Vec<(i64, f64)> {
        let mut days: Vec<(i64, f64)> = Vec::new();
        for &(time, value, factor) in &self.hours {
            let day = time - time.rem_euclid(DAY);
            if factor == Ratio::ONE {
                continue;
            }
            match days.last_mut() {
                Some((known, largest)) if *known == day => *largest = largest.max(-value),
                _ => days.push((day, -value)),
            }
        }
        days
    }
}

fn pair<'a>(a: &'a Asset, b: &'a Asset, reference: Ratio) -> Pair<'a> {
    let (mut of_a, mut of_b) = (History::default(), History::default());
    let mut known = Correlation::default();
    let mut hours = Vec::new();
    let begin = a.series.start().max(b.series.start());
    let end = a.series.end().min(b.series.end());
    for now in (begin..end).step_by(60) {
        for (asset, history) in [(a, &mut of_a), (b, &mut of_b)] {
            history.stands(asset.index(Within::Closes, now), now);
        }
        if now % HOUR == 0 {
            let (a, b) = (|hour| of_a.at_hour(hour), |hour| of_b.at_hour(hour));
            known.advance(&a, &b, now, 24).expect("within range");
            if let Some(value) = known.value() {
                hours.push((now, value.0 as f64 / 1e9, known.factor(reference)));
            }
        }
    }
    Pair { a, b, reference, hours }
}

/// Prints everything about correlations.
pub fn print(assets: &[Asset; 3]) {
    let [btc, eth, sol] = assets;
    let pairs = [
        pair(btc, eth, defaults::REFERENCE_BTC_ETH),
        pair(btc, sol, defaults::REFERENCE_SOL),
        pair(eth, sol, defaults::REFERENCE_SOL),
    ];
    println!("Correlation of hourly means, by opens and closes, half-life {HALF_LIFE_HOURS} hours\n");
    let mut table = Table::new(&[
        "",
        "reference",
        "least",
        "1 %",
        "5 %",
        "median",
        "days below",
        "runs",
        "hours below a year",
    ]);
    for pair in &pairs {
        let mut values: Vec<_> = pair.hours.iter().map(|hour| hour.1).collect();
        values.sort_by(f64::total_cmp);
        let quantile = |part: f64| format!("{:.3}", values[(part * (values.len() - 1) as f64) as usize]);
        let below = pair.hours.iter().filter(|hour| hour.2 < Ratio::ONE).count();
        table.row([
            pair.name(),
            format!("{:.2}", pair.reference.0 as f64 / 1e9),
            quantile(0.0),
            quantile(0.01),
            quantile(0.05),
            quantile(0.5),
            pair.broken().len().to_string(),
            runs(&pair.broken()).len().to_string(),
            format!("{:.0}", below as f64 * 365.25 * 24.0 / pair.hours.len() as f64),
        ]);
    }
    println!("{table}");
    for pair in &pairs {
        println!(
            "{}: days below the reference, with the least of each run and the weights then",
            pair.name()
        );
        for (first, last, least) in runs(&pair.broken()) {
            println!(
                "    {} to {}  {:.3}  {}",
                day(first),
                day(last),
                -least,
                weights(pair, -least)
            );
        }
        println!();
    }
    netted(&pairs);
    half_lives(&pairs);
}

/// The level weights that the pair alone leaves at a correlation.
fn weights(pair: &Pair, correlation: f64) -> String {
    let factor = (correlation * 1e9 / pair.reference.0 as f64).clamp(0.0, 1.0);
    let factor = PairFactor {
        levels: pair.a.params.joined_levels(&pair.b.params),
        factor: Ratio((factor * 1e9) as i64),
    };
    let weights = effective_weights(&PortfolioParams::DEFAULT.level_weights, &[factor]).expect("within bounds");
    let weights = weights.map(|weight| format!("{:.3}", weight.0 as f64 / 1e9));
    weights[..3].join(" ")
}

/// Losses of one day of one asset against the other, each for as much as makes its ψ the same sum, against the scan that is asked for it:
/// 2ψ·(1 − w) of either, w the weight of the levels that join them. At the table's weights and at those that the pair leaves; ψ is the table's.
fn netted(pairs: &[Pair]) {
    println!("Losses of one day beyond the scan of a netted pair, from every hour on, %\n");
    let mut table = Table::new(&["", "moves", "table's weights", "weights in force"]);
    for pair in pairs {
        let levels = pair.a.params.joined_levels(&pair.b.params);
        let full = PortfolioParams::DEFAULT.level_weights;
        let joined = (0..full.len()).filter(|level| levels >> level & 1 == 1);
        let weight: f64 = joined.map(|level| full[level].0 as f64 / 1e9).sum();
        let change = |asset: &Asset, time: i64| {
            let psi = asset.params.scan_range.0 as f64 / 1e9;
            (asset.series.at(time + DAY - 1) / asset.series.at(time) - 1.0) / psi
        };
        let hours = &pair.hours[..pair.hours.len() - 24];
        let (mut table_beyond, mut beyond) = (0, 0);
        for (time, _, factor) in hours {
            let loss = (change(pair.a, *time) - change(pair.b, *time)).abs();
            let left = factor.0 as f64 / 1e9;
            table_beyond += usize::from(loss > 2.0 * (1.0 - weight));
            beyond += usize::from(loss > 2.0 * (1.0 - weight * left));
        }
        let percent = |n: usize| format!("{:.2}", 100.0 * n as f64 / hours.len() as f64);
        table.row([
            pair.name(),
            hours.len().to_string(),
            percent(table_beyond),
            percent(beyond),
        ]);
    }
    println!("{table}");
}

/// How well each half-life tells the next day's correlation: mean logarithm of the likelihood of a day's 24 pairs of returns, standardised,
/// under the normal distribution with the correlation known before.
fn half_lives(pairs: &[Pair]) {
    const HALF_LIVES: [f64; 8] = [12.0, 24.0, 48.0, 72.0, 96.0, 120.0, 168.0, 336.0];
    println!("Half-life: log-likelihood of the next day's returns, an hour\n");
    let names = HALF_LIVES.map(|half_life| format!("{half_life:.0} h"));
    let mut header = vec![""];
    header.extend(names.iter().map(String::as_str));
    let mut table = Table::new(&header);
    for pair in pairs {
        let returns = returns(pair);
        let mut row = vec![pair.name()];
        row.extend(HALF_LIVES.map(|half_life| format!("{:.4}", likelihood(&returns, half_life))));
        if let Ok(cells) = <[String; HALF_LIVES.len() + 1]>::try_from(row) {
            table.row(cells);
        }
    }
    println!("{table}");
}

/// Log returns of the hourly means of both.
fn returns(pair: &Pair) -> Vec<(f64, f64)> {
    let mean = |asset: &Asset, hour: i64| {
        (0..60)
            .map(|n| asset.index(Within::Closes, hour + 60 * n).0 as f64)
            .sum::<f64>()
    };
    let begin = pair.a.series.start().max(pair.b.series.start());
    let end = pair.a.series.end().min(pair.b.series.end());
    let hours = (begin..end).step_by(HOUR as usize);
    let means: Vec<_> = hours.map(|hour| (mean(pair.a, hour), mean(pair.b, hour))).collect();
    means
        .windows(2)
        .map(|w| ((w[1].0 / w[0].0).ln(), (w[1].1 / w[0].1).ln()))
        .collect()
}

fn likelihood(returns: &[(f64, f64)], half_life: f64) -> f64 {
    const WARM_UP: usize = 21;
    let kept = 0.5f64.powf(1.0 / half_life);
    let sums = |sums: [f64; 3], day: &[(f64, f64)], kept: f64| {
        day.iter().fold(sums, |[ab, aa, bb], (a, b)| {
            [ab * kept + a * b, aa * kept + a * a, bb * kept + b * b]
        })
    };
    let correlation = |[ab, aa, bb]: [f64; 3]| ab / (aa * bb).sqrt();
    let (mut known, mut total, mut days) = ([0.0; 3], 0.0, 0);
    for (n, day) in returns.chunks_exact(24).enumerate() {
        if n >= WARM_UP {
            let expected = correlation(known).clamp(-0.95, 0.99);
            let found = correlation(sums([0.0; 3], day, 1.0));
            let rest = 1.0 - expected * expected;
            total -= rest.ln() / 2.0 + (1.0 - expected * found) / rest;
            days += 1;
        }
        known = sums(known, day, kept);
    }
    total / f64::from(days)
}
