//! The tables, by the name of their block.
use crate::book::{by_method, outcome, Asset, Kind, Outcome, Position};
use ballast_fixed::{Dollars, Ratio};
use ballast_risk::{defaults, AssetParams, Method, RiskError};

use Kind::{Call, Future, Perpetual, Put};

/// The figures of a block, or `None` for a name that there is not.
pub fn block(name: &str) -> Option<Result<String, String>> {
    let table = match name {
        "parameters" => Ok(parameters()),
        "overview" => overview(),
        "basis trade" => basis_trade(),
        "bitcoin against ether" => bitcoin_against_ether(),
        "covered short" => covered_short(),
        "hedged calls" => hedged_calls(),
        "far call" => far_call(),
        "calendar" => calendar(),
        "synthetic future" => synthetic_future(),
        "concentration" => concentration(),
        "slow price" => slow_price(),
        "methods" => methods(),
        _ => return None,
    };
    Some(table.map_err(|e| format!("{name}: {e}")))
}

type Table = Result<String, RiskError>;

fn btc(positions: &[Position]) -> Asset {
    Asset::new(defaults::BTC, 100_000, positions)
}

fn eth(positions: &[Position]) -> Asset {
    Asset::new(defaults::ETH, 3_000, positions)
}

/// Dollars to the cent, without a ".00".
fn money(amount: Dollars) -> String {
    let cents = (i128::from(amount.0.unsigned_abs()) + 500_000) / 1_000_000;
    let digits = (cents / 100).to_string();
    let mut whole = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            whole.push(',');
        }
        whole.push(digit);
    }
    let sign = if amount.0 < 0 && cents > 0 { "−" } else { "" };
    match cents % 100 {
        0 => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part:02}"),
    }
}

/// A ratio in per cent.
fn percent(ratio: Ratio) -> String {
    let thousandths = ratio.0 / 10_000; // of a per cent
    let (whole, part) = (thousandths / 1_000, thousandths % 1_000);
    let fraction = format!("{part:03}").trim_end_matches('0').to_string();
    if fraction.is_empty() {
        format!("{whole} %")
    } else {
        format!("{whole}.{fraction} %")
    }
}

/// A table of a term, how it comes about, and its value.
fn terms(rows: &[(&str, &str, String)]) -> String {
    let mut out = String::from("| term | | dollars |\n|---|---|--:|\n");
    for (term, how, value) in rows {
        out += &format!("| {term} | {how} | {value} |\n");
    }
    out
}

fn parameters() -> String {
    let classes = [
        defaults::BTC,
        defaults::ETH,
        defaults::SOL,
        defaults::MID_CAP,
        defaults::STABLE,
    ];
    let mut out = String::from("| | BTC | ETH | SOL | mid cap | stable |\n|---|---|---|---|---|---|\n");
    let mut row = |name: &str, value: &dyn Fn(&AssetParams) -> String| {
        let cells: Vec<String> = classes.iter().map(value).collect();
        out += &format!("| {name} | {} |\n", cells.join(" | "));
    };
    let outright = |p: &AssetParams| Ratio(p.scan_range.0 + p.buffer.0);
    let kept = |p: &AssetParams| Ratio(p.scan_range.0 * 7 / 10 + p.buffer.0);
    let part = |ratio: Ratio| format!("{}", ratio.0 as f64 / 1e9);
    let depth = |p: &AssetParams| format!("{}m", money(Dollars(p.depth.0 / 1_000_000)));
    row("ψ scan range", &|p| percent(p.scan_range));
    row("b buffer", &|p| percent(p.buffer));
    row("*outright IM = ψ + b*", &|p| format!("*{}*", percent(outright(p))));
    row("*outright MM = 0.7ψ + b*", &|p| format!("*{}*", percent(kept(p))));
    row("β basis", &|p| percent(p.basis));
    row("λ / λ_o spread", &|p| {
        format!("{} / {}", part(p.spread), part(p.option_spread))
    });
    row("som short option minimum", &|p| percent(p.short_option_minimum));
    row("v_u / v_d volatility", &|p| {
        format!("{} / {}", percent(p.vol_up), percent(p.vol_down))
    });
    row("D depth, dollars / ρ slope", &|p| {
        format!("{} / {}", depth(p), part(p.concentration))
    });
    row("h_im / h_mm haircut", &|p| {
        format!("{} / {}", percent(p.haircut_initial), percent(p.haircut_maintenance))
    });
    row("η hedge", &|p| part(p.hedge_recognition));
    out
}

