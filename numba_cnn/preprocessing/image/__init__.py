"""Batches of images that are changed at random, and image files, by the names of keras.preprocessing.image."""

from numba_cnn import nearest
from numba_cnn.preprocessing.image.from_files import DirectoryIterator
from numba_cnn.preprocessing.image.from_tables import DataFrameIterator
from numba_cnn.preprocessing.image.generator import ImageDataGenerator
from numba_cnn.preprocessing.image.iterators import Iterator, NumpyArrayIterator
from numba_cnn.utils import array_to_img, img_to_array, load_img, save_img
from numba_cnn.utils.resizing import smart_resize

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "array_to_img",
    "img_to_array",
    "load_img",
    "save_img",
    "smart_resize",
]

__getattr__ = nearest.attributes(__name__, __all__)
