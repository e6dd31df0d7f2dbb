"""Every kernel of the library with argument types it is launched with: what the compile gate and
the tables go through.
"""

from dataclasses import dataclass
from importlib import import_module
from itertools import product

import numpy as np
from numba.cuda import types
from toolchain import type_of

from numba_cnn.backends.cuda import (
    activations,
    adaptive_pool2d,
    concatenate,
    conv2d_plain,
    correlate,
    few_channels,
    global_pool2d,
    launch,
    losses,
    optimizers,
    resize,
    sums,
    tile,
)
from numba_cnn.backends.cuda import softmax_crossentropy as loss
from numba_cnn.backends.cuda.average_pool2d import (
    average_pool2d_backward_kernel,
    average_pool2d_kernel,
)
from numba_cnn.backends.cuda.copy_kernel import copy_kernel
from numba_cnn.backends.cuda.correlate_kernel import correlate_kernel
from numba_cnn.backends.cuda.correlate_weight import (
    CorrelationWeight,
    correlate_weight_kernel,
    pad_channels_kernel,
)
from numba_cnn.backends.cuda.dropout import draw_kernel, mask_kernel, noise_kernel
from numba_cnn.backends.cuda.max_pool2d import max_pool2d_backward_kernel, max_pool2d_kernel
from numba_cnn.backends.cuda.relu import relu_backward_kernel, relu_kernel
from numba_cnn.backends.scalars import SETTINGS
from numba_cnn.backends.updates import CONSTANTS, STATE
from numba_cnn.shapes import adaptive_pool2d as adaptive_pool2d_shape
from numba_cnn.shapes import affine_transform2d, broadcast, permutation, upsample2d, zero_pad2d
from numba_cnn.shapes import conv2d as conv2d_shape
from numba_cnn.shapes import max_pool2d as pool2d_shape

# By import_module: the package's own attribute of that name is the op.
batch_norm = import_module("numba_cnn.backends.cuda.batch_norm")
merge = import_module("numba_cnn.backends.cuda.merge")
affine = import_module("numba_cnn.backends.cuda.affine_transform2d")
random_affine = import_module("numba_cnn.backends.cuda.random_affine")
colors = import_module("numba_cnn.backends.cuda.adjust_colors")
group_norm = import_module("numba_cnn.backends.cuda.group_norm")
unit_norm = import_module("numba_cnn.backends.cuda.unit_norm")
permute = import_module("numba_cnn.backends.cuda.permute")
batch_dot = import_module("numba_cnn.backends.cuda.batch_dot")

_G = conv2d_shape((1, 5, 5, 4), (3, 3, 4, 4))
_CONV, _POOL = launch.extents(_G), launch.extents(pool2d_shape((1, 4, 4, 4)))
_SIZED = launch.extents(adaptive_pool2d_shape("", (1, 4, 4, 4), 3))
_AXES = ((correlate.Axis(3, 3, 1, 1, 0), correlate.Axis(3, 3, 1, 1, 0)),)
_CORRELATION = correlate._plan(_G.x, _G.weight, _AXES, False, _G.y).launches[0][1]
_WEIGHT_GEOMETRY = CorrelationWeight.of(_G, 8)


@dataclass(frozen=True)
class Entry:
    """A kernel, its argument types, its block, and what the gate holds it to."""

    kernel: object
    signature: tuple
    threads: int
    registers: int  # the most that it may use
    float64: bool = False
    vectors: bool = False  # 128-bit accesses to global memory
    density: float = 0.0  # the least share of multiply-adds in its main loop


def _array(dtype, ndim, layout="C"):
    return types.Array(getattr(types, dtype), int(ndim), layout)


def _signature(dtype, *arguments):
    """Integers stand for arrays of so many axes, words for arrays (dtype, axes and layout if it is
    not "C"), everything else for itself.
    """
    made = []
    for argument in arguments:
        if isinstance(argument, int) and not isinstance(argument, bool):
            made.append(_array(dtype, argument))
        elif isinstance(argument, str):
            made.append(_array(*argument.split()))
        else:
            made.append(type_of(argument))
    return tuple(made)


