//! Creating an exchange and listing what a configuration names.
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::solana_program::system_instruction;
use ballast::instructions::{CreateExchangeArgs, ListCollateralArgs, ListInstrumentArgs};
use ballast::state::{self, Market, RiskBoard, DISCRIMINATOR};
use ballast_client::{account::decode, address::Exchange, instruction};
use ballast_fixed::Ratio;
use ballast_risk::PortfolioParams;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::config::{feed, feeds, AssetConfig, AUCTION, FEES, LIMITS};
use crate::Chain;

/// Who founds the exchange, and with what.
pub struct Founder<'a> {
    /// Pays and becomes the authority.
    pub authority: &'a Keypair,
    /// The board's account, fresh for a new exchange; not used when the exchange exists.
    pub board: &'a Keypair,
    /// The exchange's id.
    pub id: u64,
    /// The quote mint.
    pub quote_mint: Pubkey,
}

impl Founder<'_> {
    /// The addresses of the exchange.
    pub fn exchange(&self) -> Exchange {
        Exchange::new(self.id, self.board.pubkey(), self.quote_mint)
    }
}

/// Creates the exchange unless it exists; the addresses returned are then those on chain.
pub fn create_exchange<C: Chain>(chain: &mut C, founder: &Founder) -> Result<Exchange, C::Error> {
    let exchange = founder.exchange();
    if let Some(data) = chain.account_data(&exchange.key)? {
        // A run that resumes may come with another board key than the one that was taken.
        return Ok(decode::<state::Exchange>(&data).map_or(exchange, |recorded| Exchange {
            board: recorded.board,
            quote_mint: recorded.quote_mint,
            ..exchange
        }));
    }
    let authority = founder.authority.pubkey();
    let board = allocate(
        chain,
        &authority,
        &exchange.board,
        DISCRIMINATOR + size_of::<RiskBoard>(),
    )?;
    let args = CreateExchangeArgs {
        id: founder.id,
        fees: FEES,
        limits: LIMITS,
        auction: AUCTION,
        quote_feed: feed(feeds::USDC),
        quote_deposit_cap: 100_000_000_000_000,
        quote_owner_deposit_cap: 50_000_000_000_000,
        level_weights: PortfolioParams::DEFAULT.level_weights.map(|w: Ratio| w.0),
        maintenance_factor: PortfolioParams::DEFAULT.maintenance_factor.0,
    };
    let create = instruction::create_exchange(&exchange, &authority, args);
    chain.send(&[board, create], &[founder.authority, founder.board])?;
    Ok(exchange)
}

/// Lists an asset, its collateral and its instruments, unless they are. `mint` is the asset's token, `markets` one fresh key an instrument.
/// Returns the asset's index and the markets that are on the board.
pub fn list<C: Chain>(
    chain: &mut C,
    exchange: &Exchange,
    authority: &Keypair,
    config: &AssetConfig,
    mint: Option<&Pubkey>,
    markets: &[Keypair],
) -> Result<(u8, Vec<Pubkey>), C::Error> {
    let signer = authority.pubkey();
    let asset = match find_asset(chain, exchange, &config.asset.symbol)? {
        Listed::At(index) => index,
        Listed::Next(index) => {
            let list = instruction::list_asset(exchange, &signer, config.asset.clone());
            chain.send(&[list], &[authority])?;
            index
        }
    };
    if let (Some(args), Some(mint)) = (&config.collateral, mint) {
        if chain.account_data(&exchange.collateral(mint))?.is_none() {
            let args = ListCollateralArgs { asset, ..args.clone() };
            chain.send(
                &[instruction::list_collateral(exchange, &signer, mint, args)],
                &[authority],
            )?;
        }
    }
    let mut keys = Vec::with_capacity(markets.len());
    for (args, market) in config.instruments.iter().zip(markets) {
        let args = ListInstrumentArgs { asset, ..args.clone() };
        keys.push(list_instrument(chain, exchange, authority, args, market)?);
    }
    Ok((asset, keys))
}

fn list_instrument<C: Chain>(
    chain: &mut C,
    exchange: &Exchange,
    authority: &Keypair,
    args: ListInstrumentArgs,
    market: &Keypair,
) -> Result<Pubkey, C::Error> {
    if let Some(key) = find_market(chain, exchange, &args)? {
        return Ok(key);
    }
    let signer = authority.pubkey();
    let allocated = allocate(chain, &signer, &market.pubkey(), Market::size(args.book_capacity))?;
    let list = instruction::list_instrument(exchange, &signer, &market.pubkey(), args);
    chain.send(&[allocated, list], &[authority, market])?;
    Ok(market.pubkey())
}

enum Listed {
    At(u8),
    Next(u8),
}

fn find_asset<C: Chain>(chain: &C, exchange: &Exchange, symbol: &[u8; 8]) -> Result<Listed, C::Error> {
    let data = chain.account_data(&exchange.board)?.unwrap_or_default();
    let Ok(board) = decode::<RiskBoard>(&data) else {
        return Ok(Listed::Next(0));
    };
    let listed = board.assets.iter().take(usize::from(board.asset_count));
    Ok(match (0..).zip(listed).find(|(_, asset)| asset.symbol == *symbol) {
        Some((index, _)) => Listed::At(index),
        None => Listed::Next(board.asset_count),
    })
}

/// The market of an instrument of the same asset, kind and expiry.
fn find_market<C: Chain>(
    chain: &C,
    exchange: &Exchange,
    args: &ListInstrumentArgs,
) -> Result<Option<Pubkey>, C::Error> {
    let board = chain.account_data(&exchange.board)?.unwrap_or_default();
    let recorded = chain.account_data(&exchange.key)?.unwrap_or_default();
    let (Ok(board), Ok(recorded)) = (decode::<RiskBoard>(&board), decode::<state::Exchange>(&recorded)) else {
        return Ok(None);
    };
    let same = |i: &state::Instrument| {
        (i.kind, i.asset, i.expiry, i.strike) == (args.kind as u8, args.asset, args.expiry, args.strike)
    };
    Ok(board
        .instruments
        .iter()
        .position(same)
        .and_then(|at| recorded.markets.get(at).copied()))
}

/// Creates a program-owned, zeroed account of `len` bytes.
fn allocate<C: Chain>(chain: &C, payer: &Pubkey, key: &Pubkey, len: usize) -> Result<Instruction, C::Error> {
    let lamports = chain.rent(len)?;
    Ok(system_instruction::create_account(
        payer,
        key,
        lamports,
        len as u64,
        &ballast::ID,
    ))
}
