//! What the program must answer, computed on this machine from the same structs.
use anchor_lang::error::Error;
use ballast::instructions::{AssetSection, Isolated, Summary};
use ballast::margin;
use ballast::state::{Judged, MarginAccount, MarginMethod, Position, RiskBoard};
use ballast_fixed::{Lots, Notional, Price, Quantity, QuoteAmount, Ratio};
use ballast_risk::{isolated_linear, AssetBook, AssetReport, Bucket, Cash, MarginReport, Method, Portfolio, RiskError};

/// The number of an error of the program.
pub fn code(error: Error) -> u32 {
    match error {
        Error::AnchorError(e) => e.error_code_number,
        Error::ProgramError(e) => panic!("an error without a number of its own: {e:?}"),
    }
}

/// The crate's own reading of board and account.
pub fn evaluate(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<MarginReport, u32> {
    margin::evaluate(board, account, now).map_err(code)
}

/// A report as `preview` returns it.
pub fn summary(account: &MarginAccount, r: &MarginReport) -> Summary {
    Summary {
        initial_margin: r.initial.0,
        maintenance_margin: r.maintenance.0,
        scan: r.scan.0,
        levels: [r.levels[0].0, r.levels[1].0, r.levels[2].0, r.levels[3].0],
        charge: r.charge.0,
        short_option_minimum: r.short_option_minimum.0,
        concentration: r.concentration.0,
        net_option_value: r.net_option_value.0,
        buffer: r.buffer.0,
        gross: r.gross.0,
        equity_initial: r.equity_initial.0,
        equity_maintenance: r.equity_maintenance.0,
        equity_liquidation: r.equity_liquidation.0,
        equity_withdrawal: r.equity_withdrawal.0,
        unrealised: r.unrealised.0,
        health: r.health_ppb().unwrap_or(i64::MAX),
        liquidatable: r.equity_liquidation < r.maintenance,
        credit_initial: r.credit_initial.0,
        equity_unhaircut: r.equity_unhaircut.0,
        method: [
            MarginMethod::Portfolio,
            MarginMethod::RiskAdjusted,
            MarginMethod::Linear,
        ][usize::from(account.method.min(2))],
        method_initial: r.method_initial.0,
        method_maintenance: r.method_maintenance.0,
    }
}

/// One asset's section of the preview.
pub fn asset_section(
    board: &RiskBoard,
    account: &MarginAccount,
    asset: u8,
    now: i64,
) -> Result<(AssetSection, AssetReport), u32> {
    board.asset(asset).map_err(code)?;
    let legs: Vec<Position> = account
        .positions()
        .iter()
        .copied()
        .filter(|p| p.asset == asset)
        .collect();
    let mut r = AssetReport::default();
    margin::evaluate_asset(board, asset, &legs, &account.balances, now, &mut r).map_err(code)?;
    let section = AssetSection {
        scan: r.scan.0,
        worst_scenario: r.worst_scenario,
        bucket_sum: r.bucket_sum.0,
        matched_linear: r.matched_linear.0,
        matched_all: r.matched_all.0,
        spread: r.spread.0,
        vega: r.vega.0,
        short_option_minimum: r.short_option_minimum.0,
        net_option_value: r.net_option_value.0,
        option_value: r.option_value.0,
        charge: r.charge.0,
        concentration: r.concentration.0,
        buffer: r.buffer.0,
        net_delta: r.net_delta.0,
        scenarios: r.pnl,
    };
    Ok((section, r))
}

/// The isolated requirements of a valid account whose margin is `cross`.
pub fn isolated(board: &RiskBoard, account: &MarginAccount, cross: &MarginReport) -> Isolated {
    let mut sum = Isolated::default();
    for p in account.positions() {
        let params = board.assets[usize::from(p.asset)].params();
        let (mark, _) = marks(board, p);
        let notional = Notional(i128::from(mark) * quantity(board, p));
        let (initial, maintenance) =
            isolated_linear(&params, &board.portfolio_params(), notional).expect("within the domain");
        sum.initial_margin += initial.0;
        sum.maintenance_margin += maintenance.0;
    }
    sum.saving_initial = sum.initial_margin - cross.initial.0;
    sum.saving_maintenance = sum.maintenance_margin - cross.maintenance.0;
    sum
}

/// What a unit of the position held long has paid in funding since its checkpoint, 10⁻⁹ dollars.
fn funding(board: &RiskBoard, p: &Position, now: i64) -> i128 {
    let listed = &board.instruments[usize::from(p.instrument)];
    if listed.expiry != 0 {
        return 0;
    }
    let elapsed = (now - listed.funding_hour * 3_600).clamp(0, 3_600);
    let hour = i128::from(listed.funding_rate) * i128::from(elapsed);
    i128::from(listed.funding_index - p.funding_index) + hour.div_euclid(3_600)
}

/// A position's mark at the index and at the slow price: price · (1 + basis), rounded down.
fn marks(board: &RiskBoard, p: &Position) -> (i64, i64) {
    let instrument = &board.instruments[usize::from(p.instrument)];
    let asset = &board.assets[usize::from(instrument.asset)];
    let basis = if instrument.expiry == 0 {
        instrument.basis
    } else {
        let listed = asset.expiries.iter().find(|e| e.time == instrument.expiry);
        listed.expect("the expiry is listed").basis
    };
    let mark = |price: i64| {
        let product = i128::from(price) * i128::from(Ratio::SCALE + basis);
        product.div_euclid(i128::from(Ratio::SCALE)) as i64
    };
    (mark(asset.price.index), mark(asset.price.slow))
}

/// Lots · lot size.
fn quantity(board: &RiskBoard, p: &Position) -> i128 {
    i128::from(p.lots) * i128::from(board.instruments[usize::from(p.instrument)].lot_size)
}

/// The engine called on a valid account without `ballast::margin`: assets from the last to the first, since their order changes nothing.
pub fn assemble(board: &RiskBoard, account: &MarginAccount, now: i64) -> Result<MarginReport, RiskError> {
    let judged = |judged| assemble_judged(board, account, judged, now);
    let (risk, liquidation) = (judged(Judged::ForRisk)?, judged(Judged::ForLiquidation)?);
    Ok(MarginReport {
        initial: risk.initial.max(liquidation.maintenance),
        maintenance: liquidation.maintenance,
        method_maintenance: liquidation.method_maintenance,
        equity_maintenance: liquidation.equity_maintenance,
        equity_liquidation: liquidation.equity_liquidation,
        ..risk
    })
}

/// The same by the terms of one judgement.
fn assemble_judged(
    board: &RiskBoard,
    account: &MarginAccount,
    judged: Judged,
    now: i64,
) -> Result<MarginReport, RiskError> {
    let params = board.portfolio_params();
    let mut portfolio = Portfolio::new(&params);
    for index in (0..board.asset_count).rev() {
        let legs: Vec<&Position> = account.positions().iter().filter(|p| p.asset == index).collect();
        let balances = account.balances.iter().filter(|b| b.asset == index && b.amount > 0);
        let native: Vec<i128> = balances
            .map(|b| i128::from(b.amount) * 10i128.pow(9 - u32::from(b.decimals)))
            .collect();
        if legs.is_empty() && native.is_empty() {
            continue;
        }
        let asset = &board.assets[usize::from(index)];
        let terms = asset
            .terms(&asset.price, judged, &params, now)
            .expect("the asset has a price");
        let mut book = AssetBook::new(&terms.params, &params, terms.price);
        book.set_method(match account.method {
            0 => Method::Portfolio,
            1 => Method::RiskAdjusted,
            _ => Method::Linear,
        });
        let held = Quantity(native.iter().sum::<i128>() as i64);
        book.set_collateral(
            Price(asset.price.index).times(held),
            Price(asset.price.slow).times(held),
        )?;
        let mut expiries: Vec<i64> = legs.iter().map(|p| p.expiry).filter(|e| *e != 0).collect();
        expiries.dedup();
        for p in legs {
            let bucket = match expiries.iter().position(|e| *e == p.expiry) {
                Some(n) => Bucket::Expiry(n as u8),
                None => Bucket::Perpetual,
            };
            let (mark, slow) = marks(board, p);
            let lots = Lots(p.lots).quantity(Quantity(board.instruments[usize::from(p.instrument)].lot_size))?;
            let quote = Notional(i128::from(p.quote) * 1_000_000_000_000 - funding(board, p, now) * i128::from(lots.0));
            if p.lots == 0 {
                // Nothing is left but what it has received.
                book.add_settled(quote)?;
                continue;
            }
            book.add_linear(bucket, Price(mark).times(lots), Price(slow).times(lots), quote)?;
        }
        let mut report = AssetReport::default();
        book.finish(&mut report)?;
        portfolio.add(&report, &asset.clusters)?;
    }
    let quote = &board.quote;
    let fresh = quote.index > 0 && now - quote.publish_time <= i64::from(quote.max_age_seconds);
    portfolio.finish(Cash {
        amount: QuoteAmount(account.cash),
        quote_price: Ratio(if quote.index > 0 { quote.index } else { Ratio::SCALE }),
        quote_trusted: fresh && quote.width <= 5_000_000 && quote.index >= 980_000_000,
    })
}
