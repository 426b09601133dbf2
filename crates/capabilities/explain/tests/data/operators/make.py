"""One small graph for each family of operators, as ONNX, with the predictions of onnxruntime; and graphs that are refused.

python make.py, with numpy, onnx and onnxruntime of the versions that it writes into expected.json.
"""

import json

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

WIDTH = 12
rng = np.random.default_rng(23)
rows = np.round(rng.normal(size=(20, WIDTH)) * 2, 2)
node = helper.make_node
expected = {"versions": {"numpy": np.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__},
            "rows": rows.tolist(), "predicted": {}, "refused": {}}


def weights(*shape):
    return (rng.normal(size=shape) / 2).astype(np.float32)


def whole(*numbers):
    return np.array(numbers, np.int64)


def model(nodes, constants, version=18, kind=TensorProto.FLOAT, batch="N", columns=None):
    columns = columns or [("X", kind, WIDTH)]
    given = [helper.make_tensor_value_info(name, element, [batch, width]) for name, element, width in columns]
    made = [helper.make_tensor_value_info("Y", kind, None)]
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "made", given, made, constants)
    sets = [helper.make_opsetid("", version), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=sets, ir_version=8)


def write(name, made):
    with open(f"{name}.onnx", "wb") as file:
        file.write(made.SerializeToString())


def ask(name, nodes, constants, apart=False, **more):
    made = model(nodes, constants, **more)
    write(name, made)
    session = onnxruntime.InferenceSession(made.SerializeToString())
    given, start = {}, 0
    for entry in session.get_inputs():
        width = entry.shape[1]
        number = np.float64 if entry.type == "tensor(double)" else np.float32
        given[entry.name] = rows[:, start:start + width].astype(number)
        start += width
    if apart:
        each = [{name: value[at:at + 1] for name, value in given.items()} for at in range(len(rows))]
        answer = np.concatenate([session.run(None, one)[0] for one in each])
    else:
        answer = session.run(None, given)[0]
    assert np.isfinite(answer).all() and len(answer) == len(rows), name
    assert answer.reshape(len(rows), -1).std(axis=0).min() > 1e-3, name
    expected["predicted"][name] = np.asarray(answer, float).reshape(len(rows), -1).tolist()


def refuse(name, words, nodes, constants, **more):
    write(name, model(nodes, constants, **more))
    expected["refused"][name] = words


# Convolutions and poolings.
ask("sequence", [
    node("Reshape", ["X", "shape"], ["h1"]),
    node("Conv", ["h1", "w1", "b1"], ["h2"], kernel_shape=[3], pads=[1, 1]),
    node("LeakyRelu", ["h2"], ["h3"], alpha=0.1),
    node("Conv", ["h3", "w2"], ["h4"], kernel_shape=[3], pads=[2, 2], dilations=[2], group=6),
    node("BatchNormalization", ["h4", "gain", "shift", "mean", "variance"], ["h5"]),
    node("MaxPool", ["h5"], ["h6"], kernel_shape=[2], strides=[2]),
    node("Conv", ["h6", "w3", "b3"], ["h7"], kernel_shape=[2], group=2, pads=[0, 1], strides=[2]),
    node("GlobalAveragePool", ["h7"], ["h8"]),
    node("Flatten", ["h8"], ["h9"]),
    node("Gemm", ["h9", "w4", "b4"], ["Y"], transB=1),
], {"shape": whole(0, 2, 6), "w1": weights(6, 2, 3), "b1": weights(6), "w2": weights(6, 1, 3), "gain": 1 + weights(6),
    "shift": weights(6), "mean": weights(6), "variance": np.abs(weights(6)) + 0.5, "w3": weights(4, 3, 2), "b3": weights(4),
    "w4": weights(2, 4), "b4": weights(2)})
