//! The actions, described for the OpenAPI document.

use ephor_rest::Operation;
use serde_json::json;

/// What the resource engine does not know of.
pub fn operations() -> Vec<Operation> {
    let post = || json!({ "$ref": "#/components/schemas/posts" });
    vec![
        Operation::post("/v1/posts/{id}/publish", "Publish a post")
            .tag("posts")
            .about("Anybody may read it then, at /p/{organization's slug}/{the post's slug}. A post without a slug gets one made of its title.")
            .permission("posts", "update")
            .response(200, post()),
        Operation::post("/v1/posts/{id}/unpublish", "Take a post back")
            .tag("posts")
            .about("It is a draft again, and its address answers 404; slug and the time of its first publication are kept.")
            .permission("posts", "update")
            .response(200, post()),
    ]
}
