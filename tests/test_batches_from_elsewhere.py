"""fit, evaluate and predict on batches that somebody else makes: the numbers of the same batches as arrays."""

import os
import subprocess
import sys

import numpy as np
import pytest
from fed_model import EXPECTED, W, X, Y, assert_same, model, trained

from numba_cnn import layers, models

PARTS = [slice(k, k + 8) for k in range(0, 40, 8)]


def batches(times=1, weighted=False):
    for _ in range(times):
        for part in PARTS:
            yield (X[part], Y[part], W[part]) if weighted else (X[part], Y[part])


class Items:
    """As Keras's PyDataset and the iterators of ImageDataGenerator are."""

    def __init__(self):
        self.asked, self.ends = [], 0

    def __len__(self):
        return len(PARTS)

    def __getitem__(self, i):
        self.asked.append(i)
        return X[PARTS[i]], Y[PARTS[i]]

    def on_epoch_end(self):
        self.ends += 1


class Tensor:
    """As tensors of other libraries are."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)


class Loader:
    """As data sets of TensorFlow and loaders of PyTorch are."""

    def __iter__(self):
        return ([Tensor(a) for a in batch] for batch in batches())


def test_a_generator_goes_on_where_it_stopped():
    arrays = trained(X, Y, **EXPECTED)
    assert_same(trained(batches(3), steps_per_epoch=5, epochs=3), arrays)
    whole = trained(batches(1, weighted=True), epochs=1)
    assert_same(whole, trained(X, Y, sample_weight=W, **EXPECTED | {"epochs": 1}))


def test_what_can_begin_anew_does():
    arrays = trained(X, Y, **EXPECTED)
    assert_same(trained(Loader(), epochs=3), arrays)
    assert_same(trained(Loader(), steps_per_epoch=5, epochs=3), arrays)
    assert_same(trained(iter_of_lists(), epochs=3), arrays)


def iter_of_lists():
    class Again:
        def __iter__(self):
            return batches()

    return Again()


def test_items_are_asked_for_in_an_order_of_each_epoch():
    items = Items()
    assert_same(trained(items, epochs=3, shuffle=False), trained(X, Y, **EXPECTED))
    assert items.asked == [*range(5)] * 3
    assert items.ends == 3
    items = Items()
    trained(items, epochs=2)
    first, second = items.asked[:5], items.asked[5:]
    assert sorted(first) == sorted(second) == [*range(5)]
    assert first != second


def test_class_weights_and_validation_data():
    settings = {"class_weight": {1: 3.0}, "validation_batch_size": 8}
    arrays = trained(X, Y, validation_data=(X, Y), **EXPECTED, **settings)
    given = trained(
        Items(), validation_data=Loader(), class_weight={1: 3.0}, epochs=3, shuffle=False
    )
    assert_same(given, arrays)
    some = trained(
        Items(),
        validation_data=batches(3),
        validation_steps=5,
        class_weight={1: 3.0},
        epochs=3,
        shuffle=False,
    )
    assert_same(some, arrays)


def test_evaluate_and_predict():
    made = model()
    assert made.evaluate(batches(), verbose=0) == made.evaluate(X, Y, 8, verbose=0)
    assert made.evaluate(batches(9), steps=5, verbose=0) == made.evaluate(X, Y, 8, verbose=0)
    expected = made.predict(X, 8, verbose=0)
    np.testing.assert_array_equal(made.predict((X[part] for part in PARTS), verbose=0), expected)
    np.testing.assert_array_equal(made.predict(Items(), verbose=0), expected)
    np.testing.assert_array_equal(made.predict(Loader(), verbose=0), expected)
    np.testing.assert_array_equal(made.predict(batches(), steps=2, verbose=0), expected[:16])
    np.testing.assert_array_equal(made.predict(X, 8, steps=2, verbose=0), expected[:16])


def test_steps_of_arrays():
    history, _ = trained(X, Y, batch_size=8, epochs=2, steps_per_epoch=2, shuffle=False)
    assert history == trained(X[:16], Y[:16], batch_size=8, epochs=2, shuffle=False)[0]


def test_a_model_takes_its_shape_from_the_first_batch():
    made = models.Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")])
    made.compile("adam", "sparse_categorical_crossentropy")
    made.fit(Loader(), epochs=2, verbose=0)
    assert made.input_shape == (None, 4, 4, 1)


def test_progress_says_so_while_the_number_of_batches_is_unknown(capsys):
    model().fit(Loader(), epochs=2, verbose=2)
    assert capsys.readouterr().out.count("5/5 - ") == 2


def test_a_generator_that_ends_early():
    made = model()
    with pytest.warns(UserWarning, match="training ends after epoch 1 of 3"):
        assert len(made.fit(batches(), epochs=3, verbose=0).history["loss"]) == 1
    with (
        pytest.warns(UserWarning, match="fit: x ran out of batches: 1 of 4 came"),
        pytest.warns(UserWarning, match="training ends after epoch 2 of 3"),
    ):
        history = made.fit(batches(), steps_per_epoch=4, epochs=3, verbose=0).history
    assert len(history["loss"]) == 2


KERAS = """
import keras, numpy as np
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from numba_cnn import layers, models, set_random_seed
x, y = np.random.default_rng(0).random((40, 8, 8, 3)), np.eye(3)[np.arange(40) % 3]
made = models.Sequential([layers.Flatten(input_shape=(8, 8, 3)), layers.Dense(3, activation="softmax")])
made.compile("adam", "categorical_crossentropy")
flow = ImageDataGenerator(horizontal_flip=True).flow(x, y, batch_size=8)
print(len(made.fit(flow, epochs=2, verbose=0, validation_data=flow).history["val_loss"]), flow.batch_index)
class Data(keras.utils.PyDataset):
    def __len__(self): return 5
    def __getitem__(self, i): return x[8*i : 8*i + 8], y[8*i : 8*i + 8]
