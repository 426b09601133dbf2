"""What schemathesis cannot know of Ephor: its own formats, and which refusals no schema can foresee."""

import re

import jsonschema_rs
import schemathesis
from hypothesis import strategies as st

# A group of filters nests, which no pattern can say; every resource has an id to ask for.
GROUPS = ["(id.is.not_null)", "(id.is.null,not.and(id.is.not_null))", "(not.or(id.is.null,id.is.null))"]
schemathesis.openapi.format("filter-group", st.sampled_from(GROUPS))

# Faults that depend on more than the one request: on what is stored, on what belongs together, on the clock.
BEYOND_A_SCHEMA = {
    "unknown_reference": "it names a row, and there is none",
    "unknown": "the same",
    "conflict": "the like is there already, or the address names another parent",
    "check_failed": "a constraint on several columns: an end lies after its beginning",
    "cursor": "cursors are signed",
    "nul": "the document says it in words: no text holds U+0000, within JSON neither",
    "common": "a password that everybody tries first",
    "past": "an end that is over already",
    "exceeds": "nobody gives away more than they have",
    "too_deep": "the document says it in words: how deep JSON may be nested",
    "too_large": "the same: how many bytes it may have",
    "too_many": "a patch adds names to those that are stored",
}
# The same, at one place.
BEYOND_THERE = {
    ("vocabulary", "/permissions/"): "GET /v1/permissions lists them",
    ("taken", "/username"): "somebody else's",
    ("too_large", "/metadata"): "bytes of JSON",
    ("malformed", "/file"): "bytes that are no table",
    ("repeated", "query:sort"): "a column upwards and downwards",
    ("type", "/filters/"): "what is in a column of JSON, the document leaves open",
    ("type", "/parameters"): "the same: what a monitor is told depends on its kind",
    ("schedule", "/schedule"): "a cron expression is more than a pattern says",
    ("required", "/current_dataset_id"): "a monitor that runs by itself is complete",
    ("required", "/reference_dataset_id"): "the same, of those that compare",
    ("required", "/parameters"): "the same",
    ("unknown_metric", "/metric"): "`ephor metrics` lists them",
    ("no_metric", "/threshold"): "it is that of a metric, unless a score is watched",
    ("repeated", "/columns/"): "a name twice",
    ("no_dataset", "/analysis"): "what another system ran has no data here",
    ("no_specification", "/analysis"): "the same",
    ("task", "/analysis"): "mitigations are of decisions of yes or no",
    ("no_labels", "/analysis"): "and computed from labels",
    ("no_labels", "/metric"): "a metric that compares with labels, where the analysis names none",
    ("required", "/score"): "decisions are made by scores, weights by labels alone",
    ("required", "/randomized"): "two rates are made equal by draws",
    ("incomplete", "/reference_groups"): "an advantaged group for each attribute, or for none",
    ("*", "/score"): "a column of the analysis' data set, and a number",
    ("*", "/protected"): "columns of the analysis' data set",
    ("*", "/reference_groups"): "the same, and their groups",
    ("*", "/prediction"): "the analysis' own column, which its data set need not have",
    ("*", "/target"): "the same",
    ("*", "/weight"): "the same",
    ("unknown_column", "/dataset_id"): "columns that the mitigation reads",
    ("score_not_numeric", "/dataset_id"): "the same",
    ("weight_not_numeric", "/dataset_id"): "the same",
    ("column_exists", "/column"): "a new column is new",
    ("unknown_column", "/row_id"): "a column of the data set",
    ("required", "/model_id"): "a model or a file of one, where no analysis names it",
    ("required", "/dataset_id"): "a data set, where no analysis names it",
    ("no_artifact", "/model_id"): "explanations are computed from a file",
    ("of_another_model", "/artifact_id"): "the file of that model",
    ("*", "/background_dataset_id"): "a data set that is ready, with a column of numbers for each feature",
    ("too_many_features", "/"): "a model is as large as it is",
    ("not_numeric", "/dataset_id"): "features are numbers",
    ("*", "/parameters"): "columns and groups that a specification names, and how its parts go together",
}

# What a well-formed request may meet.
POSSIBLE = {401, 403, 404, 409, 412, 422, 429}


@schemathesis.check
def refused_only_beyond_the_schema(ctx, response, case):
    """What the document allows is refused only for what a document cannot say."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    status = response.status_code
    if status < 400 or status >= 500:
        return
    label = case.operation.label
    assert status in POSSIBLE, f"{label}: {status} for what the document allows: {response.text}"
    if status == 422:
        for fault in response.json().get("faults", []):
            assert beyond(fault, case) or brought_along(fault, case), f"{label}: {fault}"


@schemathesis.check
def whole_unless_fields_are_asked(ctx, response, case):
    """Without `fields`, a row has every column: what the schema of rows alone cannot require."""
    if response.status_code != 200 or case.method.upper() != "GET" or "fields" in (case.query or {}):
        return
    if not response.headers.get("content-type", [""])[0].startswith("application/json"):
        return
    shape = case.operation.definition.raw["responses"]["200"]["content"]["application/json"]["schema"]
    listed = shape.get("properties", {}).get("data", {}).get("items", {})
    name = (listed or shape).get("$ref", "").removeprefix("#/components/schemas/")
    whole = case.operation.schema.raw_schema["components"]["schemas"].get(f"{name}_whole")
    if whole is None:
        return
    body = response.json()
    for row in body["data"] if listed else [body]:
        missing = set(whole["required"]) - set(row)
        assert not missing, f"{case.operation.label}: {missing} missing in {row}"


def beyond(fault, case):
    code, pointer = fault["code"], fault["pointer"]
    # Of many rows at once, the pointer begins with the row's number.
    within = re.sub(r"^/[0-9]+(?=/)", "", pointer)
    there = any(word in (code, "*") and within.startswith(place) for word, place in BEYOND_THERE)
    # Bounds are for numbers; an exact decimal may come as a text.
    exact = code == "out_of_range" and isinstance(at(case.body, pointer), str)
    return code in BEYOND_A_SCHEMA or there or exact


def brought_along(fault, case):
    """Along a link comes a value of another answer, whatever the parameter takes: then it is refused rightly."""
    place, _, name = fault["pointer"].partition(":")
    document = case.operation.schema.raw_schema
    for parameter in case.operation.definition.raw.get("parameters", []):
        if (place, name) == (parameter.get("in"), parameter.get("name")):
            schema = {"components": document["components"], **parameter["schema"]}
            return not jsonschema_rs.is_valid(schema, (case.query or {}).get(name))
    return False


def at(body, pointer):
    for key in pointer.split("/")[1:]:
        if isinstance(body, list) and key.isdigit():
            body = body[int(key)]
        elif isinstance(body, dict):
            body = body.get(key)
        else:
            return None
    return body
