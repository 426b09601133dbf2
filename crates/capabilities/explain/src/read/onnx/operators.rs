//! The operators that are run. What draws by chance, loops, holds graphs of its own, or makes sizes out of values is not: an answer
//! has to be the same each time, and what it takes has to be known before it is computed. Recurrent cells are no loops: their steps
//! are as many as what they are given has. Choices are written out before.

use super::{fields::Fields, proto::Operators};
use crate::Malformed;

/// Of ONNX itself, in alphabetical order.
const GENERAL: &str = "\
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization \
    Cast CastLike Ceil Celu Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos Cosh \
    CumSum Div Dropout Einsum Elu Equal Erf Exp Expand Flatten Floor GRU Gather GatherElements \
    GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GroupNormalization \
    HardSigmoid HardSwish Identity InstanceNormalization IsInf IsNaN LSTM LayerNormalization \
    LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization MatMul Max MaxPool Mean Min Mish \
    Mul Neg Not OneHot Or PRelu Pad Pow RNN Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum \
    ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu \
    Reshape Round ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice \
    Softmax Softplus Softsign Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK \
    Transpose Trilu Unsqueeze Where Xor";

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
    let why = why(&node.node.kind);
    Err(node.fault(format!("operators of this kind are not run here{why}.")).hint(
        "Serve the model and ask it there (--endpoint), or write it without them: docs/explain.md says which are run.",
    ))
}

/// Why it is not run, where that is more than that nobody asked for it.
fn why(kind: &str) -> &'static str {
    match kind {
        "If" => {
            ": of a choice both graphs have to make as many values as it does, and to take none; at most 8 are read within one another"
        }
        "Loop" | "Scan" | "SequenceMap" => {
            ": what loops and other graphs within a graph take is not known before they are run"
        }
        "Compress" | "NonMaxSuppression" | "NonZero" | "Unique" => {
            ": how much they make depends on values"
        }
        "Bernoulli" | "Multinomial" | "RandomNormal" | "RandomNormalLike" | "RandomUniform"
        | "RandomUniformLike" => {
            ": they draw by chance, and an answer has to be the same each time"
        }
        _ => "",
    }
}

/// Are the operators of versions that are run?
pub(super) fn versions(all: &[Operators]) -> Result<(), Malformed> {
    match general(all) {
        Some(version) if !VERSIONS.contains(&version) => Err(Malformed::new(
            "the file",
            format!(
                "its operators are of version {version}; those of {} to {} are run",
                VERSIONS.start(),
                VERSIONS.end()
            ),
        )),
        _ => Ok(()),
    }
}

/// The version of the general operators, if the file says one.
pub(super) fn general(all: &[Operators]) -> Option<i64> {
    let one = all.iter().find(|one| matches!(one.domain.as_str(), "" | "ai.onnx"));
    one.map(|one| one.version)
}
