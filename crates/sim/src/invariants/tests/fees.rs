//! Fees, volume and referrers.
use super::super::conservation::check;
use super::withdrawable::forge;
use super::*;

/// B brings A to the exchange and takes the other side of its trade of one lot at 100,100: 10.01 dollars.
fn trade() -> Action {
    let leg = Leg {
        instrument: BTC_PERPETUAL,
        lots: 1,
        price: 100_100 * PRICE,
    };
    Action::Trade {
        taker: A,
        maker: B,
        legs: vec![leg],
    }
}

/// A has traded two billions in the last thirty days and B half of it yesterday, so that it pays 2.5 basis points of 10.01 dollars and B
/// nothing.
fn veterans(f: &mut Forged) {
    let (now, day) = (f.before.now, 86_400);
    for at in 0..3 {
        for (key, dollars) in [(A, 700_000_000), (B, 180_000_000)] {
            for account in [f.before.accounts.get_mut(&key), f.after.accounts.get_mut(&key)] {
                let account = account.unwrap();
                account.volume.count(Dollars(dollars * DOLLAR), now - (29 - at) * day);
                account.referrer = if key == A { C } else { Pubkey::default() };
            }
        }
    }
    f.fill(A, 1, -10_010_000 - 2_503); // 2,502.5
    f.fill(B, -1, 10_010_000);
    // A fifth of 2,503 to the fund, rounded down, and a tenth to the referrer.
    (f.market().insurance_due, f.market().fees_due) = (500, 2_003);
    f.account(A).referral_due = 250;
    for key in [A, B] {
        f.account(key).volume.count(Dollars(10 * DOLLAR + DOLLAR - 1), now);
    }
}

#[test]
fn a_fee_is_that_of_the_tier_and_is_shared() {
    forge(
        &trade(),
        veterans,
        &[
            ("the fund's part", |f| f.market().insurance_due += 1),
            ("the exchange's part", |f| f.market().fees_due -= 1),
            ("volume", |f| {
                let now = f.before.now;
                f.account(A).volume.count(Dollars(DOLLAR), now);
            }),
            ("volume", |f| f.account(B).volume = f.before.accounts[&B].volume),
            ("the taker's referrer", |f| f.account(A).referral_due += 1),
            ("the taker's referrer", |f| f.account(A).referral_due = 0),
            ("the maker's referrer", |f| f.account(B).referral_due = 1),
            // The fee of another tier.
            ("quote for the lots", |f| f.fill(A, 0, 1)),
            ("quote for the lots", |f| f.fill(B, 0, 1)),
            ("the fund's part", |f| f.earlier(A).volume = f.earlier(C).volume),
        ],
    );
}

#[test]
fn a_referrer_is_named_once_and_is_another_wallets() {
    forge(
        &Action::SetReferrer { account: A },
        |f| f.account(A).referrer = B,
        &[
            ("a referrer is named once", |f| f.earlier(A).referrer = C),
            ("another wallet's account", |f| f.account(A).referrer = A),
            ("another wallet's account", |f| f.account(A).referrer = USD),
            ("another wallet's account", |f| {
                (f.earlier(B).wallet, f.account(B).wallet) = (wallet(&A), wallet(&A));
            }),
            ("only the referrer changes", |f| f.account(A).cash += 1),
            ("no money moves", |f| f.after.pool.collected_fees += 1),
        ],
    );
}

#[test]
fn a_referrer_gets_what_was_due_out_of_the_collected_fees() {
    let claim = Action::ClaimReferral {
        account: A,
        referrer: B,
    };
    forge(
        &claim,
        |f| {
            (f.earlier(A).referrer, f.earlier(A).referral_due) = (B, 50);
            (f.account(A).referrer, f.account(A).referral_due) = (B, 10);
            f.account(B).cash += 40;
            f.after.pool.collected_fees -= 40;
        },
        &[
            ("a referrer is paid", |f| f.account(B).cash -= 40),
            ("the account's own", |f| f.earlier(A).referrer = C),
            ("paid out of the fees", |f| f.after.pool.collected_fees -= 1),
            ("no longer due", |f| f.account(A).referral_due += 1),
            ("nothing else of them changes", |f| f.account(A).cash += 1),
            ("nothing else of them changes", |f| f.account(B).reserve += 1),
            ("an account that has no part in it", |f| f.account(C).cash += 1),
        ],
    );
    // Nobody else may lower the fees.
    let lower: Forgery<Forged> = ("only a referrer lowers", |f| f.after.pool.collected_fees -= 1);
    forge(&Action::Preview, |_| {}, &[lower]);
}

#[test]
fn what_referrers_are_owed_is_there() {
    // Seven dollars are collected and a quote unit is due.
    let mut picture = picture();
    picture.markets[1].fees_due = 1;
    add_up(&mut picture);
    picture.accounts.get_mut(&C).unwrap().referral_due = 7 * UNIT.unsigned_abs() + 1;
    assert_eq!(check(&picture), Ok(()));
    picture.accounts.get_mut(&A).unwrap().referral_due = 1;
    breaks(check(&picture), Invariant::C2, "cover what referrers are owed");
}

#[test]
fn a_volume_is_the_sum_of_its_days() {
    let mut picture = picture();
    picture.accounts.get_mut(&C).unwrap().volume.daily[17] = 1;
    breaks(check(&picture), Invariant::C2, "sum of daily volumes");
}
