"""A Keras model taken home and back: python -m examples.keras_model [FILE.keras]

Without a file one is written here, as Keras would. What is trained on here opens in Keras again.
"""

import sys

import numpy as np

from numba_cnn import models


def main(path=None):
    if path is None:
        path = "from_keras.keras"
        models.lenet((28, 28, 1)).save(path)
    model = models.load_model(path, compile=False)
    model.summary()
    x = np.random.default_rng(0).random((16, *(n or 64 for n in model.input_shape[1:])), np.float32)
    before = model.predict(x, verbose=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, np.zeros(16, int), verbose=0)
    model.save("trained_here.keras")
    after = models.load_model("trained_here.keras").predict(x, verbose=0)
    print(
        f"saved trained_here.keras; class 0 went from {before[:, 0].mean():.3f} to {after[:, 0].mean():.3f}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
