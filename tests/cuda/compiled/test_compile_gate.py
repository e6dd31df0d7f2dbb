"""Every kernel assembles for every architecture, within its budget of registers and without the
known sins.
"""

import re

import pytest
import toolchain
from catalogue import KERNELS


@pytest.fixture(scope="module")
def texts():
    return {
        name: toolchain.ptx_of(entry.kernel, entry.signature) for name, entry in KERNELS.items()
    }


@pytest.fixture(scope="module", params=toolchain.ARCHITECTURES)
def machine_code(request, texts):
    """{kernel: its machine code} for one architecture."""
    codes = toolchain.assembled(list(texts.values()), request.param)
    return dict(zip(texts, codes, strict=True))


@pytest.fixture(params=KERNELS, ids=lambda name: name.replace(" ", "-"))
def name(request):
    return request.param


def test_ptx(name, texts):
    """No atomics, no calls, and float64 only where the arrays are."""
    assert not re.search(r"(?m)^\s+(atom|red|call)\b", texts[name])
    float64 = re.search(r"(?m)^\s+(?!\.reg)\S*\.f64", texts[name])
    assert bool(float64) == KERNELS[name].float64


def test_machine_code(name, machine_code):
    """Registers within the budget, none spilled, no stack; tiled kernels also have wide accesses
    and a dense main loop.
    """
    entry, code = KERNELS[name], machine_code[name]
    assert code.stack == code.spills == 0
    assert 0 < code.registers <= entry.registers
    listed = toolchain.instructions(code.listing)
    opcodes = toolchain.opcodes(listed)
    assert not any(re.match(r"(LDL|STL)\b", opcode) for opcode in opcodes)
    if not entry.float64:
        assert not any(re.match(r"D(FMA|ADD|MUL|SETP)\b", opcode) for opcode in opcodes)
    if entry.vectors:
        assert all(_vectors(opcodes, kind) for kind in ("LDG", "LDS", "STG"))
    if entry.density:
        loop = toolchain.main_loop(code.listing)
        assert toolchain.multiply_adds(loop) / len(loop) >= entry.density


def _vectors(opcodes, kind):
    """Whether there are accesses of this kind that are 128 bits wide."""
    return any(opcode.split(".")[0] == kind and "128" in opcode for opcode in opcodes)
