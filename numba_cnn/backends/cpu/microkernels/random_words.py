"""What is drawn for each element of a run, by Philox's words of backends/philox.py: two vectors of elements at a time.

A stream is (block, counter, seed): the run begins with the first element of that block.
"""

from llvmlite import ir
from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import INT64, int64
from numba_cnn.backends.philox import INCREMENTS, MULTIPLIERS, ROUNDS, WORDS

_AHEAD = 1024  # elements: a processor that computes words does not look so far ahead by itself
_LOW, _HALF = (1 << 32) - 1, 32  # the lower half of 64 bits, and where the upper one begins


@emitted(x="a", stream="nnn", keep="nf", y="a", count="n", nontemporal="?")
def drop(v, x, stream, keep, y, count, nontemporal):
    """y[i] for i < count: x[i] scale where the element's word is at least `least`, else 0.

    keep   (least, scale)
    """
    b, least, scale = v.builder, v.splat_int(keep[0]), v.splat(keep[1])

    def kept(i, words, mask):
        v.prefetch(b.gep(x, [b.add(i, int64(_AHEAD))]), writing=False)
        scaled = b.fmul(v.load(b.gep(x, [i]), mask), scale)
        return b.select(b.icmp_unsigned(">=", words, least), scaled, v.zero)

    _each_pair(v, stream, y, count, nontemporal, kept)


@emitted(stream="nnn", y="a", count="n")
def uniform(v, stream, y, count):
    """y[i] for i < count: the upper 24 bits of the element's word, as a whole number."""
    eight = v.splat_int(int64(8))

    def number(i, words, mask):
        return v.builder.sitofp(v.builder.lshr(words, eight), v.type)

    _each_pair(v, stream, y, count, None, number)


def _each_pair(v, stream, y, count, nontemporal, value):
    """y = value(i, words, mask) for four vectors at a time, then two; what is left of the last ones by masks."""
    b, (block, counter, seed), pair = v.builder, stream, 2 * v.lanes
    paired = b.and_(count, int64(-pair))

    def words_at(*places):
        return _words(v, [b.add(block, b.sdiv(i, int64(WORDS))) for i in places], counter, seed)

    def whole(store):
        start = int64(0)
        for pairs in (2, 1):
            end = b.and_(count, int64(-pairs * pair))
            step = int64(pairs * pair)
            with cgutils.for_range_slice(b, start, end, step, intp=INT64) as (i, _):
                places = [b.add(i, int64(k * v.lanes)) for k in range(2 * pairs)]
                for place, words in zip(places, words_at(*places[::2]), strict=True):
                    store(value(place, words, None), b.gep(y, [place]))
            start = end

    if nontemporal is None:
        whole(v.store)
    else:
        with b.if_else(nontemporal) as (then, otherwise):
            with then:
                whole(v.store_nontemporal)
            with otherwise:
                whole(v.store)
    with b.if_then(b.icmp_signed("<", paired, count)):
        left = b.sub(count, paired)
        more = b.select(
            b.icmp_signed(">", left, int64(v.lanes)), b.sub(left, int64(v.lanes)), int64(0)
        )
        places = paired, b.add(paired, int64(v.lanes))
        for place, words, lanes in zip(places, words_at(paired), (left, more), strict=True):
            mask = v.mask(lanes)
            v.store(value(place, words, mask), b.gep(y, [place]), mask)


def _words(v, starts, counter, seed):
    """The words of two vectors of elements from each of these blocks on, in their order, 32 bits each: some at once,
    since a round waits for the one before it.

    Each lane of 64 bits has a word of a block. The upper half of what is multiplied is not looked at, so nobody clears
    it until the end.
    """
    b, blocks = v.builder, v.lanes // 2
    kind = ir.VectorType(INT64, blocks)

    def splat(value):
        return v.splat(value, kind)

    def constant(value):
        return ir.Constant(kind, [value] * blocks)

    def low(value):
        return b.and_(value, constant(_LOW))

    def high(value):
        return b.lshr(value, constant(_HALF))

    def turned(state, k0, k1):
        c0, c1, c2, c3 = state
        p0 = b.mul(low(c0), constant(int(MULTIPLIERS[0])))
        p1 = b.mul(low(c2), constant(int(MULTIPLIERS[1])))
        return (
            b.xor(b.xor(high(p1), c1), splat(k0)), p1, b.xor(b.xor(high(p0), c3), splat(k1)), p0
        )  # fmt: skip

    indices = [b.add(splat(start), ir.Constant(kind, list(range(blocks)))) for start in starts]
    states = [(index, high(index), splat(counter), high(splat(counter))) for index in indices]
    k0, k1 = seed, b.lshr(seed, int64(_HALF))
    for _ in range(ROUNDS):
        states = [turned(state, k0, k1) for state in states]
        k0, k1 = b.add(k0, int64(int(INCREMENTS[0]))), b.add(k1, int64(int(INCREMENTS[1])))
    order = [place for i in range(blocks) for place in (i, blocks + i)]
    for state in states:
        first, second = (
            b.or_(low(even), b.shl(odd, constant(_HALF))) for even, odd in (state[:2], state[2:])
        )
        for half in (order[:blocks], order[blocks:]):
            yield b.bitcast(v.shuffle(first, second, half), v.integers)
