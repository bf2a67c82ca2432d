//! What must hold after a step, by what the step was. Conservation (C1, C2) is checked besides, after every step.
use ballast::events::Liquidated;
use ballast::margin::{evaluate, evaluate_with, QuoteRule};
use ballast::state::{MarginAccount, POSITION_RESERVE};
use ballast_fixed::{Dollars, Lots, Notional, QuoteAmount};
use ballast_sim::vm::Receipt;
use ballast_sim::world::World;
use ballast_tests::setup::event;

use crate::act::{Act, Actors};
use crate::view::{Account, View};

/// 10⁻⁸ dollars in a quote unit.
const PER_QUOTE_UNIT: i64 = 100;

/// A refused instruction has moved nothing.
#[track_caller]
pub fn refused(before: &View, after: &View, context: &str) {
    assert!(before.same(after), "{context}: refused, and yet something moved");
}

/// An instruction that went through has done what it may, to whom it may.
#[track_caller]
pub fn accepted(
    world: &mut World,
    actors: &Actors,
    act: &Act,
    before: &View,
    after: &View,
    receipt: &Receipt,
    context: &str,
) {
    let step = Step {
        act,
        before,
        after,
        context,
    };
    step.totals();
    if matches!(act, Act::Close { .. } | Act::Open { .. } | Act::Refresh { .. }) {
        return; // accounts come and go, or prices move
    }
    let parties: Vec<_> = act
        .parties()
        .iter()
        .map(|n| actors.users[*n].account.margin_account)
        .collect();
    for account in &before.accounts {
        if !parties.contains(&account.key) {
            let same = bytemuck::bytes_of(&*account.data) == bytemuck::bytes_of(&*after.account(&account.key).data);
            assert!(same, "{context}: an account that has no part in it changed");
        }
    }
    for key in &parties {
        step.by_preview(world, after.account(key));
    }
    let party = |n: usize| (before.account(&parties[n]), after.account(&parties[n]));
    match act {
        Act::Deposit { amount, .. } => step.deposited(party(0), *amount),
        Act::Withdraw { token, .. } => step.withdrawn(party(0), token.mint == world.usd.mint),
        Act::Steal { .. } => panic!("{context}: went through"),
        Act::Trade {
            instrument,
            lots,
            price,
            ..
        } => {
            step.traded(party(0), *instrument, *lots, *price);
            step.traded(party(1), *instrument, -*lots, *price);
        }
        Act::Settle { .. } => step.settled(party(0)),
        Act::Flag { .. } | Act::Unflag { .. } => step.marked(party(0)),
        Act::Liquidate { instrument, .. } => step.liquidated(party(0), party(1), *instrument, &event(receipt)),
        _ => {}
    }
}

/// An account before and after.
type Pair<'a> = (&'a Account, &'a Account);

struct Step<'a> {
    act: &'a Act,
    before: &'a View,
    after: &'a View,
    context: &'a str,
}

