"""conv2d: finite differences -> reference -> CPU by direct sums, and what holds for any algorithm."""

import numpy as np
import pytest
from cases import DTYPES, conv2d_cases
from conv2d_checks import check_passes, drawn, reference_passes
from gradcheck import assert_gradient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cases import Conv2DCase  # isort: skip
from numba_cnn import ops
from numba_cnn.backends import reference
from numba_cnn.backends.cpu.convolution import (
    depthwise_small,
    direct_weight,
)
from numba_cnn.backends.cpu.microkernels.nontemporal import NONTEMPORAL_BYTES
from numba_cnn.backends.cpu.runtime import launch_graph


def _loops(case, x, weight, bias):
    """The sum of the docstring, pixel by pixel."""
    g = case.geometry
    y = np.zeros(g.y)
    Cg, Fg = g.C // g.groups, g.F // g.groups
    for n, oh, ow, f in np.ndindex(*g.y):
        total = bias[f]
        for kh, kw, c in np.ndindex(g.KH, g.KW, Cg):
            h, w = oh * g.SH + kh * g.DH - g.top, ow * g.SW + kw * g.DW - g.left
            if 0 <= h < g.H and 0 <= w < g.W:
                total += x[n, h, w, f // Fg * Cg + c] * weight[kh, kw, c, f]
        y[n, oh, ow, f] = max(total, 0) if case.relu else total
    return y


def test_reference_equals_the_plain_sum():
    padding = ((1, 2), (0, 1))
    arguments = {"strides": (2, 1), "padding": padding, "dilation_rate": (1, 2), "groups": 2}
    case = Conv2DCase((2, 6, 7, 4), (3, 2, 2, 6), arguments, relu=True)
    x, weight, bias, _ = drawn(case, np.float64)
    y = np.empty(case.geometry.y)
    reference.conv2d(x, weight, bias, case.geometry, True, "auto", y)
    np.testing.assert_allclose(y, _loops(case, x, weight, bias), rtol=1e-12, atol=1e-12)


@given(conv2d_cases())
@settings(max_examples=25)
def test_reference_against_finite_differences(case):
    case.relu = False  # its kink is no derivative
    x, weight, bias, dy = drawn(case, np.float64)
    _, *gradients = reference_passes(case, x, weight, bias, dy)

    def function(x, weight, bias):
        y = np.empty(case.geometry.y)
        reference.conv2d(x, weight, bias, case.geometry, False, "auto", y)
        return y

    assert_gradient(function, [x, weight, bias], gradients, dy, np.random.default_rng(1))


@pytest.mark.parametrize("dtype", DTYPES)
@given(case=conv2d_cases())
@example(case=Conv2DCase((1, 40, 41, 17), (3, 3, 17, 49), {"padding": "same"}, relu=True))
@example(case=Conv2DCase((2, 9, 13, 24), (1, 1, 24, 70), {}, relu=True))  # flattened into runs
@example(case=Conv2DCase((1, 1, 500, 3), (1, 1, 3, 5), {}))  # a last run that is shorter
@example(
    case=Conv2DCase((1, 2, 1, 1), (1, 1, 1, 1), {"padding": ((0, 0), (0, 1))})
)  # dy is wider than x
@example(
    case=Conv2DCase((2, 10, 11, 3), (2, 2, 3, 4), {"strides": 5})
)  # pixels that no window reaches
@example(
    case=Conv2DCase((13, 3, 3, 5), (3, 3, 5, 7), {"padding": "same"})
)  # bands of several images
@example(case=Conv2DCase((1, 6, 5, 2100), (1, 1, 2100, 3), {}))  # a reduction longer than one block
# Few filters: sums over the lanes of channels, in a ring of rows; forward, and as an input gradient.
@example(case=Conv2DCase((2, 9, 19, 33), (3, 2, 33, 3), {"padding": "same"}, relu=True))
@example(case=Conv2DCase((1, 20, 25, 64), (3, 3, 64, 1), {"dilation_rate": 2, "strides": (1, 2)}))
@example(
    case=Conv2DCase(
        (2, 9, 11, 40), (3, 3, 40, 3), {"dilation_rate": 2, "padding": ((1, 3), (1, 3))}
    )
)
@example(case=Conv2DCase((1, 11, 13, 96), (9, 2, 96, 3), {"dilation_rate": (1, 2)}))
@example(case=Conv2DCase((2, 9, 8, 48), (1, 1, 48, 7), {}, relu=True))
@example(case=Conv2DCase((2, 11, 12, 3), (5, 5, 3, 32), {"padding": "same"}, relu=True))
@example(case=Conv2DCase((1, 7, 40, 2), (3, 4, 2, 16), {"strides": (2, 3)}, relu=True))
# All taps of a vector of filters in registers.
@example(case=Conv2DCase((2, 12, 9, 3), (3, 3, 3, 40), {}, relu=True))
@example(case=Conv2DCase((5, 8, 21, 2), (3, 3, 2, 16), {"padding": ((2, 0), (1, 2))}, relu=True))
@example(case=Conv2DCase((1, 3, 30, 1), (3, 3, 1, 5), {"padding": "same"}))
# Few filters, and six whole vectors of channels: of taps side by side, and of taps that lie apart.
@example(case=Conv2DCase((2, 9, 11, 32), (3, 3, 32, 3), {"padding": "same"}))
@example(case=Conv2DCase((1, 9, 11, 96), (8, 2, 96, 3), {"dilation_rate": (1, 2)}))
# Images smaller than the filter: some taps see nothing.
@example(case=Conv2DCase((2, 1, 2, 6), (5, 5, 1, 6), {"padding": "same", "groups": 6}, relu=True))
@example(case=Conv2DCase((2, 2, 1, 6), (5, 7, 6, 9), {"padding": "same"}, relu=True))
@example(
    case=Conv2DCase((1, 3, 2, 8), (3, 3, 1, 8), {"padding": 4, "groups": 8, "dilation_rate": 4})
)
@settings(max_examples=150)
def test_direct_equals_reference(dtype, case):
    check_passes(case, dtype, "direct")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "case",
    [
        Conv2DCase((2, 9, 13, 61), (1, 1, 61, 70), {}, relu=True),
        Conv2DCase((3, 12, 11, 40), (3, 2, 20, 18), {"padding": "same", "groups": 2}),
        Conv2DCase(
            (2, 15, 14, 33), (3, 3, 33, 19), {"strides": 2, "dilation_rate": (1, 2)}, relu=True
        ),
    ],
)
def test_windows_are_read_in_place_or_copied(dtype, case, monkeypatch):
    """Which, the first-level cache decides; the bits are the same."""
    monkeypatch.setattr(launch_graph, "RECORDINGS", 0)
    arrays = drawn(case, dtype)
    dweights = []
    for pack in (1, 1 << 62):
        monkeypatch.setattr(direct_weight, "MIN_STRIDE_PACKED", pack)
        check_passes(case, dtype, "direct")
        x, weight, _, dy = arrays
        dweights.append(ops.conv2d_backward(dy, x, weight, algorithm="direct", **case.arguments)[1])
    np.testing.assert_array_equal(*dweights)


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    extents=st.tuples(*(st.integers(1, most) for most in (3, 17, 30, 70))),
    kernel=st.sampled_from([3, 3, 5]),
    stride=st.sampled_from([1, 1, 2]),
    padding=st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 2),
    relu=st.booleans(),
)
@example(extents=(2, 14, 14, 300), kernel=3, stride=1, padding=((1, 1), (1, 1)), relu=True)
@example(extents=(70, 3, 3, 16), kernel=3, stride=1, padding=((0, 0), (0, 0)), relu=False)  # chunks
@example(extents=(1, 9, 21, 40), kernel=5, stride=1, padding=((2, 2), (2, 2)), relu=True)
@example(extents=(1, 33, 65, 64), kernel=5, stride=1, padding=((2, 2), (2, 2)), relu=True)  # rows
@settings(max_examples=60)
def test_depthwise(dtype, extents, kernel, stride, padding, relu):
    N, H, W, C = extents
    H, W = (max(e, kernel - sum(p)) for e, p in zip((H, W), padding, strict=True))
    arguments = {"strides": stride, "padding": padding, "groups": C}
    case = Conv2DCase((N, H, W, C), (kernel, kernel, 1, C), arguments, relu)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(depthwise_small, "MIN_PIXEL_BYTES", 0)  # at any vector width
        check_passes(case, dtype, "direct")


