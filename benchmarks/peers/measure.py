"""All libraries in interleaved rounds."""

from statistics import median
from typing import NamedTuple

import numpy as np

from benchmarks.peers import environments, network
from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.process import MALLOC, Failed, Process, first_step_seconds, import_seconds

OURS = "numba_cnn"


def tasks(batch):
    """What is timed, by the titles of the table."""
    return {
        f"train step, batch {batch}": ("train", batch),
        f"inference, batch {batch}": ("predict", batch),
        "inference, batch 1": ("predict", 1),
    }


class Best(NamedTuple):
    """What was measured, round by round, with the way to get memory that did best."""

    values: list
    malloc: str = "default"


class Row(NamedTuple):
    """What was measured of one library, by the titles of the table: seconds, bytes, a share."""

    name: str
    version: str
    measures: dict  # title -> Best, or None for what the library does not do


def measure(folder, names, threads, rounds, batch):
    """(rows, complaints): this library comes first; what fails is left out, and complained of."""
    processes, complaints = _start(folder, names, threads, batch)
    _check(processes, complaints)
    if not processes or processes[0].name != OURS:
        raise Failed(f"{OURS} does not run. {complaints[0]}")
    values, peaks = _rounds(processes, complaints, tasks(batch), rounds)
    memory = {process: [process.ask("memory")] for process in processes}
    for process in processes:
        process.close()
    rows = []
    for name, version in {process.name: process.version for process in processes}.items():
        own = [process for process in processes if process.name == name]
        steps = {title: _best(own, values[title]) for title in tasks(batch)}
        train, *inference = steps
        size = environments.installed_bytes(folder, PEERS[name].environment)
        measures = {
            train: steps[train],
            "of FMA peak": _share(steps[train], peaks, batch),
            **{title: steps[title] for title in inference},
            "peak memory": _best(own, memory),
            "import": Best([import_seconds(folder, name)]),
            "first step": Best([first_step_seconds(folder, name, threads)]),
            "installed": Best([size]),
        }
        rows.append(Row(name, version, measures))
    return rows, complaints


def _start(folder, names, threads, batch):
    """Two processes for each library, and a line for each that does not start."""
    processes, complaints = [], []
    for name in [OURS, *(name for name in names if name != OURS)]:
        for malloc in MALLOC:
            try:
                processes.append(Process(folder, name, threads, malloc, batch=batch))
            except Failed as failure:
                complaints.append(str(failure))
    return processes, complaints


def _each(processes, complaints, act):
    """act(process) for each; those that fail are left out from now on."""
    for process in list(processes):
        try:
            act(process)
        except Failed as failure:
            complaints.append(str(failure))
            processes.remove(process)
            process.close()


def _check(processes, complaints):
    """Keep those whose probabilities, and losses of three training steps, are this library's.

    The losses may differ by 0.2 %, since PyTorch's Adam adds its epsilon at another place.
    """
    expected = []

    def check(process):
        probabilities, losses = process.ask("probabilities"), process.ask("losses", 3)
        process.trains = losses is not None
        expected.append((probabilities, losses))
        if not np.allclose(probabilities, expected[0][0], rtol=0, atol=1e-4):
            raise Failed(f"{process.name}: it computes other probabilities")
        if process.trains and not np.allclose(losses, expected[0][1], rtol=2e-3):
            raise Failed(f"{process.name}: it computes other losses, {losses}: {expected[0][1]}")

    _each(processes, complaints, check)


def _rounds(processes, complaints, timed, rounds):
    """(seconds by task and process, FLOP/s of the cores), each a list with one value per round."""
    values, peaks = {title: {process: [] for process in processes} for title in timed}, []
    for title, task in timed.items():

        def clock(process, title=title, task=task):
            if process.trains or task[0] != "train":
                values[title][process].append(process.ask_rested(*task))

        for _ in range(rounds):
            if task[0] == "train":
                peaks.append(processes[0].ask_rested("peak"))
            _each(processes, complaints, clock)
    return values, peaks


def _best(processes, values):
    found = [Best(values[process], process.malloc) for process in processes if values[process]]
    return min(found, key=lambda best: median(best.values), default=None)


def _share(train, peaks, batch):
    """The share of the FMA peak, each round against the peak of that round."""
    if train is None:
        return None
    flop = network.flop_of_train_step(batch)
    shares = [flop / s / peak for s, peak in zip(train.values, peaks, strict=True)]
    return Best(shares, train.malloc)
