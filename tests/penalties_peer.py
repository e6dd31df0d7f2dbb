"""A model with regularizers and constraints, built by Keras or by this library from the same words.

`python penalties_peer.py FOLDER` is Keras's part: for each of CASES it writes what training gives, and the model's
file; and reads ours_NAME.keras. answers.json also has penalties, constrained weights, configurations and signatures.
"""

import json
import sys
from pathlib import Path

import numpy as np
import optimizers_peer

CASES = {
    "regularizers": {
        "kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l1",
    },
    "orthogonal": {"kernel_regularizer": "orthogonal_regularizer"},
    "constraints": {"kernel_constraint": "max_norm", "bias_constraint": "non_neg"},
    "unit": {"kernel_constraint": "unit_norm", "kernel_regularizer": "l1"},
}  # fmt: skip
REGULARIZERS = {
    "L1": {"l1": 0.3}, "L2": {"l2": 0.2}, "L1L2": {"l1": 0.1, "l2": 0.2},
    "OrthogonalRegularizer": {"factor": 0.7, "mode": "columns"},
}  # fmt: skip
CONSTRAINTS = {
    "MaxNorm": {"max_value": 0.9, "axis": 0},
    "MinMaxNorm": {"min_value": 1.5, "max_value": 1.9, "rate": 0.7, "axis": 1},
    "UnitNorm": {"axis": [0, 1]}, "NonNeg": {},
}  # fmt: skip


def matrix():
    return np.random.default_rng(3).standard_normal((4, 3)).astype(np.float32)


def data():
    rng = np.random.default_rng(0)
    return rng.random((8, 8, 8, 3), dtype=np.float32), rng.integers(0, 3, 8)


def build(layers, models, settings):
    """Layers of every kind that has weights; the settings go to all that take them."""
    conv = {k: v for k, v in settings.items() if "orthogonal" not in str(v)}
    deep = {k.replace("kernel", "depthwise"): v for k, v in conv.items()}
    point = {k.replace("kernel", "pointwise"): v for k, v in conv.items() if "kernel" in k}
    norm = {
        k.replace("kernel", "gamma").replace("bias", "beta"): v
        for k, v in conv.items()
        if "activity" not in k
    }
    slope = {k.replace("gamma", "alpha"): v for k, v in norm.items() if "gamma" in k}
    model = models.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu", **conv),
            layers.MaxPooling2D(2),
            layers.DepthwiseConv2D(2, **deep),
            layers.SeparableConv2D(4, 1, **deep, **point),
            layers.Conv2DTranspose(2, 2, **conv),
            layers.BatchNormalization(**norm),
            layers.PReLU(shared_axes=[1, 2], **slope),
            layers.GroupNormalization(2, **norm),
            layers.LayerNormalization(**norm),
            layers.ActivityRegularization(0.01, 0.02),
            layers.Reshape((-1, 2)),
            layers.Conv1D(2, 2, **conv),
            layers.Flatten(),
            layers.Dense(5, activation="tanh", **settings),
            layers.Dense(3, activation="softmax", **settings),
        ]
    )
    rng = np.random.default_rng(1)
    drawn = [(0.5 * rng.standard_normal(w.shape)).astype(np.float32) for w in model.weights]
    drawn = [
        np.abs(w) + 0.5 if "variance" in p.path else w
        for w, p in zip(drawn, model.weights, strict=True)
    ]
    model.set_weights(drawn)
    return model


def trained(model, compiled=True, **settings):
    """(the evaluated loss before, the losses of four steps, the model)."""
    x, y = data()
    if compiled:
        model.compile("sgd", "sparse_categorical_crossentropy", **settings)
    first = model.evaluate(x, y, verbose=0)
    fitted = model.fit(x, y, epochs=4, batch_size=8, verbose=0, shuffle=False)
    return [first, *fitted.history["loss"]]


def keep_losses(keras):
    """Let no loss of a step be freed: Keras 3.15 tells them apart by id(), and a new one may get an old one's.

    Without it one of forty trainings step by step loses a layer's activity regularizer for a step.
    """
    kept, add_loss = [], keras.StatelessScope.add_loss

    def add_and_keep(scope, loss):
        kept.append(loss)
        add_loss(scope, loss)

    keras.StatelessScope.add_loss = add_and_keep


def main(folder):
    import keras

    keep_losses(keras)
    answers, arrays = {"losses": {}, "configs": {}, "signatures": {}, "penalties": {}}, {}
    for name, settings in CASES.items():
        model = build(keras.layers, keras.models, settings)
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
        model.save(folder / f"theirs_{name}.keras")
        answers["losses"][name] = trained(model, compiled=False)
        arrays |= {f"{name}/{i}": w for i, w in enumerate(model.get_weights())}
        ours = keras.models.load_model(folder / f"ours_{name}.keras")
        ours.run_eagerly = True
        answers["losses"][f"ours_{name}"] = trained(ours, compiled=False)
        answers["configs"][name] = [layer.get_config() for layer in model.layers]
    w = keras.ops.array(matrix())
    for name, settings in REGULARIZERS.items():
        made = getattr(keras.regularizers, name)(**settings)
        answers["penalties"][name] = float(made(w))
        answers["configs"][name] = made.get_config()
        answers["signatures"][name] = optimizers_peer.defaults(type(made))
    for name, settings in CONSTRAINTS.items():
        made = getattr(keras.constraints, name)(**settings)
        arrays[name] = np.array(made(w))
        answers["configs"][name] = made.get_config()
        answers["signatures"][name] = optimizers_peer.defaults(type(made))
    np.savez(folder / "answers.npz", **arrays)
    (folder / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
