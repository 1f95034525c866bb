"""Bytes to text: what cannot be read is refused by its first bytes, the rest is decoded without touching line ends."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from index.encoding import decode_as, decode_guessed
from index.errors import LoadError

__all__ = [
    "BOM",
    "LIMITS",
    "MAX_DOCUMENT_BYTES",
    "MAX_STREAM_BYTES",
    "ByteStream",
    "check_readable",
    "decode",
    "decode_labelled",
    "printable",
    "read_bytes",
    "read_text",
    "reading",
    "reason_of",
    "wide_encoding",
]

ByteStream = io.BufferedReader | gzip.GzipFile
"""An open file, decompressed."""

BOM = "\ufeff"

MAX_DOCUMENT_BYTES = 256 * 2**20
"""Largest document, decompressed: a long book is 5 MiB; above it stands a data dump or a decompression bomb."""

MAX_STREAM_BYTES = 4 * 2**30
"""Most that is read of one file of JSON lines, decompressed, for the same reason."""

_HEAD_BYTES = 4096
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UNREAD_FORMATS = (
    (b"\x89PNG", "a binary file (PNG image)"),
    (b"\xff\xd8\xff", "a binary file (JPEG image)"),
    (b"GIF8", "a binary file (GIF image)"),
    (b"\x7fELF", "a binary file (ELF program)"),
    (b"SQLite format 3\x00", "a binary file (SQLite database)"),
    (b"BZh91AY&SY", "a binary file (bzip2)"),
    (b"\xfd7zXZ\x00", "a binary file (xz)"),
    (b"7z\xbc\xaf\x27\x1c", "a binary file (7-Zip archive)"),
    (b"Rar!\x1a\x07", "a binary file (RAR archive)"),
    (b"\x28\xb5\x2f\xfd", "a binary file (Zstandard)"),
    (b"\x1f\x8b", "gzip inside gzip"),
    (b"{\\rtf", "an RTF document"),
    (b"%!PS", "a PostScript document"),
)
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_WIDE_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CP1252_ESCAPED = {0xDC00 + byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)}
LIMITS = (
    f"a document may have {MAX_DOCUMENT_BYTES >> 20} MiB, a file of JSON lines {MAX_STREAM_BYTES >> 30} GiB, "
    "decompressed; split it"
)
"""What is said of a file that is too large."""


@contextmanager
def reading(source: str) -> Iterator[None]:
    """Turn what the system and gzip raise while a file is read into a LoadError that names it."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LoadError(source, f"is damaged or cut off gzip ({error}); compress it again") from error
    except OSError as error:
        raise LoadError(source, reason_of(error)) from error


def reason_of(error: OSError) -> str:
    """Say in one clause why the system refused, and what to do about it."""
    if isinstance(error, PermissionError):
        return "permission denied; make it readable (chmod u+rX) or leave it out"
    return f"cannot be read ({error.strerror or error})"


def printable(text: str) -> str:
    """Return text with its control characters and lone surrogates escaped."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def check_readable(source: str, stream: ByteStream) -> None:
    """Look at the first bytes of a stream, without reading it on.

    Raises:
        LoadError: if they are those of a format that is not read.
    """
    with reading(source):
        head = stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    if head.startswith(_OLD_OFFICE):
        raise LoadError(source, "is an old office document (DOC, XLS, PPT); save it as DOCX, XLSX or PPTX")
    found = next((name for magic, name in _UNREAD_FORMATS if head.startswith(magic)), None)
    if found is None and wide_encoding(head) is None and _is_binary(head):
        found = "a binary file"
    if found is not None:
        raise LoadError(source, f"is {found}, which this version does not read; convert it to text (UTF-8)")


def _is_binary(head: bytes) -> bool:
    """Say whether bytes hold a null, or more control characters than any text (one in twenty)."""
    return b"\x00" in head or len(_CONTROLS.findall(head)) * 20 > len(head)


def read_bytes(source: str, stream: ByteStream, max_bytes: int | None = None) -> bytes:
    """Read a stream to its end; a file on the disk that is too large is refused before it is read.

    Args:
        source: the file.
        stream: its bytes, from the start.
        max_bytes: most bytes that it may have; `MAX_DOCUMENT_BYTES` where None.

    Raises:
        LoadError: if it is too large or cannot be read.
    """
    limit = MAX_DOCUMENT_BYTES if max_bytes is None else max_bytes
    with reading(source):
        data = stream.read(limit + 1) if _size(stream) <= limit else None
    if data is None or len(data) > limit:
        raise LoadError(source, f"too large; {LIMITS}")
    return data


def _size(stream: ByteStream) -> int:
    """Return the bytes of a file on the disk; 0 of what is compressed or in memory."""
    try:
        return 0 if isinstance(stream, gzip.GzipFile) else os.fstat(stream.fileno()).st_size
    except io.UnsupportedOperation:
        return 0


def read_text(source: str, stream: ByteStream) -> tuple[str, tuple[str, ...]]:
    """Read a stream to its end as one text, with the warnings of decoding it.

    Raises:
        LoadError: if it is too large, binary, empty, or not in the encoding that its mark announces.
    """
    data = read_bytes(source, stream)
    encoding = wide_encoding(data)
    if encoding is not None:
        text, warning = _decode_wide(source, data, encoding), None
    elif b"\x00" in data:
        raise LoadError(source, "is a binary file (it holds null bytes), which this version does not read")
    else:
        text, warning = decode(data, is_whole=True)
    if not text.strip(BOM).strip():
        raise LoadError(source, "is empty")
    return text, () if warning is None else (f"{source}: {warning}",)


def wide_encoding(data: bytes) -> str | None:
    """Return the encoding that a byte order mark announces, UTF-16 or UTF-32, or None."""
    return next((encoding for mark, encoding in _WIDE_ENCODINGS if data.startswith(mark)), None)


def _decode_wide(source: str, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"begins as {encoding.upper()} and is not ({error.reason} at byte {error.start}); save it as UTF-8"
        raise LoadError(source, reason) from error


def decode_labelled(data: bytes, label: str | None) -> tuple[str, str | None]:
    """Decode bytes that come with the name of an encoding, as pages and e-mails do; never fails.

    Their mark goes before it, and so does UTF-8 where they are that: other texts hardly ever are by chance, and what is
    saved again often keeps its old name.

    Returns:
        As `decode`.
    """
    text = decode_as(data, wide_encoding(data) or "utf-8") if not data.isascii() else None
    if text is None and label:
        text = decode_as(data, label)
    return (text, None) if text is not None else decode(data, is_whole=True)


def decode(data: bytes, *, is_whole: bool = False) -> tuple[str, str | None]:
    """Decode bytes as UTF-8, else in the encoding that they look like, without touching line ends; never fails.

    Where most of what is not ASCII is valid UTF-8, only the bytes that are not are read as cp1252: a file with one
    broken byte must not become mojibake.

    Args:
        data: the bytes.
        is_whole: whether they are a whole text, not one line of many; see `decode_guessed`.

    Returns:
        The text, and a warning where it was not UTF-8 throughout.
    """
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        escaped = data.decode("utf-8", "surrogateescape")
    n_bad = sum("\udc80" <= char <= "\udcff" for char in escaped)
    n_good = sum(char > "\x7f" for char in escaped) - n_bad
    if n_good > n_bad:
        warning = "is UTF-8 with broken bytes, which were read as cp1252; save the file as UTF-8"
        return escaped.translate(_CP1252_ESCAPED), warning
    text, encoding = decode_guessed(data, is_whole=is_whole)
    return text, f"is not UTF-8, read as {encoding}; if accents look wrong, save the file as UTF-8"
