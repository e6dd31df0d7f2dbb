"""Several processes that train one model, by real mpiexec: as one process does, and what happens where one fails."""

import json
import os
import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import distributed_peer as peer
import numpy as np
import pytest
from PIL import Image

import numba_cnn as nc

mpiexec = Path(sys.executable).with_name("mpiexec")
pytest.importorskip("mpi4py")


@pytest.fixture(autouse=True)
def _direct_sums():
    """peer.model() asks for them; the next file's tests have what is usual."""
    yield
    nc.set_conv_algorithm("auto")


def job(name, count, folder, *, fails=False):
    """What each rank says, or, where the job must fail, what is printed."""
    folder.mkdir(exist_ok=True)
    command = [mpiexec, "-n", str(count), sys.executable, peer.__file__, name, folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment())
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    if fails:
        return done.stdout + done.stderr
    said = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(count)]
    digests = {one["digest"] for one in said if "digest" in one}
    assert len(digests) <= 1 or name == "groups"
    return said


def environment():
    """That of the tests, without what mpiexec would tell this process."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PMI")}


@pytest.fixture(scope="module")
def alone():
    return {name: getattr(peer, name)(peer.model(), None) for name in ("curves", "few", "streams")}


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    """What each of so many ranks says of their first run."""
    return cache(lambda count: job("curves", count, tmp_path_factory.mktemp("curves")))


def drift(losses):
    """How far one process is led away by weights with 1e-7 of relative noise, the most of a few."""
    most = np.zeros(len(losses))
    for seed in range(3):
        made, chance = peer.model(), np.random.default_rng(seed)
        made.set_weights(
            [w * (1 + 1e-7 * chance.choice([-1.0, 1.0], w.shape)) for w in made.get_weights()]
        )
        most = np.maximum(most, np.abs(np.array(peer.curves(made, None)["losses"]) - losses))
    return most


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_batch_in_shares_is_the_batch(alone, curves, count):
    expected = alone["curves"]
    for found in curves(count):
        losses = np.array(found["losses"])
        assert len(losses) == 60
        np.testing.assert_allclose(losses[:5], expected["losses"][:5], rtol=0, atol=1e-5)
        for name, values in expected["history"].items():
            np.testing.assert_allclose(found["history"][name], values, rtol=1e-3, err_msg=name)
        np.testing.assert_allclose(found["evaluated"], expected["evaluated"], rtol=1e-3)
        np.testing.assert_allclose(found["predicted"], expected["predicted"], atol=1e-3)
        np.testing.assert_allclose(found["on batch"], expected["on batch"], rtol=1e-3)


def test_the_curve_drifts_no_farther_than_by_noise(alone, curves):
    expected = np.array(alone["curves"]["losses"])
    allowed = 3 * drift(expected)[:50].max()
    for count in (2, 3):
        losses = np.array(curves(count)[0]["losses"])
        far = np.abs(losses - expected)[:50].max()
        print(f"{count} ranks: {far:.2e}, three times the drift by noise: {allowed:.2e}")
        assert far <= max(allowed, 1e-6)


def test_two_runs_have_the_same_bits(curves, tmp_path):
    assert job("curves", 3, tmp_path) == curves(3)


def test_more_ranks_than_samples(alone, tmp_path):
    for found in job("few", 4, tmp_path):
        np.testing.assert_allclose(found["losses"], alone["few"]["losses"], atol=1e-5)


def test_a_communicator_of_some(alone, tmp_path):
    said = job("groups", 3, tmp_path)
    cores = len(os.sched_getaffinity(0))
    for found, count in zip(said, (2, 2, 1), strict=True):
        np.testing.assert_allclose(found["losses"], alone["few"]["losses"], atol=1e-5)
        most = min(cores, int(os.environ.get("NUMBA_NUM_THREADS", cores)))
        assert found["threads"] in (max(cores // count, 1), max(-(-cores // count), 1), most)
        assert found["refused"].startswith("fit: a distributed model takes losses that are means")


def test_what_others_make_is_read_by_rank_0_alone(alone, tmp_path):
    expected, said = alone["streams"], job("streams", 3, tmp_path)
    for rank, found in enumerate(said):
        np.testing.assert_allclose(found["losses"], expected["losses"], rtol=1e-4)
        np.testing.assert_allclose(found["items"]["losses"], expected["items"]["losses"], rtol=1e-3)
        np.testing.assert_allclose(found["predicted"], expected["predicted"], atol=1e-3)
        for kind in ("asked", "asked items"):
            assert found[kind] == (expected[kind] if rank == 0 else 0)


def test_rows_of_files_are_read_by_the_rank_that_needs_them(tmp_path):
    """Of 400 rows in four batches two ranks read 200 each, once in each of two epochs, and 64 that they compare."""
    h5py = pytest.importorskip("h5py")
    x = peer.data(400)[0]
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", data=x, chunks=(20, *peer.SHAPE))
    np.save(tmp_path / "x.npy", x)
    expected, said = peer.files(peer.model(), None, tmp_path), job("files", 2, tmp_path)
    for found in said:
        np.testing.assert_allclose(found["losses"], expected["losses"], rtol=1e-4)
        np.testing.assert_allclose(
            found["mapped"]["losses"], expected["mapped"]["losses"], rtol=1e-3
        )
        assert len(found["read"]) == 2 * 200 + 64
    assert len({*said[0]["read"], *said[1]["read"]}) == 400


def test_image_files_are_decoded_once_in_the_whole_job(tmp_path):
    """Each rank opens a part, together they open each once an epoch; where ranks' orders differ, or a function takes
    whole batches, rank 0 opens them."""
    home, chance = tmp_path / "images", np.random.default_rng(1)
    for i in range(20):
        (home / "abcd"[i % 4]).mkdir(parents=True, exist_ok=True)
        pixels = chance.integers(0, 256, (14, 13, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(home / "abcd"[i % 4] / f"{i}.png")
    expected = peer.images(peer.model(), None, home)
    said = job("images", 2, tmp_path)
    for name in ("plain", "kept", "mapped", "flow", "arrays"):
        for found in said:
            np.testing.assert_allclose(found[name]["losses"], expected[name]["losses"], rtol=1e-3)
            assert found[name]["digest"] == said[0][name]["digest"]
        first, second = (found[name]["opened"] for found in said)
        assert sorted(first + second) == expected[name]["opened"]
        assert bool(second) == (name not in ("mapped", "arrays"))
        assert abs(len(first) - len(second)) <= 8 or name == "mapped"
    for found in said:
        np.testing.assert_allclose(found["predicted"], said[0]["predicted"])
        assert len(found["predicted"]) == 20
    assert len(said[0]["differs"]["opened"]) == 20
    assert not said[1]["differs"]["opened"]
    assert [len(found["warned"]) for found in said] == [1, 0]
    assert said[0]["warned"][0].startswith("fit: rank 0 alone reads x, since the others' files")


def test_batch_norm_by_rank_has_one_set_of_moving_statistics(tmp_path):
    assert len(job("norm", 2, tmp_path)) == 2


def test_batch_norm_of_the_whole_batch(tmp_path):
    expected = peer.synchronized(peer.model(batch_norm=True), None)
    for found in job("synchronized", 3, tmp_path):
        np.testing.assert_allclose(found["losses"][:5], expected["losses"][:5], rtol=0, atol=1e-5)
        np.testing.assert_allclose(found["losses"], expected["losses"], atol=1e-4)
        for name, values in expected["history"].items():
            np.testing.assert_allclose(found["history"][name], values, rtol=1e-3, err_msg=name)


def test_a_killed_job_goes_on_with_other_ranks(tmp_path):
    whole = (
        job("backup", 2, tmp_path / "whole", fails=True),
        job("backup", 2, tmp_path / "whole")[0],
    )
    job("backup", 2, tmp_path / "other", fails=True)
    found = job("backup", 3, tmp_path / "other")[0]
    assert len(found["losses"]) == 8  # of the last two epochs
    np.testing.assert_allclose(found["losses"], whole[1]["losses"], rtol=1e-4)
    np.testing.assert_allclose(found["history"]["loss"], whole[1]["history"]["loss"], rtol=1e-4)


FAULTS = {
    "raises": r"fit: rank 1 of 2 on .*: KeyError: 'what a rank says'",
    "killed": r"EXIT CODE: 9",
    "labels": r"fit: all ranks must have the same labels",
    "samples": r"fit: all ranks must have the same shape of x",
    "version": r"fit: all ranks must have the same numba_cnn. Received: 0.2.0 on rank 0, 0.0.0 on rank 1",
    "leaves": r"rank 1 of 2 on .* has ended, which others wait for",
    "nan": r"fit: x must be finite, as float32. Received: nan in sample 39",
    "evaluates": r"rank 0 of 2 has waited 3 s for the others",
    "learns faster": r"fit: after epoch 1 weights, optimizer or stop_training of rank 1 differ",
}


@pytest.mark.parametrize("kind", FAULTS)
def test_where_a_rank_fails_the_job_ends_with_a_sentence(kind, tmp_path):
    begun = time.monotonic()
    printed = job(kind, 2, tmp_path, fails=True)
    assert time.monotonic() - begun < 30
    assert re.search(FAULTS[kind], printed), printed


def test_a_rank_that_stops_stops_all(tmp_path):
    for found in job("stops", 2, tmp_path):
        assert len(found["history"]["loss"]) == 1


@pytest.mark.parametrize("augmentation", ["shift", "none"])
def test_the_command_trains_as_one_process(augmentation, tmp_path):
    x, y = peer.data(60)
    y = y.astype(np.int64)
    images = np.zeros((60, 64, 64, 3), np.float32)
    images[:, :12, :12] = x
    np.savez(tmp_path / "data.npz", x_train=images, y_train=y, x_test=images, y_test=y)
    texts = []
    for first in ([mpiexec, "-n", "2"], []):
        out = tmp_path / f"out{len(texts)}"
        words = [
            "-m",
            "numba_cnn",
            "train",
            "--data",
            tmp_path / "data.npz",
            "--epochs",
            "1",
            "--augment",
            augmentation,
            "--out",
            out,
        ]
        command = [*first, sys.executable, *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=200, env=environment(), check=True
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("Test on")]
        assert len(lines) == 1, done.stdout
        texts.append(float(lines[0].split("loss ")[1]))
        written = {"model.keras", "history.csv", "config.toml", "report.html", "backup"}
        assert {path.name for path in out.iterdir()} == written
    assert abs(texts[0] - texts[1]) < 1e-3
