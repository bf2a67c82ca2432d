//! The engine, through the calculator's reading of a file, against independent oracles on random accounts.
//!
//! `tests/oracle/margin_oracle.py` computes in exact rational numbers but for the price of one unit of an option, so the rounding bound
//! of the methodology's section 7 is checked strictly: requirements are never below the exact ones, equities and scenario P&L never
//! above. Of the 10⁻⁹ of gross plus 10⁻⁶ a line that may be lost, linear accounts use a tenth of the second term and no more, accounts
//! with options a tenth of the first one and the second. Where `../shared` holds the floating-point reference script, it is asked as well.
#[path = "../../examples/margin/compute.rs"]
mod compute;
#[path = "../../examples/margin/decimal.rs"]
#[allow(dead_code)]
mod decimal;
mod generate;
#[path = "../../examples/margin/input.rs"]
#[allow(dead_code)]
mod input;
#[path = "../../examples/margin/options.rs"]
#[allow(dead_code)]
mod options;
#[path = "../../examples/margin/parameters.rs"]
mod parameters;

use ballast_fixed::{Dollars, Notional, Ratio};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ACCOUNTS: u64 = 5_000;
/// So many of them are priced to 70 digits.
const PRECISE: usize = 60;

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The oracle's answers, or `None` on a machine without Python.
fn ask_oracle(arguments: &[&str], accounts: &[String]) -> Option<Vec<Value>> {
    let started = Command::new("python3")
        .arg(folder().join("tests/oracle/margin_oracle.py"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut oracle = match started {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("python3 does not start: {error}"),
    };
    let mut stdin = oracle.stdin.take().unwrap();
    let text = format!("[{}]", accounts.join(","));
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = oracle.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the oracle failed");
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), accounts.len());
    Some(answers)
}

fn accounts() -> Vec<String> {
    (0..ACCOUNTS).map(generate::account).collect()
}

/// Two halves at once: the machines that test have two cores.
fn ask_for_all(arguments: &[&str], accounts: &[String]) -> Option<Vec<Value>> {
    let (first, second) = accounts.split_at(accounts.len() / 2);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| ask_oracle(arguments, second));
        let mut answers = ask_oracle(arguments, first)?;
        answers.extend(second.join().unwrap()?);
        Some(answers)
    })
}

/// Which side of the exact figure the engine may be on.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    NeverBelow,
    NeverAbove,
    Either,
}
use Side::{Either, NeverAbove, NeverBelow};

/// What an oracle's figure is compared by.
struct Judge<'a> {
    account: &'a str,
    /// The rounding bound, in 10⁻¹⁸ dollars.
    bound: i128,
    /// [down, up] texts, or floating point.
    exact: bool,
}

impl Judge<'_> {
    fn check(&self, what: &str, engine: Dollars, oracle: &Value, side: Side) {
        let engine = Notional::from_dollars(engine).0;
        let (down, up) = self.range(what, oracle);
        let (below, above) = (up - engine, engine - down);
        let text = || format!("{what}: engine {engine}, oracle {oracle}\n{}", self.account);
        assert!(
            below <= self.bound && above <= self.bound,
            "outside the bound: {}",
            text()
        );
        if self.exact {
            assert!(side != NeverBelow || below <= 0, "below the exact figure: {}", text());
            assert!(side != NeverAbove || above <= 0, "above the exact figure: {}", text());
        }
    }

    fn range(&self, what: &str, oracle: &Value) -> (i128, i128) {
        if self.exact {
            let end = |i: usize| {
                oracle[i]
                    .as_str()
                    .unwrap_or_else(|| panic!("{what}: {oracle}"))
                    .parse()
                    .unwrap()
            };
            return (end(0), end(1));
        }
        let value = oracle.as_f64().unwrap_or_else(|| panic!("{what}: {oracle}"));
        let value = (value * 1e18) as i128;
        (value, value)
    }
}

