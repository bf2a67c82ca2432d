//! One risk engine everywhere: the compiled program's preview equals the crate on this machine, bit for bit.
mod case;
mod extreme;
mod native;
mod options;
mod random;

use anchor_lang::prelude::Pubkey;
use anchor_lang::{AnchorDeserialize, Discriminator};
use ballast::error::BallastError;
use ballast::instructions::{PreviewReport, PreviewSection};
use ballast::margin::{AssetSet, Revaluation};
use ballast::state::MAX_BALANCES;
use ballast_client::instruction;
use ballast_risk::MarginReport;
use ballast_sim::world::World;
use ballast_tests::elf;
use bytemuck::Pod;

use case::Case;
use random::Random;

/// Random accounts within the engine's domain.
const VALID: u64 = 1_200;
/// Random accounts with fields at the ends of their range.
const EXTREME: u64 = 2_000;
/// Random accounts with options.
const WITH_OPTIONS: u64 = 1_000;
/// Of so many valid accounts one is assembled by hand too.
const ASSEMBLED: u64 = 3;

/// The program in the VM, with the board and one account to write over.
struct Machine {
    world: World,
    account: Pubkey,
    now: i64,
}

impl Machine {
    fn new() -> Machine {
        let world = World::new(&elf());
        let (account, now) = (Pubkey::new_from_array([9; 32]), world.vm.now());
        Machine { world, account, now }
    }

    fn exchange(&self) -> Pubkey {
        self.world.exchange.key
    }

    fn write(&mut self, case: &Case) {
        let board = self.world.exchange.board;
        self.world.vm.put(board, ballast::ID, bytes(case.board.as_ref()));
        self.world
            .vm
            .put(self.account, ballast::ID, bytes(case.account.as_ref()));
    }

    /// The report, or the number of the program's error.
    fn preview(&mut self, section: PreviewSection) -> Result<PreviewReport, u32> {
        let preview = instruction::preview(&self.world.exchange, &self.account, section);
        match self.world.vm.send(&[preview], &[]) {
            Ok(receipt) => Ok(PreviewReport::deserialize(&mut receipt.return_data.as_slice()).expect("a report")),
            Err(refused) => match refused.code {
                Some(code) => Err(code),
                None => panic!("aborted: {:?}\n{}", refused.error, refused.logs.join("\n")),
            },
        }
    }
}

/// An account's data.
fn bytes<T: Pod + Discriminator>(account: &T) -> Vec<u8> {
    [T::DISCRIMINATOR, bytemuck::bytes_of(account)].concat()
}

/// Asserts that summary and one asset's section are the crate's; returns the summary's outcome.
fn compare(machine: &mut Machine, case: &Case, asset: u8, seed: u64) -> Result<MarginReport, u32> {
    machine.write(case);
    let report = native::evaluate(&case.board, &case.account, machine.now);
    let expected = report
        .as_ref()
        .map(|r| native::summary(&case.account, r))
        .map_err(|code| *code);
    let summary = machine.preview(PreviewSection::Summary);
    assert_eq!(summary, expected.map(PreviewReport::Summary), "summary, seed {seed}");
    if !case.account.positions().is_sorted_by_key(|p| p.asset) {
        return report; // refused as a whole, and what an asset's legs are is not defined
    }
    let expected = native::asset_section(&case.board, &case.account, asset, machine.now);
    let section = machine.preview(PreviewSection::Asset { asset });
    assert_eq!(
        section,
        expected.map(|(section, _)| PreviewReport::Asset(section)),
        "asset {asset}, seed {seed}"
    );
    report
}

/// Trades and liquidations sum the other assets once and revalue those that change: that changes no bit either, before and after a change.
fn check_revaluation(case: &Case, report: &MarginReport, asset: u8, now: i64, seed: u64) {
    let params = case.board.portfolio_params();
    let account = &case.account;
    let assets: AssetSet = [asset, asset / 2].into_iter().collect();
    let mut revaluation = Revaluation::new(&case.board, &params, account, assets, now, None).expect("valid");
    assert_eq!(
        revaluation.evaluate(account).ok(),
        Some(*report),
        "revalued, seed {seed}"
    );
    let mut changed = account.clone();
    changed.cash -= 1_000_001;
    for position in changed.positions.iter_mut().filter(|p| assets.contains(p.asset)) {
        position.lots -= position.lots / 3;
        position.quote += 7;
    }
    let whole = native::evaluate(&case.board, &changed, now);
    let revalued = revaluation.evaluate(&changed).map_err(native::code);
    assert_eq!(revalued, whole, "revalued after a change, seed {seed}");
}

/// What the valid cases have met, so that a generator gone dull fails the test.
#[derive(Debug, Default)]
struct Met {
    liquidatable: u64,
    borrowing: u64,
    charged: u64,
    concentrated: u64,
    stale_matters: u64,
    slow_matters: u64,
    netted: u64,
    /// 24 positions or more, and eight collaterals.
    full: u64,
}

