"""A progress bar for loops of one's own."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest, progress
from numba_cnn.settings import Check, Checked, Settings, integer, number, optional, text, verbosity

_BAR, _LINE = 1, 2  # what verbose asks for


def _names(owner: str, name: str, value: Any) -> frozenset[str]:
    """Names of metrics."""
    is_list = isinstance(value, Iterable) and not isinstance(value, str | bytes)
    found: list[Any] = list(value) if is_list else [None]
    if not all(isinstance(one, str) for one in found):
        raise ValueError(
            f"{owner}: {name} must be a list of names of metrics, or None. Received: {nearest.shown(value)}"
        )
    return frozenset(found)


_some_names: Check = optional(_names)
_whole: Check = integer()


class Progbar(Checked):
    """Shows how far a loop has come, and means of what it logs.

    target              how many units there are; None where nobody knows, then the last update says finalize=True
    width               characters of the bar
    verbose             1 a bar on a terminal, elsewhere a line at the end; 2 a line at the end; 0 nothing
    interval            seconds between two looks of the bar, at least
    stateful_metrics    names whose values are shown as they are, without a mean
    stateless_metrics   or the names of which means are shown, and of no others; one of both lists at most
    unit_name           what is counted: "step"
    """

    _settings: ClassVar[Settings] = {
        "target": optional(integer()), "width": integer(1), "verbose": verbosity(),
        "interval": number(0), "unit_name": text,
        "stateful_metrics": _some_names, "stateless_metrics": _some_names,
    }  # fmt: skip

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Progbar: stateful_metrics or stateless_metrics may be given, not both. Received: "
                f"{nearest.shown(stateful_metrics)} and {nearest.shown(stateless_metrics)}"
            )
        self.target, self.width, self.verbose = target, width, verbose
        self.interval, self.unit_name = interval, unit_name
        self.stateful_metrics, self.stateless_metrics = stateful_metrics, stateless_metrics
        self._seen = 0
        self._sums: dict[str, tuple[float, int]] = {}  # of each name, with how many they are of
        self._line = progress.Line(self.width)
        self._start = time.perf_counter()
        self._drawn = self._first = -np.inf

    def update(
        self, current: int, values: Iterable[Any] | None = None, finalize: bool | None = None
    ) -> None:
        """Say that `current` units are done.

        values      pairs (name, value), or a dict; of values that are arrays the mean is shown
        finalize    whether this is the last update; None: whether current is the target, or beyond

        Raises ValueError for another count than a whole number from 0, and for what are no pairs.
        """
        current = _whole("update", "current", current)
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in _pairs(values):
            self._take(name, value, max(current - self._seen, 1), bool(finalize))
        self._seen = current
        now = time.perf_counter()
        each = progress.step_time(self._seconds_per_unit(current, now), self.unit_name)
        if self.verbose == _BAR and progress.on_terminal():
            if finalize or now - self._drawn >= self.interval:
                self._draw(current, each, now, bool(finalize))
        elif finalize and (self.verbose == _BAR or (self.verbose == _LINE and self.target)):
            total = "Unknown" if self.target is None else self.target
            passed = f"{now - self._start:.0f}s"
            progress.say(" - ".join([f"{current}/{total}", passed, each, *self._shown()]))

    def add(self, n: int, values: Iterable[Any] | None = None) -> None:
        """Say that n more units are done."""
        self.update(self._seen + _whole("add", "n", n), values)

    def _take(self, name: str, value: float, units: int, finalize: bool) -> None:
        """The last value is shown as it is, as those of stateful metrics are: its caller knows the mean by then."""
        if self.stateful_metrics is None and self.stateless_metrics is not None:
            has_mean = name in self.stateless_metrics
        else:
            has_mean = name not in (self.stateful_metrics or ())
        if not has_mean or finalize:
            self._sums[name] = value, 1
        else:
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = total + value * units, count + units

    def _shown(self) -> list[str]:
        return progress.values({name: total / n for name, (total, n) in self._sums.items()})

    def _draw(self, current: int, each: str, now: float, final: bool) -> None:
        passed = f"{now - self._start:.0f}s"
        if self.target and not final:
            seconds = self._seconds_per_unit(current, now) * (self.target - current)
            passed = progress.clock(max(seconds, 0))
        self._line.draw(current, self.target, passed, each, self._shown(), final)
        self._drawn = now

    def _seconds_per_unit(self, current: int, now: float) -> float:
        """The first unit is left out, since it may compile kernels."""
        if not current:
            return 0.0
        if current == 1:
            self._first = now
        known = np.isfinite(self._first) and current > 1
        return (now - self._first) / (current - 1) if known else (now - self._start) / current


def _pairs(values: Any) -> list[tuple[str, float]]:
    """Names and numbers."""
    if values is None:
        return []
    given = values.items() if isinstance(values, dict) else values
    found = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [None]
    pairs = []
    for pair in found:
        if not (isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)):
            raise ValueError(
                "update: values must be pairs (name, value), as [('loss', 0.5)]. "
                f"Received: {nearest.shown(values)}"
            )
        try:
            pairs.append((pair[0], float(np.mean(np.asarray(pair[1], np.float64)))))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"update: values must be numbers or arrays of them. Received: {pair[0]}={nearest.shown(pair[1])}"
            ) from error
    return pairs
