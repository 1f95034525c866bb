"""Ranks the sentences of the hits: which of them answers the question, and how surely."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np

from index.analyze import Analyzer
from index.ranker import Ranker
from index.results import SearchResult
from index.trees import BoostedTrees, checking, read_model
from qa.confidence import Confidence
from qa.features import FEATURES, close_rows
from qa.span import find_short_answer
from qa.types import Evidence, Question

__all__ = ["READ_CLOSELY", "EvidenceRanker", "Ranking"]

READ_CLOSELY = 12
"""Sentences whose words are read for a short answer, which costs a millisecond each."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What `EvidenceRanker.rank` returns.

    Attributes:
        evidence: at most 12 sentences, best first; ``score`` is the probability that the sentence answers.
        confidence: probability that the first sentence answers and the question has an answer at all, in [0, 1].
        threshold: least confidence of an answer, as the shipped model was calibrated.
    """

    evidence: tuple[Evidence, ...]
    confidence: float
    threshold: float


class EvidenceRanker:
    """Reads the sentences that search ranked best for a short answer, and ranks them anew with what that tells.

    Args:
        analyzer: the analyzer that the index was made with.
    """

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer

    @cached_property
    def _trees(self) -> BoostedTrees:
        path = Path(str(files("qa").joinpath("models/evidence.json")))
        record = read_model(path)
        with checking(path):
            return BoostedTrees.from_record(record, names=FEATURES)

    @cached_property
    def _confidence(self) -> Confidence:
        return Confidence.bundled()

    def rank(self, question: Question, found: SearchResult) -> Ranking:
        """Rank the sentences of the hits, each once, and say how surely the first one answers."""
        ranked = found.ranked or Ranker.bundled().rank_sentences(
            found.asked, found.hits, analyzer=self._analyzer, soft=found.soft
        )
        closely = np.argsort(-ranked.log_odds, kind="stable")[:READ_CLOSELY]
        if not len(closely):
            return Ranking((), 0.0, self._confidence.threshold)
        sentences = [ranked.found[place].sentence for place in closely]
        answers = [find_short_answer(question, sentence, analyzer=self._analyzer) for sentence in sentences]
        rows = close_rows(question.kind, ranked.rows[closely], ranked.log_odds[closely], answers)
        log_odds = self._trees.log_odds(rows)
        order = np.argsort(-log_odds, kind="stable")
        evidence = []
        for i in order:
            answer = answers[i]
            score = 1.0 / (1.0 + math.exp(-log_odds[i]))
            evidence.append(Evidence(sentences[i], score, answer.span if answer else None))
        confidence = self._confidence.probability(rows[order], log_odds[order])
        return Ranking(tuple(evidence), confidence, self._confidence.threshold)
