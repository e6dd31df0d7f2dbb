"""What is given to fit in parts: samples, targets and weights together, in two datasets, or of one length."""

from __future__ import annotations

from typing import Any

import numpy as np

from numba_cnn import nearest, session, settings, shapes
from numba_cnn.utils.dataset import Dataset
from numba_cnn.utils.elements import leaves, stacked

_ENDS = settings.choice("pre", "post")


@nearest.keywords
def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences of several lengths as one array (N, maxlen, ...): `value` fills the short ones, long ones are cut.

    maxlen        the longest sequence's length unless given
    padding       whether the value comes before ("pre") or after ("post") what a sequence has
    truncating    whether a long sequence loses its beginning ("pre") or its end ("post")

    Raises ValueError for what is no list of sequences, or has elements of several shapes.
    """
    op = "pad_sequences"
    _ENDS(op, "padding", padding)
    _ENDS(op, "truncating", truncating)
    if not hasattr(sequences, "__len__") or not all(hasattr(one, "__len__") for one in sequences):
        raise ValueError(
            f"{op}: sequences must be a list of sequences. Received: {nearest.shown(sequences)}"
        )
    try:
        if np.dtype(dtype).kind not in "biufcOUS":
            raise TypeError("dtype is none of numbers or texts")
        arrays = [np.asarray(one, dtype) for one in sequences]
        longest = max(map(len, arrays), default=0)
        most = longest if maxlen is None else shapes.count(op, "maxlen", maxlen)
        element = next((one.shape[1:] for one in arrays if len(one)), ())
        if isinstance(value, str) and np.dtype(dtype).kind not in "OUS":
            raise ValueError("value is a text, which takes dtype=object")
        found: np.ndarray = np.full((len(arrays), most, *element), value, dtype)
        for row, one in zip(found, arrays, strict=True):
            kept = one[-most:] if truncating == "pre" else one[:most]
            if len(kept):
                row[slice(len(kept)) if padding == "post" else slice(-len(kept), None)] = _fitting(
                    kept, element
                )
    except (OverflowError, TypeError, ValueError) as error:
        if str(error).startswith(op):
            raise
        raise ValueError(
            f"{op}: sequences, dtype and value do not fit together: {error}. "
            f"Received: {nearest.shown(sequences)}, dtype {nearest.shown(dtype)}, value {nearest.shown(value)}"
        ) from error
    return found


def _fitting(kept: np.ndarray, element: tuple[int, ...]) -> np.ndarray:
    if kept.shape[1:] != element:
        raise ValueError(f"elements have the shapes {element} and {kept.shape[1:]}")
    return kept


@nearest.keywords
def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """What a data set gives for them: x, (x,) where x is a list or a tuple, (x, y) or (x, y, sample_weight)."""
    if y is None:
        return (x,) if isinstance(x, list | tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


@nearest.keywords
def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of what a data set gives, None for what it has not; ValueError for more than three."""
    if not isinstance(data, list | tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "unpack_x_y_sample_weight: data must be x, (x,), (x, y) or (x, y, sample_weight). "
            f"Received: {nearest.shown(data)}"
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


@nearest.keywords
def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Dataset, Dataset]:
    """The first elements of a data set, and the last ones, each a data set; elements are gone through once, and kept.

    dataset                  a data set of this library, or an array, a tuple or a dict of arrays of one length; of
                             batches the samples are divided, and put into batches again
    left_size, right_size    a number of samples, or a share of them between 0 and 1; the rest where it is None
    shuffle, seed            whether samples are divided in an order of the seed's
    """
    op = "split_dataset"
    source = dataset if isinstance(dataset, Dataset) else _of_arrays(op, dataset)
    shuffle = settings.flag(op, "shuffle", shuffle)
    size = source._batch_size
    elements = list((source if size is None else source.unbatch())._begin(0))
    if seed is not None:
        shapes.count(op, "seed", seed, 0)
    if shuffle:
        chosen = session.new_order_seed() if seed is None else seed
        elements = [elements[i] for i in np.random.default_rng(chosen).permutation(len(elements))]
    left, right = _sizes(op, left_size, right_size, len(elements))
    made = []
    for part in (elements[:left], elements[len(elements) - right :]):
        one = Dataset(lambda n, part=part: iter(part), len(part), source)  # type: ignore[misc]
        made.append(one if size is None else one.batch(size))
    return made[0], made[1]


def _of_arrays(op: str, given: Any) -> Dataset:
    """The data set of arrays; those of a list are columns, as in a tuple."""
    try:
        found = Dataset.from_tensor_slices(tuple(given) if isinstance(given, list) else given)
        if any(one.dtype == object for one in leaves(stacked([next(found._begin(0))]))):
            raise ValueError
    except ValueError:
        raise ValueError(
            f"{op}: dataset must be a data set, or arrays of one length. Received: {nearest.shown(given)}"
        ) from None
    return found


def _sizes(op: str, left: Any, right: Any, total: int) -> tuple[int, int]:
    """How many samples go to each side."""
    if left is None and right is None:
        raise ValueError(f"{op}: give left_size, right_size or both. Received: neither")
    counts = []
    for name, size in (("left_size", left), ("right_size", right)):
        number = None if size is None else settings.real(size)
        whole = isinstance(size, int | np.integer)
        if size is not None and (number is None or not 0 < number < (total if whole else 1)):
            raise ValueError(
                f"{op}: {name} must be a whole number from 1 to {total - 1}, or a share between 0 and 1. "
                f"Received: {nearest.shown(size)}"
            )
        counts.append(None if number is None else int(number) if whole else round(number * total))
    first = total - (counts[1] or 0) if counts[0] is None else counts[0]
    second = total - first if counts[1] is None else counts[1]
    if first + second > total:
        raise ValueError(
            f"{op}: left_size and right_size must be {total} samples at most together. "
            f"Received: {nearest.shown(left)} and {nearest.shown(right)}"
        )
    return first, second
