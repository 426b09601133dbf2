//! One column's figures as they grow.

use arrow::{
    array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray},
    compute::cast,
    datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimeUnit},
    error::ArrowError,
};
use datafusion_functions_aggregate_common::tdigest::TDigest;
use hashbrown::DefaultHashBuilder;

use super::{
    ColumnProfile, Distinct, Quantile, TopValue, Value, ValueKind,
    counts::{Counts, Key},
};

const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];
const TOP: usize = 20;
const CENTROIDS: usize = 100;
/// Values that a digest takes in at once.
const PENDING: usize = 8192;

/// One column's figures as they grow.
#[derive(Debug)]
pub(crate) struct Column {
    kind: ValueKind,
    nulls: u64,
    figures: Figures,
}

#[derive(Debug)]
enum Figures {
    Whole { counts: Counts<i64>, range: Option<(i64, i64)>, moments: Moments },
    Real { counts: Counts<u64>, range: Option<(f64, f64)>, moments: Moments, nan: u64 },
    Text { counts: Counts<Box<str>>, range: Option<(Box<str>, Box<str>)>, tally: Vec<u64> },
    Other,
}

/// What values of a type are.
pub(crate) fn kind_of(data_type: &DataType) -> ValueKind {
    match data_type {
        DataType::Boolean => ValueKind::Boolean,
        DataType::UInt64 => ValueKind::Number,
        kind if kind.is_integer() => ValueKind::Integer,
        kind if kind.is_numeric() => ValueKind::Number,
        DataType::Date32 | DataType::Date64 => ValueKind::Date,
        DataType::Timestamp(..) => ValueKind::Timestamp,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            ValueKind::Text
        }
        DataType::Dictionary(_, value) => kind_of(value),
        _ => ValueKind::Other,
    }
}

impl Column {
    pub(crate) fn new(data_type: &DataType, hasher: &DefaultHashBuilder) -> Self {
        let kind = kind_of(data_type);
        let figures = match kind {
            ValueKind::Boolean | ValueKind::Integer | ValueKind::Date | ValueKind::Timestamp => {
                Figures::Whole {
                    counts: Counts::new(hasher),
                    range: None,
                    moments: Moments::default(),
                }
            }
            ValueKind::Number => Figures::Real {
                counts: Counts::new(hasher),
                range: None,
                moments: Moments::default(),
                nan: 0,
            },
            ValueKind::Text => {
                Figures::Text { counts: Counts::new(hasher), range: None, tally: Vec::new() }
            }
            ValueKind::Other => Figures::Other,
        };
        Self { kind, nulls: 0, figures }
    }

