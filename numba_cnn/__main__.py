"""python -m numba_cnn is the command numba-cnn; Ctrl-C ends both with one line, while they are still importing too."""

from __future__ import annotations

import os
import sys


def _end() -> None:
    """End the process at once: after an interrupt, Python may end it by a signal instead of with a code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is sys.stderr:
                print("\nnumba-cnn: interrupted", file=stream)
            stream.flush()
        except OSError:  # nobody reads any more
            pass
    os._exit(130)


try:
    import signal  # takes a few milliseconds
except KeyboardInterrupt:
    _end()

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_interrupted = False


def main() -> int:
    """Run the command and return its exit code; see commands.main. Ctrl-C ends the process with 130."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _try_again
    global _interrupted
    code = 0
    try:
        from numba_cnn import commands

        code = commands.main()
    except KeyboardInterrupt:
        _interrupted = True
    except BaseException:
        # What is interrupted within an import may come out of it as another error.
        if not _interrupted:
            raise
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done
    if _interrupted:
        _end()
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _interrupted
    _interrupted = True
    raise KeyboardInterrupt


def _try_again(unraisable: sys.UnraisableHookArgs) -> None:
    """An interrupt within what C has called would be printed and lost: have it come a moment later."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    import threading

    threading.Timer(0.02, signal.raise_signal, (signal.SIGINT,)).start()


if __name__ == "__main__":
    sys.exit(main())
