"""Where recordings keep what they compute on the way: one arena for all of them, since one runs at a time.

While launches are recorded nothing is written: every array lies on memory of its own that is never touched, and a
Sketch notes between which launches it lives. Laid out, arrays whose lives do not meet share a place. The arena is as
large as the largest recording needs; when it moves, each recording follows before it next runs.
"""

from bisect import bisect_right

from numba_cnn.backends.cpu.runtime import memory

# Bytes by which the arena may be larger than needed: to map it anew costs page faults.
SLACK = 16 << 20


class Sketch:
    """The arrays of a recording: addresses, sizes, and the launches between which each lives."""

    def __init__(self, launches):
        self._launches = launches  # grows while the recording is made
        self._blocks = []  # [address, capacity, first launch, launch after the last]
        self.persistent = []  # arrays of the recording's own
        self._memory = []  # which stays reserved until the addresses are known to be no one else's

    def add(self, capacity):
        """A new array's number, and its memory as an array interface."""
        reserved = memory.map_bytes(capacity)
        self._memory.append(reserved)
        interface = reserved.__array_interface__
        self._blocks.append([interface["data"][0], capacity, len(self._launches), None])
        return len(self._blocks) - 1, interface

    def end(self, which):
        """The array is gone."""
        self._blocks[which][3] = len(self._launches)

    def lay_out(self, apart):
        """Give every array a place, but for those that have the addresses `apart`; returns a Layout."""
        end = len(self._launches)
        blocks = [
            (capacity, birth, end if death is None else death, address)
            for address, capacity, birth, death in self._blocks
            if address not in apart and birth != death
        ]
        placed, size = [], 0  # (offset, end, birth, death) in the order of offsets
        places = {}
        for capacity, birth, death, address in sorted(blocks, reverse=True):
            at = 0
            for offset, stop, first, last in placed:
                if first < death and birth < last and offset < at + capacity:
                    at = max(at, stop)
            placed.append((at, at + capacity, birth, death))
            placed.sort()
            places[address] = at
            size = max(size, at + capacity)
        starts = sorted(address for address, *_ in self._blocks)
        return Layout(starts, {address: c for address, c, *_ in self._blocks}, places, size)


class Layout:
    """Where the arrays of a sketch lie in the arena, and how much of it they need."""

    def __init__(self, starts, capacities, places, size):
        self._starts, self._capacities, self._places, self.size = starts, capacities, places, size

    def find(self, pointer):
        """(the address of the array that holds a pointer, how far in), or None for memory of others."""
        k = bisect_right(self._starts, pointer) - 1
        if k < 0 or pointer >= self._starts[k] + self._capacities[self._starts[k]]:
            return None
        return self._starts[k], pointer - self._starts[k]

    def place(self, address):
        """The offset in the arena of the array at an address."""
        return self._places[address]


class _Arena:
    """Memory as large as the largest claim on it."""

    def __init__(self):
        self._claims = {}  # id -> bytes
        self._need = 0
        self._held = None  # what memory() returns

    def memory(self):
        """(the arena as bytes, its address). Who runs in it holds on to it: a larger one may take its place."""
        held = self._held
        if held is None or len(held[0]) < self._need:
            self._held = held = None  # the old one goes before the new one comes
            mapped = memory.map_bytes(max(self._need, 1))
            self._held = held = mapped, mapped.__array_interface__["data"][0]
        return held

    def enter(self, claim, size):
        self._claims[claim] = size
        self._need = max(self._need, size)

    def leave(self, claim):
        self._claims.pop(claim)
        self._need = max(list(self._claims.values()), default=0)
        if self._held is not None and len(self._held[0]) > self._need + SLACK:
            self._held = None


class Claim:
    """So many bytes of the arena, for as long as the claim lives."""

    def __init__(self, size):
        ARENA.enter(id(self), size)

    def __del__(self):
        ARENA.leave(id(self))


ARENA = _Arena()
