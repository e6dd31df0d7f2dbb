"""Layers: shapes, parameters, and gradients through a whole model against finite differences."""

import inspect
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from numba_cnn import activations, backends, layers, ops
from numba_cnn.backends import contract, reference
from numba_cnn.models import Sequential, plan


def every_layer():
    """A model with each kind of layer that training takes, every extent different."""
    return Sequential(
        [
            layers.Conv2D(6, (3, 2), padding="same", activation="relu", input_shape=(13, 11, 4)),
            layers.MaxPooling2D((3, 2), strides=(2, 1), padding="same"),
            layers.Conv2D(8, 3, strides=(1, 2), groups=2, use_bias=False),
            layers.Activation("relu"),
            layers.Conv2D(5, 2, dilation_rate=(2, 1)),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(7, activation="relu"),
            layers.Activation("linear"),
            layers.Dense(3, activation="softmax"),
        ]
    )


@pytest.fixture
def _reference(monkeypatch):
    """The NumPy reference in place of the kernels: nothing to compile in float64."""
    backend = SimpleNamespace(
        **{name: getattr(reference, name) for name in contract.OPS},
        ABILITIES=contract.Abilities(),
        asarray=np.ascontiguousarray,
        empty=np.empty,
        is_available=lambda: True,
        NAME="reference",
    )
    monkeypatch.setattr(backends, "_load", lambda name: backend)


@pytest.mark.usefixtures("_reference")
def test_gradients_of_a_model_against_finite_differences():
    model, generator = every_layer(), np.random.default_rng(0)
    x = generator.normal(size=(3, 13, 11, 4))
    labels = np.array([2, 0, 1])
    for parameter in model.weights:
        parameter.value = generator.normal(0, 0.4, parameter.shape)  # float64

    scored, _ = plan.scored(model._plan(), [("softmax",)])

    def loss():
        return float(ops.sparse_categorical_crossentropy(plan.call(scored, [x])[0], labels)[0])

    logits, backward = plan.forward(scored, [x])
    backward([ops.sparse_categorical_crossentropy(logits[0], labels)[1]])
    for parameter in model.weights:
        value, direction = parameter.value, generator.normal(size=parameter.shape)
        slope = 0.0
        for sign in (1, -1):
            parameter.value = value + sign * 1e-6 * direction
            slope += sign * loss() / 2e-6
        parameter.value = value
        np.testing.assert_allclose(
            np.vdot(parameter.gradient, direction), slope, rtol=1e-5, atol=1e-9
        )


@pytest.mark.usefixtures("_reference")
def test_gradient_of_the_input_passes_layers_without_parameters():
    stack = [layers.ReLU(), layers.MaxPooling2D(2), layers.Flatten()]
    generator = np.random.default_rng(1)
    x = generator.normal(size=(2, 6, 5, 3))
    y, steps = x, []
    for layer in stack:
        y, step = layer.forward(y)
        steps.append(step)
    dy = weight = generator.normal(size=y.shape)
    for step in reversed(steps):
        dy = step(dy)

    def value(x):
        pooled = np.maximum(x, 0)[:, :6, :4].reshape(2, 3, 2, 2, 2, 3).max((2, 4))
        return float(np.vdot(pooled, weight))

    direction = generator.normal(size=x.shape)
    slope = (value(x + 1e-6 * direction) - value(x - 1e-6 * direction)) / 2e-6
    np.testing.assert_allclose(np.vdot(dy, direction), slope, rtol=1e-6)


@pytest.mark.parametrize("layer", [layers.Dense(4, activation="softmax"), layers.Softmax()])
def test_a_softmax_is_left_to_the_loss_where_scores_are_asked_for(layer):
    layer.build((None, 5))
    x = np.random.default_rng(2).normal(size=(3, 5)).astype(np.float32)
    logits = layer.forward_scores(x)[0]
    np.testing.assert_array_equal(layer.call_scores(x), logits)
    np.testing.assert_array_equal(layer.forward(x)[0], layer(x))
    np.testing.assert_allclose(layer(x), ops.softmax(logits), rtol=1e-6)
    np.testing.assert_allclose(layer(x).sum(-1), 1, rtol=1e-6)
    assert not np.allclose(logits.sum(-1), 1)


