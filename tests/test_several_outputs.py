"""Models of several inputs and outputs: what may be given how, what is logged, and what errors say."""

import numpy as np
import pytest

import numba_cnn as nc
from numba_cnn import callbacks, layers, models

rng = np.random.default_rng(0)
A, B = rng.random((10, 3), dtype=np.float32), rng.random((10, 4), dtype=np.float32)
Y, Z = rng.integers(0, 2, 10), rng.random((10, 1), dtype=np.float32)
W = rng.random(10, dtype=np.float32)
LOSSES = {"y": "sparse_categorical_crossentropy", "z": "mse"}


def build(inputs=list):
    nc.clear_session()
    nc.set_random_seed(3)
    a, b = layers.Input((3,), name="a"), layers.Input((4,), name="b")
    x = layers.Concatenate()([layers.Dense(4, activation="relu")(a), b])
    y = layers.Dense(2, activation="softmax", name="y")(x)
    z = layers.Dense(1, name="z")(x)
    return models.Model({"a": a, "b": b} if inputs is dict else [a, b], [y, z])


def compiled(loss=LOSSES, inputs=list, **settings):
    model = build(inputs)
    model.compile("sgd", loss, **settings)
    return model


def fit(model, x=(A, B), y=(Y, Z), **settings):
    nc.set_random_seed(5)
    return model.fit(x, y, epochs=2, batch_size=4, verbose=0, **settings).history


def bits(model):
    return [w.tobytes() for w in model.get_weights()]


@pytest.mark.parametrize("x", [[A, B], (A, B), {"a": A, "b": B}, {"b": B, "a": A}])
@pytest.mark.parametrize("y", [[Y, Z], (Y, Z), {"z": Z, "y": Y}])
def test_arrays_go_by_place_or_by_name(x, y):
    model, other = compiled(), compiled()
    assert fit(model, x, y) == fit(other)
    assert bits(model) == bits(other)
    for one, same in zip(model.predict(x, verbose=0), other([A, B]), strict=True):
        np.testing.assert_array_equal(one, same)
    assert model.evaluate(x, y, verbose=0) == other.evaluate([A, B], [Y, Z], verbose=0)


def test_an_order_of_samples_holds_for_all_arrays():
    """Shuffled, and in the parts that a split leaves: one epoch of one batch does not hang on the order."""
    model, other = compiled(), compiled()
    for one, shuffle in ((model, True), (other, False)):
        one.fit([A, B], [Y, Z], verbose=0, shuffle=shuffle, sample_weight=W, validation_split=0.3)
    for weight, same in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(weight, same, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("loss", "weights", "metrics"),
    [
        (list(LOSSES.values()), [2.0, 0.5], [["accuracy"], "mae"]),
        (LOSSES, {"z": 0.5, "y": 2.0}, {"z": ["mae"], "y": "accuracy"}),
        ((*LOSSES.values(),), (2, 0.5), ("accuracy", ["mae"])),
    ],
)
def test_compile_by_place_or_by_name(loss, weights, metrics):
    model = compiled(loss, loss_weights=weights, metrics=metrics)
    other = compiled(loss_weights=[2, 0.5], metrics=[["accuracy"], ["mae"]])
    history = fit(model)
    assert list(history) == ["loss", "y_accuracy", "y_loss", "z_loss", "z_mae"]
    assert history == fit(other)
    for total, y, z in zip(history["loss"], history["y_loss"], history["z_loss"], strict=True):
        assert total == pytest.approx(2 * y + 0.5 * z, rel=1e-6)
    assert [type(one).__name__ for one in model.loss] == [
        "SparseCategoricalCrossentropy",
        "MeanSquaredError",
    ]
    assert model.metrics_names == ["loss", "compile_metrics", "y_loss", "z_loss"]


def test_a_loss_weight_scales_gradients():
    """What has weight 0 trains nothing; a weight of 2 and half the learning rate come to the same."""
    alone = compiled(loss_weights=[1.0, 0.0])
    before = alone.get_layer("z").get_weights()
    fit(alone)
    for weight, same in zip(alone.get_layer("z").get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)
    double, single = compiled(loss_weights=[2.0, 2.0]), compiled()
    double.optimizer.learning_rate = 0.005
    fit(double), fit(single)
    for weight, same in zip(double.get_weights(), single.get_weights(), strict=True):
        np.testing.assert_allclose(weight, same, rtol=1e-5, atol=1e-7)


def test_one_output_has_a_loss_weight_too():
    a = layers.Input((3,))
    model = models.Model(a, layers.Dense(1)(a))
    model.compile("sgd", ["mse"], loss_weights=[2.0], metrics=[["mse"]])
    loss, mse = model.evaluate([A], [Z], verbose=0)
    assert loss == pytest.approx(2 * mse)


@pytest.mark.parametrize("given", [[W, None], {"y": W}, {"y": W, "z": None}])
def test_weights_of_samples(given):
    model, other = compiled(), compiled()
    assert fit(model, sample_weight=given) == fit(other, sample_weight=[W, np.ones(10)])
    assert fit(compiled(), sample_weight=W) == fit(compiled(), sample_weight=[W, W])


