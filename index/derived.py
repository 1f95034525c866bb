"""The files derived from the catalog: how they are named, written, checked and made again.

`lexical/<name>/` and `vectors/<name>.faiss` are written once and never changed; the manifest names the ones in
force with the SHA-256 of each file. What the manifest does not name belongs to nobody and is deleted by the next
writer. Embeddings live in the catalog, so nothing here ever embeds.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from pathlib import Path

from index.analyze import Analyzer
from index.catalog import Catalog
from index.database import sync
from index.dates import date_bounds
from index.errors import StoreError
from index.lexical import LexicalEntry, LexicalIndex
from index.manifest import Manifest
from index.types import Document, Passage
from index.vectors import VectorIndex

__all__ = [
    "Derived",
    "damaged_files",
    "day_range",
    "delete_unnamed",
    "load",
    "missing_files",
    "rebuild",
    "worn",
    "write_lexical",
    "write_vectors",
]

_SMALL = 1_024
_MIN_DRIFT = 2_048
_MAX_DRIFT = 0.1


@dataclass(frozen=True, slots=True)
class Derived:
    """The two search structures of one generation.

    Attributes:
        generation: the generation.
        lexical: terms of its passages.
        vectors: embeddings of its passages.
        mean_terms: mean number of terms of a passage.
    """

    generation: int
    lexical: LexicalIndex
    vectors: VectorIndex
    mean_terms: float


def day_range(document: Document) -> tuple[int, int] | None:
    """Return the first and last day of a document as proleptic Gregorian ordinals, or None without a date."""
    if not document.date:
        return None
    first, last = (date.fromisoformat(day).toordinal() for day in date_bounds(document.date))
    return first, last


def worn(*, n_held: int, n_added: int, n_removed: int) -> bool:
    """Say whether a derived file is to be written anew rather than changed.

    A small one is written anew as soon as a passage has left it, so that it keeps no word and no embedding of a
    removed text; a large one after a tenth has changed, so that the cost of a change follows its size.

    Args:
        n_held: passages that it held when it was last written as a whole.
        n_added: passages added since, where each of them costs something; 0 where they cost nothing.
        n_removed: passages removed since, which it still holds.
    """
    if n_held <= _SMALL:
        return n_removed > 0 or n_added > _MIN_DRIFT
    return n_removed > _MAX_DRIFT * n_held or n_added > max(_MIN_DRIFT, _MAX_DRIFT * n_held)


def write_lexical(
    directory: Path,
    catalog: Catalog,
    manifest: Manifest,
    entries: Iterable[LexicalEntry],
    *,
    analyzer: Analyzer,
    removed: Sequence[int],
    generation: int,
) -> tuple[Manifest, LexicalIndex]:
    """Write the lexical index of a generation, starting from that of the manifest.

    Args:
        directory: folder of the index.
        catalog: without the passages of ``entries``, which are stored while they are consumed.
        manifest: manifest of the generation before.
        entries: passages to add.
        analyzer: text to terms.
        removed: passages to leave out.
        generation: the new generation.

    Returns:
        The manifest that names the new folder, and the index opened.

    Raises:
        StoreError: if it cannot be written.
    """
    name = f"lexical/{generation}-{secrets.token_hex(4)}"
    n_removed = manifest.lexical_removed + len(removed)
    n_held = catalog.counts()[2] + n_removed
    base = directory / manifest.lexical if manifest.lexical else None
    if base is not None and worn(n_held=n_held, n_added=0, n_removed=n_removed):
        base, removed, n_removed = None, [], 0
        entries = chain(_entries(catalog.walk_passages(), analyzer), entries)
    lexical = LexicalIndex.write(directory / name, entries, base=base, removed=removed)
    with _writing(directory / name):
        sums = {file: sum_ for file, sum_ in manifest.sha256.items() if not file.startswith("lexical/")}
        for path in _files(directory / name):
            former = base / path.name if base else None
            if former and former.exists() and former.samefile(path):  # an immutable segment, linked
                sums[f"{name}/{path.name}"] = manifest.sha256[f"{manifest.lexical}/{path.name}"]
            else:
                # tantivy lets nobody but the owner read meta.json: who may read the segments may read it too
                shutil.copymode(next((directory / name).glob("*.idx"), path), path)
                sync(path)
                sums[f"{name}/{path.name}"] = _sha256(path)
        sync(directory / name)
        sync(directory / "lexical")
    return replace(manifest, lexical=name, lexical_removed=n_removed, sha256=sums), lexical


def write_vectors(directory: Path, manifest: Manifest, vectors: VectorIndex, *, generation: int) -> Manifest:
    """Write a vector snapshot and return the manifest that names it.

    Raises:
        StoreError: if it cannot be written.
    """
    name = f"vectors/{generation}-{secrets.token_hex(4)}.faiss"
    path = directory / name
    with _writing(path):
        path.parent.mkdir(exist_ok=True)
        vectors.save(path)
        sync(path)
        sync(path.parent)
        sums = {file: sum_ for file, sum_ in manifest.sha256.items() if not file.startswith("vectors/")}
        sums[name] = _sha256(path)
    return replace(manifest, vectors=name, vectors_generation=generation, sha256=sums)


def damaged_files(directory: Path, sha256: Mapping[str, str]) -> list[str]:
    """Return what is wrong with derived files: one line for each that is missing or has other bytes."""
    lines = []
    for name, expected in sha256.items():
        try:
            found = _sha256(directory / name)
        except FileNotFoundError:
            lines.append(f"{name} is missing")
        except OSError as error:
            lines.append(f"{name} cannot be read ({error.strerror})")
        else:
            if found != expected:
                lines.append(f"{name} has SHA-256 {found[:12]}…, expected {expected[:12]}…")
    return lines


def load(directory: Path, catalog: Catalog, manifest: Manifest) -> Derived:
    """Open the derived files and catch the vectors up with the catalog.

    Called inside a snapshot of the catalog that the manifest belongs to.

    Raises:
        StoreError: if a file is missing or damaged.
    """
    if wrong := damaged_files(directory, manifest.sha256):
        raise StoreError(f"{directory}: {'; '.join(wrong)}")
    if manifest.lexical is None or manifest.vectors is None:
        raise StoreError(f"{directory}: generation {manifest.generation} names no derived files")
    lexical = LexicalIndex.open(directory / manifest.lexical)
    vectors = VectorIndex.load(directory / manifest.vectors)
    if manifest.vectors_generation != manifest.generation:
        added, matrix, removed = catalog.changes_since(manifest.vectors_generation, dimension=manifest.dimension)
        vectors = vectors.changed(added=added, vectors=matrix, removed=removed)
    return Derived(manifest.generation, lexical, vectors, catalog.mean_terms())


def rebuild(
    directory: Path | None, catalog: Catalog, manifest: Manifest, analyzer: Analyzer
) -> tuple[Manifest, Derived]:
    """Make the derived indexes again from the catalog, without embedding.

    Args:
        directory: folder of the index, or None to build in memory only (a folder that cannot be written).
        catalog: inside a transaction.
        manifest: manifest of the generation in force.
        analyzer: the analyzer in force.

    Returns:
        The manifest that names the new files (unchanged in memory), and the indexes opened.
    """
    generation = manifest.generation
    added, matrix, _ = catalog.changes_since(-1, dimension=manifest.dimension)
    vectors = VectorIndex(manifest.dimension).changed(added=added, vectors=matrix, removed=[]).compacted()
    if directory is None:
        lexical = LexicalIndex.write(None, _entries(catalog.walk_passages(), analyzer), removed=[])
        return manifest, Derived(generation, lexical, vectors, catalog.mean_terms())
    if manifest.analyzer != analyzer.version:
        counts = [(len(analyzer.terms(passage.text)), passage.number) for passage in catalog.walk_passages()]
        catalog.set_term_counts(counts)
    bare = replace(manifest, lexical=None, lexical_removed=0, vectors=None, sha256={}, analyzer=analyzer.version)
    entries = _entries(catalog.walk_passages(), analyzer)
    after, lexical = write_lexical(
        directory, catalog, bare, entries, analyzer=analyzer, removed=[], generation=generation
    )
    after = write_vectors(directory, after, vectors, generation=generation)
    return after, Derived(generation, lexical, vectors, catalog.mean_terms())


def missing_files(directory: Path, sha256: Mapping[str, str]) -> list[str]:
    """Return the derived files that are not there; much faster than `damaged_files`, which reads each."""
    return [name for name in sha256 if not (directory / name).is_file()]


def delete_unnamed(directory: Path, manifest: Manifest) -> None:
    """Delete derived files that the manifest does not name; called by the writer at the end of a change.

    A reader that is opening them meanwhile finds them gone and starts again from the new manifest.

    Raises:
        OSError: if one cannot be deleted; the next change tries again.
    """
    for folder, kept in (("lexical", manifest.lexical), ("vectors", manifest.vectors)):
        for path in (directory / folder).glob("*"):
            if path.relative_to(directory).as_posix() == kept:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _entries(passages: Iterable[Passage], analyzer: Analyzer) -> Iterator[LexicalEntry]:
    for passage in passages:
        document = passage.document
        title = analyzer.terms(document.title or "")
        yield LexicalEntry(passage.number, analyzer.terms(passage.text), title, day_range(document))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}): check free disk space and the rights of the folder, then "
            "try again"
        ) from error


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.endswith(".lock"))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
