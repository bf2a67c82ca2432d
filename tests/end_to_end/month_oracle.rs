//! Thirty days of six accounts in the VM against a sheet written by hand, `tests/oracle_scripts/month.py`: two perpetuals one after the
//! other, each delisted, and a future, a call and a put that expire twice, with what everybody has after each event, to the unit.
use std::collections::HashMap;

use ballast::error::BallastError;
use ballast::instructions::{OrderArgs, OrderKind, OrderSide, SelfTradeRule};
use ballast::state::InstrumentKind;
use ballast_sim::world::{User, BTC};
use ballast_tests::ok;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::{flat, publish, trader, BTC_PERP, USD};

use crate::funding_oracle::{number, sheet, Stage};

/// Accounts that are not the makers of the books.
const TRADERS: usize = 4;
/// σ of every surface, per cent: prices of options on the sheet are about those of it.
const VOLATILITY: i64 = 60;

/// The sheet's accounts and instruments.
struct Month {
    stage: Stage,
    traders: Vec<User>,
    instruments: HashMap<String, usize>,
    market: Vec<String>,
    counts: HashMap<String, u32>,
}

impl Month {
    fn new(words: &[&str]) -> Month {
        let (market, dollars) = words.split_at(4);
        let dollars: Vec<u64> = dollars.iter().map(|word| number(word).unsigned_abs()).collect();
        let mut stage = Stage::new(market, [dollars[TRADERS], dollars[TRADERS + 1]]);
        let traders = dollars[..TRADERS].iter().map(|d| trader(&mut stage.w, *d)).collect();
        Month {
            stage,
            traders,
            instruments: HashMap::new(),
            market: market.iter().map(|word| (*word).to_owned()).collect(),
            counts: HashMap::new(),
        }
    }

    fn user(&self, who: &str) -> &User {
        let who = number(who) as usize;
        self.traders
            .get(who)
            .unwrap_or_else(|| &self.stage.makers[who - TRADERS])
    }

    /// Cash and what was locked of it, and the quotes of all positions.
    fn has(&self, who: &str) -> i64 {
        let account = self.stage.w.margin_account(&self.user(who).account.margin_account);
        account.cash + account.reserve + account.positions().iter().map(|p| p.quote).sum::<i64>()
    }

    fn list(&mut self, words: &[&str]) {
        let kind = match words[1] {
            "P" => InstrumentKind::Perpetual,
            "F" => InstrumentKind::Future,
            "C" => InstrumentKind::Call,
            _ => InstrumentKind::Put,
        };
        let w = &mut self.stage.w;
        let index = if words[0] == "P1" {
            BTC_PERP // of genesis
        } else {
            let outcome = w.list(BTC, kind, number(words[2]), 0, number(words[3]));
            ok(w, outcome);
            w.last_listed
        };
        if kind == InstrumentKind::Perpetual {
            let market: Vec<&str> = self.market.iter().map(String::as_str).collect();
            self.stage.measure(index, &market);
        }
        self.instruments.insert(words[0].to_owned(), index);
    }

    /// New surfaces, without which nobody who holds options may trade.
    fn surfaces(&mut self) {
        let (board, now) = (self.stage.w.board(), self.stage.w.vm.now());
        let options = board.instruments.iter().filter(|i| i.is_option() && i.expiry > now);
        let mut expiries: Vec<i64> = options.map(|i| i.expiry).collect();
        expiries.dedup();
        let updates: Vec<_> = expiries.iter().map(|e| flat(*e, VOLATILITY)).collect();
        if !updates.is_empty() {
            let outcome = publish(&mut self.stage.w, BTC, &updates);
            ok(&self.stage.w, outcome);
        }
    }

    /// A block trade, and whatever can settle in cash then: it moves money, but nobody has more or less for it.
    fn trade(&mut self, instrument: usize, words: &[&str]) {
        self.surfaces();
        let [taker, maker] = [words[0], words[1]].map(|who| number(who) as usize);
        let (lots, price) = (number(words[2]), number(words[3]));
        let w = &mut self.stage.w;
        let outcome = w.trade_at(instrument, &self.traders[taker], &self.traders[maker], lots, price);
        ok(w, outcome);
        for who in [maker, taker] {
            let key = self.traders[who].account.margin_account;
            let outcome = w.settle(&key, &[instrument]);
            match &outcome {
                Err(why) => assert_eq!(why.code, Some(u32::from(BallastError::NothingToSettle)), "{why:?}"),
                Ok(_) => drop(ok(w, outcome)),
            }
        }
    }