ask("picture", [
    node("Reshape", ["X", "shape"], ["h1"]),
    node("Conv", ["h1", "w1", "b1"], ["h2"], kernel_shape=[3, 3], auto_pad="SAME_UPPER"),
    node("PRelu", ["h2", "slope"], ["h3"]),
    node("AveragePool", ["h3"], ["h4"], kernel_shape=[2, 3], pads=[0, 1, 1, 1], count_include_pad=0),
    node("Conv", ["h4", "w2"], ["h5"], kernel_shape=[2, 2], strides=[1, 2], auto_pad="SAME_LOWER"),
    node("InstanceNormalization", ["h5", "gain", "shift"], ["h6"]),
    node("AveragePool", ["h6"], ["h7"], kernel_shape=[2, 2], pads=[1, 1, 1, 1], strides=[2, 2], count_include_pad=1),
    node("MaxPool", ["h7"], ["h8"], kernel_shape=[2, 1], strides=[2, 1], ceil_mode=1),
    node("GlobalMaxPool", ["h6"], ["h9"]),
    node("ReduceL2", ["h7", "places"], ["h10"]),
    node("Flatten", ["h8"], ["f1"]), node("Flatten", ["h9"], ["f2"]), node("Flatten", ["h10"], ["f3"]),
    node("Concat", ["f1", "f2", "f3"], ["all"], axis=1),
    node("MatMul", ["all", "w3"], ["Y"]),
], {"shape": whole(-1, 1, 3, 4), "w1": weights(4, 1, 3, 3), "b1": weights(4), "slope": weights(4, 1, 1),
    "w2": weights(3, 4, 2, 2), "gain": 1 + weights(3), "shift": weights(3), "w3": weights(12, 3), "places": whole(2, 3)})
ask("turned_back", [
    node("Reshape", ["X", "flat"], ["h1"]),
    node("ConvTranspose", ["h1", "w1", "b1"], ["h2"], kernel_shape=[3], strides=[2], pads=[1, 1], output_padding=[1]),
    node("Tanh", ["h2"], ["h3"]),
    node("Reshape", ["h3", "square"], ["h4"]),
    node("ConvTranspose", ["h4", "w2"], ["h5"], kernel_shape=[2, 2], group=2, dilations=[1, 2]),
    node("GroupNormalization", ["h5", "gain", "shift"], ["h6"], num_groups=2),
    node("ReduceMean", ["h6", "places"], ["Y"], keepdims=0),
], {"flat": whole(0, 3, 4), "w1": weights(3, 4, 3), "b1": weights(4), "square": whole(0, 4, 2, 4), "w2": weights(4, 2, 2, 2),
    "gain": 1 + weights(4), "shift": weights(4), "places": whole(2)}, version=21)
ask("padded", [
    node("Reshape", ["X", "flat"], ["h1"]),
    node("Pad", ["h1", "ends"], ["h2"], mode="reflect"),
    node("Pad", ["h2", "both", "nine"], ["h3"], mode="constant"),
    node("Pad", ["h3", "edges"], ["h4"], mode="edge"),
    node("Conv", ["h4", "w1"], ["h5"], kernel_shape=[4], strides=[2]),
    node("Flatten", ["h5"], ["h6"]),
    node("MatMul", ["h6", "w2"], ["Y"]),
], {"flat": whole(-1, 3, 4), "ends": whole(0, 0, 2, 0, 0, 3), "both": whole(0, 1, 1, 0, 0, 0), "nine": np.float32(0.9),
    "edges": whole(0, 0, 1, 0, 1, 2), "w1": weights(2, 5, 4), "w2": weights(10, 2)})


# Recurrent cells, over six steps of two features.
def cell(kind, ways, gates, hidden, outputs, **more):
    steps = [node("Reshape", ["X", "steps"], ["h1"]), node("Transpose", ["h1"], ["h2"], perm=[1, 0, 2])]
    made = node(kind, ["h2", "w", "r", "b"], outputs, hidden_size=hidden, **more)
    constants = {"steps": whole(0, 6, 2), "w": weights(ways, gates * hidden, 2), "r": weights(ways, gates * hidden, hidden),
                 "b": weights(ways, 2 * gates * hidden)}
    return [*steps, made], constants


