//! The slow price: an exponential mean of the index whose speed is capped (margin.md section 4).
use ballast_fixed::{decay, div_floor, Checked, Overflow, Price, Ratio};

/// How fast a slow price follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowPriceParams {
    /// Time constant of the mean in seconds, at least 1.
    pub seconds: u32,
    /// Largest move in an hour, as a part of the slow price.
    pub speed_per_hour: Ratio,
}

/// Longest time that one update takes into account; a feed that was silent for longer has nothing more to say about the past.
const MAX_ELAPSED: u32 = 86_400;

/// The slow price after `elapsed` seconds in which the index stood at `index`.
///
/// The index that was in force over the interval is what counts, so a print moves the slow price only once it has stood. The mean
/// closes the gap by e^(−elapsed/seconds), rounded towards where it was, and by no more than `speed_per_hour` · elapsed.
/// A slow price of 0 (none yet) takes the index as it is.
///
/// # Errors
/// [`Overflow`] when `seconds` is 0 or a price is out of range.
pub fn advance(slow: Price, index: Price, elapsed: u32, params: &SlowPriceParams) -> Checked<Price> {
    if slow.0 <= 0 {
        return Ok(index);
    }
    let elapsed = elapsed.min(MAX_ELAPSED);
    if elapsed == 0 || slow == index {
        return Ok(slow);
    }
    let gap = i128::from(index.0).checked_sub(i128::from(slow.0)).ok_or(Overflow)?;
    // |gap| < 2⁶⁴ and the part at most 2⁶³: the product fits 128 bits.
    let closed = closed_part(params.seconds, elapsed)?;
    let step = (gap.unsigned_abs().checked_mul(u128::from(closed)).ok_or(Overflow)? >> 63) as i128;
    let cap = speed_cap(slow, elapsed, params.speed_per_hour)?;
    let step = step.min(cap);
    let moved = if gap >= 0 {
        step
    } else {
        step.checked_neg().ok_or(Overflow)?
    };
    let next = i128::from(slow.0).checked_add(moved).ok_or(Overflow)?;
    i64::try_from(next).map(Price).map_err(|_| Overflow)
}

/// 1 − e^(−elapsed/seconds) in Q63: the part of a gap that is closed. Counts a day at most.
///
/// # Errors
/// [`Overflow`] when `seconds` is 0.
pub(crate) fn closed_part(seconds: u32, elapsed: u32) -> Checked<u64> {
    Ok(closed_by(per_second(seconds)?, elapsed))
}

/// The same for a known e^(−1/seconds) in Q63.
pub(crate) fn closed_by(per_second: u64, elapsed: u32) -> u64 {
    let kept = decay(per_second, elapsed.min(MAX_ELAPSED));
    (1u64 << 63).saturating_sub(kept)
}

/// e^(−1/seconds) in Q63, by the first terms of its series; below two units of 2⁻⁶³ for seconds ≥ 16.
fn per_second(seconds: u32) -> Checked<u64> {
    const ONE: u64 = 1 << 63;
    let x = ONE.checked_div(u64::from(seconds)).ok_or(Overflow)?;
    let (mut term, mut sum) = (ONE, ONE);
    for n in 1..=12u64 {
        // Two factors of at most 2⁶³; no term is above the one before, so the sum stays within 0 to 2⁶³.
        let power = (u128::from(term).wrapping_mul(u128::from(x)) >> 63) as u64;
        term = power.checked_div(n).unwrap_or(0);
        if term == 0 {
            break; // as are all that follow
        }
        sum = if n % 2 == 1 {
            sum.wrapping_sub(term)
        } else {
            sum.wrapping_add(term)
        };
    }
    Ok(sum)
}

/// Largest step in `elapsed` seconds, rounded down.
fn speed_cap(slow: Price, elapsed: u32, speed_per_hour: Ratio) -> Checked<i128> {
    let per_hour = i128::from(slow.0)
        .checked_mul(i128::from(speed_per_hour.0))
        .ok_or(Overflow)?;
    let n = per_hour.checked_mul(i128::from(elapsed)).ok_or(Overflow)?;
    div_floor(n, 3_600_000_000_000) // an hour in seconds times the scale of a ratio
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: SlowPriceParams = SlowPriceParams {
        seconds: 600,
        speed_per_hour: Ratio(200_000_000),
    };
    const DOLLAR: i64 = 1_000_000_000;

    #[test]
    fn first_price_is_taken_as_it_is() {
        assert_eq!(advance(Price(0), Price(5), 9, &P), Ok(Price(5)));
    }

    #[test]
    fn closes_the_gap_by_the_exponential() {
        // 600 s at a time constant of 600 s close 1 − 1/e = 0.6321205588 of a gap of 1 dollar.
        let slow = advance(Price(1_000 * DOLLAR), Price(1_001 * DOLLAR), 600, &P).unwrap();
        assert!((slow.0 - (1_000 * DOLLAR + 632_120_558)).abs() <= 1, "{slow:?}");
    }

    #[test]
    fn is_capped_by_its_speed() {
        // 20 % an hour for 60 s is 1/300 of the price, 3.333… on 1,000.
        let slow = advance(Price(1_000 * DOLLAR), Price(2_000 * DOLLAR), 60, &P).unwrap();
        assert_eq!(slow.0, 1_003_333_333_333);
    }

    #[test]
    fn does_not_depend_on_the_number_of_updates() {
        let (start, index) = (Price(30_000 * DOLLAR), Price(30_300 * DOLLAR));
        let once = advance(start, index, 900, &P).unwrap();
        let mut slow = start;
        for _ in 0..900 {
            slow = advance(slow, index, 1, &P).unwrap();
        }
        assert!((once.0 - slow.0).abs() <= 900, "{once:?} {slow:?}"); // one unit of rounding a step
    }

    #[test]
    fn falls_as_it_rises() {
        let up = advance(Price(1_000 * DOLLAR), Price(1_001 * DOLLAR), 30, &P).unwrap();
        let down = advance(Price(1_000 * DOLLAR), Price(999 * DOLLAR), 30, &P).unwrap();
        assert_eq!(up.0 - 1_000 * DOLLAR, 1_000 * DOLLAR - down.0);
    }

    #[test]
    fn a_zero_time_constant_is_refused() {
        let params = SlowPriceParams { seconds: 0, ..P };
        assert_eq!(advance(Price(1), Price(2), 1, &params), Err(Overflow));
    }
}
