//! The templates of assistants that come with Ephor: the twelve roles of a company.

use ephor_store::builtins::{BuiltinEntry, BuiltinError, BuiltinTable, builtin_file};
use serde::{Deserialize, Serialize};
use serde_json::json;

const TEMPLATES: &str = include_str!("../builtin/assistant_templates.toml");

/// What comes with Ephor: names and texts of the files.
pub fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    [("assistant_templates", TEMPLATES)].into_iter()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: i32,
    entries: Vec<Template>,
}

#[derive(Deserialize)]
struct Template {
    code: String,
    #[serde(flatten)]
    columns: TemplateColumns,
}

/// The columns of `workforce.assistant_templates` that are built in.
#[derive(Deserialize, Serialize)]
struct TemplateColumns {
    name: String,
    slug: String,
    description: String,
    r#type: String,
    capabilities: Vec<String>,
    configuration: serde_json::Value,
    model_config: serde_json::Value,
}

/// The table to be followed.
///
/// # Errors
/// When the file is not what it should be; a test reads it.
pub fn builtins() -> Result<BuiltinTable, BuiltinError> {
    let File { version, entries } = builtin_file("assistant_templates", TEMPLATES)?;
    let entries = entries
        .iter()
        .map(|template| BuiltinEntry::new(&template.code, version, &template.columns))
        .collect::<Result<_, _>>()?;
    Ok(BuiltinTable {
        entity: "workforce.assistant_templates",
        references: &[],
        initial: json!({}),
        entries,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_company_has_twelve_roles() {
        let entries = builtins().unwrap().entries;
        assert_eq!(entries.len(), 12);
        assert!(entries.iter().all(|entry| entry.values["slug"] == entry.code.as_str()));
    }
}
