"""The tutorial's model on this library and on others, side by side: same weights, same batches,
interleaved rounds.

    python -m benchmarks.peers numba_cnn=PYTHON pytorch=PYTHON keras_jax=PYTHON ... [--threads 1] [--rounds 15]

Each PYTHON is the interpreter of an environment that has that library (this one needs no other).
Every library runs in a process of its own, pinned to as many cores as threads, with memory that is
not given back to the system between steps; before anything is timed, the losses of three training
steps must agree. Each round times every library in turn, so that the machine's moods hit all alike;
the table, as Markdown, has medians, and the medians of each round's ratio to numba_cnn.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
# The C library's allocator keeps freed memory: without this PyTorch spends a third of a step on page faults.
MALLOC = {
    "MALLOC_TRIM_THRESHOLD_": "2000000000",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TOP_PAD_": "268435456",
}
TASKS = {
    "train step, batch 32": ("train", 32),
    "inference, batch 32": ("predict", 32),
    "inference, batch 1": ("predict", 1),
}


class Peer:
    """One library in its own process; see worker.py for the conversation."""

    def __init__(self, name, python, threads, weights):
        cores = {str(k) for k in range(threads)}
        variables = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | MALLOC | dict.fromkeys(variables, str(threads))
        environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=" + (
            "true" if threads > 1 else "false"
        )
        command = [
            "taskset",
            "-c",
            ",".join(sorted(cores)),
            python,
            HERE / "worker.py",
            name,
            weights,
        ]
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.losses, self.version = self._answer(), self._answer()

    def seconds(self, task, batch):
        self.process.stdin.write(f"{task} {batch}\n")
        self.process.stdin.flush()
        return self._answer()

    def peak_memory(self):
        self.process.stdin.write("memory 0\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self):
        for line in self.process.stdout:
            if line.startswith("@"):
                return json.loads(line[1:])
        raise SystemExit(f"{self.name}: the worker stopped; its message stands above")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", nargs="+", metavar="NAME=PYTHON")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, "weights.npz")
        _save_weights(weights)
        named = [peer.split("=", 1) for peer in arguments.peers]
        if named[0][0] != "numba_cnn":
            named.insert(0, ["numba_cnn", sys.executable])
        peers = [Peer(name, python, arguments.threads, weights) for name, python in named]
        _require_equal_losses(peers)
        print(f"{arguments.threads} thread(s), {_machine()}, {datetime.date.today()}\n")
        print("| | " + " | ".join(f"{peer.name} {peer.version}" for peer in peers) + " |")
        print("|---|" + "---|" * len(peers))
        for title, (task, batch) in TASKS.items():
            rounds = [
                [peer.seconds(task, batch) for peer in peers] for _ in range(arguments.rounds)
            ]
            cells = []
            for k in range(len(peers)):
                median = statistics.median(times[k] for times in rounds)
                ratio = statistics.median(times[k] / times[0] for times in rounds)
                cells.append(f"{median * 1e3:.2f} ms" + (f" ({ratio:.2f}x)" if k else ""))
            print(f"| {title} | " + " | ".join(cells) + " |", flush=True)
        print(
            "| peak memory | " + " | ".join(f"{peer.peak_memory():.0f} MB" for peer in peers) + " |"
        )


def _save_weights(path):
    """Glorot-uniform filters and zero biases, in this library's order and layout."""
    rng = np.random.default_rng(1)
    shapes = [(3, 3, 3, 32), (3, 3, 32, 64), (3, 3, 64, 64), (9216, 64), (64, 10)]
    arrays = {}
    for k, shape in enumerate(shapes):
        limit = (6 / (np.prod(shape[:-1]) + np.prod(shape[:-2]) * shape[-1])) ** 0.5
        arrays[f"weight{k}"] = rng.uniform(-limit, limit, shape).astype(np.float32)
        arrays[f"bias{k}"] = np.zeros(shape[-1], np.float32)
    np.savez(path, **arrays)


def _require_equal_losses(peers):
    for peer in peers[1:]:
        if not np.allclose(peer.losses, peers[0].losses, rtol=2e-3):
            raise SystemExit(
                f"{peer.name} computes other losses: {peer.losses}, numba_cnn {peers[0].losses}"
            )


def _machine():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
