//! Why a group is compared with no other, in the same words wherever groups are listed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AnalysisResult, AttributeResult, Group, frame::Line};

/// Why a group is compared with no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotCompared {
    /// It has fewer rows than the least size of a group.
    TooSmall,
    /// It is the values of a crowded attribute that are not kept, counted together as “(other)”, however many rows they have.
    CountedTogether,
}

impl NotCompared {
    /// In words that follow a group's name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::TooSmall => "too small to be compared",
            Self::CountedTogether => "values counted together, not compared",
        }
    }

    /// Of a group that is not compared, for whatever reason, or is.
    pub(crate) fn of(is_left_out: bool, is_rest: bool) -> Option<Self> {
        is_left_out.then_some(if is_rest { Self::CountedTogether } else { Self::TooSmall })
    }
}

impl fmt::Display for NotCompared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.title())
    }
}

impl AnalysisResult {
    /// Why a group of an attribute, or of several together, is compared with no other; `None` if it is compared.
    pub fn not_compared(&self, of: &AttributeResult, group: &Group) -> Option<NotCompared> {
        NotCompared::of(group.small, group.small && self.is_rest(of, group))
    }
}

impl Line {
    /// Why the group is compared with no other; `None` if it is compared. Other tasks than yes or no count nothing together.
    pub fn not_compared(&self) -> Option<NotCompared> {
        NotCompared::of(self.small, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_needs_no_word_and_what_is_counted_together_is_not_small() {
        assert_eq!(NotCompared::of(false, false), None);
        assert_eq!(NotCompared::of(true, false), Some(NotCompared::TooSmall));
        assert_eq!(NotCompared::of(true, true), Some(NotCompared::CountedTogether));
        assert!(!NotCompared::CountedTogether.to_string().contains("small"));
        let json = serde_json::to_value(NotCompared::CountedTogether).ok();
        assert_eq!(json, Some("counted_together".into()));
    }
}
