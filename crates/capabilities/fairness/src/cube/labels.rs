//! Reading labels: which value is positive, and which others occur.

use std::collections::BTreeSet;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, StringArray},
    compute::cast,
    datatypes::{DataType, Float64Type, Int64Type},
    error::ArrowError,
};
use serde::{Deserialize, Serialize};

use crate::tally::{MISSING, NEGATIVE, POSITIVE};

/// So many different labels show that the column holds no labels.
const ENOUGH: usize = 6;

/// What labels a column holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Labels {
    /// Values that count as positive, as they are written.
    pub positives: BTreeSet<String>,
    /// All others.
    pub others: BTreeSet<String>,
}

/// Which value counts as positive.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    /// Asked for by name; otherwise 1 and true are.
    named: Option<String>,
    number: Option<f64>,
    truth: Option<bool>,
}

impl Rule {
    /// `for_prediction`: predictions may be 0/1 though the labels have names.
    pub(crate) fn new(named: Option<&str>, for_prediction: bool) -> Self {
        let Some(name) = named else {
            return Self { named: None, number: Some(1.0), truth: Some(true) };
        };
        let number = name.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let truth = match name.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        Self {
            named: Some(name.to_owned()),
            number: number.or_else(|| match truth {
                Some(truth) => Some(f64::from(u8::from(truth))),
                None => for_prediction.then_some(1.0),
            }),
            truth: truth.or_else(|| match number {
                Some(number) if number == 0.0 || number == 1.0 => Some(number == 1.0),
                Some(_) => None,
                None => for_prediction.then_some(true),
            }),
        }
    }

    fn text(&self, value: &str) -> bool {
        match &self.named {
            Some(name) => name == value,
            None => value == "1" || value.eq_ignore_ascii_case("true"),
        }
    }
}

impl Labels {
    /// Whether the column clearly holds something else.
    pub(crate) fn hopeless(&self) -> bool {
        self.others.len() + self.positives.len() > ENOUGH
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.positives.extend(other.positives.iter().cloned());
        self.others.extend(other.others.iter().cloned());
    }

    fn note(&mut self, positive: bool, value: impl FnOnce() -> String) {
        if !self.hopeless() {
            let set = if positive { &mut self.positives } else { &mut self.others };
            set.insert(value());
        }
    }
}

/// A column of labels, read batch by batch.
#[derive(Debug, Clone)]
pub(crate) struct LabelReader {
    rule: Rule,
    pub labels: Labels,
    seen_integers: [Option<i64>; 2],
    seen_booleans: [bool; 2],
}

impl LabelReader {
    pub(crate) fn new(rule: Rule) -> Self {
        Self {
            rule,
            labels: Labels::default(),
            seen_integers: [None; 2],
            seen_booleans: [false; 2],
        }
    }

    /// Writes one of `NEGATIVE`, `POSITIVE`, `MISSING` for each row, in units of `step`, added to what `codes` holds.
    pub(crate) fn read(
        &mut self,
        array: &ArrayRef,
        step: u32,
        codes: &mut [u32],
    ) -> Result<(), ArrowError> {
        match array.data_type() {
            DataType::Boolean => self.booleans(array.as_boolean(), step, codes),
            DataType::Int64 => self.integers(array, step, codes),
            kind if kind.is_integer() => {
                self.integers(&cast(array, &DataType::Int64)?, step, codes);
            }
            DataType::Float64 => self.floats(array, step, codes),
            kind if kind.is_floating()
                || matches!(kind, DataType::Decimal128(..) | DataType::Decimal256(..)) =>
            {
                self.floats(&cast(array, &DataType::Float64)?, step, codes);
            }
            DataType::Utf8 => self.strings(array.as_string::<i32>(), step, codes),
            DataType::Dictionary(_, value) if matches!(**value, DataType::Utf8) => {
                self.dictionary(array, step, codes);
            }
            DataType::Null => codes.iter_mut().for_each(|code| *code += step * MISSING as u32),
            _ => self.strings(cast(array, &DataType::Utf8)?.as_string::<i32>(), step, codes),
        }
        Ok(())
    }

