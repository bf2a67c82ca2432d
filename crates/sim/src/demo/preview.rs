//! Act 5: options, and the whole preview: now and after trades that have not happened, of which one then does.
use anchor_lang::prelude::Pubkey;
use ballast::instructions::{DistanceReport, PreviewChange, PreviewReport, PreviewSection, SurfaceUpdate};
use ballast::state::{InstrumentKind, MarginMethod, VolatilitySurface};
use ballast_client::preview::Preview;

use super::{Failure, Stage};
use crate::invariants::Leg;
use crate::table::{decimal, dollars, health, Table};
use crate::world::{User, ETH};

/// Seconds in thirty days.
const MONTH: i64 = 30 * 86_400;
/// Twelve calls of 2,500 and 6.444 futures: the dollars of ten calls of 3,000 and 5.37 futures, the methodology's example.
const CALLS: i64 = 12_000;
const FUTURES: i64 = 6_444;
/// Strikes in 10⁻⁹ USD: at the money, and a fifth above.
const STRIKES: [i64; 2] = [2_500_000_000_000, 3_000_000_000_000];
/// What each of the two has, quote units.
const CAPITAL: u64 = 8_000_000_000;
const MAKER: u64 = 1_000_000_000_000;

/// Instruments of the act.
struct Chain {
    future: usize,
    call: usize,
    high_call: usize,
}

/// Plays the act.
pub(super) fn play(stage: &mut Stage) -> Result<(), Failure> {
    stage.say("Act 5. Options, and the preview: ETH calls at 2,500 in thirty days, at a volatility of 65 %\n")?;
    let chain = list(stage)?;
    let (user, maker) = (stage.world.user(), stage.world.user());
    let usd = stage.world.usd;
    for (user, amount) in [(&user, CAPITAL), (&maker, MAKER)] {
        let outcome = stage.world.fund(user, &usd, amount);
        stage.done("deposit", outcome)?;
    }
    trade(stage, &user, &maker, &[(chain.call, CALLS)])?;
    let key = user.account.margin_account;
    let hedge = (chain.future, -FUTURES);
    let write = (chain.high_call, -3 * CALLS);
    let now = report(stage, &key, &[])?;
    let hedged = report(stage, &key, &changes(stage, &[hedge])?)?;
    let written = report(stage, &key, &changes(stage, &[hedge, write])?)?;
    expect(stage, &hedged)?;
    let methods = methods(stage, &key, &[&[], &[hedge], &[hedge, write]])?;
    figures(stage, [&now, &hedged, &written], methods)?;
    scenarios(stage, [&now, &hedged, &written])?;
    trade(stage, &user, &maker, &[hedge])?;
    if report(stage, &key, &[])? != hedged {
        return Err(Failure::Deviation("the hedge is not what its preview was".into()));
    }
    stage.say("The hedge, traded, gives every figure of its preview to the last unit.\n")
}

/// A future and two calls of one expiry, and its surface.
fn list(stage: &mut Stage) -> Result<Chain, Failure> {
    let expiry = stage.world.vm.now() + MONTH;
    let first = stage.world.markets.len();
    let [low, high] = STRIKES;
    for (kind, strike) in [
        (InstrumentKind::Future, 0),
        (InstrumentKind::Call, low),
        (InstrumentKind::Call, high),
    ] {
        let outcome = stage.world.list(ETH, kind, expiry, 0, strike);
        stage.done("list_instrument", outcome)?;
    }
    let surface = VolatilitySurface {
        at_the_money: 650_000_000,
        ..VolatilitySurface::default()
    };
    let update = SurfaceUpdate {
        expiry,
        basis: 0,
        surface,
    };
    let outcome = stage.world.publish(ETH, &[update]);
    stage.done("refresh_surface", outcome)?;
    Ok(Chain {
        future: first,
        call: first + 1,
        high_call: first + 2,
    })
}

/// The mark of an instrument, down to its tick.
fn mark(stage: &Stage, instrument: usize) -> Result<i64, Failure> {
    let board = stage.world.board();
    let listed = &board.instruments[instrument];
    let mark = board.mark(listed, stage.world.vm.now());
    let mark = mark.map_err(|e| Failure::Deviation(format!("no mark: {e}")))?;
    Ok(mark.0 / listed.tick_size * listed.tick_size)
}

/// Buys lots at the marks (sells, when negative), all legs at once.
fn trade(stage: &mut Stage, taker: &User, maker: &User, legs: &[(usize, i64)]) -> Result<(), Failure> {
    let mut package = Vec::new();
    for (instrument, lots) in legs {
        package.push(Leg {
            instrument: *instrument,
            lots: *lots,
            price: mark(stage, *instrument)?,
        });
    }
    let outcome = stage.world.trade_package(taker, maker, &package);
    stage.done("block_trade", outcome).map(drop)
}

/// The same trades as changes of a preview.
fn changes(stage: &Stage, legs: &[(usize, i64)]) -> Result<Vec<PreviewChange>, Failure> {
    let change = |(instrument, lots): &(usize, i64)| {
        Ok(PreviewChange::Leg {
            instrument: *instrument as u16,
            lots: *lots,
            price: mark(stage, *instrument)?,
        })
    };
    legs.iter().map(change).collect()
}

fn report(stage: &mut Stage, account: &Pubkey, changes: &[PreviewChange]) -> Result<Preview, Failure> {
    let report = stage.world.report(account, changes);
    report.map_err(|e| Failure::Deviation(format!("preview: {e:?}")))
}

