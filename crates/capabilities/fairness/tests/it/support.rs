//! Tables made of arrays or files, and analyses of them.

use std::{
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{Field, Schema, SchemaRef},
};
use datafusion::{
    catalog::{Session, TableProvider},
    datasource::{
        MemTable,
        listing::PartitionedFile,
        object_store::ObjectStoreUrl,
        physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource},
        source::DataSourceExec,
    },
    logical_expr::{Expr, TableType},
    physical_plan::ExecutionPlan,
    prelude::{CsvReadOptions, DataFrame, SessionConfig, SessionContext},
};
use ephor_fairness::{
    AnalysisError, AnalysisResult, AnalysisSpec, AttributeResult, CancellationToken, Disparity,
    Fault, Group, analyze,
};
use serde_json::Value;

pub fn reference(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(path)
}

pub fn reference_json(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(reference(path)).unwrap()).unwrap()
}

pub struct DataSet {
    pub name: &'static str,
    pub file: PathBuf,
    pub attributes: [&'static str; 3],
}

pub fn data_sets() -> [DataSet; 2] {
    [
        DataSet {
            name: "german_lr",
            file: reference("german_lr/input.csv"),
            attributes: ["sex", "age_group", "foreign"],
        },
        DataSet {
            name: "adult_lr",
            file: PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("../../../data/demo/adult_predictions.csv"),
            attributes: ["race", "sex", "age_band"],
        },
    ]
}

impl DataSet {
    /// Everything compared, as the peers do: small groups too.
    pub fn spec(&self) -> AnalysisSpec {
        AnalysisSpec {
            prediction: Some("y_pred".to_owned()),
            score: Some("score".to_owned()),
            min_group_size: 1,
            bootstrap_draws: 0,
            ..AnalysisSpec::new("y_true", self.attributes)
        }
    }

    pub async fn analyze(&self, spec: &AnalysisSpec) -> AnalysisResult {
        run(self.table().await, spec).await.unwrap()
    }

    /// Of the rows that a filter lets through.
    pub async fn analyze_where(&self, spec: &AnalysisSpec, filter: Expr) -> AnalysisResult {
        run(self.table().await.filter(filter).unwrap(), spec).await.unwrap()
    }

    async fn table(&self) -> DataFrame {
        context(2).read_csv(self.file.to_str().unwrap(), CsvReadOptions::new()).await.unwrap()
    }
}

pub fn context(partitions: usize) -> SessionContext {
    SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions))
}

pub async fn run(table: DataFrame, spec: &AnalysisSpec) -> Result<AnalysisResult, AnalysisError> {
    analyze(table, spec, &(), &CancellationToken::new()).await
}

/// A table of one partition for each batch.
pub fn table(batches: Vec<RecordBatch>) -> DataFrame {
    let schema = batches[0].schema();
    let partitions = batches.into_iter().map(|batch| vec![batch]).collect();
    context(2).read_table(Arc::new(MemTable::try_new(schema, partitions).unwrap())).unwrap()
}

pub fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns.into_iter().map(|(_, array)| array).collect(),
    )
    .unwrap()
}

/// Analyses one batch.
pub async fn run_batch(
    columns: Vec<(&str, ArrayRef)>,
    spec: &AnalysisSpec,
) -> Result<AnalysisResult, AnalysisError> {
    run(table(vec![batch(columns)]), spec).await
}

pub fn faults(result: Result<AnalysisResult, AnalysisError>) -> Vec<Fault> {
    match result {
        Err(AnalysisError::Invalid(faults)) => faults,
        Err(other) => panic!("not a fault of the request: {other}"),
        Ok(_) => panic!("it was accepted"),
    }
}

pub trait Find {
    fn attribute(&self, name: &str) -> &AttributeResult;
}

impl Find for AnalysisResult {
    fn attribute(&self, name: &str) -> &AttributeResult {
        self.attributes
            .iter()
            .chain(&self.intersections)
            .find(|result| result.name == name)
            .unwrap_or_else(|| panic!("no {name}"))
    }
}

pub trait FindIn {
    fn group(&self, name: &str) -> &Group;
    fn disparity(&self, id: &str) -> &Disparity;
}

impl FindIn for AttributeResult {
    fn group(&self, name: &str) -> &Group {
        self.groups
            .iter()
            .find(|group| group.name == name)
            .unwrap_or_else(|| panic!("no group {name}"))
    }

    fn disparity(&self, id: &str) -> &Disparity {
        self.disparities
            .iter()
            .find(|disparity| disparity.id == id)
            .unwrap_or_else(|| panic!("no disparity {id}"))
    }
}

pub fn value(group: &Group, metric: &str) -> Option<f64> {
    group.metric(metric).unwrap_or_else(|| panic!("no metric {metric}")).value
}

/// Equal to 1e-9 (relative above 1).
pub fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * right.abs().max(1.0)
}

/// A Parquet file whose reader keeps text as codes: what `ephor-tabular` makes of one.
#[derive(Debug)]
pub struct CodedParquet {
    schema: SchemaRef,
    path: PathBuf,
}

impl CodedParquet {
    pub fn new(path: &Path, schema: &Schema) -> Self {
        Self {
            schema: Arc::new(ephor_fairness::cube::dictionary_schema(schema)),
            path: path.to_owned(),
        }
    }
}

impl TableProvider for CodedParquet {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn scan<'this, 'session, 'projection, 'filters, 'future>(
        &'this self,
        _session: &'session dyn Session,
        projection: Option<&'projection Vec<usize>>,
        _filters: &'filters [Expr],
        _limit: Option<usize>,
    ) -> Pin<
        Box<
            dyn Future<Output = datafusion::error::Result<Arc<dyn ExecutionPlan>>> + Send + 'future,
        >,
    >
    where
        'this: 'future,
        'session: 'future,
        'projection: 'future,
        'filters: 'future,
        Self: 'future,
    {
        Box::pin(async move {
            let size = std::fs::metadata(&self.path)?.len();
            let file = PartitionedFile::new(self.path.to_str().unwrap(), size)
                .with_arrow_schema(Arc::clone(&self.schema));
            let source = Arc::new(ParquetSource::new(Arc::clone(&self.schema)));
            let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
                .with_file_groups(vec![FileGroup::new(vec![file])])
                .with_projection_indices(projection.cloned())?
                .build();
            let plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
            Ok(plan)
        })
    }
}
