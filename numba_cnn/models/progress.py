"""Keras's progress text: a live line on a terminal, one plain line an epoch anywhere else."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from numba_cnn import settings

Logs = dict[str, float]

verbosity = settings.verbosity("auto")
_WIDTH = 20  # characters of the bar
_INTERVAL = 0.1  # seconds; a line takes rich about a millisecond


class Progress:
    """Shows how far a loop over batches has come.

    verbose     0 shows nothing, 1 (or "auto") the live line, 2 one line per epoch, more the numbers of epochs
    steps       batches per epoch; None until they are known
    epochs      None where there are no epochs: evaluate and predict

    Without a terminal no control character is written, and verbose=1 is one line per epoch.
    """

    def __init__(self, verbose: str | int, steps: int | None, epochs: int | None = None) -> None:
        verbose = verbosity("Progress", "verbose", verbose)
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.steps, self.epochs = steps, epochs
        self._live = self.verbose == 1 and on_terminal()
        self._console: Any = None
        self._heading = ""

    def begin(self, epoch: int = 0) -> None:
        """Start the clock, and say which epoch this is if there are several."""
        if self.epochs is not None and self.epochs > 1:
            heading = f"Epoch {epoch + 1}/{self.epochs}"
            if self._live or self.verbose > 1:
                print(heading, flush=True)
            else:
                self._heading = f"{heading} - "
        self._start = self._due = time.perf_counter()
        self._first_step = 0.0

    def step(self, done: int, read_logs: Callable[[], Logs] | None = None) -> None:
        """After each batch: draw the line if it is due; only then the logs are read."""
        now = time.perf_counter()
        if done == 1:
            self._first_step = now
        if self._live and now >= self._due and (self.steps is None or done < self.steps):
            self._due = now + _INTERVAL
            passed = now - self._start
            if self.steps is not None:
                passed = self._seconds_per_step(done, now) * (self.steps - done)
            self._draw(done, clock(passed), read_logs() if read_logs else {}, now)

    def say(self, text: str) -> None:
        """Print a line of its own."""
        self.clear()
        print(text, flush=True)

    def clear(self) -> None:
        """Take the live line away, so that others can print."""
        if self._live and self._console is not None:
            self._erase()

    def end(self, done: int | None, logs: Logs | None = None) -> None:
        """The last word on an epoch."""
        now, done = time.perf_counter(), done or 0
        self.steps = self.steps or done
        if self._live:
            self._draw(done, f"{now - self._start:.0f}s", logs or {}, now, final=True)
        elif self.verbose in (1, 2):
            elapsed = f"{now - self._start:.0f}s"
            per_step = step_time(self._seconds_per_step(done, now))
            parts = [f"{done}/{self.steps}", elapsed, per_step, *values(logs or {})]
            print(self._heading + " - ".join(parts), flush=True)

    def _seconds_per_step(self, done: int, now: float) -> float:
        """The first step is left out, since it may compile kernels."""
        if done > 1:
            return (now - self._first_step) / (done - 1)
        return now - self._start

    def _draw(self, done: int, remaining: str, logs: Logs, now: float, final: bool = False) -> None:
        from rich.console import Console
        from rich.text import Text

        if self._console is None:
            self._console = Console(highlight=False)
        full = _WIDTH * done // self.steps if self.steps else 0
        total = "Unknown" if self.steps is None else self.steps
        rest = "─" if self._console.no_color else "━"
        line = Text.assemble(
            (f"{done:{len(str(total))}d}/{total}", "bold"),
            " ",
            ("━" * full, "green"),
            (rest * (_WIDTH - full), "white"),
            " ",
            (remaining, "bold"),
            f" {step_time(self._seconds_per_step(done, now))}",
            *(f" - {value}" for value in values(logs)),
        )
        with self._console:  # one write for all
            self._erase()
            if final:
                self._console.print(line, soft_wrap=True)
            else:
                self._console.print(line, end="", no_wrap=True, overflow="ellipsis")

    def _erase(self) -> None:
        from rich.control import Control
        from rich.segment import ControlType

        self._console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))


def on_terminal() -> bool:
    """Whether standard output is a terminal that understands control characters."""
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def values(logs: Logs) -> list[str]:
    return [f"{name}: {number(value)}" for name, value in logs.items()]


def number(value: float) -> str:
    """Four decimals, scientific where that would show nothing."""
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def step_time(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"


def clock(seconds: float) -> str:
    """12s, 3:04 or 1:02:03."""
    hours, rest = divmod(int(seconds), 3600)
    if seconds > 3600:
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
    return f"{rest // 60}:{rest % 60:02d}" if seconds > 60 else f"{int(seconds)}s"
