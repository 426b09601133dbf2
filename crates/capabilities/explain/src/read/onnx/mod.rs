//! ONNX of tree ensembles and linear models, as skl2onnx and onnxmltools write it: one node of the domain `ai.onnx.ml` that
//! decides, and nodes around it that only hand on. Other graphs are run as a whole: nothing is known of their inside.

mod around;
mod branches;
mod cells;
mod columns;
mod ensemble;
mod fields;
mod linear;
mod nodes;
mod operators;
mod proto;
mod rewrite;
mod scale;
mod trees;
mod weigh;
mod whole;

use prost::Message as _;

use crate::{Malformed, Model};
use around::Around;
use fields::Fields;
use proto::Graph;

/// Its first field is the version of its form.
pub(super) fn is(content: &[u8]) -> bool {
    matches!(content, [0x08, 1..=127, ..])
}

pub(super) fn read(content: &[u8]) -> Result<Model, Malformed> {
    weigh::weigh(content)?;
    let model = proto::Model::decode(content).map_err(|error| weigh::not_onnx(&error))?;
    let graph = model.graph.ok_or_else(|| Malformed::new("the file", "its ONNX has no graph"))?;
    let fault = match inside(&graph) {
        Err(fault) if fault.other => fault,
        known => return known,
    };
    let lone = graph.nodes.iter().any(decides);
    // Of a model that would be known but for what is around it, that is what to tell.
    whole::read(graph, model.operators)
        .map(Model::Graph)
        .map_err(|whole| if lone { fault } else { whole })
}

/// Does the node hold a model whose inside is known?
fn decides(node: &proto::Node) -> bool {
    matches!(
        node.kind.as_str(),
        "TreeEnsembleClassifier"
            | "TreeEnsembleRegressor"
            | "TreeEnsemble"
            | "LinearClassifier"
            | "LinearRegressor"
    )
}

/// A model that is known from inside.
fn inside(graph: &Graph) -> Result<Model, Malformed> {
    let mut deciding = graph.nodes.iter().enumerate().filter(|(_, node)| decides(node));
    let Some((index, node)) = deciding.next() else {
        let message = "it holds no ensemble of trees and no linear model";
        return Err(Malformed::new("the graph", message).other());
    };
    if deciding.next().is_some() {
        return Err(Malformed::new("the graph", "it holds more than one model").other());
    }
    let node = Fields::new(node, index);
    let around = Around::read(graph, node)?;
    match node.node.kind.as_str() {
        "LinearClassifier" => linear::classifier(node, &around).map(Model::Linear),
        "LinearRegressor" => linear::regressor(node, &around).map(Model::Linear),
        "TreeEnsembleClassifier" => trees::classifier(node, &around).map(Model::Forest),
        "TreeEnsembleRegressor" => trees::regressor(node, &around).map(Model::Forest),
        _ => ensemble::read(node, &around).map(Model::Forest),
    }
}
