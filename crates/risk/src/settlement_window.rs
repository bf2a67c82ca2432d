//! The settlement price of an expiry: the mean of index prints over its last half hour (margin.md section 5).
//!
//! The half hour is 60 buckets of 30 seconds, each counted by the latest print accepted in it; one without a print is left out. With fewer
//! than 40 of them filled at the expiry, the window goes on bucket by bucket until the 40th has closed, for a day at most. What has closed
//! is a sum and a number, so the average takes five words however long the window is.
use ballast_fixed::{div_ceil, div_floor, Checked, Price, Ratio};

/// Length of a bucket, seconds.
pub const BUCKET_SECONDS: i64 = 30;
/// Buckets before the expiry.
pub const BUCKETS: u16 = 60;
/// Buckets that need a print.
pub const LEAST_FILLED: u16 = 40;
/// Length of the window before the expiry, seconds.
pub const WINDOW_SECONDS: i64 = BUCKET_SECONDS * BUCKETS as i64;
/// How long after the expiry prints still count, seconds. From then on, without a price, governance has to set one.
pub const LONGEST_EXTENSION: i64 = 86_400;
/// The last bucket of the longest extension.
const LAST_BUCKET: u16 = BUCKETS + (LONGEST_EXTENSION / BUCKET_SECONDS) as u16;
/// Largest print that counts: 60 of them fit the sum. 307 million dollars a unit.
const LARGEST_PRINT: i64 = (u64::MAX / BUCKETS as u64) as i64;

/// The running average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettlementAverage {
    /// Σ of the closed buckets' prints, 10⁻⁹ USD.
    pub sum: u64,
    /// The latest print of the open bucket, 10⁻⁹ USD; 0 where it has none.
    pub print: i64,
    /// The settlement price, 10⁻⁹ USD; 0 until it stands.
    pub price: i64,
    /// Number of the open bucket, from 1 on; 0 before the window. The first second of bucket 61 is that of the expiry. Once the price
    /// stands, the first one that does not count.
    pub bucket: u16,
    /// Closed buckets that had a print.
    pub filled: u16,
}

/// The bucket that a time falls in; 0 before the window, and one past the last of the longest extension after it.
fn bucket_at(expiry: i64, time: i64) -> u16 {
    let since = time.saturating_sub(expiry.saturating_sub(WINDOW_SECONDS));
    if since < 0 {
        return 0;
    }
    let number = (since / BUCKET_SECONDS).saturating_add(1);
    u16::try_from(number).map_or(LAST_BUCKET + 1, |n| n.min(LAST_BUCKET + 1))
}

impl SettlementAverage {
    /// The average as it stands at `now`: the buckets that are over are closed, and with the last one that was needed the price stands,
    /// rounded down. However often it is asked in between, the outcome is the same.
    #[must_use]
    pub fn at(&self, expiry: i64, now: i64) -> SettlementAverage {
        let bucket = bucket_at(expiry, now);
        let mut average = *self;
        if average.price != 0 || bucket <= average.bucket {
            return average;
        }
        average.bucket = bucket;
        if average.print > 0 {
            // At most 60 prints of at most a 60th of the largest sum.
            average.sum = average.sum.wrapping_add(average.print.unsigned_abs());
            average.filled = average.filled.saturating_add(1);
            average.print = 0;
        }
        if bucket > BUCKETS && average.filled >= LEAST_FILLED {
            let mean = average.sum.checked_div(u64::from(average.filled)).unwrap_or(0);
            average.price = mean as i64; // no more than the largest print
                                         // The bucket after the one that closed it, whenever that is noticed.
            average.bucket = self.bucket.saturating_add(1).max(BUCKETS + 1);
        }
        average
    }

    /// Takes in a print that was published at `publish_time` and is accepted at `now`, in the order of their publication.
    ///
    /// It counts for the bucket in which it was published, and only if it is accepted within the same one: nobody chooses with hindsight
    /// what a bucket shows. One that the sum has no room for counts as none.
    pub fn observe(&mut self, expiry: i64, print: Price, publish_time: i64, now: i64) {
        *self = self.at(expiry, now);
        let counts = self.price == 0 && (1..=LAST_BUCKET).contains(&self.bucket);
        if counts && bucket_at(expiry, publish_time) == self.bucket && (1..=LARGEST_PRINT).contains(&print.0) {
            self.print = print.0;
        }
    }