    pub(crate) fn add(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        self.nulls += array.logical_null_count() as u64;
        match &mut self.figures {
            Figures::Whole { counts, range, moments } => {
                let wide = match self.kind {
                    ValueKind::Boolean => cast(&cast(array, &DataType::UInt8)?, &DataType::Int64)?,
                    ValueKind::Date => cast(&cast(array, &DataType::Date32)?, &DataType::Int32)?,
                    ValueKind::Timestamp => {
                        let zone = match array.data_type() {
                            DataType::Timestamp(_, zone) => zone.clone(),
                            _ => None,
                        };
                        cast(
                            &cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone))?,
                            &DataType::Int64,
                        )?
                    }
                    _ => cast(array, &DataType::Int64)?,
                };
                let wide = cast(&wide, &DataType::Int64)?;
                let numeric = self.kind == ValueKind::Integer;
                each::<Int64Type>(wide.as_primitive(), |value| {
                    counts.add(&value, 1);
                    *range = Some(
                        range.map_or((value, value), |(min, max)| (min.min(value), max.max(value))),
                    );
                    if numeric {
                        moments.add(value as f64);
                    }
                });
            }
            Figures::Real { counts, range, moments, nan } => {
                let wide = cast(array, &DataType::Float64)?;
                each::<Float64Type>(wide.as_primitive(), |value| {
                    if value.is_nan() {
                        *nan += 1;
                        return;
                    }
                    // -0.0 and 0.0 are one value.
                    let value = value + 0.0;
                    counts.add(&order(value), 1);
                    *range = Some(
                        range.map_or((value, value), |(min, max)| (min.min(value), max.max(value))),
                    );
                    moments.add(value);
                });
            }
            Figures::Text { counts, range, tally } => texts(array, counts, range, tally)?,
            Figures::Other => {}
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.nulls += other.nulls;
        match (&mut self.figures, other.figures) {
            (
                Figures::Whole { counts, range, moments },
                Figures::Whole { counts: more, range: wider, moments: further },
            ) => {
                counts.merge(more);
                *range = wide(*range, wider, Ord::min, Ord::max);
                moments.merge(further);
            }
            (
                Figures::Real { counts, range, moments, nan },
                Figures::Real { counts: more, range: wider, moments: further, nan: again },
            ) => {
                counts.merge(more);
                *range = wide(*range, wider, f64::min, f64::max);
                moments.merge(further);
                *nan += again;
            }
            (
                Figures::Text { counts, range, .. },
                Figures::Text { counts: more, range: wider, .. },
            ) => {
                counts.merge(more);
                *range = wide(range.take(), wider, Ord::min, Ord::max);
            }
            _ => {}
        }
    }

    pub(crate) fn finish(self, name: &str, data_type: &DataType) -> ColumnProfile {
        let kind = self.kind;
        let mut profile = ColumnProfile {
            name: name.to_owned(),
            kind,
            data_type: data_type.to_string(),
            nulls: self.nulls,
            nan: 0,
            distinct: Distinct { count: 0, exact: kind != ValueKind::Other },
            min: None,
            max: None,
            mean: None,
            std: None,
            quantiles: Vec::new(),
            quantiles_exact: true,
            top: Vec::new(),
            top_exact: true,
        };
        match self.figures {
            Figures::Whole { counts, range, moments } => {
                counted(&mut profile, &counts, |value| Value::whole(kind, *value));
                (profile.min, profile.max) = range
                    .map(|(min, max)| (Value::whole(kind, min), Value::whole(kind, max)))
                    .unzip();
                if kind == ValueKind::Integer {
                    moments.finish(&mut profile, || {
                        counts.all().map(|(value, count)| (*value as f64, count)).collect()
                    });
                }
            }
            Figures::Real { counts, range, moments, nan } => {
                profile.nan = nan;
                counted(&mut profile, &counts, |bits| Value::number(unorder(*bits)));
                (profile.min, profile.max) =
                    range.map(|(min, max)| (Value::number(min), Value::number(max))).unzip();
                moments.finish(&mut profile, || {
                    counts.all().map(|(bits, count)| (unorder(*bits), count)).collect()
                });
            }
            Figures::Text { counts, range, .. } => {
                counted(&mut profile, &counts, |text| Value::text(text));
                (profile.min, profile.max) =
                    range.map(|(min, max)| (Value::text(&min), Value::text(&max))).unzip();
            }
            Figures::Other => {}
        }
        profile
    }
}

fn counted<K: Key + std::borrow::Borrow<K::Given>>(
    profile: &mut ColumnProfile,
    counts: &Counts<K>,
    value: impl Fn(&K) -> Value,
) {
    profile.distinct = Distinct { count: counts.distinct(), exact: counts.exact() };
    profile.top = counts
        .top(TOP)
        .into_iter()
        .map(|(key, count)| TopValue { value: value(key), count })
        .collect();
    profile.top_exact = counts.exact();
}

fn wide<T>(
    a: Option<(T, T)>,
    b: Option<(T, T)>,
    min: fn(T, T) -> T,
    max: fn(T, T) -> T,
) -> Option<(T, T)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((min(a.0, b.0), max(a.1, b.1))),
        (one, None) | (None, one) => one,
    }
}

fn each<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, mut take: impl FnMut(T::Native)) {
    if array.null_count() == 0 {
        array.values().iter().for_each(|value| take(*value));
    } else {
        array.iter().flatten().for_each(take);
    }
}

