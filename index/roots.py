"""Roots: the paths that an index was built from, and the files under them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from index.errors import InputError, LoadError
from index.load import SourceFile, find_files, source_name

__all__ = ["absolute_path", "files_of_root", "files_to_read", "is_inside", "roots_of"]


def files_to_read(paths: Sequence[str | Path], *, index: Path) -> tuple[list[SourceFile], list[LoadError]]:
    """Find the files of paths, and what cannot be read there; the files of the index itself are left out.

    Raises:
        InputError: if a path does not exist, or there is no file at all.
    """
    found, problems = find_files(paths)
    files = _without(index, [replace(file, path=Path(absolute_path(file.path))) for file in found])
    if not files:
        reason = f" ({problems[0]})" if problems else ""
        raise InputError(f"nothing to read in {', '.join(map(str, paths))}{reason}: name files or folders with text")
    return files, problems


def files_of_root(path: str, given: str, *, index: Path) -> tuple[list[SourceFile], list[LoadError]]:
    """Find the files of a root again, under the names that they have since the path was given."""
    found, problems = find_files([path])
    files = _without(index, found)
    return [replace(f, source=source_name(Path(given) / f.path.relative_to(path))) for f in files], problems


def roots_of(paths: Sequence[str | Path]) -> list[tuple[str, str]]:
    """Return ``(absolute path, path as given)`` of each path."""
    return [(absolute_path(path), Path(path).as_posix()) for path in paths]


def absolute_path(path: str | Path) -> str:
    """Return the one absolute path of a file, whatever the way to it was; links are kept."""
    absolute = Path(path).absolute()
    if ".." not in absolute.parts:
        return str(absolute)
    plain = os.path.normpath(absolute)
    return plain if os.path.realpath(plain) == os.path.realpath(absolute) else str(absolute)


def is_inside(path: str, folder: str) -> bool:
    """Say whether a path is the folder itself or lies anywhere below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _without(index: Path, files: Sequence[SourceFile]) -> list[SourceFile]:
    folder = absolute_path(index)
    return [file for file in files if not is_inside(str(file.path), folder)]
