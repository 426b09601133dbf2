//! The files that say where each required column lives.

use std::{collections::BTreeMap, path::PathBuf};

use crate::home::Home;

/// Columns by table.
pub type Tables = BTreeMap<String, Vec<String>>;
/// Homes by table and column.
pub type Map = BTreeMap<String, BTreeMap<String, Home>>;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../lineage")
}

fn read(name: &str) -> String {
    let path = folder().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The required columns, by system.
pub fn required() -> BTreeMap<String, Tables> {
    serde_json::from_str(&read("columns.json")).unwrap()
}

/// Where a system's columns live.
pub fn of(system: &str) -> Map {
    toml::from_str(&read(&format!("{system}.toml")))
        .unwrap_or_else(|error| panic!("lineage/{system}.toml: {error}"))
}

/// A system's own schema, with a row in each table.
pub fn fixture(system: &str) -> String {
    read(&format!("fixtures/{system}.sql"))
}
