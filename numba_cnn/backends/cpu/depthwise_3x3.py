"""Depthwise convolutions of small images with 3x3 filters: each pixel is loaded once for all nine taps.

A strip of pixels, as wide as registers allow, is followed down the image: each row of it adds to
three rows of outputs. Where pixels of many channels lie 2 KiB apart, all of them share a few sets of the
first-level cache, and what was loaded for one row is gone when the next asks for it. Large images
take less time in the order in which they lie in memory, see depthwise.py.
"""

from itertools import product

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from numba_cnn.backends.cpu.chunks import add_chunks, chunks_of
from numba_cnn.backends.cpu.compiler import small
from numba_cnn.backends.cpu.launch import kernel, unpack
from numba_cnn.backends.cpu.streams import is_streamed
from numba_cnn.backends.cpu.threads import get_num_threads
from numba_cnn.backends.cpu.tile import lanes_of
from numba_cnn.backends.cpu.vector import BITS, REGISTERS, Vectors, int64, lanes, pointer_to

WIDTHS = (7, 4, 2, 1) if REGISTERS == 32 else (4, 2, 1)  # of strips, in pixels
SMALL = 1 << 17  # elements of an image, at most: half of a second-level cache
# Bytes between pixels, at least. Shorter vectors than a cache's line ask for it several times.
APART = 0 if BITS == 512 else 1024
# Of the sums of gradients, at least; from shapes alone, so that the order of summation does not depend on threads.
PIECES = 64


def takes(source, image, window, output):
    """Whether images are small and lie as they are, with at most two columns of padding on either side."""
    _, H, W, C = image
    *taps, _, left = window
    right = output[1] + 2 - W - left
    fits = taps == [3, 3, 1, 1, 1, 1] and max(left, right) <= 2 and source[2].size == 0
    return fits and H * W * C <= SMALL and C * source[0].itemsize >= APART


class _Strip:
    """Some columns, from w on, of an image (H, W, C): rows of its pixels, as vectors of channels."""

    def __init__(self, v, image, extents, w, width, mask):
        self.v, self.image, self.mask = v, image, mask
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
            if m < 2 or m >= len(self.inside) - 2:  # as takes() asks for
                pointer = b.select(inside, pointer, self.zeros)
            yield self.v.load(pointer, self.mask)


def _zeros(v):
    """The address of a vector of zeros."""
    module, name = v.builder.module, "zeros"
    if name not in module.globals:
        vector = ir.GlobalVariable(module, v.type, name)
        vector.initializer, vector.global_constant, vector.linkage = v.zero, True, "internal"
    return v.builder.bitcast(module.globals[name], v.element.as_pointer())


def _merged(b, *values):
    """Which of the values, each with the block that it comes from, it is."""
    phi = b.phi(values[0][0].type)
    for value, block in values:
        phi.add_incoming(value, block)
    return phi


@intrinsic
def _down(
    typingctx, width, x, gate, gated, H, W, C, h, w, filters, b_i, b_j, bias, floor, y, y_h, y_w, rows, left, ahead,
    streamed,
):  # fmt: skip
    """The outputs of a strip, as many rows of `width` of them, for a vector of channels of which `left` exist.

    Their first window begins at (h, w) of the image. What lies `ahead` elements behind it comes from memory meanwhile.
    """
    n, flag = types.intp, types.boolean
    signature = types.void(
        n, x, gate, flag, n, n, n, n, n, filters, n, n, bias, floor, y, n, n, n, n, n, flag
    )

    def codegen(context, builder, signature, values):
        _by_width(Vectors(builder, floor), _emit_down, *values)
        return context.get_dummy_value()

    return signature, codegen


def _by_width(v, emit, wanted, *arguments):
    """emit(v, width, *arguments) for the width that is wanted."""
    b = v.builder
    done = b.append_basic_block("done")
    switch = b.switch(wanted, done)
    for width in WIDTHS:
        block = b.append_basic_block(f"width_{width}")
        switch.add_case(int64(width), block)
        b.position_at_end(block)
        emit(v, width, *arguments)
        b.branch(done)
    b.position_at_end(done)


