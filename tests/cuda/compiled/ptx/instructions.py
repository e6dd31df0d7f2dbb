"""Each instruction of a program as a function of a machine and its active threads."""

import numpy as np

from .arithmetic import comparison, conversion, operation
from .memory import LOCAL_WINDOW, SHARED_WINDOW
from .operands import address, reader
from .program import split
from .types import DTYPES, PTXError, raw, resized

_CONTROL = ("bra", "ret", "exit", "bar", "barrier", "trap")  # the machine's own
_SPACES = ("global", "shared", "local", "param", "const")
_BOOL, _SHIFT = DTYPES["pred"], DTYPES["u32"]


def compiled(program):
    """The functions of all instructions, None for those that move threads; made once for a program."""
    if not hasattr(program, "steps"):
        program.steps = [_compile(program, instruction) for instruction in program.instructions]
    return program.steps


def _compile(program, instruction):
    if instruction.opcode in _CONTROL:
        return None
    special = {
        "cvt": _cvt,
        "cvta": _cvta,
        "ld": _ld,
        "mov": _mov,
        "setp": _setp,
        "st": _st,
    }
    if instruction.opcode in special:
        return special[instruction.opcode](program, instruction)
    compute = operation(instruction)
    if compute is None:
        raise PTXError(f"the instruction '{instruction.text}' is not known")
    return _arithmetic(program, instruction, compute)


def _arithmetic(program, instruction, compute):
    target, *sources = instruction.operands
    kinds = [instruction.dtype] * len(sources)
    if instruction.opcode == "selp":
        kinds[2] = _BOOL
    elif instruction.opcode in ("shl", "shr"):
        kinds[1] = _SHIFT
    elif instruction.opcode == "bfi":
        kinds[2] = kinds[3] = _SHIFT
    elif instruction.opcode == "mad" and "wide" in instruction.modifiers:
        wide = program.registers[target]
        kinds[2] = np.dtype(f"{kinds[0].kind}{wide.itemsize}")
    reads = [reader(program, source, kind) for source, kind in zip(sources, kinds, strict=True)]

    def execute(machine, active):
        machine.write(target, active, compute(*[read(machine, active) for read in reads]))

    return execute


def _setp(program, instruction):
    """p = x compare y, or p = (x compare y) combined with a third operand; p|q sets the opposite
    too.
    """
    compare = comparison(instruction)
    combine = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}.get(
        instruction.one_of("and", "or", "xor")
    )
    targets = instruction.operands[0].split("|")
    x, y = (reader(program, operand, instruction.dtype) for operand in instruction.operands[1:3])
    third = reader(program, instruction.operands[3], _BOOL) if combine else None

    def execute(machine, active):
        result = compare(x(machine, active), y(machine, active))
        values = [result, ~result]
        for target, value in zip(targets, values, strict=False):
            both = combine(value, third(machine, active)) if combine else value
            machine.write(target, active, both)

    return execute


def _mov(program, instruction):
    target, source = instruction.operands
    if target.startswith("{"):
        return _unpack(program, split(target[1:-1]), source)
    if source.startswith("{"):
        return _pack(program, target, split(source[1:-1]))
    read = reader(program, source, instruction.dtype)
    return lambda machine, active: machine.write(target, active, np.array(read(machine, active)))


def _unpack(program, targets, source):
    part = raw(program.registers[targets[0]])
    read = reader(program, source, DTYPES[f"u{8 * part.itemsize * len(targets)}"])

    def execute(machine, active):
        parts = np.ascontiguousarray(read(machine, active)).view(part).reshape(-1, len(targets))
        for i, target in enumerate(targets):
            machine.write(target, active, parts[:, i].copy())

    return execute


def _pack(program, target, sources):
    whole = raw(program.registers[target])
    part = DTYPES[f"u{8 * whole.itemsize // len(sources)}"]
    reads = [reader(program, source, part) for source in sources]

    def execute(machine, active):
        count = len(machine.group(active))
        parts = [np.broadcast_to(read(machine, active), count) for read in reads]
        machine.write(target, active, np.stack(parts, 1).view(whole)[:, 0].copy())

    return execute


def _cvt(program, instruction):
    target, source = instruction.operands
    to, kind, convert = conversion(instruction)
    read = reader(program, source, kind)
    size = program.registers[target].itemsize

    def execute(machine, active):
        values = np.asarray(convert(read(machine, active)))
        machine.write(target, active, resized(values, to, size))

    return execute


def _cvta(program, instruction):
    """Between generic addresses and those of one memory: only shared and local ones differ here."""
    target, source = instruction.operands
    space = instruction.one_of(*_SPACES)
    window = np.uint64({"shared": SHARED_WINDOW, "local": 0}.get(space, 0))
    read = reader(program, source, DTYPES["u64"])
    if "to" in instruction.modifiers:
        return lambda machine, active: machine.write(target, active, read(machine, active) - window)
    return lambda machine, active: machine.write(target, active, read(machine, active) + window)


def _vector(instruction, operand):
    """The registers of a {vector}, or the one operand."""
    return split(operand[1:-1]) if operand.startswith("{") else [operand]


def _ld(program, instruction):
    target, source = instruction.operands
    dtype, space = instruction.dtype, instruction.one_of(*_SPACES)
    targets = _vector(instruction, target)
    sizes = [program.registers[name].itemsize for name in targets]
    if space == "param":
        return _parameter(program, targets[0], source, dtype)
    at = address(program, source)

    def execute(machine, active):
        values = _access(machine, instruction, space, at(machine, active), active, len(targets))
        for name, size, value in zip(targets, sizes, values, strict=True):
            machine.write(name, active, resized(value, dtype, size))

    return execute


def _parameter(program, target, source, dtype):
    name, _, offset = source.strip("[] ").partition("+")
    offset, size = int(offset or 0), program.registers[target].itemsize

    def execute(machine, active):
        value = np.frombuffer(machine.parameters[name.strip()], dtype, 1, offset)
        machine.write(target, active, resized(value, dtype, size)[0])

    return execute


def _st(program, instruction):
    target, source = instruction.operands
    space, at = instruction.one_of(*_SPACES), address(program, target)
    sources = _vector(instruction, source)
    reads = [reader(program, name, instruction.dtype) for name in sources]

    def execute(machine, active):
        values = [np.asarray(read(machine, active)).view(raw(instruction.dtype)) for read in reads]
        _access(machine, instruction, space, at(machine, active), active, len(sources), values)

    return execute


def _access(machine, instruction, space, addresses, active, count, values=None):
    """The memory that an address belongs to does the access."""
    dtype, group = instruction.dtype, machine.group(active)
    if space is None:
        space, addresses = _generic(addresses)
    if machine.statistics and space in ("global", "shared"):
        size = dtype.itemsize * count
        machine.statistics.request(space, instruction.text, machine, group, addresses, size)
    request = (instruction.text, addresses, dtype, count)
    if space == "global":
        return machine.memory.access(*request, machine.number[group], values)
    if space == "shared":
        return machine.shared.access(*request, group, machine.block[group], values)
    if space == "local":
        return machine.local.access(*request, group, values)
    raise PTXError(f"no access to .{space}: '{instruction.text}'")


def _generic(addresses):
    first = int(addresses[0])
    if first >= LOCAL_WINDOW:
        return "local", addresses - LOCAL_WINDOW
    if first >= SHARED_WINDOW:
        return "shared", addresses - SHARED_WINDOW
    return "global", addresses
