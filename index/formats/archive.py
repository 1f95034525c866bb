"""Zip archives: each member through the loader of its own format; nothing is ever written to the disk."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator, Sequence
from itertools import pairwise

from index.decode import LIMITS, MAX_DOCUMENT_BYTES, MAX_STREAM_BYTES, ByteStream, read_bytes, reading
from index.errors import LoadError
from index.formats.nested import MAX_DEPTH, distinct_names, is_full, load_member, unpack
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["load_archive"]

_MAX_MEMBERS = 20_000
_MAX_ENTRIES = 4 * _MAX_MEMBERS
"""Most entries of a directory, folders and hidden files as well, each of which takes up half a kilobyte of memory."""

_MAX_DIRECTORY_BYTES = 32 * 2**20
_ENTRY = b"PK\x01\x02"
_ENCRYPTED, _UTF_8 = 0x1, 0x800
_SYSTEM_FILES = frozenset(["__MACOSX", "Thumbs.db", "desktop.ini"])
_MIMETYPE = "mimetype"
_MAX_REASON = 160


class _Pieces:
    """A file that gives no more at once than a directory may have: zipfile takes the size that it declares."""

    def __init__(self, stream: io.BufferedReader | io.BytesIO) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = _MAX_DIRECTORY_BYTES + 1
        data = self._stream.read(wanted if size is None or size < 0 else min(size, wanted))
        if len(data) == wanted:
            raise zipfile.BadZipFile(f"its directory is larger than {_MAX_DIRECTORY_BYTES >> 20} MiB")
        return data


def load_archive(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read the members of an archive in the order of their names, each under the source ``archive.zip#folder/name``.

    A member that cannot be read is a problem, and the others are read. Names are only names: ``../`` leads nowhere.
    Hidden files and those of the system are skipped.
    """
    if notes.depth >= MAX_DEPTH:
        raise LoadError(source, f"is an archive nested more than {MAX_DEPTH} deep, which is not read; unpack it")
    file = stream if isinstance(stream, io.BufferedReader) else io.BytesIO(read_bytes(source, stream))
    _check_size(source, file)
    archive = _opened(source, file)
    with archive:
        ordered = sorted(_wanted(archive), key=_name)
        notes.n_members += len(ordered)
        if notes.n_members > _MAX_MEMBERS:
            raise LoadError(source, f"holds more than {_MAX_MEMBERS} files, also in archives within; unpack it")
        if not ordered:
            raise LoadError(source, "is an archive without files")
        for member, shown in zip(ordered, distinct_names([_name(each) for each in ordered]), strict=True):
            if is_full(notes):
                return
            yield from _read(archive, member, f"{source}#{shown}", notes)


def _check_size(source: str, file: io.BufferedReader | io.BytesIO) -> None:
    """Refuse what would take up too much memory before zipfile makes an object of each entry."""
    with reading(source):
        if file.seek(0, io.SEEK_END) > MAX_STREAM_BYTES:
            raise LoadError(source, f"too large for an archive ({MAX_STREAM_BYTES >> 30} GiB at most); unpack it")
        file.seek(0)
        n_entries, end = 0, b""
        while piece := file.read(2**20):
            n_entries += (end + piece).count(_ENTRY)
            end = piece[-len(_ENTRY) + 1 :]
            if n_entries > _MAX_ENTRIES:
                raise LoadError(source, f"holds more than {_MAX_ENTRIES} entries; unpack it")


def _opened(source: str, file: io.BufferedReader | io.BytesIO) -> zipfile.ZipFile:
    """Open an archive, and look at what its directory says of it as a whole."""
    try:
        archive = zipfile.ZipFile(_Pieces(file))  # type: ignore[arg-type, unused-ignore]
        kind = _document_kind(archive)
    except Exception as error:  # zipfile raises anything on a damaged directory: struct.error, ValueError, ...
        raise LoadError(source, f"is a damaged archive ({_in_short(error)}); make it again") from error
    if kind is not None:
        reason = f"is a document of the kind {kind}, which this version does not read"
        raise LoadError(source, f"{reason}; save it as DOCX, XLSX, PPTX, ODT or EPUB")
    if _overlap(archive.infolist()):
        raise LoadError(source, "is an archive whose members overlap, as those that are made to do harm; make it again")
    return archive


def _document_kind(archive: zipfile.ZipFile) -> str | None:
    """Return what a document format that is a zip archive says of itself, such as OpenDocument, or None."""
    if archive.filelist and archive.filelist[0].filename == _MIMETYPE and archive.filelist[0].file_size < 100:
        with archive.open(_MIMETYPE) as file:
            kind = file.read(100).decode("ascii", "replace").strip()
        return kind if kind.startswith("application/") and kind.isprintable() else None
    return None


def _overlap(members: Sequence[zipfile.ZipInfo]) -> bool:
    """Say whether the bytes of one member are those of another as well, so that few bytes unpack to many."""
    ordered = sorted(members, key=lambda each: each.header_offset)
    return any(
        former.header_offset + max(former.compress_size, 1) > latter.header_offset
        for former, latter in pairwise(ordered)
    )


def _wanted(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [member for member in archive.infolist() if not (member.is_dir() or _is_hidden(_name(member)))]


def _is_hidden(name: str) -> bool:
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return any(part.startswith(".") or part in _SYSTEM_FILES for part in parts)


def _name(member: zipfile.ZipInfo) -> str:
    """Return a member's name; where it is not said to be UTF-8 and is, as macOS writes it, zipfile read it as cp437."""
    if member.flag_bits & _UTF_8:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: str, notes: LoadNotes) -> Iterator[Document]:
    try:
        content = _unpacked(archive, member, source, notes)
    except LoadError as error:
        notes.problems.append(error)
    else:
        yield from load_member(source, _name(member), content, notes)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: str, notes: LoadNotes) -> bytes:
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise LoadError(source, "is a link or a device in an archive, which is not read")
    if member.flag_bits & _ENCRYPTED:
        raise LoadError(source, "is protected by a password; unpack it")
    if member.file_size > MAX_DOCUMENT_BYTES:
        raise LoadError(source, f"too large; {LIMITS}")
    # zipfile gives bzip2 and LZMA no limit: a piece of the archive may unpack to any size (CPython 3.11).
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise LoadError(source, "is compressed in another way than deflate, which is not read; unpack it")
    try:
        with archive.open(member) as file:
            return unpack(source, file, notes)
    except LoadError:
        raise
    except Exception as error:  # zipfile raises anything on damaged members: zlib.error, EOFError, NotImplementedError
        raise LoadError(source, f"is damaged in its archive ({_in_short(error)}); make it again") from error


def _in_short(error: Exception) -> str:
    """Return the message of an error, cut: zipfile repeats names that may be 64 KiB long."""
    message = str(error)
    return message if len(message) <= _MAX_REASON else f"{message[: _MAX_REASON - 1]}…"
