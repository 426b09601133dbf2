//! One explanation: its progress while it is computed, its plots once it is there.

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Redirect},
};
use ephor_assurance::{
    explanation::{
        Explanation, ValuesFormat, explanation_cancel, explanation_file, explanation_get,
        explanation_summary,
    },
    reports::pressed,
};
use ephor_explain::summary::Summary;
use ephor_kernel::{Clock as _, ExplanationId, Problem, SystemClock};
use ephor_registry::dataset::dataset_get;
use ephor_rest::{Id, ListRequest};
use ephor_store::OrgTx;

use super::{
    LIST, WORD,
    events::progress,
    kind,
    page::{Chosen, Done, ExplanationPage, State as Shown, Told},
};
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::{
        follow::Live,
        resource::{Action, Step},
    },
    plot::explained::{drawing, drawings},
    report::{ReportMeta, explained},
    view::{Badge, Choice, Field, Notice, format, json},
    visit::{Answer, Visit},
};

/// `GET /explanations/{id}`.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ExplanationId>,
) -> Answer {
    visit.scope.require(WORD, "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let explanation = explanation_get(&mut tx, id).await?;
    let is_ours = explanation.status == "completed" && explanation.values_sha256.is_some();
    let summary = if is_ours { Some(explanation_summary(&mut tx, id).await?) } else { None };
    let about = about(&state, &visit, &mut tx, &explanation).await?;
    tx.commit().await?;
    let shown = shown(&visit, &explanation, summary.as_ref());
    let frame = visit.frame(kind(&explanation.explanation_type), LIST).crumb("Explanations", LIST);
    let frame = if matches!(shown, Shown::Live(_)) { frame.live() } else { frame };
    Ok(page(&ExplanationPage {
        lede: about,
        badge: Badge::state(&explanation.status),
        actions: actions(&visit, &explanation),
        downloads: if is_ours { downloads(&visit, id) } else { Vec::new() },
        steps: steps(&visit, &explanation, &frame),
        frame,
        state: shown,
    }))
}

fn shown(visit: &Visit, explanation: &Explanation, summary: Option<&Summary>) -> Shown {
    match (explanation.status.as_str(), summary) {
        ("completed", Some(summary)) => Shown::Done(Box::new(done(
            explanation.id,
            summary,
            visit.query.get("feature"),
            visit.query.get("row"),
        ))),
        ("completed", None) => Shown::Ended(
            Notice::info("Another system made this explanation")
                .text("What it found is kept as it came, and is not shown here."),
        ),
        ("failed", _) => Shown::Ended(
            Notice::fail("The model could not be explained")
                .text(explanation.failure.clone().unwrap_or_default()),
        ),
        ("cancelled", _) => Shown::Ended(
            Notice::info("The explanation was cancelled").text("Nothing of it was kept."),
        ),
        _ => Shown::Live(Live {
            events: format!("/explanations/{}/events", explanation.id),
            progress: progress(explanation),
        }),
    }
}

/// All that the digest holds; of features and of single rows one each, which the reader chooses.
pub(crate) fn done(
    id: ExplanationId,
    summary: &Summary,
    feature: Option<&str>,
    row: Option<&str>,
) -> Done {
    let is_single = |name: &str| {
        ["dependence-", "waterfall-", "near-"].iter().any(|prefix| name.starts_with(prefix))
    };
    let all = drawings(summary);
    let (single, drawings): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|drawing| is_single(&drawing.name));
    let mut chosen = Vec::new();
    let of_features: Vec<Choice> = single
        .iter()
        .filter(|drawing| drawing.name.starts_with("dependence-"))
        .map(|drawing| Choice::new(&drawing.name, &drawing.title))
        .collect();
    chosen.extend(choose(summary, ("feature", "A feature", "Feature"), of_features, feature));
    let waterfalls = summary.waterfalls.iter().map(|one| ("waterfall", one.row));
    let rows = waterfalls.chain(summary.near.iter().map(|one| ("near", one.row)));
    let of_rows = rows
        .map(|(word, row)| {
            let label = format!("Row {}", format::count(row.saturating_add(1)));
            Choice::new(format!("{word}-{row}"), label)
        })
        .collect();
    chosen.extend(choose(summary, ("row", "A row", "Row"), of_rows, row));
    Done {
        here: format!("/explanations/{id}"),
        facts: explained::facts(summary, 1),
        drawings,
        chosen,
        tables: explained::tables(summary)
            .into_iter()
            .map(|(heading, table, facts)| Told { heading, table, facts })
            .collect(),
        notes: explained::notes(summary),
    }
}

