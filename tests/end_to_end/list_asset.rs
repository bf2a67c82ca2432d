//! `list_asset`: an asset on the board, and the bounds of its parameters.
use ballast::error::BallastError;
use ballast::instructions::ListAssetArgs;
use ballast::state::StoredShocks;
use ballast_client::instruction;
use ballast_migrations::config;
use ballast_risk::defaults;
use ballast_sim::world::{Outcome, World, START};
use ballast_tests::refusal::{checks_every_account, refuses};
use ballast_tests::setup::second_exchange;
use ballast_tests::{ok, world};
use solana_signer::Signer;

/// A mid cap named after its feed, `n`.
fn args(n: u8) -> ListAssetArgs {
    config::asset(&format!("MID{n}"), [n; 32], &defaults::MID_CAP, 1, 1, START + 1).asset
}

fn list(w: &mut World, args: ListAssetArgs) -> Outcome {
    let authority = w.authority.insecure_clone();
    let list = instruction::list_asset(&w.exchange, &authority.pubkey(), args);
    w.vm.send(&[list], &[&authority])
}

#[test]
fn an_asset_takes_the_next_index() {
    let mut w = world();
    let before = w.vm.snapshot();
    let outcome = list(&mut w, args(9));
    ok(&w, outcome);
    assert_eq!(before.changed(&w.vm.snapshot()), vec![w.exchange.board]);
    let board = w.board();
    assert_eq!(board.asset_count, 4);
    let asset = &board.assets[3];
    assert_eq!((&asset.symbol, asset.clusters), (b"MID9\0\0\0\0", [0; 4]));
    assert_eq!(
        (asset.sources.sources[0].id, asset.price.index, asset.price.publish_time),
        ([9; 32], 0, 0)
    );
    assert_eq!((asset.price.max_age_seconds, asset.price.tight_ppm), (60, 5_000));
    assert_eq!((asset.price.slow_seconds, asset.price.slow_speed_ppm), (3_600, 200_000));
    assert_eq!(asset.params, args(9).params);
    assert_eq!(
        (asset.params.scan_range, asset.params.haircut_initial),
        (240_000_000, 500_000_000)
    );
    assert_eq!(asset.daily_volatility, 65_000_000);
    // Depth 1 million: caps of 40 and 10 times that.
    assert_eq!(asset.instrument_open_interest_cap, 40_000_000 * 100_000_000);
    assert_eq!(asset.owner_open_interest_cap, 10_000_000 * 100_000_000);
}

/// ln(1 + δ) of ±⅓ψ, ±⅔ψ, ±ψ, ∓2ψ, ∓4ψ, 8ψ and 12ψ, no fall deeper than the shock floor of 95 %.
fn shocks(psi: f64) -> Vec<f64> {
    let thirds = [1, -1, 2, -2, 3, -3, -6, 6, -12, 12, 24, 36];
    thirds.map(|k| (f64::from(k) * psi / 3.0).max(-0.95).ln_1p()).to_vec()
}

#[test]
fn a_listing_stores_the_shocks_of_the_asset() {
    let mut w = world();
    let outcome = list(&mut w, args(9));
    ok(&w, outcome);
    let board = w.board();
    // BTC, ETH and SOL of genesis, and the mid cap.
    for (asset, psi) in board
        .assets
        .iter()
        .zip([95_000_000, 120_000_000, 190_000_000, 240_000_000])
    {
        assert_eq!((asset.shocks.scan_range, asset.shocks.shock_floor), (psi, 950_000_000));
        for (stored, exact) in asset.shocks.logarithms.iter().zip(shocks(psi as f64 / 1e9)) {
            let error = *stored as f64 / (1u64 << 48) as f64 - exact;
            assert!(error.abs() < 1e-13, "{psi}: {stored} is off by {error}");
        }
        assert_eq!(asset.shocks, StoredShocks::new(psi, 950_000_000).unwrap());
    }
    assert_eq!(
        board.assets[4].shocks,
        StoredShocks::default(),
        "nothing is listed there"
    );
}

#[test]
fn refuses_a_thirty_third_asset() {
    let mut w = world();
    for n in 0..29 {
        let outcome = list(&mut w, args(100 + n));
        ok(&w, outcome);
    }
    assert_eq!(w.board().asset_count, 32);
    refuses(&mut w, BallastError::BoardFull, |w| list(w, args(200)));
}

