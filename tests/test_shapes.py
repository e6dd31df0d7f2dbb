"""shapes.py against TensorFlow's known shapes, and every error in it."""

import numpy as np
import pytest

from numba_cnn import shapes


@pytest.mark.parametrize(
    ("n", "k", "s", "pads", "out"),
    [
        (5, 3, 1, (1, 1), 5),
        (6, 3, 2, (0, 1), 3),
        (7, 2, 2, (0, 1), 4),
        (4, 1, 3, (0, 0), 2),
        (9, 4, 1, (1, 2), 9),
    ],
)
def test_same_padding_follows_tensorflow(n, k, s, pads, out):
    g = shapes.conv2d((1, n, n, 2), (k, k, 2, 3), strides=s, padding="same")
    assert (g.top, g.bottom) == (g.left, g.right) == pads
    assert (out, out) == (g.OH, g.OW)


def test_explicit_padding_in_every_form():
    shape, weight = (1, 8, 9, 1), (3, 3, 1, 1)
    assert shapes.conv2d(shape, weight, padding=2)[12:16] == (2, 2, 2, 2)
    assert shapes.conv2d(shape, weight, padding=(1, 2))[12:16] == (1, 1, 2, 2)
    assert shapes.conv2d(shape, weight, padding=((1, 2), (0, 3)))[12:] == (1, 2, 0, 3, 9, 10)
    assert shapes.conv2d(shape, weight, padding=np.int64(1)).top == 1


def test_dilation_and_stride():
    g = shapes.conv2d((2, 20, 21, 6), (3, 2, 2, 9), strides=(2, 3), dilation_rate=(4, 5), groups=3)
    assert g.y == (2, (20 - 9) // 2 + 1, (21 - 6) // 3 + 1, 9)
    assert (g.x, g.weight) == ((2, 20, 21, 6), (3, 2, 2, 9))


def test_pooling_drops_what_does_not_fill_a_window():
    assert shapes.max_pool2d((1, 29, 31, 4)).y == (1, 14, 15, 4)
    assert shapes.max_pool2d((1, 29, 31, 4), 3, 2, "same").y == (1, 15, 16, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: shapes.conv2d((2, 3, 4), (3, 3, 1, 1)),
            r"x must have 4 axes .* Received: \(2, 3, 4\)",
        ),
        (lambda: shapes.conv2d((0, 3, 4, 1), (3, 3, 1, 1)), "the batch is empty"),
        (lambda: shapes.conv2d((1, 0, 4, 1), (3, 3, 1, 1)), "every extent of x"),
        (
            lambda: shapes.conv2d((1, 5, 4, 3), (3, 3, 4, 1)),
            "x has 3 channels but weight expects 4",
        ),
        (
            lambda: shapes.conv2d((1, 5, 4, 4), (3, 3, 2, 3), groups=2),
            "must divide into the groups",
        ),
        (
            lambda: shapes.conv2d((1, 2, 4, 1), (3, 3, 1, 1)),
            "a filter that covers 3x3 pixels does not fit",
        ),
        (
            lambda: shapes.conv2d((1, 5, 4, 1), (3, 3, 1, 1), strides=0),
            "strides must be an integer of at least 1",
        ),
        (
            lambda: shapes.conv2d((1, 5, 4, 1), (3, 3, 1, 1), strides=1.5),
            "strides must be an integer",
        ),
        (
            lambda: shapes.conv2d((1, 5, 4, 1), (3, 3, 1, 1), strides=True),
            "strides must be an integer",
        ),
        (
            lambda: shapes.conv2d((1, 5, 4, 1), (3, 3, 1, 1), strides=(1, 2, 3)),
            "one integer or a pair",
        ),
        (
            lambda: shapes.conv2d((1, 5, 4, 1), (3, 3, 1, 1), padding="full"),
            'must be "valid", "same"',
        ),
        (lambda: shapes.conv2d((1, 5, 4, 1), (3, 3, 1, 1), padding=-1), "at least 0"),
        (lambda: shapes.max_pool2d((1, 5, 4, 1), 6), "a window of 6x6 does not fit"),
        (
            lambda: shapes.max_pool2d((1, 5, 4, 1), 2, padding=2),
            "padding must be smaller than the window",
        ),
        (lambda: shapes.dense((2, 3), (4, 5)), "x has 3 features but weight expects 4"),
        (lambda: shapes.dense((0, 3), (3, 5)), "the batch is empty"),
    ],
)
def test_errors_say_what_was_received(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "Received: " in str(error.value)
