"""Finite differences: the derivative that needs no calculus."""

import numpy as np


def assert_gradient(function, arrays, gradients, dy, rng):
    """Each gradient equals the central difference of <dy, function(*arrays)> along a random direction, in float64.

    `gradients` has one array per argument, or None for an argument that is not differentiated.
    """
    for k, gradient in enumerate(gradients):
        if gradient is None:
            continue
        direction = rng.standard_normal(arrays[k].shape)
        h = 1e-6
        ends = []
        for sign in (1, -1):
            moved = list(arrays)
            moved[k] = arrays[k] + sign * h * direction
            ends.append(function(*moved))
        numeric = (dy * ((ends[0] - ends[1]) / (2 * h))).sum()
        scale = np.abs(gradient).max() * np.abs(direction).sum()
        np.testing.assert_allclose(
            (gradient * direction).sum(), numeric, rtol=1e-6, atol=1e-7 * scale
        )
