//! AUC and its variance from a histogram of scores.

use crate::tally::{NEGATIVE, POSITIVE, Point};

/// AUC (ties count half) and `DeLong`'s variance of it, from points in ascending order of score.
///
/// `negatives` and `positives` are effective sample sizes: the numbers of rows without weights, Kish's with them.
/// Source: `DeLong`, `DeLong`, Clarke-Pearson 1988; Sun and Xu 2014 for the midrank form. The variance is `None` below two
/// of either label, and never 0 where the labels are wholly apart.
pub fn auc(points: &[Point], negatives: f64, positives: f64) -> (f64, Option<f64>) {
    let (value, [of_negatives, of_positives]) = parts(points, negatives, positives);
    if negatives <= 1.0 || positives <= 1.0 {
        return (value, None);
    }
    if value <= 0.0 || value >= 1.0 {
        return (value, Some(apart(value, negatives.min(positives))));
    }
    (value, Some(of_positives + of_negatives))
}

/// The degrees of freedom with which the variance of an AUC is known, from the same as [`auc`]: each label's placements have a
/// variance of their own. `None` below two of either label. Where the labels are wholly apart, those of the rarer one.
///
/// Source: Satterthwaite 1946; Brunner and Munzel 2000, of placements.
pub fn degrees(points: &[Point], negatives: f64, positives: f64) -> Option<f64> {
    if negatives <= 1.0 || positives <= 1.0 {
        return None;
    }
    let (value, [of_negatives, of_positives]) = parts(points, negatives, positives);
    let (whole, rarer) = (of_negatives + of_positives, negatives.min(positives) - 1.0);
    if value <= 0.0 || value >= 1.0 || whole <= 0.0 {
        return Some(rarer);
    }
    // As shares of the whole, so that squares neither vanish nor overflow.
    let part = |variance: f64, rows: f64| (variance / whole).powi(2) / (rows - 1.0);
    Some(1.0 / (part(of_negatives, negatives) + part(of_positives, positives)))
}

/// The AUC, and what the placements of each label's rows give to its variance: negatives first.
fn parts(points: &[Point], negatives: f64, positives: f64) -> (f64, [f64; 2]) {
    let total: [f64; 2] = points
        .iter()
        .fold([0.0; 2], |sum, point| [sum[0] + point.w[NEGATIVE], sum[1] + point.w[POSITIVE]]);
    let (mut below, mut sum) = ([0.0_f64; 2], 0.0);
    // Means of squares of each row's placement among the other label, see below.
    let (mut positive_squares, mut negative_squares) = (0.0, 0.0);
    for point in points {
        let [negative, positive] = point.w;
        // A positive beats the negatives below it, and half of those beside it; a negative is beaten likewise.
        let beats = (below[NEGATIVE] + negative / 2.0) / total[NEGATIVE];
        let beaten = (total[POSITIVE] - below[POSITIVE] - positive / 2.0) / total[POSITIVE];
        sum += positive * beats;
        positive_squares += positive * beats * beats;
        negative_squares += negative * beaten * beaten;
        below[NEGATIVE] += negative;
        below[POSITIVE] += positive;
    }
    let value = sum / total[POSITIVE];
    let spread =
        |squares: f64, weight: f64, n: f64| (squares / weight - value * value).max(0.0) / (n - 1.0);
    let of_positives = spread(positive_squares, total[POSITIVE], positives);
    (value, [spread(negative_squares, total[NEGATIVE], negatives), of_positives])
}

/// The variance where the labels do not overlap at all: there `DeLong`'s is 0, which no sample can know. That of a proportion
/// of the rarer label's rows instead, drawn towards the middle as Agresti and Coull's.
fn apart(value: f64, rows: f64) -> f64 {
    let (n, p) = (rows + 4.0, (value * rows + 2.0) / (rows + 4.0));
    p * (1.0 - p) / n
}

/// Where each score stands among everybody's, by its rank.
#[derive(Debug, Clone, Default)]
pub struct Placements {
    /// By rank: the share of negatives that a positive of the score beats, and of positives that beat a negative of it.
    at: Vec<[f64; 2]>,
    /// Everybody's weight by label.
    total: [f64; 2],
}

