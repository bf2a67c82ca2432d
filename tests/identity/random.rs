//! SplitMix64: the same numbers for a seed on every machine.

/// A stream of numbers.
pub struct Random(u64);

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// low..=high.
    pub fn range(&mut self, low: i64, high: i64) -> i64 {
        low + (self.bits() % (high - low + 1) as u64) as i64
    }

    /// An index below `len`.
    pub fn index(&mut self, len: usize) -> usize {
        (self.bits() % len as u64) as usize
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: i64) -> bool {
        self.range(0, 99) < percent
    }

    /// 1 or −1.
    pub fn sign(&mut self) -> i64 {
        self.pick(&[1, -1])
    }

    /// Any size from 1 to 10^digits, all orders of magnitude alike.
    pub fn magnitude(&mut self, digits: u32) -> i64 {
        let top = 10i64.pow(self.range(1, i64::from(digits)) as u32);
        self.range(1, top)
    }
}