def _emit_down(
    v, width, x, gate, gated, H, W, C, h, w, filters, b_i, b_j, bias, floor, y, y_h, y_w, rows, left, ahead, streamed
):  # fmt: skip
    b = v.builder
    mask = v.mask(left)
    taps = {
        (i, j): v.load(b.gep(filters, [b.add(b.mul(b_i, int64(i)), b.mul(b_j, int64(j)))]), mask)
        for i, j in product(range(3), repeat=2)
    }
    initial, low = v.load(bias, mask), v.splat(floor)
    strip = _Strip(v, x, (H, W, C), w, width + 2, mask)
    row = b.mul(W, C)

    def write(values, to):
        at = [b.gep(to, [b.mul(y_w, int64(p))]) for p in range(width)]
        kept = [b.select(b.fcmp_ordered("<", value, low), low, value) for value in values]
        with b.if_else(streamed) as (then, otherwise):
            with then:
                for value, pointer in zip(kept, at, strict=True):
                    v.stream(value, pointer)
            with otherwise:
                for value, pointer in zip(kept, at, strict=True):
                    v.store(value, pointer, mask)

    def step(k, first, to, *sums):
        for m in range(width):
            later = b.add(b.add(first, ahead), b.mul(C, int64(m)))
            v.prefetch(b.gep(x, [later]), writing=False)
        pixels = strip.gated_row(b.add(h, k), first, gate, gated)
        # Of the row of outputs that ends here, of the next, and of one that begins.
        rows = [list(sums[:width]), list(sums[width:]), [initial] * width]
        for p, j in product(range(width), range(3)):
            for i, some in enumerate(rows):
                some[p] = v.fma(pixels[p + j], taps[2 - i, j], some[p])
        with b.if_then(b.icmp_signed(">=", k, int64(2))):
            write(rows[0], to)
        return [b.add(k, int64(1)), b.add(first, row), b.gep(to, [y_h]), *rows[1], *rows[2]]

    first, above = b.mul(b.add(b.mul(h, W), w), C), b.gep(y, [b.mul(y_h, int64(-2))])
    v.repeat(b.add(rows, int64(2)), [int64(0), first, above, *[initial] * (2 * width)], step)


@intrinsic
def _down_weight(
    typingctx, width, x, H, W, C, h, w, dy, gate, gated, OH, OW, ow, sums, biases, left, ahead, later
):  # fmt: skip
    """sums, (3, 3, C), += what a strip `width` wide of dy from ow on, gated, gives, for a vector of channels.

    biases += its sum; the first window begins at (h, w) of the image. What lies `ahead` elements behind the image, and
    `later` behind dy and its gate, comes from memory meanwhile.
    """
    n, flag = types.intp, types.boolean
    signature = types.void(n, x, n, n, n, n, n, dy, gate, flag, n, n, n, sums, biases, n, n, n)

    def codegen(context, builder, signature, values):
        _by_width(Vectors(builder, x.dtype), _emit_down_weight, *values)
        return context.get_dummy_value()

    return signature, codegen


def _emit_down_weight(
    v, width, x, H, W, C, h, w, dy, gate, gated, OH, OW, ow, sums, biases, left, ahead, later
):  # fmt: skip
    b = v.builder
    mask = v.mask(left)
    taps = list(product(range(3), repeat=2))
    images = _Strip(v, x, (H, W, C), w, width + 2, mask)
    gradients = _Strip(v, dy, (OH, OW, C), ow, width, mask)

    def step(k, first, to, *carried):
        next_image, next_gradients = b.add(first, ahead), b.add(to, later)
        asked = (x, next_image), (dy, next_gradients), (gate, next_gradients)
        for m, (pointer, start) in product(range(width), asked):
            v.prefetch(b.gep(pointer, [b.add(start, b.mul(C, int64(m)))]), writing=False)
        totals = dict(zip(taps, carried, strict=False))
        bias, *carried = carried[len(taps) :]
        pixels = images.row(b.add(h, k), first)
        new = gradients.gated_row(k, to, gate, gated)
        for value in new:
            bias = b.fadd(bias, value)
        for i, some in enumerate((new, carried[:width], carried[width:])):
            before = b.block
            with b.if_then(
                b.icmp_unsigned("<", b.sub(k, int64(i)), OH)
            ):  # the row of these gradients
                more = [totals[i, j] for j in range(3)]
                for p, j in product(range(width), range(3)):
                    more[j] = v.fma(pixels[p + j], some[p], more[j])
                adding = b.block
            for j in range(3):
                totals[i, j] = _merged(b, (totals[i, j], before), (more[j], adding))
        below, following = b.add(first, b.mul(W, C)), b.add(to, b.mul(OW, C))
        return [
            b.add(k, int64(1)),
            below,
            following,
            *totals.values(),
            bias,
            *new,
            *carried[:width],
        ]

    first = b.mul(b.add(b.mul(h, W), w), C)
    none = [v.zero] * (len(taps) + 1 + 2 * width)
    _, _, _, *ends = v.repeat(b.add(OH, int64(2)), [int64(0), first, b.mul(ow, C), *none], step)
    places = [b.gep(sums, [b.mul(C, int64(3 * i + j))]) for i, j in taps]
    for pointer, value in zip([*places, biases], ends, strict=False):
        v.store(b.fadd(v.load(pointer, mask), value), pointer, mask)


