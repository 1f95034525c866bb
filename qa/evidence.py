"""Ranks the sentences of the hits: which of them answers the question, and how surely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.corpus import SearchResult
from index.types import Hit, Sentence
from qa.confidence import Confidence
from qa.features import CHEAP_FEATURES, FEATURES, Context, QuestionTerms, SentenceTerms, features
from qa.span import ScoredSpan, find_short_answer
from qa.trees import BoostedTrees
from qa.types import Evidence, Question

__all__ = ["READ_CLOSELY", "Candidate", "EvidenceRanker", "Ranking", "cheap_rows", "full_rows"]

READ_CLOSELY = 12
"""Sentences whose words are read for a short answer, which costs a millisecond each."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of the hits with its features, before any is read closely."""

    sentence: Sentence
    cheap: dict[str, float]


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
    """Scores sentences with boosted trees over `qa.features`: all of them cheaply, then the best of them closely.

    Args:
        analyzer: the analyzer that the index was made with.
    """

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer

    @cached_property
    def _first(self) -> BoostedTrees:
        return BoostedTrees.bundled("first.json", names=CHEAP_FEATURES)

    @cached_property
    def _second(self) -> BoostedTrees:
        return BoostedTrees.bundled("evidence.json", names=FEATURES)

    @cached_property
    def _confidence(self) -> Confidence:
        return Confidence.bundled()

    def rank(self, question: Question, found: SearchResult) -> Ranking:
        """Rank the sentences of the hits, each once, and say how surely the first one answers."""
        candidates = self.candidates(question, found)
        if not candidates:
            return Ranking((), 0.0, self._confidence.threshold)
        first = self._first.log_odds(cheap_rows(candidates))
        closely = np.argsort(-first, kind="stable")[:READ_CLOSELY]
        chosen = [candidates[i] for i in closely]
        answers = [find_short_answer(question, c.sentence, analyzer=self._analyzer) for c in chosen]
        rows = full_rows(cheap_rows(chosen), first[closely], answers)
        log_odds = self._second.log_odds(rows)
        order = np.argsort(-log_odds, kind="stable")
        evidence = []
        for i in order:
            answer = answers[i]
            score = 1.0 / (1.0 + math.exp(-log_odds[i]))
            evidence.append(Evidence(chosen[i].sentence, score, answer.span if answer else None))
        confidence = self._confidence.probability(rows[order], log_odds[order])
        return Ranking(tuple(evidence), confidence, self._confidence.threshold)

    def candidates(self, question: Question, found: SearchResult) -> list[Candidate]:
        """Return every sentence of the hits, once, with its cheap features."""
        asked = QuestionTerms.read(question, self._analyzer.tokens(question.understood_as), found.idfs)
        candidates = self._candidates(asked, found)
        for name, of in (("bm25_rank", "bm25"), ("dense_rank", "sentence_dense")):
            best = max((candidate.cheap[of] for candidate in candidates), default=0.0)
            for candidate in candidates:
                candidate.cheap[name] = candidate.cheap[of] / best if best > 0.0 else 0.0
        return candidates

    def _candidates(self, asked: QuestionTerms, found: SearchResult) -> list[Candidate]:
        seen: set[tuple[str, int]] = set()
        parts: list[tuple[Hit, int, int, list[list[str]], frozenset[str]]] = []
        for rank, hit in enumerate(found.hits):
            sentences = [self._analyzer.terms(sentence.text) for sentence in hit.passage.sentences]
            title = frozenset(self._analyzer.terms(hit.passage.document.title or ""))
            for place, sentence in enumerate(hit.passage.sentences):
                key = (sentence.document.source, sentence.span.start)
                if key not in seen:
                    seen.add(key)
                    parts.append((hit, rank, place, sentences, title))
        texts = [hit.passage.sentences[place].text for hit, _, place, _, _ in parts]
        dense = found.embedder.embed_passages(texts) @ found.vector
        best = found.hits[0].score if found.hits else 0.0
        candidates = []
        for (hit, rank, place, sentences, title), cosine in zip(parts, dense, strict=True):
            sentence = hit.passage.sentences[place]
            context = Context(
                before=sentences[place - 1] if place else (),
                after=sentences[place + 1] if place + 1 < len(sentences) else (),
                title=title,
                passage=frozenset(term for terms in sentences for term in terms),
                position=hit.passage.first + place,
                passage_rank=rank,
                passage_score=hit.score,
                best_score=best,
                passage_dense=hit.dense_score,
                sentence_dense=float(cosine),
            )
            terms = SentenceTerms(sentence.text, sentences[place])
            candidates.append(Candidate(sentence, features(asked, terms, context)))
        return candidates


def cheap_rows(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return the columns of the first trees, shape ``(n, len(CHEAP_FEATURES))``."""
    return np.array([[candidate.cheap[name] for name in CHEAP_FEATURES] for candidate in candidates], dtype=np.float64)


def full_rows(
    cheap: NDArray[np.float64], first: NDArray[np.float64], answers: Sequence[ScoredSpan | None]
) -> NDArray[np.float64]:
    """Return the columns of the second trees, shape ``(n, len(FEATURES))``.

    Args:
        cheap: the columns of the first trees, shape ``(n, len(CHEAP_FEATURES))``.
        first: the log-odds that they gave, shape ``(n,)``.
        answers: the short answer of each sentence, or None.
    """
    scores = np.array([answer.score if answer else 0.0 for answer in answers], dtype=np.float64)
    best = scores.max(initial=0.0)
    return np.column_stack([cheap, first, scores, scores / best if best else scores])
