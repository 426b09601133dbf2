//! Whether a cube that came as bytes holds together: they may be anybody's, and what is added up later must not overflow.

use super::{Cube, CubeError, Histogram, Layout, sum::Sum};
use crate::spec::MAX_ATTRIBUTES;

/// The most rows of a cube: sums of as many terms have room to spare.
pub(super) const MOST_ROWS: u64 = 1 << 60;

impl Layout {
    /// Whether an analysis can have asked for it.
    pub(super) fn check(&self) -> Result<(), CubeError> {
        // Strata are read as an attribute more.
        let is_sound = (1..=MAX_ATTRIBUTES + 1).contains(&self.attributes)
            && (self.label || self.prediction || self.score);
        if is_sound { Ok(()) } else { Err(CubeError::Damaged("its layout")) }
    }
}

impl Cube {
    /// Whether each row is counted once, and in no sum or histogram more than once.
    pub(super) fn check(&self) -> Result<(), CubeError> {
        let is_sound =
            |sound: bool, what| if sound { Ok(()) } else { Err(CubeError::Damaged(what)) };
        is_sound(self.rows <= MOST_ROWS, "its number of rows")?;
        let counted = total(self.counts.iter().copied().chain([self.invalid_weights]));
        is_sound(counted == Some(self.rows), "its counts")?;
        let repeated = u64::from(self.repeats.rows());
        let fits = |rows: Option<u64>| rows.is_some_and(|rows| rows <= self.rows);
        let summed = self.scores.iter().map(|cell| cell.n);
        is_sound(fits(total(summed.chain([repeated, self.invalid_scores]))), "its scores")?;
        let kept = rows(&self.histogram).chain(rows(&self.unlabelled));
        is_sound(fits(total(kept.chain([repeated]))), "its rows by score")?;
        let is_bare = self.histogram.is_empty()
            && self.unlabelled.is_empty()
            && self.repeats.is_empty()
            && self.invalid_scores == 0;
        is_sound(self.layout.score || is_bare, "scores of no column")?;
        is_sound(self.sums().all(|sum| sum.is_of(self.rows)), "its sums")
    }

    fn sums(&self) -> impl Iterator<Item = &Sum> {
        let weights = self.weights.iter().flat_map(|cell| [&cell.weight, &cell.weight2]);
        let scores = self.scores.iter().flat_map(|cell| {
            [&cell.weight, &cell.weight2, &cell.error, &cell.error2, &cell.absolute, &cell.log_loss]
        });
        let binned = [&self.histogram, &self.unlabelled]
            .into_iter()
            .flat_map(|histogram| &histogram.binned)
            .flat_map(|binned| binned.sums.iter().flatten());
        weights.chain(scores).chain(binned)
    }
}

/// How many rows each place of a histogram has.
fn rows(histogram: &Histogram) -> impl Iterator<Item = u64> {
    let binned = histogram.binned.iter().flat_map(|binned| binned.n.iter().copied());
    histogram.table.entries().map(|entry| entry.n).chain(binned)
}

/// `None`: more than can be counted.
fn total(mut numbers: impl Iterator<Item = u64>) -> Option<u64> {
    numbers.try_fold(0_u64, u64::checked_add)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};

    use super::*;
    use crate::cube::{Pool, Pooled};

    fn layout(weight: bool) -> Layout {
        Layout {
            attributes: 2,
            label: true,
            prediction: true,
            score: true,
            weight,
            positive: None,
            threshold: 0.5,
        }
    }

    fn cube(weight: bool) -> Cube {
        let names: ArrayRef =
            Arc::new(StringArray::from(vec![Some("a"), Some("b"), None, Some("c")]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 1, 1]));
        let labels: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(0), Some(1), None]));
        let scores: ArrayRef =
            Arc::new(Float64Array::from(vec![Some(0.25), Some(0.5), Some(f64::NAN), Some(0.5)]));
        let mut columns = vec![names, numbers, labels.clone(), labels, scores];
        if weight {
            columns.push(Arc::new(Float64Array::from(vec![1.0, 0.5, 2.0, -1.0])));
        }
        let pool = Pool {
            names: vec!["a".to_owned(), "b".to_owned()],
            others: Pooled { values: 9, large: 1 },
        };
        let mut cube = Cube::with_pools(layout(weight), &[Some(pool)]).unwrap();
        cube.update(&columns).unwrap();
        cube
    }

    /// What is made of a state that could be read must not panic, whatever it says.
    fn use_up(bytes: &[u8], other: &Cube) {
        let Ok(mut read) = Cube::from_bytes(bytes) else { return };
        let mut more = other.clone();
        let _ = more.merge(&read);
        let _ = read.merge(other);
        let _ = (read.finished(), read.finished_with_unlabelled(), read.size());
    }

    #[test]
    fn a_cube_is_what_its_bytes_say() {
        for weight in [false, true] {
            let made = cube(weight);
            let bytes = made.to_bytes();
            let read = Cube::from_bytes(&bytes).unwrap();
            assert_eq!(read.to_bytes(), bytes);
            assert_eq!(read.pooled(0), Some(Pooled { values: 9, large: 1 }));
            assert!(read.is_other(0, 3) && !read.is_other(0, 2) && read.pooled(1).is_none());
            assert_eq!(read.dictionary(0).name(3), crate::cube::OTHER_NAME);
            use_up(&bytes, &made);
        }
    }

    #[test]
    fn mangled_bytes_are_refused_or_harmless() {
        for weight in [false, true] {
            let whole = cube(weight);
            let bytes = whole.to_bytes();
            for length in 0..bytes.len() {
                assert!(Cube::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
            }
            assert!(Cube::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
            for at in 0..bytes.len() {
                for byte in [0, 1, 0xFF, bytes[at] ^ 1, bytes[at] ^ 0x80] {
                    let mut mangled = bytes.clone();
                    mangled[at] = byte;
                    use_up(&mangled, &whole);
                }
                for number in [u64::MAX, 1 << 62, 1 << 32, 1 << 16] {
                    let mut mangled = bytes.clone();
                    let end = (at + 8).min(bytes.len());
                    mangled[at..end].copy_from_slice(&number.to_le_bytes()[..end - at]);
                    use_up(&mangled, &whole);
                }
            }
        }
    }

    #[test]
    fn a_layout_that_nobody_asked_for_is_refused() {
        let bytes = cube(false).to_bytes();
        let at = bytes.windows(14).position(|part| part == b"\"attributes\":2").unwrap() + 13;
        let mut other = bytes.clone();
        other[at] = b'0';
        assert_eq!(Cube::from_bytes(&other).err(), Some(CubeError::Damaged("its layout")));
        let many = Layout { attributes: 1 << 40, ..layout(false) };
        assert!(Cube::with_pools(many, &[]).is_err());
        let nothing = Layout { label: false, prediction: false, score: false, ..layout(false) };
        assert!(Cube::with_pools(nothing, &[]).is_err());
    }

    #[test]
    fn rows_that_are_counted_twice_are_refused() {
        let mut twice = cube(false);
        twice.counts[0] += 1;
        let found = Cube::from_bytes(&twice.to_bytes());
        assert_eq!(found.err(), Some(CubeError::Damaged("its counts")));
        let mut many = cube(false);
        many.rows = MOST_ROWS;
        many.counts[0] += MOST_ROWS - 4;
        let mut more = Cube::from_bytes(&many.to_bytes()).unwrap();
        assert!(matches!(more.merge(&many), Err(CubeError::Damaged(_))));
    }
}
