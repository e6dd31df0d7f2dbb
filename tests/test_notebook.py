"""What notebooks show: HTML that is well formed, whatever names hold."""

import math
import xml.etree.ElementTree as ElementTree

import numpy as np

from numba_cnn import Input, Model, Sequential, layers
from numba_cnn.callbacks import History


def parsed(html):
    return ElementTree.fromstring(
        html.replace("<br>", "<br/>").replace("<details open>", '<details open="">')
    )


def cells(html):
    return [[cell.text or "" for cell in row] for row in parsed(html).iter("tr")]


def test_a_model():
    model = Sequential(
        [Input((8, 9, 3)), layers.Conv2D(4, 3, name="a & b"), layers.Flatten(), layers.Dense(2)],
        name="<i>",
    )
    model.layers[0].trainable = False
    rows = cells(model._repr_html_())
    assert rows[1] == ["a & b", "Conv2D", "6 x 7 x 4", "112", "no"]
    assert rows[2][2:] == ["168", "0", ""]
    assert rows[3][3:] == ["338", "yes"]
    assert (
        "".join(parsed(model._repr_html_())[0].itertext())
        == "<i> (Sequential): 3 layers, 450 weights, 1.76 KB"
    )


def test_models_of_other_kinds():
    a, b = Input((3,)), Input((None, None, 2))
    made = Model([a, b], [layers.Dense(2)(a), layers.Conv2D(2, 3)(b)])
    assert [row[2] for row in cells(made._repr_html_()) if row[1] == "Conv2D"] == ["any x any x 2"]
    assert cells(Sequential([layers.Dense(2)])._repr_html_())[1][2:4] == ["?", "not built"]
    parsed(Sequential()._repr_html_())
    deep = Sequential([Input((3,)), *(layers.Dense(3) for _ in range(30))])
    assert deep._repr_html_().startswith("<details><summary>")


def test_a_history():
    model = Sequential([Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse", backend="cpu")
    x, y = np.ones((4, 3)), np.ones((4, 2))
    history = model.fit(x, y, epochs=3, verbose=0, validation_data=(x, y))
    found = parsed(history._repr_html_())
    assert found.text == "3 epochs"
    lines = list(found.iter("polyline"))
    assert [len(line.get("points").split()) for line in lines] == [3, 3]
    assert lines[1].get("stroke-dasharray")
    heights = [float(point.split(",")[1]) for point in lines[0].get("points").split()]
    assert heights == sorted(heights)  # the loss falls
    assert f"loss: {history.history['loss'][-1]:.4g}, validation" in history._repr_html_()


def test_histories_of_other_kinds():
    assert History()._repr_html_() == "<p>no epochs yet</p>"
    one = History()
    one.history = {"<loss>": [1.0], "odd": [math.nan, math.inf, 2.0], "flat": [3.0, 3.0]}
    parsed(one._repr_html_())
