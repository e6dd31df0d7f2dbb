"""What every backend offers: one row an op, the same names, parameters and order in each folder.

A row says in which file of a folder the op lives, and what it takes. It reads like this:

    "dense_backward_input": Op("dense", dy="N F", y="N F?", weight="K F", dx="N K"),

Arrays are C-contiguous and, but for those that name a dtype, all float32 or all float64. Their extents are letters,
each of one value in a call, or numbers, `*` for any axes that are the same wherever it stands, or a property of the
geometry `g`; `?` lets an array be None. What is no array is of the type that stands there. Outputs come last. `y`
before a `dy` gates it: where a fused ReLU gave 0 the gradient is 0.

`checked` holds a function to its row; tests/test_contract.py compares the folders.
"""

import sys
from functools import wraps
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np

from numba_cnn import shapes

_FLOATS = np.dtype(np.float32), np.dtype(np.float64)
_DTYPES = {
    "integer": tuple(map(np.dtype, "bhilqBHILQ")),
    "int32": (np.dtype(np.int32),),
    "int64": (np.dtype(np.int64),),
    "bool": (np.dtype(np.bool_),),
    "float32": (np.dtype(np.float32),),
    "real": tuple(map(np.dtype, "?bhilqBHILQefd")),
}
_SMALL_WINDOW = 256  # pixels, whose places are numbers of 8 bits


class Abilities(NamedTuple):
    """What a backend can do beside the ops."""

    epilogues: frozenset[str] = frozenset()  # activations that conv2d and dense do themselves
    records: bool = False  # whether it has LaunchGraph and get_num_threads
    prefetches: bool = False  # whether it has PREFETCH's ops and finish_deferred
    cache_budget: int | None = None  # bytes of a batch's activations that should fit its caches


class Op:
    """A row: the file, and what each parameter takes, by name and in order."""

    def __init__(self, home, /, **parameters):
        self.home = home
        self.parameters = tuple(parameters)
        self.geometry = self.parameters.index("g") if "g" in parameters else None
        self.fields = tuple(_field(kind) for kind in parameters.values())

    def check(self, name, arguments):
        """Raise TypeError or ValueError, which name the op and the parameter, unless the arguments are as the row
        says."""
        if len(arguments) != len(self.fields):
            raise TypeError(
                f"{name} takes {', '.join(self.parameters)}. Received: {len(arguments)} arguments"
            )
        geometry = None if self.geometry is None else arguments[self.geometry]
        extents, floats = {}, None
        for field, word, argument in zip(self.fields, self.parameters, arguments, strict=True):
            if not isinstance(field, _Array):
                if not isinstance(argument, field):
                    raise TypeError(
                        f"{name}: {word} must be {_words(field)}. Received: {argument!r}"
                    )
            elif argument is not None or not field.optional:
                floats = field.check(name, word, argument, geometry, extents, floats)


class _Array(NamedTuple):
    """What an array parameter takes."""

    extents: tuple[str, ...]  # letters, "*", or one property of the geometry
    dtype: str  # "float": that of the other arrays, float32 or float64
    optional: bool

    def check(self, name, word, array, geometry, extents, floats):
        """Whether the array is as it should be, given the extents of those before it; returns the float dtype."""
        shape, dtype = getattr(array, "shape", None), getattr(array, "dtype", None)
        if shape is None or dtype is None:
            raise TypeError(f"{name}: {word} must be an array. Received: {array!r}")
        allowed = self._dtypes(geometry, floats)
        if dtype not in allowed:
            raise TypeError(
                f"{name}: {word} must be {' or '.join(map(str, allowed))}. Received: {dtype}"
            )
        expected = self._expected(shape, geometry, extents)
        if expected != shape:
            raise ValueError(f"{name}: {word} must have shape {expected}. Received: {shape}")
        if not _is_c_contiguous(array):
            raise ValueError(
                f"{name}: {word} must be C-contiguous. Received: strides {array.strides}"
            )
        return (dtype,) if self.dtype == "float" else floats

    def _dtypes(self, geometry, floats):
        """The dtypes that the array may have."""
        if self.dtype == "float":
            return floats or _FLOATS
        return (argmax_dtype(geometry),) if self.dtype == "argmax" else _DTYPES[self.dtype]

    def _expected(self, shape, geometry, extents):
        """The shape that the array should have; letters that are new take what it has, or 1."""
        if len(self.extents) == 1 and self.extents[0].startswith("g."):
            value = getattr(geometry, self.extents[0][2:])
            return value if isinstance(value, tuple) else (value,)
        single = len(self.extents) - ("*" in self.extents)
        expected, rest = (), shape
        for letter in self.extents:
            if letter.isdigit():
                expected, rest = (*expected, int(letter)), rest[1:]
                continue
            count = max(len(shape) - single, 0) if letter == "*" else 1
            expected += extents.setdefault(letter, rest[:count] if len(rest) >= count else (1,))
            rest = rest[count:]
        return expected


