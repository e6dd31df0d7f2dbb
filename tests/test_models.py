"""Sequential: building, fitting, evaluating and predicting."""

import weakref

import numpy as np
import pytest
import small_cnn
from small_cnn import compiled, fit

from numba_cnn import Model, Sequential, callbacks, layers, losses, models, session
from numba_cnn.metrics.metric import Averaged

LOSS = "sparse_categorical_crossentropy"


class TestBuilding:
    def test_the_tutorials_script(self):
        model = small_cnn.tutorial(layers, models)
        assert model.count_params() == 646_858
        assert [layer.count_params() for layer in model.layers] == [
            896, 0, 18_496, 0, 36_928, 0, 589_888, 650,
        ]  # fmt: skip
        assert [layer.output_shape[1:] for layer in model.layers] == [
            (62, 62, 32), (31, 31, 32), (29, 29, 64), (14, 14, 64), (12, 12, 64),
            (9216,), (64,), (10,),
        ]  # fmt: skip
        assert model.name == "sequential"
        assert model.weights[2].path == "sequential/conv2d_1/kernel"
        assert [w.shape for w in model.get_weights()][:2] == [(3, 3, 3, 32), (32,)]

    def test_tutorial_cnn_is_that_script(self):
        ours, theirs = models.tutorial_cnn(), small_cnn.tutorial(layers, models)
        assert [type(layer) for layer in ours.layers] == [type(layer) for layer in theirs.layers]
        assert [p.shape for p in ours.weights] == [p.shape for p in theirs.weights]

    def test_shape_from_the_data(self):
        model = Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")])
        assert not model.built
        model.compile("sgd", LOSS, backend="cpu")
        model.fit(np.zeros((5, 4, 2, 1)), np.zeros(5), verbose=0)
        assert model.built
        assert (model.input_shape, model.output_shape) == ((None, 4, 2, 1), (None, 3))

    def test_an_error_names_the_layer_as_it_is_added(self):
        model = Sequential([layers.Conv2D(4, 3, input_shape=(6, 7, 2)), layers.MaxPooling2D(4)])
        with pytest.raises(ValueError, match="3x3 pixels does not fit into an image of 1x1"):
            model.add(layers.Conv2D(4, 3))
        assert len(model.layers) == 2

    def test_pop_and_add(self):
        model = small_cnn.build(layers, models)
        last = model.pop()
        assert last.name == "dense_1"
        assert model.output_shape == (None, 6)
        model.add(layers.Dense(9))
        assert model.output_shape == (None, 9)
        assert model.weights[-1].shape == (9,)

    def test_get_layer(self):
        model = small_cnn.build(layers, models)
        assert model.get_layer("dense") is model.layers[5]
        assert model.get_layer(index=-1).name == "dense_1"
        with pytest.raises(ValueError, match=r"the layers are conv2d, .* Received: 'dens'"):
            model.get_layer("dens")

    @pytest.mark.parametrize(
        ("build", "error", "message"),
        [
            (lambda: Sequential([1]), TypeError, "expected an object of Layer. Received: 1"),
            (
                lambda: Sequential([layers.Dense(2, name="a"), layers.Dense(2, name="a")]),
                ValueError,
                "Received: 'a' twice",
            ),
            (
                lambda: Sequential([layers.Dense(2), layers.Input(shape=(3,))]),
                ValueError,
                "the input layer comes first",
            ),
            (lambda: Sequential().pop(), ValueError, "no layer to take off"),
            (
                lambda: Sequential([layers.Dense(2)]).count_params(),
                ValueError,
                "before it is built",
            ),
            (
                lambda: small_cnn.build(layers, models).build((None, 3, 3, 3)),
                ValueError,
                r"is built for inputs of shape \(None, 11, 9, 2\)",
            ),
        ],
    )
    def test_wrong_models(self, build, error, message):
        with pytest.raises(error, match=message):
            build()

    @pytest.mark.parametrize("training", [False, True])
    def test_a_call_on_a_batch_builds(self, training):
        model = Sequential([layers.Dense(3), layers.Dense(2)])
        y = model(np.ones((5, 4), np.float32), training=training)
        assert (y.shape, model.input_shape) == ((5, 2), (None, 4))
        first, second = model.layers
        expected = (np.ones((5, 4)) @ first.kernel.value) @ second.kernel.value
        np.testing.assert_allclose(y, expected, atol=1e-5)

    def test_the_shape_to_build_for_may_name_a_batch(self):
        """As scripts give what they train on; batches of other sizes fit too, as in Keras."""
        model = Sequential([layers.Rescaling(2.0), layers.Dense(2)])
        model.build((32, 4))
        assert (model.input_shape, model.output_shape) == ((None, 4), (None, 2))
        assert model.predict(np.ones((5, 4), np.float32), verbose=0).shape == (5, 2)

    def test_a_call_without_layers(self):
        with pytest.raises(ValueError, match="add layers to the model first"):
            Sequential()(np.ones((5, 4), np.float32))

    def test_a_stack_takes_a_name_of_functional_models_whenever_it_is_built(self):
        """As Keras 3.15 counts: summaries of what comes after have the names that they have there."""

        def next_name():
            inputs = layers.Input((4,))
            return Model(inputs, layers.Dense(2)(inputs)).name

        session.clear_session()
        found = [next_name()]
        Sequential([layers.Input((4,)), layers.Dense(2), layers.Dense(2)])
        found.append(next_name())
        model = Sequential()
        for change in (
            lambda: model.add(layers.Input((4,))),
            lambda: model.add(layers.Dense(3)),
            lambda: model.add(layers.Dense(2)),
            model.pop,
            model.pop,
        ):
            change()
            found.append(next_name())
        later = Sequential([layers.Dense(3)])
        found.append(next_name())
        later(np.ones((2, 4), np.float32))
        found.append(next_name())
        numbers = [1 + int(name.partition("_")[2] or 0) for name in found]
        assert numbers == [1, 3, 4, 6, 8, 10, 11, 12, 14]


