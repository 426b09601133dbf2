//! Verification where the trail lives: every leaf is computed anew from the stored bytes.

use ephor_kernel::OrganizationId;
use ephor_seal::{
    Checkpoint, Hash, KeyRing, Tree, Verification, merkle, organization_origin,
    verify::{Checked, CheckpointRecord, Finding, Verifier, check},
};
use uuid::Uuid;

use super::{
    AuditError, INSTANCE_LOG, instance,
    keys::rotations_load,
    reader::{Page, Reader, StoredCheckpoint},
    row::Row,
};
use crate::Store;

/// Verifies the trail of one organization, with keys that are trusted and those to which they
/// hand over. On success the newest checkpoint is marked as verified.
pub async fn verify(
    store: &Store,
    organization: OrganizationId,
    keys: &KeyRing,
) -> Result<Verification, AuditError> {
    let organization = organization.uuid();
    let mut reader = Reader::open(store, organization).await?;
    let log = Log {
        organization,
        origin: organization_origin(organization),
        keys: with_rotations(&mut reader, keys).await?,
    };
    let mut verifier = Verifier::new(organization);
    // One page is hashed while the next is read.
    let mut hashing = None;
    loop {
        let page = reader.page().await?;
        if let Some(hashing) = hashing.take() {
            take(&mut verifier, hashing).await?;
        }
        let Some(page) = page else { break };
        let log = log.clone();
        hashing = Some(tokio::task::spawn_blocking(move || log.check(page)));
    }
    let rest = reader.rest().await?;
    for checkpoint in rest.checkpoints {
        verifier.checkpoint(log.checkpoint(checkpoint));
    }
    let rows: std::collections::HashMap<Uuid, &Row> =
        rest.queued_rows.iter().map(|row| (row.id, row)).collect();
    for (id, hash) in rest.queue {
        let entry = rows.get(&id).map(|row| row.entry(organization));
        verifier.queued(id, hash, entry.as_ref());
    }
    for row in &rest.unlisted {
        verifier.unlisted(row.id, row.entry(organization).leaf_hash());
    }
    let logged = logged(&mut reader, &log.origin).await?;
    drop(reader);
    let mut verification = verifier.finish();
    verification.findings.extend(rolled_back(&verification, logged.as_ref()));
    if verification.verified() {
        mark(store, organization, verification.proven).await?;
    }
    Ok(verification)
}

/// Verifies every organization that has a trail, and the instance log.
pub async fn verify_all(store: &Store, keys: &KeyRing) -> Result<Vec<Verification>, AuditError> {
    let organizations = sqlx::query_scalar!(
        r#"with recursive found (id) as (
               (select organization_id from audit.audit_logs order by organization_id limit 1)
               union all
               select (select l.organization_id from audit.audit_logs as l
                       where l.organization_id > found.id order by l.organization_id limit 1)
               from found where found.id is not null)
           select id as "id!" from found where id is not null
           union select organization_id from audit.audit_checkpoints where organization_id <> $1
           union select organization_id from audit.seal_queue
           order by 1"#,
        INSTANCE_LOG,
    )
    .fetch_all(store.sealer_pool())
    .await?;
    let mut all = Vec::with_capacity(organizations.len() + 1);
    for organization in organizations {
        all.push(verify(store, OrganizationId::from(organization), keys).await?);
    }
    all.push(verify_instance(store, keys).await?);
    Ok(all)
}