    /// The settlement price, once it stands.
    pub fn settled(&self) -> Option<Price> {
        (self.price != 0).then_some(Price(self.price))
    }

    /// What the sum is divided by if every bucket that is left before the expiry is filled: at least 40.
    fn divisor(&self) -> u16 {
        let closed = self.bucket.saturating_sub(1).min(BUCKETS);
        let left = BUCKETS.saturating_sub(closed);
        self.filled.saturating_add(left).max(LEAST_FILLED)
    }

    /// Whether the window is over, the longest extension included. What it has collected decides nothing any more.
    fn is_over(&self) -> bool {
        self.bucket > LAST_BUCKET
    }

    /// f: the part of the average that is fixed, rounded down; 0 before the window, 1 once the price stands, and 0 again where none came of
    /// the average: then everything is open.
    pub fn fixed(&self) -> Ratio {
        if self.price != 0 {
            return Ratio::ONE;
        }
        if self.is_over() {
            return Ratio::ZERO;
        }
        let part = i64::from(self.filled).saturating_mul(Ratio::SCALE); // at most 60 · 10⁹
        Ratio(part.checked_div(i64::from(self.divisor())).unwrap_or(0))
    }

    /// f · mean + (1 − f) · `open`: the forward, where `open` is what is to be expected of the prints to come; the settlement price once it
    /// stands, and `open` where none came of the average. Rounded down.
    ///
    /// # Errors
    /// [`ballast_fixed::Overflow`] for a negative price past the range.
    pub fn forward(&self, open: Price) -> Checked<Price> {
        if self.price != 0 {
            return Ok(Price(self.price));
        }
        if self.filled == 0 || self.is_over() {
            return Ok(open);
        }
        let divisor = self.divisor();
        let expected = i128::from(self.sum).wrapping_add(self.expected(divisor, open));
        let forward = div_floor(expected, i128::from(divisor))?;
        i64::try_from(forward).map(Price).map_err(|_| ballast_fixed::Overflow)
    }

    /// (1 − f) · `open` as a part of the forward: how far the forward moves with the index, 1 where nothing is fixed and 0 once the price
    /// stands. Rounded up. Prices from 0 on.
    ///
    /// # Errors
    /// [`ballast_fixed::Overflow`] for a negative price.
    pub fn moving(&self, open: Price) -> Checked<Ratio> {
        if self.price != 0 {
            return Ok(Ratio::ZERO);
        }
        if self.filled == 0 || self.is_over() {
            return Ok(Ratio::ONE);
        }
        let moving = self.expected(self.divisor(), open);
        let whole = i128::from(self.sum).wrapping_add(moving);
        // 60 prices of 63 bits times a billion: below 2⁹⁹. A part of the whole: at most a billion.
        let part = div_ceil(moving.wrapping_mul(i128::from(Ratio::SCALE)), whole)?;
        i64::try_from(part).map(Ratio).map_err(|_| ballast_fixed::Overflow)
    }

    /// Σ of the prints to come if each is `open`: at most 60 prices of 63 bits.
    fn expected(&self, divisor: u16, open: Price) -> i128 {
        let rest = divisor.saturating_sub(self.filled);
        i128::from(rest).wrapping_mul(i128::from(open.0))
    }

