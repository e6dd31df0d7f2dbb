"""Models whose recordings give up their memory to one another, with guard pages around all memory of the library.

A process of its own: what is touched after it was given back, or outside of it, is SIGSEGV. Prints how many recordings
gave their memory up and how many calls were right.
"""

import ctypes
import gc
import mmap
import weakref

import numpy as np

from numba_cnn import layers, models, ops
from numba_cnn.backends.cpu.runtime import arena, launch_graph, memory

_libc = ctypes.CDLL(None, use_errno=True)
_mapped = []  # never unmapped, so that no address is given out twice


def _protect(address, size):
    if _libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), 0):
        raise OSError(ctypes.get_errno(), "mprotect")


def guarded(capacity):
    """Fresh memory between two guard pages; all of it is one when nobody uses it any more."""
    page = mmap.PAGESIZE
    size = -(-capacity // page) * page
    pages = mmap.mmap(-1, size + 2 * page)
    _mapped.append(pages)
    address = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    _protect(address, page)
    _protect(address + page + size, page)
    holder = (ctypes.c_uint8 * capacity).from_buffer(pages, page + size - capacity)
    weakref.finalize(holder, _protect, address + page, size)
    return np.frombuffer(holder, np.uint8)


def network(channels):
    model = models.Sequential([layers.Input((12, 12, 3))])
    model.add(layers.Conv2D(channels, 3, activation="relu"))
    model.add(layers.Conv2D(16, 3))
    model.add(layers.Flatten())
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def main():
    memory.map_bytes = guarded
    arena.SLACK = memory.KEPT = 0
    launch_graph.LIMIT = 1 << 20
    gave_up = []
    give_up = launch_graph.LaunchGraph.give_up
    launch_graph.LaunchGraph.give_up = lambda self: gave_up.append(1) or give_up(self)
    rng = np.random.default_rng(0)
    stock = [network(8 * k) for k in range(1, 7)]
    x, y = rng.random((9, 12, 12, 3), dtype=np.float32), rng.integers(0, 4, 9)
    expected = [[model(x[:n]) for n in (1, 5, 9)] for model in stock]
    right = 0
    for step in range(8):
        for k in rng.permutation(len(stock)):
            for n, want in zip((1, 5, 9), expected[k], strict=True):
                np.testing.assert_array_equal(stock[k](x[:n]), want)
                right += 1
            if step % 3 == 2:
                stock[k].train_step(x, y)
                expected[k] = [stock[k](x[:n]) for n in (1, 5, 9)]
            image, weight = x[:, : 4 + step], rng.random((3, 3, 3, 8 + k), dtype=np.float32)
            np.testing.assert_array_equal(ops.conv2d(image, weight), ops.conv2d(image, weight))
        if step == 4:
            stock[0] = network(64)
            expected[0] = [stock[0](x[:n]) for n in (1, 5, 9)]
            gc.collect()
    print(len(gave_up), right)


if __name__ == "__main__":
    main()
