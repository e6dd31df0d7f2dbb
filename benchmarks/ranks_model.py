"""How long a training step takes on P ranks, by the formula of docs/distributed.md.

    python -m benchmarks.ranks_model STEP.json    # what `mpiexec -n 1 python -m benchmarks.ranks --worker` printed

A bucket of m bytes that is full at t is summed by e = max(t, the e of the bucket before) + S(m), where

    S(m) = 2 (P - 1) / P * m / bandwidth + 2 log2(P) * latency

and a step ends when the last bucket is summed and the backward pass is done, and the optimizer behind both.
"""

import argparse
import json
import math
from pathlib import Path

# Bytes a second, which are the rates less a tenth, and seconds of latency that are usual for TCP and for remote memory:
# assumed, not measured here.
NETWORKS = {"25 Gbit/s, TCP": (25e9 / 8 * 0.9, 30e-6), "200 Gbit/s, RDMA": (200e9 / 8 * 0.9, 3e-6)}
RANKS = 2, 8, 64, 256, 1000


def sum_of(size, ranks, bandwidth, latency):
    """Seconds of a sum of so many bytes over ranks that nobody else uses the network with."""
    if ranks == 1:
        return 0.0
    return 2 * (ranks - 1) / ranks * size / bandwidth + 2 * math.log2(ranks) * latency


def waits(full, end, ranks, bandwidth, latency):
    """Seconds that a rank waits for sums behind its backward pass, which is done at `end`.

    full    [(seconds at which a bucket is full, its bytes)], from the beginning of the step
    """
    done = 0.0
    for at, size in full:
        done = max(done, at) + sum_of(size, ranks, bandwidth, latency)
    return max(0.0, done - end)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", type=Path)
    said = json.loads(parser.parse_args().step.read_text())
    alone = said["step"] - said["waits"]
    print(f"| ranks, each {1e3 * alone:.1f} ms a step | {' | '.join(NETWORKS)} |\n|---|---|---|")
    for ranks in RANKS:
        cells = []
        for network in NETWORKS.values():
            wait = waits(said["full"], said["end"], ranks, *network)
            cells.append(f"{1e3 * wait:.2f} ms, {alone / (alone + wait):.1%}")
        print(f"| {ranks} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
