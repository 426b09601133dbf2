//! What was found, as it is found, and the table of all bars at the end.

use std::io::Write as _;

use anyhow::Result;

/// A bar: what a figure must not exceed, or not fall short of.
#[derive(Debug, Clone, Copy)]
pub enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

impl Bar {
    fn met(self, figure: f64) -> bool {
        match self {
            Self::AtMost(bar) => figure <= bar,
            Self::AtLeast(bar) => figure >= bar,
        }
    }

    fn sign(self) -> (char, f64) {
        match self {
            Self::AtMost(bar) => ('≤', bar),
            Self::AtLeast(bar) => ('≥', bar),
        }
    }
}

#[derive(Debug)]
struct Line {
    work: String,
    figure: f64,
    unit: &'static str,
    bar: Bar,
}

/// A line of the run's own account.
pub fn say(line: impl AsRef<str>) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{}", line.as_ref())?)
}

/// All figures that have a bar.
#[derive(Debug, Default)]
pub struct Report(Vec<Line>);

impl Report {
    /// A figure to be judged.
    pub fn judge(&mut self, work: impl Into<String>, figure: f64, unit: &'static str, bar: Bar) {
        self.0.push(Line { work: work.into(), figure, unit, bar });
    }

    /// How many bars were missed.
    pub fn missed(&self) -> usize {
        self.0.iter().filter(|line| !line.bar.met(line.figure)).count()
    }

    /// The table of all bars.
    pub fn table(&self) -> Result<()> {
        let width = self.0.iter().map(|line| line.work.chars().count()).max().unwrap_or(0);
        say(format!("\n{:<width$}  {:>12}  {:>12}", "work", "measured", "bar"))?;
        for Line { work, figure, unit, bar } in &self.0 {
            let (sign, limit) = bar.sign();
            let verdict = if bar.met(*figure) { "met" } else { "MISSED" };
            let measured = format!("{} {unit}", rounded(*figure));
            let limit = format!("{sign} {limit} {unit}");
            say(format!("{work:<width$}  {measured:>12}  {limit:>12}  {verdict}"))?;
        }
        Ok(())
    }
}

/// Three figures are enough.
fn rounded(figure: f64) -> String {
    match figure.abs() {
        large if large >= 100.0 => format!("{figure:.0}"),
        middle if middle >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}
