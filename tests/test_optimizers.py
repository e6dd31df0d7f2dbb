"""Optimizers against Keras's formulas, written out in float64; their state and its order."""

import numpy as np
import pytest
import small_cnn

import numba_cnn as nc
from numba_cnn import backends, callbacks, optimizers
from numba_cnn.initializers import RandomNormal
from numba_cnn.parameter import Parameter

SHAPES = [(3, 2, 5), (7,)]


def parameters():
    made = [
        Parameter("w", f"w{i}", shape, RandomNormal(0, 1, seed=i)) for i, shape in enumerate(SHAPES)
    ]
    for parameter in made:
        parameter.value  # noqa: B018  (drawn now)
    return made


def gradients(step):
    generator = np.random.default_rng(step)
    return [generator.normal(size=shape).astype(np.float32) for shape in SHAPES]


def run(optimizer, steps=4):
    made = parameters()
    optimizer.build(made, backends.get("cpu"))
    for step in range(steps):
        for parameter, gradient in zip(made, gradients(step), strict=True):
            parameter.gradient = gradient
        optimizer.step(made)
    return made


def adam(w, grads, rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(grads, 1):
        m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g**2
        # epsilon lies outside of the bias correction
        w = w - rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (np.sqrt(v) + epsilon)
    return w


def sgd(w, grads, rate=0.01, momentum=0.0, nesterov=False):
    v = np.zeros_like(w)
    for g in grads:
        v = momentum * v - rate * g
        w = w + (momentum * v - rate * g if nesterov else v)
    return w


def rmsprop(w, grads, rate=0.001, rho=0.9, epsilon=1e-7):
    v = np.zeros_like(w)
    for g in grads:
        v = rho * v + (1 - rho) * g**2
        w = w - rate * g / np.sqrt(v + epsilon)
    return w


@pytest.mark.parametrize(
    ("optimizer", "formula"),
    [
        (optimizers.Adam, adam),
        (lambda: optimizers.Adam(0.1, beta_1=0.5, beta_2=0.7, epsilon=0.01),
         lambda w, g: adam(w, g, 0.1, 0.5, 0.7, 0.01)),
        (optimizers.SGD, sgd),
        (lambda: optimizers.SGD(0.1, momentum=0.9), lambda w, g: sgd(w, g, 0.1, 0.9)),
        (lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
         lambda w, g: sgd(w, g, 0.1, 0.9, True)),
        (optimizers.RMSprop, rmsprop),
        (lambda: optimizers.RMSprop(0.1, rho=0.6, epsilon=0.2),
         lambda w, g: rmsprop(w, g, 0.1, 0.6, 0.2)),
    ],
)  # fmt: skip
def test_four_steps(optimizer, formula):
    for i, (start, end) in enumerate(zip(parameters(), run(optimizer()), strict=True)):
        grads = [gradients(step)[i].astype(np.float64) for step in range(4)]
        expected = formula(start.value.astype(np.float64), grads)
        np.testing.assert_allclose(end.value, expected, rtol=2e-5, atol=2e-6)
        assert end.gradient is None


def test_state_is_in_the_order_of_keras():
    optimizer = optimizers.Adam(0.25)
    made = run(optimizer, steps=3)
    iterations, rate, *arrays = optimizer.get_variables()
    assert (iterations, iterations.dtype, rate, rate.dtype) == (3, np.int32, 0.25, np.float32)
    assert [a.shape for a in arrays] == [SHAPES[0], SHAPES[0], SHAPES[1], SHAPES[1]]
    first_moment = sum(0.9 ** (2 - t) * 0.1 * gradients(t)[1] for t in range(3))
    np.testing.assert_allclose(arrays[2], first_moment, rtol=1e-5, atol=1e-7)
    assert (arrays[3] > 0).all()  # the second moment
    assert optimizer.count_params() == 2 + 2 * (30 + 7)
    del made
    assert optimizer.get_variables()[2:] == []  # the state lives as long as its parameters


def test_state_goes_over_to_another_optimizer():
    first, second = optimizers.Adam(0.1), optimizers.Adam()
    made = run(first)
    second.build(made, backends.get("cpu"))
    second.set_variables(first.get_variables())
    assert (second.iterations, second.learning_rate) == (4, np.float32(0.1))
    for ours, theirs in zip(second.get_variables(), first.get_variables(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="expected state of shapes"):
        second.set_variables(first.get_variables()[:-1])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optimizers.Adam(-1), ValueError, "learning_rate .* Received: -1"),
        (lambda: optimizers.Adam(float("nan")), ValueError, "learning_rate .* Received: nan"),
        (lambda: optimizers.Adam("fast"), ValueError, "learning_rate .* Received: 'fast'"),
        (lambda: optimizers.Adam(beta_1=1), ValueError, "beta_1 must .* below 1. Received: 1"),
        (lambda: optimizers.SGD(momentum=2), ValueError, "momentum .* Received: 2"),
        (
            lambda: optimizers.get("adafactor"),
            ValueError,
            "^optimizer: there is no 'adafactor' .Keras's 'Adafactor' is not served yet.*'rmsprop'.*: 'adafactor'",
        ),
        (lambda: optimizers.Adam(amsgrad=3), ValueError, "amsgrad .* Received: 3"),
        (
            lambda: optimizers.SGD(clipnorm=1.0, clipvalue=2.0),
            ValueError,
            "only one of clipnorm, clipvalue and global_clipnorm.*clipnorm=1.0, clipvalue=2.0",
        ),
        (lambda: optimizers.SGD(gradient_accumulation_steps=1), ValueError, "steps must .* 2"),
        (lambda: optimizers.AdamW(weight_decay=None), ValueError, "weight_decay .* None"),
        (lambda: optimizers.Adam([0.1]), ValueError, "learning_rate must .*optimizers.schedules"),
        (lambda: optimizers.Lion(beta_1=0), ValueError, "beta_1 must be .* above 0"),
    ],
)
def test_wrong_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_an_optimizer_serves_one_model():
    optimizer = optimizers.Adam()
    made = run(optimizer)
    with pytest.raises(ValueError, match="an optimizer serves one model"):
        optimizer.build(parameters(), backends.get("cpu"))
    optimizer.build(made[:1], backends.get("cpu"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.Nadam(global_clipnorm=1.0),
        lambda: optimizers.Ftrl(clipnorm=1.0, l1_regularization_strength=0.1),
        lambda: optimizers.RMSprop(momentum=0.9, centered=True, use_ema=True, weight_decay=0.1),
    ],
)
def test_bits_do_not_hang_on_threads(make):
    found, most = [], nc.backends.get("cpu").get_num_threads()
    try:
        for threads in {1, most}:
            nc.set_num_threads(threads)
            parameter = Parameter("w", "w", (300, 301), RandomNormal(seed=1))
            optimizer, rng = make(), np.random.default_rng(0)
            optimizer.build([parameter], backends.get("cpu"))
            for _ in range(3):
                parameter.gradient = rng.standard_normal((300, 301), dtype=np.float32)
                optimizer.step([parameter])
            found.append(parameter.numpy().tobytes())
    finally:
        nc.set_num_threads(most)
    assert len(set(found)) == 1


