"""A folder of images, and what is compared of datasets of them; for the tests, and for the script that asks Keras."""

import os

import numpy as np
from PIL import Image

INTERPOLATIONS = "bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"
SIZES = (9, 14), (21, 8)
SPLITS = {
    "training": {"validation_split": 0.3, "subset": "training", "seed": 5},
    "validation": {"validation_split": 0.3, "subset": "validation", "seed": 5},
    "both": {"validation_split": 0.3, "subset": "both", "seed": 5},
    "in order": {"validation_split": 0.3, "subset": "validation", "shuffle": False},
    "all": {"seed": 2},
    "chosen": {"class_names": ["dog", "ant"], "shuffle": False},
    "given": {"labels": [i % 4 for i in range(12)], "shuffle": False},
    "none": {"labels": None, "seed": 9},
}


def write_images(home):
    """Three classes of small images of several kinds and sizes, some in a folder below."""
    rng = np.random.default_rng(0)
    for name, count in (("ant", 5), ("bee", 3), ("dog", 4)):
        (home / name / "more").mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 256, (7 + 3 * i, 12 + 5 * (count - i), 4)).astype(np.uint8)
            mode = ("RGB", "RGBA", "L", "RGB", "P")[i]
            image = Image.fromarray(pixels).convert("RGB" if mode == "P" else mode).convert(mode)
            place = home / name / "more" if i == 2 else home / name
            image.save(place / f"{i}.{'gif' if mode == 'P' else ('PNG', 'png')[i % 2]}")
        (home / name / "notes.txt").write_text("no image")


def facts(make, home):
    """Everything that is compared, by name; `make` makes a dataset of a folder."""
    found = {}
    for name, settings in SPLITS.items():
        made = make(str(home), image_size=(4, 4), **settings)
        for i, dataset in enumerate(made if isinstance(made, list) else [made]):
            paths = [os.path.relpath(path, home) for path in dataset.file_paths]
            found[f"{name} {i} files"] = np.array(paths)
            found[f"{name} {i} classes"] = np.array(dataset.class_names or [])
    how = {"shuffle": False, "batch_size": 5}
    for size in SIZES:
        for interpolation in INTERPOLATIONS:
            dataset = make(str(home), image_size=size, interpolation=interpolation, **how)
            batches = [np.asarray(x) for x, _ in dataset]
            found[f"{interpolation} {size}"] = np.concatenate(batches)
        for fit in ("crop_to_aspect_ratio", "pad_to_aspect_ratio"):
            batches = [x for x, _ in make(str(home), image_size=size, **{fit: True}, **how)]
            found[f"{fit} {size}"] = np.concatenate(batches)
    for mode in ("int", "categorical", "binary"):
        for color in ("rgb", "rgba", "grayscale"):
            names = ["dog", "bee"] if mode == "binary" else None
            settings = {"label_mode": mode, "color_mode": color, "class_names": names}
            x, y = next(iter(make(str(home), image_size=(5, 6), **how, **settings)))
            found |= {f"{mode} {color} x": np.asarray(x), f"{mode} {color} y": np.asarray(y)}
    alone = next(iter(make(str(home), label_mode=None, image_size=(5, 6), **how)))
    single = next(iter(make(str(home), shuffle=False, image_size=(5, 6), batch_size=None)))
    return found | {"alone": np.asarray(alone), "single": np.asarray(single[0])}
