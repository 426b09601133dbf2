//! One column of both tables: every test that applies, not yet judged.

use super::{
    ColumnDrift, ColumnKind, Counts, Definition, DriftTest, Point,
    bins::{self, Bins},
    categories, chi_square, jensen_shannon, kolmogorov_smirnov, l_infinity, missing_share, numbers,
    psi, registry,
    scan::Tally,
    wasserstein,
};
use crate::result::Interval;

/// Numbers of at most so many different values, in both tables together, are compared as categories. (Evidently's rule.)
pub const FEW_NUMBERS: usize = 5;

const TOO_MANY: &str = "there are too many different values to compare them as categories";
const NO_VALUES: &str = "a table has no values";

/// What is compared of a column.
enum Content {
    Numbers { points: Vec<Point>, cells: Vec<Counts> },
    Categories(Vec<(String, Counts)>),
    TooMany,
}

/// What a test found, before it is judged.
#[derive(Debug, Clone, Default)]
struct Found {
    value: Option<f64>,
    p: Option<f64>,
    interval: Option<Interval>,
    undefined: Option<&'static str>,
}

impl Found {
    fn of(value: Option<f64>) -> Self {
        Self { value, ..Self::default() }
    }
}

/// Compares a column's tallies of the same kind; `rows` are those of each table.
pub(super) fn column(
    name: &str,
    reference: Tally,
    current: Tally,
    rows: [u64; 2],
    confidence: f64,
) -> ColumnDrift {
    let missing = [reference.missing(), current.missing()];
    let values = [reference.values(), current.values()];
    let (content, precision) = content(reference, current);
    let (mut new, mut gone, mut shown) = ((Vec::new(), 0), (Vec::new(), 0), Vec::new());
    let kind = match &content {
        Content::Numbers { points, cells } => {
            shown = Bins::of(points).shown(cells);
            ColumnKind::Number
        }
        Content::Categories(named) => {
            if values[0] > 0 && values[1] > 0 {
                (new, gone) = (categories::only_in(named, 1), categories::only_in(named, 0));
            }
            shown = bins::of_categories(named);
            ColumnKind::Category
        }
        Content::TooMany => ColumnKind::Category,
    };
    let cells = cells(&content);
    let applies = registry::all().iter().filter(|test| test.kinds.contains(&kind));
    let tests = applies
        .map(|test| {
            let found = if test.id == missing_share::DEFINITION.id {
                of_missing(missing, rows, confidence)
            } else if values.contains(&0) {
                Found { undefined: Some(NO_VALUES), ..Found::default() }
            } else {
                found(test, &content, &cells)
            };
            unjudged(test, found)
        })
        .collect();
    let share = |table: usize| {
        if rows[table] == 0 { 0.0 } else { missing[table] as f64 / rows[table] as f64 }
    };
    ColumnDrift {
        name: name.to_owned(),
        kind,
        reference_values: values[0],
        current_values: values[1],
        reference_missing: share(0),
        current_missing: share(1),
        new_values: new.0,
        new_count: new.1,
        gone_values: gone.0,
        gone_count: gone.1,
        precision,
        tests,
        bins: shown,
        status: None,
        sentence: String::new(),
    }
}

/// The values of those of the tests that are defined, of two tallies of one kind: a chunk beside the rest.
pub(super) fn values(
    tests: &[&'static Definition],
    reference: Tally,
    current: Tally,
) -> Vec<(&'static str, f64)> {
    let (content, _) = content(reference, current);
    let cells = cells(&content);
    tests.iter().filter_map(|test| Some((test.id, found(test, &content, &cells).value?))).collect()
}

fn content(reference: Tally, current: Tally) -> (Content, Option<super::NumberPrecision>) {
    match (reference, current) {
        (Tally::Numbers(reference), Tally::Numbers(current)) => {
            let (points, precision) = numbers::pair(reference, current);
            if points.len() <= FEW_NUMBERS {
                let name = |point: &Point| (point.value.to_string(), point.counts);
                return (Content::Categories(points.iter().map(name).collect()), None);
            }
            let cells = Bins::of(&points).count(&points);
            (Content::Numbers { points, cells }, Some(precision))
        }
        (Tally::Categories(reference), Tally::Categories(current)) => {
            let named = categories::pair(reference, current);
            (named.map_or(Content::TooMany, Content::Categories), None)
        }
        // Both are read as one kind.
        _ => (Content::TooMany, None),
    }
}

fn cells(content: &Content) -> Vec<Counts> {
    match content {
        Content::Numbers { cells, .. } => cells.clone(),
        Content::Categories(named) => named.iter().map(|(_, counts)| *counts).collect(),
        Content::TooMany => Vec::new(),
    }
}

fn found(test: &Definition, content: &Content, cells: &[Counts]) -> Found {
    let found = match (test.id, content) {
        (_, Content::TooMany) => return Found { undefined: Some(TOO_MANY), ..Found::default() },
        ("kolmogorov_smirnov", Content::Numbers { points, .. }) => {
            let test = kolmogorov_smirnov::kolmogorov_smirnov(points);
            Found { p: test.map(|test| test.p), ..Found::of(test.map(|test| test.statistic)) }
        }
        ("wasserstein", Content::Numbers { points, .. }) => {
            let reason = "all values of the reference are the same, or too great";
            Found { undefined: Some(reason), ..Found::of(wasserstein::wasserstein(points)) }
        }
        ("chi_square", _) => {
            let test = chi_square::chi_square(cells);
            let reason = "there is only one category";
            Found {
                p: test.map(|test| test.p),
                undefined: Some(reason),
                ..Found::of(test.map(|test| test.statistic))
            }
        }
        ("psi", _) => Found::of(psi::psi(cells)),
        ("jensen_shannon", _) => Found::of(jensen_shannon::jensen_shannon(cells)),
        ("l_infinity", _) => Found::of(l_infinity::l_infinity(cells)),
        _ => Found::default(),
    };
    Found { value: found.value.filter(|value| value.is_finite()), ..found }
}

fn of_missing(missing: [u64; 2], rows: [u64; 2], confidence: f64) -> Found {
    let of = |table: usize| (missing[table], rows[table]);
    match missing_share::missing_share(of(0), of(1), confidence) {
        Some((value, interval)) => Found { interval: Some(interval), ..Found::of(Some(value)) },
        None => Found { undefined: Some("a table has no rows"), ..Found::default() },
    }
}

fn unjudged(test: &Definition, found: Found) -> DriftTest {
    let reason = found.undefined.unwrap_or(NO_VALUES);
    DriftTest {
        id: test.id.to_owned(),
        title: test.title.to_owned(),
        value: found.value,
        p_value: found.p.filter(|_| found.value.is_some()),
        p_adjusted: None,
        interval: found.interval,
        threshold: None,
        threshold_of_chunks: false,
        chosen: false,
        status: None,
        undefined: found.value.is_none().then(|| reason.to_owned()),
        sentence: String::new(),
    }
}
