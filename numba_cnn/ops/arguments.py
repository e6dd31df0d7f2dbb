"""What the functions of this package accept.

Each check gives back what kernels take, or raises an error that names the function, `op`, and says what
it received.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np

from numba_cnn import backends, nearest, shapes
from numba_cnn.backends.rows import argmax_dtype as argmax_dtype
from numba_cnn.backends.scalars import SETTINGS
from numba_cnn.shapes import Shape

Array = Any  # a NumPy array or a device array; both have shape and dtype

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_LARGEST = float(np.finfo(np.float32).max)
INT32 = np.dtype(np.int32)


def class_labels(op: str, labels: Array, classes: int) -> Array:
    """Integer labels as the kernels take them; on the host as int32, known to be classes.

    Raises ValueError for a label that is not in 0..classes - 1, TypeError for labels that are no integers.
    """
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{op}: labels must be integers. Received: {labels.dtype}")
    if not isinstance(labels, np.ndarray):
        return labels
    low, high = labels.min(), labels.max()
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise ValueError(
            f"{op}: labels must lie in 0..{classes - 1} for {classes} classes. Received: label {wrong}"
        )
    return labels.astype(np.int32, copy=False)


def arrays(op: str, *optional: str, **arrays: Array | None) -> tuple[Any, list[Array | None]]:
    """The backend that holds all the arrays, and the arrays as its kernels take them; the optional may be None."""
    given(op, *optional, **arrays)
    backend = backends.of(op, **arrays)
    taken = {name: None if a is None else backend.asarray(a) for name, a in arrays.items()}
    dtypes = {name: array.dtype for name, array in taken.items() if array is not None}
    if len(set(dtypes.values())) > 1 or not set(dtypes.values()) <= set(_FLOATS):
        received = ", ".join(f"{name} {dtype}" for name, dtype in dtypes.items())
        raise TypeError(
            f"{op}: the arrays must all be float32 or all float64. Received: {received}"
        )
    return backend, list(taken.values())


def given(op: str, *optional: str, **arrays: Array | None) -> None:
    """Raise a TypeError for the first array that is None, but for the optional ones."""
    for name, array in arrays.items():
        if array is None and name not in optional:
            raise TypeError(f"{op}: {name} must be an array. Received: None")


def argmax(op: str, backend: Any, argmax: Array, g: shapes.Pool2D, dy: Array) -> Array:
    """The argmax as kernels take it, known to belong to the pooling and to live where dy does."""
    given(op, argmax=argmax)
    if backends.of(op, argmax=argmax) is not backend:
        backends.of(op, dy=dy, argmax=argmax)  # says which is where
    argmax = backend.asarray(argmax)
    shapes.same(op, "argmax", argmax.shape, g.y)
    if argmax.dtype != argmax_dtype(g):
        raise TypeError(
            f"{op}: argmax must be {argmax_dtype(g)}, as max pooling returns it. Received: {argmax.dtype}"
        )
    return argmax


def number(
    op: str,
    name: str,
    value: Any,
    least: float = -math.inf,
    below: float = math.inf,
    most: float = _LARGEST,
) -> float:
    """A number that float32 holds, of at least `least`, less than `below` and at most `most`, as a float."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not (-_LARGEST <= value <= most and least <= value < below):
        bounds = "" if least == -math.inf else f" of at least {least:g}"
        bounds += "" if below == math.inf else f" and less than {below:g}"
        bounds += "" if most == _LARGEST else f" and at most {most:g}"
        raise ValueError(f"{op}: {name} must be a finite number{bounds}. Received: {value!r:.80}")
    return float(value)


def rows(op: str, x: Array, name: str = "x") -> Shape:
    """(rows, C): the shape of an array of any rank as rows along its last axis, of which there is one at least."""
    shape = tuple(x.shape)
    if not shape or min(shape) < 1:
        raise ValueError(
            f"{op}: {name} must have at least one axis, and no empty one. Received: {shape}"
        )
    return math.prod(shape[:-1]), shape[-1]


def counters(op: str, backend: Any, x: Array, name: str, array: Array, shape: Shape) -> Array:
    """An int64 array of that shape that lives where x does, itself and no copy."""
    given(op, **{name: array})
    if backends.of(op, **{name: array}) is not backend:
        backends.of(op, x=x, **{name: array})  # says which is where
    if array.dtype != np.int64:
        raise TypeError(f"{op}: {name} must be int64. Received: {array.dtype}")
    shapes.same(op, name, array.shape, shape)
    taken = backend.asarray(array)
    in_place(op, name, array, taken)
    return taken


