//! A bank behind blocking calls.
use std::path::PathBuf;
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::{Discriminator, Owner};
use ballast_client::account::decode;
use ballast_migrations::Chain;
use bytemuck::Pod;
use solana_account::{Account, AccountSharedData};
use solana_clock::Clock;
use solana_hash::Hash;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_program_test::{BanksClient, ProgramTest, ProgramTestContext};
use solana_rent::Rent;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

/// Largest transaction that the network carries, bytes.
const PACKET: usize = 1_232;
/// Bytes of a signature.
const SIGNATURE: usize = 64;
/// Lamports that a signature costs.
pub const SIGNATURE_FEE: u64 = 5_000;

/// A transaction that went through.
#[derive(Debug)]
pub struct Receipt {
    /// Compute units, all instructions together.
    pub compute_units: u64,
}

/// A transaction that was refused.
#[derive(Debug)]
pub struct Refused {
    /// The runtime's error.
    pub error: TransactionError,
    /// Log lines, where it got as far as running.
    pub logs: Vec<String>,
}

impl Refused {
    /// The number of the program's error.
    pub fn code(&self) -> Option<u32> {
        match self.error {
            TransactionError::InstructionError(_, InstructionError::Custom(code)) => Some(code),
            _ => None,
        }
    }
}

/// What a transaction gave.
pub type Outcome = Result<Receipt, Box<Refused>>;

/// The bank with a client, and the payer of its fees.
pub struct Bank {
    runtime: Runtime,
    context: ProgramTestContext,
    /// Pays every transaction's fee.
    pub payer: Keypair,
    fresh: u64,
}

impl Bank {
    /// A bank with the compiled program, at unix time `now`, whose client runs on this thread alone: the blockhashes advance only while it
    /// is asked something, so that a block can be closed without a race.
    pub fn new(now: i64) -> Bank {
        let runtime = Builder::new_current_thread().enable_all().build();
        Bank::on(runtime.expect("a runtime"), now)
    }

    /// The same with threads of its own, so that transactions can be processed at the same time. Its one block stays open.
    pub fn concurrent(now: i64) -> Bank {
        let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build();
        Bank::on(runtime.expect("a runtime"), now)
    }

    /// The program is `ballast.so` in `BPF_OUT_DIR` or `SBF_OUT_DIR`; without them in `target/deploy`, where `make build` puts it.
    fn on(runtime: Runtime, now: i64) -> Bank {
        if std::env::var_os("BPF_OUT_DIR")
            .or(std::env::var_os("SBF_OUT_DIR"))
            .is_none()
        {
            let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/deploy");
            std::env::set_var("SBF_OUT_DIR", built);
        }
        if std::env::var_os("RUST_LOG").is_none() {
            std::env::set_var("RUST_LOG", "error"); // the bank tells all by default
        }
        let mut test = ProgramTest::default();
        test.prefer_bpf(true);
        test.add_program("ballast", ballast::ID, None);
        let context = runtime.block_on(test.start_with_context());
        let payer = context.payer.insecure_clone();
        let bank = Bank {
            runtime,
            context,
            payer,
            fresh: 0,
        };
        let mut clock = bank.clock();
        clock.unix_timestamp = now;
        bank.context.set_sysvar(&clock);
        bank
    }

    /// A key that was not used before.
    pub fn keypair(&mut self) -> Keypair {
        self.fresh += 1;
        let mut seed = [0x42; 32];
        seed[..8].copy_from_slice(&self.fresh.to_le_bytes());
        Keypair::new_from_array(seed)
    }

    fn client(&self) -> BanksClient {
        self.context.banks_client.clone()
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        self.runtime.block_on(self.client().get_sysvar()).expect("the clock")
    }

    /// Lamports that keep an account of `len` bytes alive.
    pub fn rent(&self, len: usize) -> u64 {
        let rent: Rent = self.runtime.block_on(self.client().get_rent()).expect("the rent");
        rent.minimum_balance(len)
    }

    /// Closes the current block, and opens one whose clock is `seconds` on.
    pub fn advance(&mut self, seconds: i64) {
        let before = self.clock();
        let slots = u64::try_from(seconds * 5 / 2).expect("time moves on").max(1);
        self.context.warp_to_slot(before.slot + slots).expect("a later slot");
        let mut clock = self.clock();
        assert_eq!(clock.slot, before.slot + slots);
        clock.unix_timestamp = before.unix_timestamp + seconds;
        self.context.set_sysvar(&clock);
    }

    /// Puts an account in place, rent-exempt.
    pub fn put(&mut self, key: &Pubkey, owner: Pubkey, data: Vec<u8>) {
        let lamports = self.rent(data.len());
        let account = Account {
            lamports,
            data,
            owner,
            executable: false,
            rent_epoch: u64::MAX,
        };
        self.context.set_account(key, &AccountSharedData::from(account));
    }

