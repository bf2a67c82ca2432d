//! How much of a position's profit or loss becomes cash (margin.md section 9).
use ballast_fixed::{mul_div_floor, Checked, Price, QuoteAmount, Ratio};

/// Widest gap of index and slow price, as a part of the index, at which linear positions settle: 1 %.
pub const MAX_PRICE_GAP: Ratio = Ratio(10_000_000);

/// Whether index and slow price are close enough for a linear position to settle.
pub fn prices_agree(index: Price, slow: Price) -> Checked<bool> {
    let gap = index.0.checked_sub(slow.0).ok_or(ballast_fixed::Overflow)?;
    let bound = mul_div_floor(index.0, MAX_PRICE_GAP.0, Ratio::SCALE)?;
    Ok(gap.unsigned_abs() <= bound.unsigned_abs())
}

/// What limits how far cash may fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CashLimits {
    /// Σ credit_im(V) at the worse prices, in the quote asset.
    pub credit: QuoteAmount,
    /// Quote units that may still be drawn from the pool, own supply included.
    pub borrowing_room: QuoteAmount,
}

impl CashLimits {
    /// What an account with `cash` can still pay, rounded down, never negative.
    pub fn payable(&self, cash: QuoteAmount) -> Checked<QuoteAmount> {
        let backed = cash.plus(self.credit)?;
        Ok(QuoteAmount(backed.0.min(self.borrowing_room.0).max(0)))
    }
}

/// What a loss pays into the pool: as far as the account can pay it; the rest stays in the position. `loss` is not negative.
pub fn loss(loss: QuoteAmount, cash: QuoteAmount, limits: &CashLimits) -> Checked<QuoteAmount> {
    Ok(QuoteAmount(loss.0.min(limits.payable(cash)?.0).max(0)))
}

/// What a gain takes out of the pool: as far as the pool holds it; the rest stays in the position. `gain` is not negative.
pub fn gain(gain: QuoteAmount, pool: QuoteAmount) -> QuoteAmount {
    QuoteAmount(gain.0.min(pool.0).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(credit_dollars: i64, room: i64) -> CashLimits {
        CashLimits {
            credit: QuoteAmount(credit_dollars * 1_000_000),
            borrowing_room: QuoteAmount(room * 1_000_000),
        }
    }
    fn quote(dollars: i64) -> QuoteAmount {
        QuoteAmount(dollars * 1_000_000)
    }

    #[test]
    fn a_gain_takes_only_what_the_pool_holds() {
        assert_eq!(gain(quote(100), quote(30)), quote(30));
        assert_eq!(gain(quote(100), quote(300)), quote(100));
        assert_eq!(gain(quote(100), quote(0)), quote(0));
    }

    #[test]
    fn a_loss_is_paid_from_cash_and_then_from_credit_within_the_caps() {
        // 50 in cash and 40 of credit pay 90 of a loss of 100; a room of 60 pays 60; without anything nothing is paid.
        assert_eq!(loss(quote(100), quote(50), &limits(40, 1_000)), Ok(quote(90)));
        assert_eq!(loss(quote(100), quote(50), &limits(40, 60)), Ok(quote(60)));
        assert_eq!(loss(quote(100), quote(0), &limits(0, 0)), Ok(quote(0)));
        assert_eq!(loss(quote(100), quote(-50), &limits(40, 1_000)), Ok(quote(0)));
        assert_eq!(loss(quote(20), quote(50), &limits(40, 1_000)), Ok(quote(20)));
    }

    #[test]
    fn prices_agree_up_to_one_percent() {
        assert_eq!(prices_agree(Price(10_000), Price(9_900)), Ok(true));
        assert_eq!(prices_agree(Price(10_000), Price(10_100)), Ok(true));
        assert_eq!(prices_agree(Price(10_000), Price(9_899)), Ok(false));
        assert_eq!(prices_agree(Price(10_000), Price(10_101)), Ok(false));
    }
}
