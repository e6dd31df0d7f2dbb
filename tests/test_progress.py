"""Progress: Keras's words, live on a terminal, plain elsewhere."""

import os
import re
import subprocess
import sys
import textwrap

import pytest

from numba_cnn import callbacks
from numba_cnn.progress import Progress, clock, number, step_time

SCRIPT = textwrap.dedent(
    """
    import time
    from numba_cnn.progress import Progress
    progress = Progress("auto", steps=4, epochs=2)
    for epoch in range(2):
        progress.begin(epoch)
        for step in range(4):
            time.sleep(0.06)
            progress.step(step + 1, lambda: {"loss": 1.5 - step / 10})
        progress.clear()
        print(f"callback {epoch}", flush=True)
        progress.end(4, {"accuracy": 0.5, "loss": 0.0001})
    """
)


def environment(**changes):
    kept = {
        k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLORTERM")
    }
    return kept | {"TERM": "xterm-256color", "COLUMNS": "100"} | changes


def on_a_terminal(**changes):
    """What the script writes to a pseudoterminal."""
    master, slave = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=slave, stderr=slave, env=environment(**changes)
    )
    os.close(slave)
    chunks = []
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(master)
    assert process.wait() == 0
    return b"".join(chunks).decode()


def shown(text):
    """The lines that remain on the screen: each only what was drawn after the last erasure."""
    lines = [line.split("\x1b[2K")[-1] for line in text.replace("\r\n", "\n").split("\n")]
    return [re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", line) for line in lines]


def test_terminal():
    text = on_a_terminal()
    first, called, line, second, *_ = shown(text)
    assert (first, called, second) == ("Epoch 1/2", "callback 0", "Epoch 2/2")
    full = "━" * 20
    assert re.fullmatch(rf"4/4 {full} 0s \d+ms/step - accuracy: 0\.5000 - loss: 1\.0000e-04", line)
    live = [re.sub(r"\x1b\[[0-9;]*m", "", part) for part in text.split("\x1b[2K")]
    assert any(
        re.match(rf"[123]/4 {full} \d+s \d+ms/step - loss: 1\.[345]000", part) for part in live
    )
    assert "\x1b[32m" in text  # the bar is green


def test_terminal_without_colour():
    text = on_a_terminal(NO_COLOR="1")
    assert "\x1b[3" not in text
    assert re.search("━{5}─{15}|━{10}─{10}|━{15}─{5}", text)  # the rest of the bar still shows


@pytest.mark.parametrize("terminal", [True, False])
def test_plain_text_elsewhere(terminal):
    if terminal:
        text = on_a_terminal(TERM="dumb").replace("\r\n", "\n")
    else:
        command = [sys.executable, "-c", SCRIPT]
        result = subprocess.run(command, stdout=subprocess.PIPE, env=environment(), check=True)
        text = result.stdout.decode()
    assert re.fullmatch(
        r"callback 0\n"
        r"Epoch 1/2 - 4/4 - 0s - \d+ms/step - accuracy: 0\.5000 - loss: 1\.0000e-04\n"
        r"callback 1\n"
        r"Epoch 2/2 - 4/4 - 0s - \d+ms/step - accuracy: 0\.5000 - loss: 1\.0000e-04\n",
        text,
    )


def test_logs_are_read_only_when_they_are_shown(capsys):
    progress = Progress(1, steps=3)  # pytest's output is no terminal
    progress.begin()
    for step in range(3):
        progress.step(step + 1, lambda: pytest.fail("read for nothing"))
    progress.end(3, {"loss": 2})
    assert re.fullmatch(r"3/3 - 0s - \d+us/step - loss: 2\.0000\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("verbose", "text"), [(True, r"Epoch 1/2 - 1/1 .*\n"), (3, r"Epoch 1/2\n"), (False, "")]
)
def test_other_numbers(verbose, text, capsys):
    progress = Progress(verbose, steps=1, epochs=2)
    progress.begin()
    progress.step(1, dict)
    progress.end(1, {"loss": 2})
    assert re.fullmatch(text, capsys.readouterr().out)
    assert callbacks.EarlyStopping(verbose=verbose).verbose == verbose


def test_silence(capsys):
    progress = Progress(0, steps=1, epochs=2)
    progress.begin()
    progress.step(1, dict)
    progress.end(1, {"loss": 2})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.97714, "1.9771"), (0.0, "0.0000e+00"), (0.001, "1.0000e-03"), (0.0011, "0.0011"),
     (-0.5, "-0.5000"), (float("nan"), "nan")],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.4, "2s/step"), (0.0684, "68ms/step"), (5e-5, "50us/step"), (0, "0s/step")],
)
def test_step_times(seconds, text):
    assert step_time(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(12.9, "12s"), (60, "60s"), (184, "3:04"), (3723, "1:02:03")]
)
def test_clock(seconds, text):
    assert clock(seconds) == text
