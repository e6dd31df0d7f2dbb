"""Losses and metrics as plain functions of NumPy's arrays, and metrics of the user's own classes."""

import numpy as np
import pytest

import numba_cnn
from numba_cnn import layers, losses, metrics, models, regularizers, saving

RNG = np.random.default_rng(0)
X = RNG.random((12, 5), dtype=np.float32)
Y = RNG.random((12, 3), dtype=np.float32)


def squares(y_true, y_pred):
    """What mean_squared_error is."""
    return ((y_pred - y_true) ** 2).mean(-1), 2 * (y_pred - y_true) / y_pred.shape[-1]


def whole(y_true, y_pred):
    """The same as one number."""
    values, gradient = squares(y_true, y_pred)
    return values.mean(), gradient / len(y_pred)


def classes(y_true, y_pred):
    """One minus the output of the class, for labels (N, 1)."""
    rows = np.arange(len(y_pred))
    gradient = np.zeros_like(y_pred)
    gradient[rows, y_true[:, 0]] = -1
    return 1 - y_pred[rows, y_true[:, 0]], gradient


def compiled(loss, **settings):
    numba_cnn.set_random_seed(1)
    model = models.Sequential([layers.Input((5,)), layers.Dense(3)])
    model.compile("sgd", loss, backend="cpu", **settings)
    return model


def fit(model, y=Y, **settings):
    return model.fit(X, y, 5, epochs=3, shuffle=False, verbose=0, **settings).history


@pytest.mark.parametrize("weight", [None, np.linspace(0.5, 2, 12)], ids=["plain", "weighted"])
def test_a_function_that_says_its_gradient(weight):
    expected = fit(compiled("mse"), sample_weight=weight)
    found = fit(compiled(squares), sample_weight=weight)
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
    if weight is None:
        found = fit(compiled(whole))
        np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)


def test_targets_of_any_shape():
    labels = RNG.integers(0, 3, (12, 1))
    history = fit(compiled(classes), labels)
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda t, y: ((t - y) ** 2).mean(-1), r"loss: a loss of NumPy's says its gradient too"),
        (lambda t, y: (y[:2], y), r"expected a value for each sample .* \(2, 3\), a gradient"),
        (lambda t, y: (y.mean(-1), y[0]), r"a gradient of shape \(3,\)"),
    ],
)
def test_a_function_that_does_not(loss, message):
    with pytest.raises((TypeError, ValueError), match=message):
        fit(compiled(loss))


def test_a_metric_must_give_numbers():
    with pytest.raises(TypeError, match=r"metric: a metric returns a number .* Received: 'a'"):
        fit(compiled("mse", metrics=[lambda t, y: "a"]))


def test_files_name_functions(tmp_path):
    objects = saving.get_custom_objects()
    model = compiled(squares, metrics=[classes_of])
    fit(model)
    model.save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match="the model is not compiled: metric: there is no"):
        models.load_model(tmp_path / "m.keras")
    given = {"squares": squares, "classes_of": classes_of}
    loaded = models.load_model(tmp_path / "m.keras", custom_objects=given)
    assert fit(loaded) == fit(model)
    with saving.custom_object_scope(given):
        assert losses.get("squares").function is squares
        assert metrics.get("classes_of").function is classes_of
    assert "squares" not in objects
    found = losses.get({"class_name": "function", "config": "mean_squared_error"})
    assert isinstance(found, losses.MeanSquaredError)


def classes_of(y_true, y_pred):
    return y_pred.argmax(-1)


class Largest(metrics.Metric):
    """The largest output so far."""

    def __init__(self, name="largest"):
        super().__init__(name)
        self.found = -np.inf

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.found = max(self.found, float(np.max(y_pred)))

    def result(self):
        return self.found

    def reset_state(self):
        super().reset_state()
        self.found = -np.inf


def test_a_metric_of_ones_own():
    model = compiled("mse", metrics=[Largest()])
    found = dict(zip(model.metrics_names, model.evaluate(X, Y, verbose=0), strict=False))
    assert model.evaluate(X, Y, verbose=0)[1] == pytest.approx(model.predict(X, verbose=0).max())
    assert list(found) == ["loss", "compile_metrics"]
    assert "largest" in fit(model)


def test_add_loss_says_what_does_it():
    model = compiled("mse")
    penalty = regularizers.L2(0.1)(model.layers[0].kernel.value)
    for owner in (model, model.layers[0]):
        with pytest.raises(TypeError, match=r"add_loss .* is not served; kernel_regularizer=, act"):
            owner.add_loss(penalty)
