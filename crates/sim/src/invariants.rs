//! What must hold after every step: nothing is created, nothing is lost.
use ballast::state::Collateral;

use crate::world::World;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(pub String);

fn same(what: &str, left: i128, right: i128) -> Result<(), Broken> {
    if left == right {
        Ok(())
    } else {
        Err(Broken(format!("{what}: {left} is not {right}")))
    }
}

/// C1 and C2: every mint and every instrument adds up to the last unit.
///
/// * quote vault = Σ cash + Σ pools + Σ locked reserves + insurance fund + collected fees
/// * other vaults = Σ balances
/// * per instrument Σ lots = 0, open interest = Σ |lots| / 2, Σ quotes + dues + residual = pool
pub fn conservation(world: &World) -> Result<(), Broken> {
    let totals = world.totals();
    let mut pools = 0;
    for instrument in 0..world.markets.len() {
        let market = world.market(instrument);
        let name = |what: &str| format!("instrument {instrument}, {what}");
        same(&name("sum of lots"), totals.lots[instrument], 0)?;
        same(
            &name("open interest"),
            i128::from(market.open_interest) * 2,
            totals.gross_lots[instrument],
        )?;
        let dues = i128::from(market.fees_due) + i128::from(market.insurance_due) + i128::from(market.residual);
        same(&name("pool"), totals.quote[instrument] + dues, i128::from(market.pool))?;
        pools += i128::from(market.pool);
    }
    let (pool, fund) = (world.quote_pool(), world.insurance_fund());
    let claims = totals.cash + totals.reserve + pools + i128::from(fund.balance) + i128::from(pool.collected_fees);
    same("quote vault", i128::from(world.vault_amount(&world.usd.mint)), claims)?;
    let supplied = i128::from(pool.supplied) - i128::from(pool.borrowed);
    same("quote pool", supplied, totals.cash + totals.reserve)?;
    for token in [world.btc, world.sol] {
        let collateral = world.read::<Collateral>(&world.exchange.collateral(&token.mint));
        let held = totals.balances[usize::from(collateral.index)] as i128;
        same("collateral total", i128::from(collateral.total_deposits), held)?;
        same("collateral vault", i128::from(world.vault_amount(&token.mint)), held)?;
    }
    Ok(())
}
