"""Arguments of compile() that say how other libraries run a step, which scripts bring along."""

from __future__ import annotations

from typing import Any

from numba_cnn import nearest
from numba_cnn.settings import flag, integer


def check(
    run_eagerly: Any, steps_per_execution: Any, jit_compile: Any, auto_scale_loss: Any
) -> None:
    """Raise a ValueError for values that Keras would not take either; none changes anything here."""
    flag("compile", "run_eagerly", run_eagerly)
    flag("compile", "auto_scale_loss", auto_scale_loss)
    integer(1)("compile", "steps_per_execution", steps_per_execution)
    if not isinstance(jit_compile, str | bool) or (
        isinstance(jit_compile, str) and jit_compile != "auto"
    ):
        raise ValueError(
            f'compile: jit_compile must be True, False or "auto". Received: {nearest.shown(jit_compile)}'
        )