@intrinsic
def _at(typingctx, array, offset):
    """The address of array[offset]."""

    def codegen(context, builder, signature, values):
        return pointer_to(context, builder, signature.args[0], *values)

    return types.CPointer(array.dtype)(array, offset), codegen


@small
def _width(columns):
    """The widest strip that fits."""
    for width in WIDTHS:
        if width <= columns:
            return width
    return 1


def correlate(source, image, window, filters, steps, bias, output, relu, y):
    """y = act(bias + windows of x times filters); the arguments are those of the kernel below."""
    floor = y.dtype.type(0 if relu else -np.inf)
    _correlate(
        get_num_threads(), source, image, window[6:], filters, steps, bias, output, floor, y.reshape(-1)
    )  # fmt: skip


@kernel
def _correlate(share, shares, thread, packed):
    """y = max(bias + windows of x times filters, floor); each share is vectors of channels of images.

    source   of images, see strips.py
    image    (N, H, W, C) of the source
    padding  (top, left)
    filters  one for each channel; tap (i, j) lies at i*b_i + j*b_j by the steps (b_i, b_j)
    output   (OH, OW, offset, image step, row step, column step) of y
    """
    source, image, padding, filters, steps, bias, output, floor, y = unpack(packed)
    x, gate, _ = source
    N, H, W, C = image
    top, left = padding
    b_i, b_j = steps
    OH, OW, y0, y_n, y_h, y_w = output
    gates = gate if gate.size > 0 else x
    streamed = is_streamed(y, y0 | y_n | y_h | y_w | C)
    VL = lanes_of(y)
    vectors = -(-C // VL)
    for task in range(share * N * vectors // shares, (share + 1) * N * vectors // shares):
        n, c = task // vectors, task % vectors * VL
        a, o = n * H * W * C + c, y0 + n * y_n + c
        ow = 0
        while ow < OW:
            width = _width(OW - ow)
            _down(
                width, _at(x, a), _at(gates, a), gate.size > 0, H, W, C, -top, ow - left, _at(filters, c), b_i, b_j,
                _at(bias, c), floor, _at(y, o + ow * y_w), y_h, y_w, OH, C - c, H * W * C, streamed,
            )  # fmt: skip
            ow += width


def correlate_weight(x, dy, g, dweight, dbias):
    """dweight (3, 3, 1, C) and dbias (C,) for images x (N, H, W, C); dy is a source, see strips.py."""
    chunks = min(g.N, -(-PIECES // -(-g.C // lanes(x.dtype))))
    dweights, dbiases = chunks_of(dweight, chunks), chunks_of(dbias, chunks)
    output = g.OH, g.OW
    _correlate_weight(
        get_num_threads(), x.reshape(-1), g.x, (g.top, g.left), dy, output, dweights, dbiases
    )
    add_chunks(dweights, dweight)
    add_chunks(dbiases, dbias)


@kernel
def _correlate_weight(share, shares, thread, packed):
    """Each share is vectors of channels of chunks of the images."""
    x, image, padding, dy, output, dweights, dbiases = unpack(packed)
    N, H, W, C = image
    top, left = padding
    OH, OW = output
    gradients, gate, _ = dy
    gates = gate if gate.size > 0 else gradients
    filters, biases = dweights.reshape(-1), dbiases.reshape(-1)
    VL = lanes_of(x)
    chunks, vectors = len(dweights), -(-C // VL)
    for task in range(share * chunks * vectors // shares, (share + 1) * chunks * vectors // shares):
        chunk, c = task // vectors, task % vectors * VL
        f, last = chunk * 9 * C + c, min(c + VL, C)
        for tap in range(9):
            dweights[chunk, tap * C + c : tap * C + last] = 0
        dbiases[chunk, c:last] = 0
        for n in range(chunk * N // chunks, (chunk + 1) * N // chunks):
            a, d = n * H * W * C + c, n * OH * OW * C + c
            ow = 0
            while ow < OW:
                width = _width(OW - ow)
                _down_weight(
                    width, _at(x, a), H, W, C, -top, ow - left, _at(gradients, d), _at(gates, d), gate.size > 0, OH, OW,
                    ow, _at(filters, f), _at(biases, chunk * C + c), C - c, H * W * C, OH * OW * C,
                )  # fmt: skip
                ow += width
