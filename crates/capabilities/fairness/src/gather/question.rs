//! What other machines are asked of rows.

use serde::{Deserialize, Serialize};

use super::Gather;
use crate::{
    AnalysisSpec, data,
    flips::{self, FlipSpec},
    frame::Grouping,
    individual,
    multiclass::{self, MulticlassSpec},
    ranking::{self, RankingSpec},
    regression::{self, RegressionSpec},
};

/// Enough to begin anywhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Question {
    /// What is missing of whom, of these columns.
    Completeness { groups: Grouping, columns: Vec<String> },
    /// How many decisions flip.
    Flips(FlipSpec),
    /// Who is like whom; of each feature, whether it is one of categories.
    Individual { spec: Box<AnalysisSpec>, categories: Vec<bool> },
    /// How right predicted classes are.
    Multiclass(MulticlassSpec),
    /// The rows of one list.
    List(RankingSpec),
    /// What was found of lists: their names, and what is kept of the rows of each.
    Lists(RankingSpec),
    /// How right predicted numbers are.
    Regression(RegressionSpec),
}

impl Question {
    /// Nothing yet.
    pub(super) fn begin(&self) -> Box<dyn Gather> {
        match self {
            Self::Completeness { groups, columns } => {
                Box::new(data::completeness::State::new(groups, columns.clone()))
            }
            Self::Flips(spec) => Box::new(flips::of_columns(spec)),
            Self::Individual { spec, categories } => {
                Box::new(individual::State::new((**spec).clone(), categories))
            }
            Self::Multiclass(spec) => Box::new(multiclass::State::new(spec)),
            Self::List(spec) => Box::new(ranking::OneList::new(spec)),
            Self::Lists(spec) => Box::new(ranking::ManyLists::new(spec)),
            Self::Regression(spec) => Box::new(regression::State::new(spec)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnalysisError;

    #[test]
    fn what_nobody_kept_is_refused_whatever_was_asked() {
        let groups = || Grouping::new(["g"]);
        let ranking = RankingSpec {
            list: None,
            position: None,
            score: Some("s".to_owned()),
            top: 1,
            groups: groups(),
        };
        let spec = AnalysisSpec { features: vec!["x".to_owned()], ..AnalysisSpec::new("y", ["g"]) };
        for question in [
            Question::Completeness { groups: groups(), columns: vec!["x".to_owned()] },
            Question::Flips(FlipSpec::new("p", "q", groups())),
            Question::Individual { spec: Box::new(spec), categories: vec![false] },
            Question::Multiclass(MulticlassSpec::new("y", "p", groups())),
            Question::List(ranking.clone()),
            Question::Lists(ranking),
            Question::Regression(RegressionSpec::new("y", "p", groups())),
        ] {
            for bytes in [&[][..], &[0], &[255; 40]] {
                let refused = question.begin().merge(bytes);
                assert!(matches!(refused, Err(AnalysisError::Engine(_))), "{question:?}");
            }
        }
    }
}
