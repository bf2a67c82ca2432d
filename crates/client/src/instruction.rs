//! One builder an instruction. Remaining accounts are filled in where the caller names what they stand for.
use anchor_lang::prelude::{AccountMeta, Pubkey};
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::{InstructionData, ToAccountMetas};
use anchor_spl::token;
use ballast::instructions::{
    CreateExchangeArgs, ListAssetArgs, ListCollateralArgs, ListInstrumentArgs, PreviewRequest, PreviewSection,
    SurfaceUpdate, TradeLeg,
};
use ballast::oracle::FeedConfig;
use ballast::state::{MarginMethod, ValueLimits};
use ballast::{accounts, instruction as data};

use crate::address::{event_authority, Exchange};

const SYSTEM: Pubkey = anchor_lang::system_program::ID;

pub(crate) fn build(accounts: impl ToAccountMetas, data: impl InstructionData) -> Instruction {
    Instruction {
        program_id: ballast::ID,
        accounts: accounts.to_account_metas(None),
        data: data.data(),
    }
}

/// A wallet's margin account and where its record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountKeys {
    /// The margin account.
    pub margin_account: Pubkey,
    /// Its wallet's record.
    pub owner: Pubkey,
    /// Who signs for it: the wallet or a delegate.
    pub signer: Pubkey,
}

impl AccountKeys {
    /// Account `index` of `wallet`, signed for by the wallet itself.
    pub fn new(exchange: &Exchange, wallet: &Pubkey, index: u16) -> AccountKeys {
        AccountKeys {
            margin_account: exchange.margin_account(wallet, index),
            owner: exchange.owner_record(wallet),
            signer: *wallet,
        }
    }
}

/// `create_exchange`. The board's account is created in front of it: program-owned, zeroed, of `RiskBoard`'s size and eight bytes.
pub fn create_exchange(exchange: &Exchange, authority: &Pubkey, args: CreateExchangeArgs) -> Instruction {
    let accounts = accounts::CreateExchange {
        exchange: exchange.key,
        board: exchange.board,
        quote_mint: exchange.quote_mint,
        quote_collateral: exchange.collateral(&exchange.quote_mint),
        quote_vault: exchange.vault(&exchange.quote_mint),
        quote_pool: exchange.quote_pool(),
        insurance_fund: exchange.insurance_fund(),
        authority: *authority,
        token_program: token::ID,
        system_program: SYSTEM,
    };
    build(accounts, data::CreateExchange { args })
}

/// `list_asset`.
pub fn list_asset(exchange: &Exchange, authority: &Pubkey, args: ListAssetArgs) -> Instruction {
    let accounts = accounts::ListAsset {
        exchange: exchange.key,
        board: exchange.board,
        authority: *authority,
    };
    build(accounts, data::ListAsset { args })
}

/// `set_price_sources` of an asset; 255 is the quote asset.
pub fn set_price_sources(exchange: &Exchange, authority: &Pubkey, asset: u8, feed: FeedConfig) -> Instruction {
    let accounts = accounts::SetPriceSources {
        exchange: exchange.key,
        board: exchange.board,
        authority: *authority,
    };
    build(accounts, data::SetPriceSources { asset, feed })
}

/// `list_collateral`.
pub fn list_collateral(
    exchange: &Exchange,
    authority: &Pubkey,
    mint: &Pubkey,
    args: ListCollateralArgs,
) -> Instruction {
    let accounts = accounts::ListCollateral {
        exchange: exchange.key,
        board: exchange.board,
        mint: *mint,
        collateral: exchange.collateral(mint),
        vault: exchange.vault(mint),
        authority: *authority,
        token_program: token::ID,
        system_program: SYSTEM,
    };
    build(accounts, data::ListCollateral { args })
}

/// `list_instrument`. The market's account is created in front of it: program-owned, zeroed, of [`Market::size`].
pub fn list_instrument(
    exchange: &Exchange,
    authority: &Pubkey,
    market: &Pubkey,
    args: ListInstrumentArgs,
) -> Instruction {
    let accounts = accounts::ListInstrument {
        exchange: exchange.key,
        board: exchange.board,
        market: *market,
        authority: *authority,
    };
    build(accounts, data::ListInstrument { args })
}

