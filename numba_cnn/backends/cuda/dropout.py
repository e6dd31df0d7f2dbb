"""Dropout and noise of words by counters: one thread counts, then one thread an element draws."""

from functools import lru_cache
from types import SimpleNamespace

import numpy as np
from numba import int64, uint64

from numba_cnn.backends import philox
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.activations import words
from numba_cnn.backends.cuda.affine_transform2d import floor
from numba_cnn.backends.cuda.launch import launch, launch_each
from numba_cnn.backends.cuda.provider import cuda, device, jit
from numba_cnn.backends.cuda.vector import load, store

_block, _uniform = device(philox.block), device(philox.uniform)


@checked
def dropout(x, rate, spatial, generator, used, y):
    launch(draw_kernel, 1, 1, generator, used)
    _drop(x, rate, spatial, generator, used, y)


@checked
def dropout_backward(dy, rate, spatial, generator, used, dx):
    _drop(dy, rate, spatial, generator, used, dx)


@checked
def gaussian_noise(x, stddev, generator, used, y):
    launch(draw_kernel, 1, 1, generator, used)
    per_sample = np.int64(x.size // (x.shape[0] if x.shape else 1))
    kernel = noise_kernel(x.dtype)
    launch_each(kernel, x.size, x, per_sample, x.dtype.type(stddev), generator, used, y)


def _drop(x, rate, spatial, generator, used, y):
    kind = x.dtype.type
    _, P, C = x.shape
    launch_each(
        mask_kernel(spatial), x.size, x, np.int64(philox.threshold(rate)), kind(1 / (1 - rate)), np.int64(P),
        np.int64(C), generator, used, y,
    )  # fmt: skip


@jit
def draw_kernel(generator, used):
    used[0] = generator[1]
    generator[1] += 1


@device
def first_sample(generator):
    """Which sample of the whole batch is the first one here; 0 where the generator does not say."""
    return generator[2] if generator.size > 2 else int64(0)


@device
def _word(element, generator, used):
    w0, w1, w2, w3 = _block(uint64(element // 4), uint64(used[0]), uint64(generator[0]))
    lane = element % 4
    low, high = w1 if lane == 1 else w0, w3 if lane == 3 else w2
    return high if lane > 1 else low


@lru_cache
def mask_kernel(spatial):
    @jit
    def mask_kernel(x, least, scale, P, C, generator, used, y):
        i = cuda.grid(1)
        if i < x.size:
            samples = first_sample(generator)
            element = (
                i // (P * C) * C + i % C + samples * C if spatial else int64(i) + samples * P * C
            )
            kept = int64(_word(element, generator, used)) >= least
            store(y, i, load(x, i) * scale if kept else y.dtype.type(0))

    return mask_kernel


@lru_cache
def noise_kernel(dtype):
    own = SimpleNamespace(**words(dtype), floor=floor(dtype), function=device)
    pair, kind = philox.normals(own), dtype.type

    @jit
    def noise_kernel(x, per_sample, stddev, generator, used, y):
        i = cuda.grid(1)
        if i < x.size:
            element = int64(i) + first_sample(generator) * per_sample
            w0, w1, w2, w3 = _block(uint64(element // 4), uint64(used[0]), uint64(generator[0]))
            lane = element % 4
            first, second = _uniform(w0 if lane < 2 else w2), _uniform(w1 if lane < 2 else w3)
            across, along = pair(kind(first), kind(second))
            store(y, i, load(x, i) + stddev * (along if lane % 2 == 1 else across))

    return noise_kernel