fn overview() -> Table {
    let mut covered = btc(&[(Future(60), -1.0)]);
    covered.collateral = 1.0;
    let ether = |quantity| Asset::new(defaults::ETH, 2_500, &[(Perpetual, quantity)]);
    let cases: [(&str, Vec<Asset>); 7] = [
        ("long BTC perpetual, 100,000", vec![btc(&[(Perpetual, 1.0)])]),
        (
            "+ short BTC future, 100,000 (basis trade)",
            vec![btc(&[(Perpetual, 1.0), (Future(60), -1.0)])],
        ),
        (
            "long BTC perpetual 100,000, short BTC future 50,000",
            vec![btc(&[(Perpetual, 1.0), (Future(60), -0.5)])],
        ),
        (
            "long BTC 100,000, short ETH 100,000",
            vec![btc(&[(Perpetual, 1.0)]), ether(-40.0)],
        ),
        (
            "long BTC 100,000, long ETH 100,000",
            vec![btc(&[(Perpetual, 1.0)]), ether(40.0)],
        ),
        ("1 BTC of collateral, short BTC future 100,000", vec![covered]),
        (
            "ETH 3,000, σ 65 %: 10 calls at the money, 30 days, short 5.37 futures of that expiry",
            vec![eth(&[(Call(3_000, 30), 10.0), (Future(30), -5.37)])],
        ),
    ];
    let mut out = String::from("| portfolio | isolated IM | IM | MM |\n|---|--:|--:|--:|\n");
    for (name, assets) in cases {
        let o = outcome(&assets, 0)?;
        let (isolated, im, mm) = (money(o.isolated), money(o.margin.initial), money(o.margin.maintenance));
        out += &format!("| {name} | {isolated} | **{im}** | {mm} |\n");
    }
    Ok(out)
}

/// The rows that every example ends with.
fn ending(o: &Outcome) -> [(&'static str, &'static str, String); 2] {
    [
        ("**IM**", "", format!("**{}**", money(o.margin.initial))),
        ("MM", "0.70 · (IM − buffer) + buffer", money(o.margin.maintenance)),
    ]
}

/// Rows, then those that every example ends with.
fn example(o: &Outcome, rows: &[(&str, &str, Dollars)]) -> String {
    let rows = rows.iter().map(|(term, how, value)| (*term, *how, money(*value)));
    let all: Vec<_> = rows.chain(ending(o)).collect();
    terms(&all)
}

fn cap(o: &Outcome) -> Result<Dollars, RiskError> {
    Ok(o.asset.bucket_sum.minus(o.asset.scan)?)
}

fn basis_trade() -> Table {
    let o = outcome(&[btc(&[(Perpetual, 1.0), (Future(60), -1.0)])], 15_000)?;
    Ok(example(
        &o,
        &[
            ("isolated", "2 · (9.5 % + 0.5 %) · 100,000", o.isolated),
            ("R", "+100,000 · δ − 100,000 · δ = 0 in every scenario", o.margin.scan),
            ("H = H₁", "min(100,000, 100,000)", o.asset.matched_linear),
            ("spread", "(1 · 9.5 % + 1.5 %) · 100,000", o.asset.spread),
            ("its cap", "9,500 + 9,500 − 0", cap(&o)?),
            ("buffer", "0.5 % · 200,000", o.margin.buffer),
        ],
    ))
}

