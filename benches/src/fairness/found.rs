//! What one program found in the data, and what that cost.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// What a piece of work cost, and the groups that it found.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Seconds of all processors.
    pub cpu: f64,
    /// Seconds on the wall.
    pub wall: f64,
    /// The process's resident memory at its highest, in bytes.
    pub peak: f64,
    /// By name, such as `Female|White|30-39`; empty when the work finds none.
    pub groups: BTreeMap<String, Group>,
    /// What Ephor said where it counted values together.
    #[serde(default)]
    pub pooled: Option<String>,
}

/// What all who count must agree on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Group {
    pub count: u64,
    pub selection_rate: f64,
    pub tpr: Option<f64>,
}

impl Measured {
    /// The groups are the same, rates to 1e-9.
    pub fn same_as(&self, other: &Self) -> Result<()> {
        ensure!(
            self.groups.len() == other.groups.len() && !self.groups.is_empty(),
            "{} groups and {}",
            self.groups.len(),
            other.groups.len()
        );
        for (name, ours) in &self.groups {
            let Some(theirs) = other.groups.get(name) else {
                anyhow::bail!("no group {name}");
            };
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-9;
            ensure!(
                ours.count == theirs.count
                    && close(ours.selection_rate, theirs.selection_rate)
                    && close(ours.tpr.unwrap_or(-1.0), theirs.tpr.unwrap_or(-1.0)),
                "{name}: {ours:?} is not {theirs:?}"
            );
        }
        Ok(())
    }
}
