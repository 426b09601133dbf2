//! What tests say of a disparity of any metric: could chance have made it, and what could so many rows have shown at all?

use crate::{
    IntervalMethod, Significance,
    analysis::{Estimated, Evidence, Sure, counted},
    significance::{
        Selection,
        all_pairs::{self, Adjusted, MAX_GROUPS, Test, adjusted, alone},
        aucs::{Auc, Aucs},
        power::{USUAL_POWER, detectable},
        student::{Apart, Mean},
    },
};

/// With more tests than this, in all families together, not every pair is tested either: a hundred classes of sixty groups have
/// more than 350 000 pairs.
pub(crate) const MAX_TESTS: u64 = 50_000;

/// What is known of a metric in one group, of rows without weights.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sample {
    /// Rows that have something, of how many.
    Counted(Selection),
    /// A value, and how sure it is.
    Mean(Mean),
    /// An AUC.
    Auc(Auc),
}

impl Sample {
    /// `None` of what has no variance of its own, or one that no test of two groups may take.
    pub(crate) fn of(estimated: &Estimated) -> Option<Self> {
        let value = estimated.value.filter(|value| value.is_finite())?;
        match estimated.sure {
            Sure::Rate(rate) => Some(counted(rate)).filter(|rows| rows.of > 0).map(Self::Counted),
            Sure::Variance(variance, IntervalMethod::Normal) if variance.is_finite() => {
                Some(Self::Mean(Mean { value, variance, rows: estimated.n }))
            }
            Sure::Variance(variance, IntervalMethod::DeLong) if variance.is_finite() => {
                // Who has the rows says how well it is known.
                Some(Self::Auc(Auc { value, variance, degrees: f64::INFINITY }))
            }
            Sure::Unknown | Sure::Variance(..) | Sure::Biased { .. } | Sure::Drawn(_) => None,
        }
    }
}

/// Two groups that are tested against each other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Contrast {
    /// Rows that have something, of how many; the lower rate first.
    Counts(Selection, Selection),
    /// How far two values are apart, and the name of the test.
    Values(Apart, Test),
    /// Two AUCs.
    Aucs(Aucs),
}

impl Contrast {
    /// `None` of what cannot be tested: one group has no sample, or nothing varies.
    pub(crate) fn of(one: Option<Sample>, other: Option<Sample>) -> Option<Self> {
        match (one?, other?) {
            (Sample::Counted(one), Sample::Counted(other)) if one.rate() <= other.rate() => {
                Some(Self::Counts(one, other))
            }
            (Sample::Counted(one), Sample::Counted(other)) => Some(Self::Counts(other, one)),
            (Sample::Mean(one), Sample::Mean(other)) => {
                Some(Self::Values(Apart::of(one, other)?, Test::Welch))
            }
            (Sample::Auc(one), Sample::Auc(other)) => Some(Self::Aucs(Aucs::of(one, other)?)),
            // One metric is of one kind.
            (Sample::Counted(_) | Sample::Mean(_) | Sample::Auc(_), _) => None,
        }
    }

    fn test(self) -> (f64, Test) {
        match self {
            Self::Counts(low, high) => all_pairs::test(low, high),
            Self::Values(apart, test) => (apart.p(), test),
            Self::Aucs(aucs) => (aucs.p(), Test::DeLong),
        }
    }

    /// The disparity nearest to ideal that would have been found at this level, the greater value taken as it is.
    fn detectable(self, sides: Sides, level: f64) -> Option<f64> {
        let apart = match self {
            Self::Counts(low, high) => detectable(low.of, high, level, USUAL_POWER)?.difference,
            Self::Values(apart, _) => apart.detectable(level, USUAL_POWER),
            Self::Aucs(aucs) => sides.high - aucs.detectable(sides.high, level, USUAL_POWER),
        };
        let low = sides.high - apart;
        let shown = match sides.is_ratio {
            // No value of the metric is so low.
            _ if low < sides.least => return None,
            false => apart,
            true if low >= 0.0 && sides.high > 0.0 => low / sides.high,
            true => return None,
        };
        Some(shown).filter(|shown| shown.is_finite())
    }
}

