"""What calls take after a rest, when threads sleep and Linux may wake them on one processor.

    python -m benchmarks.after_rest [--threads 1 2]

The table, as Markdown, has medians over rounds of a rest and ten milliseconds of calls: a call of many in a row, the
first after a rest, and the mean of those ten milliseconds over the usual call. Passes are proven right before.
"""

import argparse
import time
from statistics import mean, median

import numba

from . import tutorial, workloads

REST, BURST = 0.1, 0.01  # seconds
ROUNDS = 30
LAYERS = "LeNet conv2d_1", "MobileNet depthwise 14x14x512", "ResNet-50 1x1 14x14x1024"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    print(
        "| batch of 1, or layer forward | threads | usual | first | first 10 ms |\n|---|---|---|---|---|"
    )
    for name, call in calls().items():
        for threads in arguments.threads:
            numba.set_num_threads(threads)
            usual, first, burst = after_rest(call)
            print(
                f"| {name} | {threads} | {1e3 * usual:.3f} ms | {1e3 * first:.3f} ms | {burst:.2f}x |",
                flush=True,
            )


def calls():
    """The tutorial's model on one image, and layers of different length on batches of 8."""
    model = tutorial.model()
    image = model.backend.asarray(tutorial.batch(1)[0])
    passes = {name: workloads.Conv2D(name, 8).forward for name in LAYERS}
    return {"tutorial's model": lambda: model(image)} | passes


def after_rest(call):
    """(seconds of the usual call, of the first after a rest, the mean of the first BURST over the usual)."""
    usual = median(_burst(call) + _burst(call) + _burst(call))
    first, burst = [], []
    for _ in range(ROUNDS):
        time.sleep(REST)
        times = _burst(call)
        first.append(times[0])
        burst.append(mean(times))
    return usual, median(first), median(burst) / usual


def _burst(call):
    """The seconds of each call, for a while."""
    times, end = [], time.perf_counter() + BURST
    while (start := time.perf_counter()) < end:
        call()
        times.append(time.perf_counter() - start)
    return times


if __name__ == "__main__":
    main()
