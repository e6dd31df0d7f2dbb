"""Copies as vectors: rows that a ReLU gates and zeros fill up, and the transpose of a block."""

from functools import reduce
from itertools import product

from numba.core import cgutils

from numba_cnn.backends.cpu.codegen.microkernel import emitted
from numba_cnn.backends.cpu.codegen.vector import int64


@emitted(source="aa?n", target="an", shape="nnn")
def copy_rows(v, source, target, shape):
    """target[r*t_row + c] = source[r*s_row + c] for r < rows, c < columns; then zeros up to c < width.

    source   (array, gate, start, gated, s_row): where `gated`, an element counts only if the gate has a positive one at
             the same place
    target   (array, start, t_row)
    shape    (rows, columns, width)
    """
    (source, gate, gated, s_row), (target, t_row), (rows, columns, width) = source, target, shape
    b = v.builder
    with cgutils.for_range(b, rows) as row:
        s, t = b.mul(row.index, s_row), b.mul(row.index, t_row)
        copy_row(
            v, [b.gep(source, [s]), b.gep(gate, [s]), b.gep(target, [t])], gated, columns, width
        )


@emitted(source="a", target="a", count="n", nontemporal="?")
def copy_run(v, source, target, count, nontemporal):
    """target[i] = source[i] for i < count; past the caches, if `nontemporal`: see nontemporal.py.

    source, target   (array, start)
    """
    b = v.builder
    with b.if_else(nontemporal) as (then, otherwise):
        with then, v.steps(int64(0), count) as (i, _):
            v.store_nontemporal(v.load(b.gep(source, [i])), b.gep(target, [i]))
        with otherwise:
            v.for_each(
                count,
                lambda i, mask: v.store(v.load(b.gep(source, [i]), mask), b.gep(target, [i]), mask),
            )


def copy_row(v, pointers, gated, columns, width, together=1):
    """One row: whole vectors, so many between two branches, then what is left of the last and the zeros behind it."""
    b = v.builder

    def copy(c, exists, wanted):
        source, gate, target = (b.gep(p, [c]) for p in pointers)
        v.store(_gated(v, source, gate, gated, exists), target, wanted)

    start = int64(0)
    for vectors in sorted({together, 1}, reverse=True):
        step = vectors * v.lanes
        whole = b.and_(columns, int64(-step))
        with cgutils.for_range_slice(b, start, whole, int64(step), intp=start.type) as (c, _):
            for k in range(0, step, v.lanes):
                copy(b.add(c, int64(k)), None, None)
        start = whole
    with v.steps(start, width) as (c, _):
        left = b.sub(columns, c)
        left = b.select(b.icmp_signed(">", left, int64(0)), left, int64(0))
        copy(c, v.mask(left), v.mask(b.sub(width, c)))


@emitted(source="aau?", place="n", target="an", wanted="??", columns="n")
def spread_pixel(v, source, place, target, wanted, columns):
    """The two pixels of one row that a pooled pixel stands for, if wanted, t_step elements apart.

    target[c] = source[c] where argmax[c] is the place (the second's: place + 1), else 0.

    source   (array, gate, argmax, start, gated), the gate as in copy_rows
    target   (array, start, t_step)
    """
    (source, gate, argmax, gated), (target, t_step) = source, target
    b = v.builder
    places = [v.splat_int(b.add(place, int64(k))) for k in range(2)]

    def emit(c, mask):
        value = _gated(v, b.gep(source, [c]), b.gep(gate, [c]), gated, mask)
        chosen = v.load_int(b.gep(argmax, [c]), mask)
        pixel = b.gep(target, [c])
        for k, this in enumerate(wanted):
            with b.if_then(this):
                at = b.gep(pixel, [t_step]) if k else pixel
                _store_chosen(v, value, b.icmp_signed("==", chosen, places[k]), at, mask)

    v.for_each(columns, emit)


def _gated(v, source, gate, gated, mask):
    """The vector at source; where `gated`, 0 wherever the gate is not positive."""
    b = v.builder
    value = v.load(source, mask)
    plain = b.block
    with b.if_then(gated):
        chosen, chosen_in = _passed(v, value, gate, mask), b.block
    result = b.phi(v.type)
    result.add_incoming(value, plain)
    result.add_incoming(chosen, chosen_in)
    return result


def _passed(v, value, gate, mask):
    """The vector, 0 wherever the gate is not positive."""
    return v.builder.select(v.builder.fcmp_ordered(">", v.load(gate, mask), v.zero), value, v.zero)


def _store_chosen(v, value, chosen, target, mask=None):
    v.store(v.builder.select(chosen, value, v.zero), target, mask)


