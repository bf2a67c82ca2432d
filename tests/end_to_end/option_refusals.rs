//! Options and packages: each refusal of a trade, a step of a liquidation and a withdrawal that concerns them, to the unit.
use ballast::error::BallastError;
use ballast::state::InstrumentKind::Call;
use ballast::state::{MarginAccount, RiskBoard, QUOTE_ASSET};
use ballast_sim::world::{User, BTC, ETH, SOL};
use ballast_tests::desk::{Book, Desk};
use ballast_tests::ok;
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;

fn rich_pair(d: &mut Desk) -> (User, User) {
    pair(&mut d.w, 1_000_000)
}

/// A package of this book is refused as a whole.
#[track_caller]
fn refuses_book(d: &mut Desk, error: BallastError, book: Book, taker: &User, maker: &User) {
    let legs = d.legs(book);
    d.w.update_due_funding(legs.iter().map(|leg| leg.instrument));
    refuses(&mut d.w, error, |w| w.trade_package(taker, maker, &legs));
}

/// Prices of everything but ETH.
fn others(d: &mut Desk) {
    d.w.set_prices(&[(QUOTE_ASSET, 1.0), (BTC, 100_000.0), (SOL, 100.0)]);
}

/// 222.705… and 2 % of a tenth of the index, 6; a call worth 2,700 has 2 % of that, 54.
#[test]
fn an_options_band_holds_to_the_tick() {
    let mut d = Desk::new(65);
    let (low, high) = (d.call(300), d.call(3_000));
    let (user, maker) = rich_pair(&mut d);
    for (option, inside, outside) in [
        (high, [216.71, 228.70], [216.70, 228.71]),
        (low, [2_646.0, 2_754.0], [2_645.99, 2_754.01]),
    ] {
        for price in outside {
            refuses(&mut d.w, BallastError::PriceOutsideBand, |w| {
                w.trade(option, &user, &maker, 1_000, price)
            });
        }
        for price in inside {
            trade(&mut d.w, option, &user, &maker, 1_000, price);
        }
        for price in [22_270_500_001, 0, -10_000_000] {
            refuses(&mut d.w, BallastError::OffTick, |w| {
                w.trade_at(option, &user, &maker, 1_000, price)
            });
        }
    }
}

/// A lot of SOL, 0.01, is worth a dollar at 100 and less at 99.99: what counts is the index, not the premium of a few cents.
#[test]
fn an_options_size_is_its_underlyings() {
    let mut d = Desk::new(65);
    let expiry = d.w.vm.now() + 30 * DAY;
    let call = list_option(&mut d.w, SOL, Call, expiry, 100);
    let outcome = publish(&mut d.w, SOL, &[flat(expiry, 80)]);
    ok(&d.w, outcome);
    let (user, maker) = rich_pair(&mut d);
    let price = d.price(call);
    assert!(price < 10.0);
    trade(&mut d.w, call, &user, &maker, 1, price);
    d.w.set_prices(&[(SOL, 99.99)]);
    refuses(&mut d.w, BallastError::TradeTooSmall, |w| {
        w.trade(call, &user, &maker, 1, price)
    });
    trade(&mut d.w, call, &user, &maker, -1, price);
    // As the second leg of a package too.
    let (eth, price) = (d.call(3_000), d.price(call));
    refuses_book(
        &mut d,
        BallastError::TradeTooSmall,
        &[(eth, 1.0), (call, 0.001)], // one lot
        &user,
        &maker,
    );
    trade(&mut d.w, call, &user, &maker, 2, price);
}

