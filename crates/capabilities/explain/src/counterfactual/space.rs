//! What may change, how far it is, and to which values.

use super::Settings;
use crate::{
    Rows,
    statistics::{ascending, deviation, distinct, quantile},
};

/// How a feature may change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rule {
    /// Not at all, or one way only.
    pub direction: Direction,
    /// Not below; the background's least by default.
    pub least: Option<f64>,
    /// Not above; the background's greatest by default.
    pub greatest: Option<f64>,
    /// In steps from 0; 1 by default where the background has only whole numbers.
    pub step: Option<f64>,
    /// Its numbers are categories: one is as far as another, and only those of the background are tried.
    pub categorical: bool,
}

/// Which way a feature may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both.
    #[default]
    Any,
    /// Upwards only.
    Increase,
    /// Downwards only.
    Decrease,
    /// Not at all.
    Immutable,
}

impl Rule {
    /// A feature that does not change.
    pub fn immutable() -> Self {
        Self { direction: Direction::Immutable, ..Self::default() }
    }

    pub(super) fn faults(&self) -> impl Iterator<Item = &'static str> {
        let (least, greatest) =
            (self.least.unwrap_or(f64::NEG_INFINITY), self.greatest.unwrap_or(f64::INFINITY));
        [
            (
                least > greatest || least.is_nan() || greatest.is_nan(),
                "its least value is above its greatest",
            ),
            (
                self.step.is_some_and(|step| !(step > 0.0 && step.is_finite())),
                "its step is a number greater than 0",
            ),
        ]
        .into_iter()
        .filter_map(|(wrong, fault)| wrong.then_some(fault))
    }
}

/// Values of a feature that are tried.
const MOST_TRIED: usize = 24;

/// One feature.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    rule: Rule,
    least: f64,
    greatest: f64,
    step: Option<f64>,
    /// What a change is measured in.
    unit: f64,
    /// Values of the background, in ascending order: at most so many as are tried.
    common: Vec<f64>,
    /// All values at which the model decides, in ascending order.
    decisive: Vec<f64>,
}

/// All features.
pub(super) struct Space(pub Vec<Axis>);

impl Space {
    pub fn new(background: &Rows, settings: &Settings) -> Self {
        let axes = (0..background.width()).map(|feature| {
            let rule = settings.rules.iter().find(|(other, _)| *other == feature);
            let rule = rule.map(|(_, rule)| rule.clone()).unwrap_or_default();
            let decisive = settings.thresholds.get(feature).cloned().unwrap_or_default();
            let values = ascending(background.iter().map(|row| row[feature]));
            Axis::new(rule, &values, ascending(decisive))
        });
        Self(axes.collect())
    }

    /// May anything change?
    pub fn is_fixed(&self) -> bool {
        self.0.iter().all(|axis| axis.rule.direction == Direction::Immutable)
    }

    /// The features that differ.
    pub fn changed(from: &[f64], to: &[f64]) -> Vec<usize> {
        (0..from.len()).filter(|feature| differs(from[*feature], to[*feature])).collect()
    }

    /// The sum of the changes, each in its unit, and one for each.
    pub fn distance(&self, from: &[f64], to: &[f64]) -> f64 {
        let each = Self::changed(from, to).into_iter();
        each.map(|feature| 1.0 + self.0[feature].size(from[feature], to[feature])).sum()
    }
}

impl Axis {
    /// `values` are the background's, in ascending order.
    fn new(rule: Rule, values: &[f64], decisive: Vec<f64>) -> Self {
        let whole = !values.is_empty() && values.iter().all(|value| value.fract() == 0.0);
        let step = rule.step.or(whole.then_some(1.0)).filter(|_| !rule.categorical);
        let middle = quantile(values, 0.5);
        let off = ascending(values.iter().map(|value| (value - middle).abs()));
        // Where most values are the same, the median tells nothing of the others.
        let unit = [quantile(&off, 0.5), deviation(values, 0)];
        let unit = unit.into_iter().find(|unit| *unit > 0.0).unwrap_or(1.0);
        let all = distinct(values.to_vec());
        let common = if all.len() <= MOST_TRIED || rule.categorical {
            all
        } else {
            let share = |place: usize| place as f64 / (MOST_TRIED - 1) as f64;
            distinct((0..MOST_TRIED).map(|place| quantile(values, share(place))).collect())
        };
        let least = rule.least.or(values.first().copied()).unwrap_or(f64::NEG_INFINITY);
        let greatest = rule.greatest.or(values.last().copied()).unwrap_or(f64::INFINITY);
        Self { least, greatest, step, unit, common, decisive: distinct(decisive), rule }
    }

    /// Of a change, in units.
    fn size(&self, from: f64, to: f64) -> f64 {
        if self.rule.categorical || from.is_nan() || to.is_nan() {
            f64::from(differs(from, to))
        } else {
            (to - from).abs() / self.unit
        }
    }

    /// May it change from this to that? A missing value has no direction.
    pub fn allows(&self, from: f64, to: f64) -> bool {
        let way = match self.rule.direction {
            Direction::Any => true,
            Direction::Increase => to > from,
            Direction::Decrease => to < from,
            Direction::Immutable => false,
        };
        way && to >= self.least && to <= self.greatest
    }

    /// Values that are tried instead of `from`, the nearest first.
    pub fn tried(&self, from: f64) -> Vec<f64> {
        if self.rule.direction == Direction::Immutable {
            return Vec::new();
        }
        let near = self.decisive.partition_point(|value| *value < from);
        let window = near.saturating_sub(MOST_TRIED)..(near + MOST_TRIED).min(self.decisive.len());
        let ends = [self.least, self.greatest].into_iter().filter(|end| {
            end.is_finite() && !self.rule.categorical && self.rule != Rule::default()
        });
        let mut all: Vec<f64> = self
            .common
            .iter()
            .chain(if self.rule.categorical { &[] } else { &self.decisive[window] })
            .copied()
            .chain(ends)
            .filter_map(|value| self.stepped(from, value))
            .collect();
        all.sort_by(|a, b| {
            self.size(from, *a).total_cmp(&self.size(from, *b)).then(a.total_cmp(b))
        });
        all.dedup();
        all
    }

    /// The value on a step that is nearest to this and allowed, no nearer to `from` than it is.
    pub fn stepped(&self, from: f64, value: f64) -> Option<f64> {
        let value = match self.step {
            Some(step) if value > from => (value / step).ceil() * step,
            Some(step) if value < from => (value / step).floor() * step,
            _ => value,
        };
        (differs(from, value) && value.is_finite() && self.allows(from, value)).then_some(value)
    }

    /// Between two values halfway, on a step; nothing where there is none between.
    pub fn halfway(&self, near: f64, far: f64) -> Option<f64> {
        if self.rule.categorical || near.is_nan() {
            return None;
        }
        let middle = near + (far - near) / 2.0;
        let middle = match self.step {
            Some(step) if far > near => (middle / step).ceil() * step,
            Some(step) => (middle / step).floor() * step,
            None => middle,
        };
        let between = middle != near && middle != far && (middle > near) == (far > middle);
        // A hundredth of a unit is near enough.
        let far_enough = self.step.is_some() || (far - near).abs() > 0.01 * self.unit;
        (between && far_enough).then_some(middle)
    }
}

/// Are they two values? A missing one is itself.
pub(super) fn differs(a: f64, b: f64) -> bool {
    a != b && !(a.is_nan() && b.is_nan())
}
