//! Notices: what the reader must know before going on, and problems.

use askama::{Template, filters::HtmlSafe};
use ephor_kernel::Problem;

use super::Icon;

/// A notice above or within a page.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<div class="notice {{ tone }}" role="{% if tone == "fail" %}alert{% else %}status{% endif %}">{{ icon }}<strong>{{ title }}</strong>
{% if !text.is_empty() %}<p class="small">{{ super::prose(text) }}</p>{% endif %}
{% if !items.is_empty() %}<ul class="small">{% for item in items %}<li>{{ super::prose(item) }}</li>{% endfor %}</ul>{% endif %}</div>"#
)]
pub struct Notice {
    /// `pass`, `warning`, `fail` or nothing.
    pub tone: &'static str,
    /// What goes with it.
    pub icon: Icon,
    /// The point, in one line.
    pub title: String,
    /// More, if there is more.
    pub text: String,
    /// Points of it.
    pub items: Vec<String>,
}

impl HtmlSafe for Notice {}

impl Notice {
    /// Good news.
    pub fn pass(title: impl Into<String>) -> Self {
        Self::new("pass", Icon("pass"), title)
    }

    /// Something to know.
    pub fn info(title: impl Into<String>) -> Self {
        Self::new("", Icon("info"), title)
    }

    /// Something to mind.
    pub fn warning(title: impl Into<String>) -> Self {
        Self::new("warning", Icon("warning"), title)
    }

    /// Something that went wrong.
    pub fn fail(title: impl Into<String>) -> Self {
        Self::new("fail", Icon("fail"), title)
    }

    /// A problem, with those of its faults that `shown` does not show beside a field.
    pub fn problem(problem: &Problem, shown: impl Fn(&str) -> bool) -> Self {
        let hidden: Vec<_> = problem.faults.iter().filter(|fault| !shown(&fault.pointer)).collect();
        let items: Vec<String> = hidden.iter().map(ToString::to_string).collect();
        let text = if problem.faults.is_empty() {
            problem.detail.to_string()
        } else if items.is_empty() {
            "What is wrong is said beside each field.".to_owned()
        } else {
            String::new()
        };
        Self { text, items, ..Self::fail(problem.code.title()) }
    }

    /// Adds a sentence below the title.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// Adds points.
    #[must_use]
    pub fn items(mut self, items: Vec<String>) -> Self {
        self.items = items;
        self
    }

    fn new(tone: &'static str, icon: Icon, title: impl Into<String>) -> Self {
        Self { tone, icon, title: title.into(), text: String::new(), items: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use ephor_kernel::Fault;

    use super::*;

    #[test]
    fn a_problem_lists_what_no_field_shows() {
        let problem = Problem::invalid(vec![
            Fault::new("/name", "required", "name is missing"),
            Fault::new("/other", "unknown_field", "there is no field other").hint("Leave it out."),
        ]);
        let notice = Notice::problem(&problem, |pointer| pointer == "/name");
        assert_eq!(notice.items, ["there is no field other. Leave it out."]);
        assert!(notice.to_string().contains(r#"role="alert""#));
    }
}
