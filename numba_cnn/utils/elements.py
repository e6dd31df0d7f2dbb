"""Elements of datasets: arrays, and tuples and dicts of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any

import numpy as np


class Tensor(np.ndarray):
    """An array, of which scripts ask for .numpy()."""

    def numpy(self) -> np.ndarray:
        """The array itself, or the number."""
        plain = self.view(np.ndarray)
        return plain if self.ndim else plain[()]

    def __hash__(self) -> int:  # type: ignore[override]
        """That of a number: the numbers of a Tensor are Tensors, and sets of labels have them."""
        if self.ndim:
            raise TypeError("unhashable type: 'Tensor'")
        return hash(self.item())

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return found if isinstance(found, np.ndarray) else as_tensor(found)


def as_tensor(value: Any) -> Any:
    """An array or a number as a Tensor; anything else as it is."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, np.ndarray):
        return value.view(Tensor)
    known = hasattr(value, "__array__") or isinstance(value, int | float | bool)
    return np.asarray(value).view(Tensor) if known else value


def each(change: Callable[[Any], Any], element: Any) -> Any:
    """The same structure of changed arrays."""
    if isinstance(element, tuple):
        return tuple(each(change, one) for one in element)
    if isinstance(element, Mapping):
        return {name: each(change, one) for name, one in element.items()}
    return change(element)


class Plain(Iterator[Any]):
    """Elements as plain arrays and numbers."""

    def __init__(self, elements: Iterable[Any]) -> None:
        self._elements = iter(elements)

    def __next__(self) -> Any:
        return each(lambda one: as_tensor(one).numpy(), next(self._elements))

    next = __next__


def spread(call: Callable[..., Any], element: Any) -> Any:
    """The function of an element, of a tuple's parts one by one."""
    element = each(as_tensor, element)
    return call(*element) if isinstance(element, tuple) else call(element)


def rows(element: Any) -> Iterator[Any]:
    """The elements that lie side by side in one."""
    arrays = each(np.asarray, element)
    for i in range(len(leaves(arrays)[0])):
        yield each(itemgetter(i), arrays)


def leaves(element: Any) -> list[Any]:
    found: list[Any] = []
    each(found.append, element)
    return found


def stacked(elements: list[Any]) -> Any:
    """Elements of one structure side by side."""
    first = elements[0]
    if isinstance(first, tuple):
        return tuple(stacked(list(parts)) for parts in zip(*elements, strict=True))
    if isinstance(first, Mapping):
        return {name: stacked([one[name] for one in elements]) for name in first}
    shapes_found = {np.shape(one) for one in elements}
    if len(shapes_found) > 1:
        raise ValueError(
            f"batch: elements of the dataset must have one shape. Received: {sorted(shapes_found)[:3]}"
        )
    batch: np.ndarray = np.stack([np.asarray(one) for one in elements])
    return batch
