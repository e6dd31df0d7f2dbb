"""Models in models, of several inputs and outputs, of unknown extents: built by Keras or by this library from the same
words, and what training them gives.

`python models_peer.py FOLDER` is Keras's part: for each model it writes NAME.npz, NAME.json, NAME.keras and
NAME.weights.h5; where there is an ours_NAME.keras it reads that instead, and writes read_NAME.npz.
"""

import json
import sys
from pathlib import Path

import numpy as np


def _images(rng, N=8):
    return rng.random((N, 8, 8, 3), dtype=np.float32)


def _one_hot(rng, classes, N=8):
    return np.eye(classes, dtype=np.float32)[rng.integers(0, classes, N)]


def _base(layers, models, name="base"):
    inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.MaxPooling2D()(x)
    return models.Model(inputs, x, name=name)


class Nested:
    """[preparation, base, head]: a Sequential without an input of its own, a frozen Model, one that trains."""

    compiled = ("sgd", "categorical_crossentropy", {"metrics": ["accuracy"]})

    def build(layers, models):
        prepare = models.Sequential([layers.Rescaling(2.0, -1.0), layers.Dropout(0.0)], name="prep")
        base = _base(layers, models)
        base.trainable = False
        head = models.Sequential([layers.Conv2D(4, 3), layers.MaxPooling2D(), layers.Flatten()])
        return models.Sequential(
            [
                layers.Input((8, 8, 3)),
                prepare,
                base,
                head,
                layers.Dense(3, activation="softmax"),
            ]
        )

    def data(rng):
        return _images(rng), _one_hot(rng, 3)


class Residual:
    """Two branches, a layer used twice, a model inside that is used twice, a frozen part."""

    compiled = ("sgd", "categorical_crossentropy", {"metrics": ["accuracy"]})

    def build(layers, models):
        inputs = layers.Input((8, 8, 3))
        block = models.Sequential(
            [
                layers.Conv2D(4, 3, padding="same"),
                layers.BatchNormalization(),
                layers.Activation("relu"),
            ],
            name="block",
        )
        x = layers.Conv2D(4, 1)(inputs)
        x = layers.Add()([x, block(block(x))])
        frozen = _base(layers, models, "frozen")
        frozen.trainable = False
        y = frozen(inputs)
        z = layers.AveragePooling2D(2)(x)
        shared = layers.Conv2D(4, 3, padding="same", activation="elu")
        x = layers.Concatenate()([shared(y), shared(z)])
        x = layers.Dropout(0.0)(x)
        x = layers.GlobalAveragePooling2D()(x)
        return models.Model(inputs, layers.Dense(3, activation="softmax")(x), name="residual")

    data = Nested.data


class TwoHeaded:
    """One input, three outputs, one of which another one is made of."""

    compiled = (
        "sgd",
        {"kind": "sparse_categorical_crossentropy", "size": "mse", "again": "mae"},
        {
            "loss_weights": {"kind": 1.0, "size": 0.5, "again": 2.0},
            "metrics": {"kind": ["accuracy"], "size": ["mae", "mse"]},
        },
    )

    def build(layers, models):
        inputs = layers.Input((8, 8, 3), name="image")
        x = layers.Flatten()(_base(layers, models)(inputs))
        kind = layers.Dense(3, activation="softmax", name="kind")(x)
        size = layers.Dense(2, name="size")(x)
        again = layers.Dense(2, name="again")(kind)
        return models.Model(inputs, [kind, size, again], name="heads")

    def data(rng):
        x = _images(rng)
        y = [rng.integers(0, 3, 8), *rng.random((2, 8, 2)).astype(np.float32)]
        return x, y


class Siamese:
    """Two inputs that go through one model, and one output."""

    compiled = ("sgd", "binary_crossentropy", {"metrics": ["accuracy"]})

    def build(layers, models):
        a, b = layers.Input((8, 8, 3), name="a"), layers.Input((8, 8, 3), name="b")
        base = models.Sequential([_base(layers, models), layers.GlobalAveragePooling2D()])
        apart = layers.Subtract()([base(a), base(b)])
        both = layers.Multiply()([apart, apart])
        return models.Model([a, b], layers.Dense(1, activation="sigmoid")(both), name="siamese")

    def data(rng):
        return [_images(rng), _images(rng)], rng.integers(0, 2, (8, 1)).astype(np.float32)


