"""The functional API: each function checks its arguments, allocates its outputs and runs where its
arrays live.

Arrays are NHWC, float32 or float64, all of one dtype and all in one place: NumPy arrays run on the
CPU, device arrays on the GPU that holds them, those of other libraries too (__cuda_array_interface__
or DLPack). An array that is not C-contiguous is copied first. Nothing moves between host and device.
"""

from __future__ import annotations

from numba_cnn import arguments, nearest, shapes
from numba_cnn.shapes import Padding, Shape, Size

__all__ = [
    "conv2d",
    "conv2d_backward",
    "conv2d_max_pool2d",
    "conv2d_max_pool2d_backward",
    "dense",
    "dense_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "relu",
    "relu_backward",
    "softmax",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
]

Array = arguments.Array


@nearest.keywords
def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
    groups: int = 1,
    activation: str | None = None,
    algorithm: str = "auto",
) -> Array:
    """Cross-correlate images with filters.

        y[n, oh, ow, f] = bias[f] + sum over kh, kw, c of
            x[n, oh*SH + kh*DH - top, ow*SW + kw*DW - left, c] * weight[kh, kw, c, f]

    where x is 0 outside its borders; with activation="relu" the result is max(y, 0). With groups, filter f sees only
    the channels of its own group.

    x            (N, H, W, C)             float32 or float64
    weight       (KH, KW, C/groups, F)    same dtype
    bias         (F,)                     same dtype, or None
    strides      one integer or (SH, SW); dilation_rate likewise (DH, DW)
    padding      "valid", "same" (TensorFlow's rule), an integer, a pair, or ((top, bottom), (left, right)), in pixels
    activation   None or "relu"
    algorithm    "auto", "direct", or "winograd" (3x3 filters, stride 1, no dilation, one group), which spreads NaN,
                 infinity and the rounding of large numbers over patches of 4x4 outputs: see docs/algorithms.md
    returns      (N, OH, OW, F)           OH = (H + top + bottom - DH*(KH-1) - 1) // SH + 1, OW alike

    Raises ValueError if channels disagree or a filter does not fit, TypeError for mixed dtypes or backends.
    Source: Dumoulin & Visin, arXiv:1603.07285.
    """
    backend, (x, weight, bias) = arguments.arrays("conv2d", "bias", x=x, weight=weight, bias=bias)
    g = shapes.conv2d(x.shape, weight.shape, strides, padding, dilation_rate, groups)
    arguments.bias("conv2d", bias, g.F)
    y = backend.empty(g.y, x.dtype)
    backend.conv2d(
        x,
        weight,
        bias,
        g,
        arguments.has_relu("conv2d", activation),
        arguments.algorithm("conv2d", algorithm, g),
        y,
    )
    return y


@nearest.keywords
def conv2d_backward(
    dy: Array,
    x: Array,
    weight: Array,
    *,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
    groups: int = 1,
    algorithm: str = "auto",
    need_dx: bool = True,
    activation: str | None = None,
    y: Array | None = None,
) -> tuple[Array | None, Array, Array]:
    """The gradients of conv2d, given the gradient dy of its output.

        dx[n, h, w, c]      = sum over the windows that hold pixel (h, w) of dy * weight
        dweight[kh, kw, c, f] = sum over n, oh, ow of x[...] * dy[n, oh, ow, f]
        dbias[f]            = sum over n, oh, ow of dy[n, oh, ow, f]

    The arguments are those of the forward pass. Where it had activation="relu", y is its output, and dy counts only
    where y is positive.

    dy           (N, OH, OW, F)           dtype of x and weight
    y            (N, OH, OW, F)           same dtype, with activation="relu"
    returns      dx (N, H, W, C), or None if need_dx is False; dweight (KH, KW, C/groups, F); dbias (F,)

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    Source: Dumoulin & Visin, arXiv:1603.07285.
    """
    op = "conv2d_backward"
    backend, (dy, x, weight, y) = arguments.arrays(op, "y", dy=dy, x=x, weight=weight, y=y)
    g = shapes.conv2d(x.shape, weight.shape, strides, padding, dilation_rate, groups)
    shapes.same(op, "dy", dy.shape, g.y)
    y = arguments.gate(op, activation, y, g.y)
    algorithm = arguments.algorithm(op, algorithm, g)
    dx = backend.empty(g.x, x.dtype) if arguments.needs_dx(op, need_dx) else None
    dweight, dbias = backend.empty(g.weight, x.dtype), backend.empty((g.F,), x.dtype)
    if dx is not None:
        backend.conv2d_backward_input(dy, y, weight, g, algorithm, dx)
    backend.conv2d_backward_weight(dy, y, x, g, algorithm, dweight, dbias)
    return dx, dweight, dbias


