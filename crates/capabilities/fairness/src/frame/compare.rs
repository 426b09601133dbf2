//! Disparities of any metrics between groups: difference and ratio of the extremes, and against the reference group.

use std::collections::BTreeSet;

use super::{
    Comparison, Grouping, Line,
    evidence::{Contrast, Picked, Sample, Sides},
};
use crate::{
    Disparity, Fault, Interval, IntervalMethod, LeftOut, MetricValue, Reference, WorstPair,
    analysis::{Estimated, Evidence, Sure, judge_value},
    fault::nearest,
    intervals::pairs::{self, Member},
};

/// A metric, as far as comparing needs to know it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quantity<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub range: (f64, f64),
    pub difference_threshold: Option<f64>,
    pub ratio_threshold: Option<f64>,
}

/// A group with its metrics, in the order of the quantities.
pub(crate) struct Measured {
    pub values: Vec<String>,
    pub name: String,
    pub n: u64,
    pub weight: f64,
    pub metrics: Vec<Estimated>,
}

/// A disparity before it is judged.
pub(crate) struct Draft {
    pub id: String,
    pub title: String,
    pub ideal: f64,
    /// Or why there is none.
    pub value: Result<f64, String>,
    pub interval: Option<(f64, f64)>,
    pub method: IntervalMethod,
    /// Its threshold unless the spec sets one.
    pub threshold: Option<f64>,
    pub worst_pair: Option<WorstPair>,
    pub n: u64,
    pub left_out: Vec<LeftOut>,
}

impl Draft {
    /// Judges it.
    pub(crate) fn judged(self, grouping: &Grouping) -> Disparity {
        self.judged_with(grouping, None)
    }

    /// Judges it, and says what tests say.
    pub(crate) fn judged_with(self, grouping: &Grouping, evidence: Option<Evidence>) -> Disparity {
        let evidence =
            evidence.filter(|_| self.value.as_ref().is_ok_and(|value| value.is_finite()));
        let (value, undefined) = match self.value {
            Ok(value) if value.is_finite() => (Some(value), None),
            Ok(_) => (None, Some("the numbers are too great to be compared".to_owned())),
            Err(reason) => (None, Some(reason)),
        };
        let interval = self
            .interval
            .filter(|(lower, upper)| value.is_some() && lower.is_finite() && upper.is_finite())
            .map(|(lower, upper)| Interval {
                lower,
                upper,
                confidence: grouping.confidence,
                method: self.method,
            });
        let threshold = grouping.thresholds.get(&self.id).copied().or(self.threshold);
        let status = value
            .zip(threshold)
            .map(|(value, threshold)| judge_value(self.ideal, value, interval.as_ref(), threshold));
        let sentence = match (value, &self.worst_pair) {
            (None, _) => {
                format!("{} cannot be told: {}.", self.title, undefined.clone().unwrap_or_default())
            }
            (Some(value), Some(pair)) => format!(
                "{} is {value:.4}: {} has {:.4}, {} has {:.4}.",
                self.title, pair.low, pair.low_value, pair.high, pair.high_value
            ),
            (Some(value), None) => format!("{} is {value:.4}.", self.title),
        };
        Disparity {
            id: self.id,
            title: self.title,
            value,
            ideal: self.ideal,
            interval,
            threshold,
            status,
            worst_pair: self.worst_pair.filter(|_| value.is_some()),
            n: self.n,
            undefined,
            left_out: self.left_out,
            sentence,
            p_value: evidence.as_ref().map(|found| found.p),
            p_adjusted: evidence.as_ref().map(|found| found.adjusted),
            detectable: evidence.as_ref().and_then(|found| found.detectable),
            significance: evidence.map(|found| found.significance),
        }
    }
}

/// Which disparities are tested, where rows have no weights: tests count rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tests {
    /// None.
    None,
    /// Those with a threshold.
    Judged,
    /// All.
    All,
}

/// What each metric's disparities are called.
pub(crate) fn names_of<'a>(quantities: impl IntoIterator<Item = Quantity<'a>>) -> BTreeSet<String> {
    const ENDINGS: [&str; 4] =
        ["difference", "ratio", "difference_to_reference", "ratio_to_reference"];
    let name = |quantity: Quantity<'a>| ENDINGS.map(|ending| format!("{}_{ending}", quantity.id));
    quantities.into_iter().flat_map(name).collect()
}

