"""A library's process, seen from the one that asks; see worker.py and layer_worker.py for the other end."""

import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.peers import environments
from benchmarks.peers.catalogue import PEERS

# With these the C library keeps the memory that is freed, instead of returning it to the system
# and paying page faults for it in the next step.
MALLOC = {
    "default": {},
    "tuned": {
        "MALLOC_TRIM_THRESHOLD_": "2000000000",
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TOP_PAD_": "268435456",
    },
}
THREADS = (
    "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
)  # fmt: skip
# Seconds: threads of the process that was timed before look for work, ONNX Runtime's for half of that.
REST = 0.1


class Failed(Exception):
    """A library cannot run, or computes something else; the message is one line."""


class Process:
    """One library with one way to get memory, pinned to as many cores as it has threads."""

    def __init__(self, folder, name, threads, malloc, worker="worker", batch=32):
        self.name, self.malloc = name, malloc
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 close() closes it
        self._process = subprocess.Popen(
            [
                _python(folder, name),
                "-m",
                f"benchmarks.peers.{worker}",
                name,
                str(threads),
                str(batch),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=environments.ROOT,
            env=_environment(folder, name, threads) | MALLOC[malloc],
            preexec_fn=_pin(threads),
        )
        self.version = self._answer()

    def ask(self, task, number=0):
        try:
            self._process.stdin.write(f"{task} {number}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer says why
        return self._answer()

    def ask_rested(self, task, number=0):
        """The same after a rest, which what is timed needs."""
        time.sleep(REST)
        return self.ask(task, number)

    def close(self):
        self._process.communicate()  # ends its input, and waits
        self._errors.close()

    def _answer(self):
        for line in self._process.stdout:
            if line.startswith("@"):
                return json.loads(line[1:])
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().split("\n")
        said = [line for line in lines if line.strip()] or [f"exit {self._process.returncode}"]
        raise Failed(f"{self.name}: {said[-1]}")


def import_seconds(folder, name, rounds=5):
    """The time of a library's import in a fresh process, which has started already."""
    code = f"import time; t = time.perf_counter(); {PEERS[name].statement}; print(time.perf_counter() - t)"
    times = []
    for _ in range(rounds):
        done = subprocess.run(
            [_python(folder, name), "-c", code], capture_output=True, text=True, cwd=environments.ROOT, check=True,
            env=_environment(folder, name, 1), preexec_fn=_pin(1),
        )  # fmt: skip
        times.append(float(done.stdout.split()[-1]))
    return statistics.median(times)


def first_step_seconds(folder, name, threads, rounds=3):
    """From the start of a process to the end of its first step, with what earlier ones cached."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        process = Process(folder, name, threads, "default")
        process.ask("losses", 1)
        times.append(time.perf_counter() - start)
        process.close()
    return statistics.median(times)


def _python(folder, name):
    python = environments.python(folder, PEERS[name].environment)
    if not python.exists():
        raise Failed(f"{name}: there is no {python}")
    return str(python)


def _environment(folder, name, threads):
    """The variables: threads, a cache on disk for the compilers that have none by default, no chatter."""
    variables = dict.fromkeys(THREADS, str(threads)) | {
        "JAX_COMPILATION_CACHE_DIR": str(Path(folder, "jax_cache").absolute()),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    if threads == 1:
        variables["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    if name.startswith("keras_"):
        variables["KERAS_BACKEND"] = name.removeprefix("keras_")
    return os.environ | variables


def _pin(threads):
    """What a child runs first: it stays on the first of the cores that this process may use."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    return lambda: os.sched_setaffinity(0, cores)
