"""What memory gives at most: copies of arrays that no cache holds."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

FLOATS = 1 << 24  # 64 MiB, read and written


class Copy:
    """A copy that can be timed again and again, on so many threads at once."""

    def __init__(self, threads=1):
        self.source, self.target = np.ones(FLOATS, np.float32), np.zeros(FLOATS, np.float32)
        ends = [k * FLOATS // threads for k in range(threads + 1)]
        self.slices = [slice(*pair) for pair in pairwise(ends)]
        self.pool = ThreadPoolExecutor(threads)

    def rate(self):
        """Bytes read and written per second."""
        start = time.perf_counter()
        list(self.pool.map(self._part, self.slices))
        return 2 * self.source.nbytes / (time.perf_counter() - start)

    def _part(self, part):
        np.copyto(self.target[part], self.source[part])
