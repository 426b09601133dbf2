//! One number of rows: Ephor, and all peers that can.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::{
    HELD, PROTECTED, Work, data,
    found::Measured,
    line, named,
    peers::{self, Peer},
    phases, rounds,
};
use crate::{
    Options,
    report::{Bar, Report, say},
};

/// Ratios count from here on: of fewer rows most time is spent on what does not depend on them.
const JUDGED: usize = 10_000_000;
/// Gigabytes that no number of rows may take.
const MEMORY: f64 = 2.0;
const WHOLE: &str = "Ephor: all metrics, disparities, intervals; 1 001 scores";

/// What is measured of one number of rows.
struct Size<'a> {
    options: &'a Options,
    rows: usize,
    rounds: usize,
    report: &'a mut Report,
    /// Ephor's memory at its highest so far, in bytes.
    peak: f64,
}

pub fn run(options: &Options, rows: usize, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("predictions.parquet");
    let few = rows <= HELD;
    data::write(&file, rows, few)?;
    // What takes long is measured once, after the round that warms the file cache.
    let mut size =
        Size { options, rows, rounds: if few { options.rounds } else { 1 }, report, peak: 0.0 };
    let bytes = std::fs::metadata(&file)?.len();
    let counts = match size.rounds {
        1 => "one round".to_owned(),
        rounds => format!("median of {rounds} rounds"),
    };
    say(format!(
        "\nFairness: {}, Parquet of {:.0} MB, {} and all their intersections; {counts}",
        named(rows),
        bytes as f64 / 1e6,
        PROTECTED.join(", "),
    ))?;

    let decode = rounds(size.rounds, Work::Decode, &file, "score")?;
    line("bare decode of the columns", &decode)?;
    let whole = size.ours(Work::Analyze, &file, "score", WHOLE)?;
    let draws =
        size.ours(Work::Draws, &file, "score", "Ephor: the same with 10 000 bootstrap draws")?;
    whole.same_as(&draws).context("1 000 and 10 000 draws")?;
    phases::run(size.rounds, &file, "score")?;

    let duckdb = size.peer("duckdb", &file, &whole)?.cpu;
    let polars = size.peer("polars", &file, &whole)?.cpu;
    let bare = "bias analysis beside DuckDB's bare GROUP BY, CPU";
    size.judge(bare, whole.cpu / duckdb, Bar::AtMost(0.8))?;
    say(format!(
        "aim: 1.3 x the bare decode; it is {:.2} x; {:.2} x Polars' bare group_by; with 10 000 draws {:.2} x DuckDB's",
        whole.cpu / decode.cpu,
        whole.cpu / polars,
        draws.cpu / duckdb
    ))?;
    if few {
        size.in_full(&file, &whole)?;
        size.in_memory(&file, &whole, &draws)?;
        size.as_csv(&file, &folder.path().join("predictions.csv"), &whole)?;
    } else {
        say(format!(
            "not run with {}: Fairlearn (with its row-wise stack and without), AIF360 and Aequitas, which hold all rows in memory: gigabytes of {}, ten times that of ten times the rows",
            named(rows),
            named(HELD)
        ))?;
        say(format!(
            "not run with {}: scores in full, and CSV, which is a file of gigabytes; they are measured with up to {}",
            named(rows),
            named(HELD)
        ))?;
    }
    say("every group of every peer has the same counts, selection rates and true positive rates")?;
    let memory = format!("peak memory of the bias analysis, {}", named(rows));
    size.report.judge(memory, size.peak / 1e9, "GB", Bar::AtMost(MEMORY));
    Ok(())
}

impl Size<'_> {
    /// Measures Ephor.
    fn ours(&mut self, work: Work, file: &Path, score: &str, name: &str) -> Result<Measured> {
        let measured = rounds(self.rounds, work, file, score)?;
        line(name, &measured)?;
        self.peak = self.peak.max(measured.peak);
        Ok(measured)
    }

    /// Measures a peer, which must find what Ephor found.
    fn peer(&self, key: &str, file: &Path, ours: &Measured) -> Result<Measured> {
        let Peer { name, measured } = peers::run(key, &self.options.python, file, self.rounds)?;
        line(&name, &measured)?;
        ours.same_as(&measured).with_context(|| format!("Ephor and {name}"))?;
        Ok(measured)
    }

    /// Puts a ratio beside its bar, or only says it where there are too few rows to judge by.
    fn judge(&mut self, work: &str, ratio: f64, bar: Bar) -> Result<()> {
        let rows = named(self.rows);
        if self.rows < JUDGED {
            return say(format!("not judged with {rows}: {work}: {ratio:.2} x"));
        }
        self.report.judge(format!("{work}, {rows}"), ratio, "x", bar);
        Ok(())
    }

    /// Scores that are each their own.
    fn in_full(&mut self, file: &Path, whole: &Measured) -> Result<()> {
        let decode = rounds(self.rounds, Work::Decode, file, "score_full")?;
        line("bare decode, scores in full", &decode)?;
        let name = "Ephor: all metrics, disparities, intervals; scores in full";
        let full = self.ours(Work::Analyze, file, "score_full", name)?;
        let duckdb = self.peer("duckdb_full", file, whole)?.cpu;
        say(format!("scores in full: {:.2} x the bare decode", full.cpu / decode.cpu))?;
        let bare = "the same beside DuckDB, scores in full";
        self.judge(bare, full.cpu / duckdb, Bar::AtMost(0.8))
    }

    /// Those who hold all rows in memory.
    fn in_memory(&mut self, file: &Path, whole: &Measured, draws: &Measured) -> Result<()> {
        let aequitas = self.peer("aequitas", file, whole)?.cpu;
        let aif360 = self.peer("aif360", file, whole)?.cpu;
        let unstacked = self.peer("fairlearn_unstacked", file, whole)?.cpu;
        let fairlearn = self.peer("fairlearn", file, whole)?.cpu;
        say(format!(
            "AIF360 takes {:.0} x the CPU time, Aequitas {:.0} x; beside 10 000 draws {:.0} x and {:.0} x",
            aif360 / whole.cpu,
            aequitas / whole.cpu,
            aif360 / draws.cpu,
            aequitas / draws.cpu
        ))?;
        for (ours, draws) in [(whole, ""), (draws, " with 10 000 draws")] {
            let work = format!("Fairlearn beside it{draws}, CPU");
            self.judge(&work, fairlearn / ours.cpu, Bar::AtLeast(1_000.0))?;
            let work = format!("Fairlearn without its row-wise stack, beside it{draws}");
            self.judge(&work, unstacked / ours.cpu, Bar::AtLeast(200.0))?;
        }
        Ok(())
    }

    fn as_csv(&mut self, parquet: &Path, csv: &Path, whole: &Measured) -> Result<()> {
        data::as_csv(parquet, csv)?;
        say(format!("The same as CSV of {:.0} MB:", std::fs::metadata(csv)?.len() as f64 / 1e6))?;
        let text = self.ours(Work::Analyze, csv, "score", WHOLE)?;
        whole.same_as(&text).context("Parquet and CSV")?;
        let duckdb = self.peer("duckdb", csv, whole)?.cpu;
        let polars = self.peer("polars", csv, whole)?.cpu;
        self.judge("the same from CSV, beside DuckDB", text.cpu / duckdb, Bar::AtMost(1.0))?;
        self.judge("the same from CSV, beside Polars", text.cpu / polars, Bar::AtMost(1.0))
    }
}
