"""Keras's older names for what reads images: preprocessing.image.load_img is utils.load_img; and ImageDataGenerator."""

from numba_cnn import nearest
from numba_cnn.preprocessing import image
from numba_cnn.utils import image_dataset_from_directory

__all__ = ["image", "image_dataset_from_directory"]

__getattr__ = nearest.attributes(__name__, __all__)
