"""Chatbot: from a question to an answer with citations, in reading order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from index.corpus import CorpusIndex
from index.filters import Filter
from index.results import SearchResult
from index.search import check_k
from index.types import Hit
from qa.conversation import carry_over
from qa.evidence import EvidenceRanker, Ranking
from qa.generate import ExtractiveGenerator, Generator, cite, refusal, short_answer
from qa.question import read_question
from qa.reader import Reader, open_reader
from qa.reranker import Reranker
from qa.types import Answer, DateRange, Evidence, Question, Statement

__all__ = ["N_HITS", "Chatbot", "Conversation"]

N_HITS = 20
"""Passages whose sentences are read."""

_MAX_CITATIONS = 3
_N_NEAREST = 3

_FURTHER = 0.5
"""A further sentence is cited when it is at least this likely to answer, and half as likely as the first."""


class Chatbot:
    """Answers questions from a corpus, each answer with the sentences that prove it.

    Args:
        corpus: the index to answer from.
        generator: writes the answer; the extractive one by default.
        reranker: puts the passages found in a better order before their sentences are read; None leaves that of search.
        reader: reads the best sentences for the answer: ``bundled``, ``none``, the name of a model (see
            `qa.reader.open_reader`), which is opened at the first question, or a reader.
        threshold: least confidence of an answer, in [0, 1]; below it the chatbot abstains. None takes the one that
            the shipped model was calibrated to.
    """

    def __init__(
        self,
        corpus: CorpusIndex,
        *,
        generator: Generator | None = None,
        reranker: Reranker | None = None,
        reader: Reader | str = "bundled",
        threshold: float | None = None,
    ) -> None:
        self._corpus = corpus
        self._reranker = reranker
        self._reader = reader
        self._generator = generator or ExtractiveGenerator()
        self._threshold = threshold

    @cached_property
    def _ranker(self) -> EvidenceRanker:
        reader = open_reader(self._reader) if isinstance(self._reader, str) else self._reader
        return EvidenceRanker(self._corpus.analyzer, reader)

    @property
    def mode(self) -> str:
        """What answers, as shown to the user: the generator, the embedding model, the reranker if any, the reader."""
        name = self._corpus.embedder.name
        parts = [self._generator.name, "modèle embarqué" if name == "bundled" else f"modèle {name}"]
        if self._reranker is not None:
            parts.append(f"reclassement {self._reranker.name}")
        reader = self._reader if isinstance(self._reader, str) else self._reader.name
        parts.append({"bundled": "lecteur embarqué", "none": "sans lecteur"}.get(reader, f"lecteur {reader}"))
        return " · ".join(parts)

    def ask(
        self,
        question: str,
        *,
        since: str | None = None,
        until: str | None = None,
        sources: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Answer a question by itself.

        Args:
            question: in plain French, 1 to 2,000 characters.
            since: ISO date of any precision; only documents dated then or later are asked.
            until: ISO date; only documents dated then or earlier.
            sources: only documents of these files, folders or single records.
            where: only documents with these values in these metadata fields; see `CorpusIndex.search`.

        Returns:
            The answer, or a refusal with the nearest sentences as citations.

        Raises:
            InputError: if the question is empty or too long, a date is none or a value cannot be compared.
        """
        only = Filter.of(since=since, until=until, sources=sources, where=where)
        return self._ask(question, understood_as=None, only=only)

    def search(
        self,
        question: str,
        *,
        k: int = N_HITS,
        since: str | None = None,
        until: str | None = None,
        sources: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
    ) -> list[Hit]:
        """Return passages in the order that the answer is sought in: that of search, the reranker and the reader.

        Args:
            question: as `ask`.
            k: most passages, at least 1; the reranker and the reader order the first 20.
            since: as `ask`.
            until: as `ask`.
            sources: as `ask`.
            where: as `ask`.

        Raises:
            InputError: as `ask`, and if ``k < 1``.
        """
        check_k(k)
        only = Filter.of(since=since, until=until, sources=sources, where=where)
        read = read_question(question, understood_as=None, dates=None)
        _, found, ranking = self._find(read, only, {}, k=max(k, N_HITS))
        return [*ranking.hits, *found.hits[N_HITS:]][:k]

    def conversation(self) -> Conversation:
        """Start a conversation that remembers its own turns only."""
        return Conversation(self)

    def _ask(self, text: str, *, understood_as: str | None, only: Filter) -> Answer:
        timings: dict[str, float] = {}
        with _timed(timings, "question"):
            dates = DateRange(only.since, only.until) if only.since or only.until else None
            question = read_question(text, understood_as=understood_as, dates=dates)
        question, found, ranking = self._find(question, only, timings, k=N_HITS)
        threshold = ranking.threshold if self._threshold is None else self._threshold
        answered = bool(ranking.evidence) and ranking.confidence >= threshold
        with _timed(timings, "answer"):
            evidence = _chosen(ranking.evidence) if answered else ranking.evidence[:_N_NEAREST]
            citations = cite(evidence)
            statements: tuple[Statement, ...] = ()
            if answered:
                draft = self._generator.generate(question, evidence, citations)
                answer_text, statements, reason = draft.text, draft.statements, None
            else:
                answer_text = reason = refusal(question, len(evidence))
        return Answer(
            question=question.text,
            understood_as=question.understood_as,
            answered=answered,
            text=answer_text,
            short_answer=short_answer(evidence[0]) if answered else None,
            confidence=ranking.confidence,
            reason=reason,
            citations=citations,
            generation=found.generation,
            mode=self.mode,
            statements=statements,
            timings_ms=timings,
        )

    def _find(
        self, question: Question, only: Filter, timings: dict[str, float], *, k: int
    ) -> tuple[Question, SearchResult, Ranking]:
        """Search, and rank the sentences of the first 20 passages found; ``found`` has the others after them."""
        with _timed(timings, "search"):
            found = self._corpus.search_in_full(question.understood_as, k=k, only=only)
            question = replace(question, understood_as=found.asked.text)
        first = found if k == N_HITS else replace(found, hits=found.hits[:N_HITS])
        if self._reranker is not None:
            with _timed(timings, "rerank"):
                first = first.with_hits(self._reranker.rerank(question.understood_as, first.hits))
        with _timed(timings, "evidence"):
            ranking = self._ranker.rank(question, first)
        return question, found, ranking


class Conversation:
    """Questions that follow one another: a subject left out is carried over from the turn before."""

    def __init__(self, chatbot: Chatbot) -> None:
        self._chatbot = chatbot
        self._last: Answer | None = None

    def ask(
        self,
        question: str,
        *,
        since: str | None = None,
        until: str | None = None,
        sources: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Answer the next question; `Answer.understood_as` shows how it was read. Arguments as `Chatbot.ask`."""
        only = Filter.of(since=since, until=until, sources=sources, where=where)
        understood = carry_over(question, self._last.understood_as) if self._last else None
        answer = self._chatbot._ask(question, understood_as=understood, only=only)
        self._last = answer
        return answer


def _chosen(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return the first sentence, and the further ones that are as good as sure to answer too."""
    first = evidence[0]
    further = [piece for piece in evidence[1:_MAX_CITATIONS] if piece.score >= max(_FURTHER, first.score / 2.0)]
    return [first, *further]


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings[stage] = round(1000.0 * (time.perf_counter() - start), 3)
