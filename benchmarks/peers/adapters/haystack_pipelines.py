"""Haystack: the in-memory store and BM25 retriever, passages of 512 words as in its tutorial on hybrid retrieval.

The embedders of local models left Haystack's own package with its third version, so its hybrid pipeline and its
extractive reader need packages and models that are not to be had without a network: it is measured with BM25.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers.protocol import Record, Reply, serve

_K = 20


class Haystack:
    """Splitter, in-memory store, BM25 retriever."""

    def __init__(self) -> None:
        from haystack.components.retrievers.in_memory import InMemoryBM25Retriever  # noqa: PLC0415 - in the cold start
        from haystack.document_stores.in_memory import InMemoryDocumentStore  # noqa: PLC0415 - likewise

        self._stores, self._retrievers = InMemoryDocumentStore, InMemoryBM25Retriever
        self._use(InMemoryDocumentStore())

    def about(self) -> dict[str, str]:
        """As `Peer`."""
        settings = "DocumentSplitter 512 words, overlap 32; InMemoryBM25Retriever (BM25L), its tokenisation"
        return {"version": f"haystack-ai {version('haystack-ai')}", "settings": settings}

    def build(self, records: Sequence[Record], store: Path) -> None:
        """As `Peer`."""
        self._put(records)
        self.save(store)

    def open(self, store: Path) -> None:
        """As `Peer`."""
        self._use(self._stores.load_from_disk(str(store / "store.json")))

    def answer(self, question: str) -> Any:
        """As `Peer`."""
        return self._retriever.run(query=question, top_k=_K)["documents"]

    def reply(self, question: str, found: Any) -> Reply:
        """As `Peer`: the first passage is its citation; ``split_idx_start`` counts in title and text."""
        hits = []
        for piece in found:
            start = piece.meta["split_idx_start"] - piece.meta["shift"]
            hits.append((piece.meta["record"], max(0, start), max(0, start + len(piece.content))))
        return Reply(hits, hits[:1])

    def add(self, record: Record) -> None:
        """As `Peer`."""
        self._put([record])

    def delete(self, name: str) -> None:
        """As `Peer`."""
        wanted = {"field": "meta.record", "operator": "==", "value": name}
        self._store.delete_documents([piece.id for piece in self._store.filter_documents(wanted)])

    def save(self, store: Path) -> None:
        """As `Peer`."""
        self._store.save_to_disk(str(store / "store.json"))

    def names(self) -> set[str]:
        """As `Peer`."""
        return {piece.meta["record"] for piece in self._store.filter_documents()}

    def _use(self, store: Any) -> None:
        self._store, self._retriever = store, self._retrievers(store)

    def _put(self, records: Sequence[Record]) -> None:
        from haystack import Document  # noqa: PLC0415 - only building needs it
        from haystack.components.preprocessors import DocumentSplitter  # noqa: PLC0415 - only building needs it

        splitter = DocumentSplitter(split_by="word", split_length=512, split_overlap=32)
        documents = [
            Document(content=record.full_text, meta={"record": record.id, "shift": record.shift}) for record in records
        ]
        self._store.write_documents(splitter.run(documents=documents)["documents"])


if __name__ == "__main__":
    serve(Haystack())
