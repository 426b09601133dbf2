//! The sealer: drains the queue into the trees, and signs what they have become.
//!
//! One transaction takes entries from the queue, writes tiles and bundles, and signs a checkpoint
//! for each tree that grew; so whatever kills it, and whenever, an entry is either queued or
//! sealed. One sealer per database works, by a session's advisory lock; others stand by.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use ephor_seal::{Checkpoint, Hash, SealKey, organization_origin};
use sqlx::{Connection, PgConnection};
use tokio::{sync::Notify, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    AuditError, instance,
    keys::key_register,
    row::{hash, time},
    tree::{Edge, Written},
};
use crate::{Pulse, Store};

/// How many trees' edges are kept in memory, some 12 kB each.
const EDGES: usize = 4096;

/// How often months are made ahead.
const MONTHS_INTERVAL: Duration = Duration::from_hours(1);

/// How often and how much the sealer seals.
#[derive(Debug, Clone)]
pub struct SealConfig {
    /// How long an entry may wait; a nudge makes it shorter.
    pub interval: Duration,
    /// How many entries one transaction seals.
    pub batch: u32,
    /// How often changed roots enter the instance log, at most.
    pub instance_interval: Duration,
    /// A file to which the instance log's checkpoints are appended; it should lie outside of what
    /// whoever rules the database can write.
    pub anchor: Option<PathBuf>,
}

impl Default for SealConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            batch: 20_000,
            instance_interval: Duration::from_mins(1),
            anchor: None,
        }
    }
}

/// What one transaction of the sealer did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SealOutcome {
    /// How many entries were sealed.
    pub entries: usize,
    /// How many trees grew.
    pub trees: usize,
}

/// Seals the audit trail of one database.
#[derive(Debug)]
pub struct Sealer;

/// A running sealer. Dropped, it stops at once; no entry is lost by that.
#[derive(Debug)]
pub struct SealerHandle {
    nudge: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Sealer {
    /// Starts sealing with the default configuration.
    pub fn start(store: &Store, key: SealKey) -> SealerHandle {
        Self::start_with(store, key, SealConfig::default())
    }

    /// Starts sealing.
    pub fn start_with(store: &Store, key: SealKey, config: SealConfig) -> SealerHandle {
        let (nudge, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let work = Work {
            store: store.clone(),
            key,
            config,
            nudge: Arc::clone(&nudge),
            stop: stop.clone(),
        };
        let task = tokio::spawn(async move { work.run().await });
        SealerHandle { nudge, stop, task }
    }
}

impl SealerHandle {
    /// Has what is queued sealed now.
    pub fn nudge(&self) {
        self.nudge.notify_one();
    }

    /// Seals what is queued, and stops.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "the sealer died");
        }
    }
}

impl Drop for SealerHandle {
    fn drop(&mut self) {
        self.stop.cancel();
        self.task.abort();
    }
}

struct Work {
    store: Store,
    key: SealKey,
    config: SealConfig,
    nudge: Arc<Notify>,
    stop: CancellationToken,
}

impl Work {
    /// Leads whenever nobody else does, until it is stopped.
    async fn run(self) {
        loop {
            if let Err(error) = self.lead().await {
                tracing::warn!(%error, "the sealer lost the database and will try again");
                self.store.pulse().fault("sealer", Pulse::SILENCE, &error);
            }
            // Asked to stop before it began, it still seals what is queued.
            if self.stop.is_cancelled() {
                return;
            }
            self.pause(self.config.interval).await;
        }
    }

