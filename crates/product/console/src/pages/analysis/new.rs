//! The form that asks for an analysis: filled in beforehand from the data set's profile.

use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect},
};
use ephor_assurance::analysis::analysis_create;
use ephor_kernel::{DatasetId, Problem};
use ephor_registry::dataset::{Dataset, dataset_get};
use ephor_rest::ListRequest;
use ephor_store::OrgTx;
use ephor_tabular::{Candidate, Profile, Roles, ValueKind, suggest_roles};

use super::{
    page::{AttributeRow, Columns, NewAnalysisPage},
    request::{self, KINDS, TASKS},
};
use crate::{
    ConsoleState,
    error::page,
    pages::{
        dataset,
        resource::{
            browse_status,
            edit::{Sent, sent},
            listing::choices,
        },
    },
    view::{Choice, Control, Field, Form as Fields, format},
    visit::{Answer, Visit},
};

/// A column with more values than this tells single people apart, not groups.
const MOST_GROUPS: u64 = 1_000;
/// The most reference groups that are offered.
const MOST_OFFERED: usize = 60;

/// The fields that stand folded away, until one of them is at fault.
const MORE: &[&str] =
    &["name", "strata", "score_threshold", "weight", "model_id", "seed", "description"];
const OF_TASKS: &[&str] = &["loss", "loss_bound", "list", "position", "top"];
const INDIVIDUAL: &[&str] = &["neighbours"];
const DATA: &[&str] = &["data_report", "data_population"];
const LAW: &[&str] =
    &["law_ll144", "law_eeoc", "law_unknown", "law_exclude_below", "law_exclude_reason"];

/// `GET /analyses/new?dataset=…`.
pub(super) async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let chosen = visit.query.get("dataset").and_then(|id| id.parse().ok());
    form_page(&state, &visit, chosen, None).await
}

/// `POST /analyses`.
pub(super) async fn create(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(form): Form<Sent>,
) -> Answer {
    visit.scope.require("bias_analyses", "create")?;
    match ask(&state, &visit, &form).await {
        Ok(id) => Ok(Redirect::to(&format!("/analyses/{id}")).into_response()),
        Err(problem) => {
            let chosen = sent(&form, "dataset_id").and_then(|id| id.parse().ok());
            form_page(&state, &visit, chosen, Some((&form, &request::as_fields(&problem)))).await
        }
    }
}

async fn ask(
    state: &ConsoleState,
    visit: &Visit,
    form: &Sent,
) -> Result<ephor_kernel::AnalysisId, Problem> {
    let create = request::analysis(form)?;
    // Outside of any transaction: opening a data set reads the object store.
    let table = (state.assurance.open_dataset)(visit.scope.clone(), create.dataset_id).await?;
    Problem::unless_empty(create.faults(&table))?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let id = analysis_create(&mut tx, &create).await?;
    tx.commit().await?;
    Ok(id)
}

async fn form_page(
    state: &ConsoleState,
    visit: &Visit,
    chosen: Option<DatasetId>,
    refused: Option<(&Sent, &Problem)>,
) -> Answer {
    visit.scope.require("bias_analyses", "create")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let ready = ListRequest::new().filter("status", "eq.ready").sort("-created_at");
    let mut datasets = choices(state, &mut tx, "datasets", ready).await?;
    // One data set needs no choosing.
    let chosen = chosen.or_else(|| match datasets.as_slice() {
        [only] => only.value.parse().ok(),
        _ => None,
    });
    let dataset = match chosen {
        Some(id) => Some(dataset_get(&mut tx, id).await?),
        None => None,
    };
    let models = models(state, visit, &mut tx).await?;
    tx.commit().await?;
    datasets.insert(0, Choice::new("", "Choose"));
    let mut columns = None;
    let mut form = Fields::default();
    if let Some((dataset, profile)) =
        dataset.as_ref().and_then(|dataset| Some((dataset, dataset.profile.as_ref()?)))
    {
        let roles = suggest_roles(profile);
        form = Fields::new(fields(profile, &roles, models));
        let mut offered = offered(dataset, profile, &roles);
        if let Some((values, problem)) = refused {
            form.fill(|name| sent(values, name));
            // The choice of attributes is no field of its own: its faults stand above the ticks.
            form.fields.push(Field::new("protected", "Protected attributes"));
            form.fields.push(Field::new("features", "Features"));
            form.fields.push(Field::new("data_features", "Columns"));
            form.refuse(problem);
            offered.data_faults = form.fields.pop().map(|field| field.faults).unwrap_or_default();
            offered.feature_faults =
                form.fields.pop().map(|field| field.faults).unwrap_or_default();
            offered.faults = form.fields.pop().map(|field| field.faults).unwrap_or_default();
            keep(&mut offered, values);
            let is_wrong = |names: &[&str]| {
                names
                    .iter()
                    .any(|name| form.field(name).is_some_and(|field| !field.faults.is_empty()))
            };
            offered.more_open = is_wrong(MORE);
            offered.individual_open = is_wrong(INDIVIDUAL) || !offered.feature_faults.is_empty();
            offered.tasks_open = is_wrong(OF_TASKS);
            offered.data_open = is_wrong(DATA) || !offered.data_faults.is_empty();
            offered.law_open = is_wrong(LAW);
        }
        columns = Some(offered);
    } else if let Some((_, problem)) = refused {
        form.refuse(problem);
    }
    let value = chosen.map(|id| id.to_string()).unwrap_or_default();
    let answer = page(&NewAnalysisPage {
        frame: visit.frame("Analyse for bias", "/analyses").crumb("Bias analyses", "/analyses"),
        lede: "Choose a data set, what is compared, and between whom.",
        dataset: Field::new("dataset", "Data set").select(datasets).value(value).required().live(),
        columns,
        form,
    });
    Ok(match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    })
}