@emitted(source="aau?n", spread="?", target="an", shape="nn", sums="a")
def gather_panel(v, source, spread, target, shape, sums):
    """copy_rows into a panel, at most two vectors wide and filled up with zeros; sums[c] += the column's sum.

    Where `spread`, each row of the source becomes 2x2 rows of the panel, r, r + 1 and those t_pair elements behind
    them, of which the one that argmax names has the values; the others are 0. Straight through registers, a row at a
    time: the panels of gradients are gathered once for every few products.

    source   (array, gate, argmax, start, gated, s_row)
    target   (array, start, t_pair)
    shape    (rows, columns)
    sums     (array, start)
    """
    b, gated, columns = v.builder, source[3], shape[1]
    wide = b.icmp_signed(">", columns, int64(v.lanes))
    for vectors, is_gated, is_spread in product((1, 2), (False, True), (False, True)):
        tail = v.mask(b.sub(columns, int64((vectors - 1) * v.lanes)))
        chosen = (wide, vectors == 2), (gated, is_gated), (spread, is_spread)
        conditions = [flag if wanted else b.not_(flag) for flag, wanted in chosen]
        with b.if_then(reduce(b.and_, conditions)):
            panel = _Panel(v, source, target, [None, tail][-vectors:], is_gated, is_spread)
            panel.gather(shape[0], sums)


class _Panel:
    """Emits a panel of so many vectors as there are masks; the groups are those of gather_panel."""

    def __init__(self, v, source, target, masks, gated, spread):
        self.v, self.b, self.masks, self.gated, self.spread = v, v.builder, masks, gated, spread
        *self.start, _, s_row = source
        target, self.t_pair = target
        self.start.append(target)
        self.across = int64(len(masks) * v.lanes)
        self.steps = [s_row] * 3 + [int64((1 + spread) * len(masks) * v.lanes)]

    def gather(self, rows, sums):
        v, b = self.v, self.b
        zeros = [v.zero for _ in self.masks]
        totals = v.repeat(rows, [*self.start, *zeros], self._row)[len(self.start) :]
        for n, (mask, total) in enumerate(zip(self.masks, totals, strict=True)):
            pointer = b.gep(sums, [int64(n * v.lanes)])
            v.store(b.fadd(v.load(pointer, mask), total), pointer, mask)

    def _row(self, *carried):
        pointers, totals = carried[: len(self.start)], carried[len(self.start) :]
        sums = [
            self.b.fadd(total, self._vector(pointers, int64(n * self.v.lanes), mask))
            for n, (total, mask) in enumerate(zip(totals, self.masks, strict=True))
        ]
        steps = zip(pointers, self.steps, strict=True)
        return [*(self.b.gep(pointer, [step]) for pointer, step in steps), *sums]

    def _vector(self, pointers, shift, mask):
        """The vector that is written to the panel, or to one of four pixels in it."""
        v, b = self.v, self.b
        source, gate, argmax, target = (b.gep(pointer, [shift]) for pointer in pointers)
        value = v.load(source, mask)
        if self.gated:
            value = _passed(v, value, gate, mask)
        if not self.spread:
            v.store(value, target)
            return value
        argmax, below = v.load_int(argmax, mask), b.gep(target, [self.t_pair])
        pixels = [at for row in (target, below) for at in (row, b.gep(row, [self.across]))]
        for place, pixel in enumerate(pixels):
            chosen = b.icmp_signed("==", argmax, v.splat_int(int64(place)))
            _store_chosen(v, value, chosen, pixel)
        return value


@emitted(source="an", shape="nn", target="an", ahead="n", nontemporal="?")
def transpose(v, source, shape, target, ahead, nontemporal):
    """target[c*t_row + r] = source[r*s_row + c] for r < rows, c < columns, both at most a vector's lanes.

    A whole vector is written for each c, with zeros behind the rows that exist; past the caches, if `nontemporal`: then
    each is a cache line.

    source, target   (array, start, elements from row to row)
    shape            (rows, columns)
    ahead            how many elements further on the block is that is asked for; 0: none
    """
    (source, s_row), (rows, columns), (target, t_row) = source, shape, target
    b, block = v.builder, []
    for r in range(v.lanes):
        exists = b.icmp_signed(">", rows, int64(r))
        mask = v.mask(b.select(exists, columns, int64(0)))
        block.append(v.load(b.gep(source, [b.mul(s_row, int64(r))]), mask))
    with b.if_then(b.icmp_signed("!=", ahead, int64(0))):
        later = b.gep(source, [ahead])
        for r in range(v.lanes):
            v.prefetch(b.gep(later, [b.mul(s_row, int64(r))]), writing=False)
    for c, column in enumerate(_transposed(v, block)):
        with b.if_then(b.icmp_signed(">", columns, int64(c))):
            place = b.gep(target, [b.mul(t_row, int64(c))])
            with b.if_else(nontemporal) as (then, otherwise):
                with then:
                    v.store_nontemporal(column, place)
                with otherwise:
                    v.store(column, place)


def _transposed(v, block):
    """Eklundh's transpose: at distance 1, 2, 4, ... rows exchange the halves of their pairs."""
    distance = 1
    while distance < v.lanes:
        lanes = range(v.lanes)
        low = [j if not j & distance else v.lanes + j - distance for j in lanes]
        high = [j + distance if not j & distance else v.lanes + j for j in lanes]
        block = list(block)
        for i in lanes:
            if not i & distance:
                a, b = block[i], block[i + distance]
                block[i], block[i + distance] = v.shuffle(a, b, low), v.shuffle(a, b, high)
        distance *= 2
    return block
