//! `list_asset`: an asset with its feed and margin parameters.
use anchor_lang::prelude::*;
use ballast_fixed::Ratio;
use ballast_risk::{MAX_GROSS, MAX_LEVELS};

use crate::error::{ensure, BallastError, OrError};
use crate::events::AssetListed;
use crate::oracle::FeedConfig;
use crate::state::{Asset, Exchange, RiskBoard, RiskParams, ScaleConfig, ScanRangeScale, StoredShocks, MAX_ASSETS};

/// Largest open interest of one owner in one asset, dollars (10⁻⁸): with every asset at its cap an account is still in the risk engine's
/// domain when all prices have doubled.
const MAX_OWNER_CAP: i64 = MAX_GROSS.0 / 2 / MAX_ASSETS as i64;

/// Parameters of a new asset.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct ListAssetArgs {
    /// Name for people, zero-padded UTF-8.
    pub symbol: [u8; 8],
    /// Price sources.
    pub feed: FeedConfig,
    /// Margin table.
    pub params: RiskParams,
    /// How its ψ follows realised variance.
    pub scale: ScaleConfig,
    /// Cluster on each level of the scan; 0 = alone.
    pub clusters: [u8; MAX_LEVELS],
    /// Correlation with each asset that it shares a cluster with under which both net less, 10⁻⁹: 0 (never) to one.
    pub correlation_reference: i64,
    /// Largest open interest of one instrument, dollars (10⁻⁸).
    pub instrument_open_interest_cap: i64,
    /// Largest open interest of one owner, dollars (10⁻⁸).
    pub owner_open_interest_cap: i64,
    /// Standard deviation of a day, 10⁻⁹, at most one: for the reported value at risk alone.
    pub daily_volatility: i64,
}

/// Accounts of `list_asset`.
#[derive(Accounts)]
pub struct ListAsset<'info> {
    /// The exchange.
    #[account(has_one = authority @ BallastError::NotAuthority, has_one = board @ BallastError::WrongBoard)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Its board.
    #[account(mut)]
    pub board: AccountLoader<'info, RiskBoard>,
    /// Its authority.
    pub authority: Signer<'info>,
}

/// Lists an asset under the next free index.
pub(crate) fn list_asset<'info>(ctx: Context<'info, ListAsset<'info>>, args: ListAssetArgs) -> Result<()> {
    let mut board = ctx.accounts.board.load_mut()?;
    let index = board.asset_count;
    ensure!(usize::from(index) < MAX_ASSETS, BallastError::BoardFull);
    args.params.with_clusters(args.clusters).validate().or_error()?;
    ensure!(
        (0..=Ratio::SCALE).contains(&args.daily_volatility) && (0..=Ratio::SCALE).contains(&args.correlation_reference),
        BallastError::InvalidParameter
    );
    ensure!(
        args.instrument_open_interest_cap > 0 && (1..=MAX_OWNER_CAP).contains(&args.owner_open_interest_cap),
        BallastError::InvalidParameter
    );
    ensure!(
        clusters_agree(&args.clusters, &args.clusters),
        BallastError::InvalidParameter
    );
    args.feed.validate(index)?;
    args.scale.validate()?;
    let shocks = StoredShocks::new(args.params.scan_range, board.shock_floor)?;
    for other in board.assets.iter().take(usize::from(index)) {
        // A second listing of one price would double every cap.
        let same = other.symbol == args.symbol || args.feed.shares_a_source(&other.sources);
        ensure!(!same, BallastError::AlreadyListed);
        ensure!(
            clusters_agree(&args.clusters, &other.clusters),
            BallastError::InvalidParameter
        );
    }
    let asset: &mut Asset = board
        .assets
        .get_mut(usize::from(index))
        .ok_or(BallastError::BoardFull)?;
    asset.symbol = args.symbol;
    asset.clusters = args.clusters;
    args.feed.bind(&mut asset.price, &mut asset.sources);
    asset.params = args.params;
    asset.scale = ScanRangeScale::new(&args.scale);
    asset.shocks = shocks;
    asset.instrument_open_interest_cap = args.instrument_open_interest_cap;
    asset.owner_open_interest_cap = args.owner_open_interest_cap;
    asset.daily_volatility = args.daily_volatility;
    asset.note_settlements();
    board.asset_count = index.saturating_add(1); // index < 32
    board.add_pairs(index, args.correlation_reference, Clock::get()?.unix_timestamp)?;
    emit!(AssetListed {
        exchange: ctx.accounts.exchange.key(),
        asset: index,
        feed_id: args.feed.primary(),
    });
    Ok(())
}

/// Whether no cluster of one asset is a cluster of the other on another level: the scan refuses such a pair in every account.
fn clusters_agree(ours: &[u8; MAX_LEVELS], theirs: &[u8; MAX_LEVELS]) -> bool {
    ours.iter()
        .enumerate()
        .filter(|(_, cluster)| **cluster != 0)
        .all(|(level, cluster)| {
            theirs
                .iter()
                .enumerate()
                .all(|(other, theirs)| theirs != cluster || other == level)
        })
}
