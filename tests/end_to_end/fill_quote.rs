//! `fill_quote`: what it moves, in whole and in part, alone and as a package.
use ballast::error::BallastError;
use ballast::events::{QuoteFilled, Traded};
use ballast::instructions::TradeLeg;
use ballast::state::{InstrumentKind, OwnerRecord, PartialQuote};
use ballast_client::instruction;
use ballast_sim::invariants::Leg;
use ballast_sim::world::{sign, Outcome, User, World};
use ballast_tests::desk::Desk;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

/// A leg at a price in dollars.
pub fn leg(instrument: usize, lots: i64, dollars: i64) -> Leg {
    Leg {
        instrument,
        lots,
        price: dollars * PRICE,
    }
}

/// A maker with a ledger and ten million, and a taker with `cash`.
pub fn quoting(world: &mut World, cash: u64) -> (User, User) {
    let (taker, maker) = pair(world, cash);
    let outcome = world.open_quotes(&maker);
    ok(world, outcome);
    (taker, maker)
}

#[test]
fn lots_quotes_and_fees_change_hands() {
    let mut w = world();
    let (taker, maker) = (trader(&mut w, 30_000), trader(&mut w, 30_000));
    let outcome = w.open_quotes(&maker);
    ok(&w, outcome);
    let mut quote = w.quote(&maker, 7, &[leg(BTC_PERP, 500, 100_000)]);
    quote.max_units = 9;
    let signed = sign(&quote, &maker.key);
    let outcome = w.fill_quote(&signed, &taker, &maker.account, 5);
    let receipt = ok(&w, outcome);
    // 5 · 0.05 BTC at 100,000: 25,000. The taker's fee 0.05 % = 12.50, the maker's 0.02 % = 5.
    let (a, b) = (
        w.margin_account(&taker.account.margin_account),
        w.margin_account(&maker.account.margin_account),
    );
    let (p, q) = (a.positions[0], b.positions[0]);
    assert_eq!((p.lots, p.quote), (2_500, -25_012_500_000));
    assert_eq!((q.lots, q.quote), (-2_500, 24_995_000_000));
    assert_eq!((a.cash, a.reserve), (29_998_000_000, 2_000_000));
    assert_eq!((b.cash, b.reserve), (29_998_000_000, 2_000_000));
    let market = w.market(BTC_PERP);
    assert_eq!((market.open_interest, market.positions), (2_500, 2));
    assert_eq!((market.insurance_due, market.fees_due), (3_500_000, 14_000_000));
    for user in [&taker, &maker] {
        let record: Box<OwnerRecord> = w.read(&user.account.owner);
        assert_eq!(record.open_interest[0], 250_000_000); // 0.25 BTC
    }
    let (taker_key, maker_key) = (taker.account.margin_account, maker.account.margin_account);
    let traded = Traded {
        market: w.markets[BTC_PERP],
        sequence: 1,
        instrument: 0,
        taker: taker_key,
        maker: maker_key,
        lots: 2_500,
        price: 100_000 * PRICE,
        taker_fee: 12_500_000,
        maker_fee: 5_000_000,
    };
    let filled = QuoteFilled {
        maker: maker_key,
        taker: taker_key,
        nonce: 7,
        units: 5,
        left: 4,
    };
    assert_eq!(event::<Traded>(&receipt), traded);
    assert_eq!(event::<QuoteFilled>(&receipt), filled);
    assert_eq!(receipt.events.len(), 2);
}

#[test]
fn a_quote_is_filled_in_parts_until_nothing_is_left() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 1_000_000);
    let other = trader(&mut w, 1_000_000);
    let mut quote = w.quote(&maker, 3, &[leg(BTC_PERP, -100, 100_000)]);
    quote.max_units = 10;
    let signed = sign(&quote, &maker.key);
    let filled = |w: &World| {
        let ledger = w.quote_ledger(&maker.account);
        (ledger.partial[0], ledger.spent[0])
    };
    let part = |units| PartialQuote {
        nonce: 3,
        units,
        expires_at: quote.expires_at,
    };
    let outcome = w.fill_quote(&signed, &taker, &maker.account, 4);
    ok(&w, outcome);
    assert_eq!(filled(&w), (part(4), 0));
    // Anyone may take of it.
    let outcome = w.fill_quote(&signed, &other, &maker.account, 5);
    ok(&w, outcome);
    assert_eq!(filled(&w), (part(9), 0));
    refuses(&mut w, BallastError::QuoteTooLarge, |w| {
        w.fill_quote(&signed, &taker, &maker.account, 2)
    });
    let outcome = w.fill_quote(&signed, &taker, &maker.account, 1);
    let receipt = ok(&w, outcome);
    assert_eq!(event::<QuoteFilled>(&receipt).left, 0);
    assert_eq!(filled(&w), (PartialQuote::default(), 1 << 3));
    refuses(&mut w, BallastError::QuoteSpent, |w| {
        w.fill_quote(&signed, &taker, &maker.account, 1)
    });
    let lots = |user: &User| w.margin_account(&user.account.margin_account).positions[0].lots;
    assert_eq!((lots(&taker), lots(&other), lots(&maker)), (-500, -500, 1_000));
}

