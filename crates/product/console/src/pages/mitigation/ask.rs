//! The form that asks for a mitigation: filled in beforehand from the analysis, and from the recommendation that
//! led to it.

use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect},
};
use ephor_assurance::{
    analysis::analysis_get,
    mitigation::{MitigationCreate, mitigation_ask},
};
use ephor_fairness::{
    AnalysisSpec, Mitigation,
    mitigation::{LAW, Method},
    task::TaskSpec,
};
use ephor_kernel::{AnalysisId, Fault, MitigationId, Problem};
use ephor_rest::{Id, ListRequest};
use serde_json::{Map, Value, json};

use super::WORD;
use crate::{
    ConsoleState,
    error::page,
    pages::resource::{
        FormPage, browse_status,
        edit::{Sent, sent},
    },
    view::{Choice, Control, Field, Form as Fields},
    visit::{Answer, Visit},
};

/// The address of the form for what a recommendation advises; `None` where nothing can be computed.
pub(crate) fn prefilled(
    analysis: AnalysisId,
    mitigation: &Mitigation,
    attributes: &[String],
) -> Option<String> {
    let query = match mitigation {
        Mitigation::Reweighing { .. } => ListRequest::new().with("method", "reweighing"),
        Mitigation::GroupThresholds { equalises, .. } => {
            ListRequest::new().with("method", "threshold").with("constraint", constraint(equalises))
        }
        Mitigation::DrawnThresholds { equalises, .. } => ListRequest::new()
            .with("method", "threshold")
            .with("constraint", constraint(equalises))
            .with("randomized", "true"),
        Mitigation::Investigate { .. } => return None,
    };
    let query = query.with("protected", names(attributes)).to_query();
    Some(format!("/analyses/{analysis}/mitigate?{query}"))
}

/// The constraint that makes equal what a recommendation equalises.
fn constraint(equalises: &str) -> &'static str {
    match equalises {
        "tpr" => "equal_opportunity",
        "fpr" => "false_positive_rate_parity",
        "equalized_odds" => "equalized_odds",
        _ => "demographic_parity",
    }
}

/// Names of columns as one value of a form, whatever letters they have.
fn names(attributes: &[String]) -> String {
    json!(attributes).to_string()
}

/// `GET /analyses/{id}/mitigate`.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    form_page(&state, &visit, id, None).await
}

/// `POST /analyses/{id}/mitigate`.
pub(super) async fn create(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
    Form(form): Form<Sent>,
) -> Answer {
    visit.scope.require(WORD, "create")?;
    match asked(&state, &visit, id, &form).await {
        Ok(made) => Ok(Redirect::to(&format!("/mitigations/{made}")).into_response()),
        Err(problem) => form_page(&state, &visit, id, Some((&form, &problem))).await,
    }
}

async fn asked(
    state: &ConsoleState,
    visit: &Visit,
    id: AnalysisId,
    form: &Sent,
) -> Result<MitigationId, Problem> {
    mitigation_ask(&state.assurance, &visit.scope, id, &read(form)?).await
}

