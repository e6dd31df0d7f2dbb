"""The library under the name that a script's import lines end in: `from numba_cnn.keras.models import Sequential`."""

from __future__ import annotations

from typing import Any

import numba_cnn
from numba_cnn.scripts.modules import serve

serve(__name__)


def __getattr__(name: str) -> Any:
    return getattr(numba_cnn, name)


def __dir__() -> list[str]:
    return dir(numba_cnn)
