"""Pixels between four others: a row of them, one after the other, and single ones."""

from llvmlite import ir
from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import INT64, int64, opaque

_PAIR = 8  # elements that two pixels of three channels are read as, side by side


@emitted(x="annn", places="un", rests="an", y="a", run="nn", early="nn?", nontemporal="?")
def blend_row(v, x, places, rests, y, run, early, nontemporal):
    """y[i*C + c] for first <= i < last: the mean of four pixels of C channels by distance; past the caches, if
    `nontemporal`.

    x        (array, where the image begins, elements of its rows, how many follow that may be read, C)
    places   (array, start, distance): the row of the pixel above and to the left, and so much further its column
    rests    (array, start, distance): the share of the pixels below, and of those on the right
    run      (first, last)
    early    (where lies what is asked for at the first pixel, how much further it lies at the next one, whether both
             are counted from the pixel itself)
    """
    (x, row, size, channels), b = x, v.builder
    (places, width), (rests, rest_width), (first, last) = places, rests, run

    def each(emit, known=None):
        count = channels if known is None else int64(known)
        with cgutils.for_range_slice(b, first, last, int64(1), intp=INT64) as (i, _):
            top, left = (b.sext(b.load(b.gep(places, [at])), INT64) for at in (i, b.add(i, width)))
            corner = opaque(b, b.add(b.mul(top, row), b.mul(left, count)))
            _ask(v, x, i, corner, count, early)
            down, across = (b.load(b.gep(rests, [at])) for at in (i, b.add(i, rest_width)))
            emit(i, corner, (across, down), b.gep(y, [b.mul(i, count)]))

    def any_channels(i, corner, shares, y):
        blend = _Blend(v, shares)
        below = b.add(corner, row)
        pixels = corner, b.add(corner, channels), below, b.add(below, channels)
        blend.any_channels([b.gep(x, [pixel]) for pixel in pixels], y, channels, nontemporal)

    def three_channels(i, corner, shares, y):
        """As one, but for the row's last pixel, since more is written, and for the array's last elements, since more
        is read."""
        end = b.add(b.add(corner, row), int64(_PAIR))
        whole = b.and_(b.icmp_signed("<", b.add(i, int64(1)), last), b.icmp_signed("<=", end, size))
        with b.if_else(whole) as (then, otherwise):
            with then:
                upper = b.gep(x, [corner])
                _Blend(v, shares).three_channels(upper, b.gep(upper, [row]), y)
            with otherwise:
                any_channels(i, corner, shares, y)

    is_three = b.icmp_signed("==", channels, int64(3))
    with b.if_else(is_three) as (then, otherwise):
        with then:
            each(three_channels, 3)
        with otherwise:
            each(any_channels)


@emitted(x="annnn", shares="ff", y="a", channels="n", nontemporal="?")
def blend_pixels(v, x, shares, y, channels, nontemporal):
    """y[c] for c < channels: the mean of four pixels by distance; past the caches, if `nontemporal`.

    x        (array, where it begins, the two pixels above and the two below)
    shares   (of the pixels on the right, of those below)
    """
    x, *pixels = x
    pixels = [v.builder.gep(x, [pixel]) for pixel in pixels]
    _Blend(v, shares).any_channels(pixels, y, channels, nontemporal)


def _ask(v, x, i, corner, count, early):
    (start, step, relative), b = early, v.builder
    at = b.add(start, b.add(b.mul(i, step), b.select(relative, corner, int64(0))))
    v.prefetch_run(b.gep(x, [at]), count)


class _Blend:
    """The mean of four pixels with these shares, (of those on the right, of those below): first of those above and
    below one another, then of both, in whatever vectors they are, so that the bits are the same.
    """

    def __init__(self, v, shares):
        self.v, self.b, (across, down) = v, v.builder, shares
        one = ir.Constant(v.element, 1.0)
        self.columns, self.rows = (self.b.fsub(one, across), across), (self.b.fsub(one, down), down)

    def any_channels(self, pixels, y, channels, nontemporal):
        """A vector of channels at a time."""
        v, b = self.v, self.b

        def blended(c, mask):
            p, q, s, t = (v.load(b.gep(pixel, [c]), mask) for pixel in pixels)
            sides = self._mean(p, s, self.rows), self._mean(q, t, self.rows)
            return self._mean(*sides, self.columns), b.gep(y, [c])

        v.store_each(channels, lambda cs, mask: [blended(c, mask) for c in cs], nontemporal)

    def three_channels(self, upper, lower, y):
        """Both pixels above are a vector, and both below; four elements are written, the last one by the next pixel."""
        v, b = self.v, self.b
        pair, pixel = ir.VectorType(v.element, _PAIR), ir.VectorType(v.element, _PAIR // 2)
        rows = (b.load(b.bitcast(row, pair.as_pointer()), align=v.align) for row in (upper, lower))
        both = self._mean(*rows, self.rows)
        sides = (v.shuffle(both, both, [*range(first, first + pixel.count)]) for first in (0, 3))
        mixed = self._mean(*sides, self.columns)
        b.store(mixed, b.bitcast(y, pixel.as_pointer()), v.align)

    def _mean(self, first, second, shares):
        of_first, of_second = (self.v.splat(share, first.type) for share in shares)
        return self.v.fma(first, of_first, self.b.fmul(second, of_second))
