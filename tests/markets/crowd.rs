//! Who acts: market makers, keepers and traders, each with one account.
use ballast_sim::world::{User, World};
use ballast_tests::ok;
use ballast_tests::setup::*;

/// Market makers: the first accounts.
pub const MAKERS: usize = 10;
/// Keepers: those after them.
pub const KEEPERS: usize = 4;

/// All of them.
pub struct Crowd {
    /// By number.
    pub users: Vec<User>,
    /// The next nonce of each market maker's quotes.
    pub nonces: Vec<u64>,
}

impl Crowd {
    /// Opens and funds `count` accounts. Makers get a ledger for their quotes.
    pub fn new(world: &mut World, count: usize) -> Crowd {
        let users: Vec<User> = (0..count).map(|n| trader(world, dollars(n))).collect();
        for user in &users[..MAKERS] {
            let outcome = world.open_quotes(user);
            ok(world, outcome);
        }
        let (btc, sol) = (world.btc, world.sol);
        for user in users[MAKERS + KEEPERS..].iter().step_by(4) {
            deposit(world, user, &btc, BTC_UNIT / 10);
            deposit(world, user, &sol, 20 * SOL_UNIT);
        }
        let crowd = Crowd {
            nonces: vec![0; MAKERS],
            users,
        };
        for who in (MAKERS..count).step_by(3) {
            let referrer = crowd.users[crowd.referrer(who)].account.margin_account;
            let outcome = world.set_referrer(&crowd.users[who], &referrer);
            ok(world, outcome);
        }
        crowd
    }

    /// Who has brought somebody, if anybody has.
    pub fn referrer(&self, who: usize) -> usize {
        (who + 1) % self.users.len()
    }
}

/// Cash of an account by its number.
fn dollars(n: usize) -> u64 {
    match n {
        _ if n < MAKERS => 400_000,
        _ if n < MAKERS + KEEPERS => 1_000_000,
        _ => [2_000, 10_000, 40_000][n % 3],
    }
}
