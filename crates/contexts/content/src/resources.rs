//! What the resource engine serves of content's tables.

use ephor_rest::{Actions, ResourceSpec};

/// Posts.
pub const RESOURCES: &[ResourceSpec] = &[POSTS];

/// Whoever makes a post is its author; views are counted by the system.
const POSTS: ResourceSpec = ResourceSpec::new("posts", "content.posts")
    .labels("post", "posts")
    .actions(Actions::ALL)
    .create(&["title", "content", "summary", "status", "is_featured", "slug", "tags"])
    .update(&["title", "content", "summary", "status", "is_featured", "slug", "tags", "author_id"])
    .search(&["title", "summary", "content"])
    .reach();