def last(ways, hidden, constants):
    """The states after the last step, as one row."""
    constants |= {"row": whole(-1, ways * hidden), "out": weights(ways * hidden, 2)}
    return [node("Transpose", ["last"], ["h4"], perm=[1, 0, 2]), node("Reshape", ["h4", "row"], ["h5"]),
            node("MatMul", ["h5", "out"], ["Y"])]


nodes, constants = cell("LSTM", 1, 4, 5, ["", "last"])
ask("lstm", nodes + last(1, 5, constants), constants)
nodes, constants = cell("LSTM", 2, 4, 3, ["all", "last", "cells"], direction="bidirectional",
                        activations=["Sigmoid", "Tanh", "Tanh"] * 2)
constants |= {"places": whole(0, 1)}
ask("lstm_both_ways", nodes + [node("Mul", ["last", "cells"], ["more"]), node("ReduceMean", ["more", "places0"], ["m1"], keepdims=0),
                               node("ReduceMean", ["all", "places"], ["m2"], keepdims=0), node("Add", ["m1", "m2"], ["Y"])],
    constants | {"places0": whole(0)})
nodes, constants = cell("GRU", 1, 3, 4, ["all", "last"], linear_before_reset=1)
ask("gru", nodes + last(1, 4, constants), constants)
nodes, constants = cell("GRU", 2, 3, 3, ["", "last"], direction="bidirectional")
ask("gru_both_ways", nodes + last(2, 3, constants), constants)
nodes, constants = cell("RNN", 1, 1, 4, ["", "last"])
ask("rnn", nodes + last(1, 4, constants), constants)
nodes, constants = cell("LSTM", 1, 4, 3, ["", "last"])
nodes[2] = node("LSTM", ["h2", "w", "r", "b", "", "first", "kept", "holes"], ["", "last"], hidden_size=3)
start = [node("Shape", ["X"], ["size"], end=1), node("Concat", ["one", "size", "three"], ["states"], axis=0),
         node("ConstantOfShape", ["states"], ["first"], value=numpy_helper.from_array(np.array([0.3], np.float32))),
         node("ConstantOfShape", ["states"], ["kept"], value=numpy_helper.from_array(np.array([-0.2], np.float32)))]
constants |= {"one": whole(1), "three": whole(3), "holes": weights(1, 9)}
ask("lstm_with_holes", start + nodes + last(1, 3, constants), constants)

# Embeddings, masks and tables.
ask("coded", [
    node("Slice", ["X", "zero", "two", "second"], ["h1"]),
    node("Abs", ["h1"], ["h2"]), node("Clip", ["h2", "none", "most"], ["h3"]), node("Cast", ["h3"], ["h4"], to=TensorProto.INT64),
    node("OneHot", ["h4", "four", "off_on"], ["h5"], axis=-1),
    node("Einsum", ["h5", "w1"], ["h6"], equation="nij,jk->nik"),
    node("Flatten", ["h6"], ["h7"]),
    node("Slice", ["X", "two", "end", "second"], ["h8"]),
    node("Concat", ["h7", "h8"], ["h9"], axis=1),
    node("MatMul", ["h9", "w2"], ["Y"]),
], {"zero": whole(0), "two": whole(2), "second": whole(1), "end": whole(WIDTH), "four": np.int64(4),
    "none": np.float32(0), "most": np.float32(3), "off_on": np.array([0, 1], np.float32), "w1": weights(4, 3), "w2": weights(16, 3)})
