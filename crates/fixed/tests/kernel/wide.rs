//! Numbers with 192 bits (57 digits) after the point and 64 before it, and the functions Black's formula needs: the arithmetic the kernel
//! is measured against. Tests only; tests/kernel/reference.rs proves it against 50-digit values of another make.
use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::OnceLock;

/// ±limbs · 2⁻¹⁹², lowest limb first. Panics on overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wide {
    negative: bool,
    limbs: [u64; 4],
}

impl Wide {
    pub const ZERO: Wide = Wide {
        negative: false,
        limbs: [0; 4],
    };

    /// n · 2⁻ᵇⁱᵗˢ, exact for bits ≤ 192.
    pub fn scaled(n: i64, bits: u32) -> Wide {
        let whole = Wide::from(n);
        (0..bits).fold(whole, |x, _| x.half())
    }

    /// A decimal such as -12.345.
    pub fn parse(text: &str) -> Wide {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let tail = (fraction.bytes().rev()).fold(Wide::ZERO, |x, d| (x + Wide::from(i64::from(d - b'0'))).over(10));
        let value = Wide::from(whole.parse::<i64>().unwrap()) + tail;
        if negative {
            -value
        } else {
            value
        }
    }

    pub fn is_negative(self) -> bool {
        self.negative
    }

    /// The whole number below, for 0 ≤ x < 2⁶³.
    pub fn whole(self) -> i64 {
        assert!(!self.negative);
        i64::try_from(self.limbs[3]).unwrap()
    }

    pub fn abs(self) -> Wide {
        Wide {
            negative: false,
            ..self
        }
    }

    pub fn to_f64(self) -> f64 {
        let magnitude = self.limbs.iter().rev().fold(0.0, |x, &l| x * 2f64.powi(64) + l as f64) * 2f64.powi(-192);
        if self.negative {
            -magnitude
        } else {
            magnitude
        }
    }

    /// To 53 bits; |x| < 2⁶³.
    pub fn from_f64(x: f64) -> Wide {
        let (mut rest, mut limbs) = (x.abs(), [0u64; 4]);
        for limb in limbs.iter_mut().rev() {
            *limb = rest as u64;
            rest = (rest - *limb as f64) * 2f64.powi(64);
        }
        Wide {
            negative: x < 0.0,
            limbs,
        }
    }

    /// Rounded towards 0.
    pub fn half(self) -> Wide {
        let [a, b, c, d] = self.limbs;
        let limbs = [a >> 1 | b << 63, b >> 1 | c << 63, c >> 1 | d << 63, d >> 1];
        Wide { limbs, ..self }
    }

    /// self / n, rounded towards 0.
    pub fn over(self, n: u64) -> Wide {
        let (mut limbs, mut rest) = ([0; 4], 0u128);
        for i in (0..4).rev() {
            let part = rest << 64 | u128::from(self.limbs[i]);
            limbs[i] = (part / u128::from(n)) as u64;
            rest = part % u128::from(n);
        }
        Wide { limbs, ..self }
    }

    fn compare(a: &[u64; 4], b: &[u64; 4]) -> Ordering {
        a.iter().rev().cmp(b.iter().rev())
    }

    fn sum(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        let (mut out, mut carry) = ([0; 4], 0u128);
        for i in 0..4 {
            carry += u128::from(a[i]) + u128::from(b[i]);
            out[i] = carry as u64;
            carry >>= 64;
        }
        assert_eq!(carry, 0, "overflow");
        out
    }

    /// a − b for a ≥ b.
    fn difference(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        let (mut out, mut borrow) = ([0; 4], false);
        for i in 0..4 {
            let (x, first) = a[i].overflowing_sub(b[i]);
            let (x, second) = x.overflowing_sub(u64::from(borrow));
            (out[i], borrow) = (x, first || second);
        }
        out
    }

    /// 1 / self by Newton's iteration from 53 bits.
    pub fn inverse(self) -> Wide {
        let two = Wide::from(2);
        let mut y = Wide::from_f64(1.0 / self.to_f64());
        for _ in 0..3 {
            y = y * (two - self * y);
        }
        y
    }

    pub fn sqrt(self) -> Wide {
        if self == Wide::ZERO {
            return self;
        }
        let mut y = Wide::from_f64(self.to_f64().sqrt());
        for _ in 0..3 {
            y = (y + self / y).half();
        }
        y
    }

    /// ln 2 = 2·artanh ⅓.
    fn ln_2() -> Wide {
        static LN_2: OnceLock<Wide> = OnceLock::new();
        *LN_2.get_or_init(|| twice_artanh(Wide::from(1).over(3)))
    }

    /// For x > 0: x = 2ᵉ·m with m near 1, ln m = 2·artanh((m − 1)/(m + 1)).
    pub fn ln(self) -> Wide {
        let e = self.to_f64().log2().round() as i64;
        let mut m = self;
        for _ in 0..e {
            m = m.half();
        }
        for _ in e..0 {
            m = m + m;
        }
        let one = Wide::from(1);
        Wide::ln_2() * Wide::from(e) + twice_artanh((m - one) / (m + one))
    }

    /// For x ≤ 40.
    pub fn exp(self) -> Wide {
        self.exp_times(Wide::from(1))
    }

