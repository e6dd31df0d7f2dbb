"""Depthwise convolutions: each channel has one filter of its own, so channels side by side fill the
vectors and nothing is left to a matrix product.
"""

from functools import partial, reduce
from itertools import product

from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.microkernel import emitted, microkernel
from numba_cnn.backends.cpu.codegen.vector import INT64, int64

PIXELS = 8  # whose sums are in registers at once
SLIDING = 3, 5  # taps side by side: the widths of nearly all such filters


class _Sums:
    """Emits the outputs of some pixels of a row, a vector of channels after the other."""

    def __init__(self, v, taps, y, bias, x, filters, channels, floor, nontemporal):
        self.b, self.v = v.builder, v
        (self.I, self.J), (self.y, self.y_m), self.bias = taps, y, bias
        self.x, self.a_i, self.a_j, self.a_m = x
        self.filters, self.b_i, self.b_j = filters
        self.channels, self.low, self.nontemporal = channels, v.splat(floor), nontemporal

    def emit(self, m, pixels, sums):
        """The pixels m, m + 1, ...; channels are the inner loop: memory is read as it lies."""
        b, v = self.b, self.v

        def some(c, mask):
            initial = v.load(b.gep(self.bias, [c]), mask)
            first = b.gep(self.x, [b.add(b.mul(m, self.a_m), c)])
            outputs = [b.add(b.mul(b.add(m, int64(p)), self.y_m), c) for p in range(2 * pixels)]
            # What is needed next comes from memory meanwhile: pixels below the window, outputs beside these.
            prefetch_below(v, first, self.I, self.a_i, self.a_j, self.a_m, pixels)
            if not self.nontemporal:
                for output in outputs[pixels:]:
                    v.prefetch(b.gep(self.y, [output]), writing=True)
            values = sums(first, b.gep(self.filters, [c]), [initial] * pixels, mask)
            for output, value in zip(outputs, values, strict=False):
                value = b.select(b.fcmp_ordered("<", value, self.low), self.low, value)
                if self.nontemporal:
                    v.store_nontemporal(value, b.gep(self.y, [output]))
                else:
                    v.store(value, b.gep(self.y, [output]), mask)

        v.for_each(self.channels, some)

    def any(self, first, weights, values, mask):
        """The sums over any taps."""
        b, v = self.b, self.v
        groups, places = v.spaced(first, self.a_m, len(values))
        n = len(groups)

        def over_j(pb, *carried):
            weight = v.load(pb, mask)
            values = [
                v.fma(v.load(b.gep(carried[group], [offset]), mask), weight, total)
                for (group, offset), total in zip(places, carried[n:], strict=True)
            ]
            return [b.gep(pb, [self.b_j]), *(b.gep(p, [self.a_j]) for p in carried[:n]), *values]

        def over_i(pb, *carried):
            _, *ends = v.repeat(self.J, [pb, *carried], over_j)
            below = [b.gep(p, [self.a_i]) for p in carried[:n]]
            return [b.gep(pb, [self.b_i]), *below, *ends[n:]]

        return v.repeat(self.I, [weights, *groups, *values], over_i)[1 + n :]

    def sliding(self, width, first, weights, values, mask):
        """The sums over rows of so many taps side by side: each pixel is loaded once for all of them."""
        b, v = self.b, self.v
        groups, places = v.spaced(first, self.a_m, len(values) + width - 1)
        n = len(groups)

        def over_i(pb, *carried):
            taps = [v.load(b.gep(pb, [b.mul(self.b_j, int64(j))]), mask) for j in range(width)]
            pixels = [v.load(b.gep(carried[group], [offset]), mask) for group, offset in places]
            values = list(carried[n:])
            for j, p in product(range(width), range(len(values))):
                values[p] = v.fma(pixels[p + j], taps[j], values[p])
            return [b.gep(pb, [self.b_i]), *(b.gep(p, [self.a_i]) for p in carried[:n]), *values]

        return v.repeat(self.I, [weights, *groups, *values], over_i)[1 + n :]


