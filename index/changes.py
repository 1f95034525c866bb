"""What build, add, refresh and remove mean: each reads the catalog and says which files and sources come and go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from index.catalog import Catalog
from index.errors import InputError, LoadError
from index.load import SourceFile, is_hidden, source_name
from index.plan import FileChange
from index.roots import absolute_path, files_of_root, is_inside, roots_of

__all__ = ["to_add", "to_equal", "to_refresh", "to_remove", "unknown_source"]


def to_equal(
    catalog: Catalog, paths: Sequence[str | Path], files: Sequence[SourceFile], problems: Sequence[LoadError]
) -> FileChange:
    """Return the change after which an index holds the files of some paths and nothing else."""
    listed = {str(file.path) for file in files}
    return FileChange(
        files=tuple(files),
        gone=tuple(path for path in catalog.files.all() if path not in listed),
        sources=tuple(catalog.sources_of("")),
        problems=tuple(problems),
        roots=tuple(roots_of(paths)),
        complete=True,
    )


def to_add(
    catalog: Catalog, paths: Sequence[str | Path], files: Sequence[SourceFile], problems: Sequence[LoadError]
) -> FileChange:
    """Return the change that adds the files of some paths, or brings them up to date, and touches no other."""
    roots = dict(catalog.files.roots())
    roots |= {path: given for path, given in roots_of(paths) if not any(_is_walked(path, root) for root in roots)}
    return FileChange(files=tuple(files), problems=tuple(problems), roots=tuple(roots.items()))


def _is_walked(path: str, root: str) -> bool:
    """Say whether a walk of a root comes to a path: it lies below, and nothing on the way is hidden."""
    return is_inside(path, root) and not any(is_hidden(part) for part in Path(path).relative_to(root).parts)


def to_refresh(catalog: Catalog, directory: Path) -> FileChange:
    """Return the change that brings everything that was built or added up to date with the disk.

    A folder that is no longer there at all, such as a drive that is not mounted, keeps its documents and is a problem.
    """
    files: list[SourceFile] = []
    problems: list[LoadError] = []
    away: list[str] = []
    known = catalog.files.all()
    for path, given in catalog.files.roots():
        if os.path.lexists(path):
            found, wrong = files_of_root(path, given, index=directory)
            files += found
            problems += wrong
        elif path not in known:
            away.append(path)
            problems.append(
                LoadError(source_name(given), "the folder is not there; its documents are kept until `remove`")
            )
    listed = {str(file.path) for file in files}
    gone = [p for p in known if p not in listed and not any(is_inside(p, folder) for folder in away)]
    return FileChange(files=tuple(files), gone=tuple(gone), problems=tuple(problems), complete=True)


def to_remove(catalog: Catalog, sources: Sequence[str]) -> FileChange:
    """Return the change that removes files, folders or single records, by source or by path.

    Raises:
        InputError: if the index holds nothing of one of the names.
    """
    known = catalog.files.all()
    by_source = {file.source: {path} for path, file in known.items()}
    gone: set[str] = set()
    single: list[str] = []
    roots = catalog.files.roots()
    for source in sources:
        found = catalog.source(source)
        if found is not None and not found.path:  # given directly: whatever it is called, it is no file or folder
            single.append(source)
            continue
        name, absolute = source.rstrip("/"), absolute_path(source)
        paths = {absolute} if absolute in known else by_source.get(name, set())
        if not paths:  # a folder
            paths = {p for p, f in known.items() if is_inside(f.source, name) or is_inside(p, absolute)}
        if not name or not (paths or found is not None):
            raise unknown_source(source)
        gone |= paths
        single += [] if paths else [source]
        roots = [(p, given) for p, given in roots if not (is_inside(p, absolute) or is_inside(given, name))]
    return FileChange(
        gone=tuple(sorted(gone)), sources=tuple(single), roots=tuple(root for root in roots if root[0] not in gone)
    )


def unknown_source(source: str) -> InputError:
    """Return the error for a source that an index does not hold."""
    return InputError(
        f"the index holds no {source!r}: name a file, a folder or a JSON line as citations do; `python -m index "
        "status` says what the index was built from"
    )
