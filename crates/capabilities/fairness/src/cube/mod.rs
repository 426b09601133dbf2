//! The cube: what one pass over the data leaves, and all that any metric needs.
//!
//! Counts by (protected attributes…, label, prediction), sums of scores by (attributes…, label), and a histogram of scores.
//! Its memory is bounded whatever the data are (see [`limits`]), and it is the same for every order and partitioning of the
//! rows: counts are integers, sums are exact (`sum::Sum`).

pub(crate) mod attribute;
mod bytes;
pub(crate) mod dictionary;
mod finish;
mod histogram;
pub(crate) mod index;
mod labels;
mod layout;
pub mod limits;
mod merge;
pub(crate) mod parquet;
pub(crate) mod pool;
mod repeats;
mod scores;
mod sound;
mod state;
mod sum;
mod table;
mod udaf;
mod watch;

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array},
    compute::cast,
    datatypes::{DataType, Float64Type},
};
pub use dictionary::{MISSING_NAME, OTHER_NAME};
pub use layout::{CubeError, Layout, dictionary_schema};
pub(crate) use state::State;
pub use udaf::{FUNCTION_NAME, fair_cube};
pub(crate) use udaf::{Reader, literal, literal_of};

pub(crate) use attribute::AttributeReader;
pub(crate) use histogram::{Binned, Histogram, Rows, tenth};
pub(crate) use index::CellIndex;
pub(crate) use labels::{LabelReader, Labels, Rule};
pub(crate) use pool::{MAX_KEPT, Pool, Pooled};
pub(crate) use scores::{LOSS_UNIT, ScoreCell};
pub(crate) use watch::Watch;

use crate::tally::MISSING;
use dictionary::Dictionary;
use repeats::Repeats;
use sum::Sum;
pub(crate) use table::ordered;

/// Sums of weights of one bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct WeightCell {
    pub weight: Sum,
    pub weight2: Sum,
}

/// What one pass over the data leaves.
#[derive(Debug, Clone)]
pub struct Cube {
    pub(crate) layout: Layout,
    pub(crate) attributes: Vec<AttributeReader>,
    /// Of each attribute, what is counted together; `None` if each value is counted by itself.
    pub(crate) pooled: Vec<Option<Pooled>>,
    pub(crate) target: LabelReader,
    pub(crate) prediction: LabelReader,
    pub(crate) index: CellIndex,
    /// Rows by cell, label and prediction: nine to a cell.
    pub(crate) counts: Vec<u64>,
    /// The same with weights; empty without.
    pub(crate) weights: Vec<WeightCell>,
    /// Three to a cell, by label; empty without scores.
    pub(crate) scores: Vec<ScoreCell>,
    /// Labelled rows by score.
    pub(crate) histogram: Histogram,
    /// Rows with a score and no label, by score.
    pub(crate) unlabelled: Histogram,
    /// Rows with scores that are not in `scores` and the histograms yet.
    pub(crate) repeats: Repeats,
    /// Rows read.
    pub(crate) rows: u64,
    /// Rows whose weight is missing, negative or not finite: they are in no count.
    pub(crate) invalid_weights: u64,
    /// Rows whose score is NaN or infinite: they count as without score.
    pub(crate) invalid_scores: u64,
    /// Least and greatest score.
    pub(crate) score_range: (f64, f64),
    buffers: Buffers,
}

#[derive(Debug, Clone, Default)]
struct Buffers {
    columns: Vec<Vec<u32>>,
    cells: Vec<u32>,
    buckets: Vec<u32>,
}

