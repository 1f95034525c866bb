"""txtai: an embeddings database with content and hybrid search, whole documents as in its introduction."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers.adapters.models import model_path
from benchmarks.peers.protocol import Record, Reply, serve

_K = 20


class Txtai:
    """Embeddings with a sparse index beside the dense one."""

    def __init__(self, model: str) -> None:
        from txtai import Embeddings  # noqa: PLC0415 - counted in the cold start

        self._model, self._path = model, model_path(model)
        self._embeddings = Embeddings(path=self._path, content=True, hybrid=True)

    def about(self) -> dict[str, str]:
        """As `Peer`."""
        return {"version": f"txtai {version('txtai')}", "settings": f"content, hybrid, whole documents, {self._model}"}

    def build(self, records: Sequence[Record], store: Path) -> None:
        """As `Peer`."""
        self._embeddings.index([(record.id, record.full_text, None) for record in records])
        self.save(store)

    def open(self, store: Path) -> None:
        """As `Peer`."""
        self._embeddings.load(str(store / "embeddings"))

    def answer(self, question: str) -> Any:
        """As `Peer`."""
        return self._embeddings.search(question, _K)

    def reply(self, question: str, found: Any) -> Reply:
        """As `Peer`: the first document, whole, is its citation; a title before the text only adds to its length."""
        hits = [(str(row["id"]), 0, len(row["text"])) for row in found]
        return Reply(hits, hits[:1])

    def add(self, record: Record) -> None:
        """As `Peer`."""
        self._embeddings.upsert([(record.id, record.full_text, None)])

    def delete(self, name: str) -> None:
        """As `Peer`."""
        self._embeddings.delete([name])

    def save(self, store: Path) -> None:
        """As `Peer`."""
        self._embeddings.save(str(store / "embeddings"))

    def names(self) -> set[str]:
        """As `Peer`."""
        return {str(row["id"]) for row in self._embeddings.search("select id from txtai", self._embeddings.count())}


if __name__ == "__main__":
    serve(Txtai(sys.argv[1]))
