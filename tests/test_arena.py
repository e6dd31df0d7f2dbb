"""The arena: arrays whose lives meet never share a place, and memory that is given up is not used again."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from numba_cnn import layers, models
from numba_cnn.backends.cpu.runtime import arena, memory

lives = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9), st.integers(0, 9)), max_size=25)


@given(lives)
def test_arrays_that_live_together_lie_apart(drawn):
    launches = []
    sketch = arena.Sketch(launches)
    alive, addresses = {}, []
    for step in range(10):
        for i, (size, birth, life) in enumerate(drawn):
            if birth == step:
                with memory.sketched(sketch, False):
                    alive[i] = memory.empty((size * 50,), np.float32), step + life
                addresses.append((alive[i][0].ctypes.data, i))
        launches.append(None)
        for i in [i for i, (_, end) in alive.items() if end <= step]:
            del alive[i]
    layout = sketch.lay_out(apart=())
    places = []
    for address, i in addresses:
        size, birth, life = drawn[i]
        assert layout.find(address + size * 200 - 1) == (address, size * 200 - 1)
        places.append(
            (layout.place(address), memory.capacity(size * 200), birth, min(birth + life, 9))
        )
    for k, (start, size, birth, last) in enumerate(places):
        assert start % memory.ALIGNMENT == 0
        assert start + size <= layout.size
        for other, length, first, end in places[:k]:
            if first <= last and birth <= end:
                assert start + size <= other or other + length <= start
    assert layout.find(0) is None


def test_a_chain_needs_two_activations():
    model = models.Sequential([layers.Input((32, 32, 16))])
    for _ in range(6):
        model.add(layers.Conv2D(16, 1, padding="same"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.ones((8, 32, 32, 16), np.float32)
    model(x)
    sizes = list(arena.ARENA._claims.values())
    ours = {id(graph._claim) for _, graph in model._graphs._graphs.values()}
    need = sum(arena.ARENA._claims[claim] for claim in ours)
    assert max(sizes) >= need
    assert need <= 2.2 * x.nbytes


def test_the_arena_shrinks_when_its_largest_recording_is_gone():
    large = arena.Claim(300 << 20)
    assert len(arena.ARENA.memory()[0]) >= 300 << 20
    del large
    assert len(arena.ARENA.memory()[0]) < 300 << 20


def test_recordings_run_right_after_others_gave_their_memory_up():
    """With every piece of memory between guard pages, and pages of what was given back never to be touched again."""
    peer = Path(__file__).with_name("eviction_peer.py")
    done = subprocess.run(
        [sys.executable, peer], capture_output=True, text=True, timeout=600, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    given_up, replays = map(int, done.stdout.split())
    assert given_up >= 10
    assert replays >= 100
