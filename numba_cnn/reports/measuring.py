"""What this machine can do, and how much of it each layer of a model gets."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any, NamedTuple

import numpy as np

_SIDE = 1024  # of the matrices whose product is timed
_COPIED = 64 * 2**20  # bytes, which caches do not hold


class Row(NamedTuple):
    """A layer's call on a batch."""

    name: str
    kind: str
    shape: tuple[int, ...]
    seconds: float  # the median
    quarters: tuple[float, float]  # between which half of the times lie
    flop: int

    def share(self, peak: float) -> float | None:
        """Of the peak; None for layers that only pass over memory."""
        return self.flop / self.seconds / peak if self.flop else None


def peak() -> float:
    """FLOP/s of the fastest product of matrices here, by the kernel that dense layers and direct convolutions run."""
    from numba_cnn import ops

    x, weight = (np.ones((_SIDE, _SIDE), np.float32) for _ in range(2))
    return 2 * _SIDE**3 / min(_seconds(lambda: ops.dense(x, weight), 12))


def bandwidth() -> float:
    """Bytes read and written in a second by a copy of 64 MiB."""
    source = np.ones(_COPIED // 4, np.float32)
    target = np.empty_like(source)
    return 2 * _COPIED / min(_seconds(lambda: np.copyto(target, source), 8))


def layers(model: Any, batch: int, rounds: int = 10) -> list[Row]:
    """Each layer's median time in inference, in the order in which they run."""
    x = samples(model, batch)
    found = []
    for layer, seconds in model._seconds_of_layers(x, rounds + 2):
        shape = tuple(batch if n is None else n for n in layer.output_shape)
        low, middle, high = quantiles(seconds[2:], n=4, method="inclusive")
        found.append(
            Row(layer.name, layer.class_name, shape, middle, (low, high), flop(layer, batch))
        )
    return found


def flop(layer: Any, batch: int) -> int:
    """Multiplications and additions of the sums of a layer, direct ones; 0 for layers without a kernel."""
    kernels = [p for p in layer.weights if len(p.shape) in (2, 3, 4) and p.name.endswith("kernel")]
    extents = layer.input_shape if "Transpose" in layer.class_name else layer.output_shape
    places = batch * int(np.prod([n or 1 for n in extents[1:-1]], dtype=np.int64))
    return 2 * places * sum(int(np.prod(p.shape)) for p in kernels)


def samples(model: Any, batch: int) -> np.ndarray:
    """Numbers of 0..1 of the shape of a model's input."""
    shape = model.input_shape
    if isinstance(shape, list):
        raise ValueError(f"the model must have one input. Received: inputs {shape}")
    extents = (batch, *(64 if n is None else n for n in shape[1:]))
    return np.random.default_rng(0).random(extents, np.float32)


def whole(model: Any, batch: int, rounds: int = 10) -> dict[str, float]:
    """Median seconds of inference on a batch and on one sample, and of a training step."""
    x = samples(model, batch)
    found = {
        "inference": lambda: model(x),
        "inference of one": lambda: model(x[:1]),
    }
    if model.loss is not None and model.output_shape is not None:
        labels = np.zeros((batch, *model.output_shape[1:-1]), np.int64)
        found["training step"] = lambda: model.train_step(x, labels)
    return {name: median(_seconds(function, rounds + 3)[3:]) for name, function in found.items()}


def _seconds(function: Callable[[], Any], rounds: int) -> list[float]:
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        found.append(time.perf_counter() - start)
    return found
