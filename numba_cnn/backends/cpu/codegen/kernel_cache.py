"""Compiled code on disk: one file for each function and kinds of arguments, which is only believed with its checksum.

Numba's own cache keeps an index beside such files. A damaged one stops every process for good, and of two processes
that save at once one may find the other's code under its own key.
"""

import contextlib
import hashlib
import os
import pickle
import stat
import uuid
import warnings
from functools import lru_cache
from pathlib import Path

import numba
from numba.core import config
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.serialize import dumps

from numba_cnn.backends.cpu.codegen import host
from numba_cnn.uncollected import uncollected

_told = False  # whether this process has said that its cache is not as it should be


class KernelCache(FunctionCache):
    """Numba's cache, keyed by every source file of this folder and by the width of a vector as well.

    Whatever its folder holds, and whatever the disk refuses, functions are compiled then, and a warning says so, once
    in a process; what is damaged is written anew.
    """

    def __init__(self, py_func):
        self._py_func, self._name = py_func, repr(py_func)
        self._cache_path = self._cache_file = None
        self.enable()
        try:
            self._impl = CompileResultCacheImpl(py_func)
            self._cache_path = self._impl.locator.get_cache_path()
            if config.CACHE_DIR:  # one folder for every place that these sources are imported from
                self._cache_path = os.path.join(
                    config.CACHE_DIR, f"numba_cnn_{_fingerprint()[:16]}"
                )
        except (OSError, RuntimeError) as error:  # nowhere to write
            self._refused = error
            return
        self._cache_file = _CodeFiles(self._cache_path, self._impl.filename_base)

    def load_overload(self, sig, target_context):
        if self._cache_file is None:
            return None
        try:
            with uncollected():
                return super().load_overload(sig, target_context)
        except Exception as error:  # whatever Numba and pickle make of what they read
            _warn(self._cache_path, f"cannot be read: {error!r}")
            return None

    def save_overload(self, sig, data):
        if self._cache_file is None:
            folder = config.CACHE_DIR or Path(__file__).parent / "__pycache__"
            _warn(folder, f"cannot be written: {self._refused}")
            return
        if config.CACHE_DIR and not Path(self._cache_path).is_relative_to(config.CACHE_DIR):
            _warn(config.CACHE_DIR, f"cannot be written: kernels are kept in {self._cache_path}")
        try:
            super().save_overload(sig, data)
        except (OSError, pickle.PicklingError) as error:
            _warn(self._cache_path, f"cannot be written: {error}")

    def is_warm(self):
        """Whether some process kept code of this function."""
        return self._cache_file is not None and self._cache_file.hold_anything()

    def _index_key(self, signature, codegen):
        """Numba's own key has the pickled variables that a function closes over, and with them numbers that differ from
        process to process. Here its name says which ones they are, and the folder's sources what they do."""
        code = _digest(self._py_func.__code__.co_code)
        return signature, codegen.magic_tuple(), self._py_func.__qualname__, code, host.VECTOR_BITS


class _CodeFiles:
    """The files of one function: <function>.<sources>.<kinds of arguments>.nbc, each a checksum and what it is of."""

    def __init__(self, folder, name):
        sources = _digest(repr((numba.__version__, _fingerprint())).encode()).hex()[:16]
        self._folder, self._name, self._base = Path(folder), name, f"{name}.{sources}"

    def load(self, key):
        """What was saved for this key, or None; ValueError if the file is damaged."""
        try:
            if not stat.S_ISREG(self._path(key).stat().st_mode):  # a pipe might never answer
                raise ValueError(f"{self._path(key).name} is no file")
            content = self._path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        digest, data = content[:_DIGEST], content[_DIGEST:]
        if digest != _digest(data):
            raise ValueError(f"{self._path(key).name} is damaged")
        return pickle.loads(data)

    def save(self, key, data):
        """Keep the data for this key, whole, and remove what earlier sources of the function left."""
        data, path = dumps(data), self._path(key)
        temporary = path.with_name(f"{path.name}.tmp.{uuid.uuid4().hex[:16]}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(_digest(data) + data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        for old in self._folder.glob(f"{self._name}.*"):
            if not old.name.startswith(self._base):
                with contextlib.suppress(OSError):
                    old.unlink()

    def hold_anything(self):
        try:
            return any(self._folder.glob(f"{self._base}.*.nbc"))
        except OSError:
            return False

    def _path(self, key):
        return self._folder / f"{self._base}.{_digest(repr(key).encode()).hex()[:32]}.nbc"


def _digest(data):
    return hashlib.sha256(data).digest()


_DIGEST = len(_digest(b""))


def _warn(folder, what):
    global _told
    if not _told:
        _told = True
        warnings.warn(
            f"the cache of kernels in {folder} {what}; they are compiled, which takes a while",
            RuntimeWarning,
            stacklevel=2,
        )


@lru_cache
def _fingerprint():
    folder = Path(__file__).parents[1]
    return hashlib.sha256(
        b"".join(p.read_bytes() for p in sorted(folder.rglob("*.py")))
    ).hexdigest()
