//! Adverse impact by the Uniform Guidelines on Employee Selection Procedures (29 CFR part 1607), with the tests that courts ask
//! for.
//!
//! Each group's selection rate is compared with that of the group selected most: by the four-fifths rule of thumb (§ 1607.4 D),
//! and by two-sided tests, for the same paragraph says that greater differences may be no adverse impact "where the differences
//! are based on small numbers and are not statistically significant", and smaller ones may be it where they are "significant in
//! both statistical and practical terms".
//!
//! They name no adjustment for many groups. But who is compared with the group that happened to be selected most is compared with
//! one that the data picked: of five groups with one rate, adjusting for four tests would call one significant in 9 of 100 samples
//! at a level of 5. So p is adjusted over all pairs of groups, as everywhere else; where the spec names a reference group, and that
//! is the group selected most, over the tests against it.

use serde::{Deserialize, Serialize};

use super::{
    Family, ReportOptions,
    categories::{
        Table, highest, is_below_four_fifths, is_left_out, outcome, people, selection, undecided,
    },
    ll144::{impact_ratio, ratio_interval},
};
use crate::{
    AnalysisError, AnalysisSpec,
    cube::Cube,
    intervals::{Proportion, newcombe::newcombe, z},
    result::{Interval, IntervalMethod, PredictionSource},
    significance::{
        Selection,
        all_pairs::Adjusted,
        chi_square::{self, ChiSquare},
        deviations::{SUSPECT, shortfall, standard_deviations},
        fisher,
        flip_flop::{FlipFlop, flip_flop},
        power::{Detectable, USUAL_POWER, detectable},
        stratified::{Stratified, Stratum, stratified},
    },
};

/// The rule, as it is cited.
pub const RULE: &str =
    "Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR part 1607, § 1607.4 D";
const SMALL_GROUPS: &str = "Left out: less than the named share of the people of this sample. 29 CFR 1607.15 A (2) speaks of 2 % of the labour force of the area, or of the workforce, which this sample need not resemble.";

/// What the guidelines look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EeocReport {
    /// The rule.
    pub rule: String,
    /// Rows read.
    pub rows: u64,
    /// The column that says who was selected.
    pub column: String,
    /// People of whom it does not say: they are in no rate.
    pub without: u64,
    /// The level of the tests, and one less the confidence of the intervals.
    pub alpha: f64,
    /// The column of strata within which groups are compared too.
    pub strata: Option<String>,
    /// By each attribute, then by their combinations, of which the guidelines do not speak.
    pub sections: Vec<Section>,
    /// What the reader must know.
    pub notes: Vec<String>,
}

/// The groups of one attribute, or of several together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The attributes.
    pub attributes: Vec<String>,
    /// The group with the highest rate, with which the others are compared.
    pub highest: Option<String>,
    /// The tests that each p is adjusted for; `None` in reports of old, where it was the tests against the highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Whether all compared groups could have one rate.
    pub overall: Option<ChiSquare>,
    /// All groups that are known.
    pub groups: Vec<Line>,
    /// People who are in no known group.
    pub unknown: u64,
    /// The gravest indication of any group.
    pub indication: Indication,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its name: its values joined by `|`.
    pub name: String,
    /// Its value of each attribute.
    pub values: Vec<String>,
    /// Its people, those without a decision too.
    pub people: u64,
    /// Those selected, of those decided on.
    #[serde(flatten)]
    pub selection: Selection,
    /// Its selection rate.
    pub rate: Option<f64>,
    /// That, by the highest rate.
    pub impact_ratio: Option<f64>,
    /// Its interval (Katz).
    pub impact_ratio_interval: Option<Interval>,
    /// Below four-fifths.
    pub below_four_fifths: Option<bool>,
    /// Against the group with the highest rate; `None` for that group itself.
    pub comparison: Option<Comparison>,
    /// Why it is not compared.
    pub excluded: Option<String>,
}

