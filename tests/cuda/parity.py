"""Every op on device arrays against the reference in float64: the checks that the simulator and the
compiled kernels share.
"""

from contextlib import contextmanager, nullcontext
from itertools import product
from types import SimpleNamespace
from unittest import mock

import numpy as np

from numba_cnn import backends, ops, shapes
from numba_cnn.backends import contract, cuda, reference, scalars, updates

_REFERENCE = SimpleNamespace(
    **{name: getattr(reference, name) for name in contract.OPS}, asarray=np.asarray, empty=np.empty
)


@contextmanager
def reference_backend():
    """ops run on the NumPy reference, in whatever float dtype they are given."""
    with mock.patch.object(backends, "of", return_value=_REFERENCE):
        yield


_SIDES = (reference_backend, np.asarray), (nullcontext, lambda array: cuda.asarray(array))


class Draw:
    """Random arrays of one dtype from a seed."""

    def __init__(self, dtype="float32", seed=0):
        self.dtype, self.rng = dtype, np.random.default_rng(seed)

    def __call__(self, *shape):
        return self.rng.standard_normal(shape).astype(self.dtype)

    def ties(self, *shape):
        """Small integers: windows with several maxima, some zeros."""
        return self.rng.integers(-2, 3, shape).astype(self.dtype)


def check(op, *arrays, **settings):
    """Assert that an op gives on the device what the reference gives in float64; returns the
    device's results.

    The tolerance is a few roundings of the dtype for the largest result: sums here have up to some
    thousand terms.
    """
    dtype = next(a.dtype for a in arrays if isinstance(a, np.ndarray) and a.dtype.kind == "f")
    with reference_backend():
        expected = _results(op, arrays, settings, _exact)
    got = _results(op, arrays, settings, cuda.asarray)
    host = [None if result is None else cuda.to_numpy(result) for result in got]
    for want, result in zip(expected, host, strict=True):
        if want is not None:
            assert result.shape == want.shape
            assert result.dtype == (dtype if want.dtype.kind == "f" else want.dtype)
            bound = 300 * np.finfo(dtype).eps * max(1.0, np.abs(want).max())
            np.testing.assert_allclose(result, want, rtol=0, atol=bound)
    return got


