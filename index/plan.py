"""What a change has to do: files compared with the catalog by the hash of their bytes, then document by document."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from index.catalog import Catalog, StoredFile, document_hash
from index.errors import LoadError
from index.load import SourceFile, hash_file, load_file
from index.types import Document

__all__ = ["FileChange", "FreshDocument", "Plan", "Progress", "ProgressCallback", "make_plan"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a change has come: ``done`` of ``total`` files read, then documents indexed."""

    stage: str
    done: int
    total: int


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class FileChange:
    """What is asked of a change.

    Attributes:
        files: files to add or to bring up to date.
        gone: absolute paths of files whose documents are to be removed.
        lines: sources of single documents to be removed.
        problems: what was found unreadable while looking for files.
        complete: whether ``files`` and ``gone`` are every file on disk and in the index.
    """

    files: tuple[SourceFile, ...] = ()
    gone: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    problems: tuple[LoadError, ...] = ()
    complete: bool = False


@dataclass(frozen=True, slots=True)
class FreshDocument:
    """A document to be stored, the absolute path of its file, and its hash."""

    document: Document
    path: str
    hash: bytes


@dataclass(slots=True)
class Plan:
    """Which documents go and which come.

    Attributes:
        fresh: documents to store, by source.
        dropped: numbers of documents to delete.
        replaced: those of them that come again, changed or to be embedded again.
        n_added: documents that were not there before.
        n_changed: documents whose text, title, date or metadata changed.
        problems: what could not be read.
        warnings: what was read with a doubt.
    """

    fresh: dict[str, FreshDocument] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)
    replaced: set[int] = field(default_factory=set)
    n_added: int = 0
    n_changed: int = 0
    problems: list[LoadError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def n_removed(self) -> int:
        """Number of documents that are gone for good."""
        return len(self.dropped - self.replaced)


def make_plan(catalog: Catalog, what: FileChange, *, everything: bool, progress: ProgressCallback) -> Plan:
    """Compare files with the catalog, and record there what was read; documents are left for the caller to store.

    Args:
        catalog: inside its writing transaction.
        what: the files concerned.
        everything: take every document as new, as another embedding model needs it.
        progress: called before each file.
    """
    plan = Plan()
    known = catalog.files()
    gone = set(what.gone)
    for path in gone:
        _drop_file(catalog, plan, path)
        catalog.forget_file(path)
    for source in what.lines:
        if (number := catalog.forget_line(source)) is not None:
            plan.dropped.add(number)
    taken = {file.source: path for path, file in known.items() if path not in gone}
    unread = list(what.problems)
    for done, file in enumerate(what.files):
        progress(Progress("lecture", done, len(what.files)))
        path, former = str(file.path), known.get(str(file.path))
        try:
            found = hash_file(file.path)
        except LoadError as error:  # for now: what was indexed of it stays, unless it has to be embedded again
            unread.append(LoadError(file.source, error.reason))
            if everything:
                _drop_file(catalog, plan, path)
            continue
        if former is not None and former.hash == found and not everything:
            continue
        if former is not None:
            file = replace(file, source=former.source)  # noqa: PLW2901 - a file keeps the name it was first given
        elif taken.get(file.source, path) != path:
            file = replace(file, source=file.path.as_posix())  # noqa: PLW2901 - two folders of the same name
        taken[file.source] = path
        _compare_file(catalog, plan, file, found, everything=everything)
    plan.problems = [*unread, *plan.problems]
    _record_unread(catalog, what, unread, former=[known[path].source for path in gone if path in known])
    return plan


def _drop_file(catalog: Catalog, plan: Plan, path: str) -> None:
    plan.dropped.update(number for number, _ in catalog.document_hashes(path).values())


def _compare_file(catalog: Catalog, plan: Plan, file: SourceFile, file_hash: str, *, everything: bool) -> None:
    path = str(file.path)
    loaded = load_file(file)
    plan.warnings += loaded.warnings
    problems = list(loaded.problems)
    former = catalog.document_hashes(path)
    for document in loaded.documents:
        content = document_hash(document)
        number, hash_ = former.pop(document.source, (None, None))
        if hash_ == content and not everything:
            continue
        if number is not None:
            plan.n_changed += hash_ != content
            plan.dropped.add(number)
            plan.replaced.add(number)
        elif _is_taken(catalog, plan, document.source):
            problems.append(LoadError(document.source, "another file has a document of this name; rename the file"))
            continue
        else:
            plan.n_added += 1
        plan.fresh[document.source] = FreshDocument(document, path, content)
    plan.dropped.update(number for number, _ in former.values())
    plan.problems += problems
    catalog.put_file(StoredFile(path, file.source, file_hash), problems)


def _is_taken(catalog: Catalog, plan: Plan, source: str) -> bool:
    number = catalog.document_number(source)
    return source in plan.fresh or (number is not None and number not in plan.dropped)


def _record_unread(catalog: Catalog, what: FileChange, unread: list[LoadError], *, former: Iterable[str]) -> None:
    """Keep the list of what could not be opened; what this change did not look at stays on it."""
    seen = {file.source for file in what.files} | {error.source for error in unread} | set(former)
    kept = [] if what.complete else [error for error in catalog.unread() if error.source not in seen]
    if what.complete or what.files or what.gone or unread:
        catalog.set_unread([*kept, *unread])