impl Cube {
    /// An empty cube.
    pub fn new(layout: Layout) -> Self {
        let named = layout.positive.clone();
        Self {
            attributes: (0..layout.attributes).map(|_| AttributeReader::new()).collect(),
            pooled: vec![None; layout.attributes],
            target: LabelReader::new(Rule::new(named.as_deref(), false)),
            prediction: LabelReader::new(Rule::new(named.as_deref(), true)),
            index: CellIndex::new(layout.attributes),
            counts: Vec::new(),
            weights: Vec::new(),
            scores: Vec::new(),
            histogram: Histogram::new(layout.weight),
            unlabelled: Histogram::unlabelled(layout.weight),
            repeats: Repeats::new(),
            rows: 0,
            invalid_weights: 0,
            invalid_scores: 0,
            score_range: (f64::INFINITY, f64::NEG_INFINITY),
            buffers: Buffers { columns: vec![Vec::new(); layout.attributes], ..Buffers::default() },
            layout,
        }
    }

    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        size_of::<Self>()
            + self.attributes.iter().map(AttributeReader::size).sum::<usize>()
            + self.index.size()
            + self.counts.capacity() * size_of::<u64>()
            + self.weights.capacity() * size_of::<WeightCell>()
            + self.scores.capacity() * size_of::<ScoreCell>()
            + self.histogram.size()
            + self.unlabelled.size()
            + self.repeats.size()
            + self
                .buffers
                .columns
                .iter()
                .chain([&self.buffers.cells, &self.buffers.buckets])
                .map(|buffer| buffer.capacity() * 4)
                .sum::<usize>()
    }

    /// How many combinations of attribute values occur.
    pub fn cells(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn dictionary(&self, attribute: usize) -> &Dictionary {
        &self.attributes[attribute].dictionary
    }

    /// Adds a batch of rows, its columns in the layout's order.
    pub fn update(&mut self, columns: &[ArrayRef]) -> Result<(), CubeError> {
        self.add_rows(columns, None)
    }

    /// Adds a batch of rows, each of them so many times. Not for weighted rows.
    pub(crate) fn update_times(
        &mut self,
        columns: &[ArrayRef],
        times: &[u32],
    ) -> Result<(), CubeError> {
        if self.layout.weight {
            return Err(CubeError::Damaged("weighted rows cannot be counted"));
        }
        self.add_rows(columns, Some(times))
    }

    fn add_rows(&mut self, columns: &[ArrayRef], times: Option<&[u32]>) -> Result<(), CubeError> {
        let attributes = self.layout.attributes;
        if columns.len() != self.layout.arguments() {
            return Err(CubeError::Damaged("the number of arguments does not fit the layout"));
        }
        let rows = columns.first().map_or(0, Array::len);
        self.rows += match times {
            Some(times) if times.len() == rows => times.iter().copied().map(u64::from).sum(),
            Some(_) => return Err(CubeError::Damaged("rows and their numbers differ")),
            None => rows as u64,
        };
        let mut rest = columns[attributes..].iter();
        let label = rest.next_if(self.layout.label);
        let prediction = rest.next_if(self.layout.prediction);
        let score = rest.next_if(self.layout.score).map(floats).transpose()?;
        let weight = rest.next_if(self.layout.weight).map(floats).transpose()?;

        let mut buffers = std::mem::take(&mut self.buffers);
        self.read_cells(&columns[..attributes], &mut buffers)?;
        buffers.buckets.clear();
        buffers.buckets.resize(rows, 0);
        match label {
            Some(label) => {
                self.target.read(label, 3, &mut buffers.buckets).map_err(unreadable)?;
            }
            None => buffers.buckets.fill(3 * MISSING as u32),
        }
        match (prediction, &score) {
            (Some(prediction), _) => {
                self.prediction.read(prediction, 1, &mut buffers.buckets).map_err(unreadable)?;
            }
            (None, Some(score)) => self.predict(score, &mut buffers.buckets),
            (None, None) => buffers.buckets.iter_mut().for_each(|bucket| *bucket += MISSING as u32),
        }
        self.refuse_hopeless_labels()?;

        let cells = self.index.len();
        self.counts.resize(cells * 9, 0);
        if let Some(weight) = &weight {
            self.weights.resize(cells * 9, WeightCell::default());
            self.add_weighted(weight, &mut buffers);
        } else {
            let places = buffers.cells.iter().zip(&buffers.buckets);
            let places = places.map(|(cell, bucket)| (cell * 9 + bucket) as usize);
            match times {
                Some(times) => places
                    .zip(times)
                    .for_each(|(place, times)| self.counts[place] += u64::from(*times)),
                None => places.for_each(|place| self.counts[place] += 1),
            }
        }
        if let Some(score) = &score {
            self.scores.resize(cells * 3, ScoreCell::default());
            self.histogram.reserve(cells);
            self.unlabelled.reserve(cells);
            match times {
                Some(times) => self.add_scores_times(score, times, &buffers)?,
                None => self.add_scores(score, weight.as_ref(), &buffers),
            }
        }
        self.buffers = buffers;
        Ok(())
    }

    fn read_cells(&mut self, columns: &[ArrayRef], buffers: &mut Buffers) -> Result<(), CubeError> {
        for (attribute, ((reader, column), codes)) in
            self.attributes.iter_mut().zip(columns).zip(&mut buffers.columns).enumerate()
        {
            reader.read(column, codes).map_err(|error| error.of_attribute(attribute))?;
        }
        self.index.reserve(self.attributes.iter().map(|reader| reader.dictionary.bits()));
        self.index.cells(&buffers.columns, &mut buffers.cells).map_err(|_| CubeError::TooManyCells)
    }

    fn refuse_hopeless_labels(&self) -> Result<(), CubeError> {
        let all = |labels: &Labels| {
            labels.positives.iter().chain(&labels.others).cloned().collect::<Vec<_>>()
        };
        if self.target.labels.hopeless() {
            return Err(CubeError::NoLabels(all(&self.target.labels)));
        }
        if self.prediction.labels.hopeless() {
            return Err(CubeError::NoPredictions(all(&self.prediction.labels)));
        }
        Ok(())
    }

    fn predict(&self, score: &Float64Array, buckets: &mut [u32]) {
        for (row, bucket) in buckets.iter_mut().enumerate() {
            let value = if score.is_valid(row) { score.value(row) } else { f64::NAN };
            *bucket += if value.is_finite() {
                u32::from(value >= self.layout.threshold)
            } else {
                MISSING as u32
            };
        }
    }

    /// Rows with a usable weight are counted; others are marked, so that no later step counts them.
    fn add_weighted(&mut self, weight: &Float64Array, buffers: &mut Buffers) {
        for (row, (cell, bucket)) in buffers.cells.iter().zip(&mut buffers.buckets).enumerate() {
            let value = if weight.is_valid(row) { weight.value(row) } else { f64::NAN };
            if !(value.is_finite() && value >= 0.0) {
                self.invalid_weights += 1;
                *bucket = EXCLUDED;
                continue;
            }
            let at = (cell * 9 + *bucket) as usize;
            self.counts[at] += 1;
            self.weights[at].weight.add(value, 1);
            self.weights[at].weight2.add(value * value, 1);
        }
    }
}

/// The bucket of rows that no count may include.
const EXCLUDED: u32 = u32::MAX;

fn floats(array: &ArrayRef) -> Result<Float64Array, CubeError> {
    let array = if *array.data_type() == DataType::Float64 {
        Arc::clone(array)
    } else {
        cast(array, &DataType::Float64).map_err(unreadable)?
    };
    Ok(array.as_primitive::<Float64Type>().clone())
}

fn unreadable(error: arrow::error::ArrowError) -> CubeError {
    CubeError::Unreadable(error.to_string())
}

trait NextIf<'a> {
    fn next_if(&mut self, there: bool) -> Option<&'a ArrayRef>;
}

impl<'a> NextIf<'a> for std::slice::Iter<'a, ArrayRef> {
    fn next_if(&mut self, there: bool) -> Option<&'a ArrayRef> {
        if there { self.next() } else { None }
    }
}
