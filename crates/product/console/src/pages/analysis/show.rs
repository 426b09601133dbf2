//! One analysis: its progress while it runs, its result once it is there.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect},
};
use ephor_assurance::{
    analysis::{
        Analysis, analysis_cancel, analysis_data, analysis_get, analysis_law, analysis_result,
        completed_get,
    },
    reports::{LawFormat, ReportFormat, analysis_file, data_file, law_file},
};
use ephor_fairness::{law::Rule, task::TaskResult};
use ephor_kernel::{AnalysisId, Problem};
use ephor_registry::dataset::dataset_get;
use ephor_rest::{Id, ListRequest};
use ephor_store::OrgTx;

use super::page::{AnalysisPage, State as Shown};
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::{
        explanation,
        follow::{Live, Progress},
        mitigation,
        resource::{Action, Step},
    },
    result::{ResultView, TaskView},
    view::{Badge, Notice, json},
    visit::{Answer, Visit},
};

/// How far it is, for people.
pub(super) fn progress(analysis: &Analysis) -> Progress {
    Progress::of(&analysis.status, &analysis.progress_message, analysis.progress)
}

/// `GET /analyses/{id}`.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    visit.scope.require("bias_analyses", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let analysis = analysis_get(&mut tx, id).await?;
    let result = analysis_result(&mut tx, id).await?;
    let about = about(&state, &visit, &mut tx, &analysis).await?;
    let mitigations = match &result {
        Some(TaskResult::Binary(_)) => mitigation::section(&state, &visit, &mut tx, id).await?,
        _ => None,
    };
    let explanations = match (&result, analysis.model_id) {
        (Some(_), Some(_)) => {
            explanation::section(&state, &visit, &mut tx, explanation::Of::Analysis(id)).await?
        }
        _ => None,
    };
    tx.commit().await?;
    let shown = shown(&visit, &analysis, result.as_ref());
    let frame = visit.frame(&analysis.name, "/analyses").crumb("Bias analyses", "/analyses");
    let frame = match &shown {
        Shown::Done(_) | Shown::Task(_) => frame.plots(),
        Shown::Live(_) => frame.live(),
        Shown::Ended(_) => frame,
    };
    Ok(page(&AnalysisPage {
        lede: about,
        badge: Badge::state(&analysis.status),
        actions: actions(&visit, &analysis, result.is_some()),
        downloads: result.as_ref().map_or_else(Vec::new, |result| downloads(id, result)),
        steps: steps(&visit, &analysis, &frame),
        frame,
        state: shown,
        mitigations,
        explanations,
    }))
}

fn shown(visit: &Visit, analysis: &Analysis, result: Option<&TaskResult>) -> Shown {
    match (analysis.status.as_str(), result) {
        ("completed", Some(TaskResult::Binary(result))) => {
            let view = ResultView::new(result);
            let may = visit.may("mitigation_artifacts", "create");
            Shown::Done(Box::new(if may { view.offering(analysis.id, result) } else { view }))
        }
        ("completed", Some(result)) => Shown::Task(Box::new(TaskView::new(result))),
        ("completed", None) => Shown::Ended(
            Notice::info("Another system ran this analysis")
                .text("Its result is kept as it came, and is not shown here."),
        ),
        ("failed", _) => Shown::Ended(
            Notice::fail("The analysis could not be finished")
                .text(analysis.failure.clone().unwrap_or_default()),
        ),
        ("cancelled", _) => {
            Shown::Ended(Notice::info("The analysis was cancelled").text("Nothing of it was kept."))
        }
        _ => Shown::Live(Live {
            events: format!("/analyses/{}/events", analysis.id),
            progress: progress(analysis),
        }),
    }
}

/// What was analysed and who asked for it.
async fn about(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
    analysis: &Analysis,
) -> Result<String, Problem> {
    let mut parts = Vec::new();
    if let Some(dataset) = analysis.dataset_id.filter(|_| visit.may("datasets", "read")) {
        parts.push(dataset_get(tx, dataset).await?.name);
    }
    if visit.may("members", "read") {
        let request =
            ListRequest::new().filter("user_id", format!("eq.{}", analysis.created_by)).limit(1);
        let members = state.engine.list(tx, "members", &request).await?;
        if let Some(member) = members.data.first() {
            parts.push(format!("asked for by {}", json::text(member, "full_name")));
        }
    }
    parts.push(analysis.created_at.format("%Y-%m-%d %H:%M UTC").to_string());
    Ok(parts.join(" \u{b7} "))
}

fn actions(visit: &Visit, analysis: &Analysis, can_compare: bool) -> Vec<Action> {
    let id = analysis.id;
    let mut actions = Vec::new();
    if can_compare {
        actions.push(Action::new(
            "Compare with\u{2026}",
            format!("/analyses/{id}/compare"),
            "copy",
        ));
    }
    if let (true, Some(dataset)) =
        (analysis.ended() && visit.may("bias_analyses", "create"), analysis.dataset_id)
    {
        actions.push(Action::new(
            "Analyse again",
            format!("/analyses/new?dataset={dataset}"),
            "scale",
        ));
    }
    actions
}

