"""One library's convolutions in a process of their own: `python -m benchmarks.peers.layer_worker NAME THREADS`.

It answers in lines of "@" and JSON: its version, then for each line read, with the place of a layer in
layers.CONV2D,

    prove LAYER    the sums of what its three passes compute, times random numbers; the next lines are of this layer
    forward 0, backward_input 0, backward_weight 0    the seconds of one pass
    apart 0          nanoseconds from one core to another, see hand_over.py (numba_cnn only)
"""

import importlib
import json
import sys

import numpy as np

from benchmarks.layers import CONV2D
from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.worker import seconds

BATCH = 8
PASSES = "forward", "backward_input", "backward_weight"


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    library = importlib.import_module(f"benchmarks.peers.libraries.{PEERS[name].file}")
    convolution = _make(library, 0, threads)
    print("@" + json.dumps(convolution.version), flush=True)
    for line in sys.stdin:
        task, number = line.split()
        if task == "prove":
            convolution = _make(library, int(number), threads)
            answer = [_sums(convolution.numpy(getattr(convolution, name)())) for name in PASSES]
        elif task == "apart":
            answer = _apart()
        else:
            answer = seconds(getattr(convolution, task), 3)
        print("@" + json.dumps(answer), flush=True)


def _make(library, layer, threads):
    """The convolution on numbers that are the same in every process."""
    (H, W, C), (KH, KW), F, stride, padding, groups = list(CONV2D.values())[layer]
    padding = KH // 2 if padding == "same" else 0
    OH, OW = ((extent + 2 * padding - K) // stride + 1 for extent, K in ((H, KH), (W, KW)))
    rng = np.random.default_rng(0)
    shapes = (BATCH, H, W, C), (KH, KW, C // groups, F), (F,), (BATCH, OH, OW, F)
    arrays = [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]
    return library.convolution(*arrays, stride, padding, groups, threads)


def _apart():
    from benchmarks import hand_over

    return hand_over.nanoseconds()


def _sums(array):
    """Sixteen projections of the array on random numbers, which agree only where its elements do."""
    rng = np.random.default_rng(1)
    flat = np.ascontiguousarray(array, np.float32).reshape(-1)
    rows = (rng.standard_normal(array.size, dtype=np.float32) for _ in range(16))
    return [float(np.dot(row.astype(np.float64), flat)) for row in rows]


if __name__ == "__main__":
    main()
