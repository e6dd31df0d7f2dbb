"""Writes the files of this folder: python write.py FOLDER, where tensorflow-cpu 2.15, with Keras 2, is installed.

Those of the folders 2.12 and 2.13 are tensorflow-cpu 2.12.1's and 2.13.1's; what differs from neither its neighbour's
in format is not kept: all but inside.keras of 2.13, all of 2.14.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, losses, metrics, models, optimizers

folder = Path(sys.argv[1])
tf.keras.utils.set_random_seed(1)
x = np.random.default_rng(0).random((4, 8, 8, 3)).astype("float32")
y = np.eye(3)[[0, 1, 2, 0]]
outputs = {}


def finish(name, model):
    outputs[name] = model.predict(x, verbose=0)
    model.save(folder / f"{name}.h5", save_format="h5")


sequential = models.Sequential(
    [
        layers.Conv2D(4, (3, 3), activation="relu", input_shape=(8, 8, 3)),
        layers.BatchNormalization(),
        layers.MaxPooling2D((2, 2)),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(3, activation="softmax", kernel_regularizer="l2"),
    ]
)
sequential.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
sequential.fit(x, y, verbose=0)
finish("sequential", sequential)
sequential.save_weights(folder / "sequential_weights.h5", save_format="h5")
sequential.save_weights(str(folder / "sequential.weights.h5"))

start = layers.Input((8, 8, 3))
a = layers.Conv2D(4, 3, padding="same", activation="relu")(start)
b = layers.Conv2D(4, 1)(start)
joined = layers.concatenate([a, layers.add([a, b])])
functional = models.Model(start, layers.Dense(3)(layers.GlobalAveragePooling2D()(joined)))
functional.compile(optimizers.SGD(0.1, momentum=0.9), losses.MeanSquaredError())
functional.fit(x, y, verbose=0)
finish("functional", functional)

nested = models.Sequential([functional, layers.Dense(2, activation=tf.nn.relu)])
nested.build((None, 8, 8, 3))
finish("nested", nested)

start = layers.Input((8, 8, 3))
inside = models.Model(start, layers.Activation("sigmoid")(functional(start)))
inside.compile("rmsprop", losses.BinaryCrossentropy(), metrics=[metrics.BinaryAccuracy()])
inside.fit(x, y, verbose=0)
finish("inside", inside)
inside.save(str(folder / "inside.keras"), save_format="keras")
np.savez(folder / "outputs.npz", x=x, y=y, **outputs)