/// From the expiry on an option is settled, not traded: not even by two sides that leave.
#[test]
fn an_option_that_has_expired_is_not_traded() {
    let mut d = Desk::new(65);
    let call = d.option(Call, 3_000, 24);
    let (user, maker) = rich_pair(&mut d);
    let third = trader(&mut d.w, 1_000_000);
    d.open(&[(call, 1.0)], &user, &maker);
    d.w.vm.advance(24 * 3_600 - 2);
    others(&mut d);
    d.w.vm.advance(1);
    d.w.post_price(ETH, 3_000.0);
    let outcome = d.w.refresh(&[ETH]);
    ok(&d.w, outcome);
    for (taker, maker) in [(&user, &maker), (&third, &maker), (&user, &third)] {
        refuses_book(&mut d, BallastError::InstrumentExpired, &[(call, 0.5)], taker, maker);
        let beside = [(ETH_PERP, 1.0), (call, 0.5)];
        refuses_book(&mut d, BallastError::InstrumentExpired, &beside, taker, maker);
    }
    for maker in [&third, &maker] {
        refuses_book(&mut d, BallastError::InstrumentExpired, &[(call, -0.5)], &user, maker);
    }
}

/// A leg without a fresh price or surface spoils its package, wherever it stands, and only for who adds.
#[test]
fn a_stale_leg_spoils_its_package() {
    let mut d = Desk::new(65);
    let call = d.call(3_000);
    let (user, maker) = rich_pair(&mut d);
    d.open(&[(call, 1.0), (BTC_PERP, 0.1)], &user, &maker);
    d.w.vm.advance(60);
    others(&mut d);
    for (book, error) in [
        ([(BTC_PERP, 0.1), (ETH_PERP, 1.0)], BallastError::StalePrice),
        ([(BTC_PERP, 0.1), (call, 1.0)], BallastError::StalePrice),
        ([(call, 1.0), (BTC_PERP, 0.1)], BallastError::StalePrice),
    ] {
        refuses_book(&mut d, error, &book, &user, &maker);
    }
    d.open(&[(BTC_PERP, -0.05), (call, -0.5)], &user, &maker);
    // The price is back; the surface is older than 900 seconds.
    d.w.vm.advance(838);
    others(&mut d);
    d.w.set_prices(&[(ETH, 3_000.0)]);
    assert_eq!(
        d.w.vm.now() - d.w.board().assets[usize::from(ETH)].expiries[1].surface_time,
        901
    );
    let book = [(BTC_PERP, 0.1), (call, 1.0)];
    refuses_book(&mut d, BallastError::SurfaceStale, &book, &user, &maker);
    d.open(&[(BTC_PERP, 0.1), (call, -0.1)], &user, &maker);
    let outcome = d.publish(65);
    ok(&d.w, outcome);
    // An option of an expiry that has no surface has no mark.
    let expiry = d.w.vm.now() + 200 * DAY;
    let unknown = list_option(&mut d.w, ETH, Call, expiry, 3_000);
    let legs = [d.legs(&[(BTC_PERP, 0.1)]), {
        let mut leg = d.legs(&[(call, 1.0)]);
        leg[0].instrument = unknown;
        leg
    }]
    .concat();
    refuses(&mut d.w, BallastError::SurfaceMissing, |w| {
        w.trade_package(&user, &maker, &legs)
    });
}

/// Ten units of 3,000 are 30,000 of open interest, whatever the option costs.
#[test]
fn open_interest_of_options_is_capped_to_the_lot() {
    let mut d = Desk::new(65);
    let (call, put) = (d.call(3_000), d.put(3_000));
    let (user, maker) = rich_pair(&mut d);
    let third = trader(&mut d.w, 1_000_000);
    let board = d.w.exchange.board;
    let cap = |d: &mut Desk, owner: i64, instrument: i64| {
        edit::<RiskBoard>(&mut d.w, &board, |b| {
            let asset = &mut b.assets[usize::from(ETH)];
            asset.owner_open_interest_cap = owner * DOLLAR;
            asset.instrument_open_interest_cap = instrument * DOLLAR;
        });
    };
    cap(&mut d, 30_000, 1_000_000);
    let over = BallastError::OwnerOpenInterestCapExceeded;
    refuses_book(&mut d, over, &[(call, 10.001)], &user, &maker);
    refuses_book(&mut d, over, &[(call, 5.0), (put, 5.001)], &user, &maker);
    // Short and long add up: an owner's are those of all instruments of the asset.
    d.open(&[(call, 5.0), (put, -5.0)], &user, &maker);
    refuses_book(&mut d, over, &[(call, 0.001)], &user, &third);
    cap(&mut d, 1_000_000, 15_000);
    let over = BallastError::OpenInterestCapExceeded;
    refuses_book(&mut d, over, &[(call, 0.001)], &user, &third);
    refuses_book(&mut d, over, &[(ETH_PERP, 1.0), (put, 0.001)], &third, &user);
    d.open(&[(call, -0.001)], &user, &maker);
    d.open(&[(call, 0.001)], &third, &maker);
}

