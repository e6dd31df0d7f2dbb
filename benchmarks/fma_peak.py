"""What the cores can do at most: fused multiply-adds on vectors that never migrate_from their registers.

On as many cores at once as threads are set: two cores of a virtual machine may be one of the host's.
"""

import time

import numba
import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.host import VECTOR_BITS
from numba_cnn.backends.cpu.codegen.vector import Vectors, int64

CHAINS = 12  # independent accumulators: enough to hide the latency, few enough for 16 registers
TURNS = 100_000


def _chains(step, lanes):
    """An intrinsic of (turns, x): so many turns of a loop in which step(v, s, x) follows on each of CHAINS vectors."""
    kind = ir.VectorType(ir.FloatType(), lanes)

    @intrinsic
    def chains(typingctx, turns, factor):
        def codegen(context, builder, signature, values):
            turns, factor = values
            v = Vectors(builder, types.float32)
            x = v.splat(factor, kind)
            before, loop, after = (
                builder.block,
                builder.append_basic_block(),
                builder.append_basic_block(),
            )
            builder.branch(loop)
            builder.position_at_end(loop)
            count = builder.phi(turns.type)
            sums = [builder.phi(kind) for _ in range(CHAINS)]
            new = [step(v, s, x) for s in sums]
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

    return chains


def _on_all_threads(step, lanes=VECTOR_BITS // 32):
    chains = _chains(step, lanes)

    @njit(parallel=True, nogil=True)
    def run(threads, turns, factor):
        last = np.empty(threads, np.float32)
        for thread in prange(threads):
            last[thread] = chains(turns, factor)
        return last

    return run


_narrower = {
    lanes: _on_all_threads(lambda v, s, x: v.fma(s, x, x), lanes)
    for lanes in (4, 8)
    if lanes < VECTOR_BITS // 32
}
_run = _on_all_threads(lambda v, s, x: v.fma(s, x, x))
_run_divisions = _on_all_threads(lambda v, s, x: v.builder.fdiv(x, s))


def seconds(turns=TURNS):
    """The time of one measurement."""
    start = time.perf_counter()
    _run(numba.get_num_threads(), turns, np.float32(0.5))
    return time.perf_counter() - start


def rate(rounds=5):
    """The FLOP/s of the cores: the best of some measurements of a few milliseconds."""
    return 20 * flop() / min(seconds(20 * TURNS) for _ in range(rounds))


def flop():
    """The floating-point operations of one measurement: two per lane and multiply-add."""
    return 2 * numba.get_num_threads() * TURNS * CHAINS * (VECTOR_BITS // 32)


def instruction_seconds():
    """Seconds, all threads' together: of a multiply-add, by the lanes of its vectors, and of one lane's division."""
    done = numba.get_num_threads() * CHAINS * TURNS
    start = time.perf_counter()
    _run_divisions(numba.get_num_threads(), TURNS // 10, np.float32(0.5))
    taken = time.perf_counter() - start
    divisions = done * (VECTOR_BITS // 32) / 10
    multiply = {VECTOR_BITS // 32: seconds() / done}
    for lanes, run in _narrower.items():
        start = time.perf_counter()
        run(numba.get_num_threads(), TURNS // 10, np.float32(0.5))
        multiply[lanes] = 10 * (time.perf_counter() - start) / done
    return multiply, taken / divisions


def share(function, flop_of_function, rounds=11):
    """The median share of the FMA peak that a function reaches, each round against the peaks just before and after."""
    seconds()
    function()
    repeat = _repeat(function)
    shares = []
    for _ in range(rounds):
        before = seconds()
        elapsed = _seconds_of(function, repeat)
        peak = 2 * flop() / (before + seconds())
        shares.append(repeat * flop_of_function / elapsed / peak)
    return float(np.median(shares))


def median_ratio(first, second, rounds=11):
    """The median of how many times longer the first function takes than the second, in turns."""
    first()
    second()
    repeat = min(_repeat(first), _repeat(second))
    ratios = [_seconds_of(first, repeat) / _seconds_of(second, repeat) for _ in range(rounds)]
    return float(np.median(ratios))


def _repeat(function):
    """How often to call what takes less than a millisecond between two spins at the clock."""
    return max(1, int(1e-3 / _seconds_of(function, 1)))


def _seconds_of(function, repeat):
    start = time.perf_counter()
    for _ in range(repeat):
        function()
    return time.perf_counter() - start
