//! A staked token whose price is SOL's times the rate of its stake pool.
use anchor_lang::prelude::{Clock, Pubkey};
use ballast::instructions::{ListAssetArgs, ListCollateralArgs};
use ballast::oracle::{PriceSourceKind, SourceConfig};
use ballast_client::instruction;
use ballast_migrations::config;
use ballast_oracle::stake_pool::{LEN, PROGRAM};
use ballast_risk::{defaults, AssetParams};
use ballast_sim::world::{mint_account, token_account, Outcome, User, World, SOL, START, TOKEN_PROGRAM};
use solana_signer::Signer;

use crate::ok;
use crate::setup::DAY;

/// Epoch in which its world begins.
pub const EPOCH: u64 = 700;

/// The asset, its pool and its token.
pub struct Staked {
    /// The asset.
    pub asset: u8,
    /// The pool's account.
    pub pool: Pubkey,
    /// The token.
    pub mint: Pubkey,
}

/// The bytes of a pool with so many lamports for each thousand tokens, updated in `epoch`.
pub fn pool(lamports: u64, epoch: u64) -> Vec<u8> {
    let mut data = vec![0; LEN];
    let mut put = |at: usize, value: u64| data[at..at + 8].copy_from_slice(&value.to_le_bytes());
    put(258, lamports * 1_000_000_000);
    put(266, 1_000 * 1_000_000_000);
    put(274, epoch);
    data[0] = 1;
    data
}

/// Terms of the listing: a rate that rises by 0.1 % a day at most, and haircuts of 35 and 30 %, SOL's being 25 and 20 %.
pub fn terms(pool: &Pubkey) -> ListAssetArgs {
    let params = AssetParams {
        haircut_initial: ballast_fixed::Ratio::from_ppm(350_000),
        haircut_maintenance: ballast_fixed::Ratio::from_ppm(300_000),
        clusters: [0; 4],
        ..defaults::SOL
    };
    let mut args = config::asset("stSOL", pool.to_bytes(), &params, 1, 1, START + DAY).asset;
    args.feed.sources = vec![SourceConfig {
        kind: PriceSourceKind::StakePool,
        base: SOL,
        max_step_ppm: 1_000,
        ..config::pyth(pool.to_bytes())
    }];
    args.scale.scan_range_cap_ppm = 1_000_000;
    args
}

impl Staked {
    /// Lists the token at 1.1 SOL and takes its first price.
    ///
    /// # Panics
    /// When that is refused.
    pub fn list(w: &mut World) -> Staked {
        set_epoch(w, EPOCH);
        let (pool, mint) = (w.vm.keypair().pubkey(), w.vm.keypair().pubkey());
        w.vm.put(mint, TOKEN_PROGRAM, mint_account(9));
        let authority = w.authority.insecure_clone();
        let asset = w.board().asset_count;
        let collateral = ListCollateralArgs {
            asset,
            deposit_cap: 1_000_000_000_000_000,
            owner_deposit_cap: 1_000_000_000_000_000,
        };
        let list = [
            instruction::list_asset(&w.exchange, &authority.pubkey(), terms(&pool)),
            instruction::list_collateral(&w.exchange, &authority.pubkey(), &mint, collateral),
        ];
        let outcome = w.vm.send(&list, &[&authority]);
        ok(w, outcome);
        let staked = Staked { asset, pool, mint };
        staked.is(w, 1_100, EPOCH);
        let outcome = staked.refresh(w);
        ok(w, outcome);
        staked
    }

    /// The pool says so many lamports for each thousand tokens.
    pub fn is(&self, w: &mut World, lamports: u64, epoch: u64) {
        w.vm.put(self.pool, Pubkey::new_from_array(PROGRAM), pool(lamports, epoch));
    }

    /// `refresh_prices` of the token alone.
    pub fn refresh(&self, w: &mut World) -> Outcome {
        self.refresh_from(w, &self.pool)
    }

    /// The same from another account.
    pub fn refresh_from(&self, w: &mut World, account: &Pubkey) -> Outcome {
        let refresh = instruction::refresh_prices(&w.exchange, &[(self.asset, *account)]);
        w.vm.send(&[refresh], &[])
    }

    /// SOL at this price, dollars, a second later, and the token with it.
    ///
    /// # Panics
    /// When that is refused.
    pub fn with_sol_at(&self, w: &mut World, price: f64) {
        w.set_prices(&[(SOL, price)]);
        let outcome = self.refresh(w);
        ok(w, outcome);
    }

    /// The token's index, 10⁻⁹ dollars.
    pub fn index(&self, w: &World) -> i64 {
        w.board().assets[usize::from(self.asset)].price.index
    }

    /// Deposits so many 10⁻⁹ of the token for the user.
    ///
    /// # Panics
    /// When that is refused.
    pub fn deposit(&self, w: &mut World, user: &User, amount: u64) {
        let source = w.vm.keypair().pubkey();
        let tokens = token_account(&self.mint, &user.key.pubkey(), amount);
        w.vm.put(source, TOKEN_PROGRAM, tokens);
        let deposit = instruction::deposit(&w.exchange, &user.account, &self.mint, &source, amount);
        let outcome = w.vm.send(&[deposit], &[&user.key]);
        ok(w, outcome);
    }
}

/// Moves the chain to an epoch.
pub fn set_epoch(w: &mut World, epoch: u64) {
    let mut clock: Clock = w.vm.clock();
    clock.epoch = epoch;
    w.vm.svm.set_sysvar(&clock);
}
