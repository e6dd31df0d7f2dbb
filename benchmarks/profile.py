"""Every kernel of the tutorial's train step: time, operations, bytes, and how far that is from what the machine can do.

    python -m benchmarks.profile [--batch 32] [--threads 1] [--rounds 30]

The backend's kernels are wrapped in place, whichever they are, so that the table follows the model
as it is. Each round runs a step with the kernels timed, called from Python one by one, and one
without timers, whose launches are recorded and run in one call; beside the FMA peak of the cores and
the bandwidth of a copy of 64 MiB. The table has medians of the rounds.

    FLOP    of the direct sums: Winograd's algorithm does less, so its share can pass 100 %
    MB      every array the kernel is given, once for each time it must be read or written at least;
            what a cache holds can pass 100 % of the bandwidth of memory
"""

import argparse
import inspect
import time
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import numba
import numpy as np

from numba_cnn import session
from numba_cnn.backends import contract, cpu

from . import fma_peak, machine, tutorial
from .copy_bandwidth import Copy

# Arrays that a kernel both reads and writes.
IN_PLACE = {"parameter", "momentum", "velocity"}


class Call(NamedTuple):
    """One kernel's run: what it ran on is the shape of its first array."""

    name: str
    shape: tuple
    seconds: float
    flop: int
    bytes: int


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    numba.set_num_threads(arguments.threads)
    copy, step = Copy(arguments.threads), _step(arguments.batch)
    step()
    rounds, whole, peaks, bandwidths = [], [], [], []
    for _ in range(arguments.rounds):
        with _timed_kernels() as calls:
            step()
        rounds.append(calls)
        whole.append(_seconds(step))
        peaks.append(fma_peak.rate())
        bandwidths.append(copy.rate())
    print(f"Batch {arguments.batch}, {arguments.threads} thread(s), {machine.today()}: ", end="")
    print(f"{median(peaks) / 1e9:.0f} GFLOP/s and {median(bandwidths) / 1e9:.1f} GB/s at most\n")
    print("| kernel | on | ms | MFLOP | MB | of FMA peak | of copy bandwidth |")
    print("|---|---|---|---|---|---|---|")
    for calls in zip(*rounds, strict=True):
        first = calls[0]
        label = f"{first.name} | {'x'.join(map(str, first.shape))}"
        seconds = [call.seconds for call in calls]
        print(_row(label, seconds, first.flop, first.bytes, peaks, bandwidths))
    flop, size = (sum(getattr(call, kind) for call in rounds[0]) for kind in ("flop", "bytes"))
    seconds = [sum(call.seconds for call in calls) for calls in rounds]
    print(_row("all kernels | ", seconds, flop, size, peaks, bandwidths))
    print(_row("the whole step, without timers | ", whole, flop, size, peaks, bandwidths))


def _step(batch):
    model, (x, labels) = tutorial.model(), tutorial.batch(batch)

    def step():
        model.reset_metrics()
        model.train_step(x, labels)
        model.read_metrics()

    return step


@contextmanager
def _timed_kernels():
    """Wrap the kernels of the CPU backend, and let none be recorded; gives the list that their calls go into."""
    kernels = {name: getattr(cpu, name) for name in contract.ROWS if hasattr(cpu, name)}
    calls, abilities = [], cpu.ABILITIES
    cpu.ABILITIES = abilities._replace(records=False)
    session.note_change()  # or the graph that ran last would run again
    for name, kernel in kernels.items():
        setattr(cpu, name, _timed(name, kernel, calls))
    try:
        yield calls
    finally:
        cpu.ABILITIES = abilities
        for name, kernel in kernels.items():
            setattr(cpu, name, kernel)


def _timed(name, kernel, calls):
    signature = inspect.signature(kernel)

    def run(*arguments):
        start = time.perf_counter()
        result = kernel(*arguments)
        seconds = time.perf_counter() - start
        given = signature.bind(*arguments).arguments
        arrays = {key: value for key, value in given.items() if isinstance(value, np.ndarray)}
        shape = next((array.shape for array in arrays.values()), ())
        size = sum(a.nbytes * (2 if key in IN_PLACE else 1) for key, a in arrays.items())
        calls.append(Call(name, shape, seconds, _flop(name, given), size))
        return result

    return run


def _flop(name, given):
    """Two per multiplication and addition of the sums; 0 for kernels that only pass over memory."""
    if name.startswith("conv2d"):
        g = given["g"]
        sums = 2 if name == "conv2d_max_pool2d_backward" and given["dx"] is not None else 1
        return sums * 2 * g.N * g.OH * g.OW * g.F * g.KH * g.KW * g.C // g.groups
    if name.startswith("dense"):
        rows = given["x"] if "x" in given else given["dy"]
        weight = given["weight"] if "weight" in given else given["dweight"]
        return 2 * len(rows) * weight.size
    return 0


def _row(label, seconds, flop, size, peaks, bandwidths):
    of_peak = median(flop / s / peak for s, peak in zip(seconds, peaks, strict=True))
    of_copy = median(size / s / rate for s, rate in zip(seconds, bandwidths, strict=True))
    operations = (
        f"{flop / 1e6:.1f} | {size / 1e6:.2f} | {of_peak:.0%}"
        if flop
        else f" | {size / 1e6:.2f} | "
    )
    return f"| {label} | {median(seconds) * 1e3:.3f} | {operations} | {of_copy:.0%} |"


def _seconds(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
