//! Divisions and powers against their definitions.
use ballast_fixed::{
    decay, div_ceil, div_floor, div_rem_floor, mul_div_ceil, mul_div_floor, times_64, Overflow, Price, Ratio,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 5_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(48),
        ..ProptestConfig::default()
    }
}

/// Every order of magnitude, and the divisors the engine uses.
fn divisor() -> impl Strategy<Value = i128> {
    prop_oneof![
        (0u32..127, any::<u128>()).prop_map(|(bits, x)| ((x >> (127 - bits) >> 1) as i128).max(1)),
        prop::sample::select(vec![
            1,
            3,
            1_000_000_000,
            10_000_000_000,
            1_000_000_000_000,
            10_000_000_000_000_000_000,
            30_000_000_000_000_000_000,
            3_000_000_000_000_000_000,
            i128::MAX,
        ]),
    ]
}

fn dividend() -> impl Strategy<Value = i128> {
    prop_oneof![
        any::<i128>(),
        (any::<i128>(), 0u32..127).prop_map(|(x, bits)| x >> bits),
        Just(i128::MIN),
        Just(i128::MAX),
        Just(0),
    ]
}

proptest! {
    #![proptest_config(config())]

    /// ⌊n/d⌋ is the only q with q·d ≤ n < q·d + d: Rust's Euclidean division for d > 0.
    #[test]
    fn division_rounds_down(n in dividend(), d in divisor()) {
        prop_assert_eq!(div_rem_floor(n, d), Ok((n.div_euclid(d), n.rem_euclid(d))));
        prop_assert_eq!(div_floor(n, d), Ok(n.div_euclid(d)));
    }

    #[test]
    fn division_rounds_up(n in dividend(), d in divisor()) {
        let up = n.div_euclid(d).checked_add(i128::from(n.rem_euclid(d) != 0));
        // The least integer has no opposite; everything else must come out.
        if n == i128::MIN {
            prop_assert_eq!(div_ceil(n, d), Err(Overflow));
        } else {
            prop_assert_eq!(div_ceil(n, d), up.ok_or(Overflow));
        }
    }

    #[test]
    fn multiplying_before_dividing_is_exact(a in any::<i64>(), b in any::<i64>(), d in 1..=i64::MAX) {
        let product = i128::from(a) * i128::from(b);
        let down = product.div_euclid(i128::from(d));
        let up = down + i128::from(product.rem_euclid(i128::from(d)) != 0);
        prop_assert_eq!(mul_div_floor(a, b, d), i64::try_from(down).map_err(|_| Overflow));
        prop_assert_eq!(mul_div_ceil(a, b, d), i64::try_from(up).map_err(|_| Overflow));
    }

    #[test]
    fn products_are_checked(a in dividend(), b in any::<i64>(), bits in 0u32..64) {
        for b in [b >> bits, i64::MIN, i64::MAX, -(1 << 32), 1 << 32, (1 << 32) - 1] {
            prop_assert_eq!(times_64(a, b), a.checked_mul(i128::from(b)).ok_or(Overflow));
        }
    }

    /// How often a mean is updated does not matter: the two ways differ by a few roundings of 2⁻⁶³.
    #[test]
    fn decay_composes(base in 0u64..=1 << 63, a in 0u32..100_000, b in 0u32..100_000) {
        let product = (u128::from(decay(base, a)) * u128::from(decay(base, b))) >> 63;
        let whole = u128::from(decay(base, a + b));
        prop_assert!(product.abs_diff(whole) <= 64, "{product} {whole}");
        prop_assert!(decay(base, a + 1) <= decay(base, a) + 32);
    }
}

#[test]
fn a_divisor_must_be_positive() {
    for d in [0, -1, i128::MIN] {
        assert_eq!(div_rem_floor(5, d), Err(Overflow));
        assert_eq!(div_floor(5, d), Err(Overflow));
        assert_eq!(div_ceil(5, d), Err(Overflow));
    }
    assert_eq!(mul_div_floor(1, 1, 0), Err(Overflow));
    assert_eq!(mul_div_ceil(1, 1, -1), Err(Overflow));
}

#[test]
fn decay_of_known_powers() {
    const ONE: u64 = 1 << 63;
    assert_eq!(decay(ONE / 2, 3), ONE / 8);
    assert_eq!(decay(ONE / 2, 64), 0);
    assert_eq!(decay(ONE, u32::MAX), ONE);
    assert_eq!(decay(u64::MAX, 5), ONE); // above one counts as one
    assert_eq!(decay(0, 0), ONE);
    assert_eq!(decay(0, 1), 0);
}

proptest! {
    /// Both ways to move a price give the floor of the exact product.
    #[test]
    fn a_moved_price_is_the_floor(price in prop_oneof![0..=i64::MAX, 0..10_000_000_000i64], ratio in -1_000_000_000i64..=3_000_000_000) {
        for ratio in [ratio, ratio % 600_000_000, ratio % 100, (1 << 29) - 1, 1 << 29, 1 - (1 << 29), -(1 << 29)] {
            let exact = (i128::from(price) * i128::from(1_000_000_000 + ratio)).div_euclid(1_000_000_000);
            let expected = i64::try_from(exact).map(Price).map_err(|_| Overflow);
            prop_assert_eq!(Price(price).scaled_floor(Ratio(ratio)), expected);
        }
    }
}
