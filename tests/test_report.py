"""report.html: one file, whose words can be read by everybody; looked at by a real browser where there is one."""

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from numba_cnn import Input, Sequential, layers, reports, set_random_seed
from numba_cnn.reports import history, measuring, page

pytest.importorskip("matplotlib")
NAMES = ["a <b>class</b> & co", "sea and lakes of some length", "road"]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
VOID = {"meta", "br", "hr", "img", "input", "link"}


def pictures():
    rng = np.random.default_rng(3)
    y = np.arange(30) % 3
    x = rng.uniform(0, 0.3, (30, 14, 18, 3)).astype(np.float32)
    x[np.arange(30), y * 4] += 0.6
    return x, y


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The path of a report on a model that is often wrong."""
    set_random_seed(2)
    x, y = pictures()
    model = Sequential(
        [
            Input((14, 18, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ],
        name="small",
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], backend="cpu")
    model.class_names = NAMES
    past = model.fit(x, y, epochs=2, verbose=0, validation_data=(x, y))
    names = [f"photos/{i}.jpg" for i in range(30)]
    labels = np.where(y == 2, 0, y)  # of which a third is wrong
    results = reports.results_of(model, x, labels, names)
    path = tmp_path_factory.mktemp("report") / "report.html"
    reports.write(path, model, results, past, {"epochs": 2, "learning_rate": 0.1})
    return path


class Reader(HTMLParser):
    """What a page has, and that its elements are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.loaded, self.headings = [], [], [], [], []
        self.pictures, self.named, self.text = [], {}, []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.ids.append(found["id"])
        for key in ("src", "href", "xlink:href"):
            if key in found:
                (self.links if tag == "a" else self.loaded).append(found[key])
        if tag in ("svg", "section"):
            self.pictures.append((tag, found))
        if tag not in VOID:
            self.open.append((tag, found))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1][0] in ("h1", "h2", "h3"):
            self.headings.append(self.open[-1][0])
        if self.open and "id" in self.open[-1][1]:
            self.named[self.open[-1][1]["id"]] = data


def test_one_file_without_a_network(report):
    text = report.read_text()
    read = Reader(text)
    assert all(link.startswith("#") for link in read.links)
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in read.loaded)
    assert not re.search(r"@import|url\((?!#)|<script|<iframe", text)
    assert "default-src 'none'" in text
    assert report.stat().st_size < 3e6


def test_what_screen_readers_and_keyboards_need(report):
    text = report.read_text()
    read = Reader(text)
    assert len(set(read.ids)) == len(read.ids)
    assert {link[1:] for link in read.links} <= set(read.ids)
    assert read.headings[0] == "h1"
    assert set(read.headings[1:]) == {"h2"}
    assert '<html lang="en">' in text
    assert re.search(r'<a class="skip" href="#main">', text)
    labelled = [found["aria-labelledby"] for _, found in read.pictures]
    assert len(labelled) > 12
    assert all(len(read.named[key]) > 5 for key in labelled)
    for name in NAMES:
        assert any(name in words for words in read.text)
    assert "<b>class</b>" not in text  # names are words, whatever they hold


