//! Ask for a mitigation.

use std::collections::BTreeMap;

use ephor_fairness::{
    AnalysisSpec, MitigationSpec,
    mitigation::{Constraint, Method, Objective},
    task::TaskSpec,
};
use ephor_kernel::{AnalysisId, DatasetId, Fault, MitigationId, Problem};
use ephor_store::{OrgTx, StoreError, jobs::NewJob};
use ephor_tabular::Table;
use serde::Deserialize;

use super::{FIT_JOB, FitPayload, cut};
use crate::analysis::Analysis;

/// What is asked for. What it does not say of columns and groups is as the analysis has it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MitigationCreate {
    /// A name for people; made from the method and the attributes if it is not here.
    #[serde(default)]
    pub name: Option<String>,
    /// How.
    pub method: Method,
    /// What is to be equal.
    #[serde(default)]
    pub constraint: Constraint,
    /// What is to be as good as the constraint lets it be.
    #[serde(default)]
    pub objective: Objective,
    /// How far from equal is accepted.
    #[serde(default)]
    pub tolerance: Option<f64>,
    /// Whether scores between two thresholds may be decided by draw.
    #[serde(default)]
    pub randomized: bool,
    /// The seed of those draws.
    #[serde(default)]
    pub seed: u64,
    /// The column of scores.
    #[serde(default)]
    pub score: Option<String>,
    /// The protected attributes whose combinations are groups.
    #[serde(default)]
    pub protected: Option<Vec<String>>,
    /// Attribute to its advantaged group, for a reject option.
    #[serde(default)]
    pub reference_groups: Option<BTreeMap<String, String>>,
    /// Groups with fewer rows have no rule of their own.
    #[serde(default)]
    pub min_group_size: Option<u64>,
}

impl MitigationCreate {
    /// The specification, and the data set that it is about.
    ///
    /// # Errors
    /// `invalid` when the analysis has no data set, or another system ran it.
    pub fn spec(&self, analysis: &Analysis) -> Result<(MitigationSpec, DatasetId), Problem> {
        // Reading does not tell what is missing.
        let asked = TaskSpec::read(&analysis.parameters).ok();
        let asked = asked.filter(|spec| spec.faults().is_empty());
        let mut faults = self.own_faults();
        match &asked {
            Some(TaskSpec::Binary(asked)) if asked.target.is_none() => faults.push(
                Fault::new("/analysis", "no_labels", "The analysis has no column of labels")
                    .hint("Mitigations are computed from labels: analyse the data with them."),
            ),
            Some(TaskSpec::Binary(_)) => {}
            Some(_) => faults.push(
                Fault::new("/analysis", "task", "The analysis is not of decisions of yes or no")
                    .hint("Mitigations change such decisions, or how their labels are weighed."),
            ),
            None => faults.push(Fault::new(
                "/analysis",
                "no_specification",
                "The analysis has no specification: another system ran it",
            )),
        }
        if analysis.dataset_id.is_none() {
            faults.push(
                Fault::new("/analysis", "no_dataset", "The analysis has no data set any more")
                    .hint("Upload the data and analyse them: mitigations are computed from data."),
            );
        }
        match (asked, analysis.dataset_id) {
            (Some(TaskSpec::Binary(asked)), Some(dataset)) if asked.target.is_some() => {
                Ok((self.of(*asked), dataset))
            }
            _ => Err(Problem::invalid(faults)),
        }
    }

    fn of(&self, asked: AnalysisSpec) -> MitigationSpec {
        let protected = self.protected.clone().unwrap_or(asked.protected);
        // An analysis may name a reference for some attributes alone, which a reject option may not.
        let usual = || {
            let all = protected.iter().all(|name| asked.reference_groups.contains_key(name));
            let named = asked.reference_groups.iter().filter(|(name, _)| protected.contains(name));
            let named = named.map(|(name, group)| (name.clone(), group.clone()));
            if all { named.collect() } else { BTreeMap::new() }
        };
        MitigationSpec {
            constraint: self.constraint,
            objective: self.objective,
            tolerance: self.tolerance,
            randomized: self.randomized,
            seed: self.seed,
            prediction: asked.prediction,
            score: self.score.clone().or(asked.score),
            score_threshold: asked.score_threshold,
            positive_label: asked.positive_label,
            weight: asked.weight,
            reference_groups: self.reference_groups.clone().unwrap_or_else(usual),
            min_group_size: self.min_group_size.unwrap_or(asked.min_group_size),
            ..MitigationSpec::new(self.method, asked.target.unwrap_or_default(), protected)
        }
    }

    fn own_faults(&self) -> Vec<Fault> {
        name_fault("/name", self.name.as_deref()).into_iter().collect()
    }

    /// All that is wrong with it, the data set's columns considered.
    pub fn faults(&self, spec: &MitigationSpec, table: &Table) -> Vec<Fault> {
        let mut faults = self.own_faults();
        let schema = table.schema();
        let of_columns = ephor_fairness::column_faults(&spec.before(), &schema);
        faults.extend(spec.faults().into_iter().chain(of_columns).map(fault));
        faults
    }
}

