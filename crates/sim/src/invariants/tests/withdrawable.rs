//! C3.
use super::super::withdrawable;
use super::*;

const DEPOSIT: Action = Action::Deposit {
    account: A,
    mint: USD,
    amount: 100,
};

/// Checks C3 alone, with margins that do not change.
fn c3(forged: &Forged, action: &Action) -> Result<(), Broken> {
    c3_with(forged, action, margin(20_000, 7_150, 10_000))
}

/// Checks C3 alone, with this margin after.
fn c3_with(forged: &Forged, action: &Action, after: MarginReport) -> Result<(), Broken> {
    let keys = action.parties();
    let (before, after_it) = (&forged.before.accounts, &forged.after.accounts);
    let present = keys
        .iter()
        .filter(|key| before.contains_key(key) && after_it.contains_key(key));
    let parties: Vec<Party> = present
        .map(|key| forged.party(*key, margin(20_000, 7_150, 10_000), after))
        .collect();
    withdrawable::check(&forged.change(action), &parties)
}

/// Asserts that an honest change passes, and each forgery on top of it does not.
pub(super) fn forge(action: &Action, honest: fn(&mut Forged), forgeries: &[Forgery<Forged>]) {
    let mut forged = Forged::new();
    honest(&mut forged);
    assert_eq!(c3(&forged, action), Ok(()), "{action:?}");
    for (what, forgery) in forgeries {
        let mut forged = Forged::new();
        honest(&mut forged);
        forgery(&mut forged);
        breaks(c3(&forged, action), Invariant::C3, what);
    }
}

#[test]
fn a_deposit_credits_what_was_taken() {
    let honest = |f: &mut Forged| {
        f.account(A).cash += 100;
        f.pay(A, USD, -100);
    };
    forge(
        &DEPOSIT,
        honest,
        &[
            ("the claim", |f| f.account(A).cash += 1),
            ("positions stay", |f| f.account(A).positions[0].lots += 1),
            ("a balance", |f| {
                f.account(A).balances[0] = f.before.accounts[&C].balances[0]
            }),
            ("no part in it", |f| f.account(C).cash -= 1),
            ("what a wallet gets", |f| f.pay(A, USD, 1)),
            ("what a wallet gets", |f| f.pay(B, USD, -1)),
            ("lowers the fund", |f| f.after.fund.balance -= 1),
            ("lowers the collected fees", |f| f.after.pool.collected_fees -= 1),
            ("parameters stay", |f| f.after.exchange.limits.account_borrow_cap += 1),
            ("moves the board", |f| f.after.board.quote.index += 1),
            ("opened, and empty", |f| {
                drop(f.after.accounts.insert(BTC, f.before.accounts[&A].clone()))
            }),
            ("only an empty account is closed", |f| drop(f.after.accounts.remove(&A))),
        ],
    );
    let mut forged = Forged::new();
    honest(&mut forged);
    assert_eq!(
        forged.check(&DEPOSIT),
        Ok(vec![Invariant::C1, Invariant::C2, Invariant::C3])
    );
}

#[test]
fn a_deposit_of_collateral_leaves_cash_alone() {
    let action = Action::Deposit {
        account: C,
        mint: BTC,
        amount: 100,
    };
    let honest = |f: &mut Forged| {
        f.account(C).balances[0].amount += 100;
        f.pay(C, BTC, -100);
    };
    forge(
        &action,
        honest,
        &[
            ("cash stays", |f| f.account(C).cash += 1),
            ("a balance", |f| f.account(C).balances[0].amount += 1),
        ],
    );
}

#[test]
fn a_withdrawal_takes_out_what_it_says_and_realises_losses_alone() {
    let action = Action::Withdraw {
        account: A,
        mint: USD,
        amount: 100,
    };
    // 40 of a loss settle before.
    let honest = |f: &mut Forged| {
        f.account(A).cash -= 140;
        f.account(A).positions[0].quote += 40;
        f.pay(A, USD, 100);
    };
    forge(
        &action,
        honest,
        &[
            ("the claim", |f| f.account(A).cash += 1),
            ("balances stay", |f| f.account(A).balances[1].amount += 1),
            ("lots stay", |f| f.account(A).positions[0].lots -= 1),
            ("realises no gain", |f| {
                f.account(A).positions[0].quote -= 41;
                f.account(A).cash += 41;
            }),
            // Index and slow price are a unit more than 1 % apart.
            ("a price to settle at", |f| {
                let slow = 101_000 * PRICE + 1;
                (f.before.board.assets[0].price.slow, f.after.board.assets[0].price.slow) = (slow, slow);
            }),
        ],
    );
    let mut forged = Forged::new();
    honest(&mut forged);
    // A reserve of two dollars may come free.
    assert_eq!(c3_with(&forged, &action, margin(20_002, 7_150, 10_000)), Ok(()));
    let gained = c3_with(&forged, &action, margin(20_003, 7_150, 10_000));
    breaks(gained, Invariant::C3, "what can be withdrawn rises");
}

