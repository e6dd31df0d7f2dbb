"""What was measured, as Markdown."""

from statistics import median


def markdown(rows):
    """One row per library, in brackets its ratio to the first, and last the first against the best."""
    titles = list(rows[0].measures)
    lines = [f"| | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|"]
    ratios = [_ratios(rows, title) for title in titles]
    for row in rows:
        cells = [
            _cell(row.measures[title], _text(title), ratio.get(row.name))
            for title, ratio in zip(titles, ratios, strict=True)
        ]
        lines.append(f"| {row.name} {row.version} | {' | '.join(cells)} |")
    best = [min(ratio, key=ratio.get, default="") for ratio in ratios]
    cells = [
        f"{r[name]:.2f}x ({name})" if name else "" for r, name in zip(ratios, best, strict=True)
    ]
    lines.append(f"| {rows[0].name} against the best of the others | {' | '.join(cells)} |")
    return "\n".join(lines)


def _ratios(rows, title):
    """By library, the median over the rounds of its value to that of the first; none for a share."""
    if _text(title) is _percent:
        return {}
    ours = rows[0].measures[title].values
    theirs = {row.name: row.measures[title] for row in rows[1:] if row.measures[title]}
    return {
        name: median(value / our for value, our in zip(best.values, ours, strict=True))
        for name, best in theirs.items()
    }


def _cell(best, text, ratio):
    if best is None:
        return ""
    mark = "†" if best.malloc == "tuned" else ""
    return text(median(best.values)) + mark + (f" ({ratio:.2f}x)" if ratio else "")


def _milliseconds(seconds):
    return f"{seconds * 1e3:.2f} ms"


def _seconds(seconds):
    return f"{seconds:.2f} s"


def _megabytes(size):
    return f"{size / 1e6:.0f} MB"


def _percent(share):
    return f"{share:.0%}"


def _text(title):
    """How the values under a title are written: times of steps, but for these."""
    return TEXTS.get(title, _milliseconds)


TEXTS = {
    "of FMA peak": _percent,
    "peak memory": _megabytes,
    "import": _seconds,
    "first step": _seconds,
    "installed": _megabytes,
}
