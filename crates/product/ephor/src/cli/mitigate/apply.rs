//! `ephor mitigate apply`

use std::{
    io::{BufWriter, Read as _},
    path::PathBuf,
};

use clap::ValueEnum;
use ephor_fairness::mitigation::{ApplyOptions, MitigationArtifact, OutputFormat, apply};

use super::{apart, begun, print, settle, table};
use crate::{
    cli::{
        block_on, file,
        places::{Place, writable},
    },
    exit::{Exit, UsageError},
};

/// The largest artefact that is read.
const MOST_BYTES: u64 = 256 << 20;

/// Add a mitigation's weights or decisions to a file, and measure before and after.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor mitigate apply weights.json train.csv --out reweighed.parquet
  ephor mitigate apply thresholds.json new.csv --out decided.csv --column decision
  ephor mitigate apply odds.json new.parquet --out decided.parquet --row-id applicant --json

Rows are written in their order, with one column more. Where the file has labels, disparities and accuracy
are measured before and after. Different thresholds for different groups can be disparate treatment, which
law may forbid: ask counsel before decisions are made this way.

Exit codes: 0 the file is written, 2 the artefact or the data are wrong, 3 it could not be done.")]
pub struct Args {
    /// What `ephor mitigate fit` wrote
    artefact: PathBuf,
    /// A CSV, NDJSON, JSON or Parquet file of any size; - for standard input
    file: PathBuf,
    /// Where to write the table
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Its format; by default CSV if its name ends in .csv, else Parquet
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// The new column; by default `mitigated_weight` or `mitigated_prediction`
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// A column that names rows: draws then follow the row, wherever it stands
    #[arg(long, value_name = "COLUMN")]
    row_id: Option<String>,
    /// Print the report for programs
    #[arg(long)]
    json: bool,
    /// The memory to use before spilling to disk, in MiB
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    memory: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// Parquet
    Parquet,
    /// CSV with a header
    Csv,
}

impl Args {
    pub fn run(self) -> anyhow::Result<Exit> {
        writable(Place::out(Some(&self.out)))?;
        apart(&self.out, [&self.file, &self.artefact])?;
        let artifact = self.artifact()?;
        let options = ApplyOptions { column: self.column.clone(), row_id: self.row_id.clone() };
        let file = begun(&self.out)?;
        let out = BufWriter::new(file.writer()?);
        let format = self.format();
        let applied = file::with_table(&self.file, None, self.memory, async |rows, cancel| {
            apply(rows, &artifact, &options, format, out, &(), cancel).await
        });
        let report = block_on(applied)?;
        settle(file, &self.out)?;
        if self.json {
            print(&(serde_json::to_string_pretty(&report)? + "\n"))?;
        } else {
            let out = self.out.display().to_string();
            print(&table::applied(&artifact, &report, &file::named(&self.file), &out))?;
        }
        Ok(Exit::Ok)
    }

    fn format(&self) -> OutputFormat {
        let is_csv =
            self.out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        match self.format {
            Some(FormatArg::Csv) => OutputFormat::Csv,
            None if is_csv => OutputFormat::Csv,
            Some(FormatArg::Parquet) | None => OutputFormat::Parquet,
        }
    }

    fn artifact(&self) -> anyhow::Result<MitigationArtifact> {
        let path = self.artefact.display();
        let unreadable =
            |error: &dyn std::fmt::Display| UsageError(format!("{path} is no mitigation: {error}"));
        let file = std::fs::File::open(&self.artefact).map_err(|error| unreadable(&error))?;
        let mut text = String::new();
        file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(unreadable(&format!("it has more than {MOST_BYTES} bytes")).into());
        }
        let artifact: MitigationArtifact =
            serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
        let faults = artifact.faults();
        if faults.is_empty() {
            return Ok(artifact);
        }
        let sentences: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Err(unreadable(&sentences.join("\n")).into())
    }
}