ask("attended", [
    node("Reshape", ["X", "shape"], ["h1"]),
    node("Einsum", ["h1", "h1"], ["h2"], equation="nid,njd->nij"),
    node("Range", ["zero", "three", "one"], ["h3"]), node("Cast", ["h3"], ["h4"], to=TensorProto.FLOAT),
    node("Add", ["h2", "h4"], ["h5"]),
    node("Trilu", ["h5", "one"], ["h6"], upper=0),
    node("Softmax", ["h6"], ["h7"], axis=-1),
    node("Einsum", ["h7", "h1"], ["h8"], equation="nij,njd->nid"),
    node("CumSum", ["h8", "one"], ["h9"], exclusive=1, reverse=1),
    node("LpNormalization", ["h8"], ["h10"], axis=-1, p=2),
    node("Add", ["h9", "h10"], ["h11"]), node("Shrink", ["h11"], ["h12"], bias=0.1, lambd=0.2),
    node("Size", ["shape"], ["h13"]), node("Cast", ["h13"], ["h14"], to=TensorProto.FLOAT), node("Div", ["h12", "h14"], ["h15"]),
    node("ReduceSum", ["h15", "places"], ["Y"], keepdims=0),
], {"shape": whole(0, 3, 4), "zero": np.int64(0), "three": np.int64(3), "one": np.int64(1), "places": whole(1)})
ask("scattered", [
    node("Transpose", ["X"], ["h1"]),
    node("GatherND", ["h1", "chosen"], ["h2"]),
    node("ScatterND", ["h1", "places", "h2"], ["h3"]),
    node("Transpose", ["h3"], ["h4"]),
    node("Slice", ["h4", "zero", "three", "second"], ["h5"]),
    node("Shape", ["h5"], ["h6"]), node("Expand", ["index", "h6"], ["h7"]),
    node("ScatterElements", ["h4", "h7", "h5"], ["h8"], axis=1, reduction="add"),
    node("CastLike", ["w1", "h8"], ["h9"]),
    node("MatMul", ["h8", "h9"], ["Y"]),
], {"chosen": whole(5).reshape(1, 1), "places": whole(7).reshape(1, 1), "zero": whole(0), "three": whole(3), "second": whole(1),
    "index": whole(1, 8, 10), "w1": weights(WIDTH, 2).astype(np.float64)})
ask("compared", [
    node("Binarizer", ["X"], ["h1"], threshold=0.25, domain="ai.onnx.ml"),
    node("Mul", ["X", "far"], ["h2"]), node("Softplus", ["h2"], ["h3"]), node("Mul", ["h3", "near"], ["h4"]),
    node("Add", ["h1", "h4"], ["h5"]), node("MatMul", ["h5", "w1"], ["Y"]),
], {"far": np.float32(60), "near": np.float32(1 / 60), "w1": weights(WIDTH, 2)})
# In 64 bits, with activations that the runner has for 32 alone.
ask("double", [
    node("MatMul", ["X", "w1"], ["h1"]), node("LeakyRelu", ["h1"], ["h2"], alpha=0.2), node("Sigmoid", ["h2"], ["h3"]),
    node("MatMul", ["h3", "w2"], ["h4"]), node("Tanh", ["h4"], ["h5"]), node("Softplus", ["h5"], ["h6"]),
    node("MatMul", ["h6", "w3"], ["h7"]), node("Mul", ["h7", "far"], ["h8"]), node("Sigmoid", ["h8"], ["h9"]),
    node("Elu", ["h7"], ["h10"]), node("Softmax", ["h10"], ["h11"], axis=-1), node("Add", ["h9", "h11"], ["Y"]),
], {"w1": weights(WIDTH, 6).astype(float), "w2": weights(6, 5).astype(float), "w3": weights(5, 3).astype(float), "far": 900.0},
    kind=TensorProto.DOUBLE)
ask("rounded", [
    node("Mul", ["X", "half"], ["h1"]), node("Mul", ["X", "many"], ["h2"]), node("Round", ["h1"], ["h3"]), node("Round", ["h2"], ["h4"]),
    node("Sub", ["h4", "h2"], ["h5"]), node("Add", ["h3", "h5"], ["Y"]),
], {"half": 0.5, "many": 50.0}, kind=TensorProto.DOUBLE)

