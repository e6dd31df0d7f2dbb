"""What a kernel did: warp instructions by kind, sectors of global memory and banks of shared memory
for each request.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np


@dataclass
class Requests:
    """The requests of one instruction: how many, what they cost, and what they would cost at best."""

    count: int = 0
    cost: int = 0
    ideal: int = 0


class Statistics:
    """Filled by execute(). The cost model is the documented one: 32-byte sectors, 32 banks of 4
    bytes; no caches.
    """

    def __init__(self):
        self.instructions = Counter()
        self.requests = {}

    def count(self, instruction, machine, active):
        warps = len(np.unique(machine.warp[machine.group(active)]))
        self.instructions[f"{instruction.opcode}.{'.'.join(instruction.modifiers)}"] += warps

    def request(self, space, text, machine, threads, addresses, size):
        warps, lanes = machine.warp[threads], machine.lane[threads]
        measure = _sectors if space == "global" else _wavefronts
        cost, ideal = measure(warps, lanes, addresses, size)
        row = self.requests.setdefault((space, text), Requests())
        row.count += len(np.unique(warps))
        row.cost += cost
        row.ideal += ideal

    def per_request(self, space):
        """(cost, ideal) of an average request to "global" or "shared" memory."""
        rows = [row for (kind, _), row in self.requests.items() if kind == space]
        count = max(1, sum(row.count for row in rows))
        return sum(row.cost for row in rows) / count, sum(row.ideal for row in rows) / count


def _sectors(warps, lanes, addresses, size):
    """Distinct 32-byte sectors of each warp, against the fewest that could hold its distinct
    addresses.
    """
    sectors = len(np.unique(warps.astype(np.int64) << 44 | addresses >> 5))
    distinct = np.unique(np.stack([warps, addresses]), axis=1)[0]
    _, counts = np.unique(distinct, return_counts=True)
    return sectors, int((-(-counts * size // 32)).sum())


def _wavefronts(warps, lanes, addresses, size):
    """The most distinct words that one bank must give, for each part of a warp that is served
    together.
    """
    together = {4: 32, 8: 16, 16: 8}[size]
    parts = warps.astype(np.int64) * (32 // together) + lanes // together
    words = [parts << 32 | (addresses + k) >> 2 for k in range(0, size, 4)]
    words = np.unique(np.concatenate(words))
    banks, counts = np.unique(words >> 32 << 5 | words & 31, return_counts=True)
    cost = np.zeros(int(parts.max()) + 1, np.int64)
    np.maximum.at(cost, banks >> 5, counts)
    return int(cost.sum()), len(np.unique(parts))
