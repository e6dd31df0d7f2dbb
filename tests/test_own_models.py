"""Models and layers that are made of layers by a call() of the user's own; Keras is asked in test_words.py."""

import copy
import pickle

import numpy as np
import own_models
import pytest

import numba_cnn
from numba_cnn import Input, Model, activations, layers, models, saving

X, Y = own_models.data("net")


@pytest.fixture
def own():
    objects = saving.get_custom_objects()
    before = dict(objects)
    yield own_models.classes(numba_cnn)
    objects.clear()
    objects.update(before)


class Net(Model):
    """At the module's top, where pickle finds it."""

    def __init__(self, drop=0.0, **settings):
        super().__init__(**settings)
        self.conv = layers.Conv2D(4, 3, activation="relu")
        self.drop = layers.Dropout(drop, seed=1)
        self.flat = layers.Flatten()
        self.top = layers.Dense(3, activation="softmax")

    def call(self, x, training=False):
        x = self.conv(x)
        if training:
            x = self.drop(x)
        return self.top(self.flat(x))


def net(**settings):
    numba_cnn.set_random_seed(1)
    model = Net(**settings)
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"], backend="cpu")
    return model


def fit(model, epochs=1):
    return model.fit(X, Y, 4, epochs=epochs, shuffle=False, verbose=0).history["loss"]


def test_it_is_what_the_layers_make():
    model = net()
    assert not model.built
    y = model.predict(X, verbose=0)
    stack = models.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    stack.set_weights(model.get_weights())
    np.testing.assert_array_equal(y, stack.predict(X, verbose=0))
    np.testing.assert_array_equal(model(X), stack(X))
    assert [layer.name for layer in model.layers] == ["conv2d", "dropout", "flatten", "dense"]
    assert model.get_layer("conv2d") is model.conv
    assert [p.path for p in model.weights][:2] == ["net/conv2d/kernel", "net/conv2d/bias"]


def test_it_is_recorded_as_others_are():
    model = net()
    fit(model)
    ((_, graph),) = model._graphs._graphs.values()
    assert graph is not None


def test_it_asks_whether_it_trains():
    model = net(drop=0.5)
    before = model.predict(X, verbose=0)
    np.testing.assert_array_equal(model(X, training=False), before)
    assert not np.array_equal(model(X, training=True), before)
    inner = models.Sequential([Input((8, 8, 2)), model])
    np.testing.assert_array_equal(inner.predict(X, verbose=0), before)
    assert not np.array_equal(inner(X, training=True), before)


class Normalized(layers.Layer):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = layers.Conv2D(2, 3), layers.BatchNormalization()

    def call(self, x):
        return self.norm(self.conv(x))


@pytest.mark.parametrize(
    "block",
    [
        Normalized,
        lambda: models.Sequential([layers.Conv2D(2, 3), layers.BatchNormalization()]),
    ],
    ids=["layer", "model"],
)
def test_what_is_called_with_training_false_stays_so(block):
    class Frozen(Model):
        def __init__(self):
            super().__init__()
            self.block = block()
            self.top = layers.Dense(3, activation="softmax")
            self.flat = layers.Flatten()

        def call(self, x, training=None):
            return self.top(self.flat(self.block(x, training=False)))

    model = Frozen()
    model.compile("sgd", "categorical_crossentropy", backend="cpu")
    model.build((None, 8, 8, 2))
    moving = model.get_weights()[4]
    kernel = model.get_weights()[0]
    fit(model)
    np.testing.assert_array_equal(model.get_weights()[4], moving)
    assert not np.array_equal(model.get_weights()[0], kernel)


def test_a_model_inside_has_layers_of_ones_own():
    class Outer(Model):
        def __init__(self):
            super().__init__()
            self.body = models.Sequential([Normalized(), layers.Flatten()])
            self.top = layers.Dense(3, activation="softmax")

        def call(self, x, training=None):
            return self.top(self.body(x, training=training))

    numba_cnn.set_random_seed(1)
    model = Outer()
    model.compile("sgd", "categorical_crossentropy", backend="cpu")
    losses = fit(model, epochs=4)
    assert losses[-1] < losses[0]
    moving = model.body.layers[0].norm.moving_mean
    assert (
        np.abs(moving.numpy()).sum() > 0
    )  # it trained, though it was built while call() was traced


@pytest.mark.parametrize("name", own_models.MODELS)
def test_copies_and_pickles_train_on(name, own, request):
    for cls in own.values():  # pickle looks for classes by name
        cls.__qualname__ = cls.__name__
        setattr(own_models, cls.__name__, cls)
        request.addfinalizer(lambda cls=cls: delattr(own_models, cls.__name__))
    model = own_models.made(name, numba_cnn, own)
    own_models.results(name, model)
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    expected = own_models.results(name, model)
    for other in copies:
        assert own_models.results(name, other) == expected


