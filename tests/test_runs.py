"""Runs of numba-cnn train: options in files, and that what was killed ends as if it had not been."""

import argparse
import csv
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from numba_cnn import commands, models
from numba_cnn.commands import configuration, networks, runs, train
from numba_cnn.commands.data import Data, Part

OPTIONS = (
    "--epochs", "4", "--batch-size", "8", "--seed", "5", "--augment", "shift,flip", "--balance", "--patience", "3",
    "--no-report", "--threads", "1",
)  # fmt: skip


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    """200 images of three classes, of which one is rare."""
    rng = np.random.default_rng(2)
    y = rng.choice(3, 200, p=[0.5, 0.4, 0.1])
    x = rng.integers(0, 60, (200, 18, 18, 1)) + 90 * y[:, None, None, None]
    path = tmp_path_factory.mktemp("data") / "data.npz"
    np.savez(
        path, x_train=x.astype(np.uint8), y_train=y, x_test=x[:9].astype(np.uint8), y_test=y[:9]
    )
    return str(path)


def start(*words):
    command = [sys.executable, "-m", "numba_cnn", "train", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # the tests' parent may ignore Ctrl-C
    )  # fmt: skip


def result(folder):
    """The bits that a run ends with."""
    weights = [one.tobytes() for one in models.load_model(folder / "model.keras").get_weights()]
    return weights, (folder / "history.csv").read_text()


@pytest.fixture(scope="module")
def whole(arrays, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    process = start("--data", arrays, *OPTIONS, "--out", str(folder))
    _, error = process.communicate(timeout=300)
    assert (process.returncode, error) == (0, "")
    return folder


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_killed_in_mid_epoch_and_resumed_ends_with_the_same_bits(
    arrays, whole, tmp_path, how, monkeypatch
):
    process = start("--data", arrays, *OPTIONS, "--out", str(tmp_path))
    while "Epoch 2/" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGKILL, 130)
    with (tmp_path / "history.csv").open() as file:
        assert 2 <= len(list(csv.DictReader(file))) < 4
    resumed = start("--resume", str(tmp_path))
    _, error = resumed.communicate(timeout=300)
    assert (resumed.returncode, error) == (0, "")
    assert result(tmp_path) == result(whole)


def test_ctrl_c_in_the_middle_of_an_epoch(arrays, whole, tmp_path, monkeypatch):
    """The backup is of the batch that was next."""
    asked = []
    begin = runs.StopAfterStep.on_train_batch_begin

    def stops(self, batch, logs=None):
        if (self._epoch, batch) == (1, 7):
            os.kill(os.getpid(), signal.SIGINT)
            asked.append(batch)
        begin(self, batch, logs)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(runs.StopAfterStep, "on_train_batch_begin", stops)
            with pytest.raises(runs.Stopped, match="stopped in epoch 2, before batch 8"):
                commands.main(["train", "--data", arrays, *OPTIONS, "--out", str(tmp_path)])
        assert asked == [7]
        assert commands.main(["train", "--resume", str(tmp_path)]) == 0
    finally:
        signal.signal(signal.SIGINT, before)
    assert result(tmp_path) == result(whole)


def test_resume_of_what_is_no_run(tmp_path, capsys):
    assert commands.main(["train", "--resume", str(tmp_path)]) == 1
    assert "--resume: expected a run's folder, with config.toml" in capsys.readouterr().err


def test_a_new_run_takes_nothing_over(arrays, whole, tmp_path):
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "latest.backup").write_bytes(b"of another run")
    assert commands.main(["train", "--data", arrays, *OPTIONS, "--out", str(tmp_path)]) == 0
    assert result(tmp_path) == result(whole)


def test_a_run_is_not_overwritten_unasked(arrays, whole, tmp_path, capsys):
    for name in ("config.toml", "model.keras"):
        home = tmp_path / name
        home.mkdir()
        (home / name).write_bytes(b"of another run")
        assert commands.main(["train", "--data", arrays, *OPTIONS, "--out", str(home)]) == 1
        said = capsys.readouterr().err
        assert f"--resume {home}, take another --out, or overwrite it by --force. Received" in said
        assert (home / name).read_bytes() == b"of another run"
    words = ["train", "--data", arrays, *OPTIONS, "--out", str(home), "--force"]
    assert commands.main(words) == 0
    assert result(home) == result(whole)
    assert "force" not in (home / "config.toml").read_text()


