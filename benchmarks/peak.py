"""Every pass of the convolutions in workloads.py as a share of the FMA peak of as many cores, measured
in the same run.

    python -m benchmarks.peak [--threads 1] [--batch 8] [--algorithm auto]

Each round times the peak, the pass and the peak again; the table has the medians of the rounds'
ratios, as Markdown. Winograd's algorithm does fewer multiplications than the direct sum that is
counted, so its share can pass 100 %. Passes over memory run on the tutorial's activations at a batch
of 128, 63 MB that no cache holds, as what they are compared to: a smaller batch would pay for the
lines that the copy before it left to be written.
"""

import argparse

import numba
import numpy as np

from numba_cnn import ops

from . import fma_peak, layers, workloads


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--algorithm", default="auto")
    arguments = parser.parse_args()
    numba.set_num_threads(arguments.threads)
    print("| layer | forward | input gradient | weight gradient |\n|---|---|---|---|")
    for name, layer in layers.CONV2D.items():
        algorithm = arguments.algorithm
        fits = (layer.kernel, layer.strides, layer.groups) == ((3, 3), 1, 1)
        if algorithm == "winograd" and not fits:
            continue
        case = workloads.Conv2D(name, arguments.batch, algorithm)
        passes = (case.forward, case.backward_input, case.backward_weight)
        shares = [fma_peak.share(p, case.flop) for p in passes]
        print(f"| {name} | " + " | ".join(f"{share:.0%}" for share in shares) + " |", flush=True)
    print("\n| pass over memory | share of the bandwidth of a copy |\n|---|---|")
    for name, function, size in _passes(128):
        print(f"| {name} | {_share_of_bandwidth(function, size):.0%} |", flush=True)


def _passes(batch):
    """(name, function, bytes read and written) of the passes that memory bounds, too large for caches to help."""
    x, dy = workloads.array(batch, 62, 62, 32), workloads.array(batch, 62, 62, 32)
    y = ops.relu(x)
    pooled, argmax = ops.max_pool2d(x)
    dpooled = workloads.array(*pooled.shape)
    small = pooled.nbytes + argmax.nbytes
    yield "ReLU", lambda: ops.relu(x), 2 * x.nbytes
    yield "ReLU's gradient", lambda: ops.relu_backward(dy, y), 3 * x.nbytes
    yield "max pooling", lambda: ops.max_pool2d(x), x.nbytes + small
    yield (
        "its gradient",
        lambda: ops.max_pool2d_backward(dpooled, argmax, x.shape),
        x.nbytes + small,
    )


def _share_of_bandwidth(function, size):
    """The rate of a function against that of a copy of 64 MiB within the same memory, in turns."""
    source = workloads.array(1 << 24)
    target = np.empty_like(source)
    ratio = fma_peak.median_ratio(lambda: np.copyto(target, source), function)
    return ratio * size / (2 * source.nbytes)


if __name__ == "__main__":
    main()
