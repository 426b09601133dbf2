//! One batch of rows to its weights or decisions.

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray},
    compute::cast,
    datatypes::{DataType, Float64Type},
    error::ArrowError,
};

use super::{ApplyReport, MitigationArtifact, Rules};
use crate::{
    cube::{AttributeReader, CellIndex, CubeError, LabelReader, Rule},
    tally::{MISSING, POSITIVE},
};

/// So many unknown groups are named.
const NAMED: usize = 20;

/// The columns of one batch that a mitigation needs.
pub(super) struct Columns<'b> {
    pub protected: Vec<&'b ArrayRef>,
    pub target: Option<&'b ArrayRef>,
    pub score: Option<&'b ArrayRef>,
    pub weight: Option<&'b ArrayRef>,
    pub row_id: Option<&'b ArrayRef>,
}

/// Whose rows a combination of values is.
#[derive(Clone, Copy, PartialEq)]
enum Owner {
    /// The group at this place among the rules.
    Group(usize),
    LeftOut,
    Unknown,
}

/// Turns batches into weights or decisions, and counts.
pub(super) struct Decider {
    artifact: MitigationArtifact,
    owners: HashMap<Vec<String>, Owner>,
    readers: Vec<AttributeReader>,
    index: CellIndex,
    target: LabelReader,
    /// The owner of each cell, and its rows.
    cells: Vec<(Owner, u64)>,
    buffers: (Vec<Vec<u32>>, Vec<u32>, Vec<u32>),
    rows: u64,
    pub report: ApplyReport,
}

impl Decider {
    pub(super) fn new(artifact: MitigationArtifact) -> Self {
        let attributes = artifact.spec.protected.len();
        let left_out = artifact.left_out.iter().map(|one| (one.values.clone(), Owner::LeftOut));
        let mut owners: HashMap<_, _> = left_out.collect();
        let ruled: Vec<&Vec<String>> = match &artifact.rules {
            Rules::Weights { groups } => groups.iter().map(|group| &group.values).collect(),
            Rules::Scores { groups, .. } => groups.iter().map(|group| &group.values).collect(),
        };
        owners.extend(
            ruled.into_iter().enumerate().map(|(at, values)| (values.clone(), Owner::Group(at))),
        );
        Self {
            owners,
            readers: (0..attributes).map(|_| AttributeReader::new()).collect(),
            index: CellIndex::new(attributes),
            target: LabelReader::new(Rule::new(Some(&artifact.labels.positive), false)),
            cells: Vec::new(),
            buffers: (vec![Vec::new(); attributes], Vec::new(), Vec::new()),
            rows: 0,
            report: ApplyReport::default(),
            artifact,
        }
    }

    /// The type of the column that is added.
    pub(super) fn data_type(&self) -> DataType {
        match &self.artifact.rules {
            Rules::Weights { .. } => DataType::Float64,
            Rules::Scores { .. } => match self.label_kind() {
                LabelKind::Number(..) => DataType::Int64,
                LabelKind::Truth => DataType::Boolean,
                LabelKind::Text => DataType::Utf8,
            },
        }
    }

    /// Decisions are written as labels are: as numbers, as true and false, or by their names.
    fn label_kind(&self) -> LabelKind {
        let labels = &self.artifact.labels;
        let whole =
            |label: &str| label.parse::<i64>().ok().filter(|number| number.to_string() == label);
        match (whole(&labels.negative), whole(&labels.positive)) {
            (Some(negative), Some(positive)) => LabelKind::Number(negative, positive),
            _ if labels.positive == "true" && labels.negative == "false" => LabelKind::Truth,
            _ => LabelKind::Text,
        }
    }

    /// The new column of one batch.
    pub(super) fn column(
        &mut self,
        columns: &Columns<'_>,
        rows: usize,
    ) -> Result<ArrayRef, CubeError> {
        let (mut codes, mut cells, mut labels) = std::mem::take(&mut self.buffers);
        for (attribute, ((reader, column), codes)) in
            self.readers.iter_mut().zip(&columns.protected).zip(&mut codes).enumerate()
        {
            reader.read(column, codes).map_err(|error| error.of_attribute(attribute))?;
        }
        self.index.reserve(self.readers.iter().map(|reader| reader.dictionary.bits()));
        self.index.cells(&codes, &mut cells).map_err(|_| CubeError::TooManyCells)?;
        for cell in self.cells.len()..self.index.len() {
            let owner = self.owners.get(&self.values(cell)).copied().unwrap_or(Owner::Unknown);
            self.cells.push((owner, 0));
        }
        for cell in &cells {
            self.cells[*cell as usize].1 += 1;
        }
        labels.clear();
        labels.resize(rows, 0);
        if let Some(target) = columns.target {
            self.target.read(target, 1, &mut labels).map_err(unreadable)?;
        }
        let made: ArrayRef = match &self.artifact.rules {
            Rules::Weights { .. } => Arc::new(self.weights(columns, &cells, &labels)?),
            Rules::Scores { .. } => {
                let decisions = self.decisions(columns, &cells)?;
                self.labelled(&decisions)
            }
        };
        self.rows += rows as u64;
        self.buffers = (codes, cells, labels);
        Ok(made)
    }

    fn values(&self, cell: usize) -> Vec<String> {
        let codes = self.index.codes(cell).iter().zip(&self.readers);
        codes.map(|(code, reader)| reader.dictionary.name(*code).to_owned()).collect()
    }

