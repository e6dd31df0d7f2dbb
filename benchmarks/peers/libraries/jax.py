"""JAX without a library of layers: one compiled step, with Adam written out."""

from functools import partial, reduce

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.peers.catalogue import Model

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def build(name, weights, threads):
    parameters = [jnp.asarray(weight) for weight in weights]
    zeros = [jnp.zeros_like(weight) for weight in parameters]
    state = parameters, zeros, [jnp.zeros_like(weight) for weight in parameters], jnp.zeros(())

    def predict(x):
        return np.asarray(_predict(state[0], x))

    def train(x, labels):
        nonlocal state
        loss, state = _step(state, x, labels)
        return float(loss)

    return Model(jax.__version__, jnp.asarray, predict, train)


def _logits(parameters, x):
    conv, conv_1, conv_2, dense, dense_1 = zip(parameters[::2], parameters[1::2], strict=True)
    x = _max_pool(_conv(x, *conv))
    x = _max_pool(_conv(x, *conv_1))
    x = _conv(x, *conv_2).reshape(len(x), -1)
    x = jax.nn.relu(x @ dense[0] + dense[1])
    return x @ dense_1[0] + dense_1[1]


def _conv(x, weight, bias):
    layouts = ("NHWC", "HWIO", "NHWC")
    y = lax.conv_general_dilated(x, weight, (1, 1), "VALID", dimension_numbers=layouts)
    return jax.nn.relu(y + bias)


def _max_pool(x):
    """The maximum of four views: trained, it is faster than lax.reduce_window, whose gradient scatters."""
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    corners = [x[:, h:height:2, w:width:2] for h in (0, 1) for w in (0, 1)]
    return reduce(jnp.maximum, corners)


def _loss(parameters, x, labels):
    chosen = jnp.take_along_axis(jax.nn.log_softmax(_logits(parameters, x)), labels[:, None], 1)
    return -chosen.mean()


@jax.jit
def _predict(parameters, x):
    return jax.nn.softmax(_logits(parameters, x))


@partial(jax.jit, donate_argnums=0)
def _step(state, x, labels):
    parameters, momenta, velocities, t = state
    loss, gradients = jax.value_and_grad(_loss)(parameters, x, labels)
    t = t + 1
    alpha = RATE * jnp.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
    new = []
    for w, g, m, v in zip(parameters, gradients, momenta, velocities, strict=True):
        m = m + (g - m) * (1 - BETA_1)
        v = v + (g * g - v) * (1 - BETA_2)
        new.append((w - alpha * m / (jnp.sqrt(v) + EPSILON), m, v))
    return loss, (*map(list, zip(*new, strict=True)), t)
