//! Fees by tier, rebates, volume, and what referrers earn.
use ballast::error::BallastError;
use ballast::events::{OrderPlaced, ReferralClaimed, ReferrerSet, Traded};
use ballast::instructions::{PreviewChange, PreviewReport, PreviewSection};
use ballast::state::{Exchange, FeeSchedule, FeeTier};
use ballast_client::instruction;
use ballast_sim::invariants::{Leg, Watch};
use ballast_sim::vm::Receipt;
use ballast_sim::world::{at_once, post_only, sign, User, World, START};
use ballast_tests::refusal::{checks_declared_accounts, checks_every_account, refuses};
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

/// 5 and 2 basis points, 4 and 1 from 30,000 dollars on, 3 and a rebate of 1 from 60,000 on.
const TIERED: FeeSchedule = FeeSchedule {
    taker_ppm: 500,
    maker_ppm: 200,
    insurance_share_ppm: 200_000,
    referrer_share_ppm: 100_000,
    tiers: [
        FeeTier {
            min_volume: 30_000,
            taker_ppm: 400,
            maker_ppm: 100,
        },
        FeeTier {
            min_volume: 60_000,
            taker_ppm: 300,
            maker_ppm: -100,
        },
        NONE,
        NONE,
    ],
};
const NONE: FeeTier = FeeTier {
    min_volume: 0,
    taker_ppm: 0,
    maker_ppm: 0,
};

/// A world with these fees, every transaction of which is watched.
fn priced(fees: FeeSchedule) -> World {
    let mut w = world();
    let key = w.exchange.key;
    edit::<Exchange>(&mut w, &key, |e| e.fees = fees);
    w.watch = Some(Watch::default());
    w
}

/// A quarter of a BTC at 100,000: 25,000 dollars.
fn trade_25_000(w: &mut World, taker: &User, maker: &User) -> Receipt {
    let outcome = w.trade(BTC_FUTURE, taker, maker, 2_500, 100_000.0);
    ok(w, outcome)
}

fn fees_of(receipt: &Receipt) -> (i64, i64) {
    let traded = event::<Traded>(receipt);
    (traded.taker_fee, traded.maker_fee)
}

fn volume(w: &World, user: &User) -> u64 {
    w.margin_account(&user.account.margin_account).volume.at(w.vm.now())
}

#[track_caller]
fn all_held(w: &World) {
    assert_eq!(w.watch.as_ref().expect("a watch").verdict(), Ok(()));
}

#[test]
fn fees_fall_with_the_volume_traded_before() {
    let mut w = priced(TIERED);
    let (taker, maker) = pair(&mut w, 1_000_000);
    let mut paid = 0;
    for (before, taken, made) in [
        (0, 12_500_000, 5_000_000),
        (25_000, 12_500_000, 5_000_000),
        (50_000, 10_000_000, 2_500_000),
        (75_000, 7_500_000, -2_500_000),
    ] {
        assert_eq!((volume(&w, &taker), volume(&w, &maker)), (before, before));
        let receipt = trade_25_000(&mut w, &taker, &maker);
        assert_eq!(fees_of(&receipt), (taken, made), "after {before}");
        paid += taken + made;
        let market = w.market(BTC_FUTURE);
        assert_eq!(market.fees_due + market.insurance_due, paid);
    }
    // The rebate is in the maker's quote: 100,000 less 5, 5 and 2.50, and 2.50 more.
    let quote = |user: &User| w.margin_account(&user.account.margin_account).positions[0].quote;
    assert_eq!(quote(&maker), 100_000_000_000 - 12_500_000 + 2_500_000);
    assert_eq!(quote(&taker), -100_000_000_000 - 42_500_000);
    // A fifth of 17.50, 17.50, 12.50 and 5.
    assert_eq!(w.market(BTC_FUTURE).insurance_due, 10_500_000);
    // Tiers are each side's own: a newcomer pays what newcomers pay, on either side.
    let newcomer = trader(&mut w, 1_000_000);
    let receipt = trade_25_000(&mut w, &taker, &newcomer);
    assert_eq!(fees_of(&receipt), (7_500_000, 5_000_000));
    let other = trader(&mut w, 1_000_000);
    let receipt = trade_25_000(&mut w, &other, &maker);
    assert_eq!(fees_of(&receipt), (12_500_000, -2_500_000));
    all_held(&w);
}

