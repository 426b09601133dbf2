//! An archived entry, and its proof.

use std::sync::Arc;

use chrono::Datelike as _;
use ephor_kernel::{EntryId, OrganizationId};
use ephor_seal::TlogProof;
use object_store::ObjectStore;

use super::{
    super::{AuditError, receipt::prove, row},
    Archived, archive_list, fetch, file,
};
use crate::Store;

/// Proves an entry, archived or not, as [`super::super::receipt()`] does; `None` when there is none, or
/// it is not sealed yet.
pub async fn archived_receipt(
    store: &Store,
    objects: &Arc<dyn ObjectStore>,
    organization: OrganizationId,
    entry: EntryId,
) -> Result<Option<TlogProof>, AuditError> {
    let made = row::time(entry.uuid());
    let archive = archive_list(store).await?.into_iter().find(|archive| {
        archive.dropped
            && (archive.month.year(), archive.month.month()) == (made.year(), made.month())
    });
    let Some(archive) = archive else { return Ok(None) };
    let file = fetch(objects, &archive).await?;
    let wanted = (organization.uuid(), entry.uuid());
    let found = tokio::task::spawn_blocking(move || {
        let mut found: Option<Archived> = None;
        file::each(file, |archived| {
            let is_it = (archived.organization, archived.row.id) == wanted;
            if is_it {
                found = Some(archived);
            }
            Ok(!is_it)
        })
        .map(|()| found)
    })
    .await??;
    let Some(found) = found else { return Ok(None) };
    let mut conn = store.sealer_pool().acquire().await?;
    prove(&mut conn, organization.uuid(), &found.row).await
}
