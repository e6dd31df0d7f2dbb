"""Modules by the names that scripts import them by: keras, tensorflow.keras, and the paths of Keras 1 and 2."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from numba_cnn.alike import answer_as
from numba_cnn.utils.elements import Tensor

_PACKAGE = "numba_cnn"
_KERAS = (
    "tensorflow.python.keras",
    "tensorflow.keras",
    "tensorflow.compat.v1.keras",
    "tf_keras",
    "keras",
    "keras_preprocessing",
)
# What a part of Keras that was a package of its own is below keras.
_PARTS = {"keras_preprocessing": "preprocessing"}
# What lies elsewhere today, by the beginning of its path below keras.
_MOVED = {
    "api": "",
    "backend.tensorflow_backend": "backend",
    "engine": "layers",
    **{
        f"engine.{old}": "layers"
        for old in ("base_layer", "input_layer", "input_spec", "keras_tensor", "topology")
    },
    **{f"engine.{old}": "models" for old in ("functional", "network", "sequential", "training")},
    "layers.experimental.preprocessing": "layers",
    "layers.experimental": "layers",
    "optimizers.legacy": "optimizers",
    "legacy.preprocessing.image": "preprocessing.image",
    "legacy.preprocessing": "preprocessing",
    "legacy": "",
    **{
        f"layers.{old}": "layers"
        for old in (
            "advanced_activations", "convolutional", "core", "embeddings", "local", "merge", "noise", "normalization",
            "pooling", "preprocessing", "reshaping",
        )
    },
    **{
        f"utils.{old}": "utils"
        for old in (
            "data_utils", "generic_utils", "image_utils", "layer_utils", "multi_gpu_utils", "np_utils",
            "training_utils", "vis_utils",
        )
    },
    **{f"optimizers.{old}": "optimizers" for old in ("optimizer_v2", "adam_v2", "gradient_descent_v2", "rmsprop_v2")},
}  # fmt: skip


def as_keras() -> None:
    """From now on `import keras`, `tensorflow.keras` and `tf.keras` mean this library in this process.

    A TensorFlow that is installed is imported first and keeps the rest of its name; without one `tensorflow` has the
    few words that scripts use while they import. Layers and models that are called on arrays give arrays with numpy().
    """
    answer_as(Tensor)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("keras", "tf_keras")]:
        if not sys.modules[name].__name__.startswith(_PACKAGE):
            del sys.modules[name]
    real = _real_tensorflow()
    if real is not None:
        real.keras = import_module(_PACKAGE)  # type: ignore[attr-defined]
        for name in [name for name in sys.modules if name.startswith("tensorflow.keras")]:
            del sys.modules[name]
    else:
        # TensorBoard looks for a module of this name before it takes what `tensorflow` is for TensorFlow.
        sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
    serve(*_KERAS, *(() if real is not None else ("tensorflow",)))


def serve(*prefixes: str) -> None:
    """Have imports of these names, and of all below them, find this library's modules."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder != _Finder(prefixes)]
    sys.meta_path.insert(0, _Finder(prefixes))


def target(path: str) -> str | None:
    """The module of this library that a path below keras means, or None."""
    for old in sorted(_MOVED, key=len, reverse=True):
        if path == old or path.startswith(f"{old}."):
            path = f"{_MOVED[old]}{path[len(old) :]}".removeprefix(".")
            break
    name = f"{_PACKAGE}.{path}" if path else _PACKAGE
    try:
        found = name == _PACKAGE or _exists(name)
    except ModuleNotFoundError:
        return None
    return name if found else None


def _exists(name: str) -> bool:
    parent, _, last = name.rpartition(".")
    path = getattr(import_module(parent), "__path__", None)
    return path is not None and PathFinder.find_spec(name, path) is not None


class _Finder(MetaPathFinder):
    def __init__(self, prefixes: Sequence[str]) -> None:
        self._prefixes = sorted(prefixes, key=len, reverse=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Finder) and other._prefixes == self._prefixes

    def __hash__(self) -> int:
        return hash(tuple(self._prefixes))

    def find_spec(
        self, fullname: str, path: Any = None, target_module: ModuleType | None = None
    ) -> ModuleSpec | None:
        above = any(prefix.startswith(f"{fullname}.") for prefix in self._prefixes)
        if "tensorflow" in self._prefixes and (fullname == "tensorflow" or above):
            return ModuleSpec(fullname, _Loader(f"{_PACKAGE}.scripts.tensorflow"), is_package=True)
        if "tensorflow" in self._prefixes and fullname.startswith("tensorflow."):
            words = import_module(f"{_PACKAGE}.scripts.tensorflow").words_of(fullname)
            if words is not None:
                return ModuleSpec(fullname, _Given(words))
        for prefix in self._prefixes:
            if prefix != "tensorflow" and (fullname == prefix or fullname.startswith(f"{prefix}.")):
                part = _PARTS.get(prefix, "")
                name = target(f"{part}{fullname[len(prefix) :]}".removeprefix("."))
                return (
                    None if name is None else ModuleSpec(fullname, _Loader(name), is_package=True)
                )
        return None


class _Loader(Loader):
    """Gives a module that there is."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # which the import system has set to the other name's


class _Given(Loader):
    """Gives what stands for a module."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._module

    def exec_module(self, module: ModuleType) -> None: ...


def _real_tensorflow() -> ModuleType | None:
    if PathFinder.find_spec("tensorflow") is None:
        return None
    return import_module("tensorflow")
