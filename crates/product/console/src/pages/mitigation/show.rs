//! One mitigation: its progress while it is computed, its artefact once it is there, and its applications.

use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect},
};
use ephor_assurance::mitigation::{
    ApplicationCreate, Mitigation, application_under_way, mitigation_apply, mitigation_artifact,
    mitigation_file, mitigation_get,
};
use ephor_kernel::{Fault, MitigationId, Problem};
use ephor_rest::{Id, ListRequest};
use ephor_store::OrgTx;
use serde_json::Value;

use super::{
    LIST, WORD,
    events::{applying, computing},
    page::{ApplyForm, Done, MitigationPage, State as Shown},
    view::ArtifactView,
};
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::{
        follow::{Live, Progress},
        resource::{
            Action, Section, Step, browse_status,
            edit::{Sent, sent},
            listing::choices,
        },
    },
    view::{Badge, Choice, Field, Form as Fields, Head, Html, Notice, Table, json},
    visit::{Answer, Visit},
};

/// How many applications are shown.
const MOST: u32 = 20;

/// `GET /mitigations/{id}`.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<MitigationId>,
) -> Answer {
    shown(&state, &visit, id, None).await
}

/// `GET /mitigations/{id}/artifact.json`.
pub(super) async fn artifact(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<MitigationId>,
) -> Answer {
    visit.scope.require(WORD, "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let artifact = mitigation_artifact(&mut tx, id).await?;
    tx.commit().await?;
    Ok(mitigation_file(id, &artifact)?)
}

/// `POST /mitigations/{id}/apply`.
pub(super) async fn apply(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<MitigationId>,
    Form(form): Form<Sent>,
) -> Answer {
    let asked = match read(&form) {
        Ok(create) => mitigation_apply(&state.assurance, &visit.scope, id, &create).await,
        Err(problem) => Err(problem),
    };
    match asked {
        Ok(_) => Ok(Redirect::to(&format!("/mitigations/{id}#apply")).into_response()),
        Err(problem) if problem.faults.is_empty() => Err(problem.into()),
        Err(problem) => shown(&state, &visit, id, Some((&form, &problem))).await,
    }
}

/// Reads the form.
fn read(form: &Sent) -> Result<ApplicationCreate, Problem> {
    let text =
        |name| sent(form, name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let dataset = text("dataset_id").and_then(|id| id.parse().ok());
    let missing = || Fault::new("/dataset_id", "required", "No data set is chosen");
    Ok(ApplicationCreate {
        dataset_id: dataset.ok_or_else(|| Problem::invalid(vec![missing()]))?,
        name: text("name"),
        column: text("column"),
        row_id: text("row_id"),
    })
}

async fn shown(
    state: &ConsoleState,
    visit: &Visit,
    id: MitigationId,
    refused: Option<(&Sent, &Problem)>,
) -> Answer {
    visit.scope.require(WORD, "read")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    let mitigation = mitigation_get(&mut tx, id).await?;
    let found = match mitigation.status.as_str() {
        "completed" => {
            Shown::Done(Box::new(done(state, visit, &mut tx, &mitigation, refused).await?))
        }
        "failed" => Shown::Ended(
            Notice::fail("The mitigation could not be computed")
                .text(mitigation.failure.clone().unwrap_or_default()),
        ),
        _ => Shown::Live(live(id, computing(&mitigation))),
    };
    tx.commit().await?;
    let frame = visit.frame(&mitigation.name, LIST).crumb("Mitigations", LIST);
    let frame = match &found {
        Shown::Live(_) => frame.live(),
        Shown::Done(done) if done.applying.is_some() => frame.live().plots(),
        Shown::Done(_) => frame.plots(),
        Shown::Ended(_) => frame,
    };
    let is_done = matches!(found, Shown::Done(_));
    let answer = page(&MitigationPage {
        lede: mitigation.created_at.format("Asked for at %Y-%m-%d %H:%M UTC").to_string(),
        badge: Badge::state(&mitigation.status),
        actions: actions(visit, &mitigation, is_done),
        steps: steps(visit, id, &frame),
        frame,
        state: found,
    });
    Ok(match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    })
}

fn live(id: MitigationId, progress: Progress) -> Live {
    Live { events: format!("/mitigations/{id}/events"), progress }
}

fn steps(visit: &Visit, id: MitigationId, frame: &Frame) -> Vec<Step> {
    let delete = || {
        Step::new("Delete", format!("{LIST}/{id}/delete"), "trash", frame)
            .danger("Delete this mitigation? Data sets and analyses that were made with it stay.")
    };
    visit.may(WORD, "delete").then(delete).into_iter().collect()
}

/// Its analysis, and its file once it is there.
fn actions(visit: &Visit, mitigation: &Mitigation, is_done: bool) -> Vec<Action> {
    let analysis = visit.may("bias_analyses", "read").then(|| {
        Action::new("Open the analysis", format!("/analyses/{}", mitigation.analysis_id), "scale")
    });
    let file = is_done.then(|| {
        let file = format!("/mitigations/{}/artifact.json", mitigation.id);
        Action::new("Download the artefact", file, "download")
    });
    analysis.into_iter().chain(file).collect()
}

async fn done(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
    mitigation: &Mitigation,
    refused: Option<(&Sent, &Problem)>,
) -> Result<Done, Problem> {
    let id = mitigation.id;
    let artifact = mitigation_artifact(tx, id).await?;
    let under_way = application_under_way(tx, id).await?;
    let may = visit.may(WORD, "apply")
        && visit.may("datasets", "create")
        && visit.may("datasets", "read")
        && visit.may("bias_analyses", "create");
    let apply = if may {
        let ready = ListRequest::new().filter("status", "eq.ready").sort("-created_at");
        let datasets = choices(state, tx, "datasets", ready).await?;
        let mut form = Fields::new(fields(datasets, mitigation, artifact.is_deterministic()));
        if let Some((values, problem)) = refused {
            form.fill(|name| sent(values, name));
            form.refuse(problem);
        }
        Some(ApplyForm { form, action: format!("/mitigations/{id}/apply") })
    } else {
        None
    };
    Ok(Done {
        artifact: ArtifactView::new(&artifact),
        applying: under_way.map(|application| live(id, applying(&application))),
        applications: applications(state, visit, tx, id).await?,
        apply,
    })
}

fn fields(mut datasets: Vec<Choice>, mitigation: &Mitigation, is_certain: bool) -> Vec<Field> {
    datasets.insert(0, Choice::new("", "Choose"));
    let column = match mitigation.kind.as_str() {
        "reweighing" => "mitigated_weight",
        _ => "mitigated_prediction",
    };
    let mut fields = vec![
        Field::new("dataset_id", "Data set").select(datasets).required(),
        Field::new("column", "New column").hint(format!("{column}, if you leave it empty.")),
        Field::new("name", "Name of the new data set")
            .hint("Made from those of data set and mitigation, if you leave it empty."),
    ];
    if !is_certain {
        fields.push(
            Field::new("row_id", "Column that names rows").hint(
                "Draws then follow the row, wherever it stands. Empty: they follow its number.",
            ),
        );
    }
    fields
}

async fn applications(
    state: &ConsoleState,
    visit: &Visit,
    tx: &mut OrgTx,
    id: MitigationId,
) -> Result<Section, Problem> {
    let mut request = ListRequest::new().filter("artifact_id", format!("eq.{id}")).limit(MOST);
    let reads = visit.may("datasets", "read");
    if reads {
        request = request.with("include", "dataset");
    }
    let found = state.engine.list(tx, "mitigation_applications", &request).await?.data;
    let heads = [
        Head::new("New data set"),
        Head::new("State"),
        Head::right("Rows"),
        Head::new("Before and after"),
        Head::new("Asked for"),
    ];
    let compares = visit.may("bias_analyses", "read");
    Ok(Section {
        id: "applications",
        title: "Applied to".to_owned(),
        action: None,
        table: Table {
            label: "Applications".to_owned(),
            heads: heads.to_vec(),
            rows: found.iter().map(|row| cells(row, reads, compares)).collect(),
        },
        empty: "Nothing yet.",
    })
}

fn cells(row: &Value, reads: bool, compares: bool) -> Vec<Html> {
    let text = |name| Some(json::text(row, name)).filter(|text| !text.is_empty());
    let name = json::text(row, "name");
    let first = match text("result_dataset_id").filter(|_| reads) {
        Some(result) => Html::link(&format!("/datasets/{result}"), name),
        None => Html::text(name),
    };
    let of = row.pointer("/dataset/name").and_then(Value::as_str);
    let first = first.sub(&of.map_or_else(String::new, |of| format!("of {of}")));
    let sides = text("before_analysis_id").zip(text("after_analysis_id")).filter(|_| compares);
    let compared = match (sides, text("failure"), text("note")) {
        (Some((before, after)), ..) => {
            Html::link(&format!("/analyses/{after}/compare?with={before}"), "Compare")
        }
        (None, Some(why), _) | (None, None, Some(why)) => Html::text(why),
        _ => Html::text("\u{2013}"),
    };
    let rows = json::number(row, "row_count").map(crate::view::format::number);
    vec![
        first,
        Html::of(&Badge::state(json::text(row, "status"))),
        Html::text(&rows.unwrap_or_else(|| "\u{2013}".to_owned())),
        compared,
        json::moment_cell(row, "created_at"),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_application_leads_to_the_comparison_or_says_why_there_is_none() {
        let shown =
            |row: Value| cells(&row, true, true).iter().map(Html::to_string).collect::<String>();
        let done = json!({
            "name": "x", "status": "completed", "result_dataset_id": "d", "before_analysis_id": "b",
            "after_analysis_id": "a", "row_count": 12,
        });
        let html = shown(done.clone());
        assert!(
            html.contains("/analyses/a/compare?with=b") && html.contains("/datasets/d"),
            "{html}"
        );
        let html = shown(json!({ "name": "x", "status": "failed", "failure": "<gone>" }));
        assert!(html.contains("&lt;gone&gt;"), "{html}");
        assert!(
            !cells(&done, false, false).iter().any(|cell| cell.to_string().contains("href=\"/"))
        );
    }

    #[test]
    fn a_form_without_a_data_set_is_refused() {
        assert_eq!(read(&vec![]).unwrap_err().faults[0].pointer, "/dataset_id");
    }
}
