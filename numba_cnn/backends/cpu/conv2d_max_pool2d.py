"""conv2d and the 2x2 max pooling of its output, in one pass over memory."""

from numba_cnn.backends.contract import checked
from numba_cnn.backends.cpu.conv2d import backward_input, backward_weight, forward
from numba_cnn.backends.cpu.convolution.row_buffers import source
from numba_cnn.backends.cpu.runtime.launch_graph import recorded


@recorded
@checked
def conv2d_max_pool2d(x, weight, bias, g, relu, algorithm, y, argmax):
    forward(x, weight, bias, g, relu, algorithm, y, argmax.reshape(-1))


@recorded
@checked
def conv2d_max_pool2d_backward(dy, y, argmax, x, weight, g, algorithm, dx, dweight, dbias):
    spread = source(dy, y, argmax)
    if dx is not None:
        backward_input(spread, weight, g, algorithm, dx)
    backward_weight(spread, x, g, algorithm, dweight, dbias)
