//! Decimals of any length, exact: what a JSON number says and nothing else.
use std::cmp::Ordering;

/// Which way a decimal is rounded to a multiple of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Towards −∞.
    Down,
    /// Towards +∞.
    Up,
    /// To the larger magnitude.
    Away,
}

/// ±digits · 10^exponent, most significant digit first, without leading zeros; no digits for zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

/// Beyond this no figure means money; it bounds the work a hostile file can cause.
const LONGEST: usize = 400;

impl Decimal {
    pub const fn zero() -> Decimal {
        Decimal {
            negative: false,
            digits: Vec::new(),
            exponent: 0,
        }
    }

    /// Reads a number as JSON writes it.
    pub fn parse(text: &str) -> Result<Decimal, String> {
        let bad = || format!("{text} is not a decimal number");
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().map_err(|_| bad())?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(bad());
        }
        if digits.len() > LONGEST || exponent.unsigned_abs() > LONGEST as u64 {
            return Err(format!("{text} is too long or too large to be an amount"));
        }
        let digits = digits.iter().map(|d| d - b'0').collect();
        Ok(Decimal::normal(negative, digits, exponent - fraction.len() as i64))
    }

    fn normal(negative: bool, mut digits: Vec<u8>, exponent: i64) -> Decimal {
        let zeros = digits.iter().take_while(|&&d| d == 0).count();
        digits.drain(..zeros);
        Decimal {
            negative: negative && !digits.is_empty(),
            digits,
            exponent,
        }
    }

    pub fn is_negative(&self) -> bool {
        self.negative
    }

    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    pub fn negated(&self) -> Decimal {
        Decimal::normal(!self.negative, self.digits.clone(), self.exponent)
    }

    pub fn times(&self, other: &Decimal) -> Decimal {
        let mut cells = vec![0u32; self.digits.len() + other.digits.len()];
        for (i, &a) in self.digits.iter().enumerate() {
            for (j, &b) in other.digits.iter().enumerate() {
                cells[i + j + 1] += u32::from(a) * u32::from(b);
            }
        }
        let negative = self.negative != other.negative;
        Decimal::normal(negative, carried(cells), self.exponent + other.exponent)
    }

    pub fn plus(&self, other: &Decimal) -> Decimal {
        let exponent = self.exponent.min(other.exponent);
        let (a, b) = (self.digits_at(exponent), other.digits_at(exponent));
        if self.negative == other.negative {
            let width = a.len().max(b.len()) + 1;
            let mut cells = vec![0u32; width];
            for digits in [&a, &b] {
                for (cell, &d) in cells[width - digits.len()..].iter_mut().zip(digits.iter()) {
                    *cell += u32::from(d);
                }
            }
            return Decimal::normal(self.negative, carried(cells), exponent);
        }
        match compare(&a, &b) {
            Ordering::Less => Decimal::normal(other.negative, subtract(&b, &a), exponent),
            _ => Decimal::normal(self.negative, subtract(&a, &b), exponent),
        }
    }

    /// The digits when the last one stands for 10^exponent; `exponent` is at most the own one.
    fn digits_at(&self, exponent: i64) -> Vec<u8> {
        let mut digits = self.digits.clone();
        if !digits.is_empty() {
            digits.resize(digits.len() + (self.exponent - exponent) as usize, 0);
        }
        digits
    }

    /// self·10^places as an integer. Fails when it does not fit.
    pub fn scaled(&self, places: i64, rounding: Rounding) -> Result<i128, String> {
        let shift = self.exponent + places;
        let (kept, rest) = if shift >= 0 {
            (self.digits_at(self.exponent - shift), false)
        } else {
            let cut = self.digits.len().saturating_sub(shift.unsigned_abs() as usize);
            let rest = self.digits[cut..].iter().any(|&d| d != 0);
            (self.digits[..cut].to_vec(), rest)
        };
        integer(self.negative, &kept, rest, rounding)
    }

    /// ⌊self / divisor · 10^places⌋ for divisor > 0. Fails when it does not fit.
    pub fn quotient_floor(&self, divisor: &Decimal, places: i64) -> Result<i128, String> {
        let exponent = divisor.exponent - places;
        let (low, raise) = (self.exponent.min(exponent), (exponent - self.exponent).max(0));
        let dividend = self.digits_at(low);
        let mut by = divisor.digits.clone();
        by.resize(by.len() + raise as usize, 0);
        let (mut quotient, mut rest) = (Vec::new(), Vec::new());
        for digit in dividend {
            if digit != 0 || !rest.is_empty() {
                rest.push(digit);
            }
            let mut times = 0;
            while compare(&rest, &by) != Ordering::Less {
                rest = subtract(&rest, &by);
                let zeros = rest.iter().take_while(|&&d| d == 0).count();
                rest.drain(..zeros);
                times += 1;
            }
            quotient.push(times);
        }
        integer(self.negative, &quotient, !rest.is_empty(), Rounding::Down)
    }
}

/// ±digits as an integer, one more where `rest` is left over and `rounding` asks for it.
fn integer(negative: bool, digits: &[u8], rest: bool, rounding: Rounding) -> Result<i128, String> {
    let away = match rounding {
        Rounding::Down => negative,
        Rounding::Up => !negative,
        Rounding::Away => true,
    };
    let magnitude = (digits.iter())
        .try_fold(0i128, |n, &d| n.checked_mul(10)?.checked_add(i128::from(d)))
        .and_then(|n| n.checked_add(i128::from(rest && away)))
        .ok_or("an amount is too large")?;
    Ok(if negative { -magnitude } else { magnitude })
}

fn carried(mut cells: Vec<u32>) -> Vec<u8> {
    let mut carry = 0;
    for cell in cells.iter_mut().rev() {
        let value = *cell + carry;
        (*cell, carry) = (value % 10, value / 10);
    }
    cells.iter().map(|&d| d as u8).collect()
}

/// Compares digits of the same unit.
fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |d: &[u8]| d.iter().take_while(|&&x| x == 0).count();
    let (a, b) = (&a[significant(a)..], &b[significant(b)..]);
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// a − b for a ≥ b.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let b = &b[b.len().saturating_sub(a.len())..]; // a longer b has leading zeros only
    let mut out = a.to_vec();
    let mut borrow = 0i8;
    for i in 0..out.len() {
        let place = out.len() - 1 - i;
        let take = if i < b.len() { b[b.len() - 1 - i] as i8 } else { 0 };
        let digit = out[place] as i8 - take - borrow;
        borrow = i8::from(digit < 0);
        out[place] = (digit + 10 * borrow) as u8;
    }
    out
}
