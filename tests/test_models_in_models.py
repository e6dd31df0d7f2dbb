"""Models inside of models and images of any size: steps, recordings, what is trained, files."""

import copy
import pickle

import models_peer
import numpy as np
import pytest

import numba_cnn as nc
from numba_cnn import layers, models


@pytest.fixture(scope="module", autouse=True)
def _direct_sums():
    nc.set_conv_algorithm("direct")
    yield
    nc.set_conv_algorithm("auto")


X = np.random.default_rng(0).random((6, 8, 8, 3), dtype=np.float32)
LABELS = np.arange(6) % 3


def stack(*inner):
    return models.Sequential([layers.Input((8, 8, 3)), *inner])


def convolution(**settings):
    return layers.Conv2D(4, 3, activation="relu", **settings)


def test_a_model_inside_runs_as_its_layers_would():
    """The same bits, steps that run as one across its edge, one recording."""
    nc.set_random_seed(1)
    parts = convolution(), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3)
    flat = stack(*parts)
    nested = stack(
        models.Sequential([parts[0]]), models.Sequential([models.Sequential(parts[1:3]), parts[3]])
    )
    assert (
        [type(step.layer).__name__ for step in nested._plan().steps]
        == [type(step.layer).__name__ for step in flat._plan().steps]
        == ["PooledConv2D", "Flatten", "Dense"]
    )
    np.testing.assert_array_equal(nested(X), flat(X))
    assert nested.weights == flat.weights
    assert len(nested._graphs._graphs) == 1


def frozen_inside(model):
    model.layers[0].layers[0].trainable = False


def trains_no_more(model):
    model.layers[0].trainable = False


def has_other_weights(model):
    inner = model.layers[0]
    inner.set_weights([2 * w for w in inner.get_weights()])


def has_a_layer_less(model):
    model.layers[0].pop()


def has_another_top(model):
    model.layers[0].pop()
    model.layers[0].add(layers.Activation("tanh"))


