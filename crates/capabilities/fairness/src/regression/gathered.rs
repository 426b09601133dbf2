//! What is kept of rows: sums for each combination of attributes, and the distribution of predictions.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::{Moments, RegressionSpec, distribution::Distribution};
use crate::{
    AnalysisError,
    frame::{GroupReader, KeptGroups, floats},
    gather::{Gather, add_counts, damaged, pack, unpack},
};

pub(crate) struct State {
    pub(super) spec: RegressionSpec,
    pub(super) groups: GroupReader,
    pub(super) moments: Vec<Moments>,
    pub(super) distribution: Distribution,
    /// Rows without a true number, and without a predicted one.
    pub(super) missing: [u64; 2],
}

#[derive(Serialize, Deserialize)]
struct Kept {
    groups: KeptGroups,
    moments: Vec<Moments>,
    distribution: Distribution,
    missing: [u64; 2],
}

impl State {
    pub(crate) fn new(spec: &RegressionSpec) -> Self {
        Self {
            groups: GroupReader::new(&spec.groups),
            spec: spec.clone(),
            moments: Vec::new(),
            distribution: Distribution::new(),
            missing: [0; 2],
        }
    }
}

impl Gather for State {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        self.groups.read(batch)?;
        self.moments.resize(self.groups.len(), Moments::default());
        let truth = floats(batch, &self.spec.target)?;
        let predicted = floats(batch, &self.spec.prediction)?;
        for (row, (truth, predicted)) in truth.into_iter().zip(predicted).enumerate() {
            self.missing[0] += u64::from(!truth.is_finite());
            self.missing[1] += u64::from(!predicted.is_finite());
            let weight = self.groups.weights[row];
            if !truth.is_finite() || !predicted.is_finite() || weight.is_nan() {
                continue;
            }
            let cell = self.groups.cells[row];
            self.moments[cell as usize].add(truth, predicted, weight);
            self.distribution.add(cell, predicted, weight);
        }
        Ok(())
    }

    fn rows(&self) -> u64 {
        self.groups.rows
    }

    fn size(&self) -> usize {
        self.groups.size()
            + self.moments.capacity() * size_of::<Moments>()
            + self.distribution.size()
    }

    fn kept(&mut self) -> Result<Vec<u8>, AnalysisError> {
        pack(&Kept {
            groups: self.groups.kept(),
            moments: std::mem::take(&mut self.moments),
            distribution: std::mem::take(&mut self.distribution),
            missing: self.missing,
        })
    }

    fn merge(&mut self, kept: &[u8]) -> Result<(), AnalysisError> {
        let kept: Kept = unpack(kept)?;
        let cells = self.groups.merge(&kept.groups)?;
        if kept.moments.len() != cells.len() {
            return Err(damaged("groups have no sums"));
        }
        self.moments.resize(self.groups.len(), Moments::default());
        for (cell, moments) in cells.iter().zip(&kept.moments) {
            let mine = &mut self.moments[*cell as usize];
            *mine = mine.merged(moments);
        }
        self.distribution
            .merge(kept.distribution, &cells)
            .ok_or_else(|| damaged("a prediction is of no group"))?;
        add_counts(&mut self.missing, &kept.missing);
        Ok(())
    }
}
