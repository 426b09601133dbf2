//! A data set comes in: a stream of bytes becomes a row and a Parquet object, or neither.

use std::io;

use bytes::Bytes;
use ephor_kernel::{Code, DatasetId, DomainEvent, Fault, Problem, Scope};
use ephor_store::{OrgTx, StoreError};
use ephor_tabular::{
    Converted, Destination, Format, Limits, OpenOptions, TabularError, convert_to_parquet,
};
use futures::{Stream, future::BoxFuture};
use object_store::ObjectStoreExt as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::object_path;
use crate::Registry;

/// What one tells of a new data set.
#[derive(Debug, Clone, Default)]
pub struct NewDataset {
    /// A name for people; the file's name without its ending if it is empty.
    pub name: String,
    /// What is in it and where it comes from.
    pub description: String,
    /// The file's name.
    pub source_name: String,
    /// The format, when the caller knows; else what the content says.
    pub format: Option<Format>,
    /// What else to keep with it, such as an attribution.
    pub metadata: Value,
}

/// What becomes true with a data set, in the transaction that makes it ready: all of it, or nothing.
pub type Settle =
    Box<dyn for<'a> FnOnce(&'a mut OrgTx, DatasetId) -> BoxFuture<'a, Result<(), Problem>> + Send>;

/// Is told how far an upload is.
pub type UploadProgress = ephor_tabular::Progress;

