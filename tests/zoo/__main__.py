"""A table of models after well-known shapes, each beside Keras from the same weights.

    python -m tests.zoo [NAME ...]

Summaries are compared to the letter, predictions by the largest difference over the largest value, losses of three
steps of SGD by the largest relative difference, with direct sums on both sides. Each file is read by the other one,
which goes on from there: the last columns.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import numba_cnn as nc
from numba_cnn import layers, models, optimizers
from tests.zoo import compare

PREDICTIONS, LOSSES = 1e-5, 1e-4  # how far they may be apart
ROOT = Path(__file__).parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(compare.MODELS))
    names = parser.parse_args().names
    os.environ["COLUMNS"] = "120"
    nc.set_conv_algorithm("direct")
    print(
        "| model | parameters | summary | predictions | losses | their file here | our file there |\n"
        "|---|---|---|---|---|---|---|"
    )
    wrong = 0
    for row in rows(names):
        print(f"| {' | '.join(row.values())} |", flush=True)
        wrong += "NOT" in "".join(row.values())
    print(f"\n{len(names) - wrong} of {len(names)} agree.")
    sys.exit(bool(wrong))


def rows(names):
    """A row of the table for each model."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        for name in names:
            nc.clear_session()
            path = folder / f"ours_{name}.keras"
            found, predicted, data = compare.answers(name, layers, models, optimizers, path)
            ask_keras(folder, name)
            yield row(name, found, predicted, data, folder)


def ask_keras(folder, name):
    settings = {"KERAS_BACKEND": "jax", "COLUMNS": "120"}
    command = [sys.executable, "-W", "ignore", "-m", "tests.zoo.compare", folder, name]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | settings)


def row(name, found, predicted, data, folder):
    told = json.loads((folder / f"{name}.json").read_text())
    expected = [np.load(folder / f"{name}.npz")[f"arr_{i}"] for i in range(len(predicted))]
    scale = max(1.0, *(float(np.abs(e).max()) for e in expected))
    theirs = models.load_model(folder / f"{name}.keras")
    read = compare.listed(theirs.predict(data[0], verbose=0))
    return {
        "model": name,
        "parameters": f"{found['parameters']:,}" + ("" if found["parameters"] == told["parameters"] else " NOT"),
        "summary": "same" if found["summary"] == told["summary"] else "NOT the same",
        "predictions": shown(apart(predicted, expected) / scale, PREDICTIONS),
        "losses": shown(relative(found["losses"], told["losses"]), LOSSES),
        "their file here": shown(apart(read, expected) / scale, PREDICTIONS) + ", "
        + shown(relative(compare.losses(theirs, *data), told["losses"]), LOSSES),
        "our file there": shown(max(told["read"]) / scale, PREDICTIONS) + ", "
        + shown(relative(told["losses after reading"], told["losses"]), LOSSES),
    }  # fmt: skip


def apart(found, expected):
    return max(float(np.abs(f - e).max()) for f, e in zip(found, expected, strict=True))


def relative(found, expected):
    return max(abs(f - e) / abs(e) for f, e in zip(found, expected, strict=True))


def shown(difference, most):
    return f"{difference:.0e}" if difference <= most else f"{difference:.0e}, NOT within {most:.0e}"


if __name__ == "__main__":
    main()
