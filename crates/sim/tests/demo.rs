//! The demo as a command: what it refuses, with which exit code, and what it reports when a market collapses.
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// 2020-03-01 00:00 UTC.
const MARCH: i64 = 1_583_020_800;

/// A folder of price files that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    /// `btc` is the BTC file; ETH and SOL stand still.
    fn new(name: &str, btc: &str) -> Folder {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("demo-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let still = |price: &str| (0..3).map(|h| hour(h, [price; 4])).collect::<String>();
        fs::write(path.join("btc-usd-1h.csv"), btc).unwrap();
        fs::write(path.join("eth-usd-1h.csv"), still("200")).unwrap();
        fs::write(path.join("sol-usd-1h.csv"), still("3")).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn hour(n: i64, prices: [&str; 4]) -> String {
    format!("{},{}\n", MARCH + n * 3_600, prices.join(","))
}

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(arguments)
        .output()
        .unwrap()
}

/// Asserts exit code 2 and what is said, on one line and without a panic.
fn refused(arguments: &[&str], said: &str) {
    let output = demo(arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
    assert!(error.contains(said), "{arguments:?}: {error}");
    assert!(!error.contains("panicked"), "{error}");
}

#[test]
fn unusable_arguments_end_with_code_2() {
    refused(&["--price", "x"], "unexpected argument '--price'");
    refused(&["--prices"], "a value is required");
    refused(&["--from", "2020-03-11"], "--prices <DIR>");
    refused(&["--prices", "no-such-folder"], "btc-usd-1h.csv: No such file");
    refused(&["--program", "no-such-file.so"], "run `make build` first");
    refused(
        &["--program", file!().trim_start_matches("crates/sim/")],
        "not a compiled program",
    );
}

#[test]
fn unusable_files_and_windows_end_with_code_2() {
    let good = hour(0, ["8000"; 4]) + &hour(1, ["8000"; 4]);
    let folder = |name: &str, btc: &str| Folder::new(name, btc);
    let broken = folder(
        "broken",
        &format!("{good}{}", hour(2, ["8000", "8000", "oops", "8000"])),
    );
    let path = |f: &Folder| f.0.to_str().unwrap().to_owned();
    refused(
        &["--prices", &path(&broken)],
        "btc-usd-1h.csv: line 3: \"oops\" is not a price",
    );
    let empty = folder("empty", "unix_seconds,open,high,low,close\n");
    refused(&["--prices", &path(&empty)], "the file has no hours");
    let cheap = folder("cheap", &hour(0, ["100"; 4]));
    refused(&["--prices", &path(&cheap)], "BTC starts at 100 dollars");

    let fine = folder("fine", &good);
    let window = |from: &str, to: &str, said: &str| {
        refused(&["--prices", &path(&fine), "--from", from, "--to", to], said);
    };
    window("2021-01-01", "2021-01-02", "no hours in the window");
    window("2020-03-02", "2020-03-01", "is empty");
    window("2020-03-01", "2020-06-01", "may have 55");
    window("01.03.2020", "2020-03-02", "is not a day");
    fs::remove_file(fine.0.join("eth-usd-1h.csv")).unwrap();
    refused(&["--prices", &path(&fine)], "eth-usd-1h.csv: No such file");
}

/// BTC opens at half: every long from 2x on is bankrupt before anybody can act. It is closed without cost, what it owes is reported, and
/// everything still adds up, or the demo would fail.
#[test]
fn a_collapse_is_reported_as_bad_debt() {
    let btc = hour(0, ["8000"; 4]) + &hour(1, ["4000"; 4]) + &hour(2, ["4000"; 4]);
    let folder = Folder::new("collapse", &btc);
    let output = demo(&["--prices", folder.0.to_str().unwrap()]);
    let said = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{error}\n{said}");
    // Equity at the start (capital less fees and the locked reserve) less the loss: 99,898 − 100,000 at 2x, 99,848 − 150,000 at 3x,
    // 99,748 − 250,000 at 5x, 99,598 − 400,000 at 8x; on 12.5 BTC as collateral 50,000 − 102 − 100,000.
    let debt = 102 + 50_152 + 150_252 + 300_402 + 50_102;
    assert_eq!(debt, 551_010);
    let row = said.lines().find(|line| line.contains("bad debt")).unwrap();
    assert!(row.contains("5 accounts") && row.ends_with("-551,010.00"), "{row}");
    for name in ["long BTC 2x", "long BTC 3x", "long BTC 5x", "long BTC 8x"] {
        assert!(said.contains(name), "{said}");
    }
}

/// BTC opens a thousand times higher: nobody can carry what the shorts hold, so liquidations that are due do not come.
#[test]
fn what_cannot_be_liquidated_ends_with_code_1() {
    let btc = hour(0, ["8000"; 4]) + &hour(1, ["8000000"; 4]) + &hour(2, ["8000000"; 4]);
    let folder = Folder::new("squeeze", &btc);
    let output = demo(&["--prices", folder.0.to_str().unwrap()]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("demo: deviation:"), "{error}");
}
