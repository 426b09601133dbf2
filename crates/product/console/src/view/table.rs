//! Tables: heads that may sort, cells of any kind.

use askama::{Template, filters::HtmlSafe};

/// HTML that a part of ours has printed, and escaped where it had to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// As it stands in a page.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// What `part` prints.
    pub fn of(part: &impl HtmlSafe) -> Self {
        Self(part.to_string())
    }

    /// A text, escaped.
    pub fn text(text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                other => out.push(other),
            }
        }
        Self(out)
    }

    /// A text that leads somewhere.
    pub fn link(href: &str, text: &str) -> Self {
        Self(format!(r#"<a href="{}">{}</a>"#, Self::text(href).0, Self::text(text).0))
    }

    /// Followed by a text, escaped.
    #[must_use]
    pub fn then(mut self, text: &str) -> Self {
        self.0.push_str(&Self::text(text).0);
        self
    }

    /// Followed by a name in the letters of code, escaped.
    #[must_use]
    pub fn code(mut self, text: &str) -> Self {
        self.0.push_str("<code>");
        self.0.push_str(&Self::text(text).0);
        self.0.push_str("</code>");
        self
    }

    /// A text of several lines or of some length, as it was written.
    pub fn lines(text: &str) -> Self {
        Self(format!(r#"<div class="lines">{}</div>"#, Self::text(text).0))
    }

    /// A text for machines, folded away under `summary` unless it stands `open`.
    pub fn folded(summary: &str, text: &str, open: bool) -> Self {
        let open = if open { " open" } else { "" };
        Self(format!(
            r#"<details class="whole"{open}><summary>{}</summary><pre tabindex="0">{}</pre></details>"#,
            Self::text(summary).0,
            Self::text(text).0
        ))
    }

    /// With a quieter second line.
    #[must_use]
    pub fn sub(mut self, text: &str) -> Self {
        if !text.is_empty() {
            self.0.push_str(r#"<span class="sub">"#);
            self.0.push_str(&Self::text(text).0);
            self.0.push_str("</span>");
        }
        self
    }
}

impl std::fmt::Display for Html {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

/// A column's head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Its words.
    pub label: String,
    /// Numbers stand on the right.
    pub right: bool,
    /// Where a click sorts by it, if it can be sorted by.
    pub sort: Option<String>,
    /// How it is sorted now: `ascending`, `descending` or not at all.
    pub sorted: Option<&'static str>,
}

impl Head {
    /// A plain head.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// A head over numbers.
    pub fn right(label: impl Into<String>) -> Self {
        Self { right: true, ..Self::new(label) }
    }
}

/// A cell; those under a right head stand right.
pub type Cell = Html;

/// A table. The first cell of each row names the row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "view/table.html")]
pub struct Table {
    /// What it is, for those who do not see it.
    pub label: String,
    /// Its columns.
    pub heads: Vec<Head>,
    /// Its rows, each as long as `heads`.
    pub rows: Vec<Vec<Cell>>,
}

impl HtmlSafe for Table {}

impl Table {
    fn is_right(&self, index: usize) -> bool {
        self.heads.get(index).is_some_and(|head| head.right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_wrote_is_escaped() {
        let cell = Html::link("/x?a=\"&b", "<script>").sub("it's");
        assert_eq!(
            cell.to_string(),
            r#"<a href="/x?a=&quot;&amp;b">&lt;script&gt;</a><span class="sub">it&#39;s</span>"#
        );
        assert_eq!(Html::lines("<b>").to_string(), r#"<div class="lines">&lt;b&gt;</div>"#);
        assert_eq!(
            Html::folded("1 <field>", "{\"a\"}", true).to_string(),
            r#"<details class="whole" open><summary>1 &lt;field&gt;</summary><pre tabindex="0">{&quot;a&quot;}</pre></details>"#
        );
    }
}
