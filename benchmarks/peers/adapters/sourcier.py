"""Sourcier itself, through `CorpusIndex` and `Chatbot`, as its README does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.protocol import Record, Reply, serve
from index import CorpusIndex, Document, Hit
from qa import Chatbot

_K = 20


class Sourcier:
    """The chatbot, or its search alone."""

    def __init__(self, *, search_only: bool) -> None:
        self._search_only = search_only

    def about(self) -> dict[str, str]:
        """As `Peer`."""
        found = ["git", "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(found, capture_output=True, text=True, check=True).stdout.strip()
        asked = "`CorpusIndex.search`" if self._search_only else "`Chatbot.ask`, bundled reader, abstains"
        return {"version": commit, "settings": f"{asked}; all defaults"}

    def build(self, records: Sequence[Record], store: Path) -> None:
        """As `Peer`."""
        self.open(store)
        self._corpus.put([_document(record) for record in records])

    def open(self, store: Path) -> None:
        """As `Peer`."""
        folder = store / "index"
        self._corpus = CorpusIndex.open(folder) if folder.exists() else CorpusIndex.create(folder)
        self._chatbot = Chatbot(self._corpus, remembers=False)

    def answer(self, question: str) -> Any:
        """As `Peer`."""
        return self._corpus.search(question, k=_K) if self._search_only else self._chatbot.ask(question)

    def reply(self, question: str, found: Any) -> Reply:
        """As `Peer`: of an answer its citations and the passages in the chatbot's order, of a search its passages."""
        if self._search_only:
            hits = _pieces(found)
            return Reply(hits, hits[:1])
        cited = [(each.document_id, each.start, each.end) for each in found.citations]
        return Reply(_pieces(self._chatbot.search(question, k=_K)), cited, found.answered)

    def add(self, record: Record) -> None:
        """As `Peer`."""
        self._corpus.put([_document(record)])

    def delete(self, name: str) -> None:
        """As `Peer`."""
        self._corpus.remove([name])

    def save(self, store: Path) -> None:
        """As `Peer`: a change is on disk when the call returns."""

    def names(self) -> set[str]:
        """As `Peer`."""
        return set(self._corpus.sources())


def _document(record: Record) -> Document:
    """Return the record as a document whose source is its id."""
    return Document(record.id, record.id, record.text, record.title or None, record.date)


def _pieces(hits: Sequence[Hit]) -> list[tuple[str, int, int]]:
    passages = [hit.passage for hit in hits]
    return [(passage.document.id, passage.span.start, passage.span.end) for passage in passages]


if __name__ == "__main__":
    serve(Sourcier(search_only="search" in sys.argv[1:]))
