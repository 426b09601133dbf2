//! Thresholds by group, and the frontier between accuracy and fairness.

use serde::{Deserialize, Serialize};

use super::{
    Constraint, MitigationSpec, Objective, Subject,
    curve::{Curve, Gain, Outcome},
    measures::{Measures, accuracy, balanced},
    odds, parity,
    rule::ScoreRule,
};

/// So many tolerances make the frontier, beside none at all.
const FRONTIER: u32 = 10;

/// What a tolerance would buy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontierPoint {
    /// How far from equal is accepted.
    pub tolerance: f64,
    /// The disparity of the constraint, then.
    pub disparity: Option<f64>,
    /// Accuracy, then.
    pub accuracy: Option<f64>,
    /// Balanced accuracy, then.
    pub balanced_accuracy: Option<f64>,
    /// Each group's rule, in the order of the artefact's groups.
    pub rules: Vec<ScoreRule>,
}

/// The thresholds of some groups.
pub(super) struct Fitted {
    pub rules: Vec<ScoreRule>,
    pub fallback: ScoreRule,
    pub frontier: Vec<FrontierPoint>,
}

/// Finds the thresholds of all subjects that are compared, and what other tolerances would give.
pub(super) fn fit(spec: &MitigationSpec, subjects: &[Subject], whole: &Curve) -> Fitted {
    let start = Start::new(spec, subjects, whole);
    let solver = start.solver(spec);
    let widest = solver.disparity(&start.free).unwrap_or(0.0);
    let frontier = (0..=FRONTIER)
        .map(|step| {
            let tolerance = widest * f64::from(step) / f64::from(FRONTIER);
            let rules = solver.solve(tolerance);
            let everybody = everybody(subjects, &rules, &start.fallback);
            FrontierPoint {
                tolerance,
                disparity: solver.disparity(&rules),
                accuracy: accuracy(&everybody),
                balanced_accuracy: balanced(&everybody),
                rules,
            }
        })
        .collect();
    let rules = solver.solve(spec.accepted());
    Fitted { rules, fallback: start.fallback, frontier }
}

/// The same without the frontier: the rules of those who are compared, and that of everybody else.
pub(super) fn rules(
    spec: &MitigationSpec,
    subjects: &[Subject],
    whole: &Curve,
) -> (Vec<ScoreRule>, ScoreRule) {
    let start = Start::new(spec, subjects, whole);
    let rules = start.solver(spec).solve(spec.accepted());
    (rules, start.fallback)
}

/// Where the search begins.
struct Start<'s> {
    /// Of those who are compared.
    curves: Vec<&'s Curve>,
    gain: Gain,
    /// The best rules if nothing needs to be equal.
    free: Vec<ScoreRule>,
    /// Everybody else's rule.
    fallback: ScoreRule,
}

impl<'s> Start<'s> {
    fn new(spec: &MitigationSpec, subjects: &'s [Subject], whole: &Curve) -> Self {
        let compared = subjects.iter().filter(|subject| subject.is_compared);
        let curves: Vec<&Curve> = compared.map(|subject| &subject.curve).collect();
        let fallback = best(whole, gain(spec.objective, std::slice::from_ref(&whole)));
        let gain = gain(spec.objective, &curves);
        let free: Vec<ScoreRule> = curves.iter().map(|curve| best(curve, gain)).collect();
        Self { curves, gain, free, fallback }
    }

    fn solver<'a>(&'a self, spec: &'a MitigationSpec) -> Solver<'a> {
        Solver { spec, curves: &self.curves, gain: self.gain, free: &self.free }
    }
}

fn gain(objective: Objective, curves: &[&Curve]) -> Gain {
    let everybody = curves.iter().map(|curve| Outcome {
        positives: curve.positives,
        negatives: curve.negatives,
        ..Outcome::default()
    });
    Gain::new(objective, everybody.sum())
}

/// The best single threshold; of several, the one that selects fewest.
fn best(curve: &Curve, gain: Gain) -> ScoreRule {
    let mut best = &curve.cuts[0];
    for cut in &curve.cuts {
        if gain.of(&curve.outcome(cut)) > gain.of(&curve.outcome(best)) {
            best = cut;
        }
    }
    curve.rule(best)
}

/// What everybody gets: those who are compared by their rules, others by the fallback.
fn everybody(subjects: &[Subject], rules: &[ScoreRule], fallback: &ScoreRule) -> Outcome {
    let mut rules = rules.iter();
    let rule_of = |subject: &Subject| {
        let own = if subject.is_compared { rules.next() } else { None };
        subject.curve.apply(own.unwrap_or(fallback))
    };
    subjects.iter().map(rule_of).sum()
}

struct Solver<'s> {
    spec: &'s MitigationSpec,
    curves: &'s [&'s Curve],
    gain: Gain,
    /// The best rules if nothing needs to be equal.
    free: &'s [ScoreRule],
}

impl Solver<'_> {
    fn solve(&self, tolerance: f64) -> Vec<ScoreRule> {
        let Self { spec, curves, gain, free } = self;
        if spec.constraint == Constraint::EqualizedOdds {
            let widest = self.disparity(free).unwrap_or(0.0);
            let equal = odds::equal(curves, *gain);
            // Both rates of a mixture lie between those of its parts, in proportion.
            let share = if widest > tolerance { 1.0 - tolerance / widest } else { 0.0 };
            let mixed = equal.iter().zip(*free);
            mixed
                .map(|(equal, free)| ScoreRule::mixed(&[(share, equal), (1.0 - share, free)]))
                .collect()
        } else if spec.randomized {
            parity::drawn(curves, spec.constraint, *gain, tolerance)
        } else {
            parity::single(curves, spec.constraint, *gain, tolerance)
        }
    }

    fn disparity(&self, rules: &[ScoreRule]) -> Option<f64> {
        let outcomes: Vec<(&[String], bool, Outcome)> = self
            .curves
            .iter()
            .zip(rules)
            .map(|(curve, rule)| (&[][..], true, curve.apply(rule)))
            .collect();
        Measures::of_decisions(&outcomes).disparity(self.spec.constraint)
    }
}
