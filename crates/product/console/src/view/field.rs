//! Form fields: label, hint, value, and what is wrong with it, tied together for readers of
//! every kind.

use askama::{Template, filters::HtmlSafe};
use ephor_kernel::Problem;

use super::{Icon, Notice};

/// One of the values that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
}

impl Choice {
    /// A choice that is shown as it is sent.
    pub fn plain(value: impl Into<String>) -> Self {
        let value = value.into();
        Self { label: value.clone(), value }
    }

    /// A choice with words of its own.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

/// Boxes that belong together: a kind of thing, and what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boxes {
    /// What it is.
    pub label: String,
    /// What to know of it.
    pub about: String,
    /// What may be ticked.
    pub choices: Vec<Choice>,
}

/// How a value is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// One line, of the given input type (`text`, `email`, `password`, `number`, `datetime-local`, `search`).
    Line(&'static str),
    /// Several lines.
    Area,
    /// JSON or another text for machines.
    Code,
    /// One of several.
    Select(Vec<Choice>),
    /// Yes or no.
    Check,
    /// Any of several, by ticking; the value holds them with blanks between.
    Boxes(Vec<Boxes>),
    /// A file, of the given kinds.
    File(&'static str),
}

/// A form field.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "view/field.html")]
pub struct Field {
    /// The name that is sent; faults point at `/name`.
    pub name: String,
    /// Its label.
    pub label: String,
    /// What to know before filling it.
    pub hint: String,
    /// How it is entered.
    pub control: Control,
    /// What it holds now; `true` for a ticked box.
    pub value: String,
    /// It can't be left empty.
    pub required: bool,
    /// What browsers may fill in, in HTML's words; empty for nothing.
    pub autocomplete: &'static str,
    /// The most characters.
    pub max_length: Option<usize>,
    /// Choosing sends its form at once, where scripts run.
    pub live: bool,
    /// Nobody needs to be told that it may be left empty: it filters.
    pub quiet: bool,
    /// What is wrong with it.
    pub faults: Vec<String>,
}

impl HtmlSafe for Field {}

impl Field {
    /// An empty, optional field of one line.
    pub fn new(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            hint: String::new(),
            control: Control::Line("text"),
            value: String::new(),
            required: false,
            autocomplete: "",
            max_length: None,
            live: false,
            quiet: false,
            faults: Vec::new(),
        }
    }

    /// How it is entered.
    #[must_use]
    pub fn control(mut self, control: Control) -> Self {
        self.control = control;
        self
    }

    /// A choice of one.
    #[must_use]
    pub fn select(self, choices: Vec<Choice>) -> Self {
        self.control(Control::Select(choices))
    }

    /// What to know before filling it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// What it holds.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// Choosing sends its form at once.
    #[must_use]
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// It can't be left empty.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What browsers may fill in.
    #[must_use]
    pub fn autocomplete(mut self, word: &'static str) -> Self {
        self.autocomplete = word;
        self
    }

    /// Holds the value; a choice that is not among those offered is offered too, else the browser would send another
    /// one in its place, or leave it out.
    pub fn hold(&mut self, value: &str) {
        match &mut self.control {
            Control::Select(choices)
                if !value.is_empty() && choices.iter().all(|choice| choice.value != value) =>
            {
                choices.push(Choice::plain(value));
            }
            Control::Boxes(boxes) => {
                for word in value.split_whitespace() {
                    let mut offered = boxes.iter().flat_map(|one| &one.choices);
                    let is_offered = offered.any(|choice| choice.value == word);
                    if !is_offered && let Some(last) = boxes.last_mut() {
                        last.choices.push(Choice::plain(word));
                    }
                }
            }
            _ => {}
        }
        value.clone_into(&mut self.value);
    }

    fn id(&self) -> String {
        format!("field-{}", self.name)
    }

    /// The ids of what describes it, for `aria-describedby`.
    fn described(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.id()));
        let faults = (0..self.faults.len()).map(|index| format!("{}-fault-{index}", self.id()));
        hint.into_iter().chain(faults).collect::<Vec<_>>().join(" ")
    }

    fn is_code(&self) -> bool {
        self.control == Control::Code
    }

    fn is_check(&self) -> bool {
        self.control == Control::Check
    }

    fn boxes(&self) -> Option<&[Boxes]> {
        if let Control::Boxes(boxes) = &self.control { Some(boxes) } else { None }
    }

    fn holds(&self, value: &str) -> bool {
        self.value.split_whitespace().any(|word| word == value)
    }
}

