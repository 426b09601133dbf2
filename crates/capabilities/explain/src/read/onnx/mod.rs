//! ONNX of tree ensembles and linear models, as skl2onnx and onnxmltools write it: one node of the domain `ai.onnx.ml` that
//! decides, and nodes around it that only hand on.

mod around;
mod ensemble;
mod fields;
mod linear;
mod nodes;
mod proto;
mod scale;
mod trees;
mod weigh;

use prost::Message as _;

use crate::{Malformed, Model};
use around::Around;
use fields::Fields;

/// Its first field is the version of its form.
pub(super) fn is(content: &[u8]) -> bool {
    matches!(content, [0x08, 1..=127, ..])
}

pub(super) fn read(content: &[u8]) -> Result<Model, Malformed> {
    weigh::weigh(content)?;
    let model = proto::Model::decode(content).map_err(|error| weigh::not_onnx(&error))?;
    let graph = model.graph.ok_or_else(|| Malformed::new("the file", "its ONNX has no graph"))?;
    let decides = |kind: &str| {
        matches!(
            kind,
            "TreeEnsembleClassifier"
                | "TreeEnsembleRegressor"
                | "TreeEnsemble"
                | "LinearClassifier"
                | "LinearRegressor"
        )
    };
    let mut deciding = graph.nodes.iter().enumerate().filter(|(_, node)| decides(&node.kind));
    let Some((index, node)) = deciding.next() else {
        return Err(Malformed::new(
            "the graph",
            "it holds no ensemble of trees and no linear model.",
        )
        .hint("Only a model's predictions can be asked then, not its inside."));
    };
    if deciding.next().is_some() {
        return Err(Malformed::new("the graph", "it holds more than one model"));
    }
    let node = Fields::new(node, index);
    let around = Around::read(&graph, node)?;
    match node.node.kind.as_str() {
        "LinearClassifier" => linear::classifier(node, &around).map(Model::Linear),
        "LinearRegressor" => linear::regressor(node, &around).map(Model::Linear),
        "TreeEnsembleClassifier" => trees::classifier(node, &around).map(Model::Forest),
        "TreeEnsembleRegressor" => trees::regressor(node, &around).map(Model::Forest),
        _ => ensemble::read(node, &around).map(Model::Forest),
    }
}
