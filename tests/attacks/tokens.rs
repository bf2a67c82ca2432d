//! Token accounts and token programs that are not what they should be.
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast_client::instruction;
use ballast_sim::invariants::conservation;
use ballast_sim::world::{token_account, User, World, TOKEN_PROGRAM};
use ballast_tests::refusal::{refuses, refuses_by_anchor, refuses_code};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_signer::Signer;

/// SPL Token's own refusals: not enough tokens, and not the owner.
const INSUFFICIENT_FUNDS: u32 = 1;
const OWNER_MISMATCH: u32 = 4;
/// The other token program.
const TOKEN_2022: Pubkey = anchor_spl::token_2022::ID;

/// Writes bytes into a token account: amount at 64, delegate (a tag of four bytes in front) at 72, state at 108, delegated amount at 121.
fn write(w: &mut World, key: &Pubkey, at: usize, bytes: &[u8]) {
    let mut data = w.vm.data(key);
    data[at..at + bytes.len()].copy_from_slice(bytes);
    w.vm.put(*key, TOKEN_PROGRAM, data);
}

fn freeze(w: &mut World, key: &Pubkey) {
    const FROZEN: u8 = 2;
    write(w, key, 108, &[FROZEN]);
}

fn delegate(w: &mut World, key: &Pubkey, to: &Pubkey, amount: u64) {
    write(w, key, 72, &1u32.to_le_bytes());
    write(w, key, 76, to.as_ref());
    write(w, key, 121, &amount.to_le_bytes());
}

fn ready() -> (World, User, User) {
    let mut w = world();
    let (attacker, victim) = pair(&mut w, 1_000);
    let usd = w.usd;
    w.give(&attacker, &usd, 1_000 * USD);
    w.give(&victim, &usd, 1_000 * USD);
    (w, attacker, victim)
}

#[test]
fn attack_frozen_token_accounts() {
    let (mut w, user, _) = ready();
    let usd = w.usd;
    freeze(&mut w, &user.usd);
    refuses(&mut w, BallastError::TokenAccountUnusable, |w| {
        w.deposit(&user, &usd, USD)
    });
    refuses(&mut w, BallastError::TokenAccountUnusable, |w| {
        w.withdraw(&user, &usd, USD)
    });
    let contribute = instruction::fund_insurance(&w.exchange, &user.key.pubkey(), &user.usd, USD);
    refuses(&mut w, BallastError::TokenAccountUnusable, |w| {
        w.vm.send(&[contribute], &[&user.key])
    });
}

/// Somebody else may spend from the destination, or from the source: neither gives him a claim, and the amounts stay exact.
#[test]
fn attack_delegated_token_accounts() {
    let (mut w, user, other) = ready();
    let usd = w.usd;
    delegate(&mut w, &user.usd, &other.key.pubkey(), u64::MAX);
    let outcome = w.withdraw(&user, &usd, 10 * USD);
    ok(&w, outcome);
    assert_eq!(w.tokens(&user.usd), 1_010 * USD);
    let outcome = w.deposit(&user, &usd, 10 * USD);
    ok(&w, outcome);
    let take = instruction::withdraw(&w.exchange, &user.account, &usd.mint, &other.usd, USD, &[]);
    let mut stolen = take.clone();
    for meta in stolen.accounts.iter_mut().filter(|m| m.pubkey == user.key.pubkey()) {
        meta.pubkey = other.key.pubkey();
    }
    refuses(&mut w, BallastError::NotOwner, |w| w.vm.send(&[stolen], &[&other.key]));
}

