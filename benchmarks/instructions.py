"""How many vector instructions a pass of benchmarks.bandwidth executes, counted by stepping through its kernels.

    python -m benchmarks.instructions [NAME ...]

prints for each pass what an element costs: instructions by the width of their registers, and divisions by lanes (square
roots are divisions). Loads, stores and plain moves are not counted: other ports of a core do them. Linux on x86-64
(ptrace), with capstone, which tells the instructions: `pip install capstone`.
"""

import argparse
import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter

import numpy as np

IMAGES = 1  # of bandwidth.SHAPE, enough to count: each instruction is a stop of the process
_TRACEME, _PEEKUSER, _CONT, _SINGLESTEP, _RIP = 0, 3, 7, 9, 128
_MOVES = re.compile(r"v?(mov(ap|up|dq|nt|ss|sd|d$|q$)|lddqu|p?broadcast|zero(upper|all)|prefetch)")
_DIVISIONS = re.compile(r"v?(div|sqrt)")
_REGISTER = re.compile(r"\b([xyz])mm")
LANES = {"x": 4, "y": 8, "z": 16}


def counts(names):
    """{name of a pass: ({lanes of a register: instructions}, divisions), per element of bandwidth.SHAPE}."""
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-m", "benchmarks.instructions", "--child", *names]
        settings = os.environ | {"NUMBA_CACHE_DIR": empty, "NUMBA_NUM_THREADS": "1"}
        child = subprocess.Popen(command, env=settings)
        try:
            return dict(zip(names, _each_pass(child.pid, len(names)), strict=True))
        finally:
            child.kill()
            child.wait()


def _each_pass(pid, passes):
    """The cost of each pass of a child, which stops itself around each launch, and tells the end of a pass."""
    from . import bandwidth

    trace, elements = _ptrace(), IMAGES * int(np.prod(bandwidth.SHAPE[1:]))
    steps, stepping, found = Counter(), False, []
    while len(found) < passes:
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            raise RuntimeError(f"instructions: the counted process ended. Received: {status}")
        stop, pass_on = os.WSTOPSIG(status), 0
        if stop == signal.SIGSTOP:
            stepping = not stepping
        elif stop == signal.SIGUSR1:
            found.append(_cost(pid, steps, elements))
            steps.clear()
        elif stop == signal.SIGTRAP and stepping:
            steps[trace(_PEEKUSER, pid, _RIP, 0)] += 1
        elif stop != signal.SIGTRAP:
            pass_on = stop
        trace(_SINGLESTEP if stepping else _CONT, pid, 0, pass_on)
    return found


def _ptrace():
    trace = ctypes.CDLL(None, use_errno=True).ptrace
    trace.restype, trace.argtypes = ctypes.c_long, [ctypes.c_long] * 4
    return trace


def _cost(pid, steps, elements):
    """({lanes: instructions}, divisions) per element, of the steps that lie in compiled code."""
    import capstone

    with open(f"/proc/{pid}/maps") as maps:
        compiled = [
            line.split() for line in maps if len(line.split()) == 5 and "x" in line.split()[1]
        ]
    ranges = [[int(end, 16) for end in line[0].split("-")] for line in compiled]
    decoder, arithmetic, divisions = (
        capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64),
        Counter(),
        0,
    )
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for address, times in steps.items():
            if not any(first <= address < last for first, last in ranges):
                continue
            memory.seek(address)
            _, _, word, operands = next(decoder.disasm_lite(memory.read(15), address))
            widths = [LANES[letter] for letter in _REGISTER.findall(operands)]
            if not widths or _MOVES.match(word):
                continue
            if _DIVISIONS.match(word):
                divisions += times * max(widths)
            else:
                arithmetic[max(widths)] += times
    return {lanes: n / elements for lanes, n in arithmetic.items()}, divisions / elements


def _child(names):
    """Run these passes once each, with a stop before and after each launch, and a signal after each pass."""
    from numba_cnn.backends.cpu.microkernels import nontemporal
    from numba_cnn.backends.cpu.runtime import launch

    from . import bandwidth

    bandwidth.SHAPE = IMAGES, *bandwidth.SHAPE[1:]
    nontemporal.NONTEMPORAL_BYTES = 1  # as of arrays that no cache holds
    functions = [dict(bandwidth.passes())[name]()[0] for name in names]
    for function in functions:
        function()
    run, me = launch.run, os.getpid()

    def stopping(table):
        os.kill(me, signal.SIGSTOP)
        run(table)
        os.kill(me, signal.SIGSTOP)

    launch.run = stopping
    _ptrace()(_TRACEME, 0, 0, 0)
    for function in functions:
        function()
        os.kill(me, signal.SIGUSR1)


def main():
    from . import bandwidth

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(arguments.names)
        return
    for name, _ in bandwidth.of_names(arguments.names):
        ((instructions, divisions),) = counts([name]).values()
        print(f"{name}: {instructions}, divisions {divisions:.3f}", flush=True)


if __name__ == "__main__":
    main()
