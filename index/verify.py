"""Checks an index: is every row what was read, and do the segments say the same as the catalog?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.catalog import Catalog, document_hash, text_hash
from index.errors import IndexDamagedError
from index.lexical import Postings
from index.prepare import embedded_text
from index.segments import Segments, damaged_files, rebuild_segments
from index.store import Store

__all__ = ["find_faults"]


def find_faults(store: Store, analyzer: Analyzer) -> list[str]:
    """Return what is wrong with an index, one line for each fault; nothing when it is sound.

    The catalog comes first: where its file is damaged, nothing else is looked at. Segments are read as they lie on
    disk; where one is damaged, what they hold is not compared.
    """
    catalog = store.catalog
    while True:
        with catalog.read():
            manifest = catalog.manifest()
            wrong = catalog.check() or [*_faulty_rows(catalog)]
            damaged = damaged_files(store.directory, manifest.sha256)
        if not damaged:
            break
        if catalog.manifest() == manifest:
            return wrong + damaged
        # else a writer has swept those files up after a newer generation
    if wrong:
        return wrong
    with store.reading() as segments:
        _, expected = rebuild_segments(None, catalog, catalog.manifest(), analyzer)
        return [*_differences(segments, expected)]


def _faulty_rows(catalog: Catalog) -> Iterator[str]:
    mend = "`remove` the document, then `build` again"
    try:
        for document, hash_ in catalog.walk_documents():
            if document_hash(document) != hash_:
                yield f"document {document.source}: the stored text is not what was read: {mend}"
        for passage, hash_ in catalog.walk_passages():
            if text_hash(embedded_text(passage.document, passage.text)) != hash_:
                yield f"passage {passage.number} of {passage.document.source} is not what was embedded: {mend}"
    except IndexDamagedError as error:
        yield str(error)


def _differences(segments: Segments, expected: Segments) -> Iterator[str]:
    """Compare what is searched with what the catalog gives, passage by passage."""
    held, wanted = _fingerprints(segments), _fingerprints(expected)
    yield from (f"passage {number} is in no segment" for number in sorted(wanted.keys() - held.keys()))
    yield from (f"segment entry {number} has no passage" for number in sorted(held.keys() - wanted.keys()))
    if len(held) != len(segments):
        yield f"the segments hold {len(segments)} rows of {len(held)} passages"
    for number in sorted(held.keys() & wanted.keys()):
        for what, found, right in zip(_CHECKED, held[number], wanted[number], strict=True):
            if found != right:
                yield f"passage {number} has other {what} in the catalog than in its segment"


_CHECKED = ("dates or another document", "terms", "numbers in its embedding")


def _fingerprints(segments: Segments) -> dict[int, tuple[int, int, int]]:
    """Return what the segments hold of each passage, hashed by what it is of."""
    found = {}
    for part in segments.parts.values():
        terms = _row_sums(part.body) * np.uint64(3) + _row_sums(part.title)
        for row, number in enumerate(part.numbers.tolist()):
            place = hash((int(part.documents[row]), *part.days[row].tolist()))
            found[number] = place, int(terms[row]), hash(part.vectors.rows[row].tobytes())
    return found


def _row_sums(postings: Postings) -> NDArray[np.uint64]:
    """Return a number for each row that depends on all its terms and their counts, shape ``(n_rows,)``."""
    sums = postings.lengths.astype(np.uint64)
    hashes = np.repeat(postings.terms, np.diff(postings.offsets)) * postings.counts
    np.add.at(sums, postings.rows, hashes)  # modulo 2**64, whatever the order
    return sums
