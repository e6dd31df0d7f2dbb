"""Training steps of the tutorial's model on several ranks, by real mpiexec, beside one process.

    python -m benchmarks.ranks [--batch 32] [--rounds 3] [--steps 40]    # tables, as Markdown
    python -m benchmarks.ranks --gbit 1 [--delay 0.0002]                 # two hosts with a network between: network.py
    mpiexec -n 2 python -m benchmarks.ranks --worker --timeline          # when what happens in one step, on rank 0

A step is train_step() on a batch that is there, and its losses are counted. What a table says of a step: its time, how
much of it a rank waits for sums behind its own backward pass, how long the same sums take by themselves, and how much
of that is hidden behind the backward pass. Configurations run in turns, each in new processes. Times are medians of the
fastest twentieth of the steps, and of these the least of the rounds, as others may share the machine.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import numba_cnn as nc

from . import machine, network, probe, ranks_model, tutorial

WARM = 5  # steps that are not counted
FAST = 0.05  # the share of the others that is


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--batch", type=int, default=32, help="of one rank; of all in strong scaling"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, help="of a rank; default: its part of the host's")
    parser.add_argument("--gbit", type=float, help="of a link between two hosts, on namespaces")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that frames take one way")
    parser.add_argument("--worker", action="store_true", help="be one of mpiexec's processes")
    parser.add_argument("--timeline", action="store_true")
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments)
    elif arguments.gbit:
        by_network(arguments)
    else:
        tables(arguments)


def tables(arguments):
    cores, batch = len(os.sched_getaffinity(0)), arguments.batch
    cases = {f"1 rank x {n} threads, batch {batch}": (1, n, batch) for n in {1, cores}}
    cases |= {
        f"{n} ranks x {max(cores // n, 1)} threads, batch {size} ({name})": (
            n,
            max(cores // n, 1),
            size,
        )
        for n in sorted({2, cores})
        for name, size in (("strong", batch), ("weak", n * batch))
    }
    cases[f"1 rank x {cores} threads, batch {cores * batch}"] = 1, cores, cores * batch
    found = {name: [] for name in cases}
    for _ in range(arguments.rounds):
        for name, case in cases.items():
            found[name].append(measured(*case, arguments.steps))
    print(f"{machine.today()}, {cores} cores\n")
    print(
        "| | step | images a second | waits for sums | sums by themselves | hidden |\n|---|---|---|---|---|---|"
    )
    for name, rounds in found.items():
        step, waits, alone, hidden, *_ = least(rounds)
        size = cases[name][2]
        shown = (
            f"{1e3 * waits:.2f} ms | {1e3 * alone:.2f} ms | {hidden:.0%}"
            if "ranks" in name
            else " | | "
        )
        print(f"| {name} | {1e3 * step:.2f} ms | {size / step:.0f} | {shown} |")


def least(rounds):
    """The values of the round with the fastest steps."""
    return min(rounds, key=lambda one: one["step"]).values()


def by_network(arguments):
    """Two ranks of one thread each on two hosts, for several sizes of a batch, and the timeline of a step."""
    words = ["-m", "benchmarks.ranks", "--worker", "--threads", "1", "--steps", arguments.steps]
    with network.link(arguments.gbit, arguments.delay) as hosts:
        back, rate = probe.measured(hosts)

        def said(*more):
            whole = [*map(str, [*hosts.command, *words, *more])]
            done = subprocess.run(
                whole, stdout=subprocess.PIPE, text=True, check=True, env=hosts.environment
            )
            return done.stdout

        print(
            f"{machine.today()}, two hosts, {arguments.gbit:g} Gbit/s, {1e3 * arguments.delay:g} ms"
        )
        print(f"A connection: {8e-9 * rate:.3f} Gbit/s, {1e3 * back:.3f} ms there and back\n")
        print(
            "| batch of both | step | sums by themselves | by the model | waits for sums | by the model | hidden |\n"
            "|---|---|---|---|---|---|---|"
        )
        for batch in (arguments.batch, 2 * arguments.batch, 4 * arguments.batch):
            found = [json.loads(said("--batch", batch)) for _ in range(arguments.rounds)]
            step, waits, alone, hidden, full, end = least(found)
            link = 2, rate, back / 2
            by_model = ranks_model.summed([(0.0, size) for _, size in full], *link)
            waits_by_model = ranks_model.waits(full, end, *link)
            shown = step, alone, by_model, waits, waits_by_model
            times = " | ".join(f"{1e3 * t:.2f} ms" for t in shown)
            print(f"| {batch} | {times} | {hidden:.0%} |")
        print(f"\n```\n{said('--batch', 2 * arguments.batch, '--timeline')}```")


def measured(count, threads, batch, steps):
    """What rank 0 of so many says of its steps."""
    mpiexec = Path(sys.executable).with_name("mpiexec")
    words = ["--worker", "--batch", batch, "--threads", threads, "--steps", steps]
    command = [mpiexec, "-n", count, sys.executable, "-m", "benchmarks.ranks", *words]
    done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def work(arguments):
    """Be a rank: train on its share of a batch of so many images."""
    model = tutorial.model()
    ranks = model.distribute()
    if arguments.threads:
        nc.set_num_threads(arguments.threads)
    images, labels = tutorial.batch(arguments.batch)
    share = ranks.share(len(images))
    part = slice(share.first, share.first + share.size)
    x, y = map(model.backend.asarray, (images[part].copy(), labels[part].astype(np.int32)))
    times, waits, events = [], [], []
    for _ in range(WARM + arguments.steps):
        ranks.timeline, begun = [], time.perf_counter()
        model.train_step(x, y, None, share)
        times.append(time.perf_counter() - begun)
        at = dict(ranks.timeline)
        waits.append(at["summed"] - at["waits"])
        events.append(
            [*((what, when - begun) for what, when in ranks.timeline), ("end", times[-1])]
        )
    ranks.timeline = None
    alone = alone_takes(model, ranks, arguments.steps)
    fast = WARM + np.argsort(times[WARM:])[: max(round(FAST * arguments.steps), 1)]
    step, wait = np.median(np.array(times)[fast]), np.median(np.array(waits)[fast])
    if arguments.timeline and ranks.is_first:
        which = events[fast[len(fast) // 2]]
        print("\n".join(f"{1e3 * when:8.3f} ms  {what}" for what, when in which))
    elif ranks.is_first:
        hidden, at = max(0.0, 1 - wait / alone), dict(events[fast[len(fast) // 2]])
        sizes = [bucket.nbytes for bucket in model._sums.buckets.full]
        full = [(at[f"bucket {k}"], size) for k, size in enumerate(sizes)]
        said = {"step": step, "waits": wait, "alone": alone, "hidden": hidden}
        print(json.dumps({**said, "full": full, "end": at["waits"]}))


def alone_takes(model, ranks, steps):
    """The seconds of a step's sums with nothing beside them."""
    times, buckets = [], model._sums.buckets
    for _ in range(steps):
        ranks.sum(np.zeros(1))  # so that all begin together
        begun = time.perf_counter()
        for bucket in buckets.full:
            buckets.start(bucket)
        buckets.finish()
        buckets.begin(ranks.share(1))
        times.append(time.perf_counter() - begun)
    return float(np.median(np.sort(times)[: max(round(FAST * steps), 1)]))


if __name__ == "__main__":
    main()
