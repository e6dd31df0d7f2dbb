"""Compiled code on disk: whatever the folder holds or refuses, kernels run, with one warning that names it."""

import os
import shutil
import subprocess
import sys

import pytest

CODE = """
import sys, warnings
import numpy as np
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from numba_cnn import backends, ops
    warm = backends.get("cpu").is_warm()
    np.testing.assert_array_equal(ops.relu(np.float32([-1, 2])), [0, 2])
    dispatchers = [kernel.share for kernel in sys.modules["numba_cnn.backends.cpu.runtime.launch"]._kernels]
    compiled = sum(sum(d.stats.cache_misses.values()) for d in dispatchers)
print(warm, compiled, *[str(w.message) for w in caught], sep="\\n")
"""


def process(code, folder, **environment):
    """A process that ran this code, and keeps its kernels in this folder."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"NUMBA_CACHE_DIR": str(folder)} | environment,
        check=True,
        timeout=200,
    )


def run(folder):
    """(whether the cache was warm, kernels compiled, warnings) of a process."""
    done = process(CODE, folder)
    assert done.stderr == ""
    warm, compiled, *messages = done.stdout.splitlines()
    return warm == "True", int(compiled), messages


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder in which one process has kept its kernels."""
    folder = tmp_path_factory.mktemp("kernels")
    assert run(folder) == (False, 1, [])
    return folder


@pytest.fixture
def folder(filled, tmp_path):
    return shutil.copytree(filled, tmp_path / "kernels")


def code_files(folder):
    return sorted(folder.rglob("relu._relu-*.nbc"))


def test_a_second_process_compiles_nothing(folder):
    assert run(folder) == (True, 0, [])
    assert all(path.suffix == ".nbc" for path in folder.rglob("*") if path.is_file())


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "garbled": lambda path: path.write_bytes(b"garbled" * 999),
    "one bit": flipped,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_code_is_compiled_again_and_mended(folder, damage):
    for path in code_files(folder):
        DAMAGES[damage](path)
    _, compiled, messages = run(folder)
    assert compiled == 1
    (message,) = messages
    assert str(folder) in message
    assert "cannot be read: ValueError(" in message
    assert run(folder) == (True, 0, [])


def test_a_folder_where_a_file_should_be(folder):
    (path,) = code_files(folder)
    path.unlink()
    path.mkdir()
    for _ in range(2):
        _, compiled, (message,) = run(folder)
        assert compiled == 1
        assert str(folder) in message


def test_a_pipe_where_a_file_should_be_is_not_waited_for_and_mended(folder):
    for file in code_files(folder):
        file.unlink()
        os.mkfifo(file)
    _, compiled, messages = run(folder)
    assert compiled == 1
    assert "is no file" in messages[0]
    assert run(folder) == (True, 0, [])


def test_code_of_earlier_sources_is_removed(folder):
    (path,) = code_files(folder)
    base = ".".join(path.name.split(".")[:-3])
    names = [f"{base}{end}" for end in (".nbi", ".1.nbc", f".{'0' * 16}.{'0' * 32}.nbc")]
    for name in names:
        (path.parent / name).write_bytes(b"old")
    path.unlink()
    assert run(folder)[1:] == (1, [])
    assert code_files(folder) == [path]
    assert not any((path.parent / name).exists() for name in names)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("no folder")
    code = "from numba_cnn import backends; print(backends.get('cpu').get_num_threads())"
    for locators in ("UserProvidedCacheLocator", ""):  # "": Numba finds another folder
        done = process(code, tmp_path / "file", NUMBA_CACHE_LOCATOR_CLASSES=locators)
        assert int(done.stdout) > 0
        assert done.stderr.count("RuntimeWarning: ") == 1
        assert f"the cache of kernels in {tmp_path / 'file'}" in done.stderr
        assert "cannot be written" in done.stderr


def test_a_disk_that_is_full(folder):
    """A limit on the size of files is refused as a full disk is."""
    (path,) = code_files(folder)
    path.unlink()
    before = sorted(path.parent.iterdir())
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"
    _, _, message = process(f"{limit}\n{CODE}", folder).stdout.splitlines()
    assert "File too large" in message
    assert str(folder) in message
    assert sorted(path.parent.iterdir()) == before  # nothing half written


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(folder):
    (path,) = code_files(folder)
    path.unlink()
    path.parent.chmod(0o500)
    try:
        _, _, (message,) = run(folder)
    finally:
        path.parent.chmod(0o700)
    assert str(folder) in message


def test_info_runs_on_a_damaged_cache(folder):
    for path in code_files(folder):
        path.write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-m", "numba_cnn", "info"],
        capture_output=True,
        text=True,
        env=os.environ | {"NUMBA_CACHE_DIR": str(folder)},
    )
    assert done.returncode == 0
    assert str(folder) in done.stdout
    assert "cannot be read" in done.stderr


def test_disabled_compilation_is_said_where_it_matters(tmp_path):
    """What needs no kernel works."""
    code = f"""
import numpy as np
from numba_cnn import layers, models, ops
model = models.Sequential([layers.Dense(2, input_shape=(3,))])
model.summary()
model.compile("adam", "sparse_categorical_crossentropy")
model.save({str(tmp_path / "m.keras")!r})
models.load_model({str(tmp_path / "m.keras")!r})
for run in (lambda: model.predict(np.zeros((1, 3)), verbose=0), lambda: ops.relu(np.zeros(3, np.float32))):
    try:
        run()
    except RuntimeError as error:
        print(error)
"""
    done = process(code, tmp_path, NUMBA_DISABLE_JIT="1")
    assert 'Model: "sequential"' in done.stdout
    assert (
        done.stdout.count("NUMBA_DISABLE_JIT is set, and kernels only run compiled: unset it") == 2
    )
    for arguments, code in ((["summary"], 0), (["info"], 1)):
        done = subprocess.run(
            [sys.executable, "-m", "numba_cnn", *arguments],
            capture_output=True,
            text=True,
            env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        )
        assert done.returncode == code
        assert "Traceback" not in done.stderr
