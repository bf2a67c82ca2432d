//! Prices that must not reach the board, and what a price that is not good any more may not do.
use ballast::error::BallastError;
use ballast::state::{RiskBoard, QUOTE_ASSET};
use ballast_client::instruction;
use ballast_oracle::Guard;
use ballast_sim::world::{PriceMessage, Verification, World, BTC, ETH, RECEIVERS, SOL};
use ballast_tests::refusal::refuses;
use ballast_tests::setup::*;
use ballast_tests::{ok, world};
use solana_signer::Signer;

/// A good BTC update at 101,000 dollars as of now, a minute after the last one.
fn update(w: &mut World) -> PriceMessage {
    w.vm.advance(120);
    PriceMessage::new(w.feed_id(BTC), 101_000.0, w.vm.now())
}

#[track_caller]
fn not_accepted(w: &mut World, update: &PriceMessage, error: BallastError) {
    w.post(BTC, update);
    refuses(w, error, |w| w.refresh(&[BTC]));
}

#[track_caller]
fn accepted(w: &mut World, update: &PriceMessage) {
    w.post(BTC, update);
    let outcome = w.refresh(&[BTC]);
    ok(w, outcome);
}

#[test]
fn attack_stale_by_one_second() {
    let mut w = world();
    let good = update(&mut w);
    let aged = |seconds| PriceMessage {
        publish_time: good.publish_time - seconds,
        ..good
    };
    not_accepted(&mut w, &aged(61), BallastError::StalePrice);
    accepted(&mut w, &aged(60));
}

#[test]
fn attack_confidence_one_unit_over() {
    let mut w = world();
    let good = update(&mut w);
    // 2 % of 101,000 dollars, 10⁻⁸ each.
    let widest = 2_020 * 100_000_000;
    let with = |confidence| PriceMessage { confidence, ..good };
    not_accepted(&mut w, &with(widest + 1), BallastError::PriceTooUncertain);
    not_accepted(&mut w, &with(u64::MAX), BallastError::PriceTooUncertain);
    accepted(&mut w, &with(widest));
}

#[test]
fn attack_zero_and_negative_prices() {
    let mut w = world();
    let good = update(&mut w);
    for price in [0, -1, i64::MIN] {
        not_accepted(&mut w, &PriceMessage { price, ..good }, BallastError::PriceNotPositive);
    }
    // 10⁻¹⁸ dollars are nothing on a board of 10⁻⁹.
    let dust = PriceMessage {
        price: 999_999_999,
        confidence: 0,
        exponent: -18,
        ..good
    };
    not_accepted(&mut w, &dust, BallastError::PriceNotPositive);
}

#[test]
fn attack_times_of_publication() {
    let mut w = world();
    let good = update(&mut w);
    let at = |publish_time| PriceMessage { publish_time, ..good };
    not_accepted(&mut w, &at(good.publish_time + 1), BallastError::PriceFromFuture);
    not_accepted(&mut w, &at(i64::MAX), BallastError::PriceFromFuture);
    for time in [0, -1, i64::MIN + 1] {
        not_accepted(&mut w, &at(time), BallastError::StalePrice);
    }
    accepted(&mut w, &good);
    not_accepted(&mut w, &at(good.publish_time - 1), BallastError::PriceRegressed);
}

/// Of two updates of one second the first stays: nobody picks the better one afterwards.
#[test]
fn attack_another_price_of_the_same_second() {
    let mut w = world();
    let good = update(&mut w);
    accepted(&mut w, &good);
    let before = w.board().assets[usize::from(BTC)].price;
    accepted(
        &mut w,
        &PriceMessage {
            price: good.price * 2,
            ..good
        },
    );
    assert_eq!(w.board().assets[usize::from(BTC)].price, before);
}

#[test]
fn attack_bad_exponents() {
    let mut w = world();
    let good = update(&mut w);
    for exponent in [1, -19, i32::MAX, i32::MIN] {
        not_accepted(
            &mut w,
            &PriceMessage { exponent, ..good },
            BallastError::PriceBadExponent,
        );
    }
    // Ten billion dollars a unit leave the board's range.
    let huge = PriceMessage {
        price: 10_000_000_000,
        confidence: 0,
        exponent: 0,
        ..good
    };
    not_accepted(&mut w, &huge, BallastError::PriceOutOfRange);
}

