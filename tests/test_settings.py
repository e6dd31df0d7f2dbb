"""Settings are checked in constructors and when they are set afterwards; unknown names are told."""

import math
from fractions import Fraction

import numpy as np
import pytest
import small_cnn
from small_cnn import compiled, fit

from numba_cnn import callbacks, initializers, layers, losses, metrics, models, optimizers, settings

ADAM = optimizers.Adam()
BAD = [
    (optimizers.Adam, "learning_rate", None), (optimizers.Adam, "learning_rate", -1),
    (optimizers.Adam, "learning_rate", math.nan), (optimizers.Adam, "learning_rate", math.inf),
    (optimizers.Adam, "learning_rate", 1e300), (optimizers.Adam, "learning_rate", 10**400),
    (optimizers.Adam, "learning_rate", True), (optimizers.Adam, "learning_rate", Fraction(1, 2)),
    (optimizers.Adam, "epsilon", -1), (optimizers.Adam, "beta_1", 1.0), (optimizers.Adam, "beta_2", 1 - 1e-9),
    (optimizers.RMSprop, "rho", -1), (optimizers.RMSprop, "epsilon", "a"), (optimizers.SGD, "momentum", 1.5),
    (optimizers.SGD, "nesterov", "yes"), (optimizers.SGD, "name", 3),
    (losses.SparseCategoricalCrossentropy, "from_logits", 2), (metrics.SparseCategoricalAccuracy, "name", ""),
    (callbacks.EarlyStopping, "patience", -1), (callbacks.EarlyStopping, "mode", "up"),
    (callbacks.EarlyStopping, "min_delta", math.nan), (callbacks.EarlyStopping, "verbose", -3),
    (callbacks.ReduceLROnPlateau, "factor", 1), (callbacks.ReduceLROnPlateau, "min_lr", -1),
    (initializers.RandomNormal, "stddev", -1), (initializers.Constant, "value", "a"),
    (initializers.RandomUniform, "seed", 0.5), (initializers.VarianceScaling, "mode", "fan"),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "name", "value"), BAD)
def test_wrong_values(cls, name, value):
    message = rf"^{cls.__name__}: {name} must be .*\. Received: "
    with pytest.raises(ValueError, match=message):
        cls(**{name: value})
    made = cls()
    before = getattr(made, name)
    with pytest.raises(ValueError, match=message):
        setattr(made, name, value)
    assert getattr(made, name) == before


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.5), np.int64(1), np.array(0.5)])
def test_numbers_of_any_kind_are_kept_as_floats(value):
    made = optimizers.Adam(value)
    assert isinstance(made.learning_rate, float)
    assert made.learning_rate == value


def test_none_and_flags_where_they_are_fine():
    assert (
        callbacks.EarlyStopping(baseline=None, restore_best_weights=1).restore_best_weights is True
    )
    assert initializers.HeNormal(seed=None).seed is None
    assert optimizers.SGD(nesterov=np.bool_(True)).nesterov is True


class TestUnknownNames:
    @pytest.mark.parametrize(
        "made", [ADAM, metrics.Mean("a"), losses.get("sparse_categorical_crossentropy")]
    )
    def test_are_refused_where_there_are_settings_alone(self, made):
        with pytest.raises(AttributeError, match=r"has no setting 'momentun'.* Allowed: .*name"):
            made.momentun = 1
        assert not hasattr(made, "momentun")

    def test_initials(self):
        with pytest.raises(AttributeError, match=r"'wd' \(did you mean 'weight_decay'\?\)"):
            ADAM.wd = 0.1

    def test_nearly_known_ones_are_warned_of_elsewhere(self):
        layer = layers.Dense(3)
        with pytest.warns(UserWarning, match="'trainble' .* did you mean 'trainable'") as seen:
            layer.trainble = False
        assert seen[0].filename == __file__
        with pytest.warns(UserWarning, match="did you mean 'trainable'"):
            models.Sequential().trainabel = False
        with pytest.warns(UserWarning, match="did you mean 'patience'"):
            callbacks.EarlyStopping().patiense = 3
        layer.note = models.Sequential().note = "no warning"

    def test_classes_of_ones_own_name_what_they_like(self):
        class Mine(optimizers.SGD):
            def __init__(self):
                super().__init__()
                self.momentums = 3

            def step(self, parameters):
                self.stepz = 1

        made = Mine()
        made.step([])
        assert (made.momentums, made.stepz) == (3, 1)
        with pytest.raises(AttributeError, match="did you mean 'momentum"):
            made.momentun = 3