    async fn pause(&self, time: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// Seals for as long as this connection holds the lock. Returns when another sealer has it,
    /// when the connection fails, or when it is stopped.
    async fn lead(&self) -> Result<(), AuditError> {
        // Not the pool's any more: the lock goes when the connection does.
        let mut conn = self.store.sealer_pool().acquire().await?.detach();
        let mine = sqlx::query_scalar!(
            r#"select pg_try_advisory_lock(hashtextextended('ephor audit sealer', 0)) as "mine!""#
        )
        .fetch_one(&mut conn)
        .await?;
        if !mine {
            conn.close().await?;
            return Ok(());
        }
        if !key_register(&mut conn, self.key.public(), None).await? {
            tracing::error!(
                key = %self.key.public(),
                "this key was not handed over to by the one that sealed before; whoever trusts only one of them can't verify all (see docs/audit.md, Keys)"
            );
        }
        let mut state = State::default();
        let mut months_due = Instant::now();
        let mut instance_due = Instant::now();
        loop {
            let stopping = self.stop.is_cancelled();
            if Instant::now() >= months_due {
                sqlx::query_scalar!("select ops.months_ahead(3)").fetch_one(&mut conn).await?;
                months_due = Instant::now() + MONTHS_INTERVAL;
                // Two times may be missed.
                self.store.pulse().fine("partitions", Some(3 * MONTHS_INTERVAL));
            }
            while seal(&mut conn, &self.key, &mut state, self.config.batch).await?.entries
                == self.config.batch as usize
            {}
            if Instant::now() >= instance_due {
                if instance::log(&mut conn, &self.key, self.config.anchor.as_deref()).await? {
                    instance_due = Instant::now() + self.config.instance_interval;
                } else {
                    instance_due = Instant::now() + self.config.interval;
                }
            }
            self.store.pulse().fine("sealer", Pulse::SILENCE);
            if stopping {
                conn.close().await?;
                return Ok(());
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.nudge.notified() => {}
                () = tokio::time::sleep(self.config.interval) => {}
            }
        }
    }
}

/// What the sealer remembers between transactions.
#[derive(Debug, Default)]
pub(super) struct State {
    edges: HashMap<Uuid, Edge>,
    /// Trees that are not what was signed: nothing more is built on them.
    halted: BTreeSet<Uuid>,
}

/// Seals all that is queued, in the caller's task: for a command that runs once, and for tests.
/// Does nothing, and says so by `None`, when another sealer works.
pub async fn seal_pending(store: &Store, key: &SealKey) -> Result<Option<SealOutcome>, AuditError> {
    let mut conn = store.sealer_pool().acquire().await?.detach();
    let mine = sqlx::query_scalar!(
        r#"select pg_try_advisory_lock(hashtextextended('ephor audit sealer', 0)) as "mine!""#
    )
    .fetch_one(&mut conn)
    .await?;
    let mut total = SealOutcome::default();
    if mine {
        key_register(&mut conn, key.public(), None).await?;
        let mut state = State::default();
        loop {
            let outcome = seal(&mut conn, key, &mut state, SealConfig::default().batch).await?;
            if outcome.entries == 0 {
                break;
            }
            total.entries += outcome.entries;
            total.trees += outcome.trees;
        }
        instance::log(&mut conn, key, None).await?;
    }
    conn.close().await?;
    Ok(mine.then_some(total))
}

/// One transaction: takes entries from the queue, and seals them.
async fn seal(
    conn: &mut PgConnection,
    key: &SealKey,
    state: &mut State,
    batch: u32,
) -> Result<SealOutcome, AuditError> {
    let outcome = try_seal(conn, key, state, batch).await;
    if outcome.is_err() {
        // Whether the commit happened is not known: read the trees anew.
        state.edges.clear();
    }
    outcome
}

async fn try_seal(
    conn: &mut PgConnection,
    key: &SealKey,
    state: &mut State,
    batch: u32,
) -> Result<SealOutcome, AuditError> {
    loop {
        let mut tx = conn.begin().await?;
        let halted: Vec<Uuid> = state.halted.iter().copied().collect();
        let queued = sqlx::query!(
            "delete from audit.seal_queue where ctid = any (array(
                 select ctid from audit.seal_queue where organization_id <> all ($2) limit $1))
             returning organization_id, entry_id, integrity_hash",
            i64::from(batch),
            &halted,
        )
        .fetch_all(&mut *tx)
        .await?;
        let mut trees: BTreeMap<Uuid, Vec<(Option<Uuid>, Hash)>> = BTreeMap::new();
        for row in &queued {
            let leaf = (Some(row.entry_id), hash(&row.integrity_hash)?);
            trees.entry(row.organization_id).or_default().push(leaf);
        }
        if state.edges.len() + trees.len() > EDGES {
            state.edges.clear();
        }
        let mut broken = None;
        for tree_id in trees.keys() {
            if !state.edges.contains_key(tree_id) {
                let Some(edge) = Edge::load(&mut tx, *tree_id, true).await? else {
                    broken = Some(*tree_id);
                    break;
                };
                state.edges.insert(*tree_id, edge);
            }
        }
        if let Some(tree_id) = broken {
            tracing::error!(
                organization = %tree_id,
                "the audit tree is not what was signed last; nothing more is sealed in it. Run `ephor audit verify`"
            );
            state.halted.insert(tree_id);
            tx.rollback().await?;
            continue;
        }
        let mut written = Written::default();
        let mut signed = Signed::default();
        for (tree_id, leaves) in &mut trees {
            // Within a batch the order is that of the ids: so a verifier can tell a wrong one.
            leaves.sort_unstable_by_key(|(entry, _)| *entry);
            let edge = state.edges.entry(*tree_id).or_default();
            edge.append(*tree_id, leaves, &mut written);
            let newest = leaves.last().and_then(|(entry, _)| *entry).unwrap_or_default();
            let partition = time(newest).format("audit_logs_%Y_%m").to_string();
            let checkpoint = Checkpoint {
                origin: organization_origin(*tree_id),
                size: edge.tree.size(),
                root: edge.tree.root(),
            };
            signed.push(*tree_id, partition, &checkpoint, key);
        }
        if !queued.is_empty() {
            written.save(&mut tx).await?;
            signed.save(&mut tx).await?;
        }
        tx.commit().await?;
        return Ok(SealOutcome { entries: queued.len(), trees: trees.len() });
    }
}