def argmax_dtype(g: shapes.Conv2D | shapes.Pool2D) -> np.dtype:
    """The dtype of a place in a window of the geometry; convolutions pool over 2x2."""
    return np.dtype(
        np.uint8 if getattr(g, "PH", 2) * getattr(g, "PW", 2) <= _SMALL_WINDOW else np.int32
    )


def _field(kind):
    """What a parameter takes, from a row's word for it."""
    if not isinstance(kind, str):
        return (int, float, np.floating) if kind is float else kind
    dtype, _, extents = kind.removesuffix("?").rpartition(": ")
    return _Array(tuple(extents.split()), dtype or "float", kind.endswith("?"))


def _words(field):
    kinds = field if isinstance(field, tuple) else (field,)
    return " or ".join(kind.__name__ for kind in kinds)


def _is_c_contiguous(array):
    """In NumPy's words and in those of device arrays."""
    if isinstance(array, np.ndarray):
        return array.flags.c_contiguous
    return array.is_c_contiguous()


_CONV = {"g": shapes.Conv2D, "algorithm": str}

_DRAWN = {"generator": "int64: 2", "used": "int64: 1"}

_SETTINGS = {"name": str, "a": float, "b": float, "c": float}

_LOSS = {"targets": "N C", "sample_weight": "N?", "loss": ""}

