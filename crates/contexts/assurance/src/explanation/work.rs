//! What every method works on.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
};
use ephor_explain::{
    CancellationToken, ExplainError, Format, Model, Rows, Scorer as _,
    shap::Progress,
    summary::{About, Method, Summary, Unit},
};
use ephor_store::jobs::JobFailure;
use ephor_tabular::{Destination, Stored, Table, TableWriter, TabularError};
use tokio::sync::watch;

use super::{
    rows::{Columns, Sampled, sample},
    spec::ExplanationSpec,
};

/// How far the work is: done, of so much.
pub(super) type Told = (u64, Option<u64>);

/// A model, a data set, and what is asked.
pub(super) struct Work {
    pub spec: ExplanationSpec,
    pub format: Format,
    pub model: Arc<Model>,
    pub table: Table,
    /// The data set whose rows are compared with, if it is another one.
    pub background: Option<Table>,
    pub destination: Destination,
    pub tell: Arc<watch::Sender<Told>>,
    pub cancel: CancellationToken,
}

/// What a method found: the digest, and the values as they are stored.
pub(super) type Found = (Summary, Stored);

impl Work {
    /// The output that is explained.
    pub fn output(&self) -> usize {
        self.spec.output_of(self.model.outputs())
    }

    /// A digest that says nothing yet.
    pub fn summary(&self, method: Method, unit: Unit) -> Summary {
        let about = About::of(self.format, &self.model);
        Summary::new(method, about, self.output(), unit, self.model.features())
    }

    /// The columns of the features, and of what stands beside them.
    pub fn columns(&self) -> Columns {
        Columns {
            features: self.spec.feature_columns(self.model.features()),
            target: self.spec.target.clone(),
            group: self.spec.group.clone(),
        }
    }

    /// Rows drawn by chance.
    pub async fn sample(&self, most: usize) -> Result<Sampled, JobFailure> {
        let columns = Columns { group: None, ..self.columns() };
        self.drawn(&self.table, &columns, most).await?.ok_or_else(no_rows)
    }

    /// Rows to compare with, drawn by chance: from the background data set, or else from the data set itself.
    pub async fn background(&self, most: usize) -> Result<Rows, JobFailure> {
        let columns = Columns { group: None, target: None, ..self.columns() };
        let Some(background) = &self.background else {
            let drawn = self.drawn(&self.table, &columns, most).await?;
            return drawn.map(|drawn| drawn.rows).ok_or_else(no_rows);
        };
        let drawn = self.drawn(background, &columns, most).await?;
        drawn
            .map(|drawn| drawn.rows)
            .ok_or_else(|| JobFailure::fatal("The background data set has no rows"))
    }

    /// Rows of a table; none of one without.
    async fn drawn(
        &self,
        table: &Table,
        columns: &Columns,
        most: usize,
    ) -> Result<Option<Sampled>, JobFailure> {
        let most = most.clamp(1, (MOST_VALUES / columns.features.len().max(1)).max(1));
        let drawn =
            sample(table, columns, most, self.spec.seed, || self.cancel.is_cancelled()).await?;
        Ok((!drawn.rows.is_empty()).then_some(drawn))
    }

    /// The places of features that are named.
    pub fn places(&self, names: &[String]) -> Vec<usize> {
        let known = self.model.features();
        names.iter().filter_map(|name| known.iter().position(|other| other == name)).collect()
    }

    /// Work that blocks, on a thread for it.
    pub async fn blocking<T: Send + 'static>(
        work: impl FnOnce() -> Result<T, ExplainError> + Send + 'static,
    ) -> Result<T, JobFailure> {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|failed| JobFailure::retry(failed.to_string()))?
            .map_err(|error| failure(&error))
    }

    /// Who is told of work whose first `before` of `all` parts are done.
    pub fn progress(&self, before: u64, all: Option<u64>) -> impl Progress + 'static {
        let tell = Arc::clone(&self.tell);
        move |done: usize, of: usize| {
            tell.send_replace((before + done as u64, all.or(Some(of as u64))));
        }
    }

    /// Stores values that are all there.
    pub async fn store(
        &self,
        values: Result<RecordBatch, ArrowError>,
    ) -> Result<Stored, JobFailure> {
        let values = values.map_err(|error| JobFailure::fatal(error.to_string()))?;
        let mut writer =
            TableWriter::begin(&self.destination, values.schema()).await.map_err(unstored)?;
        writer.write(&values).await.map_err(unstored)?;
        writer.finish().await.map_err(unstored)
    }
}

/// So many values of rows are held at once.
const MOST_VALUES: usize = 1 << 25;

/// Columns under their names: a name that is taken gets a number.
pub(super) fn schema(columns: impl IntoIterator<Item = (String, DataType, bool)>) -> SchemaRef {
    let mut fields: Vec<Field> = Vec::new();
    for (name, kind, nullable) in columns {
        let is_taken =
            |name: &str, fields: &[Field]| fields.iter().any(|field| field.name() == name);
        let mut own = name.clone();
        let mut number = 2;
        while is_taken(&own, &fields) {
            own = format!("{name} {number}");
            number += 1;
        }
        fields.push(Field::new(own, kind, nullable));
    }
    Arc::new(Schema::new(fields))
}

/// Columns with their values.
pub(super) fn batch<const N: usize>(
    columns: [(&str, ArrayRef); N],
) -> Result<RecordBatch, ArrowError> {
    let fields =
        columns.iter().map(|(name, values)| ((*name).to_owned(), values.data_type().clone(), true));
    let schema = schema(fields);
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, values)| values).collect())
}

pub(super) fn no_rows() -> JobFailure {
    JobFailure::fatal("The data set has no rows")
}

/// What is wrong with the question stays wrong.
pub(super) fn failure(error: &ExplainError) -> JobFailure {
    match error {
        ExplainError::Cancelled => JobFailure::Cancelled,
        ExplainError::Endpoint(_) => JobFailure::retry(error.to_string()),
        _ => JobFailure::fatal(error.to_string()),
    }
}

pub(super) fn unstored(error: TabularError) -> JobFailure {
    match error {
        TabularError::Cancelled => JobFailure::Cancelled,
        error => JobFailure::retry(format!("The values could not be stored: {error}")),
    }
}
