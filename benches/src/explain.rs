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
    let rows = options.explained.to_string();
    let made = python(options)
        .arg("make")
        .arg(folder.path())
        .args([depths.as_str(), rows.as_str()])
        .status()?;
    ensure!(made.success(), "the models could not be made (`make bench` installs what makes them)");
    say(format!("\nExact SHAP values: 500 trees, 20 features, {rows} rows"))?;
    let explained = read_rows(&folder.path().join("rows.csv"))?;
    for depth in DEPTHS {
        let ours = ours(options, folder.path(), depth, &explained)?;
        say(format!(
            "depth {depth:<2}  {:<40}  {:>8.2} s CPU  {:>8.2} s",
            ours.name, ours.cpu, ours.wall
        ))?;
        for peer in ["pred_contribs", "shap"] {
            let theirs = theirs(options, folder.path(), peer, depth)?;
            say(format!(
                "depth {depth:<2}  {:<40}  {:>8.2} s CPU  {:>8.2} s",
                theirs.name, theirs.cpu, theirs.wall
            ))?;
            let scale = ours.values.iter().fold(1.0_f64, |most, value| most.max(value.abs()));
            let near = ours.values.len() == theirs.values.len()
                && ours
                    .values
                    .iter()
                    .zip(&theirs.values)
                    .all(|(a, b)| (a - b).abs() <= 1e-5 * scale);
            ensure!(near, "{} finds other values at depth {depth}", theirs.name);
            let least = if depth == 6 { 5.0 } else { 1.0 };
            let work = format!("{peer} beside exact SHAP values, depth {depth}, CPU");
            report.judge(work, theirs.cpu / ours.cpu, "x", Bar::AtLeast(least));
        }
    }
    Ok(())
}

fn python(options: &Options) -> Command {
    let mut command = Command::new(&options.python);
    command.arg(SCRIPT);
    command
}

fn theirs(options: &Options, folder: &Path, peer: &str, depth: u32) -> Result<Peer> {
    let mut command = python(options);
    command.arg(peer).arg(folder).args([depth.to_string(), options.rounds.to_string()]);
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