impl Placements {
    /// Those of everybody's points, in ascending order of score.
    pub fn of(points: &[Point]) -> Self {
        let total: [f64; 2] = points
            .iter()
            .fold([0.0; 2], |sum, point| [sum[0] + point.w[NEGATIVE], sum[1] + point.w[POSITIVE]]);
        let ranks = points.last().map_or(0, |last| last.rank as usize + 1);
        let (mut at, mut below) = (vec![[0.0; 2]; ranks], [0.0_f64; 2]);
        for point in points {
            let [negative, positive] = point.w;
            at[point.rank as usize] = [
                (below[NEGATIVE] + negative / 2.0) / total[NEGATIVE],
                (total[POSITIVE] - below[POSITIVE] - positive / 2.0) / total[POSITIVE],
            ];
            below[NEGATIVE] += negative;
            below[POSITIVE] += positive;
        }
        Self { at, total }
    }

    /// The covariance of a group's AUC with everybody's, from the group's points; sample sizes as in [`auc`]. 0 if either has
    /// none.
    pub fn covariance(&self, points: &[Point], negatives: f64, positives: f64) -> f64 {
        let total: [f64; 2] = points
            .iter()
            .fold([0.0; 2], |sum, point| [sum[0] + point.w[NEGATIVE], sum[1] + point.w[POSITIVE]]);
        let mut below = [0.0_f64; 2];
        // Of positives and of negatives: sums of the placement in the group, among everybody, and of their product.
        let (mut of_positives, mut of_negatives) = ([0.0_f64; 3], [0.0_f64; 3]);
        for point in points {
            let [negative, positive] = point.w;
            let beats = (below[NEGATIVE] + negative / 2.0) / total[NEGATIVE];
            let beaten = (total[POSITIVE] - below[POSITIVE] - positive / 2.0) / total[POSITIVE];
            let [beats_all, beaten_by_all] =
                self.at.get(point.rank as usize).copied().unwrap_or_default();
            for (sums, weight, mine, all) in [
                (&mut of_positives, positive, beats, beats_all),
                (&mut of_negatives, negative, beaten, beaten_by_all),
            ] {
                sums[0] += weight * mine;
                sums[1] += weight * all;
                sums[2] += weight * mine * all;
            }
            below[NEGATIVE] += negative;
            below[POSITIVE] += positive;
        }
        let part = |sums: [f64; 3], label: usize, rows: f64| {
            let [mine, all, product] = sums.map(|sum| sum / total[label]);
            (product - mine * all) * (total[label] / self.total[label]) / rows
        };
        let found =
            part(of_positives, POSITIVE, positives) + part(of_negatives, NEGATIVE, negatives);
        if found.is_finite() { found } else { 0.0 }
    }
}

