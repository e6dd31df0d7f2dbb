"""Passes over memory: how near they come to a copy, and activations to what their instructions allow.

    python -m benchmarks.bandwidth [--threads 1] [--scaling] [--rounds 7] [NAME ...]

Each works on 63 MB, which no cache holds. In each round a copy, a measurement of the FMA peak and the pass take turns.
"of a copy" is the bandwidth of the pass over that of the copy, where the pass counts what it must at least read and
write. "of the bound" is the share of the speed that memory and instructions allow: the slower of a copy of as many
bytes and of the pass's own vector instructions, as many in each cycle as fused multiply-adds of their width in the peak
(divisions at the rate that they are measured at); benchmarks.instructions counts them, for passes that are slower than
BAR of a copy. --scaling: times on one thread and on all, and the median ratio of interleaved rounds; of the bound is
then the share of the speed that threads and memory allow: the slower of the time on one thread, divided by the threads,
and of a relu on all threads, which moves its bytes past the caches, of as many bytes. NAME: only passes whose names
have it.
"""

import argparse
import time
from operator import truediv
from statistics import median

import numba
import numpy as np

from numba_cnn import layers
from numba_cnn.backends import cpu, scalars
from numba_cnn.layers import noise

from . import fma_peak, instructions, workloads

BAR = 0.7  # of a copy
SHAPE = 128, 62, 62, 32  # the tutorial's first activations


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.scaling:
        scaling(arguments.names, arguments.rounds)
        return
    numba.set_num_threads(arguments.threads)
    chosen = of_names(arguments.names)
    print(
        "| pass | ns an element | of a copy | instructions + divisions an element | of the bound |\n"
        "|---|---|---|---|---|"
    )
    for name, make in chosen:
        function, nbytes = make()
        row(name, function, nbytes, arguments.rounds)


def scaling(names, rounds):
    most = numba.config.NUMBA_NUM_THREADS
    print(
        f"| pass | 1 thread, ms | {most} threads, ms | gain | of the bound |\n|---|---|---|---|---|"
    )
    relu, moved = _activation("relu")
    for name, make in of_names(names):
        function, nbytes = make()
        turns = {"one": (1, function), "all": (most, function), "relu": (most, relu)}
        times = {turn: [] for turn in turns}
        for turn in range(rounds + 1):
            for key, (threads, run) in turns.items():
                numba.set_num_threads(threads)
                seconds = min(_seconds(run) for _ in range(2))
                if turn:
                    times[key].append(1e3 * seconds)
        one, all_, relus = map(np.array, times.values())
        bound = np.maximum(one / most, relus * nbytes / moved)
        print(
            f"| {name} | {median(one):.1f} | {median(all_):.1f} | {median(one / all_):.2f}x | "
            f"{median(bound / all_):.0%} |",
            flush=True,
        )


def of_names(names):
    return [p for p in passes() if not names or any(name in p[0] for name in names)]


def row(name, function, nbytes, rounds):
    size = int(np.prod(SHAPE))
    source, target = workloads.array(*SHAPE), workloads.array(*SHAPE)
    function()
    copies, rates, times = [], [], []
    for _ in range(rounds):
        copies.append(_seconds(lambda: np.copyto(target, source)) * nbytes / (2 * source.nbytes))
        rates.append(fma_peak.instruction_seconds())
        times.append(_seconds(function))
    share, counted, bound = median(map(truediv, copies, times)), "", ""
    if share < BAR:
        cost, divisions = instructions.counts([name])[name]
        bounds = [
            max(
                copy,
                size * sum(n * rate[lanes] for lanes, n in cost.items()),
                size * divisions * divide,
            )
            / taken
            for copy, (rate, divide), taken in zip(copies, rates, times, strict=True)
        ]
        counted, bound = f"{sum(cost.values()):.2f} + {divisions:.2f}", f"{median(bounds):.0%}"
    print(
        f"| {name} | {median(times) / size * 1e9:.2f} | {share:.0%} | {counted} | {bound} |",
        flush=True,
    )


def _seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def passes():
    """(name, make) of each pass; make() is (the function, bytes that it must read and write)."""
    yield "np.max, which only reads", _reading
    for name in scalars.SETTINGS:
        yield f"{name} forward", lambda name=name: _activation(name)
        yield f"{name} gradient", lambda name=name: _activation_gradient(name)
    for name, layer, forward, backward in LAYERS:
        if not isinstance(layer, noise.Chance):  # which does nothing in inference
            yield f"{name} inference", lambda layer=layer, n=forward: _inference(layer, n)
        yield f"{name} training", lambda layer=layer, n=forward: _training(layer, n)
        if backward:
            yield f"{name} backward", lambda layer=layer, n=backward: _backward(layer, n)


