//! Attacks on fees: rebates, tiers and referrers between wallets of one hand.
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use ballast::error::BallastError;
use ballast::events::OrderPlaced;
use ballast::state::{Exchange, FeeSchedule, FeeTier, MarginAccount};
use ballast_client::instruction::{self, AccountKeys};
use ballast_sim::invariants::Watch;
use ballast_sim::world::{at_once, post_only, User, World};
use ballast_tests::refusal::{refuses, refuses_by_anchor};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_signer::Signer;

use crate::support::wealth;

/// A world with these fees, which the exchange would accept, and every transaction watched.
fn priced(fees: FeeSchedule) -> World {
    fees.terms().validate().expect("fees that an exchange can have");
    let mut w = world();
    let key = w.exchange.key;
    edit::<Exchange>(&mut w, &key, |e| {
        e.fees = fees;
        e.limits.minimum_trade = 0;
    });
    w.watch = Some(Watch::default());
    w
}

/// Fees with one tier, from a dollar on.
fn tiered(base: (u32, i32), top: (u32, i32), insurance_share_ppm: u32, referrer_share_ppm: u32) -> FeeSchedule {
    let mut fees = FeeSchedule {
        taker_ppm: base.0,
        maker_ppm: base.1,
        insurance_share_ppm,
        referrer_share_ppm,
        ..FeeSchedule::default()
    };
    fees.tiers[0] = FeeTier {
        min_volume: 1,
        taker_ppm: top.0,
        maker_ppm: top.1,
    };
    fees
}

/// One hand with three wallets: two that trade with each other and a third that has referred both.
struct Hand {
    taker: User,
    maker: User,
    referrer: User,
}

impl Hand {
    fn new(w: &mut World) -> Hand {
        let [taker, maker, referrer] = [1_000_000, 1_000_000, 0].map(|cash| trader(w, cash));
        for user in [&taker, &maker] {
            let outcome = w.set_referrer(user, &referrer.account.margin_account);
            ok(w, outcome);
        }
        Hand { taker, maker, referrer }
    }

    fn all(&self) -> [&User; 3] {
        [&self.taker, &self.maker, &self.referrer]
    }

    /// Settles and claims whatever can be.
    fn cash_in(&self, w: &mut World) {
        for user in [&self.taker, &self.maker, &self.taker] {
            let _ = w.settle(&user.account.margin_account, &[SOL_FUTURE]);
        }
        for user in [&self.taker, &self.maker] {
            let _ = w.claim_referral(&user.account.margin_account, &self.referrer.account.margin_account);
        }
    }
}

/// The schedules that give away the most: a rebate of all that a taker pays, and a referrer's share of all that is left.
const GENEROUS: [fn() -> FeeSchedule; 4] = [
    || tiered((500, 0), (300, -300), 0, 0),
    || tiered((500, 0), (300, -300), 1_000_000, 0),
    || tiered((500, 200), (300, -100), 200_000, 533_333),
    || tiered((500, 0), (500, 0), 0, 1_000_000),
];

/// Two wallets of one hand trade a lot, many lots and prices with odd fractions, by turns in both directions, settle and claim: together
/// they never have more than before, at any size down to a lot.
#[test]
fn attack_a_two_sided_self_trade_for_the_rebate() {
    for fees in GENEROUS {
        let mut w = priced(fees());
        let hand = Hand::new(&mut w);
        let mut last = wealth(&w, &hand.all());
        for (lots, ticks) in [
            (1, 0),
            (-1, 0),
            (1, 1),
            (-1, 1),
            (7, -1),
            (-7, 3),
            (333, 2),
            (-333, -2),
            (1, 0),
            (-1, -1),
        ] {
            let tick = w.board().instruments[SOL_FUTURE].tick_size;
            let price = 150 * PRICE + ticks * tick;
            for (taker, maker) in [(&hand.taker, &hand.maker), (&hand.maker, &hand.taker)] {
                let outcome = w.trade_at(SOL_FUTURE, taker, maker, lots, price);
                ok(&w, outcome);
                hand.cash_in(&mut w);
                let now = wealth(&w, &hand.all());
                assert!(now <= last, "{lots} lots made them {} richer", now - last);
                last = now;
            }
        }
        assert_eq!(w.watch.as_ref().expect("a watch").verdict(), Ok(()));
    }
}

/// The same through the book, a lot at a time and many.
#[test]
fn attack_a_self_trade_through_the_book_for_the_rebate() {
    for fees in GENEROUS {
        let mut w = priced(fees());
        let hand = Hand::new(&mut w);
        let mut last = wealth(&w, &hand.all());
        for (lots, price) in [
            (1i64, 150.01),
            (-1, 149.99),
            (7, 150.03),
            (-333, 149.5),
            (333, 150.0),
            (-7, 150.0),
        ] {
            let lots = lots.signum() * w.market(SOL_FUTURE).min_order_lots.max(lots.abs());
            for (taker, maker) in [(&hand.taker, &hand.maker), (&hand.maker, &hand.taker)] {
                let outcome = w.place(SOL_FUTURE, maker, post_only(-lots, price));
                ok(&w, outcome);
                let outcome = w.place(SOL_FUTURE, taker, at_once(lots, price));
                let fills = event::<OrderPlaced>(&ok(&w, outcome)).fills;
                assert_eq!(fills.len(), 1);
                hand.cash_in(&mut w);
                let now = wealth(&w, &hand.all());
                assert!(now <= last, "{lots} lots made them {} richer", now - last);
                last = now;
            }
        }
        assert_eq!(w.watch.as_ref().expect("a watch").verdict(), Ok(()));
    }
}

