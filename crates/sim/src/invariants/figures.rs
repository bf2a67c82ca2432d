//! Exact products of prices, quantities and quote units.

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

/// Whether a change from `before` to `after` lots only reduces their number.
pub fn reduces(before: i64, after: i64) -> bool {
    after.unsigned_abs() < before.unsigned_abs() && (after == 0 || (after > 0) == (before > 0))
}