@pytest.mark.parametrize(
    ("layer", "input_shape", "output_shape", "weights"),
    [
        (layers.Conv2D(32, 3), (None, 64, 63, 3), (None, 62, 61, 32), [(3, 3, 3, 32), (32,)]),
        (
            layers.Conv2D(6, (5, 2), strides=(2, 3), padding="SAME", groups=3, use_bias=False),
            (None, 9, 11, 3),
            (None, 5, 4, 6),
            [(5, 2, 1, 6)],
        ),
        (
            layers.Conv2D(4, 3, dilation_rate=2),
            (None, 9, 8, 2),
            (None, 5, 4, 4),
            [(3, 3, 2, 4), (4,)],
        ),
        (layers.MaxPooling2D(), (None, 29, 28, 5), (None, 14, 14, 5), []),
        (layers.MaxPooling2D(3, strides=2, padding="same"), (None, 8, 9, 5), (None, 4, 5, 5), []),
        (layers.Flatten(), (None, 12, 11, 4), (None, 528), []),
        (layers.Dense(7), (None, 13), (None, 7), [(13, 7), (7,)]),
        (layers.ReLU(), (None, 4, 5, 6), (None, 4, 5, 6), []),
    ],
)
def test_shapes(layer, input_shape, output_shape, weights):
    layer.build(input_shape)
    assert layer.output_shape == output_shape
    assert [parameter.shape for parameter in layer.weights] == weights
    assert layer.count_params() == sum(int(np.prod(shape)) for shape in weights)


def test_defaults_are_those_of_keras():
    convolution, pooling = layers.Conv2D(2, 3), layers.MaxPooling2D()
    assert (convolution.strides, convolution.padding, convolution.dilation_rate) == (
        (1, 1),
        "valid",
        (1, 1),
    )
    assert (convolution.groups, convolution.activation.name, convolution.use_bias) == (
        1,
        "linear",
        True,
    )
    assert (pooling.pool_size, pooling.strides, pooling.padding) == ((2, 2), (2, 2), "valid")
    assert type(convolution.kernel_initializer).__name__ == "GlorotUniform"
    assert type(layers.Dense(2).bias_initializer).__name__ == "Zeros"


def test_activations_by_name_and_by_function():
    assert layers.Dense(2, activation=activations.relu).activation.name == "relu"
    assert layers.Conv2D(2, 3, activation=activations.softmax).activation.name == "softmax"
    assert layers.Activation(None).activation.name == "linear"
    assert layers.Dense(2, activation="swish").activation.name == "silu"
    slope = layers.Dense(2, activation=layers.LeakyReLU(0.1)).activation
    assert slope == activations.Use("leaky_relu", (("negative_slope", 0.1),))
    with pytest.raises(
        ValueError, match=r"activation: expected .*did you mean 'gelu'.* Received: 'gelo'"
    ):
        layers.Dense(2, activation="gelo")