/// One wallet on both sides, and a signer who is nobody's delegate.
#[test]
fn a_package_needs_two_wallets_that_sign() {
    let mut d = Desk::new(65);
    let call = d.call(3_000);
    let (user, stranger) = rich_pair(&mut d);
    let book = [(call, 1.0), (ETH_PERP, -0.5)];
    refuses_book(&mut d, BallastError::SelfTrade, &book, &user, &user);
    let forged = User {
        key: stranger.key.insecure_clone(),
        account: ballast_client::instruction::AccountKeys {
            signer: stranger.account.signer,
            ..user.account
        },
        usd: user.usd,
        btc: user.btc,
        sol: user.sol,
    };
    let third = trader(&mut d.w, 1_000_000);
    refuses_book(&mut d, BallastError::NotTrader, &book, &forged, &third);
    refuses_book(&mut d, BallastError::NotTrader, &book, &third, &forged);
}

/// Short thirty calls against 29,000 while ETH goes to 3,900; flagged, and a slot later.
fn short_under_water() -> (Desk, usize, User, User) {
    let mut d = Desk::new(65);
    let call = d.call(3_000);
    let (user, maker) = pair(&mut d.w, 29_000);
    d.open(&[(call, -30.0)], &user, &maker);
    for price in [3_300.0, 3_600.0, 3_900.0] {
        d.w.set_prices(&[(ETH, price)]);
    }
    let outcome = d.w.flag(&user.account.margin_account);
    ok(&d.w, outcome);
    d.w.vm.advance(2);
    (d, call, user, maker)
}

#[test]
fn an_option_is_taken_over_on_a_fresh_price_and_surface_only() {
    let (mut d, call, user, _) = short_under_water();
    let keeper = trader(&mut d.w, 1_000_000);
    d.w.vm.advance(59);
    refuses(&mut d.w, BallastError::StalePrice, |w| {
        w.liquidate(call, &user.account, &keeper, 500)
    });
    let published = d.w.board().assets[usize::from(ETH)].expiries[1].surface_time;
    let key = user.account.margin_account;
    for _ in 0..7 {
        d.w.vm.advance(104);
        others(&mut d);
        d.w.set_prices(&[(ETH, 3_900.0)]);
        let outcome = d.w.flag(&key); // confirmed, so that it does not lapse
        ok(&d.w, outcome);
    }
    let missing = published + 901 - d.w.vm.now() - 1;
    d.w.vm.advance(missing);
    d.w.set_prices(&[(ETH, 3_900.0)]);
    let outcome = d.w.flag(&key);
    ok(&d.w, outcome);
    refuses(&mut d.w, BallastError::SurfaceStale, |w| {
        w.liquidate(call, &user.account, &keeper, 500)
    });
    let outcome = d.publish(65);
    ok(&d.w, outcome);
    let outcome = d.w.liquidate(call, &user.account, &keeper, 500);
    ok(&d.w, outcome);
}

