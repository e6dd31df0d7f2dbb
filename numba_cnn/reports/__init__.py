"""What came out of training, in one HTML file, and the numbers in it."""

from numba_cnn import nearest
from numba_cnn.reports.html import write
from numba_cnn.reports.results import Results, results_of

__all__ = ["Results", "results_of", "write"]

__getattr__ = nearest.attributes(__name__, __all__)
