"""Direct convolution against Winograd's F(4x4, 3x3), and which of them algorithm="auto" takes: docs/algorithms.md.

    python -m benchmarks.algorithms [--threads 1] [--batches 1 8 32] [--rounds 7]

3x3 filters, stride 1, padding "same", each pass proven right against the float64 reference before it
is timed. A cell has the median of how many times longer the direct pass takes, in turns, and the
initial of what "auto" runs, told by the bits of its result; it is bold where the other is faster by
more than a tenth. Convolutions of more than 8 GFLOP are left out.
"""

import argparse

import numba
import numpy as np

from . import fma_peak, machine, workloads

CHANNELS = (
    (3, 32),
    (8, 8),
    (8, 16),
    (16, 8),
    (16, 16),
    (32, 32),
    (64, 64),
    (128, 128),
    (256, 256),
    (512, 512),
)
IMAGES = (7, 14, 28, 56, 112)
LARGEST = 8e9  # FLOP
PASSES = {
    "forward": ("forward", "y"),
    "input gradient": ("backward_input", "dx"),
    "weight gradient": ("backward_weight", "dweight"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    numba.set_num_threads(arguments.threads)
    print(f"{arguments.threads} thread(s), {machine.today()}\n")
    columns = [f"{name}, batch {batch}" for name in PASSES for batch in arguments.batches]
    print(f"| channels | image | {' | '.join(columns)} |")
    print("|---|---|" + "---|" * len(columns))
    for C, F in CHANNELS:
        for extent in IMAGES:
            layer = (extent, extent, C), (3, 3), F, 1, "same"
            cells = [_cells(layer, batch, arguments.rounds) for batch in arguments.batches]
            if any(map(any, cells)):
                row = " | ".join(cell for column in zip(*cells, strict=True) for cell in column)
                print(f"| {C} to {F} | {extent}x{extent} | {row} |", flush=True)


def _cells(layer, batch, rounds):
    """One cell per pass, empty for a convolution that is too large."""
    (H, W, C), (KH, KW), F, *_ = layer
    if 2 * batch * H * W * KH * KW * C * F > LARGEST:
        return [""] * len(PASSES)
    direct, winograd, auto = (
        workloads.Conv2D(layer, batch, algorithm) for algorithm in ("direct", "winograd", "auto")
    )
    for name in ("x", "weight", "bias", "dy", "y"):
        for case in (winograd, auto):
            getattr(case, name)[...] = getattr(direct, name)
    return [_cell(direct, winograd, auto, *of, rounds) for of in PASSES.values()]


def _cell(direct, winograd, auto, run, result, rounds):
    winograd.y[...] = auto.y[...] = direct.y  # gradients are gated by the same outputs
    ratio = fma_peak.median_ratio(getattr(direct, run), getattr(winograd, run), rounds)
    getattr(auto, run)()
    chosen = getattr(auto, result)
    if np.array_equal(chosen, getattr(winograd, result)):
        loss, initial = 1 / ratio, "W"
    else:
        assert np.array_equal(chosen, getattr(direct, result)), "auto runs neither"
        loss, initial = ratio, "D"
    text = f"{ratio:.2f} {initial}"
    return f"**{text}**" if loss > 1.1 else text


if __name__ == "__main__":
    main()