def test_a_layer_on_arrays(own):
    block, joined = own["Residual"](3), own["Joined"]()
    y = block(X)
    assert y.shape == X.shape
    assert joined(X, y).shape == (12, 8, 8, 4)
    assert block.count_params() == sum(w.size for w in block.get_weights())
    inputs = Input((8, 8, 2))
    np.testing.assert_allclose(Model(inputs, block(inputs))(X), y, rtol=1e-5, atol=1e-6)
    assert block.compute_output_shape((None, 5, 5, 2)) == (None, 5, 5, 2)


def test_trainable_is_of_all_layers_inside(own):
    model = own_models.made("net", numba_cnn, own)
    count = len(model.trainable_weights)
    model.blocks[0].trainable = False
    assert not model.blocks[0].conv.trainable
    assert len(model.trainable_weights) == count - 8
    model.trainable = False
    assert model.trainable_weights == []


def test_a_new_layer_makes_it_another_model():
    model = net()
    fit(model)
    model.top = layers.Dense(3, activation="softmax", name="other")
    assert not model.built
    model.compile("sgd", "categorical_crossentropy", backend="cpu")
    assert fit(model)
    assert model.weights[2].path == "net/other/kernel"


def test_outputs_by_name_and_losses_before_the_model_is_built():
    class Two(Model):
        def __init__(self):
            super().__init__()
            self.flat, self.a, self.b = layers.Flatten(), layers.Dense(3), layers.Dense(1)

        def call(self, inputs):
            x = self.flat(inputs["image"])
            return {"class": activations.softmax(self.a(x)), "size": self.b(x)}

    model = Two()
    model.compile("sgd", {"class": "categorical_crossentropy", "size": "mse"}, backend="cpu")
    targets = {"class": Y, "size": Y.sum(1)}
    history = model.fit({"image": X}, targets, verbose=0).history
    assert list(history) == ["class_loss", "loss", "size_loss"]
    assert set(model.predict({"image": X}, verbose=0)) == {"class", "size"}


class Called(Model):
    """A model whose call() is given."""

    def __init__(self, call):
        super().__init__()
        self.dense = layers.Dense(3)
        self.run = call

    def call(self, x):
        return self.run(self, x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda self, x: np.exp(x), r"operand 'Tensor' does not support ufuncs"),
        (lambda self, x: np.mean(x), "layers take it, NumPy does not. Received: <Tensor .*mean"),
        (lambda self, x: np.asarray(x), "layers take it, NumPy does not. Received: <Tensor"),
        (lambda self, x: 3, r"call\(\) must return what layers returned.* Received: 3"),
        (lambda self, x: [], r"call\(\) must return what layers returned.* Received: \[\]"),
        (
            lambda self, x: self.dense(Input((4,))),
            r"of its inputs alone. Received: <Tensor .*input",
        ),
        (lambda self, x: layers.Dense(2)(x), r"layers with weights are made in __init__\(\)"),
    ],
)
def test_a_call_that_is_not_made_of_layers(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Called(call).build((None, 4))


def test_shapes_that_hang_on_training():
    class Odd(Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Dense(1), layers.Dense(2)

        def call(self, x, training=None):
            return self.one(x) if training else self.two(x)

    with pytest.raises(ValueError, match=r"the same shapes .* Received: \[\(None, 1\)\] and"):
        Odd().build((None, 4))


def test_h5_files_have_the_weights_alone(tmp_path):
    model = net()
    expected = model.predict(X, verbose=0)
    with pytest.raises(ValueError, match=r"saved as \.keras; save_weights writes an \.h5"):
        model.save(tmp_path / "m.h5")
    model.save_weights(tmp_path / "w.h5")
    other = net(drop=0.1)
    other.build((None, 8, 8, 2))
    other.load_weights(tmp_path / "w.h5")
    np.testing.assert_array_equal(other.predict(X, verbose=0), expected)


def test_other_wrong_words(own):
    with pytest.raises(TypeError, match=r"defines forward\(\) beside call\(\).* Received: call"):

        class Wider(layers.Dense):
            def call(self, x):
                return 2 * super().call(x)

    class Given(Model):
        def __init__(self):
            super().__init__(Input((3,)), Input((3,)))

        def call(self, x):
            return x

    with pytest.raises(TypeError, match=r"gives Model's constructor name= and trainable="):
        Given()
    with pytest.raises(TypeError, match="between the layers of a Model it is called on tensors"):
        own["Joined"]()(Input((3,)), other=Input((3,)))

    with pytest.raises(TypeError, match=r"train_step\(self, data\) is not served"):

        class Stepped(Model):
            def train_step(self, data):
                return {}

    with pytest.raises(TypeError, match=r"add_weight is not served: layers of your own have"):
        layers.Dense(2).add_weight(shape=(3,), initializer="zeros")

    class Made(layers.Layer):
        def __init__(self, by):
            super().__init__()
            self.by = by

        def call(self, x):
            return x

    with pytest.raises(ValueError, match=r"by cannot be written .* define get_config\(\) in Made"):
        Made(print).get_config()