def test_a_run_is_gone_on_with_from_any_folder(arrays, whole, tmp_path, monkeypatch, capsys):
    """Its data and its model were given by paths from another folder."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home, elsewhere):
        folder.mkdir()
    monkeypatch.chdir(home)
    (home / "near.npz").write_bytes(Path(arrays).read_bytes())
    (home / "own.json").write_text(models.lenet((18, 18, 1), 3).to_json())
    words = ["train", "--data", "near.npz", "--model", "own.json", *OPTIONS, "--out", "run"]
    assert commands.main(words) == 0
    monkeypatch.chdir(elsewhere)
    assert commands.main(["train", "--resume", str(home / "run")]) == 0
    assert commands.main(["evaluate", str(home / "run")]) == 0
    assert "Test on 9 images" in capsys.readouterr().out
    found = configuration.read_toml(home / "run" / "config.toml")
    assert (found["data"], found["model"]) == (str(home / "near.npz"), str(home / "own.json"))


def test_balanced_classes_count_the_same():
    given = data(classes=4)
    weights = train._balanced(given._replace(train=Part(None, np.array([0, 0, 0, 1, 3, 3]), [])))
    assert weights == pytest.approx({0: 2 / 3, 1: 2.0, 3: 1.0})


def test_a_rare_class_counts_more(arrays, tmp_path):
    words = [
        "train",
        "--data",
        arrays,
        "--epochs",
        "1",
        "--augment",
        "none",
        "--no-report",
        "--out",
    ]
    assert commands.main([*words, str(tmp_path / "a")]) == 0
    assert commands.main([*words, str(tmp_path / "b"), "--balance"]) == 0
    assert result(tmp_path / "a") != result(tmp_path / "b")


class TestConfiguration:
    def parse(self, *words):
        words = ["train", *map(str, words)]
        return commands.parser(words).parse_args(words)

    def test_options_in_a_file(self, tmp_path):
        path = tmp_path / "run.toml"
        path.write_text(
            'epochs = 7\nlearning-rate = 1e-2\nbalance = true\nmodel = "vgg"\npatience = 2'
        )
        found = self.parse("--config", path, "--epochs", 9)
        assert (found.epochs, found.learning_rate, found.balance) == (9, 0.01, True)
        assert (found.model, found.patience, found.seed) == ("vgg", 2, 0)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("epoch = 7", r"no option is called 'epoch' \(did you mean 'epochs'\?\)"),
            ("epochs = 0", "epochs: invalid positive integer value: '0'"),
            ("epochs = [1]", "epochs must be a text or a number"),
            ("balance = 1", "balance must be true or false"),
            ('backend = "tpu"', "backend: invalid choice: 'tpu'"),
            ("epochs = ", "cannot read the configuration"),
        ],
    )
    def test_wrong_files(self, tmp_path, capsys, text, message):
        path = tmp_path / "run.toml"
        path.write_text(text)
        with pytest.raises(SystemExit) as stopped:
            commands.main(["train", "--config", str(path)])
        assert stopped.value.code == 2
        import re

        assert re.search(message, capsys.readouterr().err)

    def test_no_file(self, capsys):
        with pytest.raises(SystemExit) as stopped:
            commands.main(["train", "--config", "none.toml"])
        assert stopped.value.code == 2
        assert "No such file or directory" in capsys.readouterr().err

    def test_what_a_run_writes_can_be_read(self, whole, tmp_path):
        found = self.parse("--config", whole / "config.toml")
        assert found.report is False
        assert self.parse().report is True
        assert (found.augment, found.patience, found.batch_size) == ("shift,flip", 3, 8)
        odd = {"data": 'a "b" \\ ü\n', "learning_rate": 1e-07, "seed": -3, "balance": False}
        configuration.write_toml(tmp_path / "a.toml", odd, "odd")
        assert configuration.read_toml(tmp_path / "a.toml") == {
            key.replace("_", "-"): value for key, value in odd.items()
        }


def data(shape=(32, 32, 3), classes=4, pixels=False):
    y = np.zeros((2, *(shape[:2] if pixels else ())), np.int32)
    part = Part(np.zeros((2, *shape), np.float32), y, ["a", "b"])
    return Data(part, part, part, None, classes, shape)


class TestNetworks:
    @pytest.mark.parametrize("name", networks.NAMES)
    def test_by_name(self, name):
        model = networks.network(name, data(pixels=name == "unet"), "data")
        assert model.output_shape[-1] == 4

    def test_of_files(self, tmp_path):
        model = models.lenet((32, 32, 3), 4)
        model.save(tmp_path / "a.keras")
        (tmp_path / "a.json").write_text(model.to_json())
        begun = networks.network(str(tmp_path / "a.keras"), data(), "data")
        assert np.array_equal(begun.get_weights()[0], model.get_weights()[0])
        assert (
            networks.network(str(tmp_path / "a.json"), data(), "data").count_params()
            == model.count_params()
        )
        with pytest.raises(
            ValueError, match=r"takes \(None, 32, 32, 3\) and gives .* a model that does not fit"
        ):
            networks.network(str(tmp_path / "a.keras"), data(classes=5), "data")

    @pytest.mark.parametrize("word", networks.AUGMENTATIONS)
    def test_augmentations_act_in_training_alone(self, word):
        model = networks.augmented(models.lenet((32, 32, 3), 4), f" {word}")
        x = np.random.default_rng(0).random((8, 32, 32, 3), np.float32)
        np.testing.assert_array_equal(model(x), model.layers[-1](x))
        moved = model.layers[0](x, training=True)
        assert moved.shape == x.shape
        assert not np.array_equal(moved, x)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (
                lambda: networks.name("resnet2"),
                r"there is no model 'resnet2' \(did you mean 'resnet20'\?\)",
            ),
            (
                lambda: networks.network("unet", data(), "d"),
                "--model unet takes a folder with images and masks",
            ),
            (
                lambda: networks.augmentations("flip,flop"),
                r"there is no change 'flop' \(did you mean 'flip'\?\)",
            ),
        ],
    )
    def test_wrong_words(self, call, message):
        with pytest.raises((ValueError, argparse.ArgumentTypeError), match=message):
            call()
