//! A report of the law that an analysis made beside its own findings.

use ephor_fairness::law::{LawReport, Rule};
use ephor_kernel::{AnalysisId, Code, Problem};
use ephor_store::OrgTx;

use super::{Completed, completed_get};

/// An analysis with a report of the law.
#[derive(Debug, Clone)]
pub struct Lawful {
    /// The analysis.
    pub completed: Completed,
    /// The report.
    pub report: LawReport,
}

/// The report of a rule, as it was made when the analysis ran.
///
/// # Errors
/// `not_found`; `conflict` when the analysis has not completed, or its inputs do not suffice, with what is missing.
pub async fn analysis_law(tx: &mut OrgTx, id: AnalysisId, rule: Rule) -> Result<Lawful, Problem> {
    let completed = completed_get(tx, id).await?;
    let result = completed.binary("the rules compare who was selected, which is known")?;
    if let Some(report) = result.law.iter().find(|report| report.rule() == rule) {
        let report = report.clone();
        return Ok(Lawful { completed, report });
    }
    let mut missing = Vec::new();
    let word = rule.as_str();
    missing.push(match &result.spec.law {
        None => format!("`law` in its parameters, with the rule `{word}`"),
        Some(_) => format!("the rule `{word}` among the `law.rules` of its parameters"),
    });
    if let Some(weight) = &result.spec.weight {
        missing.push(format!(
            "a count of people: its rows are weighted by `{weight}`, which the rules do not allow"
        ));
    }
    let missing = missing.join("; and ");
    Err(Problem::new(
        Code::Conflict,
        format!(
            "The analysis {id} holds no such report. It lacks {missing}. Ask for an analysis that has it"
        ),
    ))
}
