//! Sources that err: one update in a hundred each is late, wrong by a tenth, or missing.
use ballast_tests::random::Random;

/// What becomes of one update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It says the price of now.
    None,
    /// It says what the price was so many seconds ago, as of then.
    Late(i64),
    /// It is wrong by so many per cent.
    Wrong(i64),
    /// It does not come: the account says what it said before.
    Missing,
}

impl Fault {
    /// The next one.
    pub fn next(random: &mut Random) -> Fault {
        match random.below(100) {
            0 => Fault::Late(random.range(5, 120)),
            1 => Fault::Wrong(if random.chance(50) { 10 } else { -10 }),
            2 => Fault::Missing,
            _ => Fault::None,
        }
    }
}

/// What a source's account says, and what by the rules of docs/oracles.md the board has taken of it: by a model of its own in floats.
#[derive(Clone, Copy, Debug, Default)]
pub struct Model {
    /// What the account says: price in dollars and publish time.
    pub posted: (f64, i64),
    /// What was taken last.
    taken: (f64, i64),
    /// Refusals for age.
    pub too_old: u32,
    /// Refusals for the step.
    pub too_fast: u32,
    /// Farthest step, parts a second.
    max_step: f64,
}

/// A minute.
const MAX_AGE: i64 = 60;
/// A quarter of a percent a second; less for a source by itself.
const MAX_STEP: f64 = 0.0025;
const LONE_STEP: f64 = 0.0015;

impl Model {
    /// One of so many sources, of which this was taken.
    pub fn new(count: usize, price: f64, time: i64) -> Model {
        Model {
            max_step: if count == 1 { LONE_STEP } else { MAX_STEP },
            posted: (price, time),
            taken: (price, time),
            ..Model::default()
        }
    }

    /// Whether nothing was taken of it for over a minute.
    pub fn is_silent(&self, now: i64) -> bool {
        now - self.taken.1 > MAX_AGE
    }

    /// The account is passed to the board at `now`.
    pub fn pass(&mut self, now: i64) {
        let ((price, time), (last, last_time)) = (self.posted, self.taken);
        if now - time > MAX_AGE {
            self.too_old += 1;
        } else if time >= last_time {
            let seconds = (time - last_time).max(1) as f64;
            if (price - last).abs() > last * self.max_step * seconds {
                self.too_fast += 1;
            } else if time > last_time {
                self.taken = self.posted;
            }
        }
    }
}