# Each column by itself, or some together.
apart = [("age", TensorProto.FLOAT, 1), ("income", TensorProto.DOUBLE, 1), ("rest", TensorProto.FLOAT, 10)]
ask("columns", [
    node("Sigmoid", ["income"], ["h1"]), node("Cast", ["h1"], ["h2"], to=TensorProto.FLOAT),
    node("Concat", ["rest", "h2", "age"], ["h3"], axis=1), node("MatMul", ["h3", "w1"], ["Y"]),
], {"w1": weights(WIDTH, 2)}, columns=apart)

# What is not run, or would take any amount of memory or time.
flat = node("Reshape", ["X", "flat"], ["h1"])
one_channel = {"flat": whole(0, 1, WIDTH)}
total = node("ReduceSum", ["big"], ["sum"], keepdims=0)
added = node("Add", ["X", "sum"], ["Y"])
kernel = {"kernel": whole(2048, 64, 64), "image": whole(1, 64, 2111)}
made_up = [node("ConstantOfShape", ["kernel"], ["w"]), node("ConstantOfShape", ["image"], ["h1"])]
refuse("much_work", "it takes more than", [*made_up, node("Conv", ["h1", "w"], ["big"]), total, added], kernel)
refuse("much_room", "its values are more than", [*made_up, node("Conv", ["h1", "w"], ["big"]), total, added],
       kernel | {"kernel": whole(8, 64, 1024), "image": whole(1, 64, 4096)})
refuse("much_spread", "its values are more than", [*made_up, node("ConvTranspose", ["h1", "w"], ["big"]), total, added],
       kernel | {"kernel": whole(64, 64, 64), "image": whole(1, 64, 16384)})
refuse("much_pooled", "it takes more than", [made_up[1], node("MaxPool", ["h1"], ["big"], kernel_shape=[1 << 13]), total, added],
       {"image": whole(1, 512, (1 << 13) + 1023)})
refuse("far_pads", "it pads by 1099511627776", [flat, node("Pad", ["h1", "pads"], ["Y"])],
       one_channel | {"pads": whole(0, 0, 0, 0, 0, 1 << 40)})
refuse("less_than_no_pads", "it pads by -1", [flat, node("Pad", ["h1", "pads"], ["Y"])],
       one_channel | {"pads": whole(0, 0, 0, 0, 0, -1)})
refuse("far_reflection", "it reflects 12 of 12", [flat, node("Pad", ["h1", "pads"], ["Y"], mode="reflect")],
       one_channel | {"pads": whole(0, 0, 12, 0, 0, 0)})
refuse("pads_by_value", "depend on values", [flat, node("Cast", ["h1"], ["h2"], to=TensorProto.INT64), node("Pad", ["h1", "h2"], ["Y"])],
       one_channel)
refuse("named_pads", "it names the dimensions that it pads", [flat, node("Pad", ["h1", "pads", "", "last"], ["Y"])],
       one_channel | {"pads": whole(1, 1), "last": whole(-1)})
three = one_channel | {"w": weights(2, 1, 3)}
refuse("padded_beyond", "it pads by 3, and its kernel reaches 3", [flat, node("Conv", ["h1", "w"], ["Y"], pads=[3, 0])], three)
refuse("kernel_beyond", "its kernel reaches 13 of 12", [flat, node("MaxPool", ["h1"], ["Y"], kernel_shape=[13])], one_channel)
refuse("no_steps", "its kernel cannot move", [flat, node("Conv", ["h1", "w"], ["Y"], strides=[0])], three)
refuse("far_gaps", "its `dilations` hold 1099511627776", [flat, node("Conv", ["h1", "w"], ["Y"], dilations=[1 << 40])], three)
far = [1 << 20] * 3
refuse("far_between", "its kernel steps 1048576 at once over 3", [
    node("Reshape", ["X", "deep"], ["h1"]),
    node("Conv", ["h1", "w"], ["Y"], dilations=far, strides=far, pads=far * 2)], {"deep": whole(0, 1, 3, 2, 2), "w": weights(1, 1, 2, 2, 2)})
