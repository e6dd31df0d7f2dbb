"""Several processes with a card each: which card a rank takes, and two ranks that train as one process does.

As a program: test_distributed.py FOLDER, what each rank runs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from numba_cnn import layers, models, set_random_seed
from numba_cnn.backends import cuda as backend
from numba_cnn.backends.cuda import memory, provider


def trained(folder=None):
    """Losses of an epoch of batches of 3, and a last one of 1, which leaves a rank without samples."""
    set_random_seed(1)
    chance = np.random.default_rng(0)
    x, y = chance.standard_normal((7, 4, 4, 2)), chance.standard_normal((7, 2))
    model = models.Sequential(
        [layers.Input((4, 4, 2)), layers.Conv2D(2, 3, activation="relu"), layers.BatchNormalization(synchronized=True),
         layers.Flatten(), layers.Dense(2)]
    )  # fmt: skip
    model.compile("sgd", "mse", backend="cuda")
    if folder is not None:
        model.distribute(timeout=60)
    history = model.fit(x, y, batch_size=3, epochs=2, verbose=0)
    weights = [weight.tolist() for weight in model.get_weights()]
    return {"loss": history.history["loss"], "weights": weights, "copies": copies}


copies: list[str] = []


def watched():
    """Note when a rank copies to the host, and when it waits for the device."""
    for name in ("start_copy", "synchronize"):
        call = getattr(memory, name)
        setattr(memory, name, lambda *a, name=name, call=call: copies.append(name) or call(*a))


def test_two_ranks_train_as_one_process(tmp_path):
    pytest.importorskip("mpi4py")
    mpiexec = Path(sys.executable).with_name("mpiexec")
    done = subprocess.run(
        [mpiexec, "-n", "2", sys.executable, __file__, tmp_path],
        capture_output=True, text=True, timeout=300, check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("PMI")},
    )  # fmt: skip
    assert not done.returncode, done.stdout + done.stderr
    expected = trained()
    for rank in range(2):
        found = json.loads((tmp_path / f"{rank}.json").read_text())
        np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
        for a, b in zip(found["weights"], expected["weights"], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
        # A step has one bucket here: the loss, the penalties, six gradients, and a wait for all of them.
        steps = "".join(name[1] for name in found["copies"]).split("y")
        assert steps.count("t" * 8) == 6


@pytest.mark.parametrize(
    ("variables", "card"),
    [({"MPI_LOCALRANKID": "1"}, 1), ({"SLURM_LOCALID": "5"}, 2), ({"OMPI_COMM_WORLD_LOCAL_RANK": "0"}, 0)],
)  # fmt: skip
def test_a_rank_takes_a_card(monkeypatch, variables, card):
    """Of three, by its place on its host; a process that is alone leaves it to the driver."""
    taken = []
    monkeypatch.setattr(
        provider, "cuda", SimpleNamespace(gpus=[0, 1, 2], select_device=taken.append)
    )
    for name in provider._PLACES:
        monkeypatch.delenv(name, raising=False)
    provider.take_card()
    assert taken == []
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    provider.take_card()
    assert taken == [card]


def test_copies_to_the_host_are_of_pinned_memory_behind_the_kernels(monkeypatch):
    asked = []
    array = SimpleNamespace(copy_to_host=lambda into, stream: asked.append((into, stream)))
    monkeypatch.setattr(memory, "asarray", lambda given: given)
    monkeypatch.setattr(memory, "stream", lambda: "kernels")
    pinned = np.full(3, 7.0)
    fake = SimpleNamespace(pinned_array=lambda size, dtype: pinned[:size])
    monkeypatch.setattr(memory, "cuda", fake)
    into = backend.host_memory(3, np.float64)
    assert into.base is pinned
    assert not into.any()
    backend.start_copy(array, into)
    assert asked == [(into, "kernels")]


if __name__ == "__main__":
    watched()
    said = trained(sys.argv[1])
    Path(sys.argv[1], f"{os.environ['PMI_RANK']}.json").write_text(json.dumps(said))
