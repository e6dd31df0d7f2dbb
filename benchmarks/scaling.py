"""How many times faster some threads are together than one alone, in turns: a train step and inference of the
tutorial's model, and every pass of the convolutions in layers.py.

    python -m benchmarks.scaling [--threads 2] [--batch 8]

In brackets is the FMA peak's ratio in the same rounds, which no memory and no other thread holds up: how many cores the
host of a virtual machine really gave. Passes are proven right before they are timed, for some milliseconds each after
one call that wakes the threads; the tables, as Markdown, have medians.
"""

import argparse
import time

import numba
import numpy as np

from . import fma_peak, layers, tutorial, workloads

STEP = 32  # images of a train step
ROUNDS, LEAST = 11, 5e-3  # and the seconds of one timing, at least


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8, help="images of the layers' batches")
    arguments = parser.parse_args()
    threads = arguments.threads
    print(f"| {threads} threads to one | times faster |\n|---|---|")
    for name, step in steps().items():
        print(f"| {name}, batch {STEP} | {_cell(step, threads)} |", flush=True)
    print("\n| layer | forward | input gradient | weight gradient |\n|---|---|---|---|")
    for name in layers.CONV2D:
        case = workloads.Conv2D(name, arguments.batch)
        passes = case.forward, case.backward_input, case.backward_weight
        row = " | ".join(_cell(each, threads) for each in passes)
        print(f"| {name} | {row} |", flush=True)


def steps():
    """A train step and inference on batches of STEP images."""
    model = tutorial.model()
    images, labels = map(model.backend.asarray, tutorial.batch(STEP))
    return {
        "train step": lambda: model.train_step(images, labels),
        "inference": lambda: model(images),
    }


def faster(function, threads):
    """How many times longer one thread takes for it than so many, and how many times faster their FMA peak is."""
    ratios = [
        [_seconds(each, 1) / _seconds(each, threads) for each in (function, fma_peak.seconds)]
        for _ in range(ROUNDS)
    ]
    times, peak = np.median(ratios, axis=0)
    return times, threads * peak  # each thread does all the work of one


def _cell(function, threads):
    times, peak = faster(function, threads)
    return f"{times:.2f}x ({peak:.2f}x)"


def _seconds(function, threads):
    """The time of a call among others."""
    numba.set_num_threads(threads)
    function()
    calls, start = 0, time.perf_counter()
    while time.perf_counter() < start + LEAST:
        function()
        calls += 1
    return (time.perf_counter() - start) / calls


if __name__ == "__main__":
    main()
