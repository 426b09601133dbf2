//! Sentences in which backticks mark names of columns, values and fields.

use super::Html;

/// The sentence, escaped, with what stands between backticks as code.
pub(crate) fn prose(text: &str) -> Html {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // A backtick too many is just a backtick.
        return Html::text(text);
    }
    parts.iter().enumerate().fold(Html::default(), |html, (index, part)| {
        if index % 2 == 1 { html.code(part) } else { html.then(part) }
    })
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn names_are_code_and_all_is_escaped() {
        let html = prose("There is no `<b>`; did you mean `sex`?").to_string();
        assert_eq!(html, "There is no <code>&lt;b&gt;</code>; did you mean <code>sex</code>?");
        assert_eq!(prose("one ` alone").to_string(), "one ` alone");
    }
}