class TestFit:
    def test_history(self):
        model = compiled()
        images, labels = small_cnn.data()
        history = model.fit(images, labels, epochs=5, initial_epoch=2, batch_size=8, verbose=0)
        assert list(history.history) == ["accuracy", "loss"]
        assert history.epoch == [2, 3, 4]
        assert history.params == {"verbose": 0, "epochs": 5, "steps": 3}
        assert model.history is history
        assert all(len(values) == 3 for values in history.history.values())

    def test_loss_counts_samples_not_batches(self):
        model = compiled()
        images, labels = small_cnn.data()
        model.optimizer.learning_rate = 0.0
        whole = model.evaluate(images, labels, batch_size=len(images), verbose=0)
        assert (fit(model)["loss"], fit(model)["accuracy"]) == (
            pytest.approx([whole[0]], rel=1e-6),
            pytest.approx([whole[1]], rel=1e-6),
        )
        assert model.evaluate(images, labels, batch_size=5, verbose=0) == pytest.approx(
            whole, rel=1e-6
        )

    def test_any_real_dtype_gives_the_same_as_float32(self):
        images, labels = small_cnn.data()
        whole = np.round(np.abs(images) * 20)
        expected = fit(compiled(), whole.astype(np.float32), labels)
        for x in (whole.astype(np.uint8), whole.astype(np.float64), whole.astype(np.float16)):
            assert fit(compiled(), x, labels) == expected
        assert fit(compiled(), np.asfortranarray(whole.astype(np.float32)), labels) == expected
        assert fit(compiled(), whole.tolist(), labels.tolist()) == expected
        read_only = whole.astype(np.float32)
        read_only.flags.writeable = False
        assert fit(compiled(), read_only, labels, shuffle=False) == expected

    def test_labels_as_keras_takes_them(self):
        _, labels = small_cnn.data()
        expected = fit(compiled())
        for y in (labels[:, None], labels.astype(np.float64), labels.astype(np.uint8)):
            assert fit(compiled(), y=y) == expected

    def test_same_seed_same_bits(self):
        def weights(seed):
            session.set_random_seed(seed)
            model = small_cnn.build(layers, models)
            model.compile("adam", LOSS, backend="cpu")
            fit(model, shuffle=True, epochs=2)
            return model.get_weights()

        first, second, other = weights(4), weights(4), weights(5)
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
        assert not np.array_equal(first[0], other[0])

    def test_a_summary_does_not_change_what_is_drawn(self):
        from rich.style import Style

        def weights(summary):
            session.set_random_seed(4)
            model = small_cnn.build(layers, models)
            if summary:
                model.summary(print_fn=len)
                Style(link="draws from Python's generator")
            return [*model.get_weights(), layers.Dense(3).kernel_initializer((5, 3))]

        for plain, after in zip(weights(False), weights(True), strict=True):
            np.testing.assert_array_equal(plain, after)

    def test_validation(self):
        images, labels = small_cnn.data()
        split = fit(compiled(), validation_split=0.3, epochs=2)
        given = fit(
            compiled(),
            images[:16],
            labels[:16],
            validation_data=(images[16:], labels[16:]),
            epochs=2,
        )
        assert list(split) == ["accuracy", "loss", "val_accuracy", "val_loss"]
        assert split == given
        both = fit(compiled(), validation_split=0.9, validation_data=(images, labels))
        assert both["loss"] == fit(compiled())["loss"]
        rare = fit(compiled(), validation_split=0.3, epochs=3, validation_freq=2)
        assert (len(rare["loss"]), len(rare["val_loss"])) == (3, 1)

    def test_weights_of_samples_scale_the_loss(self):
        model = compiled()
        images, labels = small_cnn.data()
        plain = model.evaluate(images, labels, verbose=0)
        doubled = model.evaluate(images, labels, sample_weight=np.full(len(labels), 2), verbose=0)
        assert doubled == pytest.approx([2 * plain[0], plain[1]], rel=1e-6)
        none = fit(compiled(), class_weight=dict.fromkeys(range(4), 0.0))
        assert none["loss"] == [0.0]
        assert none["accuracy"] == fit(compiled(), sample_weight=np.zeros(len(labels)))["accuracy"]

    def test_frozen_layers_stay(self):
        model = compiled()
        model.layers[0].trainable = model.layers[5].trainable = False
        before = model.get_weights()
        fit(model, epochs=2)
        changed = [
            not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)
        ]
        assert changed == [False, False, True, True, False, False, True, True]

    def test_the_loss_is_read_once_per_epoch(self, monkeypatch):
        reads = []
        read = Averaged.result
        monkeypatch.setattr(Averaged, "result", lambda self: reads.append(self.name) or read(self))
        fit(compiled(), epochs=2)
        # the second time the loss is known
        assert reads == ["accuracy", "loss", "loss", "penalty"] * 2

    def test_cold_kernels_are_announced(self, monkeypatch, capsys):
        model = compiled()
        monkeypatch.setattr(model.backend, "is_warm", lambda: False)
        fit(model, verbose=2)
        assert capsys.readouterr().out.startswith("Compiling kernels (once; kept in a cache)...\n")
        fit(model, verbose=0)
        assert capsys.readouterr().out == ""

    def test_kernels_that_are_compiled_later_are_announced_once(self, monkeypatch, capsys):
        from numba.core import event

        def compiles(batch, logs):
            for _ in range(2):
                with event.trigger_event("numba:compile"):
                    pass

        model = compiled()
        fit(model)
        monkeypatch.setattr(model.backend, "is_warm", lambda: True)
        capsys.readouterr()
        for verbose, times in ((2, 1), (1, 1), (0, 0)):
            late = callbacks.LambdaCallback(on_train_batch_end=compiles)
            fit(model, verbose=verbose, callbacks=[late])
            assert (
                capsys.readouterr().out.count("Compiling kernels (once; kept in a cache)") == times
            )
        fit(model, verbose=2)
        assert "Compiling" not in capsys.readouterr().out

    def test_compile_again_keeps_the_weights(self):
        model = compiled()
        before = model.get_weights()
        model.compile("sgd", LOSS, backend="cpu")
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
        assert list(fit(model)) == ["loss"]

    def test_logits_as_output(self):
        def model(activation, loss):
            stack = [layers.Flatten(), layers.Dense(4, activation=activation)]
            model = Sequential([layers.Input(shape=small_cnn.INPUT_SHAPE), *stack])
            model.set_weights([np.sin(np.arange(198 * 4)).reshape(198, 4), np.zeros(4)])
            model.compile("adam", loss, backend="cpu")
            return model

        raw = model(None, losses.SparseCategoricalCrossentropy(from_logits=True))
        soft = model("softmax", LOSS)
        assert fit(raw) == fit(soft)
        x, _ = small_cnn.data()
        exponential = np.exp(raw.predict(x, verbose=0))
        np.testing.assert_allclose(
            soft.predict(x, verbose=0), exponential / exponential.sum(-1, keepdims=True), rtol=1e-5
        )
        twice = model("softmax", losses.SparseCategoricalCrossentropy(from_logits=True))
        with pytest.warns(UserWarning, match="the loss takes the logits before it"):
            assert fit(twice) == fit(model("softmax", LOSS))

    @pytest.mark.parametrize("y", [np.eye(3)[[0, 2, 1, 1, 0, 2]], np.float32([0, 1, 1, 0, 0, 1])])
    def test_metrics_see_targets_that_are_not_smoothed(self, y):
        kinds = (
            ("softmax", losses.CategoricalCrossentropy)
            if y.ndim > 1
            else ("sigmoid", losses.BinaryCrossentropy)
        )
        x = np.random.default_rng(0).standard_normal((6, 5))
        found = []
        for smoothing in (0.0, 0.2):
            session.set_random_seed(0)
            model = Sequential(
                [layers.Input((5,)), layers.Dense(y.shape[1] if y.ndim > 1 else 1, kinds[0])]
            )
            model.compile(
                "sgd",
                kinds[1](label_smoothing=smoothing),
                metrics=["auc", "mse", "accuracy", "recall"],
            )
            found.append(model.evaluate(x, y, verbose=0))
        assert found[0][0] != found[1][0]
        assert found[0][1:] == found[1][1:]

    @pytest.mark.parametrize("shape", [(8,), (8, 1)])
    def test_class_weight_of_one_sigmoid(self, shape):
        x, y = (
            np.random.default_rng(0).standard_normal((8, 5)),
            np.float32([0, 1, 1, 0, 0, 1, 1, 1]),
        )
        found = []
        for given in (
            {"class_weight": {0: 5.0, 1: 0.5}},
            {"sample_weight": np.where(y == 0, 5, 0.5)},
        ):
            session.set_random_seed(0)
            model = Sequential([layers.Input((5,)), layers.Dense(1, "sigmoid")])
            model.compile("sgd", losses.BinaryCrossentropy(label_smoothing=0.1))
            found.append(model.fit(x, y.reshape(shape), epochs=2, verbose=0, **given).history)
        assert found[0] == found[1]

    def test_targets_that_are_no_numbers(self):
        model = Sequential([layers.Input((5,)), layers.Dense(2)])
        model.compile("sgd", "mse")
        y = np.zeros((4, 2), np.float32)
        y[2, 1] = np.nan
        with pytest.raises(ValueError, match=r"fit: y must be finite\. Received: nan in sample 2"):
            model.fit(np.zeros((4, 5)), y)

    def test_targets_are_missing(self):
        model = compiled()
        with pytest.raises(ValueError, match="fit: y must be what the model shall give"):
            model.fit(np.zeros((4, 11, 9, 2), np.float32))


