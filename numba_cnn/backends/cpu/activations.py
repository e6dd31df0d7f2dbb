"""Activations on the CPU: one loop kernel, in runs of elements, that calls the activation's own loop by its address."""

from functools import cache
from types import SimpleNamespace

import numpy as np
from numba import from_dtype, types

from numba_cnn.backends import scalars
from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.codegen import elementary
from numba_cnn.backends.cpu.codegen.compiler import address_of, by_address, call, in_loops
from numba_cnn.backends.cpu.microkernels.nontemporal import (
    STAGED,
    run_bypasses_caches,
    stage_of,
    write_past,
)
from numba_cnn.backends.cpu.runtime.launch import elementwise, unpack
from numba_cnn.backends.cpu.runtime.threads import run_of

# Activations whose gradients take longer in runs past the caches, as measured: those that compute, not only move.
_LONG = frozenset({"gelu", "gelu_tanh", "log_sigmoid", "mish", "silu", "softplus", "tanh_shrink"})


@checked
def activate(x, name, a, b, c, y):
    number = x.dtype.type
    _activate(x, y, _loop(name, x.dtype), number(a), number(b), number(c))


@checked
def activate_backward(dy, saved, name, a, b, c, dx):
    number = dy.dtype.type
    loop, is_long = _gradient_loop(name, dy.dtype), name in _LONG
    _activate_backward(dy, saved, dx, loop, is_long, number(a), number(b), number(c))


@elementwise
def _activate(share, shares, thread, packed):
    x, y, loop, a, b, c = unpack(packed)
    source, target, stage = run_of(share, shares, x), run_of(share, shares, y), stage_of(y)
    past = run_bypasses_caches(y, target)
    for i in range(0, target.size, STAGED):
        part = target[i : i + STAGED]
        made = stage[: part.size] if past else part
        call(loop, (source[i : i + STAGED], made, a, b, c))
        write_past((made, 0), (part, 0), part.size, past)


@elementwise
def _activate_backward(share, shares, thread, packed):
    dy, saved, dx, loop, is_long, a, b, c = unpack(packed)
    dy, saved = run_of(share, shares, dy), run_of(share, shares, saved)
    target, stage = run_of(share, shares, dx), stage_of(dx)
    past = run_bypasses_caches(dx, target) and not is_long
    for i in range(0, target.size, STAGED):
        part = target[i : i + STAGED]
        made = stage[: part.size] if past else part
        call(loop, (dy[i : i + STAGED], saved[i : i + STAGED], made, a, b, c))
        write_past((made, 0), (part, 0), part.size, past)


@cache
def _activations():
    words = SimpleNamespace(
        like=elementary.like, where=elementary.select, exp=elementary.exp, expm1=elementary.expm1,
        log1p=elementary.log1p, sqrt=np.sqrt, tanh=elementary.tanh, sigmoid=elementary.sigmoid, erf=elementary.erf,
        function=in_loops,
    )  # fmt: skip
    return scalars.build(words)


@cache
def _loop(name, dtype):
    """The address of the loop of an activation, compiled or read from the cache at the first call."""
    function = _activations()[name].function

    def loop(x, y, a, b, c):
        for i in range(x.size):
            y[i] = function(x[i], a, b, c)

    return _address(loop, name, dtype, arrays=2)


@cache
def _gradient_loop(name, dtype):
    """The same for its gradient."""
    gradient = _activations()[name].gradient

    def loop(dy, saved, dx, a, b, c):
        for i in range(dy.size):
            dx[i] = dy[i] * gradient(saved[i], a, b, c)

    return _address(loop, f"{name}_gradient", dtype, arrays=3)


def _address(loop, name, dtype, arrays):
    loop.__name__ = loop.__qualname__ = name  # by which the cache keeps it
    kind = from_dtype(np.dtype(dtype))
    return address_of(by_address(loop), (*[types.Array(kind, 1, "C")] * arrays, kind, kind, kind))
