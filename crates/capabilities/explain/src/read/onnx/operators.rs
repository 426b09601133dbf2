//! The operators that are run. What draws by chance, loops, holds graphs of its own, or makes sizes out of values is not: an answer
//! has to be the same each time, and what it takes has to be known before it is computed.

use super::{fields::Fields, proto::Operators};
use crate::Malformed;

/// Of ONNX itself, in alphabetical order.
const GENERAL: &str = "\
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh BatchNormalization Cast Ceil Celu \
    Clip Concat Constant ConstantOfShape Cos Cosh Div Dropout Elu Equal Erf Exp Expand Flatten \
    Floor Gather GatherElements Gelu Gemm Greater GreaterOrEqual HardSigmoid HardSwish Identity \
    IsInf IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max Mean Min \
    Mish Mul Neg Not Or PRelu Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp \
    ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round Selu \
    Shape Sigmoid Sign Sin Sinh Slice Softmax Softplus Softsign Split Sqrt Squeeze Sub Sum Tan \
    Tanh ThresholdedRelu Tile TopK Transpose Unsqueeze Where Xor";

/// Of its machine learning.
const LEARNT: &str = "ArrayFeatureExtractor LinearClassifier LinearRegressor Normalizer";

/// Versions of the general operators that are run.
const VERSIONS: std::ops::RangeInclusive<i64> = 7..=22;

/// Is the node one of those?
pub(super) fn known(node: Fields<'_>) -> Result<(), Malformed> {
    let all = match node.node.domain.as_str() {
        "" | "ai.onnx" => GENERAL,
        "ai.onnx.ml" => LEARNT,
        _ => "",
    };
    if all.split_whitespace().any(|one| one == node.node.kind) {
        return Ok(());
    }
    Err(node.fault("operators of this kind are not run here.").hint(
        "Serve the model and ask it there (--endpoint), or write it without them: docs/explain.md says which are run.",
    ))
}

/// Are the operators of versions that are run?
pub(super) fn versions(all: &[Operators]) -> Result<(), Malformed> {
    let general = all.iter().find(|one| matches!(one.domain.as_str(), "" | "ai.onnx"));
    match general {
        Some(one) if !VERSIONS.contains(&one.version) => Err(Malformed::new(
            "the file",
            format!(
                "its operators are of version {}; those of {} to {} are run",
                one.version,
                VERSIONS.start(),
                VERSIONS.end()
            ),
        )),
        _ => Ok(()),
    }
}
