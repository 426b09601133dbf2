//! What commands on files have in common: how a file is opened, and where and how the result is written.

use std::{
    io::{BufWriter, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::ValueEnum;
use ephor_fairness::{AnalysisError, DataFrame, Status};
use ephor_tabular::{OpenOptions, Source, Table, TabularError};
use tokio_util::sync::CancellationToken;

use super::whole::Whole;
use crate::exit::{Exit, UsageError};

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For a terminal
    Table,
    /// Everything, for programs
    Json,
    /// One self-contained page with plots
    Html,
    /// The same on paper
    Pdf,
}

/// When the exit code says that something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A metric is beyond its threshold, noise allowed for
    Fail,
    /// A metric is beyond its threshold, though noise could explain it
    Warning,
    /// Never: the report is all that is wanted
    Never,
}

impl FailOn {
    /// The exit code of a result whose worst status is this.
    pub fn exit(self, worst: Status) -> Exit {
        let failed = match self {
            Self::Fail => worst >= Status::Fail,
            Self::Warning => worst >= Status::Warning,
            Self::Never => false,
        };
        if failed { Exit::Finding } else { Exit::Ok }
    }
}

/// `NAME=VALUE`
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("it is written NAME=VALUE".to_owned()),
    }
}

/// Thresholds by name; all that are no numbers at once.
pub fn thresholds<T: FromIterator<(String, f64)>>(given: &[(String, String)]) -> anyhow::Result<T> {
    let mut wrong = Vec::new();
    let parsed = given
        .iter()
        .filter_map(|(metric, text)| {
            let number = text.parse::<f64>().ok();
            if number.is_none() {
                wrong.push(format!("--threshold {metric}={text}: `{text}` is not a number"));
            }
            Some((metric.clone(), number?))
        })
        .collect();
    if wrong.is_empty() { Ok(parsed) } else { Err(UsageError(wrong.join("\n")).into()) }
}

/// Opens a file, or standard input where it is `-`; of CSV, `only` these columns will be read.
pub async fn open(file: &Path, only: Option<Vec<String>>, memory: usize) -> anyhow::Result<Table> {
    let source =
        if file.as_os_str() == "-" { Source::Stdin } else { Source::Path(file.to_owned()) };
    let options = OpenOptions { only, memory_bytes: memory << 20, ..OpenOptions::default() };
    ephor_tabular::open(source, options).await.map_err(unreadable)
}

/// Opens a file and does the work on it, until it is done or Ctrl-C is pressed.
pub async fn with_table<T>(
    file: &Path,
    only: Option<Vec<String>>,
    memory: usize,
    work: impl AsyncFnOnce(DataFrame, &CancellationToken) -> Result<T, AnalysisError>,
) -> anyhow::Result<T> {
    let table = open(file, only, memory).await?.dataframe().map_err(unreadable)?;
    until_stopped(async |cancel| work(table, cancel).await).await
}

/// Does the work until it is done or Ctrl-C is pressed.
pub async fn until_stopped<T>(
    work: impl AsyncFnOnce(&CancellationToken) -> Result<T, AnalysisError>,
) -> anyhow::Result<T> {
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let ctrl_c = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    let outcome = work(&cancel).await;
    ctrl_c.abort();
    outcome.map_err(invalid)
}

/// What a file is called, for people.
pub fn named(file: &Path) -> String {
    match file.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => file.display().to_string(),
    }
}

/// Refuses to print a PDF in a terminal, before any work is done.
pub fn not_in_terminal(is_pdf: bool, out: Option<&PathBuf>) -> anyhow::Result<()> {
    if is_pdf && out.is_none() && std::io::stdout().is_terminal() {
        let how = "a PDF cannot be shown in a terminal: say where to write it, with --out FILE";
        return Err(UsageError(how.to_owned()).into());
    }
    Ok(())
}

/// Writes the result to a file, or to standard output: a file is there whole or not at all, and its forerunner stays until then.
pub fn put(out: Option<&PathBuf>, result: impl AsRef<[u8]>) -> anyhow::Result<()> {
    put_whole(out, |out| Ok(out.write_all(result.as_ref())?))
}

/// The same of a long result, piece by piece as it is made, so that it is never there as a whole. It may break off; standard
/// output, a pipe or a device then has what came until then.
pub fn put_whole(
    out: Option<&PathBuf>,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(path) = out else { return all(std::io::stdout().lock(), write).map(drop) };
    put_at(path, "report", write)
}

/// The same of a file beside the result, which is called `what`.
pub fn put_at(
    path: &Path,
    what: &str,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let cannot = || format!("the {what} could not be written to {}", path.display());
    let file = all(Whole::at(path).with_context(cannot)?, write).map_err(|error| {
        // What broke off while it was made is no fault of the file.
        if error.is::<std::io::Error>() { error.context(cannot()) } else { error }
    })?;
    file.keep().with_context(cannot)
}

/// All that is written, and that it arrived.
fn all<W: Write>(
    out: W,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<W> {
    let mut out = BufWriter::new(out);
    write(&mut out)?;
    out.flush()?;
    Ok(out.into_inner().map_err(std::io::IntoInnerError::into_error)?)
}

pub fn invalid(error: AnalysisError) -> anyhow::Error {
    match error {
        AnalysisError::Invalid(_) | AnalysisError::Read(_) => UsageError(error.to_string()).into(),
        AnalysisError::Cancelled | AnalysisError::Remote(_) | AnalysisError::Engine(_) => {
            error.into()
        }
    }
}

pub fn unreadable(error: TabularError) -> anyhow::Error {
    UsageError(error.to_string()).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let told = |text: &str| put_whole(Some(&path), |out| Ok(out.write_all(text.as_bytes())?));
        told("first").unwrap();
        told("second").unwrap();
        let broken = put_whole(Some(&path), |out| {
            out.write_all(b"third")?;
            anyhow::bail!("no more")
        });
        assert_eq!(broken.unwrap_err().to_string(), "no more");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
        let nowhere = folder.path().join("no/such/folder");
        assert!(put_whole(Some(&nowhere), |_| Ok(())).is_err());
    }
}
