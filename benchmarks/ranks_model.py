"""How long a training step takes on P ranks, by the formula of docs/distributed.md.

    python -m benchmarks.ranks_model STEP.json    # what `mpiexec -n 1 python -m benchmarks.ranks --worker` printed

A bucket of m bytes that is full at t is summed at e = max(t + L, the e of the bucket before) + S(m), where

    S(m) = 2 (P - 1) / P * m / bandwidth,    L = 2 log2(P) * latency

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


def summed(full, ranks, bandwidth, latency):
    """The second at which the last bucket is summed, of ranks that nobody else uses the network with.

    full    [(seconds at which a bucket is full, its bytes)], from the beginning of the step
    """
    if ranks == 1:
        return full[-1][0]
    done = 0.0
    for at, size in full:
        begun = max(done, at + 2 * math.log2(ranks) * latency)
        done = begun + 2 * (ranks - 1) / ranks * size / bandwidth
    return done


def waits(full, end, *network):
    """Seconds that a rank waits for sums behind its backward pass, which is done at `end`."""
    return max(0.0, summed(full, *network) - end)


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
