"""Writing files: whole or not at all, whoever else writes, and nothing else at the path changes."""

import csv
import os
import stat
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from numba_cnn import callbacks, files, layers, models


def dense(seed=0):
    model = models.Sequential([layers.Dense(40, input_shape=(50,))])
    model.set_weights([np.full((50, 40), seed, np.float32), np.full(40, seed, np.float32)])
    return model


def save(path, content, **settings):
    with files.replacing(path, **settings) as file:
        file.write(content)


def test_threads_that_save_to_one_path_spoil_nothing(tmp_path):
    """Every save succeeds, and every load beside them sees the whole of one of them."""
    path, errors, done = tmp_path / "m.keras", [], threading.Event()
    dense().save(path)

    def write(seed):
        model = dense(seed)
        for _ in range(6):
            model.save(path)

    def read():
        while not done.is_set():
            kernel, bias = models.load_model(path, backend="cpu").get_weights()
            assert len({*kernel.flat, *bias.flat}) == 1

    def noting(work, *arguments):
        try:
            work(*arguments)
        except BaseException as error:
            errors.append(error)

    writers = [threading.Thread(target=noting, args=(write, seed)) for seed in range(8)]
    reader = threading.Thread(target=noting, args=(read,))
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert errors == []
    assert os.listdir(tmp_path) == ["m.keras"]


