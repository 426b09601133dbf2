//! API keys: what programs authenticate with.

use axum::{
    Router,
    extract::{Form, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use chrono::NaiveDate;
use ephor_identity::{ApiKeySummary, CreateApiKey};
use ephor_kernel::{ApiKeyId, Clock, Fault, Problem, SystemClock};
use ephor_rest::Id;

use super::{permissions, secret::SecretPage};
use crate::{
    ConsoleState,
    error::page,
    pages::resource::{
        Action, Empty, FormPage, ListPage, ListTools, Step, browse_status,
        edit::{Sent, sent},
    },
    view::{Badge, Control, Field, Form as Fields, Head, Html, Moment, Table, format},
    visit::{Answer, Visit},
};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/api-keys", get(list).post(create))
        .route("/api-keys/new", get(new))
        .route("/api-keys/{id}/revoke", post(revoke))
}

fn state_of(key: &ApiKeySummary) -> Badge {
    let expired = key.expires_at.is_some_and(|end| end <= SystemClock.now());
    Badge::state(match (key.is_active, expired) {
        (false, _) => "revoked",
        (true, true) => "expired",
        (true, false) => "active",
    })
}

async fn list(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let keys = state.identity.api_key_list(&visit.scope).await?;
    let frame = visit.frame("API keys", "/api-keys");
    let moment = |time: Option<chrono::DateTime<chrono::Utc>>, none: &str| {
        time.map_or_else(|| Html::text(none), |time| Html::of(&Moment(time)))
    };
    let rows = keys
        .iter()
        .map(|key| {
            let revoke = key.is_active.then(|| {
                Step::new("Revoke", format!("/api-keys/{}/revoke", key.id), "cancelled", &frame)
                    .danger(format!(
                        "Revoke the key {}? Programs that use it stop working at once.",
                        key.name
                    ))
            });
            vec![
                Html::text(&key.name).sub(&format!("{}\u{2026}", key.key_prefix)),
                Html::of(&state_of(key)),
                Html::text(&key.permissions.join(", ")),
                Html::text(&format::count(u64::try_from(key.usage_count).unwrap_or(0))),
                moment(key.last_used_at, "never"),
                moment(key.expires_at, "no end"),
                revoke.map_or_else(Html::default, |step| Html::of(&step)),
            ]
        })
        .collect();
    let new = visit
        .may("api_keys", "create")
        .then(|| Action::primary("New key", "/api-keys/new", "plus"));
    let heads = vec![
        Head::new("Key"),
        Head::new("State"),
        Head::new("May do"),
        Head::right("Requests"),
        Head::new("Last used"),
        Head::new("Until"),
        Head::new(""),
    ];
    Ok(page(&ListPage {
        frame,
        lede:
            "Your own keys, for programs that act in your name. A key never does more than you may."
                .to_owned(),
        actions: new.clone().into_iter().collect(),
        filters: Vec::new(),
        filtered: false,
        sort: None,
        table: Table { label: "API keys".to_owned(), heads, rows },
        total: None,
        first: None,
        next: None,
        tools: ListTools::default(),
        here: "/api-keys".to_owned(),
        empty: Empty::new(
            "key",
            "No key yet",
            "A program sends its key as Authorization: Bearer, and acts in your name.",
        )
        .action(new),
    }))
}

fn form(visit: &Visit, refused: Option<(&Sent, &Problem)>) -> Response {
    let given = refused.map(|(values, _)| permissions::sent(values)).unwrap_or_default();
    let mut fields =
        vec![Field::new("name", "Name").hint("By which to tell it from others.").required()];
    fields.extend(permissions::fields(visit, &given));
    fields.push(
        Field::new("expires_on", "Works until")
            .control(Control::Line("date"))
            .hint("The end of this day, UTC; empty for no end."),
    );
    let mut form = Fields::new(fields);
    if let Some((values, problem)) = refused {
        form.fill(|name| if name.starts_with("permissions") { None } else { sent(values, name) });
        form.refuse(problem);
    }
    let answer = page(&FormPage {
        frame: visit.frame("New key", "/api-keys").crumb("API keys", "/api-keys"),
        lede: String::new(),
        form,
        action: "/api-keys".to_owned(),
        hidden: Vec::new(),
        submit: "Make the key",
        cancel: "/api-keys".to_owned(),
    });
    match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    }
}

async fn new(visit: Visit) -> Answer {
    visit.scope.require("api_keys", "create")?;
    Ok(form(&visit, None))
}

fn input(values: &Sent) -> Result<CreateApiKey, Problem> {
    let day = sent(values, "expires_on").map(str::trim).filter(|day| !day.is_empty());
    let Ok(day) = day.map(str::parse::<NaiveDate>).transpose() else {
        let fault = Fault::new("/expires_on", "type", "This is not a day, written 2027-12-31.");
        return Err(Problem::invalid(vec![fault]));
    };
    let expires_at = day.and_then(|day| Some(day.and_hms_opt(23, 59, 59)?.and_utc()));
    Ok(CreateApiKey {
        name: sent(values, "name").unwrap_or_default().trim().to_owned(),
        permissions: permissions::sent(values),
        expires_at,
    })
}

async fn create(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    let made = match input(&values) {
        Ok(input) => state.identity.api_key_create(&visit.scope, &input).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok(key) => Ok(page(&SecretPage {
            frame: visit.frame("Your new key", "/api-keys").crumb("API keys", "/api-keys"),
            lede: format!("This is {}. Copy it now: it is not shown again.", key.name),
            label: "Key",
            secret: key.key,
            hint: "Programs send it as Authorization: Bearer.".to_owned(),
            back: "/api-keys",
        })),
        Err(mut problem) => {
            // The form asks for a day; a fault of the moment is one of the day.
            for fault in &mut problem.faults {
                if fault.pointer == "/expires_at" {
                    fault.pointer = "/expires_on".into();
                }
            }
            Ok(form(&visit, Some((&values, &problem))))
        }
    }
}

async fn revoke(State(state): State<ConsoleState>, visit: Visit, Id(id): Id<ApiKeyId>) -> Answer {
    state.identity.api_key_revoke(&visit.scope, id).await?;
    Ok(Redirect::to("/api-keys?done=revoked").into_response())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn values(day: &str) -> Sent {
        vec![
            ("name".into(), " CI ".into()),
            ("permissions".into(), "models:read,\r\ndatasets:*".into()),
            ("expires_on".into(), day.into()),
        ]
    }

    #[test]
    fn a_key_works_to_the_end_of_its_last_day() {
        let key = input(&values("2027-12-31")).unwrap();
        assert_eq!(key.name, "CI");
        assert_eq!(key.permissions, ["models:read", "datasets:*"]);
        assert_eq!(key.expires_at.unwrap().to_rfc3339(), "2027-12-31T23:59:59+00:00");
        assert!(input(&values("")).unwrap().expires_at.is_none());
        assert_eq!(input(&values("soon")).unwrap_err().faults[0].pointer, "/expires_on");
    }
}
