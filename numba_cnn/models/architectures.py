"""Well-known networks, by name, for images of any size."""

from __future__ import annotations

from typing import Any

from numba_cnn import shapes
from numba_cnn.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    InputLayer,
    MaxPooling2D,
    ReLU,
)
from numba_cnn.models.functional import Model
from numba_cnn.models.sequential import Sequential
from numba_cnn.nearest import keywords

Extents = tuple[int, int, int]
# Of moving statistics: Keras's 0.99 forgets its first values too slowly for the few steps that small data sets have.
_MOMENTUM = 0.9


@keywords
def lenet(input_shape: Extents = (32, 32, 1), classes: int = 10) -> Sequential:
    """LeNet-5 (LeCun et al., 1998): two 5x5 convolutions with average pooling, three dense layers, tanh."""
    extents, classes = _checked("lenet", input_shape, classes)
    return Sequential(
        [
            InputLayer(extents),
            Conv2D(6, 5, padding="same", activation="tanh"),
            AveragePooling2D(),
            Conv2D(16, 5, activation="tanh"),
            AveragePooling2D(),
            Flatten(),
            Dense(120, activation="tanh"),
            Dense(84, activation="tanh"),
            Dense(classes, activation="softmax"),
        ],
        name="lenet",
    )


@keywords
def vgg(input_shape: Extents = (64, 64, 3), classes: int = 10) -> Sequential:
    """After VGG (Simonyan and Zisserman, 2015), with batch normalization: 3x3 convolutions of 32, 64 and 128 filters,
    two, two and three times, each time a pooling; global average pooling, dropout, a dense layer."""
    extents, classes = _checked("vgg", input_shape, classes)
    model = Sequential([InputLayer(extents)], name="vgg")
    for filters, times in ((32, 2), (64, 2), (128, 3)):
        for _ in range(times):
            model.add(Conv2D(filters, 3, padding="same", use_bias=False))
            model.add(BatchNormalization(momentum=_MOMENTUM))
            model.add(ReLU())
        model.add(MaxPooling2D())
    model.add(GlobalAveragePooling2D())
    model.add(Dropout(0.3))
    model.add(Dense(classes, activation="softmax"))
    return model


@keywords
def resnet20(input_shape: Extents = (32, 32, 3), classes: int = 10) -> Model:
    """ResNet-20 (He et al., 2016, of CIFAR-10): three stages of three blocks of two convolutions, each block's input
    added to its output."""
    extents, classes = _checked("resnet20", input_shape, classes)
    inputs = Input(extents)
    x = _normalized(inputs, 16)
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            strides = 2 if stage and not block else 1
            y = _normalized(x, filters, strides=strides)
            y = _normalized(y, filters, activation=None)
            if strides == 2:
                x = _normalized(x, filters, 1, activation=None, strides=2)
            x = ReLU()(Add()([x, y]))
    outputs = Dense(classes, activation="softmax")(GlobalAveragePooling2D()(x))
    return Model(inputs, outputs, name="resnet20")


@keywords
def mobilenet(input_shape: Extents = (64, 64, 3), classes: int = 10) -> Model:
    """After MobileNet (Howard et al., 2017), half as wide: depthwise 3x3 and 1x1 convolutions in turns, up to 256
    filters."""
    extents, classes = _checked("mobilenet", input_shape, classes)
    inputs = Input(extents)
    x = _normalized(inputs, 16, activation="relu6", strides=2)
    for filters, strides in ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
        x = DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x)
        x = Activation("relu6")(BatchNormalization(momentum=_MOMENTUM)(x))
        x = _normalized(x, filters, 1, activation="relu6")
    x = Dropout(0.2)(GlobalAveragePooling2D()(x))
    return Model(inputs, Dense(classes, activation="softmax")(x), name="mobilenet")


@keywords
def unet(input_shape: Extents = (64, 64, 3), classes: int = 2) -> Model:
    """After U-Net (Ronneberger et al., 2015): a class for each pixel, (N, H, W, classes), by 16 to 128 filters on the
    way down and up, and what they gave on the way down beside what comes up. H and W must be multiples of 8."""
    extents, classes = _checked("unet", input_shape, classes)
    if extents[0] % 8 or extents[1] % 8:
        raise ValueError(
            f"unet: input_shape must have H and W that are multiples of 8. Received: {extents}"
        )
    inputs = Input(extents)
    x, skips = inputs, []
    for filters in (16, 32, 64):
        x = _normalized(_normalized(x, filters), filters)
        skips.append(x)
        x = MaxPooling2D()(x)
    x = _normalized(_normalized(x, 128), 128)
    for filters, skip in zip((64, 32, 16), reversed(skips), strict=True):
        x = Conv2DTranspose(filters, 2, strides=2, activation="relu")(x)
        x = Concatenate()([skip, x])
        x = _normalized(_normalized(x, filters), filters)
    return Model(inputs, Conv2D(classes, 1, activation="softmax")(x), name="unet")


def _normalized(
    x: Any, filters: int, size: int = 3, activation: str | None = "relu", strides: int = 1
) -> Any:
    x = Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
    x = BatchNormalization(momentum=_MOMENTUM)(x)
    return x if activation is None else Activation(activation)(x)


def _checked(op: str, input_shape: Any, classes: Any) -> tuple[Extents, int]:
    extents = shapes.extents(op, "input_shape", input_shape, least=1)
    if len(extents) != 3:
        raise ValueError(f"{op}: input_shape must be (H, W, C). Received: {input_shape}")
    return (extents[0], extents[1], extents[2]), shapes.count(op, "classes", classes)
