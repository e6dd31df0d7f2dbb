"""The tutorial's training step at full size, executed from the compiled kernels in the library's
own order and grids.
"""

import numpy as np
import parity
import pytest

from numba_cnn import ops
from numba_cnn.backends import cuda

_CONVS = ((3, 32), (32, 64), (64, 64))
_DENSE = ((9216, 64), (64, 10))


def _parameters(rng):
    """Weights and biases of the tutorial's model, weights in Glorot's range."""
    parameters = []
    for C, F in _CONVS:
        limit = np.sqrt(6 / (9 * (C + F)))
        parameters += [rng.uniform(-limit, limit, (3, 3, C, F)), rng.uniform(-0.1, 0.1, F)]
    for K, F in _DENSE:
        limit = np.sqrt(6 / (K + F))
        parameters += [rng.uniform(-limit, limit, (K, F)), rng.uniform(-0.1, 0.1, F)]
    return [parameter.astype(np.float32) for parameter in parameters]


def _gradients(x, labels, parameters):
    """The loss and the gradients of all parameters, by the functional API, where the arrays live."""
    w, b = parameters[0::2], parameters[1::2]
    inputs, outputs, argmaxes = [], [], []
    for layer in range(2):
        inputs.append(x)
        x, argmax = ops.conv2d_max_pool2d(x, w[layer], b[layer], activation="relu")
        outputs.append(x)
        argmaxes.append(argmax)
    y = ops.conv2d(x, w[2], b[2], activation="relu")
    flat = y.reshape(y.shape[0], 9216)
    hidden = ops.dense(flat, w[3], b[3], activation="relu")
    logits = ops.dense(hidden, w[4], b[4])
    loss, dlogits = ops.sparse_categorical_crossentropy(logits, labels)

    dhidden, dw4, db4 = ops.dense_backward(dlogits, hidden, w[4])
    dflat, dw3, db3 = ops.dense_backward(dhidden, flat, w[3], activation="relu", y=hidden)
    dy, dw, db = ops.conv2d_backward(dflat.reshape(y.shape), x, w[2], activation="relu", y=y)
    gradients = [dw, db, dw3, db3, dw4, db4]
    for layer in (1, 0):
        dy, dw, db = ops.conv2d_max_pool2d_backward(
            dy, argmaxes[layer], inputs[layer], w[layer], activation="relu", y=outputs[layer], need_dx=layer > 0
        )  # fmt: skip
        gradients = [dw, db, *gradients]
    return loss, gradients


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(7)
    return rng.random((2, 64, 64, 3), np.float32), np.array([3, 8]), _parameters(rng)


def test_gradients_of_the_tutorials_model(device, batch):
    """Loss and all ten gradients to float32 rounding of the float64 reference; prints how long each
    kernel took.
    """
    x, labels, parameters = batch
    with parity.reference_backend():
        exact = [parameter.astype(np.float64) for parameter in parameters]
        loss, expected = _gradients(x.astype(np.float64), labels, exact)
    on_device = [cuda.asarray(parameter) for parameter in parameters]
    got_loss, gradients = _gradients(cuda.asarray(x), cuda.asarray(labels), on_device)

    for launch in device.launches:
        print(f"{launch.kernel:32} {launch.grid!s:18} x {launch.threads:3} {launch.seconds:7.2f} s")
    print(f"{len(device.launches)} launches, {sum(d.seconds for d in device.launches):.1f} s")
    assert abs(float(cuda.to_numpy(got_loss)) - loss) < 1e-5
    for got, want in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(cuda.to_numpy(got), want, rtol=0, atol=2e-6 * abs(want).max())
