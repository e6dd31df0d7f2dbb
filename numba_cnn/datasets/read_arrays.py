"""NumPy's files of arrays, which may come from anywhere."""

from __future__ import annotations

import io
import math
import os
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

from numba_cnn import files

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of an .npy or .npz file by name, never unpickled; an .npy file's is called x.

    An .npz file may unpack to 20 times its bytes, or to 16 MiB. Raises ValueError for a file that is
    broken, or states more than it holds.
    """
    path = Path(path)
    with files.reading("cannot read the arrays", path), files.open_regular(path) as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            return {"x": _read_array(file, files.size(file))}
        with zipfile.ZipFile(file) as archive:
            members = files.Members(archive, files.size(file))
            arrays = {}
            for name in members:
                if name.endswith(".npy"):
                    content = members.read(name)
                    arrays[name[:-4]] = _read_array(io.BytesIO(content), len(content))
            return arrays


def _read_array(file: BinaryIO, size: int) -> np.ndarray:
    """The array in an open file of that many bytes, from where the file stands."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"an .npy file of version {version}")
    shape, _, dtype = _HEADERS[version](file)
    if dtype.hasobject:
        raise ValueError("arrays of objects are not read: allow_pickle=False")
    if dtype.kind not in "biufc" or dtype.shape:
        raise ValueError(f"expected arrays of numbers, not of {dtype}")
    if any(n < 0 for n in shape):
        raise ValueError(f"a shape of {shape}")
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > size - file.tell():
        raise ValueError(f"{claimed} bytes are stated, of {size - file.tell()} in the file")
    file.seek(0)
    array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
    return array
