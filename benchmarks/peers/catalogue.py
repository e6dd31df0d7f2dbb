"""The libraries that are compared.

Each has a file in libraries/ whose `build(name, weights, threads)` makes a Model of the tutorial's
network. That folder is no package: asv imports every module of one, and each of these can be
imported in its own environment only.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Model(NamedTuple):
    """The network in one library, with these weights, ready to be timed."""

    version: str
    images: Callable[[Any], Any]  # float32 (N, 64, 64, 3) -> the same as the library likes it best
    predict: Callable[[Any], Any]  # images -> probabilities (N, 10) on the host
    train: Callable[[Any, Any], float] | None  # images, labels -> loss; None: inference only


class Convolution(NamedTuple):
    """The passes of one convolution in one library, ready to be timed."""

    version: str
    forward: Callable[[], Any]  # y, with the bias
    backward_input: Callable[[], Any]  # dx
    backward_weight: Callable[[], Any]  # dweight; dbias is computed too
    numpy: Callable[[Any], Any]  # a result -> (N, H, W, C), or (KH, KW, C/groups, F)


class Peer(NamedTuple):
    """How a row of the table is run."""

    environment: str  # its folder, and its file in requirements/
    file: str  # in libraries/
    statement: str  # what its users import


PEERS = {
    "numba_cnn": Peer("numba_cnn", "numba_cnn", "from numba_cnn import layers, models"),
    "pytorch": Peer("pytorch", "pytorch", "import torch"),
    "pytorch_channels_last": Peer("pytorch", "pytorch", "import torch"),
    "pytorch_compiled": Peer("pytorch", "pytorch", "import torch"),
    "keras_tensorflow": Peer("keras_tensorflow", "keras", "from keras import layers, models"),
    "keras_jax": Peer("keras_jax", "keras", "from keras import layers, models"),
    "jax": Peer("jax", "jax", "import jax, jax.numpy"),
    "onnxruntime": Peer("onnxruntime", "onnxruntime", "import onnxruntime"),
    "numpy_im2col": Peer("numpy_im2col", "numpy_im2col", "import numpy"),
}
