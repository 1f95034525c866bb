"""Files to Documents: walk the folders, hash, open; `formats.dispatch` chooses the loader."""

from __future__ import annotations

import hashlib
import io
import logging
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from index.decode import reading, reason_of
from index.errors import InputError, LoadError
from index.formats.dispatch import load_stream
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = [
    "LoadNotes",
    "LoadedFile",
    "SourceFile",
    "find_files",
    "hash_file",
    "is_hidden",
    "load_file",
    "source_name",
    "stream_documents",
]

logger = logging.getLogger(__name__)

_SYSTEM_FILES = frozenset(["Thumbs.db", "desktop.ini"])
_SPECIAL_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read.

    Attributes:
        path: absolute.
        source: its name for people, as they gave it: ``seeds/000.txt``. Printable, with ``/`` on every system.
    """

    path: Path
    source: str


def find_files(paths: Sequence[str | Path]) -> tuple[list[SourceFile], list[LoadError]]:
    """List the files under the given files and folders, those of a folder in sorted order.

    Hidden files and folders are skipped unless named themselves. A file reached twice, by links as well, is listed
    once, under the first name. Links to folders are followed; what cannot be read (a folder without permission, a link
    that loops or leads nowhere, a pipe, a socket, a device) is returned as a problem.

    Raises:
        InputError: if one of ``paths`` does not exist.
    """
    files: dict[Path, SourceFile] = {}
    problems: list[LoadError] = []
    folders: set[Path] = set()
    for given in paths:
        _check_exists(given)
        waiting = [Path(given)]
        while waiting:
            path = waiting.pop()
            try:
                waiting += _visit(path, files, folders)
            except OSError as error:
                problems.append(LoadError(source_name(path), reason_of(error)))
            except LoadError as error:
                problems.append(error)
    return list(files.values()), problems


def _check_exists(given: str | Path) -> None:
    try:
        if not str(given):
            raise InputError("an empty path: expected a file or a folder")
        Path(given).lstat()
    except PermissionError:
        return  # the walk names it as a problem
    except (OSError, ValueError) as error:
        raise InputError(f"{source_name(given)}: no such file or folder; check the path") from error


def _visit(path: Path, files: dict[Path, SourceFile], folders: set[Path]) -> list[Path]:
    """Note a file or a folder under its real path; return what the folder holds, last name first."""
    mode = path.stat().st_mode
    real = path.resolve()
    if stat.S_ISREG(mode):
        files.setdefault(real, SourceFile(path.absolute(), source_name(path)))
        return []
    if not stat.S_ISDIR(mode):
        raise LoadError(source_name(path), f"is {_kind(mode)}, which is not read")
    if path.is_symlink() and path.parent.resolve().is_relative_to(real):
        raise LoadError(source_name(path), f"is a link to {source_name(real)}, the folder that holds it: a loop")
    if real in folders:
        return []
    folders.add(real)
    return sorted((entry for entry in path.iterdir() if not is_hidden(entry.name)), reverse=True)


def is_hidden(name: str) -> bool:
    """Say whether a walk of a folder passes over a file or folder of this name."""
    return name.startswith(".") or name in _SYSTEM_FILES


def _kind(mode: int) -> str:
    return next((kind for is_kind, kind in _SPECIAL_FILES if is_kind(mode)), "a special file")


def source_name(path: str | Path) -> str:
    r"""Return a path as printable text with ``/``; no two paths give the same.

    Bytes that are no UTF-8 are shown as ``\xe9``, other controls as Python writes them, and a backslash of the name,
    which neither Windows nor people use, as two.
    """
    text = Path(path).as_posix()
    return text if text.isprintable() and "\\" not in text else "".join(map(_shown, text))


def _shown(char: str) -> str:
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    if char == "\\":
        return "\\\\"
    if char.isprintable():
        return char
    return repr(char)[1:-1] if ord(char) < 0x80 or ord(char) > 0xFF else f"\\u{ord(char):04x}"


def hash_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        LoadError: if it cannot be read.
    """
    with _opened(Path(path), source_name(path)) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """What one file gave.

    Attributes:
        documents: in the order of the file, no two of the same source.
        problems: what could not be read; the documents are the rest.
        warnings: what was read though not as written, one clause each, the source before it.
    """

    documents: tuple[Document, ...] = ()
    problems: tuple[LoadError, ...] = ()
    warnings: tuple[str, ...] = ()


def load_file(file: SourceFile) -> LoadedFile:
    """Read all documents of a file at once; see `stream_documents`."""
    notes = LoadNotes()
    documents = tuple(stream_documents(file, notes))
    return LoadedFile(documents, tuple(notes.problems), tuple(notes.warnings))


def stream_documents(file: SourceFile, notes: LoadNotes) -> Iterator[Document]:
    """Yield the documents of a file as they are read, no two of the same source.

    Nothing is raised: what cannot be read is added to the problems of ``notes``, what was read with a doubt to its
    warnings; they are complete once the last document was yielded.
    """
    try:
        with _opened(file.path, file.source) as raw:
            yield from load_stream(file.source, file.path.name, raw, notes)
    except LoadError as error:
        notes.problems.append(error)
    except Exception as error:  # a fault of a loader must not cost the user the other files
        logger.debug("%s", file.source, exc_info=True)
        reason = f"could not be read, by a fault of this program ({type(error).__name__}); please report it"
        notes.problems.append(LoadError(file.source, reason))


@contextmanager
def _opened(path: Path, source: str) -> Iterator[io.BufferedReader]:
    """Open a regular file; what goes wrong with it while it is open becomes a LoadError."""
    with reading(source):
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # opening a pipe would wait for its writer
            raise LoadError(source, f"is {_kind(mode)}, not a file")
        with path.open("rb") as stream:
            yield stream
