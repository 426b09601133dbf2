//! What a disparity may be.

use ephor_fairness::{AnalysisSpec, catalogue, disparities, flips, task::Task};

use super::reader::Reader;

/// Two numbers of the form stand for the thresholds of all differences and of all ratios; those
/// that are the engine's own are left to it.
pub(super) fn thresholds(reader: &mut Reader<'_>, task: Task, spec: &mut AnalysisSpec) {
    let mut difference = disparities::DIFFERENCE_THRESHOLD;
    let mut ratio = disparities::RATIO_THRESHOLD;
    reader.number("difference_threshold", "a number such as 0.1", &mut difference);
    reader.number("ratio_threshold", "a number such as 0.2", &mut ratio);
    if task != Task::Binary {
        for (id, default, is_ratio) in catalogue::judged(task) {
            let wanted = if is_ratio { ratio } else { difference };
            if wanted != default {
                spec.thresholds.insert(id, wanted);
            }
        }
        return;
    }
    for disparity in disparities::registry() {
        let Some(default) = disparity.default_threshold else { continue };
        let wanted = if disparity.ideal == 1.0 { ratio } else { difference };
        if wanted != default {
            spec.thresholds.insert(disparity.id.clone(), wanted);
        }
    }
    if spec.flipped.is_some() {
        let wanted = flips::judged().filter(|(_, default)| difference != *default);
        spec.thresholds.extend(wanted.map(|(id, _)| (id, difference)));
    }
}
