"""Ranks the sentences of the hits: which of them answers the question, and how surely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.ranker import N_READ, RankedSentences, Ranker
from index.results import SearchResult
from index.search import reorder
from index.trees import BoostedTrees, checking, read_model
from index.types import Hit, Sentence, Span
from qa.agreement import n_agreeing, with_agreement
from qa.answer_types import fit_of
from qa.balance import balanced
from qa.confidence import Confidence
from qa.features import CLOSE_FEATURES, READ_FEATURES, SentenceReading, close_rows, read_rows
from qa.reader import Reader, Readings, RememberingReader
from qa.span import find_short_answer
from qa.types import Evidence, Question
from qa.windows import windows_of

__all__ = ["READ_CLOSELY", "EvidenceRanker", "Ranking", "read_sentences"]

READ_CLOSELY = 12
"""Sentences whose words are read for a short answer without a reader, which costs a millisecond each."""

_BATCHES = (4, 4, 4)
"""Windows that are read, and how many more at a time while none surely answers."""
_SURE = -1.0
"""Log-odds of a sentence above which no more windows are read: on training questions the answer is found as often."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What `EvidenceRanker.rank` returns.

    Attributes:
        evidence: sentences, best first; ``score`` is the probability that the sentence answers.
        confidence: probability that the first sentence answers and the question has an answer at all, in [0, 1].
        threshold: least confidence of an answer, as the shipped model was calibrated.
        hits: the passages found; with a reader, those whose sentences it read come first, in the order of these.
    """

    evidence: tuple[Evidence, ...]
    confidence: float
    threshold: float
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Sentences with what is known of each: `CLOSE_FEATURES`, or `READ_FEATURES` with a reader."""

    sentences: Sequence[Sentence]
    rows: NDArray[np.float64]
    answers: Sequence[Span | None]


class EvidenceRanker:
    """Reads the sentences that search ranked best for a short answer, and ranks them anew with what that tells.

    Args:
        analyzer: the analyzer that the index was made with.
        reader: reads the windows around the best sentences; None looks for short answers by rules and weights.
    """

    def __init__(self, analyzer: Analyzer, reader: Reader | None = None) -> None:
        self._analyzer = analyzer
        self._reader = reader

    @cached_property
    def _trees(self) -> BoostedTrees:
        name = "evidence" if self._reader is None else "evidence-reader"
        path = Path(str(files("qa").joinpath(f"models/{name}.json")))
        record = read_model(path)
        with checking(path):
            return BoostedTrees.from_record(record, names=CLOSE_FEATURES if self._reader is None else READ_FEATURES)

    @cached_property
    def _confidence(self) -> Confidence:
        return Confidence.bundled(with_reader=self._reader is not None)

    @property
    def threshold(self) -> float:
        """Least confidence of an answer, as the shipped model was calibrated."""
        return self._confidence.threshold

    def rank(self, question: Question, found: SearchResult, *, known: Readings | None = None) -> Ranking:
        """Rank the sentences of the hits, each once, and say how surely the first one answers.

        Args:
            question: as it was searched.
            found: what search found.
            known: what was read before in answering the same question, which is not read again; gets what is read now.
        """
        hits = found.hits[:N_READ]
        ranked = found.ranked or Ranker.bundled().rank_sentences(
            found.asked, hits, analyzer=self._analyzer, soft=found.soft
        )
        if not ranked.found:
            return Ranking((), 0.0, self._confidence.threshold, found.hits)
        looked_at = self._close(question, ranked) if self._reader is None else self._read(question, ranked, hits, known)
        log_odds = self._trees.log_odds(looked_at.rows)
        order = np.argsort(-log_odds, kind="stable")
        evidence = tuple(
            Evidence(looked_at.sentences[i], 1.0 / (1.0 + math.exp(-log_odds[i])), looked_at.answers[i]) for i in order
        )
        alone = self._confidence.probability(looked_at.rows[order], log_odds[order])
        confidence = with_agreement(alone, n_agreeing(evidence))
        in_order = found.hits if self._reader is None else _in_order_of(evidence, found.hits)
        return Ranking(evidence, confidence, self._confidence.threshold, in_order)

    def _close(self, question: Question, ranked: RankedSentences) -> _Rows:
        places = np.argsort(-ranked.log_odds, kind="stable")[:READ_CLOSELY]
        sentences = [ranked.found[place].sentence for place in places]
        answers = [find_short_answer(question, sentence, analyzer=self._analyzer) for sentence in sentences]
        rows = close_rows(question.kind, ranked.rows[places], ranked.log_odds[places], answers)
        return _Rows(sentences, rows, [answer.span if answer else None for answer in answers])

    def _read(self, question: Question, ranked: RankedSentences, hits: Sequence[Hit], known: Readings | None) -> _Rows:
        assert self._reader is not None
        reader = self._reader if known is None else RememberingReader(self._reader, known)
        readings = read_sentences(reader, question, ranked, hits)
        places = np.array(list(readings))
        rows = read_rows(question.kind, ranked.rows[places], ranked.log_odds[places], list(readings.values()))
        return _Rows(
            [ranked.found[place].sentence for place in places],
            rows,
            [_short_answer(ranked.found[place].sentence, reading) for place, reading in readings.items()],
        )


def _short_answer(sentence: Sentence, reading: SentenceReading) -> Span | None:
    """Return the words that a reader found, with whole brackets and quotation marks; None where it found none."""
    if not len(reading.span):
        return None
    whole = balanced(sentence.document.text, reading.span)
    return whole if sentence.span.start <= whole.start and whole.end <= sentence.span.end else reading.span


def read_sentences(
    reader: Reader, question: Question, ranked: RankedSentences, hits: Sequence[Hit]
) -> dict[int, SentenceReading]:
    """Read the windows around the best sentences: four, and up to twice four more while none of them surely answers.

    Args:
        reader: reads them.
        question: as it was searched.
        ranked: the sentences of the hits, at least one.
        hits: best first.

    Returns:
        what was read of each sentence, by its place in ``ranked``, in the order of reading.
    """
    places = {each.sentence.place: place for place, each in enumerate(ranked.found)}
    windows = windows_of(ranked, hits)
    readings: dict[int, SentenceReading] = {}
    for n_windows in _BATCHES:
        batch = list(islice(windows, n_windows))
        for window, said in zip(batch, reader.read(question.understood_as, batch), strict=True):
            for number, sentence in enumerate(window.sentences):
                place, log_odds = places[sentence.place], said.sentences[number]
                if place not in readings or readings[place].reads < log_odds:  # windows may overlap
                    span, score = said.spans[number], said.span_scores[number]
                    fit = _fit(question, sentence, span)
                    readings[place] = SentenceReading(said.answers, log_odds, span, score, fit)
        if max(reading.reads for reading in readings.values()) > _SURE:
            break
    return readings


def _fit(question: Question, sentence: Sentence, span: Span) -> float:
    text = sentence.document.text
    after = text[span.end : sentence.span.end]
    return fit_of(question.kind, question.understood_as, text[span.start : span.end], after=after)


def _in_order_of(evidence: Sequence[Evidence], hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Return the hits that hold evidence in its order, then the others as they were."""
    ranks = {each.sentence.place: rank for rank, each in enumerate(evidence)}
    last = len(ranks)
    best = [min((ranks.get(each.place, last) for each in hit.passage.sentences), default=last) for hit in hits]
    return tuple(reorder(hits, -np.array(best, dtype=np.float64) * len(hits) - np.arange(len(hits))))