#[test]
fn a_quote_is_charged_as_a_block_trade_is() {
    let mut w = priced(TIERED);
    let (taker, maker) = pair(&mut w, 1_000_000);
    let outcome = w.open_quotes(&maker);
    ok(&w, outcome);
    for _ in 0..3 {
        trade_25_000(&mut w, &taker, &maker);
    }
    let leg = Leg {
        instrument: BTC_FUTURE,
        lots: 2_500,
        price: 100_000 * PRICE,
    };
    let signed = sign(&w.quote(&maker, 0, &[leg]), &maker.key);
    let outcome = w.fill_quote(&signed, &taker, &maker.account, 1);
    assert_eq!(fees_of(&ok(&w, outcome)), (7_500_000, -2_500_000));
    assert_eq!(volume(&w, &maker), 100_000);
    all_held(&w);
}

/// Two makers, one of whom has traded before: each order is charged by the tier of its own account, before its fill.
#[test]
fn orders_are_charged_as_block_trades_are() {
    let mut w = priced(TIERED);
    let (taker, maker) = pair(&mut w, 1_000_000);
    let (newcomer, referrer) = (trader(&mut w, 1_000_000), trader(&mut w, 0));
    for _ in 0..3 {
        trade_25_000(&mut w, &taker, &maker);
    }
    for user in [&taker, &maker] {
        let outcome = w.set_referrer(user, &referrer.account.margin_account);
        ok(&w, outcome);
    }
    for user in [&maker, &newcomer] {
        let outcome = w.place(BTC_FUTURE, user, post_only(-2_500, 100_000.0));
        ok(&w, outcome);
    }
    let before = w.market(BTC_FUTURE);
    let outcome = w.place(BTC_FUTURE, &taker, at_once(5_000, 100_000.0));
    let fills = event::<OrderPlaced>(&ok(&w, outcome)).fills;
    let fees: Vec<_> = fills.iter().map(|fill| (fill.taker_fee, fill.maker_fee)).collect();
    // The taker's tier is that before the order.
    assert_eq!(fees, [(7_500_000, -2_500_000), (7_500_000, 5_000_000)]);
    let market = w.market(BTC_FUTURE);
    assert_eq!(market.insurance_due - before.insurance_due, 1_000_000 + 2_500_000);
    assert_eq!(market.fees_due - before.fees_due, 4_000_000 + 10_000_000);
    assert_eq!(
        [&taker, &maker, &newcomer].map(|user| volume(&w, user)),
        [125_000, 100_000, 25_000]
    );
    // A tenth of 7.50 twice for the taker's referrer, nothing for the maker's.
    let due = |user: &User| w.margin_account(&user.account.margin_account).referral_due;
    assert_eq!((due(&taker), due(&maker)), (1_500_000, 0));
    all_held(&w);
}

#[test]
fn a_packages_legs_count_together_and_pay_the_tier_before_it() {
    let mut w = priced(TIERED);
    let (taker, maker) = pair(&mut w, 1_000_000);
    let leg = |instrument, lots, dollars: i64| Leg {
        instrument,
        lots,
        price: dollars * PRICE,
    };
    // 50,000.50 and 30,000.30: the cents of each leg are dropped.
    let legs = [leg(BTC_FUTURE, 5_000, 100_001), leg(ETH_FUTURE, -10_000, 3_000)];
    let outcome = w.trade_package(&taker, &maker, &legs);
    assert_eq!(fees_of(&ok(&w, outcome)), (25_000_250, 10_000_100));
    assert_eq!((volume(&w, &taker), volume(&w, &maker)), (80_000, 80_000));
    let receipt = trade_25_000(&mut w, &taker, &maker);
    assert_eq!(fees_of(&receipt), (7_500_000, -2_500_000));
    all_held(&w);
}