refuse("far_added", "it adds more than a step", [flat, node("ConvTranspose", ["h1", "w"], ["Y"], output_padding=[7])],
       one_channel | {"w": weights(1, 2, 3)})
refuse("uneven_groups", "its groups do not divide", [flat, node("Conv", ["h1", "w"], ["Y"], group=0)], three)
refuse("far_range", "it counts as far as", [node("Range", ["zero", "far", "one"], ["big"]), node("Cast", ["big"], ["c"], to=1),
                                            node("ReduceSum", ["c"], ["sum"], keepdims=0), added],
       {"zero": np.int64(0), "far": np.int64(1 << 40), "one": np.int64(1)})
refuse("range_by_value", "how much it makes depends on values", [
    node("ReduceMax", ["X"], ["m"], keepdims=0), node("Cast", ["m"], ["n"], to=TensorProto.INT64), node("Range", ["zero", "n", "one"], ["c"]),
    node("Cast", ["c"], ["big"], to=1), total, added], {"zero": np.int64(0), "one": np.int64(1)})
refuse("no_depth", "`depth` holds nothing", [node("Cast", ["X"], ["c"], to=TensorProto.INT64),
                                                      node("OneHot", ["c", "depth", "off_on"], ["big"]), total, added],
       {"depth": whole(), "off_on": np.array([0, 1], np.float32)})
refuse("far_codes", "its values are more than", [node("Cast", ["X"], ["c"], to=TensorProto.INT64),
                                                 node("OneHot", ["c", "depth", "off_on"], ["big"]), total, added],
       {"depth": np.int64(1 << 30), "off_on": np.array([0, 1], np.float32)})
refuse("many_at_once", "it multiplies 3 values at once", [node("Einsum", ["X", "X", "X"], ["Y"], equation="ni,ni,ni->ni")], {})
refuse("product_of_all", "it takes more than", [node("ConstantOfShape", ["square"], ["w"]),
                                                node("Einsum", ["w", "w"], ["big"], equation="ab,cd->ac"), total, added],
       {"square": whole(128, 128)})
nodes, constants = cell("LSTM", 1, 4, 3, ["", "last"], direction="reverse")
refuse("backwards", "it goes `reverse`", nodes + last(1, 3, constants), constants)
nodes, constants = cell("RNN", 1, 1, 3, ["", "last"], activations=["Relu"])
refuse("other_activation", "its activation is `Relu`", nodes + last(1, 3, constants), constants)
nodes, constants = cell("GRU", 1, 3, 3, ["", "last"], clip=2.0)
refuse("clipped", "its `clip` is not run", nodes + last(1, 3, constants), constants)
nodes, constants = cell("RNN", 1, 1, 3, ["", "last"])
refuse("other_features", "its weights are those of 4 features", nodes + last(1, 3, constants), constants | {"w": weights(1, 3, 4)})
nodes, constants = cell("LSTM", 1, 4, 1, ["", "big"])
refuse("many_steps", "it takes more than", [node("ConstantOfShape", ["steps"], ["h2"]), nodes[2], total, added],
       constants | {"steps": whole(1 << 18, 1, 2)})


def inner(name, *nodes, given=()):
    given = [helper.make_tensor_value_info(one, kind, shape) for one, kind, shape in given]
    made = [helper.make_tensor_value_info(out.output[0], kind, None) for out, kind in nodes]
    return helper.make_graph([one for one, _ in nodes], name, given, made)


body = inner("body", (node("Identity", ["on"], ["again"]), TensorProto.BOOL), (node("Add", ["x", "x"], ["more"]), TensorProto.FLOAT),
             given=[("step", TensorProto.INT64, []), ("on", TensorProto.BOOL, []), ("x", TensorProto.FLOAT, ["N", WIDTH])])
refuse("loop", "(Loop): operators of this kind are not run here: what loops", [node("Loop", ["times", "on0", "X"], ["Y"], body=body)],
       {"times": np.int64(1 << 40), "on0": np.bool_(True)})
