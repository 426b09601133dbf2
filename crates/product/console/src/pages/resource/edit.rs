//! Forms from specifications: the engine's fields become ours, what is sent becomes JSON.

use chrono::{DateTime, Utc};
use ephor_kernel::{Code, Fault, Problem, Scope};
use ephor_rest::{Column, FormField, Input, Kind, ListRequest};
use ephor_store::OrgTx;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{listing::choices, people};
use crate::{
    ConsoleState,
    view::{Boxes, Choice, Control, Field, Form, format, json},
};

/// What a form sent: names and values, in order.
pub(crate) type Sent = Vec<(String, String)>;

/// The value that was sent under this name.
pub(crate) fn sent<'a>(form: &'a Sent, name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The version that a form sends back: the present one of a form that was opened. One that was refused goes on with what it
/// showed at first, so that it does not pass for one that saw what came since.
pub(crate) fn version(
    refused: Option<(&Sent, &Problem)>,
    now: Option<String>,
) -> Option<(&'static str, String)> {
    let shown = refused.and_then(|(values, _)| sent(values, "version")).map(str::to_owned);
    shown.or(now).map(|version| ("version", version))
}

/// The fields that a new row may set, or with a row those that may be changed, holding its values.
pub(crate) async fn form(
    state: &ConsoleState,
    tx: &mut OrgTx,
    path: &str,
    row: Option<&Value>,
) -> Result<Form, Problem> {
    let mut fields = Vec::new();
    for field in wanted(state, path, row.is_some())? {
        let value = row.and_then(|row| row.get(&field.name)).or(field.default.as_ref());
        let held = row.and_then(|row| row.get(&field.name)).and_then(Value::as_str);
        let choices = match field.references {
            Some(other) => {
                let mut offered = choices(state, tx, other, ListRequest::new()).await?;
                // What is referred to may be beyond the first few hundred. Not offered, it would be emptied.
                if let Some(id) = held
                    && offered.iter().all(|choice| choice.value != id)
                {
                    offered.push(Choice::new(id, called(state, tx, other, id).await?));
                }
                offered
            }
            None if matches!(field.input, Input::Person | Input::People) => {
                people::choices(state, tx, value).await?
            }
            None => {
                field.vocabulary.iter().map(|word| Choice::new(word, format::label(word))).collect()
            }
        };
        let told = if field.input == Input::Json { code } else { text };
        fields.push(shown(&field, choices, value.map(told).unwrap_or_default()));
    }
    Ok(Form::new(fields))
}

/// What the row with this id is called; its id, when it may not be seen.
async fn called(
    state: &ConsoleState,
    tx: &mut OrgTx,
    path: &str,
    id: &str,
) -> Result<String, Problem> {
    let Ok(key) = id.parse::<Uuid>() else { return Ok(id.to_owned()) };
    match state.engine.get(tx, path, key, &ListRequest::new()).await {
        Ok(row) => Ok(json::called(&row)),
        Err(problem) if problem.code == Code::NotFound => Ok(id.to_owned()),
        Err(problem) => Err(problem),
    }
}

fn wanted(state: &ConsoleState, path: &str, change: bool) -> Result<Vec<FormField>, Problem> {
    Ok(state
        .engine
        .form(path)?
        .into_iter()
        .filter(|field| if change { field.editable } else { field.creatable })
        .collect())
}

fn shown(field: &FormField, mut choices: Vec<Choice>, value: String) -> Field {
    let open = match field.input {
        Input::Choice | Input::Reference => !field.required || value.is_empty(),
        Input::Person => !choices.is_empty() && (field.nullable || value.is_empty()),
        _ => false,
    };
    if open {
        choices.insert(0, Choice::new("", if field.required { "Choose" } else { "None" }));
    }
    let control = match field.input {
        Input::Person if choices.is_empty() => Control::Line("text"),
        Input::People if choices.is_empty() => Control::Area,
        Input::People => {
            let label = field.label.clone();
            Control::Boxes(vec![Boxes { label, about: String::new(), choices }])
        }
        Input::Line => Control::Line("text"),
        Input::Paragraph | Input::Lines => Control::Area,
        Input::Choice | Input::Reference | Input::Person => Control::Select(choices),
        Input::Checkbox => Control::Check,
        Input::Integer | Input::Number => Control::Line("number"),
        Input::Time => Control::Line("datetime-local"),
        Input::Date => Control::Line("date"),
        Input::Json => Control::Code,
    };
    let value = if field.input == Input::Time { minute(&value) } else { value };
    let mut shown = Field::new(&field.name, &field.label)
        .control(control)
        .hint(field.description.clone().unwrap_or_default())
        .value(value);
    shown.required = field.required;
    shown.max_length = field.max_length.map(|most| most as usize);
    shown
}

