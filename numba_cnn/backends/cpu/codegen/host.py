"""What the host is: the width of its vectors, its registers, its caches.

NUMBA_CNN_VECTOR_BITS (128, 256 or 512) takes narrower vectors than the widest that the host computes with at full rate.
"""

import os
from pathlib import Path

import llvmlite.binding as llvm
from numba.core import config


def host_bits():
    """The width of the widest vector that the processor computes with, in bits."""
    if config.CPU_NAME:  # numba compiles for another processor than this one
        return 128
    features = llvm.get_host_cpu_features()
    return 512 if features.get("avx512f") else 256 if features.get("avx2") else 128


def _bits():
    override, widest = os.environ.get("NUMBA_CNN_VECTOR_BITS", ""), host_bits()
    if not override:
        return widest
    if override not in ("128", "256", "512") or int(override) > widest:
        raise ValueError(
            f"NUMBA_CNN_VECTOR_BITS must be 128, 256 or 512, and at most the {widest} bits that this "
            f"processor computes with. Received: {override!r}"
        )
    return int(override)


VECTOR_BITS = _bits()
REGISTERS = (
    16
    if VECTOR_BITS == 256 or (llvm.get_default_triple().startswith("x86") and VECTOR_BITS == 128)
    else 32
)


CACHE_LINE = 64  # bytes that come from memory at once
# AVX-512 has registers for masks; before it, a masked store takes many times as long as a plain one.
MASKS_ARE_FREE = VECTOR_BITS == 512


def _cache_size(index, smallest):
    """KiB of a core's cache, as Linux numbers them; or the smallest in use, where the system doesn't say."""
    try:
        size = Path(f"/sys/devices/system/cpu/cpu0/cache/index{index}/size").read_text()
        return int(size.strip().removesuffix("K"))
    except (OSError, ValueError):
        return smallest


# Whether a core's first cache for data is one of 48 KiB or more, as since Ice Lake and Zen 5, and not of 32.
L1_IS_48K = _cache_size(0, 32) >= 48
SECOND_LEVEL = _cache_size(2, 256) << 10  # bytes of a core's second cache
# Bytes that all cores' caches hold between one kernel and the next, whatever the number of threads.
CACHE_BUDGET = (os.cpu_count() or 1) * 3 << 19
