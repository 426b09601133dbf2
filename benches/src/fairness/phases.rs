//! Where the time of an analysis goes: its phases, one after the other in a process of their own.

use std::path::{Path, PathBuf};

use anyhow::Result;
use ephor_fairness::{AnalysisSpec, analyze_cube, read_cube};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    pages::read_pages,
    work::{MANY_DRAWS, open, spec, tell},
};
use crate::{
    programs::{answer, itself},
    report::say,
    usage::{Clock, Spent},
};

/// What each phase took.
#[derive(Debug, Serialize, Deserialize)]
pub struct Phases {
    /// The file opened: its footer, and what its columns hold.
    open: Spent,
    /// The cube made, from the first page to the last count.
    cube: Spent,
    /// The pages alone that the cube is made of.
    pages: Spent,
    /// All metrics, disparities and intervals, of a cube that is made.
    statistics: Spent,
    /// The same with many draws of the bootstrap.
    draws: Spent,
}

/// Goes through the phases and prints what each took.
pub async fn measure(file: PathBuf, score: &str) -> Result<()> {
    let asked = spec(score);
    let clock = Clock::start()?;
    let table = open(file.clone(), &asked).await?;
    let opened = clock.read()?;

    let clock = Clock::start()?;
    let cube = read_cube(table.dataframe()?, &asked, &(), &CancellationToken::new()).await?;
    let counted = clock.read()?;

    // They take all threads, as an analysis lets them.
    let thorough = AnalysisSpec { bootstrap_draws: MANY_DRAWS, ..asked.clone() };
    let statistics = move || -> Result<(Spent, Spent)> {
        let clock = Clock::start()?;
        std::hint::black_box(analyze_cube(&cube, &asked)?);
        let usual = clock.read()?;
        let clock = Clock::start()?;
        std::hint::black_box(analyze_cube(&cube, &thorough)?);
        Ok((usual, clock.read()?))
    };
    let (statistics, draws) = tokio::task::spawn_blocking(statistics).await??;

    // Last, so that whatever comes before is as cold as in an analysis.
    let score = score.to_owned();
    let pages = move || -> Result<Spent> {
        let clock = Clock::start()?;
        read_pages(&file, &score)?;
        clock.read()
    };
    let pages = tokio::task::spawn_blocking(pages).await??;
    tell(&Phases { open: opened, cube: counted, pages, statistics, draws })
}

/// Says where the time goes, by the median of so many rounds.
pub fn run(rounds: usize, file: &Path, score: &str) -> Result<()> {
    let all = (0..rounds.max(1))
        .map(|_| answer(itself()?.arg("fairness-phases").arg(file).arg(score)))
        .collect::<Result<Vec<Phases>>>()?;
    let middle =
        |phase: fn(&Phases) -> Spent| Spent::median(&all.iter().map(phase).collect::<Vec<Spent>>());
    let (cube, pages) = (middle(|phases| phases.cube), middle(|phases| phases.pages));
    // The scan does both block by block, on the same threads: what it does with codes is what reading pages leaves.
    let counting =
        Spent { cpu: (cube.cpu - pages.cpu).max(0.0), wall: (cube.wall - pages.wall).max(0.0) };
    say("Where the time goes, phase by phase:")?;
    let rows = [
        ("opening: the footer, the columns' types", middle(|phases| phases.open)),
        ("decode: pages read and decompressed", pages),
        ("codes unpacked, mapped to places and counted", counting),
        ("statistics of the made cube, 1 000 draws", middle(|phases| phases.statistics)),
        ("statistics of the made cube, 10 000 draws", middle(|phases| phases.draws)),
    ];
    for (phase, Spent { cpu, wall }) in rows {
        say(format!("  {phase:<62}  {cpu:>8.3} s CPU  {wall:>8.3} s"))?;
    }
    Ok(())
}
