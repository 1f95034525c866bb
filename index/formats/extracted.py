"""What the loaders of formats that are not plain text share: documents of extracted text, and rows of tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from index.dates import parse_date
from index.errors import LoadError
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["UNREAD_DATE", "extracted", "table_row", "text_id"]

UNREAD_DATE = "the date is not understood; kept as metadata"


def extracted(
    source: str,
    text: str,
    notes: LoadNotes,
    *,
    title: str | None = None,
    date: str | None = None,
    author: str | None = None,
    pages: Sequence[int] = (),
) -> Document:
    """Return the document of a text that was taken out of a file.

    Args:
        source: the file.
        text: its text, in reading order; what UTF-8 cannot write is replaced.
        notes: takes a warning where the date is not understood.
        title: its title, or None.
        date: its date in any way that `dates.parse_date` reads, or None; kept as metadata where not understood.
        author: its author, or None.
        pages: where each page begins, from 0, for a format with pages.

    Raises:
        LoadError: if there is no text.
    """
    if not text.strip():
        raise LoadError(source, "holds no text")
    text = text.encode("utf-8", "replace").decode()
    metadata: dict[str, Any] = {"author": author.strip()} if author and author.strip() else {}
    parsed = parse_date(date)
    if date and parsed is None:
        metadata["date"] = date
        notes.warnings.append(f"{source}: {UNREAD_DATE}")
    named = " ".join(title.split()) if title else None
    return Document(text_id(text), source, text, named or None, parsed, metadata=metadata, pages=tuple(pages))


def table_row(cells: Iterable[str]) -> str:
    """Return a row of a table as one line, its cells apart; "" where all are empty."""
    plain = [" ".join(cell.split()) for cell in cells]
    return " | ".join(plain).strip() if any(plain) else ""


def text_id(text: str) -> str:
    """Return the id of a document that brought none: a hash of its text, so that a copy is the same document."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
