"""Plain text and Markdown: the document's text is the file as decoded, marks left in place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.dates import parse_date, read_header
from index.decode import BOM, ByteStream, read_text
from index.formats.extracted import UNREAD_DATE, text_id
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["load_markdown", "load_text"]

_FRONT_MATTER = re.compile(
    r"\ufeff?---[ \t]*\r?\n(?P<fields>(?:(?:[\w-]+[ \t]*:.*|[ \t#-].*|\r?)\n)*?)(?:---|\.\.\.)[ \t]*(?:\r?\n\s*|\Z)"
)
_FIELD = re.compile(r"(?P<name>title|date|author)[ \t]*:[ \t]*(?P<value>[^\r\n]*)", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_HEADING = re.compile(r" {0,3}#[ \t]+(?P<title>.*?)(?:[ \t]+#+)?[ \t]*")


def load_text(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a plain text as one document, with the date of its header."""
    text, warnings = read_text(source, stream)
    notes.warnings += warnings
    date, body_start = _header(text)
    yield Document(text_id(text), source, text, date=date, body_start=body_start)


def load_markdown(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a Markdown text as one document.

    Title, date and author come from simple ``title:``, ``date:`` and ``author:`` lines of its front matter; else the
    title from its first heading of the first level, and the date from a header as in a plain text.
    """
    text, warnings = read_text(source, stream)
    notes.warnings += warnings
    front_matter = _FRONT_MATTER.match(text)
    if front_matter is None:
        date, body_start = _header(text)
        fields: dict[str, str] = {}
    else:
        lines = front_matter["fields"].splitlines()
        found = (match for line in lines if (match := _FIELD.fullmatch(line.rstrip())))
        fields = {match["name"].lower(): match["value"].strip().strip("\"'") for match in found}
        date, body_start = parse_date(fields.get("date")), front_matter.end()
    metadata = {"author": fields["author"]} if fields.get("author") else {}
    if fields.get("date") and date is None:
        metadata["date"] = fields["date"]
        notes.warnings.append(f"{source}: {UNREAD_DATE}")
    title = fields.get("title") or _first_heading(text[body_start:])
    yield Document(text_id(text), source, text, title, date, body_start, metadata)


def _header(text: str) -> tuple[str | None, int]:
    """Return the date of a text's header, and where its prose begins."""
    date, body_start = read_header(text)
    return date, body_start or len(text) - len(text.removeprefix(BOM))


def _first_heading(text: str) -> str | None:
    """Return the words of the first heading of the first level, outside code blocks."""
    in_code = False
    for line in text.splitlines():
        if _FENCE.match(line):
            in_code = not in_code
        elif not in_code and (heading := _HEADING.fullmatch(line.removeprefix(BOM))):
            return heading["title"] or None
    return None