/// Asserts the methodology's figures of the hedged calls, to the cent.
fn expect(stage: &Stage, hedged: &Preview) -> Result<(), Failure> {
    let cents = |units: i64| (units + 500_000) / 1_000_000;
    let isolated = hedged.isolated.initial_margin;
    stage.expect("isolated IM of the hedged calls", cents(isolated), 399_048)?;
    stage.expect("IM of the hedged calls", cents(hedged.summary.initial_margin), 76_988)?;
    stage.expect(
        "MM of the hedged calls",
        cents(hedged.summary.maintenance_margin),
        56_976,
    )
}

/// What the sections say, side by side.
fn figures(stage: &mut Stage, columns: [&Preview; 3], methods: [[String; 3]; 2]) -> Result<(), Failure> {
    let mut table = Table::new(&[
        "what",
        "12 calls",
        "+ short 6.444 futures",
        "+ 36 calls at 3,000 written",
    ]);
    let [adjusted, linear] = methods;
    for (name, [a, b, c]) in [("IM, risk-adjusted method", adjusted), ("IM, linear method", linear)] {
        table.row([name.to_owned(), a, b, c]);
    }
    let mut row = |what: &str, figure: &dyn Fn(&Preview) -> String| {
        let [a, b, c] = columns.map(figure);
        table.row([what.to_owned(), a, b, c]);
    };
    row("IM", &|p| dollars(p.summary.initial_margin));
    row("MM", &|p| dollars(p.summary.maintenance_margin));
    row("isolated IM", &|p| dollars(p.isolated.initial_margin));
    row("saving", &|p| dollars(p.isolated.saving_initial));
    row("equity", &|p| dollars(p.summary.equity_maintenance));
    row("free for new risk", &|p| dollars(p.free_margin()));
    row("health", &|p| health(Some(p.summary.health)));
    row("scan", &|p| dollars(p.summary.scan));
    row("charges", &|p| dollars(p.summary.charge));
    row("floor of short options", &|p| dollars(p.summary.short_option_minimum));
    row("net option value", &|p| dollars(p.summary.net_option_value));
    row("buffer", &|p| dollars(p.summary.buffer));
    row("delta, ETH", &|p| {
        p.asset(ETH)
            .map_or_else(String::new, |a| decimal(a.greeks.delta_units.into(), 9, 3))
    });
    row("delta", &|p| dollars(p.totals.delta));
    row("gamma", &|p| dollars(p.totals.gamma));
    row("vega", &|p| dollars(p.totals.vega));
    row("theta", &|p| dollars(p.totals.theta));
    row("value at risk, a day, 99 %", &|p| dollars(p.totals.value_at_risk));
    row("liquidatable by a rise of", &|p| distance(p.asset(ETH).map(|a| a.rise)));
    row("liquidatable by a fall of", &|p| distance(p.asset(ETH).map(|a| a.fall)));
    stage.say(table)
}

/// IM by the two more careful methods, after each of these trades.
fn methods(stage: &mut Stage, account: &Pubkey, trades: &[&[(usize, i64)]; 3]) -> Result<[[String; 3]; 2], Failure> {
    let mut out = [const { [const { String::new() }; 3] }; 2];
    for (row, method) in [MarginMethod::RiskAdjusted, MarginMethod::Linear]
        .into_iter()
        .enumerate()
    {
        for (column, legs) in trades.iter().enumerate() {
            let mut changes = changes(stage, legs)?;
            changes.push(PreviewChange::Method { method });
            let (section, _) = stage.world.what_if(account, PreviewSection::Summary, &changes);
            if let PreviewReport::Summary(summary) = section {
                out[row][column] = dollars(summary.initial_margin);
            }
        }
    }
    Ok(out)
}

/// A move in per cent; a dash where none was found.
fn distance(report: Option<DistanceReport>) -> String {
    let by = report.and_then(|r| r.liquidatable);
    by.map_or_else(|| "-".into(), |by| format!("{} %", decimal(by.abs().into(), 7, 2)))
}

/// Price moves in thirds of the scan range, two scenarios each, and the four that change volatility or time alone.
const SCENARIOS: [&str; 24] = [
    "0 up",
    "0 down",
    "+1/3 up",
    "+1/3 down",
    "-1/3 up",
    "-1/3 down",
    "+2/3 up",
    "+2/3 down",
    "-2/3 up",
    "-2/3 down",
    "+1 up",
    "+1 down",
    "-1 up",
    "-1 down",
    "-2 up, 1/2",
    "+2 up, 1/2",
    "-4 up, 1/4",
    "+4 up, 1/4",
    "+8 up, 1/8",
    "+12 up, 1/12",
    "tilt up",
    "tilt down",
    "wings",
    "a day less",
];

/// P&L of ETH in the 24 scenarios, in two halves beside each other.
fn scenarios(stage: &mut Stage, columns: [&Preview; 3]) -> Result<(), Failure> {
    let header = ["move, volatility", "12 calls", "hedged", "+ written"];
    let mut table = Table::new(&[header, header].concat());
    let cell = |column: usize, scenario: usize| {
        let asset = columns[column].asset(ETH);
        asset.map_or_else(String::new, |a| dollars(a.margin.scenarios[scenario]))
    };
    let (first, second) = SCENARIOS.split_at(12);
    for (left, (one, other)) in first.iter().zip(second).enumerate() {
        let right = left + 12;
        table.row([
            (*one).into(),
            cell(0, left),
            cell(1, left),
            cell(2, left),
            (*other).into(),
            cell(0, right),
            cell(1, right),
            cell(2, right),
        ]);
    }
    stage.say(table)
}
