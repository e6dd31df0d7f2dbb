"""Writes affine.npz: what Keras's ImageDataGenerator makes of three images by fixed parameters, for every fill mode.

By hand, where SciPy is installed: KERAS_BACKEND=jax python tests/data/augmentation/write.py
"""

from pathlib import Path

import numpy as np
from keras.src.legacy.preprocessing.image import ImageDataGenerator

PARAMETERS = [
    {"theta": 33.0},
    {"tx": 2.0, "ty": -3.5},
    {"shear": 21.0},
    {"zx": 0.6, "zy": 1.9},
    {"theta": -100.0, "tx": 4.25, "ty": 1.5, "shear": -9.0, "zx": 1.4, "zy": 0.8},
    {"theta": 15.0, "tx": -30.0, "ty": 47.0, "flip_horizontal": True},
    {"zx": 3.1, "zy": 2.7, "flip_vertical": True, "channel_shift_intensity": 30.0},
    {"flip_horizontal": True, "flip_vertical": True},
    # Places on the border and in the middle between two pixels, but for rounding.
    {"theta": 90.0},
    {"theta": 180.0, "flip_horizontal": True},
    {"shear": -30.0},
    {"shear": 30.0, "flip_vertical": True},
    {"shear": -30.0, "tx": 1.0, "ty": -0.5},
    {"shear": -50.0},
    {"shear": -55.0, "tx": 1.0},
    {"shear": 30.0, "zx": 0.8, "zy": 1.1},
    {"shear": -50.0, "theta": 20.0},
    {"shear": -60.0, "tx": 1.0, "ty": -0.5},
]
MODES = "constant", "nearest", "reflect", "wrap"


def main():
    rng = np.random.default_rng(7)
    images = {"square": rng.uniform(0, 255, (12, 12, 3)), "wide": rng.uniform(0, 255, (9, 14, 1))}
    images["small"] = rng.uniform(0, 255, (5, 7, 1))
    images = {name: image.astype(np.float32) for name, image in images.items()}
    found = {f"x {name}": image for name, image in images.items()}
    for name, image in images.items():
        for mode in MODES:
            for order in (0, 1):
                generator = ImageDataGenerator(fill_mode=mode, cval=77.0, interpolation_order=order)
                made = [generator.apply_transform(image.copy(), p) for p in PARAMETERS]
                found[f"{name} {mode} {order}"] = np.stack(made).astype(np.float32)
    np.savez_compressed(Path(__file__).with_name("affine.npz"), **found)


if __name__ == "__main__":
    main()
