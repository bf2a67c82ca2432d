//! What the walk checks besides the invariants, which the world watches.
use ballast::margin::evaluate;
use ballast_sim::world::World;

use crate::act::{Act, Actors};

/// What must not go through did not, and the program itself says the same about the accounts that changed as the engine does.
#[track_caller]
pub fn accepted(world: &mut World, actors: &Actors, act: &Act, context: &str) {
    assert!(!matches!(act, Act::Steal { .. }), "{context}: went through");
    if matches!(act, Act::Close { .. }) {
        return; // there is nothing left to ask about
    }
    for party in act.parties() {
        let key = actors.users[party].account.margin_account;
        let (board, account) = (world.board(), world.margin_account(&key));
        let report = evaluate(&board, &account, world.vm.now()).expect("a margin");
        let seen = world.summary(&key);
        let pairs = [
            (seen.initial_margin, report.initial),
            (seen.maintenance_margin, report.maintenance),
            (seen.equity_initial, report.equity_initial),
            (seen.equity_maintenance, report.equity_maintenance),
            (seen.equity_liquidation, report.equity_liquidation),
            (seen.equity_withdrawal, report.equity_withdrawal),
        ];
        let agree = pairs.iter().all(|(program, engine)| *program == engine.0);
        assert!(agree, "{context}: preview and engine differ on {key}");
    }
}