#[test]
fn volume_counts_for_thirty_days() {
    let mut w = priced(TIERED);
    let (taker, maker) = pair(&mut w, 1_000_000);
    // START is at 08:00 of its day.
    let day_ends = START + 16 * 3_600;
    btc_at(&mut w, day_ends - 10, 100_000.0);
    trade_25_000(&mut w, &taker, &maker);
    btc_at(&mut w, day_ends + 10, 100_000.0);
    trade_25_000(&mut w, &taker, &maker);
    let volumes = w.margin_account(&taker.account.margin_account).volume;
    assert_eq!((volumes.day, volumes.total), (START / DAY + 1, 50_000));
    btc_at(&mut w, day_ends + 29 * DAY - 2, 100_000.0);
    assert_eq!(fees_of(&trade_25_000(&mut w, &taker, &maker)), (10_000_000, 2_500_000));
    assert_eq!(volume(&w, &taker), 75_000);
    // The first day drops out: 50,000 are left.
    btc_at(&mut w, day_ends + 29 * DAY, 100_000.0);
    assert_eq!(volume(&w, &taker), 50_000);
    assert_eq!(fees_of(&trade_25_000(&mut w, &taker, &maker)), (10_000_000, 2_500_000));
    // Thirty days later all but that trade.
    assert_eq!(
        w.margin_account(&taker.account.margin_account)
            .volume
            .at(w.vm.now() + 29 * DAY),
        25_000
    );
    all_held(&w);
}

#[test]
fn a_referrer_earns_of_what_its_account_takes() {
    let mut w = priced(TIERED);
    let (taker, maker) = pair(&mut w, 1_000_000);
    let referrer = trader(&mut w, 100);
    let (key, earns) = (taker.account.margin_account, referrer.account.margin_account);
    let due = |w: &World| w.margin_account(&key).referral_due;
    trade_25_000(&mut w, &taker, &maker);
    assert_eq!(due(&w), 0);
    let outcome = w.set_referrer(&taker, &earns);
    let set = ReferrerSet {
        margin_account: key,
        referrer: earns,
    };
    assert_eq!(event::<ReferrerSet>(&ok(&w, outcome)), set);
    assert_eq!(w.margin_account(&key).referrer, earns);
    // A tenth of 12.50, and nothing of what it pays as a maker.
    trade_25_000(&mut w, &taker, &maker);
    assert_eq!(due(&w), 1_250_000);
    let other = trader(&mut w, 1_000_000);
    trade_25_000(&mut w, &other, &taker);
    assert_eq!(due(&w), 1_250_000);
    // Nothing is collected yet.
    refuses(&mut w, BallastError::NothingDue, |w| w.claim_referral(&key, &earns));
    let outcome = w.settle(&key, &[BTC_FUTURE]);
    ok(&w, outcome);
    let collected = w.quote_pool().collected_fees;
    let outcome = w.claim_referral(&key, &earns);
    let claimed = ReferralClaimed {
        margin_account: key,
        referrer: earns,
        amount: 1_250_000,
        left: 0,
    };
    assert_eq!(event::<ReferralClaimed>(&ok(&w, outcome)), claimed);
    assert_eq!(w.margin_account(&earns).cash, 101_250_000);
    assert_eq!((due(&w), w.quote_pool().collected_fees), (0, collected - 1_250_000));
    refuses(&mut w, BallastError::NothingDue, |w| w.claim_referral(&key, &earns));
    all_held(&w);
}

/// All that the taker pays goes to its referrer; it is paid as far as fees have been collected.
#[test]
fn a_claim_takes_what_is_collected_and_leaves_the_rest_due() {
    let mut w = priced(FeeSchedule {
        taker_ppm: 500,
        referrer_share_ppm: 1_000_000,
        ..FeeSchedule::default()
    });
    let (taker, maker) = pair(&mut w, 1_000_000);
    let referrer = trader(&mut w, 0);
    let (key, earns) = (taker.account.margin_account, referrer.account.margin_account);
    let outcome = w.set_referrer(&taker, &earns);
    ok(&w, outcome);
    trade_25_000(&mut w, &taker, &maker);
    let outcome = w.trade(ETH_FUTURE, &taker, &maker, 10_000, 3_000.0);
    ok(&w, outcome);
    for (instrument, amount, left) in [(BTC_FUTURE, 12_500_000, 15_000_000), (ETH_FUTURE, 15_000_000, 0)] {
        let outcome = w.settle(&key, &[instrument]);
        ok(&w, outcome);
        let outcome = w.claim_referral(&key, &earns);
        let claimed = event::<ReferralClaimed>(&ok(&w, outcome));
        assert_eq!((claimed.amount, claimed.left), (amount, left));
    }
    assert_eq!(w.margin_account(&earns).cash, 27_500_000);
    assert_eq!(w.quote_pool().collected_fees, 0);
    all_held(&w);
}

