"""The command numba-cnn: what it does, says and returns."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
import small_cnn

from numba_cnn import commands, layers, models


@pytest.fixture
def run(capsys):
    """run(*arguments): the exit code, and what went to standard output and standard error."""

    def run(*arguments):
        try:
            code = commands.main([str(argument) for argument in arguments])
        except SystemExit as exit:  # argparse's way
            code = exit.code
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


@pytest.fixture
def arrays(tmp_path):
    """A data set as small as the tutorial's model takes, whose classes differ in brightness."""
    y = np.arange(60) % 3
    x = np.random.default_rng(1).integers(0, 60, (60, 18, 20, 1)) + 90 * y[:, None, None, None]
    path = tmp_path / "data.npz"
    np.savez(
        path, x_train=x.astype(np.uint8), y_train=y, x_test=x[:9].astype(np.uint8), y_test=y[:9]
    )
    return path


@pytest.fixture
def saved(tmp_path):
    """A model of images 11x9x2 in a file."""
    model = small_cnn.build(layers, models)
    model.set_weights(small_cnn.weights())
    path = tmp_path / "small.keras"
    model.save(path)
    return path


def test_train_evaluate_predict_summary(run, arrays, tmp_path):
    out = tmp_path / "new" / "out"
    code, text, error = run(
        "train", "--data", arrays, "--epochs", 2, "--batch-size", 8, "--learning-rate", 0.003,
        "--seed", 3, "--threads", 1, "--backend", "cpu", "--out", out, "--no-report",
    )  # fmt: skip
    assert (code, error) == (0, "")
    lines = text.splitlines()
    assert lines[0] == 'Model: "sequential"'
    assert any("(None, 16, 18, 32)" in line for line in lines)
    assert any(
        "Training on 54 images of" in line and "6 more for validation" in line for line in lines
    )
    epochs = [line for line in lines if line.startswith("Epoch")]
    assert re.match(r"Epoch 2/2 - 7/7 - \d+s - .* - accuracy: .* - val_loss: ", epochs[1])
    assert re.fullmatch(r"Test on 9 images: accuracy \d\.\d{4}, loss \d\.\d{4}", lines[-2])
    assert (
        lines[-1] == f"Saved {out / 'model.keras'}, {out / 'history.csv'} and {out / 'config.toml'}"
    )
    assert sorted(os.listdir(out)) == ["backup", "config.toml", "history.csv", "model.keras"]
    with (out / "history.csv").open() as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == ["0", "1"]
    assert float(history[1]["loss"]) < float(history[0]["loss"])

    code, tested, _ = run("evaluate", out / "model.keras", "--data", arrays, "--backend", "cpu")
    assert (code, tested.splitlines()[-1]) == (0, lines[-2])

    code, text, _ = run("summary", out / "model.keras")
    assert code == 0
    assert " Optimizer params: " in text

    repeated = run(
        "train", "--data", arrays, "--epochs", 2, "--batch-size", 8, "--learning-rate", 0.003,
        "--seed", 3, "--out", tmp_path / "again", "--no-report",
    )[1]  # fmt: skip
    assert repeated.splitlines()[-2] == lines[-2]  # the same seed, the same result


def test_predict(run, saved, tmp_path):
    x, _ = small_cnn.data()
    model = models.load_model(saved, backend="cpu")
    expected = model.predict(x, verbose=0)
    np.save(tmp_path / "many.npy", x[:3])
    np.save(tmp_path / "one.npy", x[4])
    np.savez(tmp_path / "named.npz", a=x[5], b=x[6:8])
    paths = [tmp_path / name for name in ("many.npy", "one.npy", "named.npz")]
    code, text, _ = run("predict", saved, *paths)
    assert code == 0
    rows = [line.split("\t") for line in text.splitlines()]
    assert [row[0].removeprefix(f"{tmp_path}/") for row in rows] == [
        "many.npy[0]", "many.npy[1]", "many.npy[2]", "one.npy",
        "named.npz:a", "named.npz:b[0]", "named.npz:b[1]",
    ]  # fmt: skip
    for row, probabilities in zip(rows, expected[[0, 1, 2, 4, 5, 6, 7]], strict=True):
        assert int(row[1]) == probabilities.argmax()
        assert float(row[2]) == pytest.approx(probabilities.max(), abs=1e-4)


