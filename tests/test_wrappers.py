"""Models as estimators of scikit-learn: what Keras cannot judge; test_words.py has them beside Keras's."""

import subprocess
import sys

import numpy as np
import own_estimators as own
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.utils.validation import check_is_fitted

import numba_cnn
from numba_cnn import initializers, layers, models, optimizers, wrappers
from numba_cnn.wrappers import SKLearnClassifier, SKLearnRegressor, scikit_learn

with pytest.warns(
    DeprecationWarning, match=r"is wrappers\.SKLearnClassifier\(model=\.\.\.\) today"
):
    from numba_cnn.wrappers.scikit_learn import KerasClassifier
with pytest.warns(DeprecationWarning, match=r"is wrappers\.SKLearnRegressor\(model=\.\.\.\) today"):
    from numba_cnn.wrappers.scikit_learn import KerasRegressor

X, HEIGHTS, FIT = own.X, own.HEIGHTS, own.FIT
NAMES = np.array(["cat", "dog", "owl"])[X[:, :3].argmax(1)]


def network(
    units=3, rate=0.9, loss="categorical_crossentropy", activation="softmax", metrics=("accuracy",)
):
    """A compiled model that begins with the opposite of what is asked of it."""
    wrong = initializers.Identity(-1.0)
    model = models.Sequential(
        [layers.Input((4,)), layers.Dense(units, activation, kernel_initializer=wrong)]
    )
    model.compile(optimizers.SGD(rate), loss, metrics=list(metrics))
    return model


def regression():
    return network(1, 0.1, "mse", None, ())


def test_images_of_any_rank():
    def made(X, y):
        model = models.Sequential(
            [
                layers.Input(X.shape[1:]),
                layers.Conv2D(2, 3),
                layers.Flatten(),
                layers.Dense(2, "softmax"),
            ]
        )
        model.compile(optimizers.SGD(0.1), "categorical_crossentropy")
        return model

    dark = np.random.default_rng(0).random((20, 5, 5, 1), np.float32)
    x = np.concatenate([dark, dark + 3])
    y = np.repeat([7, 9], 20)
    found = SKLearnClassifier(made, fit_kwargs={"epochs": 20, "verbose": 0}).fit(x, y)
    assert found.score(x, y) == 1
    assert found.predict(x[:1]).tolist() == [7]


def test_clones_keep_fit_kwargs_and_share_no_model():
    one = SKLearnClassifier(network(), fit_kwargs=FIT)
    other = clone(one)
    assert other.fit_kwargs == FIT
    assert other.model is not one.model
    other.fit(X, NAMES)
    assert len(other.history_.history["loss"]) == FIT["epochs"]
    with pytest.raises(ValueError, match="not fitted"):
        check_is_fitted(one)


def test_warm_start_goes_on_with_the_same_weights():
    cold, warm = (SKLearnRegressor(regression(), warm, fit_kwargs=FIT) for warm in (False, True))
    losses = {}
    for one in (cold, warm):
        losses[one] = [one.fit(X, HEIGHTS).history_.history["loss"][0] for _ in range(2)]
    assert losses[cold][0] == losses[cold][1] == losses[warm][0] > losses[warm][1]
    assert warm.model_ is warm.model
    assert cold.model_ is not cold.model


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (
            3,
            TypeError,
            r"SKLearnRegressor: model must be a compiled model or a function .*Received: 3",
        ),
        (lambda X, y: None, TypeError, "model must be a compiled model.*Received: None"),
        (models.Sequential([layers.Input((4,)), layers.Dense(1)]), ValueError, "fit: call compile"),
    ],
)
def test_what_is_no_compiled_model(model, error, message):
    with pytest.raises(error, match=message):
        SKLearnRegressor(model).fit(X, HEIGHTS)


def test_without_scikit_learn_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['sklearn'] = None; import numba_cnn\n"
        "for ask in (lambda: numba_cnn.wrappers.SKLearnClassifier,\n"
        "            lambda: __import__('numba_cnn.wrappers.scikit_learn', fromlist=['a']).KerasClassifier):\n"
        "    try: ask()\n"
        "    except ImportError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = said.stdout.splitlines()
    assert len(lines) == 2
    assert all(
        'takes the extra "sklearn": pip install "numba-cnn[sklearn]"' in line for line in lines
    )


def test_importing_wrappers_imports_no_scikit_learn():
    code = "import sys, numba_cnn.wrappers.scikit_learn; print('sklearn' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False"]


def test_names():
    assert dir(wrappers) == wrappers.__all__
    with pytest.raises(AttributeError, match=r"did you mean 'SKLearnClassifier'"):
        wrappers.SKLearnClasifier  # noqa: B018
    with pytest.raises(AttributeError, match=r"did you mean 'KerasRegressor'"):
        scikit_learn.KerasRegresor  # noqa: B018
    assert numba_cnn.wrappers is wrappers


