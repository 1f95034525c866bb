"""What came of each question: asked, searched, and held against what is known to answer it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from index.errors import InputError
from index.searchable import Searchable
from index.types import Hit
from qa.chatbot import Chatbot
from qa.evaluation.answers import exact_match, holds_answer, token_f1
from qa.evaluation.citations import citation_values
from qa.evaluation.gold import GoldQuestion
from qa.evaluation.hidden import HidingCorpus
from qa.evaluation.ranking import DEPTHS, rank_of, ranking_values
from qa.types import Answer, Citation

__all__ = ["N_CITATIONS", "Outcome", "ask_questions", "ask_without_source", "check_documents"]

N_CITATIONS = 3
"""Citations that are looked at."""

_N_HITS = 4 * max(DEPTHS)
"""Passages searched for: long documents give several, and 20 documents are wanted."""

_DOCUMENTS_READ = 1_000
"""Documents read at once to see which ids an index holds."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question and what came of it.

    Attributes:
        question: as asked.
        answers: short answers that count as right; empty where the question is unanswerable.
        document: id of the document that answers, or None.
        without_source: whether it was asked with its documents hidden, so that a refusal is right.
        answered: False where the chatbot abstained.
        given: the short answer, or else the first sentence cited; None where it abstained.
        confidence: in [0, 1], also where it abstained.
        document_rank: rank of the first document that answers, from 1, or None.
        passage_rank: rank of the first passage with the evidence, from 1, or None.
        evidence_rank: place of the first citation that is right, from 1 to `N_CITATIONS`, or None.
        ask_ms: milliseconds that the answer took.
        search_ms: milliseconds of it that the search took, reranking included.
        values: what this question adds to each measure, by the name of the measure.
    """

    question: str
    answers: tuple[str, ...]
    document: str | None
    without_source: bool
    answered: bool
    given: str | None
    confidence: float
    document_rank: int | None
    passage_rank: int | None
    evidence_rank: int | None
    ask_ms: float
    search_ms: float
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_answerable(self) -> bool:
        """Whether the documents that were asked answer it."""
        return bool(self.answers) and not self.without_source


def check_documents(corpus: Searchable, questions: Sequence[GoldQuestion]) -> None:
    """See to it that the index holds the documents that answer.

    Raises:
        InputError: if it lacks one: each figure would be too low.
    """
    missing = {question.document for question in questions if question.document is not None}
    n_wanted, sources = len(missing), corpus.sources()
    for first in range(0, len(sources), _DOCUMENTS_READ):
        if not missing:
            break
        found = corpus.find_documents(sources[first : first + _DOCUMENTS_READ])
        missing -= {document.id for document in found.values()}
    if missing:
        raise InputError(
            f"the index in {corpus.directory} lacks {len(missing)} of the {n_wanted} documents that answer the "
            f"questions, such as {min(missing)}: build it with them, or name their index with --index"
        )


def ask_questions(
    chatbot: Chatbot,
    questions: Sequence[GoldQuestion],
    *,
    progress: Progress = lambda done: None,
) -> list[Outcome]:
    """Ask every question, and search for those that have an answer, as the chatbot does.

    Args:
        chatbot: what is measured.
        questions: with their gold; the first one is asked once more before, so that no model is loaded in its time.
        progress: called with the number of questions done.
    """
    if questions:
        chatbot.ask(questions[0].question)
    outcomes, searches = [], []
    for done, gold in enumerate(questions):
        progress(done)
        outcomes.append(_ask(chatbot, gold))
        if gold.is_answerable:
            searches.append((done, gold, chatbot.search(gold.question, k=_N_HITS)))
    return _with_ranks(outcomes, searches)


def ask_without_source(
    chatbot: Chatbot,
    corpus: HidingCorpus,
    questions: Sequence[GoldQuestion],
    *,
    progress: Progress = lambda done: None,
) -> list[Outcome]:
    """Ask each answerable question with the documents that are known to answer it hidden.

    Another document that is not known of may answer still, so the false answers are an upper bound.

    Args:
        chatbot: what is measured; it asks ``corpus``.
        corpus: the index, able to hide documents.
        questions: with their gold.
        progress: called with the number of questions done.
    """
    outcomes = []
    for done, gold in enumerate(question for question in questions if question.is_answerable):
        progress(done)
        with corpus.hiding(gold.documents):
            outcome = _ask(chatbot, replace(gold, answers=()))
        values = {"false_answers_without_source": float(outcome.answered)}
        outcomes.append(
            replace(outcome, answers=gold.answers, document=gold.document, without_source=True, values=values)
        )
    return outcomes


def _ask(chatbot: Chatbot, gold: GoldQuestion) -> Outcome:
    """Ask one question and judge the answer; a refused question's nearest sentences count as citations."""
    start = time.perf_counter()
    answer = chatbot.ask(gold.question)
    ask_ms = 1000.0 * (time.perf_counter() - start)
    cited = answer.citations[:N_CITATIONS]
    place = next((place for place, each in enumerate(cited, start=1) if _is_right(gold, each)), None)
    given = (answer.short_answer or (cited[0].text if cited else "")) if answer.answered else None
    return Outcome(
        question=gold.question,
        answers=gold.answers,
        document=gold.document,
        without_source=False,
        answered=answer.answered,
        given=given,
        confidence=answer.confidence,
        document_rank=None,
        passage_rank=None,
        evidence_rank=place,
        ask_ms=ask_ms,
        search_ms=answer.timings_ms.get("search", 0.0) + answer.timings_ms.get("rerank", 0.0),
        values=_answer_values(gold, answer, place=place, given=given or ""),
    )


