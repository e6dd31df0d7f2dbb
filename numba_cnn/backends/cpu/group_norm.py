"""Groups of channels of a sample brought to mean 0 and variance 1, on the CPU: each share is whole samples, or, where
samples have one place, chunks of rows.

A sum is one of distances from a centre, the mean of a sample of places, as in batch_norm.py; of a row, that of its
first elements.
"""

import numpy as np

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen.compiler import noinline
from numba_cnn.backends.cpu.microkernels.columns import (
    column_moments,
    column_products,
    gradient_columns,
    sample_ahead,
    shift_columns,
)
from numba_cnn.backends.cpu.microkernels.nontemporal import bypasses_caches
from numba_cnn.backends.cpu.microkernels.rows import TOGETHER, gradient_rows, normalize_rows
from numba_cnn.backends.cpu.runtime.launch import kernel, unpack
from numba_cnn.backends.cpu.runtime.partial_sums import partials_of, sum_partials
from numba_cnn.backends.cpu.runtime.threads import for_each_thread, threads_for

_EVERY = 32  # places, one of which is in the sample that a centre is the mean of
# Elements, and places, whose sums are added up in the element type, then in float64.
_BLOCK, _FEWEST = 1 << 14, 16
_SAMPLED = 64  # elements of a row, for each of which one of its first is in the sample
_CHUNKS = 256  # of rows, at most, whose gradients of gamma and beta are summed by themselves


@checked
def group_norm(x, gamma, beta, epsilon, y, mean, inverse_deviation):
    N, P, G, K = x.shape
    threads, scales = threads_for(x.size), (gamma.reshape(-1), beta.reshape(-1))
    statistics = float(epsilon), mean.reshape(-1), inverse_deviation.reshape(-1)
    if P == 1:
        _normalize_rows(threads, x.reshape(-1), (N, G, K), scales, statistics, y.reshape(-1))
        return
    wide, narrow = _scratch(G * K, x.dtype)
    shape = N, P, G, K
    _normalize(threads, x.reshape(-1), shape, scales, statistics, wide, narrow, y.reshape(-1))