def test_names_count_the_layers_of_a_class():
    names = [cls().name for cls in (layers.Flatten, layers.ReLU, layers.Flatten, layers.MaxPool2D)]
    assert names == ["flatten", "re_lu", "flatten_1", "max_pooling2d"]
    assert layers.Conv2D(1, 1).name == "conv2d"
    assert layers.Conv2D(1, 1, name="mine").name == "mine"
    assert layers.Conv2D(1, 1).name == "conv2d_1"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(0, 3), "filters must be an integer of at least 1. Received: 0"),
        (lambda: layers.Conv2D(2, (3, 3, 3)), "kernel_size must be one integer or a pair"),
        (lambda: layers.Conv2D(2, 3, padding="full"), "padding must be .* Received: 'full'"),
        (lambda: layers.Conv2D(2, 3, data_format="channels_first"), "Received: 'channels_first'"),
        (lambda: layers.Dense(1.5), "units must be an integer of at least 1. Received: 1.5"),
        (lambda: layers.Dense(2, name="a/b"), "name must be a string without '/'"),
        (lambda: layers.Input(shape=(0, None)), "every extent of a sample's shape.* Received: 0"),
        (
            lambda: layers.Dense(2)(layers.Flatten()(layers.Input((None, 3)))),
            r"number of features must be known; Global.* Received: input_shape \(None, None\)",
        ),
        (
            lambda: layers.Conv2D(2, 3)(layers.Input((8, 8, None))),
            r"number of channels must be known. Received: input_shape \(None, 8, 8, None\)",
        ),
        (
            lambda: layers.BatchNormalization()(layers.Input((8, None))),
            "number of channels must be known",
        ),
        (lambda: layers.InputLayer(), "pass one of shape, input_shape and batch_shape"),
        (lambda: layers.Conv2D(2, 3).build((None, 9)), r"must be images .* Received: \(None, 9\)"),
        (lambda: layers.Conv2D(2, 5).build((None, 4, 9, 3)), "5x5 pixels does not fit"),
        (lambda: layers.Conv2D(4, 3, groups=2).build((None, 9, 9, 3)), "3 channels, 2 groups"),
        (lambda: layers.Dense(2).build((None,)), "the input must be rows"),
        (
            lambda: layers.Dense(2, kernel_initializer="zeroes"),
            "initializer: .* Received: 'zeroes'",
        ),
        (lambda: layers.Dense(2).count_params(), "before it is built"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_unknown_arguments_are_a_type_error():
    with pytest.raises(TypeError, match="kernel_quantizer"):
        layers.Dense(2, kernel_quantizer="l2")


def test_a_built_layer_keeps_its_weights():
    layer = layers.Dense(2)
    layer.build((None, 3))
    kernel = layer.get_weights()[0]
    layer.build((None, 3))
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)
    with pytest.raises(ValueError, match=r"has weights for inputs of shape \(None, 3\)"):
        layer.build((None, 4))


def test_set_weights_checks_all_shapes_first():
    layer = layers.Dense(2)
    layer.build((None, 3))
    kernel = layer.get_weights()[0]
    with pytest.raises(ValueError, match=r"expected 2 weights .* Received: \[\(3, 2\), \(3,\)\]"):
        layer.set_weights([np.ones((3, 2)), np.ones(3)])
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)
    layer.set_weights([np.ones((3, 2)), [4, 5]])
    assert layer.bias.value.dtype == np.float32
    np.testing.assert_array_equal(layer.bias.numpy(), [4, 5])


def test_each_layer_has_a_benchmark():
    """Of bench_layers.py, or, for the pooling and the dense one and convolution, of its own."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks.bench_layers import LAYERS

    classes = {value for value in vars(layers).values() if inspect.isclass(value)}
    names = {cls.__name__ for cls in classes if issubclass(cls, layers.Layer)}
    own = {
        name
        for name in names
        if re.fullmatch(r"Conv2D|Dense|(Adaptive)?(Max|Average)Pooling[12]D", name)
    }
    assert names - own - LAYERS.keys() <= {"Layer", "InputLayer", "Identity"}


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (layers.Conv2D(2, 3), "kernel"),
        (layers.Dense(2), "kernel"),
        (layers.BatchNormalization(), "gamma"),
        (layers.PReLU(), "alpha"),
    ],
)
def test_weights_of_a_layer_that_is_not_built(layer, name):
    said = rf"has no attribute '{name}'; its weights are made when it is built: call it, or build\("
    with pytest.raises(AttributeError, match=said):
        getattr(layer, name)
    layer.build((None, 8, 8, 2) if isinstance(layer, layers.Conv2D) else (None, 5))
    assert getattr(layer, name).numpy().size
    with pytest.raises(AttributeError, match=r"has no attribute 'colour'$"):
        layer.colour  # noqa: B018
    with pytest.raises(AttributeError, match="was not called on an Input"):
        layer.input  # noqa: B018
