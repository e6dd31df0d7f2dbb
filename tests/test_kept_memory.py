"""What passes of a model keep, and for how long."""

import weakref

import numpy as np
import pytest
import small_cnn
from small_cnn import compiled

from numba_cnn import Sequential, layers


class Spy(layers.Layer):
    """Passes arrays on, and notes whether those that came before it are still alive."""

    seen: list  # of weak references, shared by all spies of a test
    alive: list

    def forward(self, x):
        self.note()
        Spy.seen.append(weakref.ref(x))
        y = x * 1

        def backward(dy, need_dx=True):
            self.note()
            return dy * x * 0 + dy  # x is remembered until here

        return y, backward

    def note(self):
        Spy.alive.append([reference() is not None for reference in Spy.seen])


class TestMemory:
    @pytest.fixture(autouse=True)
    def _spies(self):
        Spy.seen, Spy.alive = [], []

    def test_predict_keeps_no_activation(self):
        model = Sequential([layers.Input(shape=(4,)), *(Spy() for _ in range(4))])
        model(np.ones((3, 4), np.float32))
        # The input is its caller's; no activation outlives the layer that takes it.
        assert Spy.alive[-1] == [True, False, False]

    def test_layers_below_the_first_weights_keep_nothing(self):
        stack = [Spy(), Spy(), Spy(), layers.Dense(2), Spy()]
        model = Sequential([layers.Input(shape=(4,)), *stack])
        model.forward(np.ones((3, 4), np.float32))
        assert Spy.alive[-1] == [True, False, False]  # the input is its caller's

    def test_backward_frees_what_each_layer_remembers(self):
        model = Sequential([layers.Input(shape=(4,)), layers.Dense(4), *(Spy() for _ in range(3))])
        logits, backward = model.forward(np.ones((3, 4), np.float32))
        backward(logits)
        assert Spy.alive[-3:] == [[True, True, True], [True, True, False], [True, False, False]]

    def test_backward_stops_at_the_first_weights(self):
        calls = []

        class Dense(layers.Dense):
            def _apply_backward(self, dy, x, kernel, **options):
                calls.append((self.name, options["need_dx"]))
                return super()._apply_backward(dy, x, kernel, **options)

        stack = [layers.Flatten(), Dense(3, name="first"), Dense(2, name="second")]
        model = Sequential([layers.Input(shape=(4, 1)), *stack])
        logits, backward = model.forward(np.ones((3, 4, 1), np.float32))
        backward(np.ones_like(logits))
        assert calls == [("second", True), ("first", False)]

    def test_gradients_are_given_up_after_a_step(self):
        model = compiled()
        x, y = small_cnn.data()
        model.train_step(x, y.astype(np.int32))
        assert [parameter.gradient for parameter in model.weights] == [None] * 8
