//! What refusals have in common: a named error, and nothing moved.
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::{AccountMeta, Pubkey};
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::system_program::ID as SYSTEM_PROGRAM;
use anchor_lang::Discriminator;
use ballast::error::BallastError;
use ballast::state::InsuranceFund;
use ballast_client::address::event_authority;
use ballast_sim::world::{Outcome, World, TOKEN_PROGRAM};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// The error of a system or token instruction inside ours: 0 where an account that is to be created exists.
pub const ALREADY_IN_USE: u32 = 0;

/// Asserts that `act` is refused with `error` and that no account changed.
///
/// # Panics
/// When it went through, was refused otherwise, or something moved.
#[track_caller]
pub fn refuses(world: &mut World, error: BallastError, act: impl FnOnce(&mut World) -> Outcome) {
    refuses_code(world, u32::from(error), &format!("{error:?}"), act);
}

/// As [`refuses`], for Anchor's own account checks.
///
/// # Panics
/// As [`refuses`].
#[track_caller]
pub fn refuses_by_anchor(world: &mut World, error: ErrorCode, act: impl FnOnce(&mut World) -> Outcome) {
    refuses_code(world, u32::from(error), &format!("{error:?}"), act);
}

/// As [`refuses`], by the number of the error.
///
/// # Panics
/// As [`refuses`].
#[track_caller]
pub fn refuses_code(world: &mut World, code: u32, name: &str, act: impl FnOnce(&mut World) -> Outcome) {
    let before = world.vm.snapshot();
    match act(world) {
        Ok(_) => panic!("went through; expected {name}"),
        Err(e) => assert_eq!(
            e.code,
            Some(code),
            "expected {name} ({code}), got {:?}\n{}",
            e.error,
            e.logs.join("\n")
        ),
    }
    let changed = before.changed(&world.vm.snapshot());
    assert!(changed.is_empty(), "refused, but these accounts changed: {changed:?}");
}

/// Asserts that an instruction is refused and that nothing moved, for refusals of the runtime that carry no number.
///
/// # Panics
/// When it went through or something moved.
#[track_caller]
pub fn refuses_somehow(world: &mut World, act: impl FnOnce(&mut World) -> Outcome) {
    let before = world.vm.snapshot();
    assert!(act(world).is_err(), "went through");
    let changed = before.changed(&world.vm.snapshot());
    assert!(changed.is_empty(), "refused, but these accounts changed: {changed:?}");
}

/// Asserts that an instruction that would go through is refused, account by account, when
/// * a signature is missing,
/// * an account that it writes is passed read-only,
/// * an account of the program or of the token program is a copy, byte for byte, that another program owns,
/// * an account of the program is of another type,
/// * a program or the event authority is another one.
///
/// # Panics
/// When one of them goes through, is refused for another reason, or something moved.
#[track_caller]
pub fn checks_every_account(world: &mut World, instruction: &Instruction, signers: &[&Keypair]) {
    checks_declared_accounts(world, instruction, instruction.accounts.len(), signers);
}

/// As [`checks_every_account`], for the first `count` accounts: what comes behind them the handler itself checks.
///
/// # Panics
/// As [`checks_every_account`].
#[track_caller]
pub fn checks_declared_accounts(world: &mut World, instruction: &Instruction, count: usize, signers: &[&Keypair]) {
    checks_accounts_behind(world, &[], instruction, count, signers);
}

/// As [`checks_declared_accounts`], for an instruction that needs others in front of it.
///
/// # Panics
/// As [`checks_every_account`].
#[track_caller]
pub fn checks_accounts_behind(
    world: &mut World,
    front: &[Instruction],
    instruction: &Instruction,
    count: usize,
    signers: &[&Keypair],
) {
    for at in 0..count {
        for (meta, error) in mistakes(world, &instruction.accounts[at]) {
            let mut wrong = instruction.clone();
            wrong.accounts[at] = meta.clone();
            let signs = |key: &&&Keypair| meta.is_signer || key.pubkey() != meta.pubkey;
            let signers: Vec<&Keypair> = signers.iter().filter(signs).copied().collect();
            let name = format!("account {at} as {meta:?}: {error:?}");
            let all = [front, &[wrong]].concat();
            match error {
                Some(error) => refuses_code(world, u32::from(error), &name, |w| w.vm.send(&all, &signers)),
                None => refuses_somehow(world, |w| w.vm.send(&all, &signers)),
            }
        }
    }
}

/// What can be wrong with an account, and Anchor's error for it where it has one.
fn mistakes(world: &mut World, right: &AccountMeta) -> Vec<(AccountMeta, Option<ErrorCode>)> {
    let key = |pubkey: Pubkey| AccountMeta {
        pubkey,
        ..right.clone()
    };
    if right.is_signer {
        let unsigned = AccountMeta {
            is_signer: false,
            ..right.clone()
        };
        return vec![(unsigned, Some(ErrorCode::AccountNotSigner))];
    }
    if right.pubkey == event_authority() {
        let other = world.vm.keypair().pubkey();
        return vec![(key(other), Some(ErrorCode::ConstraintAddress))];
    }
    let Some(account) = world.vm.svm.get_account(&right.pubkey) else {
        return vec![]; // created by the instruction itself
    };
    if right.pubkey == ballast::ID {
        return vec![(key(TOKEN_PROGRAM), None)]; // the self-CPI of the event fails
    }
    if account.executable {
        return vec![(key(ballast::ID), Some(ErrorCode::InvalidProgramId))];
    }
    let ours = account.owner == ballast::ID;
    if !ours && account.owner != TOKEN_PROGRAM {
        return vec![];
    }
    let copy = world.vm.keypair().pubkey();
    world.vm.put(copy, SYSTEM_PROGRAM, account.data.clone());
    let mut wrong = vec![(key(copy), Some(ErrorCode::AccountOwnedByWrongProgram))];
    if ours {
        let other = another_type(world, &account.data);
        wrong.push((key(other), Some(ErrorCode::AccountDiscriminatorMismatch)));
    }
    if right.is_writable {
        let read_only = AccountMeta {
            is_writable: false,
            ..right.clone()
        };
        wrong.push((read_only, Some(ErrorCode::ConstraintMut)));
    }
    wrong
}

/// An account of the program of another type than the one with this data.
fn another_type(world: &World, data: &[u8]) -> Pubkey {
    let (fund, pool) = (world.exchange.insurance_fund(), world.exchange.quote_pool());
    if data.starts_with(InsuranceFund::DISCRIMINATOR) {
        pool
    } else {
        fund
    }
}
