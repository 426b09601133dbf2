//! Writing a table batch by batch, as Parquet or CSV.

use std::io::Write;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use parquet::{
    arrow::ArrowWriter,
    basic::Compression,
    file::properties::{EnabledStatistics, WriterProperties},
};
use serde::{Deserialize, Serialize};

use crate::{AnalysisError, ENGINE_VERSION};

/// Rows of a row group: what one thread of a reader takes at a time.
const GROUP_ROWS: usize = 1 << 20;
/// A row group is written out when it takes this much memory.
const GROUP_BYTES: usize = 64 << 20;

/// The format of a table that is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    /// Parquet, packed with Snappy.
    #[default]
    Parquet,
    /// CSV with a header.
    Csv,
}

/// A table on its way to a file.
pub(super) enum TableWriter<W: Write + Send> {
    Parquet(Box<ArrowWriter<W>>),
    Csv(Box<arrow::csv::Writer<W>>),
}

impl<W: Write + Send> TableWriter<W> {
    pub(super) fn new(
        format: OutputFormat,
        out: W,
        schema: &SchemaRef,
    ) -> Result<Self, AnalysisError> {
        Ok(match format {
            OutputFormat::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .set_max_row_group_row_count(Some(GROUP_ROWS))
                    .set_statistics_enabled(EnabledStatistics::Chunk)
                    .set_created_by(format!("ephor {ENGINE_VERSION}"))
                    .build();
                let writer = ArrowWriter::try_new(out, SchemaRef::clone(schema), Some(properties));
                Self::Parquet(Box::new(writer.map_err(unwritten)?))
            }
            OutputFormat::Csv => {
                let writer = arrow::csv::WriterBuilder::new().with_header(true).build(out);
                Self::Csv(Box::new(writer))
            }
        })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        match self {
            Self::Parquet(writer) => {
                writer.write(batch).map_err(unwritten)?;
                if writer.in_progress_size() > GROUP_BYTES {
                    writer.flush().map_err(unwritten)?;
                }
                Ok(())
            }
            Self::Csv(writer) => writer.write(batch).map_err(unwritten),
        }
    }

    pub(super) fn finish(self) -> Result<(), AnalysisError> {
        let mut out = match self {
            Self::Parquet(writer) => writer.into_inner().map_err(unwritten)?,
            Self::Csv(writer) => writer.into_inner(),
        };
        out.flush().map_err(unwritten)
    }
}

fn unwritten(error: impl std::fmt::Display) -> AnalysisError {
    AnalysisError::Engine(format!("the table could not be written: {error}"))
}
