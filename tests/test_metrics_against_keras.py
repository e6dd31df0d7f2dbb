"""Every metric beside Keras's own: results of two batches, with weights and without, configuration; in models."""

import json
import os
import subprocess
import sys

import losses_peer as peer
import numpy as np
import pytest

from numba_cnn import layers, losses, metrics, models
from numba_cnn.settings import accepted

pytestmark = pytest.mark.xdist_group("metrics against keras")  # one process asks Keras, once

YES = "probabilities, yes or no"
CASES = {
    **{
        name: (name, {}, kind)
        for name, kind in {
            "Accuracy": "yes or no", "BinaryAccuracy": YES, "CategoricalAccuracy": "one-hot",
            "SparseCategoricalAccuracy": "labels", "TopKCategoricalAccuracy": "one-hot",
            "SparseTopKCategoricalAccuracy": "labels", "Precision": YES, "Recall": YES, "AUC": YES, "F1Score": YES,
            "TruePositives": YES, "FalsePositives": YES, "TrueNegatives": YES, "FalseNegatives": YES,
            "MeanSquaredError": "any", "RootMeanSquaredError": "any", "MeanAbsoluteError": "any",
            "MeanAbsolutePercentageError": "any", "MeanSquaredLogarithmicError": "positive",
            "CosineSimilarity": "any", "LogCoshError": "any", "Poisson": "positive",
            "KLDivergence": "shares, yes or no", "BinaryCrossentropy": YES,
            "CategoricalCrossentropy": "shares, one-hot", "SparseCategoricalCrossentropy": "shares, labels",
            "Hinge": "yes or no", "SquaredHinge": "any", "CategoricalHinge": "one-hot", "Mean": "any", "Sum": "any",
            "R2Score": "any", "BinaryIoU": YES,
        }.items()
    },
    "binary accuracy of its own": ("BinaryAccuracy", {"threshold": 0.7}, YES),
    "top 2": ("TopKCategoricalAccuracy", {"k": 2}, "one-hot"),
    "top 2 of labels": ("SparseTopKCategoricalAccuracy", {"k": 2}, "pixels, labels"),
    "precision at thresholds": ("Precision", {"thresholds": [0.2, 0.6]}, YES),
    "precision of the top": ("Precision", {"top_k": 2}, YES),
    "precision of a class": ("Precision", {"class_id": 1, "thresholds": 0.3}, YES),
    "recall of the top": ("Recall", {"top_k": 3, "class_id": 2}, YES),
    "true positives": ("TruePositives", {"thresholds": [0.1, 0.9]}, YES),
    "area, PR": ("AUC", {"curve": "PR"}, YES),
    "area, PR, minoring": ("AUC", {"curve": "PR", "summation_method": "minoring"}, YES),
    "area, majoring": ("AUC", {"summation_method": "majoring", "num_thresholds": 11}, YES),
    "area at thresholds": ("AUC", {"thresholds": [0.3, 0.1, 0.8]}, YES),
    "area by label": ("AUC", {"multi_label": True}, YES),
    "area by label, PR": ("AUC", {"multi_label": True, "curve": "PR"}, YES),
    "area of logits": ("AUC", {"from_logits": True}, "yes or no"),
    "f1, micro": ("F1Score", {"average": "micro"}, "one-hot"),
    "f1, macro": ("F1Score", {"average": "macro", "threshold": 0.4}, YES),
    "f2, weighted": ("FBetaScore", {"average": "weighted", "beta": 2.0}, YES),
    "sensitivity": ("SensitivityAtSpecificity", {"specificity": 0.5}, YES),
    "specificity": ("SpecificityAtSensitivity", {"sensitivity": 0.5, "num_thresholds": 40}, YES),
    "precision at recall": ("PrecisionAtRecall", {"recall": 0.6}, YES),
    "recall at precision": ("RecallAtPrecision", {"precision": 0.6}, YES),
    "iou": ("IoU", {"num_classes": 2, "target_class_ids": [1]}, "yes or no, images"),
    "mean iou": ("MeanIoU", {"num_classes": 6, "sparse_y_pred": False}, "pixels, labels, images"),
    "mean iou, ignored": (
        "MeanIoU", {"num_classes": 6, "sparse_y_pred": False, "ignore_class": 2}, "pixels, labels, images"),
    "one-hot iou": ("OneHotIoU", {"num_classes": 6, "target_class_ids": [0, 3]}, "pixels, one-hot, images"),
    "one-hot mean iou": ("OneHotMeanIoU", {"num_classes": 6}, "pixels, one-hot, images"),
    "r2, variance": ("R2Score", {"class_aggregation": "variance_weighted_average"}, "any"),
    "r2, each": ("R2Score", {"class_aggregation": None}, "any"),
    "r2, adjusted": ("R2Score", {"num_regressors": 3}, "any"),
    "crossentropy of logits": (
        "CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "one-hot"),
}  # fmt: skip
CASES["BinaryIoU"] = ("BinaryIoU", {}, f"{YES}, images")

FUNCTIONS = {
    "binary_accuracy": (YES, {"threshold": 0.4}),
    "categorical_accuracy": ("one-hot", {}),
    "sparse_categorical_accuracy": ("labels", {}),
    "top_k_categorical_accuracy": ("one-hot", {"k": 2}),
    "sparse_top_k_categorical_accuracy": ("labels", {"k": 2}),
    "mean_squared_error": ("any", {}),
}


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """What Keras answers to all the cases, from one process."""
    folder = tmp_path_factory.mktemp("keras_metrics")
    (folder / "cases.json").write_text(json.dumps({"metrics": CASES, "functions": FUNCTIONS}))
    settings = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    subprocess.run([sys.executable, peer.__file__, folder], check=True, env=os.environ | settings)
    return json.loads((folder / "answers.json").read_text())


@pytest.mark.parametrize("name", CASES)
def test_results(name, keras):
    cls, settings, kind = CASES[name]
    t, y, weights = peer.data(kind)
    for given, expected in zip((None, weights), keras["results"][name], strict=True):
        metric, half = getattr(metrics, cls)(**settings), len(t) // 2
        for _ in range(2):
            for part in (slice(0, half), slice(half, None)):
                weight = None if given is None or "images" in kind else given[part]
                if cls in ("Mean", "Sum"):
                    metric.update_state(y[part], weight)
                else:
                    metric.update_state(t[part], y[part], weight)
            np.testing.assert_allclose(metric.result(), expected, rtol=2e-5, atol=2e-6)
            metric.reset_state()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, keras):
    kind, settings = FUNCTIONS[name]
    t, y, _ = peer.data(kind)
    function = getattr(metrics, name)
    np.testing.assert_allclose(function(t, y, **settings), keras["functions"][name], rtol=1e-6)
    assert metrics.get(function).name == name
    with pytest.raises(ValueError, match=rf"{name}: y_true must have the shape"):
        function(t[..., :1][:, None], y)


