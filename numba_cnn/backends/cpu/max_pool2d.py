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
    _max_pool2d(threads_for(x.size), x.reshape(-1), g, y.reshape(-1), argmax.reshape(-1))


@checked
def max_pool2d_backward(dy, argmax, g, dx):
    _max_pool2d_backward(
        threads_for(dx.size), dy.reshape(-1), argmax.reshape(-1), g, dx.reshape(-1)
    )


@kernel
def _max_pool2d(share, shares, thread, packed):
    """Each share is whole rows of y."""
    x, g, y, argmax = unpack(packed)
    H, W, C, OH, OW = g.H, g.W, g.C, g.OH, g.OW
    halving, nontemporal = _is_halving(g), bypasses_caches(y, C)
    for r in range(share * g.N * OH // shares, (share + 1) * g.N * OH // shares):
        n, oh = r // OH, r % OH
        h0, h1 = max(oh * g.SH - g.top, 0), min(oh * g.SH - g.top + g.PH, H)
        if halving:
            for ow in range(OW):
                o = ((n * H + h0) * W + 2 * ow) * C
                square_max((x, o, W * C, C), (y, argmax, (r * OW + ow) * C), C, nontemporal)
            continue
        inside, ow = uncut_windows(g), 0
        while ow < OW:
            w0, w1 = max(ow * g.SW - g.left, 0), min(ow * g.SW - g.left + g.PW, W)
            place = (h0 - oh * g.SH + g.top) * g.PW + w0 - ow * g.SW + g.left
            o = ((n * H + h0) * W + w0) * C
            shape, pooled = (h1 - h0, w1 - w0), (y, argmax, (r * OW + ow) * C)
            alike = inside[1] - ow if inside[0] <= ow < inside[1] else 1
            run = alike, g.SW * C, C
            window_max((x, o, W * C, C), shape, (place, g.PW), pooled, C, run)
            ow += alike


@kernel
def _max_pool2d_backward(share, shares, thread, packed):
    """Each share is whole rows of dx: those of its windows where windows do not overlap, else any."""
    dy, argmax, g, dx = unpack(packed)
    H, OH = g.H, g.OH
    nontemporal = bypasses_caches(dx, g.C)
    if g.SH >= g.PH and g.SW >= g.PW:
        for r in range(share * g.N * OH // shares, (share + 1) * g.N * OH // shares):
            _spread_row(dy, argmax, g, dx, r, nontemporal)
    else:
        for r in range(share * g.N * H // shares, (share + 1) * g.N * H // shares):
            _collect_row(dy, argmax, g, dx, r, nontemporal)


@noinline
def _is_halving(g):
    """Whether windows of 2x2 pixels lie side by side, all inside of the image."""
    return (
        (g.PH, g.PW, g.SH, g.SW, g.top, g.left) == (2, 2, 2, 2, 0, 0)
        and 2 * g.OH <= g.H
        and 2 * g.OW <= g.W
    )


@inline
def _spread_row(dy, argmax, g, dx, r, nontemporal):
    """The rows of dx from one row of windows to the next: each window writes its own pixels, the rest are 0."""
    H, W, C, OH, OW = g.H, g.W, g.C, g.OH, g.OW
    n, oh = r // OH, r % OH
    h0, h1, start, stop = rows_of_windows(g, oh)
    if start < stop:
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
        w0, w1 = max(ow * g.SW - g.left, 0), min(ow * g.SW - g.left + g.PW, W)
        place = (h0 - oh * g.SH + g.top) * g.PW + w0 - ow * g.SW + g.left
        o = ((n * H + h0) * W + w0) * C
        gradient, window = (dy, argmax, (r * OW + ow) * C), (dx, o, W * C, C)
        window_spread(gradient, (place, g.PW), window, (h1 - h0, w1 - w0), C)


@noinline
def rows_of_windows(g, oh):
    """The rows of a row of windows that do not overlap; and the rows up to the next one that are to be 0 first,
    since there are pixels in no window.
    """
    first = oh * g.SH - g.top
    start, stop = 0 if oh == 0 else first, g.H if oh == g.OH - 1 else first + g.SH
    h0, h1 = max(first, 0), min(first + g.PH, g.H)
    covered = (g.SH, g.SW, start, stop, g.OW * g.PW - g.left) == (g.PH, g.PW, h0, h1, g.W)
    return h0, h1, start, start if covered else stop


@inline
def _collect_row(dy, argmax, g, dx, r, nontemporal):
    """One row of dx: each pixel collects from the windows that hold it; those a stride apart hold alike many."""
    H, W, C, OH, OW = g.H, g.W, g.C, g.OH, g.OW
    n, h = r // H, r % H
    oh0, oh1 = windows_over(h + g.top, g.PH, g.SH, OH)
    for phase in range(g.SW):
        w = phase
        while w < W:
            ow0, ow1 = windows_over(w + g.left, g.PW, g.SW, OW)
            alike = pixels_alike(w, g)
            place = (h + g.top - oh0 * g.SH) * g.PW + w + g.left - ow0 * g.SW
            o = ((n * OH + oh0) * OW + ow0) * C
            windows, shape = (dy, argmax, o, OW * C, C), (oh1 - oh0, ow1 - ow0)
            run = alike, C, g.SW * C
            window_sum(
                windows, shape, (place, g.SH * g.PW, g.SW), (dx, (r * W + w) * C), C, run, nontemporal
            )  # fmt: skip
            w += alike * g.SW


@noinline
def uncut_windows(g):
    """The range of windows along a row that no edge of the image cuts."""
    first = min(-(-g.left // g.SW), g.OW)
    return first, max(first, min((g.W + g.left - g.PW) // g.SW + 1, g.OW))


@noinline
def pixels_alike(w, g):
    """How many pixels of a row, from w on a stride apart, are held by windows at the same places: 1 where the first or
    the last window is beside them.
    """
    stop = min(g.W, g.OW * g.SW - g.left)  # from here on a window is missing
    if w + g.left < g.PW - g.SW or w >= stop:
        return 1
    return (stop - w - 1) // g.SW + 1


@inline
def windows_over(position, P, S, count):
    """The range of windows of size P at stride S that hold a position."""
    first = max(0, (position - P) // S + 1)
    return first, max(first, min(position // S + 1, count))
