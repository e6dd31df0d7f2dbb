"""Softmax, cross-entropy and accuracy: known answers, finite differences, extreme logits, bad labels."""

import numpy as np
import pytest
from cases import DTYPES, assert_close
from gradcheck import assert_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_cnn import ops
from numba_cnn.backends import reference


def _batch(N, classes, dtype, seed=0):
    rng = np.random.default_rng(seed)
    logits = (5 * rng.standard_normal((N, classes))).astype(dtype)
    return logits, rng.integers(0, classes, N), rng.uniform(0, 2, N).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@given(N=st.integers(1, 40), classes=st.integers(1, 33), weighted=st.booleans())
@settings(max_examples=60)
def test_equals_reference(dtype, N, classes, weighted):
    logits, labels, weights = _batch(N, classes, dtype)
    loss, dlogits = ops.sparse_categorical_crossentropy(
        logits, labels, weights if weighted else None
    )
    expected, gradient = np.empty(()), np.empty(logits.shape)
    wide = weights.astype(np.float64) if weighted else None
    reference.sparse_categorical_crossentropy(
        logits.astype(np.float64), labels, wide, expected, gradient
    )
    assert loss.shape == ()
    assert loss.dtype == dlogits.dtype == dtype
    assert_close(loss, expected, 10 * (N + classes))
    assert_close(dlogits, gradient, 10 * classes)
    probabilities = np.empty(logits.shape)
    reference.softmax(logits.astype(np.float64), probabilities)
    assert_close(ops.softmax(logits), probabilities, 10 * classes)
    accuracy = ops.sparse_categorical_accuracy(logits, labels)
    assert abs(float(accuracy) - (logits.argmax(1) == labels).mean()) < 1e-6


def test_against_finite_differences():
    logits, labels, weights = _batch(4, 5, np.float64)
    _, dlogits = ops.sparse_categorical_crossentropy(logits, labels, weights)
    assert_gradient(
        lambda logits: ops.sparse_categorical_crossentropy(logits, labels, weights)[0],
        [logits],
        [dlogits],
        np.ones(()),
        np.random.default_rng(1),
    )


def test_known_answers():
    loss, dlogits = ops.sparse_categorical_crossentropy(np.zeros((2, 4)), np.array([1, 3]))
    assert float(loss) == pytest.approx(np.log(4), rel=1e-12)
    np.testing.assert_allclose(dlogits[0], [0.125, -0.375, 0.125, 0.125], rtol=1e-12)
    # Keras on TensorFlow, from a model that ends in softmax: the loss of a logit 30 below the largest is 30.
    loss, _ = ops.sparse_categorical_crossentropy(np.array([[30.0, 0.0]]), np.array([1]))
    assert float(loss) == pytest.approx(30.0, rel=1e-9)


def test_extreme_logits_stay_finite_and_nan_goes_through():
    logits = np.array([[3e38, -3e38], [-3e38, -3e38]], np.float32)
    loss, dlogits = ops.sparse_categorical_crossentropy(logits, np.array([0, 1]))
    assert float(loss) == pytest.approx(np.log(2) / 2, rel=1e-6)
    assert np.isfinite(dlogits).all()
    assert np.isnan(ops.softmax(np.array([[0.0, np.nan]]))).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("classes", [1, 2, 3, 17])
def test_the_largest_logit_may_stand_anywhere(dtype, classes):
    """exp(1000) is infinite: the row's own maximum is taken off before."""
    logits = 1000 * np.eye(classes, dtype=dtype)
    labels = np.arange(classes)
    np.testing.assert_array_equal(ops.softmax(logits), np.eye(classes))
    loss, dlogits = ops.sparse_categorical_crossentropy(logits, labels)
    assert float(loss) == 0
    assert not dlogits.any()
    loss, _ = ops.sparse_categorical_crossentropy(logits, np.roll(labels, 1))
    assert float(loss) == (1000 if classes > 1 else 0)


def test_accuracy_counts_the_first_largest():
    logits = np.array([[1.0, 1.0], [0.0, 2.0]])
    assert float(ops.sparse_categorical_accuracy(logits, np.array([1, 1]))) == 0.5


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.array([0, 3]), ValueError, r"labels must lie in 0..2 for 3 classes. Received: label 3"),
        (np.array([0, -1]), ValueError, "Received: label -1"),
        (np.array([0.0, 1.0]), TypeError, "labels must be integers"),
        (np.array([0]), ValueError, r"labels must have shape \(2,\)"),
        ([0, 1], TypeError, "expected NumPy or device arrays"),
    ],
)
def test_bad_labels(labels, error, message):
    with pytest.raises(error, match=message):
        ops.sparse_categorical_crossentropy(np.zeros((2, 3), np.float32), labels)
