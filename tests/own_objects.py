"""Classes of the user's own, in either library's words."""

import numpy as np


def classes(keras):
    """{name: class}, derived from the library's own, registered as "own>NAME"."""
    layers, initializers = keras.layers, keras.initializers
    register = keras.saving.register_keras_serializable("own")

    @register
    class Twice(initializers.Initializer):
        def __init__(self, value=0.5):
            self.value = value

        def __call__(self, shape, dtype=None, **settings):
            return np.full(shape, 2 * self.value, np.float32)

        def get_config(self):
            return {"value": self.value}

    @register
    class Narrow(layers.Dense):
        def __init__(self, width=2, **settings):
            settings.pop("units", None)
            super().__init__(width, **settings)
            self.width = width

        def get_config(self):
            return {**super().get_config(), "width": self.width}

    @register
    class Steps(keras.losses.MeanSquaredError):
        def __init__(self, size=1.0, **settings):
            super().__init__(**settings)
            self.size = size

        def get_config(self):
            return {**super().get_config(), "size": self.size}

    @register
    class Wide(keras.metrics.MeanSquaredError):
        pass

    @register
    class Soft(keras.regularizers.L2):
        pass

    @register
    class Positive(keras.constraints.NonNeg):
        pass

    @register
    class Stack(keras.Sequential):
        pass

    return {cls.__name__: cls for cls in (Twice, Narrow, Steps, Wide, Soft, Positive, Stack)}


def model(keras, own):
    """A model of them all, compiled."""
    layers = keras.layers
    built = own["Stack"](
        [
            layers.Input((5,)),
            layers.Dense(
                4,
                kernel_initializer=own["Twice"](0.1),
                kernel_regularizer=own["Soft"](0.03),
                bias_constraint=own["Positive"](),
                name="first",
            ),
            own["Narrow"](3, name="narrow"),
        ],
        name="stack",
    )
    rng = np.random.default_rng(3)
    built.set_weights([rng.standard_normal(w.shape).astype(np.float32) for w in built.weights])
    built.compile(keras.optimizers.SGD(0.05), own["Steps"](2.0), metrics=[own["Wide"](name="wide")])
    return built


def data():
    rng = np.random.default_rng(4)
    return rng.random((12, 5), dtype=np.float32), rng.random((12, 3), dtype=np.float32)


def results(model):
    """What a model gives, its classes and its next losses."""
    x, y = data()
    predicted = model.predict(x, verbose=0).tolist()
    history = model.fit(x, y, 4, epochs=2, shuffle=False, verbose=0).history
    first, narrow = model.layers
    return {
        "predicted": predicted,
        "history": history,
        "classes": [
            type(one).__name__
            for one in (
                model, first, narrow, first.kernel_initializer, first.kernel_regularizer,
                first.bias_constraint,
            )
        ],
        "width": narrow.width,
    }  # fmt: skip
