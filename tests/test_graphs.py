"""Graphs: a recorded pass computes what the pass computes, bit by bit, and no longer than it may."""

import gc
import threading
import weakref

import numpy as np
import pytest
import small_cnn

import numba_cnn as nc
from numba_cnn import backends, layers, models, ops, session
from numba_cnn.backends import cpu
from numba_cnn.backends.cpu.runtime import memory
from numba_cnn.models import graphs, plan


def network(*stack, shape=(11, 10, 3), **settings):
    model = models.Sequential([layers.Input(shape), *stack])
    settings = {"optimizer": "adam", "metrics": ["accuracy"]} | settings
    model.compile(loss="sparse_categorical_crossentropy", **settings)
    return model


def named(stack, **settings):
    """A network of STACKS, always with the same weights."""
    nc.set_random_seed(3)
    return network(*STACKS[stack](), **settings)


def batch(N, shape=(11, 10, 3), seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((N, *shape)).astype(np.float32), rng.integers(0, 5, N)


def head():
    return layers.Flatten(), layers.Dense(5, activation="softmax")


STACKS = {
    "pooled": lambda: (layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(), *head()),
    "winograd": lambda: (layers.Conv2D(32, 3), layers.Conv2D(32, 3, padding="same"), *head()),
    "strided": lambda: (layers.Conv2D(7, 2, strides=3, padding="same"), layers.Conv2D(6, 1, strides=2), *head()),
    "no bias": lambda: (layers.Conv2D(20, 3, use_bias=False), layers.Flatten(), layers.Dense(5, use_bias=False),
                        layers.Softmax()),
    "groups": lambda: (layers.Conv2D(9, 3, groups=3, dilation_rate=2), layers.ReLU(), *head()),
    "overlapping": lambda: (layers.MaxPooling2D(3, strides=2), layers.Activation("relu"), *head()),
    "dense": lambda: (layers.Flatten(), layers.Dense(13, activation="relu"), layers.Dense(5, activation="softmax")),
}  # fmt: skip


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_bits_are_those_without_graphs(stack, optimizer, monkeypatch):
    def work():
        model = named(stack, optimizer=optimizer)
        seen = []
        for step, N in enumerate([4, 4, 3, 4, 1, 3]):
            x, y = batch(N, seed=step)
            model.reset_metrics()
            model.train_step(x, y, np.linspace(0, 1, N, dtype=np.float32) if step == 3 else None)
            seen += [*model.read_metrics().values(), model(x).tobytes()]
        seen += model.evaluate(*batch(7, seed=9), batch_size=4, verbose=0)
        seen.append(model.predict(batch(7, seed=9)[0], batch_size=3, verbose=0).tobytes())
        return (
            len(model._graphs._graphs),
            seen,
            [weight.tobytes() for weight in model.get_weights()],
        )

    count, *recorded = work()
    # Steps with 4, 3 and 1 and with weights, outputs of 4, 3 and 1, evaluate's 4 and 3.
    assert count == 9
    monkeypatch.setattr(cpu, "ABILITIES", cpu.ABILITIES._replace(records=False))
    count, *plain = work()
    assert count == 0
    assert recorded == plain


def test_a_graph_follows_what_is_set_on_the_model():
    model = named("pooled")
    x, y = batch(4)

    def checked():
        got = model(x)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cpu, "ABILITIES", cpu.ABILITIES._replace(records=False))
            patch.setattr(session, "last_change", object())
            np.testing.assert_array_equal(got, model(x))
        np.testing.assert_array_equal(got, model(x))
        return got.tobytes()

    seen = {checked()}
    model.set_weights([2 * weight for weight in model.get_weights()])
    seen.add(checked())
    model.layers[0].kernel.value[...] += 1  # in place
    seen.add(checked())
    model.layers[0].activation = "linear"
    seen.add(checked())
    model.train_step(x, y)
    seen.add(checked())
    model.add(layers.Dense(5))
    seen.add(checked())
    model.pop()
    model.pop()
    seen.add(checked())
    assert len(seen) == 7
    model = named("pooled")
    for metrics in (["accuracy"], [], ["accuracy"]):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=metrics)
        for _ in range(2):
            assert len(model.evaluate(x, y, verbose=0, return_dict=True)) == 1 + len(metrics)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_weight_of_a_transformed_filter_is_looked_at(dtype):
    """Winograd's transforms are kept from run to run: whichever weight changes, they follow."""
    rng = np.random.default_rng(2)
    x, weight, bias = (
        rng.standard_normal(shape).astype(dtype)
        for shape in [(1, 12, 13, 16), (3, 3, 16, 19), (19,)]
    )
    run = lambda x: ([ops.conv2d(x, weight, bias, algorithm="winograd")], [])  # noqa: E731
    recorded = cpu.LaunchGraph(run, [x])
    places = [(0, 0, 0, 0), (2, 2, 15, 18), (1, 1, 7, 16), *rng.integers(0, weight.shape, (9, 4))]
    for place in map(tuple, places):
        for value in (weight[place] + 1, np.nan, weight[place]):
            weight[place] = value
            for _ in range(2):
                np.testing.assert_array_equal(recorded(x)[0], run(x)[0][0])


