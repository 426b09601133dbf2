//! What is kept of rows: for each combination of attributes, how many decisions flip.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::{Decide, FlipSpec, pairs::Pairs};
use crate::{
    AnalysisError, Fault,
    cube::Labels,
    frame::{GroupReader, KeptGroups, Outcome},
    gather::{Gather, add_counts, damaged, pack, unpack},
};

/// Where a row's decisions come from: the one as it is, and the one with the attribute changed.
pub(crate) trait Decisions: Send + 'static {
    /// Both of each row; NaN where there is none.
    fn decide(&mut self, batch: &RecordBatch) -> Result<[Vec<f64>; 2], AnalysisError>;

    /// Why what was read is no yes and no.
    fn faults(&self, positive: Option<&str>) -> Vec<Fault>;
}

/// From two columns.
impl Decisions for [Outcome; 2] {
    fn decide(&mut self, batch: &RecordBatch) -> Result<[Vec<f64>; 2], AnalysisError> {
        let [decided, flipped] = self;
        Ok([decided.read(batch)?, flipped.read(batch)?])
    }

    fn faults(&self, positive: Option<&str>) -> Vec<Fault> {
        let [decided, flipped] = self;
        let mut faults = decided.faults("/prediction", positive);
        // One label that is named for both columns is wrong once.
        let more = flipped.faults("/flipped", positive);
        let is_new = |fault: &Fault| faults.iter().all(|one| one.where_ != fault.where_);
        let more: Vec<Fault> = more.into_iter().filter(is_new).collect();
        faults.extend(more);
        faults
    }
}

/// From whoever is asked.
impl Decisions for Decide {
    fn decide(&mut self, batch: &RecordBatch) -> Result<[Vec<f64>; 2], AnalysisError> {
        self(batch)
    }

    fn faults(&self, _: Option<&str>) -> Vec<Fault> {
        Vec::new()
    }
}

pub(crate) struct State<D> {
    pub(super) spec: FlipSpec,
    pub(super) groups: GroupReader,
    pub(super) decisions: D,
    pub(super) cells: Vec<Pairs>,
    /// Rows without a decision, and without a flipped one.
    pub(super) missing: [u64; 2],
}

#[derive(Serialize, Deserialize)]
struct Kept {
    groups: KeptGroups,
    cells: Vec<Pairs>,
    missing: [u64; 2],
    /// Of both columns, if they are ones of labels.
    labels: [Option<Labels>; 2],
}

/// Nothing yet of the spec's two columns.
pub(crate) fn of_columns(spec: &FlipSpec) -> State<[Outcome; 2]> {
    State::new(spec, spec.outcomes())
}

impl<D: Decisions> State<D> {
    pub(super) fn new(spec: &FlipSpec, decisions: D) -> Self {
        Self {
            groups: GroupReader::new(&spec.groups),
            spec: spec.clone(),
            decisions,
            cells: Vec::new(),
            missing: [0; 2],
        }
    }

    pub(super) fn add_decided(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        self.groups.read(batch)?;
        self.cells.resize(self.groups.len(), Pairs::default());
        let [decided, flipped] = self.decisions.decide(batch)?;
        for (row, (before, after)) in decided.into_iter().zip(flipped).enumerate() {
            self.missing[0] += u64::from(before.is_nan());
            self.missing[1] += u64::from(after.is_nan());
            let weight = self.groups.weights[row];
            if before.is_nan() || after.is_nan() || weight.is_nan() {
                continue;
            }
            self.cells[self.groups.cells[row] as usize].add(before > 0.5, after > 0.5, weight);
        }
        Ok(())
    }
}

impl Gather for State<[Outcome; 2]> {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        self.add_decided(batch)
    }

    fn rows(&self) -> u64 {
        self.groups.rows
    }

    fn size(&self) -> usize {
        self.groups.size() + self.cells.capacity() * size_of::<Pairs>()
    }

    fn kept(&mut self) -> Result<Vec<u8>, AnalysisError> {
        let [decided, flipped] = &self.decisions;
        pack(&Kept {
            groups: self.groups.kept(),
            cells: std::mem::take(&mut self.cells),
            missing: self.missing,
            labels: [decided.labels().cloned(), flipped.labels().cloned()],
        })
    }

    fn merge(&mut self, kept: &[u8]) -> Result<(), AnalysisError> {
        let kept: Kept = unpack(kept)?;
        let cells = self.groups.merge(&kept.groups)?;
        if kept.cells.len() != cells.len() {
            return Err(damaged("groups have no decisions"));
        }
        self.cells.resize(self.groups.len(), Pairs::default());
        for (cell, pairs) in cells.iter().zip(&kept.cells) {
            let mine = &mut self.cells[*cell as usize];
            *mine = mine.merged(pairs);
        }
        for (mine, theirs) in self.decisions.iter_mut().zip(&kept.labels) {
            mine.merge(theirs.as_ref());
        }
        add_counts(&mut self.missing, &kept.missing);
        Ok(())
    }
}