def in_place(op: str, name: str, array: Array, taken: Array) -> None:
    """ValueError where what kernels take is a copy of an array that they change."""
    if isinstance(array, np.ndarray) and taken is not array:
        raise ValueError(
            f"{op}: {name} must be C-contiguous and writeable: it is changed in place. Received: a view or a "
            "read-only array"
        )


def generator(op: str, backend: Any, x: Array, generator: Array) -> Array:
    """The generator [seed, counter] of counted random numbers, or [seed, counter, first sample]."""
    shape = (3,) if getattr(generator, "shape", None) == (3,) else (2,)
    return counters(op, backend, x, "generator", generator, shape)


def places(op: str, backend: Any, dy: Array, argmax: Array, shape: Shape) -> Array:
    """Places of maxima as int32, as global max pooling returns them, where dy lives."""
    given(op, argmax=argmax)
    if backends.of(op, argmax=argmax) is not backend:
        backends.of(op, dy=dy, argmax=argmax)  # says which is where
    if argmax.dtype != INT32:
        raise TypeError(
            f"{op}: argmax must be int32, as max pooling returns it. Received: {argmax.dtype}"
        )
    shapes.same(op, "argmax", argmax.shape, shape)
    return backend.asarray(argmax)


def bias(op: str, bias: Array | None, F: int) -> None:
    if bias is not None:
        shapes.same(op, "bias", bias.shape, (F,))


def has_relu(op: str, activation: str | None) -> bool:
    if activation is None:
        return False
    if not isinstance(activation, str) or activation != "relu":
        raise ValueError(f'{op}: activation must be None or "relu". Received: {activation!r:.80}')
    return True


def activation(op: str, name: str, settings: dict[str, Any]) -> tuple[str, float, float, float]:
    """The name of an activation's kernels and their constants: its settings in their order, and zeros."""
    if not isinstance(name, str) or name not in SETTINGS:
        meant = nearest.hint(name, SETTINGS, "activations")
        known = ", ".join(SETTINGS)
        raise ValueError(f"{op}: name must be one of {known}{meant}. Received: {name!r:.80}")
    nearest.check_keywords(f"{op} of {name}", settings, SETTINGS[name])
    values = [_setting(op, key, settings.get(key, value)) for key, value in SETTINGS[name].items()]
    a, b, c = (*values, 0.0, 0.0, 0.0)[:3]
    return "gelu_tanh" if name == "gelu" and a else name, a, b, c


def _setting(op: str, key: str, value: object) -> float:
    if key == "approximate":
        if not isinstance(value, bool | int | float) or value not in (0, 1):
            raise ValueError(f"{op}: approximate must be True or False. Received: {value!r:.80}")
        return float(bool(value))
    if key == "max_value" and (value is None or (isinstance(value, float) and value == math.inf)):
        return math.inf
    return number(op, key, value)


def gate(op: str, activation: str | None, y: Array | None, shape: Shape) -> Array | None:
    """The output that gates dy, where the forward pass had a ReLU."""
    if not has_relu(op, activation):
        return None
    if y is None:
        raise ValueError(
            f'{op}: with activation="relu" pass y=, the output of the forward pass. Received: y None'
        )
    shapes.same(op, "y", y.shape, shape)
    return y


def bilinear(op: str, interpolation: str) -> bool:
    """Whether larger images are interpolated."""
    if not isinstance(interpolation, str) or interpolation not in ("nearest", "bilinear"):
        raise ValueError(
            f'{op}: interpolation must be "nearest" or "bilinear". Received: {interpolation!r:.80}'
        )
    return interpolation == "bilinear"


def needs_dx(op: str, need_dx: bool) -> bool:
    if not isinstance(need_dx, bool):
        raise ValueError(f"{op}: need_dx must be True or False. Received: {need_dx!r:.80}")
    return need_dx


def labels(op: str, backend: Any, logits: Array, labels: Array) -> Array:
    """The labels as int32, (rows,), known to be one per row of the logits and, on the host, to be classes."""
    shape = tuple(logits.shape)
    _, classes = rows(op, logits, "logits")
    given(op, labels=labels)
    if backends.of(op, labels=labels) is not backend:
        backends.of(op, logits=logits, labels=labels)
    labels = backend.asarray(labels)
    shapes.same(op, "labels", labels.shape, shape[:-1])
    return class_labels(op, labels.reshape(labels.size), classes)


def weights(op: str, sample_weight: Array | None, outputs: Array) -> Array | None:
    """One weight a row of the outputs, (rows,), or None."""
    if sample_weight is None:
        return None
    shapes.same(op, "sample_weight", sample_weight.shape, tuple(outputs.shape)[:-1])
    return sample_weight.reshape(sample_weight.size)