OPS = {
    "activate": Op("activations", x="*", **_SETTINGS, y="*"),
    "activate_backward": Op("activations", dy="*", saved="*", **_SETTINGS, dx="*"),
    "adam": Op(
        "optimizers", parameter="*", gradient="*", momentum="*", velocity="*", alpha=float, beta_1=float,
        beta_2=float, epsilon=float,
    ),
    "add_norms": Op("optimizers", x="*", of_sizes=float, of_squares=float, total=""),
    "average_pool2d": Op("average_pool2d", x="g.x", g=shapes.Pool2D, y="g.y"),
    "average_pool2d_backward": Op("average_pool2d", dy="g.y", g=shapes.Pool2D, dx="g.x"),
    "batch_norm": Op(
        "batch_norm", x="R C", gamma="C", beta="C", moving_mean="C", moving_variance="C", momentum=float, epsilon=float,
        y="R C", mean="C", inverse_deviation="C",
    ),
    "batch_norm_backward": Op(
        "batch_norm", dy="R C", x="R C", gamma="C", mean="C", inverse_deviation="C", dx="R C", dgamma="C", dbeta="C"
    ),
    "batch_norm_inference": Op(
        "batch_norm", x="R C", gamma="C", beta="C", mean="C", variance="C", epsilon=float, y="R C"
    ),
    "batch_norm_inference_backward": Op(
        "batch_norm", dy="R C", x="R C", gamma="C", mean="C", variance="C", epsilon=float, dx="R C", dgamma="C",
        dbeta="C",
    ),
    "binary_accuracy": Op("losses", y="N C", targets="N C", threshold=float, accuracy=""),
    "binary_crossentropy": Op("losses", logits="N C", **_LOSS, dlogits="N C"),
    "binary_crossentropy_of_probabilities": Op("losses", probabilities="N C", **_LOSS, dprobabilities="N C"),
    "categorical_accuracy": Op("losses", y="N C", targets="N C", accuracy=""),
    "categorical_crossentropy": Op("losses", logits="N C", **_LOSS, dlogits="N C"),
    "categorical_crossentropy_of_probabilities": Op("losses", probabilities="N C", **_LOSS, dprobabilities="N C"),
    "clip_by_norm": Op("optimizers", x="*", squares="", limit=float),
    "conv2d": Op(
        "conv2d", x="g.x", weight="g.weight", bias="g.F?", g=shapes.Conv2D, relu=bool, algorithm=str, y="g.y"
    ),
    "conv2d_backward_input": Op(
        "conv2d", dy="g.y", y="g.y?", weight="g.weight", **_CONV, dx="g.x"
    ),
    "conv2d_backward_weight": Op(
        "conv2d", dy="g.y", y="g.y?", x="g.x", **_CONV, dweight="g.weight", dbias="g.F"
    ),
    "conv2d_max_pool2d": Op(
        "conv2d_max_pool2d", x="g.x", weight="g.weight", bias="g.F?", g=shapes.Conv2D, relu=bool, algorithm=str,
        y="g.pooled_y", argmax="argmax: g.pooled_y",
    ),
    "conv2d_max_pool2d_backward": Op(
        "conv2d_max_pool2d", dy="g.pooled_y", y="g.pooled_y?", argmax="argmax: g.pooled_y", x="g.x",
        weight="g.weight", **_CONV, dx="g.x?", dweight="g.weight", dbias="g.F",
    ),
    "crop2d": Op("resize", y="g.outer", g=shapes.Frame, x="g.inner"),
    "dense": Op("dense", x="N K", weight="K F", bias="F?", relu=bool, y="N F"),
    "dense_backward_input": Op("dense", dy="N F", y="N F?", weight="K F", dx="N K"),
    "dense_backward_weight": Op("dense", dy="N F", y="N F?", x="N K", dweight="K F", dbias="F"),
    "dropout": Op("dropout", x="N P C", rate=float, spatial=bool, **_DRAWN, y="N P C"),
    "dropout_backward": Op("dropout", dy="N P C", rate=float, spatial=bool, **_DRAWN, dx="N P C"),
    "gaussian_noise": Op("dropout", x="*", stddev=float, **_DRAWN, y="*"),
    "global_average_pool2d": Op("global_pool2d", x="N P C", y="N C"),
    "global_average_pool2d_backward": Op("global_pool2d", dy="N C", dx="N P C"),
    "global_max_pool2d": Op("global_pool2d", x="N P C", y="N C", argmax="int32: N C"),
    "global_max_pool2d_backward": Op("global_pool2d", dy="N C", argmax="int32: N C", dx="N P C"),
    "log_softmax": Op("softmax_crossentropy", x="N C", y="N C"),
    "log_softmax_backward": Op("softmax_crossentropy", dy="N C", y="N C", dx="N C"),
    "max_pool2d": Op("max_pool2d", x="g.x", g=shapes.Pool2D, y="g.y", argmax="argmax: g.y"),
    "max_pool2d_backward": Op("max_pool2d", dy="g.y", argmax="argmax: g.y", g=shapes.Pool2D, dx="g.x"),
    "mean_absolute_error": Op("losses", y="N C", **_LOSS, dy="N C"),
    "mean_squared_error": Op("losses", y="N C", **_LOSS, dy="N C"),
    "merge": Op("merge", a="g.a", b="g.b", name=str, g=shapes.Broadcast, y="g.y"),
    "merge_backward": Op("merge", dy="g.y", a="g.a", b="g.b", name=str, g=shapes.Broadcast, da="g.a"),
    "put_columns": Op("merge", x="g.part", g=shapes.Columns, y="g.whole"),
    "relu": Op("relu", x="*", y="*"),
    "relu_backward": Op("relu", dy="*", y="*", dx="*"),
    "rmsprop": Op(
        "optimizers", parameter="*", gradient="*", velocity="*", learning_rate=float, rho=float, epsilon=float
    ),
    "sgd": Op(
        "optimizers", parameter="*", gradient="*", velocity="*?", learning_rate=float, momentum=float, nesterov=bool
    ),
    "sum_to": Op("merge", dy="g.y", scale=float, g=shapes.Broadcast, da="g.a"),
    "take_columns": Op("merge", y="g.whole", g=shapes.Columns, x="g.part"),
    "softmax": Op("softmax_crossentropy", x="N C", y="N C"),
    "softmax_backward": Op("softmax_crossentropy", dy="N C", y="N C", dx="N C"),
    "update": Op(
        "optimizers", parameter="*", gradient="*", first="*?", second="*?", third="*?", rule=str, constants=tuple
    ),
    "upsample2d": Op("resize", x="g.x", g=shapes.Upsample2D, bilinear=bool, y="g.y"),
    "upsample2d_backward": Op("resize", dy="g.y", g=shapes.Upsample2D, bilinear=bool, dx="g.x"),
    "zero_pad2d": Op("resize", x="g.inner", g=shapes.Frame, y="g.outer"),
    "sparse_categorical_accuracy": Op(
        "softmax_crossentropy", logits="N C", labels="integer: N", accuracy=""
    ),
    "sparse_categorical_crossentropy": Op(
        "softmax_crossentropy", logits="N C", labels="integer: N", sample_weight="N?", loss="", dlogits="N C"
    ),
    "sparse_categorical_crossentropy_of_probabilities": Op(
        "losses", probabilities="N C", labels="integer: N", sample_weight="N?", loss="", dprobabilities="N C"
    ),
}  # fmt: skip

# Of backends that make the next batch while the current one is in use.
PREFETCH = {
    "gather": Op("gather", x="real: M *", rows="int64: n", out="float32: n *", finite="bool: n"),
    "gather_async": Op(
        "gather", x="real: M *", rows="int64: n", out="float32: n *", finite="bool: n"
    ),
}

ROWS = OPS | PREFETCH


def checked(function):
    """The function of a backend, which refuses what its row of the contract does not allow."""
    name = function.__name__
    check = ROWS[name].check

    @wraps(function)
    def run(*arguments):
        check(name, arguments)
        return function(*arguments)

    return run


class Folder(ModuleType):
    """A folder of kernels as a module that has the functions of the contract.

    Each is imported when it is first used. Its name is the function's also where a file is called the same.
    """

    def __getattr__(self, name):
        row = ROWS.get(name)
        if row is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        function = getattr(import_module(f"{self.__name__}.{row.home}"), name)
        setattr(self, name, function)
        return function

    def __setattr__(self, name, value):
        if name not in ROWS or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


def offer(package):
    """Have the package of that name offer the functions of the contract."""
    sys.modules[package].__class__ = Folder
