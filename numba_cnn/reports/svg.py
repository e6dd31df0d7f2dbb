"""Figures as SVG inside a page: in the page's colour of letters, with words for those who cannot see them."""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any

from numba_cnn.plots.figures import INK

_DPI = 110  # of the images in it
_LEAST = 0.7  # of its own width: below that letters are too small to read, and it scrolls


def svg(figure: Any, key: str, words: str) -> str:
    """The figure as an <svg> element.

    key      what its ids begin with, so that no two elements of a page have the same
    words    what it shows
    """
    from matplotlib import rc_context

    content = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": key}):
        figure.savefig(content, format="svg", transparent=True, dpi=_DPI, metadata={"Date": None})
    text = content.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    seen: set[str] = set()
    text = re.sub(r' id="([^"]*)"', lambda found: _id(found[1], key, seen), text)
    text = re.sub(r'href="#', f'href="#{key}-', text)
    text = text.replace("url(#", f"url(#{key}-").replace(INK, "currentColor")
    width = re.search(r'<svg[^>]*? width="([\d.]+)pt"', text)
    assert width is not None
    wide = float(width[1])
    style = f"max-width:{wide:.0f}pt; min-width:{_LEAST * wide:.0f}pt"
    head = f'<svg role="img" aria-labelledby="{key}-words" style="{style}"'
    text = re.sub(r'^<svg((?:[^>](?! (?:width|height)=))*?[^>]) width="[^"]*"', rf"{head}\1", text)
    text = re.sub(r'^(<svg[^>]*?) height="[^"]*"', r"\1", text)
    end = text.index(">") + 1
    return f'{text[:end]}<title id="{key}-words">{escape(words)}</title>{text[end:]}'


def _id(name: str, key: str, seen: set[str]) -> str:
    """The attribute, once for each name: Matplotlib gives images that are the same one name."""
    if name in seen:
        return ""
    seen.add(name)
    return f' id="{key}-{name}"'