/// What is wrong with a name, if there is one.
pub(super) fn name_fault(place: &'static str, name: Option<&str>) -> Option<Fault> {
    let name = name?;
    if name.contains('\0') {
        return Some(Fault::new(place, "nul", "A text holds a NUL character"));
    }
    let fits = !name.trim().is_empty() && name.chars().count() <= 200;
    (!fits).then(|| Fault::new(place, "length", "A name has 1 to 200 characters"))
}

/// A fault of the specification, as a fault of the request that holds it.
pub(super) fn fault(fault: ephor_fairness::Fault) -> Fault {
    let ephor_fairness::Fault { where_, code, message, hint } = fault;
    let made = Fault::new(where_, code, message);
    match hint {
        Some(hint) => made.hint(hint),
        None => made,
    }
}

/// Stores the mitigation and its job in the caller's transaction. The same one that waits or runs already is not
/// begun again: it is the answer.
///
/// The caller has checked [`MitigationCreate::faults`].
///
/// # Errors
/// `not_found` when the analysis is gone.
pub async fn mitigation_create(
    tx: &mut OrgTx,
    analysis: AnalysisId,
    dataset: DatasetId,
    create: &MitigationCreate,
    spec: &MitigationSpec,
) -> Result<MitigationId, Problem> {
    let organization = tx.organization().uuid();
    // Two who ask at once take turns.
    sqlx::query_scalar!(
        "select id from assurance.bias_analyses where organization_id = $1 and id = $2 for update",
        organization,
        analysis.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("bias analysis"))?;
    let parameters = serde_json::to_value(spec).map_err(|_| Problem::internal())?;
    let name = match &create.name {
        Some(name) => name.trim().to_owned(),
        None => default_name(spec),
    };
    let under_way = sqlx::query_scalar!(
        "select id from assurance.mitigation_artifacts
          where organization_id = $1 and analysis_id = $2 and parameters = $3 and name = $4
            and status in ('queued', 'running')
          limit 1",
        organization,
        analysis.uuid(),
        parameters,
        name,
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?;
    if let Some(under_way) = under_way {
        return Ok(under_way.into());
    }
    let id = MitigationId::new();
    let payload =
        serde_json::to_value(FitPayload { mitigation: id }).map_err(|_| Problem::internal())?;
    let job = tx.enqueue(NewJob { kind: FIT_JOB, payload, subject: Some(id.uuid()) }).await?;
    sqlx::query!(
        "insert into assurance.mitigation_artifacts
             (organization_id, id, name, analysis_id, dataset_id, kind, fairness_constraint, parameters, job_id, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        organization,
        id.uuid(),
        name,
        analysis.uuid(),
        dataset.uuid(),
        spec.method.as_str(),
        spec.constraint.as_str(),
        parameters,
        job.uuid(),
        tx.scope().principal().uuid(),
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(id)
}

fn default_name(spec: &MitigationSpec) -> String {
    let by = spec.protected.join(", ");
    let what = spec.constraint.as_str().replace('_', " ");
    let name = match spec.method {
        Method::Reweighing => format!("Weights by {by}"),
        Method::Threshold => format!("Thresholds by {by} for {what}"),
        Method::RejectOption => format!("Reject option by {by} for {what}"),
    };
    cut(&name, 200)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn create(body: serde_json::Value) -> MitigationCreate {
        serde_json::from_value(body).unwrap()
    }

    fn asked() -> AnalysisSpec {
        let mut asked = AnalysisSpec::new("y", ["sex", "race"]);
        asked.score = Some("p".into());
        asked.positive_label = Some("yes".into());
        asked.reference_groups.insert("sex".into(), "m".into());
        asked
    }

    #[test]
    fn what_is_not_said_is_as_the_analysis_has_it() {
        let spec = create(json!({ "method": "threshold" })).of(asked());
        assert_eq!((spec.target.as_str(), spec.score.as_deref()), ("y", Some("p")));
        assert_eq!(spec.protected, ["sex", "race"]);
        assert_eq!(spec.positive_label.as_deref(), Some("yes"));
        assert!(spec.reference_groups.is_empty(), "a reference for some alone is none");
        assert_eq!(default_name(&spec), "Thresholds by sex, race for demographic parity");

        let body = json!({ "method": "reject_option", "protected": ["sex"], "score": "q" });
        let spec = create(body).of(asked());
        assert_eq!((spec.protected.len(), spec.score.as_deref()), (1, Some("q")));
        assert_eq!(spec.reference_groups["sex"], "m");
        assert_eq!(spec.faults(), []);
    }

    #[test]
    fn a_long_name_is_cut_between_letters() {
        let mut spec = create(json!({ "method": "reweighing" })).of(asked());
        spec.protected = vec!["\u{e4}".repeat(500)];
        assert_eq!(default_name(&spec).chars().count(), 200);
    }

    #[test]
    fn unknown_words_are_refused() {
        let parse = |body| serde_json::from_value::<MitigationCreate>(body);
        assert!(parse(json!({ "method": "magic" })).is_err());
        assert!(parse(json!({ "method": "threshold", "treshold": 1 })).is_err());
        assert!(!create(json!({ "method": "threshold", "name": " " })).own_faults().is_empty());
    }
}
