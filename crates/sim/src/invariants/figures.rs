//! Exact products of prices, quantities and quote units.
use ballast::state::{Instrument, InstrumentKind, Position};

/// 10⁻⁸ dollars in a quote unit.
pub const CENTS: i128 = 100;
/// 10⁻¹⁸ dollars in a quote unit.
pub const QUOTE: i128 = 1_000_000_000_000;
/// 10⁻¹⁸ dollars in 10⁻⁸ dollars.
pub const DOLLARS: i128 = 10_000_000_000;
/// One in 10⁻⁹.
pub const ONE: i128 = 1_000_000_000;
/// One in 10⁻⁶.
pub const MILLION: i128 = 1_000_000;

/// `a / b` rounded down, for b > 0.
pub fn floor(a: i128, b: i128) -> i128 {
    a.div_euclid(b)
}

/// `a / b` rounded up, for b > 0.
pub fn ceil(a: i128, b: i128) -> i128 {
    -(-a).div_euclid(b)
}

/// What lots are worth at a price of 10⁻⁹ USD, 10⁻¹⁸ dollars: exact.
pub fn worth(lots: i64, lot_size: i64, price: i64) -> i128 {
    i128::from(lots) * i128::from(lot_size) * i128::from(price)
}

/// What a unit of a perpetual held long has paid in funding at `now`, 10⁻⁹ USD: the hour that the board knows counts evenly, and whole at
/// most.
pub fn funding_index(listed: &Instrument, now: i64) -> i128 {
    let now = if listed.ends_at == 0 {
        now
    } else {
        now.min(listed.ends_at)
    };
    let elapsed = (now - listed.funding_hour * 3_600).clamp(0, 3_600);
    i128::from(listed.funding_index) + floor(i128::from(listed.funding_rate) * i128::from(elapsed), 3_600)
}

/// A position's quote with the funding that it has pending, 10⁻¹⁸ dollars: exact.
pub fn funded_quote(listed: &Instrument, position: &Position, now: i64) -> i128 {
    let quote = i128::from(position.quote) * QUOTE;
    if listed.kind != InstrumentKind::Perpetual as u8 {
        return quote;
    }
    let paid = funding_index(listed, now) - i128::from(position.funding_index);
    quote - paid * i128::from(position.lots) * i128::from(listed.lot_size)
}

/// Whether a change from `before` to `after` lots only reduces their number.
pub fn reduces(before: i64, after: i64) -> bool {
    after.unsigned_abs() < before.unsigned_abs() && (after == 0 || (after > 0) == (before > 0))
}
