"""Pictures of models."""

from numba_cnn import nearest
from numba_cnn.plots.architecture import plot_model

__all__ = ["plot_model"]

__getattr__ = nearest.attributes(__name__, __all__)
