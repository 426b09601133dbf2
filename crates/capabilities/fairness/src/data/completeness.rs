//! What is missing of whom: of each column, the share of every group's rows that hold no value.

use std::collections::BTreeSet;

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{DataType, Float16Type, Float32Type, Float64Type, Schema},
};
use datafusion::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{DataReport, Table};
use crate::{
    AnalysisError, AnalysisSpec,
    frame::{GroupReader, Grouping, KeptGroups, column},
    gather::{Gather, Question, damaged, gather, pack, unpack},
    intervals::{Proportion, wilson::wilson, z},
    off_thread::off_thread,
    result::{Interval, IntervalMethod},
};

/// The most columns whose missing values are counted.
pub const MAX_COLUMNS: usize = 100;
/// The most numbers that a report holds of them: columns times groups, over all its tables.
pub const MAX_LINES: usize = 50_000;
/// The most counts that are kept while rows are read: columns times combinations of attributes.
const MAX_COUNTS: usize = 8 << 20;

/// What is missing of one column, by the groups of a table. Rows count, whatever their weight; NaN is no value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completeness {
    /// The column.
    pub column: String,
    /// Rows without a value, of all groups.
    pub missing: u64,
    /// Their share of all rows.
    pub share: f64,
    /// Each group of the table.
    pub groups: Vec<Absent>,
}

/// What is missing of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Absent {
    /// The group.
    pub name: String,
    /// Its rows.
    pub n: u64,
    /// Of these, rows without a value.
    pub missing: u64,
    /// Their share of its rows.
    pub share: f64,
    /// The interval of that (Wilson).
    pub interval: Interval,
}

pub(crate) struct State {
    groups: GroupReader,
    columns: Vec<String>,
    /// The rows of each combination of attributes.
    rows: Vec<u64>,
    /// Of each column, the rows of each combination that lack it; empty while none does.
    missing: Vec<Vec<u64>>,
}

/// Tells the tables of a report what is missing of every column but the label and the weights, the `features` first: one pass
/// over the data. What is too much to count is left out, and a note says so.
pub(super) async fn fill(
    report: &mut DataReport,
    table: DataFrame,
    spec: &AnalysisSpec,
    features: &[String],
    cancel: &CancellationToken,
) -> Result<(), AnalysisError> {
    let all = candidates(table.schema().as_arrow(), spec, features);
    let chosen: Vec<String> = all.iter().take(MAX_COLUMNS).cloned().collect();
    // Who lacks a value is counted, not weighed.
    let grouping = Grouping { weight: None, ..Grouping::from(spec) };
    let columns: Vec<&str> =
        GroupReader::columns(&grouping).chain(chosen.iter().map(String::as_str)).collect();
    let state = State::new(&grouping, chosen.clone());
    let question = || Question::Completeness { groups: grouping.clone(), columns: chosen.clone() };
    let state = gather(table, &columns, question, state, cancel).await?;
    let left_out = all.len() - state.columns.len();
    if left_out > 0 {
        report.notes.push(format!(
            "What is missing is told of {} columns; {left_out} more are left out.",
            state.columns.len()
        ));
    }
    let mut tables = std::mem::take(&mut report.tables);
    let (protected, confidence) = (spec.protected.clone(), spec.confidence);
    let (tables, skipped) = off_thread(move || {
        let skipped = state.tell(&mut tables, &protected, confidence);
        Ok((tables, skipped))
    })
    .await?;
    report.tables = tables;
    if !skipped.is_empty() {
        report.notes.push(format!(
            "There are too many groups and columns to tell what is missing by {}.",
            skipped.join(", ")
        ));
    }
    Ok(())
}

/// The columns of which something may be missing: the features, then all others in their order. Of the label it is told as
/// `labelled`.
fn candidates(schema: &Schema, spec: &AnalysisSpec, features: &[String]) -> Vec<String> {
    let fields = schema.fields().iter().map(|field| field.name());
    // What has a role was seen already.
    let mut seen: BTreeSet<&String> = spec.weight.iter().chain(&spec.target).collect();
    features.iter().chain(fields).filter(|name| seen.insert(*name)).cloned().collect()
}

