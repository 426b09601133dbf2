//! Each row's group: the combination of its protected attributes, and the weight that it counts with.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use serde::{Deserialize, Serialize};

use super::{Grouping, floats, read::column};
use crate::{
    AnalysisError, AnalysisSpec, Exclusion, Fault,
    analysis::{groupings, read_error},
    cube::{
        CubeError,
        attribute::{AttributeReader, ReadError},
        index::CellIndex,
        limits::MAX_INTERSECTION_GROUPS,
    },
    gather::damaged,
};

/// Reads protected attributes and weights, batch by batch.
pub(crate) struct GroupReader {
    grouping: Grouping,
    attributes: Vec<AttributeReader>,
    index: CellIndex,
    codes: Vec<Vec<u32>>,
    /// The cell of each row of the last batch.
    pub cells: Vec<u32>,
    /// The weight of each of its rows; NaN if it is none.
    pub weights: Vec<f64>,
    /// Rows read.
    pub rows: u64,
    invalid_weights: u64,
}

/// What a reader knows of the rows that it read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptGroups {
    rows: u64,
    invalid_weights: u64,
    /// Of each attribute, its values in the order of their codes, from 1.
    values: Vec<Vec<String>>,
    /// The codes of each cell.
    cells: Vec<Vec<u32>>,
}

/// A group: cells that share some attributes.
pub(crate) struct Joined {
    pub values: Vec<String>,
    pub name: String,
    /// In the order of the names of all their values.
    pub cells: Vec<usize>,
}

impl GroupReader {
    pub(crate) fn new(grouping: &Grouping) -> Self {
        let count = grouping.protected.len();
        Self {
            grouping: grouping.clone(),
            attributes: (0..count).map(|_| AttributeReader::new()).collect(),
            index: CellIndex::new(count),
            codes: vec![Vec::new(); count],
            cells: Vec::new(),
            weights: Vec::new(),
            rows: 0,
            invalid_weights: 0,
        }
    }

    /// The columns that it reads.
    pub(crate) fn columns(grouping: &Grouping) -> impl Iterator<Item = &str> {
        grouping.protected.iter().chain(&grouping.weight).map(String::as_str)
    }

    /// How many cells there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Finds each row's cell and weight.
    pub(crate) fn read(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        self.rows += batch.num_rows() as u64;
        for (attribute, name) in self.grouping.protected.iter().enumerate() {
            let array = column(batch, name)?;
            let read = self.attributes[attribute].read(array, &mut self.codes[attribute]);
            read.map_err(|error| match error {
                ReadError::Arrow(error) => AnalysisError::Read(error.into()),
                error @ ReadError::TooMany(_) => self.too_many(error.of_attribute(attribute)),
            })?;
        }
        self.index.reserve(self.attributes.iter().map(|reader| reader.dictionary.bits()));
        let cells = self.index.cells(&self.codes, &mut self.cells);
        cells.map_err(|_| self.too_many(CubeError::TooManyCells))?;
        self.weights.clear();
        match &self.grouping.weight {
            None => self.weights.resize(batch.num_rows(), 1.0),
            Some(name) => {
                for weight in floats(batch, name)? {
                    let is_weight = weight.is_finite() && weight >= 0.0;
                    self.invalid_weights += u64::from(!is_weight);
                    self.weights.push(if is_weight { weight } else { f64::NAN });
                }
            }
        }
        Ok(())
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.attributes.iter().map(AttributeReader::size).sum::<usize>()
            + self.index.size()
            + self.codes.iter().map(|codes| codes.capacity() * 4).sum::<usize>()
            + self.cells.capacity() * 4
            + self.weights.capacity() * 8
    }

    /// What it knows, for another reader of the same attributes.
    pub(crate) fn kept(&self) -> KeptGroups {
        let values = self
            .attributes
            .iter()
            .map(|reader| reader.dictionary.names().map(str::to_owned).collect());
        KeptGroups {
            rows: self.rows,
            invalid_weights: self.invalid_weights,
            values: values.collect(),
            cells: (0..self.len()).map(|cell| self.index.codes(cell).to_vec()).collect(),
        }
    }

    /// Adds what another knows; the number here of each of its cells.
    pub(crate) fn merge(&mut self, kept: &KeptGroups) -> Result<Vec<u32>, AnalysisError> {
        if kept.values.len() != self.attributes.len() {
            return Err(damaged("it is of other attributes"));
        }
        self.rows = self.rows.saturating_add(kept.rows);
        self.invalid_weights = self.invalid_weights.saturating_add(kept.invalid_weights);
        let mut here: Vec<Vec<u32>> = Vec::with_capacity(kept.values.len());
        for (attribute, values) in kept.values.iter().enumerate() {
            let dictionary = &mut self.attributes[attribute].dictionary;
            let codes = dictionary.codes_of(values.iter().map(String::as_str));
            here.push(
                codes.map_err(|error| {
                    self.too_many(ReadError::from(error).of_attribute(attribute))
                })?,
            );
        }
        self.index.reserve(self.attributes.iter().map(|reader| reader.dictionary.bits()));
        let mut cells = Vec::with_capacity(kept.cells.len());
        for codes in &kept.cells {
            let codes =
                codes.iter().zip(&here).map(|(code, here)| here.get(*code as usize).copied());
            let codes: Option<Vec<u32>> = codes.collect();
            let codes = codes.filter(|codes| codes.len() == here.len());
            let codes = codes.ok_or_else(|| damaged("a group has no name"))?;
            let cell = self.index.cell(&codes);
            cells.push(cell.map_err(|_| self.too_many(CubeError::TooManyCells))?);
        }
        Ok(cells)
    }