impl Registry {
    /// Takes a data set in.
    ///
    /// # Errors
    /// `invalid` with line and column when the file is broken, `too_large`; whatever goes wrong,
    /// nothing is left behind: no row, no object.
    pub async fn dataset_upload<S>(
        &self,
        scope: &Scope,
        new: NewDataset,
        body: S,
        progress: &(dyn Fn(UploadProgress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<DatasetId, Problem>
    where
        S: Stream<Item = io::Result<Bytes>> + Send,
    {
        let settle: Settle = Box::new(|_, _| Box::pin(async { Ok(()) }));
        self.dataset_upload_with(scope, new, body, progress, cancel, settle).await
    }

    /// Takes a data set in, and has something become true with it.
    ///
    /// # Errors
    /// As [`Registry::dataset_upload`], and what `settle` refuses.
    pub async fn dataset_upload_with<S>(
        &self,
        scope: &Scope,
        new: NewDataset,
        body: S,
        progress: &(dyn Fn(UploadProgress) + Send + Sync),
        cancel: &CancellationToken,
        settle: Settle,
    ) -> Result<DatasetId, Problem>
    where
        S: Stream<Item = io::Result<Bytes>> + Send,
    {
        let new = checked(new)?;
        let id = DatasetId::new();
        // From here on, whoever stops waiting (a client that hangs up) leaves nothing behind either.
        let mut coming =
            Coming { registry: self.clone(), scope: scope.clone(), id, settled: false };
        if let Err(problem) = self.announce(scope, id, &new).await {
            coming.settled = true;
            return Err(problem);
        }
        let destination = Destination {
            store: std::sync::Arc::clone(&self.objects),
            path: object_path(scope.organization(), id),
        };
        let options = OpenOptions {
            format: new.format,
            memory_bytes: self.memory_bytes,
            limits: Limits {
                bytes: Some(self.max_upload_bytes),
                unpacked_bytes: Some(self.max_upload_bytes.saturating_mul(16)),
                ..Limits::default()
            },
            ..OpenOptions::default()
        };
        let stored = match convert_to_parquet(body, &destination, options, progress, cancel).await {
            Ok(converted) => self.keep(scope, id, &converted, settle).await,
            Err(error) => Err(refused(error)),
        };
        if stored.is_err() {
            self.discard(scope, id).await;
        }
        coming.settled = true;
        stored.map(|()| id)
    }

    /// A row says that something is coming, so that what a dead server left can be found.
    async fn announce(
        &self,
        scope: &Scope,
        id: DatasetId,
        new: &NewDataset,
    ) -> Result<(), Problem> {
        let NewDataset { name, description, source_name, format, metadata } = new;
        let mut tx = self.store.begin(scope).await?;
        sqlx::query!(
            "insert into registry.datasets
                 (organization_id, id, name, description, source_name, source_format, metadata, created_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            tx.organization().uuid(),
            id.uuid(),
            name,
            description,
            source_name,
            format.unwrap_or(Format::Csv).to_string(),
            metadata,
            scope.principal().uuid(),
        )
        .execute(tx.conn())
        .await
        .map_err(StoreError::from)?;
        tx.commit().await?;
        Ok(())
    }

    async fn keep(
        &self,
        scope: &Scope,
        id: DatasetId,
        converted: &Converted,
        settle: Settle,
    ) -> Result<(), Problem> {
        let Converted { schema, profile, rows, bytes, sha256, format, source_bytes: _, notes } =
            converted;
        let columns: Vec<Value> = schema
            .fields()
            .iter()
            .map(|field| json!({ "name": field.name(), "type": type_name(field.data_type()), "nullable": field.is_nullable() }))
            .collect();
        let profile = serde_json::to_value(profile).map_err(|_| Problem::internal())?;
        let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
        let mut tx = self.store.begin(scope).await?;
        let kept = sqlx::query!(
            "update registry.datasets
                set status = 'ready', schema = $3, statistics = $4, row_count = $5, size_bytes = $6, sha256 = $7,
                    storage_path = $8, source_format = $9,
                    metadata = case when $10::jsonb = '[]' then metadata else metadata || jsonb_build_object('notes', $10::jsonb) end
              where organization_id = $1 and id = $2 and status = 'uploading'",
            tx.organization().uuid(),
            id.uuid(),
            Value::Array(columns),
            profile,
            i64::try_from(*rows).unwrap_or(i64::MAX),
            i64::try_from(*bytes).unwrap_or(i64::MAX),
            sha256,
            object_path(scope.organization(), id).to_string(),
            format.to_string(),
            json!(notes),
        )
        .execute(tx.conn())
        .await
        .map_err(StoreError::from)?;
        if kept.rows_affected() == 0 {
            return Err(Problem::new(
                Code::Conflict,
                "The upload took so long that it was given up; send it again",
            ));
        }
        settle(&mut tx, id).await?;
        tx.emit(&DomainEvent::DatasetStored { dataset: id }).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes back what an upload that failed has left. What can't be taken back now is swept later.
    async fn discard(&self, scope: &Scope, id: DatasetId) {
        match self.objects.delete(&object_path(scope.organization(), id)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => {
                tracing::warn!(%error, dataset = %id, "what a failed upload left is swept later");
                return;
            }
        }
        if let Err(problem) = self.dataset_forget(scope, id).await {
            tracing::warn!(%problem, dataset = %id, "what a failed upload left is swept later");
        }
    }

    async fn dataset_forget(&self, scope: &Scope, id: DatasetId) -> Result<(), StoreError> {
        let mut tx = self.store.begin(scope).await?;
        sqlx::query!(
            "delete from registry.datasets where organization_id = $1 and id = $2 and status = 'uploading'",
            tx.organization().uuid(),
            id.uuid(),
        )
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }
}

/// A data set that is coming in. Dropped before it is settled, it takes back what came.
struct Coming {
    registry: Registry,
    scope: Scope,
    id: DatasetId,
    settled: bool,
}

impl Drop for Coming {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let (registry, scope, id) = (self.registry.clone(), self.scope.clone(), self.id);
        // Without a runtime the process is ending: then it is swept later.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { registry.discard(&scope, id).await });
        }
    }
}

/// What is told is checked before a single byte is taken in.
fn checked(mut new: NewDataset) -> Result<NewDataset, Problem> {
    // A browser may send a whole path; only its last part is a name.
    new.source_name =
        new.source_name.rsplit(['/', '\\']).next().unwrap_or_default().chars().take(200).collect();
    if new.name.trim().is_empty() {
        let stem =
            new.source_name.rsplit_once('.').map_or(new.source_name.as_str(), |(stem, _)| stem);
        new.name = if stem.is_empty() { "Data set".to_owned() } else { stem.to_owned() };
    }
    new.name = new.name.trim().to_owned();
    if new.metadata.is_null() {
        new.metadata = json!({});
    }
    let mut faults = Vec::new();
    if new.name.chars().count() > 200 {
        faults.push(Fault::new("/name", "too_long", "A name has at most 200 characters"));
    }
    if new.description.chars().count() > 10_000 {
        faults.push(Fault::new(
            "/description",
            "too_long",
            "A description has at most 10000 characters",
        ));
    }
    if [&new.name, &new.description, &new.source_name].iter().any(|text| text.contains('\0')) {
        faults.push(Fault::new("/name", "malformed", "A text holds a NUL character"));
    }
    Problem::unless_empty(faults)?;
    Ok(new)
}

fn refused(error: TabularError) -> Problem {
    let message = error.to_string();
    match error {
        TabularError::TooLarge { .. } => Problem::new(Code::TooLarge, message),
        error if error.is_input() => {
            Problem::invalid(vec![Fault::new("/file", "malformed", message)])
        }
        TabularError::Cancelled => {
            Problem::new(Code::Conflict, "The upload was cancelled; nothing was kept")
        }
        error if error.is_storage_full() => {
            tracing::error!(error = message, "there is no room for a data set");
            Problem::new(
                Code::StorageFull,
                "There is no room left to store the data set; nothing was kept. Make room, or ask whoever runs Ephor to",
            )
        }
        TabularError::Io(_) => {
            Problem::new(Code::Malformed, format!("{message}; nothing was kept. Send it again"))
        }
        _ => {
            tracing::error!(error = message, "a data set could not be stored");
            Problem::new(
                Code::Unavailable,
                "The data set could not be stored at the moment; nothing was kept. Try again",
            )
            .retry_after(5)
        }
    }
}

/// The type in words that people use.
fn type_name(kind: &arrow::datatypes::DataType) -> String {
    use arrow::datatypes::DataType;
    match kind {
        DataType::Dictionary(_, value) => type_name(value),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        kind if kind.is_integer() => "integer".to_owned(),
        kind if kind.is_floating() || kind.is_decimal() => "number".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn named(name: &str, source_name: &str) -> Result<NewDataset, Problem> {
        checked(NewDataset {
            name: name.into(),
            source_name: source_name.into(),
            ..NewDataset::default()
        })
    }

    #[test]
    fn a_name_follows_from_the_file() {
        assert_eq!(named("", "adult.test.csv").unwrap().name, "adult.test");
        assert_eq!(named(" Adult ", "x.csv").unwrap().name, "Adult");
        assert_eq!(named("", "").unwrap().name, "Data set");
    }

    #[test]
    fn a_path_is_no_name() {
        assert_eq!(named("", "../../etc/passwd").unwrap().source_name, "passwd");
        assert_eq!(named("", r"C:\data\a.csv").unwrap().source_name, "a.csv");
    }

    #[test]
    fn every_fault_is_told() {
        let new = NewDataset {
            name: "x".repeat(201),
            description: "y".repeat(10_001),
            ..NewDataset::default()
        };
        assert_eq!(checked(new).unwrap_err().faults.len(), 2);
    }
}
