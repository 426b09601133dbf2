//! What the pages of a thing say first, where it does less than its name and its own words promise.

/// What to know before relying on it; nothing for most things.
fn of(path: &str) -> Option<&'static str> {
    (path == "policies").then_some(
        "Ephor keeps policies and does not evaluate their rules yet: an active policy stops nothing by itself. What runs outside reads its rules here.",
    )
}

/// A sentence with the caution behind it.
pub(super) fn after(said: String, path: &str) -> String {
    match of(path) {
        Some(caution) if said.is_empty() => caution.to_owned(),
        Some(caution) => format!("{}. {caution}", said.trim_end_matches('.')),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_not_taken_for_more_than_it_is() {
        assert!(after("Policy".to_owned(), "policies").starts_with("Policy. Ephor keeps"));
        assert!(after("A rule.".to_owned(), "policies").starts_with("A rule. Ephor keeps"));
        assert!(after(String::new(), "policies").starts_with("Ephor keeps"));
        assert_eq!(after("Model".to_owned(), "models"), "Model");
    }
}
