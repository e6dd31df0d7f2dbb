"""BackupAndRestore: a run that was killed goes on with the bits of one that was not."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import small_cnn

from numba_cnn import callbacks

PEER = Path(__file__).with_name("backup_peer.py")


def run(folder, save_freq="epoch", batches=0, saves=0, *, first=False):
    """The exit code of a run; the first of a folder draws its weights and orders by another seed than those that
    go on: a backup has both."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import backup_peer, numba_cnn; "
        "numba_cnn.set_random_seed(int(sys.argv[2])); backup_peer.main(*sys.argv[3:])"
    )
    seed = 3 if first else 4
    arguments = map(str, (PEER.parent, seed, folder, save_freq, batches, saves))
    return subprocess.run([sys.executable, "-c", code, *arguments], env=dict(os.environ)).returncode


def results(folder):
    with np.load(folder / "weights.npz") as file:
        weights = [file[name] for name in file]
    log = (folder / "log.csv").read_bytes()
    return weights, json.loads((folder / "history.json").read_text()), log


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody killed."""
    folder = tmp_path_factory.mktemp("whole")
    assert run(folder, first=True) == 0
    return results(folder)


@pytest.mark.parametrize(
    ("save_freq", "kills"),
    [("epoch", [(8, 0), (5, 0)]), (2, [(3, 0), (8, 0)]), (3, [(0, 4)])],
    ids=["epochs", "batches", "while saving"],
)
def test_a_killed_run_ends_with_the_same_bits(tmp_path, whole, save_freq, kills):
    for i, (batches, saves) in enumerate(kills):
        assert run(tmp_path, save_freq, batches, saves, first=not i) == -signal.SIGKILL
        assert (tmp_path / "backup" / "latest.backup").is_file()
    assert run(tmp_path, save_freq) == 0
    weights, history, log = results(tmp_path)
    assert all(map(np.array_equal, weights, whole[0]))
    assert (history, log) == whole[1:]
    assert not (tmp_path / "backup").exists()


class Stop(Exception):
    pass


def interrupted(path, **settings):
    """A run that ends in its third epoch."""

    def stop(epoch, logs):
        if epoch == 2:
            raise Stop

    model = small_cnn.compiled()
    backup = callbacks.BackupAndRestore(path, **settings)
    with pytest.raises(Stop):
        small_cnn.fit(
            model, epochs=4, callbacks=[backup, callbacks.LambdaCallback(on_epoch_begin=stop)]
        )
    return model


def test_a_broken_backup(tmp_path):
    interrupted(tmp_path)
    file = tmp_path / "latest.backup"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"not a complete backup: .* Received: .*latest\.backup"):
        small_cnn.fit(small_cnn.compiled(), callbacks=callbacks.BackupAndRestore(tmp_path))


@pytest.mark.parametrize(
    ("key", "value"),
    [("epoch", -1), ("batch", "a"), ("callbacks", {"a": 1}), ("means", [1]), ("batches", None)],
)
def test_a_backup_that_says_something_else(tmp_path, key, value):
    interrupted(tmp_path)
    file = tmp_path / "latest.backup"
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    progress = json.loads(members["progress.json"]) | {key: value}
    members["progress.json"] = json.dumps(progress).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    model = small_cnn.compiled()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"progress\.json must say .* in .*latest\.backup"):
        small_cnn.fit(model, callbacks=callbacks.BackupAndRestore(tmp_path))
    assert all(map(np.array_equal, model.get_weights(), before))


def test_the_backup_before_a_broken_one(tmp_path):
    interrupted(tmp_path, double_checkpoint=True)
    (tmp_path / "latest.backup").write_bytes(b"")
    again = callbacks.BackupAndRestore(tmp_path, double_checkpoint=True, delete_checkpoint=False)
    model = small_cnn.compiled()
    with pytest.warns(UserWarning, match="not a complete backup: .*; the one before is taken"):
        history = small_cnn.fit(model, epochs=4, callbacks=again)
    expected = small_cnn.compiled()
    assert history == small_cnn.fit(expected, epochs=4)
    assert all(map(np.array_equal, model.get_weights(), expected.get_weights()))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "latest.backup",
        "latest.backup.bkp",
    ]
    assert len(small_cnn.fit(small_cnn.compiled(), epochs=5, callbacks=again)["loss"]) == 5


def test_only_its_own_files_are_deleted(tmp_path):
    (tmp_path / "other").write_text("stays")
    small_cnn.fit(small_cnn.compiled(), callbacks=callbacks.BackupAndRestore(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r'save_freq must be "epoch" or a number .* Received: 0'):
        callbacks.BackupAndRestore("backup", save_freq=0)
    with pytest.raises(ValueError, match="backup_dir must be a path"):
        callbacks.BackupAndRestore("")
