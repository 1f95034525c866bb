"""Taking a document out of the corpus: what goes, what stays, and who decides it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from index import CorpusIndex, InputError
from index.listing import ListedDocument

__all__ = ["Removal", "plan_removal", "remove"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing a document comes to.

    Attributes:
        document: what goes.
        sources: what is removed from the index, by source: files that gave nothing else, else single records.
        deleted: uploaded copies that are deleted from the disk, absolute paths.
        kept: names of the files that stay on the disk.
        returns: whether one of those brings the document back when the index is brought up to date.
        n_in_file: documents of its uploaded file, which can be removed as a whole; 1 for any other.
    """

    document: ListedDocument
    sources: tuple[str, ...]
    deleted: tuple[Path, ...]
    kept: tuple[str, ...]
    returns: bool
    n_in_file: int


def plan_removal(document: ListedDocument, *, uploads: Path, with_file: bool = False) -> Removal:
    """Say what removing a document would do: only copies among the uploads that hold nothing else are deleted.

    Args:
        document: the document.
        uploads: where uploaded files are kept.
        with_file: whether all that its uploaded files gave is removed too; what is indexed from elsewhere is for the
            command line to remove whole.
    """
    n_own = Counter(origin.file.path for origin in document.origins if origin.file)
    sources: list[str] = []
    deleted: list[Path] = []
    kept: list[str] = []
    returns, n_in_file = False, 1
    for origin in document.origins:
        file = origin.file
        if file is None:
            sources.append(origin.source)
            continue
        is_upload = _is_upload(file.path, uploads)
        is_alone = origin.n_siblings + 1 == n_own[file.path]
        if is_upload and not is_alone:
            n_in_file = max(n_in_file, origin.n_siblings + 1)
        if is_upload and (with_file or is_alone):
            sources.append(file.source)
            deleted.append(Path(file.path))
        else:
            sources.append(origin.source)
            kept.append(file.source)
            returns = returns or file.source == origin.source
    return Removal(document, _once(sources), _once(deleted), _once(kept), returns, n_in_file)


def remove(
    number: int, *, corpus: CorpusIndex, uploads: Path, with_file: bool = False
) -> tuple[Removal, Sequence[str]]:
    """Remove a document from the corpus, then the uploaded copies that held nothing else.

    Args:
        number: the document, as the list has it.
        corpus: the corpus.
        uploads: where uploaded files are kept.
        with_file: whether all that its uploaded file gave is removed too.

    Returns:
        What was done, and the names of the copies that could not be deleted.

    Raises:
        InputError: if there is no such document any more.
        SourcierError: if the corpus cannot be changed; nothing is deleted then.
    """
    found = corpus.listing.described([number])
    if not found:
        raise InputError("Ce document n’est plus dans l’index : rien n’a été retiré.")
    removal = plan_removal(found[0], uploads=uploads, with_file=with_file)
    corpus.remove(removal.sources)
    left = []
    for path in removal.deleted:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            left.append(path.name)
    return removal, left


def _once(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


def _is_upload(path: str, uploads: Path) -> bool:
    """Say whether a file lies among the uploads, and not elsewhere behind a link to another folder."""
    return Path(path).parent.resolve().is_relative_to(uploads.resolve())
