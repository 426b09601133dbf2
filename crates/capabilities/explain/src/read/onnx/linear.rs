//! `LinearClassifier` and `LinearRegressor`.

use super::{Around, Fields};
use crate::{Linear, Link, Malformed};

pub(super) fn classifier(node: Fields<'_>, around: &Around) -> Result<Linear, Malformed> {
    let classes =
        node.wholes("classlabels_ints").len().max(node.words("classlabels_strings")?.len());
    let (mut weights, mut intercepts) =
        (node.numbers("coefficients")?, node.numbers("intercepts")?);
    if intercepts.is_empty() {
        return Err(node.fault("`intercepts`, which tell how many sums it makes, are missing"));
    }
    let outputs = outputs(node, &weights, &mut intercepts, None)?;
    let after = node.word("post_transform", "NONE")?;
    // Two rows that mirror each other are one and its complement.
    let (first, second) = weights.split_at(weights.len() / 2);
    let mirrored = outputs == 2
        && first.iter().zip(second).all(|(one, two)| *one == -*two)
        && intercepts[0] == -intercepts[1];
    if mirrored && after == "LOGISTIC" {
        weights.drain(..weights.len() / 2);
        intercepts.remove(0);
    }
    let link = match (after, intercepts.len()) {
        ("LOGISTIC", 1) => Link::Logistic { scale: 1.0 },
        ("SOFTMAX", 2..) => Link::Softmax,
        ("LOGISTIC", _) if !around.normalized => Link::Logistic { scale: 1.0 },
        ("NONE", _) if !around.normalized => Link::Identity,
        (other, count) => {
            let message = format!("`{other}` of {count} sums cannot be read here");
            return Err(node.fault(message));
        }
    };
    if outputs > 1 && outputs != classes {
        return Err(node.fault(format!("it has {outputs} sums for {classes} classes")));
    }
    scaled(node, around, weights, intercepts, link)
}

pub(super) fn regressor(node: Fields<'_>, around: &Around) -> Result<Linear, Malformed> {
    let (weights, mut intercepts) = (node.numbers("coefficients")?, node.numbers("intercepts")?);
    let targets = usize::try_from(node.whole("targets", 1)).ok().filter(|targets| *targets > 0);
    let targets = targets.ok_or_else(|| node.fault("`targets` is no count"))?;
    outputs(node, &weights, &mut intercepts, Some(targets))?;
    match node.word("post_transform", "NONE")? {
        "NONE" if !around.normalized => scaled(node, around, weights, intercepts, Link::Identity),
        other => Err(node.fault(format!("`{other}` of a regression cannot be read here"))),
    }
}

/// How many sums there are; what they start from is 0 when nothing is said.
fn outputs(
    node: Fields<'_>,
    weights: &[f64],
    intercepts: &mut Vec<f64>,
    targets: Option<usize>,
) -> Result<usize, Malformed> {
    if intercepts.is_empty() {
        intercepts.resize(targets.map_or(0, |targets| targets.min(weights.len())), 0.0);
    }
    let outputs = intercepts.len();
    let finite = weights.iter().chain(&*intercepts).all(|number| number.is_finite());
    if weights.is_empty()
        || !weights.len().is_multiple_of(outputs)
        || targets.is_some_and(|targets| targets != outputs)
        || !finite
    {
        let message = format!("its {} weights do not fit its {outputs} intercepts", weights.len());
        return Err(node.fault(message));
    }
    Ok(outputs)
}

/// What a scaler does to the features goes into the weights.
fn scaled(
    node: Fields<'_>,
    around: &Around,
    mut coefficients: Vec<f64>,
    mut intercepts: Vec<f64>,
    link: Link,
) -> Result<Linear, Malformed> {
    let width = coefficients.len() / intercepts.len();
    let features = around.features(width)?;
    if features.len() != width {
        let message = format!("it has {width} weights for {} features", features.len());
        return Err(node.fault(message));
    }
    if let Some((offset, scale)) = &around.scaler {
        let of = |list: &[f64], feature: usize| match list {
            [one] => Some(*one),
            all => all.get(feature).copied().filter(|_| all.len() == width),
        };
        for (row, intercept) in coefficients.chunks_mut(width).zip(&mut intercepts) {
            for (feature, weight) in row.iter_mut().enumerate() {
                let (Some(offset), Some(scale)) = (of(offset, feature), of(scale, feature)) else {
                    return Err(node.fault("the scaler before it has other features"));
                };
                *weight *= scale;
                *intercept -= *weight * offset;
            }
        }
        if coefficients.iter().chain(&intercepts).any(|number| !number.is_finite()) {
            return Err(node.fault("the scaler before it makes numbers that are not finite"));
        }
    }
    Ok(Linear { features, coefficients, intercepts, link })
}
