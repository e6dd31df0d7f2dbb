"""fit from JPEG files: how near it comes to what its parts take, and how much memory.

    python -m benchmarks.feeding [FOLDER] [--images 27000] [--size 64] [--batch-size 32] [--rounds 5]

FOLDER has a folder of images for each class, of which copies under other names make up the number; without one, images
are drawn. In each round the steps (fit on arrays in memory) on one core and on all, decoding (one core) and fit from
the files (all cores, decoding anew) take turns, on a part of the images. Printed are the medians of their times for an
image; how many times the core time of steps and decoding, over the number of cores, fit takes; the same by the core
time of steps that run on all cores, which is larger; and the peak of memory after a pass over all images. Kernels are
compiled before.
"""

import argparse
import contextlib
import io
import itertools
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import numba_cnn as nc
from benchmarks import machine
from numba_cnn import backends, layers, models, preprocessing, utils

BATCHES = 64  # of a round


def copies(source, folder, count):
    """`count` files below the folder, one folder a class."""
    if source is None:
        source = Path(folder, "drawn")
        rng = np.random.default_rng(0)
        for label in range(10):
            (source / str(label)).mkdir(parents=True)
            for i in range(10):
                coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 3)).astype(np.uint8))
                coarse.resize((64, 64), Image.Resampling.BICUBIC).save(
                    source / str(label) / f"{i}.jpg"
                )
    home, found = Path(folder, "images"), sorted(Path(source).glob("*/*.jpg"))
    for k in range(count):
        file = found[k % len(found)]
        target = home / file.parent.name / f"{k}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return home


def network(size, classes):
    """Three convolutions, as for EuroSAT."""
    nc.set_random_seed(0)
    model = models.Sequential([layers.Input((size, size, 3)), layers.Rescaling(1 / 255)])
    for filters in (32, 64, 64):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(classes, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], backend="cpu")
    return model


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def sources(folder, size, batch_size):
    """What fit is fed with, by name; those that Keras has."""
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = utils.image_dataset_from_directory(
            folder, image_size=(size, size), batch_size=batch_size, seed=0
        )
        how = {
            "target_size": (size, size),
            "batch_size": batch_size,
            "class_mode": "sparse",
            "seed": 0,
        }
        plain = preprocessing.image.ImageDataGenerator().flow_from_directory(folder, **how)
        changing = preprocessing.image.ImageDataGenerator(
            rotation_range=20, width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True
        ).flow_from_directory(folder, **how)
    return {
        "image_dataset_from_directory": dataset,
        "flow_from_directory": plain,
        "  changed at random": changing,
    }


def batches_of(source, count):
    """So many batches, made and let go."""
    batches = (source[i] for i in range(len(source))) if hasattr(source, "next") else source
    for _ in itertools.islice(batches, count):
        pass


@contextlib.contextmanager
def one_core():
    """One thread, of kernels and of data."""
    cores, threads = os.sched_getaffinity(0), backends.get("cpu").get_num_threads()
    os.sched_setaffinity(0, {min(cores)})
    nc.set_num_threads(1)
    yield
    nc.set_num_threads(threads)
    os.sched_setaffinity(0, cores)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    for name, default in (("images", 27_000), ("size", 64), ("batch-size", 32), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as home:
        folder = copies(given.folder, home, given.images)
        made = sources(folder, given.size, given.batch_size)
        model = network(given.size, len(list(folder.iterdir())))
        for name, source in made.items():
            model.fit(source, steps_per_epoch=4, verbose=0)
            rounds = np.array([one_round(model, source, given) for _ in range(given.rounds)])
            alone, together, decoding, wall = rounds.T
            ratios = [np.median(cores * wall / (s + decoding)) for s in (alone, cores * together)]
            times = "{:.0f} and {:.0f} us, decoding {:.0f}, fit {:.0f}".format(
                *1e6 * np.median(rounds, 0)
            )
            print(
                f"{name:32} steps {times} us an image: {ratios[0]:.2f} and {ratios[1]:.2f} of their sum",
                flush=True,
            )
        model.fit(made["image_dataset_from_directory"], verbose=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{given.images} images, {cores} cores; peak memory {peak:.0f} MB; {machine.today()}")


def one_round(model, source, given):
    """Seconds an image of steps on one core, on all, of decoding on one, and of fit."""
    count = min(BATCHES, given.images // given.batch_size)
    n = count * given.batch_size
    shape = n, given.size, given.size, 3
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8).astype(np.float32)
    y = np.arange(n) % model.output_shape[-1]
    with one_core():
        alone = seconds(lambda: model.fit(x, y, given.batch_size, verbose=0))
    together = seconds(lambda: model.fit(x, y, given.batch_size, verbose=0))
    wall = seconds(lambda: model.fit(source, steps_per_epoch=count, verbose=0))
    with one_core():
        decoding = seconds(lambda: batches_of(source, count))
    return alone / n, together / n, decoding / n, wall / n


if __name__ == "__main__":
    main()