/// Where a disparity lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sides {
    /// The greater of the two values.
    pub high: f64,
    /// The least that the metric can be.
    pub least: f64,
    /// Their ratio is asked for, not their difference.
    pub is_ratio: bool,
}

/// The two groups that make a disparity, tested and adjusted for all that they were picked from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Picked {
    contrast: Contrast,
    adjusted: Adjusted,
    tests: u64,
}

impl Picked {
    /// The contrast at `at`, of all of these.
    pub(crate) fn among(all: &[Contrast], at: usize) -> Option<Self> {
        let p: Vec<f64> = all.iter().map(|one| one.test().0).collect();
        let (contrast, tests) = (*all.get(at)?, all.len() as u64);
        Some(Self { contrast, adjusted: adjusted(&p, at)?, tests })
    }

    /// This contrast, of so many that not all are tested.
    pub(crate) fn alone(contrast: Contrast, tests: u64) -> Self {
        Self { contrast, adjusted: alone(contrast.test().0, tests), tests }
    }

    /// The groups at `low` and `high` of one family, of all pairs of all families. `None` if these two cannot be tested.
    pub(crate) fn of_pairs(
        families: &[Vec<Option<Sample>>],
        chosen: (usize, usize, usize),
    ) -> Option<Self> {
        Self::of_families(families, chosen, &|| false)
    }

    /// The same, which asks before each family whether to give up; `None` then, too.
    pub(crate) fn of_families(
        families: &[Vec<Option<Sample>>],
        (family, low, high): (usize, usize, usize),
        is_stopped: &dyn Fn() -> bool,
    ) -> Option<Self> {
        let sample = |at: usize| families.get(family)?.get(at).copied().flatten();
        let contrast = Contrast::of(sample(low), sample(high))?;
        let known = |family: &Vec<Option<Sample>>| family.iter().flatten().count();
        let pairs = |groups: u64| groups * groups.saturating_sub(1) / 2;
        let tests: u64 = families.iter().map(|family| pairs(known(family) as u64)).sum();
        if tests == 0 {
            return None;
        }
        if low == high {
            // All groups have one value.
            let adjusted = Adjusted { holm: 1.0, benjamini_hochberg: Some(1.0) };
            return Some(Self { contrast, adjusted, tests });
        }
        if tests > MAX_TESTS || families.iter().any(|family| known(family) > MAX_GROUPS) {
            return Some(Self::alone(contrast, tests));
        }
        let (mut all, mut chosen) = (Vec::new(), None);
        for (at, samples) in families.iter().enumerate() {
            if is_stopped() {
                return None;
            }
            for (one, left) in samples.iter().enumerate() {
                for (other, right) in samples.iter().enumerate().skip(one + 1) {
                    let Some(contrast) = Contrast::of(*left, *right) else { continue };
                    if (at, one, other) == (family, low.min(high), low.max(high)) {
                        chosen = Some(all.len());
                    }
                    all.push(contrast);
                }
            }
        }
        Self::among(&all, chosen?)
    }

    /// What that says of a disparity.
    pub(crate) fn evidence(&self, sides: Sides, confidence: f64) -> Evidence {
        let (p, test) = self.contrast.test();
        let level = (1.0 - confidence) / self.tests.max(1) as f64;
        Evidence {
            p,
            adjusted: self.adjusted.holm,
            detectable: self.contrast.detectable(sides, level),
            significance: Significance {
                test,
                tests: self.tests,
                p_benjamini_hochberg: self.adjusted.benjamini_hochberg,
                standard_deviations: None,
                flip_flop: None,
            },
        }
    }
}

