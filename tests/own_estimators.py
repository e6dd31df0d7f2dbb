"""Estimators of scikit-learn around models, in either library's words, and what they give."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

RNG = np.random.default_rng(4)
X = RNG.standard_normal((60, 4)).astype(np.float32)
NAMES = np.array(["cat", "dog", "owl"])[np.abs(X[:, :3]).argmax(1)]
HEIGHTS = (X @ [1, -2, 0.5, 0]).astype(np.float32)
FIT = {"epochs": 3, "batch_size": 10, "shuffle": False, "verbose": 0}


def network(keras, units, loss, activation=None, rate=0.1):
    """A compiled model whose new weights are the same each time."""
    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(units, activation, kernel_initializer="identity"),
        ]
    )
    model.compile(keras.optimizers.SGD(rate), loss, run_eagerly=True)
    return model


def classifiers(keras):
    wrap = keras.wrappers.SKLearnClassifier
    shapes = []

    def made(X, y, rate=0.1):
        shapes.append([*X.shape, *y.shape])
        return network(keras, y.shape[1], "categorical_crossentropy", "softmax", rate)

    of_function = wrap(made, fit_kwargs=FIT).fit(X, NAMES)
    of_model = wrap(network(keras, 3, "categorical_crossentropy", "softmax"))
    of_model.fit(X, NAMES, **FIT)
    searched = GridSearchCV(wrap(made), {"model_kwargs": [{"rate": 0.001}, {"rate": 0.3}]}, cv=2)
    searched.fit(X, NAMES, **FIT)
    return {
        "shapes": shapes[0],
        "predicted": of_function.predict(X).tolist(),
        "classes": of_function.classes_.tolist(),
        "outputs": of_function.decision_function(X).tolist(),
        "outputs of a clone": of_model.decision_function(X).tolist(),
        "the given model's": of_model.model.predict(X, verbose=0).tolist(),
        "score": of_model.score(X, NAMES),
        "folds": cross_val_score(wrap(made), X, NAMES, cv=3, params=FIT).tolist(),
        "best": searched.best_params_["model_kwargs"],
        "grid": searched.cv_results_["mean_test_score"].tolist(),
        "in a pipeline": make_pipeline(StandardScaler(), clone(of_model))
        .fit(X, NAMES, **{f"sklearnclassifier__{key}": value for key, value in FIT.items()}).predict(X).tolist(),
        "parameters": sorted(of_model.get_params(deep=False)),
    }  # fmt: skip


def others(keras):
    regressor = keras.wrappers.SKLearnRegressor(network(keras, 1, "mse")).fit(X, HEIGHTS, **FIT)
    transformer = keras.wrappers.SKLearnTransformer(network(keras, 1, "mse"))
    return {
        "regressor": regressor.predict(X).tolist(),
        "history": regressor.history_.history["loss"],
        "score": regressor.score(X, HEIGHTS),
        "transformer": transformer.fit(X, HEIGHTS, **FIT).transform(X).tolist(),
        "folds": cross_val_score(
            keras.wrappers.SKLearnRegressor(network(keras, 1, "mse")), X, HEIGHTS, cv=3, params=FIT
        ).tolist(),
    }


def refusals(keras):
    """By what kind of error."""
    wrap, model = keras.wrappers.SKLearnClassifier, network(keras, 1, "mse")
    calls = {
        "one class": lambda: wrap(model).fit(X, np.zeros(60), verbose=0),
        "numbers": lambda: wrap(model).fit(X, HEIGHTS, verbose=0),
        "not fitted": lambda: wrap(model).predict(X),
        "rows": lambda: wrap(model).fit(X, NAMES[:3]),
    }
    found = {}
    for name, call in calls.items():
        try:
            call()
        except Exception as error:
            found[name] = type(error).__name__
    return found


CASES = {"classifiers": classifiers, "other estimators": others, "refusals of estimators": refusals}
