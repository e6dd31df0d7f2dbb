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
            with pytest.raises(
                ValueError, match=rf"'N', {size}, {size + 1}, 1.* Received: y of sh"
            ):
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

    def test_of_a_tensor_changes_nothing(self):
        """As in Keras 3, where the pass of the outer model decides."""
        base = models.Sequential([layers.BatchNormalization()])
        inputs = layers.Input((8, 8, 3))
        x = layers.Flatten()(base(inputs, training=False))
        model = models.Model(inputs, layers.Dense(3, activation="softmax")(x))
        model.compile("sgd", "sparse_categorical_crossentropy")
        before = base.get_weights()
        model.fit(X, LABELS, verbose=0)
        assert all((w != old).any() for w, old in zip(base.get_weights(), before, strict=True))
        base.trainable = False
        before = base.get_weights()
        model.fit(X, LABELS, verbose=0)
        assert not any((w != old).any() for w, old in zip(base.get_weights(), before, strict=True))
