"""What goes into a model: batches of samples, and every wrong input."""

import numpy as np
import pytest
import small_cnn
from small_cnn import compiled, fit

from numba_cnn import Sequential, callbacks, layers, models, ops
from numba_cnn.models import data, feeding

LOSS = "sparse_categorical_crossentropy"


class TestBatches:
    x = np.arange(46, dtype=np.float32).reshape(23, 2)

    def batches(self, x, seed=None, **how):
        labels = np.arange(23, dtype=np.int32), np.arange(23, dtype=np.float32) / 2
        dataset = data.Dataset((x,), *((one,) for one in labels))
        return data.Batches("fit", dataset, 8, compiled().backend, seed, **how)

    def test_in_order(self):
        batches = self.batches(self.x)
        assert len(batches) == 3
        for start, batch in zip((0, 8, 16), batches, strict=True):
            np.testing.assert_array_equal(batch.x[0], self.x[start : start + 8])
            np.testing.assert_array_equal(batch.labels[0], np.arange(23)[start : start + 8])
            assert batch.x[0].base is not None  # a view: nothing was copied

    @pytest.mark.parametrize("dtype", [np.float32, np.uint8])
    def test_shuffled(self, dtype):
        batches = self.batches(self.x.astype(dtype), 3)
        orders = []
        for epoch in (0, 1, 0):
            order, memory = [], set()
            for (x,), (labels,), (weights,), _ in batches.epoch(epoch):
                ops.relu(x)  # beside which the next batch is made
                np.testing.assert_array_equal(x[:, 0], 2 * labels)
                np.testing.assert_array_equal(weights, labels / 2)
                assert x.dtype == np.float32
                order += labels.tolist()
                memory.add(x.ctypes.data)
            assert len(memory) == 2  # two buffers serve all
            assert sorted(order) == list(range(23))
            orders.append(order)
        assert orders[0] != orders[1]
        assert orders[0] == orders[2]  # the order hangs on seed and epoch alone

    def test_shuffled_by_batches(self):
        """Samples that lie side by side stay so, and the rest of them comes last."""
        batches = self.batches(self.x, 3, by_batches=True)
        firsts = []
        for epoch in range(4):
            for _, (labels,), _, _ in batches.epoch(epoch):
                np.testing.assert_array_equal(labels, labels[0] + np.arange(len(labels)))
                firsts.append(int(labels[0]))
        assert firsts[2::3] == [16] * 4
        assert {(0, 8), (8, 0)} == {tuple(firsts[i : i + 2]) for i in range(0, 12, 3)}

    @pytest.mark.parametrize(
        ("N", "fraction", "parts"), [(7, 0.2, (5, 2)), (3, 0.2, (2, 1)), (10, 0.1, (9, 1))]
    )
    def test_split(self, N, fraction, parts):
        dataset = data.Dataset((np.arange(N),), (np.arange(N) * 2,), (None,))
        first, last = feeding.split("fit", dataset, fraction)
        assert parts == (first.N, last.N)
        np.testing.assert_array_equal(np.concatenate([first.x[0], last.x[0]]), np.arange(N))
        np.testing.assert_array_equal(last.labels[0], 2 * last.x[0])
        assert first.sample_weight == (None,)


def _with_nan(value):
    x, _ = small_cnn.data()
    x[3, 2, 1, 0] = value
    return x


