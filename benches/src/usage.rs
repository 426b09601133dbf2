//! What this program has used so far: time of all processors, time on the wall, memory.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike as _,
};
use serde::{Deserialize, Serialize};

use crate::times::median;

/// What a piece of work took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Spent {
    /// Seconds of all processors.
    pub cpu: f64,
    /// Seconds on the wall.
    pub wall: f64,
}

impl Spent {
    /// The middle of several, of each kind of time by itself.
    pub fn median(all: &[Self]) -> Self {
        Self {
            cpu: median(all.iter().map(|spent| spent.cpu).collect()),
            wall: median(all.iter().map(|spent| spent.wall).collect()),
        }
    }
}

/// Runs from when a piece of work begins.
#[derive(Debug)]
pub struct Clock {
    begun: Instant,
    before: Duration,
}

impl Clock {
    pub fn start() -> Result<Self> {
        Ok(Self { before: processors()?, begun: Instant::now() })
    }

    /// What was spent since it was started.
    pub fn read(&self) -> Result<Spent> {
        let wall = self.begun.elapsed().as_secs_f64();
        let cpu = processors()?.saturating_sub(self.before).as_secs_f64();
        Ok(Spent { cpu, wall })
    }
}

/// User and system time of all threads of this program.
fn processors() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(micros.unsigned_abs()))
}

/// The highest resident memory of this program, in bytes. What Linux tells by `getrusage` is not less than
/// what the program had that started this one.
pub fn peak() -> Result<f64> {
    if !cfg!(target_os = "linux") {
        return Ok(getrusage(UsageWho::RUSAGE_SELF)?.max_rss() as f64);
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024.0)
}
