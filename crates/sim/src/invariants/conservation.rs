//! C1 and C2: nothing is created, nothing is lost.
use ballast::state::MAX_COLLATERALS;

use super::figures::{floor, funded_quote, worth, QUOTE};
use super::{equal, fees, holds, orders, Broken, Change, Invariant, Picture};
use crate::world::World;

/// C1 and C2 of a world as it is. See [`check`] and [`orders::check`].
pub fn conservation(world: &World) -> Result<(), Broken> {
    let picture = Picture::of(world);
    check(&picture)?;
    orders::check(&picture)
}

/// Every mint and every instrument adds up to the last unit.
///
/// * C1: quote vault = Σ cash + Σ pools + Σ locked reserves + insurance fund + collected fees
/// * C1: other vaults = Σ balances
/// * C2: what referrers are owed is collected or in the markets' dues
/// * C2: per instrument Σ lots + settled lots = 0, open interest = Σ lots held long, Σ (quotes + pending funding) − ⌊settled lots · settlement
///   price⌋ + dues + residual = pool to 10⁻¹⁸ dollars, and none of the last four negative
pub fn check(picture: &Picture) -> Result<(), Broken> {
    for instrument in 0..picture.markets.len() {
        check_instrument(picture, instrument)?;
    }
    check_quote(picture)?;
    check_balances(picture)?;
    fees::check(picture)
}

/// C1 of a change: tokens move between wallets and vaults and are neither made nor lost.
pub fn check_tokens(change: &Change) -> Result<(), Broken> {
    for (listed, _) in &change.before.collaterals {
        let all = |picture: &Picture| -> i128 {
            let outside = picture.wallets.iter().filter(|((_, mint), _)| *mint == listed.mint);
            let vault = picture.collateral(&listed.mint).map_or(0, |(_, held)| *held);
            outside.map(|(_, amount)| i128::from(*amount)).sum::<i128>() + i128::from(vault)
        };
        equal(Invariant::C1, "tokens of a mint", all(change.after), all(change.before))?;
    }
    Ok(())
}

fn check_instrument(picture: &Picture, instrument: usize) -> Result<(), Broken> {
    let (market, listed) = (&picture.markets[instrument], &picture.board.instruments[instrument]);
    let (mut lots, mut long, mut quotes, mut count) = (0i128, 0i128, 0i128, 0i128);
    let positions = picture.accounts.values().flat_map(|account| account.positions());
    for position in positions.filter(|p| usize::from(p.instrument) == instrument) {
        lots += i128::from(position.lots);
        long += i128::from(position.lots.max(0));
        quotes += funded_quote(listed, position, picture.now);
        count += 1;
    }
    let c2 = |what: &str, left: i128, right: i128| {
        equal(Invariant::C2, &format!("instrument {instrument}, {what}"), left, right)
    };
    c2("sum of lots", lots + i128::from(market.settled_lots), 0)?;
    c2("open interest", i128::from(market.open_interest), long)?;
    c2("number of positions", market.positions.into(), count)?;
    let dues = [market.fees_due, market.insurance_due, market.residual];
    let owed: i128 = dues.iter().map(|due| i128::from(*due)).sum();
    let exact = (owed - settled_value(picture, instrument)?) * QUOTE + i128::from(market.funding_dust);
    c2("pool", i128::from(market.pool) * QUOTE, quotes + exact)?;
    let dust = i128::from(market.funding_dust) < QUOTE;
    holds(Invariant::C2, "whole quote units of dust are the residual's", dust)?;
    let is_negative = market.pool < 0 || dues.iter().any(|due| *due < 0);
    holds(Invariant::C2, "no pool, due or residual is negative", !is_negative)
}

/// What the lots that have settled so far are worth together, quote units rounded down: the others owe it.
fn settled_value(picture: &Picture, instrument: usize) -> Result<i128, Broken> {
    let lots = picture.markets[instrument].settled_lots;
    if lots == 0 {
        return Ok(0);
    }
    let price = picture.settled(instrument);
    holds(Invariant::C2, "lots settle at a price that stands", price.is_some())?;
    let lot_size = picture.board.instruments[instrument].lot_size;
    Ok(floor(worth(lots, lot_size, price.unwrap_or(0)), QUOTE))
}

fn check_quote(picture: &Picture) -> Result<(), Broken> {
    let balances = picture
        .accounts
        .values()
        .map(|a| i128::from(a.cash) + i128::from(a.reserve));
    let balances: i128 = balances.sum();
    let pools: i128 = picture.markets.iter().map(|market| i128::from(market.pool)).sum();
    let (pool, fund) = (&picture.pool, &picture.fund);
    let claims = balances + pools + i128::from(fund.balance) + i128::from(pool.collected_fees);
    let vault = picture.collaterals.first().map_or(0, |(_, held)| i128::from(*held));
    equal(Invariant::C1, "quote vault", vault, claims)?;
    let supplied = i128::from(pool.supplied) - i128::from(pool.borrowed);
    equal(Invariant::C1, "quote pool", supplied, balances)
}

fn check_balances(picture: &Picture) -> Result<(), Broken> {
    let mut held = [0i128; MAX_COLLATERALS];
    for balance in picture.accounts.values().flat_map(|account| &account.balances) {
        held[usize::from(balance.collateral)] += i128::from(balance.amount);
    }
    for (listed, vault) in picture.collaterals.iter().skip(1) {
        let held = held[usize::from(listed.index)];
        equal(Invariant::C1, "collateral total", listed.total_deposits.into(), held)?;
        equal(Invariant::C1, "collateral vault", i128::from(*vault), held)?;
    }
    Ok(())
}
