"""Keras's utilities for scripts."""

from numba_cnn import nearest
from numba_cnn.config import clear_session
from numba_cnn.custom import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from numba_cnn.layers.tensor import is_keras_tensor
from numba_cnn.plots import model_to_dot, plot_model
from numba_cnn.progress import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from numba_cnn.session import set_random_seed
from numba_cnn.utils.arrays import normalize, to_categorical
from numba_cnn.utils.batches import (
    pack_x_y_sample_weight,
    pad_sequences,
    split_dataset,
    unpack_x_y_sample_weight,
)
from numba_cnn.utils.get_file import get_file
from numba_cnn.utils.image_dataset import image_dataset_from_directory
from numba_cnn.utils.images import array_to_img, img_to_array, load_img, save_img
from numba_cnn.utils.progbar import Progbar
from numba_cnn.utils.py_dataset import PyDataset, Sequence

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "clear_session",
    "custom_object_scope",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "set_random_seed",
    "split_dataset",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

__getattr__ = nearest.attributes(__name__, __all__)