def _results(op, arrays, settings, move):
    moved = [move(a) if isinstance(a, np.ndarray) else a for a in arrays]
    keywords = {k: move(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}
    results = getattr(ops, op)(*moved, **keywords)
    return results if isinstance(results, tuple) else (results,)


def _exact(array):
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def check_conv2d(x_shape, weight_shape, dtype="float32", relu=True, **settings):
    """conv2d with bias, and its three gradients."""
    draw, activation = Draw(dtype), "relu" if relu else None
    x, weight, bias = draw(*x_shape), draw(*weight_shape), draw(weight_shape[3])
    (y,) = check("conv2d", x, weight, bias, activation=activation, **settings)
    y = cuda.to_numpy(y)
    backward = dict(settings, activation=activation, y=y if relu else None)
    check("conv2d_backward", draw(*y.shape), x, weight, **backward)


def check_conv2d_transpose(x_shape, weight_shape, dtype="float32", strides=(1, 1)):
    """conv2d_transpose with bias, and its three gradients."""
    draw, (N, *extents, _), (*window, C, _) = Draw(dtype), x_shape, weight_shape
    sizes = [(n - 1) * s + w for n, s, w in zip(extents, strides, window, strict=True)]
    x, weight, bias = draw(*x_shape), draw(*weight_shape), draw(C)
    (y,) = check("conv2d_transpose", x, weight, bias, (N, *sizes, C), strides=strides)
    check("conv2d_transpose_backward", draw(*y.shape), x, weight, strides=strides)


def check_conv2d_max_pool2d(x_shape, weight_shape, dtype="float32", relu=True, **settings):
    draw, activation = Draw(dtype), "relu" if relu else None
    x, weight, bias = draw.ties(*x_shape), draw.ties(*weight_shape), draw.ties(weight_shape[3])
    y, argmax = check("conv2d_max_pool2d", x, weight, bias, activation=activation, **settings)
    y, argmax = cuda.to_numpy(y), cuda.to_numpy(argmax)
    backward = dict(settings, activation=activation, y=y if relu else None)
    check("conv2d_max_pool2d_backward", draw(*y.shape), argmax, x, weight, **backward)


def check_dense(N, K, F, dtype="float32"):
    draw = Draw(dtype)
    x, weight = draw(N, K), draw(K, F)
    (y,) = check("dense", x, weight, draw(F), activation="relu")
    gate = cuda.to_numpy(y)
    check("dense_backward", draw(N, F), x, weight, activation="relu", y=gate)
    check("dense", x, weight)
    check("dense_backward", draw(N, F), x, weight)


def check_max_pool2d(x_shape, dtype="float32", **settings):
    draw = Draw(dtype)
    x = draw.ties(*x_shape)
    y, argmax = check("max_pool2d", x, **settings)
    shape, argmax = tuple(y.shape), cuda.to_numpy(argmax)
    check("max_pool2d_backward", draw(*shape), argmax, x_shape, **settings)


def check_average_pool2d(x_shape, dtype="float32", **settings):
    draw = Draw(dtype)
    (y,) = check("average_pool2d", draw(*x_shape), **settings)
    check("average_pool2d_backward", draw(*y.shape), x_shape, **settings)


def check_adaptive_pool2d(x_shape, size, dtype="float32"):
    draw = Draw(dtype)
    (y,) = check("adaptive_average_pool2d", draw(*x_shape), size)
    check("adaptive_average_pool2d_backward", draw(*y.shape), x_shape, size)
    y, argmax = check("adaptive_max_pool2d", draw.ties(*x_shape), size)
    places = cuda.to_numpy(argmax)
    check("adaptive_max_pool2d_backward", draw(*y.shape), places, x_shape, size)


def check_global_pool2d(x_shape, dtype="float32"):
    draw, pooled = Draw(dtype), (x_shape[0], x_shape[3])
    check("global_average_pool2d", draw(*x_shape))
    check("global_average_pool2d_backward", draw(*pooled), x_shape)
    x = draw.ties(*x_shape)
    x[0, 1, 1:, 0] = np.nan
    _, argmax = check("global_max_pool2d", x)
    check("global_max_pool2d_backward", draw(*pooled), cuda.to_numpy(argmax), x_shape)


def check_merge(dtype="float32"):
    draw = Draw(dtype)
    for a_shape, b_shape in (
        ((2, 3, 5), (2, 3, 5)),
        ((2, 3, 2, 5), (2, 1, 1, 5)),
        ((1, 3, 1), (2, 1, 5)),
    ):
        a, b = draw.ties(*a_shape), draw.ties(*b_shape)
        for name in ("add", "subtract", "multiply", "maximum", "minimum"):
            (y,) = check(name, a, b)
            ends = (a_shape, b_shape) if name in ("add", "subtract") else (a, b)
            check(f"{name}_backward", draw(*y.shape), *ends)
    parts = [draw(2, size, 3) for size in (1, 3, 2)]
    joined = ops.concatenate([cuda.asarray(part) for part in parts], 1)
    np.testing.assert_array_equal(cuda.to_numpy(joined), np.concatenate(parts, 1))
    for part, array in zip(ops.split(joined, (1, 3, 2), 1), parts, strict=True):
        np.testing.assert_array_equal(cuda.to_numpy(part), array)


def check_resize(x_shape, dtype="float32"):
    draw = Draw(dtype)
    (y,) = check("zero_pad2d", draw(*x_shape), ((1, 3), (2, 1)))
    check("crop2d", draw(*y.shape), ((1, 3), (2, 1)))
    for interpolation in ("nearest", "bilinear"):
        (y,) = check("upsample2d", draw(*x_shape), (2, 3), interpolation)
        check("upsample2d_backward", draw(*y.shape), (2, 3), interpolation)


def check_warping(dtype="float32"):
    draw, ranges = (
        Draw(dtype),
        shapes.AffineRanges((-1, 1), (0.7, 1.3), (0.6, 1.4), (-2, 2), (-2, 2), True, True),
    )
    x, dy, generator = draw(3, 5, 7, 3), draw(3, 4, 6, 3), np.array([7, 3, 5])
    whole = ranges._replace(is_square=True, is_whole=True)
    for name, settings in (
        ("random_uniform", (-1.0, 2.0)),
        ("random_affine", (whole,)),
        ("random_affine", (ranges,)),
    ):
        drawn = []
        for side, move in _SIDES:
            with side():
                drawn.append(getattr(ops, name)(move(x), *settings, move(generator.copy())))
        matrices = cuda.to_numpy(drawn[1])
        np.testing.assert_allclose(matrices, drawn[0], atol=50 * np.finfo(dtype).eps)
    for interpolation in ("nearest", "bilinear"):
        for fill_mode in ("constant", "nearest", "reflect", "wrap"):
            how = {"interpolation": interpolation, "fill_mode": fill_mode}
            check("affine_transform2d", x, matrices, (4, 6), fill_value=0.5, **how)
            check("affine_transform2d_backward", dy, matrices, x.shape, **how)
    for place in (np.nan, -np.inf, 1e30):  # no pixel of the source, whatever is made of that
        nowhere = np.zeros_like(matrices)
        nowhere[:, 2::3] = place
        y = ops.affine_transform2d(*map(cuda.asarray, (x, nowhere)), (4, 6), fill_mode="constant")
        assert not cuda.to_numpy(y).any()


def check_colors(dtype="float32"):
    draw = Draw(dtype)
    x, dy, numbers = draw(3, 5, 4, 3), draw(3, 5, 4, 3), draw(3)
    check("adjust_brightness", x, numbers, -0.5, 1.0)
    check("adjust_brightness_backward", dy, x, numbers, -0.5, 1.0)
    _, mean = check("adjust_contrast", x, numbers, -0.5, 1.0)
    check("adjust_contrast_backward", dy, x, cuda.to_numpy(mean), numbers, -0.5, 1.0)


def check_elementwise(shape, dtype="float32"):
    draw = Draw(dtype)
    x = draw.ties(*shape)
    x[..., -1] = np.nan
    check("relu", x)
    check("relu_backward", draw(*shape), draw.ties(*shape))


def check_activations(shape, dtype="float32"):
    draw = Draw(dtype)
    for name in scalars.SETTINGS:
        x, dy = draw(*shape), draw(*shape)
        (y,) = check("activate", x, name)
        saved = x if name in scalars.OF_INPUT else cuda.to_numpy(y)
        check("activate_backward", dy, saved, name)
    check("activate", x, "gelu", approximate=True)
    check("activate", x, "relu", negative_slope=0.1, max_value=1.0, threshold=0.2)


def check_softmax(shape, dtype="float32"):
    draw = Draw(dtype)
    for name in ("softmax", "log_softmax"):
        (y,) = check(name, 5 * draw(*shape))
        check(f"{name}_backward", draw(*shape), cuda.to_numpy(y))


def check_random(shape, dtype="float32"):
    """The words of a counter are the same everywhere; each side counts in an array of its own."""
    x, dy = Draw(dtype)(*shape), Draw(dtype, 1)(*shape)
    for spatial, place in product((False, True), ([], [7])):
        results = []
        for sided, move in _SIDES:
            with sided():
                generator = move(np.array([-5, 3, *place]))
                y, used = ops.dropout(move(x), 0.4, generator, spatial=spatial)
                dx = ops.dropout_backward(move(dy), 0.4, generator, used, spatial=spatial)
                results.append((y, used, dx, generator))
        _same(results, dtype)
    results = []
    for sided, move in _SIDES:
        with sided():
            generator = move(np.array([2**40, 3, 5]))
            results.append((*ops.gaussian_noise(move(x), 0.5, generator), generator))
    _same(results, dtype)


def _same(results, dtype):
    for want, got in zip(*results, strict=True):
        bound = 100 * np.finfo(dtype).eps if want.dtype.kind == "f" else 0
        np.testing.assert_allclose(cuda.to_numpy(got), want, rtol=0, atol=bound)


def check_batch_norm(shape, dtype="float32"):
    draw, C = Draw(dtype), shape[-1]
    x, dy, gamma, beta = draw(*shape), draw(*shape), draw(C), draw(C)
    results = []
    for sided, move in _SIDES:
        with sided():
            moving = [move(np.full(C, value, dtype)) for value in (0.5, 2)]
            arrays = [move(a) for a in (x, gamma, beta)]
            results.append((*ops.batch_norm(*arrays, *moving, 0.9, 1e-3), *moving))
    _same(results, dtype)
    mean, inverse = (np.asarray(array) for array in results[0][1:3])
    variance = np.abs(draw(C)) + np.dtype(dtype).type(1)
    check("batch_norm_backward", dy, x, gamma, mean, inverse)
    check("batch_norm_inference", x, gamma, beta, mean, variance, 1e-3)
    check("batch_norm_inference_backward", dy, x, gamma, mean, variance, 1e-3)


def check_group_norm(shape, groups, dtype="float32"):
    draw = Draw(dtype)
    x, gamma, beta = draw(*shape), draw(shape[-1]), draw(shape[-1])
    _, *statistics = check("group_norm", x, gamma, beta, groups, 1e-3)
    statistics = [cuda.to_numpy(array) for array in statistics]
    check("group_norm_backward", draw(*shape), x, gamma, *statistics)
    x = draw(*shape)
    x[0] *= x.dtype.type(1e-3)
    y, inverse = (cuda.to_numpy(a) for a in check("unit_norm", x, 0.1))
    check("unit_norm_backward", draw(*shape), y, inverse, 0.1)


def check_products(dtype="float32"):
    draw = Draw(dtype)
    check("permute", draw(2, 3, 4, 5), (0, 3, 1, 2))
    check("permute", draw(4, 5), (1, 0))
    check("permute", draw(2, 3, 2, 3, 2, 2), (5, 4, 3, 2, 1, 0))
    a, b = draw(2, 3, 5), draw(2, 4, 5)
    (y,) = check("batch_dot", a, b)
    check("batch_dot_backward", draw(*y.shape), a, b)
    x, alpha = draw.ties(2, 3, 4, 5), draw(1, 3, 1, 5)
    check("prelu", x, alpha)
    check("prelu_backward", draw(2, 3, 4, 5), x, alpha)


def check_losses(N, classes, dtype="float32"):
    draw = Draw(dtype)
    logits, labels = 5 * draw(N, classes), draw.rng.integers(0, classes, N)
    check("softmax", logits)
    check("sparse_categorical_crossentropy", logits, labels)
    check("sparse_categorical_crossentropy", logits, labels, np.abs(draw(N)))
    check("sparse_categorical_accuracy", draw.ties(N, classes), labels)


def check_other_losses(N, classes, dtype="float32"):
    draw = Draw(dtype)
    targets, weights = np.abs(draw(N, classes)), np.abs(draw(N))
    probabilities = draw.rng.uniform(0.05, 0.9, (N, classes)).astype(dtype)
    for name in ("categorical_crossentropy", "binary_crossentropy"):
        check(name, 5 * draw(N, classes), targets, weights)
        check(f"{name}_of_probabilities", probabilities, targets)
    name, labels = (
        "sparse_categorical_crossentropy_of_probabilities",
        draw.rng.integers(0, classes, N),
    )
    check(name, probabilities, labels, weights)
    for name in ("mean_squared_error", "mean_absolute_error"):
        check(name, draw(N, classes), targets, weights)
    check("categorical_accuracy", draw.ties(N, classes), draw.ties(N, classes))
    check("binary_accuracy", draw(N, classes), (targets > 1).astype(dtype), 0.1)


def check_optimizer(name, arrays, constants, dtype="float32"):
    """An optimizer's step in place on `arrays` random arrays (parameter, gradient and its state)."""
    draw = Draw(dtype)
    host = [np.abs(draw(3, 7)) for _ in range(arrays)]
    device = [cuda.asarray(array) for array in host]
    exact = [array.astype(np.float64) for array in host]
    state = [None] if arrays == 2 else []  # SGD without momentum keeps none
    getattr(reference, name)(*exact, *state, *constants)
    getattr(cuda, name)(*device, *state, *constants)
    for got, want in zip(device, exact, strict=True):
        np.testing.assert_allclose(cuda.to_numpy(got), want, rtol=20 * np.finfo(dtype).eps, atol=0)


OPTIMIZERS = {
    "sgd": ("sgd", 2, (0.1, 0.0, False)),
    "momentum": ("sgd", 3, (0.1, 0.9, False)),
    "nesterov": ("sgd", 3, (0.1, 0.9, True)),
    "rmsprop": ("rmsprop", 3, (0.01, 0.9, 1e-7)),
    "adam": ("adam", 4, (0.01, 0.9, 0.999, 1e-7)),
}


def check_update(rule, dtype="float32"):
    """One of updates.py's rules in place, on random arrays of parameter, gradient and state."""
    draw, state = Draw(dtype), updates.STATE[rule]
    host = [draw(3, 7), draw(3, 7), *(draw.rng.uniform(1, 1.2, (3, 7)) for _ in range(state))]
    host = [array.astype(dtype) for array in host]
    constants = (0.1, 0.5, 0.05, 0.3, 0.2)
    exact = [array.astype(np.float64) for array in host]
    device = [cuda.asarray(array) for array in host]
    none = [None] * (3 - state)
    reference.update(*exact, *none, rule, constants)
    cuda.update(*device, *none, rule, constants)
    bound = 200 * np.finfo(dtype).eps
    for got, want in zip(device, exact, strict=True):
        np.testing.assert_allclose(cuda.to_numpy(got), want, rtol=bound, atol=bound)


def check_norms(size, dtype="float32"):
    """Norms that go on, and what they shorten."""
    x, total = Draw(dtype)(size), np.asarray(2, dtype)
    exact = [array.astype(np.float64) for array in (x, total)]
    device = [cuda.asarray(array) for array in (x, total)]
    for module, (array, squares) in ((reference, exact), (cuda, device)):
        module.add_norms(array, 0.5, 0.25, squares)
        module.clip_by_norm(array, squares, 1.5)
    for got, want in zip(device, exact, strict=True):
        np.testing.assert_allclose(cuda.to_numpy(got), want, rtol=1e-5, atol=1e-6)
