"""The layers of a Sequential model, by Keras's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numba_cnn import nearest, registry
from numba_cnn.layers.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from numba_cnn.layers.activity_regularization import ActivityRegularization
from numba_cnn.layers.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
)
from numba_cnn.layers.augmentation import (
    RandomCrop,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from numba_cnn.layers.average_pooling2d import AveragePooling2D, AvgPool2D
from numba_cnn.layers.batch_normalization import BatchNormalization
from numba_cnn.layers.coloring import RandomBrightness, RandomContrast
from numba_cnn.layers.conv2d import Conv2D
from numba_cnn.layers.conv2d_transpose import Conv2DTranspose
from numba_cnn.layers.convolution1d import (
    Conv1D,
    Conv1DTranspose,
    DepthwiseConv1D,
    SeparableConv1D,
)
from numba_cnn.layers.dense import Dense
from numba_cnn.layers.depthwise_conv2d import DepthwiseConv2D, SeparableConv2D
from numba_cnn.layers.dot import Dot, dot
from numba_cnn.layers.flatten import Flatten
from numba_cnn.layers.global_pooling2d import (
    GlobalAveragePooling2D,
    GlobalAvgPool2D,
    GlobalMaxPool2D,
    GlobalMaxPooling2D,
)
from numba_cnn.layers.input_layer import Input, InputLayer
from numba_cnn.layers.layer import Layer
from numba_cnn.layers.max_pooling2d import MaxPool2D, MaxPooling2D
from numba_cnn.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from numba_cnn.layers.noise import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
)
from numba_cnn.layers.normalization import Normalization
from numba_cnn.layers.normalizing import GroupNormalization, LayerNormalization
from numba_cnn.layers.pooling1d import (
    AveragePooling1D,
    AvgPool1D,
    Cropping1D,
    GlobalAveragePooling1D,
    GlobalAvgPool1D,
    GlobalMaxPool1D,
    GlobalMaxPooling1D,
    MaxPool1D,
    MaxPooling1D,
    UpSampling1D,
    ZeroPadding1D,
)
from numba_cnn.layers.prelu import PReLU
from numba_cnn.layers.rescaling import Rescaling
from numba_cnn.layers.resizing import CenterCrop, Resizing
from numba_cnn.layers.shaping import (
    Cropping2D,
    Identity,
    Permute,
    RepeatVector,
    Reshape,
    UpSampling2D,
    ZeroPadding2D,
)
from numba_cnn.layers.unit_normalization import UnitNormalization

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "Add",
    "AlphaDropout",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1D",
    "AvgPool2D",
    "BatchNormalization",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv1D",
    "SeparableConv2D",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "Subtract",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "describe",
    "deserialize",
    "dot",
    "from_description",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]  # fmt: skip

_CLASSES = {
    cls.__name__: cls
    for cls in map(globals().get, __all__)
    if isinstance(cls, type) and cls is not Layer
}

__getattr__ = nearest.attributes(__name__, __all__)

_FLOAT32 = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}


def describe(layer: Layer) -> registry.Configuration:
    """The Keras configuration of a layer."""
    description: registry.Configuration = registry.describe("layers", layer)
    if isinstance(layer, InputLayer):
        description["config"]["dtype"] = "float32"
    else:
        description["config"]["dtype"] = {**_FLOAT32, "registered_name": None}
        if layer.built:
            assert layer.input_shape is not None
            description["build_config"] = {"input_shape": list(layer.input_shape)}
    return description


def from_description(description: Mapping[str, Any]) -> Layer:
    """The layer that a Keras configuration describes; ValueError for one that is unknown here."""
    if not isinstance(description, Mapping):
        raise TypeError(
            f"layers: config must be a dict that describes a layer. Received: {nearest.shown(description)}"
        )
    layer: Layer = registry.create("layer", description, _CLASSES, Layer)
    return layer


serialize, deserialize = registry.both_ways("layers", from_description)
