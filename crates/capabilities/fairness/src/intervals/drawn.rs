//! What the draws of one statistic say: its variance, and the percentiles that it lies between.

/// How many values the ends of the tails are guessed from.
const GUESSED: usize = 256;

/// The variance of a bootstrapped statistic, and its percentile interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// Of the draws, with one degree of freedom less than there are draws.
    pub variance: f64,
    /// The percentile that so many draws lie below as the confidence leaves for one side.
    pub lower: f64,
    /// The one that as many lie above.
    pub upper: f64,
}

impl Drawn {
    /// Of so many draws, whose values are given some at a time; what is not finite is undefined. `None` if fewer than nine in ten
    /// are defined, or fewer than two. Percentiles lie between two values as far as the numbers of both say (R's type 7).
    pub fn of<'a>(
        values: impl Iterator<Item = &'a [f64]> + Clone,
        draws: usize,
        confidence: f64,
    ) -> Option<Self> {
        let mut summary = Summary::new(values.clone(), confidence)?;
        values.clone().for_each(|some| summary.add(some));
        summary.drawn(values, draws)
    }
}

/// What is made of the values of one statistic, in one go over them; several can be made side by side.
pub(crate) struct Summary {
    confidence: f64,
    moments: Moments,
    least: Tail,
    greatest: Tail,
}

impl Summary {
    /// Before any value is added: some are looked at, to guess where the tails end. `None` where none is defined.
    pub(crate) fn new<'a>(
        values: impl Iterator<Item = &'a [f64]>,
        confidence: f64,
    ) -> Option<Self> {
        let mut some: Vec<f64> = defined(values).take(GUESSED).collect();
        some.sort_unstable_by(f64::total_cmp);
        Some(Self {
            confidence,
            moments: Moments::around(*some.get(some.len() / 2)?),
            least: Tail::below(&some, (1.0 - confidence) / 2.0),
            greatest: Tail::above(&some, f64::midpoint(1.0, confidence)),
        })
    }

    pub(crate) fn add(&mut self, values: &[f64]) {
        self.moments.add(values);
        for value in values.iter().copied() {
            if value <= self.least.end {
                self.least.push(value);
            }
            if value >= self.greatest.end {
                self.greatest.push(value);
            }
        }
    }

    /// What they say; all are looked at again if the guess was wrong.
    pub(crate) fn drawn<'a>(
        self,
        values: impl Iterator<Item = &'a [f64]> + Clone,
        draws: usize,
    ) -> Option<Drawn> {
        let Self { confidence, moments, least, greatest } = self;
        let count = moments.count() as usize;
        if count < 2 || count * 10 < draws * 9 {
            return None;
        }
        let all = || defined(values.clone()).collect();
        let place = |share: f64| share * (count - 1) as f64;
        let before = count - greatest.values.len();
        Some(Drawn {
            variance: moments.variance(),
            lower: quantile(least.values, 0, place((1.0 - confidence) / 2.0), all),
            upper: quantile(greatest.values, before, place(f64::midpoint(1.0, confidence)), all),
        })
    }
}

fn defined<'a>(values: impl Iterator<Item = &'a [f64]>) -> impl Iterator<Item = f64> {
    values.flatten().copied().filter(|value| value.is_finite())
}

/// Sums of values' distances from one of them, several at a time.
struct Moments {
    around: f64,
    counts: [f64; 8],
    sums: [f64; 8],
    squares: [f64; 8],
}

impl Moments {
    fn around(around: f64) -> Self {
        Self { around, counts: [0.0; 8], sums: [0.0; 8], squares: [0.0; 8] }
    }

    fn add(&mut self, values: &[f64]) {
        let (eights, rest) = values.as_chunks::<8>();
        for values in eights {
            self.add_eight(values);
        }
        if !rest.is_empty() {
            let mut last = [f64::NAN; 8];
            last.iter_mut().zip(rest).for_each(|(last, value)| *last = *value);
            self.add_eight(&last);
        }
    }

    fn add_eight(&mut self, values: &[f64; 8]) {
        let Self { around, counts, sums, squares } = self;
        for at in 0..8 {
            // One question of both infinities and of what is no number.
            let is_defined = values[at].abs() <= f64::MAX;
            let distance = if is_defined { values[at] - *around } else { 0.0 };
            counts[at] += if is_defined { 1.0 } else { 0.0 };
            sums[at] += distance;
            squares[at] += distance * distance;
        }
    }

