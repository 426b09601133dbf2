//! What is kept of rows: as many of them as there is room for, drawn at random if there are more.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::table::{Features, KeptFeatures};
use crate::{
    AnalysisError, AnalysisSpec,
    cube::Labels,
    frame::{GroupReader, Grouping, KeptGroups, Outcome},
    gather::{Gather, pack, unpack},
};

pub(crate) struct State {
    pub(super) spec: AnalysisSpec,
    pub(super) groups: GroupReader,
    pub(super) outcome: Outcome,
    pub(super) features: Features,
    /// Rows without an outcome.
    pub(super) missing: u64,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    groups: KeptGroups,
    /// Of the outcomes, if they are labels.
    labels: Option<Labels>,
    features: KeptFeatures,
    missing: u64,
}

impl State {
    /// `categories` says of each feature whether it is one of categories.
    pub(crate) fn new(spec: AnalysisSpec, categories: &[bool]) -> Self {
        Self {
            groups: GroupReader::new(&Grouping::from(&spec)),
            outcome: Outcome::of(&spec),
            features: Features::new(&spec.features, categories, spec.seed),
            missing: 0,
            spec,
        }
    }
}

impl Gather for State {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        self.groups.read(batch)?;
        let outcomes = self.outcome.read(batch)?;
        self.missing += outcomes.iter().map(|outcome| u64::from(outcome.is_nan())).sum::<u64>();
        self.features.read(batch, &self.groups.cells, &outcomes, &self.groups.weights)
    }

    fn rows(&self) -> u64 {
        self.groups.rows
    }

    fn size(&self) -> usize {
        self.groups.size() + self.features.size()
    }

    fn kept(&mut self) -> Result<Vec<u8>, AnalysisError> {
        pack(&Kept {
            groups: self.groups.kept(),
            labels: self.outcome.labels().cloned(),
            features: self.features.kept(),
            missing: self.missing,
        })
    }

    fn merge(&mut self, kept: &[u8]) -> Result<(), AnalysisError> {
        let kept: Kept = unpack(kept)?;
        let cells = self.groups.merge(&kept.groups)?;
        self.outcome.merge(kept.labels.as_ref());
        self.missing = self.missing.saturating_add(kept.missing);
        self.features.merge(&kept.features, &cells)
    }
}
