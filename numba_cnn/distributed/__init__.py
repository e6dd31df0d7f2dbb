"""Training on several processes, and hosts, by MPI: each takes its share of every batch, and gradients are summed.

    mpiexec -n 4 python script.py

where the script calls `model.distribute()` before fit(), evaluate() and predict(); docs/distributed.md.
"""

from numba_cnn import nearest
from numba_cnn.distributed.failures import RankError
from numba_cnn.distributed.launcher import is_first, launched
from numba_cnn.distributed.ranks import Ranks, Share

__all__ = ["RankError", "Ranks", "Share", "is_first", "launched"]

__getattr__ = nearest.attributes(__name__, __all__)
