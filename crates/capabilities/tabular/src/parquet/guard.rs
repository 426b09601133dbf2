//! Damage that Arrow's reader does not expect. Some damaged pages make it panic; here that becomes a fault of the file.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use datafusion::{
    common::{Statistics, internal_err, tree_node::TreeNodeRecursion},
    error::Result,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::PhysicalExpr,
    physical_plan::{
        ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
        ReplaceChildrenOptions, StatisticsArgs, execution_plan::CardinalityEffect,
        stream::RecordBatchStreamAdapter,
    },
};
use futures::StreamExt as _;

use crate::{Malformed, TabularError};

/// What the reader makes of a file, or that it is damaged.
pub(crate) fn guarded<T>(
    read: impl FnOnce() -> std::result::Result<T, TabularError>,
) -> std::result::Result<T, TabularError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| Err(damaged(panic.as_ref())))
}

fn damaged(panic: &(dyn Any + Send)) -> TabularError {
    let told = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("its pages do not hold together");
    Malformed::new(format!("the Parquet file is damaged: {told}"))
        .hint("Write it again, or get it again.")
        .into()
}

/// A scan whose panics are faults of the file that it reads.
#[derive(Debug)]
pub(crate) struct GuardedScan {
    scan: Arc<dyn ExecutionPlan>,
}

impl GuardedScan {
    pub(crate) fn new(scan: Arc<dyn ExecutionPlan>) -> Self {
        Self { scan }
    }
}

impl DisplayAs for GuardedScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardedScan")
    }
}

impl ExecutionPlan for GuardedScan {
    fn name(&self) -> &'static str {
        "GuardedScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.scan.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.scan]
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
        Ok(Arc::new(Self::new(one(children)?)))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(one(children)?)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let scan = Arc::clone(&self.scan);
        let opened = catch_unwind(AssertUnwindSafe(move || scan.execute(partition, context)));
        let stream = opened.unwrap_or_else(|panic| Err(damaged(panic.as_ref()).into()))?;
        let schema = stream.schema();
        let batches = AssertUnwindSafe(stream)
            .catch_unwind()
            .map(|polled| polled.unwrap_or_else(|panic| Err(damaged(panic.as_ref()).into())));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        one(inputs.iter().map(Arc::clone))
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

/// What there is one of, as a guarded scan has one child.
fn one<T>(of: impl IntoIterator<Item = T>) -> Result<T> {
    let mut of = of.into_iter();
    let Some(first) = of.next().filter(|_| of.next().is_none()) else {
        return internal_err!("a guarded scan has one child");
    };
    Ok(first)
}
