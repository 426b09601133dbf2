//! Row feeds: made by a form, with a token that is shown once, and stored by a button.

use axum::{
    Router,
    extract::{Form, State},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use ephor_assurance::feed::{
    RowFeedCreate, RowFeedSecret, row_feed_create, row_feed_flush, row_feed_rotate_token,
};
use ephor_fairness::task::Task;
use ephor_kernel::{Fault, Problem, RowFeedId};
use ephor_rest::Id;
use serde_json::{Value, json};

use super::{
    analysis::TASKS,
    resource::{
        FormPage, Step, browse_status,
        edit::{Sent, sent},
    },
    settings::secret::SecretPage,
};
use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    view::{Choice, Control, Field, Form as Fields},
    visit::{Answer, Visit},
};

/// Where they are listed.
const LIST: &str = "/resources/row_feeds";
/// The form for a new one.
pub(crate) const NEW: &str = "/row-feeds/new";

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/row-feeds", post(create))
        .route(NEW, get(new))
        .route("/row-feeds/{id}/rotate-token", post(rotate))
        .route("/row-feeds/{id}/flush", post(flush))
}

/// What may be done with a row feed, beside what any row's page offers.
pub(crate) fn steps(path: &str, row: &Value, frame: &Frame) -> Vec<Step> {
    let Some(id) = row.get("id").and_then(Value::as_str).filter(|_| path == "row_feeds") else {
        return Vec::new();
    };
    let waits = row.get("rows_waiting").and_then(Value::as_i64).is_some_and(|rows| rows > 0);
    let flush =
        waits.then(|| Step::new("Store now", format!("/row-feeds/{id}/flush"), "running", frame));
    let rotate = Step::new("New token", format!("/row-feeds/{id}/rotate-token"), "key", frame)
        .danger(
            "Replace the token? Programs that send the old one are refused at once.".to_owned(),
        );
    flush.into_iter().chain([rotate]).collect()
}

fn form(visit: &Visit, refused: Option<(&Sent, &Problem)>) -> Response {
    let mut form = Fields::new(vec![
        Field::new("name", "Name").hint("By which to tell it from others.").required(),
        Field::new("analyse_after", "Analyse after")
            .control(Control::Line("number"))
            .hint("So many new rows. Empty: by the schedule, or by hand."),
        Field::new("schedule", "Schedule").hint(
            "When what waits is stored and analysed, such as 0 6 * * mon-fri: at six on weekdays, in UTC. Empty: none.",
        ),
        Field::new("task", "What is predicted").select(
            TASKS.map(|(task, label)| Choice::new(task.as_str(), label)).to_vec(),
        )
        .required(),
        Field::new("target", "Column of what is true")
            .hint("Labels, numbers or classes. Of yes or no, predictions or scores do without. With no column named here and below, but for lists, rows are stored, and not analysed."),
        Field::new("prediction", "Column of predictions"),
        Field::new("list", "Column of lists")
            .hint("Of ranked lists: which list a row is of. Empty: all rows are one list."),
        Field::new("position", "Column of positions")
            .hint("Of ranked lists: less is seen first. Either this or the score."),
        Field::new("score", "Column of scores")
            .hint("Of ranked lists: more is seen first. Of yes or no: how sure the model was."),
        Field::new("protected", "Protected attributes").hint("Columns, with commas between."),
    ]);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let answer = page(&FormPage {
        frame: visit.frame("New row feed", LIST).crumb("Row feeds", LIST),
        lede: "Programs push rows to it with a token, which is shown once.".to_owned(),
        form,
        action: "/row-feeds".to_owned(),
        hidden: Vec::new(),
        submit: "Make the row feed",
        cancel: LIST.to_owned(),
    });
    match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    }
}

async fn new(visit: Visit) -> Answer {
    visit.scope.require("row_feeds", "create")?;
    Ok(form(&visit, None))
}