/// Verifies the instance log: its entries against its newest signed checkpoint.
pub async fn verify_instance(store: &Store, keys: &KeyRing) -> Result<Verification, AuditError> {
    let mut reader = Reader::open(store, INSTANCE_LOG).await?;
    let log = Log {
        organization: INSTANCE_LOG,
        origin: instance::origin(reader.conn()).await?,
        keys: with_rotations(&mut reader, keys).await?,
    };
    let entries =
        sqlx::query!("select position, checkpoint from audit.instance_entries order by position")
            .fetch_all(reader.conn())
            .await?;
    let notes = sqlx::query!(
        "select last_sequence_number, root_hash, note from audit.audit_checkpoints
         where organization_id = $1 order by last_sequence_number",
        INSTANCE_LOG,
    )
    .fetch_all(reader.conn())
    .await?;
    let mut findings = Vec::new();
    let (mut tree, mut proven, mut checkpoint) = (Tree::new(), 0, None);
    let mut entries = entries.into_iter();
    for stored in notes {
        let size = stored.last_sequence_number as u64;
        while tree.size() < size
            && let Some(entry) = entries.next()
        {
            if entry.position as u64 != tree.size() {
                findings.push(Finding::Gap { from: tree.size(), to: entry.position as u64 });
            }
            tree.append(merkle::leaf(entry.checkpoint.as_bytes()), |_, _| {});
        }
        match log.keys.checkpoint(&stored.note, &log.origin) {
            Err(error) => findings.push(Finding::Checkpoint { size, fault: error.to_string() }),
            Ok(signed) if signed.size > tree.size() => {
                findings.push(Finding::CutOff { from: tree.size(), to: signed.size });
            }
            Ok(signed) if signed.size != size || signed.root[..] != stored.root_hash[..] => {
                let fault = "the size or root kept beside it is not the signed one".to_owned();
                findings.push(Finding::Checkpoint { size, fault });
            }
            Ok(signed) if signed.root == tree.root() => {
                proven = size;
                checkpoint = Some(stored.note);
            }
            Ok(_) => {
                findings.push(Finding::Unproven {
                    from: proven,
                    to: size,
                    entries: Vec::new(),
                    following: 0,
                });
                break;
            }
        }
    }
    let sealed = tree.size() + entries.count() as u64;
    if findings.is_empty() && sealed > proven {
        findings.push(Finding::Unsigned { from: proven, to: sealed, entries: Vec::new() });
    }
    drop(reader);
    if findings.is_empty() {
        mark(store, INSTANCE_LOG, proven).await?;
    }
    let organization = INSTANCE_LOG;
    Ok(Verification {
        organization,
        sealed,
        proven,
        queued: 0,
        archived: 0,
        checkpoint,
        erased: Vec::new(),
        findings,
    })
}

/// A tree, and whom to trust in it.
#[derive(Clone)]
struct Log {
    organization: Uuid,
    origin: String,
    keys: KeyRing,
}

impl Log {
    fn check(&self, page: Page) -> (Vec<CheckpointRecord>, Checked) {
        let checkpoints = page.checkpoints.into_iter().map(|stored| self.checkpoint(stored));
        let entries = page.rows.iter().map(|row| row.entry(self.organization));
        (checkpoints.collect(), check(page.chunk, entries))
    }

    fn checkpoint(&self, stored: StoredCheckpoint) -> CheckpointRecord {
        let StoredCheckpoint { size, root, note } = stored;
        // A root of another length is no root: all zeros are none either.
        let root: Hash = root.try_into().unwrap_or_default();
        CheckpointRecord::check(size, root, note, &self.origin, &self.keys)
    }
}

type Hashing = tokio::task::JoinHandle<(Vec<CheckpointRecord>, Checked)>;

async fn take(verifier: &mut Verifier, hashing: Hashing) -> Result<(), AuditError> {
    let (checkpoints, checked) = hashing.await?;
    for checkpoint in checkpoints {
        verifier.checkpoint(checkpoint);
    }
    verifier.take(checked);
    Ok(())
}

async fn with_rotations(reader: &mut Reader, keys: &KeyRing) -> Result<KeyRing, AuditError> {
    let mut keys = keys.clone();
    keys.follow(&rotations_load(reader.conn()).await?);
    Ok(keys)
}

/// The newest checkpoint of a tree that the instance log has.
async fn logged(reader: &mut Reader, origin: &str) -> Result<Option<Checkpoint>, AuditError> {
    let text = sqlx::query_scalar!(
        "select checkpoint from audit.instance_entries
         where split_part(checkpoint, E'\\n', 1) = $1 order by position desc limit 1",
        origin,
    )
    .fetch_optional(reader.conn())
    .await?;
    Ok(text.map(|text| Checkpoint::parse(&text)).transpose()?)
}

/// A tree that was set back to an older state, checkpoints and all, is shorter than the instance
/// log says.
fn rolled_back(verification: &Verification, logged: Option<&Checkpoint>) -> Option<Finding> {
    let from = verification.sealed;
    logged
        .filter(|logged| logged.size > from)
        .map(|logged| Finding::CutOff { from, to: logged.size })
}

async fn mark(store: &Store, tree_id: Uuid, size: u64) -> Result<(), AuditError> {
    sqlx::query!(
        "update audit.audit_checkpoints set verified_at = clock_timestamp()
         where organization_id = $1 and last_sequence_number = $2",
        tree_id,
        size as i64,
    )
    .execute(store.sealer_pool())
    .await?;
    Ok(())
}
