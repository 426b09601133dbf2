//! What the pages of a thing say first, where it does less than its name and its own words promise.

use ephor_rest::ResourceSpec;

/// A sentence with the caution behind it that the specification gives; as it is, for most things.
pub(super) fn after(said: String, of: &ResourceSpec) -> String {
    match of.cautions() {
        Some(caution) if said.is_empty() => caution.to_owned(),
        Some(caution) => format!("{}. {caution}", said.trim_end_matches('.')),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caution_stands_behind_what_is_said() {
        let bare = ResourceSpec::new("models", "registry.models");
        let spec = bare.caution("It decides nothing.");
        assert_eq!(after("Policy".to_owned(), &spec), "Policy. It decides nothing.");
        assert_eq!(after("A rule.".to_owned(), &spec), "A rule. It decides nothing.");
        assert_eq!(after(String::new(), &spec), "It decides nothing.");
        assert_eq!(after("Model".to_owned(), &bare), "Model");
    }
}
