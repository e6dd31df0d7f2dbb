"""Numba's kernels to PTX, machine code and its listing, with the compiler's packages alone: no GPU,
no driver.
"""

import re
import subprocess
from collections import Counter
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import NamedTuple

import numba.cuda.dispatcher
import numpy as np
from numba import cuda
from numba.cuda import types

ARCHITECTURES = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_120")
_CAPABILITY = (7, 5)  # PTX for the oldest assembles for all of them

# Device functions ask the current device for its capability while a kernel is compiled; there is
# none here.
numba.cuda.dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=_CAPABILITY)


def type_of(argument):
    """The Numba type of a kernel's argument: a device array, a scalar of NumPy, a bool, or a tuple
    of them.
    """
    if isinstance(argument, tuple):
        items = tuple(map(type_of, argument))
        same = len(set(items)) == 1
        kind = types.NamedUniTuple if same else types.NamedTuple
        return kind(items[0], len(items), type(argument)) if same else kind(items, type(argument))
    if isinstance(argument, bool):
        return types.boolean
    if isinstance(argument, np.generic):
        return getattr(types, argument.dtype.name)
    layout = "C" if argument.is_c_contiguous() else "A"
    return types.Array(getattr(types, argument.dtype.name), len(argument.shape), layout)


@cache
def ptx_of(kernel, signature):
    """The PTX of a kernel for a tuple of argument types."""
    text, _ = cuda.compile_ptx(kernel.py_func, signature, cc=_CAPABILITY)
    return text


class Code(NamedTuple):
    """What ptxas made of a kernel for one architecture."""

    registers: int
    shared: int
    stack: int
    spills: int
    listing: str


_ENTRY = re.compile(r"\.entry\s+([\w$]+)\s*\(")
_SAID = {
    "registers": r"Used (\d+) registers",
    "shared": r"(\d+) bytes smem",
    "stack": r"(\d+) bytes stack frame",
    "spills": r"(\d+) bytes spill (?:stores|loads)",
}


def assembled(texts, architecture):
    """The machine code of many PTX texts, in their order: one module, as the disassembler takes a
    second to start.
    """
    names = [_ENTRY.search(text).group(1) for text in texts]
    with TemporaryDirectory() as folder:
        source, cubin = Path(folder, "kernels.ptx"), Path(folder, "kernels.cubin")
        source.write_text(_merged(texts))
        said = _run("ptxas", "-v", f"-arch={architecture}", source, "-o", cubin)
        listed = _run("nvdisasm", "-c", cubin)
    reports = _parts(r"Compiling entry function '([\w$]+)'", said)
    listings = _parts(r"\.section\s+\.text\.([\w$]+)", listed)
    return [_code(reports[name], listings[name]) for name in names]


def _merged(texts):
    """One PTX module; Numba's own variables, which no kernel uses, are declared in each and left
    out.
    """
    head, end = texts[0].partition(".address_size 64")[:2]
    bodies = [text.partition(end)[2] for text in texts]
    return head + end + re.sub(r"(?m)^\.common \.global .*$", "", "\n".join(bodies))


def _parts(heading, text):
    """{name: what stands under the heading with this name}."""
    _, *parts = re.split(heading, text)
    return dict(zip(parts[0::2], parts[1::2], strict=True))


def _code(said, listing):
    numbers = {name: sum(map(int, re.findall(said_as, said))) for name, said_as in _SAID.items()}
    return Code(**numbers, listing=listing)


def _run(tool, *arguments):
    done = subprocess.run([_tool(tool), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{tool} failed: {done.stderr[:1000]}")
    return done.stdout + done.stderr


@cache
def _tool(name):
    for root in find_spec("nvidia").submodule_search_locations:
        for found in Path(root).glob(f"*/bin/{name}"):
            return found
    raise RuntimeError(f"{name} is not installed: it comes with the extra test-cuda")


_INSTRUCTION = re.compile(r"^\s+/\*[0-9a-f]{4,}\*/\s+(.*?)\s*;", re.M)
_PLACE = re.compile(r"^\s*(\.L_x_\d+):|^\s+/\*[0-9a-f]{4,}\*/\s", re.M)
_PREDICATE = re.compile(r"^@!?U?P\w+\s+")
_JUMP = re.compile(r"BRA.*?(\.L_x_\d+)")


def instructions(listing):
    """The instructions of a listing, without their predicates."""
    return [_PREDICATE.sub("", text) for text in _INSTRUCTION.findall(listing)]


def main_loop(listing):
    """The loop that holds the most multiply-adds: every instruction from its first to the jump back."""
    labels, place = {}, 0
    for match in _PLACE.finditer(listing):
        if match.group(1):
            labels[match.group(1)] = place
        else:
            place += 1
    code, best = instructions(listing), []
    for end, text in enumerate(code):
        jump = _JUMP.search(text)
        target = labels.get(jump.group(1)) if jump else None
        if target is not None and target <= end:
            best = max(best, code[target : end + 1], key=multiply_adds)
    return best


def multiply_adds(code):
    return sum(text.startswith("FFMA") for text in code)


def opcodes(code):
    """How often each opcode, with its modifiers, occurs."""
    return Counter(text.split()[0] for text in code)


class Limits(NamedTuple):
    """What one multiprocessor offers (CUDA C++ Programming Guide, table of compute capabilities)."""

    warps: int
    blocks: int
    shared: int
    reserved: int  # shared bytes that the system takes of each block


_REGISTERS = 65536
LIMITS = {
    "sm_75": Limits(32, 16, 64 << 10, 0),
    "sm_80": Limits(64, 32, 164 << 10, 1024),
    "sm_86": Limits(48, 16, 100 << 10, 1024),
    "sm_90": Limits(64, 32, 228 << 10, 1024),
    "sm_120": Limits(48, 24, 100 << 10, 1024),
}


def occupancy(architecture, threads, code):
    """The share of a multiprocessor's warps that can be resident at once."""
    limits = LIMITS[architecture]
    warps = -(-threads // 32)
    per_warp = -(-code.registers * 32 // 256) * 256  # registers are given out 256 at a time
    by_registers = _REGISTERS // 4 // per_warp * 4 // warps
    by_shared = limits.shared // (code.shared + limits.reserved) if code.shared else limits.blocks
    blocks = min(by_registers, by_shared, limits.warps // warps, limits.blocks)
    return blocks * warps / limits.warps