def test_frozen_layers_stay_as_they_are():
    model = named("pooled")
    x, y = batch(4)
    for frozen in (False, True, False):
        model.layers[0].trainable = not frozen
        model.compile("sgd", "sparse_categorical_crossentropy")
        before = model.get_weights()
        model.train_step(x, y)
        same = [np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True)]
        assert same == [frozen, frozen, False, False]
        assert all(weight.gradient is None for weight in model.weights)


def test_the_learning_rate_may_change():
    model = named("dense", optimizer="sgd")
    x, y = batch(4)
    model.train_step(x, y)
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.train_step(x, y)
    for got, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_a_graph_refuses_what_it_was_not_made_for(monkeypatch):
    (x, _), weights = batch(4), np.linspace(0, 1, 4, dtype=np.float32)
    graph = cpu.LaunchGraph(lambda x, _: ([ops.relu(x)], []), [x, None])
    for inputs in [
        (x[:3], None),
        (x.reshape(4, 10, 11, 3), None),
        (x.astype(np.float64), None),
        (np.asfortranarray(x), None),
        (x.tolist(), None),
        (None, None),
        (x, weights),
    ]:
        assert graph(*inputs) is None
    np.testing.assert_array_equal(graph(x, None)[0], np.maximum(x, 0))
    monkeypatch.setattr("numba_cnn.backends.cpu.runtime.launch_graph.get_num_threads", lambda: 0)
    assert graph(x, None) is None


def test_what_a_model_lists_is_the_callers():
    model = named("pooled")
    x, _ = batch(2)
    before = model(x)
    model.layers.pop()
    model.metrics.clear()
    assert len(model.layers) == 4
    assert len(model.metrics) == 1
    np.testing.assert_array_equal(model(x), before)


def test_what_a_call_returns_is_the_callers():
    model = named("pooled")
    x, _ = batch(2)
    first = model(x)
    kept = first.copy()
    model(x + 1)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(
    ("stack", "widest"),
    [("pooled", 11 * 10 * 3 + 4 * 4 * 8), ("winograd", 2 * 9 * 8 * 32), ("dense", 2 * 11 * 10 * 3)],
)
def test_large_batches_go_in_parts_that_caches_hold(stack, widest, monkeypatch):
    x, y = batch(11)
    weights = np.linspace(0, 2, 11)
    whole = named(stack)(x)
    loss_and_accuracy = named(stack).evaluate(x, y, 11, verbose=0, sample_weight=weights)
    for samples, sizes in [
        (3, {2, 3}),
        (3.9, {2, 3}),
        (4, {3, 4}),
        (6, {5, 6}),
        (10, {5, 6}),
        (11, {11}),
    ]:
        _budget(monkeypatch, int(samples * widest * x.itemsize))
        model = named(stack)
        np.testing.assert_allclose(model(x), whole, rtol=1e-5)
        assert _sizes(model) == sizes
        results = model.evaluate(x, y, 11, verbose=0, sample_weight=weights)
        np.testing.assert_allclose(results, loss_and_accuracy, rtol=1e-5)
        assert _sizes(model) == sizes
    model = named(stack)
    model(x)
    model.add(layers.Dense(4 * widest))
    model(x)
    assert _sizes(model) == {1, 2, 11}
    _budget(monkeypatch, 1)
    np.testing.assert_allclose(named(stack)(x), whole, rtol=1e-5)


def _budget(monkeypatch, nbytes):
    """Have large batches cut as if caches held so many bytes."""
    monkeypatch.setattr(cpu, "ABILITIES", cpu.ABILITIES._replace(cache_budget=nbytes))


def _sizes(model):
    """The numbers of samples that the model has a graph for."""
    return {shape[0] for _, _, (shape, _), *_ in model._graphs._graphs}


def test_a_layer_of_another_class_sees_the_whole_batch(monkeypatch):
    class Centred(layers.Flatten):
        def forward(self, x):
            y, backward = super().forward(x)
            return y - y.mean(0), backward

    _budget(monkeypatch, 1)
    x, _ = batch(6)
    model = network(Centred())
    flat = x.reshape(6, -1)
    np.testing.assert_array_equal(model(x), flat - flat.mean(0))