def _settings(name):
    return [*scalars.SETTINGS[name].values(), 0.0, 0.0, 0.0][:3]


def _reading():
    x = workloads.array(*SHAPE)
    return x.max, x.nbytes


def _activation(name):
    x, y = workloads.array(*SHAPE), workloads.array(*SHAPE)
    return lambda: cpu.activate(x, name, *_settings(name), y), 2 * x.nbytes


def _activation_gradient(name):
    dy, saved, dx = (workloads.array(*SHAPE) for _ in range(3))
    return lambda: cpu.activate_backward(dy, saved, name, *_settings(name), dx), 3 * dx.nbytes


def _once(x, y):
    return x + y


def _two_like_x(x, y):
    return 2 * x + y


# Names, layers, and the bytes that a pass must move, forward and backward, as functions of those of x and y: arrays
# that no cache holds are read once more for their statistics.
LAYERS = [
    ("BatchNormalization", layers.BatchNormalization(), _once, lambda x, y: 2 * (x + y) + x),
    ("LayerNormalization", layers.LayerNormalization(), _once, _two_like_x),
    ("GroupNormalization", layers.GroupNormalization(8), _once, _two_like_x),
    ("AveragePooling2D(2)", layers.AveragePooling2D(2), _once, _once),
    ("AveragePooling2D(3, 2)", layers.AveragePooling2D(3, 2), _once, _once),
    ("MaxPooling2D(2)", layers.MaxPooling2D(2), _once, _once),
    ("MaxPooling2D(3, 2)", layers.MaxPooling2D(3, 2), _once, _once),
    ("GlobalAveragePooling2D", layers.GlobalAveragePooling2D(), _once, _once),
    ("GlobalMaxPooling2D", layers.GlobalMaxPooling2D(), _once, _once),
    ("UpSampling2D nearest", layers.UpSampling2D(2), _once, _once),
    ("UpSampling2D bilinear", layers.UpSampling2D(2, interpolation="bilinear"), _once, _once),
    ("Resizing", layers.Resizing(40, 40), _once, None),
    ("ZeroPadding2D", layers.ZeroPadding2D(1), _once, _once),
    ("Cropping2D", layers.Cropping2D(1), lambda x, y: 2 * y, _once),
    ("Permute", layers.Permute((3, 1, 2)), _once, _once),
    ("Add", layers.Add(), _two_like_x, None),
    ("Multiply", layers.Multiply(), _two_like_x, None),
    ("Concatenate", layers.Concatenate(), _two_like_x, _two_like_x),
    ("Dropout", layers.Dropout(0.5), _once, _once),
    ("GaussianNoise", layers.GaussianNoise(0.1), _once, None),
    ("PReLU", layers.PReLU(shared_axes=[1, 2]), _once, _two_like_x),
    ("Rescaling", layers.Rescaling(1 / 255), _once, None),
    ("Normalization", layers.Normalization(), _once, None),
    ("RandomFlip", layers.RandomFlip(seed=0), _once, None),
    ("RandomTranslation", layers.RandomTranslation(0.1, 0.1, seed=0), _once, None),
    ("RandomRotation", layers.RandomRotation(0.1, seed=0), _once, None),
    ("RandomZoom", layers.RandomZoom(0.1, seed=0), _once, None),
    ("RandomContrast", layers.RandomContrast(0.1, seed=0), _once, None),
    ("RandomBrightness", layers.RandomBrightness(0.1, seed=0), _once, None),
]


def _inputs(layer):
    return [workloads.array(*SHAPE) for _ in range(2 if layer.arity is None else 1)]


def _inference(layer, moved):
    xs = _inputs(layer)
    y = layer(xs if layer.arity is None else xs[0])
    return lambda: layer.call(*xs), moved(xs[0].nbytes, y.nbytes)


def _training(layer, moved):
    xs = _inputs(layer)
    y = layer(xs if layer.arity is None else xs[0])
    has_statistics = isinstance(layer, layers.BatchNormalization | layers.RandomContrast)
    twice = xs[0].nbytes if has_statistics else 0
    return lambda: layer.forward(*xs)[0], moved(xs[0].nbytes, y.nbytes) + twice


def _backward(layer, moved):
    xs = _inputs(layer)
    layer(xs if layer.arity is None else xs[0])
    y, backward = layer.forward(*xs)
    dy = workloads.array(*y.shape)
    need = [(True,) * len(xs)] if layer.arity is None else []
    return lambda: backward(dy, *need), moved(xs[0].nbytes, y.nbytes)


if __name__ == "__main__":
    main()
