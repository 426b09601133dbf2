//! Does the finding hang on one person?

use serde::{Deserialize, Serialize};

use super::Selection;

/// What would be if one more of the group were selected, and one fewer of the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FlipFlop {
    /// The ratio of rates (group to other) then; `None` if nobody of the other were selected.
    pub ratio: Option<f64>,
    /// The group would then have the higher rate: too few people to infer anything from.
    pub reverses: bool,
}

/// Moves one selection from `other` (the group with the higher rate) to `group`.
///
/// `None` if there is none to move, or `group` is all selected already.
///
/// Source: Questions and Answers on the Uniform Guidelines, no. 21, 44 FR 11996 (1979): no inference where "the selection of
/// one different person for one job" would shift the result so that the group has the higher rate.
pub fn flip_flop(group: Selection, other: Selection) -> Option<FlipFlop> {
    if other.selected == 0 || group.selected >= group.of {
        return None;
    }
    let moved = Selection { selected: group.selected + 1, ..group }.rate()?;
    let left = Selection { selected: other.selected - 1, ..other }.rate()?;
    Some(FlipFlop { ratio: (left > 0.0).then(|| moved / left), reverses: moved > left })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_turns_a_small_sample_about() {
        let of = Selection::new;
        assert!(flip_flop(of(1, 5), of(2, 6)).is_some_and(|moved| moved.reverses));
        let large = flip_flop(of(100, 500), of(200, 600));
        assert!(large.is_some_and(|moved| !moved.reverses && moved.ratio < Some(0.62)));
        assert!(
            flip_flop(of(0, 5), of(1, 5))
                .is_some_and(|moved| moved.ratio.is_none() && moved.reverses)
        );
        assert_eq!(flip_flop(of(0, 5), of(0, 5)), None);
        assert_eq!(flip_flop(of(5, 5), of(5, 5)), None);
    }
}
