"""Initial weights: ranges, moments and seeds, as Keras has them."""

import math

import numpy as np
import pytest

from numba_cnn import initializers, models, session


@pytest.mark.parametrize(
    ("shape", "limit"),
    [
        ((3, 3, 3, 32), 0.138013),
        ((3, 3, 32, 64), 0.083333),
        ((3, 3, 64, 64), 0.072169),
        ((9216, 64), 0.025427),
        ((64, 10), 0.284747),
    ],
)
def test_limits_of_the_tutorials_kernels(shape, limit):
    values = initializers.GlorotUniform(seed=1)(shape)
    assert values.dtype == np.float32
    assert values.shape == shape
    assert np.abs(values).max() <= limit + 1e-6
    assert np.abs(values).max() > 0.98 * limit
    assert abs(values.mean()) < 0.05 * limit
    np.testing.assert_allclose(values.std(), limit / math.sqrt(3), rtol=0.05)


def test_the_tutorials_model_starts_from_them():
    model = models.tutorial_cnn()
    kernel, bias = model.get_layer("dense").get_weights()
    assert 0.0254 < np.abs(kernel).max() <= 0.025428
    assert not bias.any()


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_normal", 2 / (45 + 63)),
        ("glorot_uniform", 2 / (45 + 63)),
        ("he_normal", 2 / 45),
        ("he_uniform", 2 / 45),
        ("lecun_normal", 1 / 45),
        ("lecun_uniform", 1 / 45),
        ("random_normal", 0.05**2),
        ("random_uniform", 0.1**2 / 12),
    ],
)
def test_variance(name, variance):
    session.set_random_seed(3)
    values = np.stack([initializers.get(name)((3, 3, 5, 7)) for _ in range(100)])
    np.testing.assert_allclose(values.var(), variance, rtol=0.03)
    np.testing.assert_allclose(values.mean(), 0, atol=4 * math.sqrt(variance / values.size))


def test_truncated_normal_stays_within_two_deviations():
    values = initializers.TruncatedNormal(mean=1, stddev=0.5, seed=2)((100, 200))
    assert 0.0 <= values.min() < 0.01
    assert 1.99 < values.max() <= 2.0
    np.testing.assert_allclose(values.std(), 0.5 * 0.8796256610342398, rtol=0.02)


@pytest.mark.parametrize("name", ["RandomNormal", "TruncatedNormal"])
def test_means_and_deviations(name):
    for settings, mean, stddev in (
        ({}, 0, 0.05),
        ({"mean": 1}, 1, 0.05),
        ({"mean": -2, "stddev": 3}, -2, 3),
    ):
        values = getattr(initializers, name)(**settings, seed=7)((200, 300))
        deviation = stddev * (0.8796256610342398 if name == "TruncatedNormal" else 1)
        np.testing.assert_allclose(values.mean(), mean, atol=0.02 * stddev)
        np.testing.assert_allclose(values.std(), deviation, rtol=0.02)


def test_ranges():
    for settings, low, high in (({}, -0.05, 0.05), ({"minval": 1, "maxval": 4}, 1, 4)):
        values = initializers.RandomUniform(**settings, seed=7)((200, 300))
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high


def test_seeds():
    one = initializers.GlorotUniform(seed=5)
    np.testing.assert_array_equal(one((4, 3)), one((4, 3)))
    np.testing.assert_array_equal(one((4, 3)), initializers.GlorotUniform(seed=5)((4, 3)))
    assert not np.array_equal(one((4, 3)), initializers.GlorotUniform(seed=6)((4, 3)))
    session.set_random_seed(9)
    first = [initializers.HeNormal()((4, 3)) for _ in range(2)]
    session.set_random_seed(9)
    np.testing.assert_array_equal(initializers.HeNormal()((4, 3)), first[0])
    assert not np.array_equal(first[0], first[1])


def test_constants():
    np.testing.assert_array_equal(initializers.get("ones")((2, 3)), np.ones((2, 3)))
    np.testing.assert_array_equal(initializers.Constant(2.5)((3,)), [2.5, 2.5, 2.5])
    assert not initializers.get(initializers.Zeros)((2,)).any()


def test_fans():
    assert initializers.fans((3, 5, 2, 7)) == (30, 105)
    assert initializers.fans((4, 9)) == (4, 9)


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"scale must be a finite number above 0\. Received: -1"):
        initializers.VarianceScaling(scale=-1)
    with pytest.raises(ValueError, match=r"there is no 'stft'.* Received: 'stft'"):
        initializers.get("stft")
    with pytest.raises(TypeError, match="Received: 3"):
        initializers.get(3)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (3, 3, 2, 4)])
def test_orthogonal(shape):
    w = initializers.Orthogonal(gain=2.0, seed=1)(shape).reshape(-1, shape[-1])
    w = w if w.shape[0] >= w.shape[1] else w.T
    np.testing.assert_allclose(w.T @ w, 4 * np.eye(w.shape[1]), atol=1e-5)
    with pytest.raises(ValueError, match=r"Orthogonal: shape must have .* Received: \(3,\)"):
        initializers.Orthogonal()((3,))


def test_identity_and_short_names():
    np.testing.assert_array_equal(initializers.Identity(3.0)((2, 3)), 3 * np.eye(2, 3))
    with pytest.raises(ValueError, match=r"Identity: shape must have two extents. .*\(2, 3, 1\)"):
        initializers.Identity()((2, 3, 1))
    for name, cls in (
        ("zero", "Zeros"), ("one", "Ones"), ("uniform", "RandomUniform"), ("normal", "RandomNormal"),
        ("OrthogonalInitializer", "Orthogonal"), ("identity", "Identity"),
    ):  # fmt: skip
        assert type(initializers.get(name)).__name__ == cls
    assert initializers.get("orthogonal").get_config() == {"gain": 1.0, "seed": None}
