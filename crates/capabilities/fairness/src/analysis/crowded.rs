//! An attribute of more values than there are codes: each value is counted, and those that can be compared are kept.
//!
//! Which they are is a matter of rows alone and not of outcomes: the choice makes no difference look greater than it is. Counting
//! is a GROUP BY, which spills to disk within a limit of memory; of what it finds no more is held than can be kept.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::cast as converted,
    datatypes::{DataType, Int64Type},
};
use datafusion::{
    error::DataFusionError,
    execution::{
        TaskContext,
        memory_pool::{FairSpillPool, MemoryLimit},
        runtime_env::RuntimeEnvBuilder,
    },
    functions_aggregate::expr_fn::{count, sum},
    logical_expr::{Expr, cast, col, lit, try_cast},
    physical_plan::execute_stream,
    prelude::DataFrame,
};
use futures::StreamExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::scan::{column, read_error};
use crate::{
    AnalysisError, AnalysisSpec,
    cube::{CubeError, MAX_KEPT, MISSING_NAME, OTHER_NAME, Pool, Pooled, limits::MAX_NAME_BYTES},
};

/// What counting may take where the session sets no limit; beyond, it spills.
const COUNTING_BYTES: usize = 256 << 20;
/// The columns of what is counted.
const VALUE: &str = "value";
const ROWS: &str = "rows";

/// Why the table made no cube.
#[derive(Debug)]
pub(super) enum Stop {
    /// The attribute at this place has more values than there are codes.
    Crowded(usize),
    /// Anything else.
    Failed(AnalysisError),
}

impl Stop {
    /// Because of this.
    pub(super) fn of(error: DataFusionError, spec: &AnalysisSpec) -> Self {
        if let DataFusionError::External(cause) = error.find_root()
            && let Some(CubeError::TooManyValues { attribute }) = cause.downcast_ref()
        {
            return Self::Crowded(*attribute);
        }
        // Text that is too long, too, is told as a fault of its own.
        Self::Failed(read_error(error, spec))
    }

    /// In words for people.
    pub(super) fn told(self, spec: &AnalysisSpec) -> AnalysisError {
        match self {
            Self::Crowded(attribute) => {
                let error = CubeError::TooManyValues { attribute };
                read_error(DataFusionError::External(Box::new(error)), spec)
            }
            Self::Failed(error) => error,
        }
    }
}

impl From<AnalysisError> for Stop {
    fn from(error: AnalysisError) -> Self {
        Self::Failed(error)
    }
}

/// The values of a protected attribute that are kept: of those with at least the least rows of a group, those with the most, and
/// the reference group's whatever its rows.
pub(super) async fn pool(
    table: &DataFrame,
    spec: &AnalysisSpec,
    attribute: usize,
    is_remote: bool,
    cancel: &CancellationToken,
) -> Result<Pool, AnalysisError> {
    let name = &spec.protected[attribute];
    let reference = spec.reference_groups.get(name);
    let counted = counted(table, name).map_err(AnalysisError::Read)?;
    let chosen = Chosen::new(spec.min_group_size, reference.cloned());
    if !is_remote {
        let chosen = run(counted, chosen, Chosen::add_batch, spec, cancel).await?;
        return Ok(chosen.pool());
    }
    // What other machines find comes back whole: they choose, and add up.
    let listed = listed(counted.clone(), spec.min_group_size, reference);
    let listed = listed.map_err(AnalysisError::Read)?;
    let mut chosen = run(listed, chosen, Chosen::add_batch, spec, cancel).await?;
    let totals = totals(counted, spec.min_group_size).map_err(AnalysisError::Read)?;
    (chosen.values, chosen.large) = run(totals, (0, 0), add_totals, spec, cancel).await?;
    Ok(chosen.pool())
}

/// How many rows each value of a column has: values as the text that a cube takes them for, and what it takes for missing left out.
///
/// As large text: what counts smaller text holds no more than 2 GiB of it, and panics beyond.
fn counted(table: &DataFrame, name: &str) -> Result<DataFrame, DataFusionError> {
    let (column, kind) = column(table, name)?;
    let column = if kind.is_integer() { try_cast(column, DataType::Int64) } else { column };
    let is_value = ["", MISSING_NAME, OTHER_NAME]
        .into_iter()
        .fold(col(VALUE).is_not_null(), |so_far, none| so_far.and(col(VALUE).not_eq(lit(none))));
    table
        .clone()
        .select(vec![cast(column, DataType::LargeUtf8).alias(VALUE)])?
        .filter(is_value)?
        .aggregate(vec![col(VALUE)], vec![count(lit(1_i64)).alias(ROWS)])
}