@checked
def group_norm_backward(dy, x, gamma, mean, inverse_deviation, dx, dgamma, dbeta):
    N, P, G, K = x.shape
    threads, arrays = threads_for(x.size), (dy.reshape(-1), x.reshape(-1), gamma.reshape(-1))
    chunks = min(-(-N // TOGETHER), _CHUNKS) if P == 1 else N
    partials = partials_of(dgamma, chunks), partials_of(dbeta, chunks)
    statistics = mean.reshape(-1), inverse_deviation.reshape(-1)
    if P == 1:
        _gradient_rows(threads, arrays, (N, G, K), statistics, partials, dx.reshape(-1))
    else:
        wide, narrow = _scratch(G * K, x.dtype)
        shape = N, P, G, K
        _gradient(threads, arrays, shape, statistics, wide, narrow, partials, dx.reshape(-1))
    sum_partials(partials[0], dgamma)
    sum_partials(partials[1], dbeta)


def _scratch(C, dtype):
    """For each thread a few numbers a channel: in float64, and of the element type."""
    return for_each_thread(2, C, np.float64), for_each_thread(6, C, dtype)


@noinline
def _samples(part, parts, N, G):
    """The samples first <= n < end of a part, which begins where some go together, and how many are made at a time."""
    groups = -(-N // TOGETHER)
    first, end = part * groups // parts * TOGETHER, (part + 1) * groups // parts * TOGETHER
    return first, min(end, N), N if G == 1 else TOGETHER


@kernel
def _normalize_rows(share, shares, thread, packed):
    """y = (x - mean) / the deviation * gamma + beta, of G rows of K elements in each sample, for some samples the first
    rows, then the second ones; each share is a run of samples."""
    x, (N, G, K), (gamma, beta), (epsilon, mean, inverse), y = unpack(packed)
    nontemporal, columns = bypasses_caches(y, K), (K, -(-K // _SAMPLED))
    first, end, block = _samples(share, shares, N, G)
    for n in range(first, end, block):
        for g in range(G):
            at, rows = (n * G + g) * K, min(block, end - n)
            scales, statistics = (gamma, beta, g * K), (mean, inverse, n * G + g, G)
            source, target = (x, at, G * K), (y, at, G * K)
            normalize_rows(
                source,
                rows,
                columns,
                x.dtype.type(epsilon),
                scales,
                target,
                statistics,
                nontemporal,
            )


@noinline
def _statistics(centre, distances, squares, count, epsilon):
    """(mean, 1 / deviation, how far the mean is from the centre) by sums of distances from a centre and of squares."""
    rest = np.float64(distances) / count
    variance = max(np.float64(squares) / count - rest * rest, np.float64(0))
    if not squares >= 0:
        variance = np.float64(squares)  # NaN
    return centre + rest, 1 / np.sqrt(variance + epsilon), rest


@kernel
def _normalize(share, shares, thread, packed):
    """The same of each group of channels of a sample."""
    x, (N, P, G, K), (gamma, beta), (epsilon, mean, inverse), wide, narrow, y = unpack(packed)
    C, number, nontemporal = G * K, x.dtype.type, bypasses_caches(y, G * K)
    sums, squares = wide[thread, 0], wide[thread, 1]
    own = narrow[thread].reshape(-1)
    centre, scale, shift = narrow[thread, 0], narrow[thread, 1], narrow[thread, 2]
    for n in range(share * N // shares, (share + 1) * N // shares):
        sample = -(-P // _EVERY)
        for c in range(C):
            centre[c] = x[n * P * C + c // K * K]
        _sum_moments(x, n * P * C, _EVERY * C, sample, own, sums, squares)
        for g in range(G):
            rest = _sum_of(sums, g, K) / (sample * K)
            for c in range(g * K, (g + 1) * K):
                centre[c] += number(rest)
        _sum_moments(x, n * P * C, C, P, own, sums, squares)
        for g in range(G):
            i, first = n * G + g, centre[g * K]
            distances, square = _sum_of(sums, g, K), _sum_of(squares, g, K)
            mean[i], inverse[i], rest = _statistics(first, distances, square, P * K, epsilon)
            for c in range(g * K, (g + 1) * K):
                scale[c] = gamma[c] * inverse[i]
                shift[c] = beta[c] - rest * scale[c]
        numbers = own, own[C:], own[2 * C :], 0
        rows, made, ahead = (x, n * P * C, C), (y, n * P * C, C), sample_ahead(x, C, P, 1)
        shift_columns(rows, P, numbers, made, C, nontemporal, ahead)


@noinline
def _sum_moments(x, start, step, rows, own, sums, squares):
    """Sums of distances from the centres, which `own` begins with, and of squares, of so many rows; in float64."""
    C = sums.size
    sums[:] = 0
    squares[:] = 0
    block = max(_BLOCK // C, _FEWEST)
    for first in range(0, rows, block):
        count, parts = min(block, rows - first), (own[4 * C :], own[5 * C :], 0)
        column_moments((x, start + first * step, step), count, (own, 0), parts, C)
        for c in range(C):
            sums[c] += own[4 * C + c]
            squares[c] += own[5 * C + c]


@noinline
def _sum_of(values, g, K):
    """The sum over the K channels of a group."""
    total = np.float64(0)
    for c in range(g * K, (g + 1) * K):
        total += values[c]
    return total


@kernel
def _gradient_rows(share, shares, thread, packed):
    """Each share is whole chunks of samples, whose gradients of gamma and beta are added up in their order."""
    (dy, x, gamma), (N, G, K), (mean, inverse), (dgammas, dbetas), dx = unpack(packed)
    nontemporal, chunks = bypasses_caches(dx, K), len(dgammas)
    of_products, of_slopes = dgammas.reshape(-1), dbetas.reshape(-1)
    for chunk in range(share * chunks // shares, (share + 1) * chunks // shares):
        dgammas[chunk] = 0
        dbetas[chunk] = 0
        first, end, block = _samples(chunk, chunks, N, G)
        for n in range(first, end, block):
            for g in range(G):
                at, rows = (n * G + g) * K, min(block, end - n)
                sides, out = ((dy, at, G * K), (x, at, G * K)), (dx, at, G * K)
                statistics = mean, inverse, n * G + g, G
                totals = of_slopes, of_products, (chunk * G + g) * K
                gradient_rows(*sides, rows, K, statistics, (gamma, g * K), totals, out, nontemporal)


@kernel
def _gradient(share, shares, thread, packed):
    """Each share is whole samples, each of which has gradients of gamma and beta."""
    (dy, x, gamma), (N, P, G, K), statistics, wide, narrow, (dgammas, dbetas), dx = unpack(packed)
    mean, inverse = statistics
    C, nontemporal = G * K, bypasses_caches(dx, G * K)
    slopes, products, own = wide[thread, 0], wide[thread, 1], narrow[thread].reshape(-1)
    for n in range(share * N // shares, (share + 1) * N // shares):
        for c in range(C):
            own[c] = mean[n * G + c // K]
            own[C + c] = inverse[n * G + c // K]
        _sum_products(dy, x, n * P * C, P, own, slopes, products)
        for c in range(C):
            dgammas[n, c] = products[c]
            dbetas[n, c] = slopes[c]
            slopes[c] *= gamma[c]
            products[c] *= gamma[c]
        for g in range(G):
            scale = np.float64(inverse[n * G + g])
            shift, along = _sum_of(slopes, g, K) / (P * K), _sum_of(products, g, K) / (P * K)
            for c in range(g * K, (g + 1) * K):
                own[C + c] = gamma[c] * scale
                own[2 * C + c] = scale * scale * along
                own[3 * C + c] = scale * shift
        numbers, at = (own, own[C:], own[2 * C :], own[3 * C :], 0), n * P * C
        sides, made, ahead = ((dy, at, C), (x, at, C)), (dx, at, C), sample_ahead(x, C, P, 2)
        gradient_columns(*sides, P, numbers, made, C, nontemporal, ahead)


@noinline
def _sum_products(dy, x, start, rows, own, slopes, products):
    """Sums of dy, and of dy times normalized x, by the means and inverse deviations that `own` begins with."""
    C = slopes.size
    slopes[:] = 0
    products[:] = 0
    block = max(_BLOCK // C, _FEWEST)
    for first in range(0, rows, block):
        count, at, parts = (
            min(block, rows - first),
            start + first * C,
            (own[4 * C :], own[5 * C :], 0),
        )
        column_products((dy, at, C), (x, at, C), count, (own, own[C:], 0), parts, C)
        for c in range(C):
            slopes[c] += own[4 * C + c]
            products[c] += own[5 * C + c]
