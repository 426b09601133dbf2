//! The form that asks for an explanation: of a model, or of the model that an analysis is about.

use std::borrow::Cow;

use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect},
};
use ephor_assurance::{
    analysis::analysis_get,
    explanation::{ExplanationAsked, explanation_ask},
};
use ephor_kernel::{AnalysisId, Fault, Problem};
use ephor_rest::ListRequest;
use ephor_store::OrgTx;
use serde_json::{Map, Value, json};

use super::{LIST, WORD};
use crate::{
    ConsoleState,
    error::page,
    pages::resource::{
        FormPage, browse_status,
        edit::{Sent, sent},
        listing::choices,
    },
    view::{Choice, Control, Field, Form as Fields, json as row},
    visit::{Answer, Visit},
};

/// `GET /explanations/new?model=…`, `?analysis=…`.
pub(super) async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    form_page(&state, &visit, None).await
}

/// `POST /explanations`.
pub(super) async fn create(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(form): Form<Sent>,
) -> Answer {
    visit.scope.require(WORD, "create")?;
    let asked = match read(&form) {
        Ok(asked) => explanation_ask(&state.assurance, &visit.scope, &asked).await,
        Err(problem) => Err(problem),
    };
    match asked {
        Ok(id) => Ok(Redirect::to(&format!("/explanations/{id}")).into_response()),
        Err(problem) => form_page(&state, &visit, Some((&form, &as_fields(&problem)))).await,
    }
}

/// Faults of the specification stand beside the fields.
fn as_fields(problem: &Problem) -> Problem {
    let faults = problem.faults.iter().map(|fault| {
        let place = fault.pointer.strip_prefix("/parameters").unwrap_or(&fault.pointer);
        let place = if place == "/model_id" { "/artifact_id" } else { place };
        Fault { pointer: Cow::Owned(place.to_owned()), ..fault.clone() }
    });
    Problem { faults: faults.collect(), ..problem.clone() }
}

/// Reads the form.
fn read(form: &Sent) -> Result<ExplanationAsked, Problem> {
    let text = |name: &str| sent(form, name).map(str::trim).filter(|text| !text.is_empty());
    let list = |text: &str| -> Vec<String> {
        text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    let (mut faults, mut body, mut parameters) = (Vec::new(), Map::new(), Map::new());
    for name in ["artifact_id", "dataset_id", "background_dataset_id", "analysis_id"] {
        if let Some(text) = text(name) {
            body.insert(name.to_owned(), text.into());
        }
    }
    let kind = text("explanation_type").unwrap_or("shap");
    body.insert("explanation_type".to_owned(), kind.into());
    for name in ["group", "reference", "target", "metric", "scale", "effect"] {
        if let Some(text) = text(name) {
            parameters.insert(name.to_owned(), text.into());
        }
    }
    for name in
        ["rows", "background", "output", "repeats", "samples", "resamples", "top", "points", "seed"]
    {
        if let Some(text) = text(name) {
            match text.parse::<u64>() {
                Ok(number) => drop(parameters.insert(name.to_owned(), number.into())),
                Err(_) => faults.push(Fault::new(
                    format!("/{name}"),
                    "type",
                    "This is not a whole number",
                )),
            }
        }
    }
    if let Some(text) = text("precision") {
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                parameters.insert("precision".to_owned(), number.into());
            }
            _ => faults.push(Fault::new("/precision", "type", "This is not a number")),
        }
    }
    for name in ["columns", "features", "categorical"] {
        if let Some(text) = text(name) {
            parameters.insert(name.to_owned(), json!(list(text)));
        }
    }
    if let Some(rows) = text("single_rows") {
        let numbers: Result<Vec<u64>, _> = list(rows).iter().map(|one| one.parse()).collect();
        match numbers {
            // People count from 1.
            Ok(numbers) if numbers.iter().all(|number| *number > 0) => {
                let from_zero: Vec<u64> = numbers.iter().map(|number| number - 1).collect();
                parameters.insert("single_rows".to_owned(), json!(from_zero));
            }
            _ => faults.push(Fault::new(
                "/single_rows",
                "type",
                "These are not numbers of rows, counted from 1",
            )),
        }
    }
    if text("interactions").is_some() {
        parameters.insert("interactions".to_owned(), true.into());
    }
    body.insert("parameters".to_owned(), Value::Object(parameters));
    match serde_json::from_value(Value::Object(body)) {
        Ok(asked) if faults.is_empty() => Ok(asked),
        Ok(_) => Err(Problem::invalid(faults)),
        Err(error) => {
            faults.push(Fault::new("/explanation_type", "malformed", error.to_string()));
            Err(Problem::invalid(faults))
        }
    }
}

