//! What the end-to-end tests share: the compiled program and how outcomes are asserted.
pub mod desk;
pub mod random;
pub mod refusal;
pub mod settlement_oracle;
pub mod setup;
pub mod sources;
pub mod staked;

use std::path::PathBuf;

use ballast::error::BallastError;
use ballast_sim::invariants::{conservation, Watch};
use ballast_sim::vm::Receipt;
use ballast_sim::world::{Outcome, World};

/// The compiled program.
///
/// # Panics
/// When it has not been built.
pub fn elf() -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/deploy/ballast.so");
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run `make build` first", path.display()))
}

/// A world after genesis.
pub fn world() -> World {
    World::new(&elf())
}

/// A world after genesis in which every invariant is checked around every action.
pub fn watched() -> World {
    let mut world = world();
    world.watch = Some(Watch::default());
    world
}

/// The receipt of what must go through, after checking that everything still adds up.
///
/// # Panics
/// When it was refused, or an invariant is broken.
#[track_caller]
pub fn ok(world: &World, outcome: Outcome) -> Receipt {
    let receipt = outcome.unwrap_or_else(|e| panic!("refused: {:?}\n{}", e.error, e.logs.join("\n")));
    conservation(world).unwrap_or_else(|e| panic!("{e:?}"));
    receipt
}

/// Asserts that something is refused with this error.
///
/// # Panics
/// When it went through or was refused otherwise.
#[track_caller]
pub fn refused(outcome: Outcome, error: BallastError) {
    match outcome {
        Ok(_) => panic!("went through; expected {error:?}"),
        Err(e) => {
            let code = u32::from(error);
            assert_eq!(
                e.code,
                Some(code),
                "expected {error:?}, got {:?}\n{}",
                e.error,
                e.logs.join("\n")
            );
        }
    }
}

/// Asserts that something is refused with this number: one of Anchor's own account checks.
///
/// # Panics
/// When it went through or was refused otherwise.
#[track_caller]
pub fn refused_by_anchor(outcome: Outcome, error: anchor_lang::error::ErrorCode) {
    let expected = u32::from(error);
    match outcome {
        Ok(_) => panic!("went through; expected Anchor's error {expected}"),
        Err(e) => assert_eq!(e.code, Some(expected), "{:?}\n{}", e.error, e.logs.join("\n")),
    }
}