/// The same package by a block trade and by a quote, on two worlds: all accounts end alike.
#[test]
fn a_package_clears_as_a_block_trade_of_it_does() {
    let legs = [
        leg(BTC_PERP, 1_000, 100_000),
        leg(BTC_FUTURE, -1_000, 100_050),
        leg(ETH_PERP, -300, 3_001),
        leg(SOL_FUTURE, 70, 150),
    ];
    let by_quote = {
        let mut w = world();
        let (taker, maker) = quoting(&mut w, 100_000);
        let halves: Vec<Leg> = legs.iter().map(|l| Leg { lots: l.lots / 2, ..*l }).collect();
        let mut quote = w.quote(&maker, 0, &halves);
        quote.max_units = 2;
        let outcome = w.fill_quote(&sign(&quote, &maker.key), &taker, &maker.account, 2);
        ok(&w, outcome);
        state(&w, [&taker, &maker])
    };
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let trade_leg = |l: &Leg| {
        let (lots, price) = (l.lots, l.price);
        (w.markets[l.instrument], TradeLeg { lots, price })
    };
    let package: Vec<_> = legs.iter().map(trade_leg).collect();
    let trade = instruction::package_trade(&w.exchange, &package, &taker.account, &maker.account);
    let outcome = w.vm.send(&[trade], &[&taker.key, &maker.key]);
    ok(&w, outcome);
    assert!(state(&w, [&taker, &maker]) == by_quote);
}

fn state(w: &World, users: [&User; 2]) -> Vec<Vec<u8>> {
    let accounts = users.iter().map(|user| w.vm.data(&user.account.margin_account));
    accounts
        .chain(w.markets.iter().map(|market| w.vm.data(market)))
        .collect()
}

/// A call spread on ETH, eight legs of options, and the margin asked once after all of them.
#[test]
fn packages_of_options_of_up_to_eight_legs() {
    let mut desk = Desk::new(60);
    let strikes = [2_800, 2_900, 3_000, 3_100];
    let mut book: Vec<(usize, f64)> = Vec::new();
    for strike in strikes {
        book.push((desk.option(InstrumentKind::Call, strike, 720), 1.0));
        book.push((desk.option(InstrumentKind::Put, strike, 720), -1.0));
    }
    let (taker, maker) = quoting(&mut desk.w, 1_000_000);
    let legs = desk.legs(&book);
    let quote = desk.w.quote(&maker, 1_023, &legs);
    let outcome = desk.w.fill_quote(&sign(&quote, &maker.key), &taker, &maker.account, 1);
    ok(&desk.w, outcome);
    for (user, sign) in [(&taker, 1), (&maker, -1)] {
        let account = desk.w.margin_account(&user.account.margin_account);
        for leg in &legs {
            let held = account.position(leg.instrument as u16).expect("a position");
            assert_eq!(held.lots, sign * leg.lots);
        }
    }
}

#[test]
fn a_quote_may_name_its_taker_and_be_signed_by_a_delegate() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let delegate = w.vm.keypair();
    edit::<ballast::state::MarginAccount>(&mut w, &maker.account.margin_account, |a| {
        a.delegates[2] = solana_signer::Signer::pubkey(&delegate);
    });
    let mut quote = w.quote(&maker, 0, &[leg(BTC_PERP, 100, 100_000)]);
    quote.taker = taker.account.margin_account;
    let outcome = w.fill_quote(&sign(&quote, &delegate), &taker, &maker.account, 1);
    ok(&w, outcome);
}

/// In its last second it is filled, one later no more.
#[test]
fn a_quote_ends_at_its_expiry() {
    let mut w = world();
    let (taker, maker) = quoting(&mut w, 100_000);
    let mut quote = w.quote(&maker, 0, &[leg(BTC_FUTURE, 100, 100_000)]);
    quote.max_units = 2;
    quote.expires_at = w.vm.now() + 20;
    let signed = sign(&quote, &maker.key);
    w.vm.advance(19);
    let outcome: Outcome = w.fill_quote(&signed, &taker, &maker.account, 1);
    ok(&w, outcome);
    w.vm.advance(1);
    refuses(&mut w, BallastError::QuoteExpired, |w| {
        w.fill_quote(&signed, &taker, &maker.account, 1)
    });
}
