"""One library in a process of its own: `python worker.py NAME WEIGHTS`.

It answers in lines of "@" and JSON: first the losses of three training steps, then its version;
after that, for each line "train BATCH" or "predict BATCH" read, the seconds of one step, and for
"memory 0" the peak resident memory in MB.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np


def main():
    name, weights = sys.argv[1], dict(np.load(sys.argv[2]))
    train, predict, version = {
        "numba_cnn": _numba_cnn, "pytorch": _pytorch, "pytorch_compiled": _pytorch_compiled,
        "keras_jax": _keras, "keras_tensorflow": _keras,
    }[name](name, weights)  # fmt: skip
    rng = np.random.default_rng(0)
    x, y = rng.random((32, 64, 64, 3), dtype=np.float32), rng.integers(0, 10, 32)
    _answer([float(train(x, y)) for _ in range(3)])
    for batch in (1, 32):
        predict(x[:batch])
    _answer(version)
    for line in sys.stdin:
        task, batch = line.split()
        batch = int(batch)
        if task == "memory":
            _answer(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
            continue
        repeat = 3 if batch == 32 else 50
        images, labels = np.ascontiguousarray(x[:batch]), y[:batch]
        start = time.perf_counter()
        for _ in range(repeat):
            if task == "train":
                train(images, labels)
            else:
                predict(images)
        _answer((time.perf_counter() - start) / repeat)


def _answer(value):
    print("@" + json.dumps(value), flush=True)


def _numba_cnn(name, weights):
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import numba_cnn
    from benchmarks import tutorial

    model = tutorial.model()
    model.set_weights([weights[f"{kind}{k}"] for k in range(5) for kind in ("weight", "bias")])

    def train(x, y):
        model.reset_metrics()
        model.train_step(x, y)
        return model.read_metrics()["loss"]

    return train, model, numba_cnn.__version__


def _pytorch(name, weights, compiled=False):
    import os

    import torch
    from torch import nn

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    last = torch.channels_last
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(9216, 64), nn.ReLU(), nn.Linear(64, 10),
    ).to(memory_format=last)  # fmt: skip
    affine = [layer for layer in model if hasattr(layer, "weight")]
    with torch.no_grad():
        for k, layer in enumerate(affine):
            weight = weights[f"weight{k}"]
            if weight.ndim == 4:
                weight = weight.transpose(3, 2, 0, 1)
            elif (
                k == 3
            ):  # flattened (channels, height, width) there, (height, width, channels) here
                weight = weight.reshape(12, 12, 64, 64).transpose(3, 2, 0, 1).reshape(64, 9216)
            else:
                weight = weight.T
            layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
            layer.bias.zero_()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, eps=1e-8)
    network = torch.compile(model) if compiled else model

    def images(x):
        return torch.from_numpy(x).permute(0, 3, 1, 2)  # channels last in memory already

    def train(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(images(x)), torch.from_numpy(y))
        loss.backward()
        optimizer.step()
        return loss.item()

    def predict(x):
        with torch.inference_mode():
            return torch.softmax(network(images(x)), 1).numpy()

    return train, predict, torch.__version__


def _pytorch_compiled(name, weights):
    return _pytorch(name, weights, compiled=True)


def _keras(name, weights):
    import os

    os.environ["KERAS_BACKEND"] = name.removeprefix("keras_")
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            layers.Input((64, 64, 3)),
            layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"), layers.Flatten(),
            layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax"),
        ]
    )  # fmt: skip
    model.set_weights([weights[f"{kind}{k}"] for k in range(5) for kind in ("weight", "bias")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return (
        lambda x, y: np.ravel(model.train_on_batch(x, y))[0],
        lambda x: np.asarray(model.predict_on_batch(x)),
        keras.__version__,
    )


if __name__ == "__main__":
    main()
