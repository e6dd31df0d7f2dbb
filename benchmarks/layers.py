"""The layers that benchmarks run on, named after the networks they come from."""

from typing import NamedTuple


class Convolution(NamedTuple):
    """What a Conv2D layer is made with, and the images it sees."""

    image: tuple[int, int, int]  # (H, W, C)
    kernel: tuple[int, int]
    filters: int
    strides: int = 1
    padding: str = "valid"
    groups: int = 1


CONV2D = {
    "tutorial conv2d": Convolution((64, 64, 3), (3, 3), 32),
    "tutorial conv2d_1": Convolution((31, 31, 32), (3, 3), 64),
    "tutorial conv2d_2": Convolution((14, 14, 64), (3, 3), 64),
    "LeNet conv2d_1": Convolution((14, 14, 6), (5, 5), 16),
    "ResNet-50 3x3 56x56x64": Convolution((56, 56, 64), (3, 3), 64, 1, "same"),
    "ResNet-50 3x3 28x28x128": Convolution((28, 28, 128), (3, 3), 128, 1, "same"),
    "ResNet-50 3x3 14x14x256": Convolution((14, 14, 256), (3, 3), 256, 1, "same"),
    "ResNet-50 3x3 7x7x512": Convolution((7, 7, 512), (3, 3), 512, 1, "same"),
    "ResNet-50 1x1 56x56x64": Convolution((56, 56, 64), (1, 1), 256),
    "ResNet-50 1x1 56x56x256": Convolution((56, 56, 256), (1, 1), 64),
    "ResNet-50 1x1 14x14x1024": Convolution((14, 14, 1024), (1, 1), 256),
    "ResNet-50 3x3/2 56x56x128": Convolution((56, 56, 128), (3, 3), 128, 2, "same"),
    "VGG-16 3x3 224x224x3": Convolution((224, 224, 3), (3, 3), 64, 1, "same"),
    "VGG-16 3x3 224x224x64": Convolution((224, 224, 64), (3, 3), 64, 1, "same"),
    "odd 3x3 63x61x17": Convolution((63, 61, 17), (3, 3), 19, 1, "same"),
    "MobileNet depthwise 56x56x128": Convolution((56, 56, 128), (3, 3), 128, 1, "same", 128),
    "MobileNet depthwise/2 112x112x64": Convolution((112, 112, 64), (3, 3), 64, 2, "same", 64),
    "MobileNet depthwise 14x14x512": Convolution((14, 14, 512), (3, 3), 512, 1, "same", 512),
    "MobileNetV3 depthwise 5x5 14x14x480": Convolution((14, 14, 480), (5, 5), 480, 1, "same", 480),
}
POOL = {
    "tutorial max_pooling2d": ((62, 62, 32), 2, None),
    "tutorial max_pooling2d_1": ((29, 29, 64), 2, None),
    "ResNet-50 3x3/2": ((112, 112, 64), 3, 2),
}
DENSE = {
    "tutorial dense": (9216, 64),
    "tutorial dense_1": (64, 10),
    "LeNet dense": (400, 120),
    "large dense": (4096, 1024),
}
