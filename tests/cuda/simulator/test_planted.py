"""The bugs that the simulator must catch."""

import parity
import planted
import pytest

CHECKS = {
    "max_pool2d": lambda: parity.check_max_pool2d((1, 4, 5, 2), pool_size=2, strides=1),
    "dense": lambda: parity.check_dense(3, 4, 4),
    "strided": lambda: parity.check_conv2d((1, 5, 4, 4), (3, 3, 4, 4), strides=2),
    "losses": lambda: parity.check_losses(3, 5),
}


@pytest.mark.parametrize("bug", planted.of_layer("simulator"), ids=lambda bug: bug.name)
def test_bug_is_caught(bug, monkeypatch):
    with planted.planted(bug) as backend:
        monkeypatch.setattr(parity, "cuda", backend)
        with pytest.raises((AssertionError, IndexError), match=bug.message):
            CHECKS[bug.check]()


@pytest.mark.parametrize("check", CHECKS)
def test_check_passes_without_a_bug(check):
    CHECKS[check]()
