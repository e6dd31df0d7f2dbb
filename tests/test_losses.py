"""Losses and accuracies: finite differences -> reference -> CPU, rows of any rank, NaN, what Keras gives."""

import os
import subprocess
import sys

import numpy as np
import pytest
from cases import DTYPES, assert_close
from gradcheck import assert_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_cnn import losses, ops
from numba_cnn.backends import reference

OF_TARGETS = [
    "categorical_crossentropy",
    "binary_crossentropy",
    "categorical_crossentropy_of_probabilities",
    "binary_crossentropy_of_probabilities",
    "mean_squared_error",
    "mean_absolute_error",
]
SPARSE = ["sparse_categorical_crossentropy", "sparse_categorical_crossentropy_of_probabilities"]
# Keras's classes, and whether they take logits.
KERAS = {
    "categorical_crossentropy": ("CategoricalCrossentropy", True),
    "binary_crossentropy": ("BinaryCrossentropy", True),
    "sparse_categorical_crossentropy": ("SparseCategoricalCrossentropy", True),
    "categorical_crossentropy_of_probabilities": ("CategoricalCrossentropy", False),
    "binary_crossentropy_of_probabilities": ("BinaryCrossentropy", False),
    "sparse_categorical_crossentropy_of_probabilities": ("SparseCategoricalCrossentropy", False),
    "mean_squared_error": ("MeanSquaredError", None),
    "mean_absolute_error": ("MeanAbsoluteError", None),
}
ragged = st.lists(st.integers(1, 19), min_size=1, max_size=3).map(tuple)


def _arrays(name, shape, dtype, seed=0):
    """Outputs, targets or labels, and weights."""
    rng = np.random.default_rng(seed)
    y, targets = 3 * rng.standard_normal(shape), rng.uniform(0, 1, shape)
    if "of_probabilities" in name:
        y = rng.uniform(0.05, 0.95, shape)
    weights = np.asarray(rng.uniform(0, 2, shape[:-1]), dtype)
    if name.startswith("sparse"):
        return y.astype(dtype), np.asarray(rng.integers(0, shape[-1], shape[:-1])), weights
    return y.astype(dtype), targets.astype(dtype), weights


def _reference(name, y, targets, weights):
    rows = (-1, y.shape[-1])
    wide, loss = y.astype(np.float64).reshape(rows), np.empty(())
    dy = np.empty(wide.shape)
    targets = targets.reshape(-1) if name in SPARSE else targets.astype(np.float64).reshape(rows)
    weights = None if weights is None else weights.astype(np.float64).reshape(-1)
    getattr(reference, name)(wide, targets, weights, loss, dy)
    return loss, dy.reshape(y.shape)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OF_TARGETS + SPARSE)
@given(shape=ragged, weighted=st.booleans(), seed=st.integers(0, 99))
@settings(max_examples=25)
def test_equals_reference(dtype, name, shape, weighted, seed):
    y, targets, weights = _arrays(name, shape, dtype, seed)
    weights = weights if weighted else None
    loss, dy = getattr(ops, name)(y, targets, weights)
    expected, gradient = _reference(name, y, targets, weights)
    assert (loss.shape, loss.dtype, dy.dtype) == ((), dtype, dtype)
    assert_close(loss, expected, 20 * y.size, size=1)
    assert_close(dy, gradient, 20 * shape[-1], size=1 / y.size)


@pytest.mark.parametrize("name", OF_TARGETS + SPARSE)
def test_against_finite_differences(name):
    y, targets, weights = _arrays(name, (3, 2, 5), np.float64)
    function = getattr(ops, name)
    _, dy = function(y, targets, weights)
    assert_gradient(
        lambda y: function(y, targets, weights)[0], [y], [dy], np.ones(()), np.random.default_rng(1)
    )


