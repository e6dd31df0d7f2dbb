"""Gradients with respect to what a model is given, and to what its layers give: finite differences in float64."""

import numpy as np
import pytest
from gradcheck import assert_gradient

from numba_cnn import Input, Model, Sequential, layers

RNG = np.random.default_rng(5)


def smooth():
    """A chain with everything that acts in training."""
    return Sequential(
        [
            Input((9, 7, 2)),
            layers.Conv2D(4, 3, activation="tanh", padding="same", name="first"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.AveragePooling2D(),
            layers.Conv2D(3, 2, activation="sigmoid", name="last"),
            layers.Flatten(),
            layers.Dense(4, activation="softmax", name="classes"),
        ]
    )


def residual():
    """Branches that come together, a model inside and a layer that is used twice."""
    inputs = Input((6, 5, 3))
    shared = layers.Conv2D(3, 3, padding="same", activation="tanh", name="shared")
    inner = Sequential([Input((6, 5, 3)), layers.Conv2D(3, 1, activation="tanh", name="inner")])
    x = layers.Add()([shared(inputs), inputs])
    x = layers.Add(name="sum")([shared(x), inner(x)])
    return Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


def twofold():
    """Two inputs and two outputs."""
    a, b = Input((4,), name="a"), Input((3,), name="b")
    x = layers.Dense(5, activation="tanh", name="left")(a)
    y = layers.Concatenate()([x, layers.Dense(2, activation="tanh")(b)])
    return Model(
        [a, b],
        [layers.Dense(3, activation="softmax", name="one")(y), layers.Dense(2, name="two")(x)],
    )


def in_float64(model):
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_mean.assign(RNG.normal(size=layer.moving_mean.shape))
            layer.moving_variance.assign(RNG.uniform(0.5, 2, layer.moving_variance.shape))
    for parameter in model.weights:
        parameter.value = np.asarray(parameter.value, np.float64)
    return model


@pytest.mark.parametrize("make", [smooth, residual, twofold])
@pytest.mark.parametrize("scores", [False, True])
def test_against_finite_differences(make, scores):
    model = in_float64(make())
    xs = [RNG.normal(size=(3, *start.shape[1:])) for start in model.inputs]
    dys = [RNG.normal(size=(3, *end.shape[1:])) for end in model.outputs]
    gradients = model._probe(xs, dys, None, scores).gradients
    for k, dy in enumerate(dys):  # one output at a time, which the others do not disturb
        alone = [d if i == k else np.zeros_like(d) for i, d in enumerate(dys)]
        found = model._probe(xs, alone, None, scores).gradients

        def output(*arrays, k=k):
            return model._probe(arrays, dys, None, scores).outputs[k]

        assert_gradient(output, xs, found, dy, RNG)
        gradients = [g - f for g, f in zip(gradients, found, strict=True)]
    for rest in gradients:
        np.testing.assert_allclose(rest, 0, atol=1e-12)  # outputs add up


@pytest.mark.parametrize(
    ("make", "layer"), [(smooth, "first"), (smooth, "last"), (residual, "sum")]
)
def test_with_respect_to_what_a_layer_gives(make, layer):
    """The chain rule: from there down to the input by the model that ends there."""
    model = in_float64(make())
    x = RNG.normal(size=(3, *model.input_shape[1:]))
    dy = RNG.normal(size=(3, model.output_shape[1]))
    probe = model._probe([x], [dy], model._leaf("test", layer), False)
    (whole,) = model._probe([x], [dy], None, False).gradients
    below = Model(model.inputs, next(one for one in model.layers if one.name == layer).output)
    (composed,) = below._probe([x], probe.gradients, None, False).gradients
    np.testing.assert_allclose(composed, whole, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        probe.values[0], below._probe([x], probe.gradients, None, False).outputs[0]
    )


def test_the_class_that_the_model_says_counts_unless_told_otherwise():
    model = smooth()
    x = RNG.normal(size=(5, 9, 7, 2)).astype(np.float32)
    said = np.eye(4)[model.predict(x, verbose=0).argmax(1)]
    found = model.gradients(x, scores=True)
    assert found.shape == x.shape
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, model.gradients(x, said, scores=True))
    by_parts = model.gradients(x, said, scores=True, batch_size=2)
    np.testing.assert_allclose(found, by_parts, rtol=1e-4, atol=1e-6)


def test_of_a_layer_that_is_called_twice_the_last_call_counts():
    """What it gives there is one of two terms of a sum, whose gradient it has."""
    model, x = residual(), RNG.normal(size=(2, 6, 5, 3))
    found = model.gradients(x, layer="shared")
    np.testing.assert_array_equal(found, model.gradients(x, layer="sum"))


def test_nothing_is_changed():
    model = smooth()
    model.compile("sgd", "sparse_categorical_crossentropy", backend="cpu")
    before = model.get_weights()
    model.gradients(np.ones((2, 9, 7, 2)))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert all(parameter.gradient is None for parameter in model.weights)
    assert all(not np.any(state.value[1:]) for state in model.states)  # no random number was drawn


def test_layers_of_models_inside_and_lists_of_inputs():
    model = twofold()
    given = {"a": np.ones((2, 4)), "b": np.ones((2, 3))}
    a, b = model.gradients(given, {"one": np.ones((2, 3)), "two": np.ones((2, 2))})
    assert (a.shape, b.shape) == ((2, 4), (2, 3))
    one = model.gradients(given, [np.zeros((2, 3)), np.ones((2, 2))])
    np.testing.assert_array_equal(one[1], 0)  # "two" does not hang on b
    assert residual().gradients(np.ones((2, 6, 5, 3)), layer="inner").shape == (2, 6, 5, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"dy": np.ones((2, 3))},
            r"dy must be finite numbers of the outputs' shape \(2, 4\)\. Received: .*\(2, 3\)",
        ),
        ({"dy": np.full((2, 4), np.nan)}, "dy must be finite"),
        (
            {"layer": "frist"},
            r"layer must be one of the model's, or its name \(did you mean 'first'\?\): first, ",
        ),
        ({"layer": layers.Dense(3, name="stranger")}, "layer must be one of the model's"),
        ({"scores": "yes"}, "scores must be True or False"),
        ({"x": np.ones((2, 9, 7, 3))}, r"expects x of shape \(N, 9, 7, 2\)"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        smooth().gradients(**{"x": np.ones((2, 9, 7, 2))} | arguments)