def test_predict_image_files(run, tmp_path, monkeypatch):
    from PIL import Image

    model = models.Sequential(
        [layers.Flatten(input_shape=(4, 5, 3)), layers.Dense(2, activation="softmax")]
    )
    kernel = np.zeros((60, 2))
    kernel[0::3, 0], kernel[2::3, 1] = 1, 1  # class 0 sees red, class 1 blue
    model.set_weights([kernel, np.zeros(2)])
    model.save(tmp_path / "colours.keras")
    for name, colour in (("red.png", (255, 0, 0)), ("blue.png", (0, 0, 255))):
        Image.new("RGB", (30, 40), colour).save(tmp_path / name)
    files = [tmp_path / "red.png", tmp_path / "blue.png"]
    code, text, _ = run("predict", tmp_path / "colours.keras", *files)
    assert code == 0
    assert [line.split("\t")[1:] for line in text.splitlines()] == [
        ["0", "1.0000"],
        ["1", "1.0000"],
    ]

    monkeypatch.setitem(sys.modules, "PIL", None)
    code, _, error = run("predict", tmp_path / "colours.keras", files[0])
    assert code == 1
    assert 'pip install "numba-cnn[images]"' in error


def test_summary_of_the_tutorials_model(run):
    from test_summary import TUTORIAL

    assert run("summary") == (0, TUTORIAL, "")


def test_info(run):
    code, text, _ = run("info")
    items = dict(re.split(r"  +", line, maxsplit=1) for line in text.splitlines())
    assert code == 0
    assert items["numpy"] == np.__version__
    assert items["threading layer"] in ("omp", "tbb", "workqueue")
    assert re.fullmatch(r"(128|256|512) bits", items["vector width"])
    assert os.environ["NUMBA_CACHE_DIR"] in items["kernel cache"]
    assert "cpu" in items["backends"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--data", "nothing.npz"], r"nothing\.npz: No such file or directory"),
        (["train", "--data", "nothing"], "a folder, or an .npz file. Received: 'nothing', which is not there"),
        (["train", "--data", "{data}", "--out", "{data}"], r"data\.npz: File exists"),
        (["train", "--threads", "100000"], "n must be .* Received: 100000"),
        (["evaluate", "none.keras"], r"none\.keras: No such file or directory"),
        (["evaluate", "{data}"], r"not a complete \.keras file"),
        (["evaluate", "{model}", "--data", "{data}"], r"expects x of shape \(N, 11, 9, 2\)"),
        (["predict", "{model}", "none.npy"], r"none\.npy: No such file or directory"),
        (["predict", "{model}", "{data}"], "expects x of shape|expected images"),
        (["summary", "none.keras"], r"none\.keras: No such file or directory"),
    ],
)  # fmt: skip
def test_errors(run, arrays, saved, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)  # where no run lies in out/
    filled = [argument.format(data=arrays, model=saved) for argument in arguments]
    code, _, error = run(*filled)
    assert code == 1
    assert re.fullmatch(rf"numba-cnn: error: .*({message}).*\n", error)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["trian"], "invalid choice: 'trian' (did you mean 'train'?)"),
        (["plot", "gradcam", "m.keras"], "invalid choice: 'gradcam' (did you mean 'grad-cam'?)"),
        (["train", "--schedule", "lineer"], "'lineer' (did you mean 'linear'?)"),
        (
            ["train", "--learning-rate", "nan"],
            "argument --learning-rate: invalid number above 0 value: 'nan'",
        ),
        (
            ["train", "--learning-rate", "-1"],
            "argument --learning-rate: invalid number above 0 value: '-1'",
        ),
        (
            ["train", "--optimizer", "adma"],
            "argument --optimizer: optimizer: there is no 'adma' (did you mean 'adam'?)",
        ),
        (
            ["train", "--model", "resnet2"],
            "argument --model: there is no model 'resnet2' (did you mean 'resnet20'?)",
        ),
        (
            ["train", "--augment", "flip,flop"],
            "argument --augment: there is no change 'flop' (did you mean 'flip'?)",
        ),
        (["train", "--epochs", "0"], "invalid positive integer value: '0'"),
        (["train", "--batch-size", "some"], "invalid positive integer value: 'some'"),
        (["train", "--backend", "tpu"], "invalid choice: 'tpu'"),
        (["predict", "model.keras"], "the following arguments are required: IMAGE"),
        (
            ["serve", "m.keras", "--port", "nonsense"],
            "--port: invalid port from 0 to 65535 value: 'nonsense'",
        ),
        (
            ["serve", "m.keras", "--port", "65536"],
            "--port: invalid port from 0 to 65535 value: '65536'",
        ),
        (
            ["plot", "blocks", "m.keras", "--out", "a.gif"],
            "--out: must end in .png, .svg, .pdf. Received: 'a.gif'",
        ),
        (
            ["plot", "graph", "m.keras", "--out", "a.pdf"],
            "--out of graph must end in .png, .svg. Received: a.pdf",
        ),
        (
            ["convert", "m.keras", "a.txt"],
            "TARGET: must end in .weights.h5, .keras, .h5, .npz, .json. ",
        ),
        (["train", "--seed", "-1"], "--seed: invalid integer from 0 to 2**32 - 1 value: '-1'"),
    ],
)
def test_usage(run, arguments, message):
    code, out, error = run(*arguments)
    assert (code, out) == (2, "")
    assert error.startswith("usage: numba-cnn")
    assert message in error


