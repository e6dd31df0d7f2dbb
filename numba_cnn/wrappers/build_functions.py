"""The estimators of Keras 1 and 2, around a function that builds a compiled model; scikit_learn.py gives them out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from numba_cnn import nearest
from numba_cnn.models import Sequential
from numba_cnn.utils import to_categorical


class _OfFunction(BaseEstimator):  # type: ignore[misc]
    """build_fn returns a compiled model; without one, the method __call__ of a class of the user's own does.

    sk_params    arguments of build_fn, and of the model's fit, predict and evaluate, each for those that take it

    Raises ValueError for one that none of them takes.
    """

    def __init__(self, build_fn: Callable[..., Any] | None = None, **sk_params: Any) -> None:
        self.build_fn, self.sk_params = build_fn, sk_params
        self._check(sk_params)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """build_fn and all that was given with it."""
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> Self:
        """Give some of them other values."""
        self.build_fn = params.pop("build_fn", self.build_fn)
        self._check(params)
        self.sk_params = {**self.sk_params, **params}
        return self

    def fit(self, x: Any, y: Any, **settings: Any) -> Any:
        """Build a model and train it; its history. settings are those of the model's fit(), and count more."""
        built = self._builder()(**self._for(self._builder()))
        fit = getattr(built, "fit", None)
        if not callable(fit):
            raise TypeError(
                f"{type(self).__name__}: build_fn must return a compiled model. Received: {nearest.shown(built)}"
            )
        self.model = built
        return fit(x, self._fitting(y), **{**self._for(Sequential.fit), **settings})

    def _builder(self) -> Callable[..., Any]:
        built: Any = self if self.build_fn is None else self.build_fn
        if not callable(built):
            raise TypeError(
                f"{type(self).__name__}: build_fn must be a function that returns a compiled model. "
                f"Received: {nearest.shown(self.build_fn)}"
            )
        return built.__call__ if not inspect.isroutine(built) else built

    def _for(self, function: Callable[..., Any]) -> dict[str, Any]:
        """Those of the parameters that a function takes."""
        return {name: value for name, value in self.sk_params.items() if _takes(function, name)}

    def _check(self, params: dict[str, Any]) -> None:
        functions = (self._builder(), Sequential.fit, Sequential.predict, Sequential.evaluate)
        for name, value in params.items():
            if not any(_takes(function, name) for function in functions):
                raise ValueError(
                    f"{type(self).__name__}: {name} is not a legal parameter: neither build_fn nor fit, predict or "
                    f"evaluate takes it. Received: {name}={nearest.shown(value)}"
                )

    def _fitting(self, y: Any) -> Any:
        """The targets, one-hot where the loss asks for that."""
        loss = getattr(self.model.loss, "name", None) or getattr(
            self.model.loss, "__name__", self.model.loss
        )
        is_column = np.ndim(y) == 1 or np.shape(y)[1] == 1
        return to_categorical(y) if loss == "categorical_crossentropy" and is_column else y

    def _predicted(self, x: Any, settings: dict[str, Any]) -> Any:
        return self.model.predict(x, **{**self._for(Sequential.predict), **settings})

    def _evaluated(self, x: Any, y: Any, settings: dict[str, Any]) -> dict[str, float]:
        given = {**self._for(Sequential.evaluate), **settings}
        found: dict[str, float] = self.model.evaluate(
            x, self._fitting(y), return_dict=True, **given
        )
        return found


class KerasClassifier(ClassifierMixin, _OfFunction):  # type: ignore[misc]
    """A classifier of scikit-learn around a function that builds a compiled model, as Keras 1 and 2 had it."""

    def fit(self, x: Any, y: Any, **settings: Any) -> Any:
        """Train on labels (N,) or (N, 1) of any kind, or on one-hot targets (N, K); the model's history."""
        y = np.array(y)
        if y.ndim not in (1, 2):
            raise ValueError(
                "KerasClassifier: y must be labels (N,) or one-hot targets (N, K). "
                f"Received: an array of shape {y.shape}"
            )
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        self.n_classes_ = len(self.classes_)
        return super().fit(x, y, **settings)

    def predict(self, x: Any, **settings: Any) -> Any:
        """The label of each sample."""
        outputs = self._predicted(x, settings)
        if outputs.shape[-1] > 1:
            return self.classes_[outputs.argmax(-1)]
        return self.classes_[(outputs > 0.5).astype(int)]

    def predict_proba(self, x: Any, **settings: Any) -> Any:
        """The probability of each class, (N, K); K is 2 for a model of one sigmoid."""
        outputs = self._predicted(x, settings)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def score(self, x: Any, y: Any, **settings: Any) -> float:
        """The accuracy; ValueError where the model was compiled without it."""
        logs = self._evaluated(x, np.searchsorted(self.classes_, y), settings)
        for name in ("accuracy", "acc"):
            if name in logs:
                return float(logs[name])
        raise ValueError(
            'KerasClassifier: score needs the accuracy; pass metrics=["accuracy"] to compile. '
            f"Received: {', '.join(logs)}"
        )


class KerasRegressor(RegressorMixin, _OfFunction):  # type: ignore[misc]
    """A regressor of scikit-learn around a function that builds a compiled model, as Keras 1 and 2 had it."""

    def predict(self, x: Any, **settings: Any) -> Any:
        """What the model gives, (N,)."""
        return np.squeeze(self._predicted(x, settings), axis=-1)

    def score(self, x: Any, y: Any, **settings: Any) -> float:
        """Minus the loss."""
        return -float(self._evaluated(x, y, settings)["loss"])


def _takes(function: Callable[..., Any], name: str) -> bool:
    is_old = name == "nb_epoch" and function is Sequential.fit
    return is_old or name in inspect.signature(function).parameters
