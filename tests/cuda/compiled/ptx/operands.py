"""Operands: registers, special registers, constants and addresses, as functions of a machine and
its active threads.
"""

import re

import numpy as np

from .memory import LOCAL_WINDOW
from .types import PTXError, raw, resized

_ADDRESS = re.compile(r"\[\s*([%\w$.]+)\s*(?:\+\s*(-?\d+))?\s*\]")


def reader(program, operand, dtype):
    """read(machine, active): the operand's values as `dtype`; constants come as one value for all."""
    if operand.startswith("!"):
        negated = reader(program, operand[1:], dtype)
        return lambda machine, active: ~negated(machine, active)
    if operand in program.registers:
        kind = program.registers[operand]
        if kind.kind == "b":
            return lambda machine, active: machine.read(operand, active)
        if kind.itemsize == dtype.itemsize:
            return lambda machine, active: machine.read(operand, active).view(dtype)
        return lambda machine, active: machine.read(operand, active).astype(raw(dtype)).view(dtype)
    if operand.startswith("%"):

        def special(machine, active):
            if operand not in machine.special:
                raise PTXError(f"the special register {operand} is not known")
            values = machine.special[operand]
            values = values if active is None else values[active]
            return resized(values, values.dtype, dtype.itemsize).view(dtype)

        return special
    value = _constant(program, operand, dtype)
    return lambda machine, active: value


def _constant(program, operand, dtype):
    if operand in program.shared:
        return dtype.type(program.shared[operand])
    if operand in program.local:
        return dtype.type(program.local[operand] + LOCAL_WINDOW)
    if operand.startswith(("0f", "0F")):
        return (
            np.array(int(operand[2:], 16), np.uint32).view(np.float32).astype(dtype, copy=False)[()]
        )
    if operand.startswith(("0d", "0D")):
        return (
            np.array(int(operand[2:], 16), np.uint64).view(np.float64).astype(dtype, copy=False)[()]
        )
    try:
        number = int(operand.rstrip("U"), 0)
    except ValueError:
        raise PTXError(f"the operand {operand} is not known") from None
    if dtype.kind == "b":
        return np.bool_(number)
    if dtype.kind == "f":
        return dtype.type(number)
    bits = number & ((1 << 8 * dtype.itemsize) - 1)
    return np.array(bits, raw(dtype)).view(dtype)[()]


def address(program, operand):
    """at(machine, active): byte addresses of [base + offset], one for each active thread."""
    match = _ADDRESS.fullmatch(operand)
    base = reader(program, match.group(1), np.dtype(np.int64))
    offset = int(match.group(2) or 0)

    def at(machine, active):
        count = len(machine.group(active))
        return np.broadcast_to(base(machine, active), count) + offset

    return at
