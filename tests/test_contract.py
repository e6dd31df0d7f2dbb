"""The contract: the same names and signatures in every folder, and nothing that reaches past an array."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from numba_cnn import shapes
from numba_cnn.backends import contract, cpu, rows
from numba_cnn.backends.cpu.runtime.launch import _kernels, elementwise

HOME = Path(contract.__file__).parent
FOLDERS = {"cpu": contract.ROWS, "cuda": contract.OPS, "reference": contract.OPS}
CONV = shapes.conv2d((2, 9, 8, 3), (3, 3, 3, 4))
CONV_TO_POOL, POOLED = shapes.pooled(CONV)
POOL = shapes.max_pool2d((2, 8, 6, 3), 2)
EXTENTS = {
    "N": (5,), "K": (7,), "F": (6,), "C": (4,), "M": (9,), "n": (5,), "R": (11,), "P": (8,), "1": (1,), "2": (2,),
    "2|3": (2,), "G": (3,), "I": (6,), "J": (2,),
    "*": (3, 4),
}  # fmt: skip
WORDS = {"algorithm": "direct", "name": "gelu", "fill_mode": "reflect", "rule": "amsgrad"}
MERGED = shapes.broadcast("merge", (3, 4, 2, 5), (3, 1, 2, 1))[1]
COLUMNS = shapes.columns("concatenate", (3, 7), 1, (2, 5))[0]
VALUES = {
    bool: False,
    tuple: (0.5,),
    shapes.Conv2D: CONV,
    shapes.Pool2D: POOL,
    shapes.AdaptivePool2D: shapes.AdaptivePool2D(2, 3, 4, 5, 2, 3),
    shapes.Broadcast: MERGED,
    shapes.Columns: COLUMNS,
    shapes.Permutation: shapes.permutation("permute", (3, 4, 5), (2, 0, 1))[1],
    shapes.Frame: shapes.Frame(2, 3, 4, 5, 1, 0, 2, 1),
    shapes.Upsample2D: shapes.Upsample2D(2, 3, 4, 5, 2, 3),
    shapes.AffineTransform2D: shapes.AffineTransform2D(2, 3, 4, 5, 6, 7),
    shapes.AffineRanges: shapes.AffineRanges(),
}


def signature(folder, name):
    """The parameters of an op as its file has them, without importing what the folder needs."""
    if folder == "cuda":
        path = HOME / "cuda" / f"{contract.ROWS[name].home}.py"
        tree = ast.parse(path.read_text())
        found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
        assert len(found) == 1, f"{path} has no {name}"
        return tuple(a.arg for a in found[0].args.args), [
            ast.unparse(d) for d in found[0].decorator_list
        ]
    function = getattr(import_module(f"numba_cnn.backends.{folder}"), name)
    return tuple(inspect.signature(function).parameters), None


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_has_the_same_functions(folder):
    for name, row in FOLDERS[folder].items():
        parameters, decorators = signature(folder, name)
        assert parameters == row.parameters, name
        assert decorators is None or "checked" in decorators, f"cuda's {name} is not checked"


def test_every_folder_has_a_file_for_each_op():
    for name, row in contract.OPS.items():
        for folder in FOLDERS:
            source = (HOME / folder / f"{row.home}.py").read_text()
            assert f"def {name}(" in source, (folder, name)


def arguments(name):
    """What an op takes: arrays of the extents above, zeros but for a positive velocity."""
    row = contract.ROWS[name]
    geometry = CONV_TO_POOL if "max_pool2d" in name else CONV
    values = []
    for field, word in zip(row.fields, row.parameters, strict=True):
        if not isinstance(field, rows.ArrayField):
            kind = field[0] if isinstance(field, tuple) else field
            named = "multiply" if name.startswith("merge") else WORDS.get(word, 0.5)
            values.append(geometry if kind is shapes.Conv2D else VALUES.get(kind, named))
            continue
        if field.extents and field.extents[0].startswith("g."):
            kind = row.fields[row.geometry]
            g = geometry if kind is shapes.Conv2D else VALUES[kind]
            shape = getattr(g, field.extents[0][2:])
            shape = shape if isinstance(shape, tuple) else (shape,)
        else:
            shape = sum((EXTENTS[letter] for letter in field.extents), ())
        dtype = {
            "float": "f",
            "real": "f",
            "float32": "f",
            "integer": "i",
            "int32": "i",
            "int64": "q",
            "bool": "?",
            "argmax": "B",
        }
        values.append(np.zeros(shape, dtype[field.dtype]))
    return values


@pytest.mark.parametrize("name", contract.ROWS)
def test_an_array_that_does_not_fit_is_refused(name):
    """One element short, one long, of another dtype, of another rank, not in C order, missing: before anything runs."""
    function, row = getattr(cpu, name), contract.ROWS[name]
    function(*arguments(name))  # it runs as it should
    for i, field in enumerate(row.fields):
        if not isinstance(field, rows.ArrayField):
            continue
        array = arguments(name)[i]
        stars = sum(isinstance(f, rows.ArrayField) and "*" in f.extents for f in row.fields)
        own = field.extents == ("*",) and stars == 1  # any shape is right
        wrong = [np.zeros(array.shape, np.complex64), np.zeros((*array.shape, 1), array.dtype)]
        if (name, row.parameters[i]) == ("random_uniform", "y"):
            wrong = wrong[:1]  # the only array of its kind: as many numbers as it holds
        elif array.ndim:
            rest = array.shape[1:]
            wrong += [
                np.zeros((len(array) + 1, *rest), array.dtype),
                np.zeros((len(array) - 1, *rest), array.dtype),
            ]
            wrong += [array[0]]
        if array.ndim > 1 and min(array.shape) > 1 and len(wrong) > 1:
            wrong.append(np.asfortranarray(array))
        if not field.optional:
            wrong.append(None)
        for value in wrong:
            given = arguments(name)
            given[i] = value
            real = value is not None and value.dtype == array.dtype
            if real and own and value.flags.c_contiguous:
                continue
            if real and value.shape[1:] == array.shape[1:] and field.extents[:1] == ("M",):
                continue  # the number of samples to choose from is x's own
            if real and value.shape in [(2,), (3,)] and field.extents == ("2|3",):
                continue  # a generator without a place, or with one
            with pytest.raises((TypeError, ValueError), match=name):
                function(*given)
    with pytest.raises(TypeError, match=name):
        function(*arguments(name)[:-1])


def test_elementwise_kernels_refuse_arrays_of_different_sizes():
    for row in contract.OPS.values():
        import_module(f"numba_cnn.backends.cpu.{row.home}")
    found = [kernel for kernel in _kernels if isinstance(kernel, elementwise)]
    assert {"_relu", "_relu_backward", "_sgd", "_sgd_momentum", "_rmsprop", "_adam"} <= {
        k.name for k in found
    }
    for kernel in found:
        with pytest.raises(ValueError, match=f"{kernel.name}: arrays must be of one size"):
            kernel(np.zeros(8, np.float32), np.zeros(7, np.float32))


def test_what_a_folder_offers_stands_in_the_contract():
    """A public function of an op's file is a row, or it is not exported."""
    homes = {row.home for row in contract.ROWS.values()}
    plumbing = {"asarray", "describe", "empty", "finish_deferred", "get_num_threads", "host_call", "is_available",
                "is_simulator", "is_warm", "limit_recordings", "owns",
                "release_memory", "set_num_threads", "synchronize", "to_numpy",
                "why_unavailable", "LaunchGraph"}  # fmt: skip
    assert set(cpu.__all__) - {"ABILITIES", "NAME"} == plumbing
    for home in homes:
        import_module(f"numba_cnn.backends.cpu.{home}")
        assert not hasattr(getattr(cpu, home, None), "__path__")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        cpu.nothing  # noqa: B018
