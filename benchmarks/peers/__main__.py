"""The tutorial's model on this library and on others, side by side: same weights, same batches,
interleaved rounds.

    python -m benchmarks.peers.environments FOLDER      # once: an environment for each
    python -m benchmarks.peers FOLDER [--threads 1 2] [--rounds 15] [--batch 32] [--only NAME ...]

Every library runs in processes of its own, pinned to as many cores as threads: one with the C
library's allocator as it is, and one where it keeps freed memory. Before anything is timed, the
probabilities of a batch and the losses of three training steps must agree; a library whose do not,
or which does not run, is named and left out. Each round times every process in turn, so that the
machine's moods hit all alike. The table, as Markdown, has medians of the better of the two
processes († where it keeps freed memory) and the medians of each round's ratio to numba_cnn.

    of FMA peak     operations of the direct sums, over what the cores do at most in the same round
    peak memory     of a process that did all of the above
    import          what its users import, in a fresh process
    first step      from the start of a process to the end of its first training step (first
                    prediction, of a library that does not train), compilers' caches filled before
    installed       all packages of the environment without byte code

It needs Linux, NumPy, and the memory that all of them take together, about 7 GB.
"""

import argparse
import os
from pathlib import Path

from benchmarks import machine
from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.measure import measure
from benchmarks.peers.process import Failed
from benchmarks.peers.table import markdown


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of the environments")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    parser.add_argument("--batch", type=int, default=32, metavar="N")
    parser.add_argument("--only", nargs="+", default=list(PEERS), choices=PEERS, metavar="NAME")
    arguments = parser.parse_args()
    for threads in arguments.threads:
        if threads > len(os.sched_getaffinity(0)):
            raise SystemExit(f"there are not as many cores. Received: --threads {threads}")
        try:
            rows, complaints = measure(
                arguments.folder, arguments.only, threads, arguments.rounds, arguments.batch
            )
        except Failed as failure:
            raise SystemExit(str(failure)) from None
        print(f"{threads} thread(s), {machine.today()}\n")
        print(markdown(rows), flush=True)
        for complaint in dict.fromkeys(complaints):
            print(f"\nLeft out: {complaint}")
        print()


if __name__ == "__main__":
    main()