/// What a result says of a disparity that is picked from more pairs of groups than are tested; nothing of another.
pub(crate) fn untested(attribute: &str, disparity: &str, evidence: &Evidence) -> Option<String> {
    let found = &evidence.significance;
    (found.tests > MAX_TESTS && found.p_benjamini_hochberg.is_none()).then(|| {
        format!(
            "{attribute}: {disparity} is picked from {} pairs of groups, of which no more than {MAX_TESTS} are tested: only the two furthest apart are, and their p is adjusted for all of them (Bonferroni).",
            found.tests
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[allow(clippy::unnecessary_wraps, reason = "a group without a value is None among these")]
    fn mean(value: f64, variance: f64) -> Option<Sample> {
        Some(Sample::Mean(Mean { value, variance, rows: 100 }))
    }

    #[test]
    fn the_pair_is_adjusted_for_all_pairs_of_all_families() {
        let near = vec![mean(1.0, 0.01), mean(1.1, 0.01), mean(0.9, 0.01)];
        let far = vec![mean(1.0, 0.01), None, mean(2.0, 0.01), mean(1.1, 0.01)];
        let found = Picked::of_pairs(&[near.clone(), far], (1, 0, 2)).unwrap();
        let sides = Sides { high: 2.0, least: 0.0, is_ratio: false };
        let evidence = found.evidence(sides, 0.95);
        assert_eq!((evidence.significance.tests, evidence.significance.test), (6, Test::Welch));
        assert!(evidence.p < 1e-9 && (evidence.adjusted / evidence.p - 6.0).abs() < 1e-9);
        // 0.14 standard errors by (2.67 + 0.84).
        let shown = evidence.detectable.unwrap();
        assert!((0.45..0.55).contains(&shown), "{shown}");
        let ratio = found.evidence(Sides { is_ratio: true, ..sides }, 0.95).detectable.unwrap();
        assert!((ratio - (2.0 - shown) / 2.0).abs() < 1e-12);
        // No value is so low.
        assert_eq!(found.evidence(Sides { high: 0.4, ..sides }, 0.95).detectable, None);
        // One group against itself: all are equal.
        let equal = Picked::of_pairs(&[near], (0, 1, 1)).unwrap().evidence(sides, 0.95);
        assert_eq!((equal.p, equal.adjusted), (1.0, 1.0));
        assert!(Picked::of_pairs(&[vec![None, mean(1.0, 0.1)]], (0, 0, 1)).is_none());
        assert!(Picked::of_pairs(&[vec![None, mean(1.0, 0.1)]], (0, 1, 1)).is_none());
    }

    #[test]
    fn of_very_many_groups_it_is_bonferronis() {
        let many: Vec<Option<Sample>> =
            (0..=MAX_GROUPS).map(|at| mean(at as f64 / 10.0, 1.0)).collect();
        let found = Picked::of_pairs(&[many], (0, 0, MAX_GROUPS)).unwrap();
        assert_eq!(found.tests, (MAX_GROUPS * (MAX_GROUPS + 1) / 2) as u64);
        assert_eq!(found.adjusted.benjamini_hochberg, None);
    }

    #[test]
    fn of_very_many_families_it_is_bonferronis_too_and_says_so() {
        // 780 pairs each.
        let family = |groups: usize| -> Vec<Option<Sample>> {
            (0..groups).map(|at| mean(at as f64 / 10.0, 1.0)).collect()
        };
        let sides = Sides { high: 3.9, least: 0.0, is_ratio: false };
        let found = |families: usize| {
            let families: Vec<_> = (0..families).map(|_| family(40)).collect();
            let picked = Picked::of_pairs(&families, (1, 0, 39)).unwrap();
            (picked.contrast.test().0, picked.evidence(sides, 0.95))
        };
        let (_, few) = found(64);
        assert_eq!(few.significance.tests, 49_920);
        assert!(few.significance.p_benjamini_hochberg.is_some());
        assert_eq!(untested("g", "It", &few), None);
        let (p, many) = found(65);
        assert_eq!(many.significance.tests, 50_700);
        assert_eq!(many.significance.p_benjamini_hochberg, None);
        assert_eq!(many.adjusted, (p * 50_700.0).min(1.0));
        let note = untested("g", "It", &many).unwrap();
        assert!(note.starts_with("g: It is picked from 50700 pairs"), "{note}");
    }

    #[test]
    fn whoever_cancels_waits_for_one_family() {
        let families = vec![vec![mean(1.0, 0.01), mean(1.1, 0.01), mean(2.0, 0.01)]; 5];
        let asked = Cell::new(0);
        let stop_at = |last: usize| {
            asked.set(0);
            Picked::of_families(&families, (4, 0, 2), &|| {
                asked.set(asked.get() + 1);
                asked.get() > last
            })
        };
        assert!(stop_at(2).is_none());
        assert_eq!(asked.get(), 3);
        assert!(stop_at(5).is_some());
        assert_eq!(asked.get(), 5);
    }
}
