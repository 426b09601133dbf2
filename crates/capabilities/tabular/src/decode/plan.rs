//! The scan of a text file, as a leaf of DataFusion's plan.

use std::{fmt, ops::ControlFlow, ops::Range, sync::Arc};

use arrow::datatypes::SchemaRef;
use datafusion::{
    common::{Statistics, internal_err, stats::Precision, tree_node::TreeNodeRecursion},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
        ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType, SchedulingType},
        metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet},
        stream::RecordBatchReceiverStream,
    },
};

use super::{provider::Delimited, segment::Decoder};

/// Batches that may wait for their reader.
const WAITING: usize = 2;

/// The scan of a text file.
#[derive(Debug, Clone)]
pub(crate) struct TextScan {
    table: Arc<Delimited>,
    projection: Vec<usize>,
    schema: SchemaRef,
    parts: Vec<Range<usize>>,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl TextScan {
    pub(crate) fn new(
        table: Arc<Delimited>,
        projection: Vec<usize>,
        schema: SchemaRef,
        parts: Vec<Range<usize>>,
        limit: Option<usize>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(parts.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        // Batches come through a channel, which yields.
        let properties = Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative));
        Self {
            table,
            projection,
            schema,
            parts,
            limit,
            properties,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    fn rows(&self, partition: Option<usize>) -> u64 {
        let parts = partition.map_or(self.parts.as_slice(), |one| &self.parts[one..=one]);
        let rows = parts
            .iter()
            .flat_map(|part| &self.table.segments[part.clone()])
            .map(|segment| segment.rows)
            .sum();
        self.limit.map_or(rows, |limit| rows.min(limit as u64))
    }
}

impl DisplayAs for TextScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "TextScan: partitions={}, columns=[{}]", self.parts.len(), names.join(", "))
    }
}

impl ExecutionPlan for TextScan {
    fn name(&self) -> &'static str {
        "TextScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("a scan has no children") }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("a scan has no children") }
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        Some(Arc::new(Self { limit, ..self.clone() }))
    }

    fn fetch(&self) -> Option<usize> {
        self.limit
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let Some(part) = self.parts.get(partition).cloned() else {
            return internal_err!("there is no partition {partition}");
        };
        let mut builder = RecordBatchReceiverStream::builder(Arc::clone(&self.schema), WAITING);
        let give = builder.tx();
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let (table, projection, schema) =
            (Arc::clone(&self.table), self.projection.clone(), Arc::clone(&self.schema));
        let batch_rows = context.session_config().batch_size();
        let mut left = self.limit.unwrap_or(usize::MAX);
        builder.spawn_blocking(move || {
            let mut decoder = Decoder::new(&table, &projection, schema, batch_rows);
            for segment in part {
                let flow = decoder.read(segment, &mut |batch| {
                    let batch = if batch.num_rows() > left { batch.slice(0, left) } else { batch };
                    left -= batch.num_rows();
                    metrics.output_rows().add(batch.num_rows());
                    // Nobody listens any more: the query was stopped.
                    if give.blocking_send(Ok(batch)).is_err() || left == 0 {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })?;
                if flow.is_break() {
                    break;
                }
            }
            metrics.done();
            Ok(())
        });
        Ok(builder.build())
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = Precision::Exact(self.rows(partition) as usize);
        Ok(Arc::new(statistics))
    }
}
