//! The direction of dependence, and the crate table of ARCHITECTURE.md.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

const FOUNDATION: &[&str] = &["ephor-kernel", "ephor-store", "ephor-rest"];
const CAPABILITIES: &[&str] = &[
    "ephor-cluster",
    "ephor-explain",
    "ephor-fairness",
    "ephor-mail",
    "ephor-report",
    "ephor-seal",
    "ephor-tabular",
];
const CONTEXTS: &[&str] = &[
    "ephor-identity",
    "ephor-registry",
    "ephor-assurance",
    "ephor-risk",
    "ephor-compliance",
    "ephor-guard",
    "ephor-gateway",
    "ephor-workforce",
    "ephor-deliberation",
    "ephor-discovery",
    "ephor-billing",
    "ephor-content",
];

/// Which of our crates each may stand on. What is not named here is not allowed.
fn allowed(name: &str) -> Vec<&'static str> {
    match name {
        // The bottom, and the capabilities, which are usable (and published) alone.
        "ephor-kernel" => vec![],
        // A cluster runs analyses: it knows their functions and their files.
        "ephor-cluster" => vec!["ephor-kernel", "ephor-fairness", "ephor-tabular"],
        capability if CAPABILITIES.contains(&capability) => vec!["ephor-kernel"],
        // `store` keeps the audit trail, so it seals.
        "ephor-store" => vec!["ephor-kernel", "ephor-seal"],
        "ephor-rest" => vec!["ephor-kernel", "ephor-store"],
        // Contexts stand on the foundation and on capabilities, never on one another.
        context if CONTEXTS.contains(&context) => [FOUNDATION, CAPABILITIES].concat(),
        "ephor-console" => [FOUNDATION, CAPABILITIES, CONTEXTS].concat(),
        "ephor" => [FOUNDATION, CAPABILITIES, CONTEXTS, &["ephor-console"]].concat(),
        // A tool that no product crate stands on.
        "ephor-benches" => [FOUNDATION, CAPABILITIES].concat(),
        unknown => panic!("{unknown} is new: give it its row in {}", file!()),
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap()
}

fn ours(package: &Package) -> Vec<String> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal && dependency.path.is_some())
        .map(|dependency| dependency.name.clone())
        .collect()
}

#[test]
fn crates_stand_only_on_what_is_below_them() {
    let wrong: Vec<String> = metadata()
        .packages
        .iter()
        .flat_map(|package| {
            let allowed = allowed(&package.name);
            ours(package)
                .into_iter()
                .filter(move |dependency| !allowed.contains(&dependency.as_str()))
                .map(|dependency| format!("{} must not stand on {dependency}", package.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_crate_table_of_architecture_md_is_current() {
    let metadata = metadata();
    let by_folder: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|package| {
            let folder = package.manifest_path.parent().unwrap();
            (folder.strip_prefix(&metadata.workspace_root).unwrap().to_string(), package)
        })
        .collect();
    let mut table = String::from("| folder | what it is | stands on |\n|---|---|---|\n");
    for (folder, package) in by_folder {
        let mut below = ours(package);
        below.sort_by_key(|name| {
            [FOUNDATION, CAPABILITIES, CONTEXTS].concat().iter().position(|known| known == name)
        });
        let below: Vec<_> = below.iter().map(|name| name.trim_start_matches("ephor-")).collect();
        let description = package.description.as_deref().unwrap_or_default();
        writeln!(table, "| `{folder}` | {description} | {} |", below.join(", ")).unwrap();
    }

    let path = root().join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- crates: generated -->\n", "<!-- crates: end -->");
    let (head, rest) = text.split_once(begin).unwrap();
    let (old, tail) = rest.split_once(end).unwrap();
    if old != table {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, format!("{head}{begin}{table}{end}{tail}")).unwrap();
        } else {
            panic!(
                "the crate table is old; renew it with `UPDATE_DOCS=1 cargo test -p ephor --test it crate_table`"
            );
        }
    }
}
