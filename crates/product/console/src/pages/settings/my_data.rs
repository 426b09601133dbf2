//! What is held on oneself: having it, and being erased.

use axum::{
    Router,
    extract::{Form, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use ephor_identity::{DataExport, EraseMe, Password};
use ephor_kernel::Problem;

use crate::{
    ConsoleState,
    error::page,
    pages::resource::{
        Action, DetailPage, FormPage, Section, Step, browse_status,
        edit::{Sent, sent},
    },
    view::{Badge, Control, Field, Form as Fields, Head, Html, Moment, Table, format},
    visit::{Answer, Visit},
};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/my-data", get(show))
        .route("/my-data/export", post(export))
        .route("/my-data/erase", get(erase).post(erase_now))
}

fn row(export: &DataExport) -> Vec<Html> {
    let state = match export.state.as_str() {
        "pending" => Badge::state("running"),
        ended => Badge::state(ended),
    };
    let count = |number: Option<i64>| {
        number.map_or_else(Html::default, |number| {
            Html::text(&format::count(u64::try_from(number).unwrap_or(0)))
        })
    };
    let take = if export.state == "ready" {
        let address = format!("/v1/me/exports/{}/content", export.id);
        Html::link(&address, "Download")
    } else {
        Html::text(export.fault.as_deref().unwrap_or_default())
    };
    vec![
        Html::of(&Moment(export.created_at)),
        Html::of(&state),
        count(export.row_count),
        count(export.byte_count),
        Html::of(&Moment(export.expires_at)),
        take,
    ]
}

async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let exports = state.identity.data_export_list(&visit.scope).await?;
    let frame = visit.frame("My data", "").crumb("Your account", "/sessions");
    let heads = vec![
        Head::new("Asked for"),
        Head::new("State"),
        Head::right("Rows"),
        Head::right("Bytes"),
        Head::new("Until"),
        Head::new(""),
    ];
    let user = &visit.me.user;
    let consent = user
        .gdpr_consent_at
        .map_or_else(|| Html::text("not recorded"), |time| Html::of(&Moment(time)));
    Ok(page(&DetailPage {
        lede: "Everything that is held on you, in all of your organizations, as one archive; and the way to have it erased.".to_owned(),
        badges: Vec::new(),
        actions: vec![Action::new("Erase me", "/my-data/erase", "trash")],
        steps: vec![Step::new("Ask for my data", "/my-data/export", "download", &frame)],
        facts: vec![
            ("E-mail".to_owned(), Html::text(&user.email)),
            ("Name".to_owned(), Html::text(&user.full_name)),
            ("You agreed to the processing".to_owned(), consent),
            ("Account since".to_owned(), Html::of(&Moment(user.created_at))),
        ],
        sections: vec![Section {
            id: "exports",
            title: "Archives".to_owned(),
            action: None,
            table: Table { label: "Archives of your data".to_owned(), heads, rows: exports.iter().map(row).collect() },
            empty: "None. An archive is made within moments, and kept for seven days.",
        }],
        frame,
    }))
}

async fn export(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    state.identity.data_export_request(&visit.scope, &visit.session).await?;
    Ok(Redirect::to("/my-data?done=asked").into_response())
}

fn form(visit: &Visit, refused: Option<&Problem>) -> Response {
    let mut form = Fields::new(vec![
        Field::new("password", "Your password")
            .control(Control::Line("password"))
            .hint("It confirms that it is you who wants this.")
            .required()
            .autocomplete("current-password"),
    ]);
    if let Some(problem) = refused {
        form.refuse(problem);
    }
    let answer = page(&FormPage {
        frame: visit
            .frame("Erase me", "")
            .crumb("Your account", "/sessions")
            .crumb("My data", "/my-data"),
        lede: "Your account closes at once, in all organizations, and nobody can open it again. Your name, address, sessions, keys and boards are erased, and so is what the audit trail says of you; that something was done by somebody stays. What you made for an organization stays the organization's.".to_owned(),
        form,
        action: "/my-data/erase".to_owned(),
        hidden: Vec::new(),
        submit: "Erase me for good",
        cancel: "/my-data".to_owned(),
    });
    match refused {
        Some(problem) => (browse_status(problem), answer).into_response(),
        None => answer,
    }
}

async fn erase(visit: Visit) -> Answer {
    Ok(form(&visit, None))
}

async fn erase_now(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    let input = EraseMe { password: Password::new(sent(&values, "password").unwrap_or_default()) };
    match state.identity.erase_me(&visit.context, &visit.scope, &visit.session, &input).await {
        Ok(_) => {
            let removal = ephor_identity::removed_cookie(state.identity.config().secure_cookies);
            Ok(([(header::SET_COOKIE, removal)], Redirect::to("/sign-in")).into_response())
        }
        Err(problem) => Ok(form(&visit, Some(&problem))),
    }
}
