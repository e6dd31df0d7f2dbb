"""Outputs that are written past the caches: the bits of the same samples one by one, which are not."""

import numpy as np
import pytest

from numba_cnn import layers, ops
from numba_cnn.backends.cpu.microkernels.nontemporal import NONTEMPORAL_BYTES

LAYERS = {
    "overlapping maxima": layers.MaxPooling2D(3, 1),
    "maxima": layers.MaxPooling2D(3, 3),
    "maxima two apart": layers.MaxPooling2D(3, 2),
    "overlapping averages": layers.AveragePooling2D(3, 2),
    "averages": layers.AveragePooling2D((1, 2)),
    "whole images": layers.GlobalAveragePooling2D(),
    "maxima of whole images": layers.GlobalMaxPooling2D(),
    "bilinear": layers.UpSampling2D((1, 2), interpolation="bilinear"),
    "resized": layers.Resizing(61, 67),
    "permuted": layers.Permute((2, 1, 3)),
    "channels first": layers.Permute((3, 1, 2)),
    "groups": layers.GroupNormalization(4),
    "rows": layers.LayerNormalization(),
    "batch normalization": layers.BatchNormalization(),
}


@pytest.mark.parametrize("channels", [32, 48])  # pairs of vectors, and one more
@pytest.mark.parametrize("name", LAYERS)
def test_the_bits_of_single_samples(name, channels):
    layer = type(LAYERS[name]).from_config(LAYERS[name].get_config())
    rng = np.random.default_rng(0)
    x = rng.standard_normal((9, 60, 66, channels)).astype(np.float32)
    y = layer(x)
    layer.trainable = False  # batch normalization by its statistics
    parts = [layer.forward(one) for one in np.split(x, len(x))]
    np.testing.assert_array_equal(y, np.concatenate([part for part, _ in parts]))
    dy = rng.standard_normal(y.shape).astype(np.float32)
    dx = layer.forward(x)[1](dy)
    pieces = zip(np.split(dy, len(dy)), parts, strict=True)
    expected = np.concatenate([backward(slope) for slope, (_, backward) in pieces])
    np.testing.assert_array_equal(dx, expected)
    assert x[0].nbytes < NONTEMPORAL_BYTES < x.nbytes


@pytest.mark.parametrize("channels", [32, 31])
def test_elements(channels):
    """Also where neither rows nor all elements are whole vectors."""
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal((2, 9, 61, 67, channels)).astype(np.float32)
    slopes, deltas = z[:1, :1, :1], rng.random(9, np.float32)
    turn = np.array([0.9, -0.3, 9, 0.3, 0.9, -9], np.float32)  # with pixels outside on all sides
    passes = {
        "relu": lambda x, z, deltas: ops.relu(x),
        "gelu": lambda x, z, deltas: ops.activate(x, "gelu"),
        "relu's gradient": lambda x, z, deltas: ops.relu_backward(x, z),
        "elu's gradient": lambda x, z, deltas: ops.activate_backward(x, z, "elu"),
        "sum": lambda x, z, deltas: ops.add(x, z),
        "products": lambda x, z, deltas: ops.multiply(x, slopes),
        "brightness": lambda x, z, deltas: ops.adjust_brightness(x, deltas, -1, 1),
        "rotated": lambda x, z, deltas: ops.affine_transform2d(
            x, deltas[:, None] + turn, fill_mode="reflect"
        ),
        "one of two": lambda x, z, deltas: ops.split(ops.concatenate([x, z]), [channels] * 2)[0],
        "the other": lambda x, z, deltas: ops.split(ops.concatenate([x, z]), [channels] * 2)[1],
    }
    for name, function in passes.items():
        parts = [function(*(array[n : n + 1] for array in (x, z, deltas))) for n in range(9)]
        np.testing.assert_array_equal(function(x, z, deltas), np.concatenate(parts), name)
    assert x[0].nbytes < NONTEMPORAL_BYTES < x.nbytes


def test_contrast():
    rng = np.random.default_rng(0)
    x, factors = rng.random((9, 60, 66, 32), np.float32), rng.random(9, np.float32)
    y, _ = ops.adjust_contrast(x, factors, 0.2, 0.8)
    parts = zip(np.split(x, 9), np.split(factors, 9), strict=True)
    expected = [ops.adjust_contrast(*part, 0.2, 0.8)[0] for part in parts]
    np.testing.assert_array_equal(y, np.concatenate(expected))