    /// An order that takes so many lots of one side of the book.
    fn take(&mut self, instrument: usize, words: &[&str]) {
        self.surfaces();
        let side = if words[1] == "b" {
            OrderSide::Ask
        } else {
            OrderSide::Bid
        };
        let args = OrderArgs {
            side,
            price: number(words[2]),
            lots: number(words[3]).unsigned_abs(),
            kind: OrderKind::FillOrKill,
            reduce_only: false,
            client_order_id: 0,
            expires_at: 0,
            max_matches: 2,
            self_trade: SelfTradeRule::CancelTaker,
        };
        let taker = &self.traders[number(words[0]) as usize];
        let outcome = self.stage.w.place(instrument, taker, args);
        ok(&self.stage.w, outcome);
        let mid = self.stage.w.market(instrument).premium.mid;
        assert_eq!(mid, number(words[4]), "impact mid after {words:?}");
    }

    fn expire(&mut self, instrument: usize, who: &str, price: i64) {
        let key = self.user(who).account.margin_account;
        let (board, now) = (self.stage.w.board(), self.stage.w.vm.now());
        let worth = board.assets[usize::from(BTC)].settled(&board.instruments[instrument], now);
        assert_eq!(
            worth.expect("an asset").map(|p| p.0),
            Some(price),
            "what a unit is worth"
        );
        let outcome = self.stage.w.settle_expiry(&key, instrument);
        ok(&self.stage.w, outcome);
    }

    /// Pays who still waits for the pool, takes the orders out, and closes.
    fn close(&mut self, instrument: usize) {
        self.stage.clear(instrument);
        let w = &mut self.stage.w;
        for key in w.accounts.clone() {
            if w.margin_account(&key).position(instrument as u16).is_some() {
                let outcome = w.settle(&key, &[instrument]);
                ok(w, outcome);
            }
        }
        let outcome = w.close_instrument(instrument);
        ok(w, outcome);
    }

    fn act(&mut self, words: &[&str]) {
        *self.counts.entry(words[0].to_owned()).or_default() += 1;
        if words[0] == "has" {
            assert_eq!(
                self.has(words[1]),
                number(words[2]),
                "{words:?} at {}",
                self.stage.w.vm.now()
            );
            return;
        }
        self.stage.at(number(words[1]));
        match words[0] {
            "price" => return self.stage.price(number(words[2])),
            "list" => return self.list(&words[2..]),
            _ => {}
        }
        let (instrument, rest) = (self.instruments[words[2]], &words[3..]);
        match words[0] {
            "book" => {
                self.stage.book(instrument, &rest[1..]);
                let mid = self.stage.w.market(instrument).premium.mid;
                assert_eq!(mid, number(rest[0]), "impact mid: {words:?}");
            }
            "take" => self.take(instrument, rest),
            "trade" => self.trade(instrument, rest),
            "look" => self.stage.look(instrument, rest),
            "delist" => {
                let outcome = self.stage.w.delist(instrument, number(rest[0]));
                ok(&self.stage.w, outcome);
            }
            "early" => {
                let key = self.user(rest[0]).account.margin_account;
                self.stage.w.update_due_funding([instrument]);
                refuses(&mut self.stage.w, BallastError::SettlementPending, |w| {
                    w.settle_expiry(&key, instrument)
                });
            }
            "expire" => self.expire(instrument, rest[0], number(rest[1])),
            "close" => self.close(instrument),
            other => panic!("unknown: {other}"),
        }
    }
}

#[test]
fn everybody_has_what_the_sheet_says() {
    let text = sheet("month.py", "4");
    let mut lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let market = lines.next().expect("the market");
    let mut month = Month::new(&market[1..]);
    let mut last = HashMap::new();
    for words in lines {
        month.act(&words);
        if words[0] == "has" {
            last.insert(words[1].to_owned(), number(words[2]));
        }
    }
    // Everything has ended: what they have is cash, and what they lost is fees.
    let w = &month.stage.w;
    for (who, has) in &last {
        let account = w.margin_account(&month.user(who).account.margin_account);
        assert_eq!(
            (account.cash, account.position_count, account.reserve),
            (*has, 0, 0),
            "{who}"
        );
    }
    let brought: i64 = market[5..].iter().map(|word| number(word) * USD as i64).sum();
    let kept = w.quote_pool().collected_fees + w.insurance_fund().balance;
    assert_eq!(last.values().sum::<i64>() + kept as i64, brought);
    let least = [
        ("look", 100),
        ("book", 200),
        ("take", 100),
        ("trade", 200),
        ("expire", 30),
        ("close", 8),
        ("has", 800),
    ];
    for (what, times) in least {
        assert!(month.counts[what] >= times, "{what}: {}", month.counts[what]);
    }
}
