//! The impact mid: what buying and selling a stated size costs on a book (margin.md section 5).
//!
//! It is measured for a size that governance chooses, so that a quote of one lot says nothing; and it is held near the index, so that no
//! second of a book weighs more than a bound.
use ballast_fixed::{div_floor, Checked, Dollars, Lots, Overflow, Price, Quantity, Ratio};

use crate::index_history::{hour_of, start_of};

/// An order, as far as the impact mid asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Its price.
    pub price: Price,
    /// What rests of it, lots.
    pub lots: i64,
    /// When it expires, unix seconds; 0 for never.
    pub expires_at: i64,
}

/// What one side of a book offers for the impact's lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impact {
    /// Σ price · lots, 10⁻⁹ USD · lots.
    pub value: i128,
    /// Until when it stands, unix seconds: the beginning of the first hour in which one of the orders expires.
    pub until: i64,
}

/// A book's impact mid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImpactMid {
    /// 10⁻⁹ USD; 0 where the book lacks the depth on a side.
    pub price: i64,
    /// Until when it stands, unix seconds, a full hour.
    pub until: i64,
}

/// The lots that the impact is measured by: the notional over a lot's value at the index, which is rounded down to 10⁻⁸ dollars but to no
/// less; rounded up, at least a lot.
///
/// # Errors
/// [`Overflow`] for an index or a lot that is not positive, and for a lot past the range of dollars.
pub fn impact_lots(notional: Dollars, index: Price, lot_size: Quantity) -> Checked<Lots> {
    if index.0 <= 0 || lot_size.0 <= 0 {
        return Err(Overflow);
    }
    let lot = index.times(lot_size).floor()?.0.max(1);
    // Not negative, and 64 bits: a division of 128 would be dear on chain.
    let lots = (notional.0.max(0) as u64).div_ceil(lot as u64).max(1);
    Ok(Lots(lots as i64)) // at most i64::MAX
}

/// What the best orders offer for `lots`; they come best first. `None` where all of them offer less.
///
/// Every order of a side may have to be looked at, in a book that somebody fills with what counts nothing: were that bounded, it would hide
/// the orders behind it from mark and funding.
///
/// An order counts up to the hour in which it expires, and in that hour no more: after that it might rest and never be filled, and the
/// index is kept by the hour.
pub fn impact(orders: impl Iterator<Item = Quote>, lots: Lots, now: i64) -> Checked<Option<Impact>> {
    let next_hour = start_of(hour_of(now).saturating_add(1));
    let (mut value, mut narrow, mut first_end) = (0i128, 0u64, i64::MAX);
    // Up to this price Σ price · lots < 2⁶³ fits in 64 bits. Wider sums cost the chain the double.
    let narrow_price = i64::MAX.unsigned_abs().checked_div(lots.0.unsigned_abs()).unwrap_or(0);
    let mut left = lots.0;
    for order in orders {
        if order.expires_at != 0 {
            if order.expires_at < next_hour {
                continue;
            }
            first_end = first_end.min(order.expires_at);
        }
        let taken = order.lots.min(left).max(0);
        if order.price.0 as u64 <= narrow_price {
            narrow = narrow.wrapping_add((order.price.0 as u64).wrapping_mul(taken as u64));
        } else {
            let product = i128::from(order.price.0).wrapping_mul(i128::from(taken)); // two 64-bit factors fit
            value = value.checked_add(product).ok_or(Overflow)?;
        }
        left = left.wrapping_sub(taken); // 0 ≤ taken ≤ left
        if left <= 0 {
            let value = value.checked_add(i128::from(narrow)).ok_or(Overflow)?;
            let until = match first_end {
                i64::MAX => i64::MAX,
                end => start_of(hour_of(end)),
            };
            return Ok(Some(Impact { value, until }));
        }
    }
    Ok(None)
}

