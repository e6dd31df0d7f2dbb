"""Versions of the library in turns: the tutorial's model by the code of two commits, each in a work tree of its own.

    python -m benchmarks.versions BEFORE [AFTER] [--rounds 40] [--threads 1 2] [--starts 7]

The first table says whether three training steps and the predictions after them have the same bits. The next ones have
medians of interleaved rounds, and the median ratio AFTER over BEFORE with the 95 % interval of its order statistics:
calls in two processes that take turns, then starts of fresh processes (with kernels cached, and with an empty cache).
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

SECONDS = 0.05  # of calls in a row, whose mean is one time
REST = 0.02
PAIR = 2  # rounds of one pair of processes: where a process's memory lies decides a few percent of its times
CALLS = "train step, batch 32", "inference, batch 32", "inference, batch 1", "predict, batch 1"
ROOT = Path(__file__).parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after", nargs="?", default="HEAD")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--starts", type=int, default=7, help="rounds of fresh processes; 0: none")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        versions = [
            Version(commit, Path(home) / name, stack)
            for name, commit in (("before", arguments.before), ("after", arguments.after))
        ]
        compare_bits(versions, sorted({*arguments.threads}))
        heading = (
            f"| | {arguments.before} | {arguments.after} | ratio | 95 % |\n|---|---|---|---|---|"
        )
        for threads in arguments.threads:
            print(f"\nOn {threads} thread{'s' if threads > 1 else ''}:\n\n{heading}")
            compare_calls(versions, threads, arguments.rounds)
        if arguments.starts:
            print(f"\nFresh processes:\n\n{heading}")
            compare_starts(versions, arguments.starts)


class Version:
    """A commit in a work tree of its own, with a folder of its own for compiled kernels."""

    def __init__(self, commit, folder, stack):
        self.folder = folder / "tree"
        self.environment = os.environ | {
            "PYTHONPATH": str(self.folder), "NUMBA_CACHE_DIR": str(folder / "kernels"),
            "PYTHONDONTWRITEBYTECODE": "",  # starts are those of an installed package
        }  # fmt: skip
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", self.folder, commit], check=True)
        stack.callback(subprocess.run, [*git, "remove", "--force", self.folder], check=True)

    def command(self, what, threads):
        # -P: the folder of this file, which belongs to another version, is not searched.
        return [sys.executable, "-P", __file__, "--within", what, str(threads)]

    def run(self, what, threads=1, **settings):
        """What the command prints, as JSON."""
        done = subprocess.run(
            self.command(what, threads), cwd=self.folder, env=self.environment | settings,
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return json.loads(done.stdout.splitlines()[-1])

    def start(self, threads):
        """A process that times the call whose place it reads, again and again."""
        return subprocess.Popen(
            self.command("calls", threads), cwd=self.folder, env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip


def compare_bits(versions, all_threads):
    print("| three training steps and the predictions after them | |\n|---|---|")
    for bits in ("", "256"):
        for threads in all_threads:
            settings = {"NUMBA_CNN_VECTOR_BITS": bits} if bits else {}
            before, after = (version.run("bits", threads, **settings) for version in versions)
            width = f"{bits} bits" if bits else "this processor's vectors"
            same = "the same bits" if before["digest"] == after["digest"] else "other bits"
            losses = max(abs(a - b) for a, b in zip(before["losses"], after["losses"], strict=True))
            print(
                f"| {threads} threads, {width} | {same}; losses differ by {losses:.1e} |",
                flush=True,
            )


def compare_calls(versions, threads, rounds):
    times = {call: [] for call in CALLS}
    for _ in range(0, rounds, PAIR):
        workers = [version.start(threads) for version in versions]
        for place, call in enumerate(CALLS):
            times[call] += [in_turn(workers, place, i) for i in range(PAIR + 1)][1:]
        for worker in workers:
            worker.stdin.close()
            worker.wait()
    for call in CALLS:
        row(call, times[call], 1e3, "ms")


def in_turn(workers, place, i):
    """(before, after): seconds of a call in round i, whose order changes from round to round."""
    pair = {}
    for which in (0, 1) if i % 2 else (1, 0):
        print(place, file=workers[which].stdin, flush=True)
        pair[which] = float(workers[which].stdout.readline())
    return pair[0], pair[1]


def compare_starts(versions, rounds):
    for what in ("import", "first step", "cold first step"):
        times = []
        for i in range(rounds):
            pair = {}
            for which in (0, 1) if i % 2 else (1, 0):
                with tempfile.TemporaryDirectory() as empty:
                    settings = {"NUMBA_CACHE_DIR": empty} if "cold" in what else {}
                    name = "import" if what == "import" else "first"
                    pair[which] = versions[which].run(name, **settings)["seconds"]
            times.append((pair[0], pair[1]))
        row(f"{what}, processor time", times, 1, "s")


def row(name, times, scale, unit):
    """times: (before, after) of each round."""
    before, after = (scale * median(column) for column in zip(*times, strict=True))
    ratios = sorted(b / a for a, b in times)
    # Ranks of the interval: the median's binomial distribution, by its normal approximation.
    rank = max(0, round(len(ratios) / 2 - 0.98 * len(ratios) ** 0.5) - 1)
    low, high = ratios[rank], ratios[-1 - rank]
    print(
        f"| {name} | {before:.3f} {unit} | {after:.3f} {unit} | {median(ratios):.3f} | {low:.3f} to {high:.3f} |",
        flush=True,
    )


def within(what, threads):
    """What runs in a version's own tree."""
    import numba_cnn

    if what != "import":
        from benchmarks import tutorial
        from numba_cnn.backends import cpu

        cpu.set_num_threads(threads)
        model = tutorial.model()
        x, y = tutorial.batch(32)
        if what == "bits":
            print(json.dumps(digest(model, x, y)))
            return
        model.train_step(x, y)
        if what == "calls":
            calls(model, x, y)
            return
    assert Path(numba_cnn.__file__).is_relative_to(Path.cwd())
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"seconds": usage.ru_utime + usage.ru_stime}))


def digest(model, x, y):
    losses = model.fit(x, y, 32, epochs=3, shuffle=False, verbose=0).history["loss"]
    arrays = [*model.get_weights(), model(x)]
    return {
        "losses": losses,
        "digest": hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest(),
    }


def calls(model, x, y):
    one = x[:1].copy()
    functions = [
        lambda: model.train_step(x, y),
        lambda: model(x),
        lambda: model(one),
        lambda: model.predict(one, verbose=0),
    ]
    for line in sys.stdin:
        function = functions[int(line)]
        time.sleep(REST)
        function()
        start, count = time.perf_counter(), 0
        while (now := time.perf_counter()) < start + SECONDS:
            function()
            count += 1
        print((now - start) / count, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--within"]:
        within(sys.argv[2], int(sys.argv[3]))
    else:
        main()
