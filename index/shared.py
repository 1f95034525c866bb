"""One corpus for many machines: indexes that are pushed to a shared store, and replicas that follow it.

Each process searches an index of its own, which is a replica of the store: it answers as any index does, in the same
milliseconds, and needs no disk in common with others. What changed since it last looked is fetched, embeddings and
all, and put in one change.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.catalog import text_hash
from index.corpus import CorpusIndex
from index.embed import Embedder, open_embedder
from index.errors import IndexMismatchError, IndexMissingError, StoreError
from index.lance import About, SharedDocument, SharedStore
from index.plan import FileChange, ProgressCallback
from index.types import Document
from index.update import UpdateReport

__all__ = ["DEFAULT_OWNER", "Follower", "PushReport", "StoredVectors", "check_makers", "pull", "push", "terms_of"]

logger = logging.getLogger(__name__)

DEFAULT_OWNER = "main"
_PUT_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push changed in the store, counted by source."""

    n_put: int
    n_removed: int
    n_unchanged: int


def push(corpus: CorpusIndex, address: str, *, owner: str = DEFAULT_OWNER) -> PushReport:
    """Make what a writer has in a store equal to its index; embeddings are copied. Other writers' is left alone.

    Each thousand documents are one version of the store: a push that is cut short has stored those before, and the next
    one goes on.

    Args:
        corpus: the index.
        address: of the store, made if missing.
        owner: name of the writer; each writer of a store has one of its own.

    Raises:
        IndexMismatchError: if the store was made by another embedding model or analyzer.
        StoreError: if the store cannot be written, or another writer has one of the sources.
    """
    about = About.of(corpus.embedder, corpus.analyzer)
    store = SharedStore.create(address, about)
    check_makers(store, about)
    held = store.snapshot().documents
    with corpus.holding_catalog() as catalog:
        own = catalog.stored_sources()
        taken = [source for source in own if source in held and held[source][1] != owner]
        if taken:
            raise StoreError(
                f"{taken[0]} is in the store at {address} by another writer ({held[taken[0]][1]}): remove it from "
                "one of them, or push with --owner of that name"
            )
        wanted = [source for source, found in own.items() if held.get(source, (b"", ""))[0] != found.hash]
        for first in range(0, len(wanted), _PUT_AT_ONCE):
            part = wanted[first : first + _PUT_AT_ONCE]
            documents = catalog.find_documents(part)
            store.put(
                [
                    SharedDocument(
                        replace(documents[source], source=source, copies=()),
                        own[source].hash,
                        owner,
                        catalog.embeddings_of(own[source].document),
                        terms_of(documents[source], corpus.analyzer),
                    )
                    for source in part
                ]
            )
    gone = [source for source, (_, whose) in held.items() if whose == owner and source not in own]
    store.remove(gone)
    store.index_terms()
    return PushReport(len(wanted), len(gone), len(own) - len(wanted))


def terms_of(document: Document, analyzer: Analyzer) -> str:
    """Return the terms of a document's title and text, parted by spaces."""
    return " ".join(analyzer.terms(f"{document.title or ''}\n{document.text[document.body_start :]}"))


def pull(
    address: str, directory: str | Path, *, progress: ProgressCallback | None = None, embedder: Embedder | None = None
) -> UpdateReport:
    """Make the index of a folder equal to a store, in one change; nothing is embedded.

    Args:
        address: of the store.
        directory: folder of the index, made if missing; documents that are not in the store are removed from it.
        progress: called with each step.
        embedder: the model that the store was made by; None opens it by its name.

    Raises:
        IndexMissingError: if there is no store.
        IndexMismatchError: if it was made by another model or analyzer than those that are here.
        StoreError: if it cannot be reached.
    """
    store = SharedStore.open(address)
    model = embedder or open_embedder(store.about.embedder)
    vectors = StoredVectors(model)
    corpus = CorpusIndex.create(directory, embedder=vectors)
    check_makers(store, About.of(model, corpus.analyzer))
    snapshot = store.snapshot()
    with corpus.holding_catalog() as catalog:
        own = {source: found.hash for source, found in catalog.stored_sources().items()}
    wanted = [source for source, (hash_, _) in snapshot.documents.items() if own.get(source) != hash_]
    gone = [source for source in own if source not in snapshot.documents]

    def documents() -> Iterator[Document]:
        for shared in store.read(wanted, version=snapshot.version):
            vectors.learn(shared.vectors)
            yield shared.document

    return corpus.change(FileChange(documents=documents(), sources=tuple(gone)), progress=progress)


def check_makers(store: SharedStore, here: About) -> None:
    """Refuse a store that another model or analyzer made.

    Raises:
        IndexMismatchError: if one did.
    """
    if (store.about.fingerprint, store.about.analyzer) != (here.fingerprint, here.analyzer):
        raise IndexMismatchError(
            f"the store at {store.address} was made by {store.about.embedder} ({store.about.fingerprint}) and analyzer "
            f"{store.about.analyzer}, here are {here.embedder} ({here.fingerprint}) and {here.analyzer}: use the same "
            "release and model, or push to another address",
            found=store.about.fingerprint,
            expected=here.fingerprint,
        )


class StoredVectors:
    """The model of a store, whose embeddings of passages come from the store where it holds them."""

    def __init__(self, model: Embedder) -> None:
        self._model = model
        self._known: dict[bytes, bytes] = {}
        self.name = model.name
        self.dimension = model.dimension
        self.fingerprint = model.fingerprint

    def learn(self, vectors: Mapping[bytes, bytes]) -> None:
        """Take over embeddings, each to be used once."""
        self._known.update(vectors)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings; those that the store does not hold are made."""
        found = [self._known.pop(text_hash(text), None) for text in texts]
        missing = [text for text, vector in zip(texts, found, strict=True) if vector is None]
        made = iter(self._model.embed_passages(missing) if missing else ())
        rows = [next(made) if vector is None else np.frombuffer(vector, dtype=np.float16) for vector in found]
        return np.stack(rows).astype(np.float32) if rows else np.empty((0, self.dimension), dtype=np.float32)

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a question."""
        return self._model.embed_question(text)


class Follower:
    """Keeps a replica equal to its store, in a thread of its own, until `close`.

    While the store cannot be reached the replica answers as it is; the log says so once, and when it is back.

    Args:
        address: of the store.
        directory: folder of the replica.
        seconds: between two looks at the store's version, above 0.
    """

    def __init__(self, address: str, directory: str | Path, *, seconds: float = 2.0) -> None:
        self._address = address
        self._directory = directory
        self._seconds = seconds
        self._ended = threading.Event()
        self._version: int | None = None
        self._is_away = False
        self._thread = threading.Thread(target=self._follow, name="store", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, after the change that it is making."""
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                version = SharedStore.open(self._address).version()
                if version != self._version:
                    pull(self._address, self._directory)
                    self._version = version
            except (StoreError, IndexMissingError, IndexMismatchError) as error:
                if not self._is_away:
                    logger.warning("%s; answers come from what was fetched before", error)
                self._is_away = True
                continue
            if self._is_away:
                logger.warning("the store at %s is back", self._address)
            self._is_away = False
