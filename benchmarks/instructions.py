"""How many vector instructions the loops of element-wise kernels have, counted in the code that LLVM made.

    python -m benchmarks.instructions

prints them as JSON: for each activation, forward and gradient, and for the passes of layers that compute more than they
move, what an element costs of instructions, each one for all lanes of a vector, and of divisions, counted by lanes
(square roots are divisions). Loads, stores and plain moves are not counted: other ports of a core do them.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from importlib import import_module

import numpy as np

_LABEL = re.compile(r"^(\.L[\w.]+):")
_JUMP = re.compile(r"^\tj\w+\t(\.L[\w.]+)")
_MOVES = re.compile(r"^(v?mov(ap|up|dq|nt|d$|q$)|v?(p)?broadcast|vzeroupper|prefetch)")
_DIVISIONS = re.compile(r"^v?(div|sqrt)")
_STACK = re.compile(r"\(%r[sb]p")  # where a loop keeps what its registers do not hold
_REGISTER = re.compile(r"%([xyz])mm")
LANES = {"x": 4, "y": 8, "z": 16}
# Passes of layers: the kernels and functions, by their module below backends/cpu, each of whose main loops an element
# goes through.
PASSES = {
    ("Dropout", "training"): ["dropout._mask"],
    ("Dropout", "backward"): ["dropout._mask"],
    ("GaussianNoise", "training"): ["dropout._noise", "dropout._add_normals"],
}


def counts():
    """{(activation, "forward" or "gradient"), or (layer, pass): (vector instructions, divisions) per element}."""
    with tempfile.TemporaryDirectory() as empty:  # code that comes from the cache has no text
        settings = os.environ | {"NUMBA_CACHE_DIR": empty}
        command = [sys.executable, "-m", "benchmarks.instructions"]
        printed = subprocess.run(command, env=settings, check=True, capture_output=True, text=True)
    return {(name, of): tuple(cost) for name, of, *cost in json.loads(printed.stdout)}


def main():
    from numba_cnn.backends import scalars
    from numba_cnn.backends.cpu import activations

    texts = []

    def noting(function, kinds):
        address = address_of(function, kinds)
        texts.append(function.overloads[kinds].library.get_asm_str())
        return address

    address_of, activations.address_of = activations.address_of, noting
    rows = []
    for name in scalars.SETTINGS:
        for of, make in ("forward", activations._loop), ("gradient", activations._gradient_loop):
            make(name, np.dtype("f"))
            rows.append([name, of, *per_element(texts[-1])])
    rows += [[*name, *of_a_pass(name[0], loops)] for name, loops in PASSES.items()]
    print(json.dumps(rows))


def of_a_pass(layer, loops):
    """(arithmetic, divisions) of an element in all of these loops."""
    from numba_cnn import layers

    settings = {"GaussianNoise": {"stddev": 1.0}, "Dropout": {"rate": 0.5}}[layer]
    getattr(layers, layer)(**settings)(np.ones((2, 64), np.float32), training=True)
    costs = []
    for name in loops:
        module, function = name.split(".")
        found = getattr(import_module(f"numba_cnn.backends.cpu.{module}"), function)
        (compiled,) = getattr(found, "share", found).overloads.values()
        costs.append(per_element(compiled.library.get_asm_str()))
    return map(sum, zip(*costs, strict=True))


def per_element(text):
    """(arithmetic, divisions) of an element in the loop that has the most vector instructions for each store."""
    loops = [cost for cost in map(_cost, innermost_loops(text.splitlines())) if cost is not None]
    return max(loops, key=lambda cost: cost[2])[:2]


def innermost_loops(lines):
    """The lines of each loop that has no other one inside."""
    labels, loops = {}, []
    for i, line in enumerate(lines):
        if label := _LABEL.match(line):
            labels[label[1]] = i
        elif (jump := _JUMP.match(line)) and jump[1] in labels:
            start = labels[jump[1]]
            if not any(start < first for first, _ in loops):
                loops.append((start, i))
    return [lines[first:last] for first, last in loops]


def _cost(loop):
    """(arithmetic, divisions, lanes of the widest store) of a loop over vectors; None of others."""
    arithmetic = divisions = elements = widest = 0
    for line in loop:
        parts = line.split(None, 1)
        if len(parts) < 2 or not (register := _REGISTER.search(parts[1])):
            continue
        word, operands = parts
        if _MOVES.match(word):
            to_memory = operands.rstrip().endswith(")") and not _STACK.search(operands)
            if word.startswith(("vmov", "mov")) and to_memory:
                elements += LANES[register[1]]
                widest = max(widest, LANES[register[1]])
        elif _DIVISIONS.match(word):
            divisions += LANES[register[1]]
        else:
            arithmetic += 1
    return (arithmetic / elements, divisions / elements, widest) if elements else None


if __name__ == "__main__":
    main()
