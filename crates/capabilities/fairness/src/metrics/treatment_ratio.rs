//! How the group's mistakes are split: wrongly rejected for each that is wrongly selected.

use super::{Better, Metric, Needs, ratio};

pub(super) const METRIC: Metric = Metric {
    id: "treatment_equality",
    aliases: &["treatment_ratio", "fn_fp_ratio"],
    title: "Treatment ratio",
    formula: "FN / FP",
    range: (0.0, f64::MAX),
    better: Better::Neither,
    needs: Needs::Decisions,
    source: "Berk et al. 2018, treatment equality",
    edge_cases: "Undefined in a group without false positives, where it would be infinite. Some authors give FP / FN: its ratio between two groups is the same, turned over.",
    measure: smooth!(|matrix| ratio(matrix.fn_, matrix.fp, "the group has no false positives")),
};
