"""Ranks on hosts that a network lies between: namespaces with a link of 1 Gbit/s and 0.2 ms."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import distributed_peer as peer

import numba_cnn as nc
from benchmarks import network, probe

pytest.importorskip("mpi4py")


@pytest.fixture(autouse=True)
def _direct_sums():
    """peer.model() asks for them; the next file's tests have what is usual."""
    yield
    nc.set_conv_algorithm("auto")


DELAY = 2e-4  # seconds, one way


@pytest.fixture(scope="module")
def possible():
    if missing := network.why_not():
        pytest.skip(missing)


@pytest.fixture(scope="module")
def hosts(possible):
    with network.link(1, DELAY) as found:
        yield found


def run(hosts, *words):
    environment = {k: v for k, v in hosts.environment.items() if not k.startswith("PMI")}
    for _ in range(3):
        done = subprocess.run(
            [*hosts.command, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=120,
            env=environment,
        )
        if "in internal_Init_thread" not in done.stdout + done.stderr:
            assert not done.returncode, done.stdout + done.stderr
            return done.stdout
    pytest.skip(
        "not run: MPI does not start between these namespaces: it finds the other one unreachable"
    )


@pytest.mark.parametrize("delay", [0.0, 0.005])
def test_a_link_has_the_delay_and_the_bandwidth_that_it_is_asked_for(possible, delay):
    """A round trip is twice the delay, and not 3 ms more; a connection has most of 1 Gbit/s, and no more than that."""
    for _ in range(3):  # other tests may need the cores meanwhile
        with network.link(1, delay) as made:
            back, rate = probe.measured(made)
        print(f"{1e3 * back:.3f} ms there and back, {8e-9 * rate:.3f} Gbit/s")
        assert back >= 2 * delay
        assert 8e-9 * rate < 1.05
        if back < 2 * delay + 0.003 and 8e-9 * rate > 0.5:
            return
    raise AssertionError("three links were slower than they should be")


def test_a_batch_in_shares_is_the_batch(hosts, tmp_path):
    expected = peer.few(peer.model(), None)
    run(hosts, peer.__file__, "few", tmp_path)
    for rank in range(2):
        found = json.loads((tmp_path / f"{rank}.json").read_text())
        np.testing.assert_allclose(found["losses"], expected["losses"], atol=1e-5)


def test_sums_run_while_the_backward_pass_does(hosts):
    words = "-m", "benchmarks.ranks", "--worker", "--threads", 1, "--batch", 64, "--steps", 10
    hidden = 0.0
    for _ in range(3):  # other tests may need the cores meanwhile
        found = json.loads(run(hosts, *words).splitlines()[-1])
        assert found["alone"] > 0.015  # 2.6 MB by 1 Gbit/s take 0.021 s
        hidden = max(hidden, found["hidden"])
        if hidden > 0.1:
            break
    assert hidden > 0.1
    events = {
        what: float(when.removesuffix("ms"))
        for when, what in (
            line.split("  ", 2)[-2:] for line in _lines(run(hosts, *words, "--timeline"))
        )
    }
    assert events["bucket 0"] < events["bucket 1"] < events["waits"] < events["summed"]


def _lines(text):
    return [line.strip().replace(" ms  ", "ms  ") for line in text.splitlines() if " ms  " in line]
