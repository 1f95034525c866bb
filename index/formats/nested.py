"""Files inside files: the members of an archive, the attachments of an e-mail."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from gzip import GzipFile
from typing import IO

from index.decode import LIMITS, MAX_DOCUMENT_BYTES, MAX_STREAM_BYTES, printable, reading
from index.errors import LoadError
from index.formats.dispatch import GZIP, load_unpacked
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["MAX_DEPTH", "distinct_names", "is_full", "load_member", "unpack"]

MAX_DEPTH = 3
"""Deepest nesting of archives and e-mails that is read."""

_PIECE_BYTES = 2**20


def load_member(source: str, name: str, content: bytes, notes: LoadNotes) -> Iterator[Document]:
    """Read a file that lies in another one, by the loader of its format; what goes wrong is a problem of its own.

    Args:
        source: what its documents are called.
        name: its name, whose extension counts.
        content: its bytes.
        notes: those of the file that holds it.
    """
    if notes.depth >= MAX_DEPTH:
        notes.problems.append(LoadError(source, f"lies more than {MAX_DEPTH} files deep, which is not read; unpack it"))
        return
    notes.depth += 1
    try:
        with reading(source):
            if content.startswith(GZIP):
                with GzipFile(fileobj=io.BytesIO(content)) as stream:
                    content = unpack(source, stream, notes)
            yield from load_unpacked(source, name, io.BufferedReader(io.BytesIO(content)), notes)
    except LoadError as error:
        notes.problems.append(error)
    finally:
        notes.depth -= 1


def unpack(source: str, stream: IO[bytes] | GzipFile, notes: LoadNotes) -> bytes:
    """Return all that a compressed stream gives; the bytes that come are counted, no declared size is trusted.

    Raises:
        LoadError: if it is too large, alone or together with what the same file gave before.
    """
    content = io.BytesIO()
    while piece := stream.read(_PIECE_BYTES):
        content.write(piece)
        notes.n_unpacked += len(piece)
        if content.tell() > MAX_DOCUMENT_BYTES:
            raise LoadError(source, f"too large; {LIMITS}")
        if is_full(notes):
            reason = f"makes more than {MAX_STREAM_BYTES >> 30} GiB with what was unpacked before it"
            raise LoadError(source, f"{reason}; it and what follows was not read: unpack it")
    return content.getvalue()


def is_full(notes: LoadNotes) -> bool:
    """Say whether a file has given all that may be unpacked of it."""
    return notes.n_unpacked > MAX_STREAM_BYTES


def distinct_names(names: Collection[str]) -> list[str]:
    """Return the names of members as sources show them, printable, no two alike, in the same order.

    A ``#`` stands between a member and what lies in it, so it is written ``%23`` in a name that would be taken for one:
    ``a.zip#b`` beside an archive ``a.zip``.
    """
    shown = [printable(name) for name in names]
    all_shown = set(shown)
    taken: set[str] = set()
    result = []
    for number, name in enumerate(shown, start=1):
        places = (at for at, char in enumerate(name) if char == "#")
        distinct = name.replace("#", "%23") if any(name[:at] in all_shown for at in places) else name
        while distinct in taken:
            distinct += f"@{number}"
        taken.add(distinct)
        result.append(distinct)
    return result