#[test]
fn attack_spoofed_price_program() {
    let mut w = world();
    let data = update(&mut w).account_data(w.vm.clock().slot);
    let attacker = w.vm.keypair().pubkey();
    let account = w.price_account(BTC);
    for owner in [attacker, ballast::ID, anchor_lang::system_program::ID] {
        w.vm.put(account, owner, data.clone());
        refuses(&mut w, BallastError::PriceWrongOwner, |w| w.refresh(&[BTC]));
    }
    for receiver in RECEIVERS {
        let later = update(&mut w);
        w.vm.put(account, receiver, later.account_data(w.vm.clock().slot));
        let outcome = w.refresh(&[BTC]);
        ok(&w, outcome);
    }
}

#[test]
fn attack_update_of_another_feed() {
    let mut w = world();
    w.vm.advance(10);
    for asset in [QUOTE_ASSET, BTC, ETH, SOL] {
        w.post_price(asset, 50.0);
    }
    for (asset, other) in [(BTC, SOL), (SOL, BTC), (ETH, QUOTE_ASSET), (QUOTE_ASSET, ETH)] {
        let refresh = instruction::refresh_prices(&w.exchange, &[(asset, w.price_account(other))]);
        refuses(&mut w, BallastError::PriceWrongFeed, |w| w.vm.send(&[refresh], &[]));
    }
    // A good one does not vouch for the next.
    let prices = [(BTC, w.price_account(BTC)), (ETH, w.price_account(BTC))];
    let refresh = instruction::refresh_prices(&w.exchange, &prices);
    let before = w.board();
    let outcome = w.vm.send(&[refresh], &[]);
    ok(&w, outcome);
    let after = w.board();
    assert_eq!(after.assets[usize::from(BTC)].price.index, 50 * PRICE);
    let eth = |board: &RiskBoard| board.assets[usize::from(ETH)].price;
    assert_eq!(eth(&after), eth(&before));
}

#[test]
fn attack_partial_verification() {
    let mut w = world();
    let good = update(&mut w);
    for signatures in [0, 1, 13, 255] {
        let partial = PriceMessage {
            verification: Verification::Partial(signatures),
            ..good
        };
        not_accepted(&mut w, &partial, BallastError::PriceNotVerified);
    }
}

#[test]
fn attack_price_accounts_of_another_layout() {
    let mut w = world();
    let data = update(&mut w).account_data(w.vm.clock().slot);
    let account = w.price_account(BTC);
    let mut other = data.clone();
    other[0] ^= 1;
    let mut level = data.clone();
    level[40] = 2;
    let mut longer = data.clone();
    longer.push(0);
    for wrong in [other, level, longer, data[..133].to_vec(), vec![]] {
        w.vm.put(account, RECEIVERS[0], wrong);
        refuses(&mut w, BallastError::PriceWrongLayout, |w| w.refresh(&[BTC]));
    }
}

#[test]
fn attack_a_batch_with_one_bad_update() {
    let mut w = world();
    w.vm.advance(10);
    w.post_price(BTC, 101_000.0);
    w.post_price(ETH, 0.0);
    // The good one is taken, and the bad one leaves nothing but its number in the guard's counter.
    let outcome = w.refresh(&[BTC, ETH]);
    ok(&w, outcome);
    let board = w.board();
    assert_eq!(board.assets[usize::from(BTC)].price.index, 101_000 * PRICE);
    let eth = &board.assets[usize::from(ETH)];
    assert_eq!(
        (eth.price.index, eth.sources.refused[Guard::Sign as usize]),
        (3_000 * PRICE, 1)
    );
    let one = [(BTC, w.price_account(BTC))];
    let mut extra = instruction::refresh_prices(&w.exchange, &one);
    let account = extra.accounts[1].clone();
    extra.accounts.push(account);
    refuses(&mut w, BallastError::PriceAccountsMismatch, |w| {
        w.vm.send(&[extra], &[])
    });
    let unlisted = instruction::refresh_prices(&w.exchange, &[(3, w.price_account(BTC))]);
    refuses(&mut w, BallastError::AssetNotListed, |w| w.vm.send(&[unlisted], &[]));
}

