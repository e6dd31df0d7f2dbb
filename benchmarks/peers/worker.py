"""One library in a process of its own: `python -m benchmarks.peers.worker NAME THREADS BATCH`.

It answers in lines of "@" and JSON: its version once the model is built, then for each line read

    probabilities 0     of a batch, and
    losses STEPS        of that many training steps on it (one prediction if it does not train)
    train SIZE, predict SIZE    the seconds of one step; a size is that of the batch, or 1
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

IMAGES = 96  # whose steps are timed at once, but at most
REPEAT = 50
# Seconds. Other processes have used the caches, and OpenMP's threads in them look for work on the cores for several
# milliseconds before they sleep.
WARM_UP = 0.02


def main():
    name, threads, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    library = importlib.import_module(f"benchmarks.peers.libraries.{PEERS[name].file}")
    worker = Worker(library.build(name, network.weights(), threads), batch)
    _answer(worker.model.version)
    for line in sys.stdin:
        task, number = line.split()
        _answer(getattr(worker, task)(int(number)))


def _answer(value):
    print("@" + json.dumps(value), flush=True)


class Worker:
    """What can be asked of a model."""

    def __init__(self, model, batch):
        self.model, self.batch = model, batch
        self.batches = {}
        for size in (1, batch):
            x, labels = network.batch(size)
            self.batches[size] = model.images(np.ascontiguousarray(x)), labels

    def probabilities(self, _):
        return np.asarray(self.model.predict(self.batches[self.batch][0])).tolist()

    def losses(self, steps):
        if self.model.train is None:
            self.model.predict(self.batches[self.batch][0])
            return None
        return [float(self.model.train(*self.batches[self.batch])) for _ in range(steps)]

    def train(self, size):
        images, labels = self.batches[size]
        return seconds(lambda: self.model.train(images, labels), _repeat(size))

    def predict(self, size):
        images, _ = self.batches[size]
        return seconds(lambda: self.model.predict(images), _repeat(size))

    def memory(self, _):
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])

    def peak(self, _):
        from benchmarks import fma_peak

        return fma_peak.rate()


def _repeat(size):
    return max(1, min(REPEAT, IMAGES // size))


def seconds(step, repeat):
    """The time of one step, after WARM_UP seconds of steps that are not counted: the mean of `repeat` steps, or of as
    many as take a quarter of that time."""
    stop, steps = time.perf_counter() + WARM_UP, 0
    while time.perf_counter() < stop:
        step()
        steps += 1
    repeat = max(repeat, steps // 4)
    start = time.perf_counter()
    for _ in range(repeat):
        step()
    return (time.perf_counter() - start) / repeat


if __name__ == "__main__":
    main()