def test_help_and_version(run):
    code, out, _ = run("--help")
    assert code == 0
    assert all(name in out for name in ("train", "evaluate", "predict", "summary", "info"))
    assert run("--version")[1] == "numba-cnn 0.2.0\n"


def test_ctrl_c(arrays, tmp_path):
    command = [sys.executable, "-m", "numba_cnn", "train", "--data", arrays, "--epochs", "100000"]
    process = subprocess.Popen(
        [*map(str, command), "--out", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Started in the background, tests and what they start ignore Ctrl-C.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    while "Epoch 2/" not in process.stdout.readline():
        time.sleep(0)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    said = r"\nstopped in epoch \d+, before batch 1; saved {0}/model.keras. Go on with: numba-cnn train --resume {0}\n"
    assert re.fullmatch(said.format(re.escape(str(tmp_path))) + "\nnumba-cnn: interrupted\n", error)
    models.load_model(tmp_path / "model.keras")


def test_a_reader_that_leaves(tmp_path):
    pipe = f"{sys.executable} -m numba_cnn summary | head -1"
    result = subprocess.run(["sh", "-c", pipe], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ('Model: "sequential"\n', "")


@pytest.mark.parametrize(
    "comes_out",
    ["raise", "raise ImportError('numpy is broken') from None", "pass", "callback()"],
    ids=["itself", "as another error", "not at all", "lost in C"],
)
def test_ctrl_c_while_importing(tmp_path, comes_out):
    """Whatever the module that is being imported makes of it."""
    (tmp_path / "numpy.py").write_text(f"""
import ctypes, os, signal, time

@ctypes.CFUNCTYPE(None)
def callback():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)

try:
    {"callback(); time.sleep(5)" if comes_out == "callback()" else "os.kill(os.getpid(), signal.SIGINT); time.sleep(5)"}
except KeyboardInterrupt:
    {"raise" if comes_out == "callback()" else comes_out}
""")
    result = subprocess.run(
        [sys.executable, "-c", "from numba_cnn.__main__ import main; main()", "summary"],
        env=os.environ
        | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert (result.returncode, result.stderr) == (130, "\nnumba-cnn: interrupted\n")


@pytest.mark.parametrize("words", [("report", "{model}"), ("plot", "confusion", "{model}")])
def test_pictures_ask_for_their_extra_before_anything_is_computed(run, saved, monkeypatch, words):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(models, "load_model", lambda *a, **k: pytest.fail("the model was loaded"))
    code, out, error = run(*(word.format(model=saved) for word in words))
    assert (code, out) == (1, "")
    assert 'pip install "numba-cnn[plots]"' in error


def test_a_graph_needs_no_extra(run, saved, monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run("plot", "graph", saved, "--out", tmp_path / "a.svg")[0] == 0
