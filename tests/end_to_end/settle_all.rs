//! Everything settles: random books of a future and two options, at random prices of the window, in random order. After each step the
//! instruments and the vault add up; at the end everybody has, to the unit, what the trades and the settlement price gave.
use ballast::state::InstrumentKind;
use ballast_sim::keeper::wind_up;
use ballast_sim::world::{User, ETH};
use ballast_tests::desk::Desk;
use ballast_tests::ok;
use ballast_tests::random::Random;
use ballast_tests::setup::{list_future, trader};

const USERS: usize = 8;

/// What somebody has by hand, quote units, and the lots of each instrument.
#[derive(Clone, Default)]
struct Row {
    quote: i64,
    lots: [i64; 3],
}

/// Quote units of a lot, 0.001 ETH, at a tick, $0.01.
const UNITS: i64 = 10;

/// A part in millions of so many quote units, rounded up.
fn fee(units: i64, ppm: i64) -> i64 {
    (units * ppm + 999_999) / 1_000_000
}

/// Trades at random, as the rows have them: lots · price between the two, and a fee of 5 basis points for the taker and 2 for the maker.
fn traded(d: &mut Desk, users: &[User], instruments: &[usize; 3], random: &mut Random) -> Vec<Row> {
    let mut rows = vec![Row::default(); USERS];
    for _ in 0..30 {
        let (taker, maker) = (random.below(USERS as u64) as usize, random.below(USERS as u64) as usize);
        if taker == maker {
            continue;
        }
        let at = random.below(3) as usize;
        let lots = random.range(1, 3_000) * if random.chance(50) { 1 } else { -1 };
        let price = (d.price(instruments[at]) * 1e9).round() as i64;
        let outcome = d.w.trade_at(instruments[at], &users[taker], &users[maker], lots, price);
        ok(&d.w, outcome);
        let paid = lots * (price / 10_000_000) * UNITS;
        for (who, sign, ppm) in [(taker, 1, 500), (maker, -1, 200)] {
            rows[who].quote -= sign * paid + fee(paid.abs(), ppm);
            rows[who].lots[at] += sign * lots;
        }
    }
    rows
}

/// So many lots, 10⁻³ units, of what pays so much, 10⁻⁹ USD, in quote units, rounded down.
fn worth(lots: i64, pays: i64) -> i64 {
    (i128::from(lots) * i128::from(pays)).div_euclid(1_000_000) as i64
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
    let rows = traded(&mut d, &users, &instruments, &mut random);
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
    let strike = |dollars: i64| dollars * 1_000_000_000;
    let pays = [(mean - strike(3_000)).max(0), (strike(3_100) - mean).max(0), mean];
    for (user, row) in users.iter().zip(&rows) {
        let account = d.w.margin_account(&user.account.margin_account);
        let ended: i64 = row.lots.iter().zip(pays).map(|(lots, pays)| worth(*lots, pays)).sum();
        assert_eq!(
            (account.cash, account.position_count),
            (1_000_000_000_000 + row.quote + ended, 0)
        );
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