/// Whether a value has at least so many rows.
fn is_large(least: u64) -> Expr {
    col(ROWS).gt_eq(lit(i64::try_from(least).unwrap_or(i64::MAX)))
}

/// Those of the counted values that may be kept, the reference group's first.
fn listed(
    counted: DataFrame,
    least: u64,
    reference: Option<&String>,
) -> Result<DataFrame, DataFusionError> {
    let mut order = vec![col(ROWS).sort(false, false), col(VALUE).sort(true, false)];
    let mut wanted = is_large(least);
    if let Some(reference) = reference {
        let is_reference = col(VALUE).eq(lit(reference.as_str()));
        wanted = wanted.or(is_reference.clone());
        order.insert(0, is_reference.sort(false, false));
    }
    counted.filter(wanted)?.sort(order)?.limit(0, Some(MAX_KEPT + 1))
}

/// How many values there are, and how many of them have at least so many rows.
fn totals(counted: DataFrame, least: u64) -> Result<DataFrame, DataFusionError> {
    let large = sum(cast(is_large(least), DataType::Int64));
    counted.aggregate(Vec::new(), vec![count(lit(1_i64)).alias("values"), large.alias("large")])
}

fn add_totals(totals: &mut (u64, u64), batch: &RecordBatch) -> Result<(), DataFusionError> {
    for row in 0..batch.num_rows() {
        totals.0 += number(batch, 0, row)?;
        totals.1 += number(batch, 1, row)?;
    }
    Ok(())
}

fn number(batch: &RecordBatch, column: usize, row: usize) -> Result<u64, DataFusionError> {
    let numbers = converted(batch.column(column), &DataType::Int64)?;
    let numbers = numbers.as_primitive::<Int64Type>();
    // The sum of nothing is none.
    let number = if numbers.is_valid(row) { numbers.value(row) } else { 0 };
    Ok(u64::try_from(number).unwrap_or(0))
}

/// Hands what a plan finds to `add`, batch by batch.
async fn run<T: Send + 'static>(
    frame: DataFrame,
    mut found: T,
    add: fn(&mut T, &RecordBatch) -> Result<(), DataFusionError>,
    spec: &AnalysisSpec,
    cancel: &CancellationToken,
) -> Result<T, AnalysisError> {
    let context = bounded(frame.task_ctx()).map_err(AnalysisError::Read)?;
    let plan = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(AnalysisError::Cancelled),
        plan = frame.create_physical_plan() => plan.map_err(|error| read_error(error, spec))?,
    };
    // A task of its own, so that dropping this future, or cancelling, aborts it at its next batch.
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut stream = execute_stream(plan, context)?;
        while let Some(batch) = stream.next().await {
            add(&mut found, &batch?)?;
        }
        Ok::<_, DataFusionError>(found)
    });
    tokio::select! {
        biased;
        () = cancel.cancelled() => {
            task.shutdown().await;
            Err(AnalysisError::Cancelled)
        }
        ended = task.join_next() => match ended {
            Some(Ok(found)) => found.map_err(|error| read_error(error, spec)),
            Some(Err(failed)) => Err(AnalysisError::Engine(failed.to_string())),
            None => Err(AnalysisError::Engine("the count ended without a result".to_owned())),
        },
    }
}

/// The same with a limit of memory, if it has none.
fn bounded(context: TaskContext) -> Result<Arc<TaskContext>, DataFusionError> {
    if !matches!(context.memory_pool().memory_limit(), MemoryLimit::Infinite) {
        return Ok(Arc::new(context));
    }
    let runtime = RuntimeEnvBuilder::from_runtime_env(&context.runtime_env())
        .with_memory_pool(Arc::new(FairSpillPool::new(COUNTING_BYTES)))
        .build_arc()?;
    Ok(Arc::new(context.with_runtime(runtime)))
}

/// A value and its rows. More rows are greater; of as many, the name that comes first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rows: u64,
    name: Reverse<Box<str>>,
}

/// The values with the most rows of all that were met, in whatever order they come.
struct Chosen {
    least: u64,
    /// Kept whatever its rows, if it is met.
    reference: Option<String>,
    /// The reference's rows, once it is met.
    met: Option<u64>,
    /// The least on top.
    kept: BinaryHeap<Reverse<Candidate>>,
    bytes: usize,
    /// The greatest for which there was no room: nothing below it has any.
    floor: Option<Candidate>,
    values: u64,
    large: u64,
}

impl Chosen {
    fn new(least: u64, reference: Option<String>) -> Self {
        Self {
            least,
            reference,
            met: None,
            kept: BinaryHeap::new(),
            bytes: 0,
            floor: None,
            values: 0,
            large: 0,
        }
    }