def _answer_values(gold: GoldQuestion, answer: Answer, *, place: int | None, given: str) -> dict[str, float]:
    if not gold.is_answerable:
        return {"false_answers": float(answer.answered)}
    values = {f"evidence_hit@{depth}": float(place is not None and place <= depth) for depth in (1, N_CITATIONS)}
    values["false_refusals"] = float(not answer.answered)
    if gold.has_short_answer:
        values["exact_match"] = max(exact_match(given, right) for right in gold.answers)
        values["f1"] = max(token_f1(given, right) for right in gold.answers)
    if answer.answered:
        values["evidence_hit@1_answered"] = float(place == 1)
        values["first_document_right_answered"] = float(answer.citations[0].document_id in gold.documents)
    return values | citation_values(answer)


def _is_right(gold: GoldQuestion, cited: Citation) -> bool:
    """Say whether a citation holds evidence, or the words of an answer in a document that answers."""
    return _holds(gold, cited.document_id, cited.start, cited.end) or (
        cited.document_id in gold.documents and any(holds_answer(cited.text, right) for right in gold.answers)
    )


def _holds(gold: GoldQuestion, document: str, start: int, end: int) -> bool:
    return document == gold.document and any(a < end and start < b for a, b in gold.evidence)


def _with_ranks(outcomes: list[Outcome], searches: Sequence[tuple[int, GoldQuestion, Sequence[Hit]]]) -> list[Outcome]:
    """Add the ranks of documents and passages to the outcomes of the questions that were searched for."""
    documents = [list(dict.fromkeys(hit.passage.document.id for hit in hits)) for _, _, hits in searches]
    by_document = ranking_values([gold.documents for _, gold, _ in searches], documents)
    passages = [[str(place) for place in range(len(hits))] for _, _, hits in searches]
    # Passages of one document repeat a sentence, so only the first with the evidence brings anything.
    wanted = [frozenset([_first_passage(gold, hits)]) for _, gold, hits in searches]
    by_passage = ranking_values(wanted, passages)
    for row, (number, gold, _) in enumerate(searches):
        values = {f"document_{name}": value for name, value in by_document[row].items()}
        if gold.evidence:
            values |= {f"passage_{name}": value for name, value in by_passage[row].items()}
        outcomes[number] = replace(
            outcomes[number],
            document_rank=rank_of(gold.documents, documents[row]),
            passage_rank=rank_of(wanted[row], passages[row]),
            values=values | dict(outcomes[number].values),
        )
    return outcomes


def _first_passage(gold: GoldQuestion, hits: Sequence[Hit]) -> str:
    """Return the place of the first passage with evidence, or a name that no place has."""
    for place, hit in enumerate(hits):
        if _holds(gold, hit.passage.document.id, hit.passage.span.start, hit.passage.span.end):
            return str(place)
    return "none"
