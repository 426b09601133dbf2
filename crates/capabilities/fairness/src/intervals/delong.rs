//! AUC and its variance from a histogram of scores.

use crate::tally::{NEGATIVE, POSITIVE, Point};

/// AUC (ties count half) and `DeLong`'s variance of it, from points in ascending order of score.
///
/// `negatives` and `positives` are effective sample sizes: the numbers of rows without weights, Kish's with them.
/// Source: `DeLong`, `DeLong`, Clarke-Pearson 1988; Sun and Xu 2014 for the midrank form. The variance is `None` below two
/// of either label.
pub fn auc(points: &[Point], negatives: f64, positives: f64) -> (f64, Option<f64>) {
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
    if negatives <= 1.0 || positives <= 1.0 {
        return (value, None);
    }
    let spread =
        |squares: f64, weight: f64, n: f64| (squares / weight - value * value).max(0.0) / (n - 1.0);
    let variance = spread(positive_squares, total[POSITIVE], positives)
        + spread(negative_squares, total[NEGATIVE], negatives);
    (value, Some(variance))
}
