//! New York City's Local Law 144 of 2021: the bias audit of an automated employment decision tool.
//!
//! Impact ratio = a category's selection rate / that of the most selected category; or, of a tool that scores, a category's
//! scoring rate / that of the highest scoring category, where the scoring rate is the share of the category above the median
//! of the whole sample. By sex, by race or ethnicity, and by both together. Source: 6 RCNY § 5-300, § 5-301, § 5-303.

use serde::{Deserialize, Serialize};

use super::{
    ReportOptions,
    categories::{
        Table as People, highest, is_below_four_fifths, is_left_out, outcome, people, selection,
        undecided,
    },
};
use crate::{
    AnalysisError, AnalysisSpec, Fault,
    cube::Cube,
    intervals::{Proportion, katz::katz, z},
    result::{Interval, IntervalMethod, PredictionSource},
    significance::Selection,
    tally::{Point, Tally},
};

/// The rule, as it is cited.
pub const RULE: &str = "New York City Local Law 144 of 2021; Rules of the City of New York, title 6, § 5-300 to § 5-304";
/// What must be known to read an impact ratio.
const NO_PASS_LINE: &str = "Local Law 144 sets no pass line: it asks that impact ratios be computed and published. 0.8, where it is shown, is the four-fifths guidance of the EEOC (29 CFR 1607.4 D), and no part of this law.";

/// The figures of a bias audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ll144Report {
    /// The rule.
    pub rule: String,
    /// Rows read: the sample.
    pub rows: u64,
    /// Impact ratios of selection; `None` if the tool only scores.
    pub selection: Option<Part>,
    /// Impact ratios of scoring; `None` without scores.
    pub scoring: Option<Scoring>,
    /// What the reader must know.
    pub notes: Vec<String>,
}

/// Impact ratios of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The column that says who was selected, or scored.
    pub column: String,
    /// People of whom it does not say: they are in no rate.
    pub without: u64,
    /// By each attribute, then by their combinations.
    pub tables: Vec<Table>,
}

/// Impact ratios of scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scoring {
    /// The sample's median score.
    pub median: f64,
    /// Whether it is exact: with very many distinct scores it is known to a bin, and this many people lie in that bin.
    pub in_median_bin: Option<u64>,
    /// The figures.
    #[serde(flatten)]
    pub part: Part,
}

/// The categories of one attribute, or of several together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The attributes.
    pub attributes: Vec<String>,
    /// The category that the others are compared with.
    pub highest: Option<String>,
    /// All categories that are known.
    pub categories: Vec<Category>,
    /// People who are not in the figures because they fall within no known category.
    pub unknown: u64,
}

/// One category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// Its name: its values joined by `|`.
    pub name: String,
    /// Its value of each attribute.
    pub values: Vec<String>,
    /// Applicants.
    pub applicants: u64,
    /// Their share of the sample.
    pub share: f64,
    /// How many were selected, or scored above the median.
    pub selected: u64,
    /// The selection rate, or scoring rate.
    pub rate: Option<f64>,
    /// The rate / the highest category's.
    pub impact_ratio: Option<f64>,
    /// Its interval (Katz).
    pub interval: Option<Interval>,
    /// Below four-fifths: guidance of the EEOC, not of this law.
    pub below_four_fifths: Option<bool>,
    /// Why it is left out of the impact ratios.
    pub excluded: Option<String>,
}

/// Computes the audit's figures.
///
/// With a column of predictions (or neither predictions nor scores: with the labels) the tool selects, with a column of scores
/// it scores. All who are scored count, with a label or without. Attributes are combined to the spec's depth.
///
/// # Errors
/// [`AnalysisError::Invalid`] with every fault of the options, the spec and the data.
pub fn report(
    cube: &Cube,
    spec: &AnalysisSpec,
    options: &ReportOptions,
) -> Result<Ll144Report, AnalysisError> {
    if options.exclude_below.is_some()
        && options.exclude_reason.as_ref().is_none_or(|reason| reason.trim().is_empty())
    {
        let fault = Fault::new(
            "/exclude_reason",
            "required",
            "A category that is left out needs a justification, which the summary publishes.",
        );
        return Err(AnalysisError::Invalid(vec![
            fault.hint("Say why, in a sentence (6 RCNY § 5-301 (d))."),
        ]));
    }
    let people = people(cube, spec, options)?;
    let source = people.prediction;
    let everybody = people.whole.all.n;
    let part = |column: String, without: u64, of: &dyn Fn(&Tally) -> Selection| Part {
        column,
        without,
        tables: people.tables.iter().map(|one| table(one, everybody, spec, options, of)).collect(),
    };
    let selection = (source != PredictionSource::Score).then(|| {
        part(outcome(spec, source), undecided(&people.whole, source), &|tally| {
            selection(tally, source)
        })
    });
    let mut notes = vec![NO_PASS_LINE.to_owned()];
    let scoring = Median::of(&people.whole).map(|median| {
        let scored = scored(&people.whole.points);
        let in_bin = people.whole.points.iter().find(|point| Some(point.rank) == median.rank);
        Scoring {
            median: median.score,
            in_median_bin: in_bin.filter(|_| !people.exact_scores).map(Point::rows),
            part: part(
                spec.score.clone().unwrap_or_default(),
                everybody - scored,
                &|tally: &Tally| median.above(tally),
            ),
        }
    });
    if spec.score.is_some() && scoring.is_none() {
        notes.push("Nobody has a score: there is no scoring rate.".to_owned());
    }
    if let Some(scoring) = scoring.as_ref().filter(|scoring| scoring.part.without > 0) {
        notes.push(format!(
            "{} people have no score: they are in no scoring rate and not in the median.",
            scoring.part.without
        ));
    }
    if let Some(rows) = scoring.as_ref().and_then(|scoring| scoring.in_median_bin) {
        notes.push(format!(
            "There are too many distinct scores to keep each: {rows} people lie in the bin of the median, and are counted as above it or not together."
        ));
    }
    notes.extend(people.skipped);
    Ok(Ll144Report { rule: RULE.to_owned(), rows: cube.rows, selection, scoring, notes })
}

