"""What a table was measured on."""

import datetime
import platform
from pathlib import Path


def today():
    """The processor and the date."""
    return f"{_processor()}, {datetime.date.today()}"


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
