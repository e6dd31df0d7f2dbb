"""Keras's utilities for scripts."""

from numba_cnn import nearest
from numba_cnn.session import set_random_seed
from numba_cnn.utils.arrays import normalize, to_categorical
from numba_cnn.utils.get_file import get_file
from numba_cnn.utils.image_dataset import image_dataset_from_directory
from numba_cnn.utils.images import array_to_img, img_to_array, load_img, save_img
from numba_cnn.utils.py_dataset import PyDataset, Sequence

__all__ = [
    "PyDataset",
    "Sequence",
    "array_to_img",
    "get_file",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "save_img",
    "set_random_seed",
    "to_categorical",
]

__getattr__ = nearest.attributes(__name__, __all__)