# Of a choice that the file makes one graph is left; where it hangs on a row, each is asked alone.
choice = {f"{name}_branch": inner(name, (node(kind, ["X"], [f"{name}_y"]), TensorProto.FLOAT)) for name, kind in
          [("then", "Relu"), ("else", "Abs")]}
ask("choice", [node("If", ["on0"], ["Y"], **choice)], {"on0": np.bool_(True)})
within = {"then_branch": inner("within", (node("Mul", ["X", "two"], ["within_y"]), TensorProto.FLOAT)),
          "else_branch": inner("without", (node("Neg", ["X"], ["without_y"]), TensorProto.FLOAT))}
outer = {"then_branch": inner("then", (node("If", ["far"], ["then_y"], **within), TensorProto.FLOAT)),
         "else_branch": choice["else_branch"]}
compared = [node("ReduceSum", ["X"], ["sum"], keepdims=0), node("Greater", ["sum", "zero"], ["more"]), node("Greater", ["sum", "two"], ["far"])]
numbers = {"zero": np.float32(0), "two": np.float32(2)}
ask("choices", [*compared, node("If", ["more"], ["Y"], **outer)], numbers, apart=True)
other = outer | {"else_branch": inner("else", (node("ReduceSum", ["X"], ["else_y"]), TensorProto.FLOAT))}
refuse("other_shapes", "have to be of one", [*compared, node("If", ["more"], ["Y"], **other)], numbers)
refuse("choices_together", "hangs on values of all of them", [*compared, node("If", ["more"], ["Y"], **outer)], numbers, batch=4)
refuse("found", "how much they make depends on values", [node("NonZero", ["X"], ["c"]), node("Cast", ["c"], ["Y"], to=1)], {})
refuse("learning", "it learns while it answers", [node("BatchNormalization", ["X", "v", "v", "v", "v"], ["Y"], training_mode=1)],
       {"v": np.ones(WIDTH, np.float32)})
texts = [("age", TensorProto.FLOAT, 1), ("place", TensorProto.STRING, 1)]
refuse("texts", "the input `place`: it is one of many, and takes no numbers", [
    node("Cast", ["place"], ["h1"], to=TensorProto.FLOAT), node("Concat", ["age", "h1"], ["Y"], axis=1)], {}, columns=texts)

# Logarithms of shares that are 0 in 32 bits, with the axes of each version.
far = np.float32(100)
for version in (12, 13, 18):
    ask(f"logarithms_{version}", [
        node("MatMul", ["X", "w1"], ["h1"]), node("Mul", ["h1", "far"], ["h2"]), node("Reshape", ["h2", "deep"], ["h3"]),
        node("LogSoftmax", ["h3"], ["h4"], axis=1), node("Flatten", ["h4"], ["Y"]),
    ], {"w1": weights(WIDTH, 6), "far": far, "deep": whole(0, 3, 2)}, version=version)
ask("logarithms_last", [
    node("MatMul", ["X", "w1"], ["h1"]), node("Mul", ["h1", "far"], ["h2"]), node("LogSoftmax", ["h2"], ["Y"]),
], {"w1": weights(WIDTH, 6).astype(float), "far": np.float64(100)}, kind=TensorProto.DOUBLE)
# Each row is asked alone, as it is answered otherwise among others.
beside = [node("MatMul", ["X", "w1"], ["h1"]), node("Softmax", ["h1"], ["h2"], axis=0), node("Mul", ["h1", "h2"], ["Y"])]
ask("beside", beside, {"w1": weights(WIDTH, 2)}, apart=True)
refuse("four_beside", "its answer for a row hangs on the rows beside it", beside, {"w1": weights(WIDTH, 2)}, batch=4)
refuse("one_place_twice", "it does not put each dimension in one place", [node("Transpose", ["X"], ["Y"], perm=[0, 0])], {})
refuse("more_than_all", "it chooses 13 of 12", [node("TopK", ["X", "count"], ["Y", "places"])], {"count": whole(13)})
refuse("parts_of_less", "its 2 parts are not all of 12", [node("Split", ["X", "parts"], ["a", "b"], axis=1), node("Add", ["a", "b"], ["Y"])],
       {"parts": whole(4, 4)})
