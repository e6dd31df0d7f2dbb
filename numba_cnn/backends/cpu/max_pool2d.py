"""Max pooling on the CPU: rows of windows, and rows of pixels; microkernels/max_pool.py has what happens to each."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import inline, noinline
from numba_cnn.backends.cpu.microkernels.copy import spread_pixel
from numba_cnn.backends.cpu.microkernels.max_pool import (
    square_max,
    square_spread,
    window_max,
    window_spread,
    window_sum,
)
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.threads import threads_for


@checked
def max_pool2d(x, g, y, argmax):
    _max_pool2d(threads_for(x.size), x.reshape(-1), tuple(g), y.reshape(-1), argmax.reshape(-1))


@checked
def max_pool2d_backward(dy, argmax, g, dx):
    _max_pool2d_backward(
        threads_for(dx.size), dy.reshape(-1), argmax.reshape(-1), tuple(g), dx.reshape(-1)
    )


@kernel
def _max_pool2d(share, shares, thread, packed):
    """Each share is whole rows of y."""
    x, g, y, argmax = unpack(packed)
    N, H, W, C, PH, PW, SH, SW, top, _, left, _, OH, OW = g
    halving, nontemporal = _is_halving(g), bypasses_caches(y, C)
    for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
        n, oh = r // OH, r % OH
        h0, h1 = max(oh * SH - top, 0), min(oh * SH - top + PH, H)
        for ow in range(OW):
            if halving:
                o = ((n * H + h0) * W + 2 * ow) * C
                square_max((x, o, W * C, C), (y, argmax, (r * OW + ow) * C), C, nontemporal)
                continue
            w0, w1 = max(ow * SW - left, 0), min(ow * SW - left + PW, W)
            place = (h0 - oh * SH + top) * PW + w0 - ow * SW + left
            o = ((n * H + h0) * W + w0) * C
            shape, pooled = (h1 - h0, w1 - w0), (y, argmax, (r * OW + ow) * C)
            window_max((x, o, W * C, C), shape, (place, PW), pooled, C)


@kernel
def _max_pool2d_backward(share, shares, thread, packed):
    """Each share is whole rows of dx: those of its windows where windows do not overlap, else any."""
    dy, argmax, g, dx = unpack(packed)
    N, H, W, C, PH, PW, SH, SW, _, _, _, _, OH, OW = g
    if SH >= PH and SW >= PW:
        nontemporal = bypasses_caches(dx, C)
        for r in range(share * N * OH // shares, (share + 1) * N * OH // shares):
            _spread_row(dy, argmax, g, dx, r, nontemporal)
    else:
        for r in range(share * N * H // shares, (share + 1) * N * H // shares):
            _collect_row(dy, argmax, g, dx, r)


@noinline
def _is_halving(g):
    """Whether windows of 2x2 pixels lie side by side, all inside of the image."""
    N, H, W, C, PH, PW, SH, SW, top, _, left, _, OH, OW = g
    return (PH, PW, SH, SW, top, left) == (2, 2, 2, 2, 0, 0) and 2 * OH <= H and 2 * OW <= W


@inline
def _spread_row(dy, argmax, g, dx, r, nontemporal):
    """The rows of dx from one row of windows to the next: each window writes its own pixels, the rest are 0."""
    N, H, W, C, PH, PW, SH, SW, top, _, left, _, OH, OW = g
    n, oh = r // OH, r % OH
    start = 0 if oh == 0 else oh * SH - top
    stop = H if oh == OH - 1 else (oh + 1) * SH - top
    h0, h1 = max(oh * SH - top, 0), min(oh * SH - top + PH, H)
    if (SH, SW) != (PH, PW) or start != h0 or stop != h1 or OW * PW - left != W:
        dx[(n * H + start) * W * C : (n * H + stop) * W * C] = 0
    if _is_halving(g):
        for ow in range(OW):
            if nontemporal:
                o = ((n * H + h0) * W + 2 * ow) * C
                square_spread((dy, argmax, (r * OW + ow) * C), (dx, o, W * C, C), C)
                continue
            for h in range(2):
                spread_pixel(
                    (dy, dy, argmax, (r * OW + ow) * C, False), 2 * h, (dx, ((n * H + h0 + h) * W + 2 * ow) * C, C),
                    wanted=(True, True), columns=C,
                )  # fmt: skip
        return
    for ow in range(OW):
        w0, w1 = max(ow * SW - left, 0), min(ow * SW - left + PW, W)
        place = (h0 - oh * SH + top) * PW + w0 - ow * SW + left
        o = ((n * H + h0) * W + w0) * C
        gradient, window = (dy, argmax, (r * OW + ow) * C), (dx, o, W * C, C)
        window_spread(gradient, (place, PW), window, (h1 - h0, w1 - w0), C)


@inline
def _collect_row(dy, argmax, g, dx, r):
    """One row of dx: each pixel collects from the windows that hold it."""
    N, H, W, C, PH, PW, SH, SW, top, _, left, _, OH, OW = g
    n, h = r // H, r % H
    oh0, oh1 = windows_over(h + top, PH, SH, OH)
    for col in range(W):
        ow0, ow1 = windows_over(col + left, PW, SW, OW)
        place = (h + top - oh0 * SH) * PW + col + left - ow0 * SW
        o = ((n * OH + oh0) * OW + ow0) * C
        windows, shape = (dy, argmax, o, OW * C, C), (oh1 - oh0, ow1 - ow0)
        window_sum(windows, shape, (place, SH * PW, SW), (dx, (r * W + col) * C), C)


@inline
def windows_over(position, P, S, count):
    """The range of windows of size P at stride S that hold a position."""
    first = max(0, (position - P) // S + 1)
    return first, max(first, min(position // S + 1, count))
