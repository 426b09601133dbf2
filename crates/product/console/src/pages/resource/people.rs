//! People to choose from in forms: the members who act here.

use ephor_kernel::Problem;
use ephor_rest::{FormField, Input, ListRequest};
use ephor_store::OrgTx;
use serde_json::Value;

use super::edit::Sent;
use crate::{
    ConsoleState,
    view::{Choice, Control, Form, json},
};

/// The first few hundred members by name, and whom `value` names already: who left stays named until
/// somebody else is chosen. Nobody for who may not see the members, and then ids are typed.
pub(super) async fn choices(
    state: &ConsoleState,
    tx: &mut OrgTx,
    value: Option<&Value>,
) -> Result<Vec<Choice>, Problem> {
    if !tx.scope().permissions().allows("members", "read") {
        return Ok(Vec::new());
    }
    let request = ListRequest::new()
        .fields(&["user_id", "full_name"])
        .filter("is_active", "is.true")
        .limit(500);
    let page = state.engine.list(tx, "members", &request).await?;
    let members = page
        .data
        .iter()
        .map(|row| Choice::new(json::text(row, "user_id"), json::text(row, "full_name")));
    Ok(and_named(members.collect(), value))
}

fn and_named(mut choices: Vec<Choice>, value: Option<&Value>) -> Vec<Choice> {
    let one = value.and_then(Value::as_str);
    let several = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for id in one.into_iter().chain(several) {
        if choices.iter().all(|choice| choice.value != id) {
            choices.push(Choice::new(id, format!("Not among the members shown ({id})")));
        }
    }
    choices
}

/// Everybody who was ticked, a line each: boxes of one name are sent one by one.
pub(super) fn ticked(field: &FormField, form: &Sent) -> Option<String> {
    if field.input != Input::People {
        return None;
    }
    let values = form.iter().filter(|(name, _)| *name == field.name);
    Some(values.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("\n"))
}

/// Puts the ticks of a refused form back: filling in takes but the first value of each name.
pub(super) fn keep_ticks(form: &mut Form, sent: &Sent) {
    let boxes = form.fields.iter_mut().filter(|field| matches!(field.control, Control::Boxes(_)));
    for field in boxes {
        let values = sent.iter().filter(|(name, _)| *name == field.name);
        field.hold(&values.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" "));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_is_named_stays_to_be_chosen() {
        let members = || vec![Choice::new("a", "Ada")];
        let named = |value: Value| {
            let all = and_named(members(), Some(&value));
            all.into_iter().map(|choice| choice.value).collect::<Vec<_>>()
        };
        assert_eq!(named(json!("a")), ["a"]);
        assert_eq!(named(json!("b")), ["a", "b"]);
        assert_eq!(named(json!(["a", "b", "b"])), ["a", "b"]);
        assert_eq!(named(Value::Null), ["a"]);
    }
}
