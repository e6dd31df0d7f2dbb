"""Activations: as functions, and by the names, functions and layers that scripts give for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from numba_cnn import nearest, ops
from numba_cnn.backends.scalars import OF_INPUT, SETTINGS
from numba_cnn.ops import Array

Backward = Callable[..., Array | None]

_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}
_ROWS = {
    "softmax": (ops.softmax, ops.softmax_backward),
    "log_softmax": (ops.log_softmax, ops.log_softmax_backward),
}


class Use(NamedTuple):
    """An activation and its settings, as a layer applies it."""

    name: str
    settings: tuple[tuple[str, float], ...] = ()

    @property
    def is_relu(self) -> bool:
        """Whether it is max(x, 0), which kernels do themselves."""
        return self == _RELU

    def call(self, x: Array) -> Array:
        on_graph = getattr(x, "activated", None)  # of what a layer gives while a model is made
        return self.forward(x)[0] if on_graph is None else on_graph(self)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """(y, backward) for training; backward(dy, need_dx=True)."""
        if self.name == "linear":
            return x, lambda dy, need_dx=True: dy
        if self.is_relu:
            y = ops.relu(x)
            return y, lambda dy, need_dx=True: ops.relu_backward(dy, y) if need_dx else None
        if self.name in _ROWS:
            function, gradient = _ROWS[self.name]
            y = function(x)
            return y, lambda dy, need_dx=True: gradient(dy, y) if need_dx else None
        settings = dict(self.settings)
        y = ops.activate(x, self.name, **settings)
        saved = x if self.name in OF_INPUT else y

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return ops.activate_backward(dy, saved, self.name, **settings) if need_dx else None

        return y, backward


_RELU, LINEAR = Use("relu"), Use("linear")


def get(identifier: Any) -> Use:
    """The activation that is meant by None, a name, a function of this module or a layer; or ValueError."""
    if identifier is None:
        return LINEAR
    if isinstance(identifier, Use):
        return identifier
    use = getattr(identifier, "as_activation", None)
    if isinstance(use, Use):
        return use
    name = identifier
    if callable(identifier):  # of this module, or of another library: tf.nn.softmax is softmax_v2
        name = str(getattr(identifier, "__name__", "")).removesuffix("_v2")
    elif isinstance(identifier, Mapping):  # as files have them
        name = identifier.get("config")
    name = _ALIASES.get(name, name) if isinstance(name, str) else None
    if name in NAMES:
        return Use(name)
    known = ", ".join(repr(name) for name in NAMES)
    meant = nearest.hint(identifier, NAMES, "activations")
    raise ValueError(
        f"activation: expected None or one of {known}{meant}. Received: {nearest.shown(identifier)}"
    )


def setting(owner: str, name: str, value: Any) -> Use:
    """The check of a layer's attribute `activation`."""
    return get(value)


def linear(x: Array) -> Array:
    """x itself."""
    return x


def relu(
    x: Array, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Array:
    """x above the threshold, else negative_slope * (x - threshold); at most max_value."""
    return relu_use(negative_slope, max_value, threshold).call(x)


def relu_use(negative_slope: float, max_value: float | None, threshold: float) -> Use:
    """ReLU with these settings; those of kernels where nothing differs from max(x, 0)."""
    if max_value is None and _is_zero(negative_slope) and _is_zero(threshold):
        return _RELU
    most = math.inf if max_value is None else max_value
    settings = ("negative_slope", negative_slope), ("max_value", most), ("threshold", threshold)
    return Use("relu", settings)


def _is_zero(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == 0


def relu6(x: Array) -> Array:
    """min(max(x, 0), 6)."""
    return Use("relu6").call(x)


def leaky_relu(x: Array, negative_slope: float = 0.2) -> Array:
    """x where it is positive, else negative_slope * x.

    >>> nc.activations.leaky_relu(np.array([-5.0, 0.0, 3.0])).tolist()
    [-1.0, 0.0, 3.0]
    """
    return Use("leaky_relu", (("negative_slope", negative_slope),)).call(x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """x where it is positive, else alpha * (e^x - 1)."""
    return Use("elu", (("alpha", alpha),)).call(x)


def celu(x: Array, alpha: float = 1.0) -> Array:
    """x where it is positive, else alpha * (e^(x / alpha) - 1)."""
    return Use("celu", (("alpha", alpha),)).call(x)


def selu(x: Array) -> Array:
    """ELU with the scales that keep mean and variance; Klambauer et al., arXiv:1706.02515."""
    return Use("selu").call(x)


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x)."""
    return Use("sigmoid").call(x)


def log_sigmoid(x: Array) -> Array:
    """log(sigmoid(x))."""
    return Use("log_sigmoid").call(x)


def hard_sigmoid(x: Array) -> Array:
    """x / 6 + 1/2, within 0 and 1."""
    return Use("hard_sigmoid").call(x)


def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    return Use("tanh").call(x)


def hard_tanh(x: Array) -> Array:
    """x within -1 and 1."""
    return Use("hard_tanh").call(x)


def tanh_shrink(x: Array) -> Array:
    """x - tanh(x)."""
    return Use("tanh_shrink").call(x)


def hard_shrink(x: Array, threshold: float = 0.5) -> Array:
    """x where its size is above the threshold, else 0."""
    return Use("hard_shrink", (("threshold", threshold),)).call(x)


def soft_shrink(x: Array, threshold: float = 0.5) -> Array:
    """x brought nearer to 0 by the threshold."""
    return Use("soft_shrink", (("threshold", threshold),)).call(x)


def softplus(x: Array) -> Array:
    """log(1 + e^x)."""
    return Use("softplus").call(x)


def softsign(x: Array) -> Array:
    """x / (1 + |x|)."""
    return Use("softsign").call(x)


def squareplus(x: Array, b: float = 4.0) -> Array:
    """(x + sqrt(x^2 + b)) / 2."""
    return Use("squareplus", (("b", b),)).call(x)


def exponential(x: Array) -> Array:
    """e^x."""
    return Use("exponential").call(x)


def silu(x: Array) -> Array:
    """x * sigmoid(x), also called swish."""
    return Use("silu").call(x)


def hard_silu(x: Array) -> Array:
    """x * hard_sigmoid(x), also called hard_swish."""
    return Use("hard_silu").call(x)


def gelu(x: Array, approximate: bool = False) -> Array:
    """x times the share of a normal distribution below x; approximate: by tanh. Source: arXiv:1606.08415."""
    return Use("gelu", (("approximate", approximate),)).call(x)


def mish(x: Array) -> Array:
    """x * tanh(softplus(x))."""
    return Use("mish").call(x)


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) over its sum along the last axis."""
    return _on_last_axis("softmax", x, axis)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """log(softmax(x))."""
    return _on_last_axis("log_softmax", x, axis)


def _on_last_axis(name: str, x: Array, axis: int) -> Array:
    y = Use(name).call(x)
    if isinstance(axis, bool) or not isinstance(axis, int) or axis not in (-1, len(y.shape) - 1):
        raise ValueError(f"{name}: axis must be the last one, -1. Received: {nearest.shown(axis)}")
    return y


swish, hard_swish = silu, hard_silu

NAMES = (*sorted(set(SETTINGS) - {"affine", "gelu_tanh"}), "linear", *sorted(_ROWS))

__all__ = [
    "celu", "elu", "exponential", "gelu", "get", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "squareplus", "swish", "tanh", "tanh_shrink",
]  # fmt: skip

__getattr__ = nearest.attributes(__name__, __all__)
