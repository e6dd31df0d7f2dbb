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
interactive = True
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
        self._line = Line()
        self._live = self.verbose == 1 and on_terminal()
        self._heading = ""

    def begin(self, epoch: int = 0) -> None:
        """Start the clock, and say which epoch this is if there are several."""
        if self.epochs is not None and self.epochs > 1:
            heading = f"Epoch {epoch + 1}/{self.epochs}"
            if self._live or self.verbose > 1:
                say(heading)
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
        say(text)

    def clear(self) -> None:
        """Take the live line away, so that others can print."""
        if self._live:
            self._line.clear()

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
            say(self._heading + " - ".join(parts))

    def _seconds_per_step(self, done: int, now: float) -> float:
        """The first step is left out, since it may compile kernels."""
        if done > 1:
            return (now - self._first_step) / (done - 1)
        return now - self._start

    def _draw(self, done: int, remaining: str, logs: Logs, now: float, final: bool = False) -> None:
        per_step = step_time(self._seconds_per_step(done, now))
        self._line.draw(done, self.steps, remaining, per_step, values(logs), final)


class Line:
    """A line that is drawn anew in its place: how many of how many, a bar of `width` characters, times."""

    def __init__(self, width: int = _WIDTH) -> None:
        self.width = width
        self._console: Any = None

    def draw(
        self, done: int, total: int | None, passed: str, each: str, logs: list[str], final: bool
    ) -> None:
        """Draw it; the final one stays."""
        from rich.console import Console
        from rich.text import Text

        if self._console is None:
            self._console = Console(highlight=False)
        full = min(self.width, self.width * done // total) if total else 0
        known = "Unknown" if total is None else total
        rest = "─" if self._console.no_color else "━"
        line = Text.assemble(
            (f"{done:{len(str(known))}d}/{known}", "bold"),
            " ",
            ("━" * full, "green"),
            (rest * (self.width - full), "white"),
            " ",
            (passed, "bold"),
            f" {each}",
            *(f" - {value}" for value in logs),
        )
        with self._console:  # one write for all
            self._erase()
            if final:
                self._console.print(line, soft_wrap=True)
            else:
                self._console.print(line, end="", no_wrap=True, overflow="ellipsis")

    def clear(self) -> None:
        """Take the line away, so that others can print."""
        if self._console is not None:
            self._erase()

    def _erase(self) -> None:
        from rich.control import Control
        from rich.segment import ControlType

        self._console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))


def say(text: str) -> None:
    """Print a line; where interactive logging is off, log it."""
    if interactive:
        print(text, flush=True)
    else:
        import logging

        logging.getLogger("numba_cnn").info(text)


def enable_interactive_logging() -> None:
    """Have progress printed, as it is from the beginning."""
    global interactive
    interactive = True


def disable_interactive_logging() -> None:
    """Have progress logged, line by line, as information by the logger "numba_cnn": nothing is printed."""
    global interactive
    interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress is printed."""
    return interactive


def on_terminal() -> bool:
    """Whether progress goes to a terminal that understands control characters."""
    understands = os.environ.get("TERM") != "dumb"
    return interactive and sys.stdout is not None and sys.stdout.isatty() and understands


def values(logs: Logs) -> list[str]:
    return [f"{name}: {number(value)}" for name, value in logs.items()]


def number(value: float) -> str:
    """Four decimals, scientific where that would show nothing."""
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def step_time(seconds: float, unit: str = "step") -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    return f"{seconds * 1e3:.0f}ms/{unit}" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/{unit}"


def clock(seconds: float) -> str:
    """12s, 3:04 or 1:02:03."""
    hours, rest = divmod(int(seconds), 3600)
    if seconds > 3600:
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
    return f"{rest // 60}:{rest % 60:02d}" if seconds > 60 else f"{int(seconds)}s"
