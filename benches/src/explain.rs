//! Exact SHAP values beside XGBoost's `pred_contribs` and shap's `TreeExplainer`, on models of 500 trees.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use ephor_explain::{CancellationToken, Model, Rows, shap};
use serde::{Deserialize, Serialize};

use crate::{
    Options,
    programs::{answer, itself},
    report::{Bar, Report, say},
    usage::{Clock, Spent, peak},
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/explain.py");
/// The depth that has the higher bar.
const USUAL: u32 = 6;
const OTHERS: [u32; 3] = [4, 8, 12];
/// From here on the peers take minutes for a thousand rows.
const DEEP: u32 = 12;
/// The memory that explaining may take, in MiB, whatever the trees and however many the rows of this bench.
const MEMORY: f64 = 1024.0;

#[derive(Debug, Serialize, Deserialize)]
struct Found {
    name: String,
    wall: f64,
    cpu: f64,
    /// The process's resident memory at its highest, in bytes.
    peak: f64,
    values: Vec<f64>,
}

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut cases: Vec<Case> = options.explained.iter().map(|rows| (USUAL, *rows)).collect();
    for depth in OTHERS {
        cases.extend(options.explained_otherwise.iter().map(|rows| (depth, *rows)));
    }
    let most = cases.iter().map(|(_, rows)| *rows).max().context("no number of rows is named")?;
    let depths = [USUAL].into_iter().chain(OTHERS).map(|depth| depth.to_string());
    let made = python(options)
        .arg("make")
        .arg(folder.path())
        .args([depths.collect::<Vec<String>>().join(","), most.to_string()])
        .status()?;
    ensure!(made.success(), "the models could not be made (`make bench` installs what makes them)");
    say("\nExact SHAP values: 500 trees, 20 features")?;
    for case in cases {
        compare(options, report, folder.path(), case)?;
    }
    Ok(())
}

/// A model's depth, and how many rows it explains.
type Case = (u32, usize);

fn compare(
    options: &Options,
    report: &mut Report,
    folder: &Path,
    (depth, count): Case,
) -> Result<()> {
    let case = format!("depth {depth}, {count} rows");
    let tell = |found: &Found| {
        let Found { name, wall, cpu, peak, .. } = found;
        let memory = peak / 1e6;
        say(format!("{case:<24}  {name:<32}  {cpu:>8.2} s CPU  {wall:>8.2} s  {memory:>6.0} MB"))
    };
    let arguments = |rounds: usize| [depth.to_string(), count.to_string(), rounds.to_string()];
    let ours: Found =
        answer(itself()?.arg("explain-work").arg(folder).args(arguments(options.rounds)))?;
    tell(&ours)?;
    let memory = format!("exact SHAP values, {case}, peak memory");
    report.judge(memory, ours.peak / f64::from(1 << 20), "MiB", Bar::AtMost(MEMORY));
    // What takes minutes is measured once.
    let rounds = if count > 1_000 || depth >= DEEP { 1 } else { options.rounds };
    for peer in ["pred_contribs", "shap"] {
        let theirs: Found = answer(python(options).arg(peer).arg(folder).args(arguments(rounds)))
            .with_context(|| format!("{peer} could not be run"))?;
        tell(&theirs)?;
        let scale = ours.values.iter().fold(1.0_f64, |most, value| most.max(value.abs()));
        let near = ours.values.len() == theirs.values.len()
            && ours.values.iter().zip(&theirs.values).all(|(a, b)| (a - b).abs() <= 1e-5 * scale);
        ensure!(near, "{} finds other values: {case}", theirs.name);
        let least = if depth == USUAL { 5.0 } else { 1.0 };
        let work = format!("{peer} beside exact SHAP values, {case}, CPU");
        report.judge(work, theirs.cpu / ours.cpu, "x", Bar::AtLeast(least));
    }
    Ok(())
}

fn python(options: &Options) -> Command {
    let mut command = Command::new(&options.python);
    command.arg(SCRIPT);
    command
}

/// Explains the first `count` rows by the model of this depth, and prints what that cost and the values.
pub fn work(folder: &Path, depth: u32, count: usize, rounds: usize) -> Result<()> {
    let rows = read_rows(&folder.join("rows.csv"), count)?;
    let content = std::fs::read(folder.join(format!("model{depth}.json")))?;
    let (_, Model::Forest(forest)) = ephor_explain::read(&content)? else {
        bail!("the model has no trees");
    };
    drop(content);
    let (mut spent, mut values) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let clock = Clock::start()?;
        values = shap::path_dependent(&forest, &rows, &(), &CancellationToken::new())?.values;
        spent.push(clock.read()?);
    }
    let Spent { cpu, wall } = Spent::median(&spent);
    let found = Found { name: "Ephor".to_owned(), wall, cpu, peak: peak()?, values };
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&found)?)?)
}

fn read_rows(file: &Path, count: usize) -> Result<Rows> {
    let mut lines = BufReader::new(File::open(file)?).lines();
    let width = lines.next().context("no rows")??.split(',').count();
    let mut values = Vec::with_capacity(count * width);
    for line in lines.take(count) {
        for value in line?.split(',') {
            values.push(value.parse::<f64>()?);
        }
    }
    Ok(Rows::new(values, width))
}
