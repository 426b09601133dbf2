//! The instance log: a tree of all organizations' roots. Its checkpoints alone leave the
//! installation (to a file here; it may lie on a volume that keeps what was once written), so that
//! they bind every tenant's trail and tell nothing of any.

use std::{fs, io::Write, path::Path};

use ephor_seal::{Checkpoint, SealKey, checkpoint::instance_origin, merkle};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{
    AuditError,
    sealer::Signed,
    tree::{Edge, Written},
};

/// The tree's id, where organizations' trees have the organization's.
pub const INSTANCE_LOG: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0010);

/// The origin of this installation's log.
pub(super) async fn origin(conn: &mut PgConnection) -> Result<String, AuditError> {
    let id = sqlx::query_scalar!("select id from audit.instance").fetch_one(conn).await?;
    Ok(instance_origin(id))
}

/// Enters the roots that changed since the last time; says whether the interval begins anew, or the
/// next change may be entered at once.
pub(super) async fn log(
    conn: &mut PgConnection,
    key: &SealKey,
    anchor: Option<&Path>,
) -> Result<bool, AuditError> {
    let mut tx = conn.begin().await?;
    let changed = sqlx::query!(
        "select distinct on (organization_id) organization_id, last_sequence_number, root_hash
         from audit.audit_checkpoints
         where created_at > (select coalesce(max(created_at), '-infinity') from audit.instance_entries)
           and organization_id <> $1
         order by organization_id, last_sequence_number desc",
        INSTANCE_LOG,
    )
    .fetch_all(&mut *tx)
    .await?;
    if changed.is_empty() {
        return Ok(false);
    }
    let Some(mut edge) = Edge::load(&mut tx, INSTANCE_LOG, false).await? else {
        tracing::error!(
            "the instance log is not what was signed last; nothing more is entered in it. Run `ephor audit verify`"
        );
        return Ok(true);
    };
    let first = edge.tree.size() as i64;
    let mut texts = Vec::with_capacity(changed.len());
    for row in &changed {
        let checkpoint = Checkpoint {
            origin: ephor_seal::organization_origin(row.organization_id),
            size: row.last_sequence_number as u64,
            root: super::row::hash(&row.root_hash)?,
        };
        texts.push(checkpoint.text());
    }
    let leaves: Vec<_> = texts.iter().map(|text| (None, merkle::leaf(text.as_bytes()))).collect();
    let mut written = Written::default();
    edge.append(INSTANCE_LOG, &leaves, &mut written);
    written.save(&mut tx).await?;
    sqlx::query!(
        "insert into audit.instance_entries (position, checkpoint, created_at)
         select $1 + number - 1, text, clock_timestamp()
         from unnest($2::text[]) with ordinality as entered (text, number)",
        first,
        &texts,
    )
    .execute(&mut *tx)
    .await?;
    let checkpoint = Checkpoint {
        origin: origin(&mut tx).await?,
        size: edge.tree.size(),
        root: edge.tree.root(),
    };
    let mut signed = Signed::default();
    let note = signed.push(INSTANCE_LOG, "instance_entries".to_owned(), &checkpoint, key);
    signed.save(&mut tx).await?;
    tx.commit().await?;
    if let Some(path) = anchor
        && let Err(error) = append(path, &note)
    {
        tracing::error!(%error, path = %path.display(), "the instance log's checkpoint was not anchored");
    }
    Ok(true)
}

fn append(path: &Path, note: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{note}\n").as_bytes())?;
    file.sync_all()
}
