//! C3 and C4 of a claim that is waived: A's position holds no lots any more and 1,000 that wait; 300 are paid and 700 given up.
use super::super::risk;
use super::withdrawable::forge;
use super::*;

const WAIVE: Action = Action::WaiveClaim {
    account: A,
    instrument: BTC_PERPETUAL,
};

fn honest(f: &mut Forged) {
    let position = &mut f.earlier(A).positions[0];
    (position.lots, position.quote) = (0, 1_000);
    let position = &mut f.account(A).positions[0];
    (position.lots, position.quote) = (0, 0);
    f.account(A).cash += 300;
}

#[test]
fn what_is_waived_was_claimed_and_nothing_else_goes() {
    forge(
        &WAIVE,
        honest,
        &[
            ("holds no lots", |f| f.earlier(A).positions[0].lots = 1),
            ("no more is given up", |f| f.account(A).cash -= 301),
            ("no more is given up", |f| f.account(A).cash += 701),
            ("what is left of the claim", |f| f.account(A).positions[0].quote = 1),
            ("balances stay", |f| f.account(A).balances[1].amount += 1),
            ("other positions stay", |f| {
                f.account(A).positions[1] = f.before.accounts[&A].positions[0];
                (f.account(A).positions[1].instrument, f.account(A).positions[1].quote) = (1, 0);
                f.account(A).position_count = 2;
            }),
            ("no part in it", |f| f.account(B).positions[0].quote += 700),
        ],
    );
}

#[test]
fn what_carries_other_positions_is_not_waived() {
    let mut forged = Forged::new();
    honest(&mut forged);
    let c4 = |after| {
        let party = forged.party(A, margin(20_000, 7_150, 10_000), after);
        risk::check(&forged.change(&WAIVE), &[party])
    };
    assert_eq!(c4(margin(10_000, 7_150, 10_000)), Ok(true));
    breaks(c4(margin(9_999, 7_150, 10_000)), Invariant::C4, "E_im covers IM");
    breaks(c4(margin(7_149, 7_150, 7_000)), Invariant::C4, "E_im covers IM");
}