def test_weights_that_do_not_decay():
    optimizer = optimizers.SGD(0.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.learning_rate = 1.0
    kernel, bias = (
        Parameter(name, name, (2,), RandomNormal(seed=1)) for name in ("kernel", "bias")
    )
    before = kernel.numpy()
    optimizer.build([kernel, bias], backends.get("cpu"))
    for parameter in (kernel, bias):
        parameter.gradient = np.zeros(2, np.float32)
    optimizer.step([kernel, bias])
    np.testing.assert_allclose(kernel.numpy(), before / 2)
    np.testing.assert_array_equal(bias.numpy(), before)
    with pytest.raises(ValueError, match="say so before the optimizer is in use"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


@pytest.mark.parametrize(
    "callback",
    [callbacks.LearningRateScheduler(lambda epoch: 0.1), callbacks.ReduceLROnPlateau("loss")],
    ids=lambda callback: type(callback).__name__,
)
def test_a_schedule_leaves_callbacks_nothing_to_set(callback):
    model = small_cnn.compiled()
    model.compile(
        optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)),
        "sparse_categorical_crossentropy",
        backend="cpu",
    )
    with pytest.raises(TypeError, match=r"cannot be set, since .* schedule.*ExponentialDecay"):
        small_cnn.fit(model, callbacks=[callback])
    with pytest.raises(TypeError, match="learning_rate cannot be set, since a schedule says"):
        model.optimizer.learning_rate = 0.1
