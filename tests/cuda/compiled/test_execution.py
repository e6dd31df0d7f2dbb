"""The PTX of every kernel, executed on odd shapes with all checks of the interpreter, against the
reference.
"""

import numpy as np
import parity
import pytest

from numba_cnn.backends import cuda
from numba_cnn.backends.cuda import tile


@pytest.mark.parametrize(
    ("x", "weight", "settings"),
    [
        pytest.param((2, 9, 7, 16), (3, 3, 16, 36), {"padding": "same"}, id="3x3"),
        pytest.param((1, 11, 9, 12), (3, 3, 12, 20), {"strides": 2}, id="3x3 stride 2"),
        pytest.param((2, 10, 9, 8), (2, 3, 8, 68), {"dilation_rate": (3, 2)}, id="dilated"),
        pytest.param((3, 7, 5, 20), (1, 1, 20, 44), {"strides": (2, 3)}, id="1x1 stride 2x3"),
        pytest.param((2, 8, 7, 5), (3, 2, 5, 7), {"padding": ((2, 0), (1, 3))}, id="ragged"),
        pytest.param((1, 40, 33, 4), (5, 5, 4, 132), {}, id="5x5"),
        pytest.param((2, 13, 11, 3), (3, 3, 3, 36), {"padding": 1}, id="first layer"),
        pytest.param((1, 13, 12, 1), (5, 5, 1, 12), {"strides": 2}, id="first layer, grey"),
        pytest.param((2, 6, 7, 6), (3, 3, 3, 4), {"groups": 2, "padding": "same"}, id="groups"),
        pytest.param((1, 6, 5, 6), (3, 2, 1, 6), {"groups": 6, "strides": 2}, id="depthwise"),
        pytest.param((1, 9, 9, 4), (2, 2, 4, 4), {"strides": 2, "dilation_rate": 3}, id="plain"),
    ],
)
def test_conv2d(device, x, weight, settings):
    parity.check_conv2d(x, weight, **settings)


@pytest.mark.parametrize(("C", "F"), [(36, 40), (35, 41)], ids=["aligned", "ragged"])
def test_conv2d_on_the_large_tile(device, monkeypatch, C, F):
    """The tile that only large layers get, all three products of it."""
    monkeypatch.setattr(tile, "BLOCKS", 1)
    assert {tile.tile_for(F, F), tile.tile_for(F, C), tile.tile_for(C, F)} == {tile.LARGE}
    parity.check_conv2d((2, 9, 8, C), (3, 3, C, F))


def test_conv2d_float64(device):
    parity.check_conv2d((2, 6, 5, 4), (3, 2, 4, 5), dtype="float64", padding=(1, 2), strides=(2, 1))


def test_conv2d_without_bias_and_relu(device):
    parity.check("conv2d", parity.Draw()(2, 6, 5, 8), parity.Draw()(3, 3, 8, 12))
    parity.check("conv2d", parity.Draw()(2, 6, 5, 3), parity.Draw()(3, 3, 3, 12))


def test_conv2d_max_pool2d(device):
    parity.check_conv2d_max_pool2d((2, 6, 7, 4), (3, 3, 4, 8))
    parity.check_conv2d_max_pool2d((1, 5, 4, 3), (2, 2, 3, 5), relu=False, padding="same")


@pytest.mark.parametrize("shape", [(3, 40, 24), (5, 33, 10), (2, 2304, 64)], ids=str)
def test_dense(device, shape):
    parity.check_dense(*shape)


def test_dense_float64(device):
    parity.check_dense(3, 9, 5, dtype="float64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_max_pool2d(device, dtype):
    parity.check_max_pool2d((2, 9, 7, 5), dtype, pool_size=2)
    parity.check_max_pool2d((1, 7, 8, 3), dtype, pool_size=3, strides=(2, 1), padding="same")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_elementwise(device, dtype):
    parity.check_elementwise((3, 5, 7, 11), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_arrays_with_strides_are_copied(device, dtype):
    array = np.arange(3 * 5 * 7).astype(dtype).reshape(3, 5, 7)
    for part in (np.s_[:, :, :4], np.s_[:, :3], np.s_[:2, ::2, ::3]):
        copied = cuda.asarray(cuda.asarray(array)[part])
        assert copied.is_c_contiguous()
        np.testing.assert_array_equal(cuda.to_numpy(copied), array[part])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations(device, dtype):
    parity.check_activations((3, 5, 7), dtype)
    parity.check_activations((), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax(device, dtype):
    parity.check_softmax((2, 1, 11), dtype)
    parity.check_softmax((13,), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random(device, dtype):
    parity.check_random((3, 5, 7, 3), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batch_norm(device, dtype):
    parity.check_batch_norm((3, 25, 7), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_other_losses(device, dtype):
    parity.check_other_losses(5, 11, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_other_pooling(device, dtype):
    settings = {"pool_size": (2, 3), "strides": (3, 1), "padding": "same"}
    parity.check_average_pool2d((1, 5, 4, 2), dtype, **settings)
    parity.check_average_pool2d((3, 5, 7, 6), dtype)
    parity.check_global_pool2d((3, 5, 7, 6), dtype)
    parity.check_adaptive_pool2d((2, 5, 4, 3), (2, 6), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_warping(device, dtype):
    parity.check_warping(dtype)
    parity.check_colors(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_merge(device, dtype):
    parity.check_merge(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_resize(device, dtype):
    parity.check_resize((2, 5, 4, 6), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses(device, dtype):
    parity.check_losses(5, 11, dtype)
    parity.check_losses(2, 300, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", parity.OPTIMIZERS)
def test_optimizers(device, name, dtype):
    parity.check_optimizer(*parity.OPTIMIZERS[name], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", parity.updates.STATE)
def test_updates(device, rule, dtype):
    parity.check_update(rule, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norms(device, dtype):
    parity.check_norms(600, dtype)


def test_bits_repeat(device):
    """The split sums of a weight gradient, twice."""
    draw = parity.Draw()
    arrays = draw(2, 9, 7, 8), draw(2, 11, 9, 16), draw(3, 3, 16, 8)
    first, second = (parity.check("conv2d_backward", *arrays, need_dx=False) for _ in range(2))
    for one, other in zip(first[1:], second[1:], strict=True):
        assert cuda.to_numpy(one).tobytes() == cuda.to_numpy(other).tobytes()
