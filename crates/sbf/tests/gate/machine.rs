//! Solana's machine in process, with the vectors deployed as a cluster would deploy them.

use litesvm::LiteSVM;
use sha2::{Digest, Sha256};
use solana_account::Account;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

/// The vectors' program id.
const PROGRAM: &str = "Fg6PaFpoGXkYsidMpWTK6W2BeZ7FEfcYkg476zPFsLnS";
const LOADER: &str = "BPFLoaderUpgradeab1e11111111111111111111111";
const COMPUTE_BUDGET: &str = "ComputeBudget111111111111111111111111111111";
pub const CLOCK: &str = "SysvarC1ock11111111111111111111111111111111";
pub const RENT: &str = "SysvarRent111111111111111111111111111111111";
pub const SYSTEM: &str = "11111111111111111111111111111111";
pub const TOKEN: &str = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";
pub const ASSOCIATED_TOKEN: &str = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL";

/// The compute units of the instruction that asks for the highest limit.
const LIMIT_INSTRUCTION_UNITS: u64 = 150;

/// The machine, the program in it and somebody who pays.
pub struct Machine {
    pub svm: LiteSVM,
    pub program: Address,
    payer: Keypair,
}

/// What a transaction did.
#[derive(Debug)]
pub struct Success {
    pub units: u64,
    pub logs: Vec<String>,
}

/// Why a transaction failed.
#[derive(Debug)]
pub struct Failure {
    pub error: String,
    pub logs: Vec<String>,
}

impl Failure {
    /// Whether the error or a line of the log says `text`.
    pub fn says(&self, text: &str) -> bool {
        self.error.contains(text) || self.logs.iter().any(|line| line.contains(text))
    }
}

pub fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

/// The first eight bytes of the hash of a name, by which Anchor tells instructions and accounts apart.
pub fn discriminator(name: &str) -> Vec<u8> {
    Sha256::digest(name.as_bytes())[..8].to_vec()
}

pub fn writable(key: Address) -> AccountMeta {
    AccountMeta::new(key, false)
}

pub fn readonly(key: Address) -> AccountMeta {
    AccountMeta::new_readonly(key, false)
}

impl Machine {
    /// A machine with the vectors deployed through the upgradeable loader, whose checks of the file are stricter
    /// than those of a program that is simply put into place.
    pub fn new() -> Self {
        let payer = Keypair::new_from_array([7; 32]);
        let mut machine = Machine {
            svm: LiteSVM::new(),
            program: address(PROGRAM),
            payer,
        };
        let me = machine.me();
        machine.svm.airdrop(&me, 100_000_000_000).expect("an airdrop");
        machine.deploy(super::build::vectors());
        machine
    }

    /// Who pays and signs.
    pub fn me(&self) -> Address {
        self.payer.pubkey()
    }

    fn deploy(&mut self, elf: &[u8]) {
        const BUFFER: u32 = 1;
        const DEPLOY_WITH_MAX_DATA_LEN: u32 = 2;
        const PROGRAM_ACCOUNT_BYTES: usize = 36;
        let (loader, me, buffer) = (address(LOADER), self.me(), Address::new_unique());
        let content = [&BUFFER.to_le_bytes()[..], &[1], &me.to_bytes(), elf].concat();
        self.put(buffer, loader, content);
        self.put(self.program, loader, vec![0; PROGRAM_ACCOUNT_BYTES]);
        let program_data = Address::find_program_address(&[self.program.as_ref()], &loader).0;
        let length = elf.len() as u64;
        let deploy = Instruction {
            program_id: loader,
            data: [&DEPLOY_WITH_MAX_DATA_LEN.to_le_bytes()[..], &length.to_le_bytes()].concat(),
            accounts: vec![
                AccountMeta::new(me, true),
                writable(program_data),
                writable(self.program),
                writable(buffer),
                readonly(address(RENT)),
                readonly(address(CLOCK)),
                readonly(address(SYSTEM)),
                AccountMeta::new_readonly(me, true),
            ],
        };
        if let Err(failure) = self.send(deploy) {
            panic!("the loader refuses the program: {failure:#?}");
        }
        let slot = self.svm.get_sysvar::<solana_clock::Clock>().slot;
        self.svm.warp_to_slot(slot + 2);
    }

    /// Calls an instruction of the vectors.
    pub fn call(&mut self, name: &str, arguments: &[u8], accounts: Vec<AccountMeta>) -> Result<Success, Failure> {
        self.send(Instruction {
            program_id: self.program,
            data: [discriminator(&format!("global:{name}")), arguments.to_vec()].concat(),
            accounts,
        })
    }

    fn send(&mut self, instruction: Instruction) -> Result<Success, Failure> {
        self.svm.expire_blockhash();
        let highest_limit = [&[2][..], &1_400_000u32.to_le_bytes()].concat();
        let limit = Instruction {
            program_id: address(COMPUTE_BUDGET),
            accounts: vec![],
            data: highest_limit,
        };
        let message = Message::new(&[limit, instruction], Some(&self.me()));
        let transaction = Transaction::new(&[&self.payer], message, self.svm.latest_blockhash());
        match self.svm.send_transaction(transaction) {
            Ok(done) => Ok(Success {
                units: done.compute_units_consumed - LIMIT_INSTRUCTION_UNITS,
                logs: done.logs,
            }),
            Err(failed) => Err(Failure {
                error: format!("{:?}", failed.err),
                logs: failed.meta.logs,
            }),
        }
    }

    /// Puts an account into place.
    pub fn put(&mut self, key: Address, owner: Address, data: Vec<u8>) {
        let account = Account {
            lamports: self.svm.minimum_balance_for_rent_exemption(data.len()),
            data,
            owner,
            executable: false,
            rent_epoch: u64::MAX,
        };
        self.svm.set_account(key, account).expect("an account");
    }

    /// The content of an account.
    pub fn data(&self, key: Address) -> Vec<u8> {
        self.svm
            .get_account(&key)
            .map(|account| account.data)
            .unwrap_or_default()
    }

    /// A mint of 6 decimals.
    pub fn put_mint(&mut self) -> Address {
        let mut data = vec![0; 82];
        data[36..44].copy_from_slice(&1_000_000u64.to_le_bytes());
        data[44] = 6;
        data[45] = 1;
        let mint = Address::new_unique();
        self.put(mint, address(TOKEN), data);
        mint
    }

    /// A token account with a balance.
    pub fn put_tokens(&mut self, key: Address, mint: Address, owner: Address, amount: u64) {
        let mut data = vec![0; 165];
        data[..32].copy_from_slice(mint.as_ref());
        data[32..64].copy_from_slice(owner.as_ref());
        data[64..72].copy_from_slice(&amount.to_le_bytes());
        data[108] = 1;
        self.put(key, address(TOKEN), data);
    }

    /// The balance of a token account.
    pub fn tokens(&self, key: Address) -> u64 {
        word(&self.data(key), 64)
    }
}

/// The u64 at an offset.
pub fn word(data: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(data[at..at + 8].try_into().expect("eight bytes"))
}

/// The u128 at an offset.
pub fn wide(data: &[u8], at: usize) -> u128 {
    u128::from(word(data, at)) | u128::from(word(data, at + 8)) << 64
}
