"""bm25s and rank-bm25: bare engines that rank whole documents; neither can change an index.

bm25s as the "Quickstart" of its README with French stop words and the Snowball stemmer, as it advises for other
languages; rank-bm25 as its README, which splits at spaces, on lower-cased text. rank-bm25 keeps nothing on disk:
documents are read and indexed anew when it is opened.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers.protocol import Record, Reply, Unsupported, serve

_K = 20


class BareEngine:
    """What both share: documents beside the index, and no change."""

    _records: list[Record]

    def reply(self, question: str, found: Any) -> Reply:
        """As `Peer`: the first document, whole, is its citation."""
        hits = [(self._records[row].id, 0, len(self._records[row].text)) for row in found]
        return Reply(hits, hits[:1])

    def add(self, record: Record) -> None:
        """As `Peer`."""
        raise Unsupported("only by building anew")

    def delete(self, name: str) -> None:
        """As `Peer`."""
        raise Unsupported("only by building anew")

    def save(self, store: Path) -> None:
        """As `Peer`."""
        raise Unsupported("only by building anew")

    def names(self) -> set[str]:
        """As `Peer`."""
        return {record.id for record in self._records}

    def _write_records(self, store: Path) -> None:
        with (store / "documents.jsonl").open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(asdict(record), ensure_ascii=False) + "\n" for record in self._records)

    def _read_records(self, store: Path) -> None:
        with (store / "documents.jsonl").open(encoding="utf-8") as lines:
            self._records = [Record(**json.loads(line)) for line in lines]


class Bm25s(BareEngine):
    """bm25s with French words."""

    def __init__(self) -> None:
        import Stemmer  # noqa: PLC0415 - each peer loads only what it needs

        self._stemmer = Stemmer.Stemmer("french")

    def about(self) -> dict[str, str]:
        """As `Peer`."""
        return {"version": version("bm25s"), "settings": 'method lucene, k1 1.5, b 0.75, stopwords "fr", Snowball'}

    def build(self, records: Sequence[Record], store: Path) -> None:
        """As `Peer`."""
        import bm25s  # noqa: PLC0415 - each peer loads only what it needs

        self._records = list(records)
        self._engine = bm25s.BM25()
        self._engine.index(self._tokens([record.full_text for record in records]), show_progress=False)
        self._engine.save(str(store / "bm25s"))
        self._write_records(store)

    def open(self, store: Path) -> None:
        """As `Peer`."""
        import bm25s  # noqa: PLC0415 - each peer loads only what it needs

        self._engine = bm25s.BM25.load(str(store / "bm25s"), load_corpus=False)
        self._read_records(store)

    def answer(self, question: str) -> Any:
        """As `Peer`."""
        k = min(_K, len(self._records))
        rows, _ = self._engine.retrieve(self._tokens([question]), k=k, show_progress=False)
        return [int(row) for row in rows[0]]

    def _tokens(self, texts: list[str]) -> Any:
        import bm25s  # noqa: PLC0415 - each peer loads only what it needs

        return bm25s.tokenize(texts, stopwords="fr", stemmer=self._stemmer, show_progress=False)


class RankBm25(BareEngine):
    """rank-bm25 with words between spaces."""

    def about(self) -> dict[str, str]:
        """As `Peer`."""
        return {"version": version("rank-bm25"), "settings": "BM25Okapi, k1 1.5, b 0.75, `text.lower().split()`"}

    def build(self, records: Sequence[Record], store: Path) -> None:
        """As `Peer`."""
        self._records = list(records)
        self._write_records(store)
        self._index()

    def open(self, store: Path) -> None:
        """As `Peer`."""
        self._read_records(store)
        self._index()

    def answer(self, question: str) -> Any:
        """As `Peer`."""
        scores = self._engine.get_scores(question.lower().split())
        return (-scores).argsort(kind="stable")[:_K].tolist()

    def _index(self) -> None:
        from rank_bm25 import BM25Okapi  # noqa: PLC0415 - each peer loads only what it needs

        self._engine = BM25Okapi([record.full_text.lower().split() for record in self._records])


if __name__ == "__main__":
    serve(Bm25s() if sys.argv[1] == "bm25s" else RankBm25())
