//! Reading the rows that are compared: features, outcome, group and weight of each.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::{
    matrix::Matrix,
    sample::{Reservoir, room},
};
use crate::{
    AnalysisError, Exclusion, Fault,
    cube::attribute::{AttributeReader, ReadError},
    frame::{Total, column, excluded, floats},
    gather::{add_counts, damaged},
};

/// Reads features, and keeps as many rows as there is room for.
pub(super) struct Features {
    columns: Vec<(String, Option<AttributeReader>)>,
    reservoir: Reservoir,
    /// Rows with an outcome, a weight above 0 and all numbers.
    pub used: u64,
    /// Of the rows kept: the features of one after those of another, categories by their code.
    numbers: Vec<f64>,
    pub cells: Vec<u32>,
    outcomes: Vec<f64>,
    pub weights: Vec<f64>,
    /// Rows without a number, by feature.
    missing: Vec<u64>,
}

/// What is kept of rows, for others that have the same features.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptFeatures {
    used: u64,
    /// Of each feature, its categories in the order of their codes, from 1; none of numbers.
    categories: Vec<Option<Vec<String>>>,
    numbers: Vec<f64>,
    cells: Vec<u32>,
    outcomes: Vec<f64>,
    weights: Vec<f64>,
    /// What says who keeps a place.
    drawn: Vec<u64>,
    missing: Vec<u64>,
}

impl Features {
    /// `categories` says of each feature whether it is one of categories.
    pub(super) fn new(names: &[String], categories: &[bool], seed: u64) -> Self {
        let column = |(name, is_category): (&String, &bool)| {
            (name.clone(), is_category.then(AttributeReader::new))
        };
        Self {
            columns: names.iter().zip(categories).map(column).collect(),
            reservoir: Reservoir::new(room(names.len()), seed),
            used: 0,
            numbers: Vec::new(),
            cells: Vec::new(),
            outcomes: Vec::new(),
            weights: Vec::new(),
            missing: vec![0; names.len()],
        }
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        let readers = self.columns.iter().filter_map(|(_, reader)| reader.as_ref());
        readers.map(AttributeReader::size).sum::<usize>()
            + (self.numbers.capacity() + self.outcomes.capacity() + self.weights.capacity()) * 8
            + self.cells.capacity() * 4
            + self.reservoir.size()
    }

    pub(super) fn read(
        &mut self,
        batch: &RecordBatch,
        cells: &[u32],
        outcomes: &[f64],
        weights: &[f64],
    ) -> Result<(), AnalysisError> {
        let mut columns: Vec<Vec<f64>> = Vec::with_capacity(self.columns.len());
        let mut codes = Vec::new();
        for (at, (name, reader)) in self.columns.iter_mut().enumerate() {
            let Some(reader) = reader else {
                let numbers = floats(batch, name)?;
                let missing = numbers.iter().filter(|number| !number.is_finite()).count();
                self.missing[at] += missing as u64;
                columns.push(numbers);
                continue;
            };
            reader.read(column(batch, name)?, &mut codes).map_err(|error| match error {
                ReadError::Arrow(error) => AnalysisError::Read(error.into()),
                ReadError::TooMany(_) => too_many(at, name),
            })?;
            columns.push(codes.iter().map(|code| f64::from(*code)).collect());
        }
        let mut numbers = vec![0.0; columns.len()];
        for (row, cell) in cells.iter().enumerate() {
            let (outcome, weight) = (outcomes[row], weights[row]);
            let is_whole = columns.iter().all(|column| column[row].is_finite());
            if outcome.is_nan() || weight.is_nan() || weight <= 0.0 || !is_whole {
                continue;
            }
            self.used += 1;
            let drawn = self.reservoir.number(|| told_apart(&columns, outcomes, weights, cells));
            numbers.iter_mut().zip(&columns).for_each(|(number, column)| *number = column[row]);
            self.keep(drawn, &numbers, *cell, (outcome, weight));
        }
        Ok(())
    }

    /// Keeps a row, if it has a place.
    fn keep(&mut self, drawn: u64, numbers: &[f64], cell: u32, (outcome, weight): (f64, f64)) {
        let Some(place) = self.reservoir.place(drawn) else { return };
        if place == self.cells.len() {
            self.cells.push(cell);
            self.outcomes.push(outcome);
            self.weights.push(weight);
            self.numbers.extend_from_slice(numbers);
        } else {
            (self.cells[place], self.outcomes[place], self.weights[place]) =
                (cell, outcome, weight);
            self.numbers[place * numbers.len()..][..numbers.len()].copy_from_slice(numbers);
        }
    }

    /// What it keeps; the rows, it then no longer has.
    pub(super) fn kept(&mut self) -> KeptFeatures {
        let categories = self.columns.iter().map(|(_, reader)| {
            let names = reader.as_ref().map(|reader| reader.dictionary.names());
            names.map(|names| names.map(str::to_owned).collect())
        });
        KeptFeatures {
            used: self.used,
            categories: categories.collect(),
            numbers: std::mem::take(&mut self.numbers),
            cells: std::mem::take(&mut self.cells),
            outcomes: std::mem::take(&mut self.outcomes),
            weights: std::mem::take(&mut self.weights),
            drawn: self.reservoir.numbers(),
            missing: self.missing.clone(),
        }
    }

