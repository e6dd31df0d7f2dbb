"""What a file from a stranger takes: never many times what it weighs, whatever it states of itself."""

import json
import re
import subprocess
import sys
import zipfile

import mutations
import numpy as np

from numba_cnn import layers, models


def model_of(layer_configs, weights=b"no weights"):
    """The members of a .keras file."""
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": layer_configs}}
    return {"config.json": json.dumps(config).encode(), "model.weights.h5": weights}


BOMBS = """
import resource, sys
import numpy as np
import h5py
from PIL import Image
from numba_cnn import models
from numba_cnn.datasets.read_arrays import read_arrays
from numba_cnn.datasets.read_image import read_image
readers = {
    "keras": lambda path: models.load_model(path, backend="cpu"),
    "npz": read_arrays,
    "npy": read_arrays,
    "png": lambda path: read_image(path, (8, 8)),
}
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    before = peak()
    try:
        readers[path.rsplit(".")[-1]](path)
        message = "read"
    except ValueError as error:
        message = str(error)
    print((peak() - before) // 1024, message, flush=True)
"""


def inflated(content, size):
    """The zip's directory states that every member unpacks from and to that many bytes."""
    broken = bytearray(content)
    place = broken.find(b"PK\1\2")
    while place >= 0:
        broken[place + 20 : place + 28] = size.to_bytes(4, "little") * 2
        place = broken.find(b"PK\1\2", place + 4)
    return bytes(broken)


def png(path, *size):
    from PIL import Image

    Image.new("L", size).save(path)


def test_memory_is_bounded_by_what_a_file_weighs(tmp_path):
    """Each file is refused, before a process that has read good ones takes another 100 MB."""
    npz = mutations.saved(np.savez_compressed, x=np.zeros(5))
    npy = mutations.saved(np.save, np.zeros((3, 4, 5)))
    models.Sequential([layers.Dense(2, input_shape=(3,))]).save(tmp_path / "good.keras")
    whole = (tmp_path / "good.keras").read_bytes()
    deflated = zipfile.ZIP_DEFLATED
    many = b'{"class_name": "Sequential", "config": {"layers": [' + b"[]," * 2**20 + b"[]]}}"
    contents = {
        "good.keras": (whole, "read"),
        "good.npz": (npz, "read"),
        "claims.keras": (
            inflated(mutations.packed(model_of([], bytes(2**22))), 2**31 - 1),
            "unpacks to 2147483647 bytes",
        ),
        "unpacks.keras": (
            mutations.packed(model_of([], bytes(2**27)), deflated),
            r"model\.weights\.h5 unpacks to",
        ),
        "understates.keras": (understated(bytes(2**28)), "."),
        "algorithm.keras": (
            mutations.packed(model_of([], bytes(2**20)), zipfile.ZIP_LZMA),
            "packed by an algorithm",
        ),
        "values.keras": (
            mutations.packed({"config.json": many, "model.weights.h5": b""}),
            r"config\.json holds 2097157 values",
        ),
        "nested.keras": (
            mutations.packed({"config.json": b"[" * 10**5, "model.weights.h5": b""}),
            "recursion",
        ),
        "arrays.npz": (
            mutations.saved(np.savez_compressed, x=np.zeros(2**27, np.uint8)),
            r"x\.npy unpacks to",
        ),
        "many.npz": (
            mutations.packed(
                {f"{i}.npy": mutations.saved(np.save, np.zeros(2**20)) for i in range(40)}, deflated
            ),
            r"\.npy unpacks to",
        ),
        "claims.npy": (npy.replace(b"(3, 4, 5), }" + b" " * 9, b"(999999999, 4), }" + b" " * 4), "are stated"),
    }  # fmt: skip
    for name, (content, _) in contents.items():
        (tmp_path / name).write_bytes(content)
    png(tmp_path / "good.png", 100, 100)
    png(tmp_path / "large.png", 9000, 9000)
    expected = [*(end for _, end in contents.values()), "read", "9000x9000 pixels take 81000000"]
    paths = [str(tmp_path / name) for name in (*contents, "good.png", "large.png")]
    run = subprocess.run(
        [sys.executable, "-c", BOMBS, *paths], capture_output=True, text=True, check=True
    )
    lines = run.stdout.splitlines()
    for path, line, end in zip(paths, lines, expected, strict=True):
        megabytes, message = line.split(" ", 1)
        assert re.search(end, message), line
        if "good" not in path:
            assert int(megabytes) < 100, line


def understated(content):
    """A member that unpacks to far more than is stated of it."""
    packed = bytearray(mutations.packed(model_of([], content), zipfile.ZIP_DEFLATED))
    place = packed.rfind(b"PK\1\2")
    packed[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    return bytes(packed)
