//! What a validator adds to a program: fees, rent, blockhashes and account locks.
use std::slice::from_ref;

use ballast::error::BallastError;
use ballast::state::{MarginAccount, OwnerRecord, DISCRIMINATOR};
use ballast_client::instruction;
use solana_signer::Signer;
use solana_transaction_error::TransactionError;

use crate::bank::{Bank, Outcome, SIGNATURE_FEE};
use crate::venue::{Venue, START, USD};

/// The system program's error when an account can't pay for another one.
const INSUFFICIENT_LAMPORTS: u32 = 1;

#[test]
fn fees_rent_and_blockhashes() {
    let mut venue = Venue::new(Bank::new(START));
    let payer = venue.bank.payer.pubkey();

    // Whoever opens an account pays its rent, exactly.
    let user = venue.wallet(1_000_000_000, 1_000, 0);
    let rent = [size_of::<MarginAccount>(), size_of::<OwnerRecord>()].map(|len| venue.bank.rent(DISCRIMINATOR + len));
    venue.open(&user).expect("a wallet opens an account");
    assert_eq!(
        venue.bank.lamports(&user.key.pubkey()),
        1_000_000_000 - rent[0] - rent[1]
    );
    assert_eq!(venue.bank.lamports(&user.account.margin_account), rent[0]);
    assert_eq!(venue.bank.lamports(&user.account.owner), rent[1]);

    // A wallet that can't does not, and keeps what it has.
    let pauper = venue.wallet(1_000_000, 1_000, 0);
    let refused = venue.open(&pauper).expect_err("a million lamports do not pay the rent");
    assert_eq!(refused.code(), Some(INSUFFICIENT_LAMPORTS), "{refused:#?}");
    assert_eq!(venue.bank.lamports(&pauper.key.pubkey()), 1_000_000);
    assert!(venue.bank.account(&pauper.account.margin_account).is_none());
    assert!(venue.bank.account(&pauper.account.owner).is_none());

    // A fee a signature, whether the transaction goes through or not; a refused one moves nothing else.
    let before = venue.bank.lamports(&payer);
    venue.deposit(&user, 600 * USD).expect("a deposit");
    assert_eq!(venue.bank.lamports(&payer), before - 2 * SIGNATURE_FEE);
    let account = venue.bank.account(&user.account.margin_account);
    let refused = venue
        .withdraw(&user, 600 * USD + 1, &[])
        .expect_err("more than there is, and nobody to borrow from");
    assert_eq!(
        refused.code(),
        Some(u32::from(BallastError::BorrowCapExceeded)),
        "{refused:#?}"
    );
    assert_eq!(venue.bank.lamports(&payer), before - 4 * SIGNATURE_FEE);
    assert_eq!(venue.bank.account(&user.account.margin_account), account);

    // A transaction is processed once, and not at all when its blockhash is too old.
    let mint = venue.exchange.quote_mint;
    let deposit = instruction::deposit(&venue.exchange, &user.account, &mint, &user.usd, 100 * USD);
    let transaction = venue.bank.transaction(from_ref(&deposit), &[&user.key]);
    venue.bank.process(transaction.clone()).expect("the first time");
    let refused = venue.bank.process(transaction).expect_err("the second time");
    assert_eq!(refused.error, TransactionError::AlreadyProcessed);
    let transaction = venue.bank.transaction(&[deposit], &[&user.key]);
    venue.bank.outlive_blockhash(&transaction);
    let before = venue.bank.lamports(&payer);
    let refused = venue.bank.process(transaction).expect_err("too late");
    assert_eq!(refused.error, TransactionError::BlockhashNotFound);
    assert_eq!(venue.bank.lamports(&payer), before);
    assert_eq!(venue.tokens(&user.usd), 300 * USD);
    assert_eq!(venue.margin_account(&user).cash as u64, 700 * USD);
    venue.check_conservation();
}

/// Trades at the same time with one maker in one market: the locks let one in and turn the others away, and sent again they all go
/// through, each once.
#[test]
fn transactions_that_write_one_account_take_turns() {
    const ROUNDS: i64 = 10;
    const SIZES: [i64; 3] = [100, -30, 7];
    let mut venue = Venue::new(Bank::concurrent(START));
    let maker = venue.user(1_000_000, 0);
    venue.deposit(&maker, 1_000_000 * USD).expect("a deposit");
    let takers = SIZES.map(|lots| {
        let taker = venue.user(100_000, 0);
        venue.deposit(&taker, 100_000 * USD).expect("a deposit");
        (taker, lots)
    });
    let mut turned_away = 0;
    for _ in 0..ROUNDS {
        let mut waiting: Vec<_> = takers.iter().collect();
        while !waiting.is_empty() {
            let transactions = waiting
                .iter()
                .map(|(taker, lots)| {
                    let trade = venue.trade_instruction(0, taker, &maker, *lots, 100_000);
                    venue.bank.transaction(&[trade], &[&taker.key, &maker.key])
                })
                .collect();
            let outcomes = venue.bank.process_together(transactions);
            let mut again = outcomes.iter().map(turned_away_by_lock).collect::<Vec<_>>().into_iter();
            waiting.retain(|_| again.next().unwrap_or(false));
            turned_away += waiting.len();
        }
    }
    println!("{turned_away} transactions found an account locked");
    for (taker, lots) in &takers {
        let account = venue.margin_account(taker);
        assert_eq!(account.position(0).map(|p| p.lots), Some(lots * ROUNDS));
    }
    let sum: i64 = SIZES.iter().sum();
    let account = venue.margin_account(&maker);
    assert_eq!(account.position(0).map(|p| p.lots), Some(-sum * ROUNDS));
    venue.check_conservation();
}

/// Whether a transaction has to be sent again; anything but a lock, or a blockhash that has expired meanwhile, fails the test.
fn turned_away_by_lock(outcome: &Outcome) -> bool {
    match outcome {
        Ok(_) => false,
        Err(refused) => {
            let again = [TransactionError::AccountInUse, TransactionError::BlockhashNotFound];
            assert!(again.contains(&refused.error), "{refused:#?}");
            true
        }
    }
}
