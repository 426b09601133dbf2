//! The scan of a local Parquet file without DataFusion: its codes are counted as they lie there.

use std::{path::PathBuf, sync::Arc};

use datafusion::{
    catalog::Session,
    datasource::{
        listing::PartitionedFile,
        object_store::ObjectStoreUrl,
        physical_plan::{FileGroup, FileScanConfig, FileSource, ParquetSource},
        source::DataSourceExec,
        source_as_provider,
    },
    error::DataFusionError,
    execution::memory_pool::MemoryConsumer,
    logical_expr::LogicalPlan,
    physical_plan::ExecutionPlan,
    prelude::DataFrame,
};
use object_store::local::LocalFileSystem;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Progress, crowded::Stop, scan::TELL};
use crate::{
    AnalysisError, AnalysisSpec,
    cube::{Cube, FUNCTION_NAME, parquet},
};

/// What the scan of a Parquet file calls itself that is guarded against panics of its reader, as those of `ephor-tabular` are.
const GUARDED: &str = "GuardedScan";

/// Reads the table here to a cube like `empty`, if it is a whole local Parquet file that can be. `None`: it is something else.
pub(super) async fn scan(
    table: &DataFrame,
    spec: &AnalysisSpec,
    empty: &Cube,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Option<Cube>, Stop> {
    if empty.layout.weight {
        return Ok(None);
    }
    let (session, plan) = table.clone().into_parts();
    let found = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(AnalysisError::Cancelled.into()),
        found = source(&session, &plan, spec) => found.map_err(AnalysisError::Read)?,
    };
    let Some(source) = found else { return Ok(None) };

    let total = Some(source.rows());
    progress.rows(0, total);
    let threads = session.config().target_partitions().min(source.groups()).max(1);
    let scan = Arc::new(parquet::Scan::new(source, empty.clone()));
    // Dropping this future, or cancelling, stops the threads at their next block of rows.
    let stop = cancel.child_token();
    let _stops = stop.clone().drop_guard();
    let mut running = JoinSet::new();
    for _ in 0..threads {
        let memory =
            MemoryConsumer::new(FUNCTION_NAME).register(&session.runtime_env().memory_pool);
        let (scan, stop) = (Arc::clone(&scan), stop.clone());
        running.spawn_blocking(move || scan.take_part(memory, &|| stop.is_cancelled()));
    }
    let mut parts = Vec::with_capacity(threads);
    let mut tick = tokio::time::interval(TELL);
    while parts.len() < threads {
        tokio::select! {
            biased;
            () = cancel.cancelled() => {
                stop.cancel();
                running.shutdown().await;
                return Err(AnalysisError::Cancelled.into());
            }
            ended = running.join_next() => match ended {
                Some(Ok(part)) => parts.push(part.map_err(|error| Stop::of(error, spec))?),
                Some(Err(failed)) => return Err(AnalysisError::Engine(failed.to_string()).into()),
                None => return Err(AnalysisError::Engine("a thread of the scan is gone".to_owned()).into()),
            },
            _ = tick.tick() => progress.rows(scan.rows(), total),
        }
    }
    let cube = scan.finish(parts).map_err(|error| Stop::of(error, spec))?;
    Ok(Some(cube))
}

/// Whether an analysis counts the codes of this table's file where they lie. For looking at it: what is found is the same either way.
///
/// # Errors
/// If the file cannot be read.
pub async fn counts_codes(table: &DataFrame, spec: &AnalysisSpec) -> Result<bool, DataFusionError> {
    let (session, plan) = table.clone().into_parts();
    Ok(source(&session, &plan, spec).await?.is_some())
}

/// The file that the plan reads, if that is all that it does.
async fn source(
    session: &dyn Session,
    plan: &LogicalPlan,
    spec: &AnalysisSpec,
) -> Result<Option<parquet::Source>, DataFusionError> {
    let LogicalPlan::TableScan(table) = plan else { return Ok(None) };
    if !table.filters.is_empty() || table.fetch.is_some() {
        return Ok(None);
    }
    let Ok(provider) = source_as_provider(&table.source) else { return Ok(None) };
    let scan = provider.scan(session, None, &[], None).await?;
    let Some(exec) = unguarded(&scan).downcast_ref::<DataSourceExec>() else { return Ok(None) };
    let Some((config, read)) = exec.downcast_to_file_source::<ParquetSource>() else {
        return Ok(None);
    };
    if read.filter().is_some() {
        return Ok(None);
    }
    let Some((path, ranges)) = whole_file(config) else { return Ok(None) };
    let schema = config
        .file_groups
        .iter()
        .flat_map(FileGroup::files)
        .find_map(|file| file.arrow_schema.clone())
        .unwrap_or_else(|| Arc::clone(config.file_schema()));
    let names: Vec<String> = spec.columns().map(str::to_owned).collect();
    let opened = tokio::task::spawn_blocking(move || {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        parquet::Source::open(&path, &schema, &names, &ranges)
    });
    let opened = opened.await.map_err(|failed| DataFusionError::External(Box::new(failed)))?;
    opened.map_err(|error| DataFusionError::ParquetError(Box::new(error)))
}

/// What a guarded scan guards: it hands on the rows of its one child as they are, and makes a panic a fault of the file.
fn unguarded(scan: &Arc<dyn ExecutionPlan>) -> &Arc<dyn ExecutionPlan> {
    match scan.children()[..] {
        [guarded] if scan.name() == GUARDED => guarded,
        _ => scan,
    }
}

/// The one local file of this scan, and the ranges of it that are read; `None` if it reads more, or less.
fn whole_file(config: &FileScanConfig) -> Option<(PathBuf, Vec<(i64, i64)>)> {
    if config.object_store_url != ObjectStoreUrl::local_filesystem()
        || config.limit.is_some()
        || !config.table_partition_cols().is_empty()
    {
        return None;
    }
    let files: Vec<&PartitionedFile> =
        config.file_groups.iter().flat_map(FileGroup::files).collect();
    let location = &files.first()?.object_meta.location;
    // What comes with a file may say which of its rows are meant.
    let is_plain = |file: &PartitionedFile| {
        file.object_meta.location == *location && file.extensions.is_empty()
    };
    if !files.iter().all(|file| is_plain(file)) {
        return None;
    }
    let mut ranges: Vec<(i64, i64)> = files
        .iter()
        .filter_map(|file| file.range.as_ref().map(|range| (range.start, range.end)))
        .collect();
    ranges.sort_unstable();
    let is_read_twice = ranges.windows(2).any(|pair| pair[0].1 > pair[1].0);
    if is_read_twice || (ranges.len() != files.len() && files.len() > 1) {
        return None;
    }
    let path = LocalFileSystem::new().path_to_filesystem(location).ok()?;
    Some((path, ranges))
}
