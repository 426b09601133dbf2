//! A Parquet file as DataFusion's table: its own scan, with the schema that keeps codes.

use std::sync::Arc;

use ::parquet::file::metadata::ParquetMetaData;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::{Statistics, stats::Precision},
    datasource::{
        listing::PartitionedFile,
        object_store::ObjectStoreUrl,
        physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource},
        source::DataSourceExec,
    },
    error::Result,
    logical_expr::{Expr, TableType},
    physical_plan::ExecutionPlan,
};
use object_store::ObjectMeta;

use super::guard::GuardedScan;
use crate::file::TableFile;

/// A Parquet file in an object store that the session knows under `url`.
#[derive(Debug)]
pub(crate) struct ParquetTable {
    schema: SchemaRef,
    rows: u64,
    url: ObjectStoreUrl,
    object: ObjectMeta,
    /// First byte and packed size of each row group.
    groups: Vec<(u64, u64)>,
    _file: Option<TableFile>,
}

impl ParquetTable {
    pub(crate) fn new(
        schema: SchemaRef,
        metadata: &ParquetMetaData,
        url: ObjectStoreUrl,
        object: ObjectMeta,
        file: Option<TableFile>,
    ) -> Self {
        let groups = metadata
            .row_groups()
            .iter()
            .map(|group| {
                let start =
                    group.columns().iter().map(|column| column.byte_range().0).min().unwrap_or(0);
                (start, u64::try_from(group.compressed_size()).unwrap_or(0))
            })
            .collect();
        let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
        Self { schema, rows, url, object, groups, _file: file }
    }

    /// Ranges of the file with about the same number of bytes each, which begin where a row group does. A row group
    /// belongs to the range that its first byte is in.
    fn ranges(&self, count: usize) -> Vec<(u64, u64)> {
        let total: u64 = self.groups.iter().map(|(_, bytes)| bytes).sum();
        let share = (total / count.max(1) as u64).max(1);
        let (mut ranges, mut start, mut bytes) = (Vec::new(), 0, 0);
        for pair in self.groups.windows(2) {
            bytes += pair[0].1;
            // Row groups out of order stay together.
            if bytes >= share && ranges.len() + 1 < count && pair[1].0 > start {
                ranges.push((start, pair[1].0));
                (start, bytes) = (pair[1].0, 0);
            }
        }
        ranges.push((start, self.object.size));
        ranges
    }
}

#[async_trait]
impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
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
        let file = PartitionedFile::new_from_meta(self.object.clone())
            .with_arrow_schema(Arc::clone(&self.schema));
        let sorted = self.groups.is_sorted_by_key(|(start, _)| *start);
        let count = if sorted { session.config().target_partitions() } else { 1 };
        let files: Vec<FileGroup> = self
            .ranges(count)
            .into_iter()
            .map(|(start, end)| {
                FileGroup::new(vec![file.clone().with_range(
                    i64::try_from(start).unwrap_or(i64::MAX),
                    i64::try_from(end).unwrap_or(i64::MAX),
                )])
            })
            .collect();
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = Precision::Exact(self.rows as usize);
        let source = Arc::new(ParquetSource::new(Arc::clone(&self.schema)));
        let config = FileScanConfigBuilder::new(self.url.clone(), source)
            .with_file_groups(files)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(Arc::new(GuardedScan::new(DataSourceExec::from_data_source(config))))
    }
}
