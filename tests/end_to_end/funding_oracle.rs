//! Thirty days of funding in the VM against a sheet written by hand, `tests/oracle_scripts/funding.py`: books of orders that are placed and
//! cancelled, prices that are refreshed, and looks, all at irregular times.
use std::process::Command;

use ballast::instructions::{OrderArgs, OrderKind, OrderSide, SelfTradeRule};
use ballast::state::{Market, OpenOrders, RiskBoard, QUOTE_ASSET};
use ballast_sim::world::{PriceMessage, User, World, BTC, START};
use ballast_tests::setup::{edit, trader, BTC_FUTURE, BTC_PERP, PRICE};
use ballast_tests::{elf, ok};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/oracle_scripts");

/// What a script prints for a seed.
pub fn sheet(script: &str, seed: &str) -> String {
    let path = format!("{SCRIPTS}/{script}");
    let run = Command::new("python3").args(["-B", &path, seed]).output();
    let run = run.expect("python3, which scripts/setup.sh makes sure of");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text")
}

/// A word of a sheet.
pub fn number(text: &str) -> i64 {
    text.parse().expect("a number")
}

/// The world of a sheet with a maker for each side of its books.
pub struct Stage {
    /// The world.
    pub w: World,
    /// Who bids and who asks.
    pub makers: [User; 2],
    index: i64,
}

impl Stage {
    /// With the words of the sheet's `market`, and what the makers bring, dollars.
    pub fn new(market: &[&str], makers: [u64; 2]) -> Stage {
        let mut w = World::starting_at(&elf(), START - 100, [30_000.0, 3_000.0, 150.0]);
        let board = w.exchange.board;
        edit::<RiskBoard>(&mut w, &board, |board| {
            for instrument in [BTC_PERP, BTC_FUTURE] {
                board.instruments[instrument].lot_size = number(market[1]);
            }
            board.assets[usize::from(BTC)].owner_open_interest_cap = i64::MAX;
        });
        let makers = makers.map(|dollars| trader(&mut w, dollars));
        let index = 30_000 * PRICE;
        let mut stage = Stage { w, makers, index };
        stage.measure(BTC_PERP, market);
        stage
    }

    /// Has a perpetual's book measured by these words.
    pub fn measure(&mut self, perpetual: usize, market: &[&str]) {
        let key = self.w.markets[perpetual];
        edit::<Market>(&mut self.w, &key, |account| {
            (account.impact_notional, account.min_order_lots) = (number(market[0]), number(market[2]));
            account.max_funding_ppm = number(market[3]) as u32;
        });
    }

    /// Moves the clock to a time that is not past.
    pub fn at(&mut self, now: i64) {
        let gap = now - self.w.vm.now();
        if gap > 0 {
            self.w.vm.advance(gap);
        }
        assert_eq!(self.w.vm.now(), now);
    }

    /// Posts an index and refreshes the board with it.
    pub fn price(&mut self, index: i64) {
        self.index = index;
        let now = self.w.vm.now();
        let update = PriceMessage {
            price: index / 10, // an exponent of −8
            confidence: 1,
            ..PriceMessage::new(self.w.feed_id(BTC), 1.0, now)
        };
        self.w.post(BTC, &update);
        self.w.post_price(QUOTE_ASSET, 1.0);
        let outcome = self.w.refresh(&[QUOTE_ASSET, BTC]);
        ok(&self.w, outcome);
        assert_eq!(self.w.board().assets[usize::from(BTC)].price.index, index);
    }

    /// Cancels what the makers have in an instrument's book.
    pub fn clear(&mut self, instrument: usize) {
        for user in &self.makers {
            let books = self.w.margin_account(&user.account.margin_account).books;
            let rests = |b: &OpenOrders| usize::from(b.instrument) == instrument && b.count > 0;
            if books.iter().any(rests) {
                let outcome = self.w.cancel_all(user, &[instrument]);
                ok(&self.w, outcome);
            }
        }
    }

    /// Cancels what rests and places these orders, quadruples of side, price, lots and expiry.
    pub fn book(&mut self, perpetual: usize, orders: &[&str]) {
        self.price(self.index); // orders want a fresh one
        self.clear(perpetual);
        let [bidder, asker] = &self.makers;
        for order in orders.chunks(4) {
            let (user, side) = match order[0] {
                "b" => (bidder, OrderSide::Bid),
                _ => (asker, OrderSide::Ask),
            };
            let args = OrderArgs {
                side,
                price: number(order[1]),
                lots: number(order[2]).unsigned_abs(),
                kind: OrderKind::PostOnly,
                reduce_only: false,
                client_order_id: 0,
                expires_at: number(order[3]),
                max_matches: 1,
                self_trade: SelfTradeRule::CancelTaker,
            };
            let outcome = self.w.place(perpetual, user, args);
            ok(&self.w, outcome);
        }
    }

    /// Cranks a perpetual and checks what the board then says against hour, index, rate and what has been paid up to now.
    #[track_caller]
    pub fn look(&mut self, perpetual: usize, expected: &[&str]) {
        self.w.update_due_funding([perpetual]);
        let outcome = self.w.update_funding(perpetual);
        ok(&self.w, outcome);
        let listed = self.w.board().instruments[perpetual];
        let found = [
            listed.funding_hour,
            listed.funding_index,
            listed.funding_rate,
            listed.funding_at(self.w.vm.now()).expect("funding"),
        ];
        let expected: Vec<i64> = expected.iter().map(|word| number(word)).collect();
        assert_eq!(found.to_vec(), expected, "at {}", self.w.vm.now());
    }
}

#[test]
fn thirty_days_come_out_as_on_the_sheet() {
    let text = sheet("funding.py", "9");
    let mut lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let market = lines.next().expect("the market");
    let mut stage = Stage::new(&market[1..], [5_000_000; 2]);
    let (mut looks, mut books) = (0, 0);
    for words in lines {
        stage.at(number(words[1]));
        match words[0] {
            "price" => stage.price(number(words[2])),
            "book" => {
                stage.book(BTC_PERP, &words[3..]);
                let mid = stage.w.market(BTC_PERP).premium.mid;
                assert_eq!(mid, number(words[2]), "impact mid: {words:?}");
                books += 1;
            }
            _ => {
                stage.look(BTC_PERP, &words[2..]);
                looks += 1;
            }
        }
    }
    assert!(looks > 100 && books > 300, "{looks} looks, {books} books");
}
