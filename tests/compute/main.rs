//! Compute units of every instruction and the size of the program, each against its ceiling.
//!
//! `cargo test -p ballast-tests --test compute -- --nocapture` prints the table.
mod book;
mod distance;
mod expiry;
mod funding;
mod governance;
mod many_assets;
mod options;
mod orders;
mod prices;
mod quotes;
mod risk;
mod strikes;
mod table;
mod wallet;

use ballast_tests::elf;
use table::Table;

/// Most bytes that the compiled program may have.
const PROGRAM_SIZE: u64 = 1_300_000;

#[test]
fn every_instruction_stays_under_its_ceiling() {
    let mut table = Table::new("instruction", "compute units");
    governance::measure(&mut table);
    wallet::measure(&mut table);
    risk::measure(&mut table);
    orders::measure(&mut table);
    orders::measure_beside_what_ended(&mut table);
    funding::measure(&mut table);
    options::measure(&mut table);
    strikes::measure(&mut table);
    distance::measure(&mut table);
    many_assets::measure(&mut table);
    expiry::measure(&mut table);
    prices::measure(&mut table);
    table.print_and_check();
}

#[test]
fn the_program_stays_under_its_size() {
    let mut table = Table::new("program", "bytes");
    table.add("ballast.so", elf().len() as u64, PROGRAM_SIZE);
    table.print_and_check();
}

/// The table of one file, for who works on prices.
#[test]
fn prices_stay_under_their_ceilings() {
    let mut table = Table::new("instruction", "compute units");
    prices::measure(&mut table);
    table.print_and_check();
}
