"""The command on folders of real JPEG files: from an empty folder to predictions, as text, JSON, CSV and pictures."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from numba_cnn import commands, models, session
from numba_cnn.commands import data

Image = pytest.importorskip("PIL.Image")
COLOURS = {"blue sea": (30, 60, 200), "grün": (40, 160, 60), "red": (200, 50, 40)}


def photo(colour, seed):
    """An image of 40x30 pixels around a colour."""
    noise = np.random.default_rng(seed).normal(0, 25, (30, 40, 3))
    return Image.fromarray(np.clip(noise + colour, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    home = tmp_path_factory.mktemp("photos")
    for name, colour in COLOURS.items():
        (home / name).mkdir()
        for i in range(20):
            photo(colour, i).save(home / name / f"{i:02d}.jpg")
    return home


@pytest.fixture(scope="module")
def trained(photos, tmp_path_factory):
    """The folder of a run, whose report is written too."""
    pytest.importorskip("matplotlib")
    session.clear_session()  # as in a process of its own: names of layers count from the start
    out = tmp_path_factory.mktemp("runs") / "run"
    words = [
        "train",
        "--data",
        photos,
        "--epochs",
        6,
        "--image-size",
        24,
        "--model",
        "lenet",
        "--out",
        out,
    ]
    # LeNet in colour: from its description, since by name it takes grey images.
    model = models.lenet((24, 24, 3), 3)
    described = out.parent / "lenet.json"
    described.write_text(model.to_json())
    words[words.index("lenet")] = described
    assert commands.main([*map(str, words), "--learning-rate", "0.003", "--backend", "cpu"]) == 0
    return out


@pytest.fixture
def run(capsysbinary):
    def run(*words):
        try:
            code = commands.main([*map(str, words)])
        except SystemExit as stop:
            code = stop.code
        captured = capsysbinary.readouterr()
        assert b"Traceback" not in captured.err
        return code, captured.out.decode(), captured.err.decode()

    return run


def test_what_a_run_leaves(trained, photos):
    found = sorted(os.listdir(trained))
    assert found == ["backup", "config.toml", "history.csv", "model.keras", "report.html"]
    assert models.load_model(trained / "model.keras").class_names == list(COLOURS)


def test_evaluate(run, trained):
    code, text, _ = run("evaluate", trained)
    assert code == 0
    assert re.search(r"^grün +1\.0000 +1\.0000 +1\.0000 +4$", text, re.MULTILINE)
    assert "rows: true class; columns: called" in text
    code, text, _ = run("evaluate", trained, "--json")
    said = json.loads(text)
    assert said["accuracy"] == said["macro"]["f1"] == 1
    assert said["confusion_matrix"] == [[4, 0, 0], [0, 4, 0], [0, 0, 4]]
    assert [one["name"] for one in said["classes"]] == list(COLOURS)
    assert said["mistakes"] == []


def test_mistakes_are_listed(run, trained, tmp_path):
    """One file in the wrong folder."""
    for name, colour in COLOURS.items():
        for part in ("train", "test"):
            (tmp_path / part / name).mkdir(parents=True)
            photo(colour, 1).save(tmp_path / part / name / "a.png")
    photo(COLOURS["red"], 2).save(tmp_path / "test" / "blue sea" / "wrong.png")
    code, text, _ = run("evaluate", trained, "--data", tmp_path, "--json")
    said = json.loads(text)
    assert (code, said["samples"]) == (0, 4)
    (mistake,) = said["mistakes"]
    assert mistake["image"].endswith("wrong.png")
    assert (mistake["true"], mistake["called"]) == ("blue sea", "red")
    assert mistake["probability"] > 0.4
    assert "red, is blue sea: " in run("evaluate", trained, "--data", tmp_path)[1]


class TestPredict:
    def test_a_folder(self, run, trained, photos):
        code, text, _ = run("predict", trained, photos)
        rows = [line.split("\t") for line in text.splitlines()]
        assert code == 0
        assert len(rows) == 60
        assert all(os.path.basename(os.path.dirname(path)) == name for path, name, _ in rows)

    def test_the_likeliest(self, run, trained, photos):
        path = photos / "red" / "00.jpg"
        said = json.loads(run("predict", trained, path, "--json", "--top", 2)[1])
        assert [one["image"] for one in said] == [str(path)]
        first, second = said[0]["classes"]
        assert first["name"] == "red"
        assert first["probability"] > second["probability"]
        text = run("predict", trained, path, "--top", 9, "--csv")[1]
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["rank"] for row in rows] == ["1", "2", "3"]
        assert float(rows[0]["probability"]) == pytest.approx(first["probability"], abs=1e-5)

    def test_standard_input(self, trained, photos):
        command = [sys.executable, "-m", "numba_cnn", "predict", str(trained), "-"]
        content = (photos / "red" / "01.jpg").read_bytes()
        found = subprocess.run(command, input=content, capture_output=True)
        assert (found.returncode, found.stderr) == (0, b"")
        assert found.stdout.startswith(b"-\tred\t")
        broken = subprocess.run(command, input=content[:50], capture_output=True, text=False)
        assert broken.returncode == 1
        assert re.fullmatch(rb"numba-cnn: error: cannot read the image: .*\n", broken.stderr)

    def test_what_cannot_be_read_is_named_and_the_others_are_done(
        self, run, trained, photos, tmp_path
    ):
        for i in range(3):
            (tmp_path / f"{i}.jpg").write_bytes((photos / "red" / "02.jpg").read_bytes())
        (tmp_path / "1.jpg").write_bytes(b"no image")
        code, text, error = run("predict", trained, tmp_path)
        assert code == 1
        assert len(text.splitlines()) == 2
        assert re.fullmatch(r"numba-cnn: cannot read the image: .*1\.jpg\n", error)

    def test_an_empty_folder(self, run, trained, tmp_path):
        code, _, error = run("predict", trained, tmp_path)
        assert (code, error) == (
            1,
            f"numba-cnn: error: expected images in the folder. Received: {tmp_path}\n",
        )


def test_more_images_than_memory_is_to_hold(run, photos, tmp_path, monkeypatch):
    """They are read batch by batch, in an order in which classes are mixed, and give the same results."""
    from numba_cnn.commands import data

    kept = data.load(str(photos), (24, 24))
    monkeypatch.setattr(data, "_IN_MEMORY", 0)
    streamed = data.load(str(photos), (24, 24), batch_size=7)
    assert isinstance(streamed.train.x, data.Files)
    assert len({*streamed.train.x[0][1].tolist()}) > 1
    for part, other in zip(streamed[:3], kept[:3], strict=True):
        assert len(part.y) == len(other.y)
    np.testing.assert_array_equal(streamed.test.x.all(), kept.test.x)
    np.testing.assert_array_equal(streamed.test.images([3, 1]), kept.test.x[[3, 1]])
    out = tmp_path / "out"
    words = (
        "--data",
        photos,
        "--model",
        "mobilenet",
        "--image-size",
        24,
        "--epochs",
        2,
        "--batch-size",
        7,
    )
    assert run("train", *words, "--out", out, "--balance", "--patience", 2)[0] == 0
    code, text, _ = run("evaluate", out, "--json")
    streamed_said = json.loads(text)
    monkeypatch.undo()
    said = json.loads(run("evaluate", out, "--json")[1])
    assert said["confusion_matrix"] == streamed_said["confusion_matrix"]
    assert said["loss"] == pytest.approx(streamed_said["loss"], rel=1e-4)


@pytest.mark.parametrize(
    "kind",
    [
        "blocks",
        "graph",
        "curves",
        "filters",
        "maps",
        "confusion",
        "mistakes",
        "grad-cam",
        "saliency",
        "embeddings",
    ],
)
def test_plot(run, trained, tmp_path, kind):
    target = tmp_path / f"{kind}.png"
    assert run("plot", kind, trained, "--out", target) == (0, f"Saved {target}\n", "")
    with Image.open(target) as image:
        assert min(image.size) > 50
        assert np.asarray(image.convert("L")).std() > 3  # not empty


def test_plot_of_images(run, trained, photos, tmp_path):
    target = tmp_path / "a.svg"
    code, *_ = run(
        "plot", "grad-cam", trained, "--images", photos / "red" / "00.jpg", "--out", target
    )
    assert code == 0
    assert target.read_text().startswith("<?xml")
    assert run("plot", "maps", trained, "--out", tmp_path / "a.gif")[0] == 2


@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5", ".npz", ".json"])
def test_convert(run, trained, tmp_path, ending):
    target = tmp_path / f"a{ending}"
    assert run("convert", trained, target) == (0, f"Saved {target}\n", "")
    model = models.load_model(trained / "model.keras")
    if ending in (".keras", ".h5"):
        read = models.load_model(target).get_weights()
    elif ending == ".json":
        assert models.model_from_json(target.read_text()).count_params() == model.count_params()
        read = model.get_weights()
    elif ending == ".npz":
        with np.load(target) as arrays:
            read = [arrays[parameter.path] for parameter in model.weights]
    else:
        other = models.load_model(trained / "model.keras")
        other.set_weights([0 * one for one in other.get_weights()])
        other.load_weights(target)
        read = other.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(read, model.get_weights(), strict=True))
    code, _, error = run("convert", trained, target)
    assert code == 1
    assert "there is a file already; --force overwrites it" in error
    assert run("convert", trained, target, "--force")[0] == 0


def test_folders_without_images_are_named(photos, tmp_path, capsys):
    home = tmp_path / "photos"
    shutil.copytree(photos, home)
    (home / "green").mkdir()
    (home / "yellow" / "inside").mkdir(parents=True)
    found = data.load(str(home), (8, 8))
    assert found.class_names == list(COLOURS)
    said = capsys.readouterr().err
    assert said == f"{home}: no images lie in 'green', 'yellow': left out as classes\n"
    data.load(str(photos), (8, 8))
    assert capsys.readouterr().err == ""


def test_explain(run, trained):
    code, text, _ = run("explain", trained, "--batch-size", 4, "--threads", 1)
    assert code == 0
    assert re.search(
        r"^conv2d +\d+\.\d{3} +\d+\.\d{3}-\d+\.\d{3} +2\.1 +\d+%$", text, re.MULTILINE
    )  # 2*4*24*24*6*75 operations
    assert re.search(r"^  forward +\w+: ", text, re.MULTILINE)
    assert re.search(r"^all +\d", text, re.MULTILINE)


def test_bench_beside_the_last_run(run, trained, tmp_path):
    kept = tmp_path / "bench.json"
    words = ("bench", trained, "--batch-size", 4, "--threads", 1, "--save", kept)
    first = json.loads(run(*words, "--json")[1])
    assert first["before"] is None
    assert first["training step, ms"] > 0
    assert [one["layer"] for one in first["layers"]][:2] == ["conv2d", "average_pooling2d"]
    code, text, _ = run(*words)
    assert code == 0
    number = re.escape(f"{first['GB/s']:.3f}")
    assert re.search(rf"^GB/s +[\d.]+ +{number} +[\d.]+$", text, re.MULTILINE)
    kept.write_text("[")
    assert run(*words)[0] == 0  # a broken file counts as none


def test_warmup(run, trained):
    before = (trained / "model.keras").read_bytes()
    code, text, _ = run("warmup", trained, "--batch-size", 2)
    assert code == 0
    assert re.fullmatch(rf"{re.escape(str(trained))}: [\d.]+ s\n", text)
    assert (trained / "model.keras").read_bytes() == before


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(run, shell, tmp_path):
    code, script, _ = run("completion", shell)
    assert code == 0
    if shell == "bash":
        (tmp_path / "script").write_text(script)
        typed = "COMP_WORDS=(numba-cnn train --ep); COMP_CWORD=2"
        check = f'. {tmp_path}/script; {typed}; _numba_cnn; echo "${{COMPREPLY[@]}}"'
        found = subprocess.run(["bash", "-c", check], capture_output=True, text=True, check=True)
        assert found.stdout == "--epochs\n"


class TestSegmentation:
    @pytest.fixture
    def folder(self, tmp_path):
        rng = np.random.default_rng(3)
        for name in ("images", "masks"):
            (tmp_path / name).mkdir()
        for i in range(15):
            mask = np.zeros((24, 32), np.uint8)
            top, left = rng.integers(0, 12, 2)
            mask[top : top + 10, left : left + 14] = 255
            image = rng.integers(0, 90, (24, 32, 3)) + (mask[..., None] // 2)
            Image.fromarray(image.astype(np.uint8)).save(tmp_path / "images" / f"{i}.png")
            Image.fromarray(mask).save(tmp_path / "masks" / f"{i}.png")
        return tmp_path

    def test_unet(self, run, folder):
        out = folder / "out"
        code, text, error = run(
            "train", "--data", folder, "--model", "unet", "--image-size", 16, "--epochs", 5, "--out", out,
            "--batch-size", 4, "--learning-rate", 0.005,
        )  # fmt: skip
        assert (code, error) == (0, "")
        assert re.search(r"^255 +[\d.]+ +[\d.]+", text, re.MULTILINE)
        assert float(re.findall(r"accuracy (0\.\d+)", text)[-1]) > 0.8
        assert "the true class of each pixel" in (out / "report.html").read_text()

    def test_words_that_do_not_fit(self, run, folder):
        code, _, error = run("train", "--data", folder, "--out", folder / "out")
        assert code == 1
        assert "--model unet takes a folder with images and masks" in error


@pytest.mark.parametrize("width", [60, 80, 120])
def test_help_and_tables_fit_the_terminal(trained, width):
    """In a pipe, with NO_COLOR: no line is wider, and no control character is written."""
    environment = os.environ | {"COLUMNS": str(width), "NO_COLOR": "1"}
    for words in (
        ["--help"],
        *([name, "--help"] for name in commands.COMMANDS),
        ["evaluate", str(trained)],
    ):
        command = [sys.executable, "-m", "numba_cnn", *words]
        found = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        assert "\x1b" not in found.stdout
        assert "\r" not in found.stdout
        for line in found.stdout.splitlines():
            is_one_word = "numba-cnn" in line or "/" in line  # an example, or a path
            assert len(line) <= width or is_one_word, line


def test_every_command_says_what_it_does():
    parser = commands.parser()
    (found,) = (
        action for action in parser._actions if hasattr(action, "choices") and action.choices
    )
    for name, one in found.choices.items():
        assert one.description.endswith("."), name
        assert one.get_default("run") is not None