fn table(
    people: &People,
    everybody: u64,
    spec: &AnalysisSpec,
    options: &ReportOptions,
    of: &dyn Fn(&Tally) -> Selection,
) -> Table {
    let selections: Vec<Selection> =
        people.categories.iter().map(|group| of(&group.tally)).collect();
    let is_compared =
        |at: usize| !is_left_out(people.categories[at].tally.all.n, everybody, options);
    let highest = highest(&selections, is_compared);
    let categories = people.categories.iter().zip(&selections).enumerate();
    Table {
        attributes: people.names.clone(),
        highest: highest.map(|at| people.categories[at].name.clone()),
        categories: categories
            .map(|(at, (group, mine))| {
                let best = highest.filter(|_| is_compared(at)).map(|at| selections[at]);
                let impact_ratio = best.and_then(|best| impact_ratio(*mine, best));
                let interval = impact_ratio
                    .filter(|_| Some(at) != highest)
                    .zip(best)
                    .and_then(|(_, best)| ratio_interval(*mine, best, spec.confidence));
                Category {
                    name: group.name.clone(),
                    values: group.values.clone(),
                    applicants: group.tally.all.n,
                    share: group.tally.all.n as f64 / everybody as f64,
                    selected: mine.selected,
                    rate: mine.rate(),
                    impact_ratio,
                    interval,
                    below_four_fifths: impact_ratio
                        .and(best)
                        .map(|best| is_below_four_fifths(*mine, best)),
                    excluded: (!is_compared(at))
                        .then(|| options.exclude_reason.clone().unwrap_or_default()),
                }
            })
            .collect(),
        unknown: people.unknown.all.n,
    }
}

/// A category's rate by the highest one.
pub(super) fn impact_ratio(mine: Selection, highest: Selection) -> Option<f64> {
    let best = highest.rate().filter(|best| *best > 0.0)?;
    Some(mine.rate()? / best)
}

/// Katz's interval of it.
pub(super) fn ratio_interval(
    mine: Selection,
    highest: Selection,
    confidence: f64,
) -> Option<Interval> {
    let proportion = |one: Selection| Some(Proportion { p: one.rate()?, n: one.of as f64 });
    let (lower, upper) = katz(proportion(mine)?, proportion(highest)?, z(confidence));
    let method = IntervalMethod::Katz;
    upper.is_finite().then_some(Interval { lower, upper, confidence, method })
}

fn scored(points: &[Point]) -> u64 {
    points.iter().map(Point::rows).sum()
}

/// Where the sample's median lies.
struct Median {
    score: f64,
    /// The rank of the rows that have it; `None` if it lies between two scores.
    rank: Option<u32>,
    /// The least rank above it. (Of binned scores the ranks are compared: a bin's mean differs from group to group.)
    above: u32,
}

impl Median {
    /// `None` without scores.
    fn of(whole: &Tally) -> Option<Self> {
        let count = scored(&whole.points);
        let at = |place: u64| {
            let mut before = 0;
            whole.points.iter().find(|point| {
                before += point.rows();
                before > place
            })
        };
        let lower = at(count.checked_sub(1)? / 2)?;
        let upper = at(count / 2)?;
        let is_one = lower.rank == upper.rank;
        Some(Self {
            score: f64::midpoint(lower.score, upper.score),
            rank: is_one.then_some(lower.rank),
            above: if is_one { lower.rank + 1 } else { upper.rank },
        })
    }

    /// Those of a tally above it, of all who are scored.
    fn above(&self, tally: &Tally) -> Selection {
        let high =
            tally.points.iter().filter(|point| point.rank >= self.above).map(Point::rows).sum();
        Selection::new(high, scored(&tally.points))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(scores: &[(f64, u64)]) -> Tally {
        let points = scores.iter().zip(1..).map(|((score, n), rank)| Point {
            rank,
            score: *score,
            // Whether they have a label is no matter.
            n: [*n / 2, 0],
            w: [(*n / 2) as f64, 0.0],
            unlabelled: n - *n / 2,
        });
        Tally { points: points.collect(), ..Tally::default() }
    }

    #[test]
    fn only_those_above_the_median_count() {
        let median = |scores: &[(f64, u64)]| {
            let whole = whole(scores);
            Median::of(&whole).map(|median| (median.score, median.above(&whole).selected))
        };
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[(0.3, 1)]), Some((0.3, 0)));
        assert_eq!(median(&[(0.2, 1), (0.4, 1), (0.9, 1)]), Some((0.4, 1)));
        // Four people: the median lies between two scores, and half are above it.
        assert_eq!(median(&[(0.0, 2), (0.5, 2)]), Some((0.25, 2)));
        // Those who have the median itself are not above it.
        assert_eq!(median(&[(0.1, 1), (0.5, 6), (0.9, 2)]), Some((0.5, 2)));
    }
}
