//! Who takes part in a replay: accounts of the same capital at different leverage.
use ballast_fixed::{Dollars, Price, Quantity};

use crate::demo::{Failure, Prices, Stage};
use crate::world::{User, BTC, ETH, SOL};

/// What each member starts with, dollars.
const CAPITAL: f64 = 100_000.0;
/// 10⁻⁹ in a unit: of the dollar in a board price, of an asset in a lot size.
const NANO: f64 = 1e9;
/// Perpetual and future of each asset.
const PERPETUAL: usize = 0;
const FUTURE: usize = 1;

/// What a member deposits.
#[derive(Clone, Copy, PartialEq)]
enum Capital {
    Usd,
    Btc,
}

/// A leg: asset, perpetual or future, and its size in multiples of the capital; negative for a short.
type Leg = (u8, usize, f64);

/// Name, capital and legs of each member.
const PLANS: [(&str, Capital, &[Leg]); 10] = [
    ("long BTC 2x", Capital::Usd, &[(BTC, PERPETUAL, 2.0)]),
    ("long BTC 3x", Capital::Usd, &[(BTC, PERPETUAL, 3.0)]),
    ("long BTC 5x", Capital::Usd, &[(BTC, PERPETUAL, 5.0)]),
    ("long BTC 8x", Capital::Usd, &[(BTC, PERPETUAL, 8.0)]),
    ("short BTC 3x", Capital::Usd, &[(BTC, PERPETUAL, -3.0)]),
    (
        "basis trade 4x",
        Capital::Usd,
        &[(BTC, PERPETUAL, 4.0), (BTC, FUTURE, -4.0)],
    ),
    ("covered short", Capital::Btc, &[(BTC, FUTURE, -1.0)]),
    ("long BTC on BTC 2x", Capital::Btc, &[(BTC, PERPETUAL, 2.0)]),
    (
        "long ETH short BTC 4x",
        Capital::Usd,
        &[(ETH, PERPETUAL, 4.0), (BTC, PERPETUAL, -4.0)],
    ),
    ("long SOL 3x", Capital::Usd, &[(SOL, PERPETUAL, 3.0)]),
];

/// A member and what has happened to it.
pub struct Member {
    /// Name.
    pub name: &'static str,
    /// Its wallet.
    pub user: User,
    /// Equity without haircuts at the start.
    pub start: Dollars,
    /// Steps of its liquidations.
    pub steps: u32,
    /// What they cost it, quote units.
    pub cost: i64,
    /// What liquidators got of that, quote units.
    pub bounty: i64,
}

impl Member {
    /// A member as it stands.
    ///
    /// # Errors
    /// [`Failure::Deviation`] when its margin can't be computed.
    pub fn new(stage: &Stage, name: &'static str, user: User) -> Result<Member, Failure> {
        let start = stage.margin(&user.account.margin_account)?.equity_unhaircut;
        Ok(Member {
            name,
            user,
            start,
            steps: 0,
            cost: 0,
            bounty: 0,
        })
    }
}

/// Funds every member and opens its positions against the maker at the mark. Who would trade an asset without prices is left out.
///
/// # Errors
/// [`Failure::Deviation`] when a deposit or a trade is refused.
pub fn open(stage: &mut Stage, maker: &User, prices: &Prices) -> Result<Vec<Member>, Failure> {
    let mut cast = Vec::with_capacity(PLANS.len());
    for (name, capital, legs) in PLANS {
        if legs.iter().any(|(asset, _, _)| !prices.has(*asset)) {
            continue;
        }
        let user = stage.world.user();
        let (token, amount) = match capital {
            Capital::Usd => (stage.world.usd, CAPITAL * 1e6),
            Capital::Btc => (stage.world.btc, CAPITAL / index(stage, BTC) * 1e8),
        };
        let outcome = stage.world.fund(&user, &token, amount as u64);
        stage.done("deposit", outcome)?;
        for (asset, kind, multiple) in legs {
            take(stage, &user, maker, (*asset, *kind, *multiple))?;
        }
        cast.push(Member::new(stage, name, user)?);
    }
    Ok(cast)
}

/// The index of an asset, dollars.
fn index(stage: &Stage, asset: u8) -> f64 {
    stage.world.board().assets[usize::from(asset)].price.index as f64 / NANO
}

/// Trades a leg at the tick nearest to the mark.
fn take(stage: &mut Stage, user: &User, maker: &User, (asset, kind, multiple): Leg) -> Result<(), Failure> {
    let instrument = 2 * usize::from(asset) + kind;
    let board = stage.world.board();
    let listed = &board.instruments[instrument];
    let Price(mark) = board.assets[usize::from(asset)].price.index();
    let Quantity(lot) = listed.lot_size();
    let ticks = (mark + listed.tick_size / 2) / listed.tick_size;
    let price = (ticks * listed.tick_size) as f64 / NANO;
    let lots = (multiple * CAPITAL / (price * lot as f64 / NANO)) as i64;
    let outcome = stage.world.trade(instrument, user, maker, lots, price);
    stage.done("block_trade", outcome)?;
    Ok(())
}