/// One group against the one with the highest rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Its rate less the highest.
    pub difference: f64,
    /// Its interval (Newcombe).
    pub difference_interval: Interval,
    /// Fisher's exact p, two-sided.
    pub fisher: f64,
    /// The same, adjusted over the section's [`Family`] of tests (Holm); with more than
    /// [`MAX_GROUPS`](crate::significance::all_pairs::MAX_GROUPS) groups by Bonferroni, which is never less.
    pub fisher_holm: f64,
    /// The same, so that few of what is called significant is chance (Benjamini and Hochberg 1995). Less strict than Holm's, save
    /// with so many groups, where it is the same: for who reads it; no indication rests on it.
    pub fisher_bh: f64,
    /// Fisher's mid-p: less conservative than the exact one (Lancaster 1961). No indication rests on it.
    pub mid_p: f64,
    /// How many standard deviations the rates are apart.
    pub standard_deviations: Option<f64>,
    /// More than two.
    pub beyond_two: bool,
    /// How many more would have to be selected to equal the highest rate.
    pub shortfall: f64,
    /// One more of this group selected, one fewer of the other.
    pub flip_flop: Option<FlipFlop>,
    /// Fisher's p if two more of this group had been selected: does the finding hang on two people? In the spirit of the Uniform
    /// Guidelines, Questions and Answers no. 21, 44 FR 11996 (1979). No indication rests on it.
    pub fisher_two_more: f64,
    /// The smallest disparity that the sample could have shown, at the level that Holm asks of the first of so many tests; `None`
    /// if it could have shown none.
    pub detectable: Option<Detectable>,
    /// Within strata.
    pub stratified: Option<Stratified>,
    /// What rate and tests say together.
    pub indication: Indication,
}

/// What four-fifths and the tests say together, the gravest greatest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indication {
    /// Neither.
    #[default]
    None,
    /// Below four-fifths, but chance could explain it, or it hangs on one person.
    RateOnly,
    /// Statistically significant, but not below four-fifths: practical significance decides.
    SignificanceOnly,
    /// Below four-fifths, and chance does not explain it.
    Both,
}

/// Compares the groups of a cube.
///
/// Selected is who has a positive prediction; with neither predictions nor scores, a positive label. Tests are at one less the
/// spec's confidence; a group is significant by Holm's p.
///
/// # Errors
/// [`AnalysisError::Invalid`] with every fault of the options, the spec and the data.
pub fn report(
    cube: &Cube,
    spec: &AnalysisSpec,
    options: &ReportOptions,
) -> Result<EeocReport, AnalysisError> {
    let people = people(cube, spec, options)?;
    let source = people.prediction;
    let everybody = people.whole.all.n;
    let sections =
        people.tables.iter().map(|one| section(one, everybody, source, spec, options)).collect();
    Ok(EeocReport {
        rule: RULE.to_owned(),
        rows: cube.rows,
        column: outcome(spec, source),
        without: undecided(&people.whole, source),
        alpha: 1.0 - spec.confidence,
        strata: options.strata.clone(),
        sections,
        notes: [
            "Four-fifths is a rule of thumb for enforcement, not a definition of discrimination; a difference that is significant may be justified, and one that is not may be unlawful.",
            "The group selected most is picked by the data. So p is adjusted (Holm) over all pairs of groups, not only over those with that group; only where that group was named beforehand, as the reference group, over the tests against it.",
            "Groups that combine attributes are shown because disparities hide there; the guidelines ask for sex, and race or ethnicity, each by itself.",
        ]
        .map(str::to_owned)
        .into_iter()
        .chain(people.skipped)
        .collect(),
    })
}