/// `delist_instrument`: ends a perpetual at `ends_at`, unix seconds.
pub fn delist_instrument(exchange: &Exchange, authority: &Pubkey, instrument: u16, ends_at: i64) -> Instruction {
    let accounts = accounts::DelistInstrument {
        exchange: exchange.key,
        board: exchange.board,
        authority: *authority,
    };
    build(accounts, data::DelistInstrument { instrument, ends_at })
}

/// `set_settlement_price` of an asset's expiry, 10⁻⁹ USD.
pub fn set_settlement_price(
    exchange: &Exchange,
    authority: &Pubkey,
    (asset, expiry): (u8, i64),
    price: i64,
) -> Instruction {
    let accounts = accounts::SetSettlementPrice {
        exchange: exchange.key,
        board: exchange.board,
        authority: *authority,
    };
    build(accounts, data::SetSettlementPrice { asset, expiry, price })
}

/// `set_volatility_publisher`; the default key names none.
pub fn set_volatility_publisher(exchange: &Exchange, authority: &Pubkey, publisher: Pubkey) -> Instruction {
    let accounts = accounts::SetVolatilityPublisher {
        exchange: exchange.key,
        authority: *authority,
    };
    build(accounts, data::SetVolatilityPublisher { publisher })
}

/// `refresh_surface` of expiries of one asset.
pub fn refresh_surface(exchange: &Exchange, publisher: &Pubkey, asset: u8, updates: Vec<SurfaceUpdate>) -> Instruction {
    let accounts = accounts::RefreshSurface {
        exchange: exchange.key,
        board: exchange.board,
        publisher: *publisher,
    };
    build(accounts, data::RefreshSurface { asset, updates })
}

/// `set_surface_source` of an expiry; `feeds` are basis, σ_atm, skew and curvature.
pub fn set_surface_source(
    exchange: &Exchange,
    authority: &Pubkey,
    (asset, expiry): (u8, i64),
    feeds: [Pubkey; 4],
    limits: ValueLimits,
) -> Instruction {
    let [basis, at_the_money, skew, curvature] = feeds;
    let accounts = accounts::SetSurfaceSource {
        exchange: exchange.key,
        board: exchange.board,
        source: exchange.surface_source(asset, expiry),
        basis,
        at_the_money,
        skew,
        curvature,
        authority: *authority,
        system_program: SYSTEM,
    };
    build(accounts, data::SetSurfaceSource { asset, expiry, limits })
}

/// `set_surface_source` that takes the feeds of an expiry off.
pub fn unset_surface_source(exchange: &Exchange, authority: &Pubkey, expiry: (u8, i64)) -> Instruction {
    set_surface_source(exchange, authority, expiry, [SYSTEM; 4], ValueLimits::default())
}

/// `refresh_surface_from_feeds` of an expiry, with the feeds bound to it.
pub fn refresh_surface_from_feeds(exchange: &Exchange, (asset, expiry): (u8, i64), feeds: [Pubkey; 4]) -> Instruction {
    let [basis, at_the_money, skew, curvature] = feeds;
    let accounts = accounts::RefreshSurfaceFromFeeds {
        exchange: exchange.key,
        board: exchange.board,
        source: exchange.surface_source(asset, expiry),
        basis,
        at_the_money,
        skew,
        curvature,
    };
    build(accounts, data::RefreshSurfaceFromFeeds {})
}

