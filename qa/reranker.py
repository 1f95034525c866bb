"""Rerankers: the passages that search found, put in the order of a model that reads question and passage together."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from index.catalog import text_hash
from index.prepare import embedded_text
from index.score import PairScorer, SentenceTransformerScorer
from index.types import Hit

__all__ = ["ModelReranker", "Reranker", "open_reranker"]

_CACHED = 4_096
"""Scores kept: those of the last two hundred questions with twenty passages each, some 500 bytes a score."""

_DIGITS = 5
"""Digits of a score that count: below them it depends on which passages are scored together."""


class Reranker(Protocol):
    """Puts the hits of a search in a better order."""

    @property
    def name(self) -> str:
        """The model as shown to the user: a folder or a hub name."""
        ...

    def rerank(self, question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """Return the same passages, best first.

        Args:
            question: the question as it was searched.
            hits: what search found, best first; may be empty.

        Raises:
            ModelError: if the model fails.
        """
        ...


class ModelReranker:
    """Orders hits by the scores of a model, keeps the last scores, and gives the scores of search out again.

    The first hit afterwards has the highest score of search, the second the next, and so on: what weighs such scores
    was fitted to those of search, and a model's own have another range. Where the model scores two passages alike, they
    keep the order of search.

    Args:
        scorer: scores passages, with the title of their document before the text, as they are embedded.
    """

    def __init__(self, scorer: PairScorer) -> None:
        self._scorer = scorer
        self._scores: OrderedDict[tuple[str, bytes], float] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The model as shown to the user."""
        return self._scorer.name

    def rerank(self, question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """Return the same passages, best first; see `Reranker.rerank`."""
        scores = self._score(question, [embedded_text(hit.passage.document, hit.passage.text) for hit in hits])
        order = sorted(range(len(hits)), key=lambda place: -scores[place])
        given = sorted((hit.score for hit in hits), reverse=True)
        return tuple(replace(hits[place], score=score) for place, score in zip(order, given, strict=True))

    def _score(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return one score a text; only those that are not kept from before are asked of the model."""
        keys = [(question, text_hash(text)) for text in texts]
        with self._lock:
            known = {key: self._scores[key] for key in keys if key in self._scores}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            found = self._scorer.scores(question, list(missing.values())).tolist()
            known |= {key: round(score, _DIGITS) for key, score in zip(missing, found, strict=True)}
        with self._lock:
            for key in keys:
                self._scores[key] = known[key]
                self._scores.move_to_end(key)
            while len(self._scores) > _CACHED:
                self._scores.popitem(last=False)
        return [known[key] for key in keys]


def open_reranker(name: str) -> ModelReranker:
    """Open the reranker that the user chose; importing sentence-transformers takes seconds.

    Args:
        name: a folder or a hub name of a cross-encoder or a late-interaction model of sentence-transformers.

    Raises:
        ModelError: if the model cannot be found or loaded, or is of another kind.
    """
    return ModelReranker(SentenceTransformerScorer.open(name))