fn compare_account(text: &str, oracle: &Value, exact: bool) {
    let input = input::read(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let outcome = compute::compute(&input).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(input.warnings, [] as [String; 0]);
    let judge = Judge {
        account: text,
        bound: if exact && options(&input) == 0 {
            lines(&input) * LINE / 10
        } else if exact {
            gross(&input) / 10_000_000_000 + lines(&input) * LINE
        } else {
            // Floating-point sums carry the error of the cash in them: one line more.
            gross(&input) / 1_000_000_000 + (lines(&input) + 1) * LINE
        },
        exact,
    };
    let m = &outcome.margin;
    for (what, engine, side) in [
        ("IM", m.initial, NeverBelow),
        ("MM", m.maintenance, NeverBelow),
        ("R", m.scan, NeverBelow),
        ("charge", m.charge, NeverBelow),
        ("conc", m.concentration, NeverBelow),
        ("som", m.short_option_minimum, NeverBelow),
        ("nov", m.net_option_value, NeverBelow),
        ("buffer", m.buffer, NeverBelow),
        ("equity_mm", m.equity_maintenance, NeverAbove),
        ("equity_im", m.equity_initial, NeverAbove),
        ("equity_w", m.equity_withdrawal, NeverAbove),
    ] {
        judge.check(what, engine, &oracle[what], side);
    }
    // Left out of most answers, for the time it takes.
    if !oracle["isolated_IM"].is_null() {
        judge.check("isolated_IM", outcome.isolated, &oracle["isolated_IM"], NeverBelow);
    }
    for (k, level) in m.levels.iter().enumerate().take(input.levels) {
        if input.portfolio.level_weights[k] > Ratio::ZERO {
            judge.check(&format!("level {k}"), *level, &oracle["levels"][k], NeverBelow);
        }
    }
    let assets = oracle["assets"].as_object().unwrap();
    // The script lists stand-alone stablecoins no more than the engine does, and nothing else is left out.
    assert_eq!(assets.len(), outcome.assets.len(), "{text}");
    for (asset, report) in &outcome.assets {
        let place = |field: &str| format!("{} {field}", asset.name);
        let theirs = &assets[&asset.name];
        for (field, engine, side) in [
            ("scan", report.scan, NeverBelow),
            ("bucket_sum", report.bucket_sum, NeverBelow),
            // Where λ < λ_o a smaller H₁ costs more.
            ("matched_d1", report.matched_linear, Either),
            ("matched_all", report.matched_all, NeverBelow),
            ("spread", report.spread, NeverBelow),
            ("vega", report.vega, NeverBelow),
            ("charge", report.charge, NeverBelow),
            ("conc", report.concentration, NeverBelow),
            ("som", report.short_option_minimum, NeverBelow),
            ("nov", report.net_option_value, NeverBelow),
            ("buffer", report.buffer, NeverBelow),
            ("net_delta", report.net_delta, Either),
        ] {
            judge.check(&place(field), engine, &theirs[field], side);
        }
        for (s, &pnl) in report.pnl.iter().enumerate() {
            judge.check(
                &place(&format!("scenario {s}")),
                Dollars(pnl),
                &theirs["pnl"][s],
                NeverAbove,
            );
        }
    }
}

/// Positions and balances.
fn lines(input: &input::Input) -> i128 {
    let lines = |a: &input::Asset| a.positions.len() + a.options.len() + usize::from(a.collateral.is_some());
    input.assets.iter().map(lines).sum::<usize>() as i128
}

fn options(input: &input::Input) -> usize {
    input.assets.iter().map(|a| a.options.len()).sum()
}

/// Σ|N|, Σ|q|·max(F, K) of options, and collateral.
fn gross(input: &input::Input) -> i128 {
    let values = |a: &input::Asset| {
        let positions = a.positions.iter().map(|p| p.value.index.0.abs());
        let options = a.options.iter().map(|o| {
            let price = o.leg.strike.max(o.expiry.forward);
            price.times(o.leg.quantity).0.abs()
        });
        positions
            .chain(options)
            .chain(a.collateral.map(|v| v.index.0))
            .sum::<i128>()
    };
    input.assets.iter().map(values).sum()
}

/// 10⁻⁶ dollars.
const LINE: i128 = 1_000_000_000_000;

#[test]
fn random_accounts_equal_the_exact_oracle() {
    let accounts = accounts();
    let answers = ask_for_all(&[], &accounts).expect("python3, which `make test` installs");
    for (account, answer) in accounts.iter().zip(&answers) {
        compare_account(account, answer, true);
    }
}

#[test]
fn options_equal_the_oracle_to_70_digits() {
    let mut accounts = accounts();
    accounts.retain(|text| text.matches("\"option\"").count() > 2);
    accounts.truncate(PRECISE);
    let answers = ask_for_all(&["--precise"], &accounts).expect("python3, which `make test` installs");
    for (account, answer) in accounts.iter().zip(&answers) {
        compare_account(account, answer, true);
    }
}

#[test]
fn random_accounts_equal_the_reference_script() {
    let reference: PathBuf = folder().join("../../../shared/reference");
    if !reference.join("reference_margin.py").exists() {
        eprintln!("skipped: the reference script is not beside the repository");
        return;
    }
    let mut accounts = Vec::new();
    accounts.extend(
        (0..ACCOUNTS)
            .filter(|&seed| !generate::beyond_the_script(seed))
            .map(generate::account),
    );
    let Some(answers) = ask_for_all(&["--reference", reference.to_str().unwrap()], &accounts) else {
        eprintln!("skipped: python3 is not installed");
        return;
    };
    for (account, answer) in accounts.iter().zip(&answers) {
        compare_account(account, answer, false);
    }
}

/// The generator must reach what the comparison is for.
#[test]
fn the_accounts_cover_what_matters() {
    let mut seen = [0; 18];
    for text in accounts() {
        let input = input::read(&text).unwrap();
        let outcome = compute::compute(&input).unwrap();
        let positions: usize = input.assets.iter().map(|a| a.positions.len()).sum();
        let collaterals = input.assets.iter().filter(|a| a.collateral.is_some()).count();
        let floored = |r: Ratio| r.0 * 4 > input.portfolio.shock_floor.0;
        let sized = |a: &input::Asset| {
            a.collateral
                .is_some_and(|v| a.params.concentration.0 > 0 && v.index > Notional::from_dollars(a.params.depth))
        };
        let capped = |r: &ballast_risk::AssetReport| r.charge < r.spread;
        let wrong_way = |a: &input::Asset, r: &ballast_risk::AssetReport| {
            a.collateral.is_some() && r.net_delta > Dollars::ZERO && !a.positions.is_empty()
        };
        let any = &outcome.assets;
        let sides = |a: &input::Asset| {
            let linear = a.positions.iter().map(|p| p.value.index.0);
            let [long, short] = [1, -1].map(|sign| linear.clone().map(|n| (sign * n).max(0)).sum::<i128>());
            Notional(long.min(short)).ceil().unwrap()
        };
        let all_options = || input.assets.iter().flat_map(|a| &a.options);
        for (slot, hit) in seen.iter_mut().zip([
            positions + options(&input) == 40,
            collaterals == 8,
            outcome.margin.concentration > Dollars::ZERO,
            any.iter().any(|(a, _)| floored(a.params.scan_range)),
            any.iter().any(|(a, _)| sized(a)),
            any.iter().any(|(_, r)| capped(r)),
            any.iter().any(|(a, r)| wrong_way(a, r)),
            any.iter().any(|(_, r)| r.matched_all > r.matched_linear),
            outcome.margin.levels[0] > outcome.margin.levels[1],
            options(&input) > 20,
            any.iter().any(|(a, r)| r.matched_linear.0 > sides(a).0 + 1_000), // synthetic futures
            any.iter().any(|(_, r)| r.vega.0 > r.scan.0 / 50 && r.charge > r.spread),
            any.iter()
                .any(|(_, r)| r.short_option_minimum.0 > r.scan.0 + r.charge.0),
            outcome.margin.net_option_value > Dollars::ZERO,
            all_options().any(|o| o.expiry.fixed > Ratio::ZERO),
            all_options().any(|o| o.expiry.slow_forward != o.expiry.forward),
            all_options().any(|o| o.volatilities.slow != o.volatilities.current),
            any.iter()
                .any(|(a, r)| !a.options.is_empty() && r.worst_scenario >= 14 && r.worst_scenario < 20),
        ]) {
            *slot += usize::from(hit);
        }
    }
    assert!(seen.iter().all(|&n| n >= 20), "{seen:?}");
}