impl Met {
    fn count(&mut self, case: &Case, r: &MarginReport) {
        let mut add = |field: fn(&mut Met) -> &mut u64, met: bool| *field(self) += u64::from(met);
        add(|m| &mut m.liquidatable, r.is_liquidatable());
        add(|m| &mut m.borrowing, case.account.cash < 0);
        add(|m| &mut m.charged, r.charge.0 > 0);
        add(|m| &mut m.concentrated, r.concentration.0 > 0);
        add(|m| &mut m.stale_matters, r.equity_liquidation != r.equity_maintenance);
        add(|m| &mut m.slow_matters, r.equity_initial != r.equity_maintenance);
        add(|m| &mut m.netted, r.levels[1] < r.levels[0]);
        let held = case.account.balances.iter().filter(|b| b.collateral != 0).count();
        add(
            |m| &mut m.full,
            case.account.position_count >= 24 && held == MAX_BALANCES,
        );
    }

    fn least(&self) -> u64 {
        [
            self.liquidatable,
            self.borrowing,
            self.charged,
            self.concentrated,
            self.stale_matters,
            self.slow_matters,
            self.netted,
            self.full,
        ]
        .into_iter()
        .min()
        .unwrap_or(0)
    }
}

#[test]
fn random_accounts_margin_alike_in_the_program_and_in_the_crate() {
    let mut machine = Machine::new();
    let mut met = Met::default();
    for seed in 0..VALID {
        let case = case::valid(seed, machine.exchange(), machine.now);
        let asset = Random::new(seed).index(usize::from(case.board.asset_count)) as u8;
        let report = compare(&mut machine, &case, asset, seed)
            .unwrap_or_else(|code| panic!("a valid account is refused with {code}, seed {seed}"));
        if seed.is_multiple_of(ASSEMBLED) {
            let assembled = native::assemble(&case.board, &case.account, machine.now);
            assert_eq!(assembled, Ok(report), "assembled, seed {seed}");
            let isolated = PreviewReport::Isolated(native::isolated(&case.board, &case.account, &report));
            assert_eq!(
                machine.preview(PreviewSection::Isolated),
                Ok(isolated),
                "isolated, seed {seed}"
            );
        }
        check_revaluation(&case, &report, asset, machine.now, seed);
        met.count(&case, &report);
    }
    println!("{VALID} accounts: {met:?}");
    assert!(met.least() >= VALID / 20, "the cases are too much alike: {met:?}");
}

#[test]
fn accounts_with_options_margin_alike_in_the_program_and_in_the_crate() {
    let mut machine = Machine::new();
    let (mut refused, mut with_options, mut full, mut charged, mut slow_matters) = (0u64, 0u64, 0u64, 0u64, 0u64);
    for seed in 0..WITH_OPTIONS {
        let case = options::valid(seed, machine.exchange(), machine.now);
        let asset = Random::new(seed).index(usize::from(case.board.asset_count)) as u8;
        let Ok(report) = compare(&mut machine, &case, asset, seed) else {
            refused += 1; // strikes of five times the index can take an account out of the domain
            continue;
        };
        check_revaluation(&case, &report, asset, machine.now, seed);
        let options = case.account.positions().iter().filter(|p| p.is_open_option()).count();
        with_options += u64::from(options > 0);
        full += u64::from(options >= 12);
        charged += u64::from(report.short_option_minimum.0 > 0 && report.net_option_value.0 > 0);
        slow_matters += u64::from(report.equity_initial != report.equity_maintenance);
    }
    println!("{with_options} with options, {full} with 12 or more, {charged} long and short, {slow_matters} with a worse price");
    assert!(refused <= WITH_OPTIONS / 50, "{refused} refused");
    assert!(with_options >= WITH_OPTIONS / 2 && full.min(charged).min(slow_matters) >= WITH_OPTIONS / 20);
}

#[test]
fn fields_at_the_ends_of_their_range_give_the_same_answer_or_the_same_error() {
    let mut machine = Machine::new();
    let overflow = u32::from(BallastError::MathOverflow);
    let (mut margined, mut overflowed, mut refused) = (0u64, 0u64, 0u64);
    for seed in 0..EXTREME {
        let case = extreme::extreme(seed, machine.exchange(), machine.now);
        let asset = Random::new(seed).index(usize::from(case.board.asset_count) + 1) as u8;
        match compare(&mut machine, &case, asset, seed) {
            Ok(_) => margined += 1,
            Err(code) if code == overflow => overflowed += 1,
            Err(_) => refused += 1,
        }
    }
    println!("{margined} margined, {overflowed} overflow, {refused} refused otherwise");
    assert!(margined.min(overflowed).min(refused) >= EXTREME / 20);
}
