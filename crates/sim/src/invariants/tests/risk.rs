//! C4.
use super::super::risk;
use super::*;

const LOT: i64 = 10 * UNIT;

fn trade(lots: i64) -> Action {
    trade_at(lots, 100_000 * PRICE)
}

fn trade_at(lots: i64, price: i64) -> Action {
    let leg = Leg {
        instrument: BTC_PERPETUAL,
        lots,
        price,
    };
    Action::Trade {
        taker: A,
        maker: B,
        legs: vec![leg],
    }
}

/// A trade at the mark, both sides filled, without fees.
fn traded(lots: i64) -> Forged {
    let mut forged = Forged::new();
    forged.fill(A, lots, -lots * LOT);
    forged.fill(B, -lots, lots * LOT);
    forged
}

/// Checks C4 with these margins of the first party and sound ones of the second.
fn c4(forged: &Forged, action: &Action, before: MarginReport, after: MarginReport) -> Result<bool, Broken> {
    let sound = margin(50_000, 7_150, 10_000);
    let keys = action.parties();
    let mut parties = vec![forged.party(keys[0], before, after)];
    parties.extend(keys[1..].iter().map(|key| forged.party(*key, sound, sound)));
    risk::check(&forged.change(action), &parties)
}

#[test]
fn new_risk_is_covered() {
    let (forged, action) = (traded(100), trade(100));
    let before = margin(11_000, 10_000, 10_000);
    let after = margin(11_000, 8_000, 11_000);
    assert_eq!(c4(&forged, &action, before, after), Ok(true));
    let c4 = |before, after, what| breaks(c4(&forged, &action, before, after), Invariant::C4, what);
    c4(before, margin(10_999, 8_000, 11_000), "E_im covers IM");
    c4(before, margin(7_999, 8_000, 7_000), "E_im covers IM");
    c4(margin(9_999, 10_000, 10_000), after, "not under MM");
    c4(margin(10_999, 10_000, 10_000), after, "health of 1.1");
    c4(before, margin(9, 7, 8), "$10 or more");
    // Only a dead price lifts it over MM.
    let dead = |equity: i64| MarginReport {
        equity_liquidation: Dollars(equity * DOLLAR),
        ..margin(20_000, 10_000, 10_000)
    };
    c4(dead(10_999), after, "health of 1.1");
    c4(dead(9_999), after, "only reduces");
}

#[test]
fn new_risk_covers_the_order_reserve() {
    let mut forged = traded(100);
    forged.account(A).order_reserve = 1;
    let verdict = c4(
        &forged,
        &trade(100),
        margin(20_000, 0, 0),
        margin(10_000, 7_150, 10_000),
    );
    breaks(verdict, Invariant::C4, "order reserve");
}

#[test]
fn new_risk_has_good_prices() {
    let sound = margin(50_000, 7_150, 10_000);
    let forgeries: [Forgery<Picture>; 3] = [
        ("asset at par", |p| p.board.quote.index = 979_999_999),
        ("asset at par", |p| p.board.quote.publish_time -= 61),
        ("a fresh price", |p| p.board.assets[0].price.publish_time -= 61),
    ];
    for (what, forge) in forgeries {
        let lots = 100;
        let mut forged = traded(lots);
        assert_eq!(c4(&forged, &trade(lots), sound, sound), Ok(true));
        forge(&mut forged.before);
        breaks(c4(&forged, &trade(lots), sound, sound), Invariant::C4, what);
        // What both reduce needs none of it.
        let mut forged = traded(-lots);
        forge(&mut forged.before);
        assert_eq!(c4(&forged, &trade(-lots), sound, sound), Ok(true));
    }
}

