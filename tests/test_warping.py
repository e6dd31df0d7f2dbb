"""Images through affine maps, at random too, and their colours: NumPy -> CPU, finite differences, chance, bad input."""

import math

import numpy as np
import pytest
from cases import DTYPES, assert_close
from gradcheck import assert_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_cnn import layers, ops, shapes
from numba_cnn.backends import reference

MODES = ["constant", "nearest", "reflect", "wrap"]
images = st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.integers(1, 5))
sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))
TURNED = shapes.AffineRanges((-1, 1), (0.6, 1.4), (0.6, 1.4), (-3, 3), (-3, 3), True, True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill_mode", MODES)
@given(shape=images, size=sizes, seed=st.integers(0, 99))
@settings(max_examples=25)
def test_maps_equal_reference(dtype, interpolation, fill_mode, shape, size, seed):
    rng, bilinear = np.random.default_rng(seed), interpolation == "bilinear"
    g = shapes.affine_transform2d("", shape, size)
    x, dy = (rng.standard_normal(s).astype(dtype) for s in (g.x, g.y))
    matrices = rng.uniform(-2, 2, g.matrices).astype(dtype)
    y, dx = np.empty(g.y), np.empty(g.x)
    reference.affine_transform2d(x.astype(np.float64), matrices, g, bilinear, fill_mode, 0.5, y)
    reference.affine_transform2d_backward(
        dy.astype(np.float64), matrices, g, bilinear, fill_mode, dx
    )
    how = {"interpolation": interpolation, "fill_mode": fill_mode}
    assert_close(ops.affine_transform2d(x, matrices, size, fill_value=0.5, **how), y, 300)
    assert_close(
        ops.affine_transform2d_backward(dy, matrices, shape, **how),
        dx,
        300 * math.prod(size),
        size=1,
    )


@pytest.mark.parametrize("channels", [1, 3, 8])
@pytest.mark.parametrize("matrix", [(1, 0, 0.3, 0, 1, 0.2), (-1, 0, 7.3, 0, -1, 5.2)])
def test_bits_do_not_depend_on_the_place_in_a_batch(matrix, channels):
    """Three channels are read by eights, but where the array ends."""
    image = np.random.default_rng(0).standard_normal((1, 7, 9, channels)).astype(np.float32)
    matrices = np.array([matrix] * 3, np.float32)
    y = ops.affine_transform2d(np.repeat(image, 3, 0), matrices, fill_mode="nearest")
    np.testing.assert_array_equal(y, np.repeat(y[:1], 3, 0))


@pytest.mark.parametrize("fill_mode", MODES)
def test_maps_against_finite_differences(fill_mode):
    rng = np.random.default_rng(0)
    x, dy, matrices = (
        rng.standard_normal((2, 4, 5, 2)),
        rng.standard_normal((2, 3, 6, 2)),
        rng.uniform(-1, 1, (2, 6)),
    )
    dx = ops.affine_transform2d_backward(dy, matrices, x.shape, fill_mode=fill_mode)
    assert_gradient(
        lambda x: ops.affine_transform2d(x, matrices, (3, 6), fill_mode=fill_mode),
        [x],
        [dx],
        dy,
        rng,
    )
    assert_gradient(
        lambda x: ops.resize2d(x, (3, 6)), [x], [ops.resize2d_backward(dy, x.shape)], dy, rng
    )


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("channels", [15, 16])
def test_images_too_large_for_caches(interpolation, channels):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((8, 101, 97, channels), np.float32)  # 4 MB and more, past the caches
    matrices = ops.random_affine(x, TURNED, np.array([1, 0]))
    how = {"interpolation": interpolation, "fill_mode": "reflect"}
    halves = [ops.affine_transform2d(x[i], matrices[i], **how) for i in np.split(np.arange(8), 2)]
    np.testing.assert_array_equal(
        ops.affine_transform2d(x, matrices, **how), np.concatenate(halves)
    )


def test_known_maps():
    x = np.arange(12.0).reshape(1, 3, 4, 1)
    mirror, turn = np.array([[-1.0, 0, 3, 0, 1, 0]]), np.array([[0.0, -1, 3, 1, 0, 0]])
    np.testing.assert_array_equal(ops.affine_transform2d(x, mirror), x[:, :, ::-1])
    np.testing.assert_array_equal(ops.affine_transform2d(x, turn, (4, 3)), np.rot90(x, axes=(1, 2)))
    np.testing.assert_array_equal(ops.resize2d(x, (3, 2), "nearest"), x[:, :, 1::2])
    np.testing.assert_array_equal(ops.resize2d(x, (3, 2))[0, 0, :, 0], [0.5, 2.5])


@pytest.mark.parametrize("place", [math.nan, math.inf, -1e30, 1e30])
@pytest.mark.parametrize("fill_mode", MODES)
def test_maps_that_lead_nowhere_read_nothing_else(place, fill_mode):
    x, matrices = np.ones((1, 2, 3, 1)), np.full((1, 6), place)
    assert ops.affine_transform2d(x, matrices, fill_mode=fill_mode, fill_value=1).min() == 1


def test_colours():
    rng = np.random.default_rng(0)
    x, dy, numbers = (
        rng.standard_normal((2, 3, 4, 3)),
        rng.standard_normal((2, 3, 4, 3)),
        np.array([0.4, 1.7]),
    )
    y = ops.adjust_brightness(x, numbers, -1, 1)
    np.testing.assert_array_equal(y, np.clip(x + numbers[:, None, None, None], -1, 1))
    mean = x.mean((1, 2), keepdims=True)
    y, kept = ops.adjust_contrast(x, numbers, -1, 1)
    np.testing.assert_allclose(
        y, np.clip(mean + (x - mean) * numbers[:, None, None, None], -1, 1), atol=1e-15
    )
    dx = ops.adjust_brightness_backward(dy, x, numbers, -1, 1)
    assert_gradient(lambda x: ops.adjust_brightness(x, numbers, -1, 1), [x], [dx], dy, rng)
    dx = ops.adjust_contrast_backward(dy, x, kept, numbers, -1, 1)
    assert_gradient(lambda x: ops.adjust_contrast(x, numbers, -1, 1)[0], [x], [dx], dy, rng)


def test_numbers_are_drawn_as_they_should_be():
    x, generator = np.empty((20000, 5, 7, 1), np.float32), np.array([3, 0])
    y = ops.random_uniform(x, -1.0, 3.0, generator)
    assert generator[1] == 1
    assert -1 <= y.min() < -0.99
    assert 2.99 < y.max() < 3
    assert abs(y.mean() - 1) < 0.03
    maps = ops.random_affine(x, TURNED, generator)
    columns, rows = np.hypot(maps[:, 0], maps[:, 1]), np.hypot(maps[:, 3], maps[:, 4])
    for zoom in (columns, rows):
        assert 0.6 <= zoom.min() < 0.61
        assert 1.39 < zoom.max() <= 1.4001
    assert abs(np.corrcoef(columns, rows)[0, 1]) < 0.03
    assert abs((np.linalg.det(maps.reshape(-1, 2, 3)[:, :, :2]) < 0).mean() - 0.5) < 0.02
    shifted = maps[:, [2, 5]] + maps[:, [0, 3]] * 3 + maps[:, [1, 4]] * 2 - [3, 2]  # of the centre
    assert np.abs(shifted).max() <= 3.001
    whole = ops.random_affine(x, shapes.AffineRanges(shift_rows=(0, 3.0), is_whole=True), generator)
    np.testing.assert_array_equal(np.unique(whole[:, 5]), [0, 1, 2])
    again = ops.random_affine(x, TURNED, np.array([3, 1]))
    np.testing.assert_array_equal(again, maps)


AUGMENTED = [
    ("RandomFlip", {}), ("RandomRotation", {"factor": 0.2}), ("RandomZoom", {"height_factor": 0.3}),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2}), ("RandomContrast", {"factor": 0.5}),
    ("RandomBrightness", {"factor": 0.5}), ("RandomCrop", {"height": 4, "width": 5}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "config"), AUGMENTED)
