//! What the draws of one statistic say: its variance, and the percentiles that it lies between.

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
    /// Of so many draws, whose values are given; what is not finite is undefined, as what is missing is. `None` if fewer than nine
    /// in ten are defined, or fewer than two. Percentiles lie between two values as far as the numbers of both say (R's type 7).
    pub fn of(values: &[f64], draws: usize, confidence: f64) -> Option<Self> {
        let mut summary = Summary::new(draws, confidence);
        summary.add(values);
        summary.drawn()
    }
}

/// What is made of the values of one statistic, as they come: sums, and the ends of both tails.
pub(crate) struct Summary {
    draws: usize,
    confidence: f64,
    moments: Moments,
    least: Least,
    /// With their signs turned.
    greatest: Least,
}

impl Summary {
    /// Before any of so many values is added.
    pub(crate) fn new(draws: usize, confidence: f64) -> Self {
        // A percentile lies between two values, of which there may be fewer than draws.
        let needed = ((1.0 - confidence) / 2.0 * draws as f64) as usize + 2;
        Self {
            draws,
            confidence,
            moments: Moments::default(),
            least: Least::new(needed),
            greatest: Least::new(needed),
        }
    }

    pub(crate) fn add(&mut self, values: &[f64]) {
        self.moments.add(values);
        for value in values.iter().copied() {
            if value <= self.least.end {
                self.least.push(value);
            }
            if -value <= self.greatest.end {
                self.greatest.push(-value);
            }
        }
    }

    pub(crate) fn drawn(self) -> Option<Drawn> {
        let count = self.moments.count() as usize;
        if count < 2 || count * 10 < self.draws * 9 {
            return None;
        }
        let place = (1.0 - self.confidence) / 2.0 * (count - 1) as f64;
        Some(Drawn {
            variance: self.moments.variance(),
            lower: self.least.at(place)?,
            upper: -self.greatest.at(place)?,
        })
    }
}

/// Sums of values' distances from the first of them, several at a time.
#[derive(Default)]
struct Moments {
    around: Option<f64>,
    counts: [f64; 8],
    sums: [f64; 8],
    squares: [f64; 8],
}

impl Moments {
    fn add(&mut self, values: &[f64]) {
        let first = || values.iter().copied().find(|value| value.is_finite());
        let Some(around) = self.around.or_else(first) else { return };
        self.around = Some(around);
        let (eights, rest) = values.as_chunks::<8>();
        for values in eights {
            self.add_eight(around, values);
        }
        if !rest.is_empty() {
            let mut last = [f64::NAN; 8];
            last.iter_mut().zip(rest).for_each(|(last, value)| *last = *value);
            self.add_eight(around, &last);
        }
    }

    fn add_eight(&mut self, around: f64, values: &[f64; 8]) {
        let Self { counts, sums, squares, .. } = self;
        for at in 0..8 {
            // One question of both infinities and of what is no number.
            let is_defined = values[at].abs() <= f64::MAX;
            let distance = if is_defined { values[at] - around } else { 0.0 };
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

/// The least values of all that come, as many as are needed: the others are not put into any order, nor kept for long.
struct Least {
    needed: usize,
    /// What is greater is not needed.
    end: f64,
    values: Vec<f64>,
}

impl Least {
    fn new(needed: usize) -> Self {
        Self { needed, end: f64::MAX, values: Vec::with_capacity(2 * needed) }
    }

    /// One that is not greater than the end.
    fn push(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.values.push(value);
        if self.values.len() >= 2 * self.needed {
            let (_, end, _) = self.values.select_nth_unstable_by(self.needed - 1, f64::total_cmp);
            self.end = *end;
            self.values.truncate(self.needed);
        }
    }

    /// What lies at this place of all values in ascending order.
    fn at(mut self, place: f64) -> Option<f64> {
        let below = place.floor() as usize;
        if below >= self.values.len() {
            return None;
        }
        let (_, below, above) = self.values.select_nth_unstable_by(below, f64::total_cmp);
        let next = above.iter().copied().fold(f64::INFINITY, f64::min);
        Some(if next.is_finite() { *below + place.fract() * (next - *below) } else { *below })
    }
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
        let found = Drawn::of(values, values.len(), confidence).unwrap();
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
    fn the_order_in_which_they_come_changes_nothing() {
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
            Drawn::of(&values, 100, 0.95)
        };
        assert_eq!(values(80), None);
        assert_eq!(values(90), Some(Drawn { variance: 0.0, lower: 0.5, upper: 0.5 }));
        assert_eq!(Drawn::of(&[], 0, 0.95), None);
    }
}
