//! What must hold of every evaluation.
use anchor_lang::error::Error;
use ballast::error::BallastError;
use ballast::margin::{self, evaluate};
use ballast::state::{Balance, MarginAccount, Position, RiskBoard};
use ballast_fixed::Dollars;
use ballast_risk::MarginReport;

use crate::NOW;

/// How an input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has a margin, and everything held.
    Evaluated,
    /// It was refused, by this number.
    Refused(u32),
}

/// Errors that sound boards and accounts may meet: numbers out of the domain, and a surface that was never published.
const EXPECTED: [BallastError; 2] = [BallastError::MathOverflow, BallastError::SurfaceMissing];

/// The number of one of the program's own errors.
fn name(error: Error) -> u32 {
    let Error::AnchorError(error) = error else {
        panic!("without a name: {error:?}");
    };
    let first = u32::from(BallastError::MathOverflow);
    assert!(error.error_code_number >= first, "not the program's own: {error:?}");
    error.error_code_number
}

/// Whatever is in memory: a margin or one of the program's errors, for each of the functions that instructions call.
pub fn named(board: &RiskBoard, account: &MarginAccount) -> Verdict {
    if let Err(error) = margin::credit(board, account, NOW) {
        name(error);
    }
    for instrument in board.instruments.iter().filter(|i| i.kind().is_ok()).take(16) {
        for mark in [board.mark(instrument, NOW), board.slow_mark(instrument, NOW)] {
            if let Err(error) = mark {
                name(error);
            }
        }
    }
    match evaluate(board, account, NOW) {
        Ok(_) => Verdict::Evaluated,
        Err(error) => Verdict::Refused(name(error)),
    }
}

/// A sound board and account: the laws of the methodology.
pub fn sound(board: &RiskBoard, account: &MarginAccount, without_concentration: bool) -> Verdict {
    named(board, account);
    let report = match evaluate(board, account, NOW) {
        Ok(report) => report,
        Err(error) => {
            let code = name(error);
            assert!(EXPECTED.iter().any(|e| u32::from(*e) == code), "refused by {code}");
            return Verdict::Refused(code);
        }
    };
    assert!(report.maintenance <= report.initial, "MM over IM: {report:?}");
    // Each asset's worse price is chosen at par: with a quote asset off it another one could be the worse.
    if board.quote.index == 1_000_000_000 {
        let slack = rounding(board, account);
        let ordered = |low: Dollars, high: Dollars| i128::from(low.0) <= i128::from(high.0) + slack;
        let (w, im, mm) = (
            report.equity_withdrawal,
            report.equity_initial,
            report.equity_maintenance,
        );
        assert!(ordered(w, im) && ordered(im, mm), "E_w, E_im, E_mm: {report:?}");
    }
    let mut portfolio = Box::new(*account);
    portfolio.method = 0;
    let by_portfolio = evaluate(board, &portfolio, NOW).expect("the default method");
    assert!(report.initial >= by_portfolio.initial && report.maintenance >= by_portfolio.maintenance);
    if without_concentration {
        netting_costs_nothing(board, &portfolio, &by_portfolio);
    }
    Verdict::Evaluated
}

/// Cross IM ≤ Σ isolated IM: each position alone, and the collateral of each asset alone.
fn netting_costs_nothing(board: &RiskBoard, account: &MarginAccount, cross: &MarginReport) {
    let mut isolated = 0i128;
    let mut alone: Box<MarginAccount> = bytemuck::allocation::zeroed_box();
    (alone.version, alone.position_count) = (account.version, 1);
    for position in account.positions() {
        alone.positions[0] = *position;
        isolated += i128::from(evaluate(board, &alone, NOW).expect("a position alone").initial.0);
    }
    (alone.position_count, alone.positions[0]) = (0, Position::default());
    for asset in 0..board.asset_count {
        for (slot, balance) in alone.balances.iter_mut().zip(&account.balances) {
            *slot = if balance.asset == asset {
                *balance
            } else {
                Balance::default()
            };
        }
        if alone.balances.iter().any(|b| b.amount != 0) {
            let report = evaluate(board, &alone, NOW).expect("collateral alone");
            isolated += i128::from(report.initial.0);
        }
    }
    let slack = rounding(board, account);
    assert!(
        i128::from(cross.initial.0) <= isolated + slack,
        "cross {} over isolated {isolated} and {slack}",
        cross.initial.0
    );
}

/// What rounding and the kernel's error add up to in a figure, 10⁻⁸ dollars: 10⁻¹⁰ of the sizes, 200 for each position and collateral, and
/// 400 for the account. The engine errs to one side only, against the account. An option's size in strikes is rounded to 10⁻⁸ dollars and
/// comes back times F/K: where the strike is a small part of the forward that is what counts.
fn rounding(board: &RiskBoard, account: &MarginAccount) -> i128 {
    let price = |asset: u8| {
        let price = &board.assets[usize::from(asset)].price;
        i128::from(price.index.max(price.slow))
    };
    let (mut sizes, mut rest) = (0, 0); // 10⁻¹⁸ and 10⁻⁸ dollars
    for position in account.positions() {
        let instrument = &board.instruments[usize::from(position.instrument)];
        let quantity = i128::from(position.lots).abs() * i128::from(instrument.lot_size);
        // A basis is at most 60.5 % of the index.
        let forward = 2 * price(instrument.asset);
        sizes += quantity * forward.max(i128::from(instrument.strike));
        if instrument.is_option() {
            rest += 24 * (forward / i128::from(instrument.strike) + 2);
        }
    }
    let held = account.balances.iter().filter(|b| b.amount != 0);
    let mut parts = account.positions().len() as i128;
    for balance in held {
        let scale = 10i128.pow(9 - u32::from(balance.decimals));
        sizes += i128::from(balance.amount) * scale * price(balance.asset);
        parts += 1;
    }
    sizes / 10_000_000_000 / 10_000_000_000 + rest + 200 * parts + 400
}
