//! Everything settles: random books of a future and two options, at random prices of the window, in random order. After each step the
//! instruments and the vault add up; at the end nobody has or owes more than what the trades and the settlement price gave.
use ballast::state::InstrumentKind;
use ballast_sim::keeper::wind_up;
use ballast_sim::world::{User, ETH};
use ballast_tests::desk::Desk;
use ballast_tests::ok;
use ballast_tests::random::Random;
use ballast_tests::setup::{list_future, trader};

const USERS: usize = 8;

fn traded(d: &mut Desk, users: &[User], instruments: &[usize], random: &mut Random) {
    for _ in 0..30 {
        let (taker, maker) = (random.below(USERS as u64) as usize, random.below(USERS as u64) as usize);
        if taker == maker {
            continue;
        }
        let instrument = *random.pick(instruments);
        let lots = random.range(1, 3_000) * if random.chance(50) { 1 } else { -1 };
        let price = (d.price(instrument) * 1e9).round() as i64;
        let outcome = d.w.trade_at(instrument, &users[taker], &users[maker], lots, price);
        ok(&d.w, outcome);
    }
}

fn everything_settles(seed: u64) {
    let mut random = Random::new(seed);
    let mut d = Desk::new(65);
    let (call, put) = (
        d.option(InstrumentKind::Call, 3_000, 24),
        d.option(InstrumentKind::Put, 3_100, 24),
    );
    let expiry = d.w.board().instruments[call].expiry;
    let future = list_future(&mut d.w, ETH, expiry, 0);
    let instruments = [call, put, future];
    let users: Vec<User> = (0..USERS).map(|_| trader(&mut d.w, 1_000_000)).collect();
    traded(&mut d, &users, &instruments, &mut random);
    let mut moves = Random::new(seed + 1);
    let prices: Vec<f64> = (0..=60).map(|_| 3_050.0 + moves.below(20_000) as f64 / 101.0).collect();
    d.w.walk_window(ETH, expiry, [1, 60], |bucket| prices[usize::from(bucket)]);
    // The mean of the prices as the feed has them, 10⁻⁸ dollars.
    let mean = prices[1..].iter().map(|p| (p * 1e8).round() as i64 * 10).sum::<i64>() / 60;
    let mark = d.w.board().mark(&d.w.board().instruments[future], d.w.vm.now());
    assert_eq!(mark.expect("a mark").0, mean);

    for _ in 0..120 {
        let key = random.pick(&users).account.margin_account;
        let instrument = *random.pick(&instruments);
        let outcome = if random.chance(70) {
            d.w.settle_expiry(&key, instrument)
        } else {
            d.w.settle(&key, &[instrument])
        };
        if outcome.is_ok() {
            ok(&d.w, outcome);
        }
    }
    // Who is left, and who waits for those, until nothing moves any more.
    wind_up(&mut d.w).expect("everything due is accepted");
    for user in &users {
        let key = user.account.margin_account;
        for position in d.w.margin_account(&key).positions().to_vec() {
            let outcome = d.w.settle(&key, &[usize::from(position.instrument)]);
            ok(&d.w, outcome);
        }
    }
    wind_up(&mut d.w).expect("everything due is accepted");
    for instrument in instruments {
        assert_eq!(d.w.board().instruments[instrument].kind, 0, "{instrument} is closed");
    }
    let after = d.w.totals();
    assert_eq!(after.reserve, 0);
    let kept = i128::from(d.w.quote_pool().collected_fees) + i128::from(d.w.insurance_fund().balance);
    assert_eq!(after.cash + kept, USERS as i128 * 1_000_000_000_000);
}

#[test]
fn everything_settles_first_seed() {
    everything_settles(1);
}

#[test]
fn everything_settles_second_seed() {
    everything_settles(2);
}
