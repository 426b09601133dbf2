//! The operations on newer versions of built-in data that wait beside changed copies.

use serde_json::{Map, Value, json};

use super::{
    put,
    resource::{if_match, operation, query, responses, row_response, with_id},
    schema,
};
use crate::Resource;

/// The name of the schema of an offer.
pub(super) const SCHEMA: &str = "builtin_offer";

/// Adds the routes of the resource's offers.
pub(super) fn paths(resource: &Resource, paths: &mut Map<String, Value>) {
    let one = format!("/v1/{}/{{id}}", resource.spec.path);
    put(paths, &format!("{one}/offer"), "get", look(resource));
    put(paths, &format!("{one}/accept-offer"), "post", accept(resource));
    put(paths, &format!("{one}/decline-offer"), "post", decline(resource));
}

fn look(resource: &Resource) -> Value {
    let summary = format!("See what a newer version would change in a {}", resource.spec.singular);
    let mut described = operation(resource, "get_offer_of", false, "read", summary);
    tell(
        &mut described,
        "A copy of what comes with Ephor that was changed here is not overwritten: the newer version waits beside it. 404 when none does.",
    );
    let response = json!({
        "description": "What is offered.",
        "content": {"application/json": {"schema": {"$ref": schema::reference(SCHEMA)}}},
    });
    described["responses"] = responses("200", response);
    with_id(described)
}

fn accept(resource: &Resource) -> Value {
    let summary = format!("Take the newer version of a {}", resource.spec.singular);
    let mut described = operation(resource, "accept_offer_of", false, "update", summary);
    tell(
        &mut described,
        "The fields that come with Ephor become what is offered, and follow new versions again; what was written here stays in the audit trail. `no_offer` when nothing is offered.",
    );
    answered(resource, described, true)
}

fn decline(resource: &Resource) -> Value {
    let summary =
        format!("Keep a {} as it is, and silence the newer version", resource.spec.singular);
    let mut described = operation(resource, "decline_offer_of", false, "update", summary);
    tell(
        &mut described,
        "The version after it is offered again; until then it can still be accepted. `no_offer` when nothing is offered, or it was declined.",
    );
    answered(resource, described, false)
}

fn tell(described: &mut Value, about: &str) {
    let needs = described["description"].as_str().unwrap_or_default();
    described["description"] = json!(format!("{about} {needs}"));
}

fn answered(resource: &Resource, mut described: Value, must_match: bool) -> Value {
    let meant = json!({"type": "integer", "minimum": 1, "maximum": i32::MAX});
    let mut parameters = vec![query(
        "offered_version",
        meant,
        "The offered version that is meant: another one is refused as `stale`.",
    )];
    if resource.versioned() {
        parameters.push(if_match(must_match));
    }
    described["parameters"] = json!(parameters);
    let row = row_response(
        resource,
        &format!("The {} as it is now.", resource.spec.singular),
        schema::whole_reference(resource.spec.path),
    );
    described["responses"] = responses("200", row);
    with_id(described)
}

/// The schema of an offer.
pub(super) fn schema() -> Value {
    let version = |about: &str| json!({"type": "integer", "minimum": 1, "description": about});
    json!({
        "type": "object",
        "required": ["held_version", "offered_version", "status", "differences"],
        "properties": {
            "held_version": version("The version that the copy was made from."),
            "offered_version": version("The version that is offered."),
            "status": {
                "type": "string",
                "enum": ["open", "declined"],
                "description": "What was declined is silent, and still to be had until the next version.",
            },
            "differences": {
                "type": "array",
                "description": "What would change.",
                "items": {
                    "type": "object",
                    "required": ["field", "copied", "here", "offered"],
                    "properties": {
                        "field": {"type": "string", "description": "The column."},
                        "copied": {"description": "What it held when it was copied."},
                        "here": {"description": "What it holds now."},
                        "offered": {"description": "What it would hold."},
                    },
                },
            },
        },
    })
}