def test_a_random_layer_acts_in_training_alone_and_anew_each_time(name, config):
    x = np.random.default_rng(0).uniform(0, 255, (6, 8, 9, 3)).astype(np.float32)
    layer = getattr(layers, name)(**config, seed=3)
    first, second = layer(x, training=True), layer(x, training=True)
    assert not np.array_equal(first, second)
    assert first.shape == (6, *layer.output_shape[1:])
    np.testing.assert_array_equal(getattr(layers, name)(**config, seed=3)(x, training=True), first)
    plain = x if name != "RandomCrop" else x[:, 2:6, 2:7]
    kept = layer(x)
    assert kept.shape == first.shape
    if name != "RandomCrop":
        np.testing.assert_array_equal(kept, plain)


def test_a_frame_leaves_the_pixels_as_they_are():
    x = np.random.default_rng(0).random((2, 4, 8, 1), dtype=np.float32)
    y = layers.Resizing(8, 8, "nearest", pad_to_aspect_ratio=True, fill_value=1e6)(x)
    np.testing.assert_array_equal(y[:, 2:6], x)
    assert (y[:, :2] == 1e6).all()
    assert (y[:, 6:] == 1e6).all()


def test_halves_of_the_images_are_mirrored():
    x = np.random.default_rng(0).random((400, 3, 4, 1), dtype=np.float32)
    y = layers.RandomFlip("horizontal", seed=1)(x, training=True)
    kept, mirrored = ((y == other).all((1, 2, 3)) for other in (x, x[:, :, ::-1]))
    assert (kept ^ mirrored).all()
    assert 160 < kept.sum() < 240


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ops.affine_transform2d(x, np.ones((2, 6), np.float32), fill_mode="mirror"), ValueError,
         "fill_mode must be one of constant, nearest, reflect, wrap. Received: 'mirror'"),
        (lambda x: ops.affine_transform2d(x, np.ones((2, 8), np.float32)), ValueError,
         r"matrices must have shape \(2, 6\)"),
        (lambda x: ops.affine_transform2d_backward(x, np.ones((2, 6), np.float32), (2, 4, 4)), ValueError, "4 axes"),
        (lambda x: ops.resize2d(x, (0, 3)), ValueError, "size must be an integer of at least 1. Received: 0"),
        (lambda x: ops.random_affine(x, (0, 1), np.zeros(2, int)), TypeError, "ranges must be a shapes.AffineRanges"),
        (lambda x: ops.random_uniform(x, 0, math.inf, np.zeros(2, int)), ValueError, "must be a finite number"),
        (lambda x: ops.adjust_contrast(x, np.ones(2, np.float32), 2, 1), ValueError, "low must be at most high"),
        (lambda x: layers.RandomRotation(2), ValueError, "between -1 and 1. Received: 2"),
        (lambda x: layers.RandomRotation("a"), ValueError, "factor must be a number or a pair"),
        (lambda x: layers.RandomZoom(-1), ValueError, "above -1"),
        (lambda x: layers.RandomFlip("sideways"), ValueError, "mode must be one of"),
        (lambda x: layers.RandomContrast((0.2, 3)), ValueError, "between 0 and 1"),
        (lambda x: layers.Resizing(4, 4, "bicubic"), ValueError, "interpolation must be one of 'bilinear', 'nearest'"),
        (lambda x: layers.Resizing(4, 4, antialias=True), ValueError, "antialias must be False here"),
        (lambda x: layers.CenterCrop(0, 3), ValueError, "height must be an integer of at least 1"),
        (lambda x: layers.RandomFlip()(x[0, 0]), ValueError, "must be images"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 4, 6, 3), np.float32))