/// Reads the form.
fn read(form: &Sent) -> Result<MitigationCreate, Problem> {
    let text = |name| sent(form, name).map(str::trim).filter(|text| !text.is_empty());
    let mut faults = Vec::new();
    let mut body = Map::new();
    for name in ["name", "method", "constraint", "objective", "score"] {
        if let Some(text) = text(name) {
            body.insert(name.to_owned(), text.into());
        }
    }
    if let Some(tolerance) = text("tolerance") {
        match tolerance.parse::<f64>().ok().and_then(serde_json::Number::from_f64) {
            Some(number) => drop(body.insert("tolerance".to_owned(), Value::Number(number))),
            None => faults.push(Fault::new("/tolerance", "type", "This is not a number")),
        }
    }
    if let Some(seed) = text("seed") {
        match seed.parse::<u64>() {
            Ok(seed) => drop(body.insert("seed".to_owned(), seed.into())),
            Err(_) => faults.push(Fault::new("/seed", "type", "This is not a whole number")),
        }
    }
    if let Some(protected) = text("protected") {
        match serde_json::from_str::<Vec<String>>(protected) {
            Ok(names) => drop(body.insert("protected".to_owned(), names.into())),
            Err(_) => faults.push(Fault::new("/protected", "vocabulary", "Choose one of these")),
        }
    }
    body.insert("randomized".to_owned(), sent(form, "randomized").is_some().into());
    let known = serde_json::from_value(Value::Object(body));
    match known {
        Ok(create) if faults.is_empty() => Ok(create),
        Ok(_) => Err(Problem::invalid(faults)),
        // A browser sends none but those that are offered.
        Err(error) => {
            faults.push(Fault::new("/method", "vocabulary", error.to_string()));
            Err(Problem::invalid(faults))
        }
    }
}

async fn form_page(
    state: &ConsoleState,
    visit: &Visit,
    id: AnalysisId,
    refused: Option<(&Sent, &Problem)>,
) -> Answer {
    visit.scope.require(WORD, "create")?;
    visit.scope.require("bias_analyses", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let analysis = analysis_get(&mut tx, id).await?;
    tx.commit().await?;
    let Ok(TaskSpec::Binary(asked)) = TaskSpec::read(&analysis.parameters) else {
        return Err(Problem::not_found("specification of decisions of yes or no").into());
    };
    let proposed = visit.query.get("protected").and_then(|names| serde_json::from_str(names).ok());
    let mut form = Fields::new(fields(&asked, proposed));
    let offered = ["method", "constraint", "randomized"];
    form.propose(|name| visit.query.get(name).filter(|_| offered.contains(&name)));
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let here = format!("/analyses/{id}");
    let answer = page(&FormPage {
        frame: visit
            .frame("Compute a mitigation", "/analyses")
            .crumb("Bias analyses", "/analyses")
            .crumb(&analysis.name, &here),
        lede: "Computed from the analysed data, kept, and applied to nothing until you say so."
            .to_owned(),
        form,
        action: format!("{here}/mitigate"),
        hidden: Vec::new(),
        submit: "Compute it",
        cancel: here,
    });
    Ok(match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    })
}

