//! C1 and C2.
use super::super::conservation::{check, check_tokens};
use super::*;

#[test]
fn every_unit_of_quote_is_somebodys() {
    assert_eq!(check(&picture()), Ok(()));
    let forgeries: [Forgery<Picture>; 6] = [
        ("quote vault", |p| p.collaterals[0].1 -= 1),
        ("quote vault", |p| p.collaterals[0].1 += 1),
        ("quote vault", |p| p.accounts.get_mut(&A).unwrap().reserve += 1),
        ("quote vault", |p| p.fund.balance += 1),
        ("quote vault", |p| p.pool.collected_fees += 1),
        ("quote pool", |p| p.pool.borrowed += 1),
    ];
    for (what, forge) in forgeries {
        let mut picture = picture();
        forge(&mut picture);
        breaks(check(&picture), Invariant::C1, what);
    }
}

#[test]
fn every_unit_of_collateral_is_somebodys() {
    let forgeries: [Forgery<Picture>; 3] = [
        ("collateral total", |p| p.collaterals[1].0.total_deposits += 1),
        ("collateral vault", |p| p.collaterals[1].1 -= 1),
        ("collateral total", |p| {
            p.accounts.get_mut(&C).unwrap().balances[0].amount += 1
        }),
    ];
    for (what, forge) in forgeries {
        let mut picture = picture();
        forge(&mut picture);
        breaks(check(&picture), Invariant::C1, what);
    }
}

#[test]
fn no_tokens_are_made_or_lost() {
    for (mint, amount) in [(USD, 1), (BTC, -1)] {
        let mut forged = Forged::new();
        assert_eq!(check_tokens(&forged.change(&Action::Preview)), Ok(()));
        forged.pay(A, mint, amount);
        breaks(
            check_tokens(&forged.change(&Action::Preview)),
            Invariant::C1,
            "tokens of a mint",
        );
    }
}

#[test]
fn every_instrument_adds_up() {
    let forgeries: [Forgery<Picture>; 9] = [
        ("sum of lots", |p| {
            p.accounts.get_mut(&A).unwrap().positions[0].lots += 1
        }),
        ("open interest", |p| p.markets[0].open_interest += 1),
        ("number of positions", |p| p.markets[0].positions -= 1),
        ("pool", |p| p.accounts.get_mut(&A).unwrap().positions[0].quote += 1),
        ("pool", |p| p.markets[1].residual += 1),
        ("pool", |p| {
            p.accounts.get_mut(&A).unwrap().positions[0].funding_index += 1
        }),
        ("pool", |p| p.markets[0].funding_dust += 1),
        ("units of dust", |p| {
            p.markets[0].residual -= 1;
            p.markets[0].funding_dust += 1_000_000_000_000;
        }),
        ("is negative", |p| {
            p.markets[2].fees_due -= 1;
            p.markets[2].residual += 1;
        }),
    ];
    for (what, forge) in forgeries {
        let mut picture = picture();
        forge(&mut picture);
        breaks(check(&picture), Invariant::C2, what);
    }
}

/// What longs have pending to pay shorts have pending to receive, to 10⁻¹⁸ dollars.
#[test]
fn funding_that_is_pending_adds_up() {
    let mut picture = picture();
    let listed = &mut picture.board.instruments[BTC_PERPETUAL];
    (listed.funding_index, listed.funding_rate) = (12_345_678_901, -3_333_333_333);
    for hour in [picture.now / 3_600, 0] {
        picture.board.instruments[BTC_PERPETUAL].funding_hour = hour;
        assert_eq!(check(&picture), Ok(()));
    }
}
