"""Small models of made-up rows, as JSON (docs/explain.md) and as ONNX, with the predictions of their origins.

python make.py, with scikit-learn 1.9, skl2onnx 1.20, onnx and onnxruntime of the versions that it writes into expected.json.
"""

import json

import numpy as np
import onnx
import onnxruntime
import skl2onnx
import sklearn
from onnx import TensorProto, helper
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.base import is_classifier
from sklearn.ensemble import (
    ExtraTreesRegressor, GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier)
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier


def described(model, features):
    """The parameters of a model, as Ephor reads them."""
    told = {"kind": type(model).__name__, "features": features}
    if hasattr(model, "classes_"):
        told["classes"] = model.classes_.tolist()
    if hasattr(model, "coef_"):
        return told | {"coef": model.coef_.tolist(), "intercept": np.asarray(model.intercept_).tolist()}
    trees = np.ravel(getattr(model, "estimators_", [model]))
    boosted = hasattr(model, "_raw_predict_init")
    told["trees"] = [
        {"children_left": t.children_left.tolist(), "children_right": t.children_right.tolist(),
         "feature": t.feature.tolist(), "threshold": t.threshold.tolist(),
         "value": (t.value[:, 0, :] if is_classifier(tree) else t.value[:, :, 0]).tolist(),
         "missing_go_to_left": t.missing_go_to_left.tolist(),
         "weighted_n_node_samples": t.weighted_n_node_samples.tolist()}
        for tree in trees for t in [tree.tree_]]
    if boosted:
        told |= {"learning_rate": model.learning_rate, "loss": model.loss,
                 "init": model._raw_predict_init(np.zeros((1, len(features)), np.float32))[0].tolist()}
    return told


rng = np.random.default_rng(7)
names = ["age", "income", "debt", "years"]
X = np.round(rng.normal(size=(300, 4)) * [10, 3, 1, 0.5], 2)
score = X[:, 0] / 10 - X[:, 1] / 3 + X[:, 2] * X[:, 3]
three = np.digitize(score + rng.normal(size=300) * 0.3, [-0.6, 0.6])
two = (three > 1).astype(int)
counts = np.round(np.exp(score / 2))
gaps = X.copy()
gaps[rng.random(X.shape) < 0.15] = np.nan
rows = X[:20]
models = {
    "logistic_three": (LogisticRegression().fit(X, three), X, "predict_proba"),
    "logistic_two": (LogisticRegression().fit(X, two), X, "predict_proba"),
    "ridge_two_outputs": (Ridge().fit(X, np.c_[score, counts]), X, "predict"),
    "poisson": (PoissonRegressor().fit(X, counts), X, "predict"),
    "svc": (LinearSVC().fit(X, two), X, "predict"),
    "boosted_three": (GradientBoostingClassifier(n_estimators=4, random_state=1).fit(X, three), X, "predict_proba"),
    "boosted_two": (GradientBoostingClassifier(n_estimators=5, random_state=1).fit(X, two), X, "predict_proba"),
    "boosted_exponential": (
        GradientBoostingClassifier(n_estimators=5, loss="exponential", random_state=1).fit(X, two), X, "predict_proba"),
    "boosted_number": (GradientBoostingRegressor(n_estimators=5, random_state=1).fit(X, score), X, "predict"),
    "extra_trees": (ExtraTreesRegressor(3, max_depth=4, random_state=1).fit(X, np.c_[score, counts]), X, "predict"),
    "forest_three": (RandomForestClassifier(4, max_depth=3, random_state=1).fit(X, three), X, "predict_proba"),
    "tree_with_gaps": (DecisionTreeClassifier(max_depth=4, random_state=1).fit(gaps, three), gaps, "predict_proba"),
}
expected = {"versions": {"sklearn": sklearn.__version__, "skl2onnx": skl2onnx.__version__, "onnx": onnx.__version__,
                         "onnxruntime": onnxruntime.__version__},
            "rows": rows.tolist(), "rows_with_gaps": json.loads(json.dumps(gaps[:20].tolist()).replace("NaN", "null")),
            "json": {}, "onnx": {}}
for name, (model, data, method) in models.items():
    with open(f"{name}.json", "w") as file:
        json.dump(described(model, names), file)
    found = np.asarray(getattr(model, method)(data[:20]), float).reshape(20, -1)
    one = found.shape[1] == 2 and name.startswith(("logistic", "boosted"))
    expected["json"][name] = (found[:, 1:] if one else found).tolist()


def ask(name, model, given, output):
    with open(f"{name}.onnx", "wb") as file:
        file.write(model.SerializeToString())
    session = onnxruntime.InferenceSession(model.SerializeToString())
    expected["onnx"][name] = np.asarray(session.run(None, given)[output], float).reshape(20, -1).tolist()