# The wrappers of Keras 1 and 2.


def test_a_classifier_of_a_function():
    one = KerasClassifier(build_fn=network, epochs=20, batch_size=10, verbose=0, shuffle=False)
    history = one.fit(X, NAMES)
    assert len(history.history["loss"]) == 20
    assert one.classes_.tolist() == ["cat", "dog", "owl"]
    assert one.n_classes_ == 3
    right = one.predict(X) == NAMES
    assert one.score(X, NAMES) == pytest.approx(right.mean(), abs=1e-6)
    assert right.mean() > 0.6
    shares = one.predict_proba(X)
    np.testing.assert_array_equal(shares, one.model.predict(X, verbose=0))
    assert (
        one.fit(X, np.eye(3)[np.searchsorted(one.classes_, NAMES)]).history["loss"]
        == history.history["loss"]
    )
    assert one.classes_.tolist() == [0, 1, 2]


def test_a_classifier_of_one_sigmoid():
    def made():
        return network(1, 0.5, "binary_crossentropy", "sigmoid")

    is_cat = NAMES == "cat"
    one = KerasClassifier(made, epochs=2, verbose=0)
    one.fit(X, is_cat)
    shares = one.predict_proba(X)
    assert shares.shape == (60, 2)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-6)
    np.testing.assert_array_equal(one.predict(X)[:, 0], shares[:, 1] > 0.5)


def test_cross_validation_and_grid_search_take_them():
    one = KerasClassifier(network, epochs=20, verbose=0)
    assert is_classifier(one)
    assert is_regressor(KerasRegressor(regression))
    scores = cross_val_score(one, X, NAMES, cv=3)
    assert scores.shape == (3,)
    assert scores.mean() > 0.5
    assert set(cross_val_predict(one, X, NAMES, cv=3)) <= set(NAMES)
    grid = GridSearchCV(one, {"rate": [1e-6, 0.9], "epochs": [1, 20]}, cv=2).fit(X, NAMES)
    assert grid.best_params_ == {"rate": 0.9, "epochs": 20}
    assert grid.best_estimator_.sk_params["epochs"] == 20
    assert one.sk_params == {"epochs": 20, "verbose": 0}


def test_a_regressor_of_a_function():
    one = KerasRegressor(regression, epochs=10, verbose=0)
    one.fit(X, HEIGHTS)
    assert one.predict(X).shape == (60,)
    assert one.score(X, HEIGHTS) == pytest.approx(
        -((one.predict(X) - HEIGHTS) ** 2).mean(), rel=1e-4
    )
    assert cross_val_score(one, X, HEIGHTS, cv=2).shape == (2,)


def test_where_arguments_go():
    given = []

    def made(units=1):
        model = network(units, 0.1, "mse", None, ())
        fit = model.fit
        model.fit = lambda x, y, **settings: (given.append(settings), fit(x, y, **settings))[1]
        return model

    one = KerasRegressor(made, units=1, epochs=3, batch_size=7, verbose=0)
    one.fit(X, HEIGHTS, epochs=1)
    assert given == [{"epochs": 1, "batch_size": 7, "verbose": 0}]
    assert one.get_params() == {
        "units": 1,
        "epochs": 3,
        "batch_size": 7,
        "verbose": 0,
        "build_fn": made,
    }
    assert one.set_params(epochs=5) is one
    assert one.get_params()["epochs"] == 5
    with pytest.warns(DeprecationWarning, match="nb_epoch= is epochs= today"):
        KerasRegressor(made, nb_epoch=1, verbose=0).fit(X, HEIGHTS)


def test_a_class_whose_call_builds_the_model():
    class Mine(KerasRegressor):
        def __call__(self, rate=0.1):
            return network(1, rate, "mse", None, ())

    one = Mine(rate=0.2, verbose=0)
    one.fit(X, HEIGHTS)
    assert one.model.optimizer.learning_rate == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: KerasClassifier(network, colour=3), ValueError, "colour is not a legal parameter.*colour=3"),
        (lambda: KerasClassifier(network).set_params(colour=3), ValueError, "colour is not a legal"),
        (lambda: KerasClassifier(3, epochs=1), TypeError, "build_fn must be a function.*Received: 3"),
        (lambda: KerasRegressor(lambda: None).fit(X, HEIGHTS), TypeError, "must return a compiled model"),
        (lambda: KerasClassifier(network).fit(X, np.zeros((60, 2, 2))), ValueError, r"y must be labels.*\(60, 2, 2\)"),
    ],
)  # fmt: skip
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_score_needs_the_accuracy():
    one = KerasClassifier(lambda: network(metrics=()), verbose=0)
    one.fit(X, NAMES)
    with pytest.raises(ValueError, match=r'pass metrics=\["accuracy"\] to compile. Received: loss'):
        one.score(X, NAMES)
