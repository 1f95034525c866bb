"""The paths that are watched, and what is on disk below them."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.errors import InputError
from index.load import find_files, is_hidden
from index.roots import absolute_path, is_inside

__all__ = ["Root", "Roots", "Signature", "folder_of", "mode_of", "signature_of"]

logger = logging.getLogger(__name__)

Signature = tuple[int, int, int]
"""Inode, size and time of modification of a file."""


@dataclass(slots=True)
class Root:
    """A path that is watched.

    Attributes:
        path: absolute.
        given: as given.
        folder: device and inode of the folder that is followed, None for a file and for what is not there.
        is_away: whether the index had it and it was not there, or empty, at the start.
    """

    path: str
    given: str
    folder: tuple[int, int] | None = None
    is_away: bool = False

    def say_away(self) -> None:
        """Log that it is not there."""
        logger.warning(
            "%s is not there; the documents of a folder are kept until it is back or `python -m index remove`",
            self.given,
        )


class Roots:
    """The paths that are watched, in the order given.

    Args:
        paths: files and folders.
        index: folder of the index, which is never among what is below them.
    """

    def __init__(self, paths: Sequence[str | Path], *, index: Path) -> None:
        self._roots = [Root(absolute_path(path), Path(path).as_posix()) for path in paths]
        self._index = {absolute_path(index), os.path.realpath(index)}

    def __iter__(self) -> Iterator[Root]:
        return iter(self._roots)

    def of(self, path: str) -> Root | None:
        """Return the innermost root that a path lies in."""
        return max((r for r in self._roots if is_inside(path, r.path)), key=lambda r: len(r.path), default=None)

    def is_followed(self, path: str) -> bool:
        """Say whether a path lies below a folder that is there, is not hidden and is none of the index itself."""
        root = self.of(path)
        if root is None or root.folder is None or any(is_inside(path, index) for index in self._index):
            return False
        names = path[len(root.path) :].split("/")
        return not any(map(is_hidden, names))

    def listed(self, paths: Iterable[str]) -> dict[str, Signature]:
        """Return the files that are there below paths, those of the index left out."""
        try:
            files, _ = find_files([path for path in paths if os.path.lexists(path)])
        except InputError:  # one has gone in this moment; the next tick sees it
            return {}
        found = {path: signature_of(path) for path in (str(file.path) for file in files)}
        inside = {path for path in found if any(is_inside(path, index) for index in self._index)}
        return {path: signature for path, signature in found.items() if signature and path not in inside}

    def given(self, path: str) -> str:
        """Return the name of a file as its root was given."""
        root = self.of(path)
        return str(Path(root.given) / path[len(root.path) :].lstrip("/")) if root else path

    def highest_missing(self, path: str) -> str:
        """Return the highest folder below the root that is gone with a file, or the file itself."""
        root, found = self.of(path), path
        while root and is_inside(above := found.rpartition("/")[0], root.path) and not os.path.lexists(above):
            found = above
        return found


def mode_of(path: str) -> int:
    """Return the kind and the rights of what is there, links followed, 0 where nothing is."""
    try:
        return Path(path).stat().st_mode
    except (OSError, ValueError):
        return 0


def signature_of(path: str) -> Signature | None:
    """Return what changes with a file, None where there is none."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def folder_of(path: str) -> tuple[int, int] | None:
    """Return what tells a folder from another one that takes its place, None where there is none."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None
