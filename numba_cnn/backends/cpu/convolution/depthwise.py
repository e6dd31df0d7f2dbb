"""Depthwise convolution of images of any size, in the order in which they lie in memory.

direct.py hands out the rows: filters of one channel each are no panels, and read where they lie.
"""

from numba_cnn.backends.cpu.convolution import direct

ALGORITHM = "direct"


def supports(problem):
    return problem.depthwise and not problem.pooled


def pays(problem):
    return True


def forward(problem, source, weight, filters, bias, output, relu, y, argmax):
    """See problem.py."""
    start, (I, J), _, _ = filters
    steps = 1, 0, problem.g.C, I.step, J.step
    flat = weight.reshape(-1)[start:]
    direct.forward_packed(
        source, problem.image, problem.window, flat, steps, bias, output, relu, y, argmax
    )