def test_letters_stand_out_in_both_lights():
    """WCAG 2: a contrast of 4.5 for letters."""
    style = page._STYLE.read_text()
    light, dark = (
        dict(re.findall(r"--(\w+): (#\w{6})", part)) for part in style.split("@media")[:2]
    )
    for colours in (light, dark):
        for ink in ("ink", "soft", "link"):
            for ground in ("ground", "raised"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def contrast(one, other):
    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


LOOK = """
<pre id="found"></pre><script>
const found = {wide: document.documentElement.scrollWidth - innerWidth, words: [],
  ground: getComputedStyle(document.body).backgroundColor, ink: ''};
for (const svg of document.querySelectorAll('svg')) {
  const frame = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll('text')];
  const boxes = texts.map(text => [text.textContent.trim(), text.getBoundingClientRect()]).filter(([t]) => t);
  const name = svg.querySelector('title').textContent.slice(0, 30);
  for (const [text, box] of boxes)
    if (box.left < frame.left - 2 || box.right > frame.right + 2 || box.top < frame.top - 2 ||
        box.bottom > frame.bottom + 2)
      found.words.push([name, 'cut', text]);
  for (let i = 0; i < boxes.length; i++) for (let j = 0; j < i; j++) {
    const [s, a] = boxes[i], [t, b] = boxes[j];
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (x > 2 && y > 0.35 * Math.min(a.height, b.height)) found.words.push([name, s, t]);
  }
  if (boxes.length) found.ink = getComputedStyle(texts[0]).fill;
}
document.getElementById('found').textContent = JSON.stringify(found);
</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("dark", [False, True])
def test_in_a_browser(report, tmp_path, width, dark):
    """The page is no wider than a phone, no word is cut or lies over another, letters are light where it is dark."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", report.read_text())
    looked = tmp_path / "looked.html"
    looked.write_text(text.replace("</body>", LOOK))
    # A window has 500 pixels at least: a narrower page stands in a frame.
    framed = tmp_path / "framed.html"
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile",
        "--allow-file-access-from-files", f"--blink-settings=preferredColorScheme={int(not dark)}",
        f"--window-size={max(width, 520)},900", "--virtual-time-budget=4000", "--dump-dom",
    ]  # fmt: skip
    framed.write_text(
        f'<iframe id="page" style="width:{width}px;height:900px;border:0" src="looked.html"></iframe><script>'
        "onload = () => document.body.append(document.getElementById('page').contentDocument.getElementById('found'))"
        "</script>"
    )
    dom = subprocess.run(
        [*command, framed.as_uri()], capture_output=True, text=True, check=True, timeout=90
    ).stdout
    said = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    found = json.loads(html.unescape(said[1]))
    assert found["wide"] <= 0
    assert found["words"] == []
    lightness = [sum(map(int, re.findall(r"\d+", found[key])[:3])) for key in ("ground", "ink")]
    assert (lightness[0] < lightness[1]) == dark


def test_a_model_without_maps(tmp_path):
    """A report has what there is."""
    model = Sequential([Input((4, 5, 3)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", backend="cpu")
    x, y = np.zeros((4, 4, 5, 3), np.float32), np.array([0, 1, 0, 1])
    results = reports.results_of(model, x, y)
    reports.write(tmp_path / "report.html", model, results)
    assert "model must have a layer with maps" in (tmp_path / "report.html").read_text()


def test_the_history_of_a_file(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss,val_loss\n0,1.5,2\n1,1.25,1e-3\n")
    assert history.read_history(path) == {"loss": [1.5, 1.25], "val_loss": [2.0, 0.001]}
    for text in ("", "epoch,loss\n", "a,b\n1,2\n", "epoch,loss\n1\n", "epoch,loss\n0,x\n"):
        path.write_text(text)
        with pytest.raises(ValueError, match="cannot read the history"):
            history.read_history(path)


def test_operations_of_layers():
    """By hand, for a batch of 2."""
    inputs = Input((8, 6, 3))
    found = {}
    for layer in (
        layers.Conv2D(4, 3, padding="same", strides=2), layers.DepthwiseConv2D(3), layers.Dense(5),
        layers.Conv2DTranspose(4, 2, strides=2), layers.SeparableConv2D(4, 3), layers.ReLU(),
    ):  # fmt: skip
        layer(inputs)
        found[layer.class_name] = measuring.flop(layer, 2)
    assert found == {
        "Conv2D": 2 * 2 * 4 * 3 * 4 * 27,
        "DepthwiseConv2D": 2 * 2 * 6 * 4 * 3 * 9,
        "Dense": 2 * 2 * 8 * 6 * 3 * 5,
        "Conv2DTranspose": 2 * 2 * 8 * 6 * 3 * 4 * 4,
        "SeparableConv2D": 2 * 2 * 6 * 4 * (3 * 9 + 3 * 4),
        "ReLU": 0,
    }
