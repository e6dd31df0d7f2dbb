"""Every loss beside Keras's own: values, gradients, weights, functions, configuration, names; targets of pixels."""

import json
import os
import subprocess
import sys

import losses_peer as peer
import numpy as np
import pytest

from numba_cnn import layers, losses, models
from numba_cnn.backends import cpu

pytestmark = pytest.mark.xdist_group("losses against keras")  # one process asks Keras, once

CASES = {
    "mse": ("MeanSquaredError", {}, "any"),
    "mae": ("MeanAbsoluteError", {}, "any"),
    "mape": ("MeanAbsolutePercentageError", {}, "any"),
    "msle": ("MeanSquaredLogarithmicError", {}, "positive"),
    "huber": ("Huber", {"delta": 0.7}, "any"),
    "log cosh": ("LogCosh", {}, "any"),
    "kld": ("KLDivergence", {}, "shares, yes or no"),
    "poisson": ("Poisson", {}, "positive"),
    "hinge": ("Hinge", {}, "yes or no"),
    "hinge of signs": ("Hinge", {}, "any"),
    "squared hinge": ("SquaredHinge", {}, "yes or no"),
    "categorical hinge": ("CategoricalHinge", {}, "one-hot"),
    "cosine": ("CosineSimilarity", {}, "any"),
    "cosine of pixels": ("CosineSimilarity", {"axis": 1}, "pixels"),
    "binary": ("BinaryCrossentropy", {"label_smoothing": 0.1}, "probabilities, yes or no"),
    "binary of pixels": ("BinaryCrossentropy", {"from_logits": True}, "pixels, yes or no"),
    "categorical": ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "shares, one-hot"),
    "categorical of pixels": ("CategoricalCrossentropy", {"from_logits": True}, "pixels, one-hot"),
    "sparse": ("SparseCategoricalCrossentropy", {}, "shares, labels"),
    "sparse of pixels": ("SparseCategoricalCrossentropy", {}, "pixels, shares, labels"),
    "sparse, ignored": (
        "SparseCategoricalCrossentropy", {"ignore_class": -1}, "pixels, shares, labels, ignored"),
    "sparse, ignored logits": (
        "SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True}, "labels, ignored"),
    "binary focal": ("BinaryFocalCrossentropy", {}, "probabilities, yes or no"),
    "binary focal of its own": (
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5, "from_logits": True, "label_smoothing": 0.1},
        "yes or no",
    ),
    "focal": ("CategoricalFocalCrossentropy", {}, "shares, one-hot"),
    "focal of its own": (
        "CategoricalFocalCrossentropy",
        {"alpha": 0.4, "gamma": 1.5, "from_logits": True, "label_smoothing": 0.1}, "one-hot",
    ),
    "generalized": ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, "shares, labels"),
    "dice": ("Dice", {}, "probabilities, yes or no"),
    "dice of pixels": ("Dice", {"axis": [1, 2, 3]}, "pixels, probabilities, yes or no"),
    "tversky": ("Tversky", {"alpha": 0.3, "beta": 0.8}, "probabilities, yes or no"),
    "tversky of pixels": ("Tversky", {"axis": [1, 2]}, "pixels, probabilities, yes or no"),
}  # fmt: skip


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """(arrays, answers): what Keras answers to all the cases, from one process."""
    folder = tmp_path_factory.mktemp("keras_losses")
    (folder / "cases.json").write_text(json.dumps({"losses": CASES}))
    settings = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    subprocess.run([sys.executable, peer.__file__, folder], check=True, env=os.environ | settings)
    return np.load(folder / "answers.npz"), json.loads((folder / "answers.json").read_text())


