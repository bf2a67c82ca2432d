//! What a resting order reserves of its owner's equity (methodology, section 4): the initial margin of its lots by themselves, and what they
//! would lose against the mark.
//!
//! An order's part is its lots times a number fixed when it was placed, so what leaves with a cancel or a fill is exactly what came in
//! with the order. Of the two sides of a market only the larger one counts: no price fills both.
use crate::RiskError;
use ballast_fixed::{div_ceil, Dollars, Notional};

/// What each of `lots` lots reserves: its part of `isolated`, the initial margin of all of them as a single position, and what one lot loses
/// against the mark at the order's price (`loss`; a gain counts nothing). Each is rounded up.
///
/// Fails with [`RiskError::InvalidParameter`] without lots, and outside the range of dollars.
pub fn reserve_per_lot(isolated: Dollars, lots: i64, loss: Notional) -> Result<Dollars, RiskError> {
    if lots <= 0 {
        return Err(RiskError::InvalidParameter);
    }
    let margin = div_ceil(i128::from(isolated.0), i128::from(lots))?;
    let margin = Dollars(i64::try_from(margin).map_err(|_| RiskError::Overflow)?);
    Ok(margin.plus(loss.max(Notional::ZERO).ceil()?)?)
}

/// What `lots` lots reserve at `per_lot` each. Exact.
///
/// Fails outside the range of dollars.
pub fn reserve(per_lot: Dollars, lots: i64) -> Result<Dollars, RiskError> {
    per_lot.0.checked_mul(lots).map(Dollars).ok_or(RiskError::Overflow)
}

/// What the bids and the asks of one market reserve together.
pub fn larger_side(bids: Dollars, asks: Dollars) -> Dollars {
    bids.max(asks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{isolated_linear, AssetParams, PortfolioParams};
    use ballast_fixed::{Lots, Price, Quantity};

    const DOLLAR: i64 = 100_000_000;

    /// 10 lots of 0.0001 BTC at a mark of 100,000: a notional of 100 dollars, of which 9.5 % + 0.5 % are 10 dollars, a dollar for each
    /// lot. A bid at 100,500 loses 500 · 0.0001 = 0.05 dollars a lot besides, one at 99,500 nothing.
    #[test]
    fn a_lot_reserves_its_margin_and_its_loss_against_the_mark() {
        let notional = Price(100_000_000_000_000).times(Lots(10).quantity(Quantity(100_000)).unwrap());
        let (isolated, _) = isolated_linear(&crate::defaults::BTC, &PortfolioParams::DEFAULT, notional).unwrap();
        assert_eq!(isolated, Dollars(10 * DOLLAR));
        let lot = Quantity(100_000);
        let above = Price(500_000_000_000).times(lot);
        assert_eq!(reserve_per_lot(isolated, 10, above), Ok(Dollars(DOLLAR + DOLLAR / 20)));
        let below = above.negated().unwrap();
        assert_eq!(reserve_per_lot(isolated, 10, below), Ok(Dollars(DOLLAR)));
    }

    /// 10 dollars over 3 lots are 3.333… each: rounded up, so that three of them are never less than the whole.
    #[test]
    fn parts_round_up() {
        let per_lot = reserve_per_lot(Dollars(10 * DOLLAR), 3, Notional::ZERO).unwrap();
        assert_eq!(per_lot, Dollars(333_333_334));
        assert_eq!(reserve(per_lot, 3), Ok(Dollars(1_000_000_002)));
        // A loss of 10⁻¹⁸ dollars is a unit.
        assert_eq!(reserve_per_lot(Dollars(0), 1, Notional(1)), Ok(Dollars(1)));
    }

    #[test]
    fn only_the_larger_side_counts() {
        assert_eq!(larger_side(Dollars(3), Dollars(5)), Dollars(5));
        assert_eq!(larger_side(Dollars(5), Dollars(3)), Dollars(5));
    }

    #[test]
    fn refuses_no_lots_and_overflow() {
        assert_eq!(
            reserve_per_lot(Dollars(1), 0, Notional::ZERO),
            Err(RiskError::InvalidParameter)
        );
        assert_eq!(
            reserve_per_lot(Dollars(1), -1, Notional::ZERO),
            Err(RiskError::InvalidParameter)
        );
        assert_eq!(reserve(Dollars(i64::MAX), 2), Err(RiskError::Overflow));
        let most = Dollars(i64::MAX);
        assert_eq!(
            reserve_per_lot(most, 1, Notional::from_dollars(Dollars(1))),
            Err(RiskError::Overflow)
        );
    }

    /// Whatever is taken away part by part leaves nothing and never less than nothing.
    #[test]
    fn parts_add_up_to_the_whole() {
        let params: AssetParams = crate::defaults::ETH;
        let mut seed = 1u64;
        for _ in 0..1_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let lots = (seed >> 40) as i64 + 1;
            let notional = Price(3_000_000_000_000).times(Quantity(lots));
            let (isolated, _) = isolated_linear(&params, &PortfolioParams::DEFAULT, notional).unwrap();
            let per_lot = reserve_per_lot(isolated, lots, Notional::ZERO).unwrap();
            let whole = reserve(per_lot, lots).unwrap();
            assert!(whole >= isolated);
            let part = (seed >> 20) as i64 % lots;
            let rest = whole.minus(reserve(per_lot, part).unwrap()).unwrap();
            assert_eq!(rest, reserve(per_lot, lots - part).unwrap());
        }
    }
}