# Registers: 168 leave room for six blocks of 64 threads on every architecture, LARGE must fit one
# block of 256 (255).
_TILES = {"small": (tile.SMALL, 168), "narrow": (tile.NARROW, 192), "large": (tile.LARGE, 168)}


def _tiled():
    signature = _signature("float32", 4, 4, 1, _CORRELATION, 4)
    for (name, (shape, registers)), backward, ragged in product(
        _TILES.items(), (False, True), (False, True)
    ):
        words = ["correlate", name, "backward" if backward else "forward"] + ["ragged"] * ragged
        kernel = correlate_kernel(shape, backward, ragged, not backward, not backward)
        density = 0.7 if ragged else 0.75
        limits = {"registers": registers, "vectors": not ragged, "density": density}
        yield " ".join(words), Entry(kernel, signature, shape.threads, **limits)
    signature = _signature("float32", 4, 4, _WEIGHT_GEOMETRY, 4)
    for name in ("small", "large"):
        shape, registers = _TILES[name]
        kernel = correlate_weight_kernel(shape, False)
        limits = {"registers": registers, "vectors": True, "density": 0.75}
        yield f"correlate_weight {name}", Entry(kernel, signature, shape.threads, **limits)
    for C in (1, 3):
        signature = _signature("float32", 4, 4, 1, _CONV, 4)
        kernel = few_channels.few_channels_kernel(C, True, True)
        yield f"few_channels {C}", Entry(kernel, signature, few_channels.THREADS, 128, vectors=True)
    yield "draw", Entry(draw_kernel, _signature("int64", 1, 1), 1, 32)
    yield (
        "pad_channels",
        Entry(pad_channels_kernel, _signature("float32", 4, 4), launch.THREADS, 32),
    )


def _batch_norm(one, i32):
    return {
        "moments": (batch_norm.moments_kernel, (2, 1, i32, 2, 2)),
        "channel mean": (batch_norm.mean_kernel, (2, 2, one, 1)),
        "statistics": (batch_norm.statistics_kernel, (2, 2, one, one, one, one, 1, 1, 1, 1)),
        "inverse": (batch_norm.inverse_kernel, (1, one, 1)),
        "normalize": (batch_norm.normalize_kernel, (2, 1, 1, 1, 1, 2)),
        "scale": (batch_norm.scale_kernel, (2, 1, 1, 2)),
        "gradient_sums": (batch_norm.gradient_sums_kernel, (2, 2, 1, 1, i32, 2, 2)),
        "add_parts": (batch_norm.add_parts_kernel, (2, 2, 1, 1)),
        "input_gradient": (batch_norm.input_gradient_kernel, (2, 2, 1, 1, 1, 1, 1, one, 2)),
    }


def _samples(real, one):
    turned = launch.extents(permutation("permute", (3, 4, 5), (2, 0, 1))[1])
    return {
        "group_norm": (group_norm.group_norm_kernel(real), (4, 2, 2, one, 4, 2, 2)),
        "group_norm_backward": (group_norm.group_norm_backward_kernel(real), (4, 4, 2, 2, 2, 4)),
        "scale_gradient": (group_norm.scale_gradient_kernel(real), (4, 4, 2, 2, 2, 2)),
        "unit_norm": (unit_norm.unit_norm_kernel(real), (2, one, one, 2, 1)),
        "unit_norm_backward": (unit_norm.unit_norm_backward_kernel(real), (2, 2, 1, one, 2)),
        "permute": (permute.permute_kernel, (1, turned, 1)),
        "batch_dot": (batch_dot.batch_dot_kernel, (3, 3, 3)),
    }