#[test]
fn a_step_on_an_option_keeps_its_limits() {
    let (mut d, call, user, _) = short_under_water();
    let keeper = trader(&mut d.w, 1_000_000);
    for (lots, error) in [
        (0, BallastError::ZeroAmount),
        (30_001, BallastError::LiquidatesTooMuch),
        (u64::MAX, BallastError::LiquidatesTooMuch),
        // A step may take 25,000 dollars: 6.410 calls at an index of 3,900, whatever they are worth.
        (6_411, BallastError::StepCapExceeded),
    ] {
        refuses(&mut d.w, error, |w| w.liquidate(call, &user.account, &keeper, lots));
    }
    refuses(&mut d.w, BallastError::PositionMissing, |w| {
        w.liquidate(ETH_PERP, &user.account, &keeper, 1)
    });
    // A keeper without the margin for what it takes over, one over its cap, and one with twenty-four options already.
    let poor = trader(&mut d.w, 50);
    refuses(&mut d.w, BallastError::LiquidatorMargin, |w| {
        w.liquidate(call, &user.account, &poor, 6_410)
    });
    let board = d.w.exchange.board;
    let cap = |d: &mut Desk, dollars: i64| {
        edit::<RiskBoard>(&mut d.w, &board, |b| {
            b.assets[usize::from(ETH)].owner_open_interest_cap = dollars * DOLLAR;
        });
    };
    cap(&mut d, 24_998);
    refuses(&mut d.w, BallastError::OwnerOpenInterestCapExceeded, |w| {
        w.liquidate(call, &user.account, &keeper, 6_410)
    });
    cap(&mut d, 1_000_000);
    let outcome = d.w.liquidate(call, &user.account, &keeper, 6_410);
    ok(&d.w, outcome);
}

/// The long leg that protects a short one can't be taken away: that helps nobody.
#[test]
fn a_protective_leg_is_not_taken_over() {
    let mut d = Desk::new(65);
    let (low, high) = (d.call(3_000), d.call(3_600));
    let (user, maker) = pair(&mut d.w, 3_000);
    let keeper = trader(&mut d.w, 1_000_000);
    d.open(&[(low, -10.0), (high, 10.0)], &user, &maker);
    let (key, other) = (user.account.margin_account, maker.account.margin_account);
    let s = d.summary(&user);
    let units = (s.equity_liquidation - s.maintenance_margin) / 100 + USD as i64;
    edit::<MarginAccount>(&mut d.w, &key, |a| a.cash -= units);
    edit::<MarginAccount>(&mut d.w, &other, |a| a.cash += units);
    let outcome = d.w.flag(&key);
    ok(&d.w, outcome);
    d.w.vm.advance(2);
    refuses(&mut d.w, BallastError::NotHealthier, |w| {
        w.liquidate(high, &user.account, &keeper, 500)
    });
    let outcome = d.w.liquidate(low, &user.account, &keeper, 500);
    ok(&d.w, outcome);
}

/// An option whose premium is owed settles with a withdrawal, and its market has to be there.
#[test]
fn a_withdrawal_settles_the_premium() {
    let mut d = Desk::new(65);
    let (call, put) = (d.call(3_000), d.put(3_000));
    let (user, maker) = pair(&mut d.w, 50_000);
    d.open(&[(call, 10.0), (put, -10.0)], &user, &maker);
    let usd = d.w.usd;
    let (right, other) = (d.w.markets[call], d.w.markets[ETH_PERP]);
    assert_eq!(d.w.losers(&user.account.margin_account), vec![right]);
    refuses(&mut d.w, BallastError::MarketMissing, |w| {
        w.withdraw_with(&user, &usd, USD, &[])
    });
    refuses(&mut d.w, BallastError::MarketMissing, |w| {
        w.withdraw_with(&user, &usd, USD, &[other])
    });
    for extra in [other, right] {
        refuses(&mut d.w, BallastError::UnexpectedAccount, |w| {
            w.withdraw_with(&user, &usd, USD, &[right, extra])
        });
    }
    let outcome = d.w.withdraw_with(&user, &usd, USD, &[right]);
    ok(&d.w, outcome);
    let account = d.w.margin_account(&user.account.margin_account);
    // 2,227 and a fee of 1.1135 have gone out of 49,998 less 1.
    assert_eq!(account.cash, 49_997_000_000 - 2_228_113_500);
    assert_eq!(account.position(call as u16).map(|p| p.quote), Some(0));
}
