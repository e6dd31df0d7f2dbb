"""Sequential models are put together, and say what does not fit."""

import numpy as np
import pytest
import small_cnn

from numba_cnn import Model, Sequential, layers, models, session

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