    fn integers(&mut self, array: &ArrayRef, step: u32, codes: &mut [u32]) {
        let array = array.as_primitive::<Int64Type>();
        let positive =
            self.rule.number.filter(|number| number.fract() == 0.0).map(|number| number as i64);
        // Known values that need no second look.
        let known_positive = self.seen_integers[POSITIVE].or(positive).unwrap_or(i64::MIN);
        let known_negative = self.seen_integers[NEGATIVE].unwrap_or(known_positive);
        let positive_number = positive.unwrap_or(i64::MIN);
        let is_positive = |value: i64| positive.is_some() && value == positive_number;
        let mut strange =
            self.seen_integers[POSITIVE].is_none() || self.seen_integers[NEGATIVE].is_none();
        if array.null_count() == 0 {
            for (code, value) in codes.iter_mut().zip(array.values()) {
                *code += step * u32::from(is_positive(*value));
                strange |= *value != known_positive && *value != known_negative;
            }
        } else {
            for (row, code) in codes.iter_mut().enumerate() {
                if array.is_null(row) {
                    *code += step * MISSING as u32;
                } else {
                    let value = array.value(row);
                    *code += step * u32::from(is_positive(value));
                    strange |= value != known_positive && value != known_negative;
                }
            }
        }
        if strange {
            for value in array.iter().flatten() {
                let known = &mut self.seen_integers[usize::from(is_positive(value))];
                if *known != Some(value) {
                    known.get_or_insert(value);
                    self.labels.note(is_positive(value), || value.to_string());
                }
            }
        }
    }

    fn floats(&mut self, array: &ArrayRef, step: u32, codes: &mut [u32]) {
        let array = array.as_primitive::<Float64Type>();
        let mut last = [f64::NAN; 2];
        for (row, code) in codes.iter_mut().enumerate() {
            let value = if array.is_null(row) { f64::NAN } else { array.value(row) };
            if value.is_nan() {
                *code += step * MISSING as u32;
                continue;
            }
            let positive = self.rule.number == Some(value);
            *code += step * u32::from(positive);
            if last[usize::from(positive)] != value {
                last[usize::from(positive)] = value;
                self.labels.note(positive, || {
                    if value.fract() == 0.0 && value.abs() < 1e15 {
                        format!("{}", value as i64)
                    } else {
                        value.to_string()
                    }
                });
            }
        }
    }

    fn booleans(&mut self, array: &BooleanArray, step: u32, codes: &mut [u32]) {
        for (row, code) in codes.iter_mut().enumerate() {
            if array.is_null(row) {
                *code += step * MISSING as u32;
                continue;
            }
            let value = array.value(row);
            let positive = self.rule.truth == Some(value);
            *code += step * u32::from(positive);
            if !self.seen_booleans[usize::from(value)] {
                self.seen_booleans[usize::from(value)] = true;
                self.labels.note(positive, || value.to_string());
            }
        }
    }

    fn strings(&mut self, array: &StringArray, step: u32, codes: &mut [u32]) {
        let mut last: [Option<&str>; 2] = [None; 2];
        for (row, code) in codes.iter_mut().enumerate() {
            if array.is_null(row) || array.value(row).is_empty() {
                *code += step * MISSING as u32;
                continue;
            }
            let value = array.value(row);
            let positive = if last[POSITIVE] == Some(value) {
                true
            } else if last[NEGATIVE] == Some(value) {
                false
            } else {
                let positive = self.rule.text(value);
                last[usize::from(positive)] = Some(value);
                self.labels.note(positive, || value.to_owned());
                positive
            };
            *code += step * u32::from(positive);
        }
    }

    fn dictionary(&mut self, array: &ArrayRef, step: u32, codes: &mut [u32]) {
        let array = array.as_any_dictionary();
        let values = array.values().as_string::<i32>();
        let meaning: Vec<usize> = (0..values.len())
            .map(|index| {
                if values.is_valid(index) && !values.value(index).is_empty() {
                    usize::from(self.rule.text(values.value(index)))
                } else {
                    MISSING
                }
            })
            .collect();
        // A dictionary may hold values that no row has: only what is used counts.
        let mut used = vec![false; values.len()];
        for ((row, code), key) in codes.iter_mut().enumerate().zip(array.normalized_keys()) {
            if array.is_null(row) || meaning.is_empty() {
                *code += step * MISSING as u32;
            } else {
                used[key] = true;
                *code += step * meaning[key] as u32;
            }
        }
        for index in (0..values.len()).filter(|index| used[*index] && meaning[*index] != MISSING) {
            self.labels.note(meaning[index] == POSITIVE, || values.value(index).to_owned());
        }
    }
}
