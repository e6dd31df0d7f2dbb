"""What every backend offers: one row an op, the same names, parameters and order in each folder.

A row says in which file of a folder the op lives, and what it takes. It reads like this:

    "dense_backward_input": Op("dense", dy="N F", y="N F?", weight="K F", dx="N K"),

Arrays are C-contiguous and, but for those that name a dtype, all float32 or all float64. Their extents are letters,
each of one value in a call, or numbers, `2|3` for either, `*` for any axes that are the same wherever it stands, or a
property of the geometry `g`; `?` lets an array be None. What is no array is of the type that stands there. Outputs come
last. `y` before a `dy` gates it: where a fused ReLU gave 0 the gradient is 0.

`checked` holds a function to its row; tests/test_contract.py compares the folders.
"""

import sys
from functools import wraps
from types import ModuleType
from typing import NamedTuple

from numba_cnn import shapes
from numba_cnn.backends.rows import Op
from numba_cnn.uncollected import load


class Abilities(NamedTuple):
    """What a backend can do beside the ops."""

    epilogues: frozenset[str] = frozenset()  # activations that conv2d and dense do themselves
    records: bool = False  # whether it has LaunchGraph, host_call and get_num_threads
    prefetches: bool = False  # whether it has PREFETCH's ops and finish_deferred
    cache_budget: int | None = None  # bytes of a batch's activations that should fit its caches


_CONV = {"g": shapes.Conv2D, "algorithm": str}

_DRAWN = {"generator": "int64: 2|3", "used": "int64: 1"}

_SETTINGS = {"name": str, "a": float, "b": float, "c": float}

_LOSS = {"targets": "N C", "sample_weight": "N?", "loss": ""}

