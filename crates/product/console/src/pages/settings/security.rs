//! How one proves who one is: the second factor, and providers elsewhere.

use askama::Template;
use axum::{
    Router,
    extract::{Form, Path, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use ephor_identity::{
    Enrolment, LinkedIdentity, Password, RecoveryCodes, SecondFactorCode, SecondFactorOff,
    SecondFactorState,
};
use ephor_kernel::{Problem, UserIdentityId};
use ephor_rest::Id;

use crate::{
    ConsoleState,
    error::page,
    frame::Frame,
    pages::resource::{
        Action, DetailPage, FormPage, Section, Step, browse_status,
        edit::{Sent, sent},
    },
    view::{Badge, Control, Field, Form as Fields, Head, Html, Icon, Moment, Table},
    visit::{Answer, Visit},
};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/security", get(show))
        .route("/security/second-factor", post(begin))
        .route("/security/second-factor/confirm", get(confirm_form).post(confirm))
        .route("/security/second-factor/off", get(off_form).post(off))
        .route("/security/recovery-codes", get(recovery_form).post(recovery))
        .route("/security/link/{provider}", post(link))
        .route("/security/identities/{id}/unlink", post(unlink))
}

/// The page that shows a new second factor.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/settings/enrol.html")]
pub(crate) struct EnrolPage {
    pub frame: Frame,
    pub qr: String,
    pub secret: String,
    pub form: Fields,
}

/// The page that shows recovery codes once.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/settings/recovery.html")]
pub(crate) struct RecoveryPage {
    pub frame: Frame,
    pub codes: Vec<String>,
}

/// The page before one goes to a provider. A form may not lead to another site, a link may.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/settings/depart.html")]
pub(crate) struct DepartPage {
    pub frame: Frame,
    pub href: String,
}

async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let factor = state.identity.second_factor(&visit.scope).await?;
    let linked = state.identity.linked_identities(&visit.scope).await?;
    let frame = visit.frame("Security", "").crumb("Your account", "/sessions");
    let (badge, actions, mut steps) = offered(&factor, &frame);
    for offer in state.identity.provider_offers() {
        if linked.iter().all(|identity| identity.provider != offer.name) {
            let action = format!("/security/link/{}", offer.name);
            steps.push(Step::new(format!("Link {}", offer.label), action, "plus", &frame));
        }
    }
    let since = factor
        .confirmed_at
        .map_or_else(|| Html::text("not set up"), |moment| Html::of(&Moment(moment)));
    let mut facts = vec![("Second factor since".to_owned(), since)];
    if factor.on {
        facts.push((
            "Recovery codes left".to_owned(),
            Html::text(&factor.recovery_codes_left.to_string()),
        ));
    }
    Ok(page(&DetailPage {
        lede: "How you prove who you are.".to_owned(),
        badges: vec![badge],
        actions,
        steps,
        facts,
        sections: vec![Section {
            id: "identities",
            title: "Accounts elsewhere".to_owned(),
            action: None,
            table: Table {
                label: "Accounts elsewhere".to_owned(),
                heads: ["Provider", "Address there", "Linked", "Last used", ""]
                    .map(Head::new)
                    .to_vec(),
                rows: linked.iter().map(|identity| row(identity, &frame)).collect(),
            },
            empty: "You sign in with your password alone.",
        }],
        frame,
    }))
}

fn offered(factor: &SecondFactorState, frame: &Frame) -> (Badge, Vec<Action>, Vec<Step>) {
    if factor.on {
        let actions = vec![
            Action::new("New recovery codes", "/security/recovery-codes", "key"),
            Action::new("Turn off", "/security/second-factor/off", "close"),
        ];
        return (Badge::new("active", "pass", "second factor on"), actions, Vec::new());
    }
    let begin = Step::new("Set up a second factor", "/security/second-factor", "key", frame);
    (Badge::plain("no second factor"), Vec::new(), vec![begin])
}

fn row(identity: &LinkedIdentity, frame: &Frame) -> Vec<Html> {
    let action = format!("/security/identities/{}/unlink", identity.id);
    let used =
        identity.last_used_at.map_or_else(|| Html::text("never"), |at| Html::of(&Moment(at)));
    vec![
        Html::text(&identity.provider),
        Html::text(identity.email.as_deref().unwrap_or_default()),
        Html::of(&Moment(identity.created_at)),
        used,
        Html::of(&Step::new("Unlink", action, "close", frame).danger("Unlink this account?")),
    ]
}

fn code_field() -> Field {
    Field::new("code", "Code").required().autocomplete("one-time-code")
}