async fn form_page(
    state: &ConsoleState,
    visit: &Visit,
    refused: Option<(&Sent, &Problem)>,
) -> Answer {
    visit.scope.require(WORD, "create")?;
    visit.scope.require("model_artifacts", "read")?;
    visit.scope.require("datasets", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let analysis = match &refused {
        Some((values, _)) => sent(values, "analysis_id"),
        None => visit.query.get("analysis"),
    };
    let analysis: Option<AnalysisId> = analysis.and_then(|id| id.parse().ok());
    let (mut dataset, mut model) = (None, visit.query.get("model").map(str::to_owned));
    let mut name = None;
    if let Some(id) = analysis {
        visit.scope.require("bias_analyses", "read")?;
        let analysis = analysis_get(&mut tx, id).await?;
        dataset = analysis.dataset_id.map(|id| id.to_string());
        model = analysis.model_id.map(|id| id.to_string());
        name = Some(analysis.name);
    }
    let artifacts = artifacts(state, &mut tx, model.as_deref()).await?;
    let ready = ListRequest::new().filter("status", "eq.ready").sort("-created_at");
    let datasets = choices(state, &mut tx, "datasets", ready).await?;
    tx.commit().await?;
    let mut form = Fields::new(fields(artifacts, datasets));
    let asked = dataset.or_else(|| visit.query.get("dataset").map(str::to_owned));
    form.propose(|name| if name == "dataset_id" { asked.as_deref() } else { None });
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let (section, cancel) = match analysis {
        Some(id) => ("/analyses", format!("/analyses/{id}")),
        None => (LIST, LIST.to_owned()),
    };
    let frame = visit.frame("Explain a model", section);
    let frame = match (&name, analysis) {
        (Some(name), Some(_)) => frame.crumb("Bias analyses", "/analyses").crumb(name, &cancel),
        _ => frame.crumb("Explanations", LIST),
    };
    let answer = page(&FormPage {
        frame,
        lede:
            "What moves its predictions, computed from its file and a data set in the background."
                .to_owned(),
        form,
        action: "/explanations".to_owned(),
        hidden: analysis.map(|id| ("analysis_id", id.to_string())).into_iter().collect(),
        submit: "Explain",
        cancel,
    });
    Ok(match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    })
}

/// Files of models, those of this model alone if there is one.
async fn artifacts(
    state: &ConsoleState,
    tx: &mut OrgTx,
    model: Option<&str>,
) -> Result<Vec<Choice>, Problem> {
    let mut request = ListRequest::new().sort("-created_at").limit(200);
    // Not the names of the features, which may be many.
    request = request.fields(&["id", "file_name"]).include(&["model", "model_version"]);
    if let Some(model) = model {
        request = request.filter("model_id", format!("eq.{model}"));
    }
    let found = state.engine.list(tx, "model_artifacts", &request).await?.data;
    Ok(found
        .iter()
        .map(|artifact| {
            let of = |name: &str, column| {
                artifact.get(name).map_or("", |one| row::text(one, column)).to_owned()
            };
            let label = format!(
                "{} {}: {}",
                of("model", "name"),
                of("model_version", "semantic_version"),
                row::text(artifact, "file_name")
            );
            Choice::new(row::text(artifact, "id"), label)
        })
        .collect())
}

