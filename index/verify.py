"""Checks an index: is every row what was read, and does every derived file say the same as the catalog?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from index.catalog import Catalog, document_hash, text_hash
from index.derived import Derived, damaged_files
from index.errors import IndexDamagedError
from index.store import Store
from index.update import embedded_text

__all__ = ["find_faults"]


def find_faults(store: Store) -> list[str]:
    """Return what is wrong with an index, one line for each fault; nothing when it is sound.

    The catalog comes first: where its file is damaged, nothing else is looked at. Derived files are read as they lie
    on disk; where one is damaged, what it holds is not compared.
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
    with store.reading() as state:
        return _differences(catalog, state)


def _faulty_rows(catalog: Catalog) -> Iterator[str]:
    mend = "`remove` the document, then `build` again"
    try:
        for document, hash_ in catalog.walk_documents():
            if document_hash(document) != hash_:
                yield f"document {document.source}: the stored text is not what was read: {mend}"
        hashes = catalog.passage_hashes()
        for passage in catalog.walk_passages():
            if text_hash(embedded_text(passage.document, passage.text)) != hashes[passage.number]:
                yield f"passage {passage.number} of {passage.document.source} is not what was embedded: {mend}"
    except IndexDamagedError as error:
        yield str(error)


def _differences(catalog: Catalog, state: Derived) -> list[str]:
    expected = set(catalog.passage_numbers().tolist())
    in_vectors, in_lexical = set(state.vectors.numbers().tolist()), set(state.lexical.numbers())
    lines = []
    for name, held in (("vector", in_vectors), ("lexical", in_lexical)):
        lines += [f"passage {number} has no {name} entry" for number in sorted(expected - held)]
        lines += [f"{name} entry {number} has no passage" for number in sorted(held - expected)]
    both = sorted(expected & in_vectors)
    stored = catalog.vectors(both)
    searched = state.vectors.embeddings(both)
    lines += [
        f"passage {number} has one embedding in the catalog and another in the search files"
        for number, row in zip(both, searched, strict=True)
        if not np.array_equal(row, stored[number].astype(np.float32), equal_nan=True)
    ]
    return lines
