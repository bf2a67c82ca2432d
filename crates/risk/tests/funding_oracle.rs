//! Thirty days of funding against a sheet written by hand, `tests/oracle_scripts/funding.py`.
use std::process::Command;

use ballast_fixed::{Dollars, Price, Quantity, Ratio};
use ballast_risk::funding::{mid_bound, KeptIndex, Premium};
use ballast_risk::impact::{impact, impact_lots, impact_mid, ImpactMid, Quote};
use ballast_risk::index_history::{place_of, IndexIntegral, KEPT_HOURS};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oracle_scripts/funding.py");

fn sheet(seed: u32) -> String {
    let run = Command::new("python3").arg(SCRIPT).arg(seed.to_string()).output();
    let run = run.expect("python3, which scripts/setup.sh makes sure of");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text")
}

#[derive(Default)]
struct Market {
    notional: i64,
    lot_size: i64,
    max_funding: i64,
    index: i64,
    integral: IndexIntegral,
    hours: [i128; KEPT_HOURS],
    premium: Premium,
}

impl Market {
    fn source(&self) -> KeptIndex<impl Fn(i64) -> i128 + '_> {
        KeptIndex {
            integral: self.integral,
            index: Price(self.index),
            kept: |hour| self.hours[place_of(hour)],
        }
    }

    fn max_funding(&self) -> Ratio {
        Ratio(self.max_funding * 1_000)
    }

    fn price(&mut self, now: i64, index: i64) {
        let hours = &mut self.hours;
        let keep = |hour: i64, sum: i128| hours[place_of(hour)] = sum;
        self.integral = self.integral.advanced(Price(self.index), now, keep).unwrap();
        if self.index == 0 {
            let premium = Premium::start(&self.source(), now).unwrap();
            self.premium = premium;
        }
        self.index = index;
    }

    fn look(&mut self, now: i64) {
        let mut premium = self.premium;
        premium.observe(&self.source(), self.max_funding(), now).unwrap();
        self.premium = premium;
    }

    fn book(&mut self, now: i64, bids: &[Quote], asks: &[Quote]) -> i64 {
        self.look(now);
        let (index, lot) = (Price(self.index), Quantity(self.lot_size));
        let lots = impact_lots(Dollars(self.notional), index, lot).unwrap();
        let side = |orders: &[Quote]| impact(orders.iter().copied(), lots, now).unwrap();
        self.premium.mid = match (side(bids), side(asks)) {
            (Some(bid), Some(ask)) => impact_mid(bid, ask, lots, index, mid_bound(self.max_funding())).unwrap(),
            _ => ImpactMid::default(),
        };
        self.premium.mid.price
    }
}

/// The orders of one side of a line's quadruples.
fn quotes(orders: &[&str], side: &str) -> Vec<Quote> {
    let of_side = orders.chunks(4).filter(|order| order[0] == side);
    let quotes = of_side.map(|order| Quote {
        price: Price(number(order[1])),
        lots: number(order[2]),
        expires_at: number(order[3]),
    });
    quotes.collect()
}

fn number(text: &str) -> i64 {
    text.parse().expect("a number")
}

#[test]
fn thirty_days_come_out_as_on_the_sheet() {
    for seed in 1..=4 {
        let text = sheet(seed);
        let (mut market, mut looks, mut paid) = (Market::default(), 0, 0);
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let now = number(words[1]);
            match words[0] {
                "market" => {
                    market.notional = now;
                    market.lot_size = number(words[2]);
                    market.max_funding = number(words[4]);
                }
                "price" => market.price(now, number(words[2])),
                "book" => {
                    let (bids, asks) = (quotes(&words[3..], "b"), quotes(&words[3..], "a"));
                    let mid = market.book(now, &bids, &asks);
                    assert_eq!(mid, number(words[2]), "impact mid of series {seed}: {line}");
                }
                _ => {
                    market.look(now);
                    let funding = market.premium.funding;
                    let at = funding.at(now).unwrap();
                    let found = [funding.hour, funding.index, funding.rate, at];
                    let expected: Vec<i64> = words[2..].iter().map(|w| number(w)).collect();
                    assert_eq!(found.to_vec(), expected, "series {seed}: {line}");
                    (looks, paid) = (looks + 1, paid + i64::from(funding.rate != 0));
                }
            }
        }
        assert!(
            looks > 50 && paid * 4 > looks,
            "a series worth the name: {looks} looks, {paid} with funding"
        );
    }
}
