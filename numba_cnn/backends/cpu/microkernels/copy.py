"""Copies as vectors: rows that a ReLU gates and zeros fill up, and the transpose of a block."""

from functools import reduce
from itertools import product
from typing import NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from numba_cnn.backends.cpu.codegen.arrays import pointer_to, require_vectors
from numba_cnn.backends.cpu.codegen.vector import Vectors, int64


@intrinsic
def copy_rows(
    typingctx, source, s0, s_row, gate, gated, target, t0, t_row, rows, columns, width
):  # fmt: skip
    """target[t0 + r*t_row + c] = source[s0 + r*s_row + c] for r < rows, c < columns; then zeros up to c < width.

    Where `gated`, an element counts only if gate has a positive one at the same place as the source.
    """
    dtype = require_vectors("copy_rows", source, gate, target)
    n = types.intp
    signature = types.void(source, n, n, gate, types.boolean, target, n, n, n, n, n)

    def codegen(context, builder, signature, values):
        source, s0, s_row, gate, gated, target, t0, t_row, rows, columns, width = values
        v = Vectors(builder, dtype)
        kinds = signature.args
        with cgutils.for_range(builder, rows) as row:
            s = builder.add(s0, builder.mul(row.index, s_row))
            t = builder.add(t0, builder.mul(row.index, t_row))
            pointers = [
                pointer_to(context, builder, kinds[0], source, s),
                pointer_to(context, builder, kinds[3], gate, s),
                pointer_to(context, builder, kinds[5], target, t),
            ]
            copy_row(v, pointers, gated, columns, width)
        return context.get_dummy_value()

    return signature, codegen


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


@intrinsic
def spread_pixel(
    typingctx, source, s0, gate, gated, argmax, place, target, t0, t_step, first, second, columns
):  # fmt: skip
    """The two pixels of one row that a pooled pixel stands for, at target[t0] and target[t0 + t_step], if wanted.

    target[t0 + c] = source[s0 + c] where argmax[s0 + c] is the place (the second's: place + 1), else 0; gate as in
    copy_rows.
    """
    dtype = require_vectors("spread_pixel", source, gate, target)
    n, flag = types.intp, types.boolean
    signature = types.void(source, n, gate, flag, argmax, n, target, n, n, flag, flag, n)

    def codegen(context, builder, signature, values):
        source, s0, gate, gated, argmax, place, target, t0, t_step, first, second, columns = values
        v = Vectors(builder, dtype)
        kinds = signature.args
        source, gate, argmax, target = (
            pointer_to(context, builder, kinds[k], array, offset)
            for k, array, offset in (
                (0, source, s0),
                (2, gate, s0),
                (4, argmax, s0),
                (6, target, t0),
            )
        )
        places = [v.splat_int(builder.add(place, int64(k))) for k in range(2)]

        def emit(c, mask):
            value = _gated(v, builder.gep(source, [c]), builder.gep(gate, [c]), gated, mask)
            chosen = v.load_int(builder.gep(argmax, [c]), mask)
            pixel = builder.gep(target, [c])
            for k, wanted in enumerate((first, second)):
                with builder.if_then(wanted):
                    here = builder.icmp_signed("==", chosen, places[k])
                    at = builder.gep(pixel, [t_step]) if k else pixel
                    v.store(builder.select(here, value, v.zero), at, mask)

        v.for_each(columns, emit)
        return context.get_dummy_value()

    return signature, codegen


def _gated(v, source, gate, gated, mask):
    """The vector at source; where `gated`, 0 wherever the gate is not positive."""
    b = v.builder
    value = v.load(source, mask)
    plain = b.block
    with b.if_then(gated):
        passed = b.fcmp_ordered(">", v.load(gate, mask), v.zero)
        chosen, chosen_in = b.select(passed, value, v.zero), b.block
    result = b.phi(v.type)
    result.add_incoming(value, plain)
    result.add_incoming(chosen, chosen_in)
    return result


