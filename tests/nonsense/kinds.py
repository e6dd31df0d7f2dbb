"""What is nonsense, and what of it each kind of parameter takes after all."""

import math

import numpy as np

VALUES = {
    "None": None,
    "text": "nonsense",
    "empty text": "",
    "bytes": b"ab",
    "true": True,
    "zero": 0,
    "minus one": -1,
    "fraction": 1.5,
    "minus half": -0.5,
    "nan": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "too large": 1e300,
    "numpy nan": np.float32("nan"),
    "complex": 1j,
    "list": ["a", None],
    "ragged": [[1], [1, 2]],
    "empty list": [],
    "empty tuple": (),
    "three": (1, 2, 3),
    "dict": {"a": 1},
    "set": {1, 2},
    "object": object(),
    "class": int,
    "function": print,
    "module": math,
    "objects": np.array([None, "a"], object),
    "texts": np.array(["a", "b"]),
    "complex array": np.ones(3, complex),
    "nan array": np.full(3, np.nan),
    "range": range(2),
}

# What of the above each kind of parameter takes after all.
KINDS = {
    "anything": set(VALUES),
    "array": set(),
    "count": set(),
    "count from 0": {"zero"},
    "number": {"zero", "minus one", "fraction", "minus half"},
    "number from 0": {"zero", "fraction"},
    "positive number": {"fraction"},
    "share": {"zero"},
    "flag": {"true", "zero"},
    "verbosity": {"true", "zero"},
    "text": {"text"},
    "path": {"text"},
    "name": {"text", "empty text"},
    "callable": {"function", "class"},
    "choice": set(),
    "size": set(),
    "padding": {"zero", "range"},
    "shape": set(),
    "extents": {"three", "empty tuple", "empty list", "range"},
    "sample shape": {"three"},
    "objects": {"empty list", "empty tuple"},
    "weights": set(),
    "separator": set(),
    "mapping": set(),
}
KINDS |= {
    "objects of two": set(),
    "numbers": {"nan array"},
    "flag of python": {"true"},
    "extents of 2": set(),
    "vector": {"range"},
    "place": {"zero", "minus one"},
    "number below one": {"zero", "minus one", "minus half", "minus infinity"},
    "number above zero": {"zero", "true", "fraction", "infinity"},
    "share or pair": {"zero", "minus half"},
    "number or pair": {"zero", "minus one", "fraction", "minus half"},
    "nothing": {"zero"},
}
KINDS |= {"numbers of a list": {"three"}, "number to 0": {"zero", "minus one", "minus half"}}
KINDS |= {"whole number": {"zero", "minus one"}, "open share": set(), "share of lists": {"zero"}}
KINDS |= {"axis": {"zero", "minus one", "three"}, "axes": {"zero", "minus one", "three"}}
KINDS |= {"positive share": set(), "nothing": set()}

# Samples by themselves, and products; what all layers take.
KINDS |= {
    "dims": {"three", "empty list", "empty tuple"},
    "axes or none": {"zero", "minus one", "three", "empty list", "empty tuple"},
    "list of anything": {"list", "ragged", "empty list", "empty tuple", "three"},
    "nothing but None": {"None"},
    "count or -1": {"minus one"},
    "axis of each": {"minus one", "zero"},
    "pair from 0": {"zero", "range"},
}
KINDS |= {
    "number or list": {"zero", "minus one", "fraction", "minus half", "three", "range"},
    "anything of two": {"list", "objects", "texts", "range"},
    "nothing at all": set(),
    "zero or one": {"zero", "true"},
    "shape of an image": {"three"},
}
KINDS |= {
    "number from 0 below one": {"zero"},
    "extents of an image": {"three"},
    "none": set(),
    "labels": {"zero", "true", "three", "range"},
}
KINDS |= {
    "texts": {"empty list", "empty tuple", "dict", "texts"},
    "pairs": {"empty list", "empty tuple", "dict"},
}
KINDS |= {
    "rows": {"objects", "texts", "complex array", "nan array", "three", "range"},
    "sequences": {"empty list", "empty tuple", "ragged", "dict", "set"},
    "type": {"None", "class", "text"},
    "number of any kind": {
        "true",
        "zero",
        "minus one",
        "fraction",
        "minus half",
        "numpy nan",
        "range",
    },
    "anything of three": set(VALUES) - {"empty list", "empty tuple"},
}
KINDS |= {"range": {"zero", "true", "range"}, "port": {"zero"}, "settings": {"dict"}}
