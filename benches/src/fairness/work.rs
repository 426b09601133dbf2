//! What is measured of Ephor's own, in a process that does nothing else.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use arrow::datatypes::{DataType, Field, Schema};
use clap::ValueEnum;
use ephor_fairness::{AnalysisError, AnalysisResult, AnalysisSpec};
use ephor_tabular::{OpenOptions, Source};
use nix::sys::{
    resource::{Usage, UsageWho, getrusage},
    time::TimeValLike as _,
};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
};
use tokio_util::sync::CancellationToken;

use super::{
    PROTECTED,
    found::{Group, Measured},
};

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
    let (before, begun) = (getrusage(UsageWho::RUSAGE_SELF)?, Instant::now());
    let groups = match work {
        Work::Decode => {
            let score = score.to_owned();
            tokio::task::spawn_blocking(move || decode(&file, &score)).await??;
            BTreeMap::new()
        }
        Work::Analyze => groups(&analyze(file, &spec(score)).await?),
        Work::Draws => {
            let spec = AnalysisSpec { bootstrap_draws: 10_000, ..spec(score) };
            groups(&analyze(file, &spec).await?)
        }
        Work::Attribute => {
            let prediction = Some("y_pred".to_owned());
            let spec = AnalysisSpec { prediction, ..AnalysisSpec::new("y_true", [score]) };
            if let Err(error) = analyze(file, &spec).await {
                ensure!(tells_nothing_apart(&error), error);
            }
            BTreeMap::new()
        }
    };
    let (wall, after) = (begun.elapsed(), getrusage(UsageWho::RUSAGE_SELF)?);
    let measured = Measured {
        cpu: processors(&after).saturating_sub(processors(&before)).as_secs_f64(),
        wall: wall.as_secs_f64(),
        peak: peak(&after)?,
        groups,
    };
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&measured)?)?)
}

fn processors(usage: &Usage) -> Duration {
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}

/// The highest resident memory of this program, in bytes. What Linux tells by `getrusage` is not less than
/// what the program had that started this one.
fn peak(usage: &Usage) -> Result<f64> {
    if !cfg!(target_os = "linux") {
        return Ok(usage.max_rss() as f64);
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024.0)
}

fn spec(score: &str) -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("y_pred".to_owned()),
        score: Some(score.to_owned()),
        ..AnalysisSpec::new("y_true", PROTECTED)
    }
}

/// Is it refused because of so many values? That is an answer too, and has its cost.
fn tells_nothing_apart(error: &anyhow::Error) -> bool {
    error.downcast_ref::<AnalysisError>().is_some_and(|error| {
        let mut faults = error.faults().iter();
        faults.any(|fault| fault.code == "too_many_values")
    })
}

async fn analyze(file: PathBuf, spec: &AnalysisSpec) -> Result<AnalysisResult> {
    let only = Some(spec.columns().map(str::to_owned).collect());
    let options = OpenOptions { only, ..OpenOptions::default() };
    let table = ephor_tabular::open(Source::Path(file), options).await?;
    let cancel = CancellationToken::new();
    Ok(ephor_fairness::analyze(table.dataframe()?, spec, &(), &cancel).await?)
}

/// The groups of all attributes together.
fn groups(result: &AnalysisResult) -> BTreeMap<String, Group> {
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
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let plain = ArrowReaderMetadata::load(&File::open(file)?, ArrowReaderOptions::new())?;
    let schema = ArrowReaderOptions::new().with_schema(Arc::new(packed(plain.schema())));
    let metadata = ArrowReaderMetadata::load(&File::open(file)?, schema)?;
    let row_groups = metadata.metadata().num_row_groups();
    std::thread::scope(|scope| {
        let decoding: Vec<_> = (0..threads)
            .map(|thread| {
                let metadata = metadata.clone();
                scope.spawn(move || -> Result<()> {
                    let columns = PROTECTED.into_iter().chain(["y_true", "y_pred", score]);
                    let mask = ProjectionMask::columns(metadata.parquet_schema(), columns);
                    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(
                        File::open(file)?,
                        metadata,
                    )
                    .with_batch_size(8192)
                    .with_projection(mask)
                    .with_row_groups((thread..row_groups).step_by(threads).collect())
                    .build()?;
                    for batch in reader {
                        std::hint::black_box(batch?);
                    }
                    Ok(())
                })
            })
            .collect();
        decoding
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
