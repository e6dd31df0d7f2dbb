"""A model of branches, built by Keras or by this library from the same words, and what training it gives.

`python functional_peer.py FOLDER` is Keras's part: it writes keras.npz, keras.keras and summary.txt, and reads
ours.keras where there is one.
"""

import sys
from pathlib import Path

import numpy as np


def build(layers, models, rate=0.0):
    """A residual block with a layer used twice, two branches that join, and a frozen part."""
    inputs = layers.Input((16, 14, 3))
    x = layers.Conv2D(8, 3, padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    frozen = layers.Conv2D(8, 1, activation="selu")
    frozen.trainable = False
    x = frozen(x)
    x = layers.BatchNormalization(trainable=False)(x)
    shared = layers.Conv2D(8, 3, padding="same", activation="elu")
    x = layers.Add()([x, shared(shared(x))])
    y = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="swish")(x)
    z = layers.MaxPooling2D(2)(x)
    x = layers.Concatenate()([y, z])
    x = layers.SpatialDropout2D(rate)(x)
    x = layers.UpSampling2D(2)(x)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(x)
    x = layers.LeakyReLU(0.1)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(rate)(x)
    outputs = layers.Dense(5, activation="softmax")(x)
    return models.Model(inputs, outputs, name="branches")


def data():
    rng = np.random.default_rng(0)
    return rng.random((8, 16, 14, 3), dtype=np.float32), np.eye(5, dtype=np.float32)[
        rng.integers(0, 5, 8)
    ]


def weights(model):
    rng = np.random.default_rng(1)
    drawn = [(0.1 * rng.standard_normal(w.shape)).astype(np.float32) for w in model.weights]
    return [
        np.abs(w) + 0.5 if "variance" in p.path else w
        for w, p in zip(drawn, model.weights, strict=True)
    ]


def results(model):
    """Predictions, the losses of five steps, and the weights after them."""
    x, y = data()
    model.set_weights(weights(model))
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    found = {"predictions": model.predict(x, verbose=0)}
    history = model.fit(x, y, epochs=5, batch_size=8, verbose=0, shuffle=False).history
    found |= {"losses": np.array(history["loss"]), "accuracies": np.array(history["accuracy"])}
    return found | {f"w{i}": w for i, w in enumerate(model.get_weights())}


def main(folder):
    import keras

    if (folder / "ours.keras").exists():
        loaded = keras.models.load_model(folder / "ours.keras")
        x, y = data()
        more = loaded.fit(x, y, epochs=2, batch_size=8, verbose=0, shuffle=False).history["loss"]
        np.savez(
            folder / "read.npz",
            losses=more,
            **{f"w{i}": w for i, w in enumerate(loaded.get_weights())},
        )
        return
    model = build(keras.layers, keras.models)
    np.savez(folder / "keras.npz", **results(model))
    model.save(folder / "keras.keras")
    model.summary(print_fn=lambda text: (folder / "summary.txt").write_text(text))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