@pytest.mark.parametrize("row", [0, -1])
def test_nan_reaches_no_tap_that_does_not_see_it(row):
    x, weight = np.ones((1, 9, 8, 300), np.float32), np.ones((3, 3, 1, 300), np.float32)
    x[:, row] = np.nan
    y = ops.conv2d(x, weight, groups=300)
    np.testing.assert_array_equal(
        np.isnan(y).any((0, 2, 3)), np.isin(np.arange(7), np.arange(7)[row])
    )
    _, dweight, _ = ops.conv2d_backward(np.ones_like(y), x, weight, groups=300)
    np.testing.assert_array_equal(
        np.isnan(dweight).any((1, 2, 3)), np.isin(np.arange(3), np.arange(3)[row])
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("algorithm", "case"),
    [
        ("direct", Conv2DCase((1, 190, 181, 32), (1, 1, 32, 32), {}, relu=True)),
        ("direct", Conv2DCase((1, 190, 181, 32), (2, 3, 32, 48), {"strides": (1, 2)})),
        ("direct", Conv2DCase((1, 190, 181, 5), (1, 1, 5, 36), {}, relu=True)),  # vectors not whole
        ("direct", Conv2DCase((1, 190, 181, 32), (3, 3, 1, 32), {"groups": 32}, relu=True)),
        ("direct", Conv2DCase((1, 190, 181, 36), (2, 3, 1, 36), {"groups": 36})),
        ("winograd", Conv2DCase((1, 190, 181, 32), (3, 3, 32, 48), {"padding": "same"}, relu=True)),
        ("winograd", Conv2DCase((1, 190, 181, 3), (3, 3, 3, 32), {}, relu=True)),  # colours
        ("winograd", Conv2DCase((1, 190, 181, 5), (3, 3, 5, 36), {})),
    ],
)
def test_outputs_too_large_for_caches(dtype, algorithm, case):
    """They are written past the caches, if all their vectors are whole and aligned."""
    assert (
        np.prod(case.geometry.y) * 4 > NONTEMPORAL_BYTES
        or np.prod(case.geometry.x) * 4 > NONTEMPORAL_BYTES
    )
    check_passes(case, dtype, algorithm, looser=200)


