"""Pictures of models: what stands in the boxes, and that no arrow runs through one."""

import random
import sys
import xml.etree.ElementTree as ElementTree
from itertools import combinations

import pytest
import small_cnn

from numba_cnn import Input, Model, Sequential, layers, models, utils
from numba_cnn.plots import architecture, drawing
from numba_cnn.plots.layout import layout


def residual():
    inputs = Input((8, 8, 4))
    x = inputs
    for _ in range(2):
        y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        x = layers.ReLU()(layers.Add()([layers.BatchNormalization()(y), x]))
    return Model(inputs, layers.Dense(2)(layers.Flatten()(x)), name="residual")


def unet():
    inputs, skips = Input((16, 16, 1)), []
    x = inputs
    for filters in (4, 8):
        x = layers.Conv2D(filters, 3, padding="same")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    for skip in reversed(skips):
        x = layers.Concatenate()([layers.UpSampling2D()(x), skip])
        x = layers.Conv2D(4, 3, padding="same")(x)
    return Model(inputs, x)


def nested():
    base = Sequential([Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same")], name="base")
    left, right = Input((8, 8, 4), name="left"), Input((8, 8, 4), name="right")
    return Model([left, right], residual()(layers.Add()([base(left), base(right)])))


def looped():
    """A layer that is called on what it gave."""
    inputs, dense = Input((3,)), layers.Dense(3)
    return Model(inputs, dense(dense(inputs)))


MODELS = {
    "tutorial": lambda: small_cnn.tutorial(layers, models),
    "residual": residual,
    "unet": unet,
    "nested": nested,
    "looped": looped,
}


def curve(line):
    """Points along an arrow."""
    at = None
    for letter, points in drawing._curve(line):
        if letter == "M":
            (at,) = points
            continue
        a, b, c, d = at, *points
        for i in range(21):
            t = i / 20
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield tuple(
                sum(w * p[k] for w, p in zip(weights, (a, b, c, d), strict=True)) for k in (0, 1)
            )
        at = d


def assert_free(shapes):
    """No point of an arrow lies inside of a black box; frames of models are not black."""
    boxes = [
        shape for shape in shapes if isinstance(shape, drawing.Box) and shape.fill == "#000000"
    ]
    for line in (shape for shape in shapes if isinstance(shape, drawing.Line)):
        for x, y in curve(line):
            for box in boxes:
                inside = 1 < x - box.x < box.width - 1 and 1 < y - box.y < box.height - 1
                assert not inside, (x, y, box)


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
@pytest.mark.parametrize("name", MODELS)
def test_arrows_run_past_boxes(name, rankdir):
    options = architecture.Options(rankdir, True, True, True, True, True, True)
    picture = architecture._of_model(MODELS[name](), options)
    assert_free(picture.shapes)
    for shape in picture.shapes:
        if isinstance(shape, drawing.Box):
            assert -0.1 <= shape.x <= picture.width - shape.width + 0.1
            assert -0.1 <= shape.y <= picture.height - shape.height + 0.1


def test_graphs_of_any_kind():
    chance = random.Random(1)
    for count in (1, 2, 5, 12, 20):
        sizes = [(chance.uniform(20, 200), chance.uniform(20, 60)) for _ in range(count)]
        edges = [(a, b) for a, b in combinations(range(count), 2) if chance.random() < 3 / count]
        found = layout(sizes, edges)
        boxes = [
            drawing.Box(x - w / 2, y - h / 2, w, h, "#000000")
            for (x, y), (w, h) in zip(found.boxes, sizes, strict=True)
        ]
        assert_free([*boxes, *map(drawing.Line, found.edges)])
        for one, other in combinations(boxes, 2):
            apart = (
                max(one.x, other.x) >= min(one.x + one.width, other.x + other.width)
                or max(one.y, other.y) >= min(one.y + one.height, other.y + other.height)
            )  # fmt: skip
            assert apart
        for (start, end), points in zip(edges, found.edges, strict=True):
            assert points[0][0] == pytest.approx(found.boxes[start][0])
            assert points[-1][0] == pytest.approx(found.boxes[end][0])


def words(path):
    texts = (element.text or "" for element in ElementTree.parse(path).iter())
    return [text for text in texts if text.strip()]


def test_words_of_an_svg(tmp_path):
    model = MODELS["tutorial"]()
    model.layers[0].trainable = False
    utils.plot_model(model, tmp_path / "a.svg")
    assert words(tmp_path / "a.svg")[:3] == ["Conv2D", "MaxPooling2D", "Conv2D"]
    shown = {
        f"show_{what}": True
        for what in ("shapes", "dtype", "layer_names", "layer_activations", "trainable")
    }
    utils.plot_model(model, tmp_path / "b.svg", **shown)
    assert words(tmp_path / "b.svg")[:10] == [
        "conv2d (Conv2D)", "Activation: relu", "Input shape: (None, 64, 64, 3)", "Output shape: (None, 62, 62, 32)",
        "Output dtype: float32", "Non-trainable", "max_pooling2d (MaxPooling2D)", "Input shape: (None, 62, 62, 32)",
        "Output shape: (None, 31, 31, 32)", "Output dtype: float32",
    ]  # fmt: skip


def test_models_inside(tmp_path):
    utils.plot_model(nested(), tmp_path / "a.svg")
    assert words(tmp_path / "a.svg") == [
        "InputLayer", "InputLayer", "Sequential", "Add", "Functional",
    ]  # fmt: skip
    utils.plot_model(nested(), tmp_path / "b.svg", show_layer_names=True, expand_nested=True)
    assert "base (Sequential)" in words(tmp_path / "b.svg")
    assert words(tmp_path / "b.svg").count("conv2d_3 (Conv2D)") == 1
    assert sum("(InputLayer)" in word for word in words(tmp_path / "b.svg")) == 3


def test_png(tmp_path):
    pytest.importorskip("matplotlib")
    utils.plot_model(unet(), tmp_path / "a.png", show_shapes=True, dpi=50)
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "numba-cnn\[plots\]"; a .svg needs noth'):
        utils.plot_model(unet(), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"to_file": "a.pdf"}, r"to_file must end in \.svg or \.png\. Received: 'a\.pdf'"),
        ({"rankdir": "UP"}, "rankdir must be one of 'TB'"),
        ({"dpi": 0}, "dpi must be an integer of at least 1"),
        ({"model": 3}, "plot_model: model must be a model. Received: 3"),
        ({"model": Sequential()}, "build the model first. Received: unbuilt sequential"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        utils.plot_model(**{"model": looped(), "to_file": "a.svg"} | arguments)
