//! Exact SHAP values beside XGBoost's `pred_contribs` and shap's `TreeExplainer`, on models of 500 trees.

use std::{path::Path, process::Command, time::Instant};

use anyhow::{Context as _, Result, bail, ensure};
use ephor_explain::{CancellationToken, Model, Rows, shap};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike as _,
};
use serde::Deserialize;

use crate::{
    Options,
    report::{Bar, Report, say},
    times::median,
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/explain.py");
const DEPTHS: [u32; 4] = [4, 6, 8, 12];

#[derive(Debug, Deserialize)]
struct Peer {
    name: String,
    wall: f64,
    cpu: f64,
    values: Vec<f64>,
}

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let depths = DEPTHS.map(|depth| depth.to_string()).join(",");
    let few = *options.explained.first().context("--explained names no number of rows")?;
    let most = options.explained.iter().max().copied().unwrap_or(few);
    let made = python(options)
        .arg("make")
        .arg(folder.path())
        .args([depths.as_str(), &most.to_string()])
        .status()?;
    ensure!(made.success(), "the models could not be made (`make bench` installs what makes them)");
    say("\nExact SHAP values: 500 trees, 20 features")?;
    let rows = read_rows(&folder.path().join("rows.csv"))?;
    let mut cases: Vec<Case> = options.explained.iter().map(|rows| (6, *rows)).collect();
    cases.extend(DEPTHS.into_iter().filter(|depth| *depth != 6).map(|depth| (depth, few)));
    for case in cases {
        compare(options, report, folder.path(), &rows, case)?;
    }
    Ok(())
}

/// A model's depth, and how many rows it explains.
type Case = (u32, usize);

fn compare(
    options: &Options,
    report: &mut Report,
    folder: &Path,
    rows: &Rows,
    (depth, count): Case,
) -> Result<()> {
    let rows = Rows::new(rows.iter().take(count).flatten().copied().collect(), rows.width());
    let case = format!("depth {depth}, {count} rows");
    let tell = |peer: &Peer| {
        say(format!("{case:<24}  {:<32}  {:>8.2} s CPU  {:>8.2} s", peer.name, peer.cpu, peer.wall))
    };
    let ours = ours(options, folder, depth, &rows)?;
    tell(&ours)?;
    // What takes minutes is measured once.
    let rounds = if count > 1_000 { 1 } else { options.rounds };
    for peer in ["pred_contribs", "shap"] {
        let arguments = [depth.to_string(), count.to_string(), rounds.to_string()];
        let theirs = theirs(options, folder, peer, &arguments)?;
        tell(&theirs)?;
        let scale = ours.values.iter().fold(1.0_f64, |most, value| most.max(value.abs()));
        let near = ours.values.len() == theirs.values.len()
            && ours.values.iter().zip(&theirs.values).all(|(a, b)| (a - b).abs() <= 1e-5 * scale);
        ensure!(near, "{} finds other values: {case}", theirs.name);
        let least = if depth == 6 { 5.0 } else { 1.0 };
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

fn theirs(options: &Options, folder: &Path, peer: &str, arguments: &[String]) -> Result<Peer> {
    let mut command = python(options);
    command.arg(peer).arg(folder).args(arguments);
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{peer} could not be run:\n{said}");
    serde_json::from_slice(&output.stdout).with_context(|| format!("{peer} printed no JSON"))
}

fn ours(options: &Options, folder: &Path, depth: u32, rows: &Rows) -> Result<Peer> {
    let content = std::fs::read(folder.join(format!("model{depth}.json")))?;
    let (_, Model::Forest(forest)) = ephor_explain::read(&content)? else {
        bail!("the model has no trees");
    };
    let (mut walls, mut cpus, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let (begun, before) = (Instant::now(), processors()?);
        values = shap::path_dependent(&forest, rows, &(), &CancellationToken::new())?.values;
        walls.push(begun.elapsed().as_secs_f64());
        cpus.push(processors()? - before);
    }
    Ok(Peer { name: "Ephor".to_owned(), wall: median(walls), cpu: median(cpus), values })
}

/// Seconds of all processors so far.
fn processors() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(micros as f64 / 1e6)
}

fn read_rows(file: &Path) -> Result<Rows> {
    let text = std::fs::read_to_string(file)?;
    let mut lines = text.lines();
    let width = lines.next().context("no rows")?.split(',').count();
    let values = lines
        .flat_map(|line| line.split(',').map(str::parse::<f64>))
        .collect::<Result<Vec<f64>, _>>()?;
    Ok(Rows::new(values, width))
}
