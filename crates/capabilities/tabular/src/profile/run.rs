//! The pass over a table.

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use datafusion::physical_plan::execute_stream_partitioned;
use futures::StreamExt;
use hashbrown::DefaultHashBuilder;

use super::{Profile, column::Column};
use crate::{Table, TabularError};

/// Takes in batches of one table, in any order.
#[derive(Debug)]
pub(crate) struct Profiler {
    rows: u64,
    columns: Vec<Column>,
    schema: SchemaRef,
}

impl Profiler {
    /// Those that are to be merged share their hasher.
    pub(crate) fn new(schema: SchemaRef, hasher: &DefaultHashBuilder) -> Self {
        let columns =
            schema.fields().iter().map(|field| Column::new(field.data_type(), hasher)).collect();
        Self { rows: 0, columns, schema }
    }

    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<(), TabularError> {
        self.rows += batch.num_rows() as u64;
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            column.add(array).map_err(datafusion::error::DataFusionError::from)?;
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        for (column, more) in self.columns.iter_mut().zip(other.columns) {
            column.merge(more);
        }
    }

    pub(crate) fn finish(self) -> Profile {
        let fields = self.schema.fields().iter();
        let columns = self
            .columns
            .into_iter()
            .zip(fields)
            .map(|(column, field)| column.finish(field.name(), field.data_type()))
            .collect();
        Profile { rows: self.rows, columns }
    }
}

/// Profiles a table in one pass, all processors at work, in bounded memory.
pub async fn profile(table: &Table) -> Result<Profile, TabularError> {
    let frame = table.dataframe()?;
    let context = std::sync::Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await?;
    let hasher = DefaultHashBuilder::default();
    let mut parts = tokio::task::JoinSet::new();
    for (index, mut stream) in execute_stream_partitioned(plan, context)?.into_iter().enumerate() {
        let mut part = Profiler::new(table.schema(), &hasher);
        parts.spawn(async move {
            while let Some(batch) = stream.next().await {
                part.add(&batch?)?;
            }
            Ok::<_, TabularError>((index, part))
        });
    }
    let mut done = Vec::with_capacity(parts.len());
    while let Some(part) = parts.join_next().await {
        done.push(part.map_err(TabularError::task)??);
    }
    // Always merged in the same order: sums of floats depend on it.
    done.sort_by_key(|(index, _)| *index);
    let mut whole = Profiler::new(table.schema(), &hasher);
    for (_, part) in done {
        whole.merge(part);
    }
    Ok(whole.finish())
}
