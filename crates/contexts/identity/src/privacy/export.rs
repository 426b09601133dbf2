//! Asking for the archive, and having it.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use ephor_kernel::{Code, DataExportId, Problem, Scope};
use ephor_store::{audit, jobs::NewJob};
use futures::Stream;
use serde::Serialize;
use serde_json::json;

use super::jobs::{EXPORT, Person};
use crate::{
    identity::{Identity, database},
    session::CurrentSession,
};

/// An archive of what is held on a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataExport {
    /// Its id.
    pub id: DataExportId,
    /// `pending`, `ready` or `failed`.
    pub state: String,
    /// How many rows it holds.
    pub row_count: Option<i64>,
    /// How long it is, in bytes.
    pub byte_count: Option<i64>,
    /// Its SHA-256, in hexadecimal.
    pub sha256: Option<String>,
    /// Why it could not be made.
    pub fault: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// Until when it can be had.
    pub expires_at: DateTime<Utc>,
}

/// The bytes of an archive, and what to call them.
pub struct DataExportContent<S> {
    /// The archive.
    pub export: DataExport,
    /// Its bytes, piece by piece.
    pub bytes: S,
}

impl Identity {
    /// Begins an archive of all that is held on the caller, in place of the one before; answers the
    /// one that is being made, when there is one already.
    pub async fn data_export_request(
        &self,
        scope: &Scope,
        _: &CurrentSession,
    ) -> Result<DataExport, Problem> {
        let mut tx = self.store().begin(scope).await?;
        let row =
            sqlx::query!(r#"select state as "state!", export_id from door.data_export_request()"#)
                .fetch_one(tx.conn())
                .await
                .map_err(database)?;
        let id = row.export_id.ok_or_else(|| Problem::not_found("account"))?;
        if row.state == "ok" {
            let payload = json!(Person { user: scope.principal().uuid().into() });
            tx.enqueue(NewJob { kind: EXPORT, payload, subject: Some(id) }).await?;
        }
        tx.commit().await?;
        self.data_export_get(scope, id.into()).await
    }

    /// The caller's archives, the newest first: one at most, while no other is kept.
    pub async fn data_export_list(&self, scope: &Scope) -> Result<Vec<DataExport>, Problem> {
        let mut tx = self.store().begin(scope).await?;
        let rows = sqlx::query!(
            "select id, state, row_count, byte_count, sha256, fault, created_at, expires_at
             from identity.data_exports
             where user_id = $1 and expires_at > now() order by created_at desc, id limit 10",
            scope.principal().uuid(),
        )
        .fetch_all(tx.conn())
        .await
        .map_err(database)?;
        tx.commit().await?;
        Ok(rows
            .into_iter()
            .map(|row| DataExport {
                id: row.id.into(),
                state: row.state,
                row_count: row.row_count,
                byte_count: row.byte_count,
                sha256: row.sha256.map(hex::encode),
                fault: row.fault,
                created_at: row.created_at,
                expires_at: row.expires_at,
            })
            .collect())
    }

    /// One of the caller's archives.
    ///
    /// # Errors
    /// `not_found` for one that is somebody else's, or whose time is over.
    pub async fn data_export_get(
        &self,
        scope: &Scope,
        id: DataExportId,
    ) -> Result<DataExport, Problem> {
        let all = self.data_export_list(scope).await?;
        all.into_iter()
            .find(|export| export.id == id)
            .ok_or_else(|| Problem::not_found("data export"))
    }

    /// The bytes of one of the caller's archives; that it was taken is recorded.
    ///
    /// # Errors
    /// `not_found`; `conflict` while it is not ready.
    pub async fn data_export_content(
        &self,
        scope: &Scope,
        _: &CurrentSession,
        id: DataExportId,
    ) -> Result<DataExportContent<impl Stream<Item = Result<Bytes, Problem>> + Send + use<>>, Problem>
    {
        let export = self.data_export_get(scope, id).await?;
        if export.state != "ready" {
            return Err(Problem::new(
                Code::Conflict,
                "The archive is not ready; look at its state, and ask for another one if it failed",
            ));
        }
        let mut tx = self.store().begin(scope).await?;
        audit::record(
            &mut tx,
            "data_export_download",
            "identity.data_exports",
            Some(id.uuid()),
            &json!({}),
        )
        .await?;
        tx.commit().await?;
        let (identity, scope) = (self.clone(), scope.clone());
        let bytes = futures::stream::try_unfold(0, move |number| {
            let (identity, scope) = (identity.clone(), scope.clone());
            async move {
                // A transaction for each piece: none stays open for a slow reader.
                let mut tx = identity.store().begin(&scope).await?;
                let piece = sqlx::query_scalar!(
                    "select content from identity.data_export_parts
                     where user_id = $1 and export_id = $2 and number = $3",
                    scope.principal().uuid(),
                    id.uuid(),
                    number,
                )
                .fetch_optional(tx.conn())
                .await
                .map_err(database)?;
                tx.commit().await?;
                Ok(piece.map(|piece| (Bytes::from(piece), number + 1)))
            }
        });
        Ok(DataExportContent { export, bytes })
    }
}
