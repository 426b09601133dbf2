//! An artefact comes in: a stream of bytes becomes an object and a row, or neither.

use std::{collections::HashSet, io, sync::Arc};

use bytes::Bytes;
use ephor_explain::{Format, Link, Malformed, Model, Scorer as _};
use ephor_kernel::{Code, DomainEvent, Fault, ModelArtifactId, ModelVersionId, Problem, Scope};
use ephor_store::StoreError;
use ephor_tabular::{Destination, Upload};
use futures::{Stream, TryStreamExt as _};
use serde_json::json;

use super::{MAX_ARTIFACT_BYTES, artifact_of_version, artifact_path};
use crate::Registry;

/// What came of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewArtifact {
    /// The artefact.
    pub id: ModelArtifactId,
    /// False when the version had this very file already.
    pub is_new: bool,
}

/// So many parts of an upload are on their way at once.
const PARTS: usize = 2;
/// More features are not explained here.
const MOST_FEATURES: usize = 10_000;
/// The name of a feature has at most so many characters, and all names together so many bytes: they stand in the row.
const MOST_NAME_CHARS: usize = 200;
const MOST_NAMES_BYTES: usize = 1 << 20;

impl Registry {
    /// Takes in the file of a model's version. The same file sent twice is the same artefact.
    ///
    /// # Errors
    /// `not_found` without such a version; `invalid` with the place when it is no model that can be read; `too_large`;
    /// `conflict` when the version has another file. Whatever goes wrong, nothing is left behind: no row, no object.
    pub async fn artifact_upload<S>(
        &self,
        scope: &Scope,
        version: ModelVersionId,
        file_name: &str,
        body: S,
    ) -> Result<NewArtifact, Problem>
    where
        S: Stream<Item = io::Result<Bytes>> + Send,
    {
        let file_name = checked(file_name)?;
        self.version_there(scope, version).await?;
        let id = ModelArtifactId::new();
        // From here on, whoever stops waiting (a client that hangs up) leaves nothing behind either.
        let mut coming =
            Coming { registry: self.clone(), scope: scope.clone(), id, settled: false };
        let stored = self.artifact_take(scope, version, id, &file_name, body).await;
        let is_kept = matches!(stored, Ok(NewArtifact { is_new: true, .. }));
        if !is_kept {
            self.artifact_discard(scope, id).await;
        }
        coming.settled = true;
        stored
    }

    async fn artifact_take<S>(
        &self,
        scope: &Scope,
        version: ModelVersionId,
        id: ModelArtifactId,
        file_name: &str,
        body: S,
    ) -> Result<NewArtifact, Problem>
    where
        S: Stream<Item = io::Result<Bytes>> + Send,
    {
        let bytes = self.artifact_receive(scope, id, body).await?;
        if bytes == 0 {
            let fault = Fault::new("/file", "malformed", "The file is empty");
            return Err(Problem::invalid(vec![fault]));
        }
        let (sha256, read) = self.artifact_read(scope.organization(), id).await?;
        let (format, model) = read.map_err(|malformed| Problem::invalid(vec![fault(malformed)]))?;
        Problem::unless_empty(faults(&model))?;
        let coming = Read { version, id, file_name, bytes, sha256, format, model: &model };
        self.artifact_keep(scope, &coming).await
    }