    /// The codes of a row of the last batch, one for each attribute.
    pub(crate) fn codes(&self, row: usize) -> impl Iterator<Item = u32> {
        self.codes.iter().map(move |codes| codes[row])
    }

    /// The codes of a cell, one for each attribute.
    pub(crate) fn codes_of(&self, cell: u32) -> impl Iterator<Item = u32> {
        self.index.codes(cell as usize).iter().copied()
    }

    fn too_many(&self, error: CubeError) -> AnalysisError {
        let spec: AnalysisSpec = self.grouping.as_spec("");
        read_error(DataFusionError::External(Box::new(error)), &spec)
    }

    /// Which attributes are compared: one by one, then together; and a sentence for each combination that has too many groups.
    pub(crate) fn groupings(&self) -> (Vec<Vec<usize>>, Vec<String>) {
        let all = groupings(self.attributes.len(), self.grouping.intersection_depth);
        let (mut kept, mut skipped) = (Vec::new(), Vec::new());
        for attributes in all {
            let count = if attributes.len() > 1 { self.groups(&attributes).len() } else { 0 };
            if count > MAX_INTERSECTION_GROUPS {
                let names = self.names(&attributes).join("|");
                skipped.push(format!("{names} has {count} groups: combinations with more than {MAX_INTERSECTION_GROUPS} are not analysed."));
            } else {
                kept.push(attributes);
            }
        }
        (kept, skipped)
    }

    /// The names of attributes.
    pub(crate) fn names(&self, attributes: &[usize]) -> Vec<String> {
        attributes.iter().map(|at| self.grouping.protected[*at].clone()).collect()
    }

    /// The groups by these attributes, ordered by their values.
    pub(crate) fn groups(&self, attributes: &[usize]) -> Vec<Joined> {
        let mut found: HashMap<Vec<u32>, Vec<usize>> = HashMap::new();
        for cell in self.by_name() {
            let codes = self.index.codes(cell);
            found.entry(attributes.iter().map(|at| codes[*at]).collect()).or_default().push(cell);
        }
        let mut groups: Vec<Joined> = found
            .into_iter()
            .map(|(codes, cells)| {
                let values: Vec<String> = attributes
                    .iter()
                    .zip(codes)
                    .map(|(at, code)| self.attributes[*at].dictionary.name(code).to_owned())
                    .collect();
                Joined { name: values.join("|"), values, cells }
            })
            .collect();
        groups.sort_by(|left, right| left.values.cmp(&right.values));
        groups
    }

    /// All cells by the names of their values: the order in which rows came must not show.
    pub(crate) fn by_name(&self) -> Vec<usize> {
        let mut cells: Vec<usize> = (0..self.len()).collect();
        cells.sort_by_cached_key(|cell| {
            let codes = self.index.codes(*cell).iter().zip(&self.attributes);
            codes.map(|(code, reader)| reader.dictionary.name(*code).to_owned()).collect::<Vec<_>>()
        });
        cells
    }

    /// Rows whose weight is none.
    pub(crate) fn excluded(&self) -> Vec<Exclusion> {
        let Some(column) = self.grouping.weight.as_ref().filter(|_| self.invalid_weights > 0)
        else {
            return Vec::new();
        };
        vec![excluded(
            "invalid_weight",
            column,
            self.invalid_weights,
            "have no weight of at least 0",
        )]
    }

    /// Nothing was read, or nothing that could be used.
    pub(crate) fn nothing(&self, used: u64, weight: f64) -> Option<AnalysisError> {
        let fault = if self.rows == 0 {
            Fault::new("/", "no_rows", "The data have no rows.")
                .hint("Check the file, and any filter in front of it.")
        } else if used == 0 {
            Fault::new("/", "no_usable_rows", "No row has all that this analysis needs.")
                .hint("Check that the columns named are filled with finite numbers or labels.")
        } else if !(weight > 0.0 && weight.is_finite()) {
            Fault::new(
                "/weight",
                "no_weight",
                "No row has a weight above 0, or they are too great.",
            )
            .hint("Weights are numbers of at least 0.")
        } else {
            return None;
        };
        Some(AnalysisError::Invalid(vec![fault]))
    }
}

/// An exclusion in words.
pub(crate) fn excluded(reason: &str, column: &str, rows: u64, what: &str) -> Exclusion {
    Exclusion {
        reason: reason.to_owned(),
        column: column.to_owned(),
        rows,
        sentence: format!("{rows} rows {what} in `{column}`: they are in no number."),
    }
}