fn bitcoin_against_ether() -> Table {
    let ether = Asset::new(defaults::ETH, 2_500, &[(Perpetual, -40.0)]);
    let o = outcome(&[btc(&[(Perpetual, 1.0)]), ether.clone()], 0)?;
    let alone = outcome(&[ether], 0)?;
    let [first, second, third, _] = o.margin.levels;
    Ok(example(
        &o,
        &[
            ("L(BTC)", "9.5 % · 100,000, at −ψ", o.asset.scan),
            ("L(ETH)", "12 % · 100,000, at +ψ", alone.asset.scan),
            ("level 0", "each alone", first),
            ("level 1", "at +ψ: 9,500 − 12,000; at −ψ the other way round", second),
            ("level 2", "the same", third),
            ("R", "0.50 · 21,500 + 0.25 · 2,500 + 0.25 · 2,500", o.margin.scan),
            ("charge", "no two legs of one asset", o.margin.charge),
            ("buffer", "0.5 % · 200,000", o.margin.buffer),
        ],
    ))
}

fn covered_short() -> Table {
    let mut asset = btc(&[(Future(60), -1.0)]);
    asset.collateral = 1.0;
    let o = outcome(&[asset], 0)?;
    Ok(example(
        &o,
        &[
            ("credit_im", "85 % of 100,000: E_im", o.margin.equity_initial),
            ("credit_mm", "90 % of 100,000: E_mm", o.margin.equity_maintenance),
            (
                "X_a at +ψ",
                "−9,500 of the future, +9.5 % · 85,000 of SPOT",
                Dollars(o.asset.pnl[10]),
            ),
            (
                "X_a at −ψ",
                "+9,500; 9.5 % is within the haircut of 10 %",
                Dollars(o.asset.pnl[12]),
            ),
            (
                "X_a at −4ψ",
                "+9,500 − ¼ · (38 % − 10 %) · 100,000",
                Dollars(o.asset.pnl[16]),
            ),
            ("R", "the worst, the same on every level", o.margin.scan),
            ("H", "Δ_spot = min(100,000, 100,000); H₁ = 0", o.asset.matched_all),
            ("spread", "(0.2 · 9.5 % + 1.5 %) · 100,000", o.asset.spread),
            ("its cap", "9,500 + 7,000 − 1,425", cap(&o)?),
            ("buffer", "0.5 % · 100,000", o.margin.buffer),
        ],
    ))
}

fn hedged_calls() -> Table {
    let o = outcome(&[eth(&[(Call(3_000, 30), 10.0), (Future(30), -5.37)])], 0)?;
    Ok(example(
        &o,
        &[
            (
                "isolated",
                "1,976.73 of the calls, 12.5 % · 16,110 of the futures",
                o.isolated,
            ),
            ("value of the calls", "10 · Black-76", o.asset.option_value),
            ("X_a at +ψ, volatility down", "", Dollars(o.asset.pnl[11])),
            (
                "X_a, volatility down",
                "σ 65 % → 48.75 %, the worst",
                Dollars(o.asset.pnl[1]),
            ),
            ("R", "", o.margin.scan),
            (
                "charge",
                "calls and future are one bucket: nothing is matched",
                o.margin.charge,
            ),
            ("net option value", "5 % of the calls' value", o.margin.net_option_value),
            (
                "buffer",
                "0.5 % of 16,110 and of twice the calls' value",
                o.margin.buffer,
            ),
        ],
    ))
}

fn far_call() -> Table {
    let o = outcome(&[eth(&[(Call(9_000, 30), -100.0)])], 0)?;
    Ok(example(
        &o,
        &[
            ("worst loss within ±ψ", "scenario 10", Dollars(-o.asset.pnl[10])),
            ("R", "at +12ψ: the index at 7,320, σ 91 %, weight 1/12", o.margin.scan),
            (
                "short option minimum",
                "1 % · 3,000 · 100",
                o.margin.short_option_minimum,
            ),
            ("K", "max(R, minimum)", o.margin.short_option_minimum.max(o.margin.scan)),
            ("buffer", "0.5 % of twice a mark of 0.0000003", o.margin.buffer),
        ],
    ))
}