    async fn version_there(&self, scope: &Scope, version: ModelVersionId) -> Result<(), Problem> {
        let mut tx = self.store.begin(scope).await?;
        sqlx::query_scalar!(
            "select id from registry.model_versions where organization_id = $1 and id = $2",
            tx.organization().uuid(),
            version.uuid(),
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(StoreError::from)?
        .ok_or_else(|| Problem::not_found("model version"))?;
        tx.commit().await?;
        Ok(())
    }

    /// Streams it to the object store; answers its size.
    async fn artifact_receive<S>(
        &self,
        scope: &Scope,
        id: ModelArtifactId,
        body: S,
    ) -> Result<u64, Problem>
    where
        S: Stream<Item = io::Result<Bytes>> + Send,
    {
        let most = MAX_ARTIFACT_BYTES.min(self.max_upload_bytes);
        let destination = Destination {
            store: Arc::clone(&self.objects),
            path: artifact_path(scope.organization(), id),
        };
        let begun = Upload::begin(&destination, PARTS).await;
        let mut upload = begun.map_err(|error| unstored(&error))?;
        match pass_on(body, &mut upload, most).await {
            Ok(bytes) => {
                upload.finish().await.map_err(|error| unstored(&error))?;
                Ok(bytes)
            }
            Err(problem) => {
                upload.abort().await;
                Err(problem)
            }
        }
    }

    async fn artifact_keep(&self, scope: &Scope, read: &Read<'_>) -> Result<NewArtifact, Problem> {
        let Read { version, id, file_name, bytes, sha256, format, model } = read;
        let mut tx = self.store.begin(scope).await?;
        let kept = sqlx::query_scalar!(
            "insert into registry.model_artifacts
                 (organization_id, id, model_id, model_version_id, file_name, format, size_bytes, sha256, storage_path,
                  features, outputs, trees, link, has_covers, created_by)
             select v.organization_id, $3, v.model_id, v.id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
               from registry.model_versions v
              where v.organization_id = $1 and v.id = $2
             on conflict on constraint model_artifacts_model_version_id_key do nothing
             returning id",
            tx.organization().uuid(),
            version.uuid(),
            id.uuid(),
            file_name,
            word(*format)?,
            i64::try_from(*bytes).unwrap_or(i64::MAX),
            sha256,
            artifact_path(scope.organization(), *id).to_string(),
            json!(model.features()),
            i32::try_from(model.outputs()).unwrap_or(i32::MAX),
            i32::try_from(model.trees()).unwrap_or(i32::MAX),
            link(model.link()),
            model.has_covers(),
            scope.principal().uuid(),
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(StoreError::from)?;
        if kept.is_some() {
            tx.emit(&DomainEvent::ModelArtifactStored { artifact: *id }).await?;
            tx.commit().await?;
            return Ok(NewArtifact { id: *id, is_new: true });
        }
        let there = artifact_of_version(&mut tx, *version).await?;
        tx.commit().await?;
        match there {
            Some((there, hash)) if hash == *sha256 => Ok(NewArtifact { id: there, is_new: false }),
            Some(_) => Err(Problem::new(
                Code::Conflict,
                "The version has another file already. A changed model is a new version; a wrong file is deleted first",
            )),
            None => Err(Problem::not_found("model version")),
        }
    }

    /// Takes back what an upload that failed has left. What can't be taken back now is swept later.
    async fn artifact_discard(&self, scope: &Scope, id: ModelArtifactId) {
        if let Err(problem) = self.artifact_object_delete(scope, id).await {
            tracing::warn!(%problem, artifact = %id, "what a failed upload left is swept later");
        }
    }
}

/// Passes on what comes, as it comes; answers how many bytes came.
async fn pass_on<S>(body: S, upload: &mut Upload, most: u64) -> Result<u64, Problem>
where
    S: Stream<Item = io::Result<Bytes>> + Send,
{
    let mut body = std::pin::pin!(body);
    let mut bytes = 0_u64;
    loop {
        let piece = body.try_next().await.map_err(|error| {
            Problem::new(
                Code::Malformed,
                format!(
                    "The file did not come to its end: {error}; nothing was kept. Send it again"
                ),
            )
        })?;
        let Some(piece) = piece else { return Ok(bytes) };
        bytes += piece.len() as u64;
        if bytes > most {
            return Err(Problem::new(
                Code::TooLarge,
                format!(
                    "The file has more than {most} bytes, which is the most that is taken; nothing was kept"
                ),
            ));
        }
        upload.write(piece).await.map_err(|error| unstored(&error))?;
    }
}

/// A file that came in and was read.
struct Read<'a> {
    version: ModelVersionId,
    id: ModelArtifactId,
    file_name: &'a str,
    bytes: u64,
    sha256: String,
    format: Format,
    model: &'a Model,
}

/// An artefact that is coming in. Dropped before it is settled, it takes back what came.
struct Coming {
    registry: Registry,
    scope: Scope,
    id: ModelArtifactId,
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
            runtime.spawn(async move { registry.artifact_discard(&scope, id).await });
        }
    }
}

