//! What is measured of Ephor's own, in a process that does nothing else.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use arrow::datatypes::{DataType, Field, Schema};
use clap::ValueEnum;
use ephor_fairness::{AnalysisResult, AnalysisSpec};
use ephor_tabular::{OpenOptions, Source, Table};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    PROTECTED,
    found::{Group, Measured},
};
use crate::usage::{Clock, Spent, peak};

/// Draws of the bootstrap where there are many.
pub(super) const MANY_DRAWS: u32 = 10_000;

/// A piece of work.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Work {
    /// The columns decoded and thrown away.
    Decode,
    /// The whole analysis.
    Analyze,
    /// The same with 10 000 bootstrap draws.
    Draws,
    /// An analysis by one attribute, whose name stands where the score's does, without scores.
    Attribute,
}

impl Work {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Analyze => "analyze",
            Self::Draws => "draws",
            Self::Attribute => "attribute",
        }
    }
}

/// Does it and prints what it cost and found.
pub async fn work(work: Work, file: PathBuf, score: &str) -> Result<()> {
    let clock = Clock::start()?;
    let (mut groups, mut pooled) = (BTreeMap::new(), None);
    match work {
        Work::Decode => {
            let score = score.to_owned();
            tokio::task::spawn_blocking(move || decode(&file, &score)).await??;
        }
        Work::Analyze => groups = found(&analyze(file, &spec(score)).await?),
        Work::Draws => {
            let spec = AnalysisSpec { bootstrap_draws: MANY_DRAWS, ..spec(score) };
            groups = found(&analyze(file, &spec).await?);
        }
        Work::Attribute => {
            let prediction = Some("y_pred".to_owned());
            let spec = AnalysisSpec { prediction, ..AnalysisSpec::new("y_true", [score]) };
            let said = analyze(file, &spec).await?.warnings;
            pooled = said.into_iter().find(|warning| warning.contains("are counted together"));
        }
    }
    let Spent { cpu, wall } = clock.read()?;
    tell(&Measured { cpu, wall, peak: peak()?, groups, pooled })
}

/// Prints it as JSON, for the program that started this one.
pub(super) fn tell(found: &impl Serialize) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(found)?)?)
}

pub(super) fn spec(score: &str) -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("y_pred".to_owned()),
        score: Some(score.to_owned()),
        ..AnalysisSpec::new("y_true", PROTECTED)
    }
}

async fn analyze(file: PathBuf, spec: &AnalysisSpec) -> Result<AnalysisResult> {
    let table = open(file, spec).await?;
    let cancel = CancellationToken::new();
    Ok(ephor_fairness::analyze(table.dataframe()?, spec, &(), &cancel).await?)
}

/// The columns that an analysis reads.
pub(super) async fn open(file: PathBuf, spec: &AnalysisSpec) -> Result<Table> {
    let only = Some(spec.columns().map(str::to_owned).collect());
    let options = OpenOptions { only, ..OpenOptions::default() };
    Ok(ephor_tabular::open(Source::Path(file), options).await?)
}

/// The groups of all attributes together.
fn found(result: &AnalysisResult) -> BTreeMap<String, Group> {
    let all = result.intersections.iter().find(|found| found.attributes.len() == PROTECTED.len());
    let groups = all.into_iter().flat_map(|found| &found.groups);
    groups
        .map(|group| {
            let value = |id| group.metric(id).and_then(|metric| metric.value);
            let found = Group {
                count: group.n,
                selection_rate: value("selection_rate").unwrap_or(f64::NAN),
                tpr: value("tpr"),
            };
            (group.values.join("|"), found)
        })
        .collect()
}

/// Decodes the columns that an analysis reads, as it reads them, on all processors.
fn decode(file: &Path, score: &str) -> Result<()> {
    let plain = ArrowReaderMetadata::load(&File::open(file)?, ArrowReaderOptions::new())?;
    let schema = ArrowReaderOptions::new().with_schema(Arc::new(packed(plain.schema())));
    let metadata = ArrowReaderMetadata::load(&File::open(file)?, schema)?;
    on_all_processors(metadata.metadata().num_row_groups(), |row_groups| {
        let metadata = metadata.clone();
        let mask = ProjectionMask::columns(metadata.parquet_schema(), read(score));
        let reader =
            ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(file)?, metadata)
                .with_batch_size(8192)
                .with_projection(mask)
                .with_row_groups(row_groups)
                .build()?;
        for batch in reader {
            std::hint::black_box(batch?);
        }
        Ok(())
    })
}

/// The columns of an analysis with this score.
pub(super) fn read(score: &str) -> impl Iterator<Item = &str> {
    PROTECTED.into_iter().chain(["y_true", "y_pred", score])
}

/// Deals so many row groups out to as many threads as there are processors.
pub(super) fn on_all_processors(
    row_groups: usize,
    part: impl Fn(Vec<usize>) -> Result<()> + Sync,
) -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let part = &part;
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || part((thread..row_groups).step_by(threads).collect()))
            })
            .collect();
        running
            .into_iter()
            .try_for_each(|thread| thread.join().ok().context("a thread panicked")?)
    })
}

/// Text as dictionaries, as an analysis asks for it.
fn packed(schema: &Schema) -> Schema {
    let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 => Field::new(field.name(), text.clone(), field.is_nullable()),
        other => Field::new(field.name(), other.clone(), field.is_nullable()),
    });
    Schema::new(fields.collect::<Vec<_>>())
}
