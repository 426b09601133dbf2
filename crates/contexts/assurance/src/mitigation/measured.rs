//! The analyses that say what a mitigation did: of the data as they were, and with its column.

use ephor_fairness::{AnalysisSpec, MitigationArtifact, column_faults, mitigation::Method};
use ephor_kernel::{AnalysisId, DatasetId, Problem};
use ephor_store::OrgTx;
use ephor_tabular::Table;

use super::cut;
use crate::analysis::{AnalysisCreate, analysis_attempt};

/// Which analyses there are to be.
pub(super) struct Measuring {
    /// What they are named after.
    pub name: String,
    /// The one that was there before, when it says how the data were.
    known: Option<AnalysisId>,
    before: AnalysisSpec,
    after: AnalysisSpec,
    /// Why there are to be none.
    unfit: Option<String>,
}

/// Those that were asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub before: Option<AnalysisId>,
    pub after: Option<AnalysisId>,
    /// Why some are missing.
    pub note: String,
}

impl Measuring {
    /// `asked` is the analysis that the mitigation belongs to; `known` names it when it is of the same data.
    pub fn new(
        name: String,
        asked: &AnalysisSpec,
        known: Option<AnalysisId>,
        artifact: &MitigationArtifact,
        column: &str,
        table: &Table,
    ) -> Self {
        let (before, after) = specs(asked, artifact, column);
        let faults = column_faults(&before, &table.schema());
        let messages: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Self {
            name,
            known: known.filter(|_| before == *asked),
            before,
            after,
            unfit: (!messages.is_empty())
                .then(|| cut(&format!("Not analysed: {}", messages.join(" ")), 10_000)),
        }
    }

    /// Asks for them. When one is refused, as beyond what the plan allows, the data set stands all the same.
    pub async fn ask(self, tx: &mut OrgTx, dataset: DatasetId) -> Result<Asked, Problem> {
        if let Some(note) = self.unfit {
            return Ok(Asked { note, ..Asked::default() });
        }
        let create = |what: &str, parameters: AnalysisSpec| AnalysisCreate {
            name: Some(format!("{}, {what}", cut(&self.name, 190))),
            description: "Made to see what a mitigation does.".to_owned(),
            dataset_id: dataset,
            model_id: None,
            parameters: parameters.into(),
        };
        let before = match self.known {
            Some(known) => Ok(known),
            None => analysis_attempt(tx, &create("before", self.before)).await?,
        };
        let after = match &before {
            Ok(_) => analysis_attempt(tx, &create("after", self.after)).await?,
            Err(problem) => Err(problem.clone()),
        };
        let refused = after.as_ref().err().map(|problem| problem.detail.to_string());
        Ok(Asked {
            before: before.ok(),
            after: after.ok(),
            note: refused
                .map_or_else(String::new, |why| cut(&format!("Not analysed: {why}"), 10_000)),
        })
    }
}

/// Both specifications. Decisions are judged as they were, by the same attributes, with the new column in the place of
/// the predictions; of reweighed rows, labels alone are.
fn specs(
    asked: &AnalysisSpec,
    artifact: &MitigationArtifact,
    column: &str,
) -> (AnalysisSpec, AnalysisSpec) {
    let positive = Some(artifact.labels.positive.clone());
    if artifact.kind == Method::Reweighing {
        let before = AnalysisSpec {
            weight: asked.weight.clone(),
            positive_label: asked.positive_label.clone(),
            reference_groups: asked.reference_groups.clone(),
            intersection_depth: asked.intersection_depth,
            min_group_size: asked.min_group_size,
            thresholds: asked.thresholds.clone(),
            confidence: asked.confidence,
            seed: asked.seed,
            bootstrap_draws: asked.bootstrap_draws,
            ..AnalysisSpec::new(asked.target.clone().unwrap_or_default(), asked.protected.clone())
        };
        let weight = Some(column.to_owned());
        let after = AnalysisSpec { weight, positive_label: positive, ..before.clone() };
        return (before, after);
    }
    let prediction = Some(column.to_owned());
    let after = AnalysisSpec { prediction, positive_label: positive, ..asked.clone() };
    (asked.clone(), after)
}
