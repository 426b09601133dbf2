//! Which keys are trusted, and how one hands over to the next.

use chrono::{DateTime, Utc};
use ephor_seal::{KeyRing, PublicKey, RotationNote, SealKey};
use sqlx::PgConnection;
use uuid::Uuid;

use super::AuditError;
use crate::Store;

/// The keys that may be trusted when one of them is: those that rotation notes in the database
/// join to it. The notes are signed, so that the database need not be trusted for them.
pub async fn trusted(
    store: &Store,
    keys: impl IntoIterator<Item = PublicKey>,
) -> Result<KeyRing, AuditError> {
    let mut conn = store.sealer_pool().acquire().await?;
    let mut ring = KeyRing::new(keys);
    ring.follow(&rotations_load(&mut conn).await?);
    Ok(ring)
}

/// Hands over from one key to another: from the next batch on, a sealer with the new key signs.
/// The caller puts the new key in its place once this has succeeded, and keeps the old one until
/// then.
pub async fn rotate(
    store: &Store,
    from: &SealKey,
    to: &SealKey,
    at: DateTime<Utc>,
) -> Result<RotationNote, AuditError> {
    let rotation = RotationNote::new(from, to, at);
    let mut conn = store.sealer_pool().acquire().await?;
    key_register(&mut conn, from.public(), None).await?;
    key_register(&mut conn, to.public(), Some(&rotation)).await?;
    Ok(rotation)
}

/// Records a key that signs, and says whether a note joins it to the keys before it. The first
/// key needs none.
pub(super) async fn key_register(
    conn: &mut PgConnection,
    key: PublicKey,
    rotation: Option<&RotationNote>,
) -> Result<bool, AuditError> {
    sqlx::query!(
        "insert into audit.seal_keys (id, public_key, rotation_note, created_at)
         values ($1, $2, $3, clock_timestamp()) on conflict (public_key) do nothing",
        Uuid::now_v7(),
        key.to_string(),
        rotation.map(|rotation| rotation.note.to_string()),
    )
    .execute(&mut *conn)
    .await?;
    let mut ring = KeyRing::new([key]);
    ring.follow(&rotations_load(conn).await?);
    let known = keys_load(conn).await?;
    Ok(known.iter().all(|known| ring.keys().iter().any(|key| key.to_string() == *known)))
}

/// The keys that ever signed, oldest first.
pub(super) async fn keys_load(conn: &mut PgConnection) -> Result<Vec<String>, AuditError> {
    let keys =
        sqlx::query_scalar!("select public_key from audit.seal_keys order by created_at, id");
    Ok(keys.fetch_all(conn).await?)
}

/// The notes by which keys hand over.
pub(super) async fn rotations_load(
    conn: &mut PgConnection,
) -> Result<Vec<RotationNote>, AuditError> {
    let notes = sqlx::query_scalar!(
        r#"select rotation_note as "note!" from audit.seal_keys
           where rotation_note is not null order by created_at, id"#
    )
    .fetch_all(conn)
    .await?;
    // A note that does not hold joins nothing; verification will miss the key that it was for.
    Ok(notes.iter().filter_map(|note| RotationNote::parse(note).ok()).collect())
}
