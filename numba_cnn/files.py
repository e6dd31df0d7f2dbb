"""Files: what is written is there whole or not at all, and what is read is not believed before it is looked at."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows, where the age of a temporary file has to tell
    fcntl = None  # type: ignore[assignment]

_STALE = 24 * 3600  # seconds after which no writer is believed to live, where locks do not tell
_NAME_LIMIT = 200  # bytes of a name that temporary names take over; most systems allow 255

# What a file may unpack to: so many times its own bytes, or that many bytes if those are more.
_UNPACKED, _UNPACKED_FREE = 20, 16 * 2**20


@contextlib.contextmanager
def replacing(path: Path, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A new file, open for writing, that takes the place of the one at `path` once all went well.

    Whoever reads meanwhile, or writes to the same path, sees a whole file. What stands at the path
    keeps its permissions; where that is a symbolic link, the file that it points to is replaced.

    Raises FileExistsError if there is a file already and overwrite is False, and OSError with `path`
    for whatever the disk refuses.
    """
    with naming(path):
        target = Path(os.path.realpath(path))
        before = _check_target(path, target, overwrite)
        _remove_stale(target)
        file, temporary = _open_temporary(target, 0o666 if before is None else 0o600)
        try:
            with file:
                yield file
                file.flush()
                if before is not None:
                    _take_over(file, temporary, before)
                os.fsync(file.fileno())
                if os.name != "nt":  # where the lock holds until the file is in its place
                    _put(temporary, target, overwrite)
            if os.name == "nt":  # where an open file cannot be renamed
                _put(temporary, target, overwrite)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Errors of the system that come from inside name this path."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            if str(path) in str(error):
                raise
            raise OSError(f"{error}. Received: {path}") from error
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


@contextlib.contextmanager
def reading(what: str, path: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever a broken file makes its reader raise is a ValueError that says so and names the path.

    Errors of the system (no such file, no permission, a disk that fails) stay OSErrors.
    """
    try:
        with naming(path):
            yield
    except Exception as error:
        from_system = isinstance(error, OSError) and error.errno is not None
        told = isinstance(error, ValueError) and str(path) in str(error)
        if from_system or told or isinstance(error, Warning):
            raise
        if isinstance(error, ValueError) and "Received: " in str(error):
            raise ValueError(f"{error} in {path}") from error
        reason = str(error).removesuffix(f". Received: {path}") or type(error).__name__
        raise ValueError(f"{what}: {reason}. Received: {path}") from error


class NoFile(FileNotFoundError):
    """There is none at a path; to those who look, the system's own error with its number and the path."""

    op = ""

    def __str__(self) -> str:
        return f"{self.op}: there is no such file. Received: {self.filename}"


def no_file(op: str, path: str | os.PathLike[str]) -> NoFile:
    """The error of op, which looked for a file."""
    error = NoFile(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path))
    error.op = op
    return error


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """The file at that path, open for reading; a pipe or a device, which might never answer, is a ValueError."""
    if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):
        raise ValueError(f"expected a regular file. Received: {os.fspath(path)}")
    return open(path, "rb")


def size(file: BinaryIO) -> int:
    """The bytes of an open file, whatever stands at its path by now."""
    return os.fstat(file.fileno()).st_size


def _check_target(path: Path, target: Path, overwrite: bool) -> os.stat_result | None:
    """What stands at the target, or None; OSError for what a save must not replace."""
    try:
        before = os.stat(target)
    except FileNotFoundError:
        return None
    if not overwrite:
        raise FileExistsError(f"{path} exists; pass overwrite=True. Received: overwrite False")
    if stat.S_ISDIR(before.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(before.st_mode):
        raise OSError(f"expected a regular file, or none. Received: {path}")
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return before


def _open_temporary(target: Path, mode: int) -> tuple[BinaryIO, Path]:
    """A new file beside the target that belongs to this writer alone, and is locked while it lives."""
    while True:
        temporary = target.with_name(f"{_stem(target)}.{secrets.token_hex(8)}.tmp")
        try:
            file = open(  # noqa: SIM115  (whoever called closes it)
                temporary, "x+b", opener=lambda path, flags: os.open(path, flags, mode)
            )
        except FileExistsError:  # whatever it is, a link perhaps: it is not ours
            continue
        _lock(file)
        if os.name == "nt" or os.fstat(file.fileno()).st_nlink:
            return file, temporary
        file.close()  # another save took it for a dead one's before it was locked


def _remove_stale(target: Path) -> None:
    """Remove what killed saves to the same path have left behind."""
    pattern = re.compile(re.escape(_stem(target)) + r"\.[0-9a-f]{16}\.tmp")
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    _remove_if_stale(entry.path)


def _remove_if_stale(path: str) -> None:
    with open(path, "rb+") as file:
        locked = _lock(file)
        if locked is None:
            locked = time.time() - os.fstat(file.fileno()).st_mtime > _STALE
        if locked and os.name != "nt":
            os.unlink(path)
    if locked and os.name == "nt":
        os.unlink(path)


def _lock(file: BinaryIO) -> bool | None:
    """Whether this file is now locked until it is closed, or its process dies; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _stem(target: Path) -> str:
    """What the names of the target's temporary files begin with."""
    name = os.fsencode(target.name)
    if len(name) > _NAME_LIMIT:
        return f".{hashlib.sha256(name).hexdigest()}"
    return f".{target.name}"


def _take_over(file: BinaryIO, temporary: Path, before: os.stat_result) -> None:
    """Permissions, and where the system lets us the owner, of the file that is replaced."""
    if hasattr(os, "fchown"):
        with contextlib.suppress(PermissionError):
            os.fchown(file.fileno(), before.st_uid, before.st_gid)
    os.chmod(temporary, stat.S_IMODE(before.st_mode))


def _put(temporary: Path, target: Path, overwrite: bool) -> None:
    """Move the file to its place, which nobody else may have taken meanwhile unless overwrite."""
    if overwrite:
        os.replace(temporary, target)
        return
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.replace(temporary, target)


class Members:
    """What the files in a zip unpack to, which all together is bounded, whatever the archive says of itself."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive, self._left = archive, unpacked_limit(size)
        self._infos = {info.filename: info for info in archive.infolist()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._infos)

    def read(self, name: str, limit: int | None = None) -> bytes:
        """One file, of `limit` bytes at most; ValueError if it is missing or too large."""
        if name not in self._infos:
            raise ValueError(f"{name} is missing")
        info = self._infos[name]
        most = self._left if limit is None else min(limit, self._left)
        if info.file_size > most:
            raise ValueError(f"{name} unpacks to {info.file_size} bytes, of {most} at most")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name} is packed by an algorithm that is not zip's usual one")
        self._left -= info.file_size
        with self._archive.open(info) as member:
            content = member.read(info.file_size)  # without a size, more than stated is unpacked
        if len(content) < info.file_size:
            raise ValueError(f"{name} is cut off")
        return content


def unpacked_limit(size: int) -> int:
    """The most bytes that a file of that many bytes may unpack to."""
    return max(_UNPACKED * size, _UNPACKED_FREE)