def test_auto_picks_an_algorithm_that_is_right():
    for shape, filters in (
        ((2, 30, 33, 16), 48),
        ((1, 8, 8, 16), 16),
        ((4, 31, 31, 3), 32),
        ((2, 6, 7, 128), 130),
    ):
        case = Conv2DCase(shape, (3, 3, shape[3], filters), {"padding": "same"}, relu=True)
        check_passes(case, np.float32, "auto", looser=200)


def test_known_answer():
    x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    weight = np.array([[1, 0], [0, -1]], np.float32).reshape(2, 2, 1, 1)
    y = ops.conv2d(x, weight, np.array([5.5], np.float32))
    np.testing.assert_array_equal(y[0, :, :, 0], np.full((3, 3), 0.5, np.float32))


def test_need_dx_false():
    x, weight = np.ones((1, 4, 4, 2), np.float32), np.ones((3, 3, 2, 5), np.float32)
    dx, dweight, dbias = ops.conv2d_backward(
        np.ones((1, 2, 2, 5), np.float32), x, weight, need_dx=False
    )
    assert dx is None
    np.testing.assert_array_equal(dweight, np.full((3, 3, 2, 5), 4, np.float32))
    np.testing.assert_array_equal(dbias, np.full(5, 4, np.float32))


@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_nan_goes_through(algorithm):
    x = np.zeros((1, 8, 8, 3), np.float32)
    x[0, 0, 0, 1] = np.nan
    y = ops.conv2d(x, np.ones((3, 3, 3, 4), np.float32), activation="relu", algorithm=algorithm)
    assert np.isnan(y[0, 0, 0]).all()
    assert not np.isnan(y[0, 4:, 4:]).any()


def test_input_that_is_not_contiguous_or_read_only():
    rng = np.random.default_rng(0)
    big = rng.standard_normal((3, 9, 8, 2)).astype(np.float32)
    weight = rng.standard_normal((3, 3, 3, 4)).astype(np.float32)
    x = big.transpose(3, 1, 2, 0)
    expected = ops.conv2d(np.ascontiguousarray(x), weight)
    np.testing.assert_array_equal(ops.conv2d(x, weight), expected)
    frozen = np.ascontiguousarray(x)
    frozen.flags.writeable = False
    np.testing.assert_array_equal(ops.conv2d(frozen, weight), expected)


F32 = np.zeros((2, 5, 5, 3), np.float32)
W32 = np.zeros((3, 3, 3, 4), np.float32)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: ops.conv2d(F32, W32.astype(np.float64)),
            TypeError,
            "all be float32 or all float64",
        ),
        (lambda: ops.conv2d(F32.astype(np.uint8), W32), TypeError, "Received: x uint8"),
        (lambda: ops.conv2d(F32.astype(">f4"), W32), TypeError, "Received: x >f4"),
        (lambda: ops.conv2d(F32.tolist(), W32), TypeError, "expected NumPy or device arrays"),
        (lambda: ops.conv2d(F32[0], W32), ValueError, "x must have 4 axes"),
        (lambda: ops.conv2d(F32[:0], W32), ValueError, "the batch is empty"),
        (lambda: ops.conv2d(F32, W32, W32[0, 0]), ValueError, r"bias must have shape \(4,\)"),
        (lambda: ops.conv2d(F32, W32, activation="tanh"), ValueError, 'None or "relu"'),
        (lambda: ops.conv2d(F32, W32, algorithm="fft"), ValueError, "algorithm must be one of"),
        (
            lambda: ops.conv2d(F32, W32, strides=2, algorithm="winograd"),
            ValueError,
            "needs 3x3 filters",
        ),
        (
            lambda: ops.conv2d_backward(F32, F32, W32),
            ValueError,
            r"dy must have shape \(2, 3, 3, 4\)",
        ),
        (
            lambda: ops.conv2d_backward(
                np.zeros((2, 3, 3, 4), np.float32), F32, W32, activation="relu"
            ),
            ValueError,
            "pass y=",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("dtype", DTYPES)
def test_more_filters_than_blocks_hold(dtype):
    """A weight gradient of more than 4,096 filters, in blocks of panels that are no power of two."""
    check_passes(Conv2DCase((2, 3, 4, 3), (1, 1, 3, 4500), {}, relu=True), dtype, "direct")