/// A group's line in the report.
pub(crate) fn line(
    group: &Measured,
    quantities: &[Quantity<'_>],
    small: bool,
    confidence: f64,
) -> Line {
    Line {
        name: group.name.clone(),
        values: group.values.clone(),
        n: group.n,
        weight: group.weight,
        small,
        metrics: quantities
            .iter()
            .zip(&group.metrics)
            .map(|(quantity, estimated)| value(quantity, estimated, confidence))
            .collect(),
    }
}

fn value(quantity: &Quantity<'_>, estimated: &Estimated, confidence: f64) -> MetricValue {
    let finite = |interval: &Interval| interval.lower.is_finite() && interval.upper.is_finite();
    let found = estimated.value.filter(|value| value.is_finite());
    let reason = match (found, estimated.undefined) {
        (Some(_), _) => None,
        (None, Some(reason)) => Some(reason),
        (None, None) => Some("the numbers are too great"),
    };
    MetricValue {
        id: quantity.id.to_owned(),
        value: found,
        interval: estimated
            .interval(quantity.range, confidence)
            .filter(|interval| found.is_some() && finite(interval)),
        n: estimated.n,
        undefined: reason.map(str::to_owned),
    }
}

/// The places of the groups that are compared.
pub(crate) fn compared(groups: &[Measured], grouping: &Grouping) -> Vec<usize> {
    (0..groups.len()).filter(|at| groups[*at].n >= grouping.min_group_size.max(1)).collect()
}

/// Compares groups by every metric, in intervals that hold for all pairs at once if `sure` asks for them.
pub(crate) fn compare(
    attributes: Vec<String>,
    groups: &[Measured],
    quantities: &[Quantity<'_>],
    grouping: &Grouping,
    sure: bool,
    faults: &mut Vec<Fault>,
) -> Comparison {
    compare_and_test(attributes, groups, quantities, grouping, sure, Tests::None, faults)
}

/// The same, with tests; of groups that are independent of one another.
pub(crate) fn compare_and_test(
    attributes: Vec<String>,
    groups: &[Measured],
    quantities: &[Quantity<'_>],
    grouping: &Grouping,
    sure: bool,
    tests: Tests,
    faults: &mut Vec<Fault>,
) -> Comparison {
    let tests = if grouping.weight.is_some() { Tests::None } else { tests };
    let places = compared(groups, grouping);
    let (reference, chosen) = reference(&attributes, groups, &places, grouping, faults);
    let reason = (places.len() < 2).then(|| not_comparable(groups.len(), places.len()).to_owned());
    let side = Side { groups, places: &places, reference, grouping, sure, tests };
    let mut comparison = Comparison {
        name: attributes.join("|"),
        attributes,
        comparable: reason.is_none(),
        reason,
        reference: reference.map(|at| Reference { group: groups[at].name.clone(), chosen }),
        groups: groups
            .iter()
            .enumerate()
            .map(|(at, group)| {
                let small = places.binary_search(&at).is_err();
                line(group, quantities, small, grouping.confidence)
            })
            .collect(),
        disparities: Vec::new(),
        status: None,
    };
    for (at, quantity) in quantities.iter().enumerate() {
        for (draft, evidence) in side.drafts(at, quantity) {
            comparison.push(draft.judged_with(grouping, evidence));
        }
    }
    comparison
}

/// Why groups cannot be compared.
pub(crate) fn not_comparable(groups: usize, compared: usize) -> &'static str {
    match (groups, compared) {
        (0, _) => "there are no rows",
        (1, _) => "there is only one group: nothing to compare it with",
        (_, 0) => "all groups are below the least group size",
        _ => "only one group reaches the least group size: nothing to compare it with",
    }
}

/// The group that others are compared with: the spec's, or the heaviest.
fn reference(
    attributes: &[String],
    groups: &[Measured],
    places: &[usize],
    grouping: &Grouping,
    faults: &mut Vec<Fault>,
) -> (Option<usize>, bool) {
    let named: Option<Vec<&String>> =
        attributes.iter().map(|attribute| grouping.reference_groups.get(attribute)).collect();
    let Some(named) = named else {
        let heaviest = places
            .iter()
            .copied()
            .rev()
            .max_by(|left, right| groups[*left].weight.total_cmp(&groups[*right].weight));
        return (heaviest, false);
    };
    let found = groups.iter().position(|group| group.values.iter().eq(named.iter().copied()));
    if found.is_none()
        && let ([attribute], [name]) = (attributes, &named[..])
    {
        let known = groups.iter().map(|group| group.name.as_str());
        let place = format!("/reference_groups/{attribute}");
        let fault =
            Fault::new(place, "unknown_group", format!("`{attribute}` has no group `{name}`."));
        faults.push(match nearest(name, known.clone()) {
            Some(near) => fault.hint(format!("Did you mean `{near}`?")),
            None => fault.hint(format!(
                "Its groups are: {}.",
                known.take(20).collect::<Vec<_>>().join(", ")
            )),
        });
    }
    (found.filter(|at| places.contains(at)), true)
}

/// The groups of one comparison.
struct Side<'a> {
    groups: &'a [Measured],
    places: &'a [usize],
    reference: Option<usize>,
    grouping: &'a Grouping,
    sure: bool,
    tests: Tests,
}

/// A group's value of the metric at hand.
#[derive(Clone, Copy)]
struct Known<'a> {
    name: &'a str,
    value: f64,
    member: Option<Member>,
    /// For tests, if there are to be any.
    sample: Option<Sample>,
}

