//! The calling convention: arguments and results of all shapes, through pointers that the optimiser cannot see
//! through, and what std builds on them.

use std::hint::black_box;

use super::{flagged, Case, Outcome};

pub const CASES: &[Case] = &[
    ("eight arguments of mixed widths", |a, b| {
        type Mixed = fn(u8, u16, u32, u64, u128, i128, bool, &str) -> (u128, i128, bool);
        let (x, y) = (a as u64, b as u64);
        let text = &"abcdefgh"[..x as usize % 9];
        let call = black_box(mixed as Mixed);
        let (first, second, third) = call(x as u8, y as u16, x as u32, y, a, b as i128, x & 4 == 0, text);
        (first ^ second as u128, u64::from(third))
    }),
    ("an optional result", |a, b| {
        let call = black_box(sum_if_even as fn(u128, u128, u8) -> Option<u128>);
        flagged(call(a, b, a as u8))
    }),
    ("nine signed arguments", |a, b| {
        type Signed = fn(i8, i16, i32, i64, i8, i16, i32, i64, bool) -> i64;
        let (x, y) = (a as i64, b as i64);
        let call = black_box(signed as Signed);
        let sum = call(
            x as i8,
            y as i16,
            x as i32,
            y,
            (x >> 8) as i8,
            (y >> 8) as i16,
            (y >> 9) as i32,
            x,
            x > y,
        );
        (sum as u128, 0)
    }),
    ("a result with a string as error", |a, b| {
        let call = black_box(sum_or_name as fn(&[u8], &str, usize) -> Result<(u64, u8), String>);
        match call(&a.to_le_bytes(), "key", b as u64 as usize % 1000) {
            Ok((sum, byte)) => (u128::from(sum), u64::from(byte)),
            Err(name) => (name.len() as u128, name.bytes().map(u64::from).sum()),
        }
    }),
    ("structs by value", structs_by_value),
    ("small aggregates", small_aggregates),
    ("a method by reference through a trait object", |a, b| {
        let mut seen = 7;
        let (value, word) = shape(a, b).area(a, b as i128, b as u64, a as u8, &mut seen);
        (value, word ^ seen)
    }),
    ("a 128-bit result through a trait object", |a, b| (shape(a, b).id(), 0)),
    ("a boxed receiver through a trait object", |a, b| {
        match shape(a, b).consume(b as u64) {
            Ok(value) => (value, 0),
            Err(word) => (u128::from(word), 1),
        }
    }),
    ("a table of functions and closures", |a, b| {
        let (name, function) = black_box(&TABLE)[a as u64 as usize % TABLE.len()];
        let result = function(a, b, b as u8);
        (result.unwrap_or(5), name.len() as u64 ^ u64::from(result.is_some()))
    }),
    ("a boxed closure that captures", |a, b| {
        type Closure = Box<dyn Fn(u128, i128, u64, u8) -> (i128, u64)>;
        let k = black_box(a as u64 % 7);
        let closure: Closure = Box::new(move |x, y, z, w| {
            (
                (x as i128).wrapping_add(y).wrapping_mul(i128::from(k)),
                z ^ u64::from(w) ^ k,
            )
        });
        let (value, word) = black_box(closure)(a, b as i128, a as u64, b as u8);
        (value as u128, word)
    }),
    ("sorting, formatting and parsing", sort_format_parse),
];

#[allow(clippy::too_many_arguments)] // more than there are registers, on purpose
fn mixed(a: u8, b: u16, c: u32, d: u64, e: u128, f: i128, g: bool, h: &str) -> (u128, i128, bool) {
    let packed = u128::from(a) << 100 ^ u128::from(b) << 70 ^ u128::from(c) << 30 ^ u128::from(d) ^ e;
    (packed, f.wrapping_sub(h.len() as i128), g ^ (a > 100))
}

fn sum_if_even(a: u128, b: u128, c: u8) -> Option<u128> {
    if c & 1 == 0 {
        a.checked_add(b)
    } else {
        None
    }
}

#[allow(clippy::too_many_arguments)] // more than there are registers, on purpose
fn signed(a: i8, b: i16, c: i32, d: i64, e: i8, f: i16, g: i32, h: i64, i: bool) -> i64 {
    let narrow = i64::from(a) * 3 + i64::from(b) * 5 + i64::from(c) * 7 + i64::from(e) * 13 + i64::from(f) * 17;
    let wide = d.wrapping_mul(11).wrapping_add(h.wrapping_mul(23));
    narrow
        .wrapping_add(wide)
        .wrapping_add(i64::from(g) * 19)
        .wrapping_add(i64::from(i))
}