/// A referrer that has closed its account gets nothing; the account that it brought can go on, and be closed.
#[test]
fn what_is_due_to_a_closed_referrer_lapses() {
    let mut w = priced(TIERED);
    let (taker, maker) = pair(&mut w, 1_000_000);
    let referrer = trader(&mut w, 0);
    let (key, earns) = (taker.account.margin_account, referrer.account.margin_account);
    let outcome = w.set_referrer(&taker, &earns);
    ok(&w, outcome);
    trade_25_000(&mut w, &taker, &maker);
    let outcome = w.trade(BTC_FUTURE, &taker, &maker, -2_500, 100_000.0);
    ok(&w, outcome);
    let outcome = w.settle(&key, &[BTC_FUTURE]);
    ok(&w, outcome);
    let (usd, cash) = (w.usd, w.margin_account(&key).cash);
    let outcome = w.withdraw(&taker, &usd, cash.unsigned_abs());
    ok(&w, outcome);
    refuses(&mut w, BallastError::AccountNotEmpty, |w| w.close(&taker, 0));
    let outcome = w.close(&referrer, 0);
    ok(&w, outcome);
    let collected = w.quote_pool().collected_fees;
    w.watch = None; // which asks for both accounts
    let outcome = w.claim_referral(&key, &earns);
    let claimed = event::<ReferralClaimed>(&ok(&w, outcome));
    assert_eq!((claimed.amount, claimed.left), (0, 0));
    assert_eq!(w.quote_pool().collected_fees, collected);
    let outcome = w.close(&taker, 0);
    ok(&w, outcome);
}

#[test]
fn checks_accounts() {
    let mut w = world();
    let (taker, maker) = pair(&mut w, 1_000_000);
    let referrer = trader(&mut w, 0);
    let (key, earns) = (taker.account.margin_account, referrer.account.margin_account);
    let set = instruction::set_referrer(&taker.account, &earns);
    checks_every_account(&mut w, &set, &[&taker.key]);
    let outcome = w.set_referrer(&taker, &earns);
    ok(&w, outcome);
    trade_25_000(&mut w, &taker, &maker);
    let outcome = w.settle(&key, &[BTC_FUTURE]);
    ok(&w, outcome);
    let claim = instruction::claim_referral(&w.exchange, &key, &earns);
    // The referrer's own address is the one that the account names; the others are checked as everywhere.
    checks_declared_accounts(&mut w, &claim, 2, &[]);
    let second = second_exchange(&mut w);
    let mut foreign = claim.clone();
    foreign.accounts[0].pubkey = second.exchange.quote_pool();
    refuses(&mut w, BallastError::WrongExchange, |w| w.vm.send(&[foreign], &[]));
    let mut other = claim.clone();
    other.accounts[2].pubkey = maker.account.margin_account;
    refuses(&mut w, BallastError::WrongReferrer, |w| w.vm.send(&[other], &[]));
    let outcome = w.vm.send(&[claim], &[]);
    ok(&w, outcome);
}

/// The preview's what-if takes the rates of the account's own tier.
#[test]
fn a_what_if_pays_the_accounts_tier() {
    let mut w = priced(TIERED);
    let (taker, maker) = pair(&mut w, 1_000_000);
    trade_25_000(&mut w, &taker, &maker);
    trade_25_000(&mut w, &taker, &maker);
    let key = taker.account.margin_account;
    let equity = |w: &mut World, changes: &[PreviewChange]| match w.what_if(&key, PreviewSection::Summary, changes).0 {
        PreviewReport::Summary(summary) => summary.equity_maintenance,
        other => panic!("{other:?}"),
    };
    let leg = PreviewChange::Leg {
        instrument: BTC_FUTURE as u16,
        lots: 2_500,
        price: 100_000 * PRICE,
    };
    assert_eq!(equity(&mut w, &[]) - equity(&mut w, &[leg]), 10 * DOLLAR);
}