def test_permissions_stay(tmp_path):
    path = tmp_path / "a"
    save(path, b"1")
    path.chmod(0o640)
    save(path, b"2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.read_bytes() == b"2"


def test_the_umask_decides_where_no_file_was(tmp_path):
    before = os.umask(0o027)
    try:
        save(tmp_path / "a", b"1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("there", [True, False])
def test_a_symbolic_link_stays_one(tmp_path, there):
    (tmp_path / "disk").mkdir()
    if there:
        save(tmp_path / "disk" / "real", b"old")
    (tmp_path / "link").symlink_to("disk/real")
    save(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk" / "real").read_bytes() == b"new"
    assert os.listdir(tmp_path / "disk") == ["real"]


def test_a_link_that_waits_under_a_temporary_name_is_not_followed(tmp_path, monkeypatch):
    names = iter(["0" * 16, "1" * 16])
    monkeypatch.setattr(files.secrets, "token_hex", lambda _: next(names))
    (tmp_path / "victim").write_text("mine")
    (tmp_path / f".a.{'0' * 16}.tmp").symlink_to("victim")
    save(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "victim").read_text() == "mine"


@pytest.mark.parametrize(
    ("prepare", "error", "message"),
    [
        (lambda path: path.mkdir(), IsADirectoryError, "Is a directory"),
        (os.mkfifo, OSError, "expected a regular file, or none"),
        (lambda path: path.symlink_to(path), OSError, "Too many levels of symbolic links"),
        (lambda path: path.symlink_to("none/a"), FileNotFoundError, "No such file or directory"),
    ],
)
def test_errors_name_the_users_path(tmp_path, prepare, error, message):
    path = tmp_path / "model.file"
    prepare(path)
    before = os.lstat(path)
    with pytest.raises(error, match=message) as caught:
        save(path, b"new")
    assert str(path) in str(caught.value)
    assert ".tmp" not in str(caught.value)
    assert os.lstat(path).st_ino == before.st_ino


def test_a_full_disk(tmp_path):
    """A limit on the size of files is refused as a full disk is."""
    code = f"""
import resource
from numba_cnn import layers, models
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
model = models.Sequential([layers.Dense(40, input_shape=(50,))])
for method, name in ((model.save, "m.keras"), (model.save_weights, "m.weights.h5")):
    try:
        method({str(tmp_path)!r} + "/" + name)
    except OSError as error:
        print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = run.stdout.splitlines()
    assert first == f"[Errno 27] File too large: '{tmp_path}/m.keras'"
    assert second == f"[Errno 27] File too large: '{tmp_path}/m.weights.h5'"
    assert run.stderr == ""
    assert os.listdir(tmp_path) == []


def test_of_two_saves_that_must_not_overwrite_one_wins(tmp_path):
    path = tmp_path / "a"

    def overtaken():
        with files.replacing(path, overwrite=False) as file:
            file.write(b"second")
            save(path, b"first", overwrite=False)

    with pytest.raises(FileExistsError, match="a'"):
        overtaken()
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a"]


def test_names_as_long_as_the_system_allows(tmp_path):
    name = "é" * 120 + ".keras"
    save(tmp_path / name, b"1")
    save(tmp_path / name, b"2")
    assert os.listdir(tmp_path) == [name]


KILLED = """
import os, signal, sys
from pathlib import Path
from numba_cnn import files
with files.replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("here", flush=True)
    sys.stdin.read()
"""


def test_what_killed_saves_leave_is_removed_once_they_are_dead(tmp_path):
    path = tmp_path / "a"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdout.readline()
    (tmp_path / ".a.old.tmp").touch()  # somebody else's
    (tmp_path / f".ab.{'0' * 16}.tmp").touch()  # of another path
    save(path, b"1")
    assert len(os.listdir(tmp_path)) == 4  # a writer that lives keeps its own
    process.kill()
    process.communicate()
    save(path, b"2")
    assert sorted(os.listdir(tmp_path)) == [".a.old.tmp", f".ab.{'0' * 16}.tmp", "a"]


def test_without_locks_age_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    young, old = (tmp_path / f".a.{digit * 16}.tmp" for digit in "01")
    young.touch()
    old.touch()
    day_ago = time.time() - 25 * 3600
    os.utime(old, (day_ago, day_ago))
    save(tmp_path / "a", b"1")
    assert sorted(os.listdir(tmp_path)) == [young.name, "a"]


class TestCSVLogger:
    def log(self, path, epochs, **settings):
        logger = callbacks.CSVLogger(path, **settings)
        logger.on_train_begin()
        for epoch in epochs:
            logger.on_epoch_end(epoch, {"loss": 0.5})
        return logger

    def rows(self, path):
        with open(path, newline="") as file:
            return [row["epoch"] for row in csv.DictReader(file)]

    def test_two_runs_that_log_to_one_file_garble_no_row(self, tmp_path):
        path = tmp_path / "log.csv"
        first = self.log(path, [0, 1])
        second = self.log(path, [7])  # afresh: it takes the place of the first's rows
        first.on_epoch_end(2, {"loss": 0.25})
        second.on_epoch_end(8, {"loss": 0.25})
        assert self.rows(path) == ["7", "2", "8"]
        assert b"\0" not in path.read_bytes()
        first.on_train_end()
        second.on_train_end()

    def test_a_row_that_was_cut_off_does_not_spoil_the_next(self, tmp_path):
        path = tmp_path / "log.csv"
        self.log(path, [0, 1]).on_train_end()
        path.write_bytes(path.read_bytes()[:-3])
        self.log(path, [2], append=True).on_train_end()
        assert self.rows(path) == ["0", "1", "2"]

    def test_errors_name_the_file(self):
        logger = callbacks.CSVLogger("/dev/full")
        logger.on_train_begin()
        with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
            logger.on_epoch_end(0, {"loss": 0.5})
        with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
            logger.on_train_end()


def test_a_checkpoint_that_was_not_saved_is_not_the_best(tmp_path):
    best = callbacks.ModelCheckpoint(
        tmp_path / "m.keras", monitor="loss", mode="min", save_best_only=True
    )
    best.set_model(dense())
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(IsADirectoryError):
        best.on_epoch_end(0, {"loss": 0.5})
    (tmp_path / "m.keras").rmdir()
    best.on_epoch_end(1, {"loss": 0.5})
    assert (tmp_path / "m.keras").is_file()
