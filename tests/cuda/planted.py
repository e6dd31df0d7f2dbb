"""Bugs planted in the CUDA backend, one line each, and the layer of tests that must catch each of
them.

`interpreter`: the compiled kernels executed (compiled/test_planted.py); `gate`: their PTX looked at
(the same file); `simulator`: the kernels run by Numba's simulator (simulator/test_planted.py).
"""

import importlib
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path

_PACKAGE = "numba_cnn.backends.cuda"


@dataclass(frozen=True)
class Bug:
    """In `file`, `right` is replaced by `wrong`; running `check` must then fail with a message that
    matches `message`.
    """

    name: str
    layer: str
    file: str
    right: str
    wrong: str
    check: str
    message: str


_CONV, _WIDE, _WEIGHT = "conv2d", "conv2d split", "conv2d weight"
BUGS = [
    Bug(
        "no barrier before the first slab is read",
        "interpreter",
        "correlate_kernel.py",
        "cuda.syncthreads()\n        a_slab",
        "a_slab",
        _CONV,
        "race for shared byte",
    ),
    Bug(
        "no barrier in the main loop",
        "interpreter",
        "correlate_kernel.py",
        "flat(b_slab + b_at))\n            cuda.syncthreads()",
        "flat(b_slab + b_at))",
        _CONV,
        "race for shared byte",
    ),
    Bug(
        "the next slab is stored over the one being read",
        "interpreter",
        "correlate_kernel.py",
        "int32(a_size - a_slab), int32(b_size - b_slab)",
        "int32(a_slab), int32(b_slab)",
        _CONV,
        "race for shared byte",
    ),
    Bug(
        "the weight gradient reads the wrong slab",
        "interpreter",
        "correlate_weight.py",
        "flat(b_slab + left),",
        "flat(b_size - b_slab + left),",
        _WEIGHT,
        "never written|race for shared byte",
    ),
    Bug(
        "one output pixel too many is stored",
        "interpreter",
        "correlate_kernel.py",
        "if m < g.M:",
        "if m <= g.M:",
        _CONV,
        "out of bounds|race for element",
    ),
    Bug(
        "the right border of the image is not looked at",
        "interpreter",
        "correlate_kernel.py",
        "uint32(h) < uint32(g.H) and uint32(w) < uint32(g.W)",
        "uint32(h) < uint32(g.H)",
        _CONV,
        "out of bounds|wild address|Not equal",
    ),
    Bug(
        "pixels beyond the last one count as pixels",
        "interpreter",
        "correlate_kernel.py",
        "h if m + i * stride < g.M else _NOWHERE",
        "h",
        _CONV,
        "out of bounds|wild address",
    ),
    Bug(
        "one row of weights too many",
        "interpreter",
        "correlate_kernel.py",
        "exists = int32(c + k + i * b_stride) < g.C",
        "exists = int32(c + k + i * b_stride) <= g.C",
        _CONV,
        "out of bounds|Not equal",
    ),
    Bug(
        "the partial sums of all splits go to one place",
        "interpreter",
        "correlate_kernel.py",
        "split * int64(g.out_split)",
        "0 * int64(g.out_split)",
        _WIDE,
        "race for element",
    ),
    Bug(
        "the last split of the weight gradient is not stored",
        "interpreter",
        "correlate_weight.py",
        "if r < g.R and c < g.channels:",
        "if r < g.R and c < g.channels and split + 1 < cuda.gridDim.z:",
        _WEIGHT,
        "never written",
    ),
    Bug(
        "a channel that only pads is stored, over the next tap's first",
        "interpreter",
        "correlate_weight.py",
        "if r < g.R and c < g.channels:",
        "if r < g.R and c <= g.channels:",
        "first_layer weight",
        "out of bounds|race for element",
    ),
    Bug(
        "a 128-bit load that is not aligned",
        "interpreter",
        "tile.py",
        "v0, v1, v2, v3 = load4_at(array, place)",
        "v0, v1, v2, v3 = load4_at(array, place + 8)",
        _CONV,
        "misaligned access of 16 bytes",
    ),
    Bug(
        "a barrier that only half of the threads reach",
        "interpreter",
        "softmax_crossentropy.py",
        "            cuda.syncthreads()\n            half //= 2",
        "            if t < half:\n                cuda.syncthreads()\n            half //= 2",
        "softmax",
        "barrier reached by|race for shared byte",
    ),
    Bug(
        "half of the filters are not brought into shared memory",
        "interpreter",
        "few_channels.py",
        "range(t, g.KH * g.KW * C * lanes, THREADS)",
        "range(t, g.KH * g.KW * C * lanes // 2, THREADS)",
        "first_layer",
        "never written",
    ),
    Bug(
        "a constant that makes the update float64",
        "gate",
        "optimizers.py",
        "(math.sqrt(v) + epsilon)",
        "(math.sqrt(v) + 1e-7)",
        "adam",
        "float64",
    ),
    Bug(
        "a mean divided by an integer, and so in float64",
        "gate",
        "softmax_crossentropy.py",
        "total / N\n\n    return mean_kernel",
        "total / x.size\n\n    return mean_kernel",
        "accuracy",
        "float64",
    ),
    Bug(
        "the last maximum of a window wins",
        "simulator",
        "max_pool2d.py",
        "value > best or nan",
        "value >= best or nan",
        "max_pool2d",
        "Not equal",
    ),
    Bug(
        "the last window that holds a pixel is forgotten",
        "simulator",
        "max_pool2d.py",
        "min(g.OH, bottom // g.SH + 1)",
        "min(g.OH, bottom // g.SH)",
        "max_pool2d",
        "Not equal",
    ),
    Bug(
        "the last row is lost from a bias gradient",
        "simulator",
        "sums.py",
        "min((part + 1) * chunk, rows)",
        "min((part + 1) * chunk, rows - 1)",
        "dense",
        "Not equal",
    ),
    Bug(
        "dy is not gated by the ReLU",
        "simulator",
        "relu.py",
        "load(dy, i) if load(y, i) > zero else zero",
        "load(dy, i)",
        "dense",
        "Not equal",
    ),
    Bug(
        "a stride's second phase starts one pixel late",
        "simulator",
        "conv2d.py",
        "shift = (first + pad - phase) // stride",
        "shift = (first + pad - phase) // stride + (phase > 0)",
        "strided",
        "Not equal|out of bounds",
    ),
    Bug(
        "every weight counts the sample before it",
        "simulator",
        "softmax_crossentropy.py",
        "weight = (weights[n] if weighted",
        "weight = (weights[n - 1] if weighted",
        "losses",
        "Not equal",
    ),
]


def of_layer(*layers):
    return [bug for bug in BUGS if bug.layer in layers]


@contextmanager
def planted(bug):
    """The CUDA backend imported anew with the bug in it."""
    path = Path(sys.modules[_PACKAGE].__file__).with_name(bug.file)
    source = path.read_text()
    assert source.count(bug.right) == 1, f"{bug.file} has changed: {bug.right!r} is not there once"
    ours = {name: module for name, module in sys.modules.items() if name.startswith(_PACKAGE)}
    finder = _Finder(f"{_PACKAGE}.{path.stem}", path, source.replace(bug.right, bug.wrong))
    for name in ours:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(_PACKAGE)
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(_PACKAGE)]:
            del sys.modules[name]
        sys.modules.update(ours)


class _Finder:
    """Finds one module, with another text than its file's."""

    def __init__(self, name, path, text):
        self.name, self.path, self.text = name, path, text

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        return importlib.util.spec_from_loader(name, _Loader(name, str(self.path), self.text))


class _Loader(SourceFileLoader):
    def __init__(self, name, path, text):
        super().__init__(name, path)
        self.text = text

    def get_code(self, fullname):
        return compile(self.text, self.path, "exec")
