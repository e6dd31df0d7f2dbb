"""An interpreter of the PTX that Numba compiles: kernels for NVIDIA GPUs executed, and watched, on
any CPU.

All threads of many blocks run as one NumPy vector, one instruction at a time; where they part ways,
the group that is behind goes first, so that they meet again. On the way every access to memory is
checked: inside its array, aligned, written before it is read, and not raced for by another thread.
What it does not model: time, caches, warps that run ahead of each other (a race is found by its
rule, not by its symptom), calls, textures, half precision and atomics, which this library has none
of.
"""

from .launch import execute
from .memory import Buffer
from .program import Program
from .statistics import Statistics
from .types import PTXError

__all__ = ["Buffer", "PTXError", "Program", "Statistics", "execute"]