#[test]
fn a_withdrawal_of_collateral_leaves_the_claim_alone() {
    let action = Action::Withdraw {
        account: C,
        mint: BTC,
        amount: 100,
    };
    let honest = |f: &mut Forged| {
        f.account(C).balances[0].amount -= 100;
        f.pay(C, BTC, 100);
    };
    forge(
        &action,
        honest,
        &[
            ("the claim", |f| f.account(C).cash += 1),
            ("a balance", |f| f.account(C).balances[0].amount += 1),
        ],
    );
}

#[test]
fn settling_shifts_and_gains_no_more_than_it_realises() {
    let action = Action::Settle {
        account: A,
        instruments: vec![BTC_PERPETUAL],
    };
    // A gain of 50 dollars.
    let honest = |f: &mut Forged| {
        f.account(A).positions[0].quote -= 50 * UNIT;
        f.account(A).cash += 50 * UNIT;
    };
    forge(
        &action,
        honest,
        &[
            ("the claim", |f| f.account(A).cash += 1),
            ("lots stay", |f| f.account(A).positions[0].lots -= 1),
            ("balances stay", |f| f.account(A).balances[1].amount += 1),
            ("a price to settle at", |f| {
                let old = f.before.now - 61;
                (
                    f.before.board.assets[0].price.publish_time,
                    f.after.board.assets[0].price.publish_time,
                ) = (old, old);
            }),
        ],
    );
    let mut forged = Forged::new();
    honest(&mut forged);
    let other = Action::Settle {
        account: A,
        instruments: vec![1],
    };
    breaks(c3(&forged, &other), Invariant::C3, "not named stays");
    let after = |equity: i64, withdrawable: i64| MarginReport {
        equity_withdrawal: Dollars(withdrawable * DOLLAR),
        ..margin(equity, 7_150, 10_000)
    };
    assert_eq!(c3_with(&forged, &action, after(20_002, 20_052)), Ok(()));
    let verdict = c3_with(&forged, &action, after(20_000, 20_053));
    breaks(verdict, Invariant::C3, "what can be withdrawn rises");
    breaks(
        c3_with(&forged, &action, after(20_003, 20_000)),
        Invariant::C3,
        "equity stays",
    );
    breaks(
        c3_with(&forged, &action, after(19_999, 20_000)),
        Invariant::C3,
        "equity stays",
    );
}

#[test]
fn a_flag_and_a_refresh_move_no_money() {
    let flag = Action::Flag { account: A };
    forge(
        &flag,
        |f| f.account(A).flag.started_at = 7,
        &[
            ("only the flag or the method changes", |f| {
                f.account(A).order_reserve += 1
            }),
            ("no money moves", |f| f.market().residual += 1),
        ],
    );
    forge(
        &Action::Refresh,
        |f| f.after.board.assets[0].price.index += 1,
        &[
            ("no money moves", |f| f.after.pool.supplied += 1),
            ("no part in it", |f| f.account(A).cash -= 1),
        ],
    );
}

#[test]
fn the_fund_gets_what_it_is_given() {
    let action = Action::FundInsurance {
        wallet: wallet(&A),
        amount: 100,
    };
    let honest = |f: &mut Forged| {
        f.after.fund.balance += 100;
        f.pay(A, USD, -100);
    };
    forge(
        &action,
        honest,
        &[("what the fund gets", |f| f.after.fund.balance += 1)],
    );
}

#[test]
fn accounts_come_and_go_empty() {
    let empty = |f: &Forged| {
        let mut account = f.before.accounts[&A].clone();
        (account.cash, account.reserve, account.position_count) = (0, 0, 0);
        account
    };
    let (opens, closes) = (Action::Open { account: BTC }, Action::Close { account: BTC });
    let mut forged = Forged::new();
    let account = empty(&forged);
    forged.after.accounts.insert(BTC, account);
    assert_eq!(c3(&forged, &opens), Ok(()));
    forged.account(BTC).cash = 1;
    breaks(c3(&forged, &opens), Invariant::C3, "opened, and empty");

    let mut forged = Forged::new();
    let account = empty(&forged);
    forged.before.accounts.insert(BTC, account);
    assert_eq!(c3(&forged, &closes), Ok(()));
    forged.earlier(BTC).cash = 1;
    breaks(c3(&forged, &closes), Invariant::C3, "only an empty account is closed");
}