X, Y = small_cnn.data()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({0: math.nan}, "class_weight must hold finite numbers. Received: nan for class 0"),
        ({1: math.inf}, "Received: inf for class 1"),
        ({0: None}, "Received: None for class 0"),
        ({0: [1]}, r"Received: \[1\] for class 0"),
        ({0: "a"}, "Received: 'a' for class 0"),
        ({4: 1.0}, r"a class in class_weight must lie in 0\.\.3. Received: 4"),
        ({10**10: 1.0}, "Received: 10000000000"),
        ({"a": 1.0}, "a class in class_weight must be an integer"),
    ],
)
def test_class_weights(weights, message):
    with pytest.raises(ValueError, match=f"^fit: .*{message}"):
        fit(compiled(), class_weight=weights)


def test_class_weights_do_not_weigh_what_is_validated():
    model = compiled()
    model.optimizer.learning_rate = 0.0
    history = fit(model, validation_split=0.3, class_weight={0: 10, 1: 10, 2: 10, 3: 10})
    split = fit(model, X[:16], Y[:16], validation_data=(X[16:], Y[16:]))
    loss = model.evaluate(X[16:], Y[16:], batch_size=8, verbose=0)[0]
    assert history["val_loss"] == split["val_loss"] == [loss]
    assert history["loss"][0] == pytest.approx(10 * split["loss"][0], rel=1e-5)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (math.nan, "weights must be finite, as float32. Received: nan"),
        (-math.inf, "Received: -inf"),
        (1e300, r"Received: 1e\+300"),
        ("a", "expected an array of real numbers. Received: dtype <U1"),
        (1j, "Received: dtype complex128"),
        (None, "Received: dtype object"),
    ],
)
def test_weights_are_finite_numbers(value, message):
    model = compiled()
    before = model.get_weights()
    wrong = [array.copy() for array in before]
    wrong[0] = wrong[0] + 1
    wrong[3] = np.full(wrong[3].shape, value)
    with pytest.raises(ValueError, match=rf"conv2d_1/bias: .*{message}"):
        model.set_weights(wrong)
    with pytest.raises(ValueError, match=rf"conv2d_1/bias: .*{message}"):
        model.layers[2].bias.assign(wrong[3])
    for array, old in zip(model.get_weights(), before, strict=True):  # none has been taken over
        np.testing.assert_array_equal(array, old)


def test_early_stopping_brings_weights_back_that_are_not_finite():
    model = compiled()
    stop = callbacks.EarlyStopping("loss", restore_best_weights=True)
    model.layers[0].bias.value[:] = np.nan
    with np.errstate(all="ignore"):
        fit(model, callbacks=[stop])
    assert np.isnan(model.get_weights()[1]).all()


def test_checks_name_what_is_allowed():
    with pytest.raises(ValueError, match="x: y must be a finite number of at least 0 and below 1"):
        settings.number(0, below=1)("x", "y", 1)
    with pytest.raises(ValueError, match=r"one of 'min', 'max' \(did you mean 'max'\?\)"):
        settings.choice("min", "max")("x", "y", "MAX")


@pytest.mark.parametrize(
    "filepath",
    [
        "{}.keras",
        "{0}/m.keras",
        "{a/m.keras",
        "a}/m.keras",
        "{epoch.real}.keras",
        "{loss:zz}.keras",
    ],
)
def test_braces_in_the_path_of_a_checkpoint(filepath):
    with pytest.raises(ValueError, match=r"braces must hold names .* written twice. Received: "):
        callbacks.ModelCheckpoint(filepath)


