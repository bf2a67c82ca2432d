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

/// The short of 10,000 lots of 0.0001 BTC has settled at 100,000.00000333: 100,000.00000333 dollars less on its quote, rounded down, which the
/// long is still to get.
#[test]
fn an_instrument_adds_up_while_it_settles() {
    let settled = || {
        let mut picture = picture();
        let (now, price) = (picture.now, 100_000_000_003_330);
        (picture.board.instruments[0].ends_at, picture.board.instruments[0].kind) = (now, 2);
        picture.board.assets[0].expiries[0].time = now;
        picture.board.assets[0].expiries[0].settlement.price = price;
        let short = &mut picture.accounts.get_mut(&B).unwrap().positions[0];
        (short.lots, short.quote) = (0, short.quote - 100_000_000_004);
        (picture.markets[0].settled_lots, picture.markets[0].open_interest) = (-10_000, 10_000);
        picture
    };
    assert_eq!(check(&settled()), Ok(()));
    let forgeries: [Forgery<Picture>; 5] = [
        ("sum of lots", |p| p.markets[0].settled_lots += 1),
        ("open interest", |p| p.markets[0].open_interest += 1),
        ("pool", |p| p.accounts.get_mut(&B).unwrap().positions[0].quote += 1),
        ("pool", |p| p.board.assets[0].expiries[0].settlement.price += 1_000_000),
        ("price that stands", |p| {
            p.board.assets[0].expiries[0].settlement.price = 0
        }),
    ];
    for (what, forge) in forgeries {
        let mut picture = settled();
        forge(&mut picture);
        breaks(check(&picture), Invariant::C2, what);
    }
}
