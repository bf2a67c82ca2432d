//! `open_margin_account`: an account and, the first time, its wallet's record.
use anchor_lang::error::ErrorCode;
use ballast::error::BallastError;
use ballast::events::MarginAccountOpened;
use ballast::state::{MarginAccount, OwnerRecord, DISCRIMINATOR};
use ballast_client::instruction;
use ballast_tests::refusal::{refuses, refuses_by_anchor, refuses_code, ALREADY_IN_USE};
use ballast_tests::setup::{event, second_exchange, trader};
use ballast_tests::{ok, world};
use solana_signer::Signer;

#[test]
fn an_account_starts_empty() {
    let mut w = world();
    let (wallet, delegate) = (w.vm.keypair(), w.vm.keypair().pubkey());
    w.vm.airdrop(&wallet.pubkey());
    let open = instruction::open_margin_account(&w.exchange, &wallet.pubkey(), 7, vec![delegate]);
    let outcome = w.vm.send(&[open], &[&wallet]);
    let receipt = ok(&w, outcome);
    let key = w.exchange.margin_account(&wallet.pubkey(), 7);
    let account = w.margin_account(&key);
    assert_eq!((account.version, account.index, account.method), (1, 7, 0));
    assert_eq!((account.exchange, account.wallet), (w.exchange.key, wallet.pubkey()));
    assert_eq!(account.owner, w.exchange.owner_record(&wallet.pubkey()));
    assert_eq!(account.delegates[0], delegate);
    assert!(account.delegates[1..].iter().all(|d| *d == Default::default()));
    assert_eq!(
        (
            account.cash,
            account.reserve,
            account.position_count,
            account.order_reserve
        ),
        (0, 0, 0, 0)
    );
    assert_eq!(w.vm.data(&key).len(), DISCRIMINATOR + size_of::<MarginAccount>());
    let record: Box<OwnerRecord> = w.read(&account.owner);
    assert_eq!((record.version, record.margin_accounts), (1, 1));
    assert_eq!((record.exchange, record.wallet), (w.exchange.key, wallet.pubkey()));
    let expected = MarginAccountOpened {
        margin_account: key,
        wallet: wallet.pubkey(),
        index: 7,
    };
    assert_eq!(event::<MarginAccountOpened>(&receipt), expected);
}

#[test]
fn a_second_account_shares_the_record() {
    let mut w = world();
    let user = trader(&mut w, 100);
    for index in [1, u16::MAX] {
        let outcome = w.open(&user, index);
        ok(&w, outcome);
    }
    let record: Box<OwnerRecord> = w.read(&user.account.owner);
    assert_eq!((record.margin_accounts, record.deposits[0]), (3, 100_000_000));
}

#[test]
fn refuses_to_open_an_account_twice() {
    let mut w = world();
    let user = trader(&mut w, 100);
    refuses_code(&mut w, ALREADY_IN_USE, "an account that exists", |w| w.open(&user, 0));
}

#[test]
fn refuses_a_fifth_delegate() {
    let mut w = world();
    let user = trader(&mut w, 0);
    let wallet = user.key.pubkey();
    let delegates = |w: &mut ballast_sim::world::World, n: usize| (0..n).map(|_| w.vm.keypair().pubkey()).collect();
    let five = delegates(&mut w, 5);
    let open = instruction::open_margin_account(&w.exchange, &wallet, 1, five);
    refuses(&mut w, BallastError::InvalidParameter, |w| {
        w.vm.send(&[open], &[&user.key])
    });
    let four = delegates(&mut w, 4);
    let open = instruction::open_margin_account(&w.exchange, &wallet, 1, four);
    let outcome = w.vm.send(&[open], &[&user.key]);
    ok(&w, outcome);
}

#[test]
fn refuses_addresses_that_are_not_derived_from_exchange_wallet_and_index() {
    let mut w = world();
    let (user, other) = (trader(&mut w, 0), trader(&mut w, 0));
    let second = second_exchange(&mut w);
    let foreign = second.open(&mut w, &user);
    let wallet = user.key.pubkey();
    let right = instruction::open_margin_account(&w.exchange, &wallet, 1, vec![]);
    let index_two = w.exchange.margin_account(&wallet, 2);
    let of_another_wallet = w.exchange.margin_account(&other.key.pubkey(), 1);
    let of_another_exchange = second.exchange.margin_account(&wallet, 1);
    for (at, key) in [
        (1, index_two),
        (1, of_another_wallet),
        (1, of_another_exchange),
        (2, other.account.owner),
        (2, foreign.owner),
    ] {
        let mut wrong = right.clone();
        wrong.accounts[at].pubkey = key;
        refuses_by_anchor(&mut w, ErrorCode::ConstraintSeeds, |w| {
            w.vm.send(&[wrong], &[&user.key])
        });
    }
    let mut no_program = right.clone();
    no_program.accounts[4].pubkey = ballast_sim::world::TOKEN_PROGRAM;
    refuses_by_anchor(&mut w, ErrorCode::InvalidProgramId, |w| {
        w.vm.send(&[no_program], &[&user.key])
    });
    let mut no_exchange = right.clone();
    no_exchange.accounts[0].pubkey = w.exchange.board;
    refuses_by_anchor(&mut w, ErrorCode::AccountDiscriminatorMismatch, |w| {
        w.vm.send(&[no_exchange], &[&user.key])
    });
    let mut unsigned = right.clone();
    unsigned.accounts[3].is_signer = false;
    refuses_by_anchor(&mut w, ErrorCode::AccountNotSigner, |w| w.vm.send(&[unsigned], &[]));
}