@nearest.keywords
def conv2d_max_pool2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
    groups: int = 1,
    activation: str | None = None,
    algorithm: str = "auto",
) -> tuple[Array, Array]:
    """max_pool2d(conv2d(...), 2) in one pass over memory: the convolution's own output is never stored.

    The arguments are conv2d's.

    returns      y (N, OH//2, OW//2, F), and argmax of the same shape, uint8: the place of the maximum in its 2x2

    Raises as conv2d, and ValueError where the convolution's output is smaller than 2x2.
    """
    op = "conv2d_max_pool2d"
    backend, (x, weight, bias) = arguments.arrays(op, "bias", x=x, weight=weight, bias=bias)
    g = shapes.conv2d(x.shape, weight.shape, strides, padding, dilation_rate, groups)
    arguments.bias(op, bias, g.F)
    g, pool = shapes.pooled(g)
    y, argmax = backend.empty(pool.y, x.dtype), backend.empty(pool.y, arguments.argmax_dtype(pool))
    backend.conv2d_max_pool2d(
        x,
        weight,
        bias,
        g,
        arguments.has_relu(op, activation),
        arguments.algorithm(op, algorithm, g),
        y,
        argmax,
    )
    return y, argmax


@nearest.keywords
def conv2d_max_pool2d_backward(
    dy: Array,
    argmax: Array,
    x: Array,
    weight: Array,
    *,
    strides: Size = 1,
    padding: Padding = "valid",
    dilation_rate: Size = 1,
    groups: int = 1,
    algorithm: str = "auto",
    need_dx: bool = True,
    activation: str | None = None,
    y: Array | None = None,
) -> tuple[Array | None, Array, Array]:
    """The gradients of conv2d_max_pool2d, as conv2d_backward returns them.

    dy, y, argmax    (N, OH//2, OW//2, F), the latter two as the forward pass returned them

    Raises as conv2d_backward and max_pool2d_backward.
    """
    op = "conv2d_max_pool2d_backward"
    backend, (dy, x, weight, y) = arguments.arrays(op, "y", dy=dy, x=x, weight=weight, y=y)
    g = shapes.conv2d(x.shape, weight.shape, strides, padding, dilation_rate, groups)
    g, pool = shapes.pooled(g)
    shapes.same(op, "dy", dy.shape, pool.y)
    argmax = arguments.argmax(op, backend, argmax, pool, dy)
    y = arguments.gate(op, activation, y, pool.y)
    algorithm = arguments.algorithm(op, algorithm, g)
    dx = backend.empty(g.x, x.dtype) if arguments.needs_dx(op, need_dx) else None
    dweight, dbias = backend.empty(g.weight, x.dtype), backend.empty((g.F,), x.dtype)
    backend.conv2d_max_pool2d_backward(dy, y, argmax, x, weight, g, algorithm, dx, dweight, dbias)
    return dx, dweight, dbias


@nearest.keywords
def relu(x: Array) -> Array:
    """max(x, 0), element by element; NaN stays NaN.

    x            any shape                float32 or float64
    returns      the same shape

    Raises TypeError for another dtype. Source: Nair & Hinton, ICML 2010.
    """
    backend, (x,) = arguments.arrays("relu", x=x)
    y = backend.empty(x.shape, x.dtype)
    backend.relu(x, y)
    return y


