//! What is kept of rows: counts by combination of attributes, true and predicted class.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::{MulticlassSpec, classes::ClassReader};
use crate::{
    AnalysisError, Fault,
    frame::{GroupReader, KeptGroups},
    gather::{Gather, add_counts, damaged, pack, unpack},
    tally::Count,
};

/// The most counts that are kept: combinations of attributes, true and predicted class that occur.
const MAX_COUNTS: usize = 1 << 21;

/// Cell, true class and predicted class; class 0 is the missing one.
type Key = (u32, u16, u16);

pub(crate) struct State {
    pub(super) spec: MulticlassSpec,
    pub(super) groups: GroupReader,
    pub(super) classes: ClassReader,
    pub(super) counts: HashMap<Key, Count>,
    /// Rows without a true class, and without a predicted one.
    pub(super) missing: [u64; 2],
}

#[derive(Serialize, Deserialize)]
struct Kept {
    groups: KeptGroups,
    /// In the order of their codes, from 1.
    classes: Vec<String>,
    counts: Vec<(Key, Count)>,
    missing: [u64; 2],
}

impl State {
    pub(crate) fn new(spec: &MulticlassSpec) -> Self {
        Self {
            groups: GroupReader::new(&spec.groups),
            classes: ClassReader::new(&spec.target, &spec.prediction),
            spec: spec.clone(),
            counts: HashMap::new(),
            missing: [0; 2],
        }
    }

    fn bounded(&self) -> Result<(), AnalysisError> {
        if self.counts.len() <= MAX_COUNTS {
            return Ok(());
        }
        let message = format!(
            "The protected attributes and classes have more than {MAX_COUNTS} combinations in these data."
        );
        let fault = Fault::new("/protected", "too_many_groups", message)
            .hint("Analyse fewer attributes at once, or put their values into bands first.");
        Err(AnalysisError::Invalid(vec![fault]))
    }
}

impl Gather for State {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        self.groups.read(batch)?;
        self.classes.read(batch)?;
        let pairs = self.classes.truth.iter().zip(&self.classes.predicted);
        for (row, (truth, predicted)) in pairs.enumerate() {
            self.missing[0] += u64::from(*truth == 0);
            self.missing[1] += u64::from(*predicted == 0);
            let weight = self.groups.weights[row];
            if weight.is_nan() {
                continue;
            }
            let key = (self.groups.cells[row], *truth, *predicted);
            let one = Count { n: 1, w: weight, w2: weight * weight };
            *self.counts.entry(key).or_default() += one;
        }
        self.bounded()
    }

    fn rows(&self) -> u64 {
        self.groups.rows
    }

    fn size(&self) -> usize {
        self.groups.size()
            + self.classes.size()
            + self.counts.capacity() * size_of::<(Key, Count)>()
    }

    fn kept(&mut self) -> Result<Vec<u8>, AnalysisError> {
        pack(&Kept {
            groups: self.groups.kept(),
            classes: self.classes.names().map(str::to_owned).collect(),
            counts: std::mem::take(&mut self.counts).into_iter().collect(),
            missing: self.missing,
        })
    }

    fn merge(&mut self, kept: &[u8]) -> Result<(), AnalysisError> {
        let kept: Kept = unpack(kept)?;
        let cells = self.groups.merge(&kept.groups)?;
        let classes = self.classes.merge(&kept.classes)?;
        for ((cell, truth, predicted), count) in kept.counts {
            let class = |code: u16| classes.get(usize::from(code)).copied();
            let cell = cells.get(cell as usize).copied();
            let (Some(cell), Some(truth), Some(predicted)) = (cell, class(truth), class(predicted))
            else {
                return Err(damaged("a count is of no group or class"));
            };
            *self.counts.entry((cell, truth, predicted)).or_default() += count;
        }
        add_counts(&mut self.missing, &kept.missing);
        self.bounded()
    }
}
