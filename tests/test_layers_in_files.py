"""Models of sequences and of normalized images in .keras files: Keras reads ours, and we read what it writes."""

import os
import subprocess
import sys

import numpy as np
import pytest

from numba_cnn import layers, models, optimizers, utils

pytestmark = pytest.mark.xdist_group("layers in files")

PEER = """
import keras, numpy as np
for name in ("sequences", "images"):
    model = keras.models.load_model(f"{name}.keras")
    x = np.load(f"{name}.npy")
    np.save(f"{name}.answer.npy", model.predict(x, verbose=0))
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(rng.uniform(0.5, 1, weight.shape))
    model.save(f"{name}.back.keras")
    again = keras.models.load_model(f"{name}.back.keras")  # the model itself predicts by Normalization's old weights
    np.save(f"{name}.back.npy", again.predict(x, verbose=0))
"""


def sequences():
    x = inputs = layers.Input((24, 3))
    x = layers.ZeroPadding1D(2)(x)
    x = layers.Conv1D(6, 3, padding="causal", dilation_rate=2)(x)
    x = layers.LayerNormalization()(x)
    x = layers.MaxPooling1D()(layers.PReLU(shared_axes=[1])(x))
    x = layers.SeparableConv1D(8, 3, activation="relu", depth_multiplier=2)(
        layers.SpatialDropout1D(0.1)(x)
    )
    x = layers.DepthwiseConv1D(2, padding="same")(layers.UpSampling1D()(x))
    x = layers.Conv1DTranspose(4, 3, strides=2, output_padding=1)(layers.Cropping1D(1)(x))
    x = layers.AveragePooling1D(3, strides=2, padding="same")(layers.GaussianDropout(0.1)(x))
    turned = layers.Permute((2, 1))(x)
    x = layers.Dot((2, 1), normalize=True)([turned, x])
    x = layers.GlobalAveragePooling1D()(layers.AlphaDropout(0.1)(x))
    return models.Model(inputs, layers.Dense(2)(x))


def images():
    x = inputs = layers.Input((8, 8, 3))
    normal = layers.Normalization()
    normal.adapt(np.random.default_rng(1).normal(2, 3, (20, 8, 8, 3)))
    x = layers.Normalization(mean=[0.5, 1, 2], variance=[2.0, 3, 1])(normal(x))
    x = layers.Conv2D(4, 3)(x)
    x = layers.average(
        [layers.GroupNormalization(2)(x), layers.GroupNormalization(-1, scale=False)(x)]
    )
    x = layers.PReLU()(layers.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=0)(x))
    x = layers.UnitNormalization(axis=[1, 2])(layers.ActivityRegularization(0.1, 0.2)(x))
    x = layers.maximum([x, layers.LayerNormalization(axis=[1, 2, 3])(x)])
    return models.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))


def test_files_go_both_ways(tmp_path):
    rng, made = np.random.default_rng(0), {}
    for name, build, shape in (
        ("sequences", sequences, (5, 24, 3)),
        ("images", images, (5, 8, 8, 3)),
    ):
        made[name] = model = build()
        for weight in model.weights:
            if weight.dtype == np.float32:
                weight.assign(rng.uniform(0.5, 1, weight.shape))
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", rng.standard_normal(shape).astype(np.float32))
    settings = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    subprocess.run(
        [sys.executable, "-c", PEER], check=True, cwd=tmp_path, env=os.environ | settings
    )
    for name, model in made.items():
        x = np.load(tmp_path / f"{name}.npy")
        theirs = np.load(tmp_path / f"{name}.answer.npy")
        np.testing.assert_allclose(model.predict(x, verbose=0), theirs, rtol=1e-4, atol=1e-5)
        back = models.load_model(tmp_path / f"{name}.back.keras", compile=False)
        theirs = np.load(tmp_path / f"{name}.back.npy")
        np.testing.assert_allclose(back.predict(x, verbose=0), theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", [sequences, images])
def test_models_train(build):
    utils.set_random_seed(1)
    model = build()
    model.compile(optimizers.Adam(0.01), "mse")
    x = np.random.default_rng(0).standard_normal((32, *model.input_shape[1:]))
    y = np.full((32, 2), 3.0)
    losses = model.fit(x, y, epochs=6, batch_size=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
