//! The numbers of many bootstrap draws side by side: the processor computes several of them at a time.

use crate::{
    metrics::Undefined,
    tally::{MISSING, Matrix, NEGATIVE, POSITIVE},
};

/// How many draws lie side by side. What they weigh and what is made of it should stay in the processor's caches.
pub(crate) const LANES: usize = 32;

/// One number of each draw.
pub(crate) type Lanes = [f64; LANES];

/// The places of a table of label and prediction, each yes, no or unknown.
pub(crate) const PLACES: usize = 9;

/// The table of one group: by label, then prediction.
pub(crate) type Table = [Lanes; PLACES];

/// Adds lane by lane.
pub(crate) fn add(sums: &mut Lanes, more: &Lanes) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

/// Sets each lane to what `of` makes of its confusion matrix, NaN where it is undefined.
///
/// To be called with a function that is known when it is compiled: one that it is handed as a pointer is called for each lane.
#[inline]
pub(crate) fn of_matrices(
    table: &Table,
    out: &mut Lanes,
    of: impl Fn(&Matrix) -> Result<f64, Undefined>,
) {
    let at = |label: usize, prediction: usize| &table[label * (MISSING + 1) + prediction];
    let (tp, fp) = (at(POSITIVE, POSITIVE), at(NEGATIVE, POSITIVE));
    let (tn, fn_) = (at(NEGATIVE, NEGATIVE), at(POSITIVE, NEGATIVE));
    for (lane, out) in out.iter_mut().enumerate() {
        let matrix = Matrix { tp: tp[lane], fp: fp[lane], tn: tn[lane], fn_: fn_[lane] };
        *out = of(&matrix).unwrap_or(f64::NAN);
    }
}