/// A browser may send a whole path; only its last part is a name.
fn checked(file_name: &str) -> Result<String, Problem> {
    let name: String =
        file_name.rsplit(['/', '\\']).next().unwrap_or_default().trim().chars().take(200).collect();
    if name.contains('\0') {
        let fault = Fault::new("query:file_name", "nul", "A text holds a NUL character");
        return Err(Problem::invalid(vec![fault]));
    }
    Ok(if name.is_empty() { "model".to_owned() } else { name })
}

fn fault(malformed: Malformed) -> Fault {
    let Malformed { place, message, hint, .. } = malformed;
    let made = Fault::new("/file", "malformed", format!("{place}: {message}"));
    match hint {
        Some(hint) => made.hint(hint),
        None => made,
    }
}

/// What the database cannot hold, or nobody could tell apart.
fn faults(model: &Model) -> Vec<Fault> {
    let names = model.features();
    let mut faults = Vec::new();
    if names.len() > MOST_FEATURES {
        faults.push(Fault::new(
            "/file",
            "too_many_features",
            format!("The model has {} features; at most {MOST_FEATURES} are taken", names.len()),
        ));
    }
    if names.iter().any(|name| name.contains('\0')) {
        faults.push(Fault::new("/file", "nul", "The name of a feature holds a NUL character"));
    }
    if let Some(name) = names.iter().find(|name| name.chars().count() > MOST_NAME_CHARS) {
        faults.push(Fault::new(
            "/file",
            "too_long",
            format!(
                "The name of a feature has more than {MOST_NAME_CHARS} characters: `{}\u{2026}`",
                shortened(name)
            ),
        ));
    }
    if names.iter().map(String::len).sum::<usize>() > MOST_NAMES_BYTES {
        faults.push(Fault::new(
            "/file",
            "too_long",
            format!("The names of the features have more than {MOST_NAMES_BYTES} bytes together"),
        ));
    }
    let mut seen = HashSet::new();
    if let Some(name) = names.iter().find(|name| !seen.insert(*name)) {
        let message = format!("Two features have the name `{}`", shortened(name));
        faults.push(Fault::new("/file", "repeated", message));
    }
    faults
}

/// As much of a name as tells which one it is.
fn shortened(name: &str) -> String {
    name.chars().take(50).collect()
}

/// The word of a format, as the file's own programs know it.
fn word(format: Format) -> Result<String, Problem> {
    match serde_json::to_value(format) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(Problem::internal()),
    }
}

const fn link(link: Link) -> &'static str {
    match link {
        Link::Identity => "identity",
        Link::Logistic { .. } => "logistic",
        Link::Exponential => "exponential",
        Link::Softmax => "softmax",
        Link::Sign => "sign",
    }
}

fn unstored(error: &object_store::Error) -> Problem {
    tracing::error!(%error, "an artefact could not be stored");
    Problem::new(
        Code::Unavailable,
        "The file could not be stored at the moment; nothing was kept. Try again",
    )
    .retry_after(5)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_name() {
        assert_eq!(checked("../../etc/model.json").unwrap(), "model.json");
        assert_eq!(checked(r"C:\models\a.onnx").unwrap(), "a.onnx");
        assert_eq!(checked(" ").unwrap(), "model");
        assert!(checked("a\0b").is_err());
    }

    #[test]
    fn formats_have_the_words_of_the_database() {
        assert_eq!(word(Format::XgboostJson).unwrap(), "xgboost_json");
        assert_eq!(word(Format::XgboostUbjson).unwrap(), "xgboost_ubjson");
        assert_eq!(word(Format::LightgbmText).unwrap(), "lightgbm_text");
        assert_eq!(word(Format::SklearnJson).unwrap(), "sklearn_json");
        assert_eq!(word(Format::Onnx).unwrap(), "onnx");
    }
}
