//! Acts 1 to 4: deposits, and the portfolios of the methodology's section 0 with the margin that they must require.
use ballast::instructions::{PreviewReport, PreviewSection};

use super::overview::INSTRUMENTS;
use super::{Failure, Stage};
use crate::table::{decimal, dollars, grouped, health, price, quote, Table};
use crate::world::{Token, User};

/// One dollar in 10⁻⁸.
const DOLLAR: i64 = 100_000_000;
/// 10⁻⁹ USD in a dollar.
const PRICE_UNIT: f64 = 1e9;
/// Instruments in the order of genesis.
const BTC_PERPETUAL: usize = 0;
const BTC_FUTURE: usize = 1;
const ETH_PERPETUAL: usize = 2;
/// Lots in a BTC.
const BTC_LOTS: i64 = 10_000;
/// Lots in 40 ETH: 100,000 dollars at 2,500.
const ETH_LOTS: i64 = 40_000;

/// Those who trade.
struct Traders {
    maker: User,
    basis: User,
    pair: User,
    same: User,
    covered: User,
}

/// Plays the acts; returns those who hold positions then, by name.
pub(super) fn play(stage: &mut Stage) -> Result<Vec<(&'static str, User)>, Failure> {
    let traders = deposits(stage)?;
    basis_trade(stage, &traders)?;
    btc_against_eth(stage, &traders)?;
    covered_short(stage, &traders)?;
    Ok(vec![
        ("basis trader", traders.basis),
        ("pair trader", traders.pair),
        ("trend trader", traders.same),
        ("covered seller", traders.covered),
        ("market maker", traders.maker),
    ])
}

/// Act 1.
fn deposits(stage: &mut Stage) -> Result<Traders, Failure> {
    stage.say("Act 1. Deposits\n")?;
    let traders = Traders {
        maker: stage.world.user(),
        basis: stage.world.user(),
        pair: stage.world.user(),
        same: stage.world.user(),
        covered: stage.world.user(),
    };
    let saver = stage.world.user();
    let (usd, btc, sol) = (stage.world.usd, stage.world.btc, stage.world.sol);
    let mut table = Table::new(&["wallet", "moves in", "native units", "vault after", "compute units"]);
    let deposits = [
        ("market maker", &traders.maker, usd, "USD", 10_000_000_000_000),
        ("basis trader", &traders.basis, usd, "USD", 30_000_000_000),
        ("pair trader", &traders.pair, usd, "USD", 30_000_000_000),
        ("trend trader", &traders.same, usd, "USD", 30_000_000_000),
        ("covered seller", &traders.covered, btc, "BTC", 100_000_000),
        ("saver", &saver, sol, "SOL", 500_000_000_000),
    ];
    for (name, user, token, symbol, amount) in deposits {
        let outcome = stage.world.fund(user, &token, amount);
        let units = stage.done("deposit", outcome)?.compute_units;
        table.row(movement(stage, name, symbol, &token, amount.into(), units));
    }
    let outcome = stage.world.withdraw(&saver, &sol, 200_000_000_000);
    let units = stage.done("withdraw", outcome)?.compute_units;
    table.row(movement(stage, "saver", "SOL", &sol, -200_000_000_000, units));
    let received = stage.world.tokens(&saver.sol);
    stage.expect("what the saver withdrew", received as i64, 200_000_000_000)?;
    stage.say(table)?;
    Ok(traders)
}

fn movement(stage: &Stage, name: &str, symbol: &str, token: &Token, amount: i128, units: u64) -> [String; 5] {
    let decimals = u32::from(token.decimals);
    [
        name.into(),
        format!("{} {symbol}", decimal(amount, decimals, 2)),
        grouped(amount),
        format!(
            "{} {symbol}",
            decimal(stage.world.vault_amount(&token.mint).into(), decimals, 2)
        ),
        grouped(units.into()),
    ]
}

/// Act 2.
fn basis_trade(stage: &mut Stage, traders: &Traders) -> Result<(), Failure> {
    stage.say("Act 2. The basis trade: long a BTC perpetual, short a dated BTC future\n")?;
    let mut book = Book::new(&traders.basis, &traders.maker);
    book.trade(stage, BTC_PERPETUAL, BTC_LOTS)?;
    book.require(stage, "long $100k perpetual", [10_000.0, 10_000.0, 7_150.0])?;
    book.trade(stage, BTC_FUTURE, -BTC_LOTS / 2)?;
    book.require(stage, "+ short $50k future", [15_000.0, 11_000.0, 7_925.0])?;
    book.trade(stage, BTC_FUTURE, -BTC_LOTS / 2)?;
    book.require(stage, "+ short $100k future", [20_000.0, 12_000.0, 8_700.0])?;
    book.print(stage)?;
    stage.say("Leg by leg 20,000 would be required; as a portfolio it is 12,000: the hedge costs 2,000.\n")
}

