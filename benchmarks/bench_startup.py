"""Start-up, in processes of their own: import, first step with and without compiled kernels on disk."""

import os
import subprocess
import sys
import tempfile
import time

FIRST_STEP = """
from numba_cnn import layers, models
import numpy as np
model = models.Sequential([
    layers.Conv2D(32, 3, activation="relu", input_shape=(64, 64, 3)), layers.MaxPooling2D(2),
    layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
    layers.Conv2D(64, 3, activation="relu"), layers.Flatten(),
    layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(np.zeros((32, 64, 64, 3), np.float32), np.zeros(32, int), verbose=0)
"""


def _seconds(code, **environment):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | environment)
    return time.perf_counter() - start


class Import:
    unit = "s"
    timeout = 300

    def track_import(self):
        """What `import numba_cnn` adds to `import numba`."""
        rounds = [_seconds("import numba, numba_cnn") - _seconds("import numba") for _ in range(5)]
        return sorted(rounds)[2]


class FirstStep:
    unit = "s"
    timeout = 300
    rounds = 1

    def track_first_step_cold(self):
        """Import, build, compile every kernel, one step."""
        with tempfile.TemporaryDirectory() as folder:
            return _seconds(FIRST_STEP, NUMBA_CACHE_DIR=folder)

    def track_first_step_warm(self):
        """The same in a second process."""
        with tempfile.TemporaryDirectory() as folder:
            _seconds(FIRST_STEP, NUMBA_CACHE_DIR=folder)
            return _seconds(FIRST_STEP, NUMBA_CACHE_DIR=folder)
