//! Plots of explanations, drawn on the server as SVG: in pages, in reports, and as files of their own.
//!
//! [`drawings`] draws all that a [`Summary`] holds; [`drawing`] one of them, by its name.

mod bars;
mod beeswarm;
mod canvas;
mod curves;
mod dependence;
mod groups;
mod pairs;
mod style;
mod waterfall;

use askama::{Template, filters::HtmlSafe};
use ephor_explain::summary::Summary;

pub use canvas::Drawing;

use crate::view::format;

/// So many features have a row of their own; the others are summed, or said to be there.
const MOST: usize = 20;
/// So many single rows are drawn.
const MOST_ROWS: usize = 10;

/// A drawing with its heading.
#[derive(Debug, Clone, Copy, Template)]
#[template(path = "plot/explained/figure.html")]
pub struct Figure<'a>(pub &'a Drawing);

impl HtmlSafe for Figure<'_> {}

/// All that there is to be drawn of a summary: first what is of all rows, last single rows.
pub fn drawings(summary: &Summary) -> Vec<Drawing> {
    let mut all = Vec::new();
    all.extend(bars::lost(summary));
    all.extend(bars::sizes(summary));
    all.extend(beeswarm::beeswarm(summary));
    all.extend(groups::compared(summary, groups::What::Size));
    all.extend(groups::compared(summary, groups::What::Value));
    all.extend(summary.curves.iter().filter_map(|curve| curves::effect(summary, curve)));
    all.extend(pairs::surface(summary));
    all.extend(pairs::interactions(summary));
    all.extend(summary.dependence.iter().filter_map(|one| dependence::scatter(summary, *one)));
    let single = summary.waterfalls.iter().take(MOST_ROWS);
    all.extend(single.filter_map(|row| waterfall::waterfall(summary, row)));
    let single = summary.near.iter().take(MOST_ROWS);
    all.extend(single.filter_map(|near| bars::weights(summary, near)));
    all
}

/// One of them, by its name: `importance`, `beeswarm`, `dependence-2`, `waterfall-0`; of single rows every one that the
/// summary holds.
pub fn drawing(summary: &Summary, name: &str) -> Option<Drawing> {
    let number = |prefix: &str| name.strip_prefix(prefix)?.parse::<u64>().ok();
    if let Some(row) = number("waterfall-") {
        let row = summary.waterfalls.iter().find(|one| one.row == row)?;
        return waterfall::waterfall(summary, row);
    }
    if let Some(row) = number("near-") {
        return bars::weights(summary, summary.near.iter().find(|one| one.row == row)?);
    }
    drawings(summary).into_iter().find(|drawing| drawing.name == name)
}

/// `and 3 others`; nothing of none.
fn others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "and 1 other".to_owned(),
        many => format!("and {} others", format::count(many as u64)),
    }
}

/// A row, counted from 1 as people do.
fn row_name(row: u64) -> String {
    format!("row {}", format::count(row + 1))
}

/// Of which output, where there are several.
fn of_output(summary: &Summary) -> String {
    match &summary.output_name {
        Some(name) => format!(" of {name}"),
        None if summary.model.outputs > 1 => format!(" of output {}", summary.output),
        None => String::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests;