/// Taking what is somebody else's, or more than was delegated.
#[test]
fn attack_depositing_tokens_of_somebody_else() {
    let (mut w, attacker, victim) = ready();
    let (exchange, usd) = (w.exchange, w.usd);
    let deposit =
        |source: &Pubkey, amount| instruction::deposit(&exchange, &attacker.account, &usd.mint, source, amount);
    let take = deposit(&victim.usd, USD);
    refuses_code(&mut w, OWNER_MISMATCH, "not the owner", |w| {
        w.vm.send(&[take], &[&attacker.key])
    });
    let key = attacker.key.pubkey();
    delegate(&mut w, &victim.usd, &key, 5 * USD);
    let take = deposit(&victim.usd, 5 * USD + 1);
    refuses_code(&mut w, INSUFFICIENT_FUNDS, "not delegated", |w| {
        w.vm.send(&[take], &[&attacker.key])
    });
    let more = deposit(&attacker.usd, 1_000 * USD + 1);
    refuses(&mut w, BallastError::TokenAccountUnusable, |w| {
        w.vm.send(&[more], &[&attacker.key])
    });
    let contribute = instruction::fund_insurance(&exchange, &key, &victim.usd, 5 * USD + 1);
    refuses_code(&mut w, INSUFFICIENT_FUNDS, "not delegated", |w| {
        w.vm.send(&[contribute], &[&attacker.key])
    });
    // What was delegated may be spent by the delegate; its claim is as large as what the vault got.
    let take = deposit(&victim.usd, 5 * USD);
    let outcome = w.vm.send(&[take], &[&attacker.key]);
    ok(&w, outcome);
    assert_eq!(w.tokens(&victim.usd), 995 * USD);
    assert_eq!(
        w.margin_account(&attacker.account.margin_account).cash,
        1_005 * USD as i64
    );
}

#[test]
fn attack_the_vault_as_source_or_destination() {
    let (mut w, attacker, _) = ready();
    let (exchange, usd) = (w.exchange, w.usd.mint);
    let vault = exchange.vault(&usd);
    let all = [
        instruction::deposit(&exchange, &attacker.account, &usd, &vault, USD),
        instruction::withdraw(&exchange, &attacker.account, &usd, &vault, USD, &[]),
        instruction::fund_insurance(&exchange, &attacker.key.pubkey(), &vault, USD),
    ];
    for one in all {
        let code =
            w.vm.send(std::slice::from_ref(&one), &[&attacker.key])
                .expect_err("refused")
                .code;
        let known = [
            u32::from(BallastError::DuplicateAccount),
            u32::from(ErrorCode::ConstraintDuplicateMutableAccount),
        ];
        assert!(code.is_some_and(|c| known.contains(&c)), "{code:?}");
    }
    conservation(&w).expect("nothing moved");
}

#[test]
fn attack_tokens_of_another_mint() {
    let (mut w, attacker, _) = ready();
    let (exchange, usd, btc) = (w.exchange, w.usd, w.btc);
    w.give(&attacker, &btc, BTC_UNIT);
    // Cheap units into the dear vault, and the dear vault's units out as cheap ones.
    let all = [
        instruction::deposit(&exchange, &attacker.account, &btc.mint, &attacker.usd, USD),
        instruction::deposit(&exchange, &attacker.account, &usd.mint, &attacker.btc, USD),
        instruction::withdraw(&exchange, &attacker.account, &usd.mint, &attacker.btc, USD, &[]),
        instruction::fund_insurance(&exchange, &attacker.key.pubkey(), &attacker.btc, USD),
    ];
    for one in all {
        refuses(&mut w, BallastError::WrongMint, |w| w.vm.send(&[one], &[&attacker.key]));
    }
    // One collateral's record with another one's vault, and both of another mint than the quote for the fund.
    let mut mixed = instruction::deposit(&exchange, &attacker.account, &btc.mint, &attacker.usd, USD);
    mixed.accounts[1].pubkey = exchange.vault(&usd.mint);
    refuses(&mut w, BallastError::WrongVault, |w| {
        w.vm.send(&[mixed], &[&attacker.key])
    });
    let mut fund = instruction::fund_insurance(&exchange, &attacker.key.pubkey(), &attacker.btc, USD);
    fund.accounts[0].pubkey = exchange.collateral(&btc.mint);
    fund.accounts[1].pubkey = exchange.vault(&btc.mint);
    refuses(&mut w, BallastError::WrongMint, |w| {
        w.vm.send(&[fund], &[&attacker.key])
    });
}

