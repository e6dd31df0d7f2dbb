"""Figures of models: what stands in them, that words do not lie over one another, and what is refused."""

import sys
from itertools import combinations

import numpy as np
import pytest

from numba_cnn import Input, Model, Sequential, classification, layers, plots, set_random_seed
from numba_cnn.plots import attention

pytest.importorskip("matplotlib")
RNG = np.random.default_rng(3)
NAMES = ["Herbaceous vegetation", "sea", "road"]


@pytest.fixture(scope="module")
def trained():
    """(model, x, y, history): images whose class is the quarter in which they are bright."""
    set_random_seed(4)
    y = np.arange(60) % 3
    x = RNG.uniform(0, 0.3, (60, 12, 12, 3)).astype(np.float32)
    for i, label in enumerate(y):
        x[i, 6 * (label // 2) : 6 * (label // 2) + 6, 6 * (label % 2) : 6 * (label % 2) + 6] += 0.7
    model = Sequential(
        [
            Input((12, 12, 3)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(6, 3, activation="relu", name="conv2d_1"),
            layers.Flatten(name="flatten"),
            layers.Dense(5, activation="relu", name="features"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], backend="cpu")
    model.class_names = NAMES
    history = model.fit(x, y, epochs=25, batch_size=10, verbose=0, validation_data=(x[:9], y[:9]))
    assert history.history["accuracy"][-1] == 1
    return model, x, y, history


def drawn(figure):
    """The figure, once it has been drawn; no word may lie over another, or be cut off."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas, texts, draw = FigureCanvasAgg(figure), {}, Text.draw

    def noted(text, renderer):
        texts[id(text)] = text
        draw(text, renderer)

    canvas.draw()  # which lays it out
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", noted)
        canvas.draw()
    shown = [text for text in texts.values() if text.get_visible() and text.get_text().strip()]
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in shown]
    width, height = canvas.get_width_height()
    for words, box in boxes:
        assert box.x0 > -1, words
        assert box.y0 > -1, words
        assert box.x1 < width + 1, words
        assert box.y1 < height + 1, words
    for (one, a), (other, b) in combinations(boxes, 2):
        apart = a.x0 >= b.x1 - 1 or b.x0 >= a.x1 - 1 or a.y0 >= b.y1 - 1 or b.y0 >= a.y1 - 1
        assert apart, (one, other)
    return figure


def words(figure):
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text().strip()]


def test_curves(trained):
    *_, history = trained
    figure = drawn(plots.curves(history))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "accuracy"]
    line, dashed = figure.axes[1].lines
    np.testing.assert_array_equal(line.get_ydata(), history.history["accuracy"])
    np.testing.assert_array_equal(dashed.get_ydata(), history.history["val_accuracy"])
    assert (line.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    drawn(plots.curves(trained[0]))  # a model that was fit
    drawn(plots.curves({"loss": [1.0]}))


def test_filters(trained):
    model, *_ = trained
    figure = drawn(plots.filters(model))
    kernel = model.get_weights()[0]
    shown = np.array([axes.images[0].get_array() for axes in figure.axes])
    expected = (kernel.transpose(3, 0, 1, 2) / np.abs(kernel).max() + 1) / 2
    np.testing.assert_allclose(shown, expected, atol=1e-6)
    assert len(drawn(plots.filters(model, "conv2d_1", count=4)).axes) == 4


def test_feature_maps(trained):
    model, x, *_ = trained
    figure = drawn(plots.feature_maps(model, x[0], count=3))
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    first = Model(model.inputs, model.layers[0].output).predict(x[:1], verbose=0)[0]
    assert any(np.allclose(images[1], first[..., channel]) for channel in range(8))
    assert [text.split("\n")[1] for text in words(figure)] == [
        "12x12x3",
        "10x10x8",
        "5x5x8",
        "3x3x6",
    ]


def test_confusion_matrix(trained):
    model, x, y, _ = trained
    wrong = y.copy()
    wrong[:5] = (wrong[:5] + 1) % 3  # five that the model gets "wrong"
    figure = drawn(plots.confusion_matrix(model, x, wrong))
    matrix = np.zeros((3, 3), int)
    np.add.at(matrix, (wrong, y), 1)
    numbers = [int(text.get_text()) for text in figure.axes[0].texts]
    assert numbers == matrix[matrix > 0].tolist()
    assert set(NAMES) <= set(words(figure))


def test_mistakes(trained):
    model, x, y, _ = trained
    assert words(drawn(plots.mistakes(model, x, y))) == ["none of 60 is wrong"]
    wrong = y.copy()
    wrong[[3, 7]] = 1, 2
    figure = drawn(plots.mistakes(model, x, wrong, count=5))
    sure = model.predict(x[[3, 7]], verbose=0).max(1)
    order = [3, 7] if sure[0] >= sure[1] else [7, 3]
    assert len(figure.axes) == sum(wrong != y)
    for axes, place in zip(figure.axes, order, strict=False):
        np.testing.assert_allclose(axes.images[0].get_array(), x[place], atol=1e-6)


@pytest.mark.parametrize("function", [plots.grad_cam, plots.saliency])
def test_where_it_looks(trained, function):
    model, x, y, _ = trained
    figure = drawn(function(model, x[:6]))
    assert len(figure.axes) == 12
    assert [axes.get_title() for axes in figure.axes[::2]] == [
        NAMES[i][:19] + "…" if len(NAMES[i]) > 20 else NAMES[i] for i in y[:6]
    ]
    drawn(function(model, x[0], classes=1))


def test_grad_cam_is_the_formula(trained):
    """Weights are the means of the gradients over a map; finite differences say what these are."""
    model, x, *_ = trained
    image = x[:1]
    heat, said = attention.class_activation("test", model, image, None, "conv2d_1")
    maps = (
        Model(model.inputs, model.layers[2].output).predict(image, verbose=0)[0].astype(np.float64)
    )
    weights = {p.path: np.asarray(p.numpy(), np.float64) for p in model.weights}
    dense = [weights[path] for path in weights if "dense" in path or "features" in path]

    def score(maps):
        hidden = np.maximum(maps.reshape(-1) @ dense[0] + dense[1], 0)
        return (hidden @ dense[2] + dense[3])[said[0]]

    gradient = np.zeros_like(maps)
    for place in np.ndindex(maps.shape):
        step = np.zeros_like(maps)
        step[place] = 1e-5
        gradient[place] = (score(maps + step) - score(maps - step)) / 2e-5
    expected = np.maximum((maps * gradient.mean((0, 1))).sum(-1), 0)
    np.testing.assert_allclose(heat[0, 2::4, 2::4][:3, :3].max(), heat.max(), atol=0.6)
    small = attention._to_one(expected[None].astype(np.float32))
    np.testing.assert_allclose(heat, attention._enlarged(small, (12, 12)), rtol=1e-4, atol=1e-5)


def test_maps_are_enlarged_between_their_middles():
    maps = np.array([[[0.0, 1.0]]], np.float32)
    found = attention._enlarged(maps, (2, 4))[0]
    np.testing.assert_allclose(found, [[0, 0.25, 0.75, 1]] * 2)


def test_embeddings(trained):
    model, x, y, _ = trained
    figure = drawn(plots.embeddings(model, x, y))
    features = Model(model.inputs, model.get_layer("features").output).predict(x, verbose=0)
    centred = features - features.mean(0)
    points = np.concatenate([one.get_offsets() for one in figure.axes[0].collections])
    order = np.concatenate([np.flatnonzero(y == label) for label in range(3)])
    variance = np.sort(np.linalg.eigvalsh(centred.T @ centred))[::-1]
    np.testing.assert_allclose((points**2).sum(0), variance[:2], rtol=1e-3)
    distances = np.linalg.norm(centred[order][:, None] - centred[order], axis=-1)
    flat = np.linalg.norm(points[:, None] - points, axis=-1)
    assert (flat <= distances + 1e-4).all()  # a projection


@pytest.mark.parametrize("deep", [False, True])
def test_blocks(trained, deep):
    model = trained[0]
    if deep:  # in several rows
        model = Sequential([Input((64, 64, 3))])
        for filters in range(8, 26):
            model.add(layers.Conv2D(filters, 3, padding="same"))
            model.add(layers.BatchNormalization())
    figure = drawn(plots.blocks(model))
    found = words(figure)
    assert found[:4] == ["12x12x3", "Input", "10x10x8", "Conv2D 3x3"] or deep
    assert not deep or "64x64x25" in found


def test_two_classes_of_one_number():
    model = Sequential(
        [
            Input((6, 6, 1)),
            layers.Conv2D(2, 3),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    x, y = RNG.uniform(0, 255, (4, 6, 6, 1)), np.array([[0], [1], [1], [0]])
    for figure in (
        plots.confusion_matrix(model, x, y), plots.mistakes(model, x, y), plots.grad_cam(model, x),
        plots.saliency(model, x, [0, 1, 0, 1]), plots.embeddings(model, x, y),
    ):  # fmt: skip
        drawn(figure)


def test_numbers_of_a_classification():
    """By hand: 3 of class a, called a, a, b; 1 of class b, called b; none of class c, and nothing is called c."""
    shares = np.eye(3)[[0, 0, 1, 1]]
    found = classification.classified("test", shares, [0, 0, 0, 1], ["a", "b", "c"])
    assert found.matrix.tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert found.accuracy == 0.75
    np.testing.assert_allclose(found.precision, [1, 0.5, 0])
    np.testing.assert_allclose(found.recall, [2 / 3, 1, 0])
    np.testing.assert_allclose(found.f1, [0.8, 2 / 3, 0])
    said = found.as_dict()
    assert said["classes"][0] == {
        "name": "a",
        "precision": 1.0,
        "recall": 2 / 3,
        "f1": 0.8,
        "support": 3,
    }
    assert said["confusion_matrix"] == found.matrix.tolist()


def test_without_matplotlib_the_extra_is_named(trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ImportError, match=r'filters: figures need Matplotlib: pip install "numba-cnn\[plots\]"'
    ):
        plots.filters(trained[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x, y: plots.curves({"loss": []}), "history must have at least one epoch"),
        (lambda m, x, y: plots.curves(3), "history must be what fit"),
        (
            lambda m, x, y: plots.filters(m, "flatten"),
            r"layer must have filters .* Received: flatten \(Flatten\)",
        ),
        (
            lambda m, x, y: plots.feature_maps(m, x[..., :2]),
            r"image must be images \(N, 12, 12, 3\)",
        ),
        (
            lambda m, x, y: plots.mistakes(m, x, y[:3]),
            "y must be the number of the class of each of the 60 samples",
        ),
        (
            lambda m, x, y: plots.mistakes(m, x, y + 1),
            "y must be the number of the class .* 0 to 2",
        ),
        (lambda m, x, y: plots.grad_cam(m, x, classes=9), "classes must be a number of 0 to 2"),
        (lambda m, x, y: plots.grad_cam(m, x, layer="flatten"), "layer must give maps"),
        (lambda m, x, y: plots.blocks(Sequential([layers.Dense(2)])), "build the model first"),
        (lambda m, x, y: plots.blocks("model"), "model must be a model"),
    ],
)
def test_wrong_arguments(trained, call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call(*trained[:3])
