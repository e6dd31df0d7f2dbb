"""Layers of sequences and of normalized samples in the simulator: a model predicts and trains as on the CPU."""

import numpy as np

from numba_cnn import layers, models


def model():
    x = inputs = layers.Input((4, 2))
    x = layers.Conv1D(4, 2, padding="causal")(x)
    x = layers.PReLU(shared_axes=[1])(layers.GroupNormalization(2)(x))
    x = layers.UnitNormalization(axis=1)(layers.LayerNormalization()(x))
    x = layers.Dot((2, 1), normalize=True)([layers.Permute((2, 1))(x), x])
    x = layers.average([x, layers.Normalization(mean=0.1, variance=2.0)(x)])
    return models.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))


def test_both_backends_agree():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((3, 4, 2)), rng.standard_normal((3, 2))
    ours, theirs = model(), model()
    theirs.set_weights(ours.get_weights())
    ours.compile("sgd", "mse", backend="cpu")
    theirs.compile("sgd", "mse", backend="cuda")
    predictions = [m.predict(x, verbose=0) for m in (ours, theirs)]
    np.testing.assert_allclose(*predictions, atol=1e-6)
    for m in (ours, theirs):
        m.fit(x, y, batch_size=3, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
