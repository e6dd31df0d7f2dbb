"""Models: Sequential, Model, and what loads one from a file."""

from numba_cnn import nearest
from numba_cnn.models.architectures import lenet, mobilenet, resnet20, unet, vgg
from numba_cnn.models.cloning import clone_model
from numba_cnn.models.functional import Model
from numba_cnn.models.loading import load_model, model_from_json, save_model
from numba_cnn.models.sequential import Sequential
from numba_cnn.models.tutorial import tutorial_cnn

__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "lenet",
    "load_model",
    "mobilenet",
    "model_from_json",
    "resnet20",
    "save_model",
    "tutorial_cnn",
    "unet",
    "vgg",
]

__getattr__ = nearest.attributes(__name__, __all__)