class Inside:
    """A model of two inputs and two outputs as a layer."""

    compiled = ("sgd", ["mse", "mse"], {"metrics": [["mae"], []]})

    def build(layers, models):
        a, b = layers.Input((8, 8, 3)), layers.Input((8, 8, 3))
        base = _base(layers, models)
        f, g = base(a), base(b)
        both = models.Model([a, b], [layers.Add()([f, g]), layers.Subtract()([f, g])], name="both")
        c, d = layers.Input((8, 8, 3), name="c"), layers.Input((8, 8, 3), name="d")
        u, v = both([d, c])
        u = layers.Dense(2, name="u")(layers.Flatten()(u))
        v = layers.Dense(2, name="v")(layers.GlobalMaxPooling2D()(v))
        return models.Model([c, d], [u, v], name="outside")

    def data(rng):
        y = list(rng.random((2, 8, 2)).astype(np.float32))
        return [_images(rng), _images(rng)], y


class Unknown:
    """Images of any size."""

    compiled = ("sgd", "categorical_crossentropy", {"metrics": ["accuracy"]})

    def build(layers, models):
        inputs = layers.Input((None, None, 3))
        x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(inputs)
        x = layers.BatchNormalization()(x)
        y = layers.MaxPooling2D(2, padding="same")(x)
        z = layers.AveragePooling2D(2, padding="same")(x)
        x = layers.Concatenate()([y, z])
        x = layers.UpSampling2D()(x)
        x = layers.ZeroPadding2D(1)(x)
        x = layers.Cropping2D(((1, 0), (0, 1)))(x)
        x = layers.Conv2DTranspose(4, 3, strides=2)(x)
        x = layers.DepthwiseConv2D(3, padding="same")(x)
        x = layers.SeparableConv2D(4, 3, padding="same")(x)
        x = layers.SpatialDropout2D(0.0)(x)
        x = layers.Reshape((-1, 1, 4))(x)
        x = layers.GlobalAveragePooling2D()(x)
        return models.Model(inputs, layers.Dense(3, activation="softmax")(x), name="unknown")

    data = Nested.data


MODELS = {cls.__name__: cls for cls in (Nested, Residual, TwoHeaded, Siamese, Inside, Unknown)}


def weights(model):
    rng = np.random.default_rng(1)
    drawn = [(0.2 * rng.standard_normal(w.shape)).astype(np.float32) for w in model.weights]
    return [
        np.abs(w) + 0.5 if "variance" in p.path else w
        for w, p in zip(drawn, model.weights, strict=True)
    ]


def _all(y):
    return y if isinstance(y, list) else [y]


def trained(cls, model):
    """Predictions, the logs of five steps, what evaluate says then, and the weights."""
    x, y = cls.data(np.random.default_rng(0))
    optimizer, loss, settings = cls.compiled
    model.set_weights(weights(model))
    model.compile(optimizer, loss, **settings)
    arrays = {f"predicted{i}": p for i, p in enumerate(_all(model.predict(x, verbose=0)))}
    history = model.fit(
        x, y, epochs=5, batch_size=8, verbose=0, shuffle=False, validation_data=(x, y)
    ).history
    evaluated = model.evaluate(x, y, verbose=0)
    arrays |= {f"w{i}": w for i, w in enumerate(model.get_weights())}
    return arrays, {"history": history, "evaluated": evaluated}


def more(cls, model):
    x, y = cls.data(np.random.default_rng(0))
    return model.fit(x, y, epochs=2, batch_size=8, verbose=0, shuffle=False).history


def described(model):
    """What the model says of itself."""
    texts = []
    model.summary(print_fn=texts.append)
    model.summary(print_fn=texts.append, expand_nested=True)
    model.summary(print_fn=texts.append, show_trainable=True, expand_nested=True)
    return {
        "summaries": texts,
        "layers": [layer.name for layer in model.layers],
        "trainable": [w.shape for w in model.trainable_weights],
        "weights": [w.shape for w in model.weights],
        "count": model.count_params(),
        "inputs": [list(t.shape) for t in model.inputs],
        "outputs": [list(t.shape) for t in model.outputs],
        "output_shape": model.output_shape,
        "input_shape": model.input_shape,
        "features": [[list(t.shape) for t in _all(layer.output)] for layer in model.layers],
    }


def main(folder):
    import keras

    for name, cls in MODELS.items():
        if list(folder.glob("ours_*")):
            if (folder / f"ours_{name}.keras").exists():
                model = keras.models.load_model(folder / f"ours_{name}.keras")
                keras.models.load_model(folder / f"ours_{name}.keras").load_weights(
                    folder / f"ours_{name}.weights.h5"
                )
                arrays = {f"w{i}": w for i, w in enumerate(model.get_weights())}
                np.savez(folder / f"read_{name}.npz", **arrays)
                (folder / f"read_{name}.json").write_text(json.dumps(more(cls, model)))
            continue
        keras.backend.clear_session()
        model = cls.build(keras.layers, keras.models)
        said = described(model)
        arrays, told = trained(cls, model)
        np.savez(folder / f"{name}.npz", **arrays)
        (folder / f"{name}.json").write_text(json.dumps({**said, **told}))
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
