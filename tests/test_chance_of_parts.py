"""Layers of chance draw for a part of a batch what that part gets in the whole batch."""

import numpy as np
import pytest

from numba_cnn import backends, ops
from numba_cnn.backends import reference
from numba_cnn.shapes import AffineRanges

RANGES = AffineRanges((-1.0, 1.0), (0.5, 2.0), (0.5, 2.0), (-3.0, 3.0), (-3.0, 3.0), True, True)
DRAWS = {
    "dropout": lambda x, g: ops.dropout(x, 0.4, g)[0],
    "spatial dropout": lambda x, g: ops.dropout(x, 0.4, g, spatial=True)[0],
    "gaussian_noise": lambda x, g: ops.gaussian_noise(x, 1.0, g)[0],
    "random_affine": lambda x, g: ops.random_affine(x, RANGES, g),
    "random_uniform": lambda x, g: ops.random_uniform(x, -1.0, 2.0, g),
}


@pytest.mark.parametrize("shape", [(7, 3, 5, 1), (7, 2, 2, 3), (7, 40, 41, 3)], ids=str)
@pytest.mark.parametrize("name", DRAWS)
def test_a_part_of_a_batch_gets_what_it_gets_in_the_whole(name, shape):
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    whole = DRAWS[name](x, np.array([9, 4]))
    for first, stop in ((0, 3), (1, 2), (2, 7), (5, 7), (6, 7)):
        generator = np.array([9, 4, first])
        part = DRAWS[name](x[first:stop].copy(), generator)
        np.testing.assert_array_equal(part, whole[first:stop])
        assert generator.tolist() == [9, 5, first]


@pytest.mark.parametrize("spatial", [False, True])
def test_the_reference_says_the_same(spatial):
    x = np.random.default_rng(1).normal(size=(3, 5, 7)).astype(np.float32)
    results = []
    for backend in (reference, backends.get("cpu")):
        y, z, u = np.empty_like(x), np.empty_like(x), np.empty(3, np.float32)
        used, generator = np.empty(1, np.int64), np.array([3, 1, 5])
        backend.dropout(x, 0.3, spatial, generator, used, y)
        backend.gaussian_noise(x, 0.5, generator, used, z)
        backend.random_uniform(0.0, 1.0, generator, used, u)
        results.append((y, z, u))
    for expected, found in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_gradient_of_dropout_knows_the_place():
    x = np.ones((5, 3, 3, 1), np.float32)
    generator = np.array([9, 4, 11])
    y, used = ops.dropout(x, 0.5, generator)
    np.testing.assert_array_equal(ops.dropout_backward(x, 0.5, generator, used), y)