fn sum_or_name(bytes: &[u8], key: &str, n: usize) -> Result<(u64, u8), String> {
    if n.is_multiple_of(3) {
        return Err(format!("{key}{n}"));
    }
    Ok((bytes.iter().map(|x| u64::from(*x)).sum(), bytes[n % bytes.len()]))
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Large {
    a: u64,
    b: u128,
    c: [u32; 5],
    d: u8,
}

fn combine(x: Large, y: Large, z: &Large) -> Large {
    Large {
        a: x.a ^ y.a,
        b: x.b.wrapping_mul(z.b),
        c: y.c,
        d: x.d.wrapping_add(z.d),
    }
}

fn structs_by_value(a: u128, b: u128) -> Outcome {
    let (p, q) = (a as u64, b as u64);
    let x = Large {
        a: p,
        b,
        c: [p as u32, 2, 3, q as u32, 5],
        d: q as u8,
    };
    let y = Large {
        a: q,
        b: a,
        c: [9, p as u32, q as u32, 1, 0],
        d: 3,
    };
    let result = black_box(combine as fn(Large, Large, &Large) -> Large)(x, y, &y);
    let sum: u64 = result.c.iter().map(|x| u64::from(*x)).sum();
    (result.b, result.a ^ sum ^ u64::from(result.d))
}

fn fold(a: [u64; 2], b: (u32, u64), c: Option<u64>, d: &[u64], e: char) -> [u64; 2] {
    [a[0] ^ b.1 ^ d[0], a[1] ^ u64::from(b.0) ^ c.unwrap_or(9) ^ u64::from(e)]
}

fn small_aggregates(a: u128, b: u128) -> Outcome {
    type Fold = fn([u64; 2], (u32, u64), Option<u64>, &[u64], char) -> [u64; 2];
    let (x, y) = (a as u64, b as u64);
    let optional = (x & 1 == 0).then_some(y);
    let letter = if y & 1 == 0 { 'x' } else { '\u{1F600}' };
    let result = black_box(fold as Fold)([x, y], (x as u32, y), optional, &[x, 5], letter);
    (u128::from(result[0]), result[1])
}

type Function = fn(u128, u128, u8) -> Option<u128>;

static TABLE: [(&str, Function); 3] = [
    ("sum", sum_if_even),
    ("difference", |a, b, _| a.checked_sub(b)),
    ("xor", |a, b, c| Some(a ^ b ^ u128::from(c))),
];

trait Shape {
    fn area(&self, a: u128, b: i128, c: u64, d: u8, seen: &mut u64) -> (u128, u64);
    fn id(&self) -> u128;
    fn consume(self: Box<Self>, x: u64) -> Result<u128, u64>;
}

struct Point(u128);

struct Polygon {
    key: u64,
    sides: Vec<u128>,
}

impl Shape for Point {
    fn area(&self, a: u128, b: i128, c: u64, d: u8, seen: &mut u64) -> (u128, u64) {
        *seen ^= c;
        (a ^ self.0 ^ b as u128, c.wrapping_add(u64::from(d)))
    }
    fn id(&self) -> u128 {
        self.0 << 3
    }
    fn consume(self: Box<Self>, x: u64) -> Result<u128, u64> {
        if x & 1 == 0 {
            Ok(self.0)
        } else {
            Err(x)
        }
    }
}

impl Shape for Polygon {
    fn area(&self, a: u128, b: i128, c: u64, d: u8, seen: &mut u64) -> (u128, u64) {
        *seen = self.key;
        (
            a.wrapping_mul(self.sides[usize::from(d) % self.sides.len()]),
            (b >> 64) as u64 ^ c,
        )
    }
    fn id(&self) -> u128 {
        self.sides.iter().fold(0, |x, y| x ^ y)
    }
    fn consume(self: Box<Self>, x: u64) -> Result<u128, u64> {
        self.sides.get(x as usize % 5).copied().ok_or(x)
    }
}

fn shape(a: u128, b: u128) -> Box<dyn Shape> {
    let shape: Box<dyn Shape> = if a & 1 == 0 {
        Box::new(Point(b))
    } else {
        Box::new(Polygon {
            key: b as u64,
            sides: vec![a, b, a ^ b],
        })
    };
    black_box(shape)
}

fn sort_format_parse(a: u128, b: u128) -> Outcome {
    let (x, y) = (a as u64, b as u64);
    let mut wide = [a, b, a ^ b, a.wrapping_add(b), a >> 7, b >> 9];
    wide.sort_unstable_by(|p, q| q.cmp(p));
    // Of a length that is known: for any length, std's stable sort wants a buffer larger than a stack frame.
    let mut words = [x, y, x ^ y, 3, 9, x >> 3, y >> 5, 77];
    words.sort();
    let text = format!("{a}-{b:x}-{x:?}-{:>12}-{:+}", y as i16, b as i128);
    let parsed = text.split('-').next().and_then(|digits| digits.parse::<u128>().ok());
    let hash = text.bytes().fold(0u64, |h, c| h.wrapping_mul(31) ^ u64::from(c));
    (wide[1] ^ wide[4] ^ parsed.unwrap_or(1), words[2] ^ words[5] ^ hash)
}
