"""One library in a process of its own: `python -m benchmarks.peers.worker NAME THREADS`.

It answers in lines of "@" and JSON: its version once the model is built, then for each line read

    probabilities 32    of a batch of 32, and
    losses STEPS        of that many training steps on it (one prediction if it does not train)
    train BATCH, predict BATCH    the seconds of one step
    memory 0            the peak resident memory in bytes
    peak 0              the FLOP/s of its cores at most (numba_cnn only)
"""

import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.peers import network
from benchmarks.peers.catalogue import PEERS

REPEAT = {1: 50, 32: 3}  # steps that are timed at once
# Seconds. Other processes have used the caches, and their threads look for work on the cores, for several milliseconds
# in the case of OpenMP's, before they sleep.
WARM_UP = 0.02


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    library = importlib.import_module(f"benchmarks.peers.libraries.{PEERS[name].file}")
    worker = Worker(library.build(name, network.weights(), threads))
    _answer(worker.model.version)
    for line in sys.stdin:
        task, number = line.split()
        _answer(getattr(worker, task)(int(number)))


def _answer(value):
    print("@" + json.dumps(value), flush=True)


class Worker:
    """What can be asked of a model."""

    def __init__(self, model):
        self.model = model
        self.batches = {}
        for size in REPEAT:
            x, labels = network.batch(size)
            self.batches[size] = model.images(np.ascontiguousarray(x)), labels

    def probabilities(self, size):
        return np.asarray(self.model.predict(self.batches[size][0])).tolist()

    def losses(self, steps):
        if self.model.train is None:
            self.model.predict(self.batches[32][0])
            return None
        return [float(self.model.train(*self.batches[32])) for _ in range(steps)]

    def train(self, size):
        images, labels = self.batches[size]
        return seconds(lambda: self.model.train(images, labels), REPEAT[size])

    def predict(self, size):
        images, _ = self.batches[size]
        return seconds(lambda: self.model.predict(images), REPEAT[size])

    def memory(self, _):
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])

    def peak(self, _):
        from benchmarks import fma_peak

        return fma_peak.rate()


def seconds(step, repeat):
    """The time of one step, after WARM_UP seconds of steps that are not counted."""
    stop = time.perf_counter() + WARM_UP
    while time.perf_counter() < stop:
        step()
    start = time.perf_counter()
    for _ in range(repeat):
        step()
    return (time.perf_counter() - start) / repeat


if __name__ == "__main__":
    main()