impl Side<'_> {
    fn drafts(&self, metric: usize, quantity: &Quantity<'_>) -> Vec<(Draft, Option<Evidence>)> {
        let known: Vec<Known<'_>> =
            self.places.iter().filter_map(|at| self.known(*at, metric)).collect();
        let left_out: Vec<LeftOut> = self
            .places
            .iter()
            .filter_map(|at| {
                let group = &self.groups[*at];
                let reason = group.metrics.get(metric)?.undefined?;
                let reason = format!("{}: {reason}", quantity.title);
                Some(LeftOut { name: group.name.clone(), reason })
            })
            .collect();
        let n = self.places.iter().map(|at| self.groups[*at].n).sum();
        let make = |ending: &str, words: &str, is_ratio: bool, found: Found| {
            let least = quantity.range.0;
            let tested = found.picked.zip(found.pair.as_ref()).map(|(picked, (_, (_, high)))| {
                picked.evidence(Sides { high: *high, least, is_ratio }, self.confidence())
            });
            let draft = Draft {
            id: format!("{}_{ending}", quantity.id),
            title: format!("{} {words}", quantity.title),
            ideal: if is_ratio { 1.0 } else { 0.0 },
            value: found.value,
            interval: found.interval,
            method: IntervalMethod::SimultaneousPairs,
            threshold: match ending {
                "difference" => quantity.difference_threshold,
                "ratio" => quantity.ratio_threshold,
                _ => None,
            },
            worst_pair: found.pair.map(|(low, high)| WorstPair {
                low: low.0,
                low_value: low.1,
                high: high.0,
                high_value: high.1,
                metric: quantity.id.to_owned(),
            }),
            n,
            left_out: left_out
                .iter()
                .cloned()
                .chain(found.unsure.into_iter().map(|name| LeftOut {
                    name,
                    reason: format!(
                        "{}: too few rows to tell how sure it is, so that only the value counts it, and the interval's far end is open",
                        quantity.title
                    ),
                }))
                .collect(),
        };
            let is_asked = self.tests == Tests::All
                || draft.threshold.is_some()
                || self.grouping.thresholds.contains_key(&draft.id);
            (draft, tested.filter(|_| is_asked))
        };
        let reference = self.reference.and_then(|at| self.known(at, metric));
        let others = |reference: Known<'_>| {
            known.iter().copied().filter(|one| one.name != reference.name).collect::<Vec<_>>()
        };
        let against = reference.map(|one| (one, others(one)));
        vec![
            make("difference", "difference", false, self.extremes(quantity, &known, false)),
            make("ratio", "ratio", true, self.extremes(quantity, &known, true)),
            make(
                "difference_to_reference",
                "greatest difference to the reference group",
                false,
                self.against(quantity, against.as_ref(), false),
            ),
            make(
                "ratio_to_reference",
                "least ratio to the reference group",
                true,
                self.against(quantity, against.as_ref(), true),
            ),
        ]
    }

    fn known(&self, at: usize, metric: usize) -> Option<Known<'_>> {
        let group = &self.groups[at];
        let estimated = group.metrics.get(metric)?;
        let value = estimated.value.filter(|value| value.is_finite())?;
        let member = estimated.member().filter(|member| match member {
            Member::Rate(_) => true,
            Member::Value { variance, .. } | Member::Biased { variance, .. } => {
                variance.is_finite()
            }
        });
        let sample = Some(estimated).filter(|_| self.tests != Tests::None).and_then(Sample::of);
        Some(Known { name: &group.name, value, member, sample })
    }

    /// Whether a disparity of this metric is to be tested.
    fn is_tested(&self, quantity: &Quantity<'_>) -> bool {
        let is_judged = || {
            quantity.difference_threshold.or(quantity.ratio_threshold).is_some()
                || names_of([*quantity]).iter().any(|id| self.grouping.thresholds.contains_key(id))
        };
        match self.tests {
            Tests::None => false,
            Tests::Judged => is_judged(),
            Tests::All => true,
        }
    }

    fn extremes(&self, quantity: &Quantity<'_>, known: &[Known<'_>], is_ratio: bool) -> Found {
        let (Some(low), Some(high), true) = (
            known.iter().min_by(|left, right| left.value.total_cmp(&right.value)),
            known.iter().rev().max_by(|left, right| left.value.total_cmp(&right.value)),
            known.len() >= 2,
        ) else {
            return Found::none(self.too_few(quantity));
        };
        let value =
            if is_ratio { ratio(low.value, high.value) } else { Ok(high.value - low.value) };
        let family: Vec<Member> = known.iter().filter_map(|one| one.member).collect();
        let is_whole = family.len() == known.len();
        let interval = self
            .sure
            .then(|| bounds(&[family], self.confidence(), is_ratio))
            .flatten()
            .map(|interval| opened(quantity, interval, &value, is_ratio, is_whole));
        let unsure = unsure(known, interval.is_some());
        let place = |wanted: &Known<'_>| known.iter().position(|one| std::ptr::eq(one, wanted));
        let picked = place(low).zip(place(high)).filter(|_| self.is_tested(quantity));
        let picked = picked.and_then(|(low, high)| {
            let samples = known.iter().map(|one| one.sample).collect();
            Picked::of_pairs(&[samples], (0, low, high))
        });
        Found { value, interval, pair: Some((low.pair(), high.pair())), unsure, picked }
    }

    fn against(
        &self,
        quantity: &Quantity<'_>,
        against: Option<&(Known<'_>, Vec<Known<'_>>)>,
        is_ratio: bool,
    ) -> Found {
        let Some((reference, others)) = against else {
            return Found::none(self.no_reference(quantity));
        };
        let gap = |one: &Known<'_>| {
            let (low, high) = sorted(one.value, reference.value);
            match is_ratio {
                false => high - low,
                // A negative value leaves no ratio at all; two of 0 are equal.
                true if low < 0.0 => f64::INFINITY,
                true if high <= 0.0 => 0.0,
                true => 1.0 - low / high,
            }
        };
        let Some((place, worst)) = others
            .iter()
            .enumerate()
            .max_by(|(_, left), (_, right)| gap(left).total_cmp(&gap(right)))
        else {
            return Found::none(self.too_few(quantity));
        };
        let (low, high) = sorted(worst.value, reference.value);
        let value = if is_ratio { ratio(low, high) } else { Ok(high - low) };
        let pair = |one: &Known<'_>| Some(vec![one.member?, reference.member?]);
        let families: Vec<Vec<Member>> = others.iter().filter_map(pair).collect();
        let is_whole = families.len() == others.len();
        let interval = self
            .sure
            .then(|| bounds(&families, self.confidence(), is_ratio))
            .flatten()
            .map(|interval| opened(quantity, interval, &value, is_ratio, is_whole));
        let unsure = unsure(others, interval.is_some());
        let both = if worst.value <= reference.value {
            (worst.pair(), reference.pair())
        } else {
            (reference.pair(), worst.pair())
        };
        let picked = self.is_tested(quantity).then(|| picked(others, place, reference)).flatten();
        Found { value, interval, pair: Some(both), unsure, picked }
    }

    fn no_reference(&self, quantity: &Quantity<'_>) -> String {
        if self.places.len() < 2 {
            return not_comparable(self.groups.len(), self.places.len()).to_owned();
        }
        match self.reference {
            Some(_) => format!("{} of the reference group is undefined", quantity.title),
            None => "the reference group is not there, or below the least group size".to_owned(),
        }
    }

    fn too_few(&self, quantity: &Quantity<'_>) -> String {
        if self.places.len() < 2 {
            return not_comparable(self.groups.len(), self.places.len()).to_owned();
        }
        format!("{} is defined in fewer than two groups", quantity.title)
    }

    const fn confidence(&self) -> f64 {
        self.grouping.confidence
    }
}

