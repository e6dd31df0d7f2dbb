"""State of optimizers belongs to parameters: frozen, freed, exchanged, of another model."""

import copy
import gc
import weakref

import numpy as np
import pytest

import numba_cnn as nc
from numba_cnn import callbacks, layers, models, optimizers
from numba_cnn.backends import cpu
from numba_cnn.models import graphs

LOSS = "sparse_categorical_crossentropy"
X = np.random.default_rng(0).standard_normal((24, 6)).astype(np.float32)
Y = np.arange(24) % 3
MAKE = {
    "adam": lambda: optimizers.Adam(0.01),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
    "momentum": lambda: optimizers.SGD(0.05, momentum=0.9),
}


def compiled(optimizer="adam", seed=3):
    nc.set_random_seed(seed)
    model = models.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(400),
            layers.Dense(5),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(MAKE.get(optimizer, lambda: optimizer)(), LOSS, backend="cpu")
    return model


def fit(model, **arguments):
    return model.fit(X, Y, **{"batch_size": 8, "verbose": 0, "shuffle": False} | arguments)


class Set(callbacks.Callback):
    """Sets trainable of the first layer before the steps of these numbers."""

    def __init__(self, when):
        self.when, self.step = when, 0

    def on_train_batch_begin(self, batch, logs=None):
        if self.step in self.when:
            self.model.layers[0].trainable = self.when[self.step]
        self.step += 1


def formula(optimizer, start, grads):
    """The same steps in float64; None stands for a step in which the weight was frozen."""
    w, m, v, t = start.astype(np.float64), 0.0, 0.0, 0
    for g in grads:
        t += 1
        if g is None:
            continue
        if optimizer == "adam":
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            w = w - 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
        elif optimizer == "rmsprop":
            v = 0.9 * v + 0.1 * g**2
            w = w - 0.01 * g / np.sqrt(v + 1e-7)
        else:
            v = 0.9 * v - 0.05 * g
            w = w + v
    return w


