//! The frameworks, requirements and controls that come with Ephor.

use ephor_store::{
    OrgTx, StoreError,
    builtins::{BuiltinEntry, BuiltinError, BuiltinTable, builtin_file},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The files of frameworks, by name.
const FRAMEWORKS: &[(&str, &str)] = &[
    ("eu_ai_act", include_str!("../builtin/frameworks/eu_ai_act.toml")),
    ("gdpr_ai", include_str!("../builtin/frameworks/gdpr_ai.toml")),
    ("nist_ai_rmf_1_0", include_str!("../builtin/frameworks/nist_ai_rmf_1_0.toml")),
    (
        "nist_ai_600_1_genai_risks",
        include_str!("../builtin/frameworks/nist_ai_600_1_genai_risks.toml"),
    ),
    ("iso_iec_42001_2023", include_str!("../builtin/frameworks/iso_iec_42001_2023.toml")),
    ("soc2_tsc_ids", include_str!("../builtin/frameworks/soc2_tsc_ids.toml")),
    ("nyc_ll144", include_str!("../builtin/frameworks/nyc_ll144.toml")),
    ("colorado_sb26_189", include_str!("../builtin/frameworks/colorado_sb26_189.toml")),
    ("colorado_sb24_205", include_str!("../builtin/frameworks/colorado_sb24_205.toml")),
    ("owasp_llm_top10_2025", include_str!("../builtin/frameworks/owasp_llm_top10_2025.toml")),
    ("mitre_atlas", include_str!("../builtin/frameworks/mitre_atlas.toml")),
];
const CONTROLS: &str = include_str!("../builtin/controls.toml");

/// The built-in frameworks that the transaction's organization is assessed against, by their codes.
///
/// # Errors
/// Those of the database.
pub async fn active_frameworks(tx: &mut OrgTx) -> Result<Vec<String>, StoreError> {
    let organization = tx.organization().uuid();
    let codes = sqlx::query_scalar!(
        r#"select builtin_code as "builtin_code!" from compliance.frameworks
           where organization_id = $1 and is_active and builtin_code is not null"#,
        organization,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(codes)
}

/// What comes with Ephor: names and texts of the files.
pub fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    FRAMEWORKS.iter().copied().chain([("controls", CONTROLS)])
}

/// A file of a framework.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrameworkFile {
    version: i32,
    framework: Framework,
    requirements: Vec<Requirement>,
}

/// The columns of `compliance.frameworks` that are built in.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Framework {
    code: String,
    name: String,
    citation: String,
    jurisdiction: String,
    kind: String,
    as_of: String,
    licence: String,
    sources: Vec<serde_json::Value>,
    #[serde(default)]
    details: serde_json::Map<String, serde_json::Value>,
}

/// A requirement in its framework's file.
#[derive(Deserialize)]
struct Requirement {
    #[serde(flatten)]
    columns: RequirementColumns,
    parent: Option<String>,
}

/// The columns of `compliance.requirements` that are built in.
#[derive(Deserialize, Serialize)]
struct RequirementColumns {
    code: String,
    reference: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    timing: String,
    #[serde(default)]
    applies_from: Option<String>,
    #[serde(default)]
    expected_evidence: Vec<String>,
    #[serde(default)]
    position: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlFile {
    version: i32,
    controls: Vec<Control>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Control {
    code: String,
    title: String,
    text: String,
    expected_evidence: Vec<String>,
    supports: Vec<String>,
}

/// The columns of `compliance.controls` that are built in.
#[derive(Serialize)]
struct ControlColumns<'a> {
    code: &'a str,
    title: &'a str,
    text: &'a str,
    expected_evidence: &'a [String],
}

/// The tables to be followed, in their order. Requirements are those of the frameworks with the codes in
/// `active`: what an organization is not assessed against would only be in its way.
///
/// # Errors
/// When a file is not what it should be; a test reads them all.
pub fn builtins(active: &[String]) -> Result<Vec<BuiltinTable>, BuiltinError> {
    let mut frameworks = Vec::new();
    let mut requirements = Vec::new();
    for (name, text) in FRAMEWORKS {
        let file: FrameworkFile = builtin_file(name, text)?;
        let code = &file.framework.code;
        frameworks.push(BuiltinEntry::new(code, file.version, &file.framework)?);
        if !active.contains(code) {
            continue;
        }
        for (position, mut requirement) in (0..).zip(file.requirements) {
            requirement.columns.position = position;
            let columns = &requirement.columns;
            requirements.push(
                BuiltinEntry::new(&columns.code, file.version, columns)?
                    .referring("framework_id", Some(code))
                    .referring("parent_id", requirement.parent.as_deref()),
            );
        }
    }
    let file: ControlFile = builtin_file("controls", CONTROLS)?;
    let mut controls = Vec::new();
    let mut links = Vec::new();
    for Control { code, title, text, expected_evidence, supports } in &file.controls {
        let columns = ControlColumns { code, title, text, expected_evidence };
        controls.push(BuiltinEntry::new(code, file.version, &columns)?);
        for requirement in supports {
            let relation = json!({"relation": "supports"});
            links.push(
                BuiltinEntry::new(format!("{code} {requirement}"), file.version, &relation)?
                    .referring("control_id", Some(code))
                    .referring("requirement_id", Some(requirement)),
            );
        }
    }
    Ok(vec![
        BuiltinTable {
            entity: "compliance.frameworks",
            references: &[],
            initial: json!({"is_active": false}),
            entries: frameworks,
        },
        BuiltinTable {
            entity: "compliance.requirements",
            references: &[
                ("framework_id", "compliance.frameworks"),
                ("parent_id", "compliance.requirements"),
            ],
            initial: json!({}),
            entries: requirements,
        },
        BuiltinTable {
            entity: "compliance.controls",
            references: &[],
            initial: json!({}),
            entries: controls,
        },
        BuiltinTable {
            entity: "compliance.control_requirements",
            references: &[
                ("control_id", "compliance.controls"),
                ("requirement_id", "compliance.requirements"),
            ],
            initial: json!({}),
            entries: links,
        },
    ])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn all() -> Vec<BuiltinTable> {
        let codes: Vec<String> = builtins(&[]).unwrap()[0]
            .entries
            .iter()
            .map(|framework| framework.code.clone())
            .collect();
        builtins(&codes).unwrap()
    }

    #[test]
    fn codes_are_given_once_and_every_reference_points_to_one() {
        let tables = all();
        let codes: Vec<HashSet<&str>> = tables
            .iter()
            .map(|table| table.entries.iter().map(|entry| entry.code.as_str()).collect())
            .collect();
        for (table, codes) in tables.iter().zip(&codes) {
            assert_eq!(table.entries.len(), codes.len(), "{}", table.entity);
        }
        let of =
            |entity: &str| &codes[tables.iter().position(|table| table.entity == entity).unwrap()];
        for table in &tables {
            for (column, target) in table.references {
                for entry in &table.entries {
                    let code = entry.references[*column].as_str();
                    assert!(code.is_none_or(|code| of(target).contains(code)), "{entry:?}");
                }
            }
        }
        assert_eq!(codes.iter().map(HashSet::len).collect::<Vec<_>>(), [11, 804, 35, 359]);
    }

    #[test]
    fn what_is_not_asked_for_has_no_requirements() {
        let tables = builtins(&["nyc-ll144".into()]).unwrap();
        assert_eq!(tables[0].entries.len(), 11);
        assert_eq!(tables[1].entries.len(), 22);
    }
}
