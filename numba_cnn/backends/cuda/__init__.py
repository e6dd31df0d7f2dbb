"""The CUDA backend: device arrays, kernels compiled by Numba for NVIDIA GPUs, or run by Numba's
simulator.

Importing this package imports no CUDA module; the first call that needs one does.
"""

from importlib import import_module

_HOMES = {
    "conv2d": ("conv2d", "conv2d_backward_input", "conv2d_backward_weight"),
    "conv2d_max_pool2d": ("conv2d_max_pool2d", "conv2d_max_pool2d_backward"),
    "dense": ("dense", "dense_backward_input", "dense_backward_weight"),
    "max_pool2d": ("max_pool2d", "max_pool2d_backward"),
    "memory": ("asarray", "empty", "owns", "synchronize", "to_dlpack", "to_numpy"),
    "optimizers": ("adam", "rmsprop", "sgd"),
    "relu": ("relu", "relu_backward"),
    "softmax_crossentropy": (
        "softmax",
        "sparse_categorical_accuracy",
        "sparse_categorical_crossentropy",
    ),
}


def is_available():
    """Whether kernels can run: there is a GPU with its driver and numba-cuda, or the simulator is
    on.
    """
    return why_unavailable() is None


def is_simulator():
    return _provider().SIMULATOR


def why_unavailable():
    """The sentence that says what is missing and how to get it, or None."""
    return _provider().why_unavailable()


def is_warm():
    """Whether some kernel has been compiled in this process, so that the next step does not wait
    for the compiler.
    """
    return _provider().is_warm()


def _provider():
    return import_module(f"{__name__}.provider")


def __getattr__(name):
    if name == "NAME":
        return "cuda (simulator)" if is_simulator() else "cuda"
    if not any(name in names for names in _HOMES.values()):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _bind()
    return globals()[name]


def _bind():
    """Import the kernels and put every function of the contract here, over the modules of the same
    names.
    """
    homes = {home: import_module(f"{__name__}.{home}") for home in _HOMES}
    for home, names in _HOMES.items():
        globals().update({name: getattr(homes[home], name) for name in names})
