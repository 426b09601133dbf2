//! A surveyed text file as DataFusion's table.

use std::{ops::Range, sync::Arc};

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    error::Result,
    logical_expr::{Expr, TableType},
    physical_plan::ExecutionPlan,
};

use super::plan::TextScan;
use crate::{
    file::TableFile,
    survey::{Kept, Kind, Segment, Survey, Syntax},
};

/// A surveyed text file.
#[derive(Debug)]
pub(crate) struct Delimited {
    pub file: TableFile,
    pub syntax: Syntax,
    /// Name, kind, and whether its texts repeat.
    pub columns: Vec<(String, Kind, bool)>,
    pub segments: Vec<Segment>,
    /// What is kept of each segment's columns: it is not read again.
    pub kept: Vec<Option<Kept>>,
    schema: SchemaRef,
}

impl Delimited {
    pub(crate) fn new(file: TableFile, syntax: Syntax, survey: Survey) -> Self {
        let Survey { columns, segments, kept, rows: _, notes: _ } = survey;
        let columns: Vec<_> = columns
            .into_iter()
            .map(|(name, column)| (name, column.kind, column.repeats()))
            .collect();
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, kind, repeats)| Field::new(name, kind.data_type(*repeats), true))
            .collect();
        Self { file, syntax, columns, segments, kept, schema: Arc::new(Schema::new(fields)) }
    }

    /// The segments in so many parts of about the same size, each in the file's order.
    fn parts(&self, count: usize) -> Vec<Range<usize>> {
        let total: u64 = self.segments.iter().map(|segment| segment.bytes as u64).sum();
        let share = (total / count.max(1) as u64).max(1);
        let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
        for (index, segment) in self.segments.iter().enumerate() {
            bytes += segment.bytes as u64;
            if bytes >= share && parts.len() + 1 < count {
                parts.push(start..index + 1);
                (start, bytes) = (index + 1, 0);
            }
        }
        if start < self.segments.len() || parts.is_empty() {
            parts.push(start..self.segments.len());
        }
        parts
    }
}

/// The table that DataFusion sees.
#[derive(Debug)]
pub(crate) struct DelimitedTable(pub Arc<Delimited>);

#[async_trait]
impl TableProvider for DelimitedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let projection = projection.cloned().unwrap_or_else(|| (0..self.0.columns.len()).collect());
        let parts = self.0.parts(session.config().target_partitions());
        let schema = Arc::new(self.0.schema.project(&projection)?);
        Ok(Arc::new(TextScan::new(Arc::clone(&self.0), projection, schema, parts, limit)))
    }
}
