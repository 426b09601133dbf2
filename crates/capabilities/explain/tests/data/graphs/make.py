"""Small models that only answer, as ONNX, with the predictions of onnxruntime; and graphs that are refused.

python make.py, with scikit-learn, skl2onnx, onnx and onnxruntime of the versions that it writes into expected.json.
"""

import json

import numpy as np
import onnx
import onnxruntime
import skl2onnx
import sklearn
from onnx import TensorProto, helper, numpy_helper
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, PolynomialFeatures, StandardScaler

rng = np.random.default_rng(11)
X = np.round(rng.normal(size=(300, 4)) * [10, 3, 1, 0.5], 2)
score = X[:, 0] / 10 - X[:, 1] / 3 + X[:, 2] * X[:, 3]
three = np.digitize(score + rng.normal(size=300) * 0.3, [-0.6, 0.6])
two = (three > 1).astype(int)
gaps = X.copy()
gaps[rng.random(X.shape) < 0.15] = np.nan
rows = X[:20]
expected = {"versions": {"sklearn": sklearn.__version__, "skl2onnx": skl2onnx.__version__, "onnx": onnx.__version__,
                         "onnxruntime": onnxruntime.__version__},
            "rows": rows.tolist(), "rows_with_gaps": json.loads(json.dumps(gaps[:20].tolist()).replace("NaN", "null")),
            "predicted": {}, "refused": {}}


def write(name, model):
    with open(f"{name}.onnx", "wb") as file:
        file.write(model.SerializeToString())


