"""Keras's utilities for scripts."""

from numba_cnn import nearest
from numba_cnn.session import set_random_seed
from numba_cnn.utils.arrays import normalize, to_categorical

__all__ = ["normalize", "set_random_seed", "to_categorical"]

__getattr__ = nearest.attributes(__name__, __all__)
