"""Checks that layers of images share."""

from __future__ import annotations

from numba_cnn import shapes
from numba_cnn.layers.layer import InputShape
from numba_cnn.shapes import Shape


def one_image(name: str, input_shape: InputShape) -> Shape:
    """The shape of a batch of one image, once the input is known to be images."""
    input_shape = shapes.with_batch(name, input_shape)
    if len(input_shape) != 4:
        raise ValueError(
            f"{name}: the input must be images (None, H, W, C). Received: {input_shape}"
        )
    return 1, *(n for n in input_shape[1:] if n is not None)


def padding_name(name: str, padding: str) -> str:
    if not isinstance(padding, str) or padding.lower() not in ("valid", "same"):
        raise ValueError(f'{name}: padding must be "valid" or "same". Received: {padding!r:.80}')
    return padding.lower()


def check_channels_last(name: str, data_format: str | None) -> None:
    if data_format is not None and not (
        isinstance(data_format, str) and data_format == "channels_last"
    ):
        raise ValueError(
            f'{name}: data_format must be "channels_last", the only layout here. '
            f"Received: {data_format!r:.80}"
        )
