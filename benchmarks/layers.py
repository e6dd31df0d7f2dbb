"""The layers that benchmarks run on, named after the networks they come from."""

# name: (H, W, C), (KH, KW), F, strides, padding
CONV2D = {
    "tutorial conv2d": ((64, 64, 3), (3, 3), 32, 1, "valid"),
    "tutorial conv2d_1": ((31, 31, 32), (3, 3), 64, 1, "valid"),
    "tutorial conv2d_2": ((14, 14, 64), (3, 3), 64, 1, "valid"),
    "LeNet conv2d_1": ((14, 14, 6), (5, 5), 16, 1, "valid"),
    "ResNet-50 3x3 56x56x64": ((56, 56, 64), (3, 3), 64, 1, "same"),
    "ResNet-50 3x3 28x28x128": ((28, 28, 128), (3, 3), 128, 1, "same"),
    "ResNet-50 3x3 14x14x256": ((14, 14, 256), (3, 3), 256, 1, "same"),
    "ResNet-50 3x3 7x7x512": ((7, 7, 512), (3, 3), 512, 1, "same"),
    "ResNet-50 1x1 56x56x64": ((56, 56, 64), (1, 1), 256, 1, "valid"),
    "ResNet-50 1x1 56x56x256": ((56, 56, 256), (1, 1), 64, 1, "valid"),
    "ResNet-50 1x1 14x14x1024": ((14, 14, 1024), (1, 1), 256, 1, "valid"),
    "ResNet-50 3x3/2 56x56x128": ((56, 56, 128), (3, 3), 128, 2, "same"),
}
POOL = {
    "tutorial max_pooling2d": ((62, 62, 32), 2, None),
    "tutorial max_pooling2d_1": ((29, 29, 64), 2, None),
    "ResNet-50 3x3/2": ((112, 112, 64), 3, 2),
}
DENSE = {"tutorial dense": (9216, 64), "tutorial dense_1": (64, 10), "LeNet dense": (400, 120)}
