"""The bugs that the compiled kernels must show: executed by the interpreter, or in their PTX."""

import re
from importlib import import_module

import device as devices
import numpy as np
import parity
import planted
import pytest
from ptx import PTXError


def _conv2d(x, weight, **settings):
    draw = parity.Draw()
    parity.check("conv2d", draw(*x), draw(*weight), draw(weight[3]), **settings)


def _weight_gradient(C):
    draw = parity.Draw()
    x, weight = draw(1, 10, 9, C), draw(3, 3, C, 20)
    parity.check("conv2d_backward", draw(1, 8, 7, 20), x, weight, need_dx=False)


CHECKS = {
    "conv2d": lambda: _conv2d((1, 5, 6, 12), (3, 3, 12, 20), padding="same"),
    "conv2d split": lambda: _conv2d((1, 8, 9, 64), (3, 3, 64, 8)),
    "conv2d weight": lambda: _weight_gradient(8),
    "first_layer": lambda: _conv2d((1, 9, 8, 3), (3, 3, 3, 36)),
    "first_layer weight": lambda: _weight_gradient(3),
    "softmax": lambda: parity.check("softmax", parity.Draw()(3, 20)),
    "accuracy": lambda: parity.check(
        "sparse_categorical_accuracy", parity.Draw()(3, 5), np.array([1, 4, 0])
    ),
    "adam": lambda: parity.check_optimizer(*parity.OPTIMIZERS["adam"]),
}


@pytest.fixture
def small_tiles(monkeypatch):
    """The simulator's tile, which compiles in a third of the time; the kernel's text is the same."""

    def use(package):
        tile = import_module(f"{package}.tile")
        for user in ("correlate", "correlate_weight"):
            module = import_module(f"{package}.{user}")
            monkeypatch.setattr(module, "tile_for", lambda *_, **__: tile.TINY)

    return use


def _run(bug, monkeypatch, small_tiles):
    """The check of a bug on the interpreter; kernels whose PTX computes in float64 fail too."""
    made = devices.Device()
    made.install(monkeypatch)
    small_tiles("numba_cnn.backends.cuda")
    CHECKS[bug]()
    for text in made.texts:
        assert not re.search(r"(?m)^\s+(?!\.reg)\S*\.f64", text), "float64 in a float32 kernel"


@pytest.mark.parametrize("bug", planted.of_layer("interpreter", "gate"), ids=lambda bug: bug.name)
def test_bug_is_caught(bug, monkeypatch, small_tiles):
    with planted.planted(bug) as backend:
        monkeypatch.setattr(parity, "cuda", backend)
        with pytest.raises((AssertionError, PTXError), match=bug.message):
            _run(bug.check, monkeypatch, small_tiles)


@pytest.mark.parametrize("check", CHECKS)
def test_check_passes_without_a_bug(check, monkeypatch, small_tiles):
    _run(check, monkeypatch, small_tiles)