IMAGES, LABELS = small_cnn.data()
WRONG_X = [
    (
        IMAGES[0],
        ValueError,
        r"expects x of shape \(N, 11, 9, 2\). Received: x of shape \(11, 9, 2\)",
    ),
    (IMAGES[..., :1], ValueError, r"Received: x of shape \(23, 11, 9, 1\)"),
    (IMAGES[:0], ValueError, "x holds no samples"),
    (np.float32(3), ValueError, "x holds no samples|expects x of shape"),
    (IMAGES.astype(np.complex64), TypeError, "real numbers. Received: dtype complex64"),
    (np.full(IMAGES.shape, "a"), TypeError, "real numbers. Received: dtype <U1"),
    (None, TypeError, "real numbers. Received: dtype object"),
    (_with_nan(np.nan), ValueError, "x must be finite, as float32. Received: nan in sample 3$"),
    (_with_nan(-np.inf), ValueError, "x must be finite, as float32. Received: -inf in sample 3$"),
    (
        _with_nan(0).astype(np.float64) * 1e300,
        ValueError,
        r"finite, as float32. Received: -?\d.*e\+\d+ in sample \d+$",
    ),
]
WRONG_Y = [
    (LABELS[:-1], ValueError, "the same length. Received: 23 samples, 22 labels"),
    (LABELS + 1, ValueError, r"labels must lie in 0..3, .* 4 outputs. Received: label 4"),
    (LABELS - 1, ValueError, "Received: label -1"),
    (LABELS + 0.5, ValueError, "labels must .* Received: label"),
    (np.where(LABELS == 0, np.nan, 1), ValueError, "Received: label nan"),
    (
        np.eye(4)[LABELS],
        ValueError,
        r"argmax\(-1\) of one-hot rows.* Received: y of shape \(23, 4\)",
    ),
    (LABELS.astype(str), TypeError, "y must be integers. Received: dtype <U"),
    (None, ValueError, "y must be what the model shall give. Received: None"),
]


