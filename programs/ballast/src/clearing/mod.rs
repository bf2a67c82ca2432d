//! Effects that instructions share: moving lots between accounts and turning profit and loss into cash.
mod expiry;
mod fees;
mod fill;
mod funding;
mod markets;
pub mod orders;
mod settlement;
mod terms;
mod trade;

pub use expiry::close_expired;
pub use fees::{fee_rates, note_referral, share_fees};
pub use fill::{
    check_market_open_interest, check_owner_open_interest, count_open_interest, count_positions, fill, fill_position,
    position_value, release, Change, Fill,
};
pub use funding::{check_last_funding, observe, observe_book, start_premium, touch, update_basis};
pub use markets::{load_market, load_markets, MAX_LEGS};
pub use settlement::Settlement;
pub use terms::{check_price, check_size, Side};
pub use trade::{check_cash, check_counterparties, check_legs, clear, Deal, TradeLeg, Trader};