def test_keras_gives_the_same(tmp_path):
    given = {name: _arrays(name, (4, 3, 5), np.float32) for name in KERAS}
    for name, arrays in given.items():
        if "of_probabilities" in name:
            arrays[0][0, 0, :2] = 0, 1  # clipped, of binary cross-entropy
        np.savez(tmp_path / f"{name}.npz", y=arrays[0], t=arrays[1], w=arrays[2])
    code = (
        "import json, keras, jax, numpy as np\nanswers = {}\n"
        f"for name, (kind, logits) in {KERAS!r}.items():\n"
        "    a = np.load(name + '.npz'); settings = {} if logits is None else {'from_logits': logits}\n"
        "    loss = getattr(keras.losses, kind)(**settings)\n"
        "    f = lambda y: loss(a['t'], y, sample_weight=a['w'])\n"
        "    value, dy = jax.value_and_grad(f)(a['y']); answers[name] = np.float64(value)\n"
        "    answers[name + '/dy'] = np.asarray(dy)\n"
        "np.savez('answers.npz', **{k.replace('/', '__'): v for k, v in answers.items()})"
    )
    run = [sys.executable, "-c", code]
    subprocess.run(run, check=True, cwd=tmp_path, env=os.environ | {"KERAS_BACKEND": "jax"})
    with np.load(tmp_path / "answers.npz") as answers:
        for name, arrays in given.items():
            loss, dy = getattr(ops, name)(*arrays)
            np.testing.assert_allclose(loss, answers[name], rtol=2e-6, err_msg=name)
            np.testing.assert_allclose(
                dy, answers[f"{name}__dy"], rtol=1e-4, atol=1e-7, err_msg=name
            )


@pytest.mark.parametrize("name", OF_TARGETS + SPARSE)
def test_nan_stays_in_its_row(name):
    y, targets, _ = _arrays(name, (4, 5), np.float32)
    y[2, 1] = np.nan
    loss, dy = getattr(ops, name)(y, targets)
    assert np.isnan(loss)
    assert np.isnan(dy[2, 1])
    assert np.isfinite(np.delete(dy, 2, 0)).all()


def test_extreme_outputs_stay_finite():
    logits = np.array([[1e38, -1e38, 0.0]], np.float32)
    for name in ("binary_crossentropy", "categorical_crossentropy"):
        loss, dlogits = getattr(ops, name)(logits, np.array([[1, 0, 0]], np.float32))
        assert np.isfinite(loss)
        assert np.isfinite(dlogits).all()
    loss, dp = ops.binary_crossentropy_of_probabilities(
        np.array([[0.0, 1.0]], np.float32), np.array([[1, 0]], np.float32)
    )
    assert float(loss) == pytest.approx(-np.log(1.19e-7) / 2 - np.log(1e-7) / 2, rel=0.01)
    assert not dp.any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_accuracies(dtype):
    rng = np.random.default_rng(0)
    y, targets = (rng.integers(0, 3, (7, 5, 3)).astype(dtype) for _ in range(2))
    same = (y.argmax(-1) == targets.argmax(-1)).mean()
    assert float(ops.categorical_accuracy(y, targets)) == pytest.approx(same, rel=1e-6)
    for threshold in (0, 0.5, 1.5):
        right = ((y > threshold) == (targets > 1)).mean()
        found = ops.binary_accuracy(y, (targets > 1).astype(dtype), threshold)
        assert float(found) == pytest.approx(right, rel=1e-6)
    labels = rng.integers(0, 3, (7, 5))
    found = ops.sparse_categorical_accuracy(y, labels)
    assert float(found) == pytest.approx((y.argmax(-1) == labels).mean(), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda y: ops.mean_squared_error(y, y[:1]), ValueError, r"targets must have shape \(2, 3\)"),
        (lambda y: ops.mean_squared_error(y, y, y), ValueError, r"sample_weight must have shape \(2,\)"),
        (lambda y: ops.categorical_crossentropy(y, None), TypeError, "targets must be an array"),
        (lambda y: ops.categorical_crossentropy(y[:0], y[:0]), ValueError, "no empty one"),
        (lambda y: ops.binary_crossentropy(y, y.astype(int)), TypeError, "targets int64"),
        (lambda y: ops.sparse_categorical_crossentropy_of_probabilities(y, np.array([0, 3])), ValueError, "label 3"),
        (lambda y: ops.sparse_categorical_crossentropy(y, np.array([[0]])), ValueError, "labels must have shape"),
        (lambda y: ops.binary_accuracy(y, y, "a"), ValueError, "threshold must be a finite number. Received: 'a'"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("SparseCategoricalCrossentropy", [1, 0]),
        ("CategoricalCrossentropy", [[0, 1], [1, 0]]),
        ("MeanSquaredError", [[0, 1], [1, 0]]),
        ("Huber", [[0, 1], [1, 0]]),
    ],
)
def test_a_call_takes_lists(name, targets):
    loss, outputs, weights = getattr(losses, name)(), [[0.5, 0.5], [0.25, 0.75]], [1, 2]
    wide = np.array(outputs)
    labels = np.array(targets) if loss.has_classes else np.array(targets, np.float64)
    expected = loss.on_outputs(labels, wide, np.array(weights, np.float64))[0]
    assert loss(targets, wide, weights) == expected
    assert loss(targets, outputs, weights) == pytest.approx(float(expected), rel=1e-6)
