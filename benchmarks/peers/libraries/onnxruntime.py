"""ONNX Runtime: inference, with every optimisation of the graph."""

import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper

from benchmarks.peers.catalogue import Model
from benchmarks.peers.network import channels_first

OPSET = 17
IR_VERSION = 10


def build(name, weights, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    model = _model(weights).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def images(x):
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2))

    def predict(x):
        return session.run(None, {"x": x})[0]

    return Model(onnxruntime.__version__, images, predict, None)


def _model(weights):
    constants, names = [], []
    for k, weight in enumerate(weights):
        names.append(f"weight{k}")
        constants.append(numpy_helper.from_array(channels_first(weight), names[-1]))
    chain = [
        ("Conv", names[0:2], {}), ("Relu", [], {}), ("MaxPool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Conv", names[2:4], {}), ("Relu", [], {}), ("MaxPool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Conv", names[4:6], {}), ("Relu", [], {}), ("Flatten", [], {}),
        ("Gemm", names[6:8], {}), ("Relu", [], {}), ("Gemm", names[8:10], {}), ("Softmax", [], {}),
    ]  # fmt: skip
    values = ["x", *(f"value{k}" for k in range(len(chain) - 1)), "probabilities"]
    nodes = [
        helper.make_node(kind, [values[k], *inputs], [values[k + 1]], **attributes)
        for k, (kind, inputs, attributes) in enumerate(chain)
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 64, 64])
    y = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 10])
    graph = helper.make_graph(nodes, "tutorial", [x], [y], constants)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    checker.check_model(model)
    return model
