//! The values of all rows: tree by tree, by the way that costs least.

use tokio_util::sync::CancellationToken;

use super::{
    game::{Game, Room},
    tables::{Plan, Scratch},
    work::{Block, Work, of_each},
};
use crate::ExplainError;

/// Few enough that a tree and its rows stay in the processor's cache.
const WALKED: usize = 32;
/// Trees that are walked between two looks at whether it is cancelled.
const TREES: usize = 8;
/// More, as a tree's tables are larger than the tree.
const LOOKED_UP: usize = 256;
/// The memory that tables may take at a time.
const BYTES: usize = 64 << 20;

/// Adds what each feature adds for each row and output, over some trees. Trees are walked, or looked up in tables where making
/// those pays for so many rows.
pub(super) fn add<G: Game + ?Sized>(
    work: &mut Work<'_>,
    trees: &[(usize, Box<G>)],
    cancel: &CancellationToken,
) -> Result<(), ExplainError> {
    let (features, rows) = (work.forest.features.len(), work.rows.len());
    let each = features * work.forest.outputs();
    let mut walked = Vec::new();
    // Trees with the plans of their tables, in batches that fit into memory.
    let (mut batches, mut room) = (Vec::new(), 0);
    for (output, tree) in trees {
        if cancel.is_cancelled() {
            return Err(ExplainError::Cancelled);
        }
        match Plan::new(tree.as_ref(), rows).filter(|plan| plan.bytes() <= BYTES) {
            None => walked.push((output, tree)),
            Some(plan) => {
                if plan.bytes() > room {
                    batches.push(Vec::new());
                    room = BYTES;
                }
                room -= plan.bytes();
                if let Some(batch) = batches.last_mut() {
                    batch.push((output, tree, plan));
                }
            }
        }
    }
    let room = walked.iter().map(|(_, tree)| tree.room()).max().unwrap_or(0);
    work.pass(WALKED, walked.len(), room, |Block { rows, values }| {
        let mut room = Room::default();
        for some in walked.chunks(TREES) {
            if cancel.is_cancelled() {
                return;
            }
            for (output, tree) in some {
                let place = *output * features..(*output + 1) * features;
                let rows = rows.chunks_exact(features).zip(values.chunks_exact_mut(each));
                for (row, values) in rows {
                    tree.walk(row, &mut room, &mut values[place.clone()]);
                }
            }
        }
    })?;
    for batch in batches {
        let tables = of_each(&batch, cancel, |(output, tree, plan)| {
            (*output * features, plan.filled(tree.as_ref()))
        })?;
        work.pass(LOOKED_UP, tables.len(), 0, |Block { rows, values }| {
            let mut scratch = Scratch::new(rows, features);
            for (start, tables) in &tables {
                tables.add(&mut scratch, values, *start, each);
            }
        })?;
    }
    Ok(())
}
