"""Chatbot: from a question to an answer with citations, in reading order."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from index.corpus import CorpusIndex
from index.errors import InputError
from index.filters import Filter
from index.rank import FusionWeights
from index.results import SearchResult
from index.search import check_k
from index.searchable import Searchable
from index.types import Hit
from qa.agreement import MAX_CITATIONS, choose_evidence
from qa.asked_dates import AskedDates, read_asked_dates, without_dates
from qa.calibration import calibration_file, read_calibration
from qa.conversation import Turn, carry_over
from qa.defining import define
from qa.demonyms import with_adjectives
from qa.dialogue import Conversation, turn_of
from qa.evidence import EvidenceRanker, Ranking
from qa.generate import (
    WHICH_DOCUMENT,
    Draft,
    ExtractiveGenerator,
    Generator,
    StreamingGenerator,
    cite,
    other_dates,
    quote,
    refusal,
    short_answer,
)
from qa.memory import AnswerMemory
from qa.question import read_question
from qa.quoting import quote_speaker
from qa.reader import Reader, Readings, open_reader
from qa.reranker import Reranker
from qa.sayings import SayingQuestion, read_saying_question
from qa.several import join_answers, split_questions
from qa.small_talk import asks_of_the_corpus, corpus_reply, reply_to
from qa.summary import SummaryRequest, find_document, read_summary_request, summarize
from qa.topics import N_SEARCHED, read_topic_request, sentences_about
from qa.types import Answer, Citation, DateRange, Evidence, Question

__all__ = ["N_HITS", "Chatbot", "Conversation"]

N_HITS = 20
"""Passages whose sentences are read."""

_N_NAMED = 3
"""Documents that are named to say what there is."""
_N_NEAREST = 3

_REMEMBERED_TIMINGS: Mapping[str, float] = {"remembered": 0.0}
"""Of an answer that was given before to the same question."""


@dataclass(frozen=True, slots=True)
class _Try:
    """What a search among some documents came to.

    Attributes:
        question: as it was searched.
        ranking: of the sentences found.
        generation: of the index that was asked.
        answered: whether the first sentence is sure enough to answer with.
        reads_dates: whether words of the question were read as dates of documents.
        notice: what the user should know of the dates, or None.
    """

    question: Question
    ranking: Ranking
    generation: int
    answered: bool
    reads_dates: bool = False
    notice: str | None = None


class Chatbot:
    """Answers questions from a corpus, each answer with the sentences that prove it.

    Args:
        corpus: the index to answer from.
        generator: writes the answer; the extractive one by default.
        reranker: puts the passages found in a better order before their sentences are read; None leaves that of search.
        reader: reads the best sentences for the answer: ``bundled``, ``none``, the name of a model (see
            `qa.reader.open_reader`), which is opened at the first question, or a reader.
        threshold: least confidence of an answer, in [0, 1]; below it the chatbot abstains. None takes what
            `python -m qa calibrate` found on this index with these models, else what the shipped model was calibrated
            to.
        today: the day that "hier" in a question counts from; None takes the day on which it is asked.
        remembers: whether a question that was answered before in this generation has the same answer at once.
    """

    def __init__(
        self,
        corpus: Searchable,
        *,
        generator: Generator | None = None,
        reranker: Reranker | None = None,
        reader: Reader | str = "bundled",
        threshold: float | None = None,
        today: datetime.date | None = None,
        remembers: bool = True,
    ) -> None:
        self._corpus = corpus
        self._reranker = reranker
        self._reader = reader
        self._generator = generator or ExtractiveGenerator()
        self._threshold = threshold
        self._today = today
        # Another kind of corpus may answer otherwise without a new generation.
        self._memory = AnswerMemory() if remembers and type(corpus) is CorpusIndex else None

    @cached_property
    def _ranker(self) -> EvidenceRanker:
        reader = open_reader(self._reader) if isinstance(self._reader, str) else self._reader
        return EvidenceRanker(self._corpus.analyzer, reader)

    @cached_property
    def _least_confidence(self) -> float:
        if self._threshold is not None:
            return self._threshold
        mode = self._mode(ExtractiveGenerator.name)
        calibration = read_calibration(calibration_file(self._corpus.directory), mode=mode)
        return self._ranker.threshold if calibration is None else calibration.threshold

    @property
    def corpus(self) -> Searchable:
        """The index that it answers from."""
        return self._corpus

    @property
    def writes(self) -> bool:
        """Whether the generator shows its text while it writes, as language models do."""
        return isinstance(self._generator, StreamingGenerator)

    def quoting(self) -> Chatbot:
        """Return the same chatbot without its language model, for questions that are only to be tried."""
        if not self.writes:
            return self
        other = copy(self)
        other._generator = ExtractiveGenerator()
        return other

    @property
    def mode(self) -> str:
        """What answers, as shown to the user: the generator, the embedding model, the reranker if any, the reader."""
        return self._mode(self._generator.name)

    def _mode(self, generator: str) -> str:
        name = self._corpus.embedder.name
        parts = [generator, "modèle embarqué" if name == "bundled" else f"modèle {name}"]
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
        read_dates: bool = True,
        n_citations: int = MAX_CITATIONS,
    ) -> Answer:
        """Answer a question by itself.

        Args:
            question: in plain French, 1 to 2,000 characters.
            since: ISO date of any precision; only documents dated then or later are asked.
            until: ISO date; only documents dated then or earlier.
            sources: only documents of these files, folders or single records.
            where: only documents with these values in these metadata fields; see `CorpusIndex.search`.
            read_dates: whether "en octobre 2022" in the question asks for documents of about then, where neither
                ``since`` nor ``until`` is given; `Answer.dates` says which were asked. Where these do not answer and
                others do, the answer is theirs, and `Answer.notice` says so.
            n_citations: most sentences that are quoted, at least 1; a language model cites what it used.

        Returns:
            The answer, or a refusal with the nearest sentences as citations.

        Raises:
            InputError: if the question is empty or too long, a date is none, a value cannot be compared, or
                ``n_citations < 1``.
        """
        only = Filter.of(since=since, until=until, sources=sources, where=where)
        *_, answer = self.stream_turn(
            question, understood_as=None, only=only, read_dates=read_dates, n_citations=n_citations
        )
        return answer

    def ask_after(
        self,
        question: str,
        *,
        before: Sequence[str],
        since: str | None = None,
        until: str | None = None,
        sources: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Answer a question that may be a follow-up of those before it, oldest first. Otherwise as `ask`."""
        only = Filter.of(since=since, until=until, sources=sources, where=where)
        turns = [Turn(text, read_question(text).kind) for text in before]
        *_, answer = self.stream_turn(question, understood_as=None, only=only, before=turns)
        return answer

    def stream(
        self,
        question: str,
        *,
        since: str | None = None,
        until: str | None = None,
        sources: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
        read_dates: bool = True,
        n_citations: int = MAX_CITATIONS,
    ) -> Iterator[Answer]:
        """Answer a question by itself, and show the answer while it is written. Arguments and errors as `ask`.

        Yields:
            The answer with the text so far and no statements, several times where a language model writes; then the
            whole, checked answer. Closing the iterator ends the request to the model.
        """
        only = Filter.of(since=since, until=until, sources=sources, where=where)
        return self.stream_turn(question, understood_as=None, only=only, read_dates=read_dates, n_citations=n_citations)

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

    def conversation(self, answers: Sequence[Answer] = ()) -> Conversation:
        """Start a conversation that remembers its own turns only, or go on from the answers of an earlier one."""
        return Conversation(self, answers=answers)

    def stream_turn(
        self,
        text: str,
        *,
        understood_as: str | None,
        only: Filter,
        read_dates: bool = True,
        before: Sequence[Turn] = (),
        last_cited: str | None = None,
        n_citations: int = MAX_CITATIONS,
    ) -> Iterator[Answer]:
        """Yield the answer, while it is written where a language model writes.

        Args:
            text: as typed.
            understood_as: the question by the user's own reading; None reads it, after ``before``.
            only: which documents may answer.
            read_dates: as `ask`.
            before: the turns before it.
            last_cited: source of the document that was cited last, or None.
            n_citations: as `ask`.
        """
        if n_citations < 1:
            raise InputError(f"n_citations {n_citations}: expected at least 1")
        if (reply := reply_to(text)) is not None:
            draft = Draft(reply, ())
            yield self._without_search(text, generation=self._corpus.generation, draft=draft, answered=False)
            return
        if asks_of_the_corpus(text):
            told = corpus_reply(self._corpus.status(), self._corpus.newest_documents(_N_NAMED))
            yield self._without_search(text, generation=self._corpus.generation, draft=Draft(told, ()), answered=False)
            return
        if (request := read_summary_request(understood_as or text)) is not None:
            yield self._summary(text, request, only, last_cited)
            return
        parts = (text,) if self.writes else split_questions(understood_as or text)
        if len(parts) == 1:
            understood = understood_as
            if understood is None:
                waiting = Draft("", (), is_written=True)
                for reading in self._understood(text, before):
                    understood = reading
                    if self.writes:  # the page shows that something is under way, and can stop it
                        yield self._without_search(text, generation=self._corpus.generation, draft=waiting)
            yield from self._answers_to_one(
                text, understood_as=understood, only=only, read_dates=read_dates, n_citations=n_citations
            )
            return
        answers: list[Answer] = []
        for part in parts:
            *_, understood = self._understood(part, before)
            *_, answer = self._answers_to_one(
                part, understood_as=understood, only=only, read_dates=read_dates, n_citations=n_citations
            )
            answers.append(answer)
            before = [*before, turn_of(answer)]
        yield join_answers(text.strip(), answers)

    def _answers_to_one(
        self, text: str, *, understood_as: str | None, only: Filter, read_dates: bool, n_citations: int
    ) -> Iterator[Answer]:
        today = self._today or datetime.date.today()
        asked_for = text, understood_as, only.key, read_dates, n_citations, today
        memory = None if self.writes else self._memory
        if memory is not None and (known := memory.get((self._corpus.generation, *asked_for))) is not None:
            yield known
            return
        timings: dict[str, float] = {}
        with _timed(timings, "question"):
            dates = DateRange(only.since, only.until) if only.since or only.until else None
            question = read_question(text, understood_as=understood_as, dates=dates)
            asked = read_asked_dates(question.understood_as, only, today=today) if read_dates else None
        tried = self._try_dates(question, only, asked, timings)
        if not tried.answered:  # what happened may well be told by one sentence, and is by several otherwise
            tried = self._about(question, asked.only if asked else only, timings, event=True) or tried
        question, ranking, answered = tried.question, tried.ranking, tried.answered
        start = time.perf_counter()
        for draft in self._drafts(question, ranking, answered=answered, n_citations=n_citations):
            timings["answer"] = round(1000.0 * (time.perf_counter() - start), 3)
            if draft.verify_ms is not None:
                timings["verify"] = round(draft.verify_ms, 3)
            citations = draft.citations or ()
            answer = Answer(
                question=question.text,
                understood_as=question.understood_as,
                answered=answered,
                text=draft.text,
                short_answer=_short_answer(question, citations, ranking.evidence) if answered else None,
                confidence=ranking.confidence,
                reason=None if answered else draft.text,
                citations=citations,
                generation=tried.generation,
                mode=self._mode(draft.written_by or self._generator.name),
                statements=draft.statements,
                timings_ms=dict(timings),
                notice=" ".join(part for part in (tried.notice, draft.notice) if part) or None,
                is_written=draft.is_written,
                dates=question.dates,
                dates_read=asked.words if asked and tried.reads_dates else None,
            )
            if memory is not None:
                memory.put((answer.generation, *asked_for), replace(answer, timings_ms=_REMEMBERED_TIMINGS))
            yield answer

    def _without_search(
        self, text: str, *, generation: int, draft: Draft, understood_as: str | None = None, answered: bool = True
    ) -> Answer:
        """Return an answer that nothing was searched for."""
        return Answer(
            question=text.strip(),
            understood_as=understood_as or text.strip(),
            answered=answered,
            text=draft.text,
            short_answer=None,
            confidence=float(answered),
            reason=None if answered else draft.text,
            citations=draft.citations or (),
            generation=generation,
            mode=self._mode(ExtractiveGenerator.name),
            statements=draft.statements,
            is_written=draft.is_written,
        )

    def _summary(self, text: str, request: SummaryRequest, only: Filter, last_cited: str | None) -> Answer:
        """Answer what a document is about with those of its sentences that say most, or ask which one is meant."""
        generation = self._corpus.generation
        document = find_document(request, self._corpus, only=only, last=last_cited)
        sentences = () if document is None else summarize(document, embedder=self._corpus.embedder)
        if document is None or not sentences:
            return self._without_search(text, generation=generation, draft=Draft(WHICH_DOCUMENT, ()), answered=False)
        return self._without_search(
            text,
            generation=generation,
            draft=quote([Evidence(sentence, 1.0) for sentence in sentences]),
            understood_as=f"De quoi parle « {document.title or document.source} » ?",
            answered=True,
        )

    def _try_dates(self, question: Question, only: Filter, asked: AskedDates | None, timings: dict[str, float]) -> _Try:
        """Look for the answer in the documents of the dates asked for, then, where those do not answer, in all."""
        if asked is None:
            return self._try(question, only, timings)
        dated = replace(question, dates=DateRange(asked.only.since, asked.only.until))
        known: Readings = {}
        within = self._try(dated, asked.only, timings, known)
        if within.answered:
            return replace(within, reads_dates=True)
        anywhere = self._try(question, only, timings, known)
        if not within.ranking.evidence and self._corpus.status().first_date is None:
            return anywhere  # without any date, no words can ask for some
        if not anywhere.answered:
            return replace(within if within.ranking.evidence else anywhere, reads_dates=True)
        return replace(anywhere, reads_dates=True, notice=other_dates(asked.words))

    def _try(self, question: Question, only: Filter, timings: dict[str, float], known: Readings | None = None) -> _Try:
        threshold = self._least_confidence
        with _timed(timings, "search"):
            defined = define(question.understood_as, self._corpus, only=only)
        if defined is not None and defined.evidence and defined.evidence[0].score >= threshold:
            evidence, hits = defined.evidence, defined.found.hits[:N_HITS]
            if self.writes:  # a language model makes something of more than the phrase
                _, _, more = self._find(question, only, timings, k=N_HITS, known=known)
                places = {piece.sentence.place for piece in evidence}
                evidence = (*evidence, *(piece for piece in more.evidence if piece.sentence.place not in places))
            ranking = Ranking(evidence, evidence[0].score, threshold, hits)
            return _Try(question, ranking, defined.found.generation, answered=True)
        if (told := self._about(question, only, timings)) is not None:
            return told
        question, found, ranking = self._find(question, only, timings, k=N_HITS, known=known)
        if (asked := read_saying_question(question.understood_as)) is not None:
            with _timed(timings, "evidence"):
                ranking = self._ranked_by_speaker(asked, ranking, only)
        answered = bool(ranking.evidence) and ranking.confidence >= threshold
        if answered and defined is not None:
            # The president of another country is no answer, however well the rest of the sentence fits.
            first = ranking.evidence[0]
            words = short_answer(question, first)
            answered = words is None or (first.sentence.document.source, words.lower()) not in defined.others
        return _Try(question, ranking, found.generation, answered)

    def _about(
        self, question: Question, only: Filter, timings: dict[str, float], *, event: bool = False
    ) -> _Try | None:
        """Return what documents say of a subject at large, where that is asked for and some are about it."""
        request = read_topic_request(without_dates(question.understood_as))
        if request is None or request.is_event != event:
            return None
        with _timed(timings, "search"):
            words = with_adjectives(request.topic)
            found = self._corpus.search_in_full(words, k=N_SEARCHED, only=only, weights=FusionWeights())
            evidence = sentences_about(request, found.hits, analyzer=self._corpus.analyzer, idfs=self._corpus.idfs)
        if not evidence or evidence[0].score < self._least_confidence:
            return None
        ranking = Ranking(evidence, evidence[0].score, self._least_confidence, found.hits[:N_HITS])
        return _Try(question, ranking, found.generation, answered=True)

    def _ranked_by_speaker(self, asked: SayingQuestion, ranking: Ranking, only: Filter) -> Ranking:
        """Return what the one who was asked about says; without that, other words are no answer."""
        said = quote_speaker(asked, self._corpus, only=only, read=ranking.evidence)
        if said.evidence:
            return replace(ranking, evidence=said.evidence, confidence=said.evidence[0].score)
        is_other = bool(ranking.evidence) and ranking.evidence[0].sentence.place in said.others
        return replace(ranking, confidence=0.0) if is_other else ranking

    def _drafts(self, question: Question, ranking: Ranking, *, answered: bool, n_citations: int) -> Iterator[Draft]:
        """Yield what is said, each draft with its citations: the refusal, or the answer while it is written."""
        if not answered:
            nearest = ranking.evidence[:_N_NEAREST]
            yield Draft(refusal(question, len(nearest)), (), citations=cite(nearest))
            return
        chosen = choose_evidence(question.kind, ranking.evidence, n=n_citations)
        evidence = chosen.evidence
        citations = cite(evidence)
        if isinstance(self._generator, StreamingGenerator):
            more = [*evidence, *(piece for piece in ranking.evidence if piece not in evidence)]
            drafts = self._generator.stream(question, more[: self._generator.n_evidence], citations)
        else:
            drafts = iter([self._generator.generate(question, evidence, citations)])
        for draft in drafts:
            notice = " ".join(part for part in (chosen.notice, draft.notice) if part) or None
            yield replace(draft, citations=citations if draft.citations is None else draft.citations, notice=notice)

    def _understood(self, question: str, before: Sequence[Turn]) -> Iterator[str | None]:
        """Yield None while a language model thinks, last a follow-up with what it leaves out; None by itself."""
        rewritten = None
        if before and isinstance(self._generator, StreamingGenerator):
            for reading in self._generator.rewrite(question, [turn.question for turn in before]):
                rewritten = reading
                yield None
        yield carry_over(question, before[-1]) if before and rewritten is None else rewritten

    def _find(
        self,
        question: Question,
        only: Filter,
        timings: dict[str, float],
        *,
        k: int,
        known: Readings | None = None,
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
            ranking = self._ranker.rank(question, first, known=known)
        return question, found, ranking


def _short_answer(question: Question, citations: Sequence[Citation], evidence: Sequence[Evidence]) -> str | None:
    """Return the words of the first citation that answer, "Oui" or "Non" where these were asked for, or None."""
    if not citations:
        return None
    places = {piece.sentence.place: piece for piece in reversed(evidence)}
    first = places.get((citations[0].source, citations[0].start))
    return None if first is None else short_answer(question, first)


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings[stage] = round(timings.get(stage, 0.0) + 1000.0 * (time.perf_counter() - start), 3)
