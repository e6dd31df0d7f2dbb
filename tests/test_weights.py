"""Weights by all of Keras's words: what layers begin with, their lists, what a weight can do."""

import numpy as np
import pytest

from numba_cnn import layers, models

KERNEL, BIAS = np.arange(6, dtype=np.float32).reshape(3, 2), np.float32([1, 2])


def test_a_layer_begins_with_the_weights_it_is_given():
    layer = layers.Dense(2, weights=[KERNEL, BIAS])
    model = models.Sequential([layers.Input((3,)), layer])
    for found, expected in zip(model.get_weights(), (KERNEL, BIAS), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(model.predict(np.eye(3), verbose=0), KERNEL + BIAS)
    assert "weights" not in layer.get_config()


def test_weights_that_do_not_fit():
    with pytest.raises(ValueError, match=r"expected 2 weights of shapes .* Received: \[\(3, 2\)\]"):
        layers.Dense(2, weights=[KERNEL]).build((None, 3))
    with pytest.raises(ValueError, match=r"weights must be a list of arrays, or None. Received: 3"):
        layers.Dense(2, weights=3)


@pytest.mark.parametrize("dtype", [None, "float32", np.float32, np.dtype("float32")])
def test_layers_compute_in_float32(dtype):
    assert layers.Dense(2, dtype=dtype).dtype == "float32"


@pytest.mark.parametrize("dtype", ["float16", "float64", "mixed_float16", int, 3])
def test_another_dtype_is_refused(dtype):
    with pytest.raises(ValueError, match=r'^Dense: dtype must be "float32", .* Received: '):
        layers.Dense(2, dtype=dtype)


def test_the_lists():
    norm, dense = layers.BatchNormalization(), layers.Dense(2)
    model = models.Sequential([layers.Input((3,)), norm, dense])
    for owner in (model, norm, dense):
        assert owner.variables == owner.weights
        assert owner.trainable_variables == owner.trainable_weights
        assert owner.non_trainable_variables == owner.non_trainable_weights
    assert [p.name for p in norm.trainable_variables] == ["gamma", "beta"]
    assert [p.name for p in norm.non_trainable_variables] == ["moving_mean", "moving_variance"]
    assert model.trainable_variables == [*norm.trainable_variables, *dense.weights]
    norm.trainable = False
    assert norm.trainable_variables == []
    assert model.non_trainable_variables == norm.weights


def test_a_weight_is_an_array_to_numpy():
    layer = layers.Dense(2, weights=[KERNEL, BIAS])
    layer.build((None, 3))
    kernel, bias = layer.variables
    assert (kernel.shape, kernel.ndim, kernel.dtype) == ((3, 2), 2, "float32")
    np.testing.assert_array_equal(np.asarray(kernel), KERNEL)
    assert np.asarray(kernel, np.float64).dtype == np.float64
    np.asarray(kernel)[:] = 7  # a copy
    np.testing.assert_array_equal(kernel.numpy(), KERNEL)
    kernel.assign_add(KERNEL)
    bias.assign_sub(1)
    np.testing.assert_array_equal(kernel.numpy(), 2 * KERNEL)
    np.testing.assert_array_equal(bias.numpy(), BIAS - 1)
    with pytest.raises(ValueError, match=r"expected an array of shape \(2,\). Received: \(3, 2\)"):
        bias.assign_add(KERNEL)


@pytest.mark.parametrize(
    "name", ["Conv2D", "Conv1D", "Conv2DTranspose", "MaxPooling2D", "Flatten", "ZeroPadding1D"]
)
def test_channels_first_says_what_to_do(name):
    cls = getattr(layers, name)
    given = {"filters": 2, "kernel_size": 3} if "Conv" in name else {}
    with pytest.raises(
        ValueError, match=r'data_format must be "channels_last", the only layout here.*transpose'
    ):
        cls(**given, data_format="channels_first")


def test_weights_speak_the_words_of_keras_variables():
    layer = layers.Dense(2, name="d")
    layer.build((None, 3))
    kernel = layer.kernel
    ones = np.ones((3, 2), np.float32)
    assert np.array_equal(kernel.assign(2 * ones), 2 * ones)
    assert np.array_equal(kernel.assign_add(1), 3 * ones)
    assert np.array_equal(kernel.assign_sub(ones), 2 * ones)
    assert np.array_equal(kernel.value, 2 * ones)
    assert (kernel.name, kernel.path, kernel.shape) == ("kernel", "d/kernel", (3, 2))
    assert (kernel.dtype, kernel.ndim, kernel.trainable) == (np.float32, 2, True)
    for made, expected in (
        (kernel + 1, 3), (1 - kernel, -1), (kernel * kernel, 4), (kernel / 4, 0.5), (kernel**2, 4), (-kernel, -2),
        (abs(-1 * kernel), 2), (np.float32(3) * kernel, 6), (ones + kernel, 3),
    ):  # fmt: skip
        assert np.array_equal(made, expected * ones)
    assert np.array_equal(kernel[0], [2, 2])
    assert np.array_equal(kernel @ np.ones((2, 1)), [[4]] * 3)
    assert (kernel > 1).all()
    assert len({kernel, layer.bias}) == 2  # they are still told apart as what they are
