"""Every op in the simulator on tiny shapes, ragged against its tiny tiles, against the reference."""

import parity
import pytest


@pytest.mark.parametrize(
    ("x", "weight", "settings"),
    [
        pytest.param((1, 5, 4, 4), (3, 3, 4, 8), {"padding": "same"}, id="3x3"),
        pytest.param((1, 6, 5, 12), (3, 2, 12, 4), {"strides": (2, 1)}, id="strides"),
        pytest.param((1, 7, 6, 4), (2, 2, 4, 4), {"dilation_rate": (2, 3)}, id="dilated"),
        pytest.param((2, 4, 5, 8), (1, 1, 8, 20), {"strides": 3}, id="1x1 stride 3"),
        pytest.param((1, 4, 5, 5), (2, 3, 5, 6), {"padding": ((1, 0), (0, 2))}, id="ragged"),
        pytest.param((1, 5, 6, 3), (3, 3, 3, 12), {"padding": 1}, id="first layer"),
        pytest.param((1, 6, 5, 1), (3, 2, 1, 4), {"strides": 2}, id="first layer, grey"),
        pytest.param(
            (1, 5, 4, 4), (2, 2, 2, 6), {"groups": 2, "dilation_rate": (2, 1)}, id="groups"
        ),
        pytest.param((1, 4, 3, 3), (2, 2, 1, 3), {"groups": 3}, id="depthwise"),
        pytest.param(
            (1, 3, 6, 3), (2, 2, 1, 3), {"groups": 3, "strides": (1, 2)}, id="depthwise, strides"
        ),
    ],
)
def test_conv2d(x, weight, settings):
    parity.check_conv2d(x, weight, **settings)


def test_conv2d_float64():
    parity.check_conv2d((1, 4, 5, 2), (2, 3, 2, 3), dtype="float64", padding=(1, 0), strides=(2, 1))


@pytest.mark.parametrize("channels", [4, 2])
def test_conv2d_transpose(channels):
    parity.check_conv2d_transpose((1, 3, 2, 4), (3, 2, channels, 4), strides=(2, 1))


def test_conv2d_without_relu():
    parity.check_conv2d((1, 4, 4, 4), (2, 2, 4, 4), relu=False)


def test_winograd_runs_the_direct_kernels():
    draw = parity.Draw()
    parity.check("conv2d", draw(1, 4, 5, 4), draw(3, 3, 4, 4), algorithm="winograd")


def test_conv2d_max_pool2d():
    parity.check_conv2d_max_pool2d((2, 6, 7, 4), (3, 3, 4, 8))
    parity.check_conv2d_max_pool2d((1, 5, 4, 3), (2, 2, 3, 5), relu=False, padding="same")


@pytest.mark.parametrize("shape", [(3, 8, 12), (5, 7, 3), (2, 96, 4)], ids=str)
def test_dense(shape):
    parity.check_dense(*shape)


def test_dense_float64():
    parity.check_dense(3, 7, 5, dtype="float64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_max_pool2d(dtype):
    parity.check_max_pool2d((2, 5, 7, 3), dtype, pool_size=2)
    parity.check_max_pool2d((1, 5, 4, 2), dtype, pool_size=(2, 3), strides=(3, 1), padding="same")


def test_max_pool2d_of_nan():
    x = parity.Draw().ties(1, 4, 6, 2)
    x[0, 1, 2, 0] = x[0, 1, 3, 0] = float("nan")
    parity.check("max_pool2d", x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_elementwise(dtype):
    parity.check_elementwise((2, 3, 4, 5), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations(dtype):
    parity.check_activations((2, 3), dtype)
    parity.check_activations((), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax(dtype):
    parity.check_softmax((2, 1, 11), dtype)
    parity.check_softmax((13,), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random(dtype):
    parity.check_random((2, 2, 3), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batch_norm(dtype):
    parity.check_batch_norm((2, 9, 3), dtype)  # two chunks of rows


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_group_norm(dtype):
    parity.check_group_norm((2, 3, 4), 2, dtype)
    parity.check_group_norm((3, 11), 1, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products(dtype):
    parity.check_products(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_other_losses(dtype):
    parity.check_other_losses(3, 11, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_other_pooling(dtype):
    settings = {"pool_size": (2, 3), "strides": (3, 1), "padding": "same"}
    parity.check_average_pool2d((1, 5, 4, 2), dtype, **settings)
    parity.check_average_pool2d((2, 3, 4, 3), dtype)
    parity.check_global_pool2d((2, 3, 4, 3), dtype)
    parity.check_adaptive_pool2d((2, 5, 4, 3), (2, 6), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_warping(dtype):
    parity.check_warping(dtype)
    parity.check_colors(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_merge(dtype):
    parity.check_merge(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_resize(dtype):
    parity.check_resize((2, 3, 4, 3), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses(dtype):
    parity.check_losses(3, 11, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", parity.OPTIMIZERS)
def test_optimizers(name, dtype):
    parity.check_optimizer(*parity.OPTIMIZERS[name], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", parity.updates.STATE)
def test_updates(rule, dtype):
    parity.check_update(rule, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norms(dtype):
    parity.check_norms(600, dtype)