fn section(
    table: &Table,
    everybody: u64,
    source: PredictionSource,
    spec: &AnalysisSpec,
    options: &ReportOptions,
) -> Section {
    let selections: Vec<Selection> =
        table.categories.iter().map(|group| selection(&group.tally, source)).collect();
    let is_compared = |at: usize| {
        selections[at].of > 0 && !is_left_out(table.categories[at].tally.all.n, everybody, options)
    };
    let highest = highest(&selections, is_compared);
    let compared: Vec<usize> = (0..selections.len()).filter(|at| is_compared(*at)).collect();
    let is_named = highest.is_some_and(|at| is_reference(table, at, spec));
    let family = Family::new(compared.len(), is_named);
    let level = (1.0 - spec.confidence) / family.tests.max(1) as f64;
    let mut groups: Vec<Line> = table
        .categories
        .iter()
        .enumerate()
        .map(|(at, group)| {
            let best = highest.filter(|_| is_compared(at)).map(|at| selections[at]);
            let other = best.filter(|_| Some(at) != highest);
            let ratio = best.and_then(|best| impact_ratio(selections[at], best));
            let strata: Vec<Stratum> = match highest.filter(|_| !table.strata.is_empty()) {
                // A stratum in which one of both is not tells nothing.
                Some(highest) => {
                    let theirs = &table.strata[highest];
                    let mine = table.strata[at].iter();
                    mine.filter_map(|(at, mine)| Some((*mine, *theirs.get(at)?))).collect()
                }
                None => Vec::new(),
            };
            Line {
                name: group.name.clone(),
                values: group.values.clone(),
                people: group.tally.all.n,
                selection: selections[at],
                rate: selections[at].rate(),
                impact_ratio: ratio,
                impact_ratio_interval: ratio
                    .and(other)
                    .and_then(|other| ratio_interval(selections[at], other, spec.confidence)),
                below_four_fifths: ratio
                    .and(best)
                    .map(|best| is_below_four_fifths(selections[at], best)),
                comparison: other.and_then(|other| {
                    compare(selections[at], other, &strata, spec.confidence, level)
                }),
                excluded: excluded(selections[at], is_compared(at), options),
            }
        })
        .collect();
    let rates: Vec<Selection> = compared.iter().map(|at| selections[*at]).collect();
    let best = compared.iter().position(|at| Some(*at) == highest);
    let adjusted = best.map_or_else(Vec::new, |best| family.adjust(&rates, best));
    conclude(&mut groups, compared.iter().copied().zip(adjusted), 1.0 - spec.confidence);
    Section {
        attributes: table.names.clone(),
        highest: highest.map(|at| table.categories[at].name.clone()),
        family: Some(family),
        overall: chi_square::independence(&rates),
        indication: groups
            .iter()
            .filter_map(|line| Some(line.comparison.as_ref()?.indication))
            .max()
            .unwrap_or_default(),
        groups,
        unknown: table.unknown.all.n,
    }
}

fn excluded(mine: Selection, is_compared: bool, options: &ReportOptions) -> Option<String> {
    if is_compared {
        return None;
    }
    if mine.of == 0 {
        return Some("Nothing was decided on anybody of it.".to_owned());
    }
    Some(options.exclude_reason.clone().unwrap_or_else(|| SMALL_GROUPS.to_owned()))
}

fn compare(
    mine: Selection,
    other: Selection,
    strata: &[Stratum],
    confidence: f64,
    level: f64,
) -> Option<Comparison> {
    let (rate, best) = (mine.rate()?, other.rate()?);
    let proportion = |p: f64, of: u64| Proportion { p, n: of as f64 };
    let (lower, upper) =
        newcombe(proportion(rate, mine.of), proportion(best, other.of), z(confidence));
    let deviations = standard_deviations(mine, other);
    let exact = fisher::exact(mine, other);
    Some(Comparison {
        difference: rate - best,
        difference_interval: Interval {
            lower,
            upper,
            confidence,
            method: IntervalMethod::Newcombe,
        },
        fisher: exact,
        fisher_holm: exact,
        fisher_bh: exact,
        mid_p: fisher::mid_p(mine, other),
        standard_deviations: deviations,
        beyond_two: deviations.is_some_and(|apart| apart.abs() > SUSPECT),
        shortfall: shortfall(mine, other)?,
        flip_flop: flip_flop(mine, other),
        fisher_two_more: fisher::exact(Selection::new(mine.selected + 2, mine.of), other),
        detectable: detectable(mine.of, other, level, USUAL_POWER),
        stratified: stratified(strata, z(confidence)),
        indication: Indication::None,
    })
}

/// Whether this group is the one that the spec names for reference, by each of the attributes.
fn is_reference(table: &Table, at: usize, spec: &AnalysisSpec) -> bool {
    let names = table.names.iter().map(|attribute| spec.reference_groups.get(attribute));
    names.eq(table.categories[at].values.iter().map(Some))
}

/// Takes the adjusted tests of each group, by its place, and says what they mean beside the rates.
fn conclude(groups: &mut [Line], adjusted: impl Iterator<Item = (usize, Adjusted)>, alpha: f64) {
    for (at, found) in adjusted {
        let Some(line) = groups.get_mut(at) else { continue };
        let below = line.below_four_fifths.unwrap_or(false);
        let Some(comparison) = line.comparison.as_mut() else { continue };
        comparison.fisher_holm = found.holm;
        comparison.fisher_bh = found.benjamini_hochberg.unwrap_or(found.holm);
        let hangs_on_one = comparison.flip_flop.is_some_and(|moved| moved.reverses);
        let significant = found.holm <= alpha && !hangs_on_one;
        comparison.indication = match (below, significant) {
            (false, false) => Indication::None,
            (true, false) => Indication::RateOnly,
            (false, true) => Indication::SignificanceOnly,
            (true, true) => Indication::Both,
        };
    }
}