    /// Adds the rows that another kept, whose cells have these numbers here.
    pub(super) fn merge(
        &mut self,
        kept: &KeptFeatures,
        cells: &[u32],
    ) -> Result<(), AnalysisError> {
        let width = self.columns.len();
        let rows = kept.cells.len();
        let is_whole = kept.numbers.len() == rows * width
            && [kept.outcomes.len(), kept.weights.len(), kept.drawn.len()] == [rows; 3]
            && [kept.categories.len(), kept.missing.len()] == [width; 2];
        if !is_whole {
            return Err(damaged("rows lack features"));
        }
        // The code here of each code there, of each feature that has codes.
        let mut codes: Vec<Option<Vec<u32>>> = Vec::with_capacity(width);
        for (at, ((name, reader), names)) in
            self.columns.iter_mut().zip(&kept.categories).enumerate()
        {
            codes.push(match (reader, names) {
                (Some(reader), Some(names)) => {
                    let here = reader.dictionary.codes_of(names.iter().map(String::as_str));
                    Some(here.map_err(|_| too_many(at, name))?)
                }
                (None, None) => None,
                _ => return Err(damaged("a feature is of another kind")),
            });
        }
        let mut numbers = vec![0.0; width];
        for row in 0..rows {
            for ((number, codes), theirs) in
                numbers.iter_mut().zip(&codes).zip(&kept.numbers[row * width..])
            {
                *number = match codes {
                    None => *theirs,
                    Some(codes) => codes
                        .get(*theirs as usize)
                        .map(|code| f64::from(*code))
                        .ok_or_else(|| damaged("a category has no name"))?,
                };
            }
            let cell = cells.get(kept.cells[row] as usize);
            let cell = *cell.ok_or_else(|| damaged("a row is of no group"))?;
            self.keep(kept.drawn[row], &numbers, cell, (kept.outcomes[row], kept.weights[row]));
        }
        self.used = self.used.saturating_add(kept.used);
        add_counts(&mut self.missing, &kept.missing);
        Ok(())
    }

    /// Rows that could not be compared.
    pub(super) fn excluded(&self, names: &[String]) -> Vec<Exclusion> {
        let missing = names.iter().zip(&self.missing).filter(|(_, rows)| **rows > 0);
        missing
            .map(|(name, rows)| excluded("missing_feature", name, *rows, "have no finite number"))
            .collect()
    }

    /// Numbers less their mean, in standard deviations; columns of one number only are left out. Categories are numbered by name,
    /// in whatever order they came.
    pub(super) fn standardised(self) -> Matrix {
        let (rows, width) = (self.cells.len(), self.columns.len());
        let weight: f64 = self.weights.iter().sum();
        let mean = |of: &dyn Fn(usize) -> f64| {
            let mut total = Total::default();
            (0..rows).for_each(|row| total.add(self.weights[row] * of(row)));
            total.value() / weight
        };
        let (mut numeric, mut categories) = (Vec::new(), Vec::new());
        for (at, (_, reader)) in self.columns.iter().enumerate() {
            let number = |row: usize| self.numbers[row * width + at];
            if let Some(reader) = reader {
                categories.push((at, reader.dictionary.ranks()));
                continue;
            }
            let centre = mean(&number);
            let spread = mean(&|row| (number(row) - centre).powi(2)).sqrt();
            // What varies by rounding alone, or beyond any measure, says nothing.
            if spread.is_finite() && spread > 1e-13 * centre.abs() {
                numeric.push((at, centre, spread));
            }
        }
        let mut numbers = Vec::with_capacity(rows * (numeric.len() + categories.len()));
        for row in self.numbers.chunks_exact(width.max(1)) {
            numbers.extend(numeric.iter().map(|(at, centre, spread)| (row[*at] - centre) / spread));
            numbers.extend(categories.iter().map(|(at, ranks)| {
                f64::from(ranks.get(row[*at] as usize).copied().unwrap_or_default())
            }));
        }
        Matrix {
            width: numeric.len() + categories.len(),
            numeric: numeric.len(),
            numbers,
            cells: self.cells,
            outcomes: self.outcomes,
            weights: self.weights,
        }
    }
}

fn too_many(at: usize, name: &str) -> AnalysisError {
    let message = format!("`{name}` has too many different values to be a feature.");
    let fault = Fault::new(format!("/features/{at}"), "too_many_values", message);
    AnalysisError::Invalid(vec![fault.hint("Name a column of categories or of numbers.")])
}

/// A number that other rows hardly have, unless they are equal one by one: all bits of all values, folded.
fn told_apart(columns: &[Vec<f64>], outcomes: &[f64], weights: &[f64], cells: &[u32]) -> u64 {
    let numbers = columns.iter().flatten().chain(outcomes).chain(weights);
    let bits =
        numbers.map(|number| number.to_bits()).chain(cells.iter().map(|cell| (*cell).into()));
    bits.fold(0, |folded: u64, bits| {
        (folded.rotate_left(5) ^ bits).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    })
}