/// From its end on nobody trades an instrument, not even to reduce.
#[test]
fn what_has_ended_is_not_traded() {
    let sound = margin(50_000, 7_150, 10_000);
    let ends: [Forgery<Picture>; 2] = [
        ("not ended", |p| p.board.instruments[0].expiry = p.now),
        ("not ended", |p| p.board.instruments[0].ends_at = p.now),
    ];
    for (what, end) in ends {
        for lots in [100, -100] {
            let mut forged = traded(lots);
            end(&mut forged.before);
            breaks(c4(&forged, &trade(lots), sound, sound), Invariant::C4, what);
        }
    }
}

#[test]
fn a_price_lies_within_two_percent_of_the_mark() {
    let sound = margin(50_000, 7_150, 10_000);
    for (price, is_fine) in [
        (102_000 * PRICE, true),
        (102_000 * PRICE + 1, false),
        (98_000 * PRICE, true),
        (98_000 * PRICE - 1, false),
    ] {
        let verdict = c4(&traded(-100), &trade_at(-100, price), sound, sound);
        assert_eq!(verdict.is_ok(), is_fine, "{price}: {verdict:?}");
    }
}

/// 100 lots of a long are sold at the mark; what is lost is forged into the quote. 30 % of 100 dollars freed are 30.
#[test]
fn a_reduction_under_the_initial_margin_is_honest() {
    let action = trade(-100);
    let before = margin(9_000, 8_000, 10_000);
    let after = |equity: i64| margin(equity, 7_900, 9_850);
    assert_eq!(c4(&traded(-100), &action, before, after(9_000)), Ok(true));
    let worse = |report: MarginReport, what| {
        breaks(c4(&traded(-100), &action, before, report), Invariant::C4, what);
    };
    worse(margin(8_899, 7_900, 9_000), "worsens no surplus");
    worse(margin(9_000, 7_900, 10_001), "worsens no surplus");
    let negative = c4(&traded(-100), &action, margin(100, 100, 300), margin(-1, -100, 0));
    breaks(negative, Invariant::C4, "leaves equity");
    let mut forged = traded(-100);
    forged.account(A).positions[0].quote -= 30 * UNIT;
    assert_eq!(c4(&forged, &action, before, after(9_000)), Ok(true));
    forged.account(A).positions[0].quote -= 1;
    breaks(
        c4(&forged, &action, before, after(9_000)),
        Invariant::C4,
        "loses at most 30 %",
    );
    // Who is covered after may pay what he likes.
    assert_eq!(c4(&forged, &action, before, margin(20_000, 7_900, 9_850)), Ok(true));
    // Not so where a dead price covers it: it was liquidatable before.
    let dead = MarginReport {
        equity_liquidation: Dollars(7_999 * DOLLAR),
        ..before
    };
    let verdict = c4(&forged, &action, dead, margin(20_000, 7_900, 9_850));
    breaks(verdict, Invariant::C4, "loses at most 30 %");
}

/// A package in which one leg adds is new risk; what its legs lose adds up where all of them reduce.
#[test]
fn a_package_counts_once() {
    let package = |first: i64, second: i64| {
        let mut forged = traded(0);
        for (key, sign) in [(A, 1), (B, -1)] {
            let mut other = forged.before.accounts[&key].positions[0];
            other.instrument = 1;
            for account in [
                forged.before.accounts.get_mut(&key),
                forged.after.accounts.get_mut(&key),
            ] {
                let account = account.unwrap();
                (account.positions[1], account.position_count) = (other, 2);
            }
            forged.fill(key, sign * first, -sign * first * LOT);
            let position = &mut forged.account(key).positions[1];
            position.lots += sign * second;
            position.quote -= sign * second * LOT;
        }
        let leg = |instrument, lots| Leg {
            instrument,
            lots,
            price: 100_000 * PRICE,
        };
        let action = Action::Trade {
            taker: A,
            maker: B,
            legs: vec![leg(0, first), leg(1, second)],
        };
        (forged, action)
    };
    let (before, after) = (margin(9_000, 8_000, 10_000), margin(9_000, 7_900, 9_850));
    let (mut forged, action) = package(-100, -100);
    assert_eq!(c4(&forged, &action, before, after), Ok(true));
    forged.account(A).positions[0].quote -= 20 * UNIT;
    forged.account(A).positions[1].quote -= 10 * UNIT;
    assert_eq!(c4(&forged, &action, before, after), Ok(true));
    forged.account(A).positions[1].quote -= 1;
    breaks(c4(&forged, &action, before, after), Invariant::C4, "loses at most 30 %");
    let (forged, action) = package(-100, 100);
    breaks(c4(&forged, &action, before, after), Invariant::C4, "E_im covers IM");
}