#[derive(Serialize, Deserialize)]
struct Kept {
    groups: KeptGroups,
    rows: Vec<u64>,
    missing: Vec<Vec<u64>>,
}

impl Gather for State {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        self.groups.read(batch)?;
        let cells = self.grow();
        for cell in &self.groups.cells {
            self.rows[*cell as usize] += 1;
        }
        for (name, missing) in self.columns.iter().zip(&mut self.missing) {
            let absent = absent(column(batch, name)?.as_ref());
            if !absent.is_empty() {
                missing.resize(cells, 0);
            }
            for row in absent {
                missing[self.groups.cells[row] as usize] += 1;
            }
        }
        Ok(())
    }

    fn rows(&self) -> u64 {
        self.groups.rows
    }

    fn size(&self) -> usize {
        let counts = self.missing.iter().map(Vec::capacity).sum::<usize>() + self.rows.capacity();
        self.groups.size() + counts * 8
    }

    fn kept(&mut self) -> Result<Vec<u8>, AnalysisError> {
        pack(&Kept {
            groups: self.groups.kept(),
            rows: std::mem::take(&mut self.rows),
            missing: std::mem::take(&mut self.missing),
        })
    }

    fn merge(&mut self, kept: &[u8]) -> Result<(), AnalysisError> {
        let kept: Kept = unpack(kept)?;
        let here = self.groups.merge(&kept.groups)?;
        if kept.rows.len() != here.len() {
            return Err(damaged("groups have no rows"));
        }
        let cells = self.grow();
        let add = |mine: &mut [u64], theirs: &[u64]| {
            for (cell, rows) in here.iter().zip(theirs) {
                mine[*cell as usize] = mine[*cell as usize].saturating_add(*rows);
            }
        };
        add(&mut self.rows, &kept.rows);
        // Who met more combinations counted fewer columns.
        self.columns.truncate(kept.missing.len());
        self.missing.truncate(kept.missing.len());
        for (mine, theirs) in self.missing.iter_mut().zip(&kept.missing) {
            if !theirs.is_empty() {
                mine.resize(cells, 0);
                add(mine, theirs);
            }
        }
        Ok(())
    }
}

impl State {
    pub(crate) fn new(groups: &Grouping, columns: Vec<String>) -> Self {
        Self {
            groups: GroupReader::new(groups),
            missing: vec![Vec::new(); columns.len()],
            columns,
            rows: Vec::new(),
        }
    }

    /// Makes room for all combinations, of which it tells the number. Of very many, fewer columns are counted, in whatever order
    /// the rows come.
    fn grow(&mut self) -> usize {
        let cells = self.groups.len();
        let most = MAX_COUNTS / cells.max(1);
        self.columns.truncate(most);
        self.missing.truncate(most);
        self.rows.resize(cells, 0);
        cells
    }

    /// Tells each table, as long as there is room; the names of those for which there is none.
    fn tell(&self, tables: &mut [Table], protected: &[String], confidence: f64) -> Vec<String> {
        let (mut room, mut skipped) = (MAX_LINES, Vec::new());
        for table in tables {
            // A table says of its own attributes who lacks them: `(missing)` is a group.
            let columns: Vec<usize> = (0..self.columns.len())
                .filter(|at| !table.attributes.contains(&self.columns[*at]))
                .collect();
            let size = table.groups.len() * columns.len();
            if size > room {
                skipped.push(table.attributes.join("|"));
                continue;
            }
            room -= size;
            let places: Vec<usize> = table
                .attributes
                .iter()
                .filter_map(|name| protected.iter().position(|one| one == name))
                .collect();
            let groups = self.groups.groups(&places);
            let sum = |counts: &[u64], cells: &[usize]| -> u64 {
                cells.iter().filter_map(|cell| counts.get(*cell)).sum()
            };
            // Of a group it is the same by every column.
            let rows: Vec<u64> = groups.iter().map(|group| sum(&self.rows, &group.cells)).collect();
            let all: u64 = rows.iter().sum();
            table.completeness = columns
                .into_iter()
                .map(|at| {
                    let missing = &self.missing[at];
                    let groups: Vec<Absent> = groups
                        .iter()
                        .zip(&rows)
                        .map(|(group, n)| {
                            Absent::of(&group.name, *n, sum(missing, &group.cells), confidence)
                        })
                        .collect();
                    let missing: u64 = groups.iter().map(|group| group.missing).sum();
                    Completeness {
                        column: self.columns[at].clone(),
                        missing,
                        share: share(missing, all),
                        groups,
                    }
                })
                .collect();
        }
        skipped
    }
}