    /// An account, if there is one.
    pub fn account(&self, key: &Pubkey) -> Option<Account> {
        self.runtime
            .block_on(self.client().get_account(*key))
            .expect("the bank answers")
    }

    /// An account's lamports; 0 where there is none.
    pub fn lamports(&self, key: &Pubkey) -> u64 {
        self.account(key).map_or(0, |a| a.lamports)
    }

    /// An account of the program.
    pub fn read<T: Pod + Discriminator + Owner>(&self, key: &Pubkey) -> Box<T> {
        let account = self.account(key).expect("the account exists");
        assert_eq!(account.owner, ballast::ID);
        decode(&account.data).expect("an account of this type")
    }

    /// A transaction with a blockhash that no earlier one had, signed by the payer and `signers`.
    pub fn transaction(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Transaction {
        let blockhash = self.runtime.block_on(next_blockhash(&mut self.context));
        let mut keys: Vec<&Keypair> = vec![&self.payer];
        for signer in signers {
            if keys.iter().all(|k| k.pubkey() != signer.pubkey()) {
                keys.push(signer);
            }
        }
        let transaction =
            Transaction::new_signed_with_payer(instructions, Some(&self.payer.pubkey()), &keys, blockhash);
        let size = 1 + transaction.signatures.len() * SIGNATURE + transaction.message_data().len();
        assert!(size <= PACKET, "{size} bytes do not fit a packet");
        transaction
    }

    /// Processes a signed transaction.
    pub fn process(&self, transaction: Transaction) -> Outcome {
        self.runtime.block_on(process(self.client(), transaction))
    }

    /// Processes several at the same time, each by a task of its own.
    pub fn process_together(&self, transactions: Vec<Transaction>) -> Vec<Outcome> {
        let tasks: Vec<_> = transactions
            .into_iter()
            .map(|transaction| self.runtime.spawn(process(self.client(), transaction)))
            .collect();
        tasks
            .into_iter()
            .map(|task| self.runtime.block_on(task).expect("the task ends"))
            .collect()
    }

    /// Sends one transaction; again with a newer blockhash when its own has expired on the way.
    pub fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Outcome {
        for _ in 0..10 {
            let transaction = self.transaction(instructions, signers);
            match self.process(transaction) {
                Err(refused) if refused.error == TransactionError::BlockhashNotFound => {}
                outcome => return outcome,
            }
        }
        panic!("every blockhash expires before its transaction is processed");
    }

    /// Runs instructions without committing them; what they return.
    pub fn simulate(
        &mut self,
        instructions: &[Instruction],
        signers: &[&Keypair],
    ) -> Result<Vec<u8>, TransactionError> {
        let transaction = self.transaction(instructions, signers);
        let outcome = self
            .runtime
            .block_on(self.client().simulate_transaction(transaction))
            .expect("the bank answers");
        outcome.result.expect("a result")?;
        let details = outcome.simulation_details.expect("details");
        Ok(details.return_data.map(|returned| returned.data).unwrap_or_default())
    }

    /// Waits until the bank no longer knows a transaction's blockhash.
    pub fn outlive_blockhash(&self, transaction: &Transaction) {
        let client = self.client();
        self.runtime.block_on(async {
            let fee = || client.get_fee_for_message(transaction.message.clone());
            while fee().await.expect("the bank answers").is_some() {
                sleep(Duration::from_millis(20)).await;
            }
        });
    }
}

/// A blockhash that none of the transactions before had.
async fn next_blockhash(context: &mut ProgramTestContext) -> Hash {
    loop {
        let latest = context.banks_client.get_latest_blockhash().await;
        let latest = latest.expect("the bank answers");
        if latest != context.last_blockhash {
            context.last_blockhash = latest;
            return latest;
        }
        sleep(Duration::from_millis(2)).await;
    }
}

async fn process(client: BanksClient, transaction: Transaction) -> Outcome {
    let outcome = client
        .process_transaction_with_metadata(transaction)
        .await
        .expect("the bank answers");
    let metadata = outcome.metadata;
    match outcome.result {
        Ok(()) => Ok(Receipt {
            compute_units: metadata.map_or(0, |m| m.compute_units_consumed),
        }),
        Err(error) => Err(Box::new(Refused {
            error,
            logs: metadata.map(|m| m.log_messages).unwrap_or_default(),
        })),
    }
}

impl Chain for Bank {
    type Error = Box<Refused>;

    fn account_data(&self, key: &Pubkey) -> Result<Option<Vec<u8>>, Self::Error> {
        Ok(self.account(key).map(|a| a.data))
    }

    fn rent(&self, len: usize) -> Result<u64, Self::Error> {
        Ok(Bank::rent(self, len))
    }

    fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<(), Self::Error> {
        Bank::send(self, instructions, signers).map(|_| ())
    }
}
