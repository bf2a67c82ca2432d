//! One index out of up to three sources.
use crate::guards::PPM;
use crate::scale::product_exceeds;
use crate::OracleError;

/// Most sources of an asset. The first is the primary.
pub const SOURCES: usize = 3;

/// A source whose price passed its guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Valid {
    /// 10⁻⁹ USD, above zero.
    pub price: i64,
    /// Half width of the confidence interval, 10⁻⁹ USD.
    pub confidence: i64,
    /// Unix seconds.
    pub publish_time: i64,
    /// Its share in the median. A source without one has no say and is passed over.
    pub weight: u16,
}

/// What an index is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexPolicy {
    /// Whether the primary will do when it alone is valid. No other source ever does.
    pub primary_alone: bool,
    /// Farthest that a source may be from the median, 10⁻⁶ of it.
    pub max_deviation_ppm: u32,
}

/// An asset's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// 10⁻⁹ USD, above zero.
    pub price: i64,
    /// Half width of its interval, 10⁻⁹ USD: the widest of the sources, and the farthest of them from the price.
    pub confidence: i64,
    /// Unix seconds: the newest of its sources.
    pub publish_time: i64,
    /// Bit i: source i was left out for its distance from the others.
    pub outliers: u8,
    /// The sources disagree and no two of them, with most of the weight, agree: all are in it.
    pub apart: bool,
    /// Sources in it.
    pub sources: u8,
}

/// The weighted median of the valid sources, in the order in which they are listed.
///
/// Two or more that lie within `max_deviation_ppm` of the median and hold more than half of the valid weight leave the others out. Else
/// nobody can tell who errs: all are kept and the index is [`Index::apart`]. The median is the lower one; where exactly half of the weight
/// lies below, the mean of the two in the middle, rounded down. The confidence is rounded up.
///
/// # Errors
/// [`OracleError::TooFewSources`] when none is valid, or one that may not stand alone.
pub fn combine(sources: &[Option<Valid>; SOURCES], policy: &IndexPolicy) -> Result<Index, OracleError> {
    let mut sorted = Sorted::new(sources);
    match (sorted.len, sorted.entries[0].0) {
        (0, _) => return Err(OracleError::TooFewSources),
        (1, source) if source != 0 || !policy.primary_alone => return Err(OracleError::TooFewSources),
        _ => {}
    }
    let median = sorted.median();
    let (outliers, within) = sorted.outliers(median, policy.max_deviation_ppm);
    if outliers == 0 {
        return Ok(sorted.index(median, 0, false));
    }
    let agreeing = sorted.len.saturating_sub(outliers.count_ones() as usize);
    if agreeing < 2 || within.saturating_mul(2) <= sorted.weight() {
        return Ok(sorted.index(median, 0, true));
    }
    sorted.leave_out(outliers);
    let median = sorted.median();
    Ok(sorted.index(median, outliers, false))
}

/// Whether an index may not be taken for its distance from the slow price.
///
/// What two or more sources agree on is never held up. A price that nobody corroborates may lie `max_ppm` (10⁻⁶ of the slow price) away,
/// and as much again for each minute since the board's last index, so that a market that really moved is followed in the end.
pub fn off_slow(index: &Index, slow: i64, seconds_since_last: u32, max_ppm: u32) -> bool {
    if (index.sources >= 2 && !index.apart) || slow <= 0 {
        return false;
    }
    const MINUTE: u64 = 60;
    let distance = u128::from(index.price.abs_diff(slow)).saturating_mul(u128::from(MINUTE));
    let per_minute = u128::from(slow.unsigned_abs()).saturating_mul(u128::from(max_ppm));
    product_exceeds(
        distance,
        PPM,
        per_minute,
        MINUTE.saturating_add(u64::from(seconds_since_last)),
    )
}

/// Sources by price, each with its number in the list.
struct Sorted {
    entries: [(u8, Valid); SOURCES],
    len: usize,
}

impl Sorted {
    fn new(sources: &[Option<Valid>; SOURCES]) -> Sorted {
        const NONE: Valid = Valid {
            price: 0,
            confidence: 0,
            publish_time: 0,
            weight: 0,
        };
        let mut sorted = Sorted {
            entries: [(0, NONE); SOURCES],
            len: 0,
        };
        for (number, source) in (0u8..).zip(sources) {
            if let Some(valid) = source.filter(|valid| valid.weight > 0 && valid.price > 0) {
                sorted.insert(number, valid);
            }
        }
        sorted
    }

    /// Behind those that are not dearer.
    fn insert(&mut self, number: u8, valid: Valid) {
        let mut at = self.len.min(SOURCES - 1);
        self.entries[at] = (number, valid);
        self.len = at.saturating_add(1);
        while at > 0 && self.entries[at.saturating_sub(1)].1.price > valid.price {
            self.entries.swap(at.saturating_sub(1), at);
            at = at.saturating_sub(1);
        }
    }

    fn kept(&self) -> &[(u8, Valid)] {
        self.entries.get(..self.len).unwrap_or(&[])
    }

    fn weight(&self) -> u32 {
        self.kept()
            .iter()
            .fold(0, |sum, (_, valid)| sum.saturating_add(u32::from(valid.weight)))
    }

    fn median(&self) -> i64 {
        let total = self.weight();
        let mut below = 0u32;
        let mut entries = self.kept().iter();
        while let Some((_, valid)) = entries.next() {
            below = below.saturating_add(u32::from(valid.weight));
            match below.saturating_mul(2).cmp(&total) {
                core::cmp::Ordering::Less => {}
                core::cmp::Ordering::Greater => return valid.price,
                core::cmp::Ordering::Equal => {
                    let next = entries.as_slice().first().map_or(valid.price, |(_, next)| next.price);
                    let gap = next.saturating_sub(valid.price); // sorted, so not negative
                    return valid.price.saturating_add(gap / 2);
                }
            }
        }
        0 // there is a source
    }

    /// The sources farther from the median than the limit, and the weight of the others.
    fn outliers(&self, median: i64, max_ppm: u32) -> (u8, u32) {
        let (mut mask, mut within) = (0u8, 0u32);
        for (number, valid) in self.kept() {
            let distance = u128::from(valid.price.abs_diff(median));
            if product_exceeds(distance, PPM, u128::from(median.unsigned_abs()), u64::from(max_ppm)) {
                mask |= 1u8.wrapping_shl(u32::from(*number));
            } else {
                within = within.saturating_add(u32::from(valid.weight));
            }
        }
        (mask, within)
    }

    fn leave_out(&mut self, outliers: u8) {
        let all = core::mem::replace(
            self,
            Sorted {
                entries: self.entries,
                len: 0,
            },
        );
        for (number, valid) in all.kept() {
            if outliers & 1u8.wrapping_shl(u32::from(*number)) == 0 {
                self.insert(*number, *valid);
            }
        }
    }

    fn index(&self, price: i64, outliers: u8, apart: bool) -> Index {
        let (mut widest, mut spread, mut publish_time) = (0i64, 0u64, 0i64);
        for (_, valid) in self.kept() {
            widest = widest.max(valid.confidence);
            spread = spread.max(valid.price.abs_diff(price));
            publish_time = publish_time.max(valid.publish_time);
        }
        Index {
            price,
            confidence: widest.saturating_add(i64::try_from(spread).unwrap_or(i64::MAX)),
            publish_time,
            outliers,
            apart,
            sources: self.len as u8, // at most SOURCES
        }
    }
}
