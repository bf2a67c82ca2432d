//! The settlement average of an expiry against the hand-written oracle, as the pure crate has it and as the program does.
use ballast_fixed::{Price, Ratio};
use ballast_risk::settlement_window::SettlementAverage;
use ballast_tests::settlement_oracle::{cases, Event};

const EXPIRY: i64 = 1_900_000_000;

/// F with the index's basis, rounded down at each step.
fn outright(index: i64, basis: i64) -> Price {
    let product = i128::from(index) * i128::from(1_000_000_000 + basis);
    Price((product / 1_000_000_000) as i64)
}

#[test]
fn the_running_average_is_that_of_the_buckets() {
    let mut settled = 0;
    for case in cases() {
        let (mut average, mut index) = (SettlementAverage::default(), 0);
        for event in &case.events {
            match *event {
                Event::Print {
                    published,
                    accepted,
                    price,
                } => {
                    average.observe(EXPIRY, Price(price), EXPIRY + published, EXPIRY + accepted);
                    index = price;
                }
                Event::Look {
                    now,
                    price,
                    fixed,
                    forward,
                } => {
                    let seen = average.at(EXPIRY, EXPIRY + now);
                    let expected = (price != 0).then_some(Price(price));
                    assert_eq!(seen.settled(), expected, "{}: price at {now}", case.name);
                    assert_eq!(seen.fixed(), Ratio(fixed), "{}: f at {now}", case.name);
                    let ours = seen.forward(outright(index, case.basis));
                    assert_eq!(ours, Ok(Price(forward)), "{}: forward at {now}", case.name);
                }
            }
        }
        settled += u32::from(average.at(EXPIRY, EXPIRY + 86_400).settled().is_some());
    }
    assert_eq!(settled, 7, "one window fails for good");
}
