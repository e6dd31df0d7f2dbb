"""What `tensorflow` is where none is installed: its keras, and the words that scripts use while they import."""

from __future__ import annotations

import builtins
import logging as _logging
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from types import SimpleNamespace
from typing import Any

import numpy as np

import numba_cnn as keras
from numba_cnn import activations
from numba_cnn.alike import alike
from numba_cnn.session import set_random_seed
from numba_cnn.utils.dataset import Dataset
from numba_cnn.utils.elements import as_tensor

__path__: list[str] = []  # a package, of which tensorflow.keras is a part
__version__ = "2.16.0"  # the first whose tf.keras is Keras 3
AUTOTUNE = -1
bool = np.bool_
float16, float32, float64 = np.float16, np.float32, np.float64
int8, int16, int32, int64, uint8 = np.int8, np.int16, np.int32, np.int64, np.uint8
newaxis = None


def _nothing(*arguments: Any, **settings: Any) -> None:
    """Taken for scripts' sake."""


def _none(*arguments: Any, **settings: Any) -> list[Any]:
    """No devices of TensorFlow's."""
    return []


def _missing(name: str) -> AttributeError:
    return AttributeError(
        f"module 'tensorflow' has no attribute {name!r}: no TensorFlow is installed, and of its words numba_cnn has "
        "keras and those that scripts use while they import"
    )


class _Words(SimpleNamespace):
    """A module of TensorFlow's with the words that are here."""

    def __init__(self, path: str, **words: Any) -> None:
        super().__init__(**words)
        self._path = path

    def __getattr__(self, name: str) -> Any:
        raise _missing(f"{self.__dict__.get('_path')}.{name}")


logging = _Words("logging", set_verbosity=_nothing, ERROR=40, WARN=30, INFO=20, FATAL=50, DEBUG=10)


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """An array of another dtype."""
    return as_tensor(np.asarray(x).astype(dtype))


def expand_dims(input: Any, axis: int, name: str | None = None) -> Any:
    """An array with another axis."""
    return as_tensor(np.expand_dims(np.asarray(input), axis))


def convert_to_tensor(value: Any, dtype: Any = None, **settings: Any) -> Any:
    """An array."""
    return as_tensor(np.asarray(value, dtype))


def one_hot(indices: Any, depth: int, dtype: Any = np.float32, **settings: Any) -> Any:
    """Rows of 0 with a 1 each."""
    return as_tensor((np.asarray(indices)[..., None] == np.arange(depth)).astype(dtype))


def argmax(input: Any, axis: int | None = None, output_type: Any = int64, name: Any = None) -> Any:
    """Where the largest is along an axis, the first unless told otherwise."""
    return as_tensor(np.argmax(np.asarray(input), 0 if axis is None else axis).astype(output_type))