    /// The weight of each row: nothing for rows without label, which cannot be trained on.
    fn weights(
        &mut self,
        columns: &Columns<'_>,
        cells: &[u32],
        labels: &[u32],
    ) -> Result<Float64Array, CubeError> {
        let given = columns.weight.map(numbers).transpose()?;
        let Rules::Weights { groups } = &self.artifact.rules else {
            return Err(CubeError::Damaged("the rules are no weights"));
        };
        let report = &mut self.report;
        let weights = cells.iter().zip(labels).enumerate().map(|(row, (cell, label))| {
            if *label as usize == MISSING {
                report.without_label += 1;
                return None;
            }
            let factor = match self.cells[*cell as usize].0 {
                Owner::Group(at) => {
                    let group = &groups[at];
                    let factor =
                        if *label as usize == POSITIVE { group.positive } else { group.negative };
                    report.unseen_labels += u64::from(factor.is_none());
                    factor.unwrap_or(1.0)
                }
                Owner::LeftOut | Owner::Unknown => 1.0,
            };
            match &given {
                Some(given) if given.is_null(row) => None,
                Some(given) => Some(given.value(row) * factor),
                None => Some(factor),
            }
        });
        Ok(weights.collect())
    }

    /// Whether each row is selected: nothing for rows without score.
    fn decisions(
        &mut self,
        columns: &Columns<'_>,
        cells: &[u32],
    ) -> Result<Vec<Option<bool>>, CubeError> {
        let Rules::Scores { fallback, groups, .. } = &self.artifact.rules else {
            return Err(CubeError::Damaged("the rules decide nothing"));
        };
        let Some(score) = columns.score else {
            return Err(CubeError::Damaged("there are no scores"));
        };
        let (scores, seed) = (numbers(score)?, self.artifact.spec.seed);
        let ids =
            columns.row_id.map(|ids| cast(ids, &DataType::Utf8).map_err(unreadable)).transpose()?;
        let ids = ids.as_ref().map(AsArray::as_string::<i32>);
        let mut made = Vec::with_capacity(cells.len());
        for (row, cell) in cells.iter().enumerate() {
            let score = if scores.is_valid(row) { scores.value(row) } else { f64::NAN };
            if !score.is_finite() {
                self.report.without_score += 1;
                made.push(None);
                continue;
            }
            let rule = match self.cells[*cell as usize].0 {
                Owner::Group(at) => &groups[at].rule,
                Owner::LeftOut | Owner::Unknown => fallback,
            };
            let probability = rule.probability(score);
            let is_selected = if probability <= 0.0 || probability >= 1.0 {
                probability >= 1.0
            } else {
                self.report.drawn += 1;
                let id = ids.filter(|ids| ids.is_valid(row)).map(|ids| ids.value(row));
                let key = id.map_or(self.rows + row as u64, fold);
                draw(seed, key) < probability
            };
            self.report.selected += u64::from(is_selected);
            made.push(Some(is_selected));
        }
        Ok(made)
    }

    fn labelled(&self, decisions: &[Option<bool>]) -> ArrayRef {
        let labels = &self.artifact.labels;
        match self.label_kind() {
            LabelKind::Number(negative, positive) => {
                let number = |is_selected: bool| if is_selected { positive } else { negative };
                Arc::new(decisions.iter().map(|one| one.map(number)).collect::<Int64Array>())
            }
            LabelKind::Truth => Arc::new(decisions.iter().copied().collect::<BooleanArray>()),
            LabelKind::Text => {
                let name = |is_selected: bool| {
                    if is_selected { labels.positive.as_str() } else { labels.negative.as_str() }
                };
                Arc::new(decisions.iter().map(|one| one.map(name)).collect::<StringArray>())
            }
        }
    }

    /// What there was, once all batches are through.
    pub(super) fn finish(mut self) -> ApplyReport {
        self.report.rows = self.rows;
        let mut unknown: Vec<(u64, Vec<String>)> = Vec::new();
        for (cell, (owner, rows)) in self.cells.iter().enumerate() {
            match owner {
                Owner::Group(_) => {}
                Owner::LeftOut => self.report.left_out += rows,
                Owner::Unknown => {
                    self.report.unknown += rows;
                    unknown.push((*rows, self.values(cell)));
                }
            }
        }
        unknown.sort_unstable_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
        unknown.truncate(NAMED);
        self.report.unknown_groups = unknown.into_iter().map(|(_, values)| values).collect();
        self.report
    }
}

enum LabelKind {
    Number(i64, i64),
    Truth,
    Text,
}

fn numbers(array: &ArrayRef) -> Result<Float64Array, CubeError> {
    let array = cast(array, &DataType::Float64).map_err(unreadable)?;
    Ok(array.as_primitive::<Float64Type>().clone())
}

fn unreadable(error: ArrowError) -> CubeError {
    CubeError::Unreadable(error.to_string())
}

/// A number for a text: FNV-1a.
fn fold(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// A number in [0, 1) for a row: the same for the same seed and row (`SplitMix64`'s finaliser, twice).
fn draw(seed: u64, row: u64) -> f64 {
    let mix = |number: u64| {
        let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        number ^ (number >> 31)
    };
    (mix(mix(seed) ^ row) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_even_and_repeat() {
        let mean = (0..100_000).map(|row| draw(7, row)).sum::<f64>() / 1e5;
        assert!((mean - 0.5).abs() < 0.005, "{mean}");
        let low = (0..100_000).filter(|row| draw(8, *row) < 0.1).count();
        assert!((9_600..10_400).contains(&low), "{low}");
        assert_eq!(draw(3, 4), draw(3, 4));
        assert_ne!(draw(3, 4), draw(4, 4));
        assert_ne!(fold("a"), fold("b"));
    }
}
