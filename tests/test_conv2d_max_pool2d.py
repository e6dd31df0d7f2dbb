"""A convolution and its 2x2 max pooling in one: the same numbers as one after the other."""

import numpy as np
import pytest
from cases import DTYPES, assert_close, conv2d_cases
from hypothesis import assume, example, given, settings

from cases import Conv2DCase  # isort: skip
from numba_cnn import layers, models, ops
from numba_cnn.backends import reference
from numba_cnn.backends.cpu.microkernels.nontemporal import NONTEMPORAL_BYTES
from numba_cnn.layers.fusion import PooledConv2D


def _arrays(case, dtype):
    rng = np.random.default_rng(case.seed)
    g = case.geometry
    shapes = g.x, g.weight, (g.F,), (g.N, g.OH // 2, g.OW // 2, g.F)
    # Small integers: sums are exact, and many windows have several maxima.
    return [rng.integers(-2, 3, shape).astype(dtype) for shape in shapes]


def _assume_a_window(case):
    assume(min(case.geometry.OH, case.geometry.OW) >= 2)


def _check(case, dtype, algorithm, exact):
    x, weight, bias, dy = _arrays(case, dtype)
    relu = "relu" if case.relu else None
    options = {"algorithm": algorithm, **case.arguments}
    y, argmax = ops.conv2d_max_pool2d(x, weight, bias, activation=relu, **options)
    whole = ops.conv2d(x, weight, bias, activation=relu, **options)
    expected, places = ops.max_pool2d(whole)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(argmax, places)

    gate = {"activation": relu, "y": y} if case.relu else {}
    actual = ops.conv2d_max_pool2d_backward(dy, argmax, x, weight, **gate, **options)
    spread = ops.max_pool2d_backward(dy, argmax, whole.shape).astype(np.float64)
    if case.relu:
        spread = np.where(whole > 0, spread, 0)
    g = case.geometry
    dx, dweight, dbias = np.empty(g.x), np.empty(g.weight), np.empty(g.F)
    reference.conv2d_backward_input(spread, None, weight.astype(float), g, "auto", dx)
    reference.conv2d_backward_weight(spread, None, x.astype(float), g, "auto", dweight, dbias)
    terms = g.KH * g.KW * g.F, g.N * g.OH * g.OW, g.N * g.OH * g.OW
    for array, expected, count in zip(actual, (dx, dweight, dbias), terms, strict=True):
        assert array.dtype == dtype
        if exact:
            np.testing.assert_array_equal(array, expected)
        else:
            assert_close(array, expected, 800 * count, 4 * count**0.5)


@pytest.mark.parametrize("dtype", DTYPES)
@given(case=conv2d_cases())
@example(case=Conv2DCase((2, 9, 11, 3), (3, 3, 3, 33), {}, relu=True))
@example(case=Conv2DCase((3, 8, 8, 5), (1, 1, 5, 7), {}))
@example(case=Conv2DCase((9, 4, 5, 3), (3, 3, 3, 8), {"padding": "same"}, relu=True))
@example(case=Conv2DCase((2, 12, 9, 1), (3, 3, 1, 16), {"padding": ((2, 0), (1, 2))}))
@example(case=Conv2DCase((3, 7, 10, 2), (3, 3, 2, 20), {}, relu=True))
@settings(max_examples=60)
def test_direct(dtype, case):
    _assume_a_window(case)
    _check(case, dtype, "direct", exact=True)


@pytest.mark.parametrize("dtype", DTYPES)
@given(case=conv2d_cases(winograd=True))
@example(case=Conv2DCase((1, 63, 61, 17), (3, 3, 17, 18), {"padding": "same"}, relu=True))
@example(case=Conv2DCase((2, 9, 300, 3), (3, 3, 3, 64), {"padding": "same"}, relu=True))
@settings(max_examples=40)
def test_winograd(dtype, case):
    _assume_a_window(case)
    _check(case, dtype, "winograd", exact=False)


@pytest.mark.parametrize("filters", [32, 36])
def test_outputs_too_large_for_caches(filters):
    """They are written past the caches, if all their vectors are whole."""
    case = Conv2DCase((1, 382, 366, 3), (3, 3, 3, filters), {"padding": "same"}, relu=True)
    assert case.geometry.OH * case.geometry.OW * filters > NONTEMPORAL_BYTES
    _check(case, np.float32, "winograd", exact=False)


def test_nan_goes_through():
    x = np.zeros((1, 6, 6, 16), np.float32)
    x[0, 2, 3] = np.nan
    weight = np.ones((1, 1, 16, 16), np.float32)
    y, argmax = ops.conv2d_max_pool2d(x, weight, activation="relu")
    assert np.isnan(y[0, 1, 1]).all()
    assert np.isnan(y).sum() == 16
    assert (argmax[0, 1, 1] == 1).all()


@pytest.mark.parametrize("settings", [{}, {"padding": "same"}, {"strides": 2}], ids=str)
def test_bad_input_says_what_is_wrong(settings):
    x, weight = np.zeros((1, 2, 2, 3), np.float32), np.zeros((2, 2, 3, 4), np.float32)
    if settings.get("padding") == "same":
        y, argmax = ops.conv2d_max_pool2d(x, weight, **settings)
        with pytest.raises(ValueError, match=r"dy must have shape \(1, 1, 1, 4\)"):
            ops.conv2d_max_pool2d_backward(x, argmax, x, weight, **settings)
        with pytest.raises(TypeError, match="argmax must be uint8"):
            ops.conv2d_max_pool2d_backward(y, argmax.astype(int), x, weight, **settings)
    else:
        with pytest.raises(ValueError, match=r"a window of 2x2 does not fit .* Received: 1x1"):
            ops.conv2d_max_pool2d(x, weight, **settings)


def _fused(model):
    return model._plan().steps


def test_which_layers_run_as_one():
    def steps(*stack):
        return [type(step.layer) for step in _fused(models.Sequential(stack))]

    image = layers.Input((9, 8, 3))
    conv, pool = layers.Conv2D, layers.MaxPooling2D
    assert steps(image, conv(4, 3, activation="relu"), pool()) == [PooledConv2D]
    assert steps(image, conv(4, 3), pool((2, 2), 2), pool()) == [PooledConv2D, pool]
    assert steps(image, conv(4, 2, padding="same"), pool(padding="same")) == [conv, pool]
    assert steps(image, conv(4, 3, activation="softmax"), pool()) == [conv, pool]
    assert steps(image, conv(4, 3), pool(3)) == [conv, pool]
    assert steps(image, conv(4, 3), pool(2, strides=1)) == [conv, pool]
    assert steps(image, pool(), conv(4, 3)) == [pool, conv]


@pytest.mark.parametrize("base", [layers.Conv2D, layers.MaxPooling2D])
def test_a_derived_layer_runs_its_own_code(base):
    class Doubled(base):
        def forward(self, x):
            y, backward = super().forward(x)
            return 2 * y, lambda dy, need_dx=True: backward(2 * dy, need_dx=need_dx)

    settings = {layers.Conv2D: (4, 3), layers.MaxPooling2D: ()}
    classes = [Doubled if kind is base else kind for kind in settings]
    stack = [kind(*values) for kind, values in zip(classes, settings.values(), strict=True)]
    model = models.Sequential([layers.Input((6, 6, 3)), *stack])
    assert [type(step.layer) for step in _fused(model)] == classes
    x = np.ones((1, 6, 6, 3), np.float32)
    np.testing.assert_array_equal(model(x), stack[1](stack[0](x)))


def test_a_model_computes_what_its_layers_compute():
    """Loss and gradients of the fused step, against the layers one by one."""
    model = models.Sequential(
        [
            layers.Input((13, 12, 3)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(5, 2),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(4),
        ]
    )
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 13, 12, 3)).astype(np.float32)
    y, backward = model.forward(x)
    dy = rng.standard_normal(y.shape).astype(np.float32)
    backward(dy)
    got = [weight.gradient.copy() for weight in model.weights]
    for weight in model.weights:
        weight.gradient = None  # or those of the passes below would be added

    steps, expected = [], x
    for layer in model.layers:
        expected, step = layer.forward(expected)
        steps.append(step)
    for step in reversed(steps):
        dy = step(dy)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(model(x), expected)
    for gradient, weight in zip(got, model.weights, strict=True):
        np.testing.assert_allclose(gradient, weight.gradient, rtol=1e-4, atol=1e-5)