@pytest.mark.parametrize(
    "change", [frozen_inside, trains_no_more, has_other_weights, has_a_layer_less, has_another_top]
)
def test_recordings_notice_what_changes_inside(change, monkeypatch):
    from numba_cnn.backends import cpu

    def run():
        nc.set_random_seed(2)
        inner = [convolution(), layers.BatchNormalization(), layers.Activation("relu")]
        model = stack(
            models.Sequential(inner), layers.GlobalAveragePooling2D(), layers.Dense(3, "softmax")
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        seen = []
        for _ in range(2):
            model.fit(X, LABELS, epochs=2, verbose=0, shuffle=False)
            seen += [model(X).tobytes(), *(w.tobytes() for w in model.get_weights())]
            change(model)
        return seen

    recorded = run()
    monkeypatch.setattr(cpu, "ABILITIES", cpu.ABILITIES._replace(records=False))
    assert run() == recorded


def test_trainable_goes_down_and_layers_may_differ():
    base = models.Sequential([convolution(name="one"), layers.BatchNormalization(), convolution()])
    model = stack(base, layers.Flatten(), layers.Dense(3, activation="softmax"))
    base.trainable = False
    assert not any(layer.trainable for layer in base.layers)
    assert [w.shape for w in model.trainable_weights] == [(64, 3), (3,)]
    base.layers[-1].trainable = True
    assert base.trainable_weights == []
    assert len(model.trainable_weights) == 4
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = base.get_weights()
    model.fit(X, LABELS, verbose=0)
    changed = [(w != old).any() for w, old in zip(base.get_weights(), before, strict=True)]
    assert changed == [False] * 6 + [True] * 2
    model.trainable = True
    assert all(layer.trainable for layer in base.layers)
    assert not models.Sequential([layers.Dense(2)], trainable=False).layers[0].trainable


def test_feature_maps():
    model = stack(convolution(name="first"), layers.Flatten(), layers.Dense(3))
    all_of_them = models.Model(model.inputs, [layer.output for layer in model.layers])
    found = all_of_them.predict(X, verbose=0)
    np.testing.assert_array_equal(found[-1], model.predict(X, verbose=0))
    np.testing.assert_array_equal(found[0], model.layers[0](X))
    below = models.Model(model.input, model.get_layer("first").output)
    np.testing.assert_array_equal(below.predict(X, verbose=0), found[0])
    head = models.Model(model.input, layers.Dense(2)(model.layers[-2].output))
    assert head.predict(X, verbose=0).shape == (6, 2)
    assert model.output is model.outputs[0] is model.layers[-1].output
    model.pop()
    assert model.output is model.layers[-1].output
    assert model.output_shape == (None, 144)


def test_a_model_without_a_shape_has_no_tensors():
    model = models.Sequential([layers.Dense(2)])
    for name in ("input", "inputs", "output", "outputs"):
        with pytest.raises(AttributeError, match=r"build it, or put an Input first\. Received: no"):
            getattr(model, name)
    with pytest.raises(AttributeError, match="was not called on an Input"):
        _ = model.layers[0].output
    model.build((None, 3))
    assert (model.input.shape, model.output.shape) == ((None, 3), (None, 2))


def test_a_sequential_begins_with_the_shape_of_a_model():
    base = stack(layers.Flatten())
    model = models.Sequential([base, layers.Dense(2)])
    assert (model.input_shape, model.output_shape) == ((None, 8, 8, 3), (None, 2))


def test_weights_that_are_in_two_places_count_once(tmp_path):
    shared = layers.Dense(3)
    inner = models.Sequential([layers.Input((3,)), shared])
    a = layers.Input((3,))
    model = models.Model(a, shared(inner(a)))
    assert model.count_params() == len(shared.get_weights()[0].ravel()) + 3
    assert model.get_weights()[0].shape == (3, 3)
    model.save_weights(tmp_path / "m.weights.h5")
    model.load_weights(tmp_path / "m.weights.h5")


def test_a_layer_alone_is_copied_without_its_models():
    model = stack(convolution(), layers.Flatten(), layers.Dense(300))
    layer = copy.deepcopy(model.layers[0])
    assert layer._nodes == []
    assert len(pickle.dumps(layer)) < 10_000
    deep = models.Sequential([layers.Input((3,)), *(layers.ReLU() for _ in range(600))])
    assert pickle.loads(pickle.dumps(deep)).output_shape == (None, 3)


def test_models_of_models_go_to_the_backend_with_the_outer_one():
    base = stack(convolution())
    model = models.Sequential([base, layers.Flatten()])
    model.compile("sgd", "mse", backend="cpu")
    assert base.backend is model.backend is nc.backends.get("cpu")
    assert base._backend is not None


class TestUnknownExtents:
    def model(self):
        return models_peer.Unknown.build(layers, models)

    @pytest.mark.parametrize("shape", [(5, 9, 12, 3), (3, 4, 4, 3), (2, 33, 17, 3)])
    def test_any_size_predicts_and_trains(self, shape):
        model = self.model()
        model.compile("sgd", "categorical_crossentropy")
        x, y = np.ones(shape, np.float32), np.eye(3, dtype=np.float32)[np.arange(shape[0]) % 3]
        np.testing.assert_array_equal(model.predict(x, verbose=0), model(x))
        assert model.fit(x, y, verbose=0).history["loss"][0] > 0
        assert model.compute_output_shape((None, *shape[1:])) == (None, 3)

    def test_outputs_of_the_samples_size(self):
        inputs = layers.Input((None, None, 1))
        model = models.Model(inputs, layers.Conv2D(1, 3, padding="same")(inputs))
        model.compile("sgd", "mse")
        for size in (5, 8):
            x = np.ones((3, size, size + 1, 1), np.float32)
            assert model.predict(x, verbose=0).shape == x.shape
            model.fit(x, x, verbose=0, epochs=2)
            with pytest.raises(ValueError, match=rf"N, {size}, {size + 1}, 1.* Received: y of sh"):
                model.fit(x, x[:, 1:], verbose=0)

    def test_a_pooling_runs_with_its_convolution_only_where_it_may(self):
        """With "same" padding an odd last row counts: extents that are not known may be odd."""
        inputs = layers.Input((None, None, 2))
        x = layers.Conv2D(4, 3, padding="same")(inputs)
        model = models.Model(inputs, layers.MaxPooling2D(2, padding="same")(x))
        assert model(np.ones((2, 5, 7, 2), np.float32)).shape == (2, 3, 4, 4)

    def test_shapes_that_are_told_later(self):
        base = models.Model(*(lambda t: (t, layers.Conv2D(2, 3)(t)))(layers.Input((None, None, 3))))
        model = models.Sequential(
            [layers.Input((8, 9, 3)), base, layers.Flatten(), layers.Dense(2)]
        )
        assert model.layers[1].output_shape == (None, 84)
        with pytest.raises(ValueError, match=r"built for inputs of shape \(None, None, None, 3\)"):
            base(layers.Input((8, 8, 4)))
        with pytest.raises(ValueError, match=r"expects x of shape \(N, None, None, 3\)"):
            base.predict(np.ones((2, 8, 8, 4), np.float32))


def test_a_file_of_a_layer_that_is_called_elsewhere_too(tmp_path):
    inputs = layers.Input((8, 8, 3))
    shared, other = convolution(), layers.Input((8, 8, 3))
    shared(other)
    model = models.Model(inputs, layers.Flatten()(shared(inputs)))
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(models.load_model(tmp_path / "m.keras")(X), model(X))


@pytest.mark.parametrize("levels", [3, 40, 200, 5000])
def test_a_file_of_models_in_models_in_models(levels, tmp_path):
    """It may be a few levels deep; others are refused in a sentence, at once."""
    import zipfile

    model = stack(layers.Flatten())
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as file:
        parts = {name: file.read(name) for name in file.namelist()}
    one = '{"class_name": "Sequential", "config": {"name": "m%d", "layers": ['
    text = "".join(one % level for level in range(levels))
    text += '{"class_name": "InputLayer", "config": {"shape": [3]}}' + "]}}" * levels
    parts["config.json"] = text.encode()
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    if levels <= 40:
        assert models.load_model(tmp_path / "m.keras").input_shape == (None, 3)
        return
    with pytest.raises(ValueError, match=r"128 levels deep|recursion.* Received: .*m\.keras"):
        models.load_model(tmp_path / "m.keras")


class TestTraining:
    """Calls that say training=."""

    def model(self):
        inputs = layers.Input((8, 8, 3))
        x = layers.BatchNormalization()(inputs)
        x = models.Sequential([layers.Dropout(0.5), layers.Flatten()])(x)
        return models.Model(inputs, layers.Dense(3)(x))

    def test_of_a_batch(self):
        model = self.model()
        still = model(X)
        np.testing.assert_array_equal(model(X, training=False), still)
        assert (model(X, training=True) != still).any()
        assert (model(X, training=True) != model(X, training=True)).any()
        np.testing.assert_array_equal(model([X]), model.predict(X, verbose=0))

    @pytest.mark.parametrize(("training", "moves"), [(None, True), (True, True), (False, False)])
    def test_of_a_tensor_holds_in_all_passes(self, training, moves, tmp_path):
        """As Keras's guide to transfer learning has it; in the code of Keras 3 the model's pass decides."""
        base = models.Sequential([layers.BatchNormalization(), layers.Dropout(0.5)])
        inputs = layers.Input((8, 8, 3))
        x = layers.Flatten()(base(inputs, training=training))
        model = models.Model(inputs, layers.Dense(3, activation="softmax")(x))
        model.compile("sgd", "sparse_categorical_crossentropy")
        before = base.get_weights()
        model.fit(X, LABELS, verbose=0)
        changed = [(w != old).any() for w, old in zip(base.get_weights(), before, strict=True)]
        assert changed == [True, True, moves, moves]
        model.save(tmp_path / "a.keras")
        for one in (model, models.load_model(tmp_path / "a.keras")):
            draws = [one.predict(X, verbose=0) for _ in range(2)]
            assert (draws[0] != draws[1]).any() == (training is True)
        base.trainable = False
        before = base.get_weights()
        model.fit(X, LABELS, verbose=0)
        assert not any((w != old).any() for w, old in zip(base.get_weights(), before, strict=True))

    def test_gradients_of_a_layer_that_runs_as_in_inference(self):
        """They are those of what evaluate() says."""
        inputs = layers.Input((8, 8, 3))
        norm = layers.BatchNormalization()
        x = layers.Dropout(0.5)(norm(inputs, training=False), training=False)
        model = models.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
        model.compile("sgd", "mse")
        model.optimizer.learning_rate = 1.0
        y = np.ones((6, 3), np.float32)
        before, slopes = norm.get_weights(), []
        for which in (0, 1):
            around = []
            for step in (0.05, -0.05):
                moved = [w.copy() for w in before]
                moved[which][1] += step
                norm.set_weights(moved)
                around.append(model.evaluate(X, y, verbose=0))
            slopes.append((around[0] - around[1]) / 0.1)
        norm.set_weights(before)
        model.fit(X, y, batch_size=6, verbose=0)
        steps = [old[1] - new[1] for old, new in zip(before, norm.get_weights(), strict=True)]
        np.testing.assert_allclose(steps[:2], slopes, rtol=1e-3, atol=1e-5)
        assert steps[2:] == [0, 0]

    def test_a_file_that_says_it_otherwise(self):
        inputs = layers.Input((4,))
        config = models.Model(inputs, layers.Dropout(0.5)(inputs, training=False)).get_config()
        config["layers"][1]["inbound_nodes"][0]["kwargs"]["training"] = "never"
        with pytest.raises(ValueError, match=r"training= of a call must be .* Received: 'never'"):
            models.Model.from_config(config)


def test_a_model_may_begin_behind_any_layer():
    inputs = layers.Input((4,))
    h = layers.Dense(5)(inputs)
    g = layers.Dropout(0.5)(layers.Dense(5)(h), training=True)
    outputs = layers.Add()([g, h])
    whole, first, rest = (
        models.Model(inputs, outputs), models.Model(inputs, h), models.Model(h, outputs)
    )  # fmt: skip
    assert [layer.name for layer in rest.layers[1:]] == [layer.name for layer in whole.layers[2:]]
    x = np.random.default_rng(0).random((5, 4), dtype=np.float32)
    middle = first.predict(x, verbose=0)
    kernel, bias = rest.get_weights()
    given = rest.predict(middle, verbose=0) - middle
    expected = 2 * (middle @ kernel + bias)
    kept = given != 0
    assert 0 < kept.sum() < kept.size
    np.testing.assert_allclose(given[kept], expected[kept], rtol=1e-4)
    both = models.Model([inputs, h], layers.Add()([layers.Dense(5)(inputs), h]))
    assert both.predict([x, middle], verbose=0).shape == (5, 5)


def test_tensors_and_numbers():
    inputs = layers.Input((4,))
    h = layers.Dense(3)(inputs)
    model = models.Model(inputs, (2 * h + np.float32(1) - h * 0.5) / 4 + (1 - (-h)))
    x = np.random.default_rng(0).random((5, 4), dtype=np.float32)
    kernel, bias = model.layers[1].get_weights()
    dense = x @ kernel + bias
    expected = (2 * dense + 1 - dense * 0.5) / 4 + 1 + dense
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)
    for wrong in (lambda: h + "a", lambda: h / h, lambda: h * np.ones(3), lambda: h**2):
        with pytest.raises(TypeError, match="operand"):
            wrong()
