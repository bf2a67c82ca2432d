//! Genesis can be run again: twice changes nothing, and an interrupted one resumes wherever it stopped.
use std::path::PathBuf;

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use ballast::state::{self, RiskBoard};
use ballast_client::account::decode;
use ballast_client::Exchange;
use ballast_migrations::config;
use ballast_migrations::genesis::{self, Founder};
use ballast_migrations::Chain;
use ballast_sim::vm::{Refused, Vm};
use ballast_sim::world::{mint_account, START, TOKEN_PROGRAM};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Transactions of a whole genesis: the exchange, three assets, two collaterals besides the quote asset, six instruments.
const TRANSACTIONS: usize = 1 + 3 + 2 + 6;

/// Why a run ended.
#[derive(Debug)]
enum Stopped {
    /// The connection was cut on purpose.
    Cut,
    /// The chain refused something.
    Refused(#[allow(dead_code)] Box<Refused>),
}

/// A chain that is cut off after a number of transactions, as a deployer's connection may be.
struct Line {
    vm: Vm,
    sent: usize,
    left: usize,
}

impl Chain for Line {
    type Error = Stopped;

    fn account_data(&self, key: &Pubkey) -> Result<Option<Vec<u8>>, Stopped> {
        self.vm.account_data(key).map_err(Stopped::Refused)
    }

    fn rent(&self, len: usize) -> Result<u64, Stopped> {
        self.vm.rent(len).map_err(Stopped::Refused)
    }

    fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<(), Stopped> {
        self.left = self.left.checked_sub(1).ok_or(Stopped::Cut)?;
        Chain::send(&mut self.vm, instructions, signers).map_err(Stopped::Refused)?;
        self.sent += 1;
        Ok(())
    }
}

/// A deployer: its authority and mints stay, board and market keys are new in every run.
struct Deployer {
    line: Line,
    authority: Keypair,
    mints: [Pubkey; 3],
}

impl Deployer {
    fn new() -> Deployer {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/deploy/ballast.so");
        let elf = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run `make build` first", path.display()));
        let mut vm = Vm::new(&elf, START);
        let authority = vm.keypair();
        vm.airdrop(&authority.pubkey());
        let mints = [6, 8, 9].map(|decimals| {
            let mint = vm.keypair().pubkey();
            vm.put(mint, TOKEN_PROGRAM, mint_account(decimals));
            mint
        });
        let line = Line { vm, sent: 0, left: 0 };
        Deployer { line, authority, mints }
    }

    /// One run that may send `transactions`; the exchange and the markets by instrument.
    fn run(&mut self, transactions: usize) -> Result<(Exchange, Vec<Pubkey>), Stopped> {
        self.line.left = transactions;
        let board = self.line.vm.keypair();
        let [usd, btc, sol] = self.mints;
        let founder = Founder {
            authority: &self.authority,
            board: &board,
            id: 1,
            quote_mint: usd,
        };
        let exchange = genesis::create_exchange(&mut self.line, &founder)?;
        let mut markets = Vec::new();
        for (asset, mint) in config::assets(START).iter().zip([Some(&btc), None, Some(&sol)]) {
            let keys = [self.line.vm.keypair(), self.line.vm.keypair()];
            let (_, listed) = genesis::list(&mut self.line, &exchange, &self.authority, asset, mint, &keys)?;
            markets.extend(listed);
        }
        Ok((exchange, markets))
    }

    /// Every account that genesis makes, in a fixed order.
    fn accounts(&self, exchange: &Exchange, markets: &[Pubkey]) -> Vec<Vec<u8>> {
        let mut keys = vec![
            exchange.key,
            exchange.board,
            exchange.quote_pool(),
            exchange.insurance_fund(),
        ];
        for mint in &self.mints {
            keys.extend([exchange.collateral(mint), exchange.vault(mint)]);
        }
        keys.extend(markets);
        keys.iter().map(|key| self.line.vm.data(key)).collect()
    }

    fn check(&self, exchange: &Exchange, markets: &[Pubkey]) {
        let accounts = self.accounts(exchange, markets);
        assert!(accounts.iter().all(|data| !data.is_empty()));
        let recorded = decode::<state::Exchange>(&accounts[0]).unwrap();
        let board = decode::<RiskBoard>(&accounts[1]).unwrap();
        assert_eq!(recorded.board, exchange.board);
        assert_eq!((recorded.collateral_count, recorded.instrument_count), (3, 6));
        assert_eq!(recorded.markets[..6], *markets);
        assert_eq!(recorded.markets[6], Pubkey::default());
        assert_eq!(board.asset_count, 3);
        let symbols: Vec<&[u8]> = board.assets[..3].iter().map(|a| &a.symbol[..3]).collect();
        assert_eq!(symbols, [b"BTC", b"ETH", b"SOL"]);
        let kinds: Vec<(u8, u8)> = board.instruments[..6].iter().map(|i| (i.asset, i.kind)).collect();
        assert_eq!(kinds, [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]);
    }
}

#[test]
fn a_second_run_changes_nothing() {
    let mut deployer = Deployer::new();
    let (exchange, markets) = deployer.run(TRANSACTIONS).unwrap();
    assert_eq!(deployer.line.sent, TRANSACTIONS);
    deployer.check(&exchange, &markets);
    let before = deployer.accounts(&exchange, &markets);

    deployer.line.vm.advance(86_400);
    let (again, same) = deployer.run(0).unwrap(); // nothing may be sent
    assert_eq!((again, &same), (exchange, &markets));
    assert_eq!(deployer.accounts(&exchange, &markets), before);
}

#[test]
fn an_interrupted_run_resumes_at_any_transaction() {
    for first in 0..TRANSACTIONS {
        let mut deployer = Deployer::new();
        assert!(matches!(deployer.run(first), Err(Stopped::Cut)), "after {first}");
        deployer.line.vm.advance(86_400);
        let (exchange, markets) = deployer.run(TRANSACTIONS - first).unwrap();
        assert_eq!(deployer.line.sent, TRANSACTIONS, "after {first}");
        deployer.check(&exchange, &markets);
    }
}

#[test]
fn a_run_cut_after_every_transaction_gets_there() {
    let mut deployer = Deployer::new();
    for n in 1..TRANSACTIONS {
        assert!(matches!(deployer.run(1), Err(Stopped::Cut)), "run {n}");
    }
    let (exchange, markets) = deployer.run(1).unwrap();
    deployer.check(&exchange, &markets);
}