def test_validation_and_callbacks():
    model = compiled(metrics={"y": "accuracy"})
    stopping = callbacks.EarlyStopping("val_y_accuracy", patience=50, restore_best_weights=True)
    history = fit(model, validation_data=([A, B], {"y": Y, "z": Z}, [W, W]), callbacks=[stopping])
    names = ["loss", "val_loss", "val_y_accuracy", "val_y_loss", "val_z_loss"]
    assert list(history) == [*names, "y_accuracy", "y_loss", "z_loss"]
    assert stopping._direction() == "max"


def test_the_line_of_progress(capsys):
    compiled().fit([A, B], [Y, Z], verbose=2)
    parts = capsys.readouterr().out.split(" - ")
    found = [part.split(":")[0] for part in parts if ":" in part]
    assert found == ["loss", "y_loss", "z_loss"]


def test_steps_are_recorded_with_all_arrays(monkeypatch):
    from numba_cnn.backends import cpu

    model = compiled(loss_weights=[1.0, 0.5], metrics=[["accuracy"], ["mae"]])
    recorded = fit(model, sample_weight=[W, None]), bits(model), model([A, B])[1].tobytes()
    names = {key[0] for key in model._graphs._graphs}
    assert names == {"_values_and_gradients", "_all_outputs"}
    assert all(graph is not None for _, graph in model._graphs._graphs.values())
    monkeypatch.setattr(cpu, "ABILITIES", cpu.ABILITIES._replace(records=False))
    other = compiled(loss_weights=[1.0, 0.5], metrics=[["accuracy"], ["mae"]])
    assert recorded == (
        fit(other, sample_weight=[W, None]),
        bits(other),
        other([A, B])[1].tobytes(),
    )


def test_an_output_of_which_nothing_is_asked_trains_nothing():
    inner = build()
    a, b = layers.Input((3,)), layers.Input((4,))
    model = models.Model([a, b], inner([a, b])[0])
    model.compile("adam", "sparse_categorical_crossentropy")
    before = inner.get_layer("z").get_weights()
    model.fit([A, B], Y, epochs=3, verbose=0)
    np.testing.assert_array_equal(inner.get_layer("z").get_weights()[0], before[0])


@pytest.mark.parametrize(
    ("losses", "y"),
    [
        ({**LOSSES, "z": None}, {"y": Y}),
        ([LOSSES["y"], None], [Y, None]),
        ([LOSSES["y"], None], [Y, Z]),
    ],
)
def test_an_output_without_a_loss(losses, y, tmp_path):
    """Its weights stay, nothing is logged of it, and the other's loss is the whole, as Keras has it."""
    model, other = compiled(losses), compiled(loss_weights=[1, 0])
    before = model.get_layer("z").get_weights()
    history, expected = fit(model, y=y), fit(other)
    assert list(history) == ["loss"]
    np.testing.assert_allclose(history["loss"], expected["y_loss"], rtol=1e-6)
    for weight, same in zip(model.get_layer("z").get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)
    assert model.evaluate([A, B], y, verbose=0) == pytest.approx(
        other.evaluate([A, B], [Y, Z], verbose=0)[1]
    )
    model.save(tmp_path / "m.keras")
    assert models.load_model(tmp_path / "m.keras").loss[1] is None


def test_metrics_of_an_output_without_a_loss():
    model = compiled({**LOSSES, "z": None}, metrics={"z": ["mae"]})
    assert list(fit(model)) == ["loss", "z_mae"]
    with pytest.raises(ValueError, match="fit, output 'z': y must be what the model shall give"):
        model.fit([A, B], [Y, None], verbose=0)
    with pytest.raises(TypeError, match="loss: expected a name"):
        model.compile("sgd", [None, None])


def test_a_dict_of_inputs(tmp_path):
    model = compiled(inputs=dict)
    fit(model, {"b": B, "a": A})
    assert list(model.input) == ["a", "b"]
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras")
    x = {"a": A, "b": B}
    for one, same in zip(again.predict(x, verbose=0), model(x), strict=True):
        np.testing.assert_array_equal(one, same)
    a, b = layers.Input((3,)), layers.Input((4,))
    outer = models.Model([a, b], model({"b": b, "a": a}))
    np.testing.assert_array_equal(outer([A, B])[0], model([A, B])[0])


def test_passes_by_hand():
    model = compiled()
    (y, z), backward = model.forward([A, B])
    backward([np.ones_like(y), np.ones_like(z)])
    assert all(parameter.gradient is not None for parameter in model.weights)
    before = model.get_weights()
    model.train_step([A, B], [Y, Z])
    assert any((w != old).any() for w, old in zip(model.get_weights(), before, strict=True))


