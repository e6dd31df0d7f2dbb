"""The kernel of correlate.py, put together from its steps: place the windows, fetch, multiply,
finish.
"""

from functools import lru_cache

from numba import float32, int32, int64, uint32

from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.tile import (
    ZERO,
    Share,
    divide,
    flat,
    multiplier,
    reader,
    stasher,
    writer,
)
from numba_cnn.backends.cuda.vector import address

_NOWHERE = -(1 << 30)  # the row of a pixel that does not exist: no tap brings it back into an image


@lru_cache
def correlate_kernel(tile, transposed, ragged, bias, relu):
    """The kernel of one tile; block (x, y, z) owns rows x, columns y and split z of the result:
    nobody else writes there.
    """
    BM, BN, BK, TM, TN = tile
    A = Share.along_depth(BM, tile)
    B = Share.along_depth(BN, tile) if transposed else Share.by_rows(BN, tile)
    a_size, b_size, a_row, b_row = BK * A.row, BK * B.row, A.row, B.row
    a_slabs, b_slabs, a_floats, b_floats = 2 * a_size, 2 * b_size, 4 * A.count, 4 * B.count
    fours, lanes, across, pixels, places = A.fours, B.fours, BN // TN, A.count, A.count + 1
    place, fetch = _placer(A), _fetcher(tile, A, B, transposed, ragged)
    stash_a, stash_b, multiply = stasher(A), stasher(B), multiplier(tile, A.row, B.row)
    finish = _finisher(tile, ragged, bias, relu)

    @jit
    def correlate_kernel(source, weight, bias, g, out):
        a = cuda.shared.array(a_slabs, float32)
        b = cuda.shared.array(b_slabs, float32)
        sums = cuda.local.array((TM, TN), float32)
        column = cuda.local.array(TM, float32)
        row = cuda.local.array(TN, float32)
        a_values = cuda.local.array(a_floats, float32)
        b_values = cuda.local.array(b_floats, float32)
        windows = cuda.local.array((pixels, 2), int32)
        origins = cuda.local.array(places, int64)
        moved = cuda.local.array(2, int64)
        inside = cuda.local.array(pixels, int32)
        tap = cuda.local.array(3, int32)

        t = int32(cuda.threadIdx.x)
        m0, n0 = int32(cuda.blockIdx.x * BM), int32(cuda.blockIdx.y * BN)
        k, m = int32(t % fours * 4), int32(t // fours)
        wk, n = (k, m) if transposed else (int32(t // lanes), int32(t % lanes * 4))
        a_at, b_at = (k * a_row + m), (wk * b_row + n)
        top, left = int32(t // across * 4), int32(t % across * 4)

        place(source, m0 + m, k, g, windows, origins)
        wr, wc = (n0 + n, wk) if transposed else (wk, n0 + n)
        origins[pixels] = address(weight, g.weight_start + wr * int64(g.weight_row) + wc)
        steps = _split(g, BK, cuda.blockIdx.z, tap)
        for i in range(TM):
            for j in range(TN):
                sums[i, j] = ZERO

        fetch(
            source,
            weight,
            g,
            True,
            k,
            wk,
            int32(n0 + n),
            windows,
            origins,
            inside,
            tap,
            moved,
            a_values,
            b_values,
        )
        stash_a(a_values, a, flat(a_at))
        stash_b(b_values, b, flat(b_at))
        cuda.syncthreads()
        a_slab, b_slab = int32(0), int32(0)
        for _ in range(steps):
            fetch(
                source,
                weight,
                g,
                tap[0] == 0,
                k,
                wk,
                int32(n0 + n),
                windows,
                origins,
                inside,
                tap,
                moved,
                a_values,
                b_values,
            )
            multiply(
                0,
                a,
                b,
                flat(a_slab + top),
                flat(b_slab + left),
                sums,
                column,
                row,
            )
            a_slab, b_slab = int32(a_size - a_slab), int32(b_size - b_slab)
            stash_a(a_values, a, flat(a_slab + a_at))
            stash_b(b_values, b, flat(b_slab + b_at))
            cuda.syncthreads()
        finish(m0 + top, n0 + left, bias, g, sums, cuda.blockIdx.z, out)

    return correlate_kernel


def _placer(share):
    """place(source, m, k, g, windows, origins): where the windows of a thread's pixels begin, in
    rows, columns and addresses.
    """
    count, stride = share.count, share.stride

    @device
    def place(source, m, k, g, windows, origins):
        for i in range(count):
            rest, ow = divide(uint32(m + i * stride), g.OW)
            n, oh = divide(rest, g.OH)
            h, w = int32(oh * g.SH - g.top), int32(ow * g.SW - g.left)
            origins[i] = address(source, ((n * int64(g.H) + h) * int64(g.W) + w) * g.C + k)
            windows[i, 0] = h if m + i * stride < g.M else _NOWHERE
            windows[i, 1] = w

    return place


@device
def _split(g, BK, split, tap):
    """The first slab of a split as (channel, kh, kw) in `tap`; returns how many slabs it has.

    Beyond the last slab the channel is C: there is nothing to read.
    """
    slabs = int32((g.C + BK - 1) // BK)
    first, last = int32(split * g.steps), int32(slabs * g.TH * g.TW)
    taps = int32(first // slabs)
    tap[0] = int32((first - taps * slabs) * BK) if first < last else g.C
    tap[1] = int32(taps // g.TW)
    tap[2] = int32(taps - tap[1] * g.TW)
    return int32(min(g.steps, last - first))


def _fetcher(tile, A, B, transposed, ragged):
    """fetch(...): the next slab from global memory into registers, zeros where there is nothing,
    and `tap` moves on.
    """
    BK = tile.BK
    read = reader(ragged)
    a_count, b_count, b_stride = A.count, B.count, B.stride

    @device
    def turn(g, windows, inside, tap, moved):
        """What changes from one tap to the next: which pixels are inside the image, how far the
        taps moved.
        """
        dh, dw = int32(tap[1] * g.DH), int32(tap[2] * g.DW)
        for i in range(a_count):
            h, w = int32(windows[i, 0] + dh), int32(windows[i, 1] + dw)
            inside[i] = uint32(h) < uint32(g.H) and uint32(w) < uint32(g.W)
        moved[0] = int64(int32(dh * g.W + dw)) * g.C
        moved[1] = int32(tap[1] * g.weight_kh + tap[2] * g.weight_kw)

    @device
    def fetch(
        source, weight, g, fresh, ak, k, n, windows, origins, inside, tap, moved, a_values, b_values
    ):
        if fresh:
            turn(g, windows, inside, tap, moved)
        c = tap[0]
        shift = (moved[0] + c) * 4
        for i in range(a_count):
            four = read(source, origins[i] + shift, inside[i], int32(g.C - c - ak))
            for lane in range(4):
                a_values[4 * i + lane] = four[lane]
        for i in range(b_count):
            if transposed:
                exists = int32(n + i * b_stride) < g.N
                count = int32(g.C - c - k)
                row = int32(i * b_stride * g.weight_row + c)
            else:
                exists = int32(c + k + i * b_stride) < g.C
                count = int32(g.N - n)
                row = int32((i * b_stride + c) * g.weight_row)
            four = read(weight, origins[a_count] + (moved[1] + row) * 4, exists, count)
            for lane in range(4):
                b_values[4 * i + lane] = four[lane]
        tap[0] = int32(c + BK)
        if tap[0] >= g.C:
            tap[0] = int32(0)
            tap[2] = int32(tap[2] + 1)
            if tap[2] == g.TW:
                tap[2] = int32(0)
                tap[1] = int32(tap[1] + 1)
                if tap[1] == g.TH:
                    tap[0] = g.C

    return fetch


def _finisher(tile, ragged, bias, relu):
    """finish(m, n, ...): bias, ReLU and the stores of a thread's sums."""
    BM, BN, _, TM, TN = tile
    down, across = BM // (TM // 4), BN // (TN // 4)
    read, write = reader(ragged), writer(ragged)

    @device
    def activated(value):
        if relu:
            return ZERO if value <= ZERO else value  # NaN goes through
        return value

    @device
    def finish(m0, n0, biases, g, sums, split, out):
        for i in range(TM):
            m = int32(m0 + i // 4 * down + i % 4)
            if m < g.M:
                rest, ow = divide(uint32(m), g.OW)
                image, oh = divide(rest, g.OH)
                at = (
                    g.out_start
                    + split * int64(g.out_split)
                    + image * int64(g.out_image)
                    + oh * int64(g.out_row)
                    + ow * int64(g.out_pixel)
                )
                for j in range(0, TN, 4):
                    n = int32(n0 + j // 4 * across)
                    v0, v1, v2, v3 = sums[i, j], sums[i, j + 1], sums[i, j + 2], sums[i, j + 3]
                    if bias:
                        b0, b1, b2, b3 = read(biases, address(biases, n), True, int32(g.N - n))
                        v0, v1, v2, v3 = v0 + b0, v1 + b1, v2 + b2, v3 + b3
                    write(
                        out,
                        at + n,
                        int32(g.N - n),
                        activated(v0),
                        activated(v1),
                        activated(v2),
                        activated(v3),
                    )

    return finish