fn fields(mut artifacts: Vec<Choice>, mut datasets: Vec<Choice>) -> Vec<Field> {
    let choices = |all: &[(&str, &str)]| -> Vec<Choice> {
        all.iter().map(|(word, label)| Choice::new(*word, *label)).collect()
    };
    let number = |name: &str, label: &str| Field::new(name, label).control(Control::Line("number"));
    let none = artifacts.is_empty();
    // One file needs no choosing.
    if artifacts.len() != 1 {
        artifacts.insert(0, Choice::new("", "Choose"));
    }
    let itself = Choice::new("", "The data set itself");
    let backgrounds = std::iter::once(itself).chain(datasets.iter().cloned()).collect();
    datasets.insert(0, Choice::new("", "Choose"));
    let artifact = Field::new("artifact_id", "Model").select(artifacts).required();
    vec![
        if none {
            artifact.hint("There is no file yet. Upload one to a version, on the page of the model.")
        } else {
            artifact.hint("The file of a version.")
        },
        Field::new("dataset_id", "Data set")
            .select(datasets)
            .hint("With a column of numbers for each feature; a category is its number.")
            .required(),
        Field::new("explanation_type", "Method")
            .select(choices(&[
                ("shap", "SHAP: what each feature adds to each prediction"),
                ("global", "The model as a whole: what counts, and the effects of features"),
                ("permutation", "Permutation: what the model loses without each feature"),
                ("lime", "LIME: a linear model near single rows"),
            ]))
            .required(),
        number("rows", "Rows").hint("Empty: all for SHAP, ten for LIME, a sample for the others."),
        Field::new("group", "Groups").hint(
            "SHAP: the column that says who belongs to which group. Does the model reason differently about one?",
        ),
        Field::new("reference", "Group to compare with").hint("SHAP: the largest, if you leave it empty."),
        Field::new("target", "Label").hint("Permutation: the column that says what was really so."),
        Field::new("metric", "Metric")
            .select(choices(&[
                ("", "By the kind of model"),
                ("accuracy", "Accuracy"),
                ("log_loss", "Log loss"),
                ("roc_auc", "Area under the ROC curve"),
                ("r2", "R\u{b2}"),
                ("mean_squared_error", "Mean squared error"),
                ("mean_absolute_error", "Mean absolute error"),
            ]))
            .hint("Permutation: how good the model is."),
        Field::new("features", "Features")
            .hint("The model as a whole: those whose effects are shown, with commas between. Empty: those that count most."),
        Field::new("effect", "Effect")
            .select(choices(&[
                ("partial", "Partial dependence, with lines of single rows"),
                ("accumulated", "Accumulated local effects"),
            ]))
            .value("partial")
            .hint("The model as a whole: the second is right where features hang together."),
        Field::new("interactions", "Pairs of features too")
            .control(Control::Check)
            .hint("SHAP of trees: what two features add together, over a sample."),
        Field::new("scale", "Unit")
            .select(choices(&[
                ("margin", "The model's own sum, such as log-odds"),
                ("probability", "The probability"),
            ]))
            .value("margin")
            .hint("SHAP."),
        Field::new("background_dataset_id", "Background").select(backgrounds).hint(
            "Not for permutation: the rows that are compared with, such as the training data. Columns of the same names.",
        ),
        number("background", "Rows to compare with").hint(
            "Drawn by chance from the background. Empty: trees are explained by the ways of their training rows, unless a background is chosen.",
        ),
        Field::new("single_rows", "Single rows")
            .hint("SHAP: numbers of rows to be shown each by itself, from 1, with commas between. Empty: the first ten."),
        Field::new("categorical", "Categories")
            .hint("LIME and the model as a whole: features whose numbers are categories, with commas between."),
        number("repeats", "Repeats").hint("Permutation and LIME."),
        number("samples", "Samples").hint(
            "LIME: made-up rows. SHAP of models that are neither trees nor linear: combinations of features that are tried for a row.",
        ),
        Field::new("precision", "Precision").hint(
            "SHAP of models that are neither trees nor linear: enough when the largest standard error of a row is below this.",
        ),
        number("resamples", "Shuffles")
            .hint("SHAP with groups. Empty: as many as the number of comparisons needs."),
        number("top", "Features of a line").hint("LIME: how many at most."),
        number("points", "Points").hint("The model as a whole: at how many values of a feature."),
        number("output", "Output").hint("Which class, counted from 0, of a model of several."),
        Field::new("columns", "Columns").hint(
            "The data set's columns in the model's order, with commas between, where they have other names than its features.",
        ),
        number("seed", "Seed").hint("The same seed gives the same result."),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ephor_assurance::explanation::{EffectKind, Kind};

    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Sent {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_form_becomes_what_is_asked_for() {
        let asked = read(&form(&[
            ("artifact_id", "01930b2e-7c1a-7def-8000-1b2c3d4e5f60"),
            ("dataset_id", "01930b2e-7c1a-7def-8000-1b2c3d4e5f61"),
            ("background_dataset_id", "01930b2e-7c1a-7def-8000-1b2c3d4e5f62"),
            ("explanation_type", "global"),
            ("rows", "500"),
            ("features", "age, income ,"),
            ("effect", "accumulated"),
            ("single_rows", "1, 7"),
            ("metric", ""),
        ]))
        .unwrap();
        assert_eq!(asked.explanation_type, Kind::Global);
        let background = asked.background_dataset_id.unwrap().to_string();
        assert_eq!(background, "01930b2e-7c1a-7def-8000-1b2c3d4e5f62");
        let parameters = asked.parameters;
        assert_eq!((parameters.rows, parameters.effect), (Some(500), EffectKind::Accumulated));
        assert_eq!(parameters.features.unwrap(), ["age", "income"]);
        assert_eq!(parameters.single_rows.unwrap(), [0, 6]);
        assert_eq!(parameters.metric, None);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let problem = read(&form(&[
            ("explanation_type", "magic"),
            ("rows", "many"),
            ("seed", "-1"),
            ("single_rows", "0"),
        ]))
        .unwrap_err();
        let pointers: Vec<&str> = problem.faults.iter().map(|fault| &*fault.pointer).collect();
        assert_eq!(pointers, ["/rows", "/seed", "/single_rows", "/explanation_type"]);
    }

    #[test]
    fn faults_stand_beside_their_fields() {
        let problem = Problem::invalid(vec![
            Fault::new("/parameters/rows", "range", "x"),
            Fault::new("/model_id", "no_artifact", "x"),
            Fault::new("/background_dataset_id", "no_rows", "x"),
        ]);
        let faults = as_fields(&problem).faults;
        let pointers: Vec<&str> = faults.iter().map(|fault| &*fault.pointer).collect();
        assert_eq!(pointers, ["/rows", "/artifact_id", "/background_dataset_id"]);
    }
}