@pytest.mark.parametrize("weighted", ["plain", "weighted"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name, weighted, keras):
    arrays, _ = keras
    cls, settings, kind = CASES[name]
    t, y, weights = peer.data(kind)
    loss = getattr(losses, cls)(**settings)
    if weighted == "plain":
        given = None
    else:  # kernels want a weight for each row, which fit() makes
        given = weights if loss.on_host else np.broadcast_to(
            weights.reshape(-1, *[1] * (y.ndim - 2)), y.shape[:-1]).copy()  # fmt: skip
    value, dy = loss.on_outputs(t, y, given)
    np.testing.assert_array_equal(loss(t, y, given), value)
    np.testing.assert_allclose(value, arrays[f"{name}/{weighted}"], rtol=3e-5, atol=1e-6)
    expected = arrays[f"{name}/{weighted}/dy"]
    np.testing.assert_allclose(dy, expected, rtol=2e-4, atol=2e-6 * max(1, np.abs(expected).max()))
    assert value.dtype == dy.dtype == np.float32


@pytest.mark.parametrize("name", CASES)
def test_configuration_and_function(name, keras):
    arrays, answers = keras
    cls, settings, kind = CASES[name]
    loss, theirs = getattr(losses, cls)(**settings), dict(answers["configs"][name])
    ours = loss.get_config()
    assert ours == {key: theirs.get(key, ours[key]) for key in ours} | settings
    left = {key: theirs[key] for key in theirs if key not in ours}
    assert (
        left.items() <= {"reduction": "sum_over_batch_size", "axis": -1, "dtype": "float32"}.items()
    )
    assert losses.get({"class_name": cls, "config": theirs | settings}).get_config() == ours
    signature = answers["signatures"][cls]
    defaults = getattr(losses, cls)().get_config()
    assert defaults == {key: signature[key] for key in defaults}
    function = getattr(losses, losses.get(cls).name.removesuffix("_loss"))
    assert type(losses.get(function)) is getattr(losses, cls)
    t, y, _ = peer.data(kind)
    np.testing.assert_allclose(
        function(t, y, **settings), arrays[f"{name}/function"], rtol=3e-5, atol=3e-6
    )


@pytest.mark.parametrize(
    ("name", "cls"),
    [("mape", "MeanAbsolutePercentageError"), ("MSLE", "MeanSquaredLogarithmicError"), ("kld", "KLDivergence")],
)  # fmt: skip
def test_short_names(name, cls):
    assert type(losses.get(name)) is getattr(losses, cls)


def segmenter(activation, loss, metrics=("accuracy",), outputs=3):
    model = models.Sequential(
        [
            layers.Input((6, 5, 2)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.Conv2D(outputs, 1, activation=activation),
        ]
    )
    rng = np.random.default_rng(0)
    model.set_weights([rng.standard_normal(w.shape) for w in model.weights])
    model.compile("adam", loss, metrics=metrics, backend="cpu")
    return model


X = np.random.default_rng(0).random((8, 6, 5, 2), dtype=np.float32)
LABELS = (3 * X[..., 0]).astype(int)


@pytest.mark.parametrize(
    ("activation", "loss", "y"),
    [
        ("softmax", "sparse_categorical_crossentropy", LABELS),
        ("softmax", "categorical_crossentropy", np.eye(3)[LABELS]),
        ("sigmoid", "binary_crossentropy", np.eye(3)[LABELS]),
        ("sigmoid", "dice", np.eye(3)[LABELS]),
        ("softmax", losses.SparseCategoricalCrossentropy(ignore_class=255), np.where(LABELS, LABELS, 255)),
        ("softmax", losses.categorical_focal_crossentropy, np.eye(3)[LABELS]),
    ],
)  # fmt: skip
def test_targets_at_every_pixel(activation, loss, y, monkeypatch):
    histories = []
    for records in (True, False):
        monkeypatch.setattr(cpu, "ABILITIES", cpu.ABILITIES._replace(records=records))
        model = segmenter(activation, loss, ())
        weights = np.linspace(0.5, 1.5, 8)
        histories.append(
            model.fit(X, y, 4, 6, verbose=0, shuffle=False, sample_weight=weights).history["loss"]
        )
    assert histories[0] == histories[1]
    assert histories[0][-1] < histories[0][0]


def test_a_weight_for_each_pixel():
    model = segmenter("softmax", "sparse_categorical_crossentropy")
    weights = np.random.default_rng(1).random((8, 6, 5))
    loss, _ = model.evaluate(X, LABELS, verbose=0, sample_weight=weights)
    p = np.take_along_axis(model.predict(X, verbose=0), LABELS[..., None], -1)[..., 0]
    assert loss == pytest.approx(float((-np.log(p) * weights).mean()), rel=1e-4)
    with pytest.raises(ValueError, match="class_weight does not go with targets for each pixel"):
        model.fit(X, LABELS, class_weight={0: 1.0})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.get("tverski"), r"did you mean 'tversky'"),
        (lambda: losses.get("ctc"), "Keras's 'CTC' is not served yet"),
        (lambda: losses.Huber(0), "Huber: delta must be .* above 0. Received: 0"),
        (lambda: losses.Dice(axis="a"), "Dice: axis must be None, an integer or a list"),
        (
            lambda: losses.hinge([[1, 2]], [[1.0, 2, 3]]),
            r"hinge: y_true must have the shape \(1, 3\)",
        ),
        (lambda: losses.Poisson()(X, X[:4]), r"poisson: y_true must have the shape of y_pred"),
        (lambda: losses.Hinge()(X, X, X), r"hinge: sample_weight must have the shape \(8, 6, 5\)"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
