"""Data as public scripts give it to models: images, folders, generators, data sets."""

import pickle
from pathlib import Path

import numpy as np
from demand_fitted import RNG, X, Y, fitted

import numba_cnn as keras
from numba_cnn import utils
from numba_cnn.preprocessing.image import ImageDataGenerator, img_to_array, load_img


def write_images(classes=("cat", "dog")):
    from PIL import Image

    for name in classes:
        Path("images", name).mkdir(parents=True)
        for i in range(4):
            pixels = RNG.integers(0, 256, (8, 8, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(Path("images", name, f"{i}.png"))
    return "images"


def of_image():
    write_images(["cat"])
    assert img_to_array(load_img("images/cat/0.png", target_size=(4, 5))).shape == (4, 5, 3)


VALUES_OF_IMAGES = {
    "batch_size": 2, "classes": ["dog", "cat"], "class_mode": "binary", "color_mode": "grayscale", "data_format":
    "channels_last", "fill_mode": "constant", "image_size": (4, 4), "label_mode": "categorical", "labels": "inferred",
    "preprocessing_function": lambda image: image / 2, "rescale": 1 / 255, "rotation_range": 40, "seed": 1,
    "shuffle": False, "subset": "training", "target_size": (4, 4), "validation_split": 0.25, "zca_epsilon": 1e-5,
    "channel_shift_range": 10.0, "cval": 1.0, "shear_range": 0.2, "zoom_range": 0.2, "width_shift_range": 0.2,
    "height_shift_range": 0.2,
}  # fmt: skip
SPLIT = {"validation_split": 0.25, "seed": 1}


def of_image_dataset(argument="arg0"):
    settings = {} if argument == "arg0" else {argument: VALUES_OF_IMAGES[argument]}
    if argument in ("subset", "validation_split"):
        settings = {**SPLIT, "subset": "training"}
    images, _ = next(iter(utils.image_dataset_from_directory(write_images(), **settings)))
    size = settings.get("image_size", (256, 256))
    assert images.shape[1:] == (*size, 1 if argument == "color_mode" else 3)


def of_generator(argument=None):
    """Batches of an ImageDataGenerator with the argument, which are trained on."""
    settings = {} if argument in (None, "**") else {argument: VALUES_OF_IMAGES.get(argument, True)}
    if argument == "**":
        settings = {"rescale": 0.5, "horizontal_flip": True}
    if argument == "samplewise_std_normalization":
        settings["samplewise_center"] = True
    if argument in ("featurewise_std_normalization", "zca_whitening"):
        settings["featurewise_center"] = True
    generator = ImageDataGenerator(**settings)
    generator.fit(X)
    fitted(generator.flow(X, Y, batch_size=4), steps_per_epoch=2)


def of_flow_from_directory(argument="directory"):
    folder, split = write_images(), {"validation_split": 0.25} if argument == "subset" else {}
    settings = {} if argument == "directory" else {argument: VALUES_OF_IMAGES[argument]}
    flow = ImageDataGenerator(**split).flow_from_directory(directory=folder, **settings)
    images, _ = next(flow)
    size = settings.get("target_size", (256, 256))
    assert images.shape == (len(images), *size, 1 if argument == "color_mode" else 3)


def of_flow_from_dataframe():
    """A table with pandas's words, which is not installed with the library."""
    write_images(["cat"])
    names = [f"{i}.png" for i in range(4)]
    table = {"filename": names, "class": ["a", "b", "a", "b"]}
    images, _ = next(ImageDataGenerator().flow_from_dataframe(table, "images/cat"))
    assert images.shape == (4, 256, 256, 3)


def of_sequence():
    class Batches(utils.Sequence):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return X[8 * i : 8 * i + 8], Y[8 * i : 8 * i + 8]

    fitted(Batches())


def of_tf_data():
    from numba_cnn.utils.dataset import Dataset

    made = Dataset.from_tensor_slices((X, Y)).shuffle(16).map(lambda x, y: (x * 2, y)).batch(4)
    fitted(made.prefetch(-1))


def of_datasets():
    folder = Path("home/datasets")
    folder.mkdir(parents=True)
    x, y = np.zeros((6, 32, 32, 3), np.uint8), np.arange(6)
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        (folder / "cifar-10-batches-py").mkdir(exist_ok=True)
        content = {b"data": x.reshape(6, -1), b"labels": y.tolist()}
        packed = pickle.dumps(content, protocol=2)
        (folder / "cifar-10-batches-py" / name).write_bytes(packed)
    (x_train, y_train), (x_test, _) = keras.datasets.cifar10.load_data()
    assert (x_train.shape, y_train.shape, len(x_test)) == ((30, 32, 32, 3), (30, 1), 6)


def of_get_file():
    Path("home/datasets").mkdir(parents=True)
    Path("home/datasets/a.bin").write_bytes(b"there")
    found = utils.get_file("a.bin", "https://127.0.0.1/a.bin")
    assert Path(found).read_bytes() == b"there"