/// What can be kept of it.
fn downloads(id: AnalysisId, result: &TaskResult) -> Vec<Action> {
    let mut all = vec![
        Action::new("HTML report", format!("/analyses/{id}/report.html"), "download"),
        Action::new("PDF report", format!("/analyses/{id}/report.pdf"), "download"),
        Action::new("Findings as CSV", format!("/analyses/{id}/findings.csv"), "download"),
        Action::new("Result as JSON", format!("/analyses/{id}/result.json"), "download"),
    ];
    if result.data().is_some() {
        all.extend([("HTML", "html"), ("PDF", "pdf")].map(|(format, ending)| {
            let place = format!("/analyses/{id}/data.{ending}");
            Action::new(format!("The data alone as {format}"), place, "download")
        }));
    }
    all.extend(result.law().iter().flat_map(|report| {
        let name = match report.rule() {
            Rule::Ll144 => "Local Law 144",
            Rule::Eeoc => "Uniform Guidelines",
        };
        let word = report.rule().as_str();
        [("HTML", "html"), ("PDF", "pdf")].map(|(format, ending)| {
            let place = format!("/analyses/{id}/law/{word}.{ending}");
            Action::new(format!("{name} as {format}"), place, "download")
        })
    }));
    all
}

fn steps(visit: &Visit, analysis: &Analysis, frame: &Frame) -> Vec<Step> {
    let may = !analysis.ended() && visit.may("bias_analyses", "cancel");
    may.then(|| {
        Step::new("Cancel", format!("/analyses/{}/cancel", analysis.id), "cancelled", frame)
            .danger("Stop this analysis? Nothing of it is kept.")
    })
    .into_iter()
    .collect()
}

/// `POST /analyses/{id}/cancel`.
pub(super) async fn cancel(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    visit.scope.require("bias_analyses", "cancel")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    analysis_cancel(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/analyses/{id}?done=cancelled")).into_response())
}

/// `GET /analyses/{id}/report.html`, `report.pdf`, `result.json` and `findings.csv`: files to be kept.
async fn file(state: &ConsoleState, visit: &Visit, id: AnalysisId, format: ReportFormat) -> Answer {
    visit.scope.require("bias_analyses", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let completed = completed_get(&mut tx, id).await?;
    tx.commit().await?;
    let organization = Some(visit.organization());
    Ok(analysis_file(state.assurance.pages, completed, format, organization).await?)
}

async fn described(
    state: &ConsoleState,
    visit: &Visit,
    id: AnalysisId,
    format: LawFormat,
) -> Answer {
    visit.scope.require("bias_analyses", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let described = analysis_data(&mut tx, id).await?;
    tx.commit().await?;
    Ok(data_file(state.assurance.pages, described, format, Some(visit.organization())).await?)
}

/// `GET /analyses/{id}/data.html`: the report of the data alone.
pub(super) async fn data(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    described(&state, &visit, id, LawFormat::Html).await
}

/// `GET /analyses/{id}/data.pdf`: the same on paper.
pub(super) async fn data_pdf(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    described(&state, &visit, id, LawFormat::Pdf).await
}

async fn law(
    state: &ConsoleState,
    visit: &Visit,
    id: AnalysisId,
    rule: Rule,
    format: LawFormat,
) -> Answer {
    visit.scope.require("bias_analyses", "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let lawful = analysis_law(&mut tx, id, rule).await?;
    tx.commit().await?;
    Ok(law_file(state.assurance.pages, lawful, format, Some(visit.organization())).await?)
}

/// `GET /analyses/{id}/law/ll144.html`: the report of Local Law 144 alone.
pub(super) async fn ll144(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    law(&state, &visit, id, Rule::Ll144, LawFormat::Html).await
}

/// `GET /analyses/{id}/law/ll144.pdf`: the same on paper.
pub(super) async fn ll144_pdf(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    law(&state, &visit, id, Rule::Ll144, LawFormat::Pdf).await
}

/// `GET /analyses/{id}/law/eeoc.html`: the report of the Uniform Guidelines alone.
pub(super) async fn eeoc(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    law(&state, &visit, id, Rule::Eeoc, LawFormat::Html).await
}

/// `GET /analyses/{id}/law/eeoc.pdf`: the same on paper.
pub(super) async fn eeoc_pdf(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    law(&state, &visit, id, Rule::Eeoc, LawFormat::Pdf).await
}

/// `GET /analyses/{id}/report.html`: the single-file report.
pub(super) async fn report(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    file(&state, &visit, id, ReportFormat::Html).await
}

/// `GET /analyses/{id}/report.pdf`: the same on paper.
pub(super) async fn report_pdf(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    file(&state, &visit, id, ReportFormat::Pdf).await
}

/// `GET /analyses/{id}/result.json`: all of it, for programs.
pub(super) async fn result(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    file(&state, &visit, id, ReportFormat::Json).await
}

/// `GET /analyses/{id}/findings.csv`: its disparities, for spreadsheets.
pub(super) async fn findings(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<AnalysisId>,
) -> Answer {
    file(&state, &visit, id, ReportFormat::Csv).await
}
