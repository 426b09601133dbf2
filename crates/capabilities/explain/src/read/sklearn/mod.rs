//! Parameters of scikit-learn's models as JSON, as docs/explain.md writes them. A pickle is never read: it can run code.

mod linear;
mod trees;

use super::{
    field::Field,
    value::{List, Value},
};
use crate::{Malformed, Model};

pub(super) fn read(json: &Value) -> Result<Model, Malformed> {
    let kind = Field::new(json, "").text("kind")?;
    if let Some(model) = linear::read(json, kind)? {
        return Ok(Model::Linear(model));
    }
    if let Some(model) = trees::read(json, kind)? {
        return Ok(Model::Forest(model));
    }
    Err(Malformed::new("/kind", format!("models of the kind `{kind}` cannot be read here."))
        .hint("Write the model as ONNX, or serve it and give the address."))
}

/// The names of `width` features: those given, or made up.
fn names(json: &Value, width: usize) -> Result<Vec<String>, Malformed> {
    let Some(given) = json.get("features") else {
        return Ok((0..width).map(|index| format!("f{index}")).collect());
    };
    let names = given.as_list().and_then(|names| {
        names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    let names = names.ok_or_else(|| Malformed::new("/features", "it is no list of texts"))?;
    if names.len() == width {
        Ok(names)
    } else {
        let message = format!("{} names are given for {width} features", names.len());
        Err(Malformed::new("/features", message))
    }
}

/// How many classes there are, if it is said.
fn classes(json: &Value) -> Result<Option<usize>, Malformed> {
    let Some(given) = json.get("classes").filter(|given| !given.is_null()) else { return Ok(None) };
    let count = given.as_list().map(List::len).filter(|count| *count >= 2);
    count.map(Some).ok_or_else(|| Malformed::new("/classes", "it is no list of two or more"))
}