#[test]
fn refuses_parameters_outside_their_bounds() {
    type Change = fn(&mut ListAssetArgs);
    let bad: [Change; 29] = [
        |a| a.params.scan_range = 950_000_001,
        |a| a.params.scan_range = -1,
        |a| a.params.buffer = 1_000_000_001,
        |a| a.params.buffer = -1,
        |a| a.params.basis = 1_000_000_001,
        |a| a.params.basis = -1,
        |a| a.params.spread = 4_000_000_001,
        |a| a.params.spread = -1,
        |a| a.params.option_spread = 4_000_000_001,
        |a| a.params.short_option_minimum = 1_000_000_001,
        |a| a.params.vol_up = 10_000_000_001,
        |a| a.params.vol_down = 1_000_000_001,
        |a| a.params.depth = 99_999_999,
        |a| a.params.depth = 2_000_000_000_000_000_001,
        |a| a.params.concentration = 1_000_000_001,
        |a| a.params.haircut_initial = 1_000_000_001,
        |a| a.params.haircut_maintenance = a.params.haircut_initial + 1,
        |a| a.params.haircut_maintenance = -1,
        |a| a.params.hedge_recognition = 1_000_000_001,
        |a| a.params.hedge_recognition = -1,
        |a| a.clusters[3] = 9,
        |a| a.instrument_open_interest_cap = 0,
        |a| a.owner_open_interest_cap = 0,
        |a| a.owner_open_interest_cap = -1,
        |a| a.owner_open_interest_cap = 31_250_000_000_000_001, // 20 billion dollars over 2 · 32 assets
        |a| a.scale.scan_range_cap_ppm = 999_999,
        |a| a.scale.scan_range_cap_ppm = 2_500_001,
        |a| a.scale.scan_range_fall_ppm = 999,
        |a| a.scale.scan_range_fall_ppm = 2_500_001,
    ];
    let mut w = world();
    for change in bad {
        let mut args = args(9);
        change(&mut args);
        refuses(&mut w, BallastError::InvalidParameter, |w| list(w, args));
    }
}

#[test]
fn accepts_parameters_on_their_bounds() {
    let mut w = world();
    let mut args = args(9);
    args.params.scan_range = 950_000_000;
    (args.params.buffer, args.params.basis) = (1_000_000_000, 1_000_000_000);
    (args.params.spread, args.params.option_spread) = (4_000_000_000, 4_000_000_000);
    (args.params.vol_up, args.params.vol_down) = (10_000_000_000, 1_000_000_000);
    args.params.depth = 100_000_000;
    (args.params.haircut_initial, args.params.haircut_maintenance) = (1_000_000_000, 1_000_000_000);
    args.clusters = [5, 6, 7, 8];
    (args.instrument_open_interest_cap, args.owner_open_interest_cap) = (1, 1);
    (args.scale.scan_range_cap_ppm, args.scale.scan_range_fall_ppm) = (2_500_000, 2_500_000);
    let outcome = list(&mut w, args);
    ok(&w, outcome);
}

#[test]
fn refuses_a_second_listing_of_one_name_or_one_price() {
    let mut w = world();
    let outcome = list(&mut w, args(9));
    ok(&w, outcome);
    let same_name = ListAssetArgs {
        symbol: args(9).symbol,
        ..args(10)
    };
    let same_price = ListAssetArgs {
        feed: args(9).feed,
        ..args(10)
    };
    for args in [args(9), same_name, same_price] {
        refuses(&mut w, BallastError::AlreadyListed, |w| list(w, args));
    }
    let outcome = list(&mut w, args(10));
    ok(&w, outcome);
}

#[test]
fn a_cluster_belongs_to_one_level() {
    let mut w = world();
    // Genesis has cluster 1 on the second level and cluster 2 on the third.
    for clusters in [
        [1, 0, 0, 0],
        [0, 0, 1, 0],
        [0, 2, 0, 0],
        [0, 0, 0, 2],
        [3, 3, 0, 0],
        [0, 8, 0, 8],
    ] {
        let args = ListAssetArgs { clusters, ..args(9) };
        refuses(&mut w, BallastError::InvalidParameter, |w| list(w, args));
    }
    let outcome = list(
        &mut w,
        ListAssetArgs {
            clusters: [3, 1, 2, 4],
            ..args(9)
        },
    );
    ok(&w, outcome);
}

#[test]
fn refuses_everybody_but_the_authority_and_other_boards() {
    let mut w = world();
    let (user, authority) = (w.user(), w.authority.insecure_clone());
    let wrong = instruction::list_asset(&w.exchange, &user.key.pubkey(), args(9));
    refuses(&mut w, BallastError::NotAuthority, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    let second = second_exchange(&mut w).exchange;
    let right = instruction::list_asset(&w.exchange, &authority.pubkey(), args(9));
    let mut wrong = right.clone();
    wrong.accounts[1].pubkey = second.board;
    refuses(&mut w, BallastError::WrongBoard, |w| w.vm.send(&[wrong], &[&authority]));
    checks_every_account(&mut w, &right, &[&authority]);
}