def _plain(dtype):
    real, kind = np.dtype(dtype), np.dtype(dtype).type
    one, i32, i64 = kind(1), np.int32(1), np.int64(1)
    kernels = {
        "conv2d plain": (conv2d_plain.conv2d_kernel, (4, 4, 1, _CONV, True, True, 4)),
        "conv2d_backward_input plain": (
            conv2d_plain.conv2d_backward_input_kernel,
            (4, 4, _CONV, 4),
        ),
        "conv2d_backward_weight plain": (
            conv2d_plain.conv2d_backward_weight_kernel,
            (4, 4, _CONV, i32, 5),
        ),
        "relu": (relu_kernel, (4, 4)),
        "relu_backward": (relu_backward_kernel, (4, 4, 4)),
        "max_pool2d": (max_pool2d_kernel, (4, _POOL, 4, "uint8 4")),
        "max_pool2d_backward": (
            max_pool2d_backward_kernel,
            (4, "uint8 4", _POOL, 4),
        ),
        "column_sums": (sums.column_sums_kernel, (4, i32, i32, 2)),
        "sum_partials": (sums.sum_partials_kernel(True, True), (4, i32, 1, i32, 4)),
        "mask": (mask_kernel(False), (3, i64, one, i64, i64, "int64 1", "int64 1", 3)),
        "mask of channels": (mask_kernel(True), (3, i64, one, i64, i64, "int64 1", "int64 1", 3)),
        "noise": (noise_kernel(real), (4, i64, one, "int64 1", "int64 1", 4)),
        **_batch_norm(one, i32),
        "softmax": (loss.softmax_kernel(real), (2, 2)),
        "softmax_backward": (loss.softmax_backward_kernel(real), (2, 2, 2)),
        "log_softmax": (loss.log_softmax_kernel(real), (2, 2)),
        "log_softmax_backward": (loss.log_softmax_backward_kernel(real), (2, 2, 2)),
        "crossentropy": (loss.crossentropy_kernel(real, True), (2, "int32 1", 1, one, 1, 2)),
        "mean": (loss.mean_kernel(real), (1, one, 0)),
        "hits": (loss.hits_kernel, (2, "int32 1", 1)),
        "sgd": (optimizers.sgd_kernel, (2, 2, one)),
        "momentum": (optimizers.momentum_kernel, (2, 2, 2, one, one)),
        "nesterov": (optimizers.nesterov_kernel, (2, 2, 2, one, one)),
        "rmsprop": (optimizers.rmsprop_kernel, (2, 2, 2, one, one, one, one)),
        "adam": (optimizers.adam_kernel, (2, 2, 2, 2, one, one, one, one)),
        "copy": (copy_kernel, (f"{dtype} 4 A", 4)),
    }
    for rule, state in STATE.items():
        arguments = *[2] * (2 + state), *[one] * CONSTANTS
        kernels[f"update {rule}"] = optimizers.update_kernel(rule, real), arguments
    kernels["norms"] = optimizers.norms_kernel, (2, one, one, 1)
    kernels["add_parts"] = optimizers.add_parts_kernel, (1, 0)
    kernels["clip_by_norm"] = optimizers.clip_by_norm_kernel, (2, 0, one)
    for name in SETTINGS:
        kernels[f"activate {name}"] = activations.activate_kernel(name, real), (4, 4, one, one, one)
        backward = activations.activate_backward_kernel(name, real)
        kernels[f"activate_backward {name}"] = backward, (4, 4, 4, one, one, one)
    kernels["average_pool2d"] = average_pool2d_kernel, (4, _POOL, 4)
    kernels["average_pool2d_backward"] = average_pool2d_backward_kernel, (4, _POOL, 4)
    sized = adaptive_pool2d
    kernels["adaptive_average"] = sized.adaptive_average_kernel, (4, _SIZED, 4)
    kernels["adaptive_average_backward"] = sized.adaptive_average_backward_kernel, (4, _SIZED, 4)
    kernels["adaptive_max"] = sized.adaptive_max_kernel, (4, _SIZED, 4, "int32 4")
    kernels["adaptive_max_backward"] = (
        sized.adaptive_max_backward_kernel,
        (4, "int32 4", _SIZED, 4),
    )
    kernels["global_average"] = global_pool2d.global_average_kernel, (3, 2)
    kernels["global_average_backward"] = global_pool2d.global_average_backward_kernel, (2, 3)
    kernels["global_max"] = global_pool2d.global_max_kernel, (3, 2, "int32 2")
    kernels["global_max_backward"] = global_pool2d.global_max_backward_kernel, (2, "int32 2", 3)
    merged, frame = (
        launch.extents(broadcast("add", (3, 4), (3, 1))[1]),
        launch.extents(zero_pad2d((1, 4, 4, 4), 1)),
    )
    larger = launch.extents(upsample2d("upsample2d", (1, 4, 4, 4), 2))
    for name in ("add", "subtract", "multiply", "maximum", "minimum", "prelu"):
        kernels[name] = merge.merge_kernel(name), (2, 2, merged, 2)
    for name in ("multiply", "maximum", "minimum", "prelu", "prelu_slope"):
        kernels[f"{name}_backward"] = merge.merge_backward_kernel(name), (2, 2, 2, merged, 2)
    kernels["sum_to"] = merge.sum_to_kernel, (2, merged, 2, one)
    kernels["put_columns"] = concatenate.put_columns_kernel, (2, i64, 2)
    kernels["take_columns"] = concatenate.take_columns_kernel, (2, i64, 2)
    kernels["zero_pad2d"] = resize.zero_pad2d_kernel, (4, frame, 4)
    kernels["crop2d"] = resize.crop2d_kernel, (4, frame, 4)
    kernels["repeat"] = resize.repeat_kernel, (4, larger, 4)
    kernels["bilinear"] = resize.bilinear_kernel(real), (4, larger, 4)
    for bilinear in (False, True):
        kernel = resize.upsample2d_backward_kernel(real, bilinear)
        kernels[f"upsample2d_backward {bilinear}"] = kernel, (4, larger, 4)
    warp = launch.extents(affine_transform2d("", (1, 4, 4, 4), 3))
    counters = ("int64 1", "int64 1")
    for mode in affine.MODES.values():
        kernels[f"pick {mode}"] = affine.pick_kernel(real, mode), (4, 2, warp, one, 4)
        kernels[f"blend {mode}"] = affine.blend_kernel(real, mode), (4, 2, warp, one, 4)
        for bilinear in (False, True):
            kernel = affine.affine_transform2d_backward_kernel(real, bilinear, mode)
            kernels[f"affine_transform2d_backward {bilinear} {mode}"] = kernel, (4, 2, warp, 4)
    kernels["uniform"] = random_affine.uniform_kernel(real), (one, one, *counters, 1)
    bounds, flags = random_affine.Bounds(*[one] * 10), random_affine.Flags(*[i32] * 4)
    kernels["affine"] = random_affine.affine_kernel(real), (warp, bounds, flags, *counters, 2)
    kernels["brightness"] = colors.brightness_kernel, (3, 1, one, one, 3)
    kernels["brightness_gate"] = colors.brightness_gate_kernel, (3, 3, 1, one, one, 3)
    kernels["contrast"] = colors.contrast_kernel, (3, 2, 1, one, one, 3)
    kernels["contrast_gate"] = colors.contrast_gate_kernel, (3, 3, 2, 1, one, one, 3)
    of_rows = (2, 2, 1, one, one, 1, 2)
    for name in losses._losses(real):
        kernels[name] = losses.elementwise_kernel(name, real, True), of_rows
    kernels["categorical_crossentropy"] = losses.categorical_kernel(real, True), of_rows
    kernels["of_probabilities"] = losses.of_probabilities_kernel(real, True), of_rows
    kernels["one_hot"] = losses.one_hot_kernel, ("int32 1", 2)
    kernels["same_largest"] = losses.same_largest_kernel, (2, 2, 1)
    kernels["same_side"] = losses.same_side_kernel, (2, 2, one, 1)
    kernels |= _samples(real, one)
    by_row = (
        "group_norm",
        "group_norm_backward",
        "scale_gradient",
        "unit_norm",
        "unit_norm_backward",
        "softmax",
        "softmax_backward",
        "log_softmax",
        "log_softmax_backward",
        "crossentropy",
        "mean",
    )
    for name, (kernel, arguments) in kernels.items():
        threads = launch.ROW_THREADS if name in by_row else launch.THREADS
        registers = 112 if name in SUM_OVER_RANGES else 72
        entry = Entry(kernel, _signature(dtype, *arguments), threads, registers, dtype == "float64")
        yield f"{name} {dtype}", entry


# Kernels whose threads walk a range on several axes: the bounds of all of them stay in registers.
SUM_OVER_RANGES = (
    "adaptive_average_backward",
    "multiply_backward",
    "maximum_backward",
    "minimum_backward",
    "prelu_backward",
    "prelu_slope_backward",
    "upsample2d_backward True",
)
KERNELS = {**dict(_tiled()), **dict(_plain("float32")), **dict(_plain("float64"))}
