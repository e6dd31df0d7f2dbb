"""What Keras's own layers compute, for test_layers_against_keras.py.

`python keras_layers_peer.py FOLDER` reads cases.json, a list of {name, class, config, inputs, training}, and arrays.npz
with the inputs and the gradient of the output of each; it writes answers.npz: weights, outputs, gradients of weights
and inputs, and the weights that training changed.
"""

import inspect
import json
import sys
from pathlib import Path

import jax
import keras
import numpy as np


def answer(case, arrays):
    layer = getattr(keras.layers, case["class"])(**case["config"])
    xs = [arrays[f"{case['name']}/x{i}"] for i in range(case["inputs"])]
    given = xs if case["inputs"] > 1 else xs[0]
    layer(given)  # builds it
    rng = np.random.default_rng(len(case["name"]))
    for weight in layer.weights:
        values = rng.standard_normal(weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.path else values)
    if case["class"] == "Normalization":
        layer.finalize_state()  # which reads its weights
    before = [np.array(weight) for weight in layer.weights]
    trained = [weight.value for weight in layer.trainable_variables]
    fixed = [weight.value for weight in layer.non_trainable_variables]

    def run(trained, xs):
        given = xs if case["inputs"] > 1 else xs[0]
        takes = "training" in inspect.signature(layer.call).parameters
        settings = {"training": case["training"]} if takes else {}
        return layer.stateless_call(trained, fixed, given, **settings)

    y, backward, changed = jax.vjp(run, trained, [jax.numpy.asarray(x) for x in xs], has_aux=True)
    dy = (
        arrays[f"{case['name']}/dy"]
        if f"{case['name']}/dy" in arrays
        else np.ones(y.shape, np.float32)
    )
    dtrained, dxs = backward(dy)
    found = {"y": y, "config": np.array(json.dumps(layer.get_config()))}
    found |= {f"w{i}": w for i, w in enumerate(before)}
    found |= {f"dw{i}": w for i, w in enumerate(dtrained)}
    found |= {f"dx{i}": x for i, x in enumerate(dxs)}
    found |= {f"after{i}": v for i, v in enumerate(changed)}
    return {f"{case['name']}/{key}": np.asarray(value) for key, value in found.items()}


def main(folder):
    arrays = np.load(folder / "arrays.npz")
    answers = {}
    for case in json.loads((folder / "cases.json").read_text()):
        answers |= answer(case, arrays)
    np.savez(folder / "answers.npz", **answers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
