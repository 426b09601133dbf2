//! Intersections: what holds where groups of several attributes meet.

use ephor_fairness::{AttributeResult, Group};
use indexmap::IndexSet;
use serde::Serialize;

use super::{Axis, Mark, Plot, block, height, interval_name, slug};
use crate::view::format;

/// More cells than this on a side are left to the table.
const MOST: usize = 40;

#[derive(Debug, Serialize)]
struct Heatmap {
    kind: &'static str,
    description: String,
    axis: Axis,
    x: Vec<String>,
    y: Vec<String>,
    cells: Vec<Square>,
    interval: String,
}

#[derive(Debug, Serialize)]
struct Square {
    x: usize,
    y: usize,
    n: u64,
    #[serde(flatten)]
    mark: Mark,
}

/// The selection rate (without predictions: the share of positive labels) of each combination.
/// `None` if no group has one.
pub fn intersections(result: &AttributeResult) -> Option<Plot> {
    let metric = ["selection_rate", "base_rate"]
        .into_iter()
        .find(|id| result.groups.iter().any(|group| defined(group, id)))?;
    let words =
        if metric == "selection_rate" { "Selection rate" } else { "Share of positive labels" };
    // The attribute with fewer values goes across, so that the map is tall rather than wide.
    let last = result.attributes.len().checked_sub(1)?;
    let distinct = |at: usize| {
        result.groups.iter().filter_map(|group| group.values.get(at)).collect::<IndexSet<_>>().len()
    };
    let across = (0..=last).min_by_key(|at| (distinct(*at), usize::MAX - at))?;
    let (mut x, mut y) = (IndexSet::new(), IndexSet::new());
    let mut cells = Vec::new();
    let mut rows = Vec::new();
    for group in &result.groups {
        let column = group.values.get(across).cloned().unwrap_or_default();
        let row = group
            .values
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != across)
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
            .join(" · ");
        let mark = Mark::of(group.metric(metric));
        let (value, range) = mark.words();
        rows.push(vec![group.values.join(" · "), format::count(group.n), value, range]);
        let at = (x.insert_full(column).0, y.insert_full(row).0);
        if at.0 < MOST && at.1 < MOST {
            cells.push(Square { x: at.0, y: at.1, n: group.n, mark });
        }
    }
    let (x, y): (Vec<_>, Vec<_>) =
        (x.into_iter().take(MOST).collect(), y.into_iter().take(MOST).collect());
    let name = result.attributes.join(" and ");
    let interval = interval_name(&result.groups);
    let title = format!("{words} where {name} meet");
    Some(Plot {
        id: format!("plot-intersection-{}", slug(&result.name)),
        reading: "Each cell is one combination of groups; an empty cell has nobody in it. A group can be treated fairly on each attribute and unfairly where they meet.".to_owned(),
        size: height(y.len() + 3),
        json: block(&Heatmap {
            kind: "heatmap",
            description: format!("{title}. The table below the plot holds all values."),
            axis: Axis { label: words.to_owned(), min: None, max: None, percent: true },
            x,
            y,
            cells,
            interval: interval.clone(),
        }),
        heads: vec![result.attributes.join(" · "), "n".to_owned(), words.to_owned(), interval],
        rows,
        title,
    })
}

fn defined(group: &Group, id: &str) -> bool {
    group.metric(id).is_some_and(|metric| metric.value.is_some())
}