/// A token account that the exchange itself owns, but that is not the vault, would take deposits that nobody can pay out.
#[test]
fn attack_a_fake_vault() {
    let (mut w, attacker, _) = ready();
    let (exchange, usd) = (w.exchange, w.usd.mint);
    let mut ends = Vec::new();
    for owner in [exchange.key, attacker.key.pubkey()] {
        let key = w.vm.keypair().pubkey();
        w.vm.put(key, TOKEN_PROGRAM, token_account(&usd, &owner, 1_000 * USD));
        ends.push(key);
    }
    for fake in ends {
        let all = [
            instruction::deposit(&exchange, &attacker.account, &usd, &attacker.usd, USD),
            instruction::withdraw(&exchange, &attacker.account, &usd, &attacker.usd, USD, &[]),
            instruction::fund_insurance(&exchange, &attacker.key.pubkey(), &attacker.usd, USD),
        ];
        for mut one in all {
            let vault = exchange.vault(&usd);
            for meta in one.accounts.iter_mut().filter(|m| m.pubkey == vault) {
                meta.pubkey = fake;
            }
            refuses(&mut w, BallastError::WrongVault, |w| {
                w.vm.send(&[one], &[&attacker.key])
            });
        }
    }
}

#[test]
fn attack_the_wrong_token_program() {
    let (mut w, attacker, _) = ready();
    let (exchange, usd) = (w.exchange, w.usd.mint);
    for program in [TOKEN_2022, ballast::ID, anchor_lang::system_program::ID] {
        let all = [
            instruction::deposit(&exchange, &attacker.account, &usd, &attacker.usd, USD),
            instruction::withdraw(&exchange, &attacker.account, &usd, &attacker.usd, USD, &[]),
            instruction::fund_insurance(&exchange, &attacker.key.pubkey(), &attacker.usd, USD),
        ];
        for mut one in all {
            for meta in one.accounts.iter_mut().filter(|m| m.pubkey == TOKEN_PROGRAM) {
                meta.pubkey = program;
            }
            refuses_by_anchor(&mut w, ErrorCode::InvalidProgramId, |w| {
                w.vm.send(&[one], &[&attacker.key])
            });
        }
    }
}

/// A mint of the other token program can't be listed: a transfer fee or a hook would break conservation.
#[test]
fn attack_listing_a_token_2022_mint() {
    let mut w = world();
    let mint = w.vm.keypair().pubkey();
    let data = w.vm.data(&w.btc.mint);
    w.vm.put(mint, TOKEN_2022, data);
    let authority = w.authority.insecure_clone();
    let args = ballast::instructions::ListCollateralArgs {
        asset: 0,
        deposit_cap: 1,
        owner_deposit_cap: 1,
    };
    let list = instruction::list_collateral(&w.exchange, &authority.pubkey(), &mint, args);
    refuses_by_anchor(&mut w, ErrorCode::AccountOwnedByWrongProgram, |w| {
        w.vm.send(&[list], &[&authority])
    });
}

/// Tokens sent to the vault past the program are nobody's: they raise no claim, and they lock nobody out.
#[test]
fn attack_a_donation_to_the_vault() {
    let (mut w, user, victim) = ready();
    let usd = w.usd;
    let vault = w.exchange.vault(&usd.mint);
    let before = (w.quote_pool().supplied, w.insurance_fund().balance);
    let held = w.tokens(&vault);
    write(&mut w, &vault, 64, &(held + 7 * USD).to_le_bytes());
    assert!(w.deposit(&user, &usd, USD).is_ok());
    assert!(
        w.withdraw(&user, &usd, 1_001 * USD).is_ok(),
        "its own, and not one unit more"
    );
    refuses(&mut w, BallastError::InsufficientMargin, |w| w.withdraw(&user, &usd, 1));
    assert!(w.withdraw(&victim, &usd, 10_000_000 * USD).is_ok());
    assert_eq!(w.vault_amount(&usd.mint), 7 * USD);
    assert_eq!(
        (before.0 - w.quote_pool().supplied, w.insurance_fund().balance),
        (10_001_000 * USD, before.1)
    );
}