def ask(name, model, given, output, one_by_one=False):
    write(name, model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    entry = session.get_inputs()[0].name
    parts = [given[at:at + 1] for at in range(len(given))] if one_by_one else [given]
    found = []
    for part in parts:
        answer = session.run(None, {entry: part})[output]
        # Probabilities by class come as a list of dictionaries.
        answer = [list(one.values()) for one in answer] if isinstance(answer, list) else answer
        found.extend(np.asarray(answer, float).reshape(len(part), -1).tolist())
    expected["predicted"][name] = found


def convert(name, model, target, data=X, kind=FloatTensorType, zipmap=True):
    model.fit(data, target)
    classifies = hasattr(model, "predict_proba")
    options = {id(model): {"zipmap": zipmap}} if classifies else None
    made = skl2onnx.to_onnx(model, initial_types=[("X", kind([None, 4]))], options=options,
                            target_opset={"": 18, "ai.onnx.ml": 3})
    number = np.float32 if kind is FloatTensorType else np.float64
    ask(name, made, data[:20].astype(number), 1 if classifies else 0)


def network(**more):
    return dict(hidden_layer_sizes=(6, 4), max_iter=400, random_state=1) | more


convert("network_two", make_pipeline(StandardScaler(), MLPClassifier(**network())), two)
convert("network_three", make_pipeline(StandardScaler(), MLPClassifier(**network(activation="tanh"))), three, zipmap=False)
convert("imputed", make_pipeline(SimpleImputer(), MinMaxScaler(), MLPClassifier(**network())), two, data=gaps)
convert("bayes", GaussianNB(), three)
convert("discriminant", QuadraticDiscriminantAnalysis(), three)
convert("polynomial", make_pipeline(PolynomialFeatures(2), LogisticRegression(max_iter=2000)), two)
convert("normalized", make_pipeline(Normalizer(), LogisticRegression()), three)


def tensor(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


def model(nodes, constants, batch="N", width=4, outputs=("Y",), inputs=("X",), version=17, kind=TensorProto.FLOAT):
    given = [helper.make_tensor_value_info(name, kind, [batch, width]) for name in inputs]
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    made = helper.make_graph(nodes, "made", given, made, constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", version)], ir_version=8)


# As PyTorch writes them: shapes that are computed, layers of several kinds, and a batch of any size or of one.
def weights(*shape):
    return (rng.normal(size=shape) / 2).astype(np.float32)


def layers():
    nodes = [
        helper.make_node("Mul", ["X", "unit"], ["scaled"]),
        helper.make_node("Gemm", ["scaled", "w1", "b1"], ["h1"], transB=1),
        helper.make_node("LayerNormalization", ["h1", "gain", "shift"], ["h2"], axis=-1),
        helper.make_node("Div", ["h2", "root2"], ["h3"]),
        helper.make_node("Erf", ["h3"], ["h4"]),
        helper.make_node("Add", ["h4", "one"], ["h5"]),
        helper.make_node("Mul", ["h2", "h5"], ["h6"]),
        helper.make_node("Shape", ["h6"], ["s1"]),
        helper.make_node("Gather", ["s1", "zero"], ["s2"], axis=0),
        helper.make_node("Unsqueeze", ["s2", "first"], ["s3"]),
        helper.make_node("Concat", ["s3", "halves"], ["s4"], axis=0),
        helper.make_node("Reshape", ["h6", "s4"], ["h7"]),
        helper.make_node("Transpose", ["h7"], ["h8"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["h7", "h8"], ["h9"]),
        helper.make_node("Softmax", ["h9"], ["h10"], axis=-1),
        helper.make_node("MatMul", ["h10", "h7"], ["h11"]),
        helper.make_node("ReduceMean", ["h11"], ["h12"], axes=[1], keepdims=0),
        helper.make_node("LeakyRelu", ["h12"], ["h13"], alpha=0.1),
        helper.make_node("Gemm", ["h13", "w2", "b2"], ["Y"], transB=1),
    ]
    constants = [
        tensor("unit", np.array([0.1, 0.3, 1, 2], np.float32)), tensor("w1", weights(8, 4)), tensor("b1", weights(8)),
        tensor("gain", 1 + weights(8)), tensor("shift", weights(8)), tensor("root2", np.float32(np.sqrt(2))),
        tensor("one", np.float32(1)), tensor("zero", np.int64(0)), tensor("first", np.array([0])),
        tensor("halves", np.array([2, 4])), tensor("w2", weights(3, 4)), tensor("b2", weights(3)),
    ]
    return nodes, constants


ask("layers", model(*layers()), rows.astype(np.float32), 0)
ask("one_row", model(*layers(), batch=1), rows.astype(np.float32), 0, one_by_one=True)


def refuse(name, model, words):
    write(name, model)
    expected["refused"][name] = words


def hidden(*nodes, **more):
    """Nodes that make Y of X and c."""
    constants = more.pop("constants", [tensor("c", weights(4))])
    return model(list(nodes), constants, **more)


# In 64 bits, of which the library that runs graphs has no sigmoid.
sigmoid = MLPRegressor(**network(activation="logistic")).fit(X, score)
sigmoid = skl2onnx.to_onnx(sigmoid, initial_types=[("X", DoubleTensorType([None, 4]))], target_opset={"": 18, "ai.onnx.ml": 3})
ask("network_number", sigmoid, rows, 0)
node = helper.make_node
neighbours = KNeighborsClassifier(3).fit(X[:10], two[:10])
refuse("loop", skl2onnx.to_onnx(neighbours, X[:1].astype(np.float32), target_opset=18), "(Scan): operators of this kind are not run")
refuse("chance", hidden(node("RandomNormalLike", ["X"], ["Y"])), "(RandomNormalLike): operators of this kind are not run")
refuse("foreign", hidden(node("Relu", ["X"], ["Y"], domain="elsewhere")), "(Relu): operators of this kind are not run")
refuse("texts", hidden(node("Cast", ["X"], ["Y"], to=TensorProto.STRING)), "it makes values of the kind 8")
refuse("labels", hidden(node("Relu", ["X"], ["Y"]), outputs=()), "it has no output of numbers")
refuse("whole_numbers", hidden(node("Abs", ["X"], ["Y"]), kind=TensorProto.INT64), "it takes no numbers of 32 or 64 bits")
refuse("no_width", hidden(node("Relu", ["X"], ["Y"]), width="F"), "it does not say how many features it has")
refuse("one_answer", hidden(node("ReduceSum", ["X"], ["Y"], keepdims=0)), "it predicts one number for all rows")
refuse("turned", hidden(node("Transpose", ["X"], ["Y"])), "its predictions are not those of")
refuse("circle", hidden(node("Add", ["X", "Y"], ["Z"]), node("Relu", ["Z"], ["Y"])), "`Y` is used before it is computed")
refuse("twice", hidden(node("Relu", ["X"], ["Y"]), node("Abs", ["X"], ["Y"])), "`Y` is made twice")
refuse("nothing", hidden(node("Add", ["X", "nobody"], ["Y"])), "nothing makes `nobody`")
refuse("old", hidden(node("Relu", ["X"], ["Y"]), version=3), "its operators are of version 3")
elsewhere = tensor("c", weights(4))
elsewhere.ClearField("raw_data")
elsewhere.data_location = TensorProto.EXTERNAL
elsewhere.external_data.add(key="location", value="/etc/passwd")
refuse("elsewhere", hidden(node("Add", ["X", "c"], ["Y"]), constants=[elsewhere]), "its numbers are in another file")
short = tensor("c", weights(4))
short.dims[0] = 1 << 40
refuse("short", hidden(node("Add", ["X", "c"], ["Y"]), constants=[short]), "do not fit its shape")
# A few bytes that ask for any amount of memory, or of time.
far = tensor("shape", np.array([1 << 40, 4]))
refuse("wide", hidden(node("ConstantOfShape", ["shape"], ["big"]), node("ReduceSum", ["big"], ["sum"], keepdims=0),
                      node("Add", ["X", "sum"], ["Y"]), constants=[far]), "`big` holds nothing")
refuse("spread", hidden(node("Expand", ["X", "shape"], ["big"]), node("ReduceSum", ["big"], ["sum"], keepdims=0),
                        node("Add", ["X", "sum"], ["Y"]), constants=[tensor("shape", np.array([1 << 30, 1, 4]))]),
       "its values are more than")
doubled = [node("Concat", [f"x{at}" if at else "X"] * 2, [f"x{at + 1}"], axis=1) for at in range(40)]
refuse("doubled", hidden(*doubled, node("ReduceSum", ["x40"], ["Y"]), constants=[]), "its values are more than")
slow = [node("MatMul", ["square" if at == 0 else f"m{at}", "square"], [f"m{at + 1}"]) for at in range(60)]
zeros = node("ConstantOfShape", ["shape"], ["square"])
refuse("slow", hidden(zeros, *slow, node("ReduceSum", ["m60"], ["sum"], keepdims=0), node("Add", ["X", "sum"], ["Y"]),
                      constants=[tensor("shape", np.array([2400, 2400]))]), "it takes more than")
refuse("far_axis", hidden(node("Gather", ["X", "at"], ["Y"], axis=-100), constants=[tensor("at", np.array([0]))]),
       "there is no dimension -100")
with open("expected.json", "w") as file:
    json.dump(expected, file)
