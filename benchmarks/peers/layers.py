"""The convolutions of layers.py in this library and in PyTorch, whose passes oneDNN computes, side by side.

    python -m benchmarks.peers.layers FOLDER [--threads 1 2] [--rounds 15]

FOLDER has the environments, see benchmarks/peers. Each library runs in processes of its own, with the
C library's allocator as it is and one that keeps freed memory; PyTorch's better one counts. All must compute the same
numbers before they are timed, in interleaved rounds, on batches of 8, after rests. The table, as Markdown, has the
medians of PyTorch's time over this library's, and how far two cores were apart meanwhile, see hand_over.py.
"""

import argparse
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import machine
from benchmarks.layers import CONV2D
from benchmarks.peers.layer_worker import PASSES
from benchmarks.peers.process import MALLOC, Failed, Process

OURS, THEIRS = "numba_cnn", "pytorch_channels_last"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of the environments")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    arguments = parser.parse_args()
    for threads in arguments.threads:
        try:
            _compare(arguments.folder, threads, arguments.rounds)
        except Failed as failure:
            raise SystemExit(str(failure)) from None


def _compare(folder, threads, rounds):
    def start(name, malloc):
        return Process(folder, name, threads, malloc, "layer_worker")

    ours, theirs = start(OURS, "default"), [start(THEIRS, malloc) for malloc in MALLOC]
    print(
        f"{threads} thread(s), {machine.today()}, {OURS} {ours.version}, PyTorch {theirs[0].version}\n"
    )
    titles = ["layer", "forward", "input gradient", "weight gradient"]
    titles += ["cores apart"] if threads > 1 else []
    print(f"| {' | '.join(titles)} |\n|{len(titles) * '---|'}")
    for index, layer in enumerate(CONV2D):
        expected, *others = (process.ask("prove", index) for process in (ours, *theirs))
        for other in others:
            for name, one, two in zip(PASSES, expected, other, strict=True):
                if not np.allclose(one, two, rtol=0, atol=1e-4 * np.abs(one).max()):
                    raise Failed(f"{layer}, {name}: PyTorch computes something else")
        cells, apart = [layer], []
        for name in PASSES:
            cells.append(f"{_ratio(ours, theirs, name, rounds):.2f}x")
            apart += [ours.ask("apart")] if threads > 1 else []
        cells += [f"{median(apart):.0f} ns"] if apart else []
        print(f"| {' | '.join(cells)} |", flush=True)
    print()
    for process in (ours, *theirs):
        process.close()


def _ratio(ours, theirs, name, rounds):
    """The median over the rounds of their time to ours, of the faster of their processes."""
    times = [[process.ask_rested(name) for process in (ours, *theirs)] for _ in range(rounds)]
    return min(median(row[i] / row[0] for row in times) for i in range(1, 1 + len(theirs)))


if __name__ == "__main__":
    main()