/// The interval of an AUC with this variance, at the two-sided normal quantile `z`: symmetric in its logit, for near 0 and 1
/// a symmetric one of the AUC itself covers too seldom.
///
/// Source: Pepe 2003, section 5.2; Qin and Hotilovac 2008.
pub fn interval(value: f64, variance: f64, z: f64) -> (f64, f64) {
    let spread = z * variance.sqrt();
    if value <= 0.0 || value >= 1.0 {
        return ((value - spread).max(0.0), (value + spread).min(1.0));
    }
    let (logit, spread) = ((value / (1.0 - value)).ln(), spread / (value * (1.0 - value)));
    let back = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    (back(logit - spread), back(logit + spread))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, Normal};

    use super::*;
    use crate::intervals::z;

    /// Rows by score, from each label's scores.
    fn points(negatives: &[f64], positives: &[f64]) -> Vec<Point> {
        let mut all: Vec<(f64, usize)> = negatives
            .iter()
            .map(|score| (*score, NEGATIVE))
            .chain(positives.iter().map(|score| (*score, POSITIVE)))
            .collect();
        all.sort_by(|left, right| left.0.total_cmp(&right.0));
        let mut points: Vec<Point> = Vec::new();
        for (score, label) in all {
            if points.last().is_none_or(|last| last.score != score) {
                points.push(Point { score, ..Point::default() });
            }
            let last = points.last_mut().unwrap();
            last.n[label] += 1;
            last.w[label] += 1.0;
        }
        points
    }

    #[test]
    fn equals_the_definition_over_all_pairs() {
        let (negatives, positives) = ([0.1, 0.35, 0.35, 0.6, 0.8], [0.35, 0.5, 0.8, 0.9]);
        let wins = |positive: f64, negative: f64| {
            if positive > negative {
                1.0
            } else if positive == negative {
                0.5
            } else {
                0.0
            }
        };
        let beats: Vec<f64> = positives
            .iter()
            .map(|p| negatives.iter().map(|n| wins(*p, *n)).sum::<f64>() / 5.0)
            .collect();
        let beaten: Vec<f64> = negatives
            .iter()
            .map(|n| positives.iter().map(|p| wins(*p, *n)).sum::<f64>() / 4.0)
            .collect();
        let mean = beats.iter().sum::<f64>() / 4.0;
        let spread = |values: &[f64]| {
            values.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
                / (values.len() - 1) as f64
        };
        let expected = spread(&beats) / 4.0 + spread(&beaten) / 5.0;
        let (value, variance) = auc(&points(&negatives, &positives), 5.0, 4.0);
        assert!((value - mean).abs() < 1e-12);
        assert!((variance.unwrap() - expected).abs() < 1e-12, "{variance:?} {expected}");
        let parts = [spread(&beats) / 4.0, spread(&beaten) / 5.0];
        let wanted = expected.powi(2) / (parts[0].powi(2) / 3.0 + parts[1].powi(2) / 4.0);
        let found = degrees(&points(&negatives, &positives), 5.0, 4.0).unwrap();
        assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        // Wholly apart: those of the rarer label.
        let apart = points(&[0.1, 0.2, 0.3], &[0.8, 0.9]);
        assert_eq!(degrees(&apart, 3.0, 2.0), Some(1.0));
        assert_eq!(degrees(&points(&[0.1, 0.2], &[0.15]), 2.0, 1.0), None);
    }

    #[test]
    fn varies_with_the_whole_as_a_part_does() {
        let (negatives, positives) = ([0.1, 0.35, 0.35, 0.6, 0.8], [0.35, 0.5, 0.8, 0.9]);
        let mut all = points(&negatives, &positives);
        for (rank, point) in all.iter_mut().enumerate() {
            point.rank = rank as u32 + 1;
        }
        // With itself a value varies as much as it varies: DeLong's variance, which divides by one row fewer.
        let (_, variance) = auc(&all, 1e9, 1e9);
        let covariance = Placements::of(&all).covariance(&all, 1e9 - 1.0, 1e9 - 1.0);
        assert!((covariance / variance.unwrap() - 1.0).abs() < 1e-9, "{covariance} {variance:?}");
        // Half of everybody, alike: half of that.
        let mut twice = all.clone();
        for point in &mut twice {
            point.w = point.w.map(|weight| 2.0 * weight);
        }
        let covariance = Placements::of(&twice).covariance(&all, 1e9 - 1.0, 1e9 - 1.0);
        assert!((2.0 * covariance / variance.unwrap() - 1.0).abs() < 1e-9, "{covariance}");
    }

    #[test]
    fn covers_the_true_auc() {
        // Two normals one deviation apart: AUC = Phi(1 / sqrt 2) = 0.7602.
        let (truth, z, mut chance) = (0.760_249_9, z(0.95), ChaCha8Rng::seed_from_u64(3));
        let mut covered = 0;
        for _ in 0..600 {
            let mut draw = |mean: f64, n: usize| -> Vec<f64> {
                Normal::new(mean, 1.0).unwrap().sample_iter(&mut chance).take(n).collect()
            };
            let (negatives, positives) = (draw(0.0, 120), draw(1.0, 80));
            let (value, variance) = auc(&points(&negatives, &positives), 120.0, 80.0);
            covered += u32::from((value - truth).abs() <= z * variance.unwrap().sqrt());
        }
        assert!((540..=595).contains(&covered), "{covered} of 600");
    }
}