fn input(values: &Sent) -> Result<RowFeedCreate, Problem> {
    let text = |name| sent(values, name).map(str::trim).filter(|text| !text.is_empty());
    let after = text("analyse_after").map(str::parse::<i32>).transpose().map_err(|_| {
        let what = "This is not a whole number";
        Problem::invalid(vec![Fault::new("/analyse_after", "type", what)])
    })?;
    let protected: Vec<&str> = text("protected")
        .map(|names| names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect())
        .unwrap_or_default();
    let task = text("task").unwrap_or(Task::Binary.as_str());
    // Who names any column wants an analysis: what is still missing for it is told by who reads it. Lists need none to be named.
    let columns = ["target", "prediction", "list", "position", "score", "protected"];
    let is_analysed =
        task == Task::Ranking.as_str() || columns.into_iter().any(|name| text(name).is_some());
    let parameters = is_analysed.then(|| {
        let mut asked = json!({ "protected": protected });
        if task != Task::Binary.as_str() {
            asked["task"] = task.into();
        }
        // What means nothing to the task is told by who reads it.
        for name in ["target", "prediction", "list", "position", "score"] {
            if let Some(column) = text(name) {
                asked[name] = column.into();
            }
        }
        asked
    });
    serde_json::from_value(json!({
        "name": text("name").unwrap_or_default(),
        "analyse_after": after,
        "schedule": text("schedule"),
        "parameters": parameters,
    }))
    .map_err(|_| Problem::internal())
}

async fn create(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    visit.scope.require("row_feeds", "create")?;
    let made = match input(&values) {
        Ok(input) => {
            let mut tx = state.store.begin(&visit.scope).await.map_err(Problem::from)?;
            match row_feed_create(&mut tx, &input).await {
                Ok(made) => {
                    tx.commit().await.map_err(Problem::from)?;
                    Ok(made)
                }
                Err(problem) => Err(problem),
            }
        }
        Err(problem) => Err(problem),
    };
    match made {
        Ok(made) => Ok(shown(&visit, made)),
        Err(mut problem) => {
            // The form asks for the parts of the specification by their own names.
            for fault in &mut problem.faults {
                if let Some(rest) = fault.pointer.strip_prefix("/parameters/") {
                    let field = rest.split('/').next().unwrap_or_default();
                    fault.pointer = format!("/{field}").into();
                }
            }
            Ok(form(&visit, Some((&values, &problem))))
        }
    }
}

/// The page with the token, once.
fn shown(visit: &Visit, made: RowFeedSecret) -> Response {
    let RowFeedSecret { name, token, path, .. } = made;
    page(&SecretPage {
        frame: visit.frame("The token", LIST).crumb("Row feeds", LIST),
        lede: format!("This is the token of {name}. Copy it now: it is not shown again."),
        label: "Token",
        secret: token,
        hint: format!(
            "Programs send it with their rows: curl \u{2026}{path} -H \"Authorization: Bearer $TOKEN\" \
             -H \"Content-Type: application/x-ndjson\" --data-binary @rows.ndjson"
        ),
        back: LIST,
    })
}

async fn rotate(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<RowFeedId>) -> Answer {
    visit.scope.require("row_feeds", "update")?;
    let mut tx = state.store.begin(&visit.scope).await.map_err(Problem::from)?;
    let made = row_feed_rotate_token(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(shown(&visit, made))
}

async fn flush(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<RowFeedId>) -> Answer {
    visit.scope.require("row_feeds", "update")?;
    let mut tx = state.store.begin(&visit.scope).await.map_err(Problem::from)?;
    row_feed_flush(&mut tx, id).await?;
    tx.commit().await.map_err(Problem::from)?;
    Ok(Redirect::to(&format!("{LIST}/{id}")).into_response())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_a_row_feed() {
        let values = |target: &str, after: &str| -> Sent {
            vec![
                ("name".into(), " Decisions ".into()),
                ("analyse_after".into(), after.into()),
                ("schedule".into(), " 0 6 * * *".into()),
                ("target".into(), target.into()),
                ("protected".into(), "sex, race,".into()),
            ]
        };
        let made = input(&values("y", "100")).unwrap();
        assert_eq!((made.name.as_str(), made.analyse_after), ("Decisions", Some(100)));
        assert_eq!(made.schedule.as_deref(), Some("0 6 * * *"));
        let protected = &made.parameters.unwrap()["protected"];
        assert_eq!(*protected, serde_json::json!(["sex", "race"]));
        // Of what somebody wants analysed, the target is missing.
        let faults = input(&values("", "")).unwrap().faults();
        assert!(faults.iter().any(|fault| fault.pointer == "/parameters/target"), "{faults:?}");
        let bare = |name: &str| {
            let found: Sent = values("", "").into_iter().filter(|(at, _)| at != name).collect();
            input(&found).unwrap().parameters
        };
        assert!(bare("protected").is_none());
        assert!(bare("schedule").is_some());
        assert_eq!(input(&values("", "x")).unwrap_err().faults[0].pointer, "/analyse_after");
    }
}
