"""Images that get pixels, lose some, or are enlarged: one thread an element of the result."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import launch_each
from numba_cnn.backends.cuda.provider import cuda, device, jit


@checked
def shift2d(x, top, left, y):
    launch_each(shift2d_kernel, y.size, x, top, left, y)


@checked
def upsample2d(x, bilinear, y):
    launch_each(upsample2d_kernel, y.size, x, bilinear, y)


@checked
def upsample2d_backward(dy, bilinear, dx):
    launch_each(upsample2d_backward_kernel, dx.size, dy, bilinear, dx)


@jit
def shift2d_kernel(x, top, left, y):
    k = cuda.grid(1)
    if k < y.size:
        _, OH, OW, C = y.shape
        n, i, j, c = k // (OH * OW * C), k // (OW * C) % OH, k // C % OW, k % C
        h, w = i - top, j - left
        inside = h >= 0 and h < x.shape[1] and w >= 0 and w < x.shape[2]
        y[n, i, j, c] = x[n, h, w, c] if inside else y.dtype.type(0)


@device
def _first(i, small, large, bilinear):
    """The first of the two pixels of which pixel i of an enlarged line is made, in halves of a pixel of the large one."""
    if not bilinear:
        return i * small // large
    doubled = (2 * i + 1) * small - large  # the place, 2 * large times
    return min(max(doubled, 0) // (2 * large), small - 1)


@device
def _share(i, small, large, bilinear, one):
    """The share of the pixel after the first."""
    if not bilinear:
        return one - one
    doubled = min(max((2 * i + 1) * small - large, 0), (small - 1) * 2 * large)
    rest = doubled % (2 * large)
    return one * rest / (one * (2 * large))


@jit
def upsample2d_kernel(x, bilinear, y):
    k = cuda.grid(1)
    if k < y.size:
        _, OH, OW, C = y.shape
        H, W = x.shape[1], x.shape[2]
        one = x.dtype.type(1)
        n, i, j, c = k // (OH * OW * C), k // (OW * C) % OH, k // C % OW, k % C
        h, w = _first(i, H, OH, bilinear), _first(j, W, OW, bilinear)
        b, r = _share(i, H, OH, bilinear, one), _share(j, W, OW, bilinear, one)
        below, beside = min(h + 1, H - 1), min(w + 1, W - 1)
        upper = (one - r) * x[n, h, w, c] + r * x[n, h, beside, c]
        lower = (one - r) * x[n, below, w, c] + r * x[n, below, beside, c]
        y[n, i, j, c] = (one - b) * upper + b * lower


@jit
def upsample2d_backward_kernel(dy, bilinear, dx):
    """A thread adds up what was made of its pixel, row by row."""
    k = cuda.grid(1)
    if k < dx.size:
        _, H, W, C = dx.shape
        OH, OW = dy.shape[1], dy.shape[2]
        one = dx.dtype.type(1)
        n, h, w, c = k // (H * W * C), k // (W * C) % H, k // C % W, k % C
        more = 1 if bilinear else 0
        total = dx.dtype.type(0)
        for i in range(max((h - more) * (OH // H), 0), min((h + 1 + more) * (OH // H), OH)):
            first, b = _first(i, H, OH, bilinear), _share(i, H, OH, bilinear, one)
            by_row = one - one
            if first == h:
                by_row += one - b
            if min(first + 1, H - 1) == h:
                by_row += b
            for j in range(max((w - more) * (OW // W), 0), min((w + 1 + more) * (OW // W), OW)):
                left, r = _first(j, W, OW, bilinear), _share(j, W, OW, bilinear, one)
                by_column = one - one
                if left == w:
                    by_column += one - r
                if min(left + 1, W - 1) == w:
                    by_column += r
                total += by_row * by_column * dy[n, i, j, c]
        dx[n, h, w, c] = total
