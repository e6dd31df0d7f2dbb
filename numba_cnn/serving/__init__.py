"""A model behind HTTP on this machine: an image in, classes out."""

from numba_cnn import nearest
from numba_cnn.serving.server import Limits, Server

__all__ = ["Limits", "Server"]

__getattr__ = nearest.attributes(__name__, __all__)
