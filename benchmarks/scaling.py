"""How many times faster some threads are together than one alone, in turns: a train step and inference of the
tutorial's model, every pass of the convolutions in layers.py, and those that the model runs in one with a pooling.

    python -m benchmarks.scaling [--threads 2] [--batch 8]

The tables, as Markdown, have the medians of rounds in which the FMA peak, which no memory and no other thread holds up,
was as many times faster: the host of a virtual machine may give one core for two. Where it did so most of the time, the
median is of all rounds, and how much faster the peak was stands in brackets. How far two cores were apart in the mean
time is the last column, see hand_over.py. Passes are proven right before they are timed, for some milliseconds each
after a call that wakes the threads.
"""

import argparse
import time

import numba
import numpy as np

from . import fma_peak, hand_over, layers, tutorial, workloads

STEP = 32  # images of a train step, and of its layers
POOLED = "tutorial conv2d", "tutorial conv2d_1"  # as the model runs them
ROUNDS, MOST = 11, 44  # that count, that are run
CORES = 0.95  # of the threads, at least, in a round that counts
LEAST = 5e-3  # seconds of one timing


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8, help="images of other layers' batches")
    arguments = parser.parse_args()
    threads = arguments.threads
    print(f"| {threads} threads to one | times faster | cores apart |\n|---|---|---|")
    for name, step in steps().items():
        _print_row(f"{name}, batch {STEP}", [step], threads)
    print(
        "\n| layer | forward | input gradient | weight gradient | cores apart |\n|---|---|---|---|---|"
    )
    for name in layers.CONV2D:
        case = workloads.Conv2D(name, STEP if name.startswith("tutorial") else arguments.batch)
        passes = case.forward, case.backward_input, case.backward_weight
        _print_row(name, passes, threads)
    print(
        "\n| layer and its pooling in one | forward | weight gradient | both gradients | cores apart |\n"
        "|---|---|---|---|---|"
    )
    for name in POOLED:
        case = workloads.PooledConv2D(name, STEP)
        _print_row(f"{name}, pooled", (case.forward, case.backward_weight, case.backward), threads)


def steps():
    """A train step and inference on batches of STEP images."""
    model = tutorial.model()
    images, labels = map(model.backend.asarray, tutorial.batch(STEP))
    return {
        "train step": lambda: model.train_step(images, labels),
        "inference": lambda: model(images),
    }


def faster(function, threads):
    """How many times longer one thread takes for it than so many, and how many times faster their FMA peak was."""
    rounds, good = [], []
    while len(good) < ROUNDS and len(rounds) < MOST:
        times, peaks = (
            _seconds(each, 1) / _seconds(each, threads) for each in (function, fma_peak.seconds)
        )
        rounds.append((times, threads * peaks))  # at the peak each thread does all the work of one
        good += [rounds[-1]] if threads * peaks >= CORES * threads else []
    times, peak = np.median(good if len(good) == ROUNDS else rounds, axis=0)
    return times, peak


def _print_row(name, functions, threads):
    cells, apart = [], [hand_over.nanoseconds()]
    for function in functions:
        times, peak = faster(function, threads)
        cells.append(f"{times:.2f}x" + (f" ({peak:.2f}x)" if peak < CORES * threads else ""))
        apart.append(hand_over.nanoseconds())
    print(f"| {name} | {' | '.join(cells)} | {np.median(apart):.0f} ns |", flush=True)


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