async fn models(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
) -> Result<Vec<Choice>, Problem> {
    let mut models = vec![Choice::new("", "None")];
    if visit.may("models", "read") {
        models.extend(choices(state, tx, "models", ListRequest::new()).await?);
    }
    Ok(models)
}

fn likeliest(candidates: &[Candidate]) -> String {
    candidates.first().map(|candidate| candidate.column.clone()).unwrap_or_default()
}

fn fields(profile: &Profile, roles: &Roles, models: Vec<Choice>) -> Vec<Field> {
    let columns = |none: &str| -> Vec<Choice> {
        [Choice::new("", none)]
            .into_iter()
            .chain(profile.columns.iter().map(|column| Choice::plain(&column.name)))
            .collect()
    };
    let number = |name: &str, label: &str, value: &str| {
        Field::new(name, label).control(Control::Line("number")).value(value)
    };
    let kinds = KINDS.map(|(kind, label)| Choice::new(kind.as_str(), label)).to_vec();
    let tasks = TASKS.map(|(task, label)| Choice::new(task.as_str(), label)).to_vec();
    vec![
        Field::new("task", "What is predicted")
            .select(tasks)
            .required()
            .hint("Of numbers and classes, label and prediction hold these. Lists are ordered by a score or a position."),
        Field::new("target", "Label")
            .select(columns("None: predictions or scores alone"))
            .value(likeliest(&roles.target))
            .hint("The column that says what was really so. Without one, of yes or no: how groups are selected and scored, not whether rightly."),
        Field::new("positive_label", "Positive label")
            .hint("Which label counts as positive, where it is not 1 or true."),
        Field::new("prediction", "Prediction")
            .select(columns("None: from the score, or labels alone"))
            .value(likeliest(&roles.prediction))
            .hint("The column that says what the model decided."),
        Field::new("score", "Score")
            .select(columns("None"))
            .value(likeliest(&roles.score))
            .hint("The column that says how sure it was: for calibration and AUC."),
        Field::new("flipped", "Decision with the attribute changed")
            .select(columns("None"))
            .hint("The column of what the model decides with a protected attribute changed and all else left alone: predictions where there are predictions, scores otherwise. How many flip is told."),
        Field::new("analysis_type", "Kind").select(kinds).required(),
        number("difference_threshold", "Accepted difference", "0.1")
            .hint("A difference between groups up to this is accepted.")
            .required(),
        number("ratio_threshold", "Accepted shortfall of ratios", "0.2")
            .hint("0.2 is the four-fifths rule: a ratio of 0.8 or more is accepted.")
            .required(),
        number("confidence", "Confidence", "0.95").hint("Of all intervals.").required(),
        number("min_group_size", "Least group size", "30")
            .hint("Smaller groups are shown, but not compared.")
            .required(),
        number("intersection_depth", "Depth of intersections", "")
            .hint("How many attributes are combined; empty for all of them, 1 for none."),
        Field::new("name", "Name").hint("Made from what is analysed, if you leave it empty."),
        number("score_threshold", "Score threshold", "0.5")
            .hint("From which score on a prediction is positive, without a column of predictions."),
        Field::new("strata", "Strata")
            .select(columns("None"))
            .hint("A column, such as the job, within which groups are compared too."),
        Field::new("weight", "Weight")
            .select(columns("None"))
            .hint("How many people a row stands for."),
        Field::new("model_id", "Model").select(models).hint("Whose predictions these are."),
        number("seed", "Seed", "0").hint("The same seed gives the same intervals."),
        Field::new("description", "Description").control(Control::Area),
        Field::new("loss", "Loss")
            .select(vec![
                Choice::new("squared", "The square of the error"),
                Choice::new("absolute", "The error"),
            ])
            .hint("Of numbers: what a wrong prediction costs."),
        number("loss_bound", "Bound of the loss", "")
            .hint("Of numbers: no group's mean loss may be above it."),
        Field::new("list", "List")
            .select(columns("All rows are one list"))
            .hint("Of lists: the column that says which list a row is of."),
        Field::new("position", "Position")
            .select(columns("None: by the score"))
            .hint("Of lists: the column of positions; less is seen first. It goes before the score."),
        number("top", "Top", "10").hint("Of lists: how many rows are their top."),
        number("neighbours", "Neighbours", "5")
            .hint("How many of the rows most like it each row is compared with."),
        Field::new("data_report", "Describe the data alone")
            .control(Control::Check)
            .hint("Who is in them, what is missing of whom, and what goes together with whom."),
        Field::new("data_population", "Shares of the population")
            .control(Control::Area)
            .hint("A line for each attribute, such as `sex=Female:0.51,Male:0.49`; empty for none."),
        Field::new("law_ll144", "New York City Local Law 144: impact ratios")
            .control(Control::Check)
            .hint("Of selection, and of scores if there is a score; it asks for no labels. The law sets no pass line."),
        Field::new("law_eeoc", "Uniform Guidelines of the EEOC: four-fifths and tests")
            .control(Control::Check)
            .hint("Within strata too, if there are strata."),
        Field::new("law_unknown", "Values that say that a category is not known")
            .hint("With commas between, such as `unknown, n/a`; missing values are not known anyway."),
        number("law_exclude_below", "Least share of a category", "")
            .hint("Categories with a lesser share are left out of the comparison; at most 0.02."),
        Field::new("law_exclude_reason", "Why they are left out")
            .hint("Local Law 144 asks for a justification."),
    ]
}