impl Absent {
    fn of(name: &str, n: u64, missing: u64, confidence: f64) -> Self {
        let share = share(missing, n);
        let (lower, upper) = wilson(Proportion { p: share, n: n.max(1) as f64 }, z(confidence));
        Self {
            name: name.to_owned(),
            n,
            missing,
            share,
            interval: Interval { lower, upper, confidence, method: IntervalMethod::Wilson },
        }
    }
}

fn share(missing: u64, all: u64) -> f64 {
    missing as f64 / all.max(1) as f64
}

/// The rows of a column that hold no value.
fn absent(array: &dyn Array) -> Vec<usize> {
    let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
    let rows = 0..array.len();
    match array.data_type() {
        DataType::Float64 => {
            let numbers = array.as_primitive::<Float64Type>().values();
            rows.filter(|row| is_null(*row) || numbers[*row].is_nan()).collect()
        }
        DataType::Float32 => {
            let numbers = array.as_primitive::<Float32Type>().values();
            rows.filter(|row| is_null(*row) || numbers[*row].is_nan()).collect()
        }
        DataType::Float16 => {
            let numbers = array.as_primitive::<Float16Type>().values();
            rows.filter(|row| is_null(*row) || numbers[*row].is_nan()).collect()
        }
        // A dictionary of numbers may hold a NaN among its values.
        DataType::Dictionary(_, kind) if kind.is_floating() => {
            let dictionary = array.as_any_dictionary();
            let values = dictionary.values();
            let mut is_absent = vec![false; values.len()];
            for value in absent(values.as_ref()) {
                is_absent[value] = true;
            }
            if values.is_empty() {
                return rows.collect();
            }
            let keys = dictionary.normalized_keys();
            rows.filter(|row| is_null(*row) || is_absent[keys[*row]]).collect()
        }
        _ if nulls.is_none() => Vec::new(),
        _ => rows.filter(|row| is_null(*row)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, DictionaryArray, Float32Array, Float64Array, Int64Array, NullArray, StringArray,
    };

    use super::*;

    #[test]
    fn nulls_and_nan_are_no_values() {
        let keys = arrow::array::Int32Array::from(vec![Some(0), None, Some(1)]);
        let words: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::NAN]));
        let halves = arrow::compute::cast(
            &Float32Array::from(vec![Some(1.0), Some(f32::NAN), None]),
            &DataType::Float16,
        );
        let columns: [(ArrayRef, &[usize]); 8] = [
            (Arc::new(Float64Array::from(vec![Some(1.0), Some(f64::NAN), None])), &[1, 2]),
            (Arc::new(Float32Array::from(vec![Some(f32::NAN), Some(0.0), Some(1.0)])), &[0]),
            (Arc::new(Int64Array::from(vec![None, Some(1), Some(2)])), &[0]),
            (Arc::new(StringArray::from(vec!["a", "", "c"])), &[]),
            (Arc::new(NullArray::new(2)), &[0, 1]),
            // A dictionary may hold a null among its values.
            (Arc::new(DictionaryArray::new(keys.clone(), words)), &[1, 2]),
            (Arc::new(DictionaryArray::new(keys, numbers)), &[1, 2]),
            (halves.unwrap(), &[1, 2]),
        ];
        for (array, wanted) in columns {
            assert_eq!(absent(array.as_ref()), wanted, "{array:?}");
        }
    }

    #[test]
    fn features_come_first_and_roles_are_left_out() {
        let field = |name: &str| arrow::datatypes::Field::new(name, DataType::Int64, true);
        let schema = Schema::new(["w", "a", "y", "sex", "b"].map(field).to_vec());
        let spec = AnalysisSpec { weight: Some("w".to_owned()), ..AnalysisSpec::new("y", ["sex"]) };
        assert_eq!(candidates(&schema, &spec, &["b".to_owned()]), ["b", "a", "sex"]);
    }
}
