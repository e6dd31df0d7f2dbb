"""Writes a folder of JPEG files, a folder for each class, to try the command on: handwritten zeros, ones, twos.

python -m examples.write_pictures FOLDER
"""

import sys
from pathlib import Path

import numpy as np

from numba_cnn import datasets, utils

NAMES = "zero", "one", "two"
COUNT = 100  # of each


def main(folder):
    (x, y), _ = datasets.digits(48)
    for label, name in enumerate(NAMES):
        home = Path(folder, name)
        home.mkdir(parents=True)
        for i, place in enumerate(np.flatnonzero(y == label)[:COUNT]):
            utils.save_img(home / f"{i:03d}.jpg", 255 * x[place], scale=False)
    print(f"{len(NAMES)} classes of {COUNT} pictures in {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
