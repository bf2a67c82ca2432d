//! What the engine refuses.
use ballast_fixed::Overflow;
use core::fmt;

/// Why a margin computation has no result. Nothing is ever wrapped or clamped instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RiskError {
    /// An amount leaves the stated domain ([`crate::MAX_GROSS`]) or a type's range: make the portfolio smaller.
    Overflow,
    /// A parameter is outside its hard bounds, see [`crate::AssetParams::validate`].
    InvalidParameter,
    /// The positions of an asset did not come bucket by bucket, perpetuals first: sort them.
    OutOfOrder,
    /// A surface would let total variance fall from one expiry to a later one: publish consistent surfaces.
    CalendarArbitrage,
}

impl From<Overflow> for RiskError {
    fn from(_: Overflow) -> RiskError {
        RiskError::Overflow
    }
}

impl fmt::Display for RiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RiskError::Overflow => {
                "the portfolio is too large to margin: positions and collateral together may be at most $20bn"
            }
            RiskError::InvalidParameter => "a risk parameter is outside its hard bounds",
            RiskError::OutOfOrder => "positions of an asset must come sorted by bucket, perpetuals first",
            RiskError::CalendarArbitrage => {
                "total variance falls from one expiry to a later one: publish surfaces that agree, the later expiry's first when they rise"
            }
        })
    }
}

impl core::error::Error for RiskError {}
