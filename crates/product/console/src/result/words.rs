//! What the parts of a result are called, on pages and on paper.

/// A part's title, and how to read it.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
}

pub(super) const SCORE: &str = "Compliance score";
pub(super) const OF: &str = "/ 100";
pub(super) const DISPARITIES: Words = Words {
    title: "Disparities against thresholds",
    about: "A disparity fails when its whole confidence interval lies beyond what is accepted, warns when only its value does, and passes otherwise. Where there is a p, it is how likely chance alone would set two groups so far apart, adjusted for all pairs of groups; beside it stands the least disparity that groups of these sizes could have shown.",
};
pub(super) const OTHERS: &str = "Other disparities, shown but not judged";
pub(super) const STRATA: Words = Words {
    title: "Within strata",
    about: "Each group is compared with the others of its own stratum, weighted by how many both have there. Conditional disparities above come from these.",
};
pub(super) const SMALL_STRATA: &str = "Strata that are too small to be compared in";
pub(super) const PLOTS: &str = "Plots";
pub(super) const GROUPS: Words =
    Words { title: "Group metrics", about: "value, confidence interval below" };
pub(super) const RECOMMENDATIONS: Words = Words {
    title: "Recommendations",
    about: "The most effective first. Effects are computed on the analysed data; measure them again after the change.",
};
pub(super) const VALUES: &str = "The values to apply";
pub(super) const LEFT_OUT: Words = Words {
    title: "Undefined and left out",
    about: "Nothing is dropped silently: what could not be computed stands here with its reason.",
};
pub(super) const SCORED: &str = "How the score adds up";
