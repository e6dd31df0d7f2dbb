"""Every kernel assembles for every architecture, within its budget of registers and without the
known sins.
"""

import re

import pytest
import toolchain
from catalogue import KERNELS

_FLOAT64 = re.compile(r"(?m)^\s+(?!\.reg)\S*\.f64")


@pytest.fixture(params=KERNELS, ids=lambda name: name.replace(" ", "-"))
def entry(request):
    return KERNELS[request.param]


def test_no_float64_in_float32_kernels(entry):
    text = toolchain.ptx_of(entry.kernel, entry.signature)
    assert bool(_FLOAT64.search(text)) == entry.float64


def test_no_atomics(entry):
    assert not re.search(r"\b(atom|red)\.", toolchain.ptx_of(entry.kernel, entry.signature))


@pytest.mark.parametrize("architecture", toolchain.ARCHITECTURES)
def test_machine_code(entry, architecture):
    """Registers within the budget, none spilled, no stack; tiled kernels also have wide accesses
    and a dense main loop.
    """
    text = toolchain.ptx_of(entry.kernel, entry.signature)
    code = toolchain.assembled(text, architecture, listed=entry.vectors or entry.density > 0)
    assert code.stack == code.spills == 0
    assert code.registers <= entry.registers
    opcodes = toolchain.opcodes(toolchain.instructions(code.listing))
    assert not any(re.match(r"(LDL|STL|DFMA|DADD|DMUL|DSETP)\b", name) for name in opcodes)
    if entry.vectors:
        assert all(_vectors(opcodes, kind) for kind in ("LDG", "LDS", "STG"))
    if entry.density:
        loop = toolchain.main_loop(code.listing)
        assert toolchain.multiply_adds(loop) / len(loop) >= entry.density


def _vectors(opcodes, kind):
    """Whether there are accesses of this kind that are 128 bits wide."""
    return any(opcode.split(".")[0] == kind and "128" in opcode for opcode in opcodes)
