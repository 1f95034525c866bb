"""HTML pages: the main text, title, date and author, found by trafilatura. The only door to it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from index.decode import LIMITS, ByteStream, reading
from index.errors import LoadError
from index.formats.extracted import extracted, table_row
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["load_html", "page_text"]

MAX_HTML_BYTES = 16 * 2**20
"""Largest page: its tree takes some twenty times as much memory."""

_NO_MAIN_TEXT = "no main text was found; all that the page shows was taken"
_UNSEEN = frozenset(["script", "style", "head", "noscript", "template", "title"])
_BLOCKS = frozenset(
    """
    address article aside blockquote br dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head
    header hr item lb li list main nav ol p pre quote section table tbody td tfoot th thead tr ul
    """.split()  # noqa: SIM905 - a list of quoted words would take forty lines
)
_ROWS, _CELLS = frozenset(["row", "tr"]), frozenset(["cell", "td", "th"])


def load_html(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read the main text of a page as one document; all that it shows where no main text is found."""
    with reading(source):
        data = stream.read(MAX_HTML_BYTES + 1)
    if len(data) > MAX_HTML_BYTES:
        raise LoadError(source, f"too large for an HTML page ({MAX_HTML_BYTES >> 20} MiB at most); {LIMITS}")
    yield page_document(source, data, notes)


def page_document(source: str, data: bytes, notes: LoadNotes) -> Document:
    """Return the document of a page.

    Raises:
        LoadError: if it shows no text.
    """
    from trafilatura import bare_extraction  # noqa: PLC0415 - 1 s that only a page has to pay

    for name in ("trafilatura", "htmldate", "courlan", "justext"):  # they log what they could not find
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        found: Any = bare_extraction(data, include_comments=False, with_metadata=True)
        body = None if found is None else found.body
        text = "" if body is None else page_text(body)
        if not text:
            text = _all_text(data)
            if text:
                notes.warnings.append(f"{source}: {_NO_MAIN_TEXT}")
    except Exception as error:  # lxml and trafilatura raise what a broken page makes them raise
        raise LoadError(source, f"cannot be read as an HTML page ({type(error).__name__})") from error
    title, date, author = (getattr(found, name, None) for name in ("title", "date", "author"))
    return extracted(source, text, notes, title=title, date=date, author=author)


def page_text(body: Any) -> str:
    """Return the text of an element, a block a line, paragraphs apart, tables row by row.

    Args:
        body: an element of lxml, of HTML or of the simpler tags that trafilatura gives.
    """
    lines: list[str] = []
    current: list[str] = []

    def end_line() -> None:
        line = " ".join("".join(current).split())
        current.clear()
        if line:
            lines.append(line)

    # By hand, not by recursion: a page may be nested deeper than Python's stack.
    waiting: list[tuple[Any, bool]] = [(body, False)]
    while waiting:
        element, is_left = waiting.pop()
        name = element.tag if isinstance(element.tag, str) else None
        if is_left:
            if name in _BLOCKS:
                end_line()
        elif name in _ROWS:
            end_line()
            cells = [" ".join("".join(cell.itertext()).split()) for cell in element if cell.tag in _CELLS]
            lines.append(table_row(cells))
        elif name is not None and name not in _UNSEEN - {"head"}:
            if name in _BLOCKS:
                end_line()
            current.append(element.text or "")
            waiting.append((element, True))
            waiting += [(child, False) for child in reversed(element)]
            continue
        current.append(element.tail or "" if element is not body else "")
    end_line()
    return "\n\n".join(filter(None, lines))


def _all_text(data: bytes) -> str:
    from lxml import html  # noqa: PLC0415
    from trafilatura import load_html as parse  # noqa: PLC0415 - finds out the encoding as the extraction does

    page = parse(data)
    if page is None:
        return ""
    body = page.find("body") if isinstance(page, html.HtmlElement) else None
    return page_text(page if body is None else body)
