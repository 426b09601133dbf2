//! One's own account: name, picture, user name and what one keeps beside.

use axum::{
    Router,
    extract::{Form, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use ephor_identity::{ChangeMe, MyAccount};
use ephor_kernel::{Fault, Problem};
use serde_json::{Map, Value};

use crate::{
    ConsoleState,
    error::page,
    pages::resource::{
        FormPage, browse_status,
        edit::{self, Sent, sent, text},
    },
    view::{Control, Field, Form as Fields, Html},
    visit::{Answer, Visit},
};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/account", get(change).post(update))
}

/// What the account's page tells of these, beside address and role.
pub(super) fn facts(user: &MyAccount) -> Vec<(String, Html)> {
    let mut facts =
        vec![("User name".to_owned(), Html::text(user.username.as_deref().unwrap_or("none")))];
    if let Some(customer) = &user.stripe_customer_id {
        facts.push(("Customer at Stripe".to_owned(), Html::text(customer)));
    }
    if !user.metadata.is_empty() {
        facts.push(("Metadata".to_owned(), Html::default().code(&written(&user.metadata))));
    }
    facts
}

fn written(metadata: &Map<String, Value>) -> String {
    serde_json::to_string(metadata).unwrap_or_default()
}

fn form(visit: &Visit, refused: Option<(&Sent, &Problem)>) -> Response {
    let user = &visit.me.user;
    let optional = |value: &Option<String>| value.clone().unwrap_or_default();
    let metadata = if user.metadata.is_empty() {
        String::new()
    } else {
        text(&Value::Object(user.metadata.clone()))
    };
    let mut form = Fields::new(vec![
        Field::new("full_name", "Name").required().autocomplete("name").value(&user.full_name),
        Field::new("first_name", "Given name").value(optional(&user.first_name)),
        Field::new("last_name", "Family name").value(optional(&user.last_name)),
        Field::new("avatar_url", "Picture")
            .hint("Its address, which begins with https://.")
            .value(optional(&user.avatar_url)),
        Field::new("username", "User name")
            .hint("Small letters a to z, digits, dots, hyphens and underscores. Nobody else has it, and no organization shows it.")
            .value(optional(&user.username)),
        Field::new("metadata", "Metadata")
            .control(Control::Code)
            .hint("A JSON object of your own, of at most 16 KiB, such as `{\"desk\": 12}`.")
            .value(metadata),
    ]);
    if let Some((values, problem)) = refused {
        form.fill(|name| sent(values, name));
        form.refuse(problem);
    }
    let answer = page(&FormPage {
        frame: visit.frame("Edit your account", "").crumb("Your account", "/sessions"),
        lede: "Your organizations show your name and picture.".to_owned(),
        form,
        action: "/account".to_owned(),
        hidden: edit::version(refused, Some(user.version.to_string())).into_iter().collect(),
        submit: "Save",
        cancel: "/sessions".to_owned(),
    });
    match refused {
        Some((_, problem)) => (browse_status(problem), answer).into_response(),
        None => answer,
    }
}

/// What was sent, as a change of the whole account.
fn asked(values: &Sent) -> Result<ChangeMe, Problem> {
    let field = |name: &str| sent(values, name).map(str::trim).filter(|text| !text.is_empty());
    let optional = |name: &str| Some(field(name).map(str::to_owned));
    let metadata = field("metadata").map(serde_json::from_str::<Map<String, Value>>);
    let metadata = metadata.transpose().map_err(|error| {
        let message = format!("This is no JSON object: {error}");
        Problem::invalid(vec![Fault::new("/metadata", "json", message)])
    })?;
    Ok(ChangeMe {
        full_name: Some(field("full_name").unwrap_or_default().to_owned()),
        first_name: optional("first_name"),
        last_name: optional("last_name"),
        avatar_url: optional("avatar_url"),
        username: optional("username"),
        metadata: Some(metadata),
    })
}

async fn change(visit: Visit) -> Answer {
    Ok(form(&visit, None))
}

async fn update(
    State(state): State<ConsoleState>,
    visit: Visit,
    Form(values): Form<Sent>,
) -> Answer {
    let version = sent(&values, "version").and_then(|version| version.parse().ok());
    let changed = match asked(&values) {
        Ok(input) => state.identity.me_change(&visit.scope, version, &input).await,
        Err(problem) => Err(problem),
    };
    match changed {
        Ok(_) => Ok(Redirect::to("/sessions?done=saved").into_response()),
        Err(problem) => Ok(form(&visit, Some((&values, &problem)))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Sent {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_left_empty_is_emptied() {
        let values = of(&[("full_name", " Ada "), ("username", ""), ("metadata", "{\"a\": 1}")]);
        let input = asked(&values).unwrap();
        assert_eq!(input.full_name.as_deref(), Some("Ada"));
        assert_eq!((input.username, input.avatar_url), (Some(None), Some(None)));
        assert_eq!(input.metadata.unwrap().unwrap()["a"], 1);
        for no_object in ["[]", "{oops", "1"] {
            let values = of(&[("full_name", "Ada"), ("metadata", no_object)]);
            assert_eq!(asked(&values).unwrap_err().faults[0].pointer, "/metadata", "{no_object}");
        }
    }
}
