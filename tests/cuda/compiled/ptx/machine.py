"""The threads: their registers, which of them execute what next, and where they wait for each
other.
"""

import numpy as np

from .memory import LocalMemory, SharedMemory
from .types import PTXError, raw, resized

_STEPS = 20_000_000  # instructions after which a kernel counts as endless


class Machine:
    """A run of the blocks `blocks` of a grid, all threads at once.

    Where branches part the threads, `ready` keeps a group for each place in the program, and the
    group at the smallest place runs until it meets another one or waits. A group is an array of
    thread numbers, or None for all threads.
    """

    def __init__(self, program, memory, parameters, grid, block, blocks, statistics=None):
        self.program, self.memory, self.parameters = program, memory, parameters
        self.statistics = statistics
        self.block_threads = int(np.prod(block))
        self.blocks, self.threads = len(blocks), len(blocks) * self.block_threads
        self.everybody = np.arange(self.threads, dtype=np.int32)
        self.block = np.repeat(np.arange(self.blocks), self.block_threads)
        lane = np.tile(np.arange(self.block_threads), self.blocks)
        self.number = (np.asarray(blocks)[self.block] * self.block_threads + lane).astype(np.int32)
        self.warp = self.block * -(-self.block_threads // 32) + lane // 32
        self.lane = lane % 32
        self.special = _special(lane, np.asarray(blocks)[self.block], grid, block)
        self.registers = {
            name: np.zeros(self.threads, bool) if kind.kind == "b" else self._junk(raw(kind))
            for name, kind in program.registers.items()
        }
        self.shared = SharedMemory(self.blocks, program.shared_bytes)
        self.local = LocalMemory(self.threads, program.local_bytes)
        self.alive = np.ones(self.threads, bool)
        self.ready, self.waiting = {0: None}, {}

    def _junk(self, dtype):
        """What a register holds before anything is written to it: a number that shows in results."""
        return np.full(self.threads, 0x5A, dtype)

    def group(self, active):
        return self.everybody if active is None else active

    def read(self, name, active):
        values = self.registers[name]
        return values if active is None else values[active]

    def write(self, name, active, values):
        """Set a register of the active threads; `values` is an array with a value for each, or one
        for all.
        """
        if name == "_":
            return
        register = self.registers[name]
        if values.dtype != register.dtype:
            values = resized(values, values.dtype, register.itemsize).view(register.dtype)
        if active is not None:
            register[active] = values
        elif values.ndim:
            self.registers[name] = values
        else:
            self.registers[name] = np.full(self.threads, values)

    def run(self, steps):
        """Execute until every thread has returned; `steps` is the program, compiled."""
        instructions = self.program.instructions
        for _ in range(_STEPS):
            if not self.ready:
                if not self.waiting:
                    return
                self._open_barriers()
            place = min(self.ready)
            active = self.ready.pop(place)
            while active is not None or place is not None:
                if place >= len(steps):
                    self.alive[self.group(active)] = False
                    break
                place, active = self._step(instructions[place], steps[place], place, active)
                if place is None:
                    break
                if self.ready and place >= min(self.ready):
                    self._put(place, active)
                    break
        raise PTXError(f"more than {_STEPS} steps")

    def _step(self, instruction, execute, place, active):
        """Execute one instruction; returns the next place and its group, or (None, None) where the
        group ends.
        """
        if self.statistics:
            self.statistics.count(instruction, self, active)
        taken = self._guarded(instruction, active)
        if execute is not None:
            if taken is None or len(taken):
                execute(self, taken)
            return place + 1, active
        if instruction.opcode == "bra":
            return self._branch(self.program.labels[instruction.operands[0]], place, active, taken)
        if instruction.opcode in ("ret", "exit"):
            return self._leave(place, active, taken)
        if instruction.opcode in ("bar", "barrier"):
            self._put(place, taken, self.waiting)
            return None, None
        raise PTXError(f"the kernel gave up: '{instruction.text}'")

    def _guarded(self, instruction, active):
        """Those of the active threads whose guard lets them execute the instruction."""
        if instruction.guard is None:
            return active
        let = self.read(instruction.guard, active)
        let = ~let if instruction.negated else let
        return active if let.all() else self.group(active)[let]

    def _branch(self, target, place, active, taken):
        count, all_of = len(self.group(taken)), len(self.group(active))
        if count == all_of:
            return target, active
        if not count:
            return place + 1, active
        stay = np.setdiff1d(self.group(active), taken, assume_unique=True)
        self._put(target, taken)
        self._put(place + 1, stay)
        return None, None

    def _leave(self, place, active, taken):
        self.alive[self.group(taken)] = False
        if len(self.group(taken)) == len(self.group(active)):
            return None, None
        return place + 1, np.setdiff1d(self.group(active), taken, assume_unique=True)

    def _put(self, place, group, into=None):
        into = self.ready if into is None else into
        if place in into:
            group = np.union1d(self.group(into[place]), self.group(group))
        into[place] = None if len(self.group(group)) == self.threads else group

    def _open_barriers(self):
        """Nobody can go on: every block must wait as a whole, at one barrier."""
        for place, waiting in self.waiting.items():
            group = self.group(waiting)
            arrived = np.bincount(self.block[group], minlength=self.blocks)
            partly = (arrived > 0) & (arrived < self.block_threads)
            if partly.any():
                raise PTXError(
                    f"a barrier reached by {int(arrived[partly][0])} of {self.block_threads} threads "
                    f"of a block: '{self.program.instructions[place].text}'"
                )
            self.shared.barrier(np.flatnonzero(arrived))
        for place, group in self.waiting.items():
            self._put(place + 1, group)
        self.waiting = {}


def _special(lane, block, grid, shape):
    """The special registers %tid, %ctaid, %ntid, %nctaid."""
    special = {}
    for axis, i in zip("xyz", range(3), strict=True):
        special[f"%tid.{axis}"] = lane // int(np.prod(shape[:i])) % shape[i]
        special[f"%ctaid.{axis}"] = block // int(np.prod(grid[:i])) % grid[i]
        special[f"%ntid.{axis}"] = np.full(len(lane), shape[i])
        special[f"%nctaid.{axis}"] = np.full(len(lane), grid[i])
    return {name: values.astype(np.uint32) for name, values in special.items()}
