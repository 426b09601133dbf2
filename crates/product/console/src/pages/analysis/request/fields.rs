//! Faults of what is asked for, as faults of the form's fields.

use std::borrow::Cow;

use ephor_fairness::disparities;
use ephor_kernel::{Fault, Problem};

/// The same problem with each fault pointing at the field of the form that it is about.
pub(in crate::pages::analysis) fn as_fields(problem: &Problem) -> Problem {
    let faults = problem
        .faults
        .iter()
        .map(|fault| {
            let place = fault.pointer.strip_prefix("/parameters").unwrap_or(&fault.pointer);
            let pointer = match place.strip_prefix("/thresholds/") {
                Some(id) if is_ratio(id) => "/ratio_threshold".to_owned(),
                Some(_) => "/difference_threshold".to_owned(),
                None => match place {
                    place if place.starts_with("/reference_groups") => "/protected".to_owned(),
                    "/data" => "/data_report".to_owned(),
                    place if place.starts_with("/data/features") => "/data_features".to_owned(),
                    place if place.starts_with("/data/population") => "/data_population".to_owned(),
                    place if place.starts_with("/law/rules") => "/law_ll144".to_owned(),
                    place if place.starts_with("/law/") => place.replacen("/law/", "/law_", 1),
                    "/dataset_id" => "/dataset".to_owned(),
                    place => place.to_owned(),
                },
            };
            Fault { pointer: Cow::Owned(pointer), ..fault.clone() }
        })
        .collect();
    Problem { faults, ..problem.clone() }
}

/// Whether the threshold of this disparity is one of ratios.
pub(super) fn is_ratio(id: &str) -> bool {
    disparities::find(id).map_or_else(|| id.ends_with("_ratio"), |disparity| disparity.ideal == 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_the_specification_point_at_fields_of_the_form() {
        let problem = Problem::invalid(vec![
            Fault::new("/parameters/target", "unknown_column", "no such column"),
            Fault::new(
                "/parameters/thresholds/demographic_parity_ratio",
                "out_of_range",
                "too big",
            ),
            Fault::new("/parameters/reference_groups/sex", "unknown_group", "no such group"),
        ]);
        let pointers: Vec<String> =
            as_fields(&problem).faults.iter().map(|fault| fault.pointer.to_string()).collect();
        assert_eq!(pointers, ["/target", "/ratio_threshold", "/protected"]);
    }
}
