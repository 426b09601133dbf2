//! Which features a linear model has.

use super::fit::{Products, Sample};

/// How features are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// One after the other where at most six are wanted, else by weight.
    Auto,
    /// One after the other: the one with which the linear model tells most.
    Forward,
    /// Those with the greatest coefficient x the row's value, when all are in it.
    HighestWeights,
    /// All of them.
    None,
}

/// As many are sought one after the other when nobody says how.
const FEW: usize = 6;
/// How strongly the model is held back by whose weights features are chosen.
const ALPHA: f64 = 0.01;

impl Selection {
    /// At most so many features.
    pub fn choose(self, sample: &Sample, most: usize) -> Vec<usize> {
        let all: Vec<usize> = (0..sample.rows.width()).collect();
        match self {
            Self::None => all,
            Self::Auto if most <= FEW => forward(sample, &all, most),
            Self::Forward => forward(sample, &all, most),
            Self::Auto | Self::HighestWeights => highest(sample, all, most),
        }
    }
}

fn forward(sample: &Sample, all: &[usize], most: usize) -> Vec<usize> {
    let products = Products::new(sample);
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < most.min(all.len()) {
        let mut best: Option<(f64, usize)> = None;
        for feature in all.iter().filter(|feature| !chosen.contains(feature)) {
            let with: Vec<usize> = chosen.iter().chain([feature]).copied().collect();
            let told = products.r2(&with, &products.solve(&with, 0.0)).unwrap_or(0.0);
            if best.is_none_or(|(most, _)| told > most) {
                best = Some((told, *feature));
            }
        }
        let Some((_, feature)) = best else { break };
        chosen.push(feature);
    }
    chosen
}

fn highest(sample: &Sample, mut all: Vec<usize>, most: usize) -> Vec<usize> {
    if sample.rows.is_empty() {
        return Vec::new();
    }
    let solved = Products::new(sample).solve(&all, ALPHA);
    let row = sample.rows.row(0);
    let size = |feature: &usize| (solved[*feature] * row[*feature]).abs();
    all.sort_by(|a, b| size(b).total_cmp(&size(a)));
    all.truncate(most);
    all
}
