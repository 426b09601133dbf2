//! Linear and logistic models.

use super::{Field, Value, classes, names};
use crate::{Linear, Link, Malformed};

/// What the sums become: a number, a class by their sign, or probabilities.
enum Kind {
    Number(Link),
    Sign,
    Probability,
}

pub(super) fn read(json: &Value, kind: &str) -> Result<Option<Linear>, Malformed> {
    let kind = match kind {
        "linear" | "LinearRegression" | "Ridge" | "RidgeCV" | "Lasso" | "LassoCV"
        | "ElasticNet" | "ElasticNetCV" | "BayesianRidge" | "HuberRegressor" | "SGDRegressor"
        | "LinearSVR" | "QuantileRegressor" => Kind::Number(Link::Identity),
        "PoissonRegressor" | "GammaRegressor" => Kind::Number(Link::Exponential),
        "LinearSVC" | "RidgeClassifier" | "Perceptron" => Kind::Sign,
        "logistic" | "LogisticRegression" | "LogisticRegressionCV" => Kind::Probability,
        _ => return Ok(None),
    };
    let rows = rows(json)?;
    let (outputs, width) = (rows.len(), rows[0].len());
    let intercepts = intercepts(json, outputs)?;
    let ovr = json.get("multi_class").and_then(Value::as_str) == Some("ovr");
    let link = match kind {
        Kind::Number(link) => link,
        Kind::Sign if outputs == 1 => Link::Sign,
        Kind::Probability if outputs == 1 => Link::Logistic { scale: 1.0 },
        Kind::Probability if !ovr => Link::Softmax,
        Kind::Sign | Kind::Probability => {
            return Err(Malformed::new(
                "/coef",
                "one-versus-rest models of several classes cannot be read here.",
            )
            .hint("Write the model as ONNX, or serve it and give the address."));
        }
    };
    let expected = classes(json)?.map(|classes| if classes == 2 { 1 } else { classes });
    if expected.is_some_and(|expected| expected != outputs) {
        return Err(Malformed::new("/coef", format!("its {outputs} rows do not fit the classes")));
    }
    let coefficients = rows.concat();
    if coefficients.iter().chain(&intercepts).any(|number| !number.is_finite()) {
        return Err(Malformed::new("/coef", "a weight is not finite"));
    }
    Ok(Some(Linear { features: names(json, width)?, coefficients, intercepts, link }))
}

/// The weights: a list, or a list for each output.
fn rows(json: &Value) -> Result<Vec<Vec<f64>>, Malformed> {
    const PLACE: &str = "/coef";
    let field = Field::new(json, "");
    let list = field.list("coef")?;
    let rows = if list.is_numeric() {
        vec![field.numbers("coef")?]
    } else {
        let rows: Option<Vec<Vec<f64>>> = list.iter().map(|row| row.as_list()?.numbers()).collect();
        rows.ok_or_else(|| Malformed::new(PLACE, "not all of its rows are lists of numbers"))?
    };
    let width = rows.first().map_or(0, Vec::len);
    if width == 0 || rows.iter().any(|row| row.len() != width) {
        return Err(Malformed::new(PLACE, "its rows are empty, or not of one length"));
    }
    Ok(rows)
}

/// A number, one for all or one for each output.
fn intercepts(json: &Value, outputs: usize) -> Result<Vec<f64>, Malformed> {
    const KEY: &str = "intercept";
    let one = match json.get(KEY) {
        None => Some(0.0),
        Some(given) => given.as_f64(),
    };
    let all = match one {
        Some(one) => vec![one; outputs],
        None => Field::new(json, "").numbers(KEY)?,
    };
    match all.as_slice() {
        [one] => Ok(vec![*one; outputs]),
        _ if all.len() == outputs => Ok(all),
        _ => {
            let message = format!("{} numbers are given for {outputs} outputs", all.len());
            Err(Malformed::new("/intercept", message))
        }
    }
}
