//! The personas that come with Ephor.

use ephor_store::builtins::{BuiltinEntry, BuiltinError, BuiltinTable, builtin_file};
use serde::{Deserialize, Serialize};
use serde_json::json;

const PERSONAS: &str = include_str!("../builtin/personas.toml");

/// What comes with Ephor: names and texts of the files.
pub fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    [("personas", PERSONAS)].into_iter()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: i32,
    entries: Vec<Persona>,
}

/// The columns of `deliberation.personas` that are built in.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Persona {
    code: String,
    name: String,
    kind: String,
    expertise: String,
    system_prompt: String,
}

/// The table to be followed.
///
/// # Errors
/// When the file is not what it should be; a test reads it.
pub fn builtins() -> Result<BuiltinTable, BuiltinError> {
    let File { version, entries } = builtin_file("personas", PERSONAS)?;
    let entries = entries
        .iter()
        .map(|persona| BuiltinEntry::new(&persona.code, version, persona))
        .collect::<Result<_, _>>()?;
    Ok(BuiltinTable {
        entity: "deliberation.personas",
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
    fn the_board_is_complete() {
        let entries = builtins().unwrap().entries;
        let of = |kind| entries.iter().filter(|persona| persona.values["kind"] == kind).count();
        assert_eq!([of("expert"), of("moderator"), of("researcher"), of("meta")], [38, 4, 2, 1]);
    }
}
