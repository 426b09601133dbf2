//! A plan as a job of a cluster: sent, waited for, and cancelled when nobody waits any more.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use ballista_core::{
    execution_plans::DistributedQueryExec, extension::SessionConfigExt as _,
    serde::BallistaLogicalExtensionCodec,
};
use datafusion::{
    catalog::Session,
    common::{internal_err, tree_node::TreeNodeRecursion},
    error::{DataFusionError, Result},
    execution::{SendableRecordBatchStream, TaskContext, context::QueryPlanner},
    logical_expr::LogicalPlan,
    physical_expr::PhysicalExpr,
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, common::collect,
        stream::RecordBatchStreamAdapter,
    },
};
use datafusion_proto::protobuf::LogicalPlanNode;
use ephor_fairness::RemoteError;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::{Cluster, ClusterError};

type Query = DistributedQueryExec<LogicalPlanNode>;

/// Makes every plan a job.
#[derive(Debug)]
pub(crate) struct JobPlanner {
    cluster: Cluster,
}

impl JobPlanner {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }
}

#[async_trait]
impl QueryPlanner for JobPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let query = Query::with_extension(
            self.cluster.address().url(),
            session.config().ballista_config(),
            plan.clone(),
            Arc::new(BallistaLogicalExtensionCodec::default()),
            session.session_id().to_owned(),
        );
        Ok(Arc::new(Job { cluster: self.cluster.clone(), query: Arc::new(query) }))
    }
}

/// A job of the cluster. What it finds is small: it is fetched whole before the first of it is handed on, so that an
/// executor that is lost meanwhile costs a repetition and no half result.
#[derive(Debug)]
struct Job {
    cluster: Cluster,
    query: Arc<Query>,
}

impl DisplayAs for Job {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job: scheduler={}", self.cluster.address())
    }
}

impl ExecutionPlan for Job {
    fn name(&self) -> &'static str {
        "Job"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.query.properties()
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

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("a job has no children") }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("a job has one partition");
        }
        let (cluster, query) = (self.cluster.clone(), Arc::clone(&self.query));
        let found = stream::once(async move {
            cluster.ready().await?;
            let mut running = Running { cluster: &cluster, query: &query, is_over: false };
            let work = async {
                match collect(query.execute(0, Arc::clone(&context))?).await {
                    Err(error) if !is_of_the_job(&error) => {
                        // It came to its end, but who has the result is gone: all can be done again.
                        tracing::warn!(%error, "the result was lost");
                        cluster.ready().await?;
                        collect(query.execute(0, context)?).await
                    }
                    outcome => outcome,
                }
            };
            let found = tokio::select! {
                biased;
                found = work => {
                    running.is_over = true;
                    found.map_err(|error| told(error, &cluster))
                }
                why = cluster.forsaken() => Err(why.into()),
            }?;
            Ok::<_, DataFusionError>(stream::iter(found.into_iter().map(Ok)))
        });
        let schema = self.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, found.try_flatten().fuse())))
    }
}

/// A job that is cancelled unless it is over when nobody waits for it any more.
struct Running<'a> {
    cluster: &'a Cluster,
    query: &'a Query,
    is_over: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.is_over
            && let Some(job) = self.query.job_id()
        {
            self.cluster.cancel(job.to_string());
        }
    }
}

/// Whether the scheduler itself says that the job failed.
fn is_of_the_job(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::Execution(text) if text.starts_with("Job "))
}

/// What the cluster says of a job that failed, in words that help. Of errors on other machines there are words alone.
fn told(error: DataFusionError, cluster: &Cluster) -> DataFusionError {
    if let DataFusionError::External(cause) = error.find_root()
        && cause.is::<RemoteError>()
    {
        return error;
    }
    let text = match error.find_root() {
        DataFusionError::Execution(text) => text.clone(),
        other => other.to_string(),
    };
    let address = cluster.address().to_string();
    let is_any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let reason = reason(&text).to_owned();
    if is_any(&["NotFound", "not found", "No such file", "Permission denied", "PermissionDenied"]) {
        ClusterError::Unreadable(reason)
    } else if is_any(&["transport error", "ConnectError", "ConnectionRefused", "tcp connect error"])
    {
        ClusterError::Unreachable { address, reason }
    } else {
        ClusterError::Job { address, reason }
    }
    .into()
}

/// The words that say why, without those that say which task of which stage it was.
fn reason(text: &str) -> &str {
    let text = text.split_once(" failed: ").map_or(text, |(_, reason)| reason);
    text.split("\n\nbacktrace:").next().unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClusterOptions;

    fn words(text: &str) -> String {
        let address = "127.0.0.1:1".parse().unwrap();
        let cluster = Cluster::new(address, ClusterOptions::default());
        match told(DataFusionError::Execution(text.to_owned()), &cluster) {
            DataFusionError::External(cause) => cause.to_string(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn failures_are_told_with_what_to_do() {
        let gone = words("Job abc failed: Object at location /a.parquet not found: No such file");
        assert!(gone.starts_with("a part of the cluster cannot read the data: Object"), "{gone}");
        assert!(gone.contains("a folder that all share"), "{gone}");
        let lost = words("Job abc failed: all executors were lost");
        assert_eq!(
            lost,
            "the cluster at 127.0.0.1:1 could not do the work: all executors were lost"
        );
        let alone = words("Status { message: \"tcp connect error\" }");
        assert!(alone.starts_with("no scheduler answers at 127.0.0.1:1"), "{alone}");
    }
}
