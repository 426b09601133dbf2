//! The actions, described for the OpenAPI document.

use ephor_rest::Operation;
use serde_json::{Value, json};

/// What the resource engine does not know of.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/usage", "What may be used, and what is")
            .tag("usage records")
            .about("The tier in force with its limits and features, this month's use beside them, and the requests by day and by endpoint. Is not counted itself.")
            .permission("usage_records", "read")
            .response(200, usage()),
        Operation::post("/v1/payment_methods/{id}/default", "Pay with a payment method")
            .tag("payment methods")
            .about("Makes it the one that is charged; what was it, is it no more, in the same moment.")
            .permission("payment_methods", "update")
            .response(200, json!({ "$ref": "#/components/schemas/payment_methods" })),
    ]
}

fn usage() -> Value {
    let text = json!({ "type": "string" });
    let number = json!({ "type": "number" });
    let count = json!({ "type": "integer", "minimum": 0 });
    let maybe_text = json!({ "type": ["string", "null"] });
    let list = |properties: Value| {
        let required: Vec<_> =
            properties.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        json!({ "type": "array", "items": { "type": "object", "required": required, "properties": properties } })
    };
    json!({
        "type": "object",
        "required": ["tier_code", "tier_name", "month", "resets_at", "limits", "features", "days", "endpoints"],
        "properties": {
            "tier_code": maybe_text,
            "tier_name": { "type": ["string", "null"], "description": "Null when no tier is in force, so that nothing is gated." },
            "month": { "type": "string", "format": "date" },
            "resets_at": { "type": "string", "format": "date-time" },
            "limits": list(json!({
                "name": text, "label": text, "used": number,
                "limit": { "type": ["number", "null"], "description": "Null for no limit." },
                "per": { "enum": ["minute", "month", "time"], "description": "What it is counted over; time: what there is at once." },
            })),
            "features": list(json!({ "name": text, "included": { "type": "boolean" } })),
            "days": list(json!({ "day": { "type": "string", "format": "date" }, "requests": count, "failed": count })),
            "endpoints": list(json!({
                "endpoint": text, "requests": count, "failed": count,
                "mean_milliseconds": { "type": ["number", "null"] },
            })),
        },
    })
}