@pytest.mark.parametrize("name", CASES)
def test_configuration(name, keras):
    cls, settings, _ = CASES[name]
    made, theirs = getattr(metrics, cls)(**settings), keras["configs"][name]
    ours = made.get_config()
    numbered = {"name": made.name}  # Keras counts the metrics of a class
    assert theirs["name"].startswith(made.name)
    assert ours == {key: theirs.get(key, ours[key]) for key in ours} | numbered
    assert metrics.get({"class_name": cls, "config": ours}).get_config() == ours
    signature = keras["signatures"][cls]
    assert set(accepted(type(made))) <= set(signature)
    missing = set(signature) - set(accepted(type(made)))
    assert missing <= {
        "dtype",
        "num_labels",
        "label_weights",
        "axis",
        "ignore_class",
        "from_sorted_ids",
    }


DATA = np.random.default_rng(0).random((20, 6), dtype=np.float32)
LABELS = np.arange(20) % 3


def model(loss, metrics=None, activation="softmax", outputs=3, **settings):
    made = models.Sequential(
        [layers.Input((6,)), layers.Dense(4), layers.Dense(outputs, activation=activation)]
    )
    rng = np.random.default_rng(1)
    made.set_weights([rng.standard_normal(w.shape) for w in made.weights])
    made.compile("sgd", loss, metrics=metrics, backend="cpu", **settings)
    return made


