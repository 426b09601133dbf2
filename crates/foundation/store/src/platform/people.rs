//! People, as who runs the installation sees them.

use chrono::{DateTime, Utc};
use ephor_kernel::{Scope, UserId};
use serde::Serialize;
use uuid::Uuid;

use super::scope;
use crate::{Store, StoreError};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Their id.
    pub id: Uuid,
    /// The address that they log in with.
    pub email: String,
    /// Their name.
    pub full_name: String,
    /// They may log in.
    pub is_active: bool,
    /// They are an administrator of the platform.
    pub is_superuser: bool,
    /// The organizations of which they are an active member.
    pub organizations: Vec<String>,
    /// How many sessions are open.
    pub sessions: i64,
    /// When they last logged in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// What became of a change to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UserSet {
    /// There is such a person.
    pub changed: bool,
    /// How many sessions ended.
    pub ended: i64,
}

/// People by a part of their name or address, at most `limit`; or one.
pub async fn user_list(
    store: &Store,
    words: Option<&str>,
    user: Option<UserId>,
    limit: i32,
) -> Result<Vec<Person>, StoreError> {
    let mut tx = store.begin_system(&scope("users")).await?;
    let people = sqlx::query_as!(
        Person,
        r#"select id as "id!", email as "email!", full_name as "full_name!", is_active as "is_active!",
                  is_superuser as "is_superuser!", organizations as "organizations!", sessions as "sessions!",
                  last_login_at, created_at as "created_at!"
             from ops.users_list($1, $2, $3)"#,
        words,
        user.map(UserId::uuid),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(people)
}

/// Disables or enables a person, or makes them an administrator of the platform; none leaves as is.
pub async fn user_set(
    store: &Store,
    user: UserId,
    active: Option<bool>,
    superuser: Option<bool>,
    reason: &str,
) -> Result<UserSet, StoreError> {
    let mut tx = store.begin_system(&scope(reason)).await?;
    let set = sqlx::query_as!(
        UserSet,
        r#"select changed as "changed!", ended as "ended!" from ops.user_set($1, $2, $3, $4)"#,
        user.uuid(),
        active,
        superuser,
        reason,
    )
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(set)
}

/// Ends all sessions of a person; says how many.
pub async fn user_sessions_end(
    store: &Store,
    user: UserId,
    reason: &str,
) -> Result<i64, StoreError> {
    let mut tx = store.begin_system(&scope(reason)).await?;
    let ended = sqlx::query_scalar!(
        r#"select ended as "ended!" from ops.user_sessions_end($1, $2)"#,
        user.uuid(),
        reason,
    )
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(ended)
}

/// What became of a second factor that was to be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SecondFactorRemoved {
    /// There was one.
    pub removed: bool,
    /// How many sessions ended.
    pub ended: i64,
}

/// Takes away the second factor of a person who lost it, and ends their sessions.
pub async fn user_second_factor_remove(
    store: &Store,
    user: UserId,
    reason: &str,
) -> Result<SecondFactorRemoved, StoreError> {
    let mut tx = store.begin_system(&scope(reason)).await?;
    let done = sqlx::query_as!(
        SecondFactorRemoved,
        r#"select removed as "removed!", ended as "ended!" from ops.user_second_factor_remove($1, $2)"#,
        user.uuid(),
        reason,
    )
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(done)
}

/// Is the person of this scope an administrator of the platform? Asked at each request, so that it ends
/// at once when it is taken away.
pub async fn is_platform_administrator(store: &Store, scope: &Scope) -> Result<bool, StoreError> {
    let mut tx = store.begin(scope).await?;
    let is = sqlx::query_scalar!(
        "select is_superuser from identity.users where id = $1",
        scope.principal().uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(is.unwrap_or(false))
}
