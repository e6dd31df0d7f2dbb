"""Images to train on; each set is (x_train, y_train), (x_test, y_test).

Images are float32 in [0, 1], shape (N, H, W, 3); labels are int32, shape (N,). mnist, fashion_mnist, cifar10 and
cifar100 are Keras's, with its types and shapes, by mnist.load_data().
"""

from numba_cnn import nearest
from numba_cnn.datasets import cifar10, cifar100, fashion_mnist, mnist
from numba_cnn.datasets.digits import digits
from numba_cnn.datasets.image_folder import image_folder
from numba_cnn.datasets.load import load
from numba_cnn.datasets.shapes import shapes
from numba_cnn.datasets.shift import shift

__all__ = [
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "image_folder",
    "load",
    "mnist",
    "shapes",
    "shift",
]

__getattr__ = nearest.attributes(__name__, __all__)