/// `open_margin_account`.
pub fn open_margin_account(exchange: &Exchange, wallet: &Pubkey, index: u16, delegates: Vec<Pubkey>) -> Instruction {
    let accounts = accounts::OpenMarginAccount {
        exchange: exchange.key,
        margin_account: exchange.margin_account(wallet, index),
        owner: exchange.owner_record(wallet),
        wallet: *wallet,
        system_program: SYSTEM,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    build(accounts, data::OpenMarginAccount { index, delegates })
}

/// `set_margin_method` of the wallet's account number `index`.
pub fn set_margin_method(exchange: &Exchange, wallet: &Pubkey, index: u16, method: MarginMethod) -> Instruction {
    let accounts = accounts::SetMarginMethod {
        exchange: exchange.key,
        board: exchange.board,
        margin_account: exchange.margin_account(wallet, index),
        wallet: *wallet,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    build(accounts, data::SetMarginMethod { method })
}

/// `set_referrer` of the wallet's account: `referrer` is another wallet's margin account.
pub fn set_referrer(account: &AccountKeys, referrer: &Pubkey) -> Instruction {
    let accounts = accounts::SetReferrer {
        margin_account: account.margin_account,
        referrer: *referrer,
        wallet: account.signer,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    build(accounts, data::SetReferrer {})
}

/// `claim_referral`: what the account's fees have earned its referrer.
pub fn claim_referral(exchange: &Exchange, margin_account: &Pubkey, referrer: &Pubkey) -> Instruction {
    let accounts = accounts::ClaimReferral {
        quote_pool: exchange.quote_pool(),
        margin_account: *margin_account,
        referrer: *referrer,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    build(accounts, data::ClaimReferral {})
}

/// `close_margin_account`.
pub fn close_margin_account(exchange: &Exchange, wallet: &Pubkey, index: u16) -> Instruction {
    let accounts = accounts::CloseMarginAccount {
        margin_account: exchange.margin_account(wallet, index),
        owner: exchange.owner_record(wallet),
        wallet: *wallet,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    build(accounts, data::CloseMarginAccount {})
}

/// `deposit` of `amount` native units of `mint` out of the token account `source`.
pub fn deposit(exchange: &Exchange, account: &AccountKeys, mint: &Pubkey, source: &Pubkey, amount: u64) -> Instruction {
    let accounts = accounts::Deposit {
        collateral: exchange.collateral(mint),
        vault: exchange.vault(mint),
        quote_pool: exchange.quote_pool(),
        margin_account: account.margin_account,
        owner: account.owner,
        source: *source,
        depositor: account.signer,
        token_program: token::ID,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    build(accounts, data::Deposit { amount })
}

/// `withdraw` of `amount` native units of `mint` into the token account `destination`. `losers` are the markets of the positions that
/// lose and can settle, in the order of the positions.
pub fn withdraw(
    exchange: &Exchange,
    account: &AccountKeys,
    mint: &Pubkey,
    destination: &Pubkey,
    amount: u64,
    losers: &[Pubkey],
) -> Instruction {
    let accounts = accounts::Withdraw {
        exchange: exchange.key,
        board: exchange.board,
        collateral: exchange.collateral(mint),
        vault: exchange.vault(mint),
        quote_pool: exchange.quote_pool(),
        insurance_fund: exchange.insurance_fund(),
        margin_account: account.margin_account,
        owner: account.owner,
        wallet: account.signer,
        destination: *destination,
        token_program: token::ID,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    with_writable(build(accounts, data::Withdraw { amount }), losers)
}

/// `refresh_prices`: the board's assets and the price account of each, one after the other where an asset has several; 255 is the quote
/// asset.
pub fn refresh_prices(exchange: &Exchange, prices: &[(u8, Pubkey)]) -> Instruction {
    let accounts = accounts::RefreshPrices { board: exchange.board };
    let assets = prices.iter().map(|(asset, _)| *asset).collect();
    let mut instruction = build(accounts, data::RefreshPrices { assets });
    instruction
        .accounts
        .extend(prices.iter().map(|(_, key)| AccountMeta::new_readonly(*key, false)));
    instruction
}

/// `update_correlations`.
pub fn update_correlations(exchange: &Exchange) -> Instruction {
    let accounts = accounts::UpdateCorrelations { board: exchange.board };
    build(accounts, data::UpdateCorrelations {})
}

/// `update_funding` of a perpetual, by its market.
pub fn update_funding(exchange: &Exchange, market: &Pubkey) -> Instruction {
    let accounts = accounts::UpdateFunding {
        board: exchange.board,
        market: *market,
    };
    build(accounts, data::UpdateFunding {})
}

/// `block_trade`: the taker buys `lots` from the maker (sells, when negative) at `price`, 10⁻⁹ USD.
pub fn block_trade(
    exchange: &Exchange,
    market: &Pubkey,
    taker: &AccountKeys,
    maker: &AccountKeys,
    lots: i64,
    price: i64,
) -> Instruction {
    package_trade(exchange, &[(*market, TradeLeg { lots, price })], taker, maker)
}

/// `block_trade` of up to eight legs, each with its market; an empty package is left to the program to refuse.
pub fn package_trade(
    exchange: &Exchange,
    legs: &[(Pubkey, TradeLeg)],
    taker: &AccountKeys,
    maker: &AccountKeys,
) -> Instruction {
    let markets: Vec<Pubkey> = legs.iter().map(|(market, _)| *market).collect();
    let (market, others) = first_and_others(&markets);
    let accounts = accounts::BlockTrade {
        exchange: exchange.key,
        board: exchange.board,
        market,
        taker: taker.margin_account,
        taker_owner: taker.owner,
        taker_signer: taker.signer,
        maker: maker.margin_account,
        maker_owner: maker.owner,
        maker_signer: maker.signer,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    let legs = legs.iter().map(|(_, leg)| *leg).collect();
    with_writable(build(accounts, data::BlockTrade { legs }), others)
}

/// `settle_pnl` of the positions in `markets`.
pub fn settle_pnl(exchange: &Exchange, margin_account: &Pubkey, markets: &[Pubkey]) -> Instruction {
    let accounts = accounts::SettlePnl {
        exchange: exchange.key,
        board: exchange.board,
        quote_pool: exchange.quote_pool(),
        insurance_fund: exchange.insurance_fund(),
        margin_account: *margin_account,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    with_writable(build(accounts, data::SettlePnl {}), markets)
}

/// `fix_settlement` of an asset's expiry.
pub fn fix_settlement(exchange: &Exchange, (asset, expiry): (u8, i64)) -> Instruction {
    let board = exchange.board;
    build(accounts::FixSettlement { board }, data::FixSettlement { asset, expiry })
}

/// `settle_expiry` of an account's position in the instrument of `market`. `owner` is the record of the account's wallet.
pub fn settle_expiry(exchange: &Exchange, margin_account: &Pubkey, owner: &Pubkey, market: &Pubkey) -> Instruction {
    let accounts = accounts::SettleExpiry {
        exchange: exchange.key,
        board: exchange.board,
        quote_pool: exchange.quote_pool(),
        insurance_fund: exchange.insurance_fund(),
        market: *market,
        margin_account: *margin_account,
        owner: *owner,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    build(accounts, data::SettleExpiry {})
}

/// `waive_claim` of what the account's settled position in the instrument of `market` waits for; its wallet signs.
pub fn waive_claim(exchange: &Exchange, account: &AccountKeys, market: &Pubkey) -> Instruction {
    let accounts = accounts::WaiveClaim {
        exchange: exchange.key,
        board: exchange.board,
        quote_pool: exchange.quote_pool(),
        insurance_fund: exchange.insurance_fund(),
        market: *market,
        margin_account: account.margin_account,
        wallet: account.signer,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    build(accounts, data::WaiveClaim {})
}

/// `close_instrument` of the instrument of `market`, whose rent goes to the exchange's authority.
pub fn close_instrument(exchange: &Exchange, authority: &Pubkey, market: &Pubkey) -> Instruction {
    let accounts = accounts::CloseInstrument {
        exchange: exchange.key,
        board: exchange.board,
        quote_pool: exchange.quote_pool(),
        insurance_fund: exchange.insurance_fund(),
        market: *market,
        authority: *authority,
    };
    build(accounts, data::CloseInstrument {})
}

fn flag_accounts(exchange: &Exchange, margin_account: &Pubkey) -> accounts::FlagAccount {
    accounts::FlagAccount {
        exchange: exchange.key,
        board: exchange.board,
        margin_account: *margin_account,
        event_authority: event_authority(),
        program: ballast::ID,
    }
}

/// `flag`.
pub fn flag(exchange: &Exchange, margin_account: &Pubkey) -> Instruction {
    build(flag_accounts(exchange, margin_account), data::Flag {})
}

/// `unflag`.
pub fn unflag(exchange: &Exchange, margin_account: &Pubkey) -> Instruction {
    build(flag_accounts(exchange, margin_account), data::Unflag {})
}

/// `liquidate`: `liquidator` takes over `lots` lots of the liquidatee's position in the market's instrument. The liquidatee's `signer`
/// is not asked for.
pub fn liquidate(
    exchange: &Exchange,
    market: &Pubkey,
    liquidatee: &AccountKeys,
    liquidator: &AccountKeys,
    lots: u64,
) -> Instruction {
    liquidate_package(exchange, &[(*market, lots)], liquidatee, liquidator)
}

/// `liquidate` of up to eight legs at once, each with its market; an empty package is left to the program to refuse.
pub fn liquidate_package(
    exchange: &Exchange,
    legs: &[(Pubkey, u64)],
    liquidatee: &AccountKeys,
    liquidator: &AccountKeys,
) -> Instruction {
    let (markets, lots): (Vec<Pubkey>, Vec<u64>) = legs.iter().copied().unzip();
    let (market, others) = first_and_others(&markets);
    let accounts = accounts::Liquidate {
        exchange: exchange.key,
        board: exchange.board,
        market,
        quote_pool: exchange.quote_pool(),
        insurance_fund: exchange.insurance_fund(),
        liquidatee: liquidatee.margin_account,
        liquidatee_owner: liquidatee.owner,
        liquidator: liquidator.margin_account,
        liquidator_owner: liquidator.owner,
        keeper: liquidator.signer,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    with_writable(build(accounts, data::Liquidate { lots }), others)
}

/// `fund_insurance` with `amount` quote units out of the token account `source`.
pub fn fund_insurance(exchange: &Exchange, contributor: &Pubkey, source: &Pubkey, amount: u64) -> Instruction {
    let accounts = accounts::FundInsurance {
        quote_collateral: exchange.collateral(&exchange.quote_mint),
        vault: exchange.vault(&exchange.quote_mint),
        insurance_fund: exchange.insurance_fund(),
        source: *source,
        contributor: *contributor,
        token_program: token::ID,
        event_authority: event_authority(),
        program: ballast::ID,
    };
    build(accounts, data::FundInsurance { amount })
}

/// `preview` of one section of the account as it is; the report is the transaction's return data.
pub fn preview(exchange: &Exchange, margin_account: &Pubkey, section: PreviewSection) -> Instruction {
    let changes = Vec::new();
    preview_what_if(exchange, margin_account, PreviewRequest { section, changes }, &[])
}

/// `preview` of one section after `changes`. `mints` are those of the collaterals that they add and the account does not hold.
pub fn preview_what_if(
    exchange: &Exchange,
    margin_account: &Pubkey,
    request: PreviewRequest,
    mints: &[Pubkey],
) -> Instruction {
    let accounts = accounts::Preview {
        exchange: exchange.key,
        board: exchange.board,
        margin_account: *margin_account,
    };
    let mut instruction = build(accounts, data::Preview { request });
    let collaterals = mints.iter().map(|mint| exchange.collateral(mint));
    instruction
        .accounts
        .extend(collaterals.map(|key| AccountMeta::new_readonly(key, false)));
    instruction
}

/// The market that is a named account and those behind it.
pub(crate) fn first_and_others(markets: &[Pubkey]) -> (Pubkey, &[Pubkey]) {
    markets
        .split_first()
        .map_or((Pubkey::default(), &[][..]), |(first, others)| (*first, others))
}

pub(crate) fn with_writable(mut instruction: Instruction, keys: &[Pubkey]) -> Instruction {
    instruction
        .accounts
        .extend(keys.iter().map(|key| AccountMeta::new(*key, false)));
    instruction
}
