"""Plans: the launches of ops outside of models, which are recorded as those of models are."""

import gc
import weakref
from collections import OrderedDict

import numpy as np
import pytest

import numba_cnn as nc
from numba_cnn import ops
from numba_cnn.backends.cpu.runtime import launch_graph


@pytest.fixture(autouse=True)
def _no_plans(monkeypatch):
    monkeypatch.setattr(launch_graph, "_recordings_of_ops", OrderedDict())


def arrays(seed, N=3, F=6):
    rng = np.random.default_rng(seed)
    shapes = (N, 9, 8, 4), (3, 3, 4, F), (F,), (N, 7, 6, F)
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def results(x, weight, bias, dy):
    y = ops.conv2d(x, weight, bias, activation="relu")
    gradients = ops.conv2d_backward(dy, x, weight, activation="relu", y=y)
    return [array.tobytes() for array in (y, *gradients)]


def test_bits_are_those_without_plans(monkeypatch):
    cases = [arrays(seed, N) for seed, N in enumerate([3, 3, 2, 3, 2])]
    recorded = [results(*case) for case in cases]
    assert len(launch_graph._recordings_of_ops) == 6
    monkeypatch.setattr(launch_graph, "RECORDINGS", 0)
    assert recorded == [results(*case) for case in cases]


def test_an_array_given_twice_need_not_be_again():
    x = np.random.default_rng(0).standard_normal((5, 5)).astype(np.float32)
    twice = ops.dense(x, x)
    np.testing.assert_allclose(twice, x @ x, rtol=1e-5, atol=1e-5)
    assert len(launch_graph._recordings_of_ops) == 1
    np.testing.assert_allclose(ops.dense(x, 2 * x), 2 * twice, rtol=1e-6)
    assert len(launch_graph._recordings_of_ops) == 1


def test_there_are_not_more_than_may_be(monkeypatch):
    monkeypatch.setattr(launch_graph, "RECORDINGS", 2)
    for _ in range(2):
        for N in (1, 2, 3):
            x, weight, bias, _ = arrays(N, N)
            np.testing.assert_allclose(
                ops.conv2d(x, weight, bias),
                ops.conv2d(np.concatenate([x, x]), weight, bias)[:N],
                rtol=1e-5,
                atol=1e-5,
            )
            assert len(launch_graph._recordings_of_ops) == 2


def test_another_number_of_threads_has_a_plan_of_its_own():
    case = arrays(0)
    before = nc.backends.get("cpu").get_num_threads()
    try:
        nc.set_num_threads(1)
        expected = results(*case)
        nc.set_num_threads(2)
        assert results(*case) == expected
    finally:
        nc.set_num_threads(before)
    assert len(launch_graph._recordings_of_ops) == 6


def test_nothing_of_what_was_given_is_kept():
    x, weight, bias, _ = arrays(0)
    ops.conv2d(x, weight, bias)
    ops.conv2d(x, weight, bias)
    dead = [weakref.ref(array) for array in (x, weight, bias)]
    del x, weight, bias
    gc.collect()
    assert not any(ref() is not None for ref in dead)
