"""Well-known networks by name: their sizes, that they learn, and images of any extent."""

import numpy as np
import pytest

from numba_cnn import models, set_random_seed

CLASSIFIERS = "lenet", "vgg", "resnet20", "mobilenet"


def test_resnet20_has_as_many_weights_as_its_paper_says():
    """0.27 million; the three shortcuts of projections add 2,560 weights and what normalizes them."""
    model = models.resnet20()
    kernels = sum(np.prod(p.shape) for p in model.trainable_weights if len(p.shape) == 4)
    assert kernels == 267696 + 16 * 32 + 32 * 64
    assert len([layer for layer in model.layers if layer.class_name == "Conv2D"]) == 21


def test_lenet_has_as_many_weights_as_lenet_5():
    assert models.lenet((28, 28, 1)).count_params() == 61706


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_of_any_size(name):
    model = getattr(models, name)((29, 37, 2), 5)
    shares = model.predict(np.ones((2, 29, 37, 2)), verbose=0)
    assert shares.shape == (2, 5)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)


def test_unet_learns_pixels():
    set_random_seed(1)
    rng = np.random.default_rng(2)
    x = rng.uniform(0, 0.5, (8, 16, 24, 1)).astype(np.float32)
    y = np.zeros((8, 16, 24), np.int32)
    for i, (top, left) in enumerate(rng.integers(0, 10, (8, 2))):
        y[i, top : top + 6, left : left + 9] = 1
    x[y == 1] += 0.5
    model = models.unet((16, 24, 1))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], backend="cpu")
    losses = model.fit(x, y, epochs=6, batch_size=4, verbose=0).history["loss"]
    assert model.predict(x, verbose=0).shape == (8, 16, 24, 2)
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("unet", {"input_shape": (20, 16, 3)}, "unet: input_shape must have H and W that are multiples of 8"),
        ("vgg", {"classes": 0}, "vgg: classes must be"),
        ("lenet", {"input_shape": (32, 32)}, r"lenet: input_shape must be \(H, W, C\)"),
    ],
)  # fmt: skip
def test_wrong_arguments(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(models, name)(**arguments)