/// The mean of both sides for one lot, rounded down, held within `bound` of the index (the bounds rounded towards it).
///
/// # Errors
/// [`Overflow`] out of range.
pub fn impact_mid(bid: Impact, ask: Impact, lots: Lots, index: Price, bound: Ratio) -> Checked<ImpactMid> {
    let both = bid.value.checked_add(ask.value).ok_or(Overflow)?;
    let mid = div_floor(both, i128::from(lots.0).wrapping_mul(2))?;
    let most = index.scaled_floor(bound)?.0;
    let least = index.0.saturating_sub(most.saturating_sub(index.0));
    let mid = i64::try_from(mid).map_err(|_| Overflow)?;
    Ok(ImpactMid {
        price: mid.clamp(least.max(1), most.max(1)),
        until: bid.until.min(ask.until),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOLLAR: i64 = 1_000_000_000;
    const UNIT: i64 = 1_000_000_000;

    fn quote(price: i64, lots: i64, expires_at: i64) -> Quote {
        Quote {
            price: Price(price),
            lots,
            expires_at,
        }
    }

    #[test]
    fn lots_are_the_notional_at_the_index() {
        // $50,000 at $30,000 a unit and lots of 0.01 are 166.67 lots: 167.
        let of = |notional, price, lot| impact_lots(Dollars(notional), Price(price), Quantity(lot));
        assert_eq!(of(50_000 * 100_000_000, 30_000 * DOLLAR, UNIT / 100), Ok(Lots(167)));
        // A lot that is dearer than the notional counts whole.
        assert_eq!(of(1, 30_000 * DOLLAR, UNIT), Ok(Lots(1)));
        assert_eq!(of(0, 30_000 * DOLLAR, UNIT), Ok(Lots(1)));
        // One that is worth less than 10⁻⁸ dollars counts as that; none of either is an error.
        assert_eq!(of(9, 1, 1), Ok(Lots(9)));
        assert_eq!(of(i64::MAX, 1, 1), Ok(Lots(i64::MAX)));
        for (index, lot) in [(0, UNIT), (1, 0), (-5, UNIT), (i64::MAX, i64::MAX)] {
            assert_eq!(of(1, index, lot), Err(Overflow));
        }
    }

    #[test]
    fn a_side_is_taken_from_the_best_on() {
        // 3 lots at 100 and 2 of the 5 at 99: 300 + 198.
        let bids = [quote(100, 3, 0), quote(99, 5, 0)];
        let found = impact(bids.into_iter(), Lots(5), 0).unwrap();
        assert_eq!(
            found,
            Some(Impact {
                value: 498,
                until: i64::MAX
            })
        );
        assert_eq!(impact(bids.into_iter(), Lots(9), 0), Ok(None));
        assert_eq!(impact([].into_iter(), Lots(1), 0), Ok(None));
    }

    /// Sums of few lots at low prices are taken in 64 bits, others in 128: the same number on both sides of each bound.
    #[test]
    fn wide_sums_are_exact() {
        for price in [1, (1 << 51) - 1, 1 << 51, i64::MAX] {
            for lots in [1, 4_096, 4_097, i64::MAX] {
                let orders = [quote(price, lots / 2, 0), quote(price, lots, 0)];
                let found = impact(orders.into_iter(), Lots(lots), 0).unwrap().unwrap();
                assert_eq!(found.value, i128::from(price) * i128::from(lots));
            }
        }
        // One order on each side of the bound of prices, (2⁶³ − 1) / 4,096 rounded down: 4,095 · (2⁵¹ − 1) + 2⁵¹.
        let orders = [quote((1 << 51) - 1, 4_095, 0), quote(1 << 51, 9, 0)];
        let found = impact(orders.into_iter(), Lots(4_096), 0).unwrap().unwrap();
        assert_eq!(found.value, 9_223_372_036_854_771_713);
    }

    #[test]
    fn an_order_counts_up_to_the_hour_in_which_it_expires() {
        let now = 10 * 3_600 + 100;
        // The first expires at 10:50, within this hour; the second at 12:30; the third in any later hour would not be reached.
        let asks = [
            quote(100, 5, 10 * 3_600 + 3_000),
            quote(101, 2, 12 * 3_600 + 1_800),
            quote(102, 3, 0),
            quote(103, 9, 11 * 3_600),
        ];
        let found = impact(asks.into_iter(), Lots(5), now).unwrap().unwrap();
        assert_eq!((found.value, found.until), (202 + 306, 12 * 3_600));
    }

    #[test]
    fn orders_that_count_nothing_hide_none() {
        // A thousand orders in front that expire within the hour, and the one behind them.
        let expiring = (0..1_000).map(|_| quote(101, 1, 5));
        let found = impact(expiring.chain([quote(100, 1, 0)]), Lots(1), 0).unwrap();
        assert_eq!(found.map(|found| found.value), Some(100));
    }

    #[test]
    fn the_mid_is_rounded_down_and_held_near_the_index() {
        let side = |value, until| Impact { value, until };
        let mid = |bid, ask, bound| {
            impact_mid(
                side(bid, 7_200),
                side(ask, 3_600),
                Lots(5),
                Price(100_000),
                Ratio(bound),
            )
        };
        let half_percent = 5_000_000;
        // (499,999 + 500,008) / 10 = 100,000.7.
        let found = mid(499_999, 500_008, half_percent).unwrap();
        assert_eq!((found.price, found.until), (100_000, 3_600));
        // 0.5 % of 100,000 is 500 on both sides.
        assert_eq!(mid(600_000, 600_000, half_percent).unwrap().price, 100_500);
        assert_eq!(mid(400_000, 400_000, half_percent).unwrap().price, 99_500);
    }
}