def _of_numpy(apply: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays that is NumPy's, in the type of the arrays."""

    def call(x: Any, *arguments: Any, name: str | None = None, **settings: Any) -> Any:
        arrays = [np.asarray(one) for one in x] if isinstance(x, list | tuple) else np.asarray(x)
        return as_tensor(apply(arrays, *arguments, **settings))

    return call


concat, stack = _of_numpy(np.concatenate), _of_numpy(np.stack)
reshape, squeeze, round = _of_numpy(np.reshape), _of_numpy(np.squeeze), _of_numpy(np.round)
reduce_max, reduce_min = _of_numpy(np.max), _of_numpy(np.min)
reduce_mean, reduce_sum = _of_numpy(np.mean), _of_numpy(np.sum)


def _as_it_is(func: Any = None, **settings: Any) -> Any:
    """The function as it is: nothing is compiled."""
    return func if func is not None else lambda given: given


function = _as_it_is


def device(device_name: Any) -> Any:
    """A block that runs where it is."""
    return nullcontext()


def executing_eagerly() -> builtins.bool:
    return True


class _Options:
    """Options that may be set, and change nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _Options()
        setattr(self, name, made)
        return made


class _Strategy:
    """One device."""

    num_replicas_in_sync = 1

    def __init__(self, *arguments: Any, **settings: Any) -> None: ...

    def scope(self) -> Any:
        return nullcontext(self)


constant = convert_to_tensor
distribute = _Words(
    "distribute", MirroredStrategy=_Strategy, OneDeviceStrategy=_Strategy, get_strategy=_Strategy
)
data = _Words(
    "data",
    AUTOTUNE=AUTOTUNE,
    Dataset=Dataset,
    Options=_Options,
    INFINITE_CARDINALITY=Dataset.INFINITE_CARDINALITY,
    UNKNOWN_CARDINALITY=Dataset.UNKNOWN_CARDINALITY,
    experimental=_Words("data.experimental", AUTOTUNE=AUTOTUNE, cardinality=Dataset.cardinality),
)
random = _Words("random", set_seed=set_random_seed)
test = _Words(
    "test",
    is_gpu_available=lambda *a, **k: False,
    gpu_device_name=lambda: "",
    is_built_with_cuda=lambda: False,
)
config = _Words(
    "config",
    list_physical_devices=_none,
    list_logical_devices=_none,
    get_visible_devices=_none,
    set_visible_devices=_nothing,
    set_soft_device_placement=_nothing,
    set_logical_device_configuration=_nothing,
    LogicalDeviceConfiguration=_nothing,
    run_functions_eagerly=_nothing,
    experimental=_Words(
        "config.experimental",
        list_physical_devices=_none,
        set_memory_growth=_nothing,
        set_virtual_device_configuration=_nothing,
        VirtualDeviceConfiguration=_nothing,
        enable_op_determinism=_nothing,
    ),
    threading=_Words(
        "config.threading",
        set_inter_op_parallelism_threads=_nothing,
        set_intra_op_parallelism_threads=_nothing,
    ),
    optimizer=_Words("config.optimizer", set_jit=_nothing),
)


def _of_activation(name: str) -> Callable[..., Any]:
    """An activation by TensorFlow's name; layers know it by that."""
    apply = getattr(activations, name)

    @wraps(apply)
    def call(features: Any, *arguments: Any, name: str | None = None, **settings: Any) -> Any:
        given = as_tensor(features)
        return alike(given, apply(given, *arguments, **settings))

    call.__module__ = "tensorflow.nn"
    return call


nn = _Words(
    "nn",
    **{
        name: _of_activation(name)
        for name in (
            "elu", "gelu", "leaky_relu", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu", "softmax",
            "softplus", "softsign", "swish", "tanh",
        )
    }
)  # fmt: skip
optimizers, losses, metrics, initializers = (
    keras.optimizers, keras.losses, keras.metrics, keras.initializers,
)  # fmt: skip
enable_eager_execution = _nothing
version = _Words("version", VERSION=__version__)


class Session:
    """What TensorFlow 1 computed in; here a block alone."""

    def __init__(self, *arguments: Any, **settings: Any) -> None: ...

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: Any) -> None: ...

    close = _nothing

    def __getattr__(self, name: str) -> Any:
        raise _missing(f"Session.{name}")


class ConfigProto(_Options):
    """Options of a session, which change nothing."""

    def __init__(self, **settings: Any) -> None: ...


GPUOptions = ConfigProto
InteractiveSession = Session
python = sys.modules[__name__]  # a part, in which old scripts set what Keras 1 looked for
autograph = _Words(
    "autograph",
    set_verbosity=_nothing,
    experimental=_Words("autograph.experimental", do_not_convert=function),
)
debugging = _Words("debugging", set_log_device_placement=_nothing)


def _as_bytes(value: str | bytes, encoding: str = "utf-8") -> bytes:
    return value.encode(encoding) if isinstance(value, str) else value


def _as_text(value: str | bytes, encoding: str = "utf-8") -> str:
    return value.decode(encoding) if isinstance(value, bytes) else value


compat = _Words(
    "compat",
    as_bytes=_as_bytes,
    as_str=_as_text,
    as_text=_as_text,
    v1=_Words(
        "compat.v1",
        logging=logging,
        set_random_seed=set_random_seed,
        enable_eager_execution=_nothing,
        disable_eager_execution=_nothing,
        disable_v2_behavior=_nothing,
        Session=Session,
        InteractiveSession=Session,
        ConfigProto=ConfigProto,
        GPUOptions=GPUOptions,
        keras=keras,
    ),
)


def words_of(path: str) -> Any:
    """What stands for a module such as tensorflow.data, or None."""
    found = globals().get(path.removeprefix("tensorflow."))
    return found if isinstance(found, _Words) else None


def get_logger() -> _logging.Logger:
    return _logging.getLogger("tensorflow")


def __getattr__(name: str) -> Any:
    raise _missing(name)