def prefetch_below(v, first, I, a_i, a_j, a_m, pixels):
    """Ask for the pixels below the windows of some outputs, of which the first's begins at `first`.

    Where windows skip pixels, the next ones see two new rows of them, and those between the columns as well.
    """
    b = v.builder
    below = b.gep(first, [b.mul(I, a_i)])
    columns = [b.gep(below, [b.mul(a_m, int64(p))]) for p in range(pixels)]
    for column in columns:
        v.prefetch(column, writing=False)
    with b.if_then(b.icmp_signed(">", a_m, a_j)):
        for column, others in product(columns, ((a_j,), (a_i,), (a_i, a_j))):
            v.prefetch(reduce(lambda at, step: b.gep(at, [step]), others, column), writing=False)


@emitted(shape="nn", taps="nn", y="pn", bias="p", x="pnnn", filters="pnn", epilogue="f?")
def _row(v, shape, taps, y, bias, x, filters, epilogue):
    """What depthwise_row() does, on pointers."""
    b, (_, _, a_j, a_m), (_, J) = v.builder, x, taps
    (count, channels), (floor, nontemporal) = shape, epilogue
    beside = b.icmp_signed("==", a_j, a_m)
    slides = [b.icmp_signed("==", J, int64(width)) for width in SLIDING]
    slides = [b.and_(beside, fits) for fits in slides]
    rest = b.not_(reduce(b.or_, slides))
    for past_caches, chosen in ((True, nontemporal), (False, b.not_(nontemporal))):
        sums = _Sums(v, taps, y, bias, x, filters, channels, floor, past_caches)
        kinds = [*(partial(sums.sliding, width) for width in SLIDING), sums.any]
        for kind, fits in zip(kinds, [*slides, rest], strict=True):
            with b.if_then(b.and_(chosen, fits)):
                by_pixels(b, count, lambda m, pixels, s=sums, k=kind: s.emit(m, pixels, k))


@microkernel(shape="nn", taps="nn", y="an", bias="a", x="annn", filters="ann", epilogue="f?")
def depthwise_row(shape, taps, y, bias, x, filters, epilogue):
    """y[m*y_m + c] = max(bias[c] + sum over i < I, j < J of x[i*a_i + j*a_j + m*a_m + c] * B, floor)

    for m < count and c < channels, where B = filters[i*b_i + j*b_j + c].

    shape      (count, channels)
    taps       (I, J)
    y          (array, start, y_m)
    bias       (array, start)
    x          (array, start, a_i, a_j, a_m)
    filters    (array, start, b_i, b_j)
    epilogue   (floor, nontemporal): whether y is written past the caches, in whole aligned vectors
    """
    _row(shape, taps, y, bias, x, filters, epilogue)


@noinline
def seen(start, dilation, taps, extent):
    """The first of the taps at start, start + dilation, ... that lies inside, and the one behind the last."""
    first = max(0, -(start // dilation))
    return first, max(first, min(taps, (extent - 1 - start) // dilation + 1))


@noinline
def pixels_alike(start, dilation, stride, taps, extent, count):
    """seen() for an output whose first tap is at `start`; and how many outputs, of `count`, see the same taps.

    Those that see all of them are taken together, others one by one.
    """
    first, stop = seen(start, dilation, taps, extent)
    whole = (extent - 1 - dilation * (taps - 1) - start) // stride + 1
    return first, stop, min(count, whole) if first == 0 and whole > 0 else 1


def by_pixels(builder, count, emit):
    """emit(m, pixels) for the pixels m, m + 1, ... of a row: as many at once as registers take, then what is left."""
    start, pixels = int64(0), PIXELS
    while pixels:
        stop = builder.and_(count, int64(-pixels))
        with cgutils.for_range_slice(builder, start, stop, int64(pixels), intp=INT64) as (m, _):
            emit(m, pixels)
        start, pixels = stop, pixels // 2