/// Bits that sort as the number does.
fn order(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn unorder(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

/// Texts that come as codes are tallied by code, so that each text is looked at once in a batch.
fn texts(
    array: &ArrayRef,
    counts: &mut Counts<Box<str>>,
    range: &mut Option<(Box<str>, Box<str>)>,
    tally: &mut Vec<u64>,
) -> Result<(), ArrowError> {
    let mut take = |text: &str, times: u64| {
        counts.add(text, times);
        match range {
            None => *range = Some((text.into(), text.into())),
            Some((min, _)) if text < min.as_ref() => *min = text.into(),
            Some((_, max)) if text > max.as_ref() => *max = text.into(),
            Some(_) => {}
        }
    };
    match array.data_type() {
        DataType::Null => {}
        DataType::Dictionary(key, value)
            if **key == DataType::Int32 && **value == DataType::Utf8 =>
        {
            let codes = array.as_dictionary::<Int32Type>();
            let values = codes.values().as_string::<i32>();
            tally.clear();
            tally.resize(values.len(), 0);
            for code in codes.keys().iter().flatten() {
                tally[code as usize] += 1;
            }
            for (code, times) in tally.iter().enumerate() {
                if *times > 0 && values.is_valid(code) {
                    take(values.value(code), *times);
                }
            }
        }
        _ => {
            let plain = cast(array, &DataType::Utf8)?;
            plain.as_string::<i32>().iter().flatten().for_each(|text| take(text, 1));
        }
    }
    Ok(())
}

/// Mean and variance (Welford; merged as Chan, Golub and `LeVeque` have it), and a t-digest.
#[derive(Debug)]
struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
    digest: TDigest,
    pending: Vec<f64>,
}

impl Default for Moments {
    fn default() -> Self {
        Self {
            count: 0,
            mean: 0.0,
            squares: 0.0,
            digest: TDigest::new(CENTROIDS),
            pending: Vec::new(),
        }
    }
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
        if value.is_finite() {
            self.pending.push(value);
            if self.pending.len() >= PENDING {
                self.settle();
            }
        }
    }

    fn settle(&mut self) {
        if !self.pending.is_empty() {
            self.digest = self.digest.merge_unsorted_f64(std::mem::take(&mut self.pending));
        }
    }

    fn merge(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        if other.count == 0 {
            return;
        }
        let (a, b) = (self.count as f64, other.count as f64);
        let off = other.mean - self.mean;
        self.mean = (a * self.mean + b * other.mean) / (a + b);
        self.squares += other.squares + off * off * a * b / (a + b);
        self.count += other.count;
        self.digest = TDigest::merge_digests([&self.digest, &other.digest]);
    }

    fn finish(mut self, profile: &mut ColumnProfile, exact: impl FnOnce() -> Vec<(f64, u64)>) {
        if self.count == 0 {
            return;
        }
        profile.mean = Some(self.mean).filter(|mean| mean.is_finite());
        profile.std = (self.count > 1)
            .then(|| (self.squares / (self.count - 1) as f64).sqrt())
            .filter(|std| std.is_finite());
        profile.quantiles_exact = profile.distinct.exact;
        let quantiles: Vec<f64> = if profile.distinct.exact {
            let mut all = exact();
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
            QUANTILES.iter().map(|q| quantile(&all, self.count, *q)).collect()
        } else {
            self.settle();
            QUANTILES.iter().map(|q| self.digest.estimate_quantile(*q)).collect()
        };
        profile.quantiles = QUANTILES
            .iter()
            .zip(quantiles)
            .filter(|(_, value)| value.is_finite())
            .map(|(&q, value)| Quantile { q, value })
            .collect();
    }
}

/// The quantile of sorted values with their counts, between two values on the line that joins them (type 7 of Hyndman
/// and Fan, which `NumPy` and pandas use).
fn quantile(sorted: &[(f64, u64)], count: u64, q: f64) -> f64 {
    let place = (count - 1) as f64 * q;
    let (below, part) = (place.floor() as u64, place.fract());
    let at = |rank: u64| {
        let mut seen = 0;
        sorted
            .iter()
            .find(|(_, times)| {
                seen += times;
                seen > rank
            })
            .map_or(f64::NAN, |(value, _)| *value)
    };
    let low = at(below);
    if part == 0.0 { low } else { low + (at(below + 1) - low) * part }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_sort_as_numbers_do() {
        let values = [f64::NEG_INFINITY, -2.5, -0.0 + 0.0, 1e-300, 3.0, f64::INFINITY];
        assert!(values.map(order).is_sorted());
        assert_eq!(values.map(|value| unorder(order(value))), values);
    }

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([1, 2, 2, 10], [.25, .5, .75]) = [1.75, 2, 4]
        let sorted = [(1.0, 1), (2.0, 2), (10.0, 1)];
        assert_eq!([0.25, 0.5, 0.75].map(|q| quantile(&sorted, 4, q)), [1.75, 2.0, 4.0]);
    }
}