/// Fields and what is wrong with the form as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// What no field can show.
    pub problem: Option<Notice>,
}

impl Form {
    /// A form of these fields.
    pub fn new(fields: Vec<Field>) -> Self {
        Self { fields, problem: None }
    }

    /// The field of this name; templates place fields by it.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Fills in what is proposed, and leaves the rest as it starts.
    pub fn propose<'a>(&mut self, proposed: impl Fn(&str) -> Option<&'a str>) {
        for field in &mut self.fields {
            if let Some(value) = proposed(&field.name) {
                field.hold(value);
            }
        }
    }

    /// Fills in what was sent, so that a refused form keeps it. Passwords are not sent back.
    pub fn fill<'a>(&mut self, sent: impl Fn(&str) -> Option<&'a str>) {
        for field in &mut self.fields {
            match (&field.control, sent(&field.name)) {
                (Control::Line("password") | Control::File(_), _) => {}
                (Control::Check, value) => {
                    field.value = if value.is_some() { "true".into() } else { String::new() };
                }
                (_, Some(value)) => field.hold(value),
                (_, None) => {}
            }
        }
    }

    /// Puts each fault of the problem beside its field, and the rest above the form.
    pub fn refuse(&mut self, problem: &Problem) {
        for fault in &problem.faults {
            let name = fault.pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
            if let Some(field) = self.fields.iter_mut().find(|field| field.name == name) {
                field.faults.push(fault.to_string());
            }
        }
        let names: Vec<String> =
            self.fields.iter().map(|field| format!("/{}", field.name)).collect();
        self.problem = Some(Notice::problem(problem, |pointer| {
            names.iter().any(|name| {
                pointer == name
                    || pointer.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/'))
            })
        }));
    }
}

#[cfg(test)]
mod tests {
    use ephor_kernel::Fault;

    use super::*;

    #[test]
    fn faults_stand_beside_their_fields_all_at_once() {
        let mut form = Form::new(vec![
            Field::new("target", "Label"),
            Field::new("protected", "Protected attributes"),
        ]);
        form.refuse(&Problem::invalid(vec![
            Fault::new("/target", "unknown_column", "There is no column `y`.")
                .hint("Did you mean `y_true`?"),
            Fault::new("/protected/1", "duplicate", "`sex` is named twice."),
            Fault::new("/confidence", "out_of_range", "The confidence is 2."),
        ]));
        assert_eq!(form.fields[0].faults, ["There is no column `y`. Did you mean `y_true`?"]);
        assert_eq!(form.fields[1].faults.len(), 1);
        assert_eq!(
            form.problem.map(|notice| notice.items),
            Some(vec!["The confidence is 2.".to_owned()])
        );
        let html = form.fields[0].to_string();
        assert!(html.contains(r#"aria-invalid="true""#) && html.contains("field-target-fault-0"));
    }

    #[test]
    fn a_choice_that_is_not_offered_is_kept() {
        let mut form = Form::new(vec![
            Field::new("model_id", "Model")
                .select(vec![Choice::new("", "None"), Choice::plain("a")]),
        ]);
        form.propose(|_| Some("b"));
        assert!(form.fields[0].to_string().contains("<option value=\"b\" selected>b</option>"));
        form.fill(|_| Some("a"));
        assert!(form.fields[0].to_string().contains("<option value=\"a\" selected>a</option>"));
    }

    #[test]
    fn a_refused_form_keeps_what_was_sent_but_no_password() {
        let mut form = Form::new(vec![
            Field::new("email", "E-mail"),
            Field::new("password", "Password").control(Control::Line("password")),
        ]);
        form.fill(|name| Some(if name == "email" { "a@b" } else { "secret" }));
        assert_eq!(form.fields[0].value, "a@b");
        assert!(form.fields[1].value.is_empty());
    }
}