def test_models_do_not_spoil_one_anothers_gradients():
    """One thread trains, others predict with models whose graphs share the same memory."""

    def train(others):
        model = named("winograd")
        threads = [threading.Thread(target=predict, args=other) for other in others]
        for thread in threads:
            thread.start()
        for step in range(30):
            model.train_step(*batch(4, seed=step))
        done.set()
        for thread in threads:
            thread.join()
        return model.get_weights()

    def predict(model, x):
        expected = model(x)
        while not done.is_set():
            if not np.array_equal(model(x), expected):
                wrong.append(model.name)

    done, wrong = threading.Event(), []
    alone = train([])
    done.clear()
    models_beside = [named(stack) for stack in ("winograd", "pooled")]
    together = train([(model, batch(N)[0]) for model, N in zip(models_beside, (5, 4), strict=True)])
    assert wrong == []
    for got, expected in zip(together, alone, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_nothing_of_a_batch_is_kept():
    model = named("pooled")
    data, labels = batch(40)
    alive = weakref.ref(data)
    model.train_step(data[:4], labels[:4])
    model(data[4:8])
    del data
    gc.collect()
    assert alive() is None


def test_gradients_are_kept_once_for_all_sizes_of_a_batch():
    model = named("dense")
    for N in (4, 3, 2):
        model.train_step(*batch(N))
    kept = [graph.kept for _, graph in model._graphs._graphs.values()]
    assert len(kept) == 3
    assert {tuple(map(id, arrays)) for arrays in kept} == {tuple(map(id, kept[0]))}


def test_graphs_are_limited_in_number():
    model = named("dense")
    for N in range(1, 40):
        model(batch(N)[0])
    assert len(model._graphs._graphs) == graphs._LIMIT


def test_a_model_that_launches_nothing():
    model = models.Sequential([layers.Input((3, 2)), layers.Flatten()])
    for seed in (0, 1):
        x, _ = batch(2, (3, 2), seed)
        np.testing.assert_array_equal(model(x), x.reshape(2, 6))


def test_parts_of_other_classes_run_as_they_are():
    class Twice(layers.Flatten):
        def forward(self, x):
            y, backward = super().forward(x)
            return 2 * y, lambda dy, need_dx=True: backward(2 * dy, need_dx=need_dx)

    class Halved(nc.losses.SparseCategoricalCrossentropy):
        def on_scores(self, y_true, scores, sample_weight=None):
            loss, dscores = super().on_scores(y_true, scores, sample_weight)
            return loss / 2, dscores / 2

    for model in (network(Twice(), layers.Dense(5, activation="softmax")), network(*head())):
        model.compile("sgd", Halved())
        for seed in (0, 1):
            x, y = batch(3, seed=seed)
            model.reset_metrics()
            expected = (
                float(
                    ops.sparse_categorical_crossentropy(
                        plan.call(model._scored_plan()[0], [x])[0], y
                    )[0]
                )
                / 2
            )
            model.train_step(x, y)
            assert model.read_metrics()["loss"] == pytest.approx(expected, rel=1e-6)
        assert [graph for _, graph in model._graphs._graphs.values()] == [None]


def test_a_metric_of_another_class_counts():
    class Wrong(nc.metrics.SparseCategoricalAccuracy):
        def of_batch(self, y_true, y_pred):
            return 1 - super().of_batch(y_true, y_pred)

    model = network(*head(), metrics=[Wrong("wrong"), "accuracy"])
    x, y = batch(8)
    model.reset_metrics()
    model.train_step(x, y)
    values = model.read_metrics()
    assert values["wrong"] == pytest.approx(1 - values["accuracy"])


def test_wrong_input_is_refused_by_a_recorded_model():
    model = named("pooled")
    x, y = batch(4)
    model(x)
    model.train_step(x, y)
    with pytest.raises(TypeError, match="must all be float32 or all float64"):
        model(x.astype(np.float64))
    with pytest.raises(TypeError, match="expected NumPy or device arrays"):
        model(x.tolist())
    with pytest.raises(
        ValueError, match=r"labels must lie in 0\.\.4 for 5 classes\. Received: label 5"
    ):
        model.train_step(x, np.full(4, 5))
    with pytest.raises(TypeError, match=r"labels must be integers\. Received: float64"):
        model.train_step(x, np.full(4, 0.5))
    with pytest.raises(TypeError, match="expected NumPy or device arrays"):
        model.train_step(x, y.tolist())
    with pytest.raises(ValueError, match="labels"):
        model.train_step(x, y[:3])
    assert not memory.is_scratch(model(x))
    np.testing.assert_array_equal(model(np.asfortranarray(x)), model(x))


def test_a_backend_without_graphs_needs_none():
    assert backends.get("cpu").ABILITIES.records
    from numba_cnn.backends import cuda

    assert not cuda.ABILITIES.records


def test_fit_gives_the_same_bits(monkeypatch):
    def trained():
        nc.set_random_seed(5)
        model = small_cnn.build(layers, models)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(*small_cnn.data(), batch_size=16, epochs=2, validation_split=0.2, verbose=0)
        return [weight.tobytes() for weight in model.get_weights()], model.history.history

    recorded = trained()
    monkeypatch.setattr(cpu, "ABILITIES", cpu.ABILITIES._replace(records=False))
    assert trained() == recorded
