"""Global, shared and local memory, and the rules that every access is held to."""

import numpy as np

from .types import PTXError, raw

SHARED_WINDOW, LOCAL_WINDOW = 1 << 48, 1 << 49  # where generic addresses of these memories begin
_NOBODY, _MANY = -1, -2


class Buffer:
    """An array in global memory. Elements nobody has written since it was made may not be read."""

    def __init__(self, array, defined=True):
        self.array = np.require(array, requirements="C")
        self.elements = self.array.reshape(-1).view(raw(self.array.dtype))
        self.defined = np.full(self.elements.size, defined)

    def view(self, shape):
        """The same memory in another shape."""
        other = object.__new__(type(self))
        other.array = self.array.reshape(shape)
        other.elements, other.defined = self.elements, self.defined
        return other


class Ownership:
    """Who has written and who has read which unit of memory since the last moment that ordered the
    threads.

    Two threads must not write one unit, and none may read what another writes, in either order.
    """

    def __init__(self, size):
        self.writer = np.full(size, _NOBODY, np.int32)
        self.reader = np.full(size, _NOBODY, np.int32)

    def conflict(self, units, threads, write):
        """(unit, thread, other thread) of a race that this access makes, or None; the access is
        noted.
        """
        races = self._against(self.writer[units], threads)
        if write:
            races = races or self._against(self.reader[units], threads)
            self.writer[units] = threads
            races = races or self._against(self.writer[units], threads)
        else:
            before = self.reader[units]
            self.reader[units] = threads
            several = self.reader[units] != threads
            several |= (before != threads) & (before != _NOBODY)
            self.reader[units[several]] = _MANY
        if races is None:
            return None
        at, other = races
        return int(units.flat[at]), int(np.broadcast_to(threads, units.shape).flat[at]), other

    @staticmethod
    def _against(owners, threads):
        """(place, owner) of the first unit that another thread owns, or None."""
        foreign = (owners != threads) & (owners != _NOBODY)
        if not foreign.any():
            return None
        at = int(np.flatnonzero(foreign)[0])
        return at, int(owners.flat[at])


class GlobalMemory:
    """The arrays of one launch, far apart in the address space; ownership lasts for the whole
    launch.
    """

    def __init__(self, buffers):
        self.buffers = list({id(buffer.elements): buffer for buffer in buffers}.values())
        self.owners = [Ownership(buffer.elements.size) for buffer in self.buffers]

    def address(self, buffer):
        places = [known.elements is buffer.elements for known in self.buffers]
        return places.index(True) + 1 << 36

    def access(self, text, addresses, dtype, count, threads, values=None):
        """`count` elements a thread from (values None) or to consecutive places."""
        number = int(addresses[0] >> 36) - 1
        if not 0 <= number < len(self.buffers):
            raise PTXError(f"a wild address {int(addresses[0]):#x} at '{text}'")
        buffer, size = self.buffers[number], dtype.itemsize * count
        name = f"array {number} {buffer.array.shape}"
        if dtype.itemsize != buffer.elements.itemsize:
            raise PTXError(f"{name} of {buffer.array.dtype} accessed as {dtype} at '{text}'")
        offsets = addresses - (number + 1 << 36)
        if (offsets % size).any():
            raise PTXError(f"a misaligned access of {size} bytes to {name} at '{text}'")
        places = offsets // dtype.itemsize
        outside = (places < 0) | (places + count > buffer.elements.size)
        if outside.any():
            raise PTXError(
                f"out of bounds at '{text}': element {int(places[outside][0])} of {name}, "
                f"in {int(outside.sum())} of {len(places)} threads"
            )
        units = places + np.arange(count)[:, None]
        self._watch(text, number, name, units, threads, values is not None)
        if values is None:
            return [buffer.elements[places + k] for k in range(count)]
        for k, value in enumerate(values):
            buffer.elements[places + k] = value
        return None

    def _watch(self, text, number, name, places, threads, write):
        defined = self.buffers[number].defined
        if write:
            defined[places] = True
        elif not defined[places].all():
            first = int(places[~defined[places]][0])
            raise PTXError(f"read of element {first} of {name}, never written, at '{text}'")
        raced = self.owners[number].conflict(places, threads, write)
        if raced:
            raise PTXError(
                f"a race for element {raced[0]} of {name} at '{text}': {_who(*raced[1:])}"
            )


def _who(thread, other):
    return f"thread {thread} against {'several' if other == _MANY else f'thread {other}'}"


class SharedMemory:
    """The shared memory of all blocks, a row each; a barrier ends the ownership of its block."""

    def __init__(self, blocks, size):
        self.size = -(-size // 16) * 16
        self.words = np.zeros((blocks, self.size // 4), np.uint32)
        self.written = np.zeros(self.words.size, bool)
        self.owners = Ownership(self.words.size)

    def barrier(self, blocks):
        for noted in (self.owners.writer, self.owners.reader):
            noted.reshape(self.words.shape)[blocks] = _NOBODY

    def access(self, text, addresses, dtype, count, threads, blocks, values=None):
        size = dtype.itemsize * count
        if dtype.itemsize < 4:
            raise PTXError(f"shared memory in pieces of less than 4 bytes is not known: '{text}'")
        if (addresses % size).any():
            raise PTXError(f"a misaligned access of {size} bytes to shared memory at '{text}'")
        if addresses.min() < 0 or addresses.max() + size > self.size:
            raise PTXError(
                f"out of bounds at '{text}': shared byte {int(addresses.max())} of {self.size}"
            )
        first = addresses + blocks * self.size >> 2
        words = first + np.arange(size // 4)[:, None]
        self._watch(text, words, threads, values is not None)
        elements = self.words.reshape(-1).view(raw(dtype))
        places = first if dtype.itemsize == 4 else first >> 1
        if values is None:
            return [elements[places + k] for k in range(count)]
        for k, value in enumerate(values):
            elements[places + k] = value
        return None

    def _watch(self, text, words, threads, write):
        if write:
            self.written[words] = True
        elif not self.written[words].all():
            first = int(words[~self.written[words]][0]) * 4 % self.size
            raise PTXError(f"read of shared byte {first}, never written, at '{text}'")
        raced = self.owners.conflict(words, threads, write)
        if raced:
            raise PTXError(
                f"a race for shared byte {raced[0] * 4 % self.size} at '{text}': "
                f"{_who(*raced[1:])}, with no barrier between"
            )


class LocalMemory:
    """What does not fit into registers: a row for each thread."""

    def __init__(self, threads, size):
        self.bytes = np.zeros((threads, -(-size // 16) * 16), np.uint8)

    def access(self, text, addresses, dtype, count, threads, values=None):
        size = dtype.itemsize * count
        if addresses.min() < 0 or addresses.max() + size > self.bytes.shape[1]:
            raise PTXError(f"out of bounds of local memory at '{text}'")
        elements = self.bytes.view(raw(dtype))
        places = addresses // dtype.itemsize
        if values is None:
            return [elements[threads, places + k] for k in range(count)]
        for k, value in enumerate(values):
            elements[threads, places + k] = value
        return None
