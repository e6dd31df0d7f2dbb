"""The accuracy that training reaches on a folder of images, beside Keras: the same model, weights, images and epochs.

    python -m benchmarks.folds FOLDER [--epochs 12] [--seeds 3] [--folds 5]

Each fifth of the images is tested on once for each seed, by models of both libraries that begin with the same weights
and are trained on the rest with the same augmentation, optimizer and batches of 32; what is drawn at random in
training is each library's own. It prints the mean of the paired differences beside its standard error.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

EPOCHS, BATCH = 12, 32


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        cases = Path(home, "cases.npz")
        ours = _ours(arguments, cases)
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "benchmarks.folds_in_keras",
            cases,
            str(arguments.epochs),
        ]
        settings = {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
        said = subprocess.run(
            command, env=os.environ | settings, capture_output=True, text=True, check=True
        ).stdout
    theirs = np.array([float(word) for word in said.split()])
    difference = ours - theirs
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    print("| fold, seed | numba_cnn | Keras |\n|---|---|---|")
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        print(f"| {i % arguments.folds}, {i // arguments.folds} | {a:.4f} | {b:.4f} |")
    print(f"| mean | {ours.mean():.4f} | {theirs.mean():.4f} |")
    print(f"\nMean difference {difference.mean():+.4f}, standard error {error:.4f}")


def _ours(arguments, path):
    """Our accuracies; images, folds and first weights go to the file."""
    import numba_cnn as nc
    from numba_cnn.commands import data

    found = data.load(arguments.folder, None)
    parts = (found.train, found.validation, found.test)
    x = np.concatenate([part.x for part in parts])
    y = np.concatenate([part.y for part in parts])
    order = np.random.default_rng(0).permutation(len(y))
    x, y = x[order], y[order]
    accuracies, weights = [], []
    for seed in range(arguments.seeds):
        for fold in range(arguments.folds):
            nc.set_random_seed(1000 * seed + fold)
            inner = nc.models.tutorial_cnn(x.shape[1:], int(y.max()) + 1)
            weights.append(inner.get_weights())
            model = network(nc.layers, nc.models, inner)
            test = np.arange(len(y)) % arguments.folds == fold
            accuracies.append(fitted(model, x, y, test, arguments.epochs))
    names = {f"{i}_{j}": w for i, one in enumerate(weights) for j, w in enumerate(one)}
    np.savez(path, x=x, y=y, folds=arguments.folds, **names)
    return np.array(accuracies)


def network(layers, models, inner):
    """A classifier behind what changes images in training."""
    shape = inner.input_shape[1:]
    changes = [
        layers.RandomFlip("horizontal_and_vertical"),
        layers.RandomTranslation(1 / 12, 1 / 12, fill_mode="nearest", interpolation="nearest"),
    ]
    return models.Sequential([layers.Input(shape), *changes, inner])


def fitted(model, x, y, test, epochs):
    """The accuracy on the test images after training on the others."""
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[~test], y[~test], batch_size=BATCH, epochs=epochs, verbose=0)
    return model.evaluate(x[test], y[test], verbose=0)[1]


if __name__ == "__main__":
    main()
