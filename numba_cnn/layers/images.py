"""Checks that layers of images share."""

from __future__ import annotations

from numba_cnn import shapes
from numba_cnn.layers.layer import InputShape
from numba_cnn.shapes import Shape

_UNKNOWN = 2**20  # pixels that stand for an extent that is not known: more than any window covers


def one_image(name: str, input_shape: InputShape) -> Shape:
    """The shape of a batch of one image, once the input is known to be images; large where an extent is not known."""
    input_shape = shapes.with_batch(name, input_shape)
    if len(input_shape) != 4:
        raise ValueError(
            f"{name}: the input must be images (None, H, W, C). Received: {input_shape}"
        )
    if input_shape[-1] is None:
        raise ValueError(
            f"{name}: the number of channels must be known. Received: input_shape {input_shape}"
        )
    return 1, *(_UNKNOWN if n is None else n for n in input_shape[1:])


def one_sequence(name: str, input_shape: InputShape) -> Shape:
    """The shape of a batch of one sequence, once the input is known to be sequences; large where L is not known."""
    input_shape = shapes.with_batch(name, input_shape)
    if len(input_shape) != 3:
        raise ValueError(
            f"{name}: the input must be sequences (None, L, C). Received: {input_shape}"
        )
    _, L, C = input_shape
    if C is None:
        raise ValueError(
            f"{name}: the number of channels must be known. Received: input_shape {input_shape}"
        )
    return 1, _UNKNOWN if L is None else L, C


def images(input_shape: InputShape, H: int, W: int, C: int) -> InputShape:
    """The shape of what a layer makes of images: no extent is known that was not known of these."""
    return (
        None,
        *(None if n is None else m for n, m in zip(input_shape[1:3], (H, W), strict=True)),
        C,
    )


def padding_name(name: str, padding: str) -> str:
    if not isinstance(padding, str) or padding.lower() not in ("valid", "same"):
        raise ValueError(f'{name}: padding must be "valid" or "same". Received: {padding!r:.80}')
    return padding.lower()


def check_channels_last(name: str, data_format: str | None) -> None:
    if data_format is not None and not (
        isinstance(data_format, str) and data_format == "channels_last"
    ):
        raise ValueError(
            f'{name}: data_format must be "channels_last", the only layout here; images (N, C, H, W) become such by '
            f"x.transpose(0, 2, 3, 1). Received: {data_format!r:.80}"
        )
