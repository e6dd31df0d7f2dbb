"""A run that may be killed: trains, in the process of its own, and writes its weights and its history.

python backup_peer.py FOLDER [ORDERS OF save_freq] [the batches behind which it is killed]
"""

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import small_cnn

from numba_cnn import callbacks, layers, models


class Killed(callbacks.Callback):
    """Kills the process behind so many batches, or in the middle of so many saves."""

    def __init__(self, batches, saves):
        self.batches, self.saves = batches, saves
        replace = os.replace

        def replacing(*arguments):
            self.saves -= 1
            if not self.saves:
                os.kill(os.getpid(), signal.SIGKILL)
            replace(*arguments)

        os.replace = replacing

    def on_train_batch_end(self, batch, logs=None):
        self.batches -= 1
        if not self.batches:
            os.kill(os.getpid(), signal.SIGKILL)


def model():
    made = models.Sequential(
        [
            layers.Input(small_cnn.INPUT_SHAPE),
            layers.Conv2D(3, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(small_cnn.CLASSES, activation="softmax"),
        ]
    )
    made.compile("nadam", "sparse_categorical_crossentropy", metrics=["accuracy"], backend="cpu")
    return made


def main(folder, save_freq, batches=0, saves=0):
    folder = Path(folder)
    save_freq = save_freq if save_freq == "epoch" else int(save_freq)
    x, y = small_cnn.data()
    made = model()
    used = [
        callbacks.BackupAndRestore(folder / "backup", save_freq),
        callbacks.ReduceLROnPlateau("loss", 0.3, patience=1, min_delta=0.1),
        callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True),
        callbacks.CSVLogger(folder / "log.csv"),
        callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        Killed(int(batches), int(saves)),
    ]
    history = made.fit(x, y, 8, epochs=6, verbose=0, callbacks=used, validation_split=0.2)
    np.savez(folder / "weights.npz", *made.get_weights())
    (folder / "history.json").write_text(json.dumps(history.history))


if __name__ == "__main__":
    main(*sys.argv[1:])