fn fields(asked: &AnalysisSpec, proposed: Option<Vec<String>>) -> Vec<Field> {
    let scored = asked.score.is_some();
    let choices = |all: &[(&str, &str)]| -> Vec<Choice> {
        all.iter().map(|(word, label)| Choice::new(*word, *label)).collect()
    };
    let method = if scored { Method::Threshold } else { Method::Reweighing };
    let of = |attributes: &[String]| Choice::new(names(attributes), attributes.join(" \u{d7} "));
    let mut groups = vec![of(&asked.protected)];
    let singles = asked.protected.iter().map(|name| of(std::slice::from_ref(name)));
    groups.extend(singles.filter(|_| asked.protected.len() > 1));
    let known = |names: &Vec<String>| names.iter().all(|name| asked.protected.contains(name));
    let chosen = proposed.filter(known).map(|names| of(&names));
    if let Some(chosen) = &chosen
        && !groups.contains(chosen)
    {
        groups.push(chosen.clone());
    }
    let value = chosen.or_else(|| groups.first().cloned()).map(|choice| choice.value);
    vec![
        Field::new("method", "Method")
            .select(choices(&[
                ("reweighing", "Reweighing: weights to train with again"),
                ("threshold", "Thresholds: one score threshold for each group"),
                ("reject_option", "Reject option: a band of scores decided for the disadvantaged"),
            ]))
            .value(method.as_str())
            .hint(format!("Thresholds and reject options decide by group. {LAW}"))
            .required(),
        Field::new("constraint", "What is made equal")
            .select(choices(&[
                ("demographic_parity", "Selection rates (demographic parity)"),
                ("equal_opportunity", "True positive rates (equal opportunity)"),
                ("false_positive_rate_parity", "False positive rates"),
                ("equalized_odds", "True and false positive rates (equalized odds)"),
            ]))
            .hint("Reweighing makes the shares of positive labels equal, whatever this says.")
            .required(),
        Field::new("protected", "Groups")
            .select(groups)
            .value(value.unwrap_or_default())
            .hint("Groups are the combinations of the attributes.")
            .required(),
        Field::new("objective", "As good as that allows")
            .select(choices(&[
                ("balanced_accuracy", "Balanced accuracy"),
                ("accuracy", "Accuracy"),
            ]))
            .required(),
        Field::new("tolerance", "Tolerance")
            .control(Control::Line("number"))
            .hint("How far from equal is accepted. Empty: 0.01, with draws 0, of a reject option 0.05."),
        Field::new("randomized", "Decide scores between two thresholds by draw")
            .control(Control::Check)
            .hint("Rates are then exactly equal on average; two people with the same score may be decided differently. Thresholds for equalized odds need it."),
        Field::new("score", "Column of scores")
            .value(asked.score.clone().unwrap_or_default())
            .hint("Reweighing needs none."),
        Field::new("seed", "Seed of draws").control(Control::Line("number")),
        Field::new("name", "Name").hint("Made from what is asked for, if you leave it empty."),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Sent {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_form_becomes_what_is_asked_for() {
        let made = read(&form(&[
            ("method", "threshold"),
            ("constraint", "equal_opportunity"),
            ("tolerance", "0.02"),
            ("protected", r#"["sex, or so","race"]"#),
            ("randomized", "true"),
            ("name", " "),
        ]))
        .unwrap();
        assert_eq!((made.tolerance, made.randomized, made.name), (Some(0.02), true, None));
        assert_eq!(made.protected.unwrap(), ["sex, or so", "race"]);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let problem = read(&form(&[
            ("method", "magic"),
            ("tolerance", "NaN"),
            ("seed", "-1"),
            ("protected", "sex"),
        ]))
        .unwrap_err();
        let pointers: Vec<&str> = problem.faults.iter().map(|fault| &*fault.pointer).collect();
        assert_eq!(pointers, ["/tolerance", "/seed", "/protected", "/method"]);
    }

    #[test]
    fn a_recommendation_leads_to_the_form_that_computes_it() {
        let id: AnalysisId = "01930b2e-7c1a-7def-8000-1b2c3d4e5f60".parse().unwrap();
        let thresholds =
            Mitigation::GroupThresholds { thresholds: Vec::new(), equalises: "tpr".into() };
        let href = prefilled(id, &thresholds, &["a&b".into()]).unwrap();
        assert!(href.contains("constraint=equal_opportunity"), "{href}");
        assert!(href.ends_with("protected=%5B%22a%26b%22%5D"), "{href}");
        let drawn =
            Mitigation::DrawnThresholds { rules: Vec::new(), equalises: "equalized_odds".into() };
        let href = prefilled(id, &drawn, &["sex".into()]).unwrap();
        assert!(
            href.contains("constraint=equalized_odds") && href.contains("randomized=true"),
            "{href}"
        );
        let advice = Mitigation::Investigate { advice: String::new() };
        assert_eq!(prefilled(id, &advice, &[]), None);
    }

    #[test]
    fn the_groups_that_were_advised_are_chosen() {
        let asked = AnalysisSpec::new("y", ["sex", "race", "age"]);
        let fields = Fields::new(fields(&asked, Some(vec!["sex".into(), "age".into()])));
        let groups = fields.field("protected").unwrap();
        assert_eq!(groups.value, r#"["sex","age"]"#);
        let Control::Select(choices) = &groups.control else { panic!() };
        assert_eq!(choices.len(), 5);
        assert_eq!(fields.field("method").unwrap().value, "reweighing", "there are no scores");
    }
}
