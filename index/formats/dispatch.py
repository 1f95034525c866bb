"""Which content has which loader: the first bytes decide, whatever the name, then the extension.

To add a format, write its loader in a file of this folder and name it in `_FORMATS`.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, cast

from index.decode import ByteStream, check_readable, reading, wide_encoding
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["GZIP", "Loader", "load_stream", "load_unpacked"]

Loader = Callable[[str, ByteStream, LoadNotes], Iterator[Document]]

# Module, function, and the extensions that tell a format where its content does not. A module is imported, and the
# library that it stands on, only once a file of its format is there.
_FORMATS = {
    "archive": ("archive", "load_archive", ()),
    "docx": ("docx", "load_docx", ()),
    "epub": ("epub", "load_epub", ()),
    "html": ("html", "load_html", (".html", ".htm", ".xhtml")),
    "json": ("records", "load_json", (".json",)),
    "jsonl": ("records", "load_json_lines", (".jsonl", ".ndjson")),
    "mail": ("mail", "load_mail", (".eml",)),
    "markdown": ("text", "load_markdown", (".md", ".markdown")),
    "odt": ("odt", "load_odt", ()),
    "pdf": ("pdf", "load_pdf", ()),
    "pptx": ("pptx", "load_pptx", ()),
    "separated": ("separated", "load_separated", (".csv", ".tsv")),
    "text": ("text", "load_text", ()),
    "xlsx": ("xlsx", "load_xlsx", ()),
}
_BY_SUFFIX = {suffix: name for name, (_, _, suffixes) in _FORMATS.items() for suffix in suffixes}

GZIP = b"\x1f\x8b"
"""What a gzip file begins with."""

_HEAD_BYTES = 4_096
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE_SUFFIXES = {".docx": "docx", ".pptx": "pptx", ".xlsx": "xlsx"}
_PDF = re.compile(rb"\A[\x00-\x20]*%PDF-")
# Atomic, since a head full of comments could be cut into them in any number of ways.
_HTML = re.compile(r"\s*(?>(?:<!--(?>.*?-->)|<\?xml[^>]*>)\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_MAIL_FIELD = re.compile(rb"([A-Za-z][\w-]*):")
_BY_MAIL_PROGRAMS = frozenset([b"received", b"message-id", b"mime-version", b"return-path", b"delivered-to"])
"""Fields that programs write in an e-mail, and people do not at the head of a note that begins with ``From:``."""


def load_stream(source: str, name: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Yield the documents of an open file, decompressed where it is gzip.

    Args:
        source: what its documents are called.
        name: name of the file, whose extension counts.
        stream: the file.
        notes: takes what goes wrong.

    Raises:
        LoadError: if it cannot be read at all.
    """
    if not stream.peek(2).startswith(GZIP):
        yield from load_unpacked(source, name, stream, notes)
    else:
        with reading(source), gzip.GzipFile(fileobj=stream) as unpacked:
            yield from load_unpacked(source, name, unpacked, notes)


def load_unpacked(source: str, name: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Yield the documents of an open file as `load_stream` does; gzip in it is not read."""
    module, function, _ = _FORMATS[_format_of(source, name, stream)]
    loader = cast(Loader, getattr(import_module(f"index.formats.{module}"), function))
    yield from loader(source, stream, notes)


def _format_of(source: str, name: str, stream: ByteStream) -> str:
    head = stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    suffix = _suffix(name)
    if _PDF.match(head) or (suffix == ".pdf" and b"%PDF-" in head):
        return "pdf"
    if head.startswith(_ZIP):
        office: Any = import_module("index.formats.office")
        return office.zip_format(stream) or "archive"
    if head.startswith(_OLE) and suffix in _OFFICE_SUFFIXES:  # a new office file with a password is of the old format
        return _OFFICE_SUFFIXES[suffix]
    if _HTML.match(head.decode(wide_encoding(head) or "utf-8-sig", "replace")):
        return "html"
    if _is_mail(head):
        return "mail"
    check_readable(source, stream)
    return _BY_SUFFIX.get(suffix, "text")


def _is_mail(head: bytes) -> bool:
    """Say whether bytes begin with the fields of an e-mail, From among them and one that only programs write."""
    fields: set[bytes] = set()
    for line in head.split(b"\n"):
        field = _MAIL_FIELD.match(line)
        if field is not None:
            fields.add(field[1].lower())
        elif not fields or not line.startswith((b" ", b"\t")):  # no field, and not the rest of the one before
            break
    return b"from" in fields and not fields.isdisjoint(_BY_MAIL_PROGRAMS)


def _suffix(name: str) -> str:
    plain = name.lower().removesuffix(".gz")
    dot = plain.rfind(".")
    return plain[dot:] if dot > max(plain.rfind("/"), plain.rfind("\\")) else ""
