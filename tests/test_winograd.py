"""Winograd's algorithm: reference -> CPU, error bounds, and what goes over the patches."""

import numpy as np
import pytest
from cases import DTYPES, Conv2DCase, conv2d_cases
from conv2d_checks import check_passes, drawn, reference_passes
from hypothesis import example, given, settings
from hypothesis import strategies as st

from numba_cnn import ops
from numba_cnn.backends.cpu.convolution import (
    winograd_choice,
    winograd_nonfused,
    winograd_weight_nonfused,
)
from numba_cnn.backends.cpu.runtime import launch_graph


@pytest.mark.parametrize("dtype", DTYPES)
@given(case=conv2d_cases(winograd=True))
@example(case=Conv2DCase((7, 5, 5, 80), (3, 3, 80, 70), {}, relu=True))
@example(case=Conv2DCase((1, 63, 61, 17), (3, 3, 17, 18), {"padding": "same"}, relu=True))
@example(case=Conv2DCase((1, 9, 300, 3), (3, 3, 3, 32), {}, relu=True))  # colours, in two pieces
@example(case=Conv2DCase((2, 6, 7, 3), (3, 3, 3, 64), {"padding": "same"}))
@example(case=Conv2DCase((1, 10, 1026, 5), (3, 3, 5, 4), {}))  # two rows of many patches
@settings(max_examples=60)
def test_winograd_equals_reference(dtype, case):
    # Lavin & Gray, table 4: F(4x4, 3x3) loses about one decimal digit.
    check_passes(case, dtype, "winograd", looser=200)


@pytest.fixture(scope="module")
def small_shared_blocks():
    """Winograd with shared transforms for any number of channels, in small blocks and many parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd_choice, "MIN_WEIGHTS_NONFUSED", 0)
        patch.setattr(winograd_choice, "MAX_TRANSFORMED", 1 << 16)
        patch.setattr(winograd_nonfused, "MAX_BLOCK", 32)
        patch.setattr(winograd_weight_nonfused, "MAX_BLOCK", 16)
        patch.setattr(launch_graph, "RECORDINGS", 0)  # nor are others used, or left behind
        yield


@pytest.mark.usefixtures("small_shared_blocks")
@pytest.mark.parametrize("dtype", DTYPES)
@given(case=conv2d_cases(winograd=True))
@example(case=Conv2DCase((7, 5, 5, 80), (3, 3, 80, 70), {}, relu=True))
@example(case=Conv2DCase((3, 31, 9, 40), (3, 3, 40, 33), {"padding": "same"}, relu=True))
@settings(max_examples=60)
def test_winograd_with_shared_transforms_equals_reference(dtype, case):
    check_passes(case, dtype, "winograd", looser=200)


@given(
    case=conv2d_cases(winograd=True),
    spread=st.sampled_from(["normal", "positive", "decades"]),
)
@settings(max_examples=60)
def test_winograd_error_bound(case, spread):
    """On values of realistic spread: activations are positive, and their sizes span decades."""
    x, weight, bias, dy = drawn(case, np.float32)
    if spread != "normal":
        x = np.abs(x)
    if spread == "decades":
        x *= np.float32(10) ** np.random.default_rng(case.seed).uniform(-3, 1, x.shape).astype(
            np.float32
        )
    y = ops.conv2d(x, weight, bias, algorithm="winograd", **case.arguments)
    case.relu = False
    expected, *_ = reference_passes(case, x, weight, bias, dy)
    assert np.abs(y - expected).max() <= 2e-5 * np.abs(expected).max()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e10])
@pytest.mark.parametrize(
    "shape", [(2, 18, 22, 16, 32), (1, 14, 18, 3, 32), (1, 14, 18, 256, 256), (3, 7, 7, 64, 32)]
)
def test_winograd_spreads_what_is_out_of_range_over_the_patches_that_read_it(bad, shape):
    N, H, W, C, F = shape
    rng = np.random.default_rng(3)
    x = rng.standard_normal((N, H, W, C)).astype(np.float32)
    weight = rng.standard_normal((3, 3, C, F)).astype(np.float32)
    clean = ops.conv2d(x, weight, algorithm="winograd")
    for h, w in ((0, 0), (4, 4), (5, 6), (H - 1, W - 1)):
        spoiled = x.copy()
        spoiled[N - 1, h, w, C // 2] = bad
        y = ops.conv2d(spoiled, weight, algorithm="winograd")
        reached = np.zeros(y.shape, bool)
        rows, columns = (
            (max(0, -(-(k - 5) // 4)), k // 4) for k in (h, w)
        )  # patch t reads pixels 4t..4t + 5
        reached[N - 1, 4 * rows[0] : 4 * rows[1] + 4, 4 * columns[0] : 4 * columns[1] + 4] = True
        assert reached.any((0, 3)).sum() <= 64
        np.testing.assert_array_equal(y[~reached], clean[~reached])
        direct = ops.conv2d(spoiled, weight, algorithm="direct")
        window = direct != ops.conv2d(x, weight, algorithm="direct")
        assert window[~np.isnan(window)].sum() <= 9 * F
        if np.isfinite(bad):
            assert np.abs(y - direct).max() <= 1e-5 * bad * np.abs(weight).max()


def test_large_numbers_cost_their_patch_its_digits():
    """The figures of docs/algorithms.md."""
    x, weight = np.ones((1, 14, 14, 16), np.float32), np.ones((3, 3, 16, 32), np.float32)
    for large, error in ((1e3, 1e-2), (1e7, 100)):
        x[0, 5, 5, 0] = large
        y = ops.conv2d(x, weight, algorithm="winograd")
        exact = ops.conv2d(x.astype(np.float64), weight.astype(np.float64), algorithm="direct")
        assert np.abs(y - exact).max() <= error
