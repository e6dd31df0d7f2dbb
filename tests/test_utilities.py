"""Data sets in two parts, graphs in the DOT language; what Keras judges of them stands in own_words.py."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import own_words
import pytest

import numba_cnn
from numba_cnn import Sequential, layers, models, utils
from numba_cnn.utils.dataset import Dataset

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)


def sides(*given, **settings):
    """The elements of both parts, as plain lists."""
    parts = utils.split_dataset(*given, **settings)
    return [[np.asarray(one).tolist() for one in part] for part in parts]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"left_size": 7}, (7, 3)),
        ({"left_size": 0.7}, (7, 3)),
        ({"right_size": 0.25}, (8, 2)),
        ({"left_size": 0.5, "right_size": 0.2}, (5, 2)),
        ({"left_size": 3, "right_size": 3}, (3, 3)),
    ],
)
def test_the_first_and_the_last(sizes, expected):
    left, right = sides(Y, **sizes)
    assert left == Y[: expected[0]].tolist()
    assert right == Y[-expected[1] :].tolist()
    parts = utils.split_dataset(Y, **sizes)
    assert tuple(map(len, parts)) == expected


def test_arrays_of_one_length_stay_together():
    for given in ((X, Y), [X, Y]):
        left, _ = utils.split_dataset(given, left_size=4)
        (x, y), *_ = left
        assert (np.asarray(x).tolist(), int(y)) == ([0.0, 1.0], 0)
        assert all(float(x[0]) == 2 * int(y) for x, y in left)
    left, right = utils.split_dataset({"x": X, "y": Y}, right_size=1)
    assert [int(one["y"]) for one in right] == [9]


def test_an_order_of_the_seeds():
    left, right = sides(Y, left_size=6, shuffle=True, seed=3)
    assert sorted(left + right) == Y.tolist()
    assert left != Y[:6].tolist()
    assert sides(Y, left_size=6, shuffle=True, seed=3) == [left, right]
    assert sides(Y, left_size=6, shuffle=True, seed=4)[0] != left


def test_of_batches_samples_are_divided():
    batches = Dataset.from_tensor_slices((X, Y)).batch(4)
    left, right = utils.split_dataset(batches, left_size=0.5)
    assert [np.asarray(y).tolist() for _, y in left] == [[0, 1, 2, 3], [4]]
    assert [np.asarray(y).tolist() for _, y in right] == [[5, 6, 7, 8], [9]]
    model = Sequential([layers.Input((2,)), layers.Dense(10)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(left, validation_data=right, verbose=0).history
    assert history.keys() == {"loss", "val_loss"}
    mapped = utils.split_dataset(batches.map(lambda x, y: y), left_size=2)[0]
    assert [np.asarray(y).tolist() for y in mapped] == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize(
    ("given", "sizes", "message"),
    [
        (Y, {}, "give left_size, right_size or both. Received: neither"),
        (
            Y,
            {"left_size": 10},
            "left_size must be a whole number from 1 to 9, or a share.*Received: 10",
        ),
        (Y, {"right_size": 1.0}, "right_size must be .*Received: 1.0"),
        (Y, {"right_size": "a"}, "right_size must be .*Received: 'a'"),
        (
            Y,
            {"left_size": 6, "right_size": 5},
            "must be 10 samples at most together. Received: 6 and 5",
        ),
        (3, {"left_size": 1}, "dataset must be a data set, or arrays of one length. Received: 3"),
        ((X, Y[:3]), {"left_size": 1}, "dataset must be a data set, or arrays of one length"),
        (Y, {"left_size": 1, "shuffle": 3}, "shuffle must be"),
    ],
)
def test_what_cannot_be_divided(given, sizes, message):
    with pytest.raises(ValueError, match=f"split_dataset: .*{message}"):
        utils.split_dataset(given, **sizes)


def network():
    return Sequential(
        [layers.Input((3,)), layers.Dense(2, name="a{b}|c"), layers.ReLU(name="last")]
    )


def test_a_graph_draws_itself(tmp_path):
    dot = utils.model_to_dot(network(), show_shapes=True)
    for content in (dot.create(), dot.create(prog="dot", format="svg"), dot.create_svg()):
        texts = [one.text for one in ElementTree.fromstring(content).iter() if one.text]
        assert "last (ReLU)" in texts
        assert "Output shape: (None, 2)" in texts
    assert dot._repr_svg_() == dot.create_svg().decode()
    utils.plot_model(network(), tmp_path / "m.svg", show_shapes=True, show_layer_names=True)
    assert (tmp_path / "m.svg").read_bytes() == dot.create_svg()
    pytest.importorskip("matplotlib")
    assert dot.create_png() == dot.create(format="png")
    assert dot.create_png()[1:4] == b"PNG"


def test_a_graph_in_files(tmp_path):
    dot = utils.model_to_dot(network())
    text = dot.to_string()
    assert str(dot) == text == dot.create(format="dot").decode()
    assert text.startswith("digraph {")
    assert r"a\{b\}\|c (Dense)" in text
    for name, write in (("a.dot", dot.write), ("b.gv", dot.write_raw), ("c.txt", dot.write_dot)):
        assert write(tmp_path / name) is True
        assert (tmp_path / name).read_text() == text
    for name, write in (("a.svg", dot.write), ("b.svg", dot.write_svg)):
        write(tmp_path / name)
        assert (tmp_path / name).read_bytes() == dot.create_svg()
    with pytest.raises(ValueError, match="format must be one of 'svg', 'png', 'dot', 'raw'"):
        dot.create(format="pdf")


def test_a_graph_says_what_is_shown():
    model = network()
    model.layers[0].trainable = False
    text = utils.model_to_dot(model, show_trainable=True, rankdir="LR", dpi=70).to_string()
    assert "Non-trainable" in text
    assert "graph [rankdir=LR, dpi=70," in text
    assert text.count("rainable") == 1  # the other layer has no weights
    assert "0 -> 1;" in text


def test_clones_are_compiled():
    model = own_words.branches(numba_cnn)
    clone = models.clone_model(model)
    assert clone.optimizer is not model.optimizer
    assert clone.fit(own_words.X, own_words.X[:, :2], verbose=0).history.keys() == {"loss", "mae"}
    plain = models.clone_model(network())
    assert plain.optimizer is None


def test_a_layer_that_is_called_twice_has_one_clone():
    made = []

    def again(layer):
        made.append(layer.name)
        return type(layer).from_config(layer.get_config())

    clone = models.clone_model(own_words.branches(numba_cnn), clone_function=again)
    assert sorted(made) == ["drop", "inside", "joined", "shared", "top"]
    assert len(clone.weights) == 6


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"clone_function": 3}, ValueError, "clone_function must be"),
        ({"clone_function": lambda layer: layer.name}, TypeError, "must return a layer. Received: 'inside', for"),
        ({"input_tensors": 3}, ValueError, r"input_tensors must be what Input\(...\) returned, 1 of them. Received: 3"),
        ({"input_tensors": [layers.Input((5,)), layers.Input((5,))]}, ValueError, "1 of them"),
        ({"recursive": 3}, ValueError, "recursive must be"),
    ],
)  # fmt: skip
def test_clones_that_cannot_be_made(settings, error, message):
    with pytest.raises(error, match=f"clone_model: .*{message}"):
        models.clone_model(own_words.branches(numba_cnn), **settings)


def distance(y_true, y_pred):
    return abs(y_true - y_pred).mean(-1)


def test_clones_know_functions_of_the_users_own_and_models_without_a_shape():
    model = Sequential([layers.Dense(2)])
    model.compile("adam", "mse", metrics=[distance])
    clone = models.clone_model(model)
    assert not clone.built
    assert clone.fit(X, X, verbose=0).history.keys() == {"loss", "distance"}
