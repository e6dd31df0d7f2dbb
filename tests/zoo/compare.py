"""What is asked of every model, by Keras or by this library; `-m tests.zoo.compare FOLDER NAME...` is Keras's part."""

import json
import sys
from pathlib import Path

import numpy as np

from tests.zoo import classifiers, others

MODELS = {build.__name__: (build, "categorical_crossentropy") for build in classifiers.ALL}
MODELS |= {build.__name__: (build, loss) for build, loss in others.LOSSES.items()}
N, UNKNOWN = 4, 12  # samples; an extent that a model leaves open
RATE, STEPS = 0.01, 3


def listed(value):
    return value if isinstance(value, list) else [value]


def samples(model):
    rng = np.random.default_rng(0)
    shapes = [[UNKNOWN if n is None else n for n in t.shape[1:]] for t in model.inputs]
    return [rng.random((N, *shape), dtype=np.float32) for shape in shapes]


def targets(outputs, losses):
    """Something to learn for each output, of its shape."""
    rng = np.random.default_rng(1)
    found = []
    for output, loss in zip(outputs, losses, strict=True):
        classes = rng.integers(0, output.shape[-1], output.shape[:-1])
        if loss == "sparse_categorical_crossentropy":
            found.append(classes)
        elif loss == "categorical_crossentropy":
            found.append(np.eye(output.shape[-1], dtype=np.float32)[classes])
        else:
            found.append(rng.random(output.shape, dtype=np.float32))
    return found


def weights(model):
    """So large that deep models keep their numbers in range, and statistics of batch norm near 1."""
    rng = np.random.default_rng(2)
    drawn = []
    for weight in model.weights:
        shape = tuple(weight.shape)
        values = rng.standard_normal(shape)
        if len(shape) > 1:
            values *= np.prod(shape[:-1]) ** -0.5
        elif weight.name in ("gamma", "moving_variance", "variance"):
            values = 1 + 0.1 * np.abs(values)
        else:
            values *= 0.1
        drawn.append(values.astype(np.float32) if weight.dtype == "float32" else np.array(weight))
    return drawn


def answers(name, layers, models, optimizers, path):
    """(what is compared, predictions, (x, y)); the file at the path has the model as it was before the steps."""
    build, loss = MODELS[name]
    model = build(layers, models)
    lines = []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    model.set_weights(weights(model))
    x = samples(model)
    x = x if len(x) > 1 else x[0]
    predicted = [np.array(p) for p in listed(model.predict(x, verbose=0))]
    y = targets(predicted, listed(loss))
    model.compile(optimizers.SGD(RATE), loss)
    model.save(path)
    found = {"summary": "\n".join(lines), "parameters": model.count_params()}
    found["losses"] = losses(model, x, y)
    return found, predicted, (x, y)


def losses(model, x, y):
    y = y if len(y) > 1 else y[0]
    return model.fit(
        x, y, epochs=STEPS, batch_size=N, shuffle=False, verbose=0
    ).history["loss"]  # fmt: skip


def main(folder, names):
    import keras

    for name in names:
        keras.backend.clear_session()
        found, predicted, (x, y) = answers(
            name, keras.layers, keras.models, keras.optimizers, folder / f"{name}.keras"
        )
        ours = keras.models.load_model(folder / f"ours_{name}.keras")
        found["read"] = [float(np.abs(p - q).max()) for p, q in zip(
            predicted, listed(ours.predict(x, verbose=0)), strict=True)]  # fmt: skip
        found["losses after reading"] = losses(ours, x, y)
        np.savez(folder / f"{name}.npz", *predicted)
        (folder / f"{name}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