/// Checkpoints to be written, column by column.
#[derive(Debug, Default)]
pub(super) struct Signed {
    trees: Vec<Uuid>,
    ids: Vec<Uuid>,
    partitions: Vec<String>,
    sizes: Vec<i64>,
    roots: Vec<Vec<u8>>,
    signatures: Vec<Vec<u8>>,
    notes: Vec<String>,
}

impl Signed {
    /// Signs a checkpoint; gives the note.
    pub(super) fn push(
        &mut self,
        tree_id: Uuid,
        partition: String,
        checkpoint: &Checkpoint,
        key: &SealKey,
    ) -> String {
        let note = checkpoint.sign(key);
        self.trees.push(tree_id);
        self.ids.push(Uuid::now_v7());
        self.partitions.push(partition);
        self.sizes.push(checkpoint.size as i64);
        self.roots.push(checkpoint.root.to_vec());
        self.signatures
            .push(note.signatures.iter().flat_map(ephor_seal::note::Signature::to_bytes).collect());
        self.notes.push(note.to_string());
        note.to_string()
    }

    /// Writes them. A second checkpoint at one size would be a fork: the unique constraint
    /// refuses it, and with it the batch.
    pub(super) async fn save(&self, conn: &mut PgConnection) -> Result<(), AuditError> {
        sqlx::query!(
            "insert into audit.audit_checkpoints
                 (organization_id, id, partition_name, last_sequence_number, root_hash, signature, note, created_at)
             select *, clock_timestamp()
             from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bytea[], $6::bytea[], $7::text[])",
            &self.trees,
            &self.ids,
            &self.partitions,
            &self.sizes,
            &self.roots,
            &self.signatures,
            &self.notes,
        )
        .execute(conn)
        .await?;
        Ok(())
    }
}
