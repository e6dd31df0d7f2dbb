"""A launch: arguments laid out as Numba passes them, a grid of blocks run a batch at a time."""

import numpy as np

from .instructions import compiled
from .machine import Machine
from .memory import Buffer, GlobalMemory
from .types import PTXError

_BATCH = 16384  # threads that run as one vector


def execute(program, arguments, grid, block, statistics=None):
    """Run a kernel; arrays (Buffer) are changed in place. Raises PTXError for everything that
    hardware forbids.
    """
    grid, block = _three(grid), _three(block)
    threads = int(np.prod(block))
    if threads > 1024 or block[2] > 64 or max(grid[1:]) > 65535 or min(grid + block) < 1:
        raise PTXError(f"a launch of {grid} blocks of {block} threads is not allowed")
    if program.shared_bytes > 48 * 1024:
        raise PTXError(f"{program.shared_bytes} bytes of shared memory are more than 48 KiB")
    memory = GlobalMemory([a for a in arguments if isinstance(a, Buffer)])
    parameters = _parameters(program, memory, arguments)
    steps = compiled(program)
    total, batch = int(np.prod(grid)), max(1, _BATCH // threads)
    with np.errstate(all="ignore"):
        for first in range(0, total, batch):
            blocks = np.arange(first, min(first + batch, total))
            Machine(program, memory, parameters, grid, block, blocks, statistics).run(steps)


def _three(extents):
    extents = tuple(extents) if isinstance(extents, (tuple, list)) else (extents,)
    return tuple(map(int, extents)) + (1,) * (3 - len(extents))


def _parameters(program, memory, arguments):
    """{name: bytes} of the kernel's parameters; an array takes 5 and two more for each axis, a
    tuple one for each item.
    """
    values = [value for argument in arguments for value in _flat(memory, argument)]
    if len(values) != len(program.parameters):
        raise PTXError(f"{len(program.parameters)} parameters, {len(values)} values")
    return {
        name: np.array([value]).astype(_kind(dtype, value)).tobytes()
        for (dtype, name), value in zip(program.parameters, values, strict=True)
    }


def _kind(dtype, value):
    """Parameters say .b32 for floats too, so a float keeps its own kind and only integers are
    converted.
    """
    if isinstance(value, (float, np.floating)):
        return np.dtype(f"f{dtype.itemsize}")
    return dtype


def _flat(memory, argument):
    if isinstance(argument, Buffer):
        array = argument.array
        yield from (0, 0, array.size, array.itemsize, memory.address(argument))
        yield from array.shape
        yield from array.strides
    elif isinstance(argument, tuple):
        for item in argument:
            yield from _flat(memory, item)
    else:
        yield argument
