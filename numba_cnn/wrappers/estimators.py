"""Estimators of scikit-learn whose fit trains a model, as Keras 3 has them.

Beside Keras's: X may have any rank, images too; warm_start does what Keras's documentation says of it; clones keep
fit_kwargs.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from numba_cnn import nearest
from numba_cnn.models import Model, Sequential, clone_model


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What all three have: the constructor keeps what it is given, as scikit-learn wants it, and fit checks it.

    model           a compiled model, of which fit trains a clone with new weights, or a function
                    f(X=, y=, **model_kwargs) that returns one
    warm_start      whether fit goes on with the weights of the fit before, and trains the given model itself
    model_kwargs    further arguments of the function
    fit_kwargs      arguments of the model's fit(); those that the estimator's fit() is given count more

    After fit, model_ is the trained model, history_ what its fit() returned.
    """

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.model, self.warm_start = model, warm_start
        self.model_kwargs, self.fit_kwargs = model_kwargs, fit_kwargs

    def fit(self, X: Any, y: Any, **settings: Any) -> Self:
        """Train on X (N, ...) and a target y for each; settings are those of the model's fit().

        Raises ValueError for a model that is not compiled, TypeError where there is none.
        """
        X, y = validate_data(self, X, y, allow_nd=True)
        type_of_target(y, raise_unknown=True)
        targets = self._targets(y)
        model = self._chosen(X, targets)
        self.history_ = model.fit(X, targets, **{**(self.fit_kwargs or {}), **settings})
        self.model_ = model
        return self

    def _targets(self, y: Any) -> Any:
        """What the model learns: a column."""
        return y.reshape(-1, 1)

    def _outputs(self, X: Any) -> Any:
        """What the trained model gives for X."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, allow_nd=True)
        return self.model_.predict(X)

    def _chosen(self, X: Any, y: Any) -> Any:
        """The model to train."""
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        model = self.model
        if isinstance(model, Model | Sequential):
            return model if self.warm_start else clone_model(model)
        if callable(model):
            model = model(X=X, y=y, **(self.model_kwargs or {}))
        if not isinstance(model, Model | Sequential):
            raise TypeError(
                f"{type(self).__name__}: model must be a compiled model or a function that returns one. "
                f"Received: {nearest.shown(model)}"
            )
        return model

    def __sklearn_clone__(self) -> Self:
        parameters = self.get_params(deep=False)
        if isinstance(self.model, Model | Sequential):
            parameters["model"] = copy.deepcopy(self.model)
        return type(self)(**parameters)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        for known in (tags.classifier_tags, tags.regressor_tags):
            if known is not None:
                known.poor_score = True
        return tags


class SKLearnClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A classifier of scikit-learn around a model that gives a number for each of the K classes.

    The model learns targets (N, K), one 1 in each row; classes_ are the labels, of any kind.
    """

    __doc__ += "\n".join(_Estimator.__doc__.splitlines()[1:])  # type: ignore[union-attr]

    def predict(self, X: Any) -> Any:
        """The labels (N,) of the largest outputs."""
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(1)]

    def decision_function(self, X: Any) -> Any:
        """What the model gives, (N, K)."""
        return self._outputs(X)

    def _targets(self, y: Any) -> Any:
        kind = type_of_target(y)
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"SKLearnClassifier: Only binary and multiclass targets are supported. Received: {kind}"
            )
        self.classes_ = np.unique(y)
        if len(self.classes_) == 1:
            raise ValueError(
                "SKLearnClassifier: y must have more than one class. "
                f"Received: {nearest.shown(self.classes_[0])} alone"
            )
        return (y[:, None] == self.classes_).astype(np.float64)


class SKLearnRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A regressor of scikit-learn around a model of one output."""

    __doc__ += "\n".join(_Estimator.__doc__.splitlines()[1:])  # type: ignore[union-attr]

    def predict(self, X: Any) -> Any:
        """What the model gives, (N,)."""
        return np.squeeze(self._outputs(X), axis=1)


class SKLearnTransformer(TransformerMixin, _Estimator):  # type: ignore[misc]
    """A transformer of scikit-learn: what a model makes of X."""

    __doc__ += "\n".join(_Estimator.__doc__.splitlines()[1:])  # type: ignore[union-attr]

    def transform(self, X: Any) -> Any:
        """What the model gives."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
