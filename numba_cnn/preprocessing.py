"""Keras's older name for what reads and writes images: preprocessing.image.load_img is utils.load_img."""

from numba_cnn import nearest
from numba_cnn import utils as image

__all__ = ["image"]

__getattr__ = nearest.attributes(__name__, __all__)
