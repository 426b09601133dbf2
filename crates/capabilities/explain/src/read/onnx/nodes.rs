//! ONNX's questions as ours, and chains of equalities as one question.

use crate::{
    Malformed,
    model::{Missing, Node, Split, Test},
};

/// A question as ONNX has it.
pub(super) struct Asked {
    pub mode: Mode,
    pub feature: usize,
    pub value: f64,
    /// Where those go of whom it is true, and the others.
    pub yes: usize,
    pub no: usize,
    /// Is it true of a missing value?
    pub missing: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mode {
    AtMost,
    Less,
    AtLeast,
    Greater,
    Equal,
    Unequal,
}

impl Mode {
    pub(super) fn read(word: &str) -> Option<Self> {
        Some(match word {
            "BRANCH_LEQ" => Self::AtMost,
            "BRANCH_LT" => Self::Less,
            "BRANCH_GTE" => Self::AtLeast,
            "BRANCH_GT" => Self::Greater,
            "BRANCH_EQ" => Self::Equal,
            "BRANCH_NEQ" => Self::Unequal,
            _ => return None,
        })
    }
}

/// A node: a question, or nothing but leaves' values.
pub(super) enum Raw {
    Asks(Asked),
    Leaf,
}

/// The nodes with leaves that hold nothing yet. "Is it 1? No: is it 4? …", all with one answer, as LightGBM's sets of
/// categories are written, is one question.
pub(super) fn nodes(raw: &[Raw], place: &str) -> Result<Vec<Node>, Malformed> {
    let mut all = Vec::with_capacity(raw.len());
    // What a chain holds is not asked again.
    let mut chained = vec![false; raw.len()];
    for (at, node) in raw.iter().enumerate() {
        let Raw::Asks(asked) = node else {
            all.push(Node::Leaf { value: 0.0, cover: 0.0 });
            continue;
        };
        if asked.value.is_nan() {
            return Err(Malformed::new(place, format!("node {at} compares with no number")));
        }
        let (test, turned, mut missing) = match asked.mode {
            Mode::AtMost => (Test::AtMost(asked.value), false, asked.missing),
            Mode::Less => (Test::Less(asked.value), false, asked.missing),
            Mode::AtLeast => (Test::Less(asked.value), true, asked.missing),
            Mode::Greater => (Test::AtMost(asked.value), true, asked.missing),
            Mode::Equal => (Test::OneOf(vec![asked.value]), false, asked.missing),
            // What is missing equals nothing.
            Mode::Unequal => (Test::OneOf(vec![asked.value]), true, true),
        };
        let (mut test, yes, mut no) = (test, asked.yes, asked.no);
        if asked.mode == Mode::Equal
            && !chained[at]
            && let Test::OneOf(values) = &mut test
        {
            while let Some(Raw::Asks(next)) = raw.get(no)
                && next.mode == Mode::Equal
                && (next.feature, next.yes) == (asked.feature, yes)
                && !chained[no]
                && no != at
                && !next.value.is_nan()
            {
                chained[no] = true;
                values.push(next.value);
                missing |= next.missing;
                no = next.no;
            }
            values.sort_by(f64::total_cmp);
        }
        // Ours go left when it is true.
        let (left, right) = if turned { (no, yes) } else { (yes, no) };
        let split = Split {
            feature: asked.feature,
            test,
            missing: Missing::NaN,
            missing_left: missing != turned,
        };
        all.push(Node::Inner { split, left, right, cover: 0.0 });
    }
    Ok(all)
}
