"""The parts of an HTML page that needs no network: dark and light, narrow and wide, for keys and screen readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

_STYLE = Path(__file__).with_name("page.css")
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class Section(NamedTuple):
    """A heading, the name by which links find it, and what stands below it, as HTML."""

    key: str
    title: str
    content: str


def page(title: str, lead: str, sections: Sequence[Section], foot: str) -> str:
    """The whole page; title and foot are texts, the lead is HTML."""
    links = "".join(
        f'<li><a href="#{section.key}">{escape(section.title)}</a></li>' for section in sections
    )
    parts = "".join(
        f'<section aria-labelledby="{section.key}"><h2 id="{section.key}">{escape(section.title)}</h2>'
        f"{section.content}</section>\n"
        for section in sections
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{_STYLE.read_text()}</style></head>\n<body>"
        '<a class="skip" href="#main">Skip to the results</a>'
        f'<header><h1>{escape(title)}</h1>{lead}<nav aria-label="Contents"><ul>{links}</ul></nav></header>\n'
        f'<main id="main">{parts}</main>\n<footer><p class="soft">{escape(foot)}</p></footer></body></html>\n'
    )


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table whose rows are headed by their first cell; numbers are texts already."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{escape(str(first))}</th>'
        + "".join(f"<td>{escape(str(cell))}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return _wide(
        caption,
        f"<table><caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>",
    )


def picture(svg: str, caption: str) -> str:
    """A figure with what it shows below it."""
    return f"<figure>{_wide(caption, svg)}<figcaption>{escape(caption)}</figcaption></figure>"


def facts(items: Iterable[tuple[str, str]]) -> str:
    """Few short facts, large."""
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in items
    )
    return f'<dl class="figures">{cells}</dl>'


def code(text: str) -> str:
    """Lines of a program."""
    return f'<pre tabindex="0"><code>{escape(text)}</code></pre>'


def text(words: str) -> str:
    """A paragraph."""
    return f"<p>{escape(words)}</p>"


def _wide(label: str, content: str) -> str:
    """What may be wider than the page: it scrolls by itself, by the keyboard too."""
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(label)}">{content}</div>'
    )
