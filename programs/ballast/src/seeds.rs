//! Seeds of every address that the program derives. Clients copy this page.

/// `["exchange", id as u64 LE]`
pub const EXCHANGE: &[u8] = b"exchange";
/// `["quote_pool", exchange]`
pub const QUOTE_POOL: &[u8] = b"quote_pool";
/// `["insurance", exchange]`
pub const INSURANCE_FUND: &[u8] = b"insurance";
/// `["collateral", exchange, mint]`
pub const COLLATERAL: &[u8] = b"collateral";
/// `["vault", exchange, mint]`: the token account that holds a mint; its authority is the exchange.
pub const VAULT: &[u8] = b"vault";
/// `["surface", exchange, asset as u8, expiry as i64 LE]`
pub const SURFACE_SOURCE: &[u8] = b"surface";
/// `["owner", exchange, wallet]`
pub const OWNER: &[u8] = b"owner";
/// `["margin", exchange, wallet, index as u16 LE]`
pub const MARGIN_ACCOUNT: &[u8] = b"margin";
/// `["quotes", margin_account]`
pub const QUOTE_LEDGER: &[u8] = b"quotes";
