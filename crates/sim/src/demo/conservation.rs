//! Act 8: every mint and every instrument adds up to the last unit.
use ballast::state::Collateral;

use super::overview::instrument_name;
use super::{Failure, Stage};
use crate::invariants::conservation;
use crate::table::{grouped, Table};

/// Prints the sums under a title and asserts that they agree.
pub(super) fn report(stage: &mut Stage, title: &str) -> Result<(), Failure> {
    stage.say(format!("\n{title}, in native units\n"))?;
    for table in [quote(stage), tokens(stage), instruments(stage)] {
        stage.say(table)?;
    }
    conservation(&stage.world).map_err(|broken| Failure::Deviation(broken.to_string()))?;
    stage.say("Every vault holds exactly what is owed; lots add up to zero, quotes and dues to the pools.\n")
}

/// The quote vault against everything that is owed out of it.
fn quote(stage: &Stage) -> Table {
    let (world, totals) = (&stage.world, stage.world.totals());
    let listed = world.listed().into_iter();
    let pools: i128 = listed.map(|m| i128::from(world.market(m).pool)).sum();
    let (fund, fees) = (
        world.insurance_fund().balance.into(),
        world.quote_pool().collected_fees.into(),
    );
    let vault: i128 = world.vault_amount(&world.usd.mint).into();
    let owed: i128 = [totals.cash, totals.reserve, pools, fund, fees].iter().sum();
    let mut table = Table::new(&[
        "mint",
        "vault",
        "cash",
        "reserves",
        "pools",
        "insurance",
        "fees",
        "difference",
    ]);
    table.row([
        "USD".into(),
        grouped(vault),
        grouped(totals.cash),
        grouped(totals.reserve),
        grouped(pools),
        grouped(fund),
        grouped(fees),
        grouped(vault - owed),
    ]);
    table
}

/// The vaults of the other collaterals against the balances.
fn tokens(stage: &Stage) -> Table {
    let (world, totals) = (&stage.world, stage.world.totals());
    let mut table = Table::new(&["mint", "vault", "balances", "difference"]);
    for (name, token) in [("BTC", world.btc), ("SOL", world.sol)] {
        let index = world.read::<Collateral>(&world.exchange.collateral(&token.mint)).index;
        let vault: i128 = world.vault_amount(&token.mint).into();
        let owed = totals.balances[usize::from(index)] as i128;
        table.row([name.into(), grouped(vault), grouped(owed), grouped(vault - owed)]);
    }
    table
}

/// Lots, open interest, quotes, dues and pool of each instrument.
fn instruments(stage: &Stage) -> Table {
    let (world, totals) = (&stage.world, stage.world.totals());
    let mut table = Table::new(&[
        "instrument",
        "sum of lots",
        "open interest",
        "quotes",
        "dues",
        "residual",
        "pool",
        "difference",
    ]);
    let board = world.board();
    for index in world.listed() {
        let market = world.market(index);
        let dues = i128::from(market.fees_due) + i128::from(market.insurance_due);
        let (residual, pool) = (i128::from(market.residual), i128::from(market.pool));
        table.row([
            instrument_name(&board, index),
            grouped(totals.lots[index]),
            grouped(market.open_interest.into()),
            grouped(totals.quote[index]),
            grouped(dues),
            grouped(residual),
            grouped(pool),
            grouped(pool - totals.quote[index] - dues - residual),
        ]);
    }
    table
}
