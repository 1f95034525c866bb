"""Zip archives: each member through the loader of its own format; nothing is ever written to the disk."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator

from index.decode import LIMITS, MAX_DOCUMENT_BYTES, MAX_STREAM_BYTES, ByteStream, printable, reading
from index.errors import LoadError
from index.formats.nested import MAX_DEPTH, load_member
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["load_archive"]

_MAX_MEMBERS = 20_000
_PIECE_BYTES = 2**20
_ENCRYPTED = 0x1
_SYSTEM_FILES = frozenset(["__MACOSX", "Thumbs.db", "desktop.ini"])


def load_archive(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read the members of an archive in the order of their names, each under the source ``archive.zip#folder/name``.

    A member that cannot be read is a problem, and the others are read. Names are only names: ``../`` leads nowhere.
    """
    if notes.depth >= MAX_DEPTH:
        raise LoadError(source, f"is an archive nested more than {MAX_DEPTH} deep; unpack it")
    with reading(source):
        data = stream.read(MAX_DOCUMENT_BYTES + 1)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise LoadError(source, f"too large for an archive ({MAX_DOCUMENT_BYTES >> 20} MiB at most); unpack it")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [each for each in archive.infolist() if _is_wanted(each)]
            if len(members) > _MAX_MEMBERS:
                raise LoadError(source, f"holds {len(members)} files, {_MAX_MEMBERS} at most; unpack it")
            if not members:
                raise LoadError(source, "is an archive without files")
            taken: set[str] = set()
            for number, member in enumerate(sorted(members, key=lambda each: each.filename), start=1):
                fragment = printable(member.filename)
                while fragment in taken:
                    fragment += f"@{number}"
                taken.add(fragment)
                yield from _read(archive, member, f"{source}#{fragment}", notes)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise LoadError(source, f"is a damaged archive ({error}); make it again") from error


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    parts = [part for part in member.filename.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    hidden = any(part.startswith(".") or part in _SYSTEM_FILES for part in parts)
    return not (member.is_dir() or hidden)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: str, notes: LoadNotes) -> Iterator[Document]:
    try:
        content = _unpacked(archive, member, source, notes)
    except LoadError as error:
        notes.problems.append(error)
        return
    yield from load_member(source, member.filename, content, notes)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: str, notes: LoadNotes) -> io.BytesIO:
    """Return the content of a member; the bytes that come are counted, those that are declared are not trusted."""
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise LoadError(source, "is a link or a device in an archive, which is not read")
    if member.flag_bits & _ENCRYPTED:
        raise LoadError(source, "is protected by a password; unpack it")
    content = io.BytesIO()
    try:
        with archive.open(member) as file:
            while piece := file.read(_PIECE_BYTES):
                content.write(piece)
                notes.n_unpacked += len(piece)
                if content.tell() > MAX_DOCUMENT_BYTES:
                    raise LoadError(source, f"too large; {LIMITS}")
                if notes.n_unpacked > MAX_STREAM_BYTES:
                    raise LoadError(source, f"too large together with what was unpacked before it; {LIMITS}")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise LoadError(source, f"is damaged in its archive ({error})") from error
    content.seek(0)
    return content
