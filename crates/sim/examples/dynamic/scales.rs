//! ψ_eff over ψ.
use crate::{day, runs, Asset, Within};
use ballast_fixed::kernel::Q48;
use ballast_risk::defaults;
use ballast_risk::scan_scale::{ScaleLimits, ScanScale, LARGEST_CAP, ONE};
use ballast_risk::variance::RealisedVariance;
use ballast_sim::prices::{date::DAY, HOUR};
use ballast_sim::table::Table;

const MINUTE: i64 = 60;

/// An hour's end: what stood over it.
#[derive(Clone, Copy)]
struct Hour {
    /// Begin of the hour.
    time: i64,
    /// The scale at its end, and 3σ/ψ at its largest in it.
    scale: f64,
    wanted: f64,
    /// The price at its end.
    price: f64,
}

/// An asset's realised variance of a day, minute by minute.
fn variances(asset: &Asset, within: Within) -> Vec<Q48> {
    let mut variance = RealisedVariance::default();
    let minutes = (asset.series.start()..asset.series.end()).step_by(MINUTE as usize);
    let seen = minutes.map(|now| {
        variance.observe(asset.index(within, now), now);
        variance.daily()
    });
    seen.collect()
}

/// What the board would have had, hour by hour.
fn hours(asset: &Asset, variances: &[Q48], limits: &ScaleLimits) -> Vec<Hour> {
    let psi = psi(asset);
    let mut scale = ScanScale::default();
    let hour = |(time, variances): (i64, &[Q48])| {
        for (minute, &variance) in (0..).zip(variances) {
            scale.observe(variance, limits, time + MINUTE * minute);
        }
        let largest = variances.iter().max().map_or(0.0, |v| v.0 as f64 / (1u64 << 48) as f64);
        Hour {
            time,
            scale: multiple(scale.initial()),
            wanted: 3.0 * largest.sqrt() / psi,
            price: asset.series.at(time + HOUR - 1),
        }
    };
    let begins = (asset.series.start()..).step_by(HOUR as usize);
    begins.zip(variances.chunks(60)).map(hour).collect()
}

fn psi(asset: &Asset) -> f64 {
    asset.params.scan_range.0 as f64 / 1e9
}

fn multiple(scale: u32) -> f64 {
    f64::from(scale) / f64::from(ONE)
}

fn limits(asset: &Asset, cap: u32, fall_per_hour: u32) -> ScaleLimits {
    ScaleLimits {
        scan_range: asset.params.scan_range,
        cap,
        fall_per_hour,
    }
}

fn years(hours: &[Hour]) -> f64 {
    hours.len() as f64 / 24.0 / 365.25
}

fn above_one(hours: &[Hour]) -> usize {
    hours.iter().filter(|hour| hour.scale > 1.0).count()
}

/// Moves of a day from each hour's end on beyond ψ and beyond ψ_eff, and how many there are.
fn beyond(asset: &Asset, hours: &[Hour]) -> (usize, usize, usize) {
    let psi = psi(asset);
    let moves = hours
        .iter()
        .zip(&hours[24..])
        .map(|(a, b)| (a.scale, (b.price / a.price - 1.0).abs()));
    let (mut table, mut effective, mut all) = (0, 0, 0);
    for (scale, size) in moves {
        all += 1;
        table += usize::from(size > psi);
        effective += usize::from(size > psi * scale);
    }
    (table, effective, all)
}

/// Days on which 3σ reach a multiple of ψ, each with the largest.
fn days(hours: &[Hour], least: f64) -> Vec<(i64, f64)> {
    let mut days: Vec<(i64, f64)> = Vec::new();
    for hour in hours.iter().filter(|hour| hour.wanted > least) {
        let day = hour.time - hour.time.rem_euclid(DAY);
        match days.last_mut() {
            Some((known, largest)) if *known == day => *largest = largest.max(hour.wanted),
            _ => days.push((day, hour.wanted)),
        }
    }
    days
}

/// Prints everything about ψ_eff.
pub fn print(assets: &[Asset]) {
    println!("psi_eff over psi with the defaults: days on which 3 sigma are above a multiple of psi, hours above 1\n");
    let mut table = Table::new(&[
        "",
        "days",
        "above 1",
        "1.5",
        "2",
        "2.5",
        "hours above 1 a year",
        "moves of a day",
        "beyond psi %",
        "beyond psi_eff %",
    ]);
    for (within, name) in [(Within::Closes, "closes"), (Within::Extremes, "extremes")] {
        for asset in assets {
            let hours = by_default(asset, within);
            let above = [1.0, 1.5, 2.0, 2.5].map(|least| days(&hours, least).len().to_string());
            let [one, half, two, cap] = above;
            let (by_table, by_effective, all) = beyond(asset, &hours);
            let percent = |n: usize| format!("{:.2}", 100.0 * n as f64 / all as f64);
            table.row([
                format!("{}, {name}", asset.name),
                (hours.len() / 24).to_string(),
                one,
                half,
                two,
                cap,
                format!("{:.0}", above_one(&hours) as f64 / years(&hours)),
                all.to_string(),
                percent(by_table),
                percent(by_effective),
            ]);
        }
    }
    println!("{table}");
    for asset in assets {
        let hours = by_default(asset, Within::Closes);
        let (first, last) = (day(hours[0].time), day(hours[hours.len() - 1].time));
        println!(
            "{}: days of {first} to {last} on which 3 sigma are above psi, by closes, with the largest multiple",
            asset.name
        );
        for (first, last, largest) in runs(&days(&hours, 1.0)) {
            println!("    {} to {}  {largest:.2}", day(first), day(last));
        }
        println!();
    }
    rates(assets);
}

fn by_default(asset: &Asset, within: Within) -> Vec<Hour> {
    let limits = limits(asset, defaults::SCALE_CAP, defaults::SCALE_FALL_PER_HOUR);
    hours(asset, &variances(asset, within), &limits)
}

/// What other rates and caps would have done.
fn rates(assets: &[Asset]) {
    println!("Rate of the fall and cap, by extremes: hours above 1 a year, and moves of one day beyond psi_eff in %\n");
    let seen: Vec<_> = assets.iter().map(|asset| variances(asset, Within::Extremes)).collect();
    let mut table = Table::new(&["cap, fall an hour", "BTC", "", "ETH", "", "SOL", ""]);
    let cases = [10_000, 20_000, 50_000, 100_000, 200_000, u32::MAX].map(|fall| (LARGEST_CAP, fall));
    let caps = [1_500_000, 2_000_000].map(|cap| (cap, defaults::SCALE_FALL_PER_HOUR));
    for (cap, fall) in cases.into_iter().chain(caps) {
        let cells = assets.iter().zip(&seen).flat_map(|(asset, seen)| {
            let hours = hours(asset, seen, &limits(asset, cap, fall));
            let (_, beyond, all) = beyond(asset, &hours);
            let percent = 100.0 * beyond as f64 / all as f64;
            [
                format!("{:.0}", above_one(&hours) as f64 / years(&hours)),
                format!("{percent:.2}"),
            ]
        });
        let name = match fall {
            u32::MAX => format!("{:.1}, at once", multiple(cap)),
            _ => format!("{:.1}, {} % of psi", multiple(cap), fall / 10_000),
        };
        let mut row = vec![name];
        row.extend(cells);
        if let Ok(cells) = <[String; 7]>::try_from(row) {
            table.row(cells);
        }
    }
    println!("{table}");
}