@nearest.keywords
def relu_backward(dy: Array, y: Array) -> Array:
    """The gradient of relu: dy where the output y is positive, else 0 (0 at 0, as in TensorFlow).

    dy, y        the same shape           float32 or float64
    returns      dx, the same shape

    Raises ValueError if the shapes differ, TypeError for mixed dtypes or backends.
    """
    backend, (dy, y) = arguments.arrays("relu_backward", dy=dy, y=y)
    shapes.same("relu_backward", "dy", dy.shape, y.shape)
    dx = backend.empty(y.shape, y.dtype)
    backend.relu_backward(dy, y, dx)
    return dx


@nearest.keywords
def max_pool2d(
    x: Array, pool_size: Size = 2, *, strides: Size | None = None, padding: Padding = "valid"
) -> tuple[Array, Array]:
    """The maximum of each window.

        y[n, oh, ow, c] = max over kh, kw of x[n, oh*SH + kh - top, ow*SW + kw - left, c]

    over the pixels that exist. The first maximum in row-major order counts; NaN is larger than every number.

    x            (N, H, W, C)             float32 or float64
    pool_size    one integer or (PH, PW); strides likewise, None for the pool size
    padding      as in conv2d, smaller than the window
    returns      y (N, OH, OW, C), and argmax of the same shape: the place kh*PW + kw of the maximum in its window,
                 uint8, or int32 where a window has more than 256 pixels

    Raises ValueError if a window does not fit or could hold no pixel, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("max_pool2d", x=x)
    g = shapes.max_pool2d(x.shape, pool_size, strides, padding)
    y, argmax = backend.empty(g.y, x.dtype), backend.empty(g.y, arguments.argmax_dtype(g))
    backend.max_pool2d(x, g, y, argmax)
    return y, argmax


@nearest.keywords
def max_pool2d_backward(
    dy: Array,
    argmax: Array,
    x_shape: Shape,
    *,
    pool_size: Size = 2,
    strides: Size | None = None,
    padding: Padding = "valid",
) -> Array:
    """The gradient of max_pool2d: each dy goes to the pixel that was its window's maximum.

    dy, argmax   (N, OH, OW, C)           argmax as max_pool2d returned it
    x_shape      (N, H, W, C)
    returns      dx (N, H, W, C); where windows overlap the gradients add up

    Raises ValueError if a shape disagrees, TypeError for a wrong dtype or mixed backends.
    """
    op = "max_pool2d_backward"
    backend, (dy,) = arguments.arrays(op, dy=dy)
    g = shapes.max_pool2d(shapes.extents(op, "x_shape", x_shape), pool_size, strides, padding)
    shapes.same(op, "dy", dy.shape, g.y)
    argmax = arguments.argmax(op, backend, argmax, g, dy)
    dx = backend.empty(g.x, dy.dtype)
    backend.max_pool2d_backward(dy, argmax, g, dx)
    return dx


@nearest.keywords
def dense(
    x: Array, weight: Array, bias: Array | None = None, *, activation: str | None = None
) -> Array:
    """The affine map of a dense layer.

        y[n, f] = bias[f] + sum over k of x[n, k] * weight[k, f]

    x            (N, K)                   float32 or float64
    weight       (K, F)                   same dtype
    bias         (F,)                     same dtype, or None
    activation   None or "relu"
    returns      (N, F)

    Raises ValueError if the features disagree, TypeError for mixed dtypes or backends.
    """
    backend, (x, weight, bias) = arguments.arrays("dense", "bias", x=x, weight=weight, bias=bias)
    N, _, F = shapes.dense(x.shape, weight.shape)
    arguments.bias("dense", bias, F)
    y = backend.empty((N, F), x.dtype)
    backend.dense(x, weight, bias, arguments.has_relu("dense", activation), y)
    return y


@nearest.keywords
def dense_backward(
    dy: Array,
    x: Array,
    weight: Array,
    *,
    need_dx: bool = True,
    activation: str | None = None,
    y: Array | None = None,
) -> tuple[Array | None, Array, Array]:
    """The gradients of dense, given the gradient dy of its output.

        dx = dy @ weight.T        dweight = x.T @ dy        dbias = sum over n of dy[n]

    Where the forward pass had activation="relu", y is its output, and dy counts only where y is positive.

    dy, y        (N, F)                   dtype of x and weight
    returns      dx (N, K), or None if need_dx is False; dweight (K, F); dbias (F,)

    Raises ValueError if a shape disagrees, TypeError for mixed dtypes or backends.
    """
    op = "dense_backward"
    backend, (dy, x, weight, y) = arguments.arrays(op, "y", dy=dy, x=x, weight=weight, y=y)
    N, K, F = shapes.dense(x.shape, weight.shape)
    shapes.same(op, "dy", dy.shape, (N, F))
    y = arguments.gate(op, activation, y, (N, F))
    dx = backend.empty((N, K), x.dtype) if arguments.needs_dx(op, need_dx) else None
    dweight, dbias = backend.empty((K, F), x.dtype), backend.empty((F,), x.dtype)
    if dx is not None:
        backend.dense_backward_input(dy, y, weight, dx)
    backend.dense_backward_weight(dy, y, x, dweight, dbias)
    return dx, dweight, dbias


@nearest.keywords
def softmax(x: Array) -> Array:
    """exp(x) / sum of exp(x) over the last axis, safe for large values.

    x            (N, classes)             float32 or float64
    returns      (N, classes), each row sums to 1

    Raises ValueError for another rank, TypeError for another dtype.
    """
    backend, (x,) = arguments.arrays("softmax", x=x)
    shapes.rank("softmax", "x", x.shape, 2, "(N, classes)")
    shapes.batch("softmax", x.shape)
    y = backend.empty(x.shape, x.dtype)
    backend.softmax(x, y)
    return y


@nearest.keywords
def sparse_categorical_crossentropy(
    logits: Array, labels: Array, sample_weight: Array | None = None
) -> tuple[Array, Array]:
    """Softmax and cross-entropy in one, on the logits: the mean loss and its gradient.

        loss = 1/N * sum over n of sample_weight[n] * (log(sum of exp(logits[n])) - logits[n, labels[n]])
        dlogits[n] = sample_weight[n] / N * (softmax(logits[n]) - onehot(labels[n]))

    The sum is divided by the batch size, not by the sum of the weights, as in Keras.

    logits          (N, classes)          float32 or float64
    labels          (N,)                  integers, 0 <= label < classes
    sample_weight   (N,)                  dtype of logits, or None for 1
    returns         loss, an array of shape (), and dlogits (N, classes)

    Raises ValueError for a label out of range or shapes that disagree, TypeError for labels that are no integers.
    """
    op = "sparse_categorical_crossentropy"
    backend, (logits, sample_weight) = arguments.arrays(
        op, "sample_weight", logits=logits, sample_weight=sample_weight
    )
    labels = arguments.labels(op, backend, logits, labels)
    if sample_weight is not None:
        shapes.same(op, "sample_weight", sample_weight.shape, labels.shape)
    loss, dlogits = backend.empty((), logits.dtype), backend.empty(logits.shape, logits.dtype)
    backend.sparse_categorical_crossentropy(logits, labels, sample_weight, loss, dlogits)
    return loss, dlogits


@nearest.keywords
def sparse_categorical_accuracy(logits: Array, labels: Array) -> Array:
    """The share of samples whose largest logit is the one of their label; the first largest counts.

    logits       (N, classes)             float32 or float64
    labels       (N,)                     integers, 0 <= label < classes
    returns      an array of shape (), between 0 and 1

    Raises as sparse_categorical_crossentropy does.
    """
    op = "sparse_categorical_accuracy"
    backend, (logits,) = arguments.arrays(op, logits=logits)
    labels = arguments.labels(op, backend, logits, labels)
    accuracy = backend.empty((), logits.dtype)
    backend.sparse_categorical_accuracy(logits, labels, accuracy)
    return accuracy


__getattr__ = nearest.attributes(__name__, __all__)