#[test]
fn a_withdrawal_leaves_what_is_required() {
    // A flat 1 BTC long: IM is 10,000 dollars, and E_w is the cash.
    let withdraw = |left: i64| {
        let mut forged = Forged::new();
        forged.account(A).cash = left;
        let action = Action::Withdraw {
            account: A,
            mint: USD,
            amount: 1,
        };
        let report = margin(20_000, 7_150, 10_000);
        c4(&forged, &action, report, report)
    };
    assert_eq!(withdraw(10_000 * UNIT), Ok(true));
    breaks(withdraw(10_000 * UNIT - 1), Invariant::C4, "E_w covers IM after");
}

#[test]
fn a_withdrawal_leaves_cash_for_every_loss() {
    // C: 30,000 in cash and a BTC. It owes on a position without lots 31,000 more than its cash; the collateral backs 1,000 here.
    let action = Action::Withdraw {
        account: C,
        mint: BTC,
        amount: 1,
    };
    let report = margin(50_000, 0, 0);
    let mut forged = Forged::new();
    forged.account(C).position_count = 1;
    forged.account(C).positions[0] = forged.before.accounts[&A].positions[0];
    (
        forged.account(C).positions[0].lots,
        forged.account(C).positions[0].quote,
    ) = (0, -31_000 * UNIT);
    assert_eq!(c4(&forged, &action, report, report), Ok(true));
    forged.account(C).positions[0].quote -= 1;
    breaks(c4(&forged, &action, report, report), Invariant::C4, "cash and losses");
    // The same with lots, at the slow price.
    let slow = 68_999 * PRICE;
    forged.account(C).positions[0].lots = 10_000;
    forged.account(C).positions[0].quote = -100_000 * UNIT;
    assert_eq!(c4(&forged, &action, report, report), Ok(true));
    forged.after.board.assets[0].price.slow = slow;
    breaks(
        c4(&forged, &action, report, report),
        Invariant::C4,
        "after a withdrawal",
    );
}

#[test]
fn nothing_is_lent_off_par() {
    let action = Action::Withdraw {
        account: C,
        mint: USD,
        amount: 1,
    };
    let report = margin(50_000, 0, 0);
    let mut forged = Forged::new();
    forged.account(C).cash = -100;
    assert_eq!(c4(&forged, &action, report, report), Ok(true));
    forged.after.board.quote.index = 979_999_999;
    breaks(
        c4(&forged, &action, report, report),
        Invariant::C4,
        "nothing is lent off its par",
    );
}