@intrinsic
def gather_panel(
    typingctx, source, s0, s_row, gate, gated, argmax, spread, target, t0, t_pair, rows, columns, sums, b0
):  # fmt: skip
    """copy_rows into a panel, at most two vectors wide and filled up with zeros; sums[b0 + c] += the column's sum.

    Where `spread`, each row of the source becomes 2x2 rows of the panel, r, r + 1 and those t_pair elements behind
    them, of which the one that argmax names (its places lie like the source) has the values; the others are 0.
    Straight through registers, a row at a time: the panels of gradients are gathered once for every few products.
    """
    dtype = require_vectors("gather_panel", source, gate, target, sums)
    n, flag = types.intp, types.boolean
    signature = types.void(source, n, n, gate, flag, argmax, flag, target, n, n, n, n, sums, n)

    def codegen(context, builder, signature, values):
        (
            source,
            s0,
            s_row,
            gate,
            gated,
            argmax,
            spread,
            target,
            t0,
            t_pair,
            rows,
            columns,
            sums,
            b0,
        ) = values
        v = Vectors(builder, dtype)
        kinds = signature.args
        at = _Panel(
            pointer_to(context, builder, kinds[0], source, s0),
            pointer_to(context, builder, kinds[3], gate, s0),
            pointer_to(context, builder, kinds[5], argmax, s0),
            pointer_to(context, builder, kinds[7], target, t0),
            pointer_to(context, builder, kinds[12], sums, b0),
            s_row,
            t_pair,
            rows,
        )
        wide = builder.icmp_signed(">", columns, int64(v.lanes))
        for vectors, is_gated, is_spread in product((1, 2), (False, True), (False, True)):
            tail = v.mask(builder.sub(columns, int64((vectors - 1) * v.lanes)))
            chosen = (wide, vectors == 2), (gated, is_gated), (spread, is_spread)
            conditions = [flag if wanted else builder.not_(flag) for flag, wanted in chosen]
            with builder.if_then(reduce(builder.and_, conditions)):
                _gather(v, at, [None, tail][-vectors:], is_gated, is_spread)
        return context.get_dummy_value()

    return signature, codegen


class _Panel(NamedTuple):
    """What gather_panel reads and writes, as LLVM values."""

    source: ir.Value
    gate: ir.Value
    argmax: ir.Value
    target: ir.Value
    sums: ir.Value
    s_row: ir.Value
    t_pair: ir.Value
    rows: ir.Value


def _gather(v, at, masks, gated, spread):
    b = v.builder
    before, loop, after = b.block, b.append_basic_block("gather"), b.append_basic_block("gathered")
    b.cbranch(b.icmp_signed(">", at.rows, int64(0)), loop, after)
    b.position_at_end(loop)
    row = b.phi(at.rows.type)
    totals = [b.phi(v.type) for _ in masks]
    across = len(masks) * v.lanes
    s, t = b.mul(row, at.s_row), b.mul(row, int64((1 + spread) * across))
    sums = []
    for k, mask in enumerate(masks):
        shift = int64(k * v.lanes)
        here = b.add(s, shift)
        value = v.load(b.gep(at.source, [here]), mask)
        if gated:
            open_ = b.fcmp_ordered(">", v.load(b.gep(at.gate, [here]), mask), v.zero)
            value = b.select(open_, value, v.zero)
        target = b.gep(at.target, [b.add(t, shift)])
        if spread:
            argmax = v.load_int(b.gep(at.argmax, [here]), mask)
            pair = b.gep(target, [at.t_pair])
            for place, pixel in enumerate(
                (target, b.gep(target, [int64(across)]), pair, b.gep(pair, [int64(across)]))
            ):
                chosen = b.icmp_signed("==", argmax, v.splat_int(int64(place)))
                v.store(b.select(chosen, value, v.zero), pixel)
        else:
            v.store(value, target)
        sums.append(b.fadd(totals[k], value))
    following = b.add(row, int64(1))
    b.cbranch(b.icmp_signed("<", following, at.rows), loop, after)
    for phi, start, end in [
        (row, int64(0), following),
        *((p, v.zero, q) for p, q in zip(totals, sums, strict=True)),
    ]:
        phi.add_incoming(start, before)
        phi.add_incoming(end, loop)
    b.position_at_end(after)
    results = [b.phi(v.type) for _ in masks]
    for total, end in zip(results, sums, strict=True):
        total.add_incoming(v.zero, before)
        total.add_incoming(end, loop)
    for k, (mask, total) in enumerate(zip(masks, results, strict=True)):
        pointer = b.gep(at.sums, [int64(k * v.lanes)])
        v.store(b.fadd(v.load(pointer, mask), total), pointer, mask)


@intrinsic
def transpose(typingctx, source, s0, s_row, rows, columns, target, t0, t_row):
    """target[t0 + c*t_row + r] = source[s0 + r*s_row + c] for r < rows, c < columns, both at most a vector's lanes.

    A whole vector is written for each c, with zeros behind the rows that exist.
    """
    dtype = require_vectors("transpose", source, target)
    n = types.intp
    signature = types.void(source, n, n, n, n, target, n, n)

    def codegen(context, builder, signature, values):
        source, s0, s_row, rows, columns, target, t0, t_row = values
        v = Vectors(builder, dtype)
        ps = pointer_to(context, builder, signature.args[0], source, s0)
        pt = pointer_to(context, builder, signature.args[5], target, t0)
        none = int64(0)
        block = []
        for r in range(v.lanes):
            exists = builder.icmp_signed(">", rows, int64(r))
            mask = v.mask(builder.select(exists, columns, none))
            block.append(v.load(builder.gep(ps, [builder.mul(s_row, int64(r))]), mask))
        for c, column in enumerate(_transposed(v, block)):
            with builder.if_then(builder.icmp_signed(">", columns, int64(c))):
                v.store(column, builder.gep(pt, [builder.mul(t_row, int64(c))]))
        return context.get_dummy_value()

    return signature, codegen


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
