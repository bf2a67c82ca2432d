//! Boards and margin accounts out of arbitrary bytes, and what the margin of each must keep.
//!
//! The fuzz target in `fuzz/` and an ordinary test call [`check`] on every input. It panics where something is broken: so does overflow,
//! since native builds check arithmetic.
mod account;
mod board;
mod bytes;
mod laws;
mod raw;

pub use bytes::Bytes;
pub use laws::Verdict;

/// The time of every check: 15 January 2027, 08:00 UTC.
pub const NOW: i64 = 1_800_000_000;

/// Which way an input goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The bytes are the memory of board and account.
    Raw,
    /// A sound board and account, with some of their memory overwritten.
    Patched,
    /// A sound board and account.
    Sound,
}

impl Mode {
    /// The mode of an input: half of them are sound.
    pub fn of(data: &[u8]) -> Mode {
        match data.first().copied().unwrap_or(0) {
            0..=31 => Mode::Raw,
            32..=127 => Mode::Patched,
            _ => Mode::Sound,
        }
    }
}

/// Checks one input; the first byte chooses the mode.
///
/// # Panics
/// When an evaluation overflows, fails without a name, or breaks one of the methodology's laws.
pub fn check(data: &[u8]) -> Verdict {
    let mut bytes = Bytes::new(data.get(1..).unwrap_or(&[]));
    match Mode::of(data) {
        Mode::Raw => {
            let (board, account) = raw::cast(&mut bytes);
            laws::named(&board, &account)
        }
        Mode::Patched => {
            let mut board = board::board(&mut bytes, false);
            let mut account = account::account(&mut bytes, &board);
            raw::patch(&mut bytes, &mut board, &mut account);
            laws::named(&board, &account)
        }
        Mode::Sound => {
            let without_concentration = bytes.flag();
            let board = board::board(&mut bytes, without_concentration);
            let account = account::account(&mut bytes, &board);
            laws::sound(&board, &account, without_concentration)
        }
    }
}
