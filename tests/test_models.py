"""Sequential: building, fitting, evaluating and predicting."""

import numpy as np
import pytest
import small_cnn
from small_cnn import compiled, fit

from numba_cnn import Sequential, callbacks, layers, losses, models, session
from numba_cnn.metrics.metric import Averaged

LOSS = "sparse_categorical_crossentropy"


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
