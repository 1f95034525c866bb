"""HTML pages: the main text, title, date and author, found by trafilatura. The only door to it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from index.decode import BOM, ByteStream, decode_labelled, read_bytes
from index.errors import LoadError
from index.formats.extracted import extracted, table_row
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["load_html", "page_document", "page_text"]

_MAX_BYTES = 16 * 2**20
"""Largest page: its tree takes some twenty times as much memory."""

_MAX_TAGS = 1_500_000
"""Most tags of a page: some 10 s, and 600 MiB of memory."""

_MAX_TAGS_SEARCHED = 100_000
"""Most tags of a page whose main text is looked for: trafilatura takes some 5 s for them, 40 s for four times more."""

_ALL_TAKEN = "no main text was found; all that the page shows was taken"
# What a page says of its dates, not the dates that its prose tells of; and no other dates tomorrow than today.
_DATES = {"original_date": True, "extensive_search": False, "max_date": "2100-01-01"}
_CHARSET = re.compile(rb"""<(?:\?xml[^>]{0,200}?\sencoding|meta[^>]{0,500}?\scharset)\s*=\s*["']?\s*([\w.:-]+)""", re.I)
_META_CONTENT = re.compile(rb"""<meta[^>]{0,500}?\scontent\s*=\s*["'][^"'>]{0,200}?charset\s*=\s*([\w.:-]+)""", re.I)
_CHARSET_BYTES = 4_096
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\A\s*<\?xml[^>]*>")

_UNSEEN = frozenset(["iframe", "noscript", "script", "style", "svg", "template", "textarea", "title"])
_BLOCKS = frozenset(
    """
    address article aside blockquote br caption dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6
    head header hr item lb li list main nav ol option p pre quote section table tbody td tfoot th thead tr ul
    """.split()  # noqa: SIM905 - a list of quoted words would take forty lines
)
_ROWS, _CELLS = frozenset(["row", "tr"]), frozenset(["cell", "td", "th"])
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_LOGGERS = ("trafilatura", "htmldate", "courlan", "justext", "dateparser")


class _TooDeepError(Exception):
    """libxml2 left out what lies deeper than 2,048 tags."""


def load_html(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read the main text of a page as one document; all that it shows where no main text is found."""
    data = read_bytes(source, stream, _MAX_BYTES)
    yield page_document(source, _decoded(source, data, notes), notes)


def page_document(source: str, page: str, notes: LoadNotes) -> Document:
    """Return the document of a page.

    Raises:
        LoadError: if it shows no text.
    """
    if page.count("<") > _MAX_TAGS:
        raise LoadError(source, f"has more than {_MAX_TAGS} tags, the most for an HTML page; split it or save its text")
    try:
        with _silence():
            found, text, is_main = _extraction(page)
    except _TooDeepError as error:
        raise LoadError(source, "has tags more than 2,000 deep, which is not read; save it as text") from error
    except Exception as error:  # lxml and trafilatura raise what a broken page makes them raise
        raise LoadError(source, f"cannot be read as an HTML page ({type(error).__name__}); save it as text") from error
    if text and not is_main:
        notes.warnings.append(f"{source}: {_ALL_TAKEN}")
    title, date, author = (getattr(found, name, None) for name in ("title", "date", "author"))
    return extracted(source, text, notes, title=title, date=date, author=author)


def page_text(body: Any) -> str:
    """Return the text of an element that is seen, a block a line, paragraphs apart, tables row by row.

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
        elif name in _ROWS and element is not body:
            end_line()
            lines.append(table_row(page_text(cell) for cell in element if cell.tag in _CELLS))
        elif name is not None and _is_seen(element):
            if name in _BLOCKS:
                end_line()
            current.append(element.text or "")
            waiting.append((element, True))
            waiting += [(child, False) for child in reversed(element)]
            continue
        current.append(element.tail or "" if element is not body else "")
    end_line()
    return "\n\n".join(filter(None, lines))


def _is_seen(element: Any) -> bool:
    is_hidden = element.get("hidden") is not None or _HIDDEN.search(element.get("style") or "")
    return element.tag not in _UNSEEN and not is_hidden


def _decoded(source: str, data: bytes, notes: LoadNotes) -> str:
    """Return a page in the encoding of its mark, else that which it says that it has, else that which it looks like."""
    head = data[:_CHARSET_BYTES]
    said = _CHARSET.search(head) or _META_CONTENT.search(head)
    text, warning = decode_labelled(data, said and said[1].decode("ascii", "replace"))
    if warning is not None:
        notes.warnings.append(f"{source}: {warning}")
    return text.removeprefix(BOM)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the libraries from logging what they could not find, which would come out on stderr."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


def _extraction(page: str) -> tuple[Any, str, bool]:
    """Return what trafilatura found in a page, the text to take, and whether that is the main text."""
    from lxml import html  # noqa: PLC0415 - only those who read pages wait for it
    from trafilatura import bare_extraction  # noqa: PLC0415 - 1 s that only a page has to pay

    # As trafilatura parses, but for trees of more than 256 levels, whose rest libxml2 would leave out without a word.
    parser = html.HTMLParser(
        encoding="utf-8",
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        default_doctype=False,
        huge_tree=True,
    )
    tree = html.document_fromstring(_NOT_XML.sub("", page).encode("utf-8", "replace"), parser=parser)
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise _TooDeepError
    body = tree.find("body")
    shown = page_text(tree if body is None else body)
    # Where trafilatura finds no structure, it runs all words together, those of tables and lists as well.
    pieces = [piece for each in tree.iter("td", "th", "li") if (piece := " ".join("".join(each.itertext()).split()))]
    if page.count("<") > _MAX_TAGS_SEARCHED:
        return None, shown, False
    try:
        found: Any = bare_extraction(tree, include_comments=False, with_metadata=True, date_extraction_params=_DATES)
    except RecursionError:
        return None, shown, False
    main = "" if found is None or found.body is None else page_text(found.body)
    if _words(main) == _words(shown):
        return found, shown, True
    if not main or (len(found.body) == 1 and any(each in main for each in pieces)):
        return found, shown, False
    return found, main, True


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
