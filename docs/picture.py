"""The picture of the README: `numba-cnn train`, then `python docs/picture.py out docs/digits.png`
(needs matplotlib).
"""

import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from numba_cnn import datasets, models


def main(folder, target):
    (_, _), (images, labels) = datasets.digits()
    predicted = models.load_model(Path(folder, "model.keras")).predict(images, verbose=0).argmax(1)
    wrong = np.flatnonzero(predicted != labels)
    shown = np.concatenate([wrong[:3], np.setdiff1d(np.arange(40), wrong)])[:32]
    figure = plt.figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.7))
    axes = left.subplots()
    with Path(folder, "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name in ("accuracy", "val_accuracy"):
        axes.plot(
            range(1, len(rows) + 1), [float(row[name]) for row in rows], marker="o", label=name
        )
    axes.set(xlabel="epoch", title="numba-cnn train")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    accuracy = 1 - len(wrong) / len(labels)
    right.suptitle(f"test digits and what the model says, {accuracy:.1%} right (red: wrong)")
    for cell, k in zip(right.subplots(4, 8).flat, shown, strict=True):
        cell.imshow(images[k])
        cell.set_axis_off()
        cell.set_title(predicted[k], color="crimson" if k in wrong else "black", fontsize=9, pad=2)
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