async fn begin(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let Enrolment { secret, qr_svg, otpauth_url: _ } =
        state.identity.second_factor_begin(&visit.scope, &visit.session).await?;
    Ok(page(&EnrolPage {
        frame: visit.frame("Set up a second factor", "").crumb("Security", "/security"),
        qr: qr_svg,
        secret,
        form: Fields::new(vec![code_field()]),
    }))
}

/// A form of one of these pages, again with what was wrong.
fn form(
    visit: &Visit,
    title: &str,
    action: &str,
    submit: &'static str,
    fields: Vec<Field>,
    refused: Option<&Problem>,
) -> Response {
    let mut form = Fields::new(fields);
    if let Some(problem) = refused {
        form.refuse(problem);
    }
    let answer = page(&FormPage {
        frame: visit.frame(title, "").crumb("Security", "/security"),
        lede: String::new(),
        form,
        action: action.to_owned(),
        hidden: Vec::new(),
        submit,
        cancel: "/security".to_owned(),
    });
    match refused {
        Some(problem) => (browse_status(problem), answer).into_response(),
        None => answer,
    }
}

fn confirming(visit: &Visit, refused: Option<&Problem>) -> Response {
    let field = code_field().hint("Of the authenticator that you have just set up.");
    let action = "/security/second-factor/confirm";
    form(visit, "Set up a second factor", action, "Turn it on", vec![field], refused)
}

async fn confirm_form(visit: Visit) -> Answer {
    Ok(confirming(&visit, None))
}

async fn confirm(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    let code = SecondFactorCode::new(sent(&values, "code").unwrap_or_default());
    let identity = &state.identity;
    match identity.second_factor_confirm(&visit.context, &visit.scope, &visit.session, &code).await
    {
        Ok(codes) => Ok(shown(&visit, codes)),
        Err(problem) => Ok(confirming(&visit, Some(&problem))),
    }
}

fn shown(visit: &Visit, codes: RecoveryCodes) -> Response {
    page(&RecoveryPage {
        frame: visit.frame("Recovery codes", "").crumb("Security", "/security"),
        codes: codes.recovery_codes,
    })
}

fn renewing(visit: &Visit, refused: Option<&Problem>) -> Response {
    let field = code_field().hint("Of your authenticator. The old recovery codes stop working.");
    let action = "/security/recovery-codes";
    form(visit, "New recovery codes", action, "Make new ones", vec![field], refused)
}

async fn recovery_form(visit: Visit) -> Answer {
    Ok(renewing(&visit, None))
}

async fn recovery(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    let code = SecondFactorCode::new(sent(&values, "code").unwrap_or_default());
    let identity = &state.identity;
    match identity.recovery_codes_replace(&visit.context, &visit.scope, &visit.session, &code).await
    {
        Ok(codes) => Ok(shown(&visit, codes)),
        Err(problem) => Ok(renewing(&visit, Some(&problem))),
    }
}

fn turning_off(visit: &Visit, refused: Option<&Problem>) -> Response {
    let fields = vec![
        Field::new("password", "Password")
            .control(Control::Line("password"))
            .autocomplete("current-password"),
        Field::new("code", "Or a code")
            .hint("Of your authenticator, or a recovery code.")
            .autocomplete("one-time-code"),
    ];
    let action = "/security/second-factor/off";
    form(visit, "Turn the second factor off", action, "Turn it off", fields, refused)
}

async fn off_form(visit: Visit) -> Answer {
    Ok(turning_off(&visit, None))
}

async fn off(State(state): State<ConsoleState>, visit: Visit, Form(values): Form<Sent>) -> Answer {
    let given = |name: &str| sent(&values, name).filter(|value| !value.is_empty());
    let input = SecondFactorOff {
        password: given("password").map(Password::new),
        code: given("code").map(SecondFactorCode::new),
    };
    let identity = &state.identity;
    match identity.second_factor_off(&visit.context, &visit.scope, &visit.session, &input).await {
        Ok(()) => Ok(Redirect::to("/security?done=removed").into_response()),
        Err(problem) => Ok(turning_off(&visit, Some(&problem))),
    }
}

async fn link(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path(provider): Path<String>,
) -> Answer {
    let departure =
        state.identity.external_begin(&provider, "/security", Some(visit.session.user)).await?;
    let frame = visit.frame("Link an account elsewhere", "").crumb("Security", "/security");
    let leave = page(&DepartPage { frame, href: departure.location });
    Ok(([(header::SET_COOKIE, departure.cookie)], leave).into_response())
}

async fn unlink(
    State(state): State<ConsoleState>,
    visit: Visit,
    Id(id): Id<UserIdentityId>,
) -> Answer {
    state.identity.identity_unlink(&visit.scope, id).await?;
    Ok(Redirect::to("/security?done=removed").into_response())
}
