"""Models and layers of the user's own that are made of layers, in either library's words."""

import re

import numpy as np


def classes(keras):
    """{name: class}, registered as "made>NAME"."""
    layers = keras.layers
    register = keras.saving.register_keras_serializable("made")

    @register
    class Residual(layers.Layer):
        """x + convolutions of x; the last is made in build()."""

        def __init__(self, filters, **settings):
            super().__init__(**settings)
            self.filters = filters
            self.conv = layers.Conv2D(filters, 3, padding="same", activation="relu")
            self.norm = layers.BatchNormalization()
            self.still = layers.BatchNormalization()

        def build(self, input_shape):
            self.last = layers.Conv2D(input_shape[-1], 3, padding="same")

        def call(self, x, training=None):
            y = self.norm(self.conv(x), training=training)
            y = self.still(self.last(y), training=False)
            return layers.add([x, y])

        def get_config(self):
            return {**super().get_config(), "filters": self.filters}

    @register
    class Joined(layers.Layer):
        """Two inputs, one after the other."""

        def __init__(self, **settings):
            super().__init__(**settings)
            self.join = layers.Concatenate()

        def call(self, x, other):
            return self.join([x, other])

    @register
    class Net(keras.Model):
        def __init__(self, count=2, **settings):
            super().__init__(**settings)
            self.count = count
            self.stem = layers.Conv2D(4, 3, activation="relu")
            self.blocks = [Residual(3) for _ in range(count)]
            self.heads = {"pool": layers.GlobalAveragePooling2D(), "rest": (layers.Dense(5),)}
            self.bend = layers.Activation("tanh")
            self.out = layers.Dense(3, activation="softmax")

        def call(self, x, training=None):
            x = self.stem(x)
            for block in self.blocks:
                x = block(x, training=training)
            x = self.heads["pool"](x)
            if training:
                x = self.bend(x)
            return self.out(self.heads["rest"][0](x) * 0.5)

    @register
    class Pair(keras.Model):
        """Two inputs, of which one is scaled; a model inside."""

        def __init__(self, **settings):
            super().__init__(**settings)
            self.left = keras.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(4)])
            self.right = layers.Dense(4)
            self.joined = Joined()
            self.top = layers.Dense(3, activation="softmax")

        def call(self, inputs):
            a, b = inputs
            return self.top(self.joined(self.left(a), self.right(b)))

    return {cls.__name__: cls for cls in (Residual, Joined, Net, Pair)}


def functional(keras, own):
    """A Model of the user's layers, one of which is called twice."""
    layers = keras.layers
    inputs = layers.Input((8, 8, 2))
    block = own["Residual"](3)
    x = block(block(inputs))
    x = own["Joined"]()(x, inputs)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.Flatten()(x)))


MODELS = {
    "net": lambda keras, own: own["Net"](name="net"),
    "pair": lambda keras, own: own["Pair"](name="pair"),
    "functional": functional,
}


def data(name):
    rng = np.random.default_rng(6)
    if name == "pair":
        x = [rng.random((12, 5), dtype=np.float32), rng.random((12, 2), dtype=np.float32)]
    else:
        x = rng.random((12, 8, 8, 2), dtype=np.float32)
    return x, np.eye(3, dtype=np.float32)[rng.integers(0, 3, 12)]


def made(name, keras, own):
    """A model that is built, with weights of its own, compiled."""
    model = MODELS[name](keras, own)
    model(data(name)[0])
    rng = np.random.default_rng(3)
    model.set_weights(
        [
            (rng.normal(0, 0.2, w.shape) + w.path.endswith(("variance", "gamma"))).astype(
                np.float32
            )
            for w in model.weights
        ]
    )
    model.compile(keras.optimizers.SGD(0.05), "categorical_crossentropy", metrics=["accuracy"])
    return model


def results(name, model):
    """What a model gives, and its losses while it learns."""
    x, y = data(name)
    return {
        "predicted": model.predict(x, verbose=0).tolist(),
        "history": model.fit(x, y, 4, epochs=2, shuffle=False, verbose=0).history,
        "evaluated": model.evaluate(x, y, verbose=0),
        "weights": [
            re.sub(r"_\d+/", "/", "/".join(w.path.split("/")[-2:])) + str(tuple(w.shape))
            for w in model.weights
        ],
        "layers": [type(layer).__name__ for layer in model.layers],
        "trained": [w.tolist() for w in model.get_weights()],
    }


def summary(model):
    """Its words: Keras's shapes have the first batch where ours have None, and its columns are as wide as they must."""
    lines = []
    model.summary(print_fn=lines.append)
    return re.sub(r"[ ─]+", " ", "".join(lines)).replace("(12, ", "(None, ")
