"""The functional API: each function checks its arguments, allocates its outputs and runs where its
arrays live.

Arrays are NHWC, float32 or float64, all of one dtype and all in one place: NumPy arrays run on the
CPU, device arrays on the GPU that holds them, those of other libraries too (__cuda_array_interface__
or DLPack). An array that is not C-contiguous is copied first. Nothing moves between host and device.
"""

from numba_cnn import nearest
from numba_cnn.ops.activations import relu, relu_backward, softmax
from numba_cnn.ops.arguments import Array as Array
from numba_cnn.ops.convolution import (
    conv2d,
    conv2d_backward,
    conv2d_max_pool2d,
    conv2d_max_pool2d_backward,
    explain_conv2d,
)
from numba_cnn.ops.dense import dense, dense_backward
from numba_cnn.ops.losses import sparse_categorical_crossentropy
from numba_cnn.ops.metrics import sparse_categorical_accuracy
from numba_cnn.ops.pooling import max_pool2d, max_pool2d_backward

__all__ = [
    "conv2d",
    "conv2d_backward",
    "conv2d_max_pool2d",
    "conv2d_max_pool2d_backward",
    "dense",
    "dense_backward",
    "explain_conv2d",
    "max_pool2d",
    "max_pool2d_backward",
    "relu",
    "relu_backward",
    "softmax",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
]

__getattr__ = nearest.attributes(__name__, __all__)