    /// Whether the window is over at `now`, the longest extension included, and no price came of it.
    pub fn has_failed(&self, expiry: i64, now: i64) -> bool {
        let average = self.at(expiry, now);
        average.price == 0 && average.is_over()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRY: i64 = 1_800_000_000;
    const START: i64 = EXPIRY - 1_800;
    const USD: i64 = 1_000_000_000;

    /// Fills buckets with one print each, ten seconds into them.
    fn fill(average: &mut SettlementAverage, buckets: core::ops::RangeInclusive<i64>, dollars: i64) {
        for bucket in buckets {
            let time = START + (bucket - 1) * 30 + 10;
            average.observe(EXPIRY, Price(dollars * USD), time, time);
        }
    }

    #[test]
    fn buckets_are_half_minutes_before_the_expiry() {
        let cases = [
            (START - 1, 0),
            (START, 1),
            (START + 29, 1),
            (START + 30, 2),
            (EXPIRY - 1, 60),
            (EXPIRY, 61),
            (EXPIRY + 86_399, 2_940),
            (EXPIRY + 86_400, 2_941),
            (i64::MAX, 2_941),
            (i64::MIN, 0),
        ];
        for (time, bucket) in cases {
            assert_eq!(bucket_at(EXPIRY, time), bucket, "{}", time.saturating_sub(EXPIRY));
        }
    }

    /// 30 buckets at 100 and 30 at 101 dollars: 100.5.
    #[test]
    fn the_price_is_the_mean_of_sixty() {
        let mut average = SettlementAverage::default();
        fill(&mut average, 1..=30, 100);
        fill(&mut average, 31..=60, 101);
        assert_eq!(average.at(EXPIRY, EXPIRY - 1).settled(), None, "a second too early");
        assert_eq!(average.at(EXPIRY, EXPIRY).settled(), Some(Price(100_500_000_000)));
        assert_eq!(average.at(EXPIRY, EXPIRY).fixed(), Ratio::ONE);
        // What comes after the expiry changes nothing.
        average.observe(EXPIRY, Price(USD), EXPIRY, EXPIRY);
        assert_eq!(
            average.at(EXPIRY, EXPIRY + 90_000).settled(),
            Some(Price(100_500_000_000))
        );
    }

    /// 20 buckets at 90, 21 at 99: (1,800 + 2,079)/41 = 94.609756097560…, rounded down.
    #[test]
    fn empty_buckets_are_left_out_and_the_mean_rounds_down() {
        let mut average = SettlementAverage::default();
        fill(&mut average, 2..=21, 90);
        fill(&mut average, 31..=51, 99);
        let price = average.at(EXPIRY, EXPIRY).settled();
        assert_eq!(price, Some(Price(94_609_756_097)));
    }

    #[test]
    fn the_latest_print_of_a_bucket_counts() {
        let mut average = SettlementAverage::default();
        for (second, dollars) in [(0, 5), (12, 7), (29, 6)] {
            average.observe(EXPIRY, Price(dollars * USD), START + second, START + second);
        }
        let closed = average.at(EXPIRY, START + 30);
        assert_eq!((closed.sum, closed.filled, closed.print), (6 * USD as u64, 1, 0));
    }

    #[test]
    fn a_print_that_comes_a_bucket_later_counts_for_none() {
        let mut average = SettlementAverage::default();
        average.observe(EXPIRY, Price(5 * USD), START + 29, START + 30);
        average.observe(EXPIRY, Price(5 * USD), START - 1, START);
        assert_eq!(average.at(EXPIRY, START + 60).filled, 0);
        average.observe(EXPIRY, Price(5 * USD), START + 89, START + 89);
        assert_eq!(average.at(EXPIRY, START + 90).filled, 1);
        // The last second before the expiry is bucket 60, accepted a second later it is too late.
        average.observe(EXPIRY, Price(5 * USD), EXPIRY - 1, EXPIRY);
        assert_eq!(average.at(EXPIRY, EXPIRY + 30).filled, 1);
    }

    /// 38 filled at the expiry: the window goes on for two more buckets with a print, the 61st and the 64th.
    #[test]
    fn too_few_prints_extend_the_window() {
        let mut average = SettlementAverage::default();
        fill(&mut average, 1..=38, 100);
        assert_eq!(average.at(EXPIRY, EXPIRY).settled(), None);
        // 38 of 40: 0.95. F = (38·100 + 2·120)/40 = 101.
        assert_eq!(average.at(EXPIRY, EXPIRY).fixed(), Ratio(950_000_000));
        assert_eq!(
            average.at(EXPIRY, EXPIRY).forward(Price(120 * USD)),
            Ok(Price(101 * USD))
        );
        fill(&mut average, 61..=61, 140);
        fill(&mut average, 64..=64, 180);
        assert_eq!(average.at(EXPIRY, EXPIRY + 119).settled(), None, "the 64th is open");
        // (3,800 + 140 + 180)/40 = 103.
        assert_eq!(average.at(EXPIRY, EXPIRY + 120).settled(), Some(Price(103 * USD)));
        fill(&mut average, 65..=70, 1);
        assert_eq!(average.settled(), Some(Price(103 * USD)));
    }

    #[test]
    fn an_extension_lasts_a_day() {
        let mut average = SettlementAverage::default();
        fill(&mut average, 1..=39, 100);
        assert!(!average.has_failed(EXPIRY, EXPIRY + 86_399));
        assert!(average.has_failed(EXPIRY, EXPIRY + 86_400));
        let mut late = average;
        late.observe(EXPIRY, Price(USD), EXPIRY + 86_400, EXPIRY + 86_400);
        assert_eq!(late.at(EXPIRY, i64::MAX).settled(), None, "no print counts after it");
        // 39 of 40 are fixed to the last second, and then nothing is: any price may be set.
        let open = Price(140 * USD);
        let last = average.at(EXPIRY, EXPIRY + 86_399);
        assert_eq!(
            (last.fixed(), last.forward(open)),
            (Ratio(975_000_000), Ok(Price(101 * USD)))
        );
        for over in [average.at(EXPIRY, EXPIRY + 86_400), late] {
            assert_eq!((over.fixed(), over.forward(open)), (Ratio::ZERO, Ok(open)));
            assert_eq!(over.moving(open), Ok(Ratio::ONE));
        }
        // The last bucket of the day still does.
        average.observe(EXPIRY, Price(140 * USD), EXPIRY + 86_399, EXPIRY + 86_399);
        assert!(!average.has_failed(EXPIRY, EXPIRY + 86_400));
        assert_eq!(
            average.at(EXPIRY, EXPIRY + 86_400).settled(),
            Some(Price(101 * USD)),
            "(39·100 + 140)/40"
        );
    }

    /// Every bucket filled: after 15 of them a quarter is fixed. F = ¼·100 + ¾·104 = 103.
    #[test]
    fn the_fixed_part_grows_with_the_window() {
        let mut average = SettlementAverage::default();
        assert_eq!(average.at(EXPIRY, START - 1).fixed(), Ratio::ZERO);
        assert_eq!(average.forward(Price(104 * USD)), Ok(Price(104 * USD)));
        fill(&mut average, 1..=15, 100);
        let quarter = average.at(EXPIRY, START + 450);
        assert_eq!(quarter.fixed(), Ratio(250_000_000));
        assert_eq!(quarter.forward(Price(104 * USD)), Ok(Price(103 * USD)));
        // The open bucket's own print is not fixed yet.
        assert_eq!(average.at(EXPIRY, START + 449).fixed().0, 14_000_000_000 / 60);
        // Nothing until the 31st: 30 are left, the divisor is 45. 15/45, and (15·100 + 30·104)/45 = 102.666…
        let late = average.at(EXPIRY, START + 900);
        assert_eq!(late.fixed(), Ratio(333_333_333));
        assert_eq!(late.forward(Price(104 * USD)), Ok(Price(102_666_666_666)));
        // With 20 left it would be 35, under the 40 that are needed.
        assert_eq!(average.at(EXPIRY, START + 1_200).fixed(), Ratio(375_000_000));
    }

    /// Half of the average fixed at 100 and the index at 110: ½·110 of ½·100 + ½·110 = 105 move, 55/105; at 90 it is 45/95.
    #[test]
    fn what_moves_is_the_open_half_at_the_index() {
        let mut average = SettlementAverage::default();
        assert_eq!(average.moving(Price(110 * USD)), Ok(Ratio::ONE));
        fill(&mut average, 1..=30, 100);
        let half = average.at(EXPIRY, START + 900);
        assert_eq!(half.moving(Price(100 * USD)), Ok(Ratio(500_000_000)));
        assert_eq!(half.moving(Price(110 * USD)), Ok(Ratio(523_809_524)));
        assert_eq!(half.moving(Price(90 * USD)), Ok(Ratio(473_684_211)));
        // However far the index runs away, the forward moves by no more than all of itself: 9,223,372,036.9 of 9,223,372,136.9.
        assert_eq!(half.moving(Price(i64::MAX)), Ok(Ratio(999_999_990)));
        assert_eq!(half.moving(Price(0)), Ok(Ratio::ZERO));
        fill(&mut average, 31..=60, 100);
        assert_eq!(average.at(EXPIRY, EXPIRY).moving(Price(USD)), Ok(Ratio::ZERO));
    }

    #[test]
    fn a_print_without_room_counts_as_none() {
        let mut average = SettlementAverage::default();
        average.observe(EXPIRY, Price(LARGEST_PRINT + 1), START, START);
        assert_eq!(average.print, 0);
        for bucket in 0..60 {
            let time = START + bucket * 30;
            average.observe(EXPIRY, Price(LARGEST_PRINT), time, time);
            let forward = average.at(EXPIRY, time + 30).forward(Price(i64::MAX));
            assert!(forward.unwrap() >= Price(LARGEST_PRINT));
        }
        assert_eq!(average.at(EXPIRY, EXPIRY).settled(), Some(Price(LARGEST_PRINT)));
    }
}
