//! How a node sends rows left or right.

/// A question about one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Which value of the row.
    pub feature: usize,
    /// The question. Rows of which it is true go left.
    pub test: Test,
    /// What counts as missing.
    pub missing: Missing,
    /// Where a missing value goes.
    pub missing_left: bool,
}

/// What is asked of a value that is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `value < threshold`, as XGBoost asks.
    Less(f64),
    /// `value <= threshold`, as LightGBM and scikit-learn ask.
    AtMost(f64),
    /// Is the category among these? As bits: category `c` is bit `c % 64` of word `c / 64`.
    Among(Vec<u64>),
    /// Is it none of these?
    NotAmong(Vec<u64>),
    /// Is it exactly one of these numbers, in ascending order? As ONNX asks.
    OneOf(Vec<f64>),
}

/// What counts as a missing value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// NaN alone.
    NaN,
    /// NaN, and zero.
    Zero,
    /// Nothing: NaN is read as zero.
    Never,
}

/// LightGBM takes numbers that are nearer to zero than this for zero.
const ZERO: f64 = 1e-35;

impl Split {
    /// Does the row go left?
    #[inline]
    pub fn left(&self, row: &[f64]) -> bool {
        self.answer(row[self.feature])
    }

    /// Does a row with this value go left?
    #[inline]
    pub fn answer(&self, mut value: f64) -> bool {
        match self.missing {
            Missing::NaN if value.is_nan() => return self.missing_left,
            Missing::Zero if value.is_nan() || value.abs() <= ZERO => return self.missing_left,
            Missing::Never if value.is_nan() => value = 0.0,
            _ => {}
        }
        match &self.test {
            Test::Less(threshold) => value < *threshold,
            Test::AtMost(threshold) => value <= *threshold,
            Test::Among(set) => holds(set, value),
            // XGBoost takes whatever is below 0 for no category, LightGBM what is at most -1.
            Test::NotAmong(set) => value < 0.0 || !holds(set, value),
            Test::OneOf(values) => {
                values.get(values.partition_point(|one| *one < value)) == Some(&value)
            }
        }
    }
}

/// Categories are whole numbers; what is cut off a fraction tells no other.
fn holds(set: &[u64], value: f64) -> bool {
    // Towards zero, as LightGBM does: -0.5 is category 0.
    if !(value > -1.0 && value < set.len() as f64 * 64.0) {
        return false;
    }
    let category = value as usize;
    set.get(category / 64).is_some_and(|word| word >> (category % 64) & 1 == 1)
}

/// The set of these categories.
pub(crate) fn among(categories: impl IntoIterator<Item = usize>) -> Vec<u64> {
    let mut set = Vec::new();
    for category in categories {
        if set.len() <= category / 64 {
            set.resize(category / 64 + 1, 0);
        }
        set[category / 64] |= 1 << (category % 64);
    }
    set
}
