"""Runs every CPU kernel with every array, inputs, outputs and scratch, laid against protected
pages; any slip is SIGSEGV.

A process of its own: `python bounds_peer.py SEED CASES`. It prints how many cases ran.
"""

import ctypes
import mmap
import sys

import numpy as np

from numba_cnn import shapes
from numba_cnn.backends import cpu, reference, updates
from numba_cnn.backends.cpu.convolution import depthwise_small, winograd_choice
from numba_cnn.backends.cpu.runtime import launch_graph

_libc = ctypes.CDLL(None, use_errno=True)
_keep = []


def guarded(shape, dtype, at_end):
    """An array whose last byte (or first) touches a page that may be neither read nor written."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    pages = -(-max(size, 1) // mmap.PAGESIZE)
    memory = mmap.mmap(-1, (pages + 2) * mmap.PAGESIZE)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (0, pages + 1):
        address = ctypes.c_void_p(base + page * mmap.PAGESIZE)
        if _libc.mprotect(address, ctypes.c_size_t(mmap.PAGESIZE), 0):
            raise OSError(ctypes.get_errno(), "mprotect")
    start = mmap.PAGESIZE + (pages * mmap.PAGESIZE - size if at_end else 0)
    _keep.append(memory)
    array = np.frombuffer(memory, np.uint8, size, start).view(dtype).reshape(shape)
    array.fill(77)  # what a kernel forgets to write must not look right
    return array


class Checker:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.many = winograd_choice.MIN_WEIGHTS_NONFUSED
        self.at_end = True

    def empty(self, shape, dtype):
        return guarded(shape, dtype, self.at_end)

    def filled(self, shape, dtype):
        array = self.empty(shape, dtype)
        array[...] = self.rng.standard_normal(shape)
        return array

    def compare(self, name, inputs, outputs):
        """The kernel of that name against the reference; outputs are shapes."""
        actual = [self.empty(shape, dtype) for shape, dtype in outputs]
        getattr(cpu, name)(*inputs, *actual)
        expected = [
            np.empty(shape, np.float64 if dtype in "fd" else dtype) for shape, dtype in outputs
        ]
        wide = [
            a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
            for a in inputs
        ]
        getattr(reference, name)(*wide, *expected)
        for a, e in zip(actual, expected, strict=True):
            scale = np.abs(e).max(initial=1e-6)
            np.testing.assert_allclose(a, e, atol=1e-3 * scale, rtol=0, err_msg=name)

    def conv2d(self, dtype):
        r = self.rng.integers
        winograd = bool(r(2))
        KH, KW = (3, 3) if winograd else (int(r(1, 4)), int(r(1, 4)))
        strides, dilation = ((1, 1), (1, 1)) if winograd else (tuple(r(1, 4, 2)), tuple(r(1, 3, 2)))
        groups = 1 if winograd else int(r(1, 3))
        C, F = groups * int(r(1, 41)), groups * int(r(1, 71))
        H, W = int(dilation[0] * (KH - 1) + 1 + r(12)), int(dilation[1] * (KW - 1) + 1 + r(16))
        pads = tuple(tuple(int(p) for p in r(0, 3, 2)) for _ in range(2))
        shape, weight = (int(r(1, 4)), H, W, C), (KH, KW, C // groups, F)
        g = shapes.conv2d(
            shape, weight, tuple(map(int, strides)), pads, tuple(map(int, dilation)), groups
        )
        winograd_choice.MIN_WEIGHTS_NONFUSED = (
            self.many if r(2) else 0
        )  # transforms are shared at any size
        self.passes(dtype, g, "winograd" if winograd else "direct")

    def colours(self, dtype):
        """No padding: the last patch, or window, ends with the image."""
        r = self.rng.integers
        H, W = 4 * int(r(1, 3)) + 2, 4 * int(r(1, 5)) + 2
        g = shapes.conv2d((int(r(1, 3)), H, W, 3), (3, 3, 3, 32))
        self.passes(dtype, g, "winograd")
        H, W, C, F = (int(r(*extents)) for extents in ((3, 9), (3, 40), (1, 4), (1, 40)))
        g = shapes.conv2d((int(r(1, 3)), H, W, C), (3, 3, C, F))
        self.passes(dtype, g, "direct")

    def few(self, dtype):
        """Few filters of many channels, forward and as an input gradient."""
        r = self.rng.integers
        few, many = int(r(1, 9)), int(r(13, 70))
        K, stride = (int(r(1, 4)) for _ in range(2))
        shape = int(r(1, 3)), int(r(3, 8)), int(r(10, 30))
        pads = tuple(tuple(int(p) for p in r(0, 3, 2)) for _ in range(2))
        for C, F in ((many, few), (few, many)):
            g = shapes.conv2d((*shape, C), (K, K, C, F), stride, pads)
            self.passes(dtype, g, "direct")

    def depthwise(self, dtype):
        """Each channel with a filter of its own, which may be larger than the image."""
        r = self.rng.integers
        depthwise_small.MIN_PIXEL_BYTES = 0  # at any vector width
        C, K, stride = int(r(2, 40)), int(r(1, 6)), int(r(1, 4))
        K, stride = ((3, 1), (5, 1), (K, stride))[r(3)]
        pads = tuple(tuple(int(p) for p in r(0, 4, 2)) for _ in range(2))
        H, W = (max(1, K - sum(p)) + int(r(12)) for p in pads)
        g = shapes.conv2d((int(r(1, 3)), H, W, C), (K, K, 1, C), stride, pads, groups=C)
        self.passes(dtype, g, "direct")

    def passes(self, dtype, g, algorithm):
        r, F = self.rng.integers, g.F
        x, w, bias, dy, y = (self.filled(s, dtype) for s in (g.x, g.weight, (F,), g.y, g.y))
        gate = y if r(2) else None
        self.compare("conv2d", (x, w, bias, g, bool(r(2)), algorithm), [(g.y, dtype)])
        self.compare("conv2d_backward_input", (dy, gate, w, g, algorithm), [(g.x, dtype)])
        outputs = [(g.weight, dtype), ((F,), dtype)]
        self.compare("conv2d_backward_weight", (dy, gate, x, g, algorithm), outputs)
        if min(g.OH, g.OW) >= 2:
            self.conv2d_max_pool2d(dtype, x, w, bias, g, gate is not None, algorithm)

    def conv2d_max_pool2d(self, dtype, x, w, bias, g, relu, algorithm):
        g, pool = shapes.pooled(g)
        y, argmax, dy = (
            self.empty(pool.y, dtype),
            self.empty(pool.y, "B"),
            self.filled(pool.y, dtype),
        )
        cpu.conv2d_max_pool2d(x, w, bias, g, relu, algorithm, y, argmax)
        inputs = dy, y if relu else None, argmax, x, w, g, algorithm
        outputs = [(g.x, dtype), (g.weight, dtype), ((g.F,), dtype)]
        self.compare("conv2d_max_pool2d_backward", inputs, outputs)

    def dense(self, dtype):
        N, K, F = (int(e) for e in self.rng.integers(1, 90, 3))
        F = F - F % 16 + 16 if self.rng.integers(2) else F
        x, w, bias, dy, y = (self.filled(s, dtype) for s in ((N, K), (K, F), (F,), (N, F), (N, F)))
        self.compare("dense", (x, w, bias, True), [((N, F), dtype)])
        self.compare("dense_backward_input", (dy, y, w), [((N, K), dtype)])
        self.compare("dense_backward_weight", (dy, None, x), [((K, F), dtype), ((F,), dtype)])

    def max_pool2d(self, dtype):
        P, S, C = (
            int(e)
            for e in (self.rng.integers(1, 5), self.rng.integers(1, 5), self.rng.integers(1, 41))
        )
        shape = (2, P + int(self.rng.integers(8)), P + int(self.rng.integers(9)), C)
        g = shapes.max_pool2d(shape, P, S, ["valid", "same"][self.rng.integers(2)])
        x, dy = self.filled(g.x, dtype), self.filled(g.y, dtype)
        self.compare("max_pool2d", (x, g), [(g.y, dtype), (g.y, "B")])
        argmax = self.empty(g.y, "B")
        cpu.max_pool2d(x, g, self.empty(g.y, dtype), argmax)
        self.compare("max_pool2d_backward", (dy, argmax, g), [(g.x, dtype)])

    def elements(self, dtype):
        shape = tuple(int(e) for e in self.rng.integers(1, 40, 2))
        x, y = self.filled(shape, dtype), self.filled(shape, dtype)
        self.compare("relu", (x,), [(shape, dtype)])
        self.compare("relu_backward", (x, y), [(shape, dtype)])
        self.compare("softmax", (x,), [(shape, dtype)])
        rows, finite = self.empty((5,), np.int64), self.empty((5,), np.bool_)
        out = self.empty((5, shape[1]), np.float32)
        rows[:] = self.rng.integers(0, shape[0], 5)
        cpu.gather(x, rows, out, finite)
        np.testing.assert_array_equal(out, x[rows].astype(np.float32))
        assert finite.all()
        labels = self.empty(shape[:1], np.int32)
        labels[:] = self.rng.integers(0, shape[1], shape[0])
        outputs = [((), dtype), (shape, dtype)]
        self.compare("sparse_categorical_crossentropy", (x, labels, None), outputs)
        parameter, gradient, velocity = (np.abs(self.filled(shape, dtype)) for _ in range(3))
        arrays = [self.empty(shape, dtype) for _ in range(4)]
        for array, value in zip(arrays, (parameter, gradient, gradient, velocity), strict=True):
            array[...] = value
        cpu.adam(*arrays, 0.1, 0.9, 0.999, 1e-7)
        cpu.sgd(*arrays[:3], 0.1, 0.9, True)
        cpu.sgd(arrays[0], arrays[1], None, 0.1, 0.0, False)
        cpu.rmsprop(arrays[0], arrays[1], arrays[3], 0.1, 0.9, 1e-7)
        third, total = self.filled(shape, dtype), self.filled((), dtype)
        for rule, state in updates.STATE.items():
            given = [*arrays[2:], third][:state] + [None] * (3 - state)
            cpu.update(*arrays[:2], *given, rule, (0.1, 0.5, 0.5, 0.5, 0.5))
        total[...] = 0
        cpu.add_norms(x, 0.5, 0.5, total)
        cpu.clip_by_norm(x, total, 0.5)

    def pixels(self, dtype):
        """Pooling over whole images, borders, larger images, images through maps: wild ones too."""
        r = self.rng.integers
        N, H, W, C = shape = tuple(map(int, r(1, (4, 9, 10, 20))))
        x, dy = self.filled(shape, dtype), self.filled((N, C), dtype)
        flat = x.reshape(N, H * W, C)
        self.compare("global_average_pool2d", (flat,), [((N, C), dtype)])
        self.compare("global_average_pool2d_backward", (dy,), [((N, H * W, C), dtype)])
        pool = shapes.average_pool2d(shape, (min(H, 2), min(W, 3)), 1, "same")
        self.compare("average_pool2d", (x, pool), [(pool.y, dtype)])
        self.compare(
            "average_pool2d_backward", (self.filled(pool.y, dtype), pool), [(pool.x, dtype)]
        )
        to = shapes.adaptive_pool2d("", shape, tuple(map(int, r(1, 12, 2))))
        dy, places = self.filled(to.y, dtype), self.empty(to.y, "i")
        cpu.adaptive_max_pool2d(x, to, self.empty(to.y, dtype), places)
        self.compare("adaptive_average_pool2d", (x, to), [(to.y, dtype)])
        self.compare("adaptive_average_pool2d_backward", (dy, to), [(to.x, dtype)])
        self.compare("adaptive_max_pool2d", (x, to), [(to.y, dtype), (to.y, "i")])
        self.compare("adaptive_max_pool2d_backward", (dy, places, to), [(to.x, dtype)])
        frame = shapes.zero_pad2d(shape, ((1, 2), (0, 3)))
        self.compare("zero_pad2d", (x, frame), [(frame.outer, dtype)])
        self.compare("crop2d", (self.filled(frame.outer, dtype), frame), [(frame.inner, dtype)])
        larger, bilinear = shapes.upsample2d("upsample2d", shape, (2, 3)), bool(r(2))
        self.compare("upsample2d", (x, larger, bilinear), [(larger.y, dtype)])
        dlarger = self.filled(larger.y, dtype)
        self.compare("upsample2d_backward", (dlarger, larger, bilinear), [(larger.x, dtype)])
        g = shapes.affine_transform2d("", shape, tuple(map(int, r(1, 9, 2))))
        mode = ("constant", "nearest", "reflect", "wrap")[r(4)]
        matrices, dwarped = self.filled(g.matrices, dtype), self.filled(g.y, dtype)
        self.compare("affine_transform2d", (x, matrices, g, True, mode, 0.5), [(g.y, dtype)])
        self.compare(
            "affine_transform2d_backward", (dwarped, matrices, g, True, mode), [(g.x, dtype)]
        )
        pixels, narrow = self.empty(g.x, np.uint8), np.float32
        cpu.warp_images(pixels, matrices, g, bilinear, mode, 0.5, self.empty(g.y, narrow))
        for wild in (np.nan, np.inf, -1e30, 1e30):
            matrices[:, r(6)] = wild
            cpu.warp_images(pixels, matrices, g, bilinear, mode, 0.5, self.empty(g.y, narrow))
            cpu.affine_transform2d(x, matrices, g, bilinear, mode, 0.5, self.empty(g.y, dtype))
            cpu.affine_transform2d_backward(
                dwarped, matrices, g, bilinear, mode, self.empty(g.x, dtype)
            )
        photos = self.filled(
            (N, 5, 6, 3), dtype
        )  # of three channels, read by eights, written by fours
        g = shapes.affine_transform2d("", photos.shape, (4, 5))  # rows that end inside of the image
        for matrix in ((1, 0, 0.25, 0, 1, 0.25), (-1, 0, 4.75, 0, -1, 3.75)):  # from either end
            matrices = self.filled(g.matrices, dtype)
            matrices[:] = matrix
            self.compare(
                "affine_transform2d", (photos, matrices, g, True, mode, 0.5), [(g.y, dtype)]
            )
        numbers, mean = self.filled((N,), dtype), self.filled((N, C), dtype)
        for name, given in (
            ("adjust_brightness", (numbers,)),
            ("adjust_contrast", (mean, numbers)),
        ):
            self.compare(name, (flat, *given, -0.5, 1.0), [(flat.shape, dtype)])
            self.compare(f"{name}_backward", (flat, flat, *given, -0.5, 1.0), [(flat.shape, dtype)])

    def samples(self, dtype):
        """What normalizes samples by themselves, turns axes, and multiplies rows."""
        N, P, G, K = (int(e) for e in self.rng.integers(1, 9, 4))
        x, y, dy = (self.filled((N, P, G, K), dtype) for _ in range(3))
        inverse = self.filled((N, G), dtype)
        (gamma, beta), mean = (
            (self.filled((G, K), dtype) for _ in range(2)),
            self.filled((N, G), dtype),
        )
        made = [(x.shape, dtype), (mean.shape, dtype), (mean.shape, dtype)]
        self.compare("group_norm", (x, gamma, beta, 0.1), made)
        made = [(x.shape, dtype), (gamma.shape, dtype), (gamma.shape, dtype)]
        self.compare("group_norm_backward", (dy, x, gamma, mean, inverse), made)
        rows, slopes = x.reshape(-1, K), dy.reshape(-1, K)
        lengths = self.filled(rows.shape[:1], dtype)
        self.compare("unit_norm", (rows, 0.5), [(rows.shape, dtype), (lengths.shape, dtype)])
        self.compare("unit_norm_backward", (slopes, rows, lengths, 0.5), [(rows.shape, dtype)])
        axes = tuple(int(axis) for axis in self.rng.permutation(4))
        g = shapes.permutation("permute", x.shape, axes)[1]
        self.compare("permute", (x.reshape(-1), g), [(g.y, dtype)])
        g = shapes.columns("split", (N * P, K + G), 1, (K, G))[0]
        made = [(g.part, dtype), (g.next_part, dtype)]
        self.compare("take_columns", (self.filled(g.whole, dtype), g), made)
        g = shapes.columns("split", rows.shape, 1, (K,))[0]
        self.compare("put_columns", (rows, g), [(g.whole, dtype)])
        a, b = self.filled((N, P, K), dtype), self.filled((N, G, K), dtype)
        self.compare("batch_dot", (a, b), [((N, P, G), dtype)])
        merged = shapes.broadcast("prelu", (N, P, G, K), (1, P, 1, K))[1]
        alpha = self.filled((1, P, 1, K), dtype)
        own, other = x.reshape(merged.a), alpha.reshape(merged.b)
        self.compare("merge", (own, other, "prelu", merged), [(merged.y, dtype)])
        slope = dy.reshape(merged.y)
        made = [(merged.a, dtype), (merged.b, dtype)]
        self.compare("merge_backward", (slope, own, other, "prelu", merged), made)
        alike = shapes.broadcast("maximum", (N, P, G, K), (N, P, G, K))[1]
        arrays = (array.reshape(alike.y) for array in (dy, x, x))
        self.compare("merge_backward", (*arrays, "maximum", alike), [(alike.a, dtype)] * 2)


def main(seed, cases):
    checker = Checker(seed)
    for name, module in list(sys.modules.items()):
        if name.startswith("numba_cnn.backends.cpu.") and hasattr(module, "empty"):
            module.empty = checker.empty  # scratch too
    launch_graph.RECORDINGS = 0  # plans would hold on to it
    for case in range(cases):
        checker.at_end = bool(case % 2)
        for dtype in "fd":
            for check in (
                checker.conv2d,
                checker.colours,
                checker.few,
                checker.depthwise,
                checker.dense,
                checker.max_pool2d,
                checker.elements,
                checker.pixels,
                checker.samples,
            ):
                check(dtype)
        _keep.clear()
    print(cases)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
