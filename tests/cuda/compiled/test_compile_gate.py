"""Every kernel assembles for every architecture, within its budget of registers and without the known sins."""

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
    code = toolchain.assembled(toolchain.ptx_of(entry.kernel, entry.signature), architecture)
    listed = toolchain.instructions(code.listing)
    opcodes = toolchain.opcodes(listed)
    assert code.stack == code.spills == 0
    assert not any(name.split(".")[0] in ("LDL", "STL") for name in opcodes)
    assert code.registers <= entry.registers
    if not entry.float64:
        assert not any(re.match(r"D(FMA|ADD|MUL|SETP)", name) for name in opcodes)
    if entry.vectors:
        assert _vectors(opcodes, "LDG")
        assert _vectors(opcodes, "LDS")
        assert _vectors(opcodes, "STG")
    if entry.density:
        loop = toolchain.main_loop(code.listing)
        assert toolchain.multiply_adds(loop) / len(loop) >= entry.density


def _vectors(opcodes, name):
    """Whether the accesses of a kind are 128 bits wide."""
    return any(opcode.split(".")[0] == name and "128" in opcode for opcode in opcodes)
