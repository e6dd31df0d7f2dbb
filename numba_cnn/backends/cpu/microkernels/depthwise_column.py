"""A strip of an image followed down, for filters of one channel each: see depthwise_small.py.

Each row of the strip, a vector of channels for each pixel, adds to as many rows of outputs, or of
taps, as filters have. Meanwhile the same pixels of the next vector of channels come from memory.
"""

from itertools import product
from typing import NamedTuple

from llvmlite import ir

from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.codegen.host import REGISTERS
from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int64

# The widest row_buffers, in outputs, by the rows of a filter; others are half as wide, and so on.
WIDEST = {3: 7, 5: 4} if REGISTERS == 32 else {3: 4}
NARROWER = 4, 2, 1


class _Strip:
    """Some columns, from w on, of an image (H, W, C): rows of its pixels, as vectors of channels.

    Of the columns none but `beyond` on either side may lie outside the image.
    """

    def __init__(self, v, image, extents, w, width, mask, beyond):
        self.v, self.image, self.mask, self.beyond = v, image, mask, beyond
        self.H, self.W, self.C = extents
        self.inside = [
            v.builder.icmp_unsigned("<", v.builder.add(w, int64(m)), self.W) for m in range(width)
        ]
        self.zeros = _zeros(v)

    def row(self, h, first):
        """The pixels of row h, of which the first lies `first` elements behind the image's; 0 where there is none."""
        return list(self._pixels(self.image, h, first))

    def gated_row(self, h, first, gate, gated):
        """The same; where `gated`, 0 wherever the gate is not positive."""
        b, v = self.v.builder, self.v
        values = self.row(h, first)
        plain = b.block
        with b.if_then(gated):
            gates = self._pixels(gate, h, first)
            kept = [
                b.select(b.fcmp_ordered(">", gate, v.zero), value, v.zero)
                for gate, value in zip(gates, values, strict=True)
            ]
            gating = b.block
        return [
            _merged(b, (value, plain), (other, gating))
            for value, other in zip(values, kept, strict=True)
        ]

    def _pixels(self, array, h, first):
        b = self.v.builder
        exists = b.icmp_unsigned("<", h, self.H)
        start = b.select(exists, b.gep(array, [first]), self.zeros)
        step = b.select(exists, self.C, int64(0))
        for m, inside in enumerate(self.inside):
            pointer = b.gep(start, [b.mul(step, int64(m))])
            if m < self.beyond or m >= len(self.inside) - self.beyond:
                pointer = b.select(inside, pointer, self.zeros)
            yield self.v.load(pointer, self.mask)


def _zeros(v):
    """The address of a vector of zeros."""
    module, name = v.builder.module, "zeros"
    if name not in module.globals:
        vector = ir.GlobalVariable(module, v.type, name)
        vector.initializer, vector.global_constant, vector.linkage = v.zero, True, "internal"
    return v.builder.bitcast(module.globals[name], v.element.as_pointer())


def _prefetch(v, array, place):
    """Ask for the vector of channels that follows a place."""
    v.prefetch(v.builder.gep(array, [v.builder.add(place, int64(v.lanes))]), writing=False)


def _merged(b, *values):
    """Which of the values, each with the block that it comes from, it is."""
    phi = b.phi(values[0][0].type)
    for value, block in values:
        phi.add_incoming(value, block)
    return phi


@noinline
def width_of(widest, columns):
    """The widest strip that fits."""
    if columns >= widest:
        return widest
    width = NARROWER[0]
    while width > columns:
        width //= 2
    return width


@emitted(
    taps="n",
    shape="nnn",
    x="aa?",
    image="nnn",
    corner="nn",
    filters="ann",
    bias="a",
    y="ann",
    epilogue="f?",
)
def down(v, taps, shape, x, image, corner, filters, bias, y, epilogue):
    """The outputs of a strip, as many rows of `width` of them, for a vector of channels of which `left` exist.

    taps       rows, and columns, of a filter
    shape      (width, rows, left); the width comes from width_of()
    x          (array, gate, start, gated): the image
    image      (H, W, C)
    corner     (h, w) of the image, where the first window begins
    filters    (array, start, b_i, b_j)
    bias       (array, start)
    y          (array, start, y_h, y_w)
    epilogue   (floor, nontemporal)
    """
    width, *_ = shape
    strip = _Outputs(shape, x, image, corner, filters, bias, y, epilogue)
    for rows in WIDEST:
        with v.builder.if_then(v.builder.icmp_signed("==", taps, int64(rows))):
            _by_width(v, rows, width, lambda width, rows=rows: _emit_down(v, rows, width, strip))


class _Outputs(NamedTuple):
    """The groups of down(), of LLVM values."""

    shape: tuple
    x: tuple
    image: tuple
    corner: tuple
    filters: tuple
    bias: ir.Value
    y: tuple
    epilogue: tuple


def _by_width(v, taps, wanted, emit):
    """emit(width) for the width that is wanted, of those of strips for so many taps."""
    b = v.builder
    done = b.append_basic_block("done")
    switch = b.switch(wanted, done)
    for width in sorted({WIDEST[taps], *NARROWER}):
        block = b.append_basic_block(f"width_{width}")
        switch.add_case(int64(width), block)
        b.position_at_end(block)
        emit(width)
        b.branch(done)
    b.position_at_end(done)