def test_braces_of_a_folder(tmp_path):
    with pytest.raises(ValueError, match=r"filepath names 'run', which is not logged.* twice"):
        fit(compiled(), callbacks=[callbacks.ModelCheckpoint(str(tmp_path / "{run}" / "m.keras"))])
    path = str(tmp_path / "{{run}}" / "{epoch}.keras")
    fit(compiled(), callbacks=[callbacks.ModelCheckpoint(path)])
    assert (tmp_path / "{run}" / "1.keras").exists()


@pytest.mark.parametrize(
    ("layer", "name", "value", "shape", "message"),
    [
        (lambda: layers.Dense(3), "units", -1, (None, 3), "dense: units must be .*at least 1.*: -1"),
        (lambda: layers.Dense(3), "units", "a", (None, 3), "units must be .* Received: 'a'"),
        (lambda: layers.Conv2D(3, 3), "strides", 0, (None, 8, 8, 3), "strides must be .*: 0"),
        (lambda: layers.Conv2D(3, 3), "padding", "x", (None, 8, 8, 3), "padding must be .*: 'x'"),
        (lambda: layers.MaxPooling2D(2), "pool_size", 0, (None, 8, 8, 3), "pool_size must be .*: 0"),
        (lambda: layers.Dense(3), "kernel_initializer", "a", (None, 3), "initializer.* 'a'"),
    ],
)  # fmt: skip
def test_settings_that_only_the_constructor_looks_at(layer, name, value, shape, message):
    """They may be set until the layer is built, which says what is wrong."""
    made = layer()
    setattr(made, name, value)
    with pytest.raises(ValueError, match=message):
        made.build(shape)
    assert not made.weights


def test_settings_that_are_set_before_the_layer_is_built_count():
    images, made = np.ones((1, 8, 8, 2), np.float32), layers.Conv2D(3, 3)
    made.kernel_size, made.strides, made.kernel_initializer = 2, (2, 4), "ones"
    assert made(images).shape == (1, 4, 2, 3)
    assert made.get_config()["strides"] == [2, 4]
    np.testing.assert_array_equal(made(images), np.full((1, 4, 2, 3), 8))
    made.strides = -1  # too late, as in Keras for the weights
    assert made(images).shape == (1, 4, 2, 3)


class Two(models.Model):
    def __init__(self, units, more=1):
        super().__init__()
        self.dense = layers.Dense(units)

    def call(self, x):
        return self.dense(x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.Dense(), "Dense: units must be given. Received: nothing"),
        (lambda: layers.Conv2D(use_bias=False),
         "Conv2D: filters and kernel_size must be given. Received: use_bias=False"),
        (lambda: layers.Dense(3, units=4), "Dense: multiple values for .* 'units'. Allowed: units, .*: 3, units=4"),
        (lambda: losses.MeanSquaredError(1, 2), "MeanSquaredError: too many positional .*: name. Received: 1, 2"),
        (lambda: callbacks.ModelCheckpoint(), "ModelCheckpoint: filepath must be given. Received: nothing"),
        (lambda: metrics.MeanIoU(), "MeanIoU: num_classes must be given. Received: nothing"),
        (lambda: Two(), "Two: units must be given. Received: nothing"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_a_constructor(call, message):
    with pytest.raises(TypeError, match=f"^{message}$"):
        call()


def test_errors_inside_of_a_constructor_stay_as_they_are():
    class Own(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.count = int(units)

        def call(self, x):
            return x

    with pytest.raises(TypeError, match=r"^int\(\) argument must be"):
        Own(None)


@pytest.mark.parametrize("name", ["none.keras", "none.h5", "none"])
def test_models_that_are_not_there(name, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=rf"^load_model: there is no such file. Received: .*{name}$"
    ) as told:
        models.load_model(tmp_path / name)
    assert (told.value.errno, told.value.filename) == (2, str(tmp_path / name))
    with pytest.raises(
        FileNotFoundError, match=r"^load_weights: there is no such file. Received: "
    ):
        compiled().load_weights(tmp_path / name)
