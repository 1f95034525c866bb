"""Which content has which loader: the first bytes decide, whatever the name, then the extension.

To add a format, write its loader in a file of this folder and name it here.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, cast

from index.decode import ByteStream, check_readable
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["Loader", "load_stream"]

Loader = Callable[[str, ByteStream, LoadNotes], Iterator[Document]]

_HEAD_BYTES = 4_096
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PDF = re.compile(rb"\A[\x00-\x20]*%PDF-")
_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*|<\?xml[^>]*>\s*)*<(?:!doctype html|html)\b", re.I | re.S)

# Module and function: a library is imported only once a file of its format is there.
_LOADERS = {
    "archive": ("archive", "load_archive"),
    "docx": ("docx", "load_docx"),
    "epub": ("epub", "load_epub"),
    "html": ("html", "load_html"),
    "json": ("records", "load_json"),
    "jsonl": ("records", "load_json_lines"),
    "mail": ("mail", "load_mail"),
    "markdown": ("text", "load_markdown"),
    "odt": ("odt", "load_odt"),
    "pdf": ("pdf", "load_pdf"),
    "pptx": ("pptx", "load_pptx"),
    "separated": ("separated", "load_separated"),
    "text": ("text", "load_text"),
    "xlsx": ("xlsx", "load_xlsx"),
}
_TEXT_FORMATS = {
    ".csv": "separated",
    ".eml": "mail",
    ".htm": "html",
    ".html": "html",
    ".json": "json",
    ".jsonl": "jsonl",
    ".markdown": "markdown",
    ".md": "markdown",
    ".ndjson": "jsonl",
    ".tsv": "separated",
    ".xhtml": "html",
}
_OFFICE_SUFFIXES = {".docx": "docx", ".pptx": "pptx", ".xlsx": "xlsx"}


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
    if stream.peek(2).startswith(_GZIP) and not isinstance(stream, gzip.GzipFile):
        with gzip.GzipFile(fileobj=stream) as unpacked:
            yield from _loader(source, name, unpacked)(source, unpacked, notes)
    else:
        yield from _loader(source, name, stream)(source, stream, notes)


def _loader(source: str, name: str, stream: ByteStream) -> Loader:
    module, function = _LOADERS[_format_of(source, name, stream)]
    return cast(Loader, getattr(import_module(f"index.formats.{module}"), function))


def _format_of(source: str, name: str, stream: ByteStream) -> str:
    head = stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    suffix = _suffix(name)
    if _PDF.match(head):
        return "pdf"
    if head.startswith(_ZIP):
        office: Any = import_module("index.formats.office")
        return office.zip_format(stream) or "archive"
    if head.startswith(_OLE) and suffix in _OFFICE_SUFFIXES:  # a new office file with a password is of the old format
        return _OFFICE_SUFFIXES[suffix]
    if _HTML.match(head):
        return "html"
    check_readable(source, stream)
    return _TEXT_FORMATS.get(suffix, "text")


def _suffix(name: str) -> str:
    plain = name.lower().removesuffix(".gz")
    dot = plain.rfind(".")
    return plain[dot:] if dot > max(plain.rfind("/"), plain.rfind("\\")) else ""
