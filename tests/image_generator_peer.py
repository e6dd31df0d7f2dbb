"""What Keras's ImageDataGenerator draws, normalizes and reads: a process of its own, `python image_generator_peer.py
FOLDER OUT`, with nothing that would take SciPy. The settings are those that the tests give ours."""

import sys

import numpy as np

SETTINGS = {
    "nothing": {},
    "all": {
        "rotation_range": 40, "width_shift_range": 0.2, "height_shift_range": 0.3, "shear_range": 0.2,
        "zoom_range": 0.4, "channel_shift_range": 9.0, "horizontal_flip": True, "vertical_flip": True,
        "brightness_range": (0.5, 1.5),
    },
    "whole": {"width_shift_range": 3, "height_shift_range": [-4, 1, 2], "zoom_range": [0.5, 1.0]},
}  # fmt: skip
STANDARDS = {
    "rescale": {"rescale": 1 / 255},
    "samplewise": {"samplewise_center": True, "samplewise_std_normalization": True},
    "featurewise": {"featurewise_center": True, "featurewise_std_normalization": True},
    "whitening": {"featurewise_center": True, "zca_whitening": True, "zca_epsilon": 0.1},
    "function": {"preprocessing_function": lambda x: x[..., ::-1] - 9.0, "rescale": 2.0},
}
POINTWISE = [
    {"channel_shift_intensity": 40.0},
    {"brightness": 0.4},
    {"brightness": 1.7, "flip_horizontal": True},
]
FLOWS = {
    "categorical": {"target_size": (9, 7), "shuffle": False, "batch_size": 4},
    "sparse": {"class_mode": "sparse", "target_size": (8, 8), "shuffle": False, "interpolation": "bilinear"},
    "grey": {"class_mode": "binary", "color_mode": "grayscale", "target_size": (6, 9), "shuffle": False},
    "alpha": {"class_mode": "input", "color_mode": "rgba", "target_size": (6, 9), "shuffle": False},
    "validation": {"subset": "validation", "target_size": (5, 5), "shuffle": False, "class_mode": "sparse"},
    "training": {"subset": "training", "target_size": (5, 5), "shuffle": False, "keep_aspect_ratio": True},
    "chosen": {"classes": ["dog", "ant"], "target_size": (5, 5), "shuffle": False, "class_mode": "sparse"},
}  # fmt: skip


def images():
    return np.random.default_rng(3).uniform(0, 255, (20, 5, 6, 3)).astype(np.float32)


def facts(make, folder):
    """Everything that is compared, by name; `make` makes a generator from settings."""
    found = {}
    for name, settings in SETTINGS.items():
        for seed in range(20):
            drawn = make(**settings).get_random_transform((50, 80, 3), seed)
            values = [np.nan if value is None else float(value) for value in drawn.values()]
            found[f"drawn {name} {seed}"] = np.array(values)
    for name, settings in STANDARDS.items():
        generator = make(**settings)
        generator.fit(images())
        found[f"standard {name}"] = generator.standardize(images()[0].copy())
    for i, parameters in enumerate(POINTWISE):
        found[f"pointwise {i}"] = make().apply_transform(images()[1].copy(), parameters)
    wide = images()[1] * 3 - 100
    found["pointwise wide"] = make().apply_transform(wide, {"brightness": 0.6})
    for name, settings in FLOWS.items():
        flow = make(validation_split=0.4, rescale=0.5).flow_from_directory(folder, **settings)
        x, y = flow[0]
        found |= {f"flow {name} x": x, f"flow {name} y": y}
        found[f"flow {name} files"] = np.array(flow.filenames)
        found[f"flow {name} classes"] = np.array(flow.classes)
        found[f"flow {name} names"] = np.array(list(flow.class_indices.items()))
        counts = len(flow), flow.n, flow.samples, flow.num_classes, flow.batch_size
        found[f"flow {name} counts"] = np.array([*counts, *flow.image_shape])
    rows = images(), np.arange(20) % 4, np.arange(20) / 2
    for subset in (None, "training", "validation"):
        generator = make(validation_split=0.4, rescale=0.5)
        weight = rows[2] if subset is None else None  # Keras's weights do not follow a subset
        flow = generator.flow(*rows[:2], 5, False, weight, subset=subset)
        batch = [*flow[1], *next(flow)]
        found |= {f"arrays {subset} {i}": one for i, one in enumerate(batch)}
    return found


if __name__ == "__main__":
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    np.savez(sys.argv[2], **facts(ImageDataGenerator, sys.argv[1]))