    fn add_batch(&mut self, batch: &RecordBatch) -> Result<(), DataFusionError> {
        let names = converted(batch.column(0), &DataType::LargeUtf8)?;
        let names = names.as_string::<i64>();
        let rows = converted(batch.column(1), &DataType::Int64)?;
        let rows = rows.as_primitive::<Int64Type>();
        for row in (0..batch.num_rows()).filter(|row| names.is_valid(*row)) {
            self.add(names.value(row), u64::try_from(rows.value(row)).unwrap_or(0));
        }
        Ok(())
    }

    fn add(&mut self, name: &str, rows: u64) {
        self.values += 1;
        self.large += u64::from(rows >= self.least);
        if self.reference.as_deref() == Some(name) {
            self.met = Some(rows);
            return;
        }
        if rows < self.least || self.floor.as_ref().is_some_and(|floor| rows < floor.rows) {
            return;
        }
        let candidate = Candidate { rows, name: Reverse(name.into()) };
        if self.floor.as_ref().is_some_and(|floor| candidate < *floor) {
            return;
        }
        self.bytes += name.len();
        self.kept.push(Reverse(candidate));
        let named = self.reference.as_ref().map_or(0, String::len) + OTHER_NAME.len();
        let (most, most_bytes) = (
            MAX_KEPT - usize::from(self.reference.is_some()),
            MAX_NAME_BYTES.saturating_sub(named),
        );
        while self.kept.len() > most || self.bytes > most_bytes {
            let Some(Reverse(least)) = self.kept.pop() else { break };
            self.bytes -= least.name.0.len();
            self.floor = Some(least);
        }
    }

