//! Choices out of a string of bytes. After its end every choice is the first one, so that short inputs are small cases.

/// A reader of choices.
pub struct Bytes<'a> {
    data: &'a [u8],
}

impl<'a> Bytes<'a> {
    /// Of these bytes.
    pub fn new(data: &'a [u8]) -> Bytes<'a> {
        Bytes { data }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The next byte; 0 after the end.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.data.split_first() else {
            return 0;
        };
        self.data = rest;
        *first
    }

    /// A number of 64 bits.
    pub fn bits(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// True for odd bytes.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// True in about `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u8) -> bool {
        // The end of the data says no.
        self.byte() >= 255 - (u16::from(percent) * 255 / 100) as u8
    }

    /// Within these bounds, both included; reads no more bytes than it needs.
    pub fn range(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low);
        let mut bits = 0u64;
        let mut known = 0u64;
        while known < span {
            bits = bits << 8 | u64::from(self.byte());
            known = known << 8 | 0xff;
        }
        let offset = match span.checked_add(1) {
            Some(count) => bits % count,
            None => bits,
        };
        low.wrapping_add(offset as i64)
    }

    /// A place among `count`.
    pub fn index(&mut self, count: usize) -> usize {
        self.range(0, count as i64 - 1) as usize
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.index(among.len())]
    }

    /// A number of one to `digits` digits, each length as likely as another.
    pub fn magnitude(&mut self, digits: u32) -> i64 {
        let length = self.range(0, i64::from(digits) - 1) as u32;
        let base = 10i64.pow(length);
        self.range(base, base.saturating_mul(10) - 1)
    }
}
