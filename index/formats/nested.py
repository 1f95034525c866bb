"""Files inside files: the members of an archive, the attachments of an e-mail."""

from __future__ import annotations

import io
from collections.abc import Iterator

from index.errors import LoadError
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["MAX_DEPTH", "load_member"]

MAX_DEPTH = 3
"""Deepest nesting of archives and e-mails that is read."""


def load_member(source: str, name: str, content: io.BytesIO, notes: LoadNotes) -> Iterator[Document]:
    """Read a file that lies in another one, by the loader of its format; what goes wrong is a problem of its own.

    Args:
        source: what its documents are called.
        name: its name, whose extension counts.
        content: its bytes.
        notes: those of the file that holds it.
    """
    from index.formats.dispatch import load_stream  # noqa: PLC0415 - which knows archives and e-mails in turn

    if notes.depth >= MAX_DEPTH:
        notes.problems.append(LoadError(source, f"lies more than {MAX_DEPTH} files deep, which is not read; unpack it"))
        return
    notes.depth += 1
    try:
        yield from load_stream(source, name, io.BufferedReader(content), notes)
    except LoadError as error:
        notes.problems.append(error)
    finally:
        notes.depth -= 1