@pytest.mark.parametrize("optimizer", MAKE)
@pytest.mark.parametrize(
    "when",
    [
        {0: False, 3: True},  # frozen at first, free from the second epoch on
        {0: False, 4: True},  # ... from the middle of an epoch on
        {2: False, 4: True},  # frozen for a while: it goes on with the state that it had
    ],
)
def test_what_is_trained_is_what_is_trainable_now(optimizer, when, monkeypatch):
    model, grads = compiled(optimizer), []
    first = model.layers[0]
    start, update = first.kernel.numpy(), type(model.optimizer).step

    def step(self, parameters):
        grads.append(np.array(first.kernel.gradient) if first.kernel in parameters else None)
        update(self, parameters)

    monkeypatch.setattr(type(model.optimizer), "step", step)
    first.trainable = when.get(0, True)  # before there is any state
    fit(model, epochs=2, callbacks=[Set(when)])
    frozen, expected = False, []
    for number in range(6):
        frozen = not when.get(number, not frozen)
        expected.append(frozen)
    assert [g is None for g in grads] == expected
    np.testing.assert_allclose(
        first.kernel.numpy(), formula(optimizer, start, grads), rtol=1e-4, atol=1e-5
    )
    monkeypatch.setattr(
        cpu, "ABILITIES", cpu.ABILITIES._replace(records=False)
    )  # what is recorded has the same bits
    monkeypatch.setattr(type(model.optimizer), "step", update)
    plain = compiled(optimizer)
    plain.layers[0].trainable = when.get(0, True)
    fit(plain, epochs=2, callbacks=[Set(when)])
    for a, b in zip(plain.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_momentum_that_is_set_later_is_used():
    model = compiled(optimizers.SGD(0.01))
    fit(model)
    assert model.optimizer.state[0] == []
    model.optimizer.momentum = 0.9
    fit(model)
    assert all(np.abs(slots[0]).max() > 0 for slots in model.optimizer.state)


class TestAnotherModel:
    @pytest.mark.parametrize("optimizer", MAKE)
    def test_is_refused(self, optimizer):
        first = compiled(optimizer)
        fit(first)
        other = models.Sequential.from_config(first.get_config())
        with pytest.raises(ValueError, match=r"compile with a new optimizer\. Received: .*kernel"):
            other.compile(first.optimizer, LOSS, backend="cpu")
        assert other.optimizer is None

    def test_that_takes_turns(self):
        optimizer = optimizers.Adam()
        first, other = (models.Sequential.from_config(compiled().get_config()) for _ in range(2))
        for model in (first, other):
            model.compile(optimizer, LOSS, backend="cpu")
        fit(first)
        with pytest.raises(ValueError, match="compile with a new optimizer"):
            fit(other)
        with pytest.raises(ValueError, match="compile with a new optimizer"):
            other.train_step(X, Y.astype(np.int32))
        before = optimizer.iterations
        fit(first)
        assert optimizer.iterations == before + 3

    def test_that_was_not_built(self):
        first = compiled()
        fit(first)
        other = models.Sequential([layers.Dense(400), layers.Dense(5), layers.Dense(3, "softmax")])
        other.compile(first.optimizer, LOSS, backend="cpu")
        with pytest.raises(ValueError, match="compile with a new optimizer"):
            fit(other)


def test_a_new_head_begins_at_zero_and_the_rest_goes_on(monkeypatch):
    model = compiled()
    fit(model, epochs=2)
    kept = model.optimizer.state_of(model.layers[0].weights)
    old = model.pop()
    model.add(layers.Dense(3, activation="softmax", name="head"))
    after = model.optimizer.state_of(model.weights)
    assert after[4] == after[5] == []
    states = []
    update = optimizers.Adam.step
    monkeypatch.setattr(
        optimizers.Adam,
        "step",
        lambda self, parameters: (
            states.append(self.state_of(parameters)) or update(self, parameters)
        ),
    )
    fit(model)
    np.testing.assert_array_equal(states[0][0][0], kept[0][0])
    seen = model.optimizer.state_of(model.layers[-1].weights)
    assert [len(slots) for slots in seen] == [2, 2]
    new = 1 - 0.9**3  # three steps from zero: no moment of the old head's six
    assert np.abs(seen[0][0]).max() < new * 10
    assert np.abs(model.optimizer.state_of(old.weights)[0][0]).max() > 0


def test_state_goes_with_its_parameter():
    model = compiled()
    fit(model)
    parameter = weakref.ref(model.layers[-1].kernel)
    model.pop()
    vars(model)["_graphs"] = graphs.Graphs()  # recordings hold the layers that they were made of
    gc.collect()
    assert parameter() is None
    assert len(model.optimizer.state) == 4


def test_an_optimizer_keeps_no_model():
    model = compiled()
    fit(model)
    optimizer, seen = model.optimizer, weakref.ref(model)
    del model
    gc.collect()
    assert seen() is None
    assert optimizer.state == []


def test_files_have_the_state_of_what_is_trained_now(tmp_path):
    model = compiled()
    fit(model)
    model.layers[0].trainable = False
    model.save(tmp_path / "m.keras")
    loaded = models.load_model(tmp_path / "m.keras", backend="cpu")
    assert len(model.optimizer.get_variables()) == 2 + 2 * 4
    for ours, theirs in zip(
        loaded.optimizer.get_variables(), model.optimizer.get_variables(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_the_copy_of_an_optimizer_brings_its_state_to_one_model():
    model = compiled()
    fit(model)
    twin = models.Sequential.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    twin.compile(copy.deepcopy(model.optimizer), LOSS, backend="cpu")
    assert fit(twin).history == fit(model).history
    narrow = models.Sequential([layers.Input((6,)), layers.Dense(3, activation="softmax")])
    with pytest.raises(ValueError, match="compile with a new optimizer"):
        narrow.compile(copy.deepcopy(model.optimizer), LOSS, backend="cpu")