/// Act 3.
fn btc_against_eth(stage: &mut Stage, traders: &Traders) -> Result<(), Failure> {
    stage.say("Act 3. BTC against ETH, and both in one direction\n")?;
    let mut pair = Book::new(&traders.pair, &traders.maker);
    pair.trade(stage, BTC_PERPETUAL, BTC_LOTS)?;
    pair.trade(stage, ETH_PERPETUAL, -ETH_LOTS)?;
    pair.require(stage, "long $100k BTC, short $100k ETH", [22_500.0, 13_000.0, 9_400.0])?;
    pair.print(stage)?;
    let mut same = Book::new(&traders.same, &traders.maker);
    same.trade(stage, BTC_PERPETUAL, BTC_LOTS)?;
    same.trade(stage, ETH_PERPETUAL, ETH_LOTS)?;
    same.require(stage, "long $100k BTC, long $100k ETH", [22_500.0, 22_500.0, 16_050.0])?;
    same.print(stage)?;
    stage.say(
        "Opposite directions earn half of the netting benefit between BTC and ETH; the same direction earns none.\n",
    )
}

/// Act 4.
fn covered_short(stage: &mut Stage, traders: &Traders) -> Result<(), Failure> {
    stage.say("Act 4. A covered short: one BTC as collateral, one BTC future sold\n")?;
    let mut book = Book::new(&traders.covered, &traders.maker);
    book.trade(stage, BTC_FUTURE, -BTC_LOTS)?;
    book.require(stage, "1 BTC against short $100k future", [10_000.0, 5_325.0, 3_877.5])?;
    book.print(stage)?;
    stage.say("The collateral's own price risk covers the short: 5,325 instead of 10,000, without a dollar of cash.\n")
}

/// One trader's trades and the margin that follows, as two tables.
struct Book<'a> {
    trader: &'a User,
    maker: &'a User,
    trades: Table,
    margins: Table,
}

impl<'a> Book<'a> {
    fn new(trader: &'a User, maker: &'a User) -> Book<'a> {
        Book {
            trader,
            maker,
            trades: Table::new(&["trade", "lots", "price", "fees", "compute units"]),
            margins: Table::new(&[
                "portfolio",
                "isolated IM",
                "cross IM",
                "cross MM",
                "equity",
                "health",
                "compute units",
            ]),
        }
    }

    /// Buys lots from the market maker at the mark (sells, when negative).
    fn trade(&mut self, stage: &mut Stage, instrument: usize, lots: i64) -> Result<(), Failure> {
        let board = stage.world.board();
        let mark = board.assets[usize::from(board.instruments[instrument].asset)]
            .price
            .index;
        let dues = |stage: &Stage| {
            let market = stage.world.market(instrument);
            market.fees_due + market.insurance_due
        };
        let before = dues(stage);
        let outcome = stage
            .world
            .trade(instrument, self.trader, self.maker, lots, mark as f64 / PRICE_UNIT);
        let receipt = stage.done("block_trade", outcome)?;
        let side = if lots > 0 { "buys" } else { "sells" };
        self.trades.row([
            format!("{side} {}", INSTRUMENTS[instrument]),
            grouped(lots.into()),
            price(mark),
            quote(dues(stage) - before),
            grouped(receipt.compute_units.into()),
        ]);
        Ok(())
    }

    /// Asserts isolated IM, cross IM and cross MM in dollars, exactly, through the program's `preview`.
    fn require(&mut self, stage: &mut Stage, portfolio: &str, required: [f64; 3]) -> Result<(), Failure> {
        let key = self.trader.account.margin_account;
        let (PreviewReport::Summary(summary), units) = stage.world.preview(&key, PreviewSection::Summary) else {
            return Err(Failure::Deviation("preview gave another section".into()));
        };
        let isolated = stage.world.isolated(&key);
        let found = [
            ("isolated IM", isolated.initial_margin),
            ("cross IM", summary.initial_margin),
            ("cross MM", summary.maintenance_margin),
        ];
        for ((what, found), required) in found.into_iter().zip(required) {
            let required = (required * DOLLAR as f64).round() as i64;
            stage.expect(&format!("{what} of {portfolio}"), found, required)?;
        }
        let engine = stage.margin(&key)?;
        stage.expect(
            "E_mm by the engine off chain",
            engine.equity_maintenance.0,
            summary.equity_maintenance,
        )?;
        self.margins.row([
            portfolio.into(),
            dollars(isolated.initial_margin),
            dollars(summary.initial_margin),
            dollars(summary.maintenance_margin),
            dollars(summary.equity_maintenance),
            health(Some(summary.health)),
            grouped(units.into()),
        ]);
        Ok(())
    }

    fn print(self, stage: &mut Stage) -> Result<(), Failure> {
        stage.say(self.trades)?;
        stage.say(self.margins)
    }
}
