"""Inputs brought to mean 0 and variance 1, by statistics of the data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any, ClassVar

import numpy as np

from numba_cnn import initializers, nearest, ops, shapes
from numba_cnn.layers.axes import of_shape, turns
from numba_cnn.layers.layer import Backward, InputShape, Layer, with_batch
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter
from numba_cnn.settings import Settings, axes, flag
from numba_cnn.shapes import Shape

_EPSILON = 1e-14  # of variances: the deviation counts as 1e-7 at least


def _kept(owner: str, name: str, value: Any) -> tuple[int, ...]:
    """The axes that have statistics of their own; none for None."""
    none = value is None or (isinstance(value, list | tuple) and not value)
    found = [] if none else axes(owner, name, value)
    return tuple(found) if isinstance(found, list) else (found,)


class Normalization(Layer):
    """(x - mean) / sqrt(variance), or with invert x * sqrt(variance) + mean.

    axis               which axes have means and variances of their own: an integer, several, or None for one in all
    mean, variance     numbers, or arrays of those axes' extents; or both None: adapt(data) finds them

    Where they are not given, weights are mean, variance and count.
    """

    shows_unbuilt = True
    _settings: ClassVar[Settings] = {"axis": _kept, "invert": flag}

    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.axis, self.invert = axis, invert
        if (mean is None) != (variance is None):
            raise ValueError(
                f"{self.name}: mean and variance must be given both, or neither. "
                f"Received: mean {nearest.shown(mean)}, variance {nearest.shown(variance)}"
            )
        self._given_mean = None if mean is None else _numbers(self.name, "mean", mean)
        self._given_variance = (
            None if variance is None else _numbers(self.name, "variance", variance, 0)
        )
        if np.shape(mean) != np.shape(variance):
            raise ValueError(
                f"{self.name}: mean and variance must have one shape. "
                f"Received: mean {np.shape(mean)}, variance {np.shape(variance)}"
            )
        self.mean: Parameter
        self.variance: Parameter
        self._constants: list[Parameter] = []

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        self._extents(input_shape)
        return super().compute_output_shape(input_shape)

    def _extents(self, input_shape: InputShape) -> Shape:
        """Those of the axes that have statistics of their own."""
        input_shape = shapes.with_batch(self.name, input_shape)
        along = of_shape(self.name, self.axis, input_shape)
        known = tuple(n for n in (input_shape[axis] for axis in along) if n is not None)
        if len(known) < len(along):
            raise ValueError(
                f"{self.name}: the extents along axis must be known. "
                f"Received: axis {self.axis} for inputs {input_shape}"
            )
        return known

    def _make_parameters(self, input_shape: InputShape) -> None:
        shape = self._extents(input_shape)
        ones, zeros = initializers.get("ones"), initializers.get("zeros")
        self._constants = [
            Parameter(word, f"{self.name}/{word}", (math.prod(shape),), value, trainable=False)
            for word, value in (("ones", ones), ("zeros", zeros))
        ]
        if self._given_mean is None:
            self.mean = self._add_parameter("mean", shape, zeros, trainable=False)
            self.variance = self._add_parameter("variance", shape, ones, trainable=False)
            count = self._add_parameter("count", (), _no_count, trainable=False)  # type: ignore[arg-type]
            assert count.value == 0  # drawn, which tells its dtype
            return
        for word, given in (("mean", self._given_mean), ("variance", self._given_variance)):
            made = Parameter(
                word,
                f"{self.name}/{word}",
                shape,
                partial(_spread, self.name, word, np.asarray(given)),
                False,
            )
            made.value = made.value
            setattr(self, word, made)
            self._constants.append(made)

    @property
    def states(self) -> list[Parameter]:
        return self._constants

    def adapt(self, data: Any) -> None:
        """Take mean and variance from data: an array, or batches of one, each alone or first of a tuple."""
        if self._given_mean is not None:
            raise ValueError(
                f"{self.name}: adapt is for layers that were not given mean and variance. "
                f"Received: mean {nearest.shown(self._given_mean)}"
            )
        batches = self._batches_of(data)
        first = next(batches, None)
        if first is None:
            raise ValueError(f"{self.name}: data must have at least one batch. Received: none")
        self.build(with_batch(first.shape[1:]))
        count, mean, squares = 0, np.zeros(self.mean.shape), np.zeros(self.mean.shape)
        for batch in chain([first], batches):
            self._extents_fit(batch)
            along = of_shape(self.name, self.axis, batch.shape)
            rest = tuple(axis for axis in range(batch.ndim) if axis not in along)
            n = math.prod(batch.shape[axis] for axis in rest)
            wide = batch.astype(np.float64)
            shift = wide.mean(rest) - mean
            squares += wide.var(rest) * n + shift**2 * count * n / (count + n)
            mean, count = mean + shift * n / (count + n), count + n
        self.mean.assign(mean)
        self.variance.assign(squares / count)

    def _batches_of(self, data: Any) -> Iterator[np.ndarray]:
        if isinstance(data, np.ndarray):
            data = [data]
        if not isinstance(data, Iterable) or isinstance(data, str | bytes | dict):
            raise TypeError(
                f"{self.name}: data must be an array or an iterable of batches. Received: {nearest.shown(data)}"
            )
        for batch in data:
            one = _numbers(self.name, "data", batch[0] if isinstance(batch, tuple) else batch)
            if one.ndim < 1 or not one.size:
                raise ValueError(
                    f"{self.name}: data must be batches of samples. Received: an array of shape {one.shape}"
                )
            yield one

    def _extents_fit(self, batch: np.ndarray) -> None:
        found = self._extents(with_batch(batch.shape[1:]))
        if found != self.mean.shape:
            raise ValueError(
                f"{self.name}: data must have the extents {self.mean.shape} along axis {self.axis}. "
                f"Received: a batch of shape {batch.shape}"
            )

    def forward(self, x: Array) -> tuple[Array, Backward]:
        along = of_shape(self.name, self.axis, x.shape)
        there, back = turns(len(x.shape), along)
        turned = there(x)
        ones, zeros = (constant.value for constant in self._constants[:2])
        mean, variance = (p.value.reshape(ones.shape) for p in (self.mean, self.variance))
        scale, shift, centre = (variance, mean, zeros) if self.invert else (ones, zeros, mean)
        rows = turned.reshape(-1, *ones.shape)
        y = ops.batch_norm_inference(rows, scale, shift, centre, variance, _EPSILON)

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            if not need_dx:
                return None
            drows = there(dy).reshape(rows.shape)
            dx, _, _ = ops.batch_norm_inference_backward(
                drows, rows, scale, centre, variance, _EPSILON
            )
            return back(dx.reshape(turned.shape))

        return back(y.reshape(turned.shape)), backward

    def get_config(self) -> dict[str, Any]:
        mean, variance = self._given_mean, self._given_variance
        return {
            **super().get_config(),
            "axis": list(self.axis),
            "invert": self.invert,
            "mean": None if mean is None else mean.tolist(),
            "variance": None if variance is None else variance.tolist(),
        }


def _no_count(shape: Shape) -> np.ndarray:
    return np.zeros(shape, np.int32)


def _spread(name: str, word: str, given: np.ndarray, shape: Shape) -> np.ndarray:
    """The given numbers for all of the axes that have their own."""
    try:
        return np.array(np.broadcast_to(given, shape), np.float32)
    except ValueError:
        raise ValueError(
            f"{name}: {word} must be a number, or of the extents {shape} along axis. "
            f"Received: {nearest.shown(given)}"
        ) from None


def _numbers(name: str, word: str, value: Any, least: float = -math.inf) -> np.ndarray:
    """The value as an array of finite numbers."""
    try:
        found = np.asarray(value)
    except (TypeError, ValueError):
        found = np.asarray(None)
    if found.dtype.kind not in "fiub" or not found.size:
        raise ValueError(f"{name}: {word} must be numbers. Received: {nearest.shown(value)}")
    if not np.isfinite(found).all() or (found < least).any():
        bound = "" if least == -math.inf else f" of at least {least:g}"
        raise ValueError(
            f"{name}: {word} must be finite numbers{bound}. Received: {nearest.shown(value)}"
        )
    return found