fn calendar() -> Table {
    let legs = [
        (Call(3_000, 7), -50.0),
        (Put(3_000, 7), -50.0),
        (Call(3_000, 90), 50.0),
        (Put(3_000, 90), 50.0),
    ];
    let o = outcome(&[eth(&legs)], 0)?;
    Ok(example(
        &o,
        &[
            ("isolated", "four positions", o.isolated),
            ("ΣL(X_b)", "each expiry alone", o.asset.bucket_sum),
            ("R", "both together, at −ψ", o.margin.scan),
            (
                "spread",
                "(0.2 · 12 % + 2 %) · H, the deltas that offset",
                o.asset.spread,
            ),
            (
                "vega",
                "25 % of what a rise of volatility takes from one expiry and gives the other",
                o.asset.vega,
            ),
            (
                "charge",
                "spread + vega, under the cap of ΣL(X_b) − L(X_a)",
                o.margin.charge,
            ),
            (
                "net option value",
                "5 % of the far expiry's value",
                o.margin.net_option_value,
            ),
            ("buffer", "0.5 % of twice all marks", o.margin.buffer),
        ],
    ))
}

fn synthetic_future() -> Table {
    let legs = [(Perpetual, -100.0), (Call(3_000, 30), 100.0), (Put(3_000, 30), -100.0)];
    let o = outcome(&[eth(&legs)], 0)?;
    Ok(example(
        &o,
        &[
            ("isolated", "", o.isolated),
            (
                "R",
                "a call less a put is a forward: nothing is left to lose",
                o.margin.scan,
            ),
            (
                "H₁",
                "min(long calls, short puts) · S against the perpetual",
                o.asset.matched_linear,
            ),
            ("spread", "(1 · 12 % + 2 %) · 300,000", o.asset.spread),
            ("buffer", "0.5 % of 300,000 and of twice the marks", o.margin.buffer),
        ],
    ))
}

fn concentration() -> Table {
    let o = outcome(&[eth(&[(Perpetual, 10_000.0)])], 0)?;
    Ok(example(
        &o,
        &[
            ("R", "12 % · 30m", o.margin.scan),
            (
                "concentration",
                "0.02 · (30m − 15m)² / 15m, at most ψ · 30m",
                o.margin.concentration,
            ),
            ("buffer", "0.5 % · 30m", o.margin.buffer),
        ],
    ))
}

fn slow_price() -> Table {
    let mut asset = btc(&[(Perpetual, 1.0)]);
    asset.slow = 90_000;
    let o = outcome(&[asset], 20_000)?;
    Ok(terms(&[
        (
            "E_mm",
            "20,000 + 0: bought at the index of 100,000",
            money(o.margin.equity_maintenance),
        ),
        (
            "E_im",
            "20,000 + min(0, 90,000 − 100,000)",
            money(o.margin.equity_initial),
        ),
        (
            "E_w",
            "the same: no gain counts in it anyway",
            money(o.margin.equity_withdrawal),
        ),
        ("IM", "10 % of 100,000: at the index", money(o.margin.initial)),
    ]))
}

fn methods() -> Table {
    let cases: [(&str, Vec<Asset>); 3] = [
        ("basis trade", vec![btc(&[(Perpetual, 1.0), (Future(60), -1.0)])]),
        (
            "BTC against ETH",
            vec![
                btc(&[(Perpetual, 1.0)]),
                Asset::new(defaults::ETH, 2_500, &[(Perpetual, -40.0)]),
            ],
        ),
        (
            "hedged calls",
            vec![eth(&[(Call(3_000, 30), 10.0), (Future(30), -5.37)])],
        ),
    ];
    let mut out = String::from("| IM by | portfolio | risk-adjusted | linear |\n|---|--:|--:|--:|\n");
    for (name, assets) in cases {
        let by = |method| Ok::<_, RiskError>(money(by_method(&assets, 0, method)?.margin.initial));
        let (portfolio, adjusted, linear) = (by(Method::Portfolio)?, by(Method::RiskAdjusted)?, by(Method::Linear)?);
        out += &format!("| {name} | {portfolio} | {adjusted} | {linear} |\n");
    }
    Ok(out)
}
