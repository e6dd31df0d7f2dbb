"""Trains on a folder of pictures, without the command: python -m examples.own_folder FOLDER"""

import sys

from numba_cnn import Sequential, layers, models, utils


def main(folder, epochs=8):
    how = {
        "image_size": (32, 32),
        "batch_size": 16,
        "validation_split": 0.2,
        "seed": 1,
        "subset": "both",
    }
    train, test = utils.image_dataset_from_directory(folder, **how, verbose=False)
    classifier = models.vgg((32, 32, 3), len(train.class_names))
    model = Sequential(
        [
            layers.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.1),
            classifier,
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train, epochs=int(epochs), validation_data=test, verbose=2)
    model.save("own_folder.keras")
    print(f"accuracy {model.evaluate(test, verbose=0)[1]:.2f}; saved own_folder.keras")


if __name__ == "__main__":
    main(*sys.argv[1:])
