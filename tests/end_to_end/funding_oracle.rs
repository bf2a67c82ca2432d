//! Thirty days of funding in the VM against a sheet written by hand, `tests/oracle_scripts/funding.py`: books of orders that are placed and
//! cancelled, prices that are refreshed, and looks, all at irregular times.
use std::process::Command;

use ballast::instructions::{OrderArgs, OrderKind, OrderSide, SelfTradeRule};
use ballast::state::{Market, RiskBoard, QUOTE_ASSET};
use ballast_sim::world::{PriceMessage, User, World, BTC, START};
use ballast_tests::setup::{edit, trader, BTC_PERP, PRICE};
use ballast_tests::{elf, ok};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/oracle_scripts/funding.py");

fn sheet() -> String {
    let run = Command::new("python3").arg(SCRIPT).arg("9").output();
    let run = run.expect("python3, which scripts/setup.sh makes sure of");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text")
}

fn number(text: &str) -> i64 {
    text.parse().expect("a number")
}

/// The world of the sheet with a maker for each side.
struct Stage {
    w: World,
    bidder: User,
    asker: User,
    index: i64,
}

impl Stage {
    fn new(notional: i64, lot_size: i64, min_order: i64, max_funding_ppm: u32) -> Stage {
        let mut w = World::starting_at(&elf(), START - 100, [30_000.0, 3_000.0, 150.0]);
        let market = w.markets[BTC_PERP];
        edit::<Market>(&mut w, &market, |market| {
            (market.impact_notional, market.min_order_lots) = (notional, min_order);
            market.max_funding_ppm = max_funding_ppm;
        });
        let board = w.exchange.board;
        edit::<RiskBoard>(&mut w, &board, |board| {
            board.instruments[BTC_PERP].lot_size = lot_size;
            board.assets[usize::from(BTC)].owner_open_interest_cap = i64::MAX;
        });
        let [bidder, asker] = [(); 2].map(|()| trader(&mut w, 5_000_000));
        let index = 30_000 * PRICE;
        Stage {
            w,
            bidder,
            asker,
            index,
        }
    }

    fn at(&mut self, now: i64) {
        let gap = now - self.w.vm.now();
        if gap > 0 {
            self.w.vm.advance(gap);
        }
        assert_eq!(self.w.vm.now(), now);
    }

    fn price(&mut self, index: i64) {
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

    /// Cancels what rests and places these orders, quadruples of side, price, lots and expiry.
    fn book(&mut self, orders: &[&str]) {
        self.price(self.index); // orders want a fresh one
        for user in [&self.bidder, &self.asker] {
            if self.w.margin_account(&user.account.margin_account).order_count() > 0 {
                let outcome = self.w.cancel_all(user, &[BTC_PERP]);
                ok(&self.w, outcome);
            }
        }
        for order in orders.chunks(4) {
            let (user, side) = match order[0] {
                "b" => (&self.bidder, OrderSide::Bid),
                _ => (&self.asker, OrderSide::Ask),
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
            let outcome = self.w.place(BTC_PERP, user, args);
            ok(&self.w, outcome);
        }
    }
}

#[test]
fn thirty_days_come_out_as_on_the_sheet() {
    let text = sheet();
    let mut lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let first = lines.next().expect("the market");
    let mut stage = Stage::new(
        number(first[1]),
        number(first[2]),
        number(first[3]),
        number(first[4]) as u32,
    );
    let (mut looks, mut books) = (0, 0);
    for words in lines {
        stage.at(number(words[1]));
        match words[0] {
            "price" => stage.price(number(words[2])),
            "book" => {
                stage.book(&words[3..]);
                let mid = stage.w.market(BTC_PERP).premium.mid;
                assert_eq!(mid, number(words[2]), "impact mid: {words:?}");
                books += 1;
            }
            _ => {
                let outcome = stage.w.update_funding(BTC_PERP);
                ok(&stage.w, outcome);
                let listed = stage.w.board().instruments[BTC_PERP];
                let found = [
                    listed.funding_hour,
                    listed.funding_index,
                    listed.funding_rate,
                    listed.funding_at(stage.w.vm.now()).expect("funding"),
                ];
                let expected: Vec<i64> = words[2..].iter().map(|w| number(w)).collect();
                assert_eq!(found.to_vec(), expected, "{words:?}");
                looks += 1;
            }
        }
    }
    assert!(looks > 100 && books > 300, "{looks} looks, {books} books");
}