OPS = {
    "activate": Op("activations", x="*", **_SETTINGS, y="*"),
    "activate_backward": Op("activations", dy="*", saved="*", **_SETTINGS, dx="*"),
    "adam": Op(
        "optimizers", parameter="*", gradient="*", momentum="*", velocity="*", alpha=float, beta_1=float,
        beta_2=float, epsilon=float,
    ),
    "adaptive_average_pool2d": Op("adaptive_pool2d", x="g.x", g=shapes.AdaptivePool2D, y="g.y"),
    "adaptive_average_pool2d_backward": Op("adaptive_pool2d", dy="g.y", g=shapes.AdaptivePool2D, dx="g.x"),
    "adaptive_max_pool2d": Op("adaptive_pool2d", x="g.x", g=shapes.AdaptivePool2D, y="g.y", argmax="int32: g.y"),
    "adaptive_max_pool2d_backward": Op(
        "adaptive_pool2d", dy="g.y", argmax="int32: g.y", g=shapes.AdaptivePool2D, dx="g.x"
    ),
    "adjust_brightness": Op("adjust_colors", x="N P C", deltas="N", low=float, high=float, y="N P C"),
    "adjust_brightness_backward": Op(
        "adjust_colors", dy="N P C", x="N P C", deltas="N", low=float, high=float, dx="N P C"
    ),
    "adjust_contrast": Op("adjust_colors", x="N P C", mean="N C", factors="N", low=float, high=float, y="N P C"),
    "adjust_contrast_backward": Op(
        "adjust_colors", dy="N P C", x="N P C", mean="N C", factors="N", low=float, high=float, dx="N P C"
    ),
    "affine_transform2d": Op(
        "affine_transform2d", x="g.x", matrices="g.matrices", g=shapes.AffineTransform2D, bilinear=bool, fill_mode=str,
        fill_value=float, y="g.y",
    ),
    "affine_transform2d_backward": Op(
        "affine_transform2d", dy="g.y", matrices="g.matrices", g=shapes.AffineTransform2D, bilinear=bool, fill_mode=str,
        dx="g.x",
    ),
    "add_norms": Op("optimizers", x="*", of_sizes=float, of_squares=float, total=""),
    "average_pool2d": Op("average_pool2d", x="g.x", g=shapes.Pool2D, y="g.y"),
    "average_pool2d_backward": Op("average_pool2d", dy="g.y", g=shapes.Pool2D, dx="g.x"),
    "batch_dot": Op("batch_dot", a="N I K", b="N J K", y="N I J"),
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
    "group_norm": Op(
        "group_norm", x="N P G K", gamma="G K", beta="G K", epsilon=float, y="N P G K", mean="N G",
        inverse_deviation="N G",
    ),
    "group_norm_backward": Op(
        "group_norm", dy="N P G K", x="N P G K", gamma="G K", mean="N G", inverse_deviation="N G", dx="N P G K",
        dgamma="G K", dbeta="G K",
    ),
    "log_softmax": Op("softmax_crossentropy", x="N C", y="N C"),
    "log_softmax_backward": Op("softmax_crossentropy", dy="N C", y="N C", dx="N C"),
    "max_pool2d": Op("max_pool2d", x="g.x", g=shapes.Pool2D, y="g.y", argmax="argmax: g.y"),
    "max_pool2d_backward": Op("max_pool2d", dy="g.y", argmax="argmax: g.y", g=shapes.Pool2D, dx="g.x"),
    "mean_absolute_error": Op("losses", y="N C", **_LOSS, dy="N C"),
    "mean_squared_error": Op("losses", y="N C", **_LOSS, dy="N C"),
    "merge": Op("merge", a="g.a", b="g.b", name=str, g=shapes.Broadcast, y="g.y"),
    "merge_backward": Op("merge", dy="g.y", a="g.a", b="g.b", name=str, g=shapes.Broadcast, da="g.a", db="g.b"),
    "permute": Op("permute", x="g.x", g=shapes.Permutation, y="g.y"),
    "put_columns": Op("concatenate", x="g.part", g=shapes.Columns, y="g.whole"),
    "random_affine": Op(
        "random_affine", g=shapes.AffineTransform2D, ranges=shapes.AffineRanges, **_DRAWN, matrices="g.matrices"
    ),
    "random_uniform": Op("random_affine", low=float, high=float, **_DRAWN, y="*"),
    "relu": Op("relu", x="*", y="*"),
    "relu_backward": Op("relu", dy="*", y="*", dx="*"),
    "rmsprop": Op(
        "optimizers", parameter="*", gradient="*", velocity="*", learning_rate=float, rho=float, epsilon=float
    ),
    "sgd": Op(
        "optimizers", parameter="*", gradient="*", velocity="*?", learning_rate=float, momentum=float, nesterov=bool
    ),
    "sum_to": Op("merge", dy="g.y", scale=float, g=shapes.Broadcast, da="g.a"),
    "take_columns": Op("concatenate", y="g.whole", g=shapes.Columns, x="g.part", next_x="g.next_part?"),
    "softmax": Op("softmax_crossentropy", x="N C", y="N C"),
    "softmax_backward": Op("softmax_crossentropy", dy="N C", y="N C", dx="N C"),
    "unit_norm": Op("unit_norm", x="R C", epsilon=float, y="R C", inverse_norm="R"),
    "unit_norm_backward": Op("unit_norm", dy="R C", y="R C", inverse_norm="R", epsilon=float, dx="R C"),
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

# Of the host, whatever the model runs on: what threads do that make batches, and what ranks tell one another.
HOST = {
    "weigh": Op("weigh", x="*", weight="1", y="*"),
    "warp_images": Op(
        "warp_images", x="real: g.x", matrices="g.matrices", g=shapes.AffineTransform2D, bilinear=bool, fill_mode=str,
        fill_value=float, y="float32: g.y",
    ),
}  # fmt: skip

ROWS = OPS | PREFETCH | HOST


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
        function = getattr(load(f"{self.__name__}.{row.home}"), name)
        setattr(self, name, function)
        return function

    def __setattr__(self, name, value):
        if name not in ROWS or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


def offer(package):
    """Have the package of that name offer the functions of the contract."""
    sys.modules[package].__class__ = Folder
