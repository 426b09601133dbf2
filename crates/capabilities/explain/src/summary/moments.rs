//! Sums over all rows, in one pass and without cancellation (Welford 1962).

use super::Spread;

/// What is known of a feature so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Moments {
    rows: u64,
    size: f64,
    mean: f64,
    squares: f64,
    least: f64,
    greatest: f64,
    with: Pairs,
}

/// Rows that have the feature's own value: means and sums of products of both.
#[derive(Debug, Clone, Default)]
struct Pairs {
    rows: u64,
    x: f64,
    value: f64,
    xx: f64,
    vv: f64,
    xv: f64,
}

impl Moments {
    pub fn add(&mut self, x: f64, value: f64) {
        (self.least, self.greatest) = if self.rows == 0 {
            (value, value)
        } else {
            (self.least.min(value), self.greatest.max(value))
        };
        self.rows += 1;
        // Means from the start: sums of great numbers may be beyond all numbers.
        self.size += (value.abs() - self.size) / self.rows as f64;
        let off = value - self.mean;
        self.mean += off / self.rows as f64;
        self.squares += off * (value - self.mean);
        if x.is_finite() {
            self.with.add(x, value);
        }
    }

    /// The mean of the values' sizes.
    pub const fn size(&self) -> f64 {
        self.size
    }

    /// `all` is the sum of all features' sizes.
    pub fn spread(&self, all: f64) -> Spread {
        Spread {
            size: self.size,
            share: if all > 0.0 { self.size / all } else { 0.0 },
            mean: self.mean,
            deviation: (self.squares.max(0.0) / self.rows.max(1) as f64).sqrt().min(f64::MAX),
            least: self.least,
            greatest: self.greatest,
            correlation: self.with.correlation(),
        }
    }
}

impl Pairs {
    fn add(&mut self, x: f64, value: f64) {
        self.rows += 1;
        let count = self.rows as f64;
        let (off_x, off_value) = (x - self.x, value - self.value);
        self.x += off_x / count;
        self.value += off_value / count;
        self.xx += off_x * (x - self.x);
        self.vv += off_value * (value - self.value);
        self.xv += off_x * (value - self.value);
    }

    /// None where one of both does not vary beyond rounding.
    fn correlation(&self) -> Option<f64> {
        let varies = |squares: f64, mean: f64| {
            squares > 1e-20 * self.rows as f64 * mean.powi(2).max(f64::MIN_POSITIVE)
        };
        let both = varies(self.xx, self.x) && varies(self.vv, self.value);
        let found = self.xv / (self.xx.sqrt() * self.vv.sqrt());
        (both && found.is_finite()).then(|| found.clamp(-1.0, 1.0))
    }
}

/// The correlation of pairs of numbers; none where one of both is always the same.
pub(super) fn correlation(pairs: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let mut sums = Pairs::default();
    for (one, two) in pairs {
        sums.add(one, two);
    }
    sums.correlation()
}
