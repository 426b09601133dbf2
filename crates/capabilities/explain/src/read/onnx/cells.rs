//! Recurrent cells: only those that are run as they are written. The runner knows one direction or both, and the usual activations, and
//! would pass over whatever else a file says.

use super::fields::Fields;
use crate::Malformed;

/// Is it no such cell, or one that is run?
pub(super) fn usual(node: Fields<'_>) -> Result<(), Malformed> {
    let activations: &[&str] = match node.node.kind.as_str() {
        "LSTM" => &["Sigmoid", "Tanh", "Tanh"],
        "GRU" => &["Sigmoid", "Tanh"],
        "RNN" => &["Tanh"],
        _ => return Ok(()),
    };
    let refused = |message: String| -> Result<(), Malformed> {
        Err(node.fault(message).hint("Serve the model and ask it there (--endpoint)."))
    };
    let direction = node.word("direction", "forward")?;
    if !["forward", "bidirectional"].contains(&direction) {
        return refused(format!("it goes `{direction}`; forward and bidirectional are run."));
    }
    let words = node.words("activations")?;
    for (word, usual) in words.iter().zip(activations.iter().cycle()) {
        if !word.eq_ignore_ascii_case(usual) {
            return refused(format!("its activation is `{word}`; only `{usual}` is run there."));
        }
    }
    for name in ["clip", "activation_alpha", "activation_beta"] {
        if node.get(name).is_some() {
            return refused(format!("its `{name}` is not run."));
        }
    }
    let order = node.whole("linear_before_reset", 0);
    if ![0, 1].contains(&order) {
        return refused(format!("its `linear_before_reset` is {order}; 0 and 1 are run."));
    }
    for name in ["input_forget", "layout"] {
        if node.whole(name, 0) != 0 {
            return refused(format!("its `{name}` is not run."));
        }
    }
    Ok(())
}
