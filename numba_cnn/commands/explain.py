"""numba-cnn explain."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from numba_cnn.commands import arguments as common

if TYPE_CHECKING:
    from numba_cnn.reports import measuring

HELP = """say layer by layer what runs: which implementation and why, its time, its operations, its share of the peak

Times are medians of inference, each layer called by itself; half of the times
lie between the two beside it. The peak is that of the fastest product of
matrices on as many threads. Winograd's algorithm does fewer operations than
the direct sums that are counted: its share can pass 100 %.

example:
  numba-cnn explain out --threads 1"""


def add(parser: argparse.ArgumentParser) -> None:
    common.add_measured(parser)


def run(arguments: argparse.Namespace) -> int | None:
    from numba_cnn import models
    from numba_cnn.reports import measuring

    common.set_threads(arguments)
    model: Any = (
        models.tutorial_cnn()
        if arguments.model is None
        else models.load_model(common.model_file(arguments.model), backend="cpu")
    )
    peak = measuring.peak()
    rows = measuring.layers(model, arguments.batch_size)
    print(
        f"batch {arguments.batch_size}; the fastest product of matrices: {peak / 1e9:.0f} GFLOP/s\n"
    )
    show_rows(rows, peak, {layer.name: layer for layer in model._leaves()})
    return None


def show_rows(rows: list[measuring.Row], peak: float, layers: dict[str, Any]) -> None:
    """A line for each layer, and below convolutions which implementation runs and why."""
    longest = min(max(len(row.name) for row in rows), 24)
    print(f"{'layer':{longest}} {'ms':>9} {'half within':>15} {'MFLOP':>9} {'of peak':>8}")
    for row in rows:
        share = row.share(peak)
        sums = f"{row.flop / 1e6:9.1f} {share:8.0%}" if share is not None else ""
        half = "-".join(f"{seconds * 1e3:.3f}" for seconds in row.quarters)
        print(f"{row.name[:longest]:{longest}} {row.seconds * 1e3:9.3f} {half:>15} {sums}".rstrip())
        for line in _why(layers.get(row.name), row.shape[0]):
            print(f"  {line}")
    seconds = sum(row.seconds for row in rows)
    flop = sum(row.flop for row in rows)
    print(
        f"{'all':{longest}} {seconds * 1e3:9.3f} {'':15} {flop / 1e6:9.1f} {flop / seconds / peak:8.0%}"
    )


def _why(layer: Any, batch: int) -> list[str]:
    """What explain_conv2d says of a convolution's passes."""
    from numba_cnn import ops

    if layer is None or layer.class_name != "Conv2D":
        return []
    x_shape = tuple(batch if n is None else n for n in layer.input_shape)
    return ops.explain_conv2d(
        x_shape,
        tuple(layer.kernel.shape),
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
        groups=layer.groups,
    ).splitlines()
