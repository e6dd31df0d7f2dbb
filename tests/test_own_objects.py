"""Classes of the user's own by name, and what files may not do with them; Keras is asked in test_words.py."""

import json

import numpy as np
import own_objects
import pytest
import small_cnn

import numba_cnn
from numba_cnn import layers, losses, metrics, models, saving, utils

X, Y = own_objects.data()


@pytest.fixture
def registered():
    """What is registered, which is as before when the test ends."""
    objects = saving.get_custom_objects()
    before = dict(objects)
    objects.clear()
    yield objects
    objects.clear()
    objects.update(before)


@pytest.fixture
def own(registered):
    return own_objects.classes(numba_cnn)


def test_names(own):
    narrow = own["Narrow"]
    assert saving.get_registered_name(narrow) == "own>Narrow"
    assert saving.get_registered_object("own>Narrow") is narrow
    assert saving.get_registered_name(layers.Dense) == "Dense"
    assert saving.get_registered_object("Narrow") is None
    with saving.custom_object_scope({"Narrow": narrow}):
        with utils.CustomObjectScope({"other": print}):
            assert saving.get_registered_object("Narrow") is narrow
        assert utils.get_registered_object("other") is None
    assert saving.get_registered_object("Narrow") is None
    assert saving.get_registered_object("a", {"a": print}, {"a": abs}) is print


def test_classes_that_are_given_by_name(own, registered, tmp_path):
    model = own_objects.model(numba_cnn, own)
    model.save(tmp_path / "model.keras")
    expected = model.predict(X, verbose=0)
    text, config = model.to_json(), model.get_config()
    registered.clear()
    with pytest.raises(ValueError, match=r"expected a Sequential .* Received: 'Stack'"):
        models.load_model(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras", custom_objects=own, safe_mode=False)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), expected)
    assert isinstance(models.model_from_json(text, own).layers[1], own["Narrow"])
    assert isinstance(own["Stack"].from_config(config, custom_objects=own), own["Stack"])
    copy = models.clone_model(model)
    assert [type(layer) for layer in copy.layers] == [layers.Dense, own["Narrow"]]
    assert type(copy.layers[0].kernel_initializer) is own["Twice"]


def test_a_class_of_another_kind(own):
    with saving.custom_object_scope({"Narrow": own["Steps"]}):
        with pytest.raises(ValueError, match="'Narrow' must mean a class derived from Layer"):
            layers.from_description({"class_name": "Narrow", "config": {}})
        with pytest.raises(ValueError, match="'Narrow' must mean a class derived from Averaged"):
            metrics.get("Narrow")
        assert isinstance(losses.get("Narrow"), own["Steps"])


def test_the_librarys_own_classes_stay_what_they_are(own):
    """A file's Dense is this library's, whatever the script calls so."""
    model = models.Sequential([layers.Dense(2, input_shape=(3,))])
    with saving.custom_object_scope({"Dense": own["Narrow"]}):
        assert type(models.model_from_json(model.to_json()).layers[0]) is layers.Dense


def test_a_constructor_without_the_words_of_all_layers(registered):
    class Halved(layers.Dense):
        def __init__(self, twice):
            super().__init__(twice // 2)
            self.twice = twice

        def get_config(self):
            return {"name": self.name, "trainable": self.trainable, "twice": self.twice}

    made = Halved(6)
    made.trainable = False
    again = Halved.from_config(made.get_config())
    assert (again.units, again.name, again.trainable) == (3, "halved", False)


def test_configurations_of_objects_in_objects(own):
    parts = {"a": own["Twice"](3.0), "b": [layers.Dense(2), None, 1.5], "c": np.arange(2)}
    config = json.loads(json.dumps(saving.serialize_keras_object(parts)))
    made = saving.deserialize_keras_object(config)
    assert (type(made["a"]), made["a"].value) == (own["Twice"], 3.0)
    assert (made["b"][0].units, made["b"][1:], made["c"]) == (2, [None, 1.5], [0, 1])
    with pytest.raises(ValueError, match="serialize_keras_object: obj must be a layer"):
        saving.serialize_keras_object({1, 2})


def test_from_config_of_all_kinds(own):
    assert layers.Dense.from_config(layers.Dense(3, activation="relu").get_config()).units == 3
    assert losses.Huber.from_config({"delta": 2.0, "reduction": "sum_over_batch_size"}).delta == 2.0
    with pytest.raises(ValueError, match="Huber: this library has no setting 'reduction'"):
        losses.Huber.from_config({"reduction": "sum"})
    with pytest.raises(ValueError, match=r"layers compute in float32\. Received: 'float16'"):
        layers.Dense.from_config({"units": 2, "dtype": "float16"})
    with pytest.raises(TypeError, match="from_config: config must be what get_config"):
        layers.Dense.from_config(3)


def test_wrong_registrations(registered):
    with pytest.raises(
        ValueError, match=r"package must be a text; write @register.* Received: <class"
    ):
        saving.register_keras_serializable(layers.Dense)
    with pytest.raises(ValueError, match=r"must have a get_config\(\). Received: int"):
        saving.register_keras_serializable()(int)
    for wrong in ([1], {"a": 1}, {1: print}):
        with pytest.raises(ValueError, match="custom_objects must be a dict of names and classes"):
            models.load_model("none.keras", custom_objects=wrong)


def test_saving_and_loading_by_function(tmp_path):
    model = small_cnn.compiled()
    saving.save_weights(model, tmp_path / "m.weights.h5")
    other = small_cnn.build(layers, models)
    saving.load_weights(other, tmp_path / "m.weights.h5")
    assert all(map(np.array_equal, other.get_weights(), model.get_weights()))
    saving.save_model(model, tmp_path / "m.keras")
    assert saving.load_model(tmp_path / "m.keras").built
    with pytest.raises(TypeError, match=r"save_weights: model must be a model\. Received: 3"):
        saving.save_weights(3, "m.weights.h5")