def convert(name, model, data=rows, kind=FloatTensorType):
    options = {id(model): {"zipmap": False}} if hasattr(model, "predict_proba") else None
    made = skl2onnx.to_onnx(model, initial_types=[("X", kind([None, 4]))], options=options, target_opset={"": 18, "ai.onnx.ml": 3})
    number = np.float32 if kind is FloatTensorType else np.float64
    ask(name, made, {"X": data.astype(number)}, 1 if hasattr(model, "predict_proba") else 0)


for name in ["logistic_three", "logistic_two", "ridge_two_outputs", "boosted_three", "boosted_two", "boosted_number",
             "extra_trees", "forest_three"]:
    convert(name, models[name][0])
convert("forest_in_double", models["forest_three"][0], kind=DoubleTensorType)
scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, two)
convert("scaled_logistic", scaled)
convert("scaled_forest", make_pipeline(StandardScaler(), RandomForestClassifier(4, max_depth=5, random_state=1)).fit(X, three))
columns = onnx.load("boosted_number.onnx")
del columns.graph.input[:]
columns.graph.input.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in names)
columns.graph.node.insert(0, helper.make_node("Concat", names, ["X"], axis=1))
ask("columns", columns, {name: rows[:, [at]].astype(np.float32) for at, name in enumerate(names)}, 0)

# Every mode of a question, values that are missing, and trees in the form of ai.onnx.ml 5.
modes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
whole = np.array([[(3 * at + 5 * column) % 4 - 1 for column in range(4)] for at in range(20)], np.float32)
whole[::7, 1] = np.nan
whole[3::5, 2] = np.nan
whole[::6, 0] += 0.5
tree, node, feature, mode, value, yes, no, tracks, leaves = [], [], [], [], [], [], [], [], []
for at, name in enumerate(modes):
    for track in (0, 1):
        number = 2 * at + track
        for index in range(5):
            inner = index in (0, 2)
            tree.append(number), node.append(index), feature.append((at + index) % 4)
            mode.append(name if inner else "LEAF"), value.append(float(at % 3) if inner else 0.0)
            yes.append(index + 1 if inner else 0), no.append(index + 2 if inner else 0), tracks.append(track)
            if not inner:
                leaves.append((number, index, (number + index) % 3, 0.25 * index - 0.1 * number))
attributes = dict(
    nodes_treeids=tree, nodes_nodeids=node, nodes_featureids=feature, nodes_modes=mode, nodes_values=value,
    nodes_truenodeids=yes, nodes_falsenodeids=no,
    nodes_missing_value_tracks_true=tracks, target_treeids=[leaf[0] for leaf in leaves],
    target_nodeids=[leaf[1] for leaf in leaves], target_ids=[leaf[2] for leaf in leaves],
    target_weights=[leaf[3] for leaf in leaves], n_targets=3, base_values=[0.5, -1.0, 0.25], aggregate_function="AVERAGE",
    post_transform="SOFTMAX")


def graph(kind, version, outputs, attributes):
    made = helper.make_node(kind, ["X"], ["Y"], domain="ai.onnx.ml", **attributes)
    inputs = [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 4])]
    made = helper.make_graph([made], "made", inputs, [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, outputs])])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("ai.onnx.ml", version), helper.make_opsetid("", 18)],
                             ir_version=8)


ask("modes", graph("TreeEnsembleRegressor", 3, 3, attributes), {"X": whole}, 0)
floats = lambda all: helper.make_tensor("t", TensorProto.FLOAT, [len(all)], all)
ensemble = dict(
    n_targets=2, aggregate_function=1, post_transform=0, tree_roots=[0, 2],
    nodes_featureids=[0, 1, 2, 3], nodes_splits=floats([0.0, 1.0, 1.0, 0.0]),
    nodes_modes=helper.make_tensor("m", TensorProto.UINT8, [4], [0, 4, 1, 2]),
    nodes_truenodeids=[1, 0, 2, 4], nodes_trueleafs=[0, 1, 1, 1], nodes_falsenodeids=[5, 1, 3, 3], nodes_falseleafs=[1, 1, 0, 1],
    nodes_missing_value_tracks_true=[0, 1, 0, 1],
    leaf_targetids=[0, 1, 0, 0, 1, 0], leaf_weights=floats([1.0, -2.0, 0.5, 4.0, -0.25, 8.0]))
ask("ensemble", graph("TreeEnsemble", 5, 2, ensemble), {"X": whole}, 0)
expected["whole"] = json.loads(json.dumps(whole.tolist()).replace("NaN", "null"))
with open("expected.json", "w") as file:
    json.dump(expected, file)