def _emit_down(v, taps, width, strip):
    (_, rows, left), (x, gate, gated), (H, W, C), (h, w), *_ = strip
    (filters, b_i, b_j), (y, y_h, y_w), (floor, nontemporal) = (
        strip.filters,
        strip.y,
        strip.epilogue,
    )
    b = v.builder
    mask = v.mask(left)
    weights = {
        (i, j): v.load(b.gep(filters, [b.add(b.mul(b_i, int64(i)), b.mul(b_j, int64(j)))]), mask)
        for i, j in product(range(taps), repeat=2)
    }
    initial, low = v.load(strip.bias, mask), v.splat(floor)
    around = taps - 1
    images = _Strip(v, x, (H, W, C), w, width + around, mask, around)
    row = b.mul(W, C)

    def write(values, to):
        at = [b.gep(to, [b.mul(y_w, int64(p))]) for p in range(width)]
        kept = [b.select(b.fcmp_ordered("<", value, low), low, value) for value in values]
        with b.if_else(nontemporal) as (then, otherwise):
            with then:
                for value, pointer in zip(kept, at, strict=True):
                    v.store_nontemporal(value, pointer)
            with otherwise:
                for value, pointer in zip(kept, at, strict=True):
                    v.store(value, pointer, mask)

    def step(k, first, to, *sums):
        for m, array in product(range(width), (x, gate)):
            _prefetch(v, array, b.add(first, b.mul(C, int64(m))))
        pixels = images.gated_row(b.add(h, k), first, gate, gated)
        # Of the row of outputs that ends here, of the next ones, and of one that begins.
        sums = [*sums, *[initial] * width]
        for p, j, i in product(range(width), range(taps), range(taps)):
            cell = i * width + p
            sums[cell] = v.fma(pixels[p + j], weights[around - i, j], sums[cell])
        with b.if_then(b.icmp_signed(">=", k, int64(around))):
            write(sums[:width], to)
        return [b.add(k, int64(1)), b.add(first, row), b.gep(to, [y_h]), *sums[width:]]

    first, above = b.mul(b.add(b.mul(h, W), w), C), b.gep(y, [b.mul(y_h, int64(-around))])
    start = [int64(0), first, above, *[initial] * (around * width)]
    v.repeat(b.add(rows, int64(around)), start, step)


@emitted(shape="nn", x="a", image="nnn", corner="nn", dy="aa?", output="nnn", sums="a", biases="a")
def column_weight(v, shape, x, image, corner, dy, output, sums, biases):
    """sums, (3, 3, C), += what a strip of dy gives, for a vector of channels of which `left` exist; biases += its sum.

    shape            (width, left)
    x, sums, biases  (array, start)
    image            (H, W, C)
    corner           (h, w) of the image, where the first window begins
    dy               (array, gate, start, gated)
    output           (OH, OW, ow): the strip begins at the column ow
    """
    width, left = shape

    def emit(width):
        _emit_down_weight(v, width, left, x, image, corner, dy, output, sums, biases)

    _by_width(v, 3, width, emit)


def _emit_down_weight(v, width, left, x, image, corner, dy, output, sums, biases):
    (H, W, C), (h, w), (dy, gate, gated), (OH, OW, ow) = image, corner, dy, output
    b = v.builder
    mask = v.mask(left)
    taps = list(product(range(3), repeat=2))
    images = _Strip(v, x, (H, W, C), w, width + 2, mask, 2)
    gradients = _Strip(v, dy, (OH, OW, C), ow, width, mask, 0)

    def step(k, first, to, *carried):
        for m, (array, start) in product(range(width), ((x, first), (dy, to), (gate, to))):
            _prefetch(v, array, b.add(start, b.mul(C, int64(m))))
        totals = dict(zip(taps, carried, strict=False))
        bias, *carried = carried[len(taps) :]
        pixels = images.row(b.add(h, k), first)
        new = gradients.gated_row(k, to, gate, gated)
        for value in new:
            bias = b.fadd(bias, value)
        for i, some in enumerate((new, carried[:width], carried[width:])):
            before = b.block
            exists = b.icmp_unsigned("<", b.sub(k, int64(i)), OH)  # the row of these gradients
            with b.if_then(exists):
                more = [totals[i, j] for j in range(3)]
                for p, j in product(range(width), range(3)):
                    more[j] = v.fma(pixels[p + j], some[p], more[j])
                adding = b.block
            for j in range(3):
                totals[i, j] = _merged(b, (totals[i, j], before), (more[j], adding))
        places = b.add(k, int64(1)), b.add(first, b.mul(W, C)), b.add(to, b.mul(OW, C))
        return [*places, *totals.values(), bias, *new, *carried[:width]]

    first = b.mul(b.add(b.mul(h, W), w), C)
    none = [v.zero] * (len(taps) + 1 + 2 * width)
    _, _, _, *ends = v.repeat(b.add(OH, int64(2)), [int64(0), first, b.mul(ow, C), *none], step)
    places = [b.gep(sums, [b.mul(C, int64(3 * i + j))]) for i, j in taps]
    for pointer, value in zip([*places, biases], ends, strict=False):
        v.store(b.fadd(v.load(pointer, mask), value), pointer, mask)
