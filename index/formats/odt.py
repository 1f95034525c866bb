"""OpenDocument texts: paragraphs, headings, lists and tables in order, notes after their paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from index.decode import ByteStream
from index.errors import LoadError
from index.formats.extracted import extracted, table_row
from index.formats.notes import LoadNotes
from index.formats.office import (
    dublin_core,
    join_bounded,
    library_errors,
    local_name,
    parse_xml,
    read_members,
    spaced,
)
from index.types import Document

__all__ = ["load_odt"]

_MEMBERS = {"content.xml", "meta.xml", "META-INF/manifest.xml"}
_SKIPPED = {"annotation", "tracked-changes", "forms", "note-citation", "sequence-decls", "index-title-template"}
_SPACES = re.compile(r"[ \t\r\n]+")
_MAX_SPACES = 100
"""Most spaces that one element stands for: it may ask for any number."""


def load_odt(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read an OpenDocument text as one document: a paragraph a line, a row of a table a line."""
    members = read_members(source, stream, "ODT", wanted=_MEMBERS.__contains__)
    if b"encryption-data" in members.get("META-INF/manifest.xml", b""):
        raise LoadError(source, "is protected by a password; save it without one")
    with library_errors(source, "ODT"):
        root = parse_xml(members["content.xml"])
        body = next((element for element in root.iter() if local_name(element) == "body"), ())
        text = join_bounded(source, spaced(_blocks(body)), "\n")
        about = dublin_core(members.get("meta.xml", b""), ("creation-date", "date"), ("initial-creator", "creator"))
    yield extracted(source, text, notes, title=about.title, author=about.author, date=about.date)


def _blocks(container: Any) -> Iterator[str]:
    """Yield the paragraphs and the rows of tables in an element, in order, whatever wraps them."""
    for element in container:
        match local_name(element):
            case "p" | "h":
                yield from _paragraph(element)
            case "table":
                yield from _rows(element)
            case name if name not in _SKIPPED:
                yield from _blocks(element)


def _rows(table: Any) -> Iterator[str]:
    """Yield the rows of a table; a row or a cell that stands for several is given once."""
    for element in table:
        match local_name(element):
            case "table-row":
                yield table_row("\n".join(_blocks(cell)) for cell in element if local_name(cell) == "table-cell")
            case "table-header-rows" | "table-rows" | "table-row-group":
                yield from _rows(element)


def _paragraph(paragraph: Any) -> Iterator[str]:
    """Yield the text of a paragraph, then that of its text boxes and notes."""
    pieces: list[str] = []
    after: list[str] = []
    _gather(paragraph, pieces, after)
    yield "".join(pieces)
    yield from after


def _gather(element: Any, pieces: list[str], after: list[str]) -> None:
    """Add the text of an element to ``pieces``, and the lines of what stands beside it to ``after``."""
    pieces.append(_collapsed(element.text))
    for child in element:
        match local_name(child):
            case "s":
                pieces.append(" " * _count(child))
            case "tab":
                pieces.append("\t")
            case "line-break":
                pieces.append("\n")
            case "note" | "text-box":
                after += _blocks(child)
            case name if name not in _SKIPPED:
                _gather(child, pieces, after)
        pieces.append(_collapsed(child.tail))


def _collapsed(text: str | None) -> str:
    """Return text with each run of white space as one space, as ODF 1.3, part 3, section 6.1.2 wants it."""
    return _SPACES.sub(" ", text or "")


def _count(space: Any) -> int:
    given = next((value for key, value in space.attrib.items() if key.endswith("}c")), "1")
    return min(int(given), _MAX_SPACES) if given.isascii() and given.isdigit() else 1