def test_outputs_that_are_inputs_and_outputs_twice():
    a = layers.Input((3,))
    y = layers.Dense(2)(a)
    model = models.Model(a, [a, y, y])
    found = model.predict(A, verbose=0)
    np.testing.assert_array_equal(found[0], A)
    np.testing.assert_array_equal(found[1], found[2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compiled().predict([A], verbose=0), "x must be a list of 2 arrays, for a, b, .* 1 of"),
        (lambda: compiled().predict(A, verbose=0), "x must be a list of 2 arrays.*an array of shape"),
        (lambda: compiled()([A]), "x must be a list of 2 arrays"),
        (lambda: compiled().predict({"a": A}, verbose=0), "x must be an array for each of a, b. .* a"),
        (lambda: compiled().predict([A, A], verbose=0), r"x\['b'\] of shape \(N, 4\)"),
        (lambda: compiled().predict([A, B[:5]], verbose=0), r"same length. Received: \[10, 5\]"),
        (lambda: fit(compiled(), [A, B * np.nan]), r"x\['b'\] must be finite.*nan in sample"),
        (lambda: fit(compiled(), y=[Y]), "y must be a list of 2 arrays, for y, z"),
        (lambda: fit(compiled(), y={"y": Y}), "y must be an array for each of y, z. Received: y"),
        (lambda: fit(compiled(), y=[Y + 9, Z]), "fit, output 'y': labels must lie in 0..1"),
        (lambda: fit(compiled(), y=[Y, Z[:3]]), "fit, output 'z': x and y must have the same length"),
        (lambda: fit(compiled(), sample_weight=[W]), "sample_weight must be a list of 2 arrays"),
        (lambda: fit(compiled(), sample_weight={"q": W}), "sample_weight must be an array for each"),
        (lambda: fit(compiled(), class_weight={0: 2.0}), "only supported for Models with a single"),
        (lambda: compiled(["mse"]), "loss must have a loss for each of 2 outputs"),
        (lambda: compiled({"y": "mse"}), "loss must have a loss for each of the outputs y, z. .*: y"),
        (lambda: compiled(loss_weights=[1]), "loss_weights must have a number for each of 2"),
        (lambda: compiled(loss_weights=["a", 1]), "loss_weights must be finite numbers.* 'a'"),
        (lambda: compiled(metrics=["mae", None, "mse"]), "metrics must be a list with one entry.* 2 outputs"),
        (lambda: compiled(metrics={"q": "mae"}), "metrics names outputs, y, z. Received: 'q'"),
        (lambda: compiled().train_step(A, Y), "x of 2 arrays.* Received: 3 arrays"),
    ],
)  # fmt: skip
def test_wrong_calls(call, message):
    with pytest.raises(ValueError, match=message) as raised:
        call()
    assert "Received: " in str(raised.value)


class TestDictOfOutputs:
    """Outputs by keys, as Keras gives and takes them."""

    def build(self):
        nc.clear_session()
        nc.set_random_seed(3)
        a, b = layers.Input((3,), name="a"), layers.Input((4,), name="b")
        x = layers.Concatenate()([layers.Dense(4, activation="relu")(a), b])
        y, z = layers.Dense(2, activation="softmax")(x), layers.Dense(1)(x)
        return models.Model([a, b], {"z": z, "y": y})

    def test_trains_as_the_list_does(self, tmp_path):
        model, listed = self.build(), compiled(loss_weights={"y": 1, "z": 2})
        model.compile("sgd", {"z": "mse", "y": LOSSES["y"]}, loss_weights={"y": 1, "z": 2})
        assert fit(model, y={"y": Y, "z": Z}) == fit(listed)
        assert model.output_names == list(model.output) == ["y", "z"]
        expected = dict(zip("yz", listed.predict([A, B], verbose=0), strict=True))
        model.save(tmp_path / "a.keras")
        for one in (model, models.load_model(tmp_path / "a.keras")):
            for found in (
                one.predict([A, B], verbose=0),
                one.predict([A, B], verbose=0, batch_size=3),
                one([A, B]),
                one.forward([A, B])[0],
            ):
                assert list(found) == ["y", "z"]
                for key in found:
                    np.testing.assert_allclose(found[key], expected[key], rtol=1e-6)

    def test_inside_of_another_model(self):
        inner = self.build()
        inputs = [layers.Input((3,)), layers.Input((4,))]
        given = inner(inputs)
        assert list(given) == ["y", "z"]
        outer = models.Model(inputs, given["z"])
        expected = inner.predict([A, B], verbose=0)["z"]
        np.testing.assert_array_equal(outer.predict([A, B], verbose=0), expected)

    def test_of_one(self):
        inputs = layers.Input((3,))
        model = models.Model(inputs, {"only": layers.Dense(2)(inputs)})
        for _ in range(3):
            assert model.predict(A, verbose=0)["only"].shape == model(A)["only"].shape == (10, 2)

    def test_backward_takes_the_same_keys(self):
        model = self.build()
        y, backward = model.forward([A, B])
        backward({key: np.ones_like(value) for key, value in y.items()})
        assert all(np.any(parameter.gradient) for parameter in model.trainable_weights)
