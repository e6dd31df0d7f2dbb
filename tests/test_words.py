"""Callbacks and objects of the user's own beside Keras's."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import words_peer as peer

import numba_cnn
from numba_cnn import session

pytestmark = pytest.mark.xdist_group("words against keras")  # one process asks Keras, once


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """(what Keras answers, the folder with its files)."""
    folder = tmp_path_factory.mktemp("words")
    for name, (make, _) in peer.FILES.items():
        session.clear_session()
        peer.write(make(numba_cnn), folder / f"ours_{name}")
    settings = {
        "KERAS_BACKEND": "jax",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
        "COLUMNS": "100",
    }
    subprocess.run([sys.executable, peer.__file__, folder], check=True, env=os.environ | settings)
    return json.loads((folder / "answers.json").read_text()), folder


def are_numbers(values):
    try:
        return np.array(values).dtype.kind in "fiub"
    except ValueError:  # of several lengths
        return False


def assert_alike(ours, theirs, where=""):
    """The same values within single precision, in the same places."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key, value in theirs.items():
            assert_alike(ours[key], value, f"{where}/{key}")
    elif isinstance(theirs, str) or theirs is None:
        assert ours == theirs, where
    elif isinstance(theirs, list) and not are_numbers(theirs):
        assert len(ours) == len(theirs), where
        for i, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_alike(one, other, f"{where}/{i}")
    elif isinstance(theirs, list):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5, err_msg=where)
    else:
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-5), where


@pytest.mark.parametrize("name", peer.CASES)
def test_the_same_as_in_keras(name, keras):
    assert_alike(peer.CASES[name](numba_cnn), keras[0][name])


@pytest.mark.parametrize("name", peer.FILES)
def test_files_go_both_ways(name, keras):
    answers, folder = keras
    session.clear_session()
    make, ask = peer.FILES[name]
    assert_alike(ask(make(numba_cnn)), answers[name])
    assert_alike(answers[f"ours_{name}"], answers[name])
    assert_alike(ask(peer.read(numba_cnn, make, folder / f"theirs_{name}")), answers[name])
