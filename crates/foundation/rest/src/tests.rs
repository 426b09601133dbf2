//! Specifications, bodies, forms and the OpenAPI document, without a database.

use serde_json::json;

use crate::{
    Actions, Engine, Include, Operation, ResourceSpec,
    body::{self, Write},
    sample::{self, MODELS, PEOPLE, VERSIONS},
};

fn wrong(specs: impl IntoIterator<Item = ResourceSpec>) -> Vec<String> {
    Engine::new(&sample::catalog(), specs, [0; 32]).unwrap_err().0
}

#[test]
fn a_specification_that_names_what_is_gone_says_so() {
    let spec = ResourceSpec::new("models", "registry.models")
        .actions(Actions::ALL)
        .create(&["nam", "version", "secret"])
        .hidden(&["secret"])
        .search(&["score"])
        .sort("-creation,metadata");
    insta::assert_snapshot!(wrong([spec]).join("\n"));
    insta::assert_snapshot!(
        wrong([ResourceSpec::new("m", "registry.model"), PEOPLE, PEOPLE]).join("\n")
    );
}

#[test]
fn what_could_never_be_created_is_refused_at_the_start() {
    let spec = VERSIONS.create(&["model_id"]);
    assert_eq!(
        wrong([spec, MODELS.include(&[])]),
        [
            "`versions` (registry.versions): number is required and has no default, but create does not name it"
        ]
    );
}

#[test]
fn what_is_everybodys_is_no_tenants_and_is_only_read() {
    let spec =
        ResourceSpec::new("models", "registry.models").actions(Actions::READ.and_delete()).global();
    assert_eq!(
        wrong([spec]),
        [
            "`models` (registry.models): it is a tenant's table, so its rows are not the same for all",
            "`models` (registry.models): what is the same for all organizations is only read"
        ]
    );
}

#[test]
fn what_some_do_not_see_is_only_read() {
    let spec = ResourceSpec::new("models", "registry.models")
        .actions(Actions::READ.and_delete())
        .guarded(&[("score", "people")]);
    assert_eq!(
        wrong([spec]),
        [
            "`models` (registry.models): guarded names score, which writes, searches or the order of lists would tell"
        ]
    );
}

#[test]
fn what_a_holding_decides_is_about_what_it_reads() {
    let spec = VERSIONS.below("models", "model_id", ("nothing", 4));
    assert_eq!(
        wrong([spec, MODELS.include(&[])]),
        ["`versions`: what is below names `models` and its nothing, which holdings do not read"]
    );
}

#[test]
fn includes_and_parents_name_resources() {
    const INCLUDES: &[Include] = &[
        Include::many("name", "versions", "model_id"),
        Include::many("others", "nothing", "model_id"),
        Include::one("owner", "people", "own_id"),
    ];
    let models = MODELS.include(INCLUDES);
    insta::assert_snapshot!(
        wrong([models, PEOPLE, VERSIONS.parent("model", "model_id", "versions")]).join("\n")
    );
}

fn faults(write: Write, body: serde_json::Value) -> String {
    let engine = sample::engine();
    let faults = body::check(engine.resource("models").unwrap(), write, &body, "/3");
    let lines = faults.iter().map(|fault| {
        let hint = fault.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{} {}: {}{hint}", fault.pointer, fault.code, fault.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_fault_of_a_body_is_told() {
    insta::assert_snapshot!(faults(
        Write::Create,
        json!({
            "name": "", "kind": "clustering", "score": 101, "metadata": [], "tags": ["a", 1], "owner_id": "me",
            "nmae": "x", "version": 3, "secret": "x", "a/b~c": 1,
        })
    ));
    insta::assert_snapshot!(faults(
        Write::Update,
        json!({"name": null, "kind": "regression", "score": "1.5", "metadata": {"k": "a\0b"}})
    ));
    insta::assert_snapshot!(faults(Write::Create, json!({})));
    assert_eq!(faults(Write::Create, json!([])), "/3 type: a model is sent as a JSON object");
    let fine = json!({"name": "a", "kind": "regression", "score": 0, "metadata": {}, "tags": [], "owner_id": null});
    assert_eq!(faults(Write::Create, fine), "");
}

#[test]
fn a_form_knows_what_the_catalog_knows() {
    insta::assert_json_snapshot!(sample::engine().form("models").unwrap());
}

#[test]
fn the_openapi_document() {
    let cancel = Operation::post("/v1/models/{id}/retire", "Retire a model")
        .tag("models")
        .permission("models", "retire")
        .query("force", json!({"type": "boolean"}), "Whatever depends on it.")
        .request(json!({"type": "object"}))
        .response(200, json!({"$ref": "#/components/schemas/models"}));
    let log_in = Operation::post("/v1/log_in", "Log in").tag("sessions").public().empty(204);
    let engine = Engine::with_operations(
        &sample::catalog(),
        [MODELS, VERSIONS, PEOPLE],
        [0; 32],
        [cancel, log_in],
    )
    .unwrap();
    insta::assert_json_snapshot!(engine.openapi());
}

#[test]
fn operations_have_distinct_ids_and_references_resolve() {
    let engine = sample::engine();
    let document = engine.openapi();
    let mut ids = std::collections::BTreeSet::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            assert!(ids.insert(operation["operationId"].to_string()), "{operation}");
        }
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}
