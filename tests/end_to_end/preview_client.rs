//! The client's whole preview, section by section out of the compiled program.
use ballast::error::BallastError;
use ballast::instructions::{PreviewChange, PreviewReport, PreviewSection};
use ballast::state::{InstrumentKind, RiskBoard};
use ballast_client::preview::PreviewError;
use ballast_sim::world::{User, World, BTC, ETH, SOL};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};

/// Long a BTC perpetual of 100,000 and short eight straddles of ETH, with a BTC as collateral.
fn book() -> (World, User, usize) {
    let mut w = world();
    let expiry = w.vm.now() + 30 * DAY;
    let call = list_option(&mut w, ETH, InstrumentKind::Call, expiry, 3_000);
    let put = list_option(&mut w, ETH, InstrumentKind::Put, expiry, 3_000);
    let outcome = publish(&mut w, ETH, &[flat(expiry, 65)]);
    ok(&w, outcome);
    let (user, maker) = pair(&mut w, 15_000);
    let btc = w.btc;
    deposit(&mut w, &user, &btc, BTC_UNIT / 10);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    for option in [call, put] {
        let board = w.board();
        let listed = board.instruments[option];
        let mark = board.mark(&listed, w.vm.now()).unwrap().0;
        let outcome = w.trade_at(
            option,
            &user,
            &maker,
            -8_000,
            mark / listed.tick_size * listed.tick_size,
        );
        ok(&w, outcome);
    }
    (w, user, call)
}

#[test]
fn the_sections_are_put_together() {
    let (mut w, user, _) = book();
    let key = user.account.margin_account;
    let whole = w.report(&key, &[]).unwrap();
    assert_eq!(whole.summary, w.summary(&key));
    assert_eq!(whole.isolated, w.isolated(&key));
    let (PreviewReport::Risk(totals), _) = w.preview(&key, PreviewSection::Risk) else {
        panic!("another section");
    };
    assert_eq!(whole.totals, totals);
    let held: Vec<u8> = whole.assets.iter().map(|a| a.asset).collect();
    assert_eq!(held, [BTC, ETH]);
    assert!(whole.asset(BTC).is_some() && whole.asset(2).is_none());
    for asset in &whole.assets {
        assert_eq!(asset.margin, w.asset_section(&key, asset.asset));
    }
    let deltas: i64 = whole.assets.iter().map(|a| a.greeks.delta).sum();
    assert_eq!(deltas, whole.totals.delta);
    let s = &whole.summary;
    assert_eq!(whole.free_margin(), s.equity_initial - s.initial_margin);
}

/// Every distance, made on the board: one per ten thousand nearer the account holds, and as much farther it does not.
#[test]
fn distances_hold_on_the_board() {
    let (mut w, user, _) = book();
    let whole = w.report(&user.account.margin_account, &[]).unwrap();
    let price = |asset: u8| if asset == BTC { 100_000.0 } else { 3_000.0 };
    let mut ends = 0;
    for asset in &whole.assets {
        for (way, sign) in [(asset.rise, 1), (asset.fall, -1)] {
            let Some(end) = way.liquidatable else {
                // A long perpetual never suffers from a rise.
                assert_eq!((asset.asset, sign, way.safe), (BTC, 1, 10_000_000_000));
                continue;
            };
            ends += 1;
            assert!((end - way.safe).abs() <= 100_000 && end * sign > 0, "{way:?}");
            for (by, expected) in [(way.safe - 100_000 * sign, false), (end + 100_000 * sign, true)] {
                w.set_prices(&[(asset.asset, price(asset.asset) * (1.0 + by as f64 / 1e9))]);
                assert_eq!(
                    w.summary(&user.account.margin_account).liquidatable,
                    expected,
                    "{way:?}"
                );
            }
            w.set_prices(&[(asset.asset, price(asset.asset))]);
        }
    }
    assert_eq!(ends, 3);
}

#[test]
fn a_what_if_and_its_difference() {
    let (mut w, user, call) = book();
    let key = user.account.margin_account;
    let now = w.report(&key, &[]).unwrap();
    assert_eq!(now.minus(&now), Default::default());
    // The calls bought back, and a tenth of a BTC deposited.
    let changes = [
        PreviewChange::Leg {
            instrument: call as u16,
            lots: 8_000,
            price: 0,
        },
        PreviewChange::Collateral {
            collateral: 1,
            amount: BTC_UNIT as i64 / 10,
        },
    ];
    let then = w.report(&key, &changes).unwrap();
    let difference = then.minus(&now);
    // 90 % of 10,000, less the fee of 5 basis points on eight calls worth 222.7: 0.89.
    let deposited = difference.equity_maintenance as f64 / 1e8;
    assert!((deposited - (9_000.0 - 0.891)).abs() < 0.01, "{deposited}");
    let (old, new) = (&now.summary, &then.summary);
    assert_eq!(difference.initial_margin, new.initial_margin - old.initial_margin);
    assert_eq!(
        difference.value_at_risk,
        then.totals.value_at_risk - now.totals.value_at_risk
    );
    let (before, after) = (now.asset(ETH).unwrap(), then.asset(ETH).unwrap());
    assert!(after.margin.short_option_minimum < before.margin.short_option_minimum);
    // A rise of ETH does no harm any more.
    assert!(before.rise.liquidatable.is_some() && after.rise.liquidatable.is_none());
    // The program's refusals come through.
    let nothing = [PreviewChange::Leg {
        instrument: call as u16,
        lots: 0,
        price: 0,
    }];
    let Err(PreviewError::Send(refused)) = w.report(&key, &nothing) else {
        panic!("went through");
    };
    assert_eq!(refused.code, Some(u32::from(BallastError::ZeroAmount)));
}

/// Collateral that never had a price is worth nothing: no move of it does harm, and the rest of the report is as without it.
#[test]
fn collateral_without_a_price_costs_no_report() {
    let (mut w, user, _) = book();
    let key = user.account.margin_account;
    let before = w.report(&key, &[]).unwrap();
    let (sol, board) = (w.sol, w.exchange.board);
    deposit(&mut w, &user, &sol, SOL_UNIT);
    edit::<RiskBoard>(&mut w, &board, |b| {
        let feed = &mut b.assets[usize::from(SOL)].price;
        (feed.index, feed.slow) = (0, 0);
    });
    let whole = w.report(&key, &[]).unwrap();
    assert_eq!(whole.summary.initial_margin, before.summary.initial_margin);
    assert_eq!(whole.assets[..2], before.assets[..]);
    let sol = whole.asset(SOL).unwrap();
    for (way, end) in [(sol.rise, 10_000_000_000), (sol.fall, -1_000_000_000)] {
        assert_eq!((way.safe, way.liquidatable), (end, None));
    }
    // A position in it has no distance, as it has no value.
    let maker = trader(&mut w, 1_000_000);
    edit::<RiskBoard>(&mut w, &board, |b| {
        let feed = &mut b.assets[usize::from(SOL)].price;
        (feed.index, feed.slow) = (150 * PRICE, 150 * PRICE);
    });
    trade(&mut w, SOL_PERP, &user, &maker, 1, 150.0);
    edit::<RiskBoard>(&mut w, &board, |b| {
        let feed = &mut b.assets[usize::from(SOL)].price;
        (feed.index, feed.slow) = (0, 0);
    });
    let section = PreviewSection::Distance {
        asset: SOL,
        from: 0,
        to: -1_000_000_000,
        steps: 1,
    };
    let preview = ballast_client::instruction::preview(&w.exchange, &key, section);
    refuses(&mut w, BallastError::PriceMissing, |w| w.vm.send(&[preview], &[]));
}