/// A stored value as a form shows it where it is to be written as JSON: a list of texts, too.
pub(crate) fn code(value: &Value) -> String {
    if value.is_null() {
        return String::new();
    }
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A stored value as a form shows it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
        }
        Value::Object(_) | Value::Array(_) => code(value),
        other => other.to_string(),
    }
}

/// A stored time as a field `datetime-local` takes it: to the minute, in UTC, without a zone, as browsers show nothing of one that
/// has a zone. What is no time stays as it is.
pub(crate) fn minute(text: &str) -> String {
    DateTime::parse_from_rfc3339(text).map_or_else(
        |_| text.to_owned(),
        |time| time.with_timezone(&Utc).format("%Y-%m-%dT%H:%M").to_string(),
    )
}

/// What was sent, as the body of a create or of a merge patch.
///
/// # Errors
/// `invalid` with every field that does not read as what it should be.
pub(crate) fn body(
    state: &ConsoleState,
    path: &str,
    form: &Sent,
    change: bool,
) -> Result<Value, Problem> {
    let mut body = Map::new();
    let mut faults = Vec::new();
    let exact = |name: &str| {
        let kind = |column: &Column| column.name == name && column.kind == Kind::Decimal;
        state.engine.resource(path).is_some_and(|resource| resource.columns().any(kind))
    };
    for field in wanted(state, path, change)? {
        let ticked = people::ticked(&field, form);
        let value = ticked.as_deref().or_else(|| sent(form, &field.name));
        match read(&field, value, exact(&field.name)) {
            Ok(Some(value)) => {
                body.insert(field.name, value);
            }
            // Emptying a field is a change; leaving it empty at first is none.
            Ok(None) if change => {
                let empty = if field.nullable { Value::Null } else { json!("") };
                body.insert(field.name, empty);
            }
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    Problem::unless_empty(faults)?;
    Ok(Value::Object(body))
}

/// Makes a row of what was sent.
pub(crate) async fn create(
    state: &ConsoleState,
    scope: &Scope,
    path: &str,
    form: &Sent,
) -> Result<Value, Problem> {
    let body = body(state, path, form, false)?;
    let mut tx = state.engine.begin_write(&state.store, scope, path).await?;
    let row = state.engine.create(&mut tx, path, &body).await?;
    tx.commit().await?;
    Ok(row)
}

/// Changes the row to what was sent, if it still is the version that the form showed.
pub(crate) async fn update(
    state: &ConsoleState,
    scope: &Scope,
    path: &str,
    id: Uuid,
    form: &Sent,
) -> Result<Value, Problem> {
    let mut body = body(state, path, form, true)?;
    let version = sent(form, "version").and_then(|version| version.parse().ok());
    let loose: Vec<FormField> =
        wanted(state, path, true)?.into_iter().filter(|field| is_loose(field.input)).collect();
    let mut tx = state.engine.begin_write(&state.store, scope, path).await?;
    if !loose.is_empty() {
        let row = state.engine.get(&mut tx, path, id, &ListRequest::new()).await?;
        leave_shown(&loose, &row, &mut body);
    }
    let row = state.engine.update(&mut tx, path, id, &body, version).await?;
    tx.commit().await?;
    Ok(row)
}

/// May a form send something else than is stored, though nobody changed it? It shows minutes of times, browsers end the
/// lines of texts in their own way, and numbers in JSON have as many digits as we read.
const fn is_loose(input: Input) -> bool {
    matches!(input, Input::Time | Input::Line | Input::Paragraph | Input::Json)
}

/// Takes out the fields that stayed as the form showed them: else times would lose their seconds, and texts change that are
/// held to what they were, whenever something else is changed.
fn leave_shown(fields: &[FormField], row: &Value, body: &mut Value) {
    let Some(body) = body.as_object_mut() else { return };
    for field in fields {
        let shown = |value: Option<&Value>| {
            let value = value.filter(|value| !value.is_null())?;
            match (field.input, value) {
                (Input::Json, value) => Some(code(value)),
                (Input::Time, Value::String(text)) => Some(minute(text)),
                (_, Value::String(text)) => Some(even(text.trim())),
                _ => None,
            }
        };
        let stored = shown(row.get(&field.name));
        let same = stored.is_some() && stored == shown(body.get(&field.name));
        // A change of nothing at all is for the engine to judge.
        if same && body.len() > 1 {
            body.remove(&field.name);
        }
    }
}

/// A text whose lines end as they are stored, not as browsers send them.
fn even(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// Deletes the row.
pub(crate) async fn delete(
    state: &ConsoleState,
    scope: &Scope,
    path: &str,
    id: Uuid,
) -> Result<(), Problem> {
    let mut tx = state.engine.begin_write(&state.store, scope, path).await?;
    state.engine.delete(&mut tx, path, id, None).await?;
    tx.commit().await?;
    Ok(())
}

/// A value that was sent; a number is an `exact` one where the column is.
fn read(field: &FormField, value: Option<&str>, exact: bool) -> Result<Option<Value>, Fault> {
    if field.input == Input::Checkbox {
        return Ok(Some(json!(value.is_some())));
    }
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let wrong = |what: &str| {
        Fault::new(
            format!("/{}", field.name),
            "type",
            format!("`{}` is not {what}", crate::view::json::short(&json!(value))),
        )
    };
    Ok(Some(match field.input {
        Input::Integer => json!(value.parse::<i64>().map_err(|_| wrong("a whole number"))?),
        // An amount goes as it was written: by a binary fraction its last digits would become others.
        Input::Number if exact => {
            value.parse::<f64>().map_err(|_| wrong("a number"))?;
            json!(value)
        }
        Input::Number => json!(value.parse::<f64>().map_err(|_| wrong("a number"))?),
        Input::Json => {
            serde_json::from_str(value).map_err(|error| wrong(&format!("JSON: {error}")))?
        }
        Input::Lines | Input::People => {
            json!(value.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>())
        }
        // Browsers send local times without their zone; here they are UTC.
        Input::Time => json!(format!("{value}:00Z")),
        _ => json!(even(value)),
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn field(input: Input) -> FormField {
        FormField {
            name: "f".into(),
            label: "F".into(),
            input,
            required: false,
            nullable: true,
            vocabulary: vec![],
            min_length: None,
            max_length: None,
            minimum: None,
            maximum: None,
            pattern: None,
            description: None,
            default: None,
            references: None,
            creatable: true,
            editable: true,
        }
    }

    #[test]
    fn times_are_shown_as_browsers_take_them_and_read_as_they_were() {
        assert_eq!(minute("2026-01-31T12:05:00Z"), "2026-01-31T12:05");
        assert_eq!(minute("2026-01-31T23:05:07.123456-02:00"), "2026-02-01T01:05");
        for other in ["", "2026-01-31T12:05", "soon"] {
            assert_eq!(minute(other), other);
        }
        let time = field(Input::Time);
        let shown = shown(&time, vec![], "2026-01-31T12:05:00+00:00".to_owned());
        assert_eq!(shown.value, "2026-01-31T12:05");
        assert_eq!(
            read(&time, Some(&shown.value), false).unwrap(),
            Some(json!("2026-01-31T12:05:00Z"))
        );
        let line = super::shown(&field(Input::Line), vec![], "2026-01-31T12:05:00Z".to_owned());
        assert_eq!(line.value, "2026-01-31T12:05:00Z");
    }

    #[test]
    fn what_was_not_changed_keeps_its_seconds() {
        let times = [FormField { name: "due_at".into(), ..field(Input::Time) }];
        let row = json!({ "due_at": "2026-01-31T12:05:33.5+00:00" });
        let mut same = json!({ "name": "n", "due_at": "2026-01-31T12:05:00Z" });
        leave_shown(&times, &row, &mut same);
        assert_eq!(same, json!({ "name": "n" }));
        for due in [json!("2026-01-31T12:06:00Z"), Value::Null] {
            let mut changed = json!({ "name": "n", "due_at": due });
            let before = changed.clone();
            leave_shown(&times, &row, &mut changed);
            assert_eq!(changed, before);
        }
        let mut empty = json!({ "name": "n", "due_at": null });
        leave_shown(&times, &json!({ "due_at": null }), &mut empty);
        assert_eq!(empty["due_at"], Value::Null);
    }

    #[test]
    fn texts_that_nobody_changed_are_left_as_they_are() {
        let named = |name: &str| FormField { name: name.into(), ..field(Input::Paragraph) };
        let context = FormField { name: "context".into(), ..field(Input::Json) };
        let texts = [named("description"), named("notes"), context];
        let row = json!({
            "description": "one\ntwo\n", "notes": "a\r\nb", "context": { "of": ["a"], "n": 0.1 },
        });
        let sent = |text: &str| read(&field(Input::Paragraph), Some(text), false).unwrap();
        let mut same = json!({
            "priority": 1, "description": sent("one\r\ntwo\r\n"), "notes": sent("a\r\nb"),
            "context": { "of": ["a"], "n": 0.1 },
        });
        leave_shown(&texts, &row, &mut same);
        assert_eq!(same, json!({ "priority": 1 }));
        let mut changed = json!({ "priority": 1, "description": sent("one\r\nthree") });
        leave_shown(&texts, &row, &mut changed);
        assert_eq!(changed, json!({ "priority": 1, "description": "one\nthree" }));
    }

    #[test]
    fn a_refused_form_goes_on_with_the_version_that_it_showed() {
        let now = || Some("3".to_owned());
        assert_eq!(version(None, now()), Some(("version", "3".to_owned())));
        let problem = Problem::internal();
        let shown = vec![("version".to_owned(), "2".to_owned())];
        assert_eq!(version(Some((&shown, &problem)), now()), Some(("version", "2".to_owned())));
        assert_eq!(version(Some((&Vec::new(), &problem)), None), None);
    }

    #[test]
    fn json_is_shown_as_it_is_read() {
        for stored in [json!([]), json!(["a", "b c"]), json!("a"), json!({"a": [1]}), json!(7)] {
            let read = read(&field(Input::Json), Some(&code(&stored)), false).unwrap();
            assert_eq!(read, Some(stored));
        }
        assert_eq!(code(&Value::Null), "");
    }

    #[test]
    fn an_amount_keeps_its_digits() {
        let number = field(Input::Number);
        let long = "12345678901234567.89";
        assert_eq!(read(&number, Some(long), true).unwrap(), Some(json!(long)));
        assert!(read(&number, Some("much"), true).is_err());
        assert_eq!(read(&number, Some("0.5"), false).unwrap(), Some(json!(0.5)));
    }

    #[test]
    fn people_are_chosen_among_members_or_typed() {
        let members = || vec![Choice::new("a", "Ada")];
        let one = super::shown(&field(Input::Person), members(), String::new());
        assert_eq!(
            one.control,
            Control::Select(vec![Choice::new("", "None"), Choice::new("a", "Ada")])
        );
        let several = super::shown(&field(Input::People), members(), "a".to_owned());
        assert!(several.to_string().contains(r#"value="a" aria-label="F: Ada" checked"#));
        let typed = super::shown(&field(Input::Person), vec![], String::new());
        assert_eq!(typed.control, Control::Line("text"));

        let form = vec![("f".to_owned(), "a".to_owned()), ("f".to_owned(), "b".to_owned())];
        let people = field(Input::People);
        let ticked = people::ticked(&people, &form);
        assert_eq!(read(&people, ticked.as_deref(), false).unwrap(), Some(json!(["a", "b"])));
        assert_eq!(people::ticked(&people, &Vec::new()).as_deref(), Some(""));
        assert_eq!(people::ticked(&field(Input::Line), &form), None);
    }

    #[test]
    fn what_is_sent_reads_as_its_kind() {
        assert_eq!(read(&field(Input::Integer), Some(" 7 "), false).unwrap(), Some(json!(7)));
        assert_eq!(read(&field(Input::Checkbox), None, false).unwrap(), Some(json!(false)));
        assert_eq!(
            read(&field(Input::Lines), Some("a\r\n\r\n b "), false).unwrap(),
            Some(json!(["a", "b"]))
        );
        assert_eq!(
            read(&field(Input::Json), Some("{\"a\": 1}"), false).unwrap(),
            Some(json!({"a": 1}))
        );
        assert_eq!(read(&field(Input::Line), Some("  "), false).unwrap(), None);
    }

    #[test]
    fn what_does_not_read_is_a_fault_of_its_field() {
        let fault = read(&field(Input::Json), Some("{a"), false).unwrap_err();
        assert_eq!(fault.pointer, "/f");
        assert!(
            read(&field(Input::Number), Some("1,5"), false)
                .unwrap_err()
                .message
                .contains("`1,5` is not a number")
        );
    }
}
