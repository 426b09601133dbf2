//! Sums over columns.

/// Their mean; 0 of none.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Their standard deviation, divided by their number less `lost`.
pub(crate) fn deviation(values: &[f64], lost: usize) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / values.len().saturating_sub(lost).max(1) as f64).sqrt()
}

/// The quantile of values in ascending order, straight between neighbours, as numpy's default; 0 of none.
pub(crate) fn quantile(ascending: &[f64], share: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else { return 0.0 };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let (a, b) = (ascending[low], ascending[(low + 1).min(last)]);
    // As numpy does, so that equal neighbours give themselves and ends are exact.
    if part >= 0.5 { b - (b - a) * (1.0 - part) } else { a + (b - a) * part }
}

/// The quantile of values in ascending order as scipy's `mquantiles`, which scikit-learn's grids begin and end with (Cunnane);
/// 0 of none.
pub(crate) fn cunnane(ascending: &[f64], share: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else { return 0.0 };
    let place = ascending.len() as f64 * share + 0.4 + share * 0.2;
    let low = place.floor().clamp(1.0, (last as f64).max(1.0));
    let part = (place - low).clamp(0.0, 1.0);
    let (a, b) = (ascending[low as usize - 1], ascending[(low as usize).min(last)]);
    (1.0 - part) * a + part * b
}

/// The finite ones in ascending order.
pub(crate) fn ascending(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut finite: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    finite.sort_by(f64::total_cmp);
    finite
}

/// The different ones among values in ascending order.
pub(crate) fn distinct(mut ascending: Vec<f64>) -> Vec<f64> {
    ascending.dedup();
    ascending
}
