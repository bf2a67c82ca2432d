//! `list_collateral`: a mint and its vault.
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::instructions::ListCollateralArgs;
use ballast::state::Collateral;
use ballast_client::instruction;
use ballast_sim::world::{mint_account, Outcome, World, ETH, TOKEN_PROGRAM};
use ballast_tests::refusal::{checks_every_account, refuses, refuses_by_anchor, refuses_code, ALREADY_IN_USE};
use ballast_tests::setup::second_exchange;
use ballast_tests::{ok, world};
use solana_signer::Signer;

const ARGS: ListCollateralArgs = ListCollateralArgs {
    asset: ETH,
    deposit_cap: 1_000,
    owner_deposit_cap: 100,
};

fn new_mint(w: &mut World, decimals: u8) -> Pubkey {
    let mint = w.vm.keypair().pubkey();
    w.vm.put(mint, TOKEN_PROGRAM, mint_account(decimals));
    mint
}

fn list(w: &mut World, mint: &Pubkey, args: ListCollateralArgs) -> Outcome {
    let authority = w.authority.insecure_clone();
    let list = instruction::list_collateral(&w.exchange, &authority.pubkey(), mint, args);
    w.vm.send(&[list], &[&authority])
}

#[test]
fn a_collateral_takes_the_next_index() {
    let mut w = world();
    let mint = new_mint(&mut w, 8);
    let outcome = list(&mut w, &mint, ARGS);
    ok(&w, outcome);
    assert_eq!(w.exchange_account().collateral_count, 4);
    let collateral: Box<Collateral> = w.read(&w.exchange.collateral(&mint));
    assert_eq!(
        (
            collateral.version,
            collateral.index,
            collateral.asset,
            collateral.decimals
        ),
        (1, 3, ETH, 8)
    );
    assert_eq!((collateral.exchange, collateral.mint), (w.exchange.key, mint));
    assert_eq!((collateral.deposit_cap, collateral.owner_deposit_cap), (1_000, 100));
    assert_eq!(
        (collateral.vault, collateral.total_deposits),
        (w.exchange.vault(&mint), 0)
    );
    let vault = w.vm.data(&collateral.vault);
    assert_eq!((&vault[..32], &vault[32..64]), (mint.as_ref(), w.exchange.key.as_ref()));
}

#[test]
fn refuses_to_list_a_mint_twice() {
    let mut w = world();
    let mint = new_mint(&mut w, 8);
    let outcome = list(&mut w, &mint, ARGS);
    ok(&w, outcome);
    let usd = w.usd.mint;
    for mint in [mint, usd] {
        refuses_code(&mut w, ALREADY_IN_USE, "a collateral that exists", |w| {
            list(w, &mint, ARGS)
        });
    }
}

#[test]
fn refuses_a_seventeenth_collateral() {
    let mut w = world();
    for _ in 0..13 {
        let mint = new_mint(&mut w, 9);
        let outcome = list(&mut w, &mint, ARGS);
        ok(&w, outcome);
    }
    assert_eq!(w.exchange_account().collateral_count, 16);
    let mint = new_mint(&mut w, 9);
    refuses(&mut w, BallastError::BoardFull, |w| list(w, &mint, ARGS));
}

#[test]
fn refuses_more_than_nine_decimals() {
    let mut w = world();
    for decimals in [10, 255] {
        let mint = new_mint(&mut w, decimals);
        refuses(&mut w, BallastError::UnsupportedDecimals, |w| list(w, &mint, ARGS));
    }
    for decimals in [0, 9] {
        let mint = new_mint(&mut w, decimals);
        let outcome = list(&mut w, &mint, ARGS);
        ok(&w, outcome);
    }
}

#[test]
fn refuses_unlisted_assets_and_caps_that_contradict_each_other() {
    let mut w = world();
    let mint = new_mint(&mut w, 9);
    for asset in [3, 255] {
        refuses(&mut w, BallastError::AssetNotListed, |w| {
            list(w, &mint, ListCollateralArgs { asset, ..ARGS })
        });
    }
    let args = ListCollateralArgs {
        owner_deposit_cap: 1_001,
        ..ARGS
    };
    refuses(&mut w, BallastError::InvalidParameter, |w| list(w, &mint, args));
    let args = ListCollateralArgs {
        owner_deposit_cap: 1_000,
        ..ARGS
    };
    let outcome = list(&mut w, &mint, args);
    ok(&w, outcome);
}

#[test]
fn refuses_a_cap_whose_balance_would_be_no_quantity() {
    // Quantities are 10⁻⁹ in 64 bits: of a mint without decimals at most 9,223,372,036 units.
    let mut w = world();
    let mint = new_mint(&mut w, 0);
    let args = |deposit_cap| ListCollateralArgs { deposit_cap, ..ARGS };
    refuses(&mut w, BallastError::InvalidParameter, |w| {
        list(w, &mint, args(9_223_372_037))
    });
    let outcome = list(&mut w, &mint, args(9_223_372_036));
    ok(&w, outcome);
}

#[test]
fn refuses_everybody_but_the_authority_and_other_boards_or_addresses() {
    let mut w = world();
    let (user, authority) = (w.user(), w.authority.insecure_clone());
    let mint = new_mint(&mut w, 9);
    let wrong = instruction::list_collateral(&w.exchange, &user.key.pubkey(), &mint, ARGS);
    refuses(&mut w, BallastError::NotAuthority, |w| {
        w.vm.send(&[wrong], &[&user.key])
    });
    let second = second_exchange(&mut w).exchange;
    let right = instruction::list_collateral(&w.exchange, &authority.pubkey(), &mint, ARGS);
    let mut wrong = right.clone();
    wrong.accounts[1].pubkey = second.board;
    refuses(&mut w, BallastError::WrongBoard, |w| w.vm.send(&[wrong], &[&authority]));
    for (at, key) in [(3, second.collateral(&mint)), (4, second.vault(&mint))] {
        let mut wrong = right.clone();
        wrong.accounts[at].pubkey = key;
        refuses_by_anchor(&mut w, ErrorCode::ConstraintSeeds, |w| {
            w.vm.send(&[wrong], &[&authority])
        });
    }
    checks_every_account(&mut w, &right, &[&authority]);
}
