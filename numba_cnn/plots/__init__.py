"""Pictures of models: their graph, and with Matplotlib what they learned, where they look and what they get wrong."""

from numba_cnn import nearest
from numba_cnn.plots.architecture import plot_model
from numba_cnn.plots.attention import grad_cam, saliency
from numba_cnn.plots.blocks import blocks
from numba_cnn.plots.dot import model_to_dot
from numba_cnn.plots.inside import embeddings, feature_maps, filters
from numba_cnn.plots.mistakes import confusion_matrix, mistakes
from numba_cnn.plots.training import curves

__all__ = [
    "blocks",
    "confusion_matrix",
    "curves",
    "embeddings",
    "feature_maps",
    "filters",
    "grad_cam",
    "mistakes",
    "model_to_dot",
    "plot_model",
    "saliency",
]

__getattr__ = nearest.attributes(__name__, __all__)
