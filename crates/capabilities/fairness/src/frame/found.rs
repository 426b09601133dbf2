//! What an analysis of any kind found: plain data, serialisable.

use serde::{Deserialize, Serialize};

use crate::{Disparity, Exclusion, MetricValue, Reference, Rows, Status, StatusCounts};

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// How many rows were read and used.
    pub rows: Rows,
    /// Rows that could not take part, by reason; empty when there are none.
    pub excluded: Vec<Exclusion>,
    /// Everybody together.
    pub overall: Line,
    /// By each attribute, then by their combinations to the spec's depth.
    pub comparisons: Vec<Comparison>,
    /// What the reader must know before trusting the numbers.
    pub notes: Vec<String>,
    /// How many judged disparities passed and did not.
    pub counts: StatusCounts,
    /// The worst status of any judged disparity; `None` when nothing could be judged.
    pub status: Option<Status>,
}

/// The groups of one attribute, or of several together, and how they differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The attributes.
    pub attributes: Vec<String>,
    /// Its name: the attributes joined by `|`.
    pub name: String,
    /// Whether groups can be compared at all.
    pub comparable: bool,
    /// Why not, if they cannot.
    pub reason: Option<String>,
    /// The group that `…_to_reference` compares with, and whether the spec chose it.
    pub reference: Option<Reference>,
    /// All groups, ordered by name.
    pub groups: Vec<Line>,
    /// How they differ.
    pub disparities: Vec<Disparity>,
    /// The worst status of the judged disparities.
    pub status: Option<Status>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its name: its values joined by `|`; `all` for everybody.
    pub name: String,
    /// Its value of each attribute.
    pub values: Vec<String>,
    /// Its rows that were used.
    pub n: u64,
    /// Sum of their weights; equal to `n` without weights.
    pub weight: f64,
    /// Below the least group size: not compared.
    pub small: bool,
    /// Every metric of the kind's registry, in its order.
    pub metrics: Vec<MetricValue>,
}

impl Line {
    /// The metric with this id.
    pub fn metric(&self, id: &str) -> Option<&MetricValue> {
        self.metrics.iter().find(|metric| metric.id == id)
    }
}

impl Comparison {
    /// The disparity with this id.
    pub fn disparity(&self, id: &str) -> Option<&Disparity> {
        self.disparities.iter().find(|disparity| disparity.id == id)
    }

    /// The group with this name.
    pub fn group(&self, name: &str) -> Option<&Line> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// Adds a disparity, and lets its status count.
    pub(crate) fn push(&mut self, disparity: Disparity) {
        self.status = self.status.max(disparity.status);
        self.disparities.push(disparity);
    }
}

impl Findings {
    /// Counts what passed and what did not.
    pub(crate) fn judged(mut self, more: &[&Comparison]) -> Self {
        self.count(more);
        self
    }

    /// Counts anew what passed and what did not.
    pub(crate) fn count(&mut self, more: &[&Comparison]) {
        let mut counts = StatusCounts::default();
        let mut worst = None;
        for comparison in self.comparisons.iter().chain(more.iter().copied()) {
            for status in comparison.disparities.iter().filter_map(|disparity| disparity.status) {
                worst = worst.max(Some(status));
                match status {
                    Status::Pass => counts.pass += 1,
                    Status::Warning => counts.warning += 1,
                    Status::Fail => counts.fail += 1,
                }
            }
        }
        (self.counts, self.status) = (counts, worst);
    }
}