/// Whoever buys the best tier by trading with himself has paid for it, and then only pays less: no trade between his wallets earns.
#[test]
fn attack_a_tier_bought_by_wash_volume() {
    let mut w = priced(tiered((500, 200), (300, -299), 0, 0));
    let hand = Hand::new(&mut w);
    let before = wealth(&w, &hand.all());
    let outcome = w.trade(SOL_FUTURE, &hand.taker, &hand.maker, 10_000, 150.0);
    ok(&w, outcome);
    let bought = wealth(&w, &hand.all());
    // 7 basis points of 15,000.
    assert_eq!((before - bought) / 1_000_000_000_000, 10_500_000);
    for lots in [-10_000, 10_000, -1, 1] {
        let at = wealth(&w, &hand.all());
        let outcome = w.trade(SOL_FUTURE, &hand.taker, &hand.maker, lots, 150.0);
        ok(&w, outcome);
        // What a taker pays over the rebate, a hundredth of a basis point, is lost each time.
        assert!(wealth(&w, &hand.all()) < at);
    }
    assert_eq!(w.watch.as_ref().expect("a watch").verdict(), Ok(()));
}

/// What pieces are worth over whole dollars buys no volume, whatever their number.
#[test]
fn attack_volume_out_of_dust() {
    let mut w = priced(tiered((500, 200), (300, -100), 0, 0));
    let hand = Hand::new(&mut w);
    let sol = w.board().assets[2].price.index;
    let lot = w.board().instruments[SOL_FUTURE].lot_size;
    assert!(i128::from(lot) * i128::from(sol) / 1_000_000_000 < 2 * i128::from(PRICE));
    let cheap = sol * 99 / 100;
    assert_eq!(cheap % w.board().instruments[SOL_FUTURE].tick_size, 0);
    for lots in [1, -1, 1, -1] {
        let outcome = w.trade_at(SOL_FUTURE, &hand.taker, &hand.maker, lots, cheap);
        ok(&w, outcome);
    }
    let volume = |w: &World| w.margin_account(&hand.taker.account.margin_account).volume.total;
    let each = i128::from(lot) * i128::from(cheap) / 1_000_000_000_000_000_000;
    assert_eq!(i128::from(volume(&w)), 4 * each);
}

#[test]
fn attack_ones_own_wallet_as_referrer() {
    let mut w = world();
    let (user, other) = (trader(&mut w, 0), trader(&mut w, 0));
    let outcome = w.open(&user, 1);
    ok(&w, outcome);
    let second = w.exchange.margin_account(&user.key.pubkey(), 1);
    for own in [user.account.margin_account, second] {
        refuses(&mut w, BallastError::SelfReferral, |w| w.set_referrer(&user, &own));
    }
    let foreign = second_exchange(&mut w).open(&mut w, &other);
    refuses(&mut w, BallastError::WrongExchange, |w| {
        w.set_referrer(&user, &foreign.margin_account)
    });
    // A delegate can't give the fees away, nor anybody else.
    for key in [w.vm.keypair(), other.key.insecure_clone()] {
        edit::<MarginAccount>(&mut w, &user.account.margin_account, |a| {
            a.delegates[0] = key.pubkey();
        });
        let by_delegate = AccountKeys {
            signer: key.pubkey(),
            ..user.account
        };
        let set = instruction::set_referrer(&by_delegate, &other.account.margin_account);
        refuses(&mut w, BallastError::NotOwner, |w| w.vm.send(&[set], &[&key]));
    }
}

/// A referrer that has brought an account can't be replaced.
#[test]
fn attack_a_referrer_replaced_by_another() {
    let mut w = world();
    let (user, first, second) = (trader(&mut w, 0), trader(&mut w, 0), trader(&mut w, 0));
    let outcome = w.set_referrer(&user, &first.account.margin_account);
    ok(&w, outcome);
    for referrer in [&second, &first] {
        refuses(&mut w, BallastError::ReferrerAlreadySet, |w| {
            w.set_referrer(&user, &referrer.account.margin_account)
        });
    }
}

/// A claim pays what was noted, once, to whom it was noted for, and out of nothing but collected fees.
#[test]
fn attack_a_claim_of_more_than_is_due() {
    let mut w = priced(FeeSchedule {
        taker_ppm: 500,
        referrer_share_ppm: 100_000,
        ..FeeSchedule::default()
    });
    let (taker, maker) = pair(&mut w, 1_000_000);
    let (referrer, thief) = (trader(&mut w, 0), trader(&mut w, 0));
    let (key, earns) = (taker.account.margin_account, referrer.account.margin_account);
    let outcome = w.set_referrer(&taker, &earns);
    ok(&w, outcome);
    trade(&mut w, BTC_FUTURE, &taker, &maker, 2_500, 100_000.0);
    // Paid before anything is collected, it would be paid by the others' deposits.
    refuses(&mut w, BallastError::NothingDue, |w| w.claim_referral(&key, &earns));
    let outcome = w.settle(&key, &[BTC_FUTURE]);
    ok(&w, outcome);
    for account in [&thief, &taker, &maker] {
        let other = account.account.margin_account;
        refuses(&mut w, BallastError::WrongReferrer, |w| w.claim_referral(&key, &other));
    }
    // What has no referrer names the key that stands for none, which is a program's.
    refuses_by_anchor(&mut w, ErrorCode::ConstraintMut, |w| {
        w.claim_referral(&maker.account.margin_account, &Pubkey::default())
    });
    let outcome = w.claim_referral(&key, &earns);
    ok(&w, outcome);
    assert_eq!(w.margin_account(&earns).cash, 1_250_000);
    for _ in 0..2 {
        refuses(&mut w, BallastError::NothingDue, |w| w.claim_referral(&key, &earns));
    }
    assert_eq!(w.watch.as_ref().expect("a watch").verdict(), Ok(()));
}
