"""LangChain's tutorial "Build a semantic search engine": its splitter, the in-memory store, Hugging Face embeddings.

`RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)`, whose `start_index` says
where a piece lies. Its FAISS store is in langchain-community, which is no longer kept up; the in-memory store is the
tutorial's first choice, and saves itself by `dump`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers.adapters.models import model_path
from benchmarks.peers.protocol import Record, Reply, serve

_K = 20


class LangChain:
    """Splitter, embeddings, in-memory vector store."""

    def __init__(self, model: str) -> None:
        from langchain_huggingface import HuggingFaceEmbeddings  # noqa: PLC0415 - counted in the cold start

        self._model = model
        self._embeddings = HuggingFaceEmbeddings(model_name=model_path(model))

    def about(self) -> dict[str, str]:
        """As `Peer`."""
        names = ("langchain", "langchain-core", "langchain-huggingface", "langchain-text-splitters")
        return {
            "version": ", ".join(f"{name} {version(name)}" for name in names),
            "settings": f"RecursiveCharacterTextSplitter 1000/200, InMemoryVectorStore, {self._model}",
        }

    def build(self, records: Sequence[Record], store: Path) -> None:
        """As `Peer`."""
        from langchain_core.vectorstores import InMemoryVectorStore  # noqa: PLC0415 - counted in the cold start

        self._store = InMemoryVectorStore(self._embeddings)
        self._put(records)
        self.save(store)

    def open(self, store: Path) -> None:
        """As `Peer`."""
        from langchain_core.vectorstores import InMemoryVectorStore  # noqa: PLC0415 - counted in the cold start

        self._store = InMemoryVectorStore.load(str(store / "store.json"), self._embeddings)

    def answer(self, question: str) -> Any:
        """As `Peer`."""
        return self._store.similarity_search(question, k=_K)

    def reply(self, question: str, found: Any) -> Reply:
        """As `Peer`: the first piece is its citation; `start_index` counts in title and text."""
        hits = []
        for piece in found:
            start = piece.metadata["start_index"] - piece.metadata["shift"]
            hits.append((piece.metadata["source"], max(0, start), max(0, start + len(piece.page_content))))
        return Reply(hits, hits[:1])

    def add(self, record: Record) -> None:
        """As `Peer`."""
        self._put([record])

    def delete(self, name: str) -> None:
        """As `Peer`."""
        self._store.delete([key for key, piece in self._store.store.items() if piece["metadata"]["source"] == name])

    def save(self, store: Path) -> None:
        """As `Peer`."""
        self._store.dump(str(store / "store.json"))

    def names(self) -> set[str]:
        """As `Peer`."""
        return {piece["metadata"]["source"] for piece in self._store.store.values()}

    def _put(self, records: Sequence[Record]) -> None:
        from langchain_core.documents import Document  # noqa: PLC0415 - only building needs it
        from langchain_text_splitters import RecursiveCharacterTextSplitter  # noqa: PLC0415 - only building needs it

        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)
        documents = [
            Document(record.full_text, metadata={"source": record.id, "shift": record.shift}) for record in records
        ]
        self._store.add_documents(splitter.split_documents(documents))


if __name__ == "__main__":
    serve(LangChain(sys.argv[1]))
