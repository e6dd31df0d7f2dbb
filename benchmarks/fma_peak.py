"""What one core can do at most: fused multiply-adds on vectors that never leave their registers."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from numba_cnn.backends.cpu.vector import BITS, Vectors, int64

CHAINS = 12  # independent accumulators: enough to hide the latency, few enough for 16 registers
TURNS = 20_000


@intrinsic
def _chains(typingctx, turns, factor):
    def codegen(context, builder, signature, values):
        turns, factor = values
        v = Vectors(builder, types.float32)
        x = v.splat(factor)
        before, loop, after = (
            builder.block,
            builder.append_basic_block(),
            builder.append_basic_block(),
        )
        builder.branch(loop)
        builder.position_at_end(loop)
        count = builder.phi(turns.type)
        sums = [builder.phi(v.type) for _ in range(CHAINS)]
        new = [v.fma(s, x, x) for s in sums]
        left = builder.sub(count, int64(1))
        starts, ends = [turns, *([x] * CHAINS)], [left, *new]
        for phi, start, end in zip([count, *sums], starts, ends, strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(end, loop)
        builder.cbranch(builder.icmp_signed(">", left, int64(0)), loop, after)
        builder.position_at_end(after)
        total = new[0]
        for n in new[1:]:
            total = builder.fadd(total, n)
        return builder.extract_element(total, int64(0))

    return types.float32(types.intp, types.float32), codegen


@njit(nogil=True)
def _run(turns, factor):
    return _chains(turns, factor)


def seconds():
    """The time of one measurement."""
    start = time.perf_counter()
    _run(TURNS, np.float32(0.5))
    return time.perf_counter() - start


def rate(threads=1, rounds=5):
    """The FLOP/s of that many cores at once: the best of some measurements of a few milliseconds."""
    turns = 100 * TURNS
    with ThreadPoolExecutor(threads) as pool:
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            list(pool.map(_run, [turns] * threads, [np.float32(0.5)] * threads))
            times.append(time.perf_counter() - start)
    return threads * 100 * flop() / min(times)


def flop():
    """The floating-point operations of one measurement: two per lane and multiply-add."""
    return 2 * TURNS * CHAINS * (BITS // 32)


def share(function, flop_of_function, rounds=11):
    """The median share of the FMA peak that a function reaches, each round against the peaks just before and after."""
    function()
    shares = []
    for _ in range(rounds):
        before = seconds()
        start = time.perf_counter()
        function()
        elapsed = time.perf_counter() - start
        peak = 2 * flop() / (before + seconds())
        shares.append(flop_of_function / elapsed / peak)
    return float(np.median(shares))


def median_ratio(first, second, rounds=11):
    """The median of how many times longer the first function takes than the second, in turns.

    What takes less than a millisecond is called as often as fits into one, between two looks at the clock.
    """
    first()
    second()
    repeat = max(1, int(1e-3 / max(_seconds_of(first, 1), _seconds_of(second, 1))))
    ratios = [_seconds_of(first, repeat) / _seconds_of(second, repeat) for _ in range(rounds)]
    return float(np.median(ratios))


def _seconds_of(function, repeat):
    start = time.perf_counter()
    for _ in range(repeat):
        function()
    return time.perf_counter() - start
