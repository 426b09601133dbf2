//! The rows that are compared: features, outcome, group and weight of each.

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Schema},
};

use super::sample::{Reservoir, room};
use crate::{
    AnalysisError, Exclusion, Fault,
    cube::attribute::{AttributeReader, ReadError},
    frame::{Total, column, excluded, floats},
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

/// The same with numbers that can be compared.
pub(super) struct Matrix {
    /// Numbers and categories of a row.
    pub width: usize,
    /// Of these, so many are numbers, and come first.
    pub numeric: usize,
    pub numbers: Vec<f64>,
    pub cells: Vec<u32>,
    pub outcomes: Vec<f64>,
    pub weights: Vec<f64>,
}

impl Features {
    pub(super) fn new(names: &[String], schema: &Schema, seed: u64) -> Self {
        let column = |name: &String| {
            let kind = schema.field_with_name(name).map(arrow::datatypes::Field::data_type);
            let is_number = kind.is_ok_and(|kind| kind.is_numeric() || *kind == DataType::Null);
            (name.clone(), (!is_number).then(AttributeReader::new))
        };
        Self {
            columns: names.iter().map(column).collect(),
            reservoir: Reservoir::new(room(names.len()), seed),
            used: 0,
            numbers: Vec::new(),
            cells: Vec::new(),
            outcomes: Vec::new(),
            weights: Vec::new(),
            missing: vec![0; names.len()],
        }
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
                ReadError::TooMany(_) => {
                    let message =
                        format!("`{name}` has too many different values to be a feature.");
                    let fault = Fault::new(format!("/features/{at}"), "too_many_values", message);
                    AnalysisError::Invalid(vec![
                        fault.hint("Name a column of categories or of numbers."),
                    ])
                }
            })?;
            columns.push(codes.iter().map(|code| f64::from(*code)).collect());
        }
        let width = columns.len();
        for (row, cell) in cells.iter().enumerate() {
            let (outcome, weight) = (outcomes[row], weights[row]);
            let is_whole = columns.iter().all(|column| column[row].is_finite());
            if outcome.is_nan() || weight.is_nan() || weight <= 0.0 || !is_whole {
                continue;
            }
            let place = self.reservoir.place(self.used);
            self.used += 1;
            let Some(place) = place else { continue };
            if place == self.cells.len() {
                self.cells.push(*cell);
                self.outcomes.push(outcome);
                self.weights.push(weight);
                self.numbers.extend(columns.iter().map(|column| column[row]));
            } else {
                (self.cells[place], self.outcomes[place], self.weights[place]) =
                    (*cell, outcome, weight);
                for (number, column) in self.numbers[place * width..].iter_mut().zip(&columns) {
                    *number = column[row];
                }
            }
        }
        Ok(())
    }

    /// Rows that could not be compared.
    pub(super) fn excluded(&self, names: &[String]) -> Vec<Exclusion> {
        let missing = names.iter().zip(&self.missing).filter(|(_, rows)| **rows > 0);
        missing
            .map(|(name, rows)| excluded("missing_feature", name, *rows, "have no finite number"))
            .collect()
    }

    /// Numbers less their mean, in standard deviations; columns of one number only are left out.
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
            if reader.is_some() {
                categories.push(at);
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
            numbers.extend(categories.iter().map(|at| row[*at]));
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
