"""The order of the samples in an epoch: a pure function of the seed and the epoch."""

import numpy as np
import pytest
import small_cnn

import numba_cnn as nc
from numba_cnn import callbacks, layers, models

N = 40
X, Y = np.arange(N, dtype=np.float32)[:, None] / N, np.arange(N) % 3


def compiled():
    model = models.Sequential([layers.Input((1,)), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", backend="cpu")
    return model


def orders(model, monkeypatch, **arguments):
    """{epoch: the order of the samples} of a fit."""
    seen, step = [], type(model).train_step

    def train_step(self, x, labels, sample_weight=None):
        seen[-1] += [round(float(value) * N) for value in x[:, 0]]
        step(self, x, labels, sample_weight)

    begin = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append([]))
    with monkeypatch.context() as patch:
        patch.setattr(type(model), "train_step", train_step)
        model.fit(X, Y, batch_size=8, verbose=0, callbacks=begin, **arguments)
    return dict(zip(range(arguments.get("initial_epoch", 0), 100), seen, strict=False))


def test_a_run_that_is_taken_up_again_has_the_orders_of_one_that_was_not_stopped(monkeypatch):
    nc.set_random_seed(5)
    whole = orders(compiled(), monkeypatch, epochs=5)
    assert all(sorted(order) == list(range(N)) for order in whole.values())
    assert len({tuple(order) for order in whole.values()}) == 5
    nc.set_random_seed(5)
    compiled()  # weights that are drawn on the way change nothing
    rest = orders(compiled(), monkeypatch, epochs=5, initial_epoch=3)
    assert rest == {3: whole[3], 4: whole[4]}


def test_several_fits_have_orders_of_their_own(monkeypatch):
    nc.set_random_seed(5)
    model = compiled()
    first, second = (orders(model, monkeypatch)[0] for _ in range(2))
    assert first != second
    nc.set_random_seed(5)
    assert orders(model, monkeypatch)[0] == first
    nc.set_random_seed(6)
    assert orders(model, monkeypatch)[0] != first


def test_no_shuffle(monkeypatch):
    assert orders(compiled(), monkeypatch, shuffle=False) == {0: list(range(N))}


def test_bits_of_a_run_that_is_taken_up_again(tmp_path):
    x, y = small_cnn.data()
    settings = {"batch_size": 8, "verbose": 0}
    nc.set_random_seed(7)
    whole = small_cnn.compiled()
    history = whole.fit(x, y, epochs=4, **settings).history["loss"]
    nc.set_random_seed(7)
    first = small_cnn.compiled()
    first.fit(x, y, epochs=2, **settings)
    first.optimizer.learning_rate = float(np.float32(first.optimizer.learning_rate))
    first.save(tmp_path / "m.keras")
    nc.set_random_seed(7)
    loaded = models.load_model(tmp_path / "m.keras", backend="cpu")
    assert loaded.fit(x, y, epochs=4, initial_epoch=2, **settings).history["loss"] == pytest.approx(
        history[2:], rel=1e-6
    )


@pytest.mark.parametrize("seed", [None, -1, 0.5, "a", 2**32, True])
def test_seeds(seed):
    with pytest.raises(ValueError, match=r"seed must be .* Received: "):
        nc.set_random_seed(seed)
