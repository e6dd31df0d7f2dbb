"""Normalization: what adapt finds, in files too; layers of chance that keep mean and variance; what is refused."""

import math

import numpy as np
import pytest

from numba_cnn import layers, models

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(3, 2, (40, 5, 4, 3)).astype(np.float32)


@pytest.mark.parametrize("axis", [-1, 2, (1, 3), None])
def test_adapt(axis):
    kept = () if axis is None else np.atleast_1d(axis) % 4
    rest = tuple(i for i in range(4) if i not in kept)
    layer, pieces = layers.Normalization(axis), layers.Normalization(axis)
    layer.adapt(IMAGES)
    pieces.adapt((IMAGES[i : i + 7], None) for i in range(0, 40, 7))
    for found in (layer, pieces):
        np.testing.assert_allclose(found.mean.numpy(), IMAGES.mean(rest), rtol=1e-5)
        np.testing.assert_allclose(found.variance.numpy(), IMAGES.var(rest), rtol=1e-5)
    y = layer(IMAGES)
    np.testing.assert_allclose(y.mean(rest), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(rest), 1, rtol=1e-5)
    inverse = layers.Normalization(axis, invert=True)
    inverse.adapt(IMAGES)
    np.testing.assert_allclose(inverse(y), IMAGES, rtol=1e-5, atol=1e-5)


def test_a_constant_becomes_zero():
    layer = layers.Normalization()
    layer.adapt(np.full((4, 2), 7.0))
    np.testing.assert_array_equal(layer(np.full((1, 2), 7, np.float32)), 0)


def test_a_recorded_model_follows(tmp_path):
    layer = layers.Normalization()
    layer.adapt(IMAGES)
    model = models.Sequential(
        [layers.Input(IMAGES.shape[1:]), layer, layers.GlobalAveragePooling2D()]
    )
    model.compile("sgd", "mse")
    for _ in range(3):
        np.testing.assert_allclose(model.predict(IMAGES, verbose=0).mean(0), 0, atol=1e-5)
    layer.adapt(IMAGES + 1)
    np.testing.assert_allclose(
        model.predict(IMAGES, verbose=0).mean(0), -1 / IMAGES.std((0, 1, 2)), rtol=1e-3
    )
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(
        again.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0)
    )
    assert [w.dtype for w in again.get_weights()] == [np.float32, np.float32, np.int32]


@pytest.mark.parametrize("cls", [layers.AlphaDropout, layers.GaussianDropout])
def test_what_chance_keeps(cls):
    x = RNG.standard_normal((300, 1000)).astype(np.float32)
    layer = cls(0.3, seed=4)
    y, backward = layer.forward(x)
    assert y.mean() == pytest.approx(0, abs=0.01)
    spread = 1 if cls is layers.AlphaDropout else 1 + 0.3 / 0.7
    assert y.var() == pytest.approx(spread, rel=0.02)
    np.testing.assert_array_equal(layer.call(x), x)
    dy = np.ones_like(x)
    dx = backward(dy)
    if cls is layers.GaussianDropout:
        np.testing.assert_allclose(y, x * dx, rtol=1e-5)
        assert dx.mean() == pytest.approx(1, abs=0.01)
        return
    assert (dx == 0).mean() == pytest.approx(0.3, abs=0.01)
    least, factor = y[dx == 0].mean(), dx.max()
    np.testing.assert_allclose(y[dx == 0], least, rtol=1e-5)
    # y = a x + b where it is kept, a s + b where not, s = selu's least value
    s = -1.0507009873554805 * 1.6732632423543772
    a = ((1 - 0.3) * (1 + 0.3 * s**2)) ** -0.5
    assert factor == pytest.approx(a, rel=1e-5)
    assert least == pytest.approx(a * s - a * s * 0.3, rel=1e-5)
    np.testing.assert_allclose(y[dx != 0], a * x[dx != 0] - a * s * 0.3, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["AlphaDropout", "GaussianDropout", "SpatialDropout1D"])
def test_chance_goes_on_from_batch_to_batch(name):
    x = np.ones((4, 50, 6), np.float32)
    layer = getattr(layers, name)(0.5, seed=1)
    first, second = (layer(x, training=True).copy() for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(getattr(layers, name)(0.5, seed=1)(x, training=True), first)
    if name == "SpatialDropout1D":
        assert (first == first[:, :1]).all()
    np.testing.assert_array_equal(getattr(layers, name)(0.0).forward(x)[0], x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.Normalization(mean=1.0), "mean and variance must be given both, or neither"),
        (lambda: layers.Normalization(mean=1.0, variance=[1.0]), r"mean and variance must have one shape. Received: m"),
        (lambda: layers.Normalization(mean=1.0, variance=-1.0), "variance must be finite numbers of at least 0"),
        (lambda: layers.Normalization(mean=math.nan, variance=1.0), "mean must be finite numbers"),
        (lambda: layers.Normalization(mean=[1, 2], variance=[1, 2])(IMAGES), r"mean must be a number, or of the ext"),
        (lambda: layers.Normalization(mean=1.0, variance=1.0).adapt(IMAGES), "adapt is for layers that were not"),
        (lambda: layers.Normalization().adapt([]), "data must have at least one batch. Received: none"),
        (lambda: layers.Normalization().adapt(3), "data must be an array or an iterable of batches. Received: 3"),
        (lambda: layers.Normalization().adapt([IMAGES, IMAGES[..., :2]]), r"data must have the extents \(3,\)"),
        (lambda: layers.Normalization(axis=0)(IMAGES), "axis must name axes of the inputs, .* not that of the batch"),
        (lambda: layers.Normalization(axis=1).build((None, None, 3)), "the extents along axis must be known"),
        (lambda: layers.GroupNormalization(3)(np.ones((2, 4), np.float32)), "groups must divide the number of chan"),
        (lambda: layers.GroupNormalization(axis=1)(IMAGES), "axis must be the last one, .* Received: axis 1"),
        (lambda: layers.LayerNormalization(axis=1)(IMAGES), "axis must be the last one, or a list of the last few"),
        (lambda: layers.LayerNormalization(axis=[4])(IMAGES), r"axis must name axes .* Received: axis \[4\]"),
        (lambda: layers.PReLU()(np.ones(3, np.float32)), "the extents along which alpha is not shared"),
        (lambda: layers.PReLU().build((None, None, 3)), "the extents along which alpha is not shared must be known"),
        (lambda: layers.Permute((1, 3)), r"dims must be each of 1, 2, ... once. Received: \(1, 3\)"),
        (lambda: layers.Permute((2, 1))(IMAGES), r"dims must name each axis of a sample. Received: dims \(2, 1\)"),
        (lambda: layers.Dot((1, 2, 3)), r"axes must be an integer or two of them. Received: \(1, 2, 3\)"),
        (lambda: layers.Dot(1)([IMAGES, IMAGES[:, :2]]), "the inputs must have one known extent along axes"),
        (lambda: layers.Dot(1)([IMAGES] * 3), "takes a list of two inputs"),
        (lambda: layers.Conv1D(2, 3)(IMAGES), r"the input must be sequences \(None, L, C\)"),
        (lambda: layers.Conv1D(2, (3, 3)), r"^Conv1D: kernel_size must be one integer. Received: \(3, 3\)"),
        (lambda: layers.Conv2DTranspose(2, 3, output_padding=1), "output_padding must be less than strides"),
    ],
)  # fmt: skip
def test_bad_input(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
