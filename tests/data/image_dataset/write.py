"""Writes facts.npz: what Keras's image_dataset_from_directory, by Grain, makes of a folder of images.

By hand, where Grain is installed: PYTHONPATH=tests KERAS_BACKEND=jax python tests/data/image_dataset/write.py
"""

import tempfile
from pathlib import Path

import image_dataset_cases as cases
import numpy as np
from keras.utils import image_dataset_from_directory


def make(folder, **settings):
    return image_dataset_from_directory(folder, format="grain", **settings)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        cases.write_images(Path(home))
        found = cases.facts(make, home)
    np.savez_compressed(Path(__file__).with_name("facts.npz"), **found)
