"""Groups brought to mean 0 and variance 1: a block owns one, its threads add up by a fixed tree; of the gradients of
gamma and beta a block owns a channel.
"""

import math
from functools import lru_cache

import numba

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cuda.launch import ROW_THREADS, launch
from numba_cnn.backends.cuda.provider import cuda, jit
from numba_cnn.backends.cuda.sums import sum_of_block
from numba_cnn.backends.cuda.vector import load, store


@checked
def group_norm(x, gamma, beta, epsilon, y, mean, inverse_deviation):
    kernel, statistics = group_norm_kernel(x.dtype), (mean, inverse_deviation)
    launch(kernel, mean.size, ROW_THREADS, x, gamma, beta, x.dtype.type(epsilon), y, *statistics)


@checked
def group_norm_backward(dy, x, gamma, mean, inverse_deviation, dx, dgamma, dbeta):
    kernel, arrays = group_norm_backward_kernel(dy.dtype), (dy, x, gamma, mean, inverse_deviation)
    launch(kernel, mean.size, ROW_THREADS, *arrays, dx)
    kernel, arrays = scale_gradient_kernel(dy.dtype), (dy, x, mean, inverse_deviation)
    launch(kernel, gamma.size, ROW_THREADS, *arrays, dgamma, dbeta)


@lru_cache
def group_norm_kernel(dtype):
    kind, zero, one = getattr(numba, dtype.name), dtype.type(0), dtype.type(1)

    @jit
    def group_norm_kernel(x, gamma, beta, epsilon, y, means, inverse):
        values = cuda.shared.array(ROW_THREADS, kind)
        i, t = cuda.blockIdx.x, cuda.threadIdx.x
        _, P, G, K = x.shape
        start, count = (i // G * P * G + i % G) * K, x.dtype.type(P * K)
        total = zero
        for j in range(t, P * K, ROW_THREADS):
            total += load(x, start + j // K * G * K + j % K)
        values[t] = total
        mean = sum_of_block(values, t) / count
        total = zero
        for j in range(t, P * K, ROW_THREADS):
            distance = load(x, start + j // K * G * K + j % K) - mean
            total += distance * distance
        values[t] = total
        scale = one / math.sqrt(sum_of_block(values, t) / count + epsilon)
        if t == 0:
            store(means, i, mean)
            store(inverse, i, scale)
        for j in range(t, P * K, ROW_THREADS):
            place, c = start + j // K * G * K + j % K, i % G * K + j % K
            store(y, place, (load(x, place) - mean) * scale * load(gamma, c) + load(beta, c))

    return group_norm_kernel


@lru_cache
def group_norm_backward_kernel(dtype):
    kind, zero = getattr(numba, dtype.name), dtype.type(0)

    @jit
    def group_norm_backward_kernel(dy, x, gamma, means, inverse, dx):
        values = cuda.shared.array(ROW_THREADS, kind)
        i, t = cuda.blockIdx.x, cuda.threadIdx.x
        _, P, G, K = x.shape
        start, count = (i // G * P * G + i % G) * K, x.dtype.type(P * K)
        mean, scale = load(means, i), load(inverse, i)
        total, along = zero, zero
        for j in range(t, P * K, ROW_THREADS):
            place = start + j // K * G * K + j % K
            slope = load(dy, place) * load(gamma, i % G * K + j % K)
            total += slope
            along += slope * ((load(x, place) - mean) * scale)
        values[t] = total
        shift = sum_of_block(values, t) / count
        values[t] = along
        along = sum_of_block(values, t) / count
        for j in range(t, P * K, ROW_THREADS):
            place = start + j // K * G * K + j % K
            slope = load(dy, place) * load(gamma, i % G * K + j % K)
            normal = (load(x, place) - mean) * scale
            store(dx, place, scale * (slope - shift - normal * along))

    return group_norm_backward_kernel


@lru_cache
def scale_gradient_kernel(dtype):
    kind, zero = getattr(numba, dtype.name), dtype.type(0)

    @jit
    def scale_gradient_kernel(dy, x, means, inverse, dgamma, dbeta):
        values = cuda.shared.array(ROW_THREADS, kind)
        c, t = cuda.blockIdx.x, cuda.threadIdx.x
        N, P, G, K = x.shape
        slopes, products = zero, zero
        for j in range(t, N * P, ROW_THREADS):
            place, i = j * G * K + c, j // P * G + c // K
            slopes += load(dy, place)
            products += load(dy, place) * ((load(x, place) - load(means, i)) * load(inverse, i))
        values[t] = products
        total = sum_of_block(values, t)
        if t == 0:
            store(dgamma, c, total)
        values[t] = slopes
        total = sum_of_block(values, t)
        if t == 0:
            store(dbeta, c, total)

    return scale_gradient_kernel