/// One lot (ten dollars) at a price of 100,100 is 10.01 dollars; the taker's fee is 0.05 % of it, 0.005005, the maker's 0.02 %, 0.002002.
#[test]
fn a_trade_costs_its_price_and_its_fee() {
    let leg = Leg {
        instrument: BTC_PERPETUAL,
        lots: 1,
        price: 100_100 * PRICE,
    };
    let action = Action::Trade {
        taker: A,
        maker: B,
        legs: vec![leg],
    };
    let honest = |f: &mut Forged| {
        f.fill(A, 1, -10_010_000 - 5_005);
        f.fill(B, -1, 10_010_000 - 2_002);
        // A fifth of 7,007 to the fund; both have traded 10 dollars and a cent.
        (f.market().insurance_due, f.market().fees_due) = (1_401, 5_606);
        for key in [A, B] {
            let now = f.before.now;
            f.account(key).volume.count(Dollars(10 * DOLLAR), now);
        }
    };
    forge(
        &action,
        honest,
        &[
            ("lots that moved", |f| f.fill(A, 1, 0)),
            ("quote for the lots", |f| f.fill(A, 0, 1)),
            ("quote for the lots", |f| f.fill(B, 0, -1)),
            ("cash and reserve", |f| f.account(A).cash += 1),
            ("balances stay", |f| f.account(A).balances[1].amount += 1),
            ("other positions stay", |f| {
                f.account(A).positions[1] = f.before.accounts[&A].positions[0];
                f.account(A).positions[1].instrument = 1;
                f.account(A).position_count = 2;
            }),
        ],
    );
    let mut forged = Forged::new();
    honest(&mut forged);
    // The maker sells a cent over the mark: with the reserve 2.01 dollars, rounded up to a cent and a unit at most. The taker gets nothing.
    let rises = |dollars_e8: i64| MarginReport {
        equity_withdrawal: Dollars(20_000 * DOLLAR + dollars_e8),
        ..margin(20_000, 7_150, 10_000)
    };
    assert_eq!(c3_with(&forged, &action, rises(2 * DOLLAR)), Ok(()));
    let verdict = c3_with(&forged, &action, rises(2 * DOLLAR + 1));
    breaks(verdict, Invariant::C3, "what can be withdrawn rises");
}

#[test]
fn a_take_over_gives_the_keeper_the_lots_and_the_bounty() {
    let action = Action::Liquidate {
        legs: vec![(BTC_PERPETUAL, 100)],
        account: A,
        keeper: C,
    };
    // 100 lots are worth 1,000 dollars; they cost five dollars, of which the keeper has three.
    let honest = |f: &mut Forged| {
        f.fill(A, -100, 1_000 * UNIT);
        f.account(A).cash -= 5 * UNIT;
        let mut position = f.before.accounts[&A].positions[0];
        (position.lots, position.quote) = (100, -1_000 * UNIT);
        f.account(C).positions[0] = position;
        f.account(C).position_count = 1;
        f.account(C).cash += UNIT;
        f.account(C).reserve += 2 * UNIT;
    };
    forge(
        &action,
        honest,
        &[
            ("lots that went over", |f| f.account(C).positions[0].lots += 1),
            ("a take-over reduces", |f| f.account(A).positions[0].lots = 10_001),
            ("paid out of the cost", |f| f.account(C).cash += 3 * UNIT),
            ("paid out of the cost", |f| f.account(C).cash -= 4 * UNIT),
            ("balances stay", |f| f.account(C).balances[0].amount += 1),
            ("balances stay", |f| f.account(A).balances[0].amount += 1),
            ("no part in it", |f| f.account(B).cash -= 1),
        ],
    );
    let mut forged = Forged::new();
    honest(&mut forged);
    let verdict = c3_with(&forged, &action, margin(20_003, 7_150, 10_000));
    breaks(verdict, Invariant::C3, "what can be withdrawn rises");
}

#[test]
fn a_party_must_be_there() {
    let forged = Forged::new();
    let action = Action::Flag { account: USD };
    breaks(forged.change(&action).check(), Invariant::C3, "is not there");
}

#[test]
fn funding_moves_its_perpetual_alone() {
    let action = Action::UpdateFunding {
        instrument: BTC_PERPETUAL,
    };
    let honest = |f: &mut Forged| {
        let listed = &mut f.after.board.instruments[BTC_PERPETUAL];
        (listed.basis, listed.funding_index) = (7, 8);
        (listed.funding_rate, listed.funding_hour) = (9, 10);
        f.market().premium.observed_at = 11;
    };
    forge(
        &action,
        honest,
        &[
            ("moves its perpetual alone", |f| f.after.board.instruments[1].basis = 1),
            ("moves its perpetual alone", |f| {
                f.after.board.instruments[BTC_PERPETUAL].lot_size += 1
            }),
            ("moves its perpetual alone", |f| f.after.board.quote.index += 1),
            ("no money moves", |f| f.market().pool += 1),
            ("no money moves", |f| f.after.markets[1].premium.observed_at = 1),
            ("no part in it", |f| f.account(A).cash += 1),
        ],
    );
}
