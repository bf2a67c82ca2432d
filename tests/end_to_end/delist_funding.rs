//! What a delisted perpetual's positions pay in the end, at a premium that stands all through: on the hour and within one, cranked by the hour
//! or late.
use ballast::error::BallastError;
use ballast_client::instruction;
use ballast_sim::world::{post_only, User, World, BTC, START};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::{edit, fund_at, pair, trade, trader, BTC_PERP, DOLLAR};
use ballast_tests::{ok, world};

const HOUR: i64 = 3_600;
/// One BTC in lots.
const ONE: i64 = 10_000;
/// The last full hour before the end.
const LAST: i64 = START + 25 * HOUR;

/// A user long 1 BTC against a maker, a delisting at `ends_at`, and a book that shows 100,080 over an index of 100,000 from 0:06 on.
struct Stage {
    w: World,
    user: User,
    maker: User,
    quoter: User,
    ends_at: i64,
}

impl Stage {
    fn new(ends_at: i64) -> Stage {
        let mut w = world();
        let market = w.markets[BTC_PERP];
        edit::<ballast::state::Market>(&mut w, &market, |market| market.impact_notional = 2_000 * DOLLAR);
        let (user, maker) = pair(&mut w, 50_000);
        let quoter = trader(&mut w, 1_000_000);
        trade(&mut w, BTC_PERP, &user, &maker, ONE, 100_000.0);
        let outcome = w.delist(BTC_PERP, ends_at);
        ok(&w, outcome);
        fund_at(&mut w, BTC_PERP, START + 360);
        for (lots, price) in [(2_000, 100_060.0), (-2_000, 100_100.0)] {
            let outcome = w.place(BTC_PERP, &quoter, post_only(lots, price));
            ok(&w, outcome);
        }
        Stage {
            w,
            user,
            maker,
            quoter,
            ends_at,
        }
    }

    /// By the hour up to the last full hour but one, and then not before so long after the end, when prices have gone on.
    fn cranked_late(&mut self, late: i64) {
        self.cranked_until(LAST - HOUR);
        self.window();
        self.wait(late);
    }

    /// By the hour up to a time.
    fn cranked_until(&mut self, time: i64) {
        for hour in 1.. {
            let at = START + hour * HOUR;
            if at > time {
                break;
            }
            fund_at(&mut self.w, BTC_PERP, at);
        }
    }

    fn window(&mut self) {
        self.w.walk_window(BTC, self.ends_at, [1, 60], |_| 100_000.0);
    }

    /// So long after the end, a price every other hour.
    fn wait(&mut self, late: i64) {
        while self.w.vm.now() < self.ends_at + late {
            let next = (self.w.vm.now() + 2 * HOUR).min(self.ends_at + late);
            self.w.wait_until(next);
            self.w.post_price(BTC, 100_000.0);
            let outcome = self.w.refresh(&[BTC]);
            ok(&self.w, outcome);
        }
    }

    /// Takes the book's orders out, where they still rest.
    fn cancel(&mut self) {
        let quoter = &self.quoter;
        if self.w.margin_account(&quoter.account.margin_account).order_count() > 0 {
            let outcome = self.w.cancel_all(quoter, &[BTC_PERP]);
            ok(&self.w, outcome);
        }
    }

    /// Everybody settles: who was long has paid so much in funding, quote units, and who was short has received it.
    #[track_caller]
    fn pays(mut self, funding: i64) {
        for user in [&self.user, &self.maker] {
            let outcome = self.w.settle_expiry(&user.account.margin_account, BTC_PERP);
            ok(&self.w, outcome);
        }
        self.cancel();
        // Who came before the money did.
        let waits = self.w.margin_account(&self.user.account.margin_account).position_count > 0;
        if waits {
            let outcome = self.w.settle(&self.user.account.margin_account, &[BTC_PERP]);
            ok(&self.w, outcome);
        }
        let cash = [&self.user, &self.maker].map(|user| self.w.margin_account(&user.account.margin_account).cash);
        // Opened and closed at 100,000, for fees of 50 and 20 dollars.
        let expected = [49_950_000_000 - funding, 9_999_980_000_000 + funding];
        assert_eq!(cash, expected, "funding of {}", 49_950_000_000 - cash[0]);
        let outcome = self.w.close_instrument(BTC_PERP);
        ok(&self.w, outcome);
    }
}

/// 80 over for 54 of the first 60 minutes are 72, an eighth of it 9 over the second hour; 10 in each of the 23 after it.
const AT_THE_HOUR: i64 = (9 + 23 * 10) * 1_000_000;
/// Half an hour more, at 10 an hour.
const HALF_PAST: i64 = AT_THE_HOUR + 5_000_000;

#[test]
fn an_end_on_the_hour() {
    let mut stage = Stage::new(LAST);
    stage.cranked_until(LAST - HOUR);
    stage.window();
    stage.pays(AT_THE_HOUR);
    for late in [HOUR, 10 * HOUR, 22 * HOUR, 25 * HOUR] {
        let mut stage = Stage::new(LAST);
        stage.cranked_late(late);
        stage.pays(AT_THE_HOUR);
    }
}

#[test]
fn an_end_within_an_hour() {
    let mut stage = Stage::new(LAST + 1_800);
    stage.cranked_until(LAST);
    stage.window();
    stage.pays(HALF_PAST);
    for late in [HOUR, 10 * HOUR, 21 * HOUR] {
        let mut stage = Stage::new(LAST + 1_800);
        stage.cranked_late(late);
        stage.pays(HALF_PAST);
    }
    // What the last full hour showed is not kept so long, and is not paid.
    let mut stage = Stage::new(LAST + 1_800);
    stage.cranked_late(25 * HOUR);
    stage.pays(AT_THE_HOUR);
}

/// Nobody settles before the last hour is on the board: who did would pay, or get, less than the others.
#[test]
fn nobody_settles_before_the_last_hour_is_known() {
    let mut stage = Stage::new(LAST + 1_800);
    stage.cranked_late(HOUR);
    for user in [&stage.user, &stage.maker] {
        let (account, market) = (user.account, stage.w.markets[BTC_PERP]);
        let settle = instruction::settle_expiry(&stage.w.exchange, &account.margin_account, &account.owner, &market);
        refuses(&mut stage.w, BallastError::FundingDue, |w| w.vm.send(&[settle], &[]));
    }
    stage.pays(HALF_PAST);
}

/// Orders that are taken out after the end, before anybody has cranked, have shown what they showed up to it.
#[test]
fn a_cancel_after_the_end_changes_nothing() {
    for (ends_at, funding) in [(LAST, AT_THE_HOUR), (LAST + 1_800, HALF_PAST)] {
        let mut stage = Stage::new(ends_at);
        stage.cranked_late(HOUR);
        stage.cancel();
        stage.pays(funding);
    }
}