print(made.evaluate(Data(), verbose=0) == made.evaluate(x, y, 8, verbose=0))
"""


def test_objects_of_keras_itself():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KERAS], capture_output=True, text=True,
        env=os.environ | {"KERAS_BACKEND": "jax"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["2 0", "True"]


SHORT = """
import importlib, sys, numpy as np
keras = importlib.import_module(sys.argv[1])
path = "keras.src.legacy.preprocessing.image" if sys.argv[1] == "keras" else "numba_cnn.preprocessing.image"
flow = importlib.import_module(path).ImageDataGenerator().flow
x, y, layers, steps = np.ones((32, 4, 4, 1), np.float32), np.arange(32) % 3, keras.layers, []
class Count(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None): steps[-1] += 1
    def on_epoch_begin(self, epoch, logs=None): steps.append(0)
for number, tests in ((10, None), (None, 5), (10, 5)):
    made = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(3, activation="softmax")])
    made.compile("sgd", "sparse_categorical_crossentropy")
    history = made.fit(
        flow(x, y, batch_size=8), steps_per_epoch=number, epochs=3, verbose=0, callbacks=[Count()],
        validation_data=flow(x, y, batch_size=8), validation_steps=tests,
    ).history
    print(sorted((name, len(values)) for name, values in history.items()))
print(steps)
made.fit(x, y, epochs=2, verbose=3)
print(made.predict([[x]], verbose=10).shape)
start, errors = keras.Input((4,)), [["mae"]] * 3
def dense(units, x): return layers.Dense(units, kernel_initializer="zeros")(x)
inner = keras.Model(start, [dense(1, start), dense(2, start)], name="inner")
other = keras.Input((4,))
several = keras.Model(other, [*inner(other), dense(3, other)])
several.compile(keras.optimizers.SGD(0.0), "mse", metrics=errors)
history = several.fit(np.ones((5, 4)), [k * np.ones((5, k)) for k in (1, 2, 3)], verbose=0).history
print([values for name, values in sorted(history.items()) if "inner" in name or name == "loss"])
print([name for name in sorted(history) if "inner" in name])
rate, count = made.optimizer.learning_rate, made.optimizer.iterations
rate.assign(0.125)
print(rate.numpy(), rate.numpy().dtype, float(made.optimizer.learning_rate), int(count.numpy()))
"""


def test_more_steps_than_batches_and_other_looseness_as_in_keras():
    said = {}
    for library in ("keras", "numba_cnn"):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SHORT, library], capture_output=True, text=True,
            env=os.environ | {"KERAS_BACKEND": "jax"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said[library] = done.stdout
    assert said["numba_cnn"] == said["keras"]
    assert said["keras"].splitlines()[-7:] == [
        str([4] * 9), "Epoch 1/2", "Epoch 2/2", "(32, 3)", "[[4.0], [1.0], [2.0], [14.0]]",
        "['inner_loss', 'inner_mae', 'inner_mae_1']", "0.125 float32 0.125 14",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.fit(batches(), Y), ValueError, "they hold y and sample_weight too. Received: x a generator"),
        (lambda m: m.fit(batches(), validation_split=0.5), ValueError, "validation_split divides arrays"),
        (lambda m: m.fit(x for x in [X]), ValueError, r"x must give batches \(x, y\) or .* Received: an array"),
        (lambda m: m.fit({"train": batches(), "test": batches()}), ValueError, r"'test': give x\['train'\]"),
        (lambda m: m.fit(batches(), steps_per_epoch=-0.5), ValueError, "steps must be an integer of at least 1"),
        (lambda m: m.fit(x for x in ()), ValueError, "x must give at least one batch. Received: none"),
        (lambda m: m.fit(batches(), steps_per_epoch=0), ValueError, "steps must be an integer of at least 1"),
        (lambda m: m.fit((X[:, :3], Y) for _ in "a"), ValueError, r"the model expects x of shape"),
        (lambda m: m.fit((X, Y + 9) for _ in "a"), ValueError, r"labels must lie in 0..2"),
        (lambda m: m.predict(object()), TypeError, "x must be an array"),
        (lambda m: models.Sequential([layers.Dense(1)]).fit(batches()), ValueError, "call compile"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(model())
