"""Some of the models of `python -m tests.zoo` beside Keras; the command takes all of them."""

import subprocess
import sys
from pathlib import Path

from tests.zoo.compare import MODELS

NAMES = "mini_xception", "unet_upsampling", "age_and_kind"


def test_models_agree_with_keras():
    command = [sys.executable, "-m", "tests.zoo", *NAMES]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("3 of 3 agree.\n")


def test_there_are_thirty_at_least():
    assert len(MODELS) >= 30
