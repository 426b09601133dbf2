//! How much memory a cube may take, whatever the data.
//!
//! A cube at all of its limits takes about 50 MB, 200 MB with scores or weights, 350 MB with both; each thread of a scan has one.
//! Where very many rows have a score and no label, 20 MB more.
//! DataFusion's memory pool is told, so that a smaller limit of the session gives an error and not an exhausted machine.

/// The most values of one attribute.
pub const MAX_VALUES: usize = 65_535;
/// The most combinations of attribute values that occur in the data.
pub const MAX_CELLS: usize = 262_144;
/// The most bytes of the names of one attribute's values.
pub const MAX_NAME_BYTES: usize = 16 << 20;
/// Scores are kept exactly up to this many distinct (group, label, score), and binned beyond; those of rows without a label likewise,
/// by themselves.
pub const MAX_SCORE_ENTRIES: usize = 131_072;
/// Equal-width bins between 0 and 1, when scores are binned at the finest.
pub const SCORE_BINS: u32 = 5_120;
/// Bins of all groups and labels together; with more groups bins are wider. (At least one bin for each.)
pub const MAX_BINS: usize = 262_144;

/// Combinations of attributes with more groups than this are not analysed; the result says which.
pub const MAX_INTERSECTION_GROUPS: usize = 5_000;

/// Which limit the data go beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooMany {
    Values,
    Bytes,
    Cells,
}
