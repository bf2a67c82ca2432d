//! The embedded VM: loading the compiled program, sending transactions, moving the clock.
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use litesvm::LiteSVM;
use solana_account::Account;
use solana_clock::Clock;
use solana_instruction_error::InstructionError;
use solana_keypair::Keypair;
use solana_message::inner_instruction::InnerInstructionsList;
use solana_message::{v0, AddressLookupTableAccount, Message, VersionedMessage};
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

use crate::precompile;

/// Compute units that every transaction asks for: the most there are.
const COMPUTE_LIMIT: u32 = 1_400_000;
/// Compute units of the instruction that asks for them.
const COMPUTE_LIMIT_COST: u64 = 150;
/// Lamports of a new wallet.
const FUNDS: u64 = 1_000_000_000_000;

/// A transaction that went through.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Compute units of the instructions, the limit request not counted.
    pub compute_units: u64,
    /// Log lines.
    pub logs: Vec<String>,
    /// Return data of the last instruction that set any.
    pub return_data: Vec<u8>,
    /// Data of the events that the program emitted by self-CPI, in order, without the eight-byte instruction tag.
    pub events: Vec<Vec<u8>>,
}

/// A transaction that was refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The runtime's error.
    pub error: TransactionError,
    /// Number of the program error, if there is one.
    pub code: Option<u32>,
    /// Log lines.
    pub logs: Vec<String>,
    /// Compute units used.
    pub compute_units: u64,
}

/// The embedded VM with its fee payer.
pub struct Vm {
    /// The VM itself.
    pub svm: LiteSVM,
    /// Pays every transaction's fee.
    pub payer: Keypair,
    /// How long a slot takes, by which [`Vm::advance`] counts them.
    pub slot_milliseconds: u64,
    fresh: u64,
}

impl Vm {
    /// A VM with the program's ELF loaded, at unix time `now`.
    ///
    /// # Panics
    /// When the VM does not accept the ELF.
    pub fn new(elf: &[u8], now: i64) -> Vm {
        let mut svm = LiteSVM::new();
        precompile::install(&mut svm);
        svm.add_program(ballast::ID, elf).expect("the VM accepts the program");
        let mut vm = Vm {
            svm,
            payer: Keypair::new_from_array([7; 32]),
            slot_milliseconds: 400,
            fresh: 0,
        };
        let payer = vm.payer.pubkey();
        vm.airdrop(&payer);
        let mut clock: Clock = vm.svm.get_sysvar();
        clock.unix_timestamp = now;
        clock.slot = 1_000;
        vm.svm.set_sysvar(&clock);
        vm
    }

    /// Gives lamports to a key.
    pub fn airdrop(&mut self, key: &Pubkey) {
        self.svm.airdrop(key, FUNDS).expect("an airdrop goes through");
    }

    /// A key that was not used before; the same ones in every run.
    pub fn keypair(&mut self) -> Keypair {
        self.fresh += 1;
        let mut seed = [0x42; 32];
        seed[..8].copy_from_slice(&self.fresh.to_le_bytes());
        Keypair::new_from_array(seed)
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        self.svm.get_sysvar()
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.clock().unix_timestamp
    }

    /// Moves the clock by `seconds` and by so many slots as pass in them, at least one.
    pub fn advance(&mut self, seconds: i64) {
        let mut clock = self.clock();
        clock.unix_timestamp += seconds;
        let slots = |s: u64| (s * 1_000 / self.slot_milliseconds).max(1);
        clock.slot += u64::try_from(seconds).map_or(1, slots);
        self.svm.set_sysvar(&clock);
    }

    /// Puts an account in place, rent-exempt.
    pub fn put(&mut self, key: Pubkey, owner: Pubkey, data: Vec<u8>) {
        let lamports = self.svm.minimum_balance_for_rent_exemption(data.len());
        let account = Account {
            lamports,
            data,
            owner,
            executable: false,
            rent_epoch: u64::MAX,
        };
        self.svm.set_account(key, account).expect("an account can be set");
    }

    /// The data of an account; empty where there is none.
    pub fn data(&self, key: &Pubkey) -> Vec<u8> {
        self.svm.get_account(key).map(|a| a.data).unwrap_or_default()
    }

    /// Sends one transaction, signed by the payer and `signers`.
    pub fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<Receipt, Box<Refused>> {
        self.svm.expire_blockhash();
        let mut all = vec![compute_limit()];
        all.extend_from_slice(instructions);
        precompile::verify(&all).map_err(|error| {
            Box::new(Refused {
                error,
                code: None,
                logs: Vec::new(),
                compute_units: 0,
            })
        })?;
        let message = Message::new(&all, Some(&self.payer.pubkey()));
        let mut keys: Vec<&Keypair> = vec![&self.payer];
        for signer in signers {
            if keys.iter().all(|k| k.pubkey() != signer.pubkey()) {
                keys.push(signer);
            }
        }
        let transaction = Transaction::new(&keys, message, self.svm.latest_blockhash());
        match self.svm.send_transaction(transaction) {
            Ok(meta) => Ok(Receipt {
                compute_units: meta.compute_units_consumed - COMPUTE_LIMIT_COST - precompile::cost(instructions),
                events: events(&meta.inner_instructions),
                return_data: meta.return_data.data,
                logs: meta.logs,
            }),
            Err(failed) => Err(Box::new(Refused {
                code: custom_code(&failed.err),
                error: failed.err,
                compute_units: failed.meta.compute_units_consumed,
                logs: failed.meta.logs,
            })),
        }
    }
}

/// Bytes of the transaction that a client sends: these instructions behind a request for compute units, with a fee payer, and with `table`
/// as an address lookup table where it is not empty. The network carries 1,232.
///
/// # Panics
/// With more keys than a message can name.
pub fn packet_size(payer: &Pubkey, instructions: &[Instruction], table: &[Pubkey]) -> usize {
    let mut all = vec![compute_limit()];
    all.extend_from_slice(instructions);
    let message = if table.is_empty() {
        VersionedMessage::Legacy(Message::new(&all, Some(payer)))
    } else {
        let table = AddressLookupTableAccount {
            key: Pubkey::new_from_array([9; 32]),
            addresses: table.to_vec(),
        };
        VersionedMessage::V0(v0::Message::try_compile(payer, &all, &[table], Default::default()).expect("a message"))
    };
    1 + 64 * usize::from(message.header().num_required_signatures) + message.serialize().len()
}

fn custom_code(error: &TransactionError) -> Option<u32> {
    match error {
        TransactionError::InstructionError(_, InstructionError::Custom(code)) => Some(*code),
        _ => None,
    }
}

/// Self-CPIs carry Anchor's event tag in front of the event.
fn events(inner: &InnerInstructionsList) -> Vec<Vec<u8>> {
    inner
        .iter()
        .flatten()
        .filter_map(|i| i.instruction.data.strip_prefix(anchor_lang::event::EVENT_IX_TAG_LE))
        .map(<[u8]>::to_vec)
        .collect()
}

fn compute_limit() -> Instruction {
    let mut data = vec![2]; // SetComputeUnitLimit
    data.extend(COMPUTE_LIMIT.to_le_bytes());
    let program_id = anchor_lang::prelude::pubkey!("ComputeBudget111111111111111111111111111111");
    Instruction {
        program_id,
        accounts: vec![],
        data,
    }
}