refuse("much_packed", "its values are more than", [
    node("ConstantOfShape", ["row"], ["a"]), node("ConstantOfShape", ["column"], ["b"]), node("MatMul", ["a", "b"], ["big"]), total, added],
       {"row": whole(1, 1 << 23), "column": whole(1 << 23, 1)})
nodes, constants = cell("LSTM", 2, 4, 3, ["", "last"])
refuse("two_ways_as_one", "its weights are those of 2 ways, and it goes 1", nodes + last(1, 3, constants), constants)
nodes, constants = cell("GRU", 1, 3, 3, ["", "last"])
nodes[2] = node("GRU", ["h2", "w", "r", "b"], ["", "last"], hidden_size=4)
refuse("other_states", "it has 3 states, and says 4", nodes + last(1, 3, constants), constants)
nodes, constants = cell("GRU", 1, 3, 3, ["", "last"], linear_before_reset=2)
refuse("other_order", "its `linear_before_reset` is 2", nodes + last(1, 3, constants), constants)
same = [("a", TensorProto.FLOAT, 2), ("a_1", TensorProto.FLOAT, 1)]
refuse("same_names", "its features 1 and 2 are both named `a_1`", [node("Concat", ["a", "a_1"], ["Y"], axis=1)], {}, columns=same)
long = [("a" * 257, TensorProto.FLOAT, 2), ("b", TensorProto.FLOAT, 1)]
refuse("long_name", "a name of 257 bytes", [node("Concat", ["a" * 257, "b"], ["Y"], axis=1)], {}, columns=long)
refuse("longer_name", "a name of 1025 bytes", [node("Softplus", ["X"], ["a" * 1025]), node("Identity", ["a" * 1025], ["Y"])], {})
# By the largest, which is below 0 in some rows, and 0 in others.
for name, version in (("largest", 18), ("largest_before", 15)):
    ask(name, [
        node("MatMul", ["X", "w1"], ["h1"]), node("Relu", ["h1"], ["h2"]), node("Neg", ["h2"], ["h3"]),
        node("Normalizer", ["h3"], ["h4"], domain="ai.onnx.ml"), node("Sub", ["h1", "far"], ["h5"]),
        node("Normalizer", ["h5"], ["h6"], norm="MAX", domain="ai.onnx.ml"), node("Concat", ["h4", "h6"], ["Y"], axis=1),
    ], {"w1": weights(WIDTH, 3), "far": np.float32(20)}, version=version)
refuse("stepped_over", "its kernel steps 4 at once over 3", [
    node("Reshape", ["X", "deep"], ["h1"]), node("Conv", ["h1", "w"], ["Y"], dilations=[4], pads=[4, 4])],
       {"deep": whole(0, 4, 3), "w": weights(1, 4, 2)})
# Sums of what is beyond all numbers, with the axes of each version.
for version in (12, 15, 18):
    axes = {"axes": [1]} if version < 18 else {}
    ask(f"beyond_{version}", [
        node("MatMul", ["X", "w1"], ["h1"]), node("Mul", ["h1", "far"], ["h2"]), node("Reshape", ["h2", "deep"], ["h3"]),
        node("ReduceLogSumExp", ["h3"] + ["places"] * (version >= 18), ["h4"], keepdims=version % 2, **axes), node("Flatten", ["h4"], ["h5"]),
        node("Div", ["h5", "far"], ["Y"]),
    ], {"w1": weights(WIDTH, 6), "far": far, "deep": whole(0, 3, 2), "places": whole(1)}, version=version)
with open("expected.json", "w") as file:
    json.dump(expected, file)