    fn pool(self) -> Pool {
        let mut large = self.kept.len() as u64;
        let mut names: Vec<String> = self
            .kept
            .into_sorted_vec()
            .into_iter()
            .map(|Reverse(candidate)| candidate.name.0.into_string())
            .collect();
        if let (Some(name), Some(rows)) = (self.reference, self.met) {
            large += u64::from(rows >= self.least);
            names.push(name);
        }
        let others = Pooled {
            values: self.values.saturating_sub(names.len() as u64),
            large: self.large.saturating_sub(large),
        };
        Pool { names, others }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use arrow::{
        array::{ArrayRef, StringArray},
        error::ArrowError,
    };
    use datafusion::{
        datasource::MemTable,
        physical_plan::{ExecutionPlan, collect},
        prelude::{SessionConfig, SessionContext},
    };

    use super::*;

    fn chosen(least: u64, reference: Option<&str>, values: impl Iterator<Item = u64>) -> Pool {
        let mut chosen = Chosen::new(least, reference.map(str::to_owned));
        values.for_each(|value| chosen.add(&format!("{value}"), value % 7 + 1));
        chosen.pool()
    }

    #[test]
    fn small_values_are_left_out_and_the_reference_is_kept() {
        let pool = chosen(6, Some("1"), 0..70);
        assert_eq!(pool.others, Pooled { values: 49, large: 0 });
        assert_eq!(pool.names.len(), 21);
        assert_eq!((pool.names[0].as_str(), pool.names[20].as_str()), ("13", "1"));
        assert_eq!(chosen(6, Some("none"), 0..70).others.values, 50);
    }

    #[test]
    fn text_too_long_is_told_as_a_fault_with_its_bound() {
        let spec = AnalysisSpec::new("y", ["g", "h"]);
        let told = |error: DataFusionError| match Stop::of(error, &spec) {
            Stop::Failed(AnalysisError::Invalid(faults)) => faults.into_iter().next().unwrap(),
            other => panic!("{other:?}"),
        };
        let cube = CubeError::ValuesTooLong { attribute: 1 };
        let fault = told(DataFusionError::External(Box::new(cube)));
        assert_eq!(
            (fault.where_.as_str(), fault.code.as_str()),
            ("/protected/1", "values_too_long")
        );
        assert!(fault.message.contains("`h`") && fault.message.contains("16 MiB"), "{fault}");
        assert!(fault.hint.is_some());
        // Arrow's own bound of text in one batch, of which no column is known.
        let arrow = ArrowError::OffsetOverflowError(3 << 30);
        let fault = told(DataFusionError::from(arrow));
        assert_eq!((fault.where_.as_str(), fault.code.as_str()), ("/protected", "values_too_long"));
        assert!(fault.message.contains("`g`, `h`") && fault.message.contains("2 GiB"), "{fault}");
        assert!(fault.hint.is_some());
    }

    #[tokio::test]
    async fn one_value_of_very_much_text_is_counted_and_not_kept() {
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        let values = ["a", "b", "a", long.as_str(), "a", long.as_str(), long.as_str()];
        let column: ArrayRef = Arc::new(StringArray::from_iter_values(values));
        let batch = RecordBatch::try_from_iter([("g", column)]).unwrap();
        let source = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
        let table = SessionContext::new().read_table(Arc::new(source)).unwrap();
        // There is no bound on the text of all values together.
        let kind = counted(&table, "g").unwrap().schema().field(0).data_type().clone();
        assert_eq!(kind, DataType::LargeUtf8);
        let spec = AnalysisSpec { min_group_size: 2, ..AnalysisSpec::new("y", ["g"]) };
        for is_remote in [false, true] {
            let found = pool(&table, &spec, 0, is_remote, &CancellationToken::new()).await;
            let found = found.unwrap();
            assert_eq!(found.names, ["a"]);
            assert_eq!(found.others, Pooled { values: 2, large: 1 });
        }
    }

    #[test]
    fn the_largest_are_kept_in_whatever_order_they_come() {
        let many = MAX_KEPT as u64 + 1_000;
        let forward = chosen(1, None, 0..many);
        let backward = chosen(1, None, (0..many).rev());
        assert_eq!(forward, backward);
        assert_eq!(forward.names.len(), MAX_KEPT);
        assert_eq!(forward.others, Pooled { values: 1_000, large: 1_000 });
        // Those left out are of the fewest rows.
        let few = forward.names.iter().filter(|name| name.parse::<u64>().unwrap() % 7 == 0);
        assert_eq!(few.count() as u64, many.div_ceil(7) - 1_000);
    }

    #[test]
    fn names_are_bounded_by_their_length_too() {
        let add = |order: [(char, u64); 3]| {
            let mut chosen = Chosen::new(1, None);
            for (letter, rows) in order {
                let length = if letter == 'c' { 2 } else { MAX_NAME_BYTES * 5 / 8 };
                chosen.add(&letter.to_string().repeat(length), rows);
            }
            chosen.pool()
        };
        let pool = add([('a', 9), ('b', 8), ('c', 7)]);
        assert_eq!((pool.names.len(), pool.others), (1, Pooled { values: 2, large: 2 }));
        assert_eq!(add([('b', 8), ('c', 7), ('a', 9)]), pool);
        assert_eq!(add([('c', 7), ('a', 9), ('b', 8)]), pool);
    }

    fn spills(plan: &Arc<dyn ExecutionPlan>) -> usize {
        let mine = plan.metrics().and_then(|metrics| metrics.spill_count()).unwrap_or(0);
        mine + plan.children().into_iter().map(spills).sum::<usize>()
    }

    #[tokio::test]
    async fn counting_spills_where_memory_is_short() {
        let (distinct, often) = (400_000_u64, 50_u64);
        let value = |row: u64| {
            if row < distinct {
                format!("one of very many, so that memory is short {row:>8}")
            } else {
                format!("often {}", row % often)
            }
        };
        let rows = distinct + often * 30;
        let column = |from: u64| -> ArrayRef {
            Arc::new(StringArray::from_iter_values((from..rows.min(from + 8192)).map(value)))
        };
        let batches: Vec<RecordBatch> = (0..rows)
            .step_by(8192)
            .map(|from| RecordBatch::try_from_iter([("g", column(from))]).unwrap())
            .collect();
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(16 << 20)))
            .build_arc()
            .unwrap();
        let config = SessionConfig::new().with_target_partitions(1);
        let session = SessionContext::new_with_config_rt(config, runtime);
        let source = MemTable::try_new(batches[0].schema(), vec![batches]).unwrap();
        let table = session.read_table(Arc::new(source)).unwrap();

        let counted = counted(&table, "g").unwrap();
        let context = bounded(counted.task_ctx()).unwrap();
        let plan = counted.create_physical_plan().await.unwrap();
        let found = collect(Arc::clone(&plan), context).await.unwrap();
        let found: usize = found.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(found as u64, distinct + often);
        assert!(spills(&plan) > 0);

        let spec = AnalysisSpec::new("y", ["g"]);
        let pool = pool(&table, &spec, 0, false, &CancellationToken::new()).await.unwrap();
        assert_eq!(pool.others, Pooled { values: distinct, large: 0 });
        assert_eq!(pool.names.len() as u64, often);
        assert!(pool.names.iter().all(|name| name.starts_with("often ")));

        // As other machines are asked.
        let elsewhere = super::pool(&table, &spec, 0, true, &CancellationToken::new()).await;
        assert_eq!(elsewhere.unwrap(), pool);
    }
}
