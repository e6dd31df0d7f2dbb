"""What the convolutions share: windows that move over images."""

from __future__ import annotations

from typing import Any

from numba_cnn import shapes
from numba_cnn.layers.images import check_channels_last, padding_name
from numba_cnn.layers.kernel_layer import KernelLayer
from numba_cnn.shapes import Size


class ConvolutionLayer(KernelLayer):
    """A layer of images, channels last; `geometry` has the words of ops for how its windows move."""

    def __init__(
        self,
        *,
        kernel_size: Size,
        strides: Size,
        padding: str,
        data_format: str | None,
        dilation_rate: Size,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        check_channels_last(self.name, data_format)
        self.kernel_size = shapes.pair(self.name, "kernel_size", kernel_size)
        self.strides = shapes.pair(self.name, "strides", strides)
        self.padding = padding_name(self.name, padding)
        self.dilation_rate = shapes.pair(self.name, "dilation_rate", dilation_rate)
        self.geometry: dict[str, Any] = {
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_size": list(self.kernel_size),
            "strides": list(self.strides),
            "padding": self.padding,
            "data_format": "channels_last",
            "dilation_rate": list(self.dilation_rate),
        }
