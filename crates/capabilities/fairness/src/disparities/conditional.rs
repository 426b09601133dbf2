//! Are groups treated alike within strata: in one job, one department, at one level of qualification?

use super::{DIFFERENCE_THRESHOLD, Definition, Family, Form, Kind, RATIO_THRESHOLD, metric};

const EDGE_CASES: &str = "Only with a column of strata. Strata with fewer rows than the least group size are listed, and in no comparison; a stratum in which one of both groups has no such rows tells nothing of that pair. With one stratum the value is the unconditional one.";

pub(super) fn definitions() -> Vec<Definition> {
    [
        ("selection_rate", "conditional_demographic_parity", "Conditional demographic parity", Family::Selection),
        ("tpr", "conditional_equal_opportunity", "Conditional equal opportunity", Family::Errors),
        ("fpr", "conditional_predictive_equality", "Conditional predictive equality", Family::Errors),
        ("base_rate", "conditional_base_rate", "Conditional base rate", Family::Other),
    ]
    .into_iter()
    .flat_map(|(rate, name, title, family)| {
        [(Form::Difference, "difference"), (Form::Ratio, "ratio")].into_iter().filter_map(
            move |(form, noun)| {
                let metric = metric(rate)?;
                let is_ratio = form == Form::Ratio;
                let threshold = if is_ratio { RATIO_THRESHOLD } else { DIFFERENCE_THRESHOLD };
                let id = metric.id;
                Some(Definition {
                    id: format!("{name}_{noun}"),
                    aliases: Vec::new(),
                    title: format!("{title} {noun}"),
                    formula: if is_ratio {
                        format!("least over pairs of groups of sum w {id} / sum w {id} over strata, lesser by greater; w = n1 n2 / (n1 + n2)")
                    } else {
                        format!("greatest over pairs of groups of |sum w ({id} - {id})| / sum w over strata; w = n1 n2 / (n1 + n2)")
                    },
                    range: (0.0, 1.0),
                    ideal: if is_ratio { 1.0 } else { 0.0 },
                    source: "Cochran 1954; Mantel and Haenszel 1959; Kamiran, Zliobaite, Calders 2013; Wachter, Mittelstadt, Russell 2021",
                    edge_cases: EDGE_CASES,
                    needs: metric.needs,
                    default_threshold: (family != Family::Other).then_some(threshold),
                    family,
                    scored: false,
                    kind: Kind::Conditional { metric, form },
                })
            },
        )
    })
    .collect()
}