fn choose(
    summary: &Summary,
    (id, title, label): (&'static str, &'static str, &'static str),
    choices: Vec<Choice>,
    asked: Option<&str>,
) -> Option<Chosen> {
    let first = choices.first()?.value.clone();
    let name = asked
        .filter(|asked| choices.iter().any(|choice| choice.value == *asked))
        .map_or(first, str::to_owned);
    Some(Chosen {
        id,
        title,
        drawing: drawing(summary, &name),
        choice: Field::new(id, label).select(choices).value(name),
    })
}

/// What was explained on what.
async fn about(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
    explanation: &Explanation,
) -> Result<String, Problem> {
    let mut parts = Vec::new();
    if visit.may("models", "read") {
        let model = explanation.model_id.uuid();
        let model = state.engine.get(tx, "models", model, &ListRequest::new()).await?;
        parts.push(json::text(&model, "name").to_owned());
    }
    if let Some(dataset) = explanation.dataset_id.filter(|_| visit.may("datasets", "read")) {
        parts.push(dataset_get(tx, dataset).await?.name);
    }
    let background = explanation.background_dataset_id;
    if let Some(background) = background.filter(|_| visit.may("datasets", "read")) {
        parts.push(format!("background: {}", dataset_get(tx, background).await?.name));
    }
    parts.push(explanation.created_at.format("%Y-%m-%d %H:%M UTC").to_string());
    Ok(parts.join(" \u{b7} "))
}

fn actions(visit: &Visit, explanation: &Explanation) -> Vec<Action> {
    let model = visit.may("models", "read").then(|| {
        Action::new("Open the model", format!("/models/{}", explanation.model_id), "model")
    });
    let analysis = explanation.analysis_id.filter(|_| visit.may("bias_analyses", "read"));
    let analysis =
        analysis.map(|id| Action::new("Open the analysis", format!("/analyses/{id}"), "scale"));
    model.into_iter().chain(analysis).collect()
}

/// What can be kept of it.
fn downloads(visit: &Visit, id: ExplanationId) -> Vec<Action> {
    let file = |label: &str, name: &str| {
        Action::new(label, format!("/explanations/{id}/{name}"), "download")
    };
    let mut downloads = vec![file("HTML report", "report.html")];
    // Values of single rows, and what the API answers, are given out in one's own organization alone.
    if !visit.looks() {
        let digest = format!("/v1/model_explanations/{id}/summary");
        downloads.push(file("Values as Parquet", "values.parquet"));
        downloads.push(file("Values as CSV", "values.csv"));
        downloads.push(Action::new("Digest as JSON", digest, "download"));
    }
    downloads
}

fn steps(visit: &Visit, explanation: &Explanation, frame: &Frame) -> Vec<Step> {
    let id = explanation.id;
    let mut steps = Vec::new();
    if !explanation.ended() && visit.may(WORD, "cancel") {
        steps.push(
            Step::new("Cancel", format!("/explanations/{id}/cancel"), "cancelled", frame)
                .danger("Stop this explanation? Nothing of it is kept."),
        );
    }
    if explanation.ended() && visit.may(WORD, "delete") {
        steps.push(
            Step::new("Delete", format!("{LIST}/{id}/delete"), "trash", frame)
                .danger("Delete this explanation and its values? This cannot be undone."),
        );
    }
    steps
}

/// `POST /explanations/{id}/cancel`.
pub(super) async fn cancel(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ExplanationId>,
) -> Answer {
    visit.scope.require(WORD, "cancel")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    explanation_cancel(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/explanations/{id}?done=cancelled")).into_response())
}

async fn summary(
    state: &ConsoleState,
    visit: &Visit,
    id: ExplanationId,
) -> Result<(Summary, String), Problem> {
    visit.scope.require(WORD, "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let explanation = explanation_get(&mut tx, id).await?;
    let summary = explanation_summary(&mut tx, id).await?;
    let about = about(state, visit, &mut tx, &explanation).await?;
    tx.commit().await?;
    Ok((summary, about))
}

/// `GET /explanations/{id}/report.html`: all of it in one file.
pub(super) async fn report(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ExplanationId>,
) -> Answer {
    let (summary, about) = summary(&state, &visit, id).await?;
    let mut meta = ReportMeta::new("Explanation of a model", about, SystemClock.now());
    meta.organization = Some(visit.organization().to_owned());
    let text = explained::html(&[summary], &[], &meta).map_err(|error| {
        tracing::error!(%error, "a report could not be written");
        Problem::internal()
    })?;
    Ok(attachment("text/html; charset=utf-8", &format!("explanation-{id}.html"), text))
}

/// `GET /explanations/{id}/plots/{name}.svg` or `.png`: one plot as a file.
pub(super) async fn plot(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((id, file)): Path<(String, String)>,
) -> Answer {
    let id: ExplanationId = id.parse().map_err(|_| Problem::not_found("explanation"))?;
    let (summary, _) = summary(&state, &visit, id).await?;
    let missing = || Problem::not_found("plot");
    let (name, ending) = file.rsplit_once('.').ok_or_else(missing)?;
    let drawing = drawing(&summary, name).ok_or_else(missing)?;
    let file = format!("explanation-{id}-{}.{ending}", drawing.name);
    match ending {
        "svg" => Ok(attachment("image/svg+xml", &file, drawing.standalone())),
        "png" => {
            let picture = pressed(move || drawing.png().map_err(|error| undrawn(&error))).await?;
            Ok(attachment("image/png", &file, picture))
        }
        _ => Err(missing().into()),
    }
}

fn undrawn(error: &ephor_report::Error) -> Problem {
    tracing::error!(%error, "a plot could not be drawn");
    Problem::internal()
}

fn attachment(
    kind: &'static str,
    name: &str,
    content: impl IntoResponse,
) -> axum::response::Response {
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        // Whatever a browser does with it, it runs nothing here.
        (header::CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
    ];
    (headers, content).into_response()
}

/// `GET /explanations/{id}/values.parquet`.
pub(super) async fn parquet(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ExplanationId>,
) -> Answer {
    visit.scope.require(WORD, "read")?;
    Ok(explanation_file(&state.assurance, &visit.scope, id, ValuesFormat::Parquet).await?)
}

/// `GET /explanations/{id}/values.csv`.
pub(super) async fn csv(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<ExplanationId>,
) -> Answer {
    visit.scope.require(WORD, "read")?;
    Ok(explanation_file(&state.assurance, &visit.scope, id, ValuesFormat::Csv).await?)
}
