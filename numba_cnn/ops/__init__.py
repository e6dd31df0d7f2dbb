"""The functional API: each function checks its arguments, allocates its outputs and runs where its
arrays live.

Arrays are NHWC, float32 or float64, all of one dtype and all in one place: NumPy arrays run on the
CPU, device arrays on the GPU that holds them, those of other libraries too (__cuda_array_interface__
or DLPack). An array that is not C-contiguous is copied first. Nothing moves between host and device.
"""

from numba_cnn import nearest
from numba_cnn.ops.activations import (
    activate,
    activate_backward,
    log_softmax,
    log_softmax_backward,
    relu,
    relu_backward,
    softmax,
    softmax_backward,
)
from numba_cnn.ops.adaptive_pooling import (
    adaptive_average_pool2d,
    adaptive_average_pool2d_backward,
    adaptive_max_pool2d,
    adaptive_max_pool2d_backward,
)
from numba_cnn.ops.arguments import Array as Array
from numba_cnn.ops.coloring import (
    adjust_brightness,
    adjust_brightness_backward,
    adjust_contrast,
    adjust_contrast_backward,
)
from numba_cnn.ops.convolution import (
    conv2d,
    conv2d_backward,
    conv2d_max_pool2d,
    conv2d_max_pool2d_backward,
    explain_conv2d,
)
from numba_cnn.ops.dense import (
    dense,
    dense_backward,
)
from numba_cnn.ops.group_normalization import (
    group_norm,
    group_norm_backward,
    unit_norm,
    unit_norm_backward,
)
from numba_cnn.ops.losses import (
    binary_crossentropy,
    binary_crossentropy_of_probabilities,
    categorical_crossentropy,
    categorical_crossentropy_of_probabilities,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
    sparse_categorical_crossentropy_of_probabilities,
)
from numba_cnn.ops.merging import (
    add,
    add_backward,
    concatenate,
    maximum,
    maximum_backward,
    minimum,
    minimum_backward,
    multiply,
    multiply_backward,
    prelu,
    prelu_backward,
    split,
    subtract,
    subtract_backward,
)
from numba_cnn.ops.metrics import (
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
)
from numba_cnn.ops.normalization import (
    batch_norm,
    batch_norm_backward,
    batch_norm_inference,
    batch_norm_inference_backward,
)
from numba_cnn.ops.pooling import (
    average_pool2d,
    average_pool2d_backward,
    global_average_pool2d,
    global_average_pool2d_backward,
    global_max_pool2d,
    global_max_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from numba_cnn.ops.products import batch_dot, batch_dot_backward, permute
from numba_cnn.ops.random import (
    dropout,
    dropout_backward,
    gaussian_noise,
)
from numba_cnn.ops.resizing import (
    crop2d,
    upsample2d,
    upsample2d_backward,
    zero_pad2d,
)
from numba_cnn.ops.transposed_convolution import conv2d_transpose, conv2d_transpose_backward
from numba_cnn.ops.warping import (
    affine_transform2d,
    affine_transform2d_backward,
    random_affine,
    random_uniform,
    resize2d,
    resize2d_backward,
)

__all__ = [
    "activate",
    "activate_backward",
    "adaptive_average_pool2d",
    "adaptive_average_pool2d_backward",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_backward",
    "add",
    "add_backward",
    "adjust_brightness",
    "adjust_brightness_backward",
    "adjust_contrast",
    "adjust_contrast_backward",
    "affine_transform2d",
    "affine_transform2d_backward",
    "average_pool2d",
    "average_pool2d_backward",
    "batch_dot",
    "batch_dot_backward",
    "batch_norm",
    "batch_norm_backward",
    "batch_norm_inference",
    "batch_norm_inference_backward",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_crossentropy_of_probabilities",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_crossentropy_of_probabilities",
    "concatenate",
    "conv2d",
    "conv2d_backward",
    "conv2d_max_pool2d",
    "conv2d_max_pool2d_backward",
    "conv2d_transpose",
    "conv2d_transpose_backward",
    "crop2d",
    "dense",
    "dense_backward",
    "dropout",
    "dropout_backward",
    "explain_conv2d",
    "gaussian_noise",
    "global_average_pool2d",
    "global_average_pool2d_backward",
    "global_max_pool2d",
    "global_max_pool2d_backward",
    "group_norm",
    "group_norm_backward",
    "log_softmax",
    "log_softmax_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "maximum",
    "maximum_backward",
    "mean_absolute_error",
    "mean_squared_error",
    "minimum",
    "minimum_backward",
    "multiply",
    "multiply_backward",
    "permute",
    "prelu",
    "prelu_backward",
    "random_affine",
    "random_uniform",
    "relu",
    "relu_backward",
    "resize2d",
    "resize2d_backward",
    "softmax",
    "softmax_backward",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_categorical_crossentropy_of_probabilities",
    "split",
    "subtract",
    "subtract_backward",
    "unit_norm",
    "unit_norm_backward",
    "upsample2d",
    "upsample2d_backward",
    "zero_pad2d",
]

__getattr__ = nearest.attributes(__name__, __all__)
