//! How likely a score is selected: thresholds, and draws between them.

use serde::{Deserialize, Serialize};

/// How likely a row is selected, by its score: a staircase. One threshold is one step to 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreRule {
    /// The probability below all steps.
    pub below: f64,
    /// Ascending.
    pub steps: Vec<Step>,
}

/// From a score on, a probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The least score of the step.
    pub from: f64,
    /// How likely its rows are selected.
    pub probability: f64,
}

impl ScoreRule {
    /// Nobody is selected.
    pub fn none() -> Self {
        Self::default()
    }

    /// Everybody is selected.
    pub fn all() -> Self {
        Self { below: 1.0, steps: Vec::new() }
    }

    /// Scores of at least `threshold` are selected.
    pub fn at(threshold: f64) -> Self {
        Self { below: 0.0, steps: vec![Step { from: threshold, probability: 1.0 }] }
    }

    /// How likely a row with this score is selected.
    pub fn probability(&self, score: f64) -> f64 {
        let steps = self.steps.partition_point(|step| step.from <= score);
        match steps.checked_sub(1) {
            Some(last) => self.steps[last].probability,
            None => self.below,
        }
    }

    /// Whether nothing is left to a draw.
    pub fn is_deterministic(&self) -> bool {
        let certain = |probability: f64| probability == 0.0 || probability == 1.0;
        certain(self.below) && self.steps.iter().all(|step| certain(step.probability))
    }

    /// Each rule with its share of the rows, drawn.
    pub(super) fn mixed(parts: &[(f64, &Self)]) -> Self {
        let parts: Vec<_> = parts.iter().filter(|(share, _)| *share > 0.0).collect();
        if let [(_, one)] = parts[..] {
            return (*one).clone();
        }
        let total: f64 = parts.iter().map(|(share, _)| share).sum();
        let mut starts: Vec<f64> =
            parts.iter().flat_map(|(_, rule)| rule.steps.iter().map(|step| step.from)).collect();
        starts.sort_unstable_by(f64::total_cmp);
        starts.dedup();
        let chance = |of: &dyn Fn(&Self) -> f64| {
            let sum: f64 = parts.iter().map(|(share, rule)| share * of(rule)).sum();
            (sum / total).clamp(0.0, 1.0)
        };
        let below = chance(&|rule| rule.below);
        let mut steps: Vec<Step> = Vec::with_capacity(starts.len());
        for from in starts {
            let probability = chance(&|rule| rule.probability(from));
            if steps.last().map_or(below, |step| step.probability) != probability {
                steps.push(Step { from, probability });
            }
        }
        Self { below, steps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixture_is_a_staircase() {
        let (low, high) = (ScoreRule::at(0.25), ScoreRule::at(0.75));
        let mixed = ScoreRule::mixed(&[(0.25, &low), (0.75, &high)]);
        let steps = [0.0, 0.25, 0.5, 0.75, 1.0].map(|score| mixed.probability(score));
        assert_eq!(steps, [0.0, 0.25, 0.25, 1.0, 1.0]);
        assert!(!mixed.is_deterministic() && low.is_deterministic());
        assert_eq!(ScoreRule::mixed(&[(1.0, &low), (0.0, &high)]), low);
        let (all, none) = (ScoreRule::all(), ScoreRule::none());
        let drawn = ScoreRule::mixed(&[(1.0, &all), (1.0, &none)]);
        assert_eq!(drawn, ScoreRule { below: 0.5, steps: Vec::new() });
    }
}
