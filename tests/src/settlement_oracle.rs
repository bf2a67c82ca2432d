//! The cases of `tests/oracle_scripts/settlement.py`: prints around an expiry and what must come of them, worked out by hand.
use std::path::PathBuf;
use std::process::Command;

/// What happens or must be so at one moment; times in seconds relative to the expiry, prices 10⁻⁹ USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A print.
    Print {
        /// When the source published it.
        published: i64,
        /// When the chain takes it.
        accepted: i64,
        /// The index.
        price: i64,
    },
    /// A look at the expiry.
    Look {
        /// When.
        now: i64,
        /// The settlement price; 0 while there is none.
        price: i64,
        /// The part of the average that is fixed, 10⁻⁹.
        fixed: i64,
        /// The forward.
        forward: i64,
    },
}

/// One expiry.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Basis of its forward, 10⁻⁹.
    pub basis: i64,
    /// In the order of time.
    pub events: Vec<Event>,
}

/// Runs the script and reads what it prints.
///
/// # Panics
/// Without python3, which `scripts/setup.sh` installs, or when the script prints something else.
pub fn cases() -> Vec<Case> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("oracle_scripts/settlement.py");
    let output = Command::new("python3").arg(script).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<i64>().unwrap_or_else(|_| panic!("no number: {line}"));
        let event = match words[0] {
            "case" => {
                let (name, basis) = (words[1].to_owned(), number(2));
                let events = Vec::new();
                cases.push(Case { name, basis, events });
                continue;
            }
            "print" => Event::Print {
                published: number(1),
                accepted: number(2),
                price: number(3),
            },
            "look" => Event::Look {
                now: number(1),
                price: number(2),
                fixed: number(3),
                forward: number(4),
            },
            _ => panic!("unknown: {line}"),
        };
        cases.last_mut().expect("a case first").events.push(event);
    }
    assert_eq!(cases.len(), 8);
    cases
}
