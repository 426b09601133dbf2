//! What the resource engine serves of content's tables.

use ephor_rest::{Actions, Include, ResourceSpec};

/// Posts, and how often they are read.
pub const RESOURCES: &[ResourceSpec] = &[POSTS, POST_VIEWS];

/// Whoever makes a post is its author, and it begins as a draft: publishing it is a change, which
/// takes the permission to change posts. Views are counted by the system.
const POSTS: ResourceSpec = ResourceSpec::new("posts", "content.posts")
    .labels("post", "posts")
    .actions(Actions::ALL)
    .create(&["title", "content", "summary", "is_featured", "slug", "tags"])
    .update(&["title", "content", "summary", "status", "is_featured", "slug", "tags", "author_id"])
    .people(&["author_id"])
    .search(&["title", "summary", "content"])
    .include(&[Include::one("views", "post_views", "id")])
    .reach();

/// Counted by the trust centre; shown with its post.
const POST_VIEWS: ResourceSpec = ResourceSpec::new("post_views", "content.post_views")
    .labels("count of views", "counts of views")
    .permission("posts")
    .actions(Actions::NONE)
    .sort("-last_viewed_at");
