"""Files: .keras for whole models, .weights.h5 for weights; both are Keras's own formats."""

from numba_cnn.saving.keras_file import ModelFile, open_model, save_model
from numba_cnn.saving.weights_file import load_weights, save_weights

__all__ = ["ModelFile", "load_weights", "open_model", "save_model", "save_weights"]