type Named = (String, f64);

impl Known<'_> {
    fn pair(&self) -> Named {
        (self.name.to_owned(), self.value)
    }
}

/// What a comparison gave.
struct Found {
    value: Result<f64, String>,
    interval: Option<(f64, f64)>,
    pair: Option<(Named, Named)>,
    /// The groups that the interval does not hold.
    unsure: Vec<String>,
    /// The two groups tested.
    picked: Option<Picked>,
}

impl Found {
    const fn none(reason: String) -> Self {
        Self { value: Err(reason), interval: None, pair: None, unsure: Vec::new(), picked: None }
    }
}

/// The group at `place` against the reference, of all others against it.
fn picked(others: &[Known<'_>], place: usize, reference: &Known<'_>) -> Option<Picked> {
    let contrast = |one: &Known<'_>| Contrast::of(one.sample, reference.sample);
    let before = others[..place].iter().filter_map(contrast).count();
    contrast(&others[place])?;
    let all: Vec<Contrast> = others.iter().filter_map(contrast).collect();
    Picked::among(&all, before)
}

/// The groups whose certainty is not known, if there is an interval without them.
fn unsure(known: &[Known<'_>], there: bool) -> Vec<String> {
    let unsure = known.iter().filter(|one| there && one.member.is_none());
    unsure.map(|one| one.name.to_owned()).collect()
}

/// With a group that may be anywhere, the interval ends where the disparity's range does; where that has no end, not before
/// the value.
fn opened(
    quantity: &Quantity<'_>,
    (lower, upper): (f64, f64),
    value: &Result<f64, String>,
    is_ratio: bool,
    is_whole: bool,
) -> (f64, f64) {
    if is_whole {
        return (lower, upper);
    }
    if is_ratio {
        return (0.0, upper);
    }
    let (least, greatest) = quantity.range;
    let widest = greatest - least;
    let value = value.as_ref().map_or(upper, |value| *value);
    (lower, if widest < f64::MAX { widest } else { upper.max(value) })
}

fn sorted(one: f64, other: f64) -> (f64, f64) {
    if one <= other { (one, other) } else { (other, one) }
}

fn ratio(low: f64, high: f64) -> Result<f64, String> {
    if low < 0.0 || high <= 0.0 {
        return Err("the greatest value is 0, or one is negative: there is no ratio".to_owned());
    }
    Ok(low / high)
}

fn bounds(families: &[Vec<Member>], confidence: f64, is_ratio: bool) -> Option<(f64, f64)> {
    if is_ratio {
        pairs::least_ratio(families, confidence)
    } else {
        pairs::greatest_difference(families, confidence)
    }
}

/// A value with the variance of its estimate, as an estimate of so many rows; no interval if the variance is not known.
pub(crate) fn estimated(value: Result<(f64, Option<f64>), &'static str>, n: u64) -> Estimated {
    match value {
        Ok((value, variance)) => Estimated {
            value: Some(value),
            undefined: None,
            n,
            sure: variance
                .filter(|variance| variance.is_finite() && *variance >= 0.0)
                .map_or(Sure::Unknown, |variance| Sure::Variance(variance, IntervalMethod::Normal)),
        },
        Err(reason) => Estimated { value: None, undefined: Some(reason), n, sure: Sure::Unknown },
    }
}