/// C pays a loss out of a credit of 1,000 dollars; the quote asset may cost more than a dollar.
#[test]
fn cash_that_is_lowered_stays_within_credit_and_the_caps() {
    let action = Action::Settle {
        account: C,
        instruments: vec![],
    };
    let report = margin(50_000, 0, 0);
    let mut forged = Forged::new();
    let mut owes = |cash: i64, forge: fn(&mut Picture)| {
        forged.account(C).cash = cash;
        forge(&mut forged.after);
        c4(&forged, &action, report, report)
    };
    let credit = "stays within credit";
    assert_eq!(owes(-1_000 * UNIT, |_| ()), Ok(true));
    breaks(owes(-1_000 * UNIT - 1, |_| ()), Invariant::C4, credit);
    breaks(owes(-1_000 * UNIT, |p| p.board.quote.index += 1), Invariant::C4, credit);
    let account = |p: &mut Picture| {
        p.board.quote.index = PRICE;
        p.exchange.limits.account_borrow_cap = 999 * UNIT as u64;
    };
    breaks(owes(-1_000 * UNIT, account), Invariant::C4, "the account's cap");
    let total = |p: &mut Picture| {
        p.exchange.limits.account_borrow_cap = u64::MAX;
        p.exchange.limits.total_borrow_cap = 999 * UNIT as u64;
    };
    breaks(owes(-1_000 * UNIT, total), Invariant::C4, "within their cap");
    // A and B supply 70,000 dollars, with their reserves 4 more: 1,000 are 1.43 % of it.
    let used = |p: &mut Picture| {
        p.exchange.limits.total_borrow_cap = u64::MAX;
        p.exchange.limits.max_utilisation_ppm = 14_284;
    };
    breaks(owes(-1_000 * UNIT, used), Invariant::C4, "no more is lent");
    assert_eq!(
        owes(-1_000 * UNIT, |p| p.exchange.limits.max_utilisation_ppm = 14_285),
        Ok(true)
    );
}

#[test]
fn who_takes_over_carries_it() {
    let action = Action::Liquidate {
        legs: vec![(BTC_PERPETUAL, 1)],
        account: A,
        keeper: C,
    };
    let forged = Forged::new();
    let sound = margin(20_000, 7_150, 10_000);
    for (equity, is_fine) in [(10_000, true), (9_999, false)] {
        let keeper = forged.party(C, sound, margin(equity, 7_150, 10_000));
        let verdict = risk::check(&forged.change(&action), &[forged.party(A, sound, sound), keeper]);
        assert_eq!(verdict.is_ok(), is_fine, "{verdict:?}");
    }
}

#[test]
fn deposits_and_flags_are_no_risk() {
    let report = margin(0, 1, 1);
    let forged = Forged::new();
    assert_eq!(c4(&forged, &Action::Flag { account: A }, report, report), Ok(false));
}

/// A is long one BTC: less caution needs what a trade would need that adds to it, more caution the margin alone.
#[test]
fn less_caution_is_new_risk() {
    let chosen = |from: u8, to: u8, forge: fn(&mut Forged), before: MarginReport, after: MarginReport| {
        let mut forged = Forged::new();
        forge(&mut forged);
        (forged.earlier(A).method, forged.account(A).method) = (from, to);
        c4(&forged, &Action::SetMethod { account: A }, before, after)
    };
    let (before, after) = (margin(20_000, 14_300, 20_000), margin(20_000, 8_700, 12_000));
    let forgeries: [Forgery<Forged>; 3] = [
        ("quote asset at par", |f| f.after.board.quote.index = 979_999_999),
        ("quote asset at par", |f| f.after.board.quote.publish_time -= 3_600),
        ("fresh prices", |f| f.after.board.assets[0].price.publish_time -= 3_600),
    ];
    for (from, to) in [(2, 0), (2, 1), (1, 0)] {
        assert_eq!(chosen(from, to, |_| (), before, after), Ok(true));
        for (what, forge) in forgeries {
            breaks(chosen(from, to, forge, before, after), Invariant::C4, what);
            assert_eq!(chosen(to, from, forge, after, before), Ok(true));
        }
        let poor = margin(9, 7, 8);
        breaks(chosen(from, to, |_| (), poor, poor), Invariant::C4, "least equity");
        let ill = margin(20_000, 18_182, 20_000);
        breaks(chosen(from, to, |_| (), ill, after), Invariant::C4, "health of 1.1");
        let short = margin(19_999, 8_700, 20_000);
        breaks(chosen(from, to, |_| (), short, after), Invariant::C4, "the old method");
        breaks(chosen(from, to, |_| (), before, short), Invariant::C4, "the new one");
    }
}