    fn count(&self) -> f64 {
        self.counts.iter().sum()
    }

    fn variance(&self) -> f64 {
        let (sum, squares) = (self.sums.iter().sum::<f64>(), self.squares.iter().sum::<f64>());
        (squares - sum * sum / self.count()).max(0.0) / (self.count() - 1.0)
    }
}

/// The values of one end, up to somewhat beyond the percentile, as some of the values let one guess it: what lies between both
/// ends is not put into any order.
struct Tail {
    end: f64,
    values: Vec<f64>,
}

impl Tail {
    fn below(some: &[f64], share: f64) -> Self {
        Self::to(some, share + margin(some, share))
    }

    fn above(some: &[f64], share: f64) -> Self {
        Self::to(some, share - margin(some, share))
    }

    fn to(some: &[f64], share: f64) -> Self {
        let place = share.clamp(0.0, 1.0) * some.len().saturating_sub(1) as f64;
        let end = some.get(place.round() as usize).copied().unwrap_or(f64::NAN);
        Self { end, values: Vec::new() }
    }

    fn push(&mut self, value: f64) {
        if value.is_finite() {
            self.values.push(value);
        }
    }
}

/// Three standard errors of a share of so few.
fn margin(some: &[f64], share: f64) -> f64 {
    3.0 * (share * (1.0 - share) / some.len() as f64).sqrt()
}

/// What lies at this place of all values in order: from the tail, that so many are `before`, if it is long enough.
fn quantile(tail: Vec<f64>, before: usize, place: f64, all: impl Fn() -> Vec<f64>) -> f64 {
    let below = place.floor() as usize;
    let (mut values, below) = match below.checked_sub(before) {
        Some(within) if within + 1 < tail.len() => (tail, within),
        _ => (all(), below),
    };
    let (_, below, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let next = above.iter().copied().fold(f64::INFINITY, f64::min);
    if next.is_finite() { *below + place.fract() * (next - *below) } else { *below }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Everything put in order, and the textbook's variance.
    fn plainly(values: &[f64], confidence: f64) -> Drawn {
        let mut values: Vec<f64> =
            values.iter().copied().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = share * (values.len() - 1) as f64;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            below + place.fract() * (above - below)
        };
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        Drawn {
            variance: squares / (values.len() - 1) as f64,
            lower: at((1.0 - confidence) / 2.0),
            upper: at(f64::midpoint(1.0, confidence)),
        }
    }

    fn alike(values: &[f64], confidence: f64) {
        let expected = plainly(values, confidence);
        let found = Drawn::of(values.chunks(32), values.len(), confidence).unwrap();
        assert!(
            (found.variance - expected.variance).abs() <= 1e-9 * (1.0 + expected.variance),
            "{found:?} {expected:?}"
        );
        for (found, expected) in [(found.lower, expected.lower), (found.upper, expected.upper)] {
            assert!(
                (found - expected).abs() <= 1e-12 * (1.0 + expected.abs()),
                "{found} {expected}"
            );
        }
    }

    proptest! {
        #[test]
        fn it_is_what_everything_in_order_says(
            values in prop::collection::vec(-5.0_f64..5.0, 20..3_000),
            undefined in 0_usize..2,
            confidence in 0.5_f64..0.999,
        ) {
            let mut values = values;
            values.extend([f64::NAN, f64::NEG_INFINITY].iter().take(undefined));
            alike(&values, confidence);
        }
    }

    #[test]
    fn a_guess_that_misleads_costs_time_alone() {
        // The first are all greater than what comes, and then all less; and only two values there are.
        let rising: Vec<f64> = (0..5_000).map(f64::from).collect();
        let falling: Vec<f64> = rising.iter().rev().copied().collect();
        let two: Vec<f64> = (0..5_000).map(|at| f64::from(u8::from(at % 3 == 0))).collect();
        for values in [rising, falling, two, vec![0.25; 400]] {
            alike(&values, 0.95);
        }
    }

    #[test]
    fn too_many_undefined_draws_make_no_interval() {
        let values = |defined: usize| {
            let mut values = vec![f64::NAN; 100];
            values[..defined].fill(0.5);
            Drawn::of([values.as_slice()].into_iter(), 100, 0.95)
        };
        assert_eq!(values(80), None);
        assert_eq!(values(90), Some(Drawn { variance: 0.0, lower: 0.5, upper: 0.5 }));
        assert_eq!(Drawn::of([].into_iter(), 0, 0.95), None);
    }
}
