"""Keras scripts as they are: run by the command `numba-cnn run`, or in a notebook after as_keras()."""

from numba_cnn.scripts.modules import as_keras
from numba_cnn.scripts.run import missing_words, run

__all__ = ["as_keras", "missing_words", "run"]