/// A jump of the index that the slow price has not followed buys nothing: no new position, no withdrawal, no settled gain.
#[test]
fn attack_the_split_of_index_and_slow_price() {
    let mut w = world();
    let (attacker, maker) = pair(&mut w, 10_100);
    trade(&mut w, BTC_PERP, &attacker, &maker, 10_000, 100_000.0);
    w.set_prices(&[(BTC, 130_000.0)]);
    let account = attacker.account.margin_account;
    let summary = w.summary(&account);
    // 10,100 − 50 of fees − 2 locked: the gain of 30,000 counts at the slow price, where it is 0.
    assert_eq!(summary.equity_initial, 10_048 * DOLLAR);
    assert_eq!(summary.unrealised, (30_000 - 50) * DOLLAR);
    let usd = w.usd;
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.trade(ETH_PERP, &attacker, &maker, 1_000, 3_000.0)
    });
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&attacker, &usd, 1)
    });
    refuses(&mut w, BallastError::NothingToSettle, |w| {
        w.settle(&account, &[BTC_PERP])
    });
    // The short side is asked for the full loss at once.
    let short = w.summary(&maker.account.margin_account);
    assert_eq!(short.unrealised, (-30_000 - 20) * DOLLAR);
}

#[test]
fn attack_an_unrelated_stale_leg_blocks_no_exit() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    trade(&mut w, BTC_PERP, &user, &maker, 1_000, 100_000.0);
    trade(&mut w, ETH_PERP, &user, &maker, 1_000, 3_000.0);
    w.vm.advance(600);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 3_000.0)]);
    let (usd, account) = (w.usd, user.account.margin_account);
    trade(&mut w, ETH_PERP, &user, &maker, -500, 3_000.0);
    // Losers that can settle go first; the stale BTC leg is not asked for.
    let outcome = w.withdraw(&user, &usd, 10_000 * USD);
    ok(&w, outcome);
    let outcome = w.fund(&user, &usd, USD);
    ok(&w, outcome);
    // The stale leg itself: both may shrink, nobody may grow, nothing settles.
    refuses(&mut w, BallastError::StalePrice, |w| {
        w.trade(BTC_PERP, &user, &maker, 1, 100_000.0)
    });
    refuses(&mut w, BallastError::NothingToSettle, |w| {
        w.settle(&account, &[BTC_PERP])
    });
    trade(&mut w, BTC_PERP, &user, &maker, -1_000, 100_000.0);
}

/// A stale price counts at its worse bound for whoever wants something: at 864 seconds 9.5 % · √(864/86,400) = 0.95 %, rounded up by 10⁻⁹.
#[test]
fn attack_withdrawing_on_a_stale_price() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 15_000);
    trade(&mut w, BTC_PERP, &user, &maker, 10_000, 100_000.0);
    w.vm.advance(863);
    w.set_prices(&[(QUOTE_ASSET, 1.0), (ETH, 3_000.0)]);
    let usd = w.usd;
    // Fresh, 15,000 − 50 of fees − 2 locked − 10,000 could leave. Stale, 950.0001 less.
    refuses(&mut w, BallastError::InsufficientMargin, |w| {
        w.withdraw(&user, &usd, 3_997_999_900 + 1)
    });
    let outcome = w.withdraw(&user, &usd, 3_997_999_900);
    ok(&w, outcome);
}

#[test]
fn attack_a_stale_or_fallen_quote_asset() {
    let mut w = world();
    let (user, maker) = pair(&mut w, 50_000);
    let (usd, btc) = (w.usd, w.btc);
    deposit(&mut w, &user, &btc, BTC_UNIT);
    w.set_prices(&[(QUOTE_ASSET, 0.979)]);
    refuses(&mut w, BallastError::QuoteUntrusted, |w| {
        w.trade(BTC_PERP, &user, &maker, 100, 100_000.0)
    });
    refuses(&mut w, BallastError::QuoteUntrusted, |w| {
        w.withdraw(&user, &usd, 50_001 * USD)
    });
    let outcome = w.withdraw(&user, &usd, 50_000 * USD);
    ok(&w, outcome);
    // Stale: the same, at whatever price.
    w.set_prices(&[(QUOTE_ASSET, 1.0)]);
    w.vm.advance(61);
    w.set_prices(&[(BTC, 100_000.0)]);
    refuses(&mut w, BallastError::QuoteUntrusted, |w| {
        w.trade(BTC_PERP, &user, &maker, 100, 100_000.0)
    });
    refuses(&mut w, BallastError::QuoteUntrusted, |w| w.withdraw(&user, &usd, 1));
    let outcome = w.withdraw(&user, &btc, BTC_UNIT);
    ok(&w, outcome);
}
