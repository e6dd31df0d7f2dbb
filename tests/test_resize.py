"""Borders and larger images: NumPy and Keras -> CPU, finite differences, bad input."""

import os
import subprocess
import sys

import numpy as np
import pytest
from cases import DTYPES, assert_close
from gradcheck import assert_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_cnn import ops, shapes
from numba_cnn.backends import reference

images = st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.integers(1, 9))
border = st.tuples(st.integers(0, 3), st.integers(0, 3))


@pytest.mark.parametrize("dtype", DTYPES)
@given(shape=images, padding=st.tuples(border, border), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_borders(dtype, shape, padding, seed):
    x = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    y = ops.zero_pad2d(x, padding)
    np.testing.assert_array_equal(y, np.pad(x, ((0, 0), *padding, (0, 0))))
    np.testing.assert_array_equal(ops.crop2d(y, padding), x)


def test_each_is_the_others_gradient():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 6, 5, 5))
    padding = ((1, 2), (0, 1))
    assert_gradient(lambda x: ops.zero_pad2d(x, padding), [x], [ops.crop2d(dy, padding)], dy, rng)
    assert_gradient(lambda x: ops.crop2d(x, padding), [dy], [ops.zero_pad2d(x, padding)], x, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@given(shape=images, size=st.tuples(st.integers(1, 4), st.integers(1, 4)), seed=st.integers(0, 99))
@settings(max_examples=50)
def test_larger_images_equal_reference(dtype, interpolation, shape, size, seed):
    rng, bilinear = np.random.default_rng(seed), interpolation == "bilinear"
    g = shapes.upsample2d("upsample2d", shape, size)
    x, dy = (rng.standard_normal(s).astype(dtype) for s in (g.x, g.y))
    y, dx = np.empty(g.y), np.empty(g.x)
    reference.upsample2d(x.astype(np.float64), g, bilinear, y)
    reference.upsample2d_backward(dy.astype(np.float64), g, bilinear, dx)
    assert_close(ops.upsample2d(x, size, interpolation), y, 9)
    assert_close(
        ops.upsample2d_backward(dy, size, interpolation), dx, 9 * size[0] * size[1], size=1
    )


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_larger_images_against_finite_differences(interpolation):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, 4, 2)), rng.standard_normal((2, 6, 12, 2))
    dx = ops.upsample2d_backward(dy, (2, 3), interpolation)
    assert_gradient(lambda x: ops.upsample2d(x, (2, 3), interpolation), [x], [dx], dy, rng)


def test_keras_gives_the_same(tmp_path):
    x = np.random.default_rng(0).standard_normal((2, 5, 4, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    code = (
        "import keras, numpy as np; x = np.load('x.npy')\n"
        "for kind in ('nearest', 'bilinear'):\n"
        "    for size in ((2, 3), (4, 1)):\n"
        "        layer = keras.layers.UpSampling2D(size, interpolation=kind)\n"
        "        np.save(f'{kind}{size[0]}.npy', np.asarray(layer(x)))\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=tmp_path,
        env=os.environ | {"KERAS_BACKEND": "jax"},
    )
    for kind in ("nearest", "bilinear"):
        for size in ((2, 3), (4, 1)):
            expected = np.load(tmp_path / f"{kind}{size[0]}.npy")
            np.testing.assert_allclose(
                ops.upsample2d(x, size, kind), expected, rtol=1e-5, atol=1e-6
            )


def test_nan_goes_through():
    x = np.zeros((1, 3, 3, 1), np.float32)
    x[0, 1, 1] = np.nan
    assert np.isnan(ops.zero_pad2d(x)).sum() == 1
    assert np.isnan(ops.upsample2d(x, 2)).sum() == 4
    assert np.isnan(ops.upsample2d(x, 2, "bilinear")).sum() == 16


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ops.zero_pad2d(x, -1), ValueError, "padding must be an integer of at least 0. Received: -1"),
        (lambda x: ops.zero_pad2d(x, "same"), ValueError, "padding must be an integer .* Received: 'same'"),
        (lambda x: ops.crop2d(x, ((2, 2), (0, 0))), ValueError, "cropping must leave a pixel"),
        (lambda x: ops.crop2d(x[0], 1), ValueError, r"x must have 4 axes"),
        (lambda x: ops.upsample2d(x, 0), ValueError, "size must be an integer of at least 1. Received: 0"),
        (lambda x: ops.upsample2d(x, 2, "cubic"), ValueError, 'must be "nearest" or "bilinear". Received: \'cubic\''),
        (lambda x: ops.upsample2d_backward(x, 3), ValueError, "the extents of dy must be multiples of size"),
        (lambda x: ops.upsample2d(x.astype(int)), TypeError, "Received: x int64"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 4, 6, 3), np.float32))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [32, 20])
def test_outputs_too_large_for_caches(channels, dtype):
    """Those whose rows are whole vectors are written past the caches."""
    x = np.random.default_rng(0).standard_normal((2, 128, 128, channels)).astype(dtype)
    larger = ops.upsample2d(x, 2)
    np.testing.assert_array_equal(larger, x.repeat(2, 1).repeat(2, 2))
    padded = ops.zero_pad2d(x, ((1, 2), (3, 1)))
    np.testing.assert_array_equal(padded, np.pad(x, ((0, 0), (1, 2), (3, 1), (0, 0))))
    np.testing.assert_array_equal(ops.crop2d(padded, ((1, 2), (3, 1))), x)
    both = ops.concatenate([x, padded[:, 1:129, 3:131]])
    np.testing.assert_array_equal(both, np.concatenate([x, x], -1))
    for part in ops.split(both, [channels, channels]):
        np.testing.assert_array_equal(part, x)
