"""Who computes while fit reads JPEG files: the share of a core that each kind of thread takes.

    python -m benchmarks.timeline [FOLDER] [--milliseconds 600] [--out docs/images/feeding.png]

A process of its own looks every ten milliseconds how long each thread of this one has run, as Linux counts it at its
ticks, which are a few milliseconds apart (/proc/PID/task/TID/schedstat). Printed are the shares of the whole time, and
of how much of the cores is in use; --out draws the last milliseconds (needs the extra plots). FOLDER as in
benchmarks.feeding.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks import feeding, machine
from numba_cnn.utils import image_dataset

STEP = 10e-3  # seconds between two looks
STEPS, IMAGES = 128, 4096


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--milliseconds", type=int, default=600)
    parser.add_argument("--out")
    parser.add_argument("--watch", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.watch:
        watch(given.watch)
        return
    decoding = set()
    read = image_dataset.Reading.image

    def noting(reading, path):
        decoding.add(threading.get_native_id())
        return read(reading, path)

    with tempfile.TemporaryDirectory() as home:
        folder = feeding.copies(given.folder, home, IMAGES)
        model = feeding.network(64, len(list(folder.iterdir())))
        source = feeding.sources(folder, 64, 32)["image_dataset_from_directory"]
        model.fit(source, steps_per_epoch=8, verbose=0)
        image_dataset.Reading.image = noting
        command = [sys.executable, "-m", "benchmarks.timeline", "--watch", str(os.getpid())]
        watcher = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        watcher.stdout.readline()  # it has begun
        model.fit(source, steps_per_epoch=STEPS, verbose=0)
        looks = json.loads(watcher.communicate("\n")[0])
    shares, names = in_rows(looks, decoding)
    cores = len(os.sched_getaffinity(0))
    for name, row in zip(names, shares, strict=True):
        print(f"{name:24} {row.mean():.0%} of a core")
    print(f"{'all':24} {shares.sum(0).mean() / cores:.0%} of {cores} cores; {machine.today()}")
    if given.out:
        draw(shares[:, -int(given.milliseconds * 1e-3 / STEP) :], names, given.out)


def watch(process):
    """Look until a line comes; print [time, {thread: nanoseconds}] of each look."""
    ended, looks = threading.Event(), []
    threading.Thread(target=lambda: (sys.stdin.readline(), ended.set()), daemon=True).start()
    print(flush=True)
    while not ended.wait(STEP):
        times = {}
        for task in Path(f"/proc/{process}/task").iterdir():
            try:
                times[task.name] = int(Path(task, "schedstat").read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
        looks.append([time.perf_counter_ns(), times])
    print(json.dumps(looks))


def in_rows(looks, decoding):
    """(the share of a core in each step of time, a row a kind of thread; the kinds' names)."""
    kinds = {"steps, first thread": {os.getpid()}, "decoding": decoding}
    at = np.array([look for look, _ in looks])
    grid = np.arange(at[0], at[-1], STEP * 1e9)
    rows, known = [], set().union(*kinds.values())
    others = {int(task) for _, times in looks for task in times} - known
    for threads in (*kinds.values(), others):
        spent = [
            sum(ns for task, ns in times.items() if int(task) in threads) for _, times in looks
        ]
        spent = np.maximum.accumulate(
            np.interp(grid, at, spent)
        )  # what has ended is not taken back
        rows.append(np.diff(spent) / np.diff(grid))
    return np.array(rows), [*kinds, "steps, other threads"]


def draw(shares, names, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    order = [0, 2, 1]  # the steps' threads beside one another
    at = np.arange(shares.shape[1]) * STEP * 1e3
    figure, axes = plt.subplots(figsize=(9, 3), layout="constrained")
    axes.stackplot(
        at,
        shares[order],
        labels=[names[i] for i in order],
        colors=("#0072b2", "#56b4e9", "#e69f00"),
        step="mid",
    )
    axes.set(xlabel="milliseconds", ylabel="cores in use", xlim=(0, at[-1]), ylim=(0, None))
    figure.legend(loc="outside upper center", ncols=3)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