class TestWrongInput:
    @pytest.mark.parametrize(("x", "error", "message"), WRONG_X)
    @pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
    def test_images(self, method, x, error, message):
        arguments = (x,) if method == "predict" else (x, LABELS)
        with pytest.raises(error, match=f"^{method}: .*{message}"):
            getattr(compiled(), method)(*arguments, verbose=0)

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_images_in_any_order(self, dtype):
        model = compiled()
        with pytest.raises(
            ValueError, match=r"^fit: x must be finite.* Received: nan in sample 3$"
        ):
            fit(model, _with_nan(np.nan).astype(dtype), shuffle=True)
        assert all(np.isfinite(weight).all() for weight in model.get_weights())

    def test_images_to_validate_on(self):
        """Before the first step, not after the first epoch."""
        model = compiled()
        before = model.get_weights()
        with pytest.raises(ValueError, match=r"^fit, validation: .* Received: inf in sample 3$"):
            fit(model, validation_data=(_with_nan(np.inf), LABELS))
        for weight, old in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, old)

    def test_images_that_a_callback_spoils(self):
        x, epochs = IMAGES.copy(), []

        class Spoil(callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                epochs.append(epoch)
                x[3] = np.nan

        with pytest.raises(ValueError, match=r"^fit: .* Received: nan in sample 3$"):
            fit(compiled(), x, epochs=3, shuffle=True, callbacks=[Spoil()])
        assert epochs == [0]

    @pytest.mark.parametrize(("y", "error", "message"), WRONG_Y)
    @pytest.mark.parametrize("method", ["fit", "evaluate"])
    def test_labels(self, method, y, error, message):
        with pytest.raises(error, match=f"^{method}: .*{message}"):
            getattr(compiled(), method)(IMAGES, y, verbose=0)

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            (
                {"batch_size": 0},
                ValueError,
                "batch_size must be an integer of at least 1. Received: 0",
            ),
            ({"epochs": 1.5}, ValueError, "epochs must be an integer of at least 0. Received: 1.5"),
            ({"validation_freq": 0}, ValueError, "validation_freq .* Received: 0"),
            ({"validation_steps": "x"}, ValueError, "validation_steps .* Received: 'x'"),
            (
                {"validation_split": 0.5, "validation_batch_size": 0},
                ValueError,
                "batch_size must be an integer of at least 1. Received: 0",
            ),
            ({"verbose": -3}, ValueError, "verbose must be .* Received: -3"),
            (
                {"validation_split": 1.5},
                ValueError,
                "validation_split must be above 0 and below 1. Received: 1.5",
            ),
            ({"validation_split": 0.999}, ValueError, "leaves no samples on one side"),
            (
                {"sample_weight": [1, 2]},
                ValueError,
                r"shape \(23,\). Received: int64 of shape \(2,\)",
            ),
            ({"class_weight": {-1: 2}}, ValueError, "a class in class_weight must .* Received: -1"),
            (
                {"class_weight": [1, 2]},
                TypeError,
                r"must map classes to weights. Received: \[1, 2\]",
            ),
            ({"class_weight": {0: 1}, "sample_weight": LABELS}, ValueError, "at the same time"),
            ({"callbacks": [print]}, TypeError, "expected objects of Callback. Received: builtin"),
            ({"validation_data": (IMAGES, LABELS + 9)}, ValueError, "Received: label 12"),
            ({"steps_per_epoch": 0}, ValueError, "steps must be an integer of at least 1"),
        ],
    )
    def test_arguments_of_fit(self, arguments, error, message):
        with pytest.raises(error, match=message):
            fit(compiled(), **arguments)

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"loss": None}, TypeError, "loss: expected .* Received: None"),
            (
                {"loss": "circle"},
                ValueError,
                "there is no 'circle'.* Allowed: 'binary_crossentropy'.* Received: 'circle'",
            ),
            (
                {"metrics": ["oddness"]},
                ValueError,
                "metric: there is no 'oddness'. Allowed: .* Received: 'oddness'",
            ),
            ({"optimizer": "adafactor"}, ValueError, "Received: 'adafactor'"),
            ({"backend": "tpu"}, ValueError, "Received: 'tpu'"),
            ({"optimizer": "sgd", "backend": "tpu"}, ValueError, "Received: 'tpu'"),
        ],
    )
    def test_arguments_of_compile(self, arguments, error, message):
        model = compiled()
        before = model.loss, model.optimizer, model.metrics, model.backend
        with pytest.raises(error, match=message):
            model.compile(**{"optimizer": "adam", "loss": LOSS, "backend": "cpu"} | arguments)
        assert (model.loss, model.optimizer, model.metrics, model.backend) == before

    @pytest.mark.parametrize("method", ["fit", "evaluate"])
    def test_not_compiled(self, method):
        with pytest.raises(ValueError, match=rf"{method}: call compile\(optimizer, loss\) first"):
            getattr(small_cnn.build(layers, models), method)(IMAGES, LABELS)

    def test_no_layers(self):
        with pytest.raises(ValueError, match="predict: add layers to the model first"):
            Sequential().predict(IMAGES)

    @pytest.mark.parametrize(
        ("stack", "message"),
        [
            (
                [layers.Conv2D(4, 3)],
                r"y must be integers of shape \(N, 9, 7\), .* Received: y of shape",
            ),
        ],
    )
    def test_models_that_do_not_fit_the_loss(self, stack, message):
        model = Sequential([layers.Input(shape=small_cnn.INPUT_SHAPE), *stack])
        model.compile("adam", LOSS, backend="cpu")
        with pytest.raises(ValueError, match=message):
            fit(model)

    def test_set_weights(self):
        model = compiled()
        with pytest.raises(ValueError, match="expected 8 weights of shapes"):
            model.set_weights(small_cnn.weights()[:-1])

    def test_an_optimizer_of_another_model(self):
        other = Sequential([layers.Flatten(), layers.Dense(4, activation="softmax")])
        model = compiled()
        fit(model)
        other.build((None, *small_cnn.INPUT_SHAPE))
        with pytest.raises(ValueError, match="an optimizer serves one model"):
            other.compile(model.optimizer, LOSS, backend="cpu")


def test_errors_of_validation_data_say_so():
    model = small_cnn.compiled()
    x, y = small_cnn.data()
    for given, message in (
        ((x[:, 1:], y), r"^fit, validation: .*x of shape \(N, 11, 9, 2\)"),
        ((x, y[:-1]), "^fit, validation: x and y must have the same length"),
    ):
        with pytest.raises(ValueError, match=message):
            small_cnn.fit(model, validation_data=given)