impl Step<'_> {
    #[track_caller]
    fn holds(&self, what: &str, condition: bool) {
        assert!(condition, "{}: {what}", self.context);
    }

    /// Whether cash counts in E_w. Where it does not, a loss paid out of it is a loss less.
    fn trusted(&self) -> bool {
        self.after.board.quote_state(self.after.now).1
    }

    /// The price of the quote asset where something is owed: at least a dollar, 10⁻⁹.
    fn dear(&self) -> i128 {
        i128::from(self.before.board.quote.index.max(1_000_000_000))
    }

    /// Dollars (10⁻⁸, rounded up) of quote units that are owed.
    fn owed(&self, units: i64) -> i64 {
        let exact = i128::from(units) * i128::from(PER_QUOTE_UNIT) * self.dear();
        ((exact + 999_999_999) / 1_000_000_000) as i64
    }

    /// Cash is not under what the collateral backs, at the price of the quote asset.
    fn within_credit(&self, account: &Account) -> bool {
        account.data.cash >= 0 || self.owed(-account.data.cash) <= account.credit
    }

    /// What the exchange as a whole has got never becomes less, and nobody owes to it what it has not.
    #[track_caller]
    fn totals(&self) {
        let (before, after) = (self.before, self.after);
        self.holds("no step lowers the fund", after.fund.balance >= before.fund.balance);
        self.holds("fees stay", after.pool.collected_fees >= before.pool.collected_fees);
        for market in &after.markets {
            let dues = [market.pool, market.fees_due, market.insurance_due, market.residual];
            self.holds("no pool and no due is negative", dues.iter().all(|x| *x >= 0));
        }
    }

    /// The program itself says the same about the account.
    #[track_caller]
    fn by_preview(&self, world: &mut World, account: &Account) {
        let (seen, report) = (world.summary(&account.key), &account.report);
        let pairs = [
            (seen.initial_margin, report.initial),
            (seen.maintenance_margin, report.maintenance),
            (seen.equity_initial, report.equity_initial),
            (seen.equity_maintenance, report.equity_maintenance),
            (seen.equity_liquidation, report.equity_liquidation),
            (seen.equity_withdrawal, report.equity_withdrawal),
        ];
        self.holds("preview and engine agree", pairs.iter().all(|(a, b)| *a == b.0));
    }

    /// C3: in goes what was taken outside, to the unit.
    #[track_caller]
    fn deposited(&self, (before, after): Pair, amount: u64) {
        let outside = |view: &View| -> u64 { view.tokens.iter().flatten().sum() };
        // Accounts of one wallet share its token accounts, and so are counted more than once.
        self.holds("tokens left", outside(self.before) >= outside(self.after) + amount);
        let held =
            |a: &MarginAccount| i128::from(a.cash) + a.balances.iter().map(|b| i128::from(b.amount)).sum::<i128>();
        self.holds(
            "credited exactly",
            held(&after.data) - held(&before.data) == i128::from(amount),
        );
        self.holds("positions stay", before.lots() == after.lots());
    }

    /// C3 and C4: after a withdrawal E_w ≥ IM and cash ≥ −Σ credit.
    #[track_caller]
    fn withdrawn(&self, (before, after): Pair, is_quote: bool) {
        let rule = if is_quote {
            QuoteRule::Trusted
        } else {
            QuoteRule::ByFeed
        };
        let report = evaluate_with(&self.after.board, &after.data, self.after.now, rule).expect("a margin");
        self.holds("E_w covers IM", report.equity_withdrawal >= report.initial);
        self.holds("cash within credit", self.within_credit(after));
        self.holds("positions stay", before.lots() == after.lots());
        let gained = after.report.equity_withdrawal.0 - before.report.equity_withdrawal.0;
        self.holds(
            "nothing withdrawable appears",
            !self.trusted() || gained <= self.owed(POSITION_RESERVE.0),
        );
    }

    /// C3: settling shifts within the account, gains no more than it takes out of the pool, and lowers cash only within credit.
    #[track_caller]
    fn settled(&self, (before, after): Pair) {
        self.holds("the claim stays", before.claim() == after.claim());
        self.holds("lots stay", before.lots() == after.lots());
        self.holds("balances stay", before.data.balances == after.data.balances);
        let taken = |p: &ballast::state::Position| (p.quote - after.quote_in(p.instrument)).max(0);
        let realised: i64 = before.data.positions().iter().map(taken).sum();
        let gained = after.report.equity_withdrawal.0 - before.report.equity_withdrawal.0;
        let bound = self.owed(realised) + self.owed(POSITION_RESERVE.0);
        self.holds("only realised gains", !self.trusted() || gained <= bound);
        let equity = after.report.equity_maintenance.0 - before.report.equity_maintenance.0;
        self.holds("equity stays", (0..=self.owed(POSITION_RESERVE.0)).contains(&equity));
        let lowered = after.data.cash < before.data.cash;
        self.holds("cash within credit", !lowered || self.within_credit(after));
    }

    /// A flag changes nothing but itself.
    #[track_caller]
    fn marked(&self, (before, after): Pair) {
        let mut same = *after.data;
        (same.flag, same.sequence) = (before.data.flag, before.data.sequence);
        let unchanged = bytemuck::bytes_of(&same) == bytemuck::bytes_of(&*before.data);
        self.holds("only the flag changes", unchanged);
        let runs = after.data.flag.started_at != 0;
        match self.act {
            Act::Flag { .. } => self.holds("liquidatable", runs && after.report.is_liquidatable()),
            _ => self.holds("recovered", !runs && !after.report.is_liquidatable()),
        }
    }

    /// C3 and C4: what a trade may do to each side.
    #[track_caller]
    fn traded(&self, (before, after): Pair, instrument: usize, lots: i64, price: i64) {
        let (held, holds) = (before.lots_in(instrument), after.lots_in(instrument));
        self.holds("the lots moved", holds == held + lots);
        let (b, a) = (&before.report, &after.report);
        self.holds("not under maintenance", b.equity_maintenance >= b.maintenance);
        let reduces =
            held != 0 && holds.unsigned_abs() < held.unsigned_abs() && (holds == 0 || (holds > 0) == (held > 0));
        if reduces && a.equity_initial < a.initial {
            let surplus = |e: Dollars, m: Dollars| e.0 - m.0;
            let mm = |r: &ballast_risk::MarginReport| surplus(r.equity_maintenance, r.maintenance);
            let im = |r: &ballast_risk::MarginReport| surplus(r.equity_initial, r.initial);
            self.holds("a reduction worsens nothing", mm(a) >= mm(b) && im(a) >= im(b));
            self.holds("and leaves equity", a.equity_maintenance >= Dollars::ZERO);
        } else {
            self.holds("E_im covers IM", a.equity_initial >= a.initial);
        }
        self.holds(
            "cash moves by the reserve alone",
            before.data.cash + before.data.reserve == after.data.cash + after.data.reserve,
        );
        let lowered = after.data.cash < before.data.cash;
        self.holds("cash within credit", !lowered || self.within_credit(after));
        self.no_withdrawable_gain(before, after, instrument, lots, price);
    }

    /// What a trade adds to E_w is at most what its price was better than the marks. Fresh prices only: a stale one's bound shrinks with
    /// the position.
    #[track_caller]
    fn no_withdrawable_gain(&self, before: &Account, after: &Account, instrument: usize, lots: i64, price: i64) {
        let board = &self.before.board;
        let listed = &board.instruments[instrument];
        if !board.assets[usize::from(listed.asset)].price.is_fresh(self.before.now) {
            return;
        }
        let quantity = i128::from(lots) * i128::from(listed.lot_size);
        let better = [board.mark(listed), board.slow_mark(listed)]
            .into_iter()
            .map(|mark| quantity * i128::from(mark.expect("a mark").0 - price) / 10_000_000_000)
            .max()
            .unwrap_or(0);
        let gained = i128::from(after.report.equity_withdrawal.0 - before.report.equity_withdrawal.0);
        self.holds(
            "no withdrawable gain but the price's",
            gained <= better.max(0) * self.dear() / 1_000_000_000 + i128::from(self.owed(POSITION_RESERVE.0)) + 1,
        );
    }

    /// C5.
    #[track_caller]
    fn liquidated(&self, victim: Pair, keeper: Pair, instrument: usize, done: &Liquidated) {
        let (before, after) = victim;
        let (b, a) = (&before.report, &after.report);
        self.holds("owners differ", before.data.wallet != keeper.0.data.wallet);
        self.holds("under maintenance", b.equity_liquidation < b.maintenance);
        let surplus = |r: &ballast_risk::MarginReport| r.equity_liquidation.0 - r.maintenance.0;
        self.holds("strictly healthier", surplus(a) > surplus(b));
        self.holds(
            "not below min(E, 0)",
            a.equity_liquidation.0 >= b.equity_liquidation.0.min(0),
        );
        let flag = before.data.flag;
        let elapsed = (self.before.now - flag.started_at).clamp(0, 60);
        self.holds("confirmed", self.before.now - flag.confirmed_at <= 120);
        let freed = i128::from(b.maintenance.0 - a.maintenance.0);
        let allowed = (50_000_000 * 60 + 550_000_000 * i128::from(elapsed)) * freed;
        let cost = i128::from(done.cost * PER_QUOTE_UNIT) * self.dear() / 1_000_000_000;
        self.holds("cost ≤ c(t)·ΔMM", done.cost == 0 || cost * 60_000_000_000 <= allowed);
        self.holds("bounty ≤ 60 %", done.bounty * 10 <= done.cost * 6);
        let (held, holds) = (before.lots_in(instrument), after.lots_in(instrument));
        self.holds(
            "reduces",
            holds.unsigned_abs() < held.unsigned_abs() && (holds == 0 || (holds > 0) == (held > 0)),
        );
        self.holds(
            "lots go over",
            keeper.1.lots_in(instrument) == keeper.0.lots_in(instrument) + held - holds,
        );
        self.holds(
            "the keeper carries it",
            keeper.1.report.equity_initial >= keeper.1.report.initial,
        );
        let lowered = after.data.cash < before.data.cash;
        self.holds("cash within credit", !lowered || self.within_credit(after));
        let paid = keeper.1.data.cash + keeper.1.data.reserve - keeper.0.data.cash - keeper.0.data.reserve;
        self.holds("the keeper's cash", (0..=done.bounty).contains(&paid));
        self.not_too_much(before, after, instrument, done);
    }

    /// E ≤ 1.25·MM, or one lot less would have left E < 1.10·MM, or the leg was dust of at most 100 dollars.
    #[track_caller]
    fn not_too_much(&self, before: &Account, after: &Account, instrument: usize, done: &Liquidated) {
        let a = &after.report;
        let board = &self.before.board;
        let listed = &board.instruments[instrument];
        let mark = board.mark(listed).expect("a mark");
        let worth = |lots: i64| mark.times(Lots(lots).quantity(listed.lot_size()).expect("a quantity"));
        let whole = worth(before.lots_in(instrument)).magnitude().expect("a notional");
        let within = i128::from(a.equity_liquidation.0) * 4 <= i128::from(a.maintenance.0) * 5;
        if within || whole <= Notional::from_dollars(Dollars(100 * 100_000_000)) {
            return;
        }
        let one_less = done.lots - done.lots.signum();
        let mut account = *before.data;
        let at = account.find(instrument as u16).expect("the position");
        account.positions[at].lots -= one_less;
        account.positions[at].quote += worth(one_less).quote_ceil().expect("a quote").0;
        account.cash -= QuoteAmount(done.cost).0;
        let less = evaluate(board, &account, self.before.now).expect("a margin");
        let short = i128::from(less.equity_liquidation.0) * 10 < i128::from(less.maintenance.0) * 11;
        self.holds("never past the target plus one lot", short);
    }
}