def test_in_a_model(tmp_path):
    names = [
        "accuracy",
        "mse",
        "auc",
        metrics.Precision(),
        metrics.F1Score("macro"),
        losses.poisson,
    ]
    made = model("categorical_crossentropy", names, weighted_metrics=[metrics.Recall(), "mae"])
    onehot, weights = np.eye(3, dtype=np.float32)[LABELS], np.linspace(0, 2, 20)
    found = made.evaluate(DATA, onehot, 8, verbose=0, sample_weight=weights, return_dict=True)
    p = made.predict(DATA, verbose=0)
    for metric in (metrics.Precision(), metrics.F1Score("macro"), metrics.AUC(), metrics.Poisson()):
        metric.update_state(onehot, p)
        assert found[metric.name] == pytest.approx(metric.result(), rel=1e-5), metric.name
    for metric, name in ((metrics.Recall(), "recall"), (metrics.MeanAbsoluteError(), "mae")):
        metric.update_state(onehot, p, weights)
        assert found[name] == pytest.approx(metric.result(), rel=1e-5), name
    history = made.fit(DATA, onehot, epochs=2, verbose=0, validation_split=0.25).history
    assert {"auc", "val_precision", "val_recall", "val_mse"} <= set(history)
    made.save(tmp_path / "m.keras")
    loaded = models.load_model(tmp_path / "m.keras", backend="cpu")
    again = loaded.evaluate(DATA, onehot, verbose=0, return_dict=True)
    assert again == pytest.approx(made.evaluate(DATA, onehot, verbose=0, return_dict=True))


def test_a_label_that_is_ignored():
    labels = np.where(LABELS == 2, 255, LABELS)
    made = model(losses.SparseCategoricalCrossentropy(ignore_class=255), ["accuracy"])
    _, accuracy = made.evaluate(DATA, labels, verbose=0)
    right = made.predict(DATA, verbose=0).argmax(-1) == labels
    assert accuracy == pytest.approx(right.mean())


def test_other_arguments_of_compile():
    plain = {
        "run_eagerly": True,
        "jit_compile": False,
        "steps_per_execution": 4,
        "auto_scale_loss": False,
    }
    made = model("sparse_categorical_crossentropy", ["accuracy"], **plain)
    assert made.fit(DATA, LABELS, verbose=0).history["accuracy"]
    for name, wrong in (("run_eagerly", 3), ("jit_compile", "yes"), ("steps_per_execution", 0)):
        with pytest.raises(ValueError, match=f"compile: {name} must .* Received: {wrong!r}"):
            model("mse", **{name: wrong})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.get("presision"), r"did you mean 'precision'"),
        (lambda: metrics.Precision(thresholds=2), "thresholds must be a number from 0 to 1, or a"),
        (lambda: metrics.AUC(curve="PRGAIN"), "curve must be one of 'ROC', 'PR'"),
        (
            lambda: metrics.IoU(2, [2]),
            r"target_class_ids must be below num_classes=2. Received: \[2\]",
        ),
        (
            lambda: metrics.Precision(class_id=9).update_state(DATA, DATA),
            "class_id must be below 6",
        ),
        (
            lambda: metrics.MeanSquaredError().update_state(DATA, DATA[:3]),
            "y_true must have the shape",
        ),
        (lambda: metrics.Mean().update_state(["a"]), "mean: values must be finite real numbers"),
        (lambda: metrics.F1Score().update_state(DATA[0], DATA[0]), "y_pred must be rows"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
