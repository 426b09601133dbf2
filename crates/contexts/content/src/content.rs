//! The service: what the trust centre shows, and how often it is read.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use ephor_kernel::{OrganizationId, PostId, Problem};
use ephor_store::{Store, StoreError};
use serde::Deserialize;

/// Posts on the page and in the feed, at most.
const POSTS: i32 = 100;

/// Content over a store. Cheap to clone.
#[derive(Clone)]
pub struct Content(Arc<Parts>);

struct Parts {
    store: Store,
    url: String,
    views: Mutex<Views>,
}

/// Readings since the last batch. Only posts that were shown are in it.
type Views = HashMap<(OrganizationId, PostId), i64>;

/// What an organization has published.
#[derive(Debug, Clone)]
pub(crate) struct TrustCenter {
    pub name: String,
    pub changed_at: DateTime<Utc>,
    pub posts: Vec<Listed>,
}

/// A post of a list.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Listed {
    pub id: PostId,
    pub title: String,
    pub slug: String,
    pub summary: Option<String>,
    pub opening: String,
    pub tags: Vec<String>,
    pub is_featured: bool,
    pub published_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A post.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub organization: OrganizationId,
    pub organization_name: String,
    pub id: PostId,
    pub title: String,
    pub content: String,
    pub summary: Option<String>,
    pub tags: Vec<String>,
    pub published_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Content {
    /// Content over `store`, for people who type `url`.
    pub fn new(store: Store, url: String) -> Self {
        Self(Arc::new(Parts { store, url, views: Mutex::default() }))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// The address of the installation, without a slash at its end.
    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    fn views(&self) -> MutexGuard<'_, Views> {
        self.0.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the organization at this address has published.
    pub(crate) async fn trust_center(
        &self,
        organization: &str,
        tag: Option<&str>,
    ) -> Result<TrustCenter, Problem> {
        let mut door = self.0.store.door().await?;
        let row = sqlx::query!(
            "select organization_name, changed_at, posts from door.trust_center($1, $2, $3)",
            organization,
            tag,
            POSTS
        )
        .fetch_one(door.conn())
        .await
        .map_err(StoreError::from)?;
        let (Some(name), Some(changed_at), Some(posts)) =
            (row.organization_name, row.changed_at, row.posts)
        else {
            return Err(nothing());
        };
        let posts = serde_json::from_value(posts).map_err(StoreError::from)?;
        Ok(TrustCenter { name, changed_at, posts })
    }

    /// The published post at this address.
    pub(crate) async fn post(&self, organization: &str, slug: &str) -> Result<Post, Problem> {
        let mut door = self.0.store.door().await?;
        let row = sqlx::query!(
            "select organization_id, organization_name, post_id, title, content, summary, tags, published_at, updated_at
             from door.trust_center_post($1, $2)",
            organization,
            slug
        )
        .fetch_one(door.conn())
        .await
        .map_err(StoreError::from)?;
        let post = || {
            Some(Post {
                organization: row.organization_id?.into(),
                organization_name: row.organization_name?,
                id: row.post_id?.into(),
                title: row.title?,
                content: row.content?,
                summary: row.summary,
                tags: row.tags?,
                published_at: row.published_at?,
                updated_at: row.updated_at?,
            })
        };
        post().ok_or_else(nothing)
    }

    /// Counts a reading.
    pub(crate) fn viewed(&self, post: &Post) {
        *self.views().entry((post.organization, post.id)).or_insert(0) += 1;
    }

    /// Writes the readings that were counted since the last time; keeps them when that fails.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn flush(&self) -> Result<(), Problem> {
        let views = std::mem::take(&mut *self.views());
        if views.is_empty() {
            return Ok(());
        }
        let written = self.write(&views).await;
        if written.is_err() {
            let mut kept = self.views();
            for (post, count) in views {
                *kept.entry(post).or_insert(0) += count;
            }
        }
        written
    }

    async fn write(&self, views: &Views) -> Result<(), Problem> {
        let organizations: Vec<_> = views.keys().map(|(id, _)| id.uuid()).collect();
        let posts: Vec<_> = views.keys().map(|(_, id)| id.uuid()).collect();
        let counts: Vec<_> = views.values().copied().collect();
        let mut door = self.0.store.door().await?;
        sqlx::query!("select door.posts_viewed($1, $2, $3)", &organizations, &posts, &counts)
            .execute(door.conn())
            .await
            .map_err(StoreError::from)?;
        Ok(())
    }
}

/// One answer for what is not there, not published, and not to be told of.
fn nothing() -> Problem {
    Problem::not_found("page")
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("url", &self.0.url).finish_non_exhaustive()
    }
}
