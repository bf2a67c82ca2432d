//! Prices and greeks of European options on a forward (Black 1976) in fixed point: section 6 of the methodology, docs/fixed-point.md.
//!
//! Values are [`Q48`]: units of 2⁻⁴⁸ in an `i64`. A product is four 64-bit operations ([`Q48::times`]); nothing here needs 128 bits, which
//! the Solana VM computes by calls. Prices are parts of the strike, so that one price serves every position in an option.
//!
//! Within the stated domain no operation can overflow: each bound stands beside the operation it serves. Arguments are clamped into
//! that domain where they enter ([`TotalVolatility::new`], [`Moneyness::new`], [`Moneyness::shocked`]). Whatever the arguments,
//! nothing panics, and for F/K from 0 to 32,000 a call comes out between max(F/K − 1, 0) and F/K.
//!
//! | quantity | domain | outside |
//! |---|---|---|
//! | F/K, shocks included | 0.004 to 100 | priced with the same error relative to max(F, K) up to 32,000 (2,000 before a shock), then held there |
//! | σ√T | 2⁻²⁰ to 16; 1 minute at 1 % is 14 · 2⁻²⁰, 2 years at 1,000 % are 14.15 | held at the bound: 4·10⁻⁷ of K too dear at most below, 10⁻¹⁵ of F too cheap above |
mod black76;
mod functions;
mod greeks;
mod normal;
mod q48;
mod tables;

pub use black76::{call, put, root_years, Moneyness, TotalVolatility, ERROR};
pub use functions::{exp, ln, ln_price, sqrt};
pub use greeks::{greeks, Greeks};
pub use normal::{cdf, pdf};
pub use q48::Q48;
