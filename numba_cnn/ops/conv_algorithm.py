"""By which algorithm convolutions run: the caller's word, and what "auto" means in this process."""

from __future__ import annotations

import os

from numba_cnn import shapes

WORDS = ("auto", "direct", "winograd")
VARIABLE = "NUMBA_CNN_CONV_ALGORITHM"

_default: str | None = None  # not asked for yet


def resolved(op: str, algorithm: str, g: shapes.Conv2D) -> str:
    """The word that the backend gets: "auto" is what this process means by it, where that is supported.

    Raises ValueError for an unknown word, and for "winograd" where it does not apply.
    """
    algorithm = _known(op, "algorithm", algorithm)
    if algorithm == "auto":
        algorithm = default()
        return "direct" if algorithm == "winograd" and not g.winograd else algorithm
    if algorithm == "winograd" and not g.winograd:
        raise ValueError(
            f'{op}: algorithm="winograd" needs 3x3 filters, stride 1, dilation 1 and one group. Received: '
            f"{g.KH}x{g.KW}, strides {(g.SH, g.SW)}, dilation_rate {(g.DH, g.DW)}, groups {g.groups}"
        )
    return algorithm


def default() -> str:
    """What "auto" means: the word of set_conv_algorithm, else that of NUMBA_CNN_CONV_ALGORITHM, else "auto"."""
    global _default
    if _default is None:
        _default = _known("conv2d", VARIABLE, os.environ.get(VARIABLE, "").strip() or "auto")
    return _default


def set_default(algorithm: str) -> None:
    global _default
    _default = _known("set_conv_algorithm", "algorithm", algorithm)


def _known(op: str, name: str, word: object) -> str:
    """The word, as it stands in WORDS: those who compare words by identity find it there."""
    if not isinstance(word, str) or word not in WORDS:
        raise ValueError(f"{op}: {name} must be one of {', '.join(WORDS)}. Received: {word!r:.80}")
    return WORDS[WORDS.index(word)]
