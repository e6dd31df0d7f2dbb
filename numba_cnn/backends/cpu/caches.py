"""How large the processor's caches are."""

import os
from pathlib import Path


def _first_level():
    """Bytes of a core's first cache for data; where the system does not tell, as few as processors of today have."""
    try:
        size = Path("/sys/devices/system/cpu/cpu0/cache/index0/size").read_text()
        return int(size.strip().removesuffix("K")) << 10
    except (OSError, ValueError):
        return 32 << 10


# Whether a core's first cache is one of 48 KiB or more, as since Ice Lake and Zen 5, and not of 32.
ROOMY = _first_level() >= 48 << 10
# Bytes that all cores' caches hold between one kernel and the next, whatever the number of threads.
CACHED = (os.cpu_count() or 1) * 3 << 19
