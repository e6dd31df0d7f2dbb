"""Batches on their way to the device: staged in pinned memory, copied on a stream of their own.

The driver is a stand-in that writes down what it is asked to do.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from numba_cnn.backends.cuda import memory


class _Driver:
    """Pinned buffers, events and streams that remember in which order they were used."""

    def __init__(self):
        self.calls, self.pinned = [], []

    def note(self, *call):
        self.calls.append(call)

    def event(self):
        name = f"event {sum(call[0] == 'event' for call in self.calls)}"
        self.note("event", name)
        return SimpleNamespace(
            record=lambda stream: self.note("record", name, stream),
            wait=lambda stream: self.note("wait", name, stream),
            synchronize=lambda: self.note("synchronize", name),
        )

    def pinned_array(self, size, dtype):
        self.pinned.append(np.empty(size, dtype))
        return self.pinned[-1]

    def device_array(self, shape, dtype, stream):
        device = SimpleNamespace(shape=shape, dtype=dtype)

        def copy(staged, stream):
            buffer = next(k for k, p in enumerate(self.pinned) if np.shares_memory(p, staged))
            self.note("copy", f"buffer {buffer}", stream)
            device.content = staged.copy()

        device.copy_to_device = copy
        return device


@pytest.fixture
def driver(monkeypatch):
    driver = _Driver()
    monkeypatch.setattr(memory, "cuda", driver)
    monkeypatch.setattr(memory, "stream", lambda: "kernels")
    monkeypatch.setattr(memory, "_copies", lambda: "copies")
    stages = [memory._Stage(), memory._Stage()]
    monkeypatch.setattr(memory, "_stages", lambda: stages)
    driver.calls.clear()
    return driver


def test_copies_run_beside_the_kernels_and_kernels_wait_for_them(driver):
    batch = np.arange(12, dtype=np.float32).reshape(3, 4)
    device = memory.asarray(batch)
    np.testing.assert_array_equal(device.content, batch)
    (_, _, on), (_, recorded, behind), (_, awaited, waiting) = driver.calls
    assert [call[0] for call in driver.calls] == ["copy", "record", "wait"]
    assert (on, behind, waiting) == ("copies", "copies", "kernels")
    assert recorded == awaited


def test_two_buffers_take_turns_and_are_filled_again_only_when_their_copy_has_left(driver):
    for k in range(4):
        device = memory.asarray(np.full(5, k, np.float32))
        assert (device.content == k).all()
    buffers = [call[1] for call in driver.calls if call[0] == "copy"]
    assert buffers == ["buffer 0", "buffer 1", "buffer 0", "buffer 1"]
    names = [call[0] for call in driver.calls]
    assert names[:6] == ["copy", "record", "wait"] * 2
    assert names[6:] == ["synchronize", "copy", "record", "wait"] * 2
    recorded = [call[1] for call in driver.calls if call[0] == "record"]
    assert [call[1] for call in driver.calls if call[0] == "synchronize"] == recorded[:2]