/// The columns that may say who belongs to which group, the likeliest first.
fn offered(dataset: &Dataset, profile: &Profile, roles: &Roles) -> Columns {
    let suggested =
        |name: &str| roles.protected.iter().position(|candidate| candidate.column == name);
    let mut attributes: Vec<(usize, AttributeRow)> = profile
        .columns
        .iter()
        .filter(|column| {
            let continuous = matches!(column.kind, ValueKind::Number | ValueKind::Other);
            !continuous && (2..=MOST_GROUPS).contains(&column.distinct.count)
        })
        .map(|column| {
            let place = suggested(&column.name);
            let groups = column
                .top
                .iter()
                .take(MOST_OFFERED)
                .map(|top| Choice::plain(dataset::shown(&top.value)))
                .collect();
            let row = AttributeRow {
                name: column.name.clone(),
                chosen: place.is_some(),
                note: format!(
                    "{}, {}",
                    dataset::kind(column.kind),
                    format::plural(column.distinct.count, "value", "values")
                ),
                groups,
                reference: String::new(),
            };
            (place.unwrap_or(usize::MAX), row)
        })
        .collect();
    attributes.sort_by_key(|(place, _)| *place);
    Columns {
        dataset_id: dataset.id.to_string(),
        attributes: attributes.into_iter().map(|(_, row)| row).collect(),
        faults: Vec::new(),
        features: profile.columns.iter().map(|column| (column.name.clone(), false)).collect(),
        feature_faults: Vec::new(),
        data_features: profile.columns.iter().map(|column| (column.name.clone(), false)).collect(),
        data_faults: Vec::new(),
        more_open: false,
        tasks_open: false,
        individual_open: false,
        data_open: false,
        law_open: false,
    }
}

/// A refused form keeps its ticks and reference groups.
fn keep(columns: &mut Columns, values: &Sent) {
    for (field, ticks) in
        [("features", &mut columns.features), ("data_features", &mut columns.data_features)]
    {
        for (feature, chosen) in ticks {
            *chosen = values.iter().any(|(name, value)| name == field && value == feature);
        }
    }
    for attribute in &mut columns.attributes {
        attribute.chosen =
            values.iter().any(|(name, value)| name == "protected" && *value == attribute.name);
        let reference = format!("reference.{}", attribute.name);
        sent(values, &reference).unwrap_or_default().clone_into(&mut attribute.reference);
    }
}
