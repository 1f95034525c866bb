"""The learned ranking of passages: boosted trees over what the segments say of each, then over their sentences.

The first trees (LambdaMART: Burges, 2010) look at every candidate without reading it. The best of them are read, and
the second trees say of each sentence how likely it is to answer. A passage is as good as its first score and its best
sentence say together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.asked import Asked
from index.passage_features import PASSAGE_FEATURES
from index.sentence_features import SENTENCE_FEATURES, FoundSentence, distinct_sentences, sentence_rows
from index.soft_match import SoftMatch
from index.trees import BoostedTrees, checking, read_model
from index.types import Hit

__all__ = ["N_READ", "RankedSentences", "Ranker"]

N_READ = 16
"""Passages whose sentences are read."""


@dataclass(frozen=True, slots=True, eq=False)
class RankedSentences:
    """The sentences of some hits, each once, in the order of the hits.

    Attributes:
        found: the sentences.
        rows: their `SENTENCE_FEATURES`, shape ``(n, n_features)``.
        log_odds: that each answers, by the trees, shape ``(n,)``.
    """

    found: tuple[FoundSentence, ...]
    rows: NDArray[np.float64]
    log_odds: NDArray[np.float64]

    def best_of(self, hits: Sequence[Hit]) -> NDArray[np.float64]:
        """Return the log-odds of the best sentence of each hit, shape ``(len(hits),)``."""
        places = {each.sentence.place: i for i, each in enumerate(self.found)}
        return np.array(
            [
                max(self.log_odds[places[sentence.place]] for sentence in sentences)
                if (sentences := hit.passage.sentences)
                else -np.inf
                for hit in hits
            ]
        )


class Ranker:
    """Ranks passages, and the sentences of the best.

    Args:
        passages: trees over `PASSAGE_FEATURES`.
        sentences: trees over `SENTENCE_FEATURES`.
        sentence_weight: how much the best sentence of a passage counts beside the passage's own score.
    """

    def __init__(self, passages: BoostedTrees, sentences: BoostedTrees, *, sentence_weight: float) -> None:
        self._passages = passages
        self._sentences = sentences
        self._sentence_weight = sentence_weight

    @classmethod
    @lru_cache(maxsize=1)
    def bundled(cls) -> Ranker:
        """Read the model that is shipped.

        Raises:
            ModelError: if it cannot be read, or was trained on other features.
        """
        return cls.read(Path(str(files("index").joinpath("models/ranker.json"))))

    @classmethod
    def read(cls, path: Path) -> Ranker:
        """Read a model that `training.train_ranking` wrote.

        Raises:
            ModelError: if it cannot be read, or was trained on other features.
        """
        record = read_model(path)
        with checking(path):
            return cls(
                BoostedTrees.from_record(record["passages"], names=PASSAGE_FEATURES),
                BoostedTrees.from_record(record["sentences"], names=SENTENCE_FEATURES),
                sentence_weight=float(record["sentence_weight"]),
            )

    def score_passages(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the score of each candidate, shape ``(n,)``, from its `PASSAGE_FEATURES`."""
        return self._passages.log_odds(rows)

    def rank_sentences(
        self, asked: Asked, hits: Sequence[Hit], *, analyzer: Analyzer, soft: SoftMatch
    ) -> RankedSentences:
        """Say of each sentence of the hits how likely it is to answer; arguments as `sentence_rows`."""
        found = distinct_sentences(hits)
        if not found:
            return RankedSentences((), np.empty((0, len(SENTENCE_FEATURES))), np.empty(0))
        rows = sentence_rows(asked, found, hits, analyzer=analyzer, soft=soft)
        return RankedSentences(tuple(found), rows, self._sentences.log_odds(rows))

    def final_scores(self, hits: Sequence[Hit], sentences: RankedSentences) -> NDArray[np.float64]:
        """Return what the passages read are worth, shape ``(len(hits),)``."""
        own = np.array([hit.score for hit in hits])
        return own + self._sentence_weight * sentences.best_of(hits)