    /// factor · eˣ, with the digits of the factor: x = n·ln 2 + r, e^r = (e^(r/256))^256.
    fn exp_times(self, factor: Wide) -> Wide {
        let n = (self.to_f64() / std::f64::consts::LN_2).round() as i64;
        let r = (self - Wide::ln_2() * Wide::from(n)).over(256);
        let (mut term, mut sum, mut k) = (Wide::from(1), Wide::from(1), 1);
        while term != Wide::ZERO {
            term = (term * r).over(k);
            sum = sum + term;
            k += 1;
        }
        let power = (0..8).fold(sum, |x, _| x * x) * factor;
        if n < 0 {
            (n..0).fold(power, |x, _| x.half())
        } else {
            (0..n).fold(power, |x, _| x + x)
        }
    }

    /// φ(x).
    pub fn pdf(self) -> Wide {
        self.pdf_times(Wide::from(1))
    }

    /// factor · φ(x).
    fn pdf_times(self, factor: Wide) -> Wide {
        static ROOT_TWO_PI: OnceLock<Wide> = OnceLock::new();
        let root = ROOT_TWO_PI.get_or_init(|| (pi() + pi()).sqrt().inverse());
        if self.to_f64().abs() > 17.0 {
            return Wide::ZERO; // under 2⁻²⁰⁰
        }
        (-(self * self).half()).exp_times(factor * *root)
    }

    /// Φ(x): ½ + φ(x)·(x + x³/3 + x⁵/15 + …) up to 8, beyond that the tail's continued fraction φ(x)/(x + 1/(x + 2/(x + …))).
    pub fn cdf(self) -> Wide {
        let one = Wide::from(1);
        if self.negative {
            return one - self.abs().cdf();
        }
        if self.to_f64() > 8.0 {
            let fraction = (1..100).rev().fold(self, |f, k| self + Wide::from(k) / f);
            return one - self.pdf() / fraction;
        }
        let square = self * self;
        let (mut term, mut sum, mut k) = (self, self, 3);
        while term != Wide::ZERO {
            term = (term * square).over(k);
            sum = sum + term;
            k += 2;
        }
        one.half() + self.pdf_times(sum)
    }
}

/// 2·artanh z = 2(z + z³/3 + z⁵/5 + …).
fn twice_artanh(z: Wide) -> Wide {
    let square = z * z;
    let (mut power, mut sum, mut k) = (z, z, 3);
    while power != Wide::ZERO {
        power = power * square;
        sum = sum + power.over(k);
        k += 2;
    }
    sum + sum
}

/// Machin: π = 16·arctan ⅕ − 4·arctan 1/239.
fn pi() -> Wide {
    let arctan_of_inverse = |n: u64| {
        let (mut power, mut sum, mut k) = (Wide::from(1).over(n), Wide::ZERO, 1);
        while power != Wide::ZERO {
            let term = power.over(k);
            sum = if k % 4 == 1 { sum + term } else { sum - term };
            power = power.over(n * n);
            k += 2;
        }
        sum
    };
    arctan_of_inverse(5) * Wide::from(16) - arctan_of_inverse(239) * Wide::from(4)
}

impl From<i64> for Wide {
    fn from(n: i64) -> Wide {
        Wide {
            negative: n < 0,
            limbs: [0, 0, 0, n.unsigned_abs()],
        }
    }
}

impl Neg for Wide {
    type Output = Wide;
    fn neg(self) -> Wide {
        Wide {
            negative: !self.negative && self != Wide::ZERO,
            ..self
        }
    }
}

impl Add for Wide {
    type Output = Wide;
    fn add(self, other: Wide) -> Wide {
        if self.negative == other.negative {
            let limbs = Wide::sum(&self.limbs, &other.limbs);
            return Wide { limbs, ..self };
        }
        match Wide::compare(&self.limbs, &other.limbs) {
            Ordering::Less => Wide {
                negative: other.negative,
                limbs: Wide::difference(&other.limbs, &self.limbs),
            },
            Ordering::Equal => Wide::ZERO,
            Ordering::Greater => Wide {
                negative: self.negative,
                limbs: Wide::difference(&self.limbs, &other.limbs),
            },
        }
    }
}

impl Sub for Wide {
    type Output = Wide;
    fn sub(self, other: Wide) -> Wide {
        self + -other
    }
}

impl Mul for Wide {
    type Output = Wide;
    /// Rounded towards 0.
    fn mul(self, other: Wide) -> Wide {
        let mut product = [0u64; 8];
        for i in 0..4 {
            let mut carry = 0u128;
            for j in 0..4 {
                carry += u128::from(product[i + j]) + u128::from(self.limbs[i]) * u128::from(other.limbs[j]);
                product[i + j] = carry as u64;
                carry >>= 64;
            }
            product[i + 4] = carry as u64;
        }
        assert_eq!(product[7], 0, "overflow");
        let limbs = [product[3], product[4], product[5], product[6]];
        Wide {
            negative: self.negative != other.negative && limbs != [0; 4],
            limbs,
        }
    }
}

impl Div for Wide {
    type Output = Wide;
    #[allow(clippy::suspicious_arithmetic_impl)] // by the inverse
    fn div(self, other: Wide) -> Wide {
        self * other.inverse()
    }
}