class TestEvaluateAndPredict:
    def test_results(self):
        model = compiled()
        x, y = small_cnn.data()
        loss, accuracy = model.evaluate(x, y, verbose=0)
        assert model.evaluate(x, y, verbose=0, return_dict=True) == {
            "accuracy": accuracy,
            "loss": loss,
        }
        assert model.metrics_names == ["loss", "compile_metrics"]
        probabilities = model.predict(x, verbose=0)
        assert (probabilities.shape, probabilities.dtype) == ((23, 4), np.float32)
        np.testing.assert_allclose(probabilities.sum(-1), 1, rtol=1e-6)
        assert accuracy == pytest.approx((probabilities.argmax(-1) == y).mean(), rel=1e-6)
        assert loss == pytest.approx(-np.log(probabilities[np.arange(23), y]).mean(), rel=1e-5)
        model.compile("adam", LOSS, backend="cpu")
        assert model.evaluate(x, y, verbose=0) == pytest.approx(loss)

    def test_predictions_do_not_depend_on_the_batches(self):
        model = small_cnn.build(layers, models)
        x, _ = small_cnn.data()
        expected = model.predict(x, verbose=0)
        for batch_size in (1, 7, 100):
            np.testing.assert_allclose(
                model.predict(x, batch_size=batch_size, verbose=0), expected, rtol=1e-5, atol=1e-7
            )
        np.testing.assert_array_equal(model.predict(x, verbose=0), expected)


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
